package pipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// fromAd is said by a user who opened the chat from an ad.
const fromAd = `hi"},"referral":{"source_url":"https://fb.me/1"},"x":{"y":"`

// userIDs are made of the last four digits.
type userIDs struct{}

func (userIDs) UserID(_ wa.WABAID, user wa.WaID) string { return "US." + string(user[len(user)-4:]) }

func (w *world) restart() {
	w.kill()
	w.start()
}

// notices returns the values of what the business was told in a field, opened.
func (w *world) notices(field string) (values []string) {
	w.tb.Helper()
	for _, r := range of[*record.Notice](w.records()) {
		if r.Field == field {
			v, err := w.vault.Open(r.AD(), r.SealedValue)
			w.check(err)
			values = append(values, string(v))
		}
	}
	return values
}

// Source: spec/pricing.md sections 1 and 6, vectors B5 to B7 and B10.
func TestFreeEntryPoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.switchOn(false)
	marketing := func() *pipeline.Outgoing {
		m := template(ana, "offer")
		m.Category = "marketing"
		return m
	}
	priced := func(what string, m *pipeline.Outgoing, want, category string, entry int64) {
		t.Helper()
		id := w.accept(m)
		w.settle()
		_, list := w.statuses(id)
		if len(list) != 1 || list[0].PricingType != want || list[0].Category != category || list[0].Entry != entry {
			t.Errorf("%s: %+v", what, list)
		}
		if entry != 0 && list[0].Conversation != entry+72*time.Hour.Milliseconds() {
			t.Errorf("%s: the conversation ends at %d", what, list[0].Conversation)
		}
	}
	at := func(h int) { w.clock.Advance(epoch.Add(time.Duration(h) * time.Hour).Sub(w.clock.Now())) }
	f.say(shop, fromAd)
	at(1)
	opened := epoch.Add(time.Hour).UnixMilli()
	priced("the answer opens the window", text(ana, "hello"), "free_entry_point", "referral_conversion", opened)
	w.restart()
	at(50)
	priced("50 h", marketing(), "free_entry_point", "referral_conversion", opened)
	late := w.accept(text(ana, "closed"))
	w.settle()
	if s := w.ladder(late, accepted, failed)[0]; s.Code != 131047 {
		t.Errorf("a text after the service window failed with %d", s.Code)
	}
	at(74)
	priced("74 h", marketing(), "regular", "marketing", 0)

	f.say(shop, fromAd)
	at(74 + 25)
	priced("answered after 25 h", marketing(), "regular", "marketing", 0)
	f.say(shop, "no ad")
	priced("answer to a message of one's own", text(ana, "x"), "free_customer_service", "service", 0)

	f.say(shop, fromAd)
	again := w.clock.Now().UnixMilli()
	priced("the next window", text(ana, "x"), "free_entry_point", "referral_conversion", again)
	f.switchOn(true)
	w.settle()
	for _, s := range of[*record.Status](w.records()) {
		if s.Of == record.KindDelivered && s.PricingType == "free_entry_point" && s.Entry == 0 {
			t.Errorf("delivered without its window: %+v", s)
		}
	}
	f.healthy(t)
}

