package pipeline_test

import (
	"sync/atomic"
	"testing"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Messages that are held wait over stops and kills, and are sent, or fail, when somebody says so. Those that were answered
// "accepted" go out whatever comes later. Source: spec/limits.md section 5.
func TestHeldMessages(t *testing.T) {
	t.Parallel()
	const wait, pass, drop = 0, 1, 2
	var verdict, told atomic.Int32
	d := &doorman{pacing: func(m *pipeline.Message, known bool) (bool, *wa.Error) {
		if m.Template == "770" && known {
			told.Add(1)
		}
		switch {
		case m.Template != "770" || verdict.Load() == pass:
			return false, nil
		case verdict.Load() == drop:
			return false, wa.ErrTemplatePaused
		}
		return true, nil
	}}
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Gate = d } })
	w.phone(ana)
	of := func(id wa.TemplateID, held bool) wa.MessageID {
		m := template(ana, "x")
		m.Template, m.Held = id, held
		return w.accept(m)
	}
	first, other := of("770", false), of("771", false)
	w.settle()
	w.ladder(first, accepted, sent, delivered)
	w.ladder(other, accepted, sent, delivered)

	held := []wa.MessageID{of("770", true)}
	w.projected()
	if told.Load() != 1 {
		t.Error("the gate does not hear that the message was told to wait")
	}
	for range 2 { // it waits on, and is not counted anew
		w.p.Release("770", nil)
		w.settle()
	}
	if n := w.p.Counts().Held.Load(); n != 1 {
		t.Errorf("%d messages counted as held, want 1", n)
	}
	w.ladder(held[0], accepted)
	w.stop()
	w.start()
	held = append(held, of("770", true))
	w.settle()
	w.kill()
	w.start()
	w.projected()
	for _, id := range held {
		w.ladder(id, accepted)
	}
	d.take()
	verdict.Store(pass)
	w.p.Release("771", nil)
	w.settle()
	w.ladder(held[0], accepted)
	w.p.Release("770", nil)
	w.p.Release("770", nil)
	w.settle()
	for _, id := range held {
		w.ladder(id, accepted, sent, delivered)
	}

	verdict.Store(wait)
	last := of("770", true)
	w.settle()
	verdict.Store(drop)
	w.p.Release("770", nil)
	w.settle()
	w.ladder(last, accepted, failed)
	if _, list := w.statuses(last); list[len(list)-1].Code != 132015 {
		t.Errorf("failed with %d, want 132015", list[len(list)-1].Code)
	}
}
