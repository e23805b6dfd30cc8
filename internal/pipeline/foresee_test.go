package pipeline_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// sealed is a country that nobody may be written to.
type sealed struct{ user wa.WaID }

func (s sealed) Closed(_ *business.Number, user wa.WaID) *wa.Error {
	if user == s.user {
		return wa.ErrCountry
	}
	return nil
}

// Codes that are to be answered at once are; what is refused so counts nowhere, and what passed the gate is not asked again.
func TestSyncOverrides(t *testing.T) {
	t.Parallel()
	const abroad = wa.WaID("447400123456")
	d := &doorman{}
	w := newWorld(t, func(w *world) {
		w.set = func(o *pipeline.Options) {
			o.Gate, o.Borders, o.Sync = d, sealed{abroad}, []int{131048, 131047, 130497, 137000}
		}
	})
	w.numbers.set(&business.Number{ID: shop, WABA: "waba-1", WaID: "15550001111", Registered: true, MPS: 2})
	w.phone(ana)
	w.phone(bob)
	w.phone(abroad)
	refused := func(fact string, m *pipeline.Outgoing, want int, log string) {
		t.Helper()
		_, err := w.p.Accept(t.Context(), m)
		var row *wa.Error
		if !errors.As(err, &row) || row.Code != want {
			t.Errorf("%s: %v, want %d", fact, err, want)
		}
		if got := d.take(); got != log {
			t.Errorf("%s: %s, want %s", fact, got, log)
		}
	}
	for range 3 { // more than the throughput: none of them counts
		refused("the gate refuses", template(bob, "x"), 131048, "[admit 16505550002 outside=true]")
		refused("no window", text(ana, "x"), 131047, "[]")
		refused("a closed country", template(abroad, "x"), 130497, "[]")
	}
	known := template(ana, "x")
	known.IdentityHash = "another"
	refused("another identity gives its place back", known, 137000, "[admit 16505550001 outside=true settle 16505550001 delivered=false outside=true]")
	id := w.accept(template(ana, "x"))
	w.settle()
	w.ladder(id, accepted, sent, delivered)
	if got := d.take(); got != "[admit 16505550001 outside=true settle 16505550001 delivered=true outside=true]" {
		t.Errorf("what passed: %s", got)
	}
	w.accept(template(ana, "x"))
	w.settle()
	d.take()
	refused("the throughput comes first", template(bob, "x"), 130429, "[]")
}

// Without them a closed country is told later, for every type.
func TestClosedCountry(t *testing.T) {
	t.Parallel()
	const abroad = wa.WaID("447400123456")
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Borders = sealed{abroad} } })
	f := w.phone(abroad)
	f.say(shop, "hi")
	for _, m := range []*pipeline.Outgoing{text(abroad, "x"), template(abroad, "x")} {
		id := w.accept(m)
		w.settle()
		if s := w.ladder(id, accepted, failed)[0]; s.Code != 130497 {
			t.Errorf("%s failed with %d", m.Type, s.Code)
		}
		w.clock.Advance(time.Minute)
	}
}
