package business

import (
	"context"
	"slices"
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

	// misuseKept is how many decisions an account remembers: far more than are announced and not carried out.
	misuseKept = 1000
)

// Misused counts that an account sold marketing as utility, and owes the webhooks of what follows. A decision, which names the
// template and what was found before, counts once, however often it is told. Errors: [ErrUnknown].
func (s *Service) Misused(ctx context.Context, id wa.WABAID, decision string) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		old := w.Misuse.Counted
		if slices.Contains(old, decision) {
			return nil
		}
		w.Misuse.Counted = append(slices.Clone(old[max(0, len(old)-misuseKept+1):]), decision)
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
		s.owe(s.notice(id, FieldAccount, accountValue{Event: "ACCOUNT_RESTRICTION", Restrictions: []restrictionInfo{
			{"RESTRICTED_UTILITY_TEMPLATES", w.Misuse.Until.Unix()},
		}}))
		s.record(&Activity{WABA: id, Type: ActUpdated, Text: "The utility category is closed to the account"})
		return nil
	})
}

// Forgive forgets the misuse of an account; what was decided does not count again. What is lifted before its time is told as a restriction that expires now (ours).
// Errors: [ErrUnknown].
func (s *Service) Forgive(ctx context.Context, id wa.WABAID) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		if now := s.clock.Now(); w.Misuse.InForce(now) {
			s.owe(s.notice(id, FieldAccount, accountValue{Event: "ACCOUNT_RESTRICTION", Restrictions: []restrictionInfo{
				{"RESTRICTED_UTILITY_TEMPLATES", now.Unix()},
			}}))
		}
		w.Misuse = Misuse{Counted: w.Misuse.Counted}
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
