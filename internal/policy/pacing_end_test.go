package policy_test

import (
	"context"
	"errors"
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

// What was told to fail does, although the template is sent again before the lanes came to it. What was answered "held" just
// before the drop and accepted just after it fails too. Over starts as well.
func TestPaceRemembersDrops(t *testing.T) {
	t.Parallel()
	w, released := newPaced(t, template.Marketing)
	last := 0
	hold := func() (at int64) {
		t.Helper()
		for range 3 {
			w.pace(one)
		}
		w.clock.Advance(time.Second)
		if held, _ := w.pace(one); !held {
			t.Fatal("not held")
		}
		return w.now()
	}
	end := func(r quality.Rating, after time.Duration) {
		t.Helper()
		w.check(w.policy.SetRating(t.Context(), string(promo), r))
		w.clock.Advance(after)
		w.check(w.policy.CatchUp(t.Context()))
		if last++; len(*released) != last {
			t.Fatalf("released %d times, want %d", len(*released), last)
		}
	}
	type fact struct {
		name string
		at   int64
		held bool
		want string
	}
	check := func(when string, facts ...fact) {
		t.Helper()
		for range 2 {
			for _, f := range facts {
				wait, row := w.policy.Pacing(promo, f.at, f.held)
				got := map[bool]string{true: "waits", false: "goes"}[wait]
				if row == wa.ErrTemplatePaused {
					got = "fails"
				}
				if got != f.want {
					t.Errorf("%s, %s: %s, want %s", when, f.name, got, f.want)
				}
			}
			w.start()
			w.policy.OnRelease(func(h policy.Held) { *released = append(*released, h.Template) })
		}
	}
	first := hold()
	end(quality.Red, time.Second)
	w.clock.Advance(time.Millisecond)
	late := w.now()
	before, waited := fact{"before the hold", first - 1, false, "goes"}, fact{"held", first, false, "fails"}
	check("dropped", before, waited, fact{"late", late, true, "fails"})

	w.check(w.policy.SetRating(t.Context(), string(promo), quality.Yellow))
	w.clock.Advance(time.Second)
	if held, _ := w.pace(one); held {
		t.Fatal("the first after a drop is held")
	}
	facts := []fact{
		before, waited,
		{"late, known", late, true, "fails"},
		{"late, not known any more", late, false, "fails"},
		{"late, in the new state", w.now(), true, "fails"},
		{"the first after it", w.now(), false, "goes"},
	}
	check("sent again", facts...)

	w.clock.Advance(2 * time.Minute)
	second := hold()
	check("held again", append(facts, fact{"held again", second, true, "waits"})...)
	end(quality.Yellow, time.Hour)
	passed := fact{"held again", second, true, "goes"}
	check("let go", append(facts, passed)...)
	w.clock.Advance(24 * time.Hour)
	w.pace(one)
	check("begun anew", append(facts, passed)...)
	w.pace(one)
	third := hold()
	end(quality.Red, 0)
	dropped := fact{"held the third time", third, false, "fails"}
	check("dropped twice", append(facts, passed, dropped)...)
	w.check(w.policy.SetRating(t.Context(), string(promo), quality.Green))
	w.clock.Advance(time.Hour)
	w.start() // a template that is not to be paced any more leaves the drop, too
	w.pace(one)
	check("GREEN", append(facts, passed, dropped, fact{"sent now", w.now(), false, "goes"})...)
}

// A pass ends a day later, or with a pause or an edit, as long as the template is not GREEN.
func TestPassEnds(t *testing.T) {
	t.Parallel()
	change := func(f func(w *world, x *template.Template)) func(w *world) {
		return func(w *world) {
			w.clock.Advance(time.Hour)
			_, err := w.template.Update(t.Context(), promo, func(x *template.Template) error { f(w, x); return nil })
			w.check(err)
		}
	}
	for _, c := range []struct {
		name  string
		do    func(w *world)
		rated quality.Rating
		anew  bool
	}{
		{"an hour later", func(w *world) { w.clock.Advance(time.Hour) }, quality.Yellow, false},
		{"a day later", func(w *world) { w.clock.Advance(24 * time.Hour) }, quality.Yellow, true},
		{"a day later GREEN", func(w *world) { w.clock.Advance(24 * time.Hour) }, quality.Green, false},
		{"a pause that ended", change(func(w *world, x *template.Template) { x.Paused = w.clock.Now() }), quality.Yellow, true},
		{"an edit", change(func(w *world, x *template.Template) { x.Edits = append(x.Edits, w.clock.Now()) }), quality.Yellow, true},
		{"an edit of before", change(func(w *world, x *template.Template) { x.Edits = append(x.Edits, epoch) }), quality.Yellow, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, _ := newPaced(t, template.Marketing)
			for range 4 {
				w.pace(one)
			}
			w.check(w.policy.SetRating(t.Context(), string(promo), c.rated))
			w.clock.Advance(time.Hour)
			w.check(w.policy.CatchUp(t.Context()))
			if w.waits() != "goes" {
				t.Fatal("it waits after an hour")
			}
			c.do(w)
			w.start()
			for range 3 {
				if held, _ := w.pace(one); held {
					t.Fatal("the first three are held")
				}
			}
			if held, _ := w.pace(one); held != c.anew {
				t.Errorf("the fourth: held %v", held)
			}
		})
	}
}

