package pipeline_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// doorman lets everybody pass but one user, and writes down what it is asked.
type doorman struct {
	mu  sync.Mutex
	log []string

	pacing func(m *pipeline.Message, held bool) (bool, *wa.Error) // nil: everything goes
}

func (d *doorman) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, fmt.Sprintf(format, args...))
}

func (d *doorman) take() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	log := fmt.Sprint(d.log)
	d.log = nil
	return log
}

func (d *doorman) Admit(m *pipeline.Message, _ *business.Number, _ int64) *wa.Error {
	d.write("admit %s outside=%v", m.User, m.Outside)
	if m.User == bob {
		return wa.ErrSpam
	}
	return nil
}

func (d *doorman) Settle(m *pipeline.Message, _ *business.Number, delivered bool, now int64) int64 {
	d.write("settle %s delivered=%v outside=%v", m.User, delivered, m.Outside)
	return now - 1
}

func TestGate(t *testing.T) {
	t.Parallel()
	d := &doorman{}
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Gate = d } })
	f := w.phone(ana)
	w.phone(bob)
	want := func(fact, log string) {
		t.Helper()
		if got := d.take(); got != log {
			t.Errorf("%s: %s, want %s", fact, got, log)
		}
	}
	id := w.accept(template(ana, "x"))
	w.settle()
	list := w.ladder(id, accepted, sent, delivered)
	want("asked once, settled when it arrives", "[admit 16505550001 outside=true settle 16505550001 delivered=true outside=true]")
	if s := list[1]; !s.Outside || s.Counted != s.At-1 {
		t.Errorf("the status does not say from when the user counts: %+v", s)
	}
	refused := w.accept(template(bob, "x"))
	w.settle()
	if s := w.ladder(refused, accepted, failed)[0]; s.Code != 131048 {
		t.Errorf("refused with %d", s.Code)
	}
	want("what was refused holds nothing", "[admit 16505550002 outside=true]")
	f.say(shop, "hi")
	w.accept(template(ana, "in the window"))
	w.settle()
	want("in the window", "[admit 16505550001 outside=false settle 16505550001 delivered=true outside=false]")
	w.accept(text(ana, "no template"))
	w.settle()
	want("others are not asked about", "[]")

	gone := template("16505559999", "nobody")
	w.accept(gone)
	w.settle()
	want("it fails after it was admitted", "[admit 16505559999 outside=true settle 16505559999 delivered=false outside=true]")
}

// What a message holds at the gate is settled when its life ends undelivered, also when it was sent before a restart.
func TestGateAfterRestart(t *testing.T) {
	t.Parallel()
	d := &doorman{}
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Gate = d } })
	w.phone(ana).switchOn(false)
	m := template(ana, "x")
	m.Life = time.Minute
	id := w.accept(m)
	w.projected()
	d.take()
	w.stop()
	w.start()
	for range 3 {
		w.check(w.clock.BlockUntil(t.Context(), 2))
		w.clock.Advance(time.Minute)
		w.projected()
	}
	w.ladder(id, accepted, sent, dropped)
	if got := d.take(); got != "[settle 16505550001 delivered=false outside=true]" {
		t.Errorf("%s", got)
	}
}

// U4: while a number is upgraded, a user's message waits on the device and arrives afterwards.
func TestInboundWaitsForAnUpgrade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone(ana)
	n := &business.Number{ID: shop, WABA: "waba-1", WaID: "15550001111", Registered: true, MaintenanceUntil: epoch.Add(5 * time.Second)}
	w.numbers.set(n)
	done := make(chan error, 1)
	in := &pipeline.Incoming{
		Device: wa.NewDeviceID(ana, 1), To: "15550001111", ClientID: "c1", PreKey: true, Cipher: []byte("x"),
		Done: func(_ wa.MessageID, _ int64, err error) { done <- err },
	}
	w.p.Receive(in)
	if err := <-done; !errors.Is(err, pipeline.ErrBusy) {
		t.Errorf("during the upgrade: %v", err)
	}
	w.clock.Advance(5 * time.Second)
	w.p.Receive(in)
	if err := <-done; errors.Is(err, pipeline.ErrBusy) {
		t.Error("after the upgrade it is still refused")
	}
}

func (d *doorman) Pacing(m *pipeline.Message, held bool) (wait bool, row *wa.Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pacing == nil {
		return false, nil
	}
	return d.pacing(m, held)
}