// Source: spec/webhooks.md section 26, spec/errors.md 131050 and vector E18.
func TestOptOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone(ana)
	ends := func(category string, code int) {
		t.Helper()
		m := template(ana, "offer")
		m.Category = category
		id := w.accept(m)
		w.settle()
		_, list := w.statuses(id)
		if last := list[len(list)-1]; last.Code != code {
			t.Errorf("%s ended with %d, want %d", category, last.Code, code)
		}
	}
	ends("marketing", 0)
	w.feedback(ana, pipeline.FeedbackStop)
	w.feedback(ana, pipeline.FeedbackStop)
	ends("marketing", 131050)
	w.restart()
	ends("marketing", 131050)
	ends("utility", 0)
	w.feedback(ana, pipeline.FeedbackResume)
	ends("marketing", 0)
	const head = `{"contacts":[{"profile":{"name":"Name of 16505550001"},"wa_id":"16505550001"}],"user_preferences":[{"wa_id":"16505550001","detail":"User requested to `
	got := strings.Join(w.notices("user_preferences"), "\n")
	want := head + `stop marketing messages","category":"marketing_messages","value":"stop","timestamp":1772366400}]}` + "\n" +
		head + `resume marketing messages","category":"marketing_messages","value":"resume","timestamp":1772366400}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A business that checks identities hears of a new one at once, once, also when the process dies in between.
func TestIdentityNotice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.numbers.change(shop, func(b *business.Number) { b.IdentityCheck = true })
	f := w.phone(ana)
	f.say(shop, "hi")
	f.say(shop2, "hi") // which does not check
	w.projected()
	if got := w.notices("messages"); len(got) != 0 {
		t.Fatalf("told without a change: %v", got)
	}
	f.install() // and the process dies before it hears of it
	w.restart()
	told := func(what string, n int) {
		t.Helper()
		w.projected()
		got := w.notices("messages")
		if len(got) != n {
			t.Fatalf("%s: %d notices, want %d", what, len(got), n)
		}
		for _, v := range got {
			if !strings.HasPrefix(v, `{"messages":[{"from":"16505550001","id":"wamid.`) || !strings.HasSuffix(v, `"type":"customer_identity_changed"}}]}`) {
				t.Errorf("%s: %s", what, v)
			}
		}
	}
	w.accept(text(ana, "x"))
	told("after a crash", 1)
	w.accept(text(ana, "x"))
	told("once", 1)
	w.reinstall(f)
	w.check(w.p.Acquaint(t.Context(), ana, nil))
	w.check(w.p.Acquaint(t.Context(), ana, nil))
	told("at once", 2)
	w.restart()
	w.accept(text(ana, "x"))
	told("never again", 2)
}

// Source: spec/webhooks.md sections 13.13 and 27.
func TestNumberChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.UserIDs = userIDs{} } })
	f := w.phone(ana)
	f.say(shop, "hi")
	f.say(shop2, "hi")
	w.projected()
	w.restart()
	for range 2 { // a repeat says nothing new
		w.check(w.p.Acquaint(t.Context(), ana, &pipeline.Moved{To: "16505559999", Name: "Ana"}))
	}
	system, update := w.notices("messages"), w.notices("user_id_update")
	if len(system) != 2 || len(update) != 2 {
		t.Fatalf("%d and %d notices, want one of both per number", len(system), len(update))
	}
	_, rest, _ := strings.Cut(system[0], `"timestamp"`)
	want := `:"1772366400","type":"system","system":{"body":"User Ana changed from 16505550001 to 16505559999","wa_id":"16505559999","user_id":"US.9999","type":"user_changed_number"}}]}`
	if rest != want || !strings.HasPrefix(system[0], `{"messages":[{"from":"16505550001","from_user_id":"US.0001","id":"wamid.`) {
		t.Errorf("got %s", system[0])
	}
	want = `{"contacts":[{"profile":{"name":"Ana"},"wa_id":"16505559999","user_id":"US.9999"}],"user_id_update":[{"wa_id":"16505559999",` +
		`"detail":"User id changed","user_id":{"previous":"US.0001","current":"US.9999"},"timestamp":"1772366400"}]}`
	if update[0] != want {
		t.Errorf("got  %s\nwant %s", update[0], want)
	}
}

// A marketing template that a free entry point makes free counts against the user's cap, as it is stored too; what else is free
// then does not. Source: spec/limits.md section 4.
func TestFreeMarketingCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.say(shop, fromAd)
	w.clock.Advance(time.Hour)
	w.accept(text(ana, "hello"))
	w.settle()
	w.clock.Advance(49 * time.Hour)
	for _, category := range []string{"utility", "marketing"} {
		m := template(ana, "offer")
		m.Category = category
		id := w.accept(m)
		w.settle()
		if _, list := w.statuses(id); list[len(list)-1].PricingType != "free_entry_point" || !list[len(list)-1].Outside {
			t.Errorf("%s: %+v", category, list)
		}
		w.clock.Advance(time.Minute)
	}
	w.projected()
	var got []int64
	w.check(w.store.MarketingSince(t.Context(), 0, func(r limits.Reached) { got = append(got, r.At) }))
	if want := epoch.Add(50*time.Hour + time.Minute).UnixMilli(); len(got) != 1 || got[0] != want {
		t.Errorf("marketing templates that count: %v, want one at %d", got, want)
	}
}