// What went out in the same half hour before counting began does not count against it after a start.
func TestPaceCountsFromItsBegin(t *testing.T) {
	t.Parallel()
	w, _ := newPaced(t, template.Marketing)
	sent := func(n int64) {
		t.Helper()
		w.apply(&pipeline.Batch{Counts: []analytics.Count{{
			Key: analytics.Key{Subject: string(promo), What: analytics.Sent, Bucket: analytics.Bucket(w.now()), Number: one}, N: n,
		}}})
	}
	sent(5)
	w.pace(one)
	sent(1)
	for i := range 2 {
		w.start()
		if held, _ := w.pace(one); held {
			t.Fatalf("message %d is held", i+2)
		}
		sent(1)
	}
	if held, _ := w.pace(one); !held {
		t.Error("the fourth is not held")
	}
}

// A rating that cannot be made keeps nobody waiting for longer than the hour.
func TestHoldEndsWithoutRating(t *testing.T) {
	t.Parallel()
	broken := errors.New("the store does not answer")
	fail := false
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) {
		o.PaceAfter, o.Past = 1, silent{o.Past, broken, &fail}
	})
	_, err := w.template.Create(t.Context(), template.Template{
		ID: promo, WABA: waba, Name: "promo", Language: "en_US", Category: template.Marketing, Status: template.Approved,
	})
	w.check(err)
	for range 2 {
		w.pace(one)
	}
	fail = true
	for range 12 {
		if w.waits() != "waits" {
			t.Fatal("it goes before the hour has passed")
		}
		w.clock.Advance(5 * time.Minute)
		if err := w.policy.CatchUp(t.Context()); !errors.Is(err, broken) {
			t.Fatalf("got %v", err)
		}
	}
	if w.waits() != "goes" {
		t.Error("it waits after the hour")
	}
}

// silent is a past that does not answer for templates.
type silent struct {
	policy.Past
	err  error
	fail *bool
}

func (s silent) TemplateFeedback(ctx context.Context, id wa.TemplateID, since int64) ([]quality.Event, error) {
	if *s.fail {
		return nil, s.err
	}
	return s.Past.TemplateFeedback(ctx, id, since)
}

// A template that is still RED from before its pause is judged by what comes now: nothing is dropped before the hour has
// passed, and then it is paused.
func TestPaceOfStillRed(t *testing.T) {
	t.Parallel()
	for _, then := range []quality.Rating{quality.Red, quality.Yellow} {
		var w *world
		w = newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) {
			o.PaceAfter = 3
			o.Rate = func(ctx context.Context, id wa.TemplateID, q template.Quality, byHand bool) error {
				_, err := w.template.Rate(ctx, id, q, byHand)
				return err
			}
		})
		_, err := w.template.Create(t.Context(), template.Template{
			ID: promo, WABA: waba, Name: "promo", Language: "en_US", Category: template.Marketing, Status: template.Approved,
		})
		w.check(err)
		status := func(when string, want template.Status, pauses int) {
			t.Helper()
			if x, _ := w.template.Template(promo); x.Status != want || x.Pauses != pauses {
				t.Errorf("%s, then %s: %s after %d pauses, want %s after %d", when, then, x.Status, x.Pauses, want, pauses)
			}
		}
		w.check(w.policy.SetRating(t.Context(), string(promo), quality.Red))
		status("RED", template.Paused, 1)
		w.clock.Advance(hour)
		_, err = w.template.Unpause(t.Context(), promo)
		w.check(err)
		for range 4 {
			w.pace(one)
		}
		at := w.now()
		for range 11 {
			w.check(w.policy.CatchUp(t.Context()))
			if wait, _ := w.policy.Pacing(promo, at, true); !wait {
				t.Fatal("it does not wait although nothing was decided")
			}
			w.clock.Advance(5 * time.Minute)
			w.start()
		}
		status("held", template.Approved, 1)
		if then != quality.Red {
			w.check(w.policy.SetRating(t.Context(), string(promo), then))
		}
		w.clock.Advance(5 * time.Minute)
		w.check(w.policy.CatchUp(t.Context()))
		_, row := w.policy.Pacing(promo, at, true)
		if then == quality.Red {
			status("an hour later", template.Paused, 2)
		} else {
			status("an hour later", template.Approved, 1)
		}
		if failed := row == wa.ErrTemplatePaused; failed != (then == quality.Red) {
			t.Errorf("an hour later, then %s: failed %v", then, failed)
		}
		if x, _ := w.template.Template(promo); !x.Resume.IsZero() {
			t.Error("the pause ends by itself")
		}
	}
}
