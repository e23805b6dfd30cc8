package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
)

func TestW1DeliveredOnce(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL+"/hook?a=b")
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("A"))
	r.idle()
	got := h.got()
	if len(got) != 1 || !strings.Contains(got[0], `"id":"wamid.A","status":"sent"`) {
		t.Fatalf("got %q", got)
	}
	log := r.d.Deliveries(10, nil)
	if len(log) != 1 || log[0].State != StateDelivered || string(log[0].Payload) != got[0] || len(log[0].Attempts) != 1 || log[0].Attempts[0].Status != 200 {
		t.Errorf("log %+v", log)
	}
	h.clean(t)
}

func TestW2TwoFailuresThenDelivered(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	h.script = []int{500, 500}
	r.subscribe(testApp, testWABA, h.URL)
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("A"))
	r.idle()
	if n := len(h.got()); n != 2 {
		t.Fatalf("%d attempts at once, want 2", n)
	}
	for _, row := range r.store.sorted(EndpointID{App: testApp}) {
		if strings.Contains(string(row.Body), "wamid") {
			t.Error("the stored body is readable")
		}
	}
	r.walk(9 * time.Second)
	if n := len(h.got()); n != 2 {
		t.Fatalf("%d attempts after 9 s, want 2", n)
	}
	r.walk(time.Second)
	got := h.got()
	if len(got) != 3 || got[0] != got[1] || got[1] != got[2] {
		t.Fatalf("got %q", got)
	}
	if r.store.rowCount() != 0 {
		t.Error("the row is still there")
	}
	log := r.d.Deliveries(10, nil)
	if len(log) != 1 || log[0].State != StateDelivered || len(log[0].Attempts) != 3 {
		t.Errorf("log %+v", log)
	}
	h.clean(t)
}

// W3 and W4, for a POST that waits as a row and for one whose endpoint is suspended.

func TestW3W4SevenDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		down    time.Duration
		suspend int
		want    bool
	}{
		{"row, down 6 d 23 h", Life - time.Hour, 1 << 30, true},
		{"row, down 7 d 1 s", Life + time.Second, 1 << 30, false},
		{"suspended, down 6 d 23 h", Life - time.Hour, 1, true},
		{"suspended, down 7 d 1 s", Life + time.Second, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, h := newRig(t, func(o *Options) { o.SuspendAfter = c.suspend }), newHook(t)
			r.subscribe(testApp, testWABA, h.URL)
			h.status.Store(500)
			r.d.Start()
			r.logs[0].append(r.clock.Now(), r.status("A"))
			r.walk(c.down)
			before := len(h.got())
			if before < 150 || before > 200 {
				t.Errorf("%d attempts while it was down", before)
			}
			h.status.Store(200)
			r.walk(2 * time.Hour)
			switch after := len(h.got()) - before; {
			case c.want && (after != 1 || r.tally.good.Load() != 1 || r.tally.lost.Load() != 0):
				t.Errorf("%d attempts afterwards, %d good, %d lost", after, r.tally.good.Load(), r.tally.lost.Load())
			case !c.want && (after != 0 || r.tally.lost.Load() != 1):
				t.Errorf("%d attempts afterwards, %d lost", after, r.tally.lost.Load())
			}
			if r.store.rowCount() != 0 || r.tally.suspended.Load() != 0 {
				t.Errorf("%d rows, %d suspended", r.store.rowCount(), r.tally.suspended.Load())
			}
			h.clean(t)
		})
	}
}

// An endpoint that was suspended for long starts far behind the others: it catches up on its own, they are not read again.

func TestSlowEndpointHoldsNobody(t *testing.T) {
	t.Parallel()
	r, slow, fast := newRig(t, func(o *Options) { o.QueueEvents, o.BatchMax = 20, 1 }), newHook(t), newHook(t)
	slow.hold()
	r.subscribe(testApp, testWABA, slow.URL)
	r.subscribe("880011223344556", testWABA, fast.URL)
	r.d.Start()
	const n = 300
	for i := range n {
		r.logs[0].append(r.clock.Now(), r.status(fmt.Sprint(i)))
	}
	r.wait("all at the fast receiver", func() bool { return len(fast.got()) == n })
	for _, s := range r.d.Stats() {
		if s.Endpoint.App == testApp && s.Queued > 20 {
			t.Errorf("%d updates in the queue of the slow receiver", s.Queued)
		}
	}
	slow.release()
	r.idle()
	if len(slow.got()) != n {
		t.Errorf("%d at the slow receiver, want %d", len(slow.got()), n)
	}
	for _, e := range r.d.all() {
		if e.lagging() || len(e.parts[0].open) > 0 || e.held != 0 || e.queue.bytes != 0 {
			t.Errorf("endpoint %v has not caught up", e.id)
		}
	}
	if m := r.d.memory.Load(); m != 0 {
		t.Errorf("%d bytes are still counted", m)
	}
}

