package pipeline_test

import (
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// abroad has bob in another country, and one template.
type abroad struct{}

func (abroad) International(_ *business.Number, user wa.WaID, _ int64) bool { return user == bob }

func (abroad) Category(id wa.TemplateID) string {
	if id == "7" {
		return "marketing"
	}
	return ""
}

// What is charged is what holds when the message arrives, over restarts too. Source: spec/pricing.md sections 1 and 6, vectors
// B2, B4, B5, B8 and B11.
func TestDeliveryDecidesThePrice(t *testing.T) {
	t.Parallel()
	const inWindow, regular, entry = "free_customer_service", "regular", "free_entry_point"
	for _, c := range []struct {
		fact     string
		category string
		template wa.TemplateID
		said     string        // by the user before the send; empty: nothing
		before   time.Duration // between that and the send
		then     time.Duration // and until the device is on again
		wrote    bool          // the user wrote meanwhile
		restart  bool
		sent     string
		arrived  string
		as       string
	}{
		{"B4: utility, delivered after the window closed", "utility", "", "hi", 23 * time.Hour, 2 * time.Hour, false, true, inWindow, regular, "utility"},
		{"utility, delivered in the window", "utility", "", "hi", time.Hour, time.Hour, false, false, inWindow, inWindow, "utility"},
		{"utility, the window opened meanwhile", "utility", "", "", 0, time.Hour, true, true, regular, inWindow, "utility"},
		{"B8: authentication in the window", "authentication", "", "hi", time.Hour, 0, false, false, regular, regular, "authentication"},
		{"B5: marketing, delivered after the entry window", "marketing", "", fromAd, time.Hour, 73 * time.Hour, false, false, entry, regular, "marketing"},
		{"free by an entry point, and still", "marketing", "", fromAd, time.Hour, 71 * time.Hour, false, true, entry, entry, "referral_conversion"},
		{"the template tells its category", "marketing", "7", fromAd, time.Hour, 73 * time.Hour, false, true, entry, regular, "marketing"},
		{"nothing tells it", "marketing", "8", fromAd, time.Hour, 73 * time.Hour, false, true, entry, entry, "referral_conversion"},
	} {
		t.Run(c.fact, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Rates = abroad{} } })
			f := w.phone(ana)
			if c.said != "" {
				f.say(shop, c.said)
			}
			f.switchOn(false)
			w.clock.Advance(c.before)
			m := template(ana, "x")
			m.Category, m.Template = c.category, c.template
			id := w.accept(m)
			w.projected()
			w.clock.Advance(c.then)
			if c.restart {
				w.restart()
			}
			if c.wrote {
				f.say(shop, "hello")
			}
			f.switchOn(true)
			w.projected()
			list := w.ladder(id, accepted, sent, delivered)
			charged := c.arrived == regular
			if list[0].PricingType != c.sent || list[1].PricingType != c.arrived || list[1].Category != c.as ||
				list[1].Billable != charged || !list[1].Priced || (list[1].Entry != 0) != (c.arrived == entry) {
				t.Errorf("sent %s, delivered %s %s %v", list[0].PricingType, list[1].PricingType, list[1].Category, list[1].Billable)
			}
			ledger, err := w.store.ChargesOf(t.Context(), "waba-1", 0, 1<<60)
			if err != nil || (len(ledger) == 1) != charged {
				t.Errorf("the ledger has %v, %v", ledger, err)
			}
		})
	}
}

func TestInternationalRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Rates = abroad{} } })
	w.phone(ana)
	w.phone(bob)
	for _, c := range []struct {
		user           wa.WaID
		category, want string
	}{
		{ana, "authentication", "authentication"}, {bob, "authentication", "authentication-international"}, {bob, "utility", "utility"},
	} {
		m := template(c.user, "x")
		m.Category = c.category
		id := w.accept(m)
		w.settle()
		for _, s := range w.ladder(id, accepted, sent, delivered) {
			if s.Category != c.want || !s.Billable {
				t.Errorf("%s to %s is priced %s", c.category, c.user, s.Category)
			}
		}
	}
}
