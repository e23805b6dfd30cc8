package template

import (
	"context"
	"errors"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// capEvery is how often accounts are held to their number of templates (ours).
const capEvery = time.Hour

// Hold holds an account to its limit of templates: what was made last and is beyond it cannot be sent, and comes back when there is
// room. That happens when the limit falls, as when the business is no longer verified. Source: spec/templates.md sections 3 and 11.
func (s *Service) Hold(ctx context.Context, w wa.WABAID) error {
	if s.o.Limit == nil {
		return nil
	}
	a := s.account(w)
	a.mu.Lock()
	defer a.mu.Unlock()
	live, limit := a.view.Load().live, s.o.Limit(w)
	var changed []*Template
	for i, t := range live {
		over := limit > 0 && i < len(live)-limit // the newest stand first
		stops := over && !t.Sample && (t.Status == Approved || t.Status == Paused)
		if !stops && (over || t.Status != LimitExceeded) {
			continue
		}
		c := *t
		if stops {
			c.Was, c.Status = t.Status, LimitExceeded
			c.tellStatus(string(LimitExceeded), "NONE", "")
		} else {
			c.Status, c.Was, c.Used = t.Was, "", s.o.Clock.Now()
			c.tellStatus("REINSTATED", "NONE", "")
		}
		changed = append(changed, &c)
	}
	if len(changed) == 0 {
		return nil
	}
	return s.commit(ctx, a, changed...)
}

// holdAll is Hold for every account, once an hour.
func (s *Service) holdAll(ctx context.Context, now time.Time) error {
	q := &s.queue
	q.mu.Lock()
	due := s.o.Limit != nil && !now.Before(q.hold)
	q.mu.Unlock()
	if !due {
		return nil
	}
	var failed error
	s.accounts.Range(func(w, _ any) bool {
		failed = errors.Join(failed, s.Hold(ctx, w.(wa.WABAID)))
		return ctx.Err() == nil
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hold = now.Add(capEvery)
	return failed
}

// holding is when accounts are held to their limits next; zero for never.
func (s *Service) holding() time.Time {
	if s.o.Limit == nil {
		return time.Time{}
	}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return s.queue.hold
}
