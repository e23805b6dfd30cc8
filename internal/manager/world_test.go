package manager_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/manager"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

const password = "correct horse battery"

// world is a web app over the real rooms and a real store.
type world struct {
	t        *testing.T
	clock    *clock.Controlled
	access   *access.Service
	business *business.Service
	webhooks *webhook.Service
	manager  *manager.Manager
	url      string
	home     *business.Portfolio // with a test account
	app      *access.App
	codes    map[wa.WaID]string
}

type plain struct{}

func (plain) Seal(_, b []byte) ([]byte, error) { return bytes.Clone(b), nil }
func (plain) Open(_, b []byte) ([]byte, error) { return bytes.Clone(b), nil }

// open is a vault of the webhooks that seals nothing.
type open struct{}

func (open) SealSecret(_ string, b []byte) ([]byte, error)           { return bytes.Clone(b), nil }
func (open) SealContent(_ int64, _ string, b []byte) ([]byte, error) { return bytes.Clone(b), nil }
func (open) Open(_ string, b []byte) ([]byte, error)                 { return bytes.Clone(b), nil }

// SendCode implements business.Courier.
func (w *world) SendCode(_ context.Context, to wa.WaID, code string, _ business.CodeMethod, _ string) error {
	w.codes[to] = code
	return nil
}

// TellCode implements business.Teller.
func (w *world) TellCode(_ context.Context, _ *business.Number, to wa.WaID, code string) error {
	w.codes[to] = code
	return nil
}

// ChooseCode implements business.Courier.
func (w *world) ChooseCode(wa.WaID) (string, bool) { return "", false }

func newWorld(t *testing.T, change func(*manager.Options), keeps ...func(business.Store) business.Store) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewFake(noon), codes: map[wa.WaID]string{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	must(err)
	t.Cleanup(func() { _ = db.Close() })
	w.access, err = access.New(t.Context(), db, access.Options{Clock: w.clock, Sealer: plain{}, Pepper: bytes.Repeat([]byte{7}, 32), Rounds: 10})
	must(err)
	var kept business.Store = db
	for _, keep := range keeps {
		kept = keep(kept)
	}
	w.business, err = business.New(t.Context(), kept, business.Options{Clock: w.clock, Courier: w, Teller: w})
	must(err)
	templates, err := template.New(t.Context(), db, template.Options{Clock: w.clock})
	must(err)
	w.webhooks, err = webhook.NewService(t.Context(), webhook.ServiceOptions{Store: db, Clock: w.clock, Safe: open{}, Transport: http.DefaultTransport})
	must(err)
	w.home, err = w.business.CreatePortfolio(t.Context(), business.Portfolio{Name: "Aozora"})
	must(err)
	w.app, err = w.access.CreateApp(t.Context(), access.NewApp{Name: "Shop", Business: w.home.ID})
	must(err)
	_, _, err = w.business.EnsureTest(t.Context(), w.home.ID, false)
	must(err)
	srv := httptest.NewUnstartedServer(nil)
	w.url = "http://" + srv.Listener.Addr().String()
	o := manager.Options{
		Access: w.access, Business: w.business, Template: templates, Webhooks: w.webhooks, Clock: w.clock, Counts: db, BaseURL: w.url, Version: "v23.0",
	}
	if change != nil {
		change(&o)
	}
	m, err := manager.New(o)
	must(err)
	w.manager, srv.Config.Handler = m, m
	srv.Start()
	t.Cleanup(srv.Close)
	return w
}

// browser is somebody who opens pages.
type browser struct {
	w      *world
	client *http.Client
	lang   string
	id     string
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w: w, client: &http.Client{Jar: jar, Timeout: 10 * time.Second}}
}

// person is somebody logged in, a member of the portfolios with these roles.
func (w *world) person(email string, member ...access.Membership) *browser {
	w.t.Helper()
	p, err := w.access.CreatePerson(w.t.Context(), access.Person{Name: "P " + email, Email: email, Member: member})
	if err == nil {
		err = w.access.SetPassword(w.t.Context(), p.ID, password)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	b := w.browser()
	b.id = p.ID
	if page := b.post("/login/", "email", email, "password", password); page.status != http.StatusOK {
		w.t.Fatalf("log in: %d %s", page.status, page.body)
	}
	return b
}

func (w *world) admin() *browser {
	return w.person("mio@example.com", access.Membership{Business: w.home.ID, Role: access.Admin})
}

// answer is a page after its redirects.
type answer struct {
	status     int
	body, path string
}

func (b *browser) do(r *http.Request) answer {
	b.w.t.Helper()
	r.Header.Set("Accept-Language", b.lang)
	res, err := b.client.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return answer{res.StatusCode, string(body), res.Request.URL.RequestURI()}
}

// get opens a page; every page must be sound.
func (b *browser) get(path string) answer {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.w.url+path, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.sound(path, b.do(r))
}

// post sends a form: names and values in turn.
func (b *browser) post(path string, pairs ...string) answer {
	b.w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.sound(path, b.do(r))
}

func (b *browser) sound(path string, a answer) answer {
	b.w.t.Helper()
	if strings.Contains(a.body, "<!doctype html>") {
		for _, fault := range Faults(a.body) {
			b.w.t.Errorf("%s (%s): %s", path, b.lang, fault)
		}
	}
	if a.status == http.StatusInternalServerError {
		b.w.t.Errorf("%s: %s", path, a.body)
	}
	return a
}

// want checks a page.
func (a answer) want(t *testing.T, what string, status int, parts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: status %d, want %d, at %s", what, a.status, status, a.path)
	}
	for _, part := range parts {
		if !strings.Contains(a.body+a.path, part) {
			t.Errorf("%s: the page at %s does not say %q", what, a.path, part)
		}
	}
}

// link finds an address in a page.
func (a answer) find(t *testing.T, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("nothing like %s in the page at %s", pattern, a.path)
	}
	return m[len(m)-1]
}
