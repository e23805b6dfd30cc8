package policy

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// SetRating lets the operator decide: the rating stays until it is set to "", which goes back to what users say. Errors:
// business.ErrUnknown.
func (s *Service) SetRating(ctx context.Context, id string, r quality.Rating) error {
	return s.SetRatingUntil(ctx, id, r, time.Time{})
}

// SetRatingUntil is SetRating with an end, at which users decide again; the zero time is none. Source: spec/quality.md
// section 8. Errors: business.ErrUnknown.
func (s *Service) SetRatingUntil(ctx context.Context, id string, r quality.Rating, until time.Time) error {
	if _, _, _, err := s.score(ctx, id); err != nil {
		return err
	}
	s.rating.Lock()
	defer s.rating.Unlock()
	n := s.noteOf(id)
	switch {
	case r == "" && n.Override != "":
		n.OverrideUntil = s.o.Clock.Now().UnixMilli()
	case until.IsZero():
		n.Override, n.OverrideUntil = r, 0
	default:
		n.Override, n.OverrideUntil = r, until.UnixMilli()
	}
	if err := s.save(ctx, id, n); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.decided, id)
	if n.OverrideUntil != 0 {
		s.decided[id] = n.OverrideUntil
	}
	s.mu.Unlock()
	s.Poke() // Run must know when it ends
	if _, ok := s.o.Business.Number(wa.PhoneNumberID(id)); ok {
		return s.rateNumberNow(ctx, wa.PhoneNumberID(id))
	}
	return s.rateTemplateNow(ctx, wa.TemplateID(id))
}

// decided is the operator's rating in force at now; empty for none.
func (n *note) decided(now int64) quality.Rating {
	if n.OverrideUntil != 0 && n.OverrideUntil <= now {
		return ""
	}
	return n.Override
}

// openDecisions takes up the decisions of before a start that have an end.
func (s *Service) openDecisions() {
	for id, n := range s.notes {
		if n.Override != "" && n.OverrideUntil != 0 {
			s.decided[id] = n.OverrideUntil
		}
	}
}

// expire adds what the operator's decision has ended about. It needs s.mu.
func (s *Service) expire(dirty map[string]bool) {
	now := s.o.Clock.Now().UnixMilli()
	for id, until := range s.decided {
		if until <= now {
			dirty[id] = true
			delete(s.decided, id)
		}
	}
}

// nextEnd is when the next decision ends; zero for never.
func (s *Service) nextEnd() (at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, until := range s.decided {
		if t := time.UnixMilli(until); at.IsZero() || t.Before(at) {
			at = t
		}
	}
	return at
}
