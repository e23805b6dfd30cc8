package policy_test

import (
	"context"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
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
	w.policy.OnRelease(func(h policy.Held) { *released = append(*released, h.Template) })
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
		w.policy.OnRelease(func(h policy.Held) { *released = append(*released, h.Template) })
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