func TestDeadEndpointHoldsNobody(t *testing.T) {
	t.Parallel()
	r, fast := newRig(t, func(o *Options) { o.BatchMax = 1 }), newHook(t)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	err := r.subs.Subscribe(t.Context(), SubscribeRequest{App: testApp, Object: Object, CallbackURL: dead.URL, Trusted: true, Fields: []Field{{Name: FieldMessages}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.subs.Link(t.Context(), testApp, testWABA, "", ""); err != nil {
		t.Fatal(err)
	}
	r.subscribe("880011223344556", testWABA, fast.URL)
	r.d.Start()
	for i := range 200 {
		r.logs[0].append(r.clock.Now(), r.status(fmt.Sprint(i)))
	}
	r.idle()
	if len(fast.got()) != 200 || r.tally.suspended.Load() != 1 {
		t.Errorf("%d POSTs, %d suspended", len(fast.got()), r.tally.suspended.Load())
	}
}

func TestBatchesWhenTheQueueIsLong(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	if err := r.subs.Link(t.Context(), testApp, "999", "", ""); err != nil {
		t.Fatal(err)
	}
	var recs []record.Record
	for i := range 1200 {
		s := r.status(fmt.Sprint(i))
		if i%2 == 1 {
			s.WABA = "999"
		}
		recs = append(recs, s)
	}
	r.logs[0].append(r.clock.Now(), recs...)
	r.d.Start()
	r.idle()
	got := h.got()
	if len(got) != 2 {
		t.Fatalf("%d POSTs, want 2", len(got))
	}
	for _, b := range got {
		n := strings.Count(b, `"statuses"`)
		if n != 1000 && n != 200 || strings.Count(b, `"changes"`) != 2 {
			t.Errorf("%d updates, %d entries", n, strings.Count(b, `"changes"`))
		}
		last := -2
		for _, part := range strings.Split(b[:strings.Index(b, `{"id":"999"`)], `"statuses":[{"id":"wamid.`)[1:] {
			var i int
			if _, err := fmt.Sscanf(part, "%d", &i); err != nil || i <= last {
				t.Fatalf("update %d after %d", i, last)
			}
			last = i
		}
	}
	h.clean(t)
}

func TestShortQueueIsNotBatched(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	var recs []record.Record
	for i := range 50 {
		recs = append(recs, r.status(fmt.Sprint(i)))
	}
	r.logs[0].append(r.clock.Now(), recs...)
	r.d.Start()
	r.idle()
	if n := len(h.got()); n != 50 {
		t.Errorf("%d POSTs, want 50", n)
	}
}

// W5: a receiver that needs its time gets larger POSTs, not a longer queue.

func TestW5SlowReceiverGetsBatches(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, func(o *Options) { o.Timeout = time.Hour }), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.hold()
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("first"))
	r.wait("in flight", func() bool { return h.inside.Load() == 1 })
	const n = 6000
	for i := range n / 30 {
		var recs []record.Record
		for j := range 30 {
			recs = append(recs, r.status(fmt.Sprint(30*i+j)))
		}
		r.logs[0].append(r.clock.Now(), recs...)
	}
	r.wait("backlog", func() bool { return r.d.parts[0].head.Load() == r.logs[0].Last() })
	h.release()
	r.idle()
	if posts := len(h.got()); posts > 16+n/1000+2+50 { // single ones at the beginning, and the last 50
		t.Errorf("%d POSTs for %d updates", posts, n)
	}
	if got := strings.Count(strings.Join(h.got(), ""), `"statuses"`); got != n+1 {
		t.Errorf("%d updates arrived, want %d", got, n+1)
	}
}

func TestThousandConcurrent(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, func(o *Options) { o.StartConcurrency, o.MaxConcurrency, o.BatchMax = 1000, 1000, 1 }), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.hold()
	var recs []record.Record
	for i := range 1000 {
		recs = append(recs, r.status(fmt.Sprint(i)))
	}
	r.logs[0].append(r.clock.Now(), recs...)
	r.d.Start()
	r.wait("1,000 in flight", func() bool { return h.inside.Load() == 1000 })
	h.release()
	r.idle()
	if n := len(h.got()); n != 1000 {
		t.Errorf("%d POSTs", n)
	}
}

