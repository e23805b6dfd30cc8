package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	testApp    wa.AppID         = "770011223344556"
	testWABA   wa.WABAID        = "512340987654321"
	testNumber wa.PhoneNumberID = "498765432109876"
	testSecret                  = "bistro-secret"
)

var testStart = time.Date(2026, 7, 3, 8, 0, 0, 0, time.UTC)

// fakeSafe binds texts to their place and hides them, badly.
type fakeSafe struct{}

func (fakeSafe) SealSecret(ad string, plain []byte) ([]byte, error) { return mask(ad, plain), nil }
func (fakeSafe) SealContent(_ int64, ad string, plain []byte) ([]byte, error) {
	return mask(ad, plain), nil
}

func (fakeSafe) Open(ad string, sealed []byte) ([]byte, error) {
	prefix, rest, ok := bytes.Cut(sealed, []byte{0})
	if !ok || string(prefix) != ad {
		return nil, errors.New("not sealed for " + ad)
	}
	out := bytes.Clone(rest)
	for i := range out {
		out[i] ^= 0x5a
	}
	return out, nil
}

func mask(ad string, plain []byte) []byte {
	out := append([]byte(ad), 0)
	for _, c := range plain {
		out = append(out, c^0x5a)
	}
	return out
}

type fakeApps struct{}

func (fakeApps) AppSecret(wa.AppID) (string, bool) { return testSecret, true }

// fakeLog is a partition of the journal.
type fakeLog struct {
	index  int
	mu     sync.Mutex
	frames []*journal.Frame
	more   chan struct{}
}

func newFakeLog(i int) *fakeLog { return &fakeLog{index: i, more: make(chan struct{})} }

func (l *fakeLog) append(at time.Time, recs ...record.Record) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	seq := uint64(len(l.frames) + 1)
	l.frames = append(l.frames, &journal.Frame{Partition: l.index, Seq: seq, At: at, Records: recs})
	close(l.more)
	l.more = make(chan struct{})
	return seq
}

func (l *fakeLog) Next(ctx context.Context, after uint64) (*journal.Frame, error) {
	for {
		l.mu.Lock()
		if after < uint64(len(l.frames)) {
			f := l.frames[after]
			l.mu.Unlock()
			return f, nil
		}
		more := l.more
		l.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (l *fakeLog) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.frames))
}

// tally is an Observer that counts.
type tally struct {
	attempts, good, lost, suspended atomic.Int64
}

func (c *tally) Attempted(a Answer, _ time.Duration, _ int) {
	c.attempts.Add(1)
	if a == AnswerOK {
		c.good.Add(1)
	}
}
func (c *tally) Lost(_ Loss, n int) { c.lost.Add(int64(n)) }
func (c *tally) Suspended(n int)    { c.suspended.Add(int64(n)) }

// hook is a real HTTP receiver that answers as told and remembers bodies.
type hook struct {
	*httptest.Server
	status atomic.Int32
	mu     sync.Mutex
	bodies []string
	bad    []string // what was wrong with requests
	gate   chan struct{}
	inside atomic.Int32
	peak   atomic.Int32
	script []int // statuses of the next requests
}

func newHook(t testing.TB) *hook {
	h := &hook{}
	h.status.Store(200)
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	t.Cleanup(h.release)
	return h
}

// hold makes requests wait for release.
func (h *hook) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gate = make(chan struct{})
}

