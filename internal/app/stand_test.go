package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/test/child"
)

// noon is when most tests begin: v21.0 is the oldest version alive then.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const version = "v23.0"

// stand is a platform in this process, the way a client sees it.
type stand struct {
	t       *testing.T
	options app.Options
	clock   *clock.Controlled
	start   child.Starter
	app     *app.App
	place   *child.Place
	hooks   *hooks
	logs    *lines
}

// lines collects a log.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// hooks is a receiver that also keeps the bodies as they came.
type hooks struct {
	child.Receiver
	mu     sync.Mutex
	bodies []string
	url    string
}

func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		h.mu.Lock()
		h.bodies = append(h.bodies, string(b))
		h.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(b))
	}
	h.Receiver.ServeHTTP(w, r)
}

// take returns the bodies since the last call.
func (h *hooks) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.bodies
	h.bodies = nil
	return b
}

// prepare makes a stand that is not started: a sandbox with declared resources and a clock that stands still.
func prepare(t *testing.T, change func(*app.Options)) *stand {
	t.Helper()
	s := &stand{t: t, start: child.Declared(), clock: clock.NewFake(noon), logs: &lines{}}
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte(s.start.YAML()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.options = app.Options{
		Data: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", Control: "127.0.0.1:0", Config: config, Sandbox: true,
		NoPreviews: true, Seed: 7, Clock: s.clock,
		Logger: slog.New(slog.NewJSONHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&s.options)
	}
	h := &hooks{Receiver: child.Receiver{Secret: s.start.Secret, Verify: s.start.Verify}}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s.hooks, h.url = h, server.URL+"/hook"
	return s
}

// run prepares and starts.
func run(t *testing.T, change func(*app.Options)) *stand {
	t.Helper()
	s := prepare(t, change)
	s.up()
	return s
}

func (s *stand) up() {
	s.t.Helper()
	a := app.New(s.options)
	if err := a.Start(s.t.Context()); err != nil {
		s.t.Fatalf("start: %v", err)
	}
	s.app = a
	s.place = &child.Place{
		Public: port(s.t, a.PublicURL()), Control: port(s.t, a.ControlURL()), Clock: clock.System(),
		HTTP: &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 32}},
	}
	s.t.Cleanup(s.down)
}

// down stops the platform; twice is fine.
func (s *stand) down() {
	s.t.Helper()
	if s.app == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s.place.HTTP.CloseIdleConnections()
	if err := s.app.Stop(ctx); err != nil {
		s.t.Errorf("stop: %v", err)
	}
	s.app = nil
}

func port(t *testing.T, address string) int {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// graph calls the Graph API with the starter token.
func (s *stand) graph(method, path string, body any) *child.Answer {
	s.t.Helper()
	a, err := s.place.Graph(s.t.Context(), method, version+"/"+path, s.start.Token, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// control calls the control API and insists on 200.
func (s *stand) control(method, path string, body any) []byte {
	s.t.Helper()
	a, err := s.place.Do(s.t.Context(), method, "/control/v1/"+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if a.Status != http.StatusOK {
		s.t.Fatalf("%s %s: HTTP %d %s", method, path, a.Status, a.Body)
	}
	return a.Body
}

// send sends a message of the starter number and returns its id.
func (s *stand) send(body any) string {
	s.t.Helper()
	a := s.graph("POST", s.start.Number+"/messages", body)
	if a.Status != http.StatusOK {
		s.t.Fatalf("send: HTTP %d %s", a.Status, a.Body)
	}
	return a.MessageID()
}

func (s *stand) idle() {
	s.t.Helper()
	s.control("POST", "idle", map[string]string{"timeout": "20s"})
}

func (s *stand) advance(d time.Duration) {
	s.t.Helper()
	s.control("POST", "clock", map[string]string{"advance": d.String()})
}

// subscribe points the app's webhooks at the stand's receiver.
func (s *stand) subscribe() {
	s.t.Helper()
	a, err := s.place.Graph(s.t.Context(), "POST", version+"/"+s.start.App+"/subscriptions", s.start.App+"|"+s.start.Secret,
		map[string]string{"object": "whatsapp_business_account", "callback_url": s.hooks.url, "verify_token": s.start.Verify, "fields": "messages"})
	if err != nil || a.Status != http.StatusOK {
		s.t.Fatalf("subscribe: %v %+v", err, a)
	}
	if a := s.graph("POST", s.start.WABA+"/subscribed_apps", nil); a.Status != http.StatusOK {
		s.t.Fatalf("subscribe: HTTP %d %s", a.Status, a.Body)
	}
}

// status insists that the receiver heard of a status and returns it.
func (s *stand) status(id, status string) child.Update {
	s.t.Helper()
	u, ok := s.hooks.Find(id, status)
	if !ok {
		s.t.Fatalf("no status %s for %s", status, id)
	}
	return u
}

func decode[T any](t *testing.T, b []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return v
}

// chat is what a virtual user's device shows.
func (s *stand) chat(user string) (list []chatLine) {
	s.t.Helper()
	return decode[struct{ Data []chatLine }](s.t, s.control("GET", "users/"+user+"/messages", nil)).Data
}

type chatLine struct {
	ID        string
	Direction string
	Type      string
	Content   json.RawMessage
	Preview   json.RawMessage
	Status    string
}

func contains(t *testing.T, what, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%s does not say %q: %s", what, part, text)
	}
}
