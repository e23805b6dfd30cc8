package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// A raise that was earned is given after the delay, also when a start comes in between, and only while it is still earned. Source:
// spec/limits.md section 3.2, limits.scale_delay.
func TestScaleDelay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier2K, 0, func(o *policy.Options) { o.ScaleDelay = 6 * hour })
	expect := func(what string, want business.Tier) {
		t.Helper()
		if p, _ := w.business.Portfolio(owner); p.MessagingLimit != want {
			t.Errorf("%s: %s, want %s", what, p.MessagingLimit, want)
		}
	}
	w.reached = 1000
	w.evaluate()
	w.clock.Advance(6*hour - time.Millisecond)
	w.start()
	w.check(w.policy.CatchUp(t.Context()))
	expect("before six hours", business.Tier2K)
	w.clock.Advance(time.Millisecond)
	w.check(w.policy.CatchUp(t.Context()))
	expect("after six hours", business.Tier10K)
	w.clock.Advance(24 * hour)
	w.reached = 5000
	w.evaluate()
	w.reached = 4999
	w.evaluate() // lost again
	w.clock.Advance(6 * hour)
	w.reached = 5000
	w.evaluate()
	expect("it begins anew", business.Tier10K)
	w.clock.Advance(6 * hour)
	w.check(w.policy.CatchUp(t.Context()))
	expect("and is given then", business.Tier100K)
}

// A raise that waits is forgotten when the operator sets the limit: neither does it stay due, nor is it given later.
func TestScaleDelayEndsByTheOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier2K, 0, func(o *policy.Options) { o.ScaleDelay = 6 * hour })
	w.reached = 1000
	w.evaluate()
	w.check(w.policy.SetLimit(t.Context(), owner, business.Tier2K, 500))
	w.clock.Advance(6 * hour)
	if at := w.policy.NextRaise(); !at.IsZero() {
		t.Errorf("a raise is due at %v", at)
	}
	w.check(w.policy.CatchUp(t.Context()))
	w.check(w.policy.SetLimit(t.Context(), owner, business.Tier2K, 0))
	w.evaluate()
	if p, _ := w.business.Portfolio(owner); p.MessagingLimit != business.Tier2K {
		t.Errorf("given without delay: %s", p.MessagingLimit)
	}
}

// A better rating lets a portfolio have what it earned at once, not at the next hour.
func TestRatingsAreLookedAtForLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier2K, 0)
	w.check(w.policy.SetRating(t.Context(), string(one), quality.Yellow))
	w.use(one)
	w.reached = 1000
	w.evaluate()
	if p, _ := w.business.Portfolio(owner); p.MessagingLimit != business.Tier2K {
		t.Fatal("raised with a YELLOW number")
	}
	w.check(w.policy.SetRating(t.Context(), string(one), quality.Green))
	w.check(w.policy.CatchUp(t.Context()))
	if p, _ := w.business.Portfolio(owner); p.MessagingLimit != business.Tier10K {
		t.Errorf("%s after the number became GREEN", p.MessagingLimit)
	}
}

// Source: spec/quality.md section 7.4, quality.legacy_webhook.
func TestLegacyWebhook(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		w := newWorld(t, business.Tier2K, 0, func(o *policy.Options) { o.LegacyWebhook = on })
		for _, r := range []quality.Rating{quality.Yellow, quality.Red, quality.Red, quality.Green} {
			w.check(w.policy.SetRating(t.Context(), string(one), r))
		}
		var events []string
		for _, n := range w.notices.list {
			for _, e := range []string{"UNFLAGGED", "FLAGGED"} {
				if strings.Contains(n, `"event":"`+e+`"`) {
					events = append(events, e)
				}
			}
		}
		want := "[]"
		if on {
			want = "[FLAGGED UNFLAGGED]"
		}
		if fmt.Sprint(events) != want {
			t.Errorf("%v: %v, want %s", on, events, want)
		}
	}
}

