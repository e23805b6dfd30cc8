package pipeline_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Messages that wait for the first contact keep their order, one agreement serves all, and the header of the key
// agreement stops with the first acknowledgement.
func TestFirstContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	w.people.gate = make(chan struct{})
	var want []wa.MessageID
	for range 20 {
		want = append(want, w.accept(template(ana, "x")))
	}
	close(w.people.gate)
	w.settle()
	if got := f.received(); !slices.Equal(got, want) {
		t.Errorf("came in the order %v, want %v", got, want)
	}
	if w.people.bundles != 1 {
		t.Errorf("%d bundles for one device", w.people.bundles)
	}
	f.say(shop, "hi") // turns the ratchet
	w.clock.Advance(time.Hour)
	id := w.accept(text(ana, "x"))
	w.settle()
	w.ladder(id, accepted, sent, delivered)
	if f.kinds[len(f.kinds)-1] || !f.kinds[0] {
		t.Errorf("first messages: %v", f.kinds)
	}
	f.healthy(t)
}

func (f *phone) healthy(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, err := range f.broken {
		t.Errorf("phone %s: %v", f.user, err)
	}
}

func TestHeaderStopsAfterAcknowledgement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.switchOn(false)
	for range 3 {
		w.accept(template(ana, "x"))
		w.settle()
	}
	w.projected()
	w.kill() // the position at which the session began survives
	w.start()
	w.accept(template(ana, "x"))
	w.settle()
	f.switchOn(true)
	w.settle()
	w.accept(template(ana, "x"))
	w.settle()
	if want := []bool{true, true, true, true, false}; !slices.Equal(f.kinds, want) {
		t.Errorf("first messages: %v, want %v", f.kinds, want)
	}
	f.healthy(t)
}

// Both sides begin a session before they hear of the other's.
func TestBothStartAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.switchOn(false)
	id := w.accept(template(ana, "from the business"))
	w.settle()
	in := f.say(shop, "from the user")
	f.switchOn(true)
	w.settle()
	w.ladder(id, accepted, sent, delivered)
	for range 3 {
		w.clock.Advance(time.Minute)
		f.say(shop, "x")
		w.accept(text(ana, "y"))
		w.settle()
	}
	if len(f.received()) != 4 || in == "" {
		t.Errorf("%d came", len(f.received()))
	}
	f.healthy(t)
}

// The same while the business's agreement is still on its way: then the user's session is taken.
func TestUserStartsDuringFirstContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	w.people.gate = make(chan struct{})
	a, b := w.accept(template(ana, "a")), w.accept(template(ana, "b"))
	f.say(shop, "hi")
	c := w.accept(text(ana, "c"))
	close(w.people.gate)
	w.settle()
	if got := f.received(); !slices.Equal(got, []wa.MessageID{a, b, c}) {
		t.Errorf("came: %v", got)
	}
	if slices.Contains(f.kinds, true) {
		t.Errorf("first messages in a session that the device began: %v", f.kinds)
	}
	f.healthy(t)
}

// A directory that does not answer for a while delays messages and loses none; one that never does fails them.
func TestDirectoryFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	w.people.down = 4
	var want []wa.MessageID
	for range 3 {
		want = append(want, w.accept(template(ana, "x")))
	}
	w.settle()
	if got := f.received(); !slices.Equal(got, want) {
		t.Errorf("came: %v, want %v", got, want)
	}
	w.phone(bob)
	w.people.down = 1000
	id := w.accept(template(bob, "x"))
	w.settle()
	if s := w.ladder(id, accepted, failed)[0]; s.Code != 131026 {
		t.Errorf("failed with %d", s.Code)
	}
}

// A message that waits for the pair to be loaded does not overtake one whose first contact failed before.
func TestOrderAfterFailedContact(t *testing.T) {
	t.Parallel()
	pace := clock.NewControlled(epoch, 1)
	var landed atomic.Pointer[func()]
	w := newWorld(t, func(w *world) {
		w.pace = pace
		w.wrap = func(l pipeline.Log) pipeline.Log { return &landingLog{l, &landed} }
	})
	f := w.phone(ana)
	w.phone(bob)
	w.accept(template(bob, "known"))
	w.settle()
	w.people.down = 1
	want := []wa.MessageID{w.accept(template(ana, "first"))}
	for w.people.asked() < 2 {
		w.check(pace.Sleep(t.Context(), time.Millisecond))
	}
	change := sync.OnceFunc(func() {
		w.people.mu.Lock()
		defer w.people.mu.Unlock()
		w.people.loaded = func() {
			landed.Store(nil)
			pace.Advance(time.Minute)
			for range 3 { // the lane goes on meanwhile
				w.accept(template(bob, "meanwhile"))
			}
		}
		w.p.UserChanged(ana, false)
	})
	landed.Store(&change)
	want = append(want, w.accept(template(ana, "second")))
	w.settle()
	if got := f.received(); !slices.Equal(got, want) {
		t.Errorf("came: %v, want %v", got, want)
	}
}

