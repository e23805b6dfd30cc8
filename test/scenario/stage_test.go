package scenario_test

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/webhook"
	"github.com/hikyaku/hikyaku/test/child"
	"github.com/hikyaku/hikyaku/test/scenario"
)

// start is the time at which every scenario begins unless its settings name another.
var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// What files call the platform and the receiver, whose real ports change from run to run.
const (
	publicURL   = "https://graph.example.com"
	receiverURL = "https://receiver.example.com"
)

// stage is a platform that is played on, and the receiver of its webhooks.
type stage struct {
	t       *testing.T
	options app.Options
	app     *app.App
	starter child.Starter
	client  *http.Client

	receiver *httptest.Server
	mu       sync.Mutex
	status   int
	secrets  []string // of the apps, which sign
	heard    []*scenario.Post
	problems []string
}

// open starts a platform with the settings of a scenario, subscribed to everything.
func open(t *testing.T, settings []string) *stage {
	t.Helper()
	s := &stage{t: t, starter: child.Declared(), status: http.StatusOK, client: &http.Client{
		Timeout: 90 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.secrets = []string{s.starter.Secret}
	s.receiver = httptest.NewServer(http.HandlerFunc(s.receive))
	t.Cleanup(s.receiver.Close)
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte(s.starter.YAML()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.options = app.Options{
		Data: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", Control: "127.0.0.1:0", Config: config, Sandbox: true,
		NoPreviews: true, PublicURL: publicURL, WebhookBatch: 1, Seed: 1, Rand: repeatable, Logger: slog.New(slog.DiscardHandler),
	}
	begin, callback := start, true
	for _, line := range settings {
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "time":
			var err error
			if begin, err = time.Parse(time.RFC3339, value); err != nil {
				t.Fatal(err)
			}
		case "live number":
			live := strings.Replace(s.starter.YAML(), `, name: Bistro}`+"\nsystem_user", `, name: Bistro, live: true}`+"\nsystem_user", 1)
			if err := os.WriteFile(config, []byte(live), 0o600); err != nil {
				t.Fatal(err)
			}
		case "config":
			f, err := os.OpenFile(config, os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString(value + "\n")
				err = errors.Join(err, f.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
		case "strict":
			s.options.Strict = true
		case "manual reviews":
			s.options.ManualReviews = true
		case "require payment":
			s.options.RequirePayment = true
		case "billing":
			s.options.Billing = value
		case "paused markets":
			s.options.PausedMarkets = strings.Split(value, ",")
		case "everybody in the experiment":
			s.options.Holdout = 1
		case "rates":
			s.options.RateCard = filepath.Join("testdata", value)
		case "no callback":
			callback = false
		default:
			t.Fatalf("there is no setting %q", line)
		}
	}
	s.options.Clock = clock.NewFake(begin)
	s.up()
	s.idle() // what Kerry wrote is no part of the scenario
	if callback {
		s.subscribe()
	}
	return s
}

// repeatable is a stream of its own for each purpose, the same in every run.
func repeatable(purpose string) io.Reader {
	return rand.NewChaCha8(sha256.Sum256([]byte(purpose)))
}

func (s *stage) up() {
	s.t.Helper()
	a := app.New(s.options)
	if err := a.Start(s.t.Context()); err != nil {
		s.t.Fatalf("start: %v", err)
	}
	s.app = a
	s.t.Cleanup(s.down)
}

func (s *stage) down() {
	s.t.Helper()
	if s.app == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s.client.CloseIdleConnections()
	if err := s.app.Stop(ctx); err != nil {
		s.t.Errorf("stop: %v", err)
	}
	s.app = nil
}

// subscribe points the app at the receiver, with all fields.
func (s *stage) subscribe() {
	s.t.Helper()
	for _, call := range [][3]string{
		{
			"/" + s.starter.App + "/subscriptions", s.starter.App + "|" + s.starter.Secret,
			fmt.Sprintf(`{"object": "whatsapp_business_account", "callback_url": %q, "verify_token": %q, "fields": %q}`,
				s.receiver.URL+"/", s.starter.Verify, strings.Join(webhook.Fields(), ",")),
		},
		{"/" + s.starter.WABA + "/subscribed_apps", s.starter.Token, "{}"},
	} {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.public("/v23.0"+call[0]), strings.NewReader(call[2]))
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+call[1])
		req.Header.Set("Content-Type", "application/json")
		if res, body := s.do(req); res.StatusCode != http.StatusOK {
			s.t.Fatalf("subscribe: HTTP %d %s", res.StatusCode, body)
		}
	}
}

// public is the address of a path of the public port, which is not the one that clients of PublicURL use.
func (s *stage) public(path string) string { return "http://" + s.app.Addr().String() + path }

func (s *stage) do(req *http.Request) (*http.Response, []byte) {
	s.t.Helper()
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res, body
}

// idle waits until nothing is in flight, and returns what the receiver heard since the last time, in an order that does not
// depend on which POST was quicker.
func (s *stage) idle() []*scenario.Post {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.app.ControlURL()+scenario.ControlPath+"idle", strings.NewReader(`{"timeout": "60s"}`))
	if err != nil {
		s.t.Fatal(err)
	}
	if res, body := s.do(req); res.StatusCode != http.StatusOK {
		s.t.Fatalf("HTTP %d %s", res.StatusCode, body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.heard
	s.heard = nil
	sortHeard(list)
	return list
}

// receive is the endpoint of the business.
func (s *stage) receive(w http.ResponseWriter, r *http.Request) {
	if name, ok := strings.CutPrefix(r.URL.Path, "/files/"); ok && r.Method == http.MethodGet {
		http.ServeFile(w, r, filepath.Join("testdata", filepath.Base(name)))
		return
	}
	if r.Method == http.MethodGet {
		q := r.URL.Query()
		if q.Get("hub.verify_token") == "wrong" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, q.Get("hub.challenge"))
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := r.Header.Get("X-Hub-Signature-256"); !slices.ContainsFunc(s.secrets, func(secret string) bool {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		return got == "sha256="+hex.EncodeToString(mac.Sum(nil))
	}) {
		s.problems = append(s.problems, fmt.Sprintf("signature %q is of none of the apps: %s", got, body))
	}
	p := &scenario.Post{Body: s.written(string(body))}
	if r.URL.Path != "/" {
		p.Notes = append(p.Notes, "to "+r.URL.Path)
	}
	if s.status != http.StatusOK {
		p.Notes = append(p.Notes, "answered "+strconv.Itoa(s.status))
	}
	s.heard = append(s.heard, p)
	w.WriteHeader(s.status)
}

// written is text as it stands in files: with the names of servers instead of their ports.
func (s *stage) written(text string) string {
	escaped := strings.ReplaceAll(s.receiver.URL, "/", `\/`)
	return strings.NewReplacer(s.receiver.URL, receiverURL, escaped, strings.ReplaceAll(receiverURL, "/", `\/`)).Replace(text)
}

// said is the other way round.
func (s *stage) said(text string) string {
	return strings.ReplaceAll(text, receiverURL, s.receiver.URL)
}

// heardChange is what the order of webhooks depends on.
type heardChange struct {
	Entry []struct {
		Changes []struct {
			Field string
			Value struct {
				Statuses []struct{ Status, Timestamp string }
				Messages []struct{ Timestamp string }
			}
		}
	}
}

// sortHeard puts webhooks in order of their time, then in that in which a message goes its way.
func sortHeard(list []*scenario.Post) {
	type key struct {
		p     *scenario.Post
		at    string
		stage int
	}
	keys := make([]key, len(list))
	for i, p := range list {
		at, n := rank(p.Body)
		keys[i] = key{p, at, n}
	}
	slices.SortStableFunc(keys, func(a, b key) int {
		return cmp.Or(strings.Compare(a.at, b.at), cmp.Compare(a.stage, b.stage), strings.Compare(a.p.Body, b.p.Body), slices.Compare(a.p.Notes, b.p.Notes))
	})
	for i, k := range keys {
		list[i] = k.p
	}
}

var journey = []string{"", "failed", "sent", "delivered", "read", "played"}

func rank(body string) (timestamp string, n int) {
	var c heardChange
	if json.Unmarshal([]byte(body), &c) != nil || len(c.Entry) == 0 || len(c.Entry[0].Changes) == 0 {
		return "", 0
	}
	v := &c.Entry[0].Changes[0].Value
	switch {
	case len(v.Statuses) > 0:
		return v.Statuses[0].Timestamp, slices.Index(journey, v.Statuses[0].Status)
	case len(v.Messages) > 0:
		return v.Messages[0].Timestamp, 0
	}
	return "", 0
}
