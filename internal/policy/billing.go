package policy

import (
	"context"
	"errors"
	"sync"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Billing says what becomes of charged messages. Source: spec/pricing.md section 4.
type Billing string

// The modes. Only the last two ever refuse a message.
const (
	BillingOff     Billing = "off"     // there is no ledger
	BillingRecord  Billing = "record"  // the ledger records; the empty mode, too
	BillingPrepaid Billing = "prepaid" // accounts pay in before
	BillingCredit  Billing = "credit"  // accounts owe up to a limit
)

// Refuses reports whether accounts run out of money.
func (b Billing) Refuses() bool { return b == BillingPrepaid || b == BillingCredit }

// ErrNoBalance says that accounts have no balance in this mode.
var ErrNoBalance = errors.New("accounts have a balance with --billing prepaid or credit alone")

// Ledger has what was charged. Times are Unix milliseconds, the end excluded.
type Ledger interface {
	// Charged is how much the accounts were charged for from one multiple of [pricing.Quarter] to another. It must not cost more
	// the more there is.
	Charged(ctx context.Context, ids []wa.WABAID, from, to int64) ([]pricing.Volume, error)
	// EachCharge calls f for every charge of the accounts in the order of time and id.
	EachCharge(ctx context.Context, ids []wa.WABAID, from, to int64, f func(pricing.Charge)) error
}

// billNote is the note of an account's purse.
const billNote = "bill/"

// purse is the money of an account, in its currency.
type purse struct {
	Paid    pricing.Micro `json:"paid,omitempty"`
	Limit   pricing.Micro `json:"limit,omitempty"`   // how much it may owe
	Since   int64         `json:"since"`             // what was charged before is not paid from it, Unix milliseconds
	Through string        `json:"through,omitempty"` // the last month that Spent holds in the note
	Spent   pricing.Micro `json:"spent,omitempty"`
}

// till knows the purses. What they hold follows from the ledger: a crash loses nothing.
type till struct {
	writing sync.Mutex // while a purse is saved; taken before mu
	mu      sync.Mutex
	purses  map[wa.WABAID]*purse // with Spent up to now
	meter   *pricing.Meter
}

// Balance is what an account has and owes.
type Balance struct {
	Mode               Billing
	Paid, Limit, Spent pricing.Micro
	Available          pricing.Micro // nothing billable is sent at zero or below
	Currency           string
}

func (b Billing) available(p *purse) pricing.Micro {
	if b == BillingCredit {
		return p.Limit + p.Paid - p.Spent
	}
	return p.Paid - p.Spent
}

// Funded reports whether there is money for a billable message of the account. Test accounts need none.
func (s *Service) Funded(w *business.WABA) bool {
	if !s.o.Billing.Refuses() || w.Test {
		return true
	}
	s.till.mu.Lock()
	defer s.till.mu.Unlock()
	p := s.till.purses[w.ID]
	return p != nil && s.o.Billing.available(p) > 0
}

// Charged takes the charges that the store has just taken from their accounts' purses.
func (s *Service) Charged(list []pricing.Charge) {
	if len(list) == 0 || !s.o.Billing.Refuses() {
		return
	}
	s.till.mu.Lock()
	defer s.till.mu.Unlock()
	for i := range list {
		s.charge(list[i])
	}
}

// charge needs the lock of the till.
func (s *Service) charge(c pricing.Charge) {
	w, ok := s.o.Business.WABA(c.WABA)
	if !ok {
		return
	}
	cost := s.till.meter.Charge(string(w.Owner), c, w.Currency, analytics.Zone(w.TimezoneID))
	if p := s.till.purses[c.WABA]; p != nil && c.At >= p.Since {
		p.Spent += cost
	}
}

// Balance returns what an account has. Errors: [ErrNoBalance], business.ErrUnknown.
func (s *Service) Balance(id wa.WABAID) (Balance, error) {
	w, ok := s.o.Business.WABA(id)
	switch {
	case !s.o.Billing.Refuses():
		return Balance{}, ErrNoBalance
	case !ok:
		return Balance{}, business.ErrUnknown
	}
	s.till.mu.Lock()
	defer s.till.mu.Unlock()
	p := s.till.purses[id]
	if p == nil {
		p = &purse{}
	}
	return Balance{Mode: s.o.Billing, Paid: p.Paid, Limit: p.Limit, Spent: p.Spent, Available: s.o.Billing.available(p), Currency: w.Currency}, nil
}

// Pay adds to what an account has paid, a negative amount takes back, and says how much it may owe unless limit is nil. What was
// charged before the first payment, or before the first limit, is not counted. Errors as for Balance.
func (s *Service) Pay(ctx context.Context, id wa.WABAID, add pricing.Micro, limit *pricing.Micro) (Balance, error) {
	if b, err := s.Balance(id); err != nil {
		return b, err
	}
	key := billNote + string(id)
	s.till.writing.Lock()
	defer s.till.writing.Unlock()
	n := s.noteOf(key)
	saved := purse{Since: s.o.Clock.Now().UnixMilli()}
	if n.Purse != nil {
		saved = *n.Purse
	}
	saved.Paid += add
	if limit != nil {
		saved.Limit = *limit
	}
	n.Purse = &saved
	if err := s.save(ctx, key, n); err != nil {
		return Balance{}, err
	}
	s.till.mu.Lock()
	if p := s.till.purses[id]; p != nil {
		p.Paid, p.Limit = saved.Paid, saved.Limit
	} else {
		fresh := saved // the note has its own
		s.till.purses[id] = &fresh
	}
	s.till.mu.Unlock()
	return s.Balance(id)
}
