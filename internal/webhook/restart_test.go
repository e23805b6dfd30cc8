package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSuspendedEndpointHoldsItsCursor(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, func(o *Options) { o.BatchMax = 1 }), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.status.Store(503)
	r.d.Start()
	const n = 500
	for i := range n {
		r.logs[i%2].append(r.clock.Now(), r.status(fmt.Sprint(i)))
	}
	r.wait("suspension", func() bool { return r.tally.suspended.Load() == 1 })
	r.idle()
	rows := r.store.rowCount()
	if rows > 30 {
		t.Errorf("%d rows for an endpoint that is down", rows)
	}
	if s := r.d.Stats()[0]; !s.Suspended || !s.Oldest.Equal(testStart) || !s.NextProbe.Equal(testStart.Add(10*time.Second)) {
		t.Errorf("stats %+v", s)
	}
	if w, err := r.d.Waiting(t.Context()); err != nil || rows > 0 && (len(w) != 1 || w[0].Rows != rows || !w[0].Oldest.Equal(testStart)) {
		t.Errorf("waiting %+v, %v", w, err)
	}
	before := len(h.got())
	r.walk(10 * time.Second)
	if after := len(h.got()); after != before+1 {
		t.Errorf("%d attempts in the first pause, want one probe", after-before)
	}
	if err := r.d.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	for p := range 2 {
		if seq, _ := r.store.cursor(EndpointID{App: testApp}, p); seq >= n/2 {
			t.Errorf("cursor of partition %d is at %d", p, seq)
		}
	}
	h.status.Store(200)
	r.walk(time.Hour)
	seen := map[string]bool{}
	for _, b := range h.got()[before+1:] {
		for _, part := range strings.Split(b, `"statuses":[{"id":"wamid.`)[1:] {
			seen[part[:strings.IndexByte(part, '"')]] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d updates arrived", len(seen), n)
	}
	if r.tally.suspended.Load() != 0 || r.tally.lost.Load() != 0 || r.store.rowCount() != 0 {
		t.Errorf("suspended %d, lost %d, rows %d", r.tally.suspended.Load(), r.tally.lost.Load(), r.store.rowCount())
	}
	h.clean(t)
}

func TestCursorsAfterACrash(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, func(o *Options) { o.BatchMax = 1 }), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	r.d.Start()
	for i := range 10 {
		r.logs[0].append(r.clock.Now(), r.status(fmt.Sprint("a", i)))
	}
	r.idle()
	if err := r.d.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := map[string]bool{}
	for _, b := range h.got() {
		first[b] = true
	}
	for i := range 5 {
		r.logs[0].append(r.clock.Now(), r.status(fmt.Sprint("b", i)))
	}
	r.idle()
	r.crash(r.d)
	count := map[string]int{}
	for _, b := range h.got() {
		count[b]++
	}
	r.logs[0].append(r.clock.Now(), r.status("c"))
	r.open()
	r.d.Start()
	r.idle()
	after := map[string]int{}
	for _, b := range h.got() {
		after[b]++
	}
	if len(after) != 16 {
		t.Errorf("%d different bodies, want 16: repeats must have the same content", len(after))
	}
	for b, n := range after {
		want := count[b]
		switch {
		case first[b]: // behind the saved cursor
		case want == 0:
			want = 1
		default:
			want = 2
		}
		if n != want {
			t.Errorf("%d times, want %d: %s", n, want, b)
		}
	}
}

