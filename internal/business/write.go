package business

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// CreatePortfolio stores a new portfolio. An empty ID is filled in, so are the times, the verification state and the
// messaging limit (250, the start of spec/business.md section 11). Errors: [ErrExists].
func (s *Service) CreatePortfolio(ctx context.Context, p Portfolio) (*Portfolio, error) {
	s.lock()
	defer s.mu.Unlock()
	return s.createPortfolio(ctx, p)
}

// maxPortfolios a person may create; unverified. Source: spec/business.md section 1.
const maxPortfolios = 2

// AddPortfolio is CreatePortfolio for a person, who may create two. first is called with the id before the portfolio is
// written: what it writes elsewhere, a membership, means nothing as long as the portfolio does not exist, so that a crash in
// between leaves nothing behind that anybody can see. It must not call the service. Errors: a row of code 100, those of first.
func (s *Service) AddPortfolio(ctx context.Context, p Portfolio, first func(wa.BusinessID) error) (*Portfolio, error) {
	s.lock()
	defer s.mu.Unlock()
	made := 0
	for _, x := range s.snap.Load().portfolios {
		if x.CreatedBy.ID == p.CreatedBy.ID && x.Deleted.IsZero() {
			made++
		}
	}
	if made >= maxPortfolios {
		return nil, wa.ErrManagementParameter.User("Limit reached", "A person can create two business portfolios.")
	}
	id, err := s.freeID()
	if err != nil {
		return nil, err
	}
	p.ID = wa.BusinessID(id)
	if err := first(p.ID); err != nil {
		return nil, err
	}
	return s.createPortfolio(ctx, p)
}

// createPortfolio needs mu.
func (s *Service) createPortfolio(ctx context.Context, p Portfolio) (*Portfolio, error) {
	if err := s.fillPortfolio(&p); err != nil {
		return nil, err
	}
	if err := s.commit(ctx, &Set{Portfolios: []*Portfolio{&p}}); err != nil {
		return nil, fmt.Errorf("create portfolio: %w", err)
	}
	return &p, nil
}

func (s *Service) fillPortfolio(p *Portfolio) error {
	if p.ID == "" {
		id, err := s.freeID()
		if err != nil {
			return err
		}
		p.ID = wa.BusinessID(id)
	} else if s.taken(string(p.ID)) {
		return fmt.Errorf("create portfolio %s: %w", p.ID, ErrExists)
	}
	now := s.clock.Now()
	p.Created, p.Updated = now, now
	p.Verification = orElse(p.Verification, NotVerified)
	p.MessagingLimit = orElse(p.MessagingLimit, Tier250)
	p.TwoFactor = orElse(p.TwoFactor, "none")
	return nil
}

// CreateWABA stores a new account of an existing portfolio. An empty ID is filled in, so are the namespace, the states
// (active, approved) and the times. Errors: [ErrUnknown] without its owner, [ErrExists].
func (s *Service) CreateWABA(ctx context.Context, w WABA) (*WABA, error) {
	s.lock()
	defer s.mu.Unlock()
	if _, ok := s.snap.Load().portfolios[w.Owner]; !ok {
		return nil, fmt.Errorf("create account in portfolio %s: %w", w.Owner, ErrUnknown)
	}
	if err := s.fillWABA(&w); err != nil {
		return nil, err
	}
	if err := s.commit(ctx, &Set{WABAs: []*WABA{&w}}); err != nil {
		return nil, fmt.Errorf("create account: %w", err)
	}
	return &w, nil
}

func (s *Service) fillWABA(w *WABA) error {
	if w.ID == "" {
		id, err := s.freeID()
		if err != nil {
			return err
		}
		w.ID = wa.WABAID(id)
	} else if s.taken(string(w.ID)) {
		return fmt.Errorf("create account %s: %w", w.ID, ErrExists)
	}
	if w.Namespace == "" {
		ns, err := newNamespace(s.rand)
		if err != nil {
			return err
		}
		w.Namespace = ns
	}
	now := s.clock.Now()
	w.Created, w.Updated = now, now
	w.Status = orElse(w.Status, WABAActive)
	w.Review = orElse(w.Review, ReviewApproved)
	w.Currency = orElse(w.Currency, "USD")
	w.TimezoneID = orElse(w.TimezoneID, "1")
	return nil
}