// Nor does a later message overtake one whose pair could not be loaded at once.
func TestOrderAfterFailedLoad(t *testing.T) {
	t.Parallel()
	var landed atomic.Pointer[func()]
	ill := &illStore{}
	w := newWorld(t, func(w *world) {
		w.wrap = func(l pipeline.Log) pipeline.Log { return &landingLog{l, &landed} }
		w.set = func(o *pipeline.Options) { ill.Store, o.Store = o.Store, ill }
	})
	f := w.phone(ana)
	want := []wa.MessageID{w.accept(template(ana, "known"))}
	w.settle()
	change := sync.OnceFunc(func() {
		ill.mu.Lock()
		defer ill.mu.Unlock()
		ill.reads = 1
		w.p.UserChanged(ana, false)
	})
	landed.Store(&change)
	want = append(want, w.accept(template(ana, "first")))
	for ill.failing() {
		w.check(w.pace.Sleep(t.Context(), 10*time.Millisecond))
	}
	want = append(want, w.accept(template(ana, "second")))
	w.settle()
	if got := f.received(); !slices.Equal(got, want) {
		t.Errorf("came: %v, want %v", got, want)
	}
}

// landingLog says when a frame is durable, before the pipeline hears of it.
type landingLog struct {
	pipeline.Log
	landed *atomic.Pointer[func()]
}

func (l *landingLog) Append(recs []record.Record, done func(uint64, error)) error {
	return l.Log.Append(recs, func(seq uint64, err error) {
		if f := l.landed.Load(); f != nil {
			(*f)()
		}
		done(seq, err)
	})
}

// A device that registers again during its first contact gets what waited for the old one, in order.
func TestRegistersDuringFirstContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	w.people.gate = make(chan struct{})
	var want []wa.MessageID
	for range 3 {
		want = append(want, w.accept(template(ana, "x")))
	}
	f.install()
	w.p.UserChanged(ana, true)
	want = append(want, w.accept(template(ana, "after")))
	close(w.people.gate)
	w.settle()
	if got := f.received(); !slices.Equal(got, want) {
		t.Errorf("came: %v, want %v", got, want)
	}
	f.healthy(t)
}

// A mailbox that has to be made ready again delays a message; one that is full fails it.
func TestMailboxNotReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.say(shop, "hi")
	a := w.accept(text(ana, "a"))
	w.settle()
	w.boxes.mu.Lock()
	w.boxes.cold = true
	w.boxes.mu.Unlock()
	b := w.accept(text(ana, "b"))
	c := w.accept(text(ana, "c"))
	w.settle()
	if got := f.received(); !slices.Equal(got, []wa.MessageID{a, b, c}) {
		t.Errorf("came: %v", got)
	}
	w.boxes.mu.Lock()
	w.boxes.full = true
	w.boxes.mu.Unlock()
	d := w.accept(text(ana, "d"))
	w.settle()
	if s := w.ladder(d, accepted, failed)[0]; s.Code != 131026 {
		t.Errorf("failed with %d", s.Code)
	}
	w.boxes.mu.Lock()
	w.boxes.full = false
	w.boxes.mu.Unlock()
	e := w.accept(text(ana, "e"))
	w.settle()
	w.ladder(e, accepted, sent, delivered)
	f.healthy(t)
}

// Many first contacts at once make more than a frame takes.
func TestManyFirstContactsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) {
		w.numbers.change(shop, func(n *business.Number) { n.Level = business.High })
		w.set = func(o *pipeline.Options) { o.Queue = 8192 }
	})
	people := 400
	if testing.Short() { // the race detector makes key agreements dear
		people = 100
	}
	for i := range people {
		w.phone(person(i)).switchOn(false)
	}
	if n := w.sends(shop, 0, people); n != people {
		t.Fatalf("%d passed", n)
	}
	w.settle()
	w.clock.Advance(time.Minute)
	if n := w.sends(shop, 0, people); n != people { // still unconfirmed: every ciphertext carries its agreement
		t.Fatalf("%d passed", n)
	}
	w.settle()
	if n := w.p.Counts().Recovered.Load(); n != 0 {
		t.Errorf("the journal refused %d times", n)
	}
	if n := len(of[*record.Sealed](w.records())); n != 2*people {
		t.Errorf("%d sealed", n)
	}
	for i := range people {
		w.people.get(person(i)).switchOn(true)
	}
	w.settle()
	for i := range people {
		if f := w.people.get(person(i)); len(f.received()) != 2 || len(f.broken) > 0 {
			t.Fatalf("phone %d holds %d messages, %v", i, len(f.received()), f.broken)
		}
	}
}

type cards struct{ gate chan struct{} }

func (c cards) Preview(context.Context, string) []byte {
	<-c.gate
	return []byte(`{"title":"card"}`)
}

// A preview follows its message without a status of its own.
func TestPreview(t *testing.T) {
	t.Parallel()
	previews := cards{make(chan struct{})}
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Previews = previews } })
	f := w.phone(ana)
	f.say(shop, "hi")
	m := text(ana, "see https://example.com")
	m.PreviewURL = "https://example.com"
	id := w.accept(m)
	close(previews.gate)
	w.settle()
	w.ladder(id, accepted, sent, delivered)
	if got := f.received(); len(got) != 1 || len(f.kinds) != 2 {
		t.Errorf("came: %v, %d items", got, len(f.kinds))
	}
	w.projected()
	if left, err := w.store.MailboxAfter(t.Context(), f.device, 0, 10); err != nil || len(left) != 0 {
		t.Errorf("mailbox keeps %d items, %v", len(left), err)
	}
	f.healthy(t)
}
