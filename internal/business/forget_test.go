package business_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// What partners ask of each other does not pile up: a hundred of a kind once they have ended, for ninety days.
func TestEndedAffairsOfPartnersAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, c, m, _ := office(t, nil)
		must := func(_ any, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		offer := func() *business.Solution {
			t.Helper()
			x, err := s.CreateSolution(ctx, business.Solution{
				Name: "Tea", Owner: business.Party{App: "901", Business: "1"}, Partner: business.Party{App: "902", Business: "2", Tasks: []string{"MESSAGING"}},
			})
			must(x, err)
			return x
		}
		settled := func(now time.Time) *business.Set { // after a write, which is when it is looked
			t.Helper()
			c.now = now
			must(s.UpdatePortfolio(ctx, "1", func(*business.Portfolio) error { return nil }))
			synctest.Wait()
			set, err := m.LoadBusiness(ctx)
			must(set, err)
			return set
		}
		var rejected []*business.Solution
		for range 100 {
			rejected = append(rejected, offer())
		}
		if _, err := s.CreateSolution(ctx, *rejected[0]); !errors.Is(err, wa.ErrManagementParameter) {
			t.Errorf("one more: %v", err)
		}
		for _, x := range rejected {
			c.now = c.now.Add(time.Second)
			must(s.AnswerSolution(ctx, x.ID, "902", false, nil))
		}
		kept, other, last := offer(), offer(), offer() // those that were rejected do not count
		c.now = c.now.Add(time.Second)
		must(s.AnswerSolution(ctx, last.ID, "902", false, nil))
		for _, x := range []*business.Solution{kept, other} {
			must(s.AnswerSolution(ctx, x.ID, "902", true, nil))
		}
		must(s.Join(ctx, "12", kept.ID))
		must(s.AskDeactivation(ctx, kept.ID, "901"))
		must(s.AnswerDeactivation(ctx, kept.ID, "902", true))
		must(s.ShareWABA(ctx, "11", business.Share{Business: "2"}))
		for range 110 {
			c.now = c.now.Add(time.Second)
			must(s.MoveTo(ctx, "12", "901", other.ID))
			must(s.Certify(ctx, "2", "1", business.Claim{}))
		}
		go func() { _ = s.Run(ctx, notifier(func(*business.Notice) error { return nil })) }()
		set := settled(c.now)
		if a, b, d := len(set.Solutions), len(set.Intents), len(set.Certifications); a != 102 || b != 101 || d != 101 {
			t.Errorf("%d solutions, %d intents, %d certifications", a, b, d)
		}
		if _, ok := s.Solution(rejected[0].ID); ok {
			t.Error("the oldest is still there")
		}
		set = settled(c.now.Add(90 * 24 * time.Hour))
		if a, b, d := len(set.Solutions), len(set.Intents), len(set.Certifications); a != 2 || b != 1 || d != 1 {
			t.Errorf("90 days later: %d solutions, %d intents, %d certifications", a, b, d)
		}
		if set.Intents[0].Status != business.IntentInitiated || set.Certifications[0].Status != business.CertificationPending {
			t.Errorf("left: %s, %s", set.Intents[0].Status, set.Certifications[0].Status)
		}
		must(s.UpdateWABA(ctx, "12", func(w *business.WABA) error { w.Status = business.WABADeleted; return nil }))
		set = settled(c.now)
		if a, b := len(set.Solutions), len(set.Intents); a != 1 || b != 0 {
			t.Errorf("after the account: %d solutions, %d intents", a, b)
		}
		cancel()
		synctest.Wait()
	})
}