func (h *hook) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gate != nil {
		close(h.gate)
		h.gate = nil
	}
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
		return
	}
	body, _ := io.ReadAll(r.Body)
	h256, h1 := Signature(testSecret, body)
	n := h.inside.Add(1)
	defer h.inside.Add(-1)
	for p := h.peak.Load(); n > p && !h.peak.CompareAndSwap(p, n); p = h.peak.Load() {
	}
	h.mu.Lock()
	if r.Header.Get("X-Hub-Signature-256") != h256 || r.Header.Get("X-Hub-Signature") != h1 {
		h.bad = append(h.bad, "signature")
	}
	if r.Header.Get("User-Agent") != "facebookexternalua" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Accept") != "*/*" {
		h.bad = append(h.bad, "headers")
	}
	if _, ok := r.Header["Idempotency-Key"]; ok {
		h.bad = append(h.bad, "idempotency key was sent")
	}
	h.bodies = append(h.bodies, string(body))
	status := int(h.status.Load())
	if len(h.script) > 0 {
		status, h.script = h.script[0], h.script[1:]
	}
	gate := h.gate
	h.mu.Unlock()
	if gate != nil {
		<-gate
	}
	w.WriteHeader(status)
}

func (h *hook) got() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.bodies)
}

func (h *hook) clean(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.bad) > 0 {
		t.Errorf("bad requests: %v", h.bad)
	}
}

// rig is a dispatcher with everything around it.
type rig struct {
	t     testing.TB
	clock *clock.Controlled
	store *memStore
	logs  []*fakeLog
	tally *tally
	subs  *Service
	d     *Dispatcher
	tune  func(*Options)
	tr    *http.Transport
}

func newRig(t testing.TB, tune func(*Options)) *rig {
	r := &rig{t: t, clock: clock.NewFake(testStart), store: newMemStore(), tally: &tally{}, tune: tune}
	for i := range 2 {
		r.logs = append(r.logs, newFakeLog(i))
	}
	r.tr = NewTransport(TransportOptions{Allow: LoopbackPrefixes(), PerHost: 1024})
	t.Cleanup(r.tr.CloseIdleConnections)
	r.open()
	return r
}

// open makes a service and a dispatcher over what is stored, as a process does at its start.
func (r *rig) open() {
	r.t.Helper()
	var err error
	r.subs, err = NewService(r.t.Context(), ServiceOptions{Store: r.store, Safe: fakeSafe{}, Clock: r.clock, Transport: r.tr})
	if err != nil {
		r.t.Fatal(err)
	}
	o := Options{
		Service: r.subs, Store: r.store, Safe: fakeSafe{}, Apps: fakeApps{}, Numbers: fixedNumbers("15550100123"),
		Poster: NewSender(TransportOptions{Allow: LoopbackPrefixes()}), Clock: r.clock, Observer: r.tally, SaveEvery: time.Hour, Log: slog.New(slog.DiscardHandler),
	}
	for _, l := range r.logs {
		o.Logs = append(o.Logs, l)
	}
	if r.tune != nil {
		r.tune(&o)
	}
	if r.d, err = New(r.t.Context(), o); err != nil {
		r.t.Fatal(err)
	}
	d := r.d
	r.t.Cleanup(func() { r.crash(d) })
}

// crash ends a dispatcher without saving anything.
func (r *rig) crash(d *Dispatcher) {
	d.saveMu.Lock() // a dead process saves nothing
	d.closing.Store(true)
	if d.stop != nil {
		d.stop()
	}
	d.cancel()
	d.saveMu.Unlock()
	d.readers.Wait()
	d.work.Wait()
}

func (r *rig) subscribe(app wa.AppID, waba wa.WABAID, url string) {
	r.t.Helper()
	err := r.subs.Subscribe(r.t.Context(), SubscribeRequest{
		App: app, Object: Object, CallbackURL: url, VerifyToken: "s3cret", Fields: []Field{{Name: FieldMessages}},
	})
	if err == nil {
		err = r.subs.Link(r.t.Context(), app, waba, "", "")
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) status(id string) *record.Status {
	return &record.Status{
		Of: record.KindSent, ID: wa.MessageID("wamid." + id), Number: testNumber, WABA: testWABA, To: "15550177788",
		At: r.clock.Now().UnixMilli(), PricingType: "regular", Category: "utility", Priced: true,
	}
}

// wait polls until the condition holds.
func (r *rig) wait(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func (r *rig) idle() {
	r.t.Helper()
	r.wait("idle", r.d.Idle)
}

// walk advances the clock from due time to due time for d, letting everything settle in between.
func (r *rig) walk(d time.Duration) {
	r.t.Helper()
	end := r.clock.Now().Add(d)
	for {
		r.idle()
		r.wait("timer", r.settled)
		next, ok := r.clock.Next()
		if !ok || next.After(end) {
			r.clock.Advance(end.Sub(r.clock.Now()))
			r.idle()
			return
		}
		r.clock.Advance(next.Sub(r.clock.Now()))
	}
}

// settled says that the dispatcher's timer is set for the first thing that is due.
func (r *rig) settled() bool {
	if !r.d.Idle() || len(r.d.kicked) > 0 {
		return false
	}
	var first time.Time
	for _, e := range r.d.all() {
		if at := e.nextTime(); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	next, ok := r.clock.Next()
	if first.IsZero() {
		return true
	}
	return ok && next.Equal(first)
}

// nextTime is when the endpoint wants to be looked at again.
func (e *endpoint) nextTime() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.suspended {
		return e.probeAt
	}
	return e.nextDue
}