// Accounts that nothing happens to cost no writes while others are busy, and get nothing twice after a crash.
func TestQuietEndpointsFollowTheHead(t *testing.T) {
	t.Parallel()
	r, busy, quiet := newRig(t, func(o *Options) { o.BatchMax = 1 }), newHook(t), newHook(t)
	const quietApp, quietWABA = "880011223344556", "220110330440999"
	r.subscribe(testApp, testWABA, busy.URL)
	r.subscribe(quietApp, quietWABA, quiet.URL)
	r.d.Start()
	other := r.status("once")
	other.WABA = quietWABA
	r.logs[0].append(r.clock.Now(), other)
	r.idle()
	save := func() int {
		t.Helper()
		before := r.store.saved
		if err := r.d.save(t.Context()); err != nil {
			t.Fatal(err)
		}
		return r.store.saved - before
	}
	save()
	for i := range 5 {
		r.logs[0].append(r.clock.Now(), r.status(fmt.Sprint(i)))
		r.idle()
		if n := save(); n != 1 { // the head
			t.Errorf("save %d wrote %d cursors", i, n)
		}
	}
	if n := save(); n != 0 {
		t.Errorf("%d cursors written though nothing happened", n)
	}
	if got := r.d.Position(0); got != 6 {
		t.Errorf("the journal must keep what follows %d, want 6", got)
	}
	r.crash(r.d)
	other = r.status("after")
	other.WABA = quietWABA
	r.logs[0].append(r.clock.Now(), other)
	r.open()
	r.d.Start()
	r.idle()
	if b, q := len(busy.got()), len(quiet.got()); b != 5 || q != 2 {
		t.Errorf("%d updates at the busy endpoint, want 5, and %d at the quiet one, want 2", b, q)
	}
}

