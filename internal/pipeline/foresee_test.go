package pipeline_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// sealed is a country that nobody may be written to, and a template that was sold as another.
type sealed struct{ user wa.WaID }

const missold = wa.TemplateID("770220330440999")

func (s sealed) Closed(_ *business.Number, user wa.WaID, template wa.TemplateID, _ int64) *wa.Error {
	switch {
	case user == s.user:
		return wa.ErrCountry
	case template == missold:
		return wa.ErrClassification
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

// A message that earns several rows fails with the first of the contract's order, now or later: country, classification, opt-out.
func TestClassificationComesBeforeOptOut(t *testing.T) {
	t.Parallel()
	const abroad = wa.WaID("447400123456")
	for _, sync := range [][]int{nil, {131064, 131050, 130497}} {
		d := &doorman{}
		w := newWorld(t, func(w *world) {
			w.set = func(o *pipeline.Options) { o.Gate, o.Borders, o.Sync = d, sealed{abroad}, sync }
		})
		w.phone(ana)
		w.phone(abroad)
		w.feedback(ana, pipeline.FeedbackStop)
		w.feedback(abroad, pipeline.FeedbackStop)
		for _, c := range []struct {
			to       wa.WaID
			template wa.TemplateID
			code     int
		}{{ana, missold, 131064}, {abroad, missold, 130497}, {ana, "770220330440998", 131050}} {
			m := template(c.to, "offer")
			m.Category, m.Template = "marketing", c.template
			var row *wa.Error
			id, err := w.p.Accept(t.Context(), m)
			switch {
			case errors.As(err, &row):
				if row.Code != c.code || sync == nil {
					t.Errorf("%s to %s was refused with %d, want %d", c.template, c.to, row.Code, c.code)
				}
			case err != nil || sync != nil:
				t.Errorf("%s to %s: %v, want %d at once", c.template, c.to, err, c.code)
			default:
				w.settle()
				if s := w.ladder(id, accepted, failed)[0]; s.Code != c.code {
					t.Errorf("%s to %s failed with %d, want %d", c.template, c.to, s.Code, c.code)
				}
			}
		}
		if got := d.take(); got != "[]" {
			t.Errorf("the gate was asked: %s", got)
		}
	}
}
