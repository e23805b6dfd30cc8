package business

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// What follows when a template that was approved as utility is found to be marketing, beyond its new category: at first nothing,
// the second time a warning, then the category is closed to the account. Source: spec/quality.md section 3.4; that it counts from
// the second time, and the name of the violation, are ours.
const (
	misuseWarning = 2
	misuseFirst   = 7 * 24 * time.Hour
	misuseAgain   = 30 * 24 * time.Hour

	violationMisuse = "UTILITY_TEMPLATE_MISUSE"
)

// Misused counts that an account sold marketing as utility, and owes the webhooks of what follows. closed says that the category
// was closed by it. Errors: [ErrUnknown].
func (s *Service) Misused(ctx context.Context, id wa.WABAID) (w *WABA, closed bool, err error) {
	w, err = s.UpdateWABA(ctx, id, func(w *WABA) error {
		now := s.clock.Now()
		was := w.Misuse.InForce(now)
		w.Misuse.Times++
		switch {
		case w.Misuse.Times < misuseWarning:
			return nil
		case w.Misuse.Times == misuseWarning:
			s.owe(s.notice(id, FieldAccount, accountValue{Event: "ACCOUNT_VIOLATION", Violation: &violationInfo{violationMisuse}}))
			s.record(&Activity{WABA: id, Type: ActUpdated, Text: "Warning for misuse of the utility category"})
			return nil
		case was:
			return nil // one time at a time
		case w.Misuse.Times == misuseWarning+1:
			w.Misuse.Until = now.Add(misuseFirst)
		default:
			w.Misuse.Until = now.Add(misuseAgain)
		}
		closed = true
		s.owe(s.notice(id, FieldAccount, accountValue{Event: "ACCOUNT_RESTRICTION", Restrictions: []restrictionInfo{
			{"RESTRICTED_UTILITY_TEMPLATES", w.Misuse.Until.Unix()},
		}}))
		s.record(&Activity{WABA: id, Type: ActUpdated, Text: "The utility category is closed to the account"})
		return nil
	})
	return w, closed, err
}

// Forgive forgets the misuse of an account. What is lifted before its time is told as a restriction that expires now (ours).
// Errors: [ErrUnknown].
func (s *Service) Forgive(ctx context.Context, id wa.WABAID) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		if now := s.clock.Now(); w.Misuse.InForce(now) {
			s.owe(s.notice(id, FieldAccount, accountValue{Event: "ACCOUNT_RESTRICTION", Restrictions: []restrictionInfo{
				{"RESTRICTED_UTILITY_TEMPLATES", now.Unix()},
			}}))
		}
		w.Misuse = Misuse{}
		return nil
	})
}

// Close says to people of which countries an account may not write: 130497. Errors: [ErrUnknown].
func (s *Service) Close(ctx context.Context, id wa.WABAID, countries []string) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		w.Closed = countries
		s.record(&Activity{WABA: id, Type: ActUpdated, Text: "Countries that the account may not write to"})
		return nil
	})
}