func TestRedeliver(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.status.Store(500)
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("A"))
	r.idle()
	h.status.Store(200)
	id := r.d.Deliveries(1, nil)[0].ID
	for range 2 { // the second time from the log alone
		a, err := r.d.Redeliver(t.Context(), id)
		if err != nil || a.Answer != AnswerOK {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	if got := h.got(); len(got) != 4 || got[3] != got[0] || r.store.rowCount() != 0 {
		t.Errorf("%d POSTs, %d rows", len(got), r.store.rowCount())
	}
	if s := r.d.Deliveries(1, nil)[0].State; s != StateDelivered {
		t.Errorf("state %s", s)
	}
	if _, err := r.d.Redeliver(t.Context(), "nope"); !errors.Is(err, ErrNoDelivery) {
		t.Errorf("unknown id: %v", err)
	}
	h.clean(t)
}

func TestStatusesThatCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		strict bool
		want   int64
	}{{200, false, 1}, {204, false, 1}, {204, true, 0}, {200, true, 1}, {301, false, 0}, {302, false, 0}, {404, false, 0}} {
		r, h := newRig(t, func(o *Options) { o.StrictStatus = c.strict }), newHook(t)
		r.subscribe(testApp, testWABA, h.URL)
		h.status.Store(int32(c.status))
		r.d.Start()
		r.logs[0].append(r.clock.Now(), r.status("A"))
		r.idle()
		if got := r.tally.good.Load(); got != c.want {
			t.Errorf("status %d, strict %v: %d delivered, want %d", c.status, c.strict, got, c.want)
		}
	}
}

func TestTimeoutIsAFailure(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, func(o *Options) { o.Timeout = 50 * time.Millisecond }), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.hold()
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("A"))
	r.wait("row", func() bool { return r.store.rowCount() == 1 })
	r.idle()
	if a := r.d.Deliveries(1, nil)[0].Attempts; len(a) != 2 || a[0].Answer != AnswerTimeout || a[0].Status != 0 {
		t.Errorf("attempts %+v", a)
	}
}

func TestRecordsFromDiskAreOpened(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	r.d.Start()
	s := r.status("A")
	s.SealedOpaque = mask("message/wamid.A/opaque", []byte("reservation:8841"))
	in := &record.Received{ID: "wamid.I", Number: testNumber, WABA: testWABA, From: "15550177788", At: s.At, Type: "text"}
	in.SealedBody = mask("message/wamid.I/body", []byte(`{"type":"text","text":{"body":"hello"}}`))
	r.logs[0].append(r.clock.Now(), s, in)
	r.idle()
	all := strings.Join(h.got(), "\n")
	if !strings.Contains(all, `"biz_opaque_callback_data":"reservation:8841"`) || !strings.Contains(all, `"text":{"body":"hello"}`) {
		t.Errorf("got %s", all)
	}
}

func TestOtherRecordsAreNobodysBusiness(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	other := r.status("B")
	other.WABA = "1"
	r.logs[0].append(r.clock.Now(), &record.Accepted{ID: "wamid.A", WABA: testWABA}, &record.Dropped{ID: "wamid.A"}, other, record.Unknown{Of: 99})
	r.d.Start()
	r.idle()
	if n := len(h.got()); n != 0 {
		t.Errorf("%d POSTs", n)
	}
	if err := r.d.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if head := r.d.Head(0); head != 1 {
		t.Errorf("head %d, want 1", head)
	}
	if seq, _ := r.store.cursor(EndpointID{App: testApp}, 0); seq != 1 || r.d.Position(0) != 1 {
		t.Errorf("cursor %d, position %d, want 1", seq, r.d.Position(0))
	}
}
