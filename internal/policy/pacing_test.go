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

// pace says what the next send of a template is answered, "" for nothing that is counted.
func (w *world) pace(from wa.PhoneNumberID) (held bool, undo func()) {
	w.t.Helper()
	n, _ := w.business.Number(from)
	held, undo, err := w.policy.Pace(w.t.Context(), n, promo)
	w.check(err)
	return held, undo
}

// waits says what becomes of a message that is accepted now.
func (w *world) waits() string {
	w.t.Helper()
	wait, row := w.policy.Pacing(promo, w.now(), false)
	switch {
	case wait:
		return "waits"
	case row != nil:
		return "fails"
	}
	return "goes"
}

func newPaced(t *testing.T, category template.Category) (*world, *[]wa.TemplateID) {
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) {
		o.PaceAfter = 3
		update := o.Rate
		o.Rate = func(ctx context.Context, id wa.TemplateID, q template.Quality, byHand bool) error {
			if q == template.QualityRed && !byHand {
				t.Error("a pause while messages are held is to be ended by hand")
			}
			return update(ctx, id, q, byHand)
		}
	})
	_, err := w.template.Create(t.Context(), template.Template{
		ID: promo, WABA: waba, Name: "promo", Language: "en_US", Category: category, Status: template.Approved,
	})
	w.check(err)
	released := &[]wa.TemplateID{}
	w.policy.OnRelease(func(id wa.TemplateID) { *released = append(*released, id) })
	return w, released
}

// Three go out; a send that was refused after all takes nothing; the fourth is held, also after a start.
func TestPaceCounts(t *testing.T) {
	t.Parallel()
	w, released := newPaced(t, template.Marketing)
	for range 5 {
		if _, undo := w.pace(one); true {
			undo()
		}
	}
	for i := range 3 {
		if held, _ := w.pace(one); held {
			t.Errorf("message %d is held", i+1)
		}
		w.clock.Advance(time.Millisecond)
	}
	if held, _ := w.pace(tests); held {
		t.Error("test numbers are not paced")
	}
	if held, _ := w.pace(two); !held || w.waits() != "waits" {
		t.Errorf("the fourth: held %v, %s", held, w.waits())
	}
	if wait, _ := w.policy.Pacing(promo, w.now()-1, false); wait {
		t.Error("one that was accepted before the first was held waits")
	}
	for _, d := range []time.Duration{0, 4 * time.Minute, 55 * time.Minute} {
		w.clock.Advance(d)
		w.start()
		w.policy.OnRelease(func(id wa.TemplateID) { *released = append(*released, id) })
		w.check(w.policy.CatchUp(t.Context()))
		if held, _ := w.pace(one); !held || w.waits() != "waits" || len(*released) != 0 {
			t.Errorf("%s later and after a start: held %v, %s", d, held, w.waits())
		}
	}
	w.clock.Advance(time.Minute)
	w.check(w.policy.CatchUp(t.Context()))
	if held, _ := w.pace(one); held || w.waits() != "goes" || len(*released) != 1 {
		t.Errorf("after an hour: held %v, %s, released %v", held, w.waits(), *released)
	}
	w.start()
	if held, _ := w.pace(one); held {
		t.Error("what was let go is held again")
	}
}

func TestPaceVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		rating   quality.Rating
		after    time.Duration
		held     string
		released int
	}{
		{"GREEN, not looked at yet", quality.Green, 4 * time.Minute, "waits", 0},
		{"GREEN", quality.Green, 5 * time.Minute, "goes", 1},
		{"YELLOW", quality.Yellow, 5 * time.Minute, "waits", 0},
		{"YELLOW for an hour", quality.Yellow, time.Hour, "goes", 1},
		{"RED", quality.Red, 0, "fails", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, released := newPaced(t, template.Marketing)
			for range 4 {
				w.pace(one)
			}
			at := w.now()
			w.check(w.policy.SetRating(t.Context(), string(promo), c.rating))
			w.clock.Advance(c.after)
			w.check(w.policy.CatchUp(t.Context()))
			wait, row := w.policy.Pacing(promo, at, false)
			got := map[bool]string{true: "waits", false: "goes"}[wait]
			if row != nil {
				got = "fails"
			}
			if got != c.held || len(*released) != c.released {
				t.Errorf("%s, released %d times; want %s and %d", got, len(*released), c.held, c.released)
			}
		})
	}
}

// Utility templates are paced while a pause of one of them is less than a week ago.
func TestPaceOfUtility(t *testing.T) {
	t.Parallel()
	w, _ := newPaced(t, template.Utility)
	next := func() bool {
		for range 3 {
			w.pace(one)
		}
		held, _ := w.pace(one)
		return held
	}
	if next() {
		t.Error("nothing was paused")
	}
	_, err := w.template.Rate(t.Context(), promo, template.QualityRed, false)
	w.check(err)
	_, err = w.template.Rate(t.Context(), promo, template.QualityYellow, false)
	w.check(err)
	w.clock.Advance(6 * 24 * hour)
	if !next() {
		t.Error("six days after a pause")
	}
	w, _ = newPaced(t, template.Utility)
	_, err = w.template.Rate(t.Context(), promo, template.QualityRed, false)
	w.check(err)
	w.clock.Advance(7 * 24 * hour)
	if next() {
		t.Error("seven days after a pause")
	}
}

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
			w.policy.OnRelease(func(id wa.TemplateID) { *released = append(*released, id) })
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
		{"late, known", late, true, "fails"}, {"late, not known any more", late, false, "fails"},
		{"late, in the new state", w.now(), true, "fails"}, {"the first after it", w.now(), false, "goes"},
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