// CreateNumber stores a new number of an existing account. WaID is the caller's; an empty ID, the display form, country,
// calling code and empty states are filled in (pending, not verified, live). Errors: [ErrUnknown] without its account,
// [ErrExists] for the id, [wa.ErrNumberExists] when the account has the number already, [wa.ErrConflictRegistered] when
// another account has it.
func (s *Service) CreateNumber(ctx context.Context, n Number) (*Number, error) {
	s.lock()
	defer s.mu.Unlock()
	w, ok := s.snap.Load().wabas[n.WABA]
	if !ok || w.Status == WABADeleted {
		return nil, fmt.Errorf("create number in account %s: %w", n.WABA, ErrUnknown)
	}
	n.Business = w.Owner
	if err := s.fillNumber(&n); err != nil {
		return nil, err
	}
	if err := s.commit(ctx, &Set{Numbers: []*Number{&n}}); err != nil {
		return nil, fmt.Errorf("create number: %w", err)
	}
	return &n, nil
}

func (s *Service) fillNumber(n *Number) error {
	if old, ok := s.snap.Load().byWaID[n.WaID]; ok && n.MigratesFrom == "" {
		if old.WABA == n.WABA {
			return wa.ErrNumberExists
		}
		return wa.ErrConflictRegistered
	}
	if n.ID == "" {
		id, err := s.freeID()
		if err != nil {
			return err
		}
		n.ID = wa.PhoneNumberID(id)
	} else if s.taken(string(n.ID)) {
		return fmt.Errorf("create number %s: %w", n.ID, ErrExists)
	}
	country, code := wa.CountryOf(n.WaID)
	n.Display = orElse(n.Display, wa.Display(n.WaID))
	n.CountryCode = orElse(n.CountryCode, country)
	n.DialCode = orElse(n.DialCode, strconv.Itoa(code))
	n.Created = s.clock.Now()
	n.Status = orElse(n.Status, NumberPending)
	n.CodeVerification = orElse(n.CodeVerification, CodeNotVerified)
	n.NameStatus = orElse(n.NameStatus, NamePending)
	n.Quality = orElse(n.Quality, QualityUnknown)
	n.Mode = orElse(n.Mode, Live)
	n.Platform = orElse(n.Platform, NotApplicable)
	n.Level = orElse(n.Level, LevelNotAvailable)
	return nil
}

// UpdatePortfolio changes a portfolio: change gets a copy, and an error from it leaves everything as it was. Errors:
// [ErrUnknown] and those of change.
func (s *Service) UpdatePortfolio(ctx context.Context, id wa.BusinessID, change func(*Portfolio) error) (*Portfolio, error) {
	s.lock()
	defer s.mu.Unlock()
	old, ok := s.snap.Load().portfolios[id]
	if !ok {
		return nil, fmt.Errorf("update portfolio %s: %w", id, ErrUnknown)
	}
	p := *old
	if err := change(&p); err != nil {
		return nil, err
	}
	p.ID, p.Updated, p.UpdatedBy = id, s.clock.Now(), actorOf(ctx)
	if err := s.commit(ctx, &Set{Portfolios: []*Portfolio{&p}}); err != nil {
		return nil, fmt.Errorf("update portfolio %s: %w", id, err)
	}
	return &p, nil
}

