package app_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/test/child"
)

// refuseToStart starts and insists on an error that says every part.
func (s *stand) refuseToStart(parts ...string) {
	s.t.Helper()
	a := app.New(s.options)
	err := a.Start(s.t.Context())
	if err == nil {
		s.t.Error("it started")
		_ = a.Stop(context.WithoutCancel(s.t.Context()))
		return
	}
	for _, p := range parts {
		contains(s.t, "the error", err.Error(), p)
	}
}

func TestStartRefusals(t *testing.T) {
	t.Parallel()
	t.Run("foreign directory", func(t *testing.T) {
		t.Parallel()
		s := prepare(t, nil)
		write(t, filepath.Join(s.options.Data, "thesis.doc"), "years of work")
		s.refuseToStart("is not a data directory of hikyaku", "thesis.doc", "--data")
		if b, err := os.ReadFile(filepath.Join(s.options.Data, "thesis.doc")); err != nil || string(b) != "years of work" {
			t.Errorf("the foreign file: %q, %v", b, err)
		}
		if list, _ := os.ReadDir(s.options.Data); len(list) != 1 {
			t.Errorf("it left %v behind", list)
		}
	})
	t.Run("newer layout", func(t *testing.T) {
		t.Parallel()
		s := prepare(t, nil)
		write(t, filepath.Join(s.options.Data, "hikyaku.json"), `{"layout":99,"partitions":8}`)
		s.refuseToStart("layout 99", "newer", "use a newer hikyaku")
	})
	t.Run("locked directory", func(t *testing.T) {
		t.Parallel()
		s := run(t, nil)
		s.refuseToStart("is in use by another hikyaku", "--data")
		if a := s.graph("GET", s.start.Number, nil); a.Status != 200 {
			t.Errorf("the first one afterwards: HTTP %d %s", a.Status, a.Body)
		}
	})
	t.Run("used port", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		s := prepare(t, func(o *app.Options) { o.Listen = l.Addr().String() })
		s.refuseToStart(l.Addr().String()+" is in use", "--listen")
		if _, err := os.Stat(s.options.Data); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it made a data directory: %v", err)
		}
	})
	t.Run("plain HTTP for everybody", func(t *testing.T) {
		t.Parallel()
		prepare(t, func(o *app.Options) { o.Listen = "0.0.0.0:0" }).refuseToStart("refusing plain HTTP", "--tls-cert", "--behind-proxy")
	})
	t.Run("certificate that is not there", func(t *testing.T) {
		t.Parallel()
		s := prepare(t, func(o *app.Options) { o.TLSCert, o.TLSKey = "nowhere.pem", "nowhere.key" })
		s.refuseToStart("--tls-cert", "nowhere.pem")
		if _, err := os.Stat(s.options.Data); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it made a data directory: %v", err)
		}
	})
	t.Run("root key that is gone", func(t *testing.T) {
		t.Parallel()
		s := run(t, nil)
		s.down()
		s.options.RootKeyFile = filepath.Join(t.TempDir(), "other.key")
		s.refuseToStart("no root key at "+s.options.RootKeyFile, "--root-key-file")
		if _, err := os.Stat(s.options.RootKeyFile); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it made a key that opens nothing: %v", err)
		}
	})
	t.Run("misspelled configuration", func(t *testing.T) {
		t.Parallel()
		s := prepare(t, nil)
		write(t, s.options.Config, "numbre: {id: \"1\"}\n")
		s.refuseToStart("--config", "numbre")
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// testResources checks that a start made one test account with one registered number and the sample template. Source:
// spec/seed_checklist.md R28.
func (s *stand) testResources() {
	s.t.Helper()
	for path, want := range map[string]string{
		"me/businesses?fields=id": `{"data":[{"id":"` + s.start.Business + `"}],"paging":`,
		s.start.Business + "/owned_whatsapp_business_accounts?fields=id": `{"data":[{"id":"` + s.start.WABA + `"}],"paging":`,
		s.start.WABA + "/phone_numbers?fields=account_mode,status":       `{"data":[{"account_mode":"SANDBOX","status":"CONNECTED","id":"` + s.start.Number + `"}],"paging":`,
		s.start.WABA + "/message_templates?fields=name,language,status":  `{"data":[{"name":"hello_world","language":"en_US","status":"APPROVED","id":`,
		s.start.WABA + "/message_templates?limit=0&summary=total_count":  `{"data":[],"summary":{"total_count":1`,
		s.start.WABA + "/subscribed_apps":                                `{"data":[{"whatsapp_business_api_data":{"link":"`,
	} {
		if a := s.graph("GET", path, nil); !strings.HasPrefix(string(a.Body), want) {
			s.t.Errorf("%s: %s", path, a.Body)
		}
	}
}

func TestRestartKeepsEverything(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.testResources()
	s.subscribe()
	s.control("POST", "users", map[string]any{"phone": "+12025550100", "name": "Ann", "behaviour": map[string]any{"offline": true}})
	seen, waiting := s.send(child.Text(s.start.User, "before")), s.send(child.Hello("12025550100", ""))
	s.idle()
	s.advance(26 * time.Hour)
	chat, now := s.chat(s.start.User), s.clock.Now()
	plan := *s.app.Plan()
	s.down()
	if code, err := app.ReadPlan(s.options); err != nil || code.Token != plan.Token {
		t.Errorf("the plan of a platform that does not run: %v, %v", code, err)
	}
	s.up()
	again := *s.app.Plan()
	again.BaseURL, again.ControlURL = plan.BaseURL, plan.ControlURL
	if again != plan {
		t.Error("the plan is another one")
	}
	s.testResources() // the second start adds none
	if s.clock.Now().Before(now) {
		t.Errorf("time went back to %v", s.clock.Now())
	}
	// A day has passed, so the sandbox user has said hello again; what was there is still there.
	if got := s.chat(s.start.User); len(got) < len(chat) || !slices.EqualFunc(got[:len(chat)], chat, func(a, b chatLine) bool { return a.ID == b.ID && a.Status == b.Status }) {
		t.Errorf("the chat is\n%+v\nand was\n%+v", got, chat)
	}
	if got := s.chat("12025550100"); len(got) != 0 {
		t.Errorf("the offline user shows %+v", got)
	}
	s.control("POST", "users/12025550100/actions", map[string]string{"do": "online"})
	s.idle()
	s.status(waiting, "read")
	s.status(seen, "read")
	if got := s.chat("12025550100"); len(got) != 1 || got[0].ID != waiting {
		t.Errorf("what waited in the mailbox: %+v", got)
	}
}

// The callback belongs to the place, not to the test, when the caller says so.
func TestResetKeepsWebhooks(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.control("POST", "reset", map[string]bool{"keep_webhooks": true})
	s.subscribe()
	s.control("POST", "reset", map[string]bool{"keep_webhooks": true})
	id := s.send(child.Text(s.start.User, "after"))
	s.idle()
	s.status(id, "read")
	if list := s.hooks.Problems(); len(list) != 0 {
		t.Errorf("the receiver complains: %v", list)
	}
}

// The first start subscribes the app to the account, and a reset does; a later start and a reset that keeps webhooks respect that
// somebody ended it. Source: spec/manager.md section 7.1.
func TestSubscriptionOfTheFirstStart(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	subscribed := func(when string, want bool) {
		t.Helper()
		a := s.graph("GET", s.start.WABA+"/subscribed_apps", nil)
		if a.Status != 200 || strings.Contains(string(a.Body), `"id":"`+s.start.App+`"`) != want {
			t.Errorf("%s: HTTP %d %s", when, a.Status, a.Body)
		}
	}
	subscribed("the first start", true)
	s.subscribe()
	if a := s.graph("DELETE", s.start.WABA+"/subscribed_apps", nil); a.Status != 200 {
		t.Fatalf("unsubscribe: HTTP %d %s", a.Status, a.Body)
	}
	s.down()
	s.up()
	subscribed("the second start", false)
	s.control("POST", "reset", map[string]bool{"keep_webhooks": true})
	subscribed("a reset that keeps webhooks", false)
	s.control("POST", "reset", nil)
	subscribed("a reset", true)
}

// TLS 1.2 at least, for the names that were asked for, and nothing in clear. Source: spec/security.md S15.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.SelfSigned = []string{"graph.facebook.com"} })
	trust, err := app.Trust(s.options)
	if err != nil {
		t.Fatal(err)
	}
	call := func(c *tls.Config, address string) (status, proto int, err error) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}}
		defer client.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.start.Token)
		res, err := client.Do(req)
		if err != nil {
			return 0, 0, err
		}
		res.Body.Close()
		return res.StatusCode, res.ProtoMajor, nil
	}
	address := s.app.PublicURL() + "/" + version + "/" + s.start.Number
	if status, proto, err := call(trust.Clone(), address); err != nil || status != 200 || proto != 2 {
		t.Errorf("%s: HTTP/%d %d, %v", address, proto, status, err)
	}
	named := trust.Clone()
	named.ServerName = "graph.facebook.com"
	if status, _, err := call(named, address); err != nil || status != 200 {
		t.Errorf("by its name: HTTP %d, %v", status, err)
	}
	old := trust.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, _, err := call(old, address); err == nil {
		t.Error("TLS 1.1 was good enough")
	}
	if _, _, err := call(&tls.Config{}, address); err == nil {
		t.Error("a client that does not know the certificate connected")
	}
	if status, _, err := call(nil, strings.Replace(address, "https:", "http:", 1)); err == nil && status < 400 {
		t.Errorf("in clear: HTTP %d", status)
	}
}

