package policy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// With the adaptive cap, who reads everything gets five in 24 hours and who reads nothing one, across restarts too. Source:
// spec/limits.md section 4.
func TestAdaptiveCapOfAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { o.Marketing.Adaptive = true })
	const keen, bored, new = wa.WaID("551190001"), wa.WaID("551190002"), wa.WaID("551190003")
	for i := range 12 {
		for _, user := range []wa.WaID{keen, bored} {
			m := &pipeline.Message{
				ID: wa.MessageID(fmt.Sprint("wamid.", user, i)), Number: one, WABA: waba, User: user, Category: "marketing", State: pipeline.StateDelivered,
				Type: "template", SentAt: w.now(), DeliveredAt: w.now(),
			}
			b := &pipeline.Batch{Insert: []*pipeline.Message{m}, Seen: []limits.Seen{{User: user, Mark: limits.MarkOf(m.ID)}}}
			if user == keen {
				m.ReadAt, m.State = w.now(), pipeline.StateRead
				b.Seen = append(b.Seen, limits.Seen{User: user, Mark: limits.MarkOf(m.ID), Read: true})
			}
			w.apply(b)
			w.policy.Seen(b.Seen)
		}
	}
	w.clock.Advance(48 * hour)
	for _, when := range []string{"at first", "after a restart"} {
		for i := range 5 {
			w.send(fmt.Sprint(when, ": number ", i+1, " of five"), one, keen, "marketing", 0)
		}
		w.send(when+": the sixth", one, keen, "marketing", 131049)
		w.send(when+": the first of one", one, bored, "marketing", 0)
		w.send(when+": the second", one, bored, "marketing", 131049)
		w.send(when+": nothing is known of the person", one, new, "marketing", 0)
		w.send(when+": two of two", one, new, "marketing", 0)
		w.send(when+": the third", one, new, "marketing", 131049)
		w.clock.Advance(24 * hour)
		w.start()
	}
}

// Markets without marketing, people held out, and those who are not capped at all.
func TestMarketingRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { o.Marketing = policy.Marketing{Paused: []string{"US"}, Holdout: 1000} })
	w.send("people in the United States get none", one, "16505550101", "marketing", 130472)
	in := policy.Send{User: "16505550101", Category: "marketing"}
	w.admit("nor in an open window", one, in, 131049)
	w.admit("utility passes", one, policy.Send{User: "16505550101", Category: "utility", Outside: true}, 0)
	w.send("held out", one, "5511900009", "marketing", 130472)
	w.admit("an open window exempts", one, policy.Send{User: "5511900009", Category: "marketing"}, 0)
	free := policy.Send{User: "5511900009", Category: "marketing", Outside: true, Entry: true}
	if w.admit("a free entry point exempts", one, free, 0) {
		w.deliver(one, free)
	}
	w.clock.Advance(12*hour - time.Millisecond)
	w.send("so does one that was delivered within twelve hours", one, "5511900009", "marketing", 0)
	w.clock.Advance(12 * hour)
	w.send("and no longer", one, "5511900009", "marketing", 130472)

	w = newWorld(t, business.TierUnlimited, 0)
	for range 12 {
		w.send("Germany has no cap", one, "4915112345678", "marketing", 0)
	}
}

// A rating of the operator ends by the clock, across a restart, and then users decide at once. Source: spec/quality.md section 8.
func TestRatingOfTheOperatorEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { o.Calm = 6 * hour })
	rating := func() business.Quality { n, _ := w.business.Number(one); return n.Quality }
	w.check(w.policy.SetRatingUntil(t.Context(), string(one), quality.Red, w.clock.Now().Add(3*hour)))
	w.start()
	w.clock.Advance(3*hour - time.Millisecond)
	w.check(w.policy.CatchUp(t.Context()))
	e, err := w.policy.Explain(t.Context(), string(one))
	w.check(err)
	if rating() != business.QualityRed || e.Override != quality.Red || e.Until != epoch.Add(3*hour).UnixMilli() {
		t.Errorf("%s, %+v", rating(), e)
	}
	w.clock.Advance(time.Millisecond)
	w.check(w.policy.CatchUp(t.Context()))
	if e, err = w.policy.Explain(t.Context(), string(one)); err != nil || rating() != business.QualityUnknown || e.Override != "" {
		t.Errorf("after its end: %s, %+v, %v", rating(), e, err)
	}
	w.check(w.policy.SetRating(t.Context(), string(one), quality.Yellow))
	w.check(w.policy.SetRating(t.Context(), string(one), ""))
	if rating() != business.QualityUnknown {
		t.Errorf("taken back: %s", rating())
	}
}