func TestFarBehindAfterARestart(t *testing.T) {
	t.Parallel()
	r, late, other := newRig(t, nil), newHook(t), newHook(t)
	r.subscribe(testApp, testWABA, late.URL)
	r.subscribe("880011223344556", testWABA, other.URL)
	const n, at, head = 5000, 100, 4990
	for i := range n {
		r.logs[0].append(r.clock.Now(), r.status(fmt.Sprint(i)))
	}
	err := r.store.SaveCursors(t.Context(), []Cursor{
		{Seq: head}, {Endpoint: EndpointID{App: testApp}, Seq: at}, {Endpoint: EndpointID{App: "880011223344556"}, Seq: head},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.open()
	if got := r.d.Position(0); got != at {
		t.Errorf("position %d, want %d", got, at)
	}
	r.d.Start()
	r.idle()
	if got := strings.Count(strings.Join(late.got(), ""), `"statuses"`); got != n-at {
		t.Errorf("%d updates at the one behind, want %d", got, n-at)
	}
	if got := strings.Count(strings.Join(other.got(), ""), `"statuses"`); got != n-head {
		t.Errorf("%d updates at the other, want %d", got, n-head)
	}
}

func TestStopSavesCursors(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.hold()
	r.d.Start()
	r.logs[1].append(r.clock.Now(), r.status("A"))
	r.wait("in flight", func() bool { return h.inside.Load() == 1 })
	closed := make(chan error)
	go func() { closed <- r.d.Close(context.Background()) }()
	h.release()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if seq, _ := r.store.cursor(EndpointID{App: testApp}, 1); seq != 1 {
		t.Errorf("cursor %d, want 1", seq)
	}
}

func TestStopCutsOffWhatHangs(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.hold()
	r.d.Start()
	r.logs[1].append(r.clock.Now(), r.status("A"))
	r.wait("in flight", func() bool { return h.inside.Load() == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.d.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	if seq, _ := r.store.cursor(EndpointID{App: testApp}, 1); seq != 0 {
		t.Errorf("cursor %d, want 0", seq)
	}
	if n := r.tally.attempts.Load(); n != 0 {
		t.Errorf("%d attempts counted against the receiver", n)
	}
}

func TestStoreFailureKeepsTheCursor(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.status.Store(500)
	r.store.setFail(errors.New("disk full"))
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("A"))
	r.wait("suspension", func() bool { return r.tally.suspended.Load() == 1 })
	r.store.setFail(nil)
	h.status.Store(200)
	r.walk(time.Minute)
	if r.tally.good.Load() != 1 || r.tally.suspended.Load() != 0 {
		t.Errorf("%d delivered, %d suspended", r.tally.good.Load(), r.tally.suspended.Load())
	}
}

func TestRowsSurviveARestart(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.status.Store(500)
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("A"))
	r.idle()
	if err := r.d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.open()
	r.d.Start()
	h.status.Store(200)
	if s := r.d.Stats(); len(s) != 1 || s[0].Waiting != 1 || !s[0].NextRetry.Equal(testStart.Add(10*time.Second)) {
		t.Errorf("stats %+v", s)
	}
	r.walk(10 * time.Second)
	got := h.got()
	if len(got) != 3 || got[2] != got[0] || r.store.rowCount() != 0 {
		t.Errorf("%d POSTs, %d rows", len(got), r.store.rowCount())
	}
}

// goneSafe lost the keys of some bodies.
type goneSafe struct{ fakeSafe }

func (s goneSafe) Open(ad string, sealed []byte) ([]byte, error) {
	if string(sealed) == "gone" {
		return nil, ErrGone
	}
	return s.fakeSafe.Open(ad, sealed)
}

// Rows whose key was destroyed go, and do not stand in front of those behind them for ever.
func TestRowsWithoutKeyGiveWay(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, func(o *Options) { o.Safe = goneSafe{} }), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	const gone = 2*duePage + 1
	for i := range gone + 1 {
		p := &Pending{
			ID: fmt.Sprintf("row-%03d", i), Endpoint: EndpointID{App: testApp}, WABA: testWABA, Message: "wamid.x", Updates: 1,
			Born: testStart, Attempts: 1, Next: testStart, Body: []byte("gone"),
		}
		if i == gone {
			p.Next = testStart.Add(time.Second)
			p.Body = mask(pendingAD(p.ID), []byte("{}"))
		}
		if err := r.store.AddPending(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	r.crash(r.d)
	r.open()
	r.d.Start()
	r.walk(10 * time.Second)
	if got := h.got(); len(got) != 1 || got[0] != "{}" {
		t.Errorf("delivered %q", got)
	}
	if n, rows := r.tally.lost.Load(), r.store.rowCount(); n != gone || rows != 0 {
		t.Errorf("%d lost, %d rows left", n, rows)
	}
}

func TestOverridesGetWhatWaitsForTheCallback(t *testing.T) {
	t.Parallel()
	r, down, up := newRig(t, func(o *Options) { o.SuspendAfter = 1 }), newHook(t), newHook(t)
	r.subscribe(testApp, testWABA, down.URL)
	down.status.Store(500)
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("A"))
	r.wait("suspension", func() bool { return r.tally.suspended.Load() == 1 })
	r.idle()
	if err := r.subs.OverrideNumber(t.Context(), testApp, testWABA, testNumber, up.URL, "s3cret"); err != nil {
		t.Fatal(err)
	}
	r.idle()
	if got := up.got(); len(got) != 1 || !strings.Contains(got[0], "wamid.A") {
		t.Fatalf("at the override: %q", got)
	}
	// And back: what waits for an override that is removed goes to the callback.
	up.status.Store(500)
	r.logs[0].append(r.clock.Now(), r.status("B"))
	r.wait("suspension of the override", func() bool { return len(up.got()) == 2 })
	r.idle()
	down.status.Store(200)
	if err := r.subs.OverrideNumber(t.Context(), testApp, testWABA, testNumber, "", ""); err != nil {
		t.Fatal(err)
	}
	r.walk(time.Hour)
	if got := down.got(); !strings.Contains(got[len(got)-1], "wamid.B") {
		t.Errorf("at the callback: %q", got)
	}
	if err := r.d.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.store.cursor(EndpointID{testApp, numberScope(testNumber)}, 0); ok {
		t.Error("the removed override still has cursors")
	}
}

func TestChangedURLIsTriedAtOnce(t *testing.T) {
	t.Parallel()
	r, down, up := newRig(t, func(o *Options) { o.SuspendAfter = 1 }), newHook(t), newHook(t)
	r.subscribe(testApp, testWABA, down.URL)
	down.status.Store(500)
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("A"))
	r.wait("suspension", func() bool { return r.tally.suspended.Load() == 1 })
	r.idle()
	r.subscribe(testApp, testWABA, up.URL)
	r.wait("delivery", func() bool { return len(up.got()) == 1 })
	r.idle()
}

func TestUnsubscribedAppGetsNothing(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.status.Store(500)
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("A"))
	r.idle()
	if err := r.subs.Unsubscribe(t.Context(), testApp, Object, nil); err != nil {
		t.Fatal(err)
	}
	r.logs[0].append(r.clock.Now(), r.status("B"))
	r.walk(time.Hour)
	if n := len(h.got()); n != 2 {
		t.Errorf("%d POSTs, want 2", n)
	}
	if r.store.rowCount() != 0 || r.tally.lost.Load() != 1 {
		t.Errorf("%d rows, %d lost", r.store.rowCount(), r.tally.lost.Load())
	}
}
