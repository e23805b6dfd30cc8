package business

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// CreditLine is what a portfolio pays from for accounts of its clients. Nothing is charged here: it is a source of funding that
// accounts name. Source: spec/business.md section 7.
type CreditLine struct {
	ID        string
	LegalName string // legal_entity_name
}

// Allocation is the share of a credit line that a client's portfolio may use.
type Allocation struct {
	ID         string
	Receiver   wa.BusinessID
	Credential string // primary_funding_id of the accounts that use it
	Created    time.Time
	Ended      time.Time // zero while it lasts
}

// creditRef is what an id of a credit line, of a share of it or of a share's credential stands for.
type creditRef struct {
	owner *Portfolio
	share *Allocation // nil: the line itself
}

// putCredit makes the index of what portfolios lend out of the one before. None of it is ever taken out: their ids stay taken.
func (s *snapshot) putCredit(old map[string]creditRef, changed []*Portfolio) {
	lends := func(p *Portfolio) bool { return p.Credit != nil || len(p.Allocations) > 0 }
	if !slices.ContainsFunc(changed, lends) {
		return
	}
	s.credit = grown(old, len(changed))
	for _, p := range changed {
		if p.Credit != nil {
			s.credit[p.Credit.ID] = creditRef{owner: p}
		}
		for i := range p.Allocations {
			a := &p.Allocations[i]
			s.credit[a.ID], s.credit[a.Credential] = creditRef{p, a}, creditRef{p, a}
		}
	}
}

// funder finds the share in force that a credential belongs to, and the portfolio that gave it.
func (s *snapshot) funder(credential string) (creditRef, bool) {
	ref, ok := s.credit[credential]
	return ref, ok && ref.share != nil && ref.share.Credential == credential && ref.share.Ended.IsZero()
}

// maxAllocations bounds what one credit line remembers, ended shares included (ours).
const maxAllocations = 1000

// OpenCredit gives a portfolio a credit line, or another name to the one it has. Errors: [ErrUnknown], a row of code 100.
func (s *Service) OpenCredit(ctx context.Context, id wa.BusinessID, legalName string) (*Portfolio, error) {
	if n := utf8.RuneCountInString(strings.TrimSpace(legalName)); n == 0 || n > maxAccountName {
		return nil, wa.ErrInvalidParameter.Titled("Param legal_entity_name must have 1 to %d characters.", maxAccountName)
	}
	return s.UpdatePortfolio(ctx, id, func(p *Portfolio) error {
		line := CreditLine{LegalName: legalName}
		if p.Credit != nil {
			line.ID = p.Credit.ID
		} else {
			free, err := s.freeID()
			if err != nil {
				return err
			}
			line.ID = free
		}
		p.Credit = &line
		return nil
	})
}

// Creditor finds the portfolio of a credit line.
func (s *Service) Creditor(credit string) (*Portfolio, bool) {
	ref, ok := s.snap.Load().credit[credit]
	if !ok || ref.share != nil || !ref.owner.Deleted.IsZero() {
		return nil, false
	}
	return ref.owner, true
}

// Allocation finds a share of a credit line, ended ones too, and the portfolio that gave it.
func (s *Service) Allocation(id string) (*Portfolio, *Allocation, bool) {
	ref, ok := s.snap.Load().credit[id]
	if !ok || ref.share == nil || ref.share.ID != id || !ref.owner.Deleted.IsZero() {
		return nil, nil, false
	}
	return ref.owner, ref.share, true
}

// ShareCredit lets a client's portfolio use a credit line; doing it again changes nothing. Errors: [ErrUnknown], rows of code 100.
func (s *Service) ShareCredit(ctx context.Context, credit string, receiver wa.BusinessID) (*Allocation, error) {
	s.lock()
	defer s.mu.Unlock()
	p, a, err := s.allocate(ctx, credit, receiver)
	if err != nil {
		return nil, err
	}
	if err := s.commit(ctx, &Set{Portfolios: []*Portfolio{p}}); err != nil {
		return nil, fmt.Errorf("share credit line %s: %w", credit, err)
	}
	return a, nil
}

// allocate needs mu. It returns a changed copy of the creditor.
func (s *Service) allocate(ctx context.Context, credit string, receiver wa.BusinessID) (*Portfolio, *Allocation, error) {
	owner, ok := s.Creditor(credit)
	if !ok {
		return nil, nil, fmt.Errorf("share credit line %s: %w", credit, ErrUnknown)
	}
	if _, ok := s.Portfolio(receiver); !ok {
		return nil, nil, wa.ErrInvalidParameter.Titled("Param receiving_business_id must be the id of a business.")
	}
	p := *owner
	p.Allocations = slices.Clone(owner.Allocations)
	for i := range p.Allocations {
		if a := &p.Allocations[i]; a.Receiver == receiver && a.Ended.IsZero() {
			return &p, a, nil
		}
	}
	if len(p.Allocations) >= maxAllocations {
		return nil, nil, wa.ErrManagementParameter.User("Limit reached", fmt.Sprintf("A credit line is shared %d times at most.", maxAllocations))
	}
	a := Allocation{Receiver: receiver, Created: s.clock.Now()}
	for _, to := range []*string{&a.ID, &a.Credential} {
		id, err := s.freeID()
		if err != nil {
			return nil, nil, err
		}
		*to = id
	}
	p.Allocations = append(p.Allocations, a)
	p.Updated, p.UpdatedBy = a.Created, actorOf(ctx)
	return &p, &p.Allocations[len(p.Allocations)-1], nil
}

