package pipeline_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// A user who installs anew gets what was not delivered once more, in its order; messages bound to the old identity fail.
func TestNewIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.say(shop, "hi")
	f.switchOn(false)
	var plain []wa.MessageID
	for range 5 {
		plain = append(plain, w.accept(text(ana, "x")))
	}
	bound := text(ana, "secret")
	bound.IdentityHash = signal.IdentityHash(f.local.Key.Public())
	guarded := w.accept(bound)
	other := template(ana, "of another number")
	other.Number = shop2
	also := w.accept(other)
	w.settle()
	bundles := w.people.bundles

	w.reinstall(f)
	f.switchOn(true)
	w.settle()
	if s := w.ladder(guarded, accepted, sent, failed)[1]; s.Code != 137000 {
		t.Errorf("guarded message failed with %d", s.Code)
	}
	for _, id := range append(slices.Clone(plain), also) {
		w.ladder(id, accepted, sent, delivered)
	}
	if got := slices.DeleteFunc(f.received(), func(id wa.MessageID) bool { return id == also }); !slices.Equal(got, plain) {
		t.Errorf("came: %v, want %v", got, plain)
	}
	if n := w.people.bundles - bundles; n != 2 {
		t.Errorf("%d first contacts for two numbers", n)
	}
	again := 0
	for _, s := range of[*record.Sealed](w.records()) {
		again += int(s.Attempt)
	}
	if again != 6 {
		t.Errorf("%d encrypted again, want 6", again)
	}
	bound.IdentityHash = signal.IdentityHash(f.local.Key.Public())
	now := w.accept(bound)
	w.settle()
	w.ladder(now, accepted, sent, delivered)
	f.healthy(t)
}

// reinstall registers the phone's number anew, as the directory does: items for the old keys are void.
func (w *world) reinstall(f *phone) {
	w.boxes.reset(f.device)
	f.install()
	w.p.UserChanged(f.user, true)
}

// Messages on their way while the user registers again are found, too.
func TestNewIdentityInFlight(t *testing.T) {
	t.Parallel()
	rounds := 5
	if testing.Short() { // the race detector makes key agreements dear
		rounds = 1
	}
	for range rounds {
		w := newWorld(t)
		f := w.phone(ana)
		f.say(shop, "hi")
		w.accept(text(ana, "warm"))
		w.settle()
		w.clock.Advance(time.Minute)
		f.switchOn(false)
		var all []wa.MessageID
		for i := range 40 {
			if i == 20 {
				w.reinstall(f)
			}
			all = append(all, w.accept(template(ana, "x")))
		}
		f.switchOn(true)
		w.settle()
		for _, id := range all {
			w.ladder(id, accepted, sent, delivered)
		}
	}
}

// The same when nothing is in the lane's memory, and when the store does not answer at first.
func TestNewIdentityAfterRestart(t *testing.T) {
	t.Parallel()
	ill := &illStore{}
	w := newWorld(t, func(w *world) {
		w.set = func(o *pipeline.Options) { ill.Store, o.Store = o.Store, ill }
	})
	f := w.phone(ana)
	f.switchOn(false)
	id := w.accept(template(ana, "x"))
	w.projected()
	w.stop()
	w.start()
	ill.mu.Lock()
	ill.reads = 3
	ill.mu.Unlock()
	w.reinstall(f)
	f.switchOn(true)
	w.settle()
	w.ladder(id, accepted, sent, delivered)
	f.healthy(t)
}

// strandedStore says that ana's messages were sent to an installation that is gone.
type strandedStore struct{ pipeline.Store }

func (strandedStore) Stranded(context.Context, int) ([]wa.WaID, error) { return []wa.WaID{ana}, nil }

// The process died between a registration and the new encryption of what waited for the old keys.
func TestStrandedMessagesAreEncryptedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.switchOn(false)
	id := w.accept(template(ana, "x"))
	w.settle()
	w.projected()
	w.kill()
	w.set = func(o *pipeline.Options) { o.Store = strandedStore{o.Store} }
	w.start()
	w.settle()
	if n := len(of[*record.Sealed](w.records())); n != 2 {
		t.Errorf("encrypted %d times, want 2", n)
	}
	f.switchOn(true)
	w.settle()
	w.ladder(id, accepted, sent, delivered)
	f.healthy(t)
}