// What was delivered exempts from the experiment for twelve hours, over restarts, where nobody is capped and inside a window
// too, and however it was priced. Source: spec/limits.md section 4.
func TestDeliveryExemptsEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { o.Marketing = policy.Marketing{Holdout: 1000} })
	_, err := w.template.Create(t.Context(), template.Template{ID: promo, WABA: waba, Name: "promo", Language: "en_US", Category: template.Marketing, Status: template.Approved})
	w.check(err)
	for i, c := range []struct {
		user           wa.WaID
		from           wa.PhoneNumberID
		category       string
		outside, entry bool
		code           int
	}{
		{"5511900001", one, "marketing", false, false, 0},
		{"4915112345678", one, "marketing", false, false, 0},
		{"4915112345679", one, "marketing", true, true, 0},
		{"5511900002", one, "referral_conversion", true, true, 0},
		{"5511900003", one, "utility", true, false, 130472},
		{"5511900004", tests, "marketing", true, false, 130472},
	} {
		n, _ := w.business.Number(c.from)
		m := policy.Send{User: c.user, Template: promo, Category: c.category, Outside: c.outside, Entry: c.entry}
		w.admit(string(c.user), c.from, m, 0)
		w.policy.Settle(n, m, true, w.now())
		w.apply(&pipeline.Batch{Insert: []*pipeline.Message{{
			ID: wa.MessageID(fmt.Sprint("wamid.", i)), Number: c.from, WABA: waba, User: c.user, Category: c.category, Template: promo,
			State: pipeline.StateDelivered, Type: "template", SentAt: w.now(), DeliveredAt: w.now(), Outside: c.outside,
		}}})
		w.clock.Advance(12*hour - time.Millisecond)
		for _, when := range []string{"", ", after a restart"} {
			w.admit(string(c.user)+when, one, policy.Send{User: c.user, Category: "marketing", Outside: true}, c.code)
			w.start()
		}
		w.clock.Advance(time.Millisecond)
		for _, when := range []string{"", ", after a restart"} {
			w.admit(string(c.user)+", twelve hours later"+when, one, policy.Send{User: c.user, Category: "marketing", Outside: true}, 130472)
			w.start()
		}
	}
}

// Marketing that an entry point made free holds a place in the person's cap while it is under way, over restarts too.
func TestFreeMarketingUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0)
	_, err := w.template.Create(t.Context(), template.Template{ID: promo, WABA: waba, Name: "promo", Language: "en_US", Category: template.Marketing, Status: template.Approved})
	w.check(err)
	const user = wa.WaID("5511900001")
	free := policy.Send{User: user, Template: promo, Category: "marketing", Outside: true, Entry: true}
	for i := range 2 {
		w.admit("under way", one, free, 0)
		w.apply(&pipeline.Batch{Insert: []*pipeline.Message{{
			ID: wa.MessageID(fmt.Sprint("wamid.", i)), Number: one, WABA: waba, User: user, Category: "referral_conversion", Template: promo,
			State: pipeline.StateSent, Type: "template", SentAt: w.now(), Outside: true,
		}}})
	}
	for _, when := range []string{"before a restart", "after it"} {
		w.admit(when, two, policy.Send{User: user, Category: "marketing", Outside: true}, 131049)
		w.start()
	}
	n, _ := w.business.Number(one)
	w.policy.Settle(n, policy.Send{User: user, Template: promo, Category: "referral_conversion", Outside: true}, false, w.now())
	w.send("one of them failed", two, user, "marketing", 0)
}

// overtaken lets somebody else write while a note is saved.
type overtaken struct {
	policy.Notes
	id    string
	other func()
}

func (o *overtaken) SavePolicy(ctx context.Context, id string, doc []byte) error {
	if f := o.other; f != nil && id == o.id {
		o.other = nil
		done := make(chan struct{})
		go func() { f(); close(done) }()
		select {
		case <-done: // it should wait
		case <-time.After(100 * time.Millisecond):
		}
	}
	return o.Notes.SavePolicy(ctx, id, doc)
}

// What the operator says at the moment when users are heard is not lost.
func TestOperatorIsNotOverwritten(t *testing.T) {
	t.Parallel()
	for _, id := range []string{string(one), string(promo)} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			notes := &overtaken{id: id}
			w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { notes.Notes, o.Notes = o.Notes, notes })
			_, err := w.template.Create(t.Context(), template.Template{ID: promo, WABA: waba, Name: "promo", Language: "en_US", Category: template.Utility, Status: template.Approved})
			w.check(err)
			b := &pipeline.Batch{Counts: []analytics.Count{{Key: analytics.Key{Subject: id, What: analytics.Users, Bucket: analytics.DayOf(w.now())}, N: 100}}}
			for i := range 20 {
				b.Feedback = append(b.Feedback, quality.Event{Number: one, WABA: waba, Template: promo, User: wa.WaID(fmt.Sprint(5511900000 + i)), At: w.now(), What: "block"})
			}
			w.apply(b)
			said := make(chan error, 1)
			notes.other = func() { said <- w.policy.SetRating(context.Background(), id, quality.Yellow) }
			w.check(w.policy.CatchUp(t.Context()))
			w.check(<-said)
			if e, err := w.policy.Explain(t.Context(), id); err != nil || e.Override != quality.Yellow || e.Rating != quality.Yellow {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}