// Marketing sold as utility: nothing, a warning, 7 days, 30 days; one time at a time; only what is or was utility is kept back.
// Source: spec/quality.md section 3.4.
func TestMisuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier2K, 0)
	n, _ := w.business.Number(one)
	made := 0
	utility := func(of wa.WABAID) wa.TemplateID {
		t.Helper()
		made++
		x, err := w.template.Create(t.Context(), template.Template{
			ID: wa.TemplateID(fmt.Sprint(770220330440200 + made)), WABA: of, Name: fmt.Sprint("t", made), Language: "en_US", Category: template.Utility,
			Status: template.Approved, Components: []template.Component{{Type: template.Body, Text: "x"}},
		})
		w.check(err)
		return x.ID
	}
	found := func() wa.TemplateID {
		t.Helper()
		id := utility(waba)
		_, err := w.policy.Recategorise(t.Context(), id, template.Marketing, w.clock.Now().Add(24*hour))
		w.check(err)
		// What was announced and is done at once counts once. The closing of the category has done it already.
		_, err = w.policy.Recategorise(t.Context(), id, template.Marketing, w.clock.Now())
		if !errors.Is(err, template.ErrState) {
			w.check(err)
		}
		return id
	}
	sends := func(id wa.TemplateID) int {
		row := w.policy.Closed(n, "5511900001", id, w.now())
		if row == nil {
			return 0
		}
		return row.Code
	}
	expect := func(what string, id wa.TemplateID, want int) {
		t.Helper()
		if got := sends(id); got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	expect("the first", found(), 0)
	expect("the second", found(), 0)
	third := found()
	expect("the third", third, 131064)
	found() // while it is closed
	expect("a template that was always marketing", promo, 0)
	w.clock.Advance(7*24*hour - time.Millisecond)
	w.start()
	expect("in the last moment of seven days", third, 131064)
	w.clock.Advance(time.Millisecond)
	expect("after seven days", third, 0)
	again := found()
	w.clock.Advance(30*24*hour - time.Millisecond)
	expect("in the last moment of thirty days", again, 131064)
	w.clock.Advance(time.Millisecond)
	expect("after thirty days", again, 0)
	_, err := w.business.Forgive(t.Context(), waba)
	w.check(err)
	expect("forgiven, the first", found(), 0)
	misuse := func() business.Misuse { x, _ := w.business.WABA(waba); return x.Misuse }
	announce := func(id wa.TemplateID, c template.Category) {
		t.Helper()
		_, err := w.policy.Recategorise(t.Context(), id, c, w.clock.Now().Add(24*hour))
		w.check(err)
	}
	changed := utility(waba)
	announce(changed, template.Marketing)
	announce(changed, template.Authentication) // the operator thinks again
	w.start()
	announce(changed, template.Marketing)
	if n := misuse().Times; n != 2 {
		t.Errorf("announced, changed and announced again: counted %d times, want 2 with the one before", n)
	}
	orphan := utility("1") // of an account that cannot be counted for
	if _, err := w.policy.Recategorise(t.Context(), orphan, template.Marketing, w.clock.Now().Add(24*hour)); !errors.Is(err, business.ErrUnknown) {
		t.Errorf("nothing can be counted: %v", err)
	}
	if x, _ := w.template.Template(orphan); x.Correct != "" {
		t.Errorf("announced and not counted: %+v", x)
	}
	failed := utility(waba)
	// It counted, and the platform died before anything followed.
	_, err = w.business.Misused(t.Context(), waba, string(failed)+"/0")
	w.check(err)
	w.start()
	expect("the category is closed", failed, 131064)
	announce(failed, template.Marketing)
	if x, _ := w.template.Template(failed); misuse().Times != 3 || x.Category != template.Marketing {
		t.Errorf("asked again: %+v, %+v", misuse(), x)
	}
	late := utility(waba) // its review ends while the category is closed
	w.evaluate()
	if x, _ := w.template.Template(late); x.Category != template.Marketing {
		t.Errorf("approved while it is closed: %s", x.Category)
	}
	_, err = w.template.Update(t.Context(), failed, func(x *template.Template) error { x.Category = template.Utility; return nil })
	w.check(err)
	announce(failed, template.Marketing)
	if n := misuse().Times; n != 4 {
		t.Errorf("sold as utility again: counted %d times, want 4", n)
	}
	if _, err := w.policy.Recategorise(t.Context(), "1", template.Marketing, w.clock.Now()); !errors.Is(err, template.ErrUnknown) {
		t.Errorf("an unknown template: %v", err)
	}
}

// QC7: the same events make the same ratings on two nodes, with all that went into them.
func TestSameEventsSameRatings(t *testing.T) {
	t.Parallel()
	var said [2]string
	for i := range said {
		w := newWorld(t, business.Tier2K, 0)
		for day := range 5 {
			b := &pipeline.Batch{Counts: []analytics.Count{{Key: analytics.Key{Subject: string(one), What: analytics.Users, Bucket: analytics.DayOf(w.now())}, N: int64(200 + 31*day)}}}
			for k, what := range []string{"block", "report", "mute", "unblock", "block", "stop", "archive"} {
				b.Feedback = append(b.Feedback, quality.Event{Number: one, WABA: waba, User: wa.WaID(fmt.Sprint(5511900000 + k*day%3)), At: w.now() + int64(k), What: what})
			}
			w.apply(b)
			w.check(w.policy.CatchUp(t.Context()))
			w.clock.Advance(20 * hour)
			if i == 1 { // this node starts anew in between
				w.start()
			}
		}
		e, err := w.policy.Explain(t.Context(), string(one))
		w.check(err)
		doc, err := json.Marshal(e)
		w.check(err)
		said[i] = string(doc)
	}
	if said[0] != said[1] || !strings.Contains(said[0], `"nf":17,"points":123`) {
		t.Errorf("\n%s\n%s", said[0], said[1])
	}
}