// A user who changes while the pair is being loaded must not be kept as he was.
func TestUserChangesDuringLoad(t *testing.T) {
	t.Parallel()
	ill := &illStore{}
	w := newWorld(t, func(w *world) {
		w.set = func(o *pipeline.Options) { ill.Store, o.Store = o.Store, ill }
	})
	f := w.phone(ana)
	entered, gate := make(chan struct{}), make(chan struct{})
	w.people.mu.Lock()
	w.people.loaded = func() { // after the directory has answered
		close(entered)
		<-gate
	}
	w.people.mu.Unlock()
	done := make(chan wa.MessageID, 1)
	go func() {
		id, _ := w.p.Accept(t.Context(), template(ana, "x"))
		done <- id
	}()
	<-entered
	f.install()
	w.p.UserChanged(ana, true)
	close(gate)
	id := <-done
	w.settle()
	w.ladder(id, accepted, sent, delivered)
	if f.broken != nil || !f.kinds[0] {
		t.Errorf("broken %v", f.broken)
	}
}

func TestDeviceRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	w.accept(template(ana, "x"))
	w.settle()
	f.mu.Lock()
	f.removed = true
	f.mu.Unlock()
	w.p.UserChanged(ana, false)
	id := w.accept(template(ana, "x"))
	w.settle()
	if s := w.ladder(id, accepted, failed)[0]; s.Code != 131026 {
		t.Errorf("failed with %d", s.Code)
	}
}

// A device that cannot read asks again: a new session, the same id, at most three times.
func TestRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.asks = true
	f.say(shop, "hi")
	w.accept(text(ana, "fine"))
	w.settle()

	f.mu.Lock()
	f.sessions[shop] = nil // lost
	f.mu.Unlock()
	a, b := w.accept(text(ana, "a")), w.accept(text(ana, "b"))
	w.settle()
	w.ladder(a, accepted, sent, delivered)
	w.ladder(b, accepted, sent, delivered)
	if got := f.received(); len(got) != 3 || got[1] != a || got[2] != b {
		t.Errorf("came: %v", got)
	}
	if n := w.people.bundles; n != 1 {
		t.Errorf("%d first contacts, want 1 for both", n)
	}

	f.deaf = true
	c := w.accept(text(ana, "c"))
	w.settle()
	if s := w.ladder(c, accepted, sent, failed)[1]; s.Code != 131036 {
		t.Errorf("failed with %d", s.Code)
	}
	n := 0
	for _, s := range of[*record.Sealed](w.records()) {
		if s.ID == c {
			if s.Attempt != uint32(n) {
				t.Errorf("encryption %d is attempt %d", n, s.Attempt)
			}
			n++
		}
	}
	if n != 4 {
		t.Errorf("encrypted %d times", n)
	}
	if row := w.row(c); row.State != pipeline.StateFailed || row.Attempt != 3 {
		t.Errorf("the store shows %+v", row)
	}
	// Asking for what is delivered, failed, unknown or another's changes nothing.
	before := len(w.records())
	for _, id := range []wa.MessageID{a, c, "wamid.unknown"} {
		w.p.Retry(pipeline.Receipt{Device: f.device, Seq: 1, ID: id})
	}
	f.switchOn(false)
	d := w.accept(text(ana, "d"))
	w.settle()
	w.p.Retry(pipeline.Receipt{Device: "16505559999.1", Seq: 1, ID: d})
	w.settle()
	if n := len(w.records()) - before; n != 3 {
		t.Errorf("%d records, want those of one message", n)
	}
}

// The count of attempts survives a restart.
func TestRetryLimitSurvivesRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.deaf = true
	id := w.accept(template(ana, "x"))
	w.settle()
	for i := range 4 {
		w.ladder(id, accepted, sent)
		w.projected()
		w.kill()
		w.start()
		w.p.Retry(pipeline.Receipt{Device: f.device, Seq: uint64(i + 1), ID: id})
		w.settle()
	}
	if s := w.ladder(id, accepted, sent, failed)[1]; s.Code != 131036 {
		t.Errorf("failed with %d", s.Code)
	}
}