// A page of another site, in a browser on this machine, must not be able to change anything.
func TestOperatorPortRefusesOtherSites(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	for origin, want := range map[string]int{"https://evil.example": 403, s.app.ControlURL(): 200, "": 200} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.app.ControlURL()+"/control/v1/idle", nil)
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		res, err := s.place.HTTP.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("origin %q: HTTP %d, want %d", origin, res.StatusCode, want)
		}
	}
}

// A page whose name was made to mean this machine is of the same origin to its browser.
func TestOperatorPortRefusesForeignNames(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.PublicURL = "https://wa.example.test:8443" })
	for host, want := range map[string]int{
		"evil.example": 421, "evil.example:8081": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421,
		"localhost:8081": 200, "LOCALHOST": 200, "127.0.0.1": 200, "[::1]:8081": 200, "[::1]": 200, "hikyaku:8081": 200,
		"host.docker.internal:8081": 200, "hikyaku.chat.svc.cluster.local": 200, "wa.example.test:8081": 200, "wa.example.test.": 200,
	} {
		for _, path := range []string{"/metrics", "/control/v1/clock"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.app.ControlURL()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = host
			res, err := s.place.HTTP.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s of host %q: HTTP %d, want %d", path, host, res.StatusCode, want)
			}
		}
	}
}

