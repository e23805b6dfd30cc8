package business

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Condition is one that must hold before a portfolio goes with its test resources.
type Condition string

// The conditions. The first two are for the access room to look at. Source: spec/business.md section 2.4, spec/manager.md section 7.4.
const (
	OnlyAdmin   Condition = "admin"       // the person administers the portfolio that the app belongs to
	OnlyApp     Condition = "app"         // no other app belongs to the portfolio
	OnlyAccount Condition = "account"     // the portfolio holds no other account, and this one is a test account
	OnlyNumber  Condition = "number"      // the test account holds no other number, and this one is a test number
	Unshared    Condition = "shared"      // nobody else has a part in the account
	NoCredit    Condition = "credit_line" // nobody else uses the credit line: it could not be taken back
)

// Obstacle is a condition that does not hold, and why, in a sentence.
type Obstacle struct {
	Condition Condition
	Why       string
}

// Refusal is what the API answers when something is in the way; nil when nothing is. Only the first obstacle is named.
func Refusal(in []Obstacle) error {
	if len(in) == 0 {
		return nil
	}
	return wa.ErrManagementParameter.User("Portfolio can't be deleted", in[0].Why)
}

// Obstacles are what this room knows to be in the way of deleting a portfolio with its test resources. Errors: [ErrUnknown].
func (s *Service) Obstacles(id wa.BusinessID) (list []Obstacle, err error) {
	p, ok := s.Portfolio(id)
	if !ok {
		return nil, fmt.Errorf("delete portfolio %s: %w", id, ErrUnknown)
	}
	add := func(c Condition, format string, args ...any) {
		list = append(list, Obstacle{c, fmt.Sprintf(format, args...)})
	}
	if slices.ContainsFunc(p.Allocations, func(a Allocation) bool { return a.Ended.IsZero() }) {
		add(NoCredit, "The credit line of the portfolio is shared.")
	}
	owned := s.WABAs(id)
	if len(owned) > 1 {
		add(OnlyAccount, "The portfolio holds %d other WhatsApp Business Accounts.", len(owned)-1)
	}
	for _, w := range owned {
		if !w.Test {
			add(OnlyAccount, "The WhatsApp Business Account %s of the portfolio is no test account.", w.ID)
			continue // its numbers are in nobody's way
		}
		if len(w.Shared) > 0 {
			add(Unshared, "The WhatsApp Business Account %s is shared with a partner.", w.ID)
		}
		numbers := s.Numbers(w.ID)
		if len(numbers) > 1 {
			add(OnlyNumber, "The test account holds %d other phone numbers.", len(numbers)-1)
		}
		for _, n := range numbers {
			if n.Mode != Sandbox {
				add(OnlyNumber, "The phone number %s of the test account is no test number.", n.ID)
			}
		}
	}
	return list, nil
}

// RemovePortfolio deletes a portfolio with its test resources. Errors: [ErrUnknown], the [Refusal] of what is in the way.
func (s *Service) RemovePortfolio(ctx context.Context, id wa.BusinessID) error {
	s.lock()
	defer s.mu.Unlock()
	list, err := s.Obstacles(id)
	if err != nil {
		return err
	}
	if err := Refusal(list); err != nil {
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

// paidRest is how long a number stays after a paid message.
const paidRest = 30 * 24 * time.Hour

// RemoveNumber deletes a number: what an administrator does in the web app. A connected number with two-step verification asks
// for its PIN, and one that sent paid messages within 30 days stays. Errors: [ErrUnknown], [wa.ErrNumberDeleted], a row of code 100,
// those of the PIN. Source: spec/phone_numbers.md section 4.8.
func (s *Service) RemoveNumber(ctx context.Context, id wa.PhoneNumberID, pin string) error {
	if n, ok := s.Number(id); ok && n.Live() && s.paid != nil {
		switch paid, err := s.paid(ctx, n, s.clock.Now().Add(-paidRest)); {
		case err != nil:
			return fmt.Errorf("look for paid messages of number %s: %w", id, err)
		case paid:
			return wa.ErrManagementParameter.User("Phone number can't be deleted", "It sent paid messages in the last 30 days.")
		}
	}
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