// AttachCredit lets an account be paid for by a credit line; its currency is fixed from then on. With share the line is shared
// with the account's owner first, without it must have been. Errors: [ErrUnknown], rows of code 100.
func (s *Service) AttachCredit(ctx context.Context, credit string, id wa.WABAID, currency string, share bool) (*Allocation, error) {
	s.lock()
	defer s.mu.Unlock()
	old, ok := s.WABA(id)
	if !ok {
		return nil, fmt.Errorf("attach credit line %s to account %s: %w", credit, id, ErrUnknown)
	}
	owner, ok := s.Creditor(credit)
	if !ok {
		return nil, fmt.Errorf("attach credit line %s: %w", credit, ErrUnknown)
	}
	if !share && !slices.ContainsFunc(owner.Allocations, func(a Allocation) bool { return a.Receiver == old.Owner && a.Ended.IsZero() }) {
		return nil, wa.ErrInvalidParameter.Titled("The credit line is not shared with the business of the WhatsApp Business Account.")
	}
	p, a, err := s.allocate(ctx, credit, old.Owner)
	if err != nil {
		return nil, err
	}
	if old.FundingID != "" && old.FundingID != a.Credential {
		return nil, wa.ErrInvalidParameter.Titled("The WhatsApp Business Account has a payment method already.")
	}
	w := *old
	if old.FundingID == "" {
		w.Currency = currency
	} else if currency != old.Currency {
		return nil, wa.ErrInvalidParameter.Titled("Currency and time zone of a WhatsApp Business Account cannot change once a payment method is attached.")
	}
	w.FundingID, w.Updated = a.Credential, s.clock.Now()
	if err := w.check(); err != nil {
		return nil, err
	}
	s.record(&Activity{WABA: id, Type: ActBilling, Object: a.ID, Text: "Credit line attached"})
	if err := s.commit(ctx, &Set{Portfolios: []*Portfolio{p}, WABAs: []*WABA{&w}}); err != nil {
		return nil, fmt.Errorf("attach credit line %s: %w", credit, err)
	}
	return a, nil
}

// EndAllocation takes a share of a credit line back: the accounts that used it have no payment method any more; it is no error
// when it has ended. Errors: [ErrUnknown].
func (s *Service) EndAllocation(ctx context.Context, id string) error {
	s.lock()
	defer s.mu.Unlock()
	owner, a, ok := s.Allocation(id)
	if !ok {
		return fmt.Errorf("end allocation %s: %w", id, ErrUnknown)
	}
	if !a.Ended.IsZero() {
		return nil
	}
	now := s.clock.Now()
	p := *owner
	p.Updated, p.UpdatedBy = now, actorOf(ctx)
	p.Allocations = slices.Clone(owner.Allocations)
	for i := range p.Allocations {
		if p.Allocations[i].ID == id {
			p.Allocations[i].Ended = now
		}
	}
	set := &Set{Portfolios: []*Portfolio{&p}}
	for _, w := range s.snap.Load().wabas {
		if w.FundingID == a.Credential {
			c := *w
			c.FundingID, c.Updated = "", now
			s.record(&Activity{WABA: w.ID, Type: ActBilling, Object: id, Text: "Credit line taken back"})
			set.WABAs = append(set.WABAs, &c)
		}
	}
	if err := s.commit(ctx, set); err != nil {
		return fmt.Errorf("end allocation %s: %w", id, err)
	}
	return nil
}

// SetPayment is the operator's: whether an account has a payment method of its own, and whether charging it fails; nil parts
// stay. Errors: [ErrUnknown], a row of code 100 for taking away what a credit line gave. Source: spec/business.md section 7.
func (s *Service) SetPayment(ctx context.Context, id wa.WABAID, attached, problem *bool) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		assign(&w.PaymentProblem, problem)
		switch {
		case attached == nil || *attached == (w.FundingID != ""):
			return nil
		case !*attached:
			if _, lent := s.snap.Load().funder(w.FundingID); lent {
				return wa.ErrInvalidParameter.Titled("The payment method of the WhatsApp Business Account is a credit line: take its share back instead.")
			}
			w.FundingID = ""
		default:
			free, err := s.freeID()
			if err != nil {
				return err
			}
			w.FundingID = free
		}
		s.record(&Activity{WABA: id, Type: ActBilling, Text: "Payment method changed"})
		return nil
	})
}

// Pays reports whether billable messages of the account can be charged; required says that a payment method is needed, and a
// currency and a time zone, from which test accounts are exempt. Source: spec/pricing.md section 4.
func (w *WABA) Pays(required bool) bool {
	return !w.PaymentProblem && (!required || w.Test || w.FundingID != "" && w.Currency != "" && w.TimezoneID != "")
}