// UpdateWABA changes an account like [Service.UpdatePortfolio] a portfolio. change must replace slices, not write into
// them. A new owner is refused: accounts never move (spec/business.md section 1).
func (s *Service) UpdateWABA(ctx context.Context, id wa.WABAID, change func(*WABA) error) (*WABA, error) {
	s.lock()
	defer s.mu.Unlock()
	old, ok := s.snap.Load().wabas[id]
	if !ok || old.Status == WABADeleted {
		return nil, fmt.Errorf("update account %s: %w", id, ErrUnknown)
	}
	w := *old
	w.Shared = slices.Clone(old.Shared)
	if err := change(&w); err != nil {
		return nil, err
	}
	w.ID, w.Owner, w.Updated = id, old.Owner, s.clock.Now()
	if err := s.commit(ctx, &Set{WABAs: []*WABA{&w}}); err != nil {
		return nil, fmt.Errorf("update account %s: %w", id, err)
	}
	return &w, nil
}

// UpdateNumber changes a number like [Service.UpdatePortfolio] a portfolio. change must replace slices, not write into
// them; id, account and digits stay as they are.
func (s *Service) UpdateNumber(ctx context.Context, id wa.PhoneNumberID, change func(*Number) error) (*Number, error) {
	s.lock()
	defer s.mu.Unlock()
	old, ok := s.snap.Load().numbers[id]
	if !ok {
		return nil, fmt.Errorf("update number %s: %w", id, ErrUnknown)
	}
	n := old.copy()
	if err := change(n); err != nil {
		return nil, err
	}
	n.ID, n.WABA, n.Business, n.WaID = id, old.WABA, old.Business, old.WaID
	if err := s.commit(ctx, &Set{Numbers: []*Number{n}}); err != nil {
		return nil, fmt.Errorf("update number %s: %w", id, err)
	}
	return n, nil
}

// SetThroughput sets the level, and the messages per second when the operator wants another figure than the level's (0:
// that of the level). Source: spec/limits.md section 2. Errors: [ErrUnknown]; mps must not be negative.
func (s *Service) SetThroughput(ctx context.Context, id wa.PhoneNumberID, level Level, mps int) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		if mps < 0 || (level != Standard && level != High) {
			return wa.ErrValue.Withf("throughput: level %q with %d messages per second is not possible", level, mps)
		}
		n.Level, n.MPS = level, mps
		return nil
	})
}

// AllowRecipient puts user on the test number's list; doing it again changes nothing. Errors: [ErrUnknown],
// [wa.ErrValue] when five others are on it.
func (s *Service) AllowRecipient(ctx context.Context, id wa.PhoneNumberID, user wa.WaID) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		same := func(r Recipient) bool { return r.User == user }
		switch {
		case slices.ContainsFunc(n.Allowed, same):
			return nil
		case len(n.Allowed) >= MaxRecipients:
			return wa.ErrValue.Withf("A test number has at most %d recipients.", MaxRecipients)
		}
		n.Allowed = append(slices.Clone(n.Allowed), Recipient{User: user, Added: s.clock.Now()})
		return nil
	})
}

// RemoveRecipient takes user off the test number's list; it is no error when it is not on it. Errors: [ErrUnknown].
func (s *Service) RemoveRecipient(ctx context.Context, id wa.PhoneNumberID, user wa.WaID) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		n.Allowed = slices.DeleteFunc(slices.Clone(n.Allowed), func(r Recipient) bool { return r.User == user })
		return nil
	})
}

// freeID draws an id that no object of this room has. The caller holds mu.
func (s *Service) freeID() (string, error) {
	for {
		id, err := NewID(s.rand)
		if err != nil {
			return "", err
		}
		if !s.taken(id) {
			return id, nil
		}
	}
}

func (s *Service) taken(id string) bool {
	snap := s.snap.Load()
	_, p := snap.portfolios[wa.BusinessID(id)]
	_, w := snap.wabas[wa.WABAID(id)]
	_, n := snap.numbers[wa.PhoneNumberID(id)]
	_, v := snap.preverified[id]
	_, c := snap.credit[id]
	_, x := snap.solutions[id]
	_, i := snap.intents[id]
	_, y := snap.certifications[id]
	return p || w || n || v || c || x || i || y
}

func orElse[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