func TestTimeNeverFalls(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.Clock = nil })
	s.advance(50 * time.Hour)
	id := s.send(child.Hello(s.start.User, ""))
	s.idle()
	before := decode[struct{ Now time.Time }](t, s.control("GET", "clock", nil)).Now
	s.down()
	s.up()
	after := decode[struct{ Now time.Time }](t, s.control("GET", "clock", nil)).Now
	if id == "" || after.Before(before.Add(-time.Second)) {
		t.Errorf("it is %v, and was %v before the restart", after, before)
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	first := s.send(child.Hello("12025550123", ""))
	s.idle()
	plan := *s.app.Plan()
	s.control("POST", "reset", nil)
	if again := *s.app.Plan(); again != plan {
		t.Errorf("ids, token or addresses are others: %+v", again)
	}
	users := decode[struct {
		Data []struct {
			WaID string `json:"wa_id"`
		}
	}](t, s.control("GET", "users", nil)).Data
	if len(users) != 1 || users[0].WaID != s.start.User {
		t.Errorf("users after the reset: %+v", users)
	}
	s.hooks.take()
	id := s.send(child.Text(s.start.User, "after"))
	s.idle()
	if got := s.hooks.take(); len(got) != 0 {
		t.Errorf("the subscription survived: %v", got)
	}
	if chat := s.chat(s.start.User); len(chat) != 2 || chat[1].ID != id {
		t.Errorf("the chat after the reset, with the hello of a first start: %+v", chat)
	}
	if a := s.graph("POST", s.start.Number+"/messages", map[string]any{
		"messaging_product": "whatsapp", "status": "read", "message_id": first,
	}); a.Status == 200 {
		t.Error("a message of before the reset is known")
	}
}

// Without a driver a person whom a test number is to write to gets the code as a message all the same; numbers get none. Source:
// spec/business.md section 8.2.
func TestCodesWithoutADriver(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.Sandbox = false })
	const to = "16505550142"
	if a := s.graph("POST", s.start.Number+"/allowed_recipients", map[string]string{"phone_number": to}); a.Status != 200 {
		t.Fatalf("a recipient: %d %s", a.Status, a.Body)
	}
	m, err := s.place.Do(t.Context(), "GET", "/metrics", nil)
	if err != nil || !strings.Contains(string(m.Body), "hikyaku_messages_accepted_total 1\n") {
		t.Errorf("the message with the code: %v %s", err, m.Body)
	}
	a := s.graph("POST", s.start.WABA+"/phone_numbers", map[string]string{"cc": "81", "phone_number": "5055550142", "verified_name": "Aozora"})
	made := decode[struct{ ID string }](t, a.Body)
	a = s.graph("POST", made.ID+"/request_code", map[string]string{"code_method": "SMS", "language": "en"})
	if a.Status != 400 || !strings.Contains(string(a.Body), "This server has no way to send verification codes.") {
		t.Errorf("a number: %d %s", a.Status, a.Body)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.Sandbox = false })
	for path, want := range map[string]string{
		"/healthz": `{"status":"alive"}`, "/readyz": `{"status":"ready"}`, "/metrics": "hikyaku_messages_accepted_total 0\n",
	} {
		a, err := s.place.Do(t.Context(), "GET", path, nil)
		if err != nil || a.Status != 200 || !strings.Contains(string(a.Body), want) {
			t.Errorf("%s: %v %+v", path, err, a)
		}
	}
	for query, want := range map[string]int{"?user=16505555555": 404, "?user=x": 400, "": 400, "?user=16505555555&number=19999999999": 400} {
		if a, err := s.place.Do(t.Context(), "GET", "/safety_number"+query, nil); err != nil || a.Status != want {
			t.Errorf("/safety_number%s: %v %+v, want HTTP %d", query, err, a, want)
		}
	}
	if a, err := s.place.Do(t.Context(), "GET", "/control/v1/users", nil); err != nil || a.Status != 404 {
		t.Errorf("the control API without a sandbox: %v %+v", err, a)
	}
	for _, path := range []string{"healthz", "readyz", "metrics", "control/v1/users", "debug/pprof/"} {
		if a, err := s.place.Graph(t.Context(), "GET", path, "", nil); err != nil || a.Status < 400 {
			t.Errorf("%s on the public port: %v, HTTP %d", path, err, a.Status)
		}
	}
}
