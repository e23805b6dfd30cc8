package business

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Removable says why a portfolio and its test resources cannot be deleted, nil when they can: the portfolio may hold nothing
// but one test account with one test number, and share no credit line: nobody could take the share back. That the caller administers it, and that no other app hangs on it, the access
// room knows. Source: spec/business.md section 2.4.
func (s *Service) Removable(id wa.BusinessID) error {
	p, ok := s.Portfolio(id)
	if !ok {
		return fmt.Errorf("delete portfolio %s: %w", id, ErrUnknown)
	}
	refuse := func(format string, args ...any) error {
		return wa.ErrManagementParameter.User("Portfolio can't be deleted", fmt.Sprintf(format, args...))
	}
	if slices.ContainsFunc(p.Allocations, func(a Allocation) bool { return a.Ended.IsZero() }) {
		return refuse("The credit line of the portfolio is shared.")
	}
	owned := s.WABAs(id)
	if len(owned) > 1 {
		return refuse("The portfolio holds %d other WhatsApp Business Accounts.", len(owned)-1)
	}
	for _, w := range owned {
		if !w.Test {
			return refuse("The WhatsApp Business Account %s of the portfolio is no test account.", w.ID)
		}
		if len(w.Shared) > 0 {
			return refuse("The WhatsApp Business Account %s is shared with a partner.", w.ID)
		}
		numbers := s.Numbers(w.ID)
		if len(numbers) > 1 {
			return refuse("The test account holds %d other phone numbers.", len(numbers)-1)
		}
		for _, n := range numbers {
			if n.Mode != Sandbox {
				return refuse("The phone number %s of the test account is no test number.", n.ID)
			}
		}
	}
	return nil
}

// RemovePortfolio deletes a portfolio with its test resources. Errors: those of [Service.Removable].
func (s *Service) RemovePortfolio(ctx context.Context, id wa.BusinessID) error {
	s.lock()
	defer s.mu.Unlock()
	if err := s.Removable(id); err != nil {
		return err
	}
	p := *s.snap.Load().portfolios[id]
	now := s.clock.Now()
	p.Deleted = now
	set := &Set{Portfolios: []*Portfolio{&p}}
	for _, w := range s.WABAs(id) {
		c := *w
		c.Status, c.Updated = WABADeleted, now
		set.WABAs = append(set.WABAs, &c)
		s.owe(s.notice(w.ID, FieldAccount, accountValue{Event: "ACCOUNT_DELETED"}))
		for _, n := range s.Numbers(w.ID) {
			x := n.copy()
			x.Status, x.Registered, x.Deleted, x.Platform = NumberDeleted, false, now, NotApplicable
			x.PIN, x.Allowed, x.Pending = PIN{}, nil, nil
			set.Numbers = append(set.Numbers, x)
		}
	}
	if err := s.commit(ctx, set); err != nil {
		return fmt.Errorf("delete portfolio %s: %w", id, err)
	}
	return nil
}

// RemoveNumber deletes a number: what an administrator does in the web app. A connected number with two-step verification asks
// for its PIN. Errors: [ErrUnknown], [wa.ErrNumberDeleted], those of the PIN. Source: spec/phone_numbers.md section 4.8.
func (s *Service) RemoveNumber(ctx context.Context, id wa.PhoneNumberID, pin string) error {
	_, err := s.attempt(ctx, id, func(n *Number, now time.Time) error {
		if !n.Live() {
			return refuse(wa.ErrNumberDeleted)
		}
		if n.Registered && n.PIN.Enabled() {
			var err error
			if n.PIN, err = n.PIN.guess(pin, now); err != nil {
				return err
			}
		}
		n.Status, n.Registered, n.Deleted, n.Platform = NumberDeleted, false, now, NotApplicable
		n.Username, n.UsernameStatus = "", ""
		s.record(&Activity{WABA: n.WABA, Type: ActNumberRemoved, Object: string(n.ID), Text: "Phone number removed"})
		return nil
	})
	return err
}
