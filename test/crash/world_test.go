//go:build crash

package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/test/child"
)

const (
	version   = "v23.0"
	crowd     = 100 // virtual users
	crowdHead = "1201555"
)

// world is a platform in a child process and everybody who talks to it.
type world struct {
	t       *testing.T
	place   *child.Place
	start   child.Starter
	numbers []number
	hooks   *child.Receiver
	ledger  *ledger
	people  []*person
	log     *os.File

	subscribed int64 // Unix milliseconds: from then on webhooks are owed
	seed       uint64

	mu  sync.Mutex
	rng *rand.Rand
}

type number struct{ id, phone string }

func (w *world) chance(p float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.Float64() < p
}

func (w *world) pick(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

// program is the binary, built once for all tests.
var program string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hikyaku-crash-*")
	if err == nil {
		defer os.RemoveAll(dir)
		program, err = child.Build(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// newWorld prepares a place, with its data directory at data, and starts the receiver. Nothing of the platform runs yet.
func newWorld(t *testing.T, data string, seed uint64, faults bool) *world {
	t.Helper()
	var err error
	w := &world{
		t: t, start: child.Declared(), ledger: newLedger(), seed: seed, rng: rand.New(rand.NewPCG(seed, 1)),
	}
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte(w.start.YAML()), 0o600); err != nil {
		t.Fatal(err)
	}
	if w.log, err = os.Create(filepath.Join(t.TempDir(), "platform.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.log.Close() })
	w.place = &child.Place{
		Program: program, Data: data, Args: []string{"--sandbox", "--config", config}, Log: w.log, Clock: clock.System(),
		HTTP: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	for _, p := range []*int{&w.place.Public, &w.place.Control} {
		if *p, err = child.Port(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.numbers = []number{{w.start.Number, w.start.Phone}}
	w.hooks = &child.Receiver{Secret: w.start.Secret, Verify: w.start.Verify, Wait: func() { time.Sleep(time.Duration(w.pick(300)) * time.Millisecond) }}
	if faults {
		w.hooks.Fault = w.fault
	}
	return w
}

func (w *world) fault() child.Fault {
	switch n := w.pick(100); {
	case n < 4:
		return child.Refuse
	case n < 5:
		return child.Cut
	case n < 8:
		return child.Slow
	}
	return child.None
}

// receive opens the receiver and returns its URL.
func (w *world) receive() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	s := &http.Server{Handler: w.hooks, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	go s.Serve(l)
	w.t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String() + "/hook"
}

// run starts the platform and waits until it is ready.
func (w *world) run() *child.Process {
	w.t.Helper()
	p, err := w.place.Start()
	if err == nil {
		err = p.Ready(w.t.Context())
	}
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.tail())
	}
	return p
}

// tail is the end of the platform's log.
func (w *world) tail() string {
	b, _ := os.ReadFile(w.log.Name())
	return string(b[max(0, len(b)-4000):])
}

// must calls and insists on 200.
func (w *world) must(a *child.Answer, err error) *child.Answer {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.tail())
	}
	if a.Status != http.StatusOK {
		w.t.Fatalf("HTTP %d: %s\n%s", a.Status, a.Body, w.tail())
	}
	return a
}

// furnish makes numbers, subscribes the receiver, creates users and devices, and opens all conversations.
func (w *world) furnish(url string, devices int) {
	ctx, t := w.t.Context(), w.t
	t.Helper()
	for i := range 2 {
		phone := fmt.Sprintf("1555078390%d", i)
		a := w.must(w.place.Do(ctx, "POST", "/control/v1/numbers", map[string]string{"phone": phone, "name": "More"}))
		var n struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(a.Body, &n); err != nil {
			t.Fatal(err)
		}
		w.numbers = append(w.numbers, number{n.ID, phone})
	}
	for _, n := range w.numbers[:2] { // the third keeps the standard level
		w.must(w.place.Do(ctx, "POST", "/control/v1/numbers/"+n.id+"/throughput", map[string]any{"level": "HIGH"}))
	}
	w.must(w.place.Graph(ctx, "POST", version+"/"+w.start.App+"/subscriptions", w.start.App+"|"+w.start.Secret, map[string]string{
		"object": "whatsapp_business_account", "callback_url": url, "verify_token": w.start.Verify, "fields": "messages",
	}))
	w.must(w.place.Graph(ctx, "POST", version+"/"+w.start.WABA+"/subscribed_apps", w.start.Token, nil))
	w.subscribed = time.Now().UnixMilli()
	w.must(w.place.Do(ctx, "POST", "/control/v1/users", map[string]any{
		"prefix": crowdHead, "count": crowd, "behaviour": map[string]any{"reply_rate": 0.1},
	}))
	// Everybody writes first, so that free-form messages may go to them for a day.
	for _, n := range w.numbers {
		for i := range crowd {
			w.must(w.place.Do(ctx, "POST", "/control/v1/users/"+member(i)+"/messages",
				map[string]any{"to": n.phone, "type": "text", "text": map[string]string{"body": "hello from " + member(i)}}))
		}
	}
	for i := range devices {
		w.people = append(w.people, newPerson(w, i))
	}
	w.must(w.place.Do(ctx, "POST", "/control/v1/idle", map[string]string{"timeout": "20s"}))
}

func member(i int) string { return fmt.Sprintf("%s%04d", crowdHead, i) }

// settle waits until nothing is in flight, letting platform time pass so that webhooks that were refused come again.
func (w *world) settle(ctx context.Context) {
	w.t.Helper()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); {
		a, err := w.place.Do(ctx, "POST", "/control/v1/idle", map[string]string{"timeout": "10s"})
		quiet := err == nil && a.Status == http.StatusOK
		waiting := 0
		for _, p := range w.people {
			waiting += p.unanswered()
		}
		hooks := w.must(w.place.Do(ctx, "GET", "/control/v1/webhooks?limit=1", nil))
		owed := w.owed(hooks.Body)
		if quiet && waiting == 0 && owed == 0 {
			return
		}
		if owed > 0 {
			w.must(w.place.Do(ctx, "POST", "/control/v1/clock", map[string]string{"advance": "5m"}))
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.t.Fatalf("does not come to rest\n%s", w.tail())
}

func (w *world) owed(body []byte) (n int) {
	var a struct {
		Endpoints []struct {
			InFlight int `json:"in_flight"`
			Queued   int `json:"queued"`
			Waiting  int `json:"waiting"`
		} `json:"endpoints"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		w.t.Fatal(err)
	}
	for _, e := range a.Endpoints {
		n += e.InFlight + e.Queued + e.Waiting
	}
	return n
}

// varying are the parts of a log line that differ from one to the next.
var varying = regexp.MustCompile(`/[^ ]+|[0-9]+`)

// checkLog fails on panics and on errors that nothing explains.
func (w *world) checkLog() {
	b, err := os.ReadFile(w.log.Name())
	if err != nil {
		w.t.Fatal(err)
	}
	seen := map[string]int{}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") || strings.Contains(line, "goroutine ") {
			w.t.Errorf("the platform crashed by itself:\n%s", w.tail())
			break
		}
		var l struct{ Level, Msg, Err, Text string }
		if json.Unmarshal([]byte(line), &l) == nil && (l.Level == "ERROR" || l.Level == "WARN") {
			seen[l.Level+" "+l.Msg+": "+varying.ReplaceAllString(l.Err+l.Text, "…")]++
		}
	}
	for what, n := range seen {
		w.t.Logf("log %d × %.300s", n, what)
	}
}
