package webhook

import (
	"slices"
	"testing"
	"time"
)

const otherApp = "880011223344556"

func (j *journaled) failing(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fail = n
}

func (r *rig) mustSave() {
	r.t.Helper()
	if err := r.d.save(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// restart is kill -9 and a start a while later.
func (r *rig) restart(pause time.Duration) {
	r.t.Helper()
	r.crash(r.d)
	r.clock.Advance(pause)
	r.open()
	r.d.Start()
	r.idle()
}

// Head readers begin where the slowest endpoint is: the others read again what they have answered, and lose nothing of it.
func TestWhoAnsweredBeforeARestartLosesNothing(t *testing.T) {
	t.Parallel()
	r, j := briefRig(t, func(o *Options) { o.SuspendAfter = 1 })
	up, down := newHook(t), newHook(t)
	r.subscribe(testApp, testWABA, up.URL)
	r.subscribe(otherApp, testWABA, down.URL)
	down.status.Store(500)
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.brief("A"), r.status("kept"))
	r.wait("delivery", func() bool { return len(up.got()) == 2 })
	r.idle()
	r.mustSave()
	down.status.Store(200)
	r.restart(2 * time.Hour)
	told := j.told()
	if len(told) != 1 || told[0].App != otherApp || r.tally.lost.Load() != 1 {
		t.Errorf("told %v; %d lost, want one", told, r.tally.lost.Load())
	}
	if got := up.got(); len(got) != 2 {
		t.Errorf("who had answered got %q", got)
	}
	if got := down.got(); !slices.Contains(got, lostError) {
		t.Errorf("who had not got %q", got)
	}
}

// An endpoint that has no room for the frame reads it again for itself, and loses each of its updates once.
func TestALossIsCountedOnce(t *testing.T) {
	t.Parallel()
	r, j := briefRig(t, func(o *Options) { o.QueueEvents = 4 })
	h := newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	late := r.brief("late")
	r.clock.Advance(2 * time.Hour)
	h.hold()
	r.d.Start()
	for range 4 {
		r.logs[0].append(r.clock.Now(), late, r.status("a"), r.status("b"))
	}
	r.wait("the head", func() bool { return r.d.Head(0) == 4 })
	h.release()
	r.idle()
	if n := r.tally.lost.Load(); n != 4 || r.d.Stats()[0].Lost != 4 || len(j.told()) != 1 {
		t.Errorf("%d and %d lost, want 4; told %d times, want once", n, r.d.Stats()[0].Lost, len(j.told()))
	}
}

// While a loss cannot be told, no cursor passes it and no row of it goes: it is told after a crash, or an orderly stop.
func TestALossThatCannotBeToldSurvives(t *testing.T) {
	t.Parallel()
	for _, stop := range []string{"crash", "close"} {
		for _, kind := range []string{"updates", "row", "row without key"} {
			t.Run(kind+", "+stop, func(t *testing.T) {
				t.Parallel()
				r, j := briefRig(t, func(o *Options) { o.Safe = goneSafe{} })
				h := newHook(t)
				r.subscribe(testApp, testWABA, h.URL)
				h.status.Store(500)
				j.failing(1 << 30)
				late := r.brief("A")
				switch kind {
				case "updates":
					r.clock.Advance(2 * time.Hour)
					r.d.Start()
					r.logs[0].append(r.clock.Now(), late)
					r.idle()
				case "row":
					r.d.Start()
					r.logs[0].append(r.clock.Now(), late)
					r.idle()
					r.mustSave()
					r.walk(2 * time.Hour)
				default:
					p := &Pending{
						ID: "1", Endpoint: EndpointID{App: testApp}, WABA: testWABA, Updates: 1, Born: testStart, Attempts: 1,
						Next: testStart.Add(time.Minute), Body: []byte("gone"), Brief: testNumber,
					}
					if err := r.store.AddPending(t.Context(), p); err != nil {
						t.Fatal(err)
					}
					r.crash(r.d)
					r.open()
					r.d.Start()
					r.walk(2 * time.Hour)
				}
				attempts := len(h.got())
				r.mustSave()
				if stop == "close" {
					if err := r.d.Close(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				j.failing(0)
				h.status.Store(200)
				r.restart(0)
				r.walk(3 * time.Minute)
				if n := len(j.told()); n != 1 {
					t.Errorf("told %d times", n)
				}
				if got := h.got()[attempts:]; len(got) != 1 || got[0] != lostError {
					t.Errorf("afterwards it got %q", got)
				}
				if n := r.store.rowCount(); n != 0 {
					t.Errorf("%d rows are left", n)
				}
			})
		}
	}
}

// Nobody waits for a notice: frames are read, updates are posted, and the journal may ask how far everybody is.
func TestNobodyWaitsForANotice(t *testing.T) {
	t.Parallel()
	r, j := briefRig(t, nil)
	h := newHook(t)
	j.gate = make(chan struct{})
	r.subscribe(testApp, testWABA, h.URL)
	late := r.brief("A")
	r.clock.Advance(2 * time.Hour)
	r.d.Start()
	r.logs[0].append(r.clock.Now(), late)
	r.logs[0].append(r.clock.Now(), late, r.status("kept"))
	r.wait("the other", func() bool { return len(h.got()) == 1 && r.d.Head(0) == 2 }) // the head moves last
	saved := make(chan error)
	go func() { saved <- r.d.save(t.Context()) }()
	r.wait("a save", func() bool {
		if r.d.saveMu.TryLock() {
			r.d.saveMu.Unlock()
			return false
		}
		return true
	})
	if at := r.d.Position(0); at != 0 {
		t.Errorf("the journal may forget what lies before %d although its loss is not told", at)
	}
	close(j.gate)
	if err := <-saved; err != nil {
		t.Fatal(err)
	}
	r.idle()
	r.mustSave() // the answer may have come after the first
	if at := r.d.Position(0); at != 2 || len(j.told()) != 1 {
		t.Errorf("position %d, told %d times", at, len(j.told()))
	}
}
