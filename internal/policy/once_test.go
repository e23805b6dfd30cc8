package policy_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/pricing"
)

// Whoever asks for evaluations, and how many at once: a limit rises by one step, a tier is told once, and no note is lost.
func TestEvaluationsAtOnce(t *testing.T) {
	t.Parallel()
	card, err := pricing.Parse(strings.NewReader(tierCard))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, business.Tier2K, 0, func(o *policy.Options) { o.Rates = card })
	w.apply(&pipeline.Batch{Counts: []analytics.Count{{Key: analytics.Key{
		Subject: string(waba), What: analytics.Priced("regular", "utility"), Bucket: w.clock.Now().Unix() / analytics.HalfHour * analytics.HalfHour,
		Number: one, Country: "IN",
	}, N: 11}}})
	w.reached = 50_000
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := errors.Join(w.policy.Evaluate(t.Context()), w.policy.CatchUp(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.evaluate()
	w.start()
	w.evaluate()
	if p, _ := w.business.Portfolio(owner); p.MessagingLimit != business.Tier10K || !p.Raised.Equal(epoch) {
		t.Errorf("%s since %v, want one step more", p.MessagingLimit, p.Raised)
	}
	told := 0
	for _, n := range w.owed() {
		told += strings.Count(n, `"volume_tier_info":{`)
	}
	if told != 1 {
		t.Errorf("a tier was told %d times", told)
	}
}

// fragile keeps no notes while it is broken.
type fragile struct {
	policy.Notes
	broken bool
}

func (f *fragile) SavePolicy(ctx context.Context, id string, doc []byte) error {
	if f.broken {
		return errors.New("the disk is full")
	}
	return f.Notes.SavePolicy(ctx, id, doc)
}

// A limit and the time it rose at are stored together: when the platform dies behind it, the next step is as far away as ever.
func TestARaiseIsStoredWithItsTime(t *testing.T) {
	t.Parallel()
	notes := &fragile{}
	w := newWorld(t, business.Tier2K, 0, func(o *policy.Options) {
		notes.Notes = o.Notes
		o.Notes, o.ScaleDelay = notes, hour
	})
	tier := func(fact string, want business.Tier) {
		t.Helper()
		if p, _ := w.business.Portfolio(owner); p.MessagingLimit != want {
			t.Errorf("%s: %s, want %s", fact, p.MessagingLimit, want)
		}
	}
	w.reached = limits.UpgradeUsers / 2
	w.evaluate()
	tier("earned", business.Tier2K)
	w.clock.Advance(hour)
	notes.broken = true
	if err := w.policy.CatchUp(t.Context()); err == nil {
		t.Error("the note was not saved, and nobody says so")
	}
	tier("given", business.Tier10K)
	notes.broken = false
	w.start()
	for range 24 {
		w.evaluate()
		w.clock.Advance(hour)
		tier("within a day", business.Tier10K)
	}
	w.evaluate()
	tier("earned again", business.Tier10K)
	w.clock.Advance(hour)
	w.check(w.policy.CatchUp(t.Context()))
	tier("a day and the delay later", business.Tier100K)
}
