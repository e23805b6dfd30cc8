package policy_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// A template that is still RED when its pause ends is left alone until people complain again: then it is paused for longer, and the
// third time for good. Starts in between change nothing. Source: spec/quality.md section 3.1.
func TestRedAgain(t *testing.T) {
	t.Parallel()
	var w *world
	w = newWorld(t, business.Tier2K, 0, func(o *policy.Options) {
		o.Rate = func(ctx context.Context, id wa.TemplateID, q template.Quality, byHand bool) error {
			_, err := w.template.Rate(ctx, id, q, byHand)
			return err
		}
	})
	_, err := w.template.Create(t.Context(), template.Template{
		ID: promo, WABA: waba, Name: "promo", Language: "en_US", Category: template.Marketing, Status: template.Approved,
		Components: []template.Component{{Type: template.Body, Text: "x"}},
	})
	w.check(err)
	w.apply(&pipeline.Batch{Counts: []analytics.Count{{Key: analytics.Key{
		Subject: string(promo), What: analytics.Users, Bucket: analytics.DayOf(w.now()),
	}, N: 100}}})
	blocked := 0
	block := func(n int) {
		t.Helper()
		for range n {
			blocked++
			w.apply(&pipeline.Batch{Feedback: []quality.Event{{
				Number: one, WABA: waba, Template: promo, User: wa.WaID(fmt.Sprint(5511900000 + blocked)), At: w.now(), What: "block",
			}}})
		}
		w.check(w.policy.CatchUp(t.Context()))
	}
	want := func(fact string, s template.Status, pauses int) {
		t.Helper()
		for range 2 {
			if x, _ := w.template.Template(promo); x.Status != s || x.Pauses != pauses || x.Quality != template.QualityRed {
				t.Errorf("%s: %s, %s after %d pauses, want %s after %d", fact, x.Quality, x.Status, x.Pauses, s, pauses)
			}
			w.start()
			w.evaluate()
		}
	}
	block(10)
	want("RED", template.Paused, 1)
	w.clock.Advance(hour)
	block(1) // of what was delivered before
	want("in the pause", template.Paused, 1)
	for nth, s := range []template.Status{template.Paused, template.Disabled} {
		w.clock.Advance(hour)
		why, err := w.template.Unpause(t.Context(), promo)
		if w.check(err); why != "" {
			t.Fatal(why)
		}
		want("resumed", template.Approved, nth+1)
		w.clock.Advance(hour)
		want("nobody complains", template.Approved, nth+1)
		block(1)
		want("somebody does", s, nth+2)
	}
}
