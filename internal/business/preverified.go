package business

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Preverified is a number that a partner proved to own before it knows which client will use it. Source: spec/business.md
// section 9.
type Preverified struct {
	ID         string
	Owner      wa.BusinessID
	WaID       wa.WaID
	Ownership  Ownership
	VerifiedAt time.Time // zero: not verified
	Partners   []wa.BusinessID
	Claimed    bool // some account uses it now
	Removed    bool
	Created    time.Time
}

// maxPool bounds the unclaimed numbers of a portfolio (ours).
const maxPool = 100

// preverifiedLife is how long a verification lasts.
const preverifiedLife = 90 * 24 * time.Hour

// State is code_verification_status at now.
func (p *Preverified) State(now time.Time) CodeVerification {
	switch {
	case p.VerifiedAt.IsZero():
		return CodeNotVerified
	case now.Before(p.Expires()):
		return CodeVerified
	}
	return CodeExpired
}

// Expires is when the verification lapses.
func (p *Preverified) Expires() time.Time { return p.VerifiedAt.Add(preverifiedLife) }

// available reports whether the number can be claimed or verified: an unverified one is dropped after 90 days.
func (p *Preverified) available(now time.Time) bool {
	return !p.Removed && !p.Claimed && (!p.VerifiedAt.IsZero() || now.Before(p.Created.Add(preverifiedLife)))
}

// Preverified finds a pre-verified number by id, claimed ones too.
func (s *Service) Preverified(id string) (*Preverified, bool) {
	p, ok := s.snap.Load().preverified[id]
	if !ok || p.Removed || (!p.Claimed && !p.available(s.clock.Now())) {
		return nil, false
	}
	return p, true
}

// PreverifiedOf returns the unclaimed numbers a portfolio owns, oldest first.
func (s *Service) PreverifiedOf(owner wa.BusinessID) []*Preverified {
	now := s.clock.Now()
	return sorted(s.snap.Load().preverified, func(p *Preverified) bool { return p.Owner == owner && p.available(now) },
		func(a, b *Preverified) int {
			return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
		})
}

// AddPreverified adds a number to a portfolio's pool. Errors: [ErrUnknown], [wa.ErrCertificateCreate] when it is in use.
func (s *Service) AddPreverified(ctx context.Context, owner wa.BusinessID, digits wa.WaID) (*Preverified, error) {
	s.lock()
	defer s.mu.Unlock()
	snap, now := s.snap.Load(), s.clock.Now()
	if snap.portfolios[owner] == nil {
		return nil, fmt.Errorf("add a pre-verified number to portfolio %s: %w", owner, ErrUnknown)
	}
	_, used := snap.byWaID[digits]
	pool := 0
	for _, p := range snap.preverified {
		used = used || p.WaID == digits && p.available(now)
		if p.Owner == owner && p.available(now) {
			pool++
		}
	}
	if pool >= maxPool {
		return nil, wa.ErrNumberLimit.User("Limit Exceeded", fmt.Sprintf("A business has at most %d pre-verified numbers.", maxPool))
	}
	if used {
		return nil, wa.ErrCertificateCreate.FillMsg("The phone number is in use already.")
	}
	id, err := s.freeID()
	if err != nil {
		return nil, err
	}
	p := &Preverified{ID: id, Owner: owner, WaID: digits, Created: now}
	if err := s.commit(ctx, &Set{Preverified: []*Preverified{p}}); err != nil {
		return nil, fmt.Errorf("add pre-verified number: %w", err)
	}
	return p, nil
}

// updatePreverified changes a copy; what change did is stored unless it refuses.
func (s *Service) updatePreverified(ctx context.Context, id string, change func(*Preverified, time.Time) error) (*Preverified, error) {
	s.lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	old, ok := s.snap.Load().preverified[id]
	if !ok || !old.available(now) {
		return nil, fmt.Errorf("pre-verified number %s: %w", id, ErrUnknown)
	}
	p := *old
	p.Partners = slices.Clone(old.Partners)
	failed := change(&p, now)
	if r, ok := failed.(refusal); ok { //nolint:errorlint // refusals are not wrapped
		return nil, r.error
	}
	if err := s.commit(ctx, &Set{Preverified: []*Preverified{&p}}); err != nil {
		return nil, fmt.Errorf("pre-verified number %s: %w", id, err)
	}
	return &p, failed
}

// RequestPreverifiedCode is [Service.RequestCode] for a pre-verified number. One that is verified can be verified again 45
// days before it lapses.
func (s *Service) RequestPreverifiedCode(ctx context.Context, id string, method CodeMethod, locale string) error {
	var code string
	p, err := s.updatePreverified(ctx, id, func(p *Preverified, now time.Time) (err error) {
		switch {
		case !p.VerifiedAt.IsZero() && now.Before(p.Expires().Add(-preverifiedLife/2)):
			return refuse(wa.ErrRequestCode)
		case s.courier == nil:
			return refuse(ErrNoCourier)
		}
		if err := s.budget(p.WaID).take(now); err != nil {
			return err
		}
		if code, err = s.drawCode(p.WaID); err != nil {
			return refuse(err)
		}
		salt := make([]byte, codeSaltBytes)
		if _, err := io.ReadFull(s.rand, salt); err != nil {
			return refuse(fmt.Errorf("draw a salt: %w", err))
		}
		p.Ownership.Salt, p.Ownership.Hash = salt, hashCode(salt, code)
		p.Ownership.Expires, p.Ownership.Wrong = now.Add(codeLife), 0
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.courier.SendCode(ctx, p.WaID, code, method, locale); err != nil {
		return wa.ErrServerUnavailable.With("The code could not be sent. Try again later.").Because(err)
	}
	return nil
}

// VerifyPreverifiedCode is [Service.VerifyCode] for a pre-verified number.
func (s *Service) VerifyPreverifiedCode(ctx context.Context, id, code string) error {
	_, err := s.updatePreverified(ctx, id, func(p *Preverified, now time.Time) error {
		if err := p.Ownership.guess(code, s.budget(p.WaID), now); err != nil {
			return err
		}
		p.VerifiedAt = now
		return nil
	})
	return err
}

// guess checks a code. Its changes must be stored whatever the error, unless it is a refusal.
func (o *Ownership) guess(code string, b *Budget, now time.Time) error {
	switch {
	case !ValidPIN(code): // six digits, too
		return refuse(wa.ErrCodeFormat)
	case now.Before(b.Blocked):
		return refuse(wa.ErrVerifyCode.Retry(b.Blocked.Sub(now).Seconds()))
	case o.Salt == nil, !now.Before(o.Expires):
		return refuse(wa.ErrVerifyCode)
	}
	if subtle.ConstantTimeCompare(o.Hash, hashCode(o.Salt, code)) != 1 {
		if o.Wrong++; o.Wrong >= maxWrongCodes {
			*o, b.Blocked = Ownership{}, now.Add(codeWait)
		}
		return wa.ErrVerifyCode
	}
	*o = Ownership{}
	return nil
}

// SharePreverified lets a partner claim the number, or no longer. Errors: [ErrUnknown].
func (s *Service) SharePreverified(ctx context.Context, id string, partner wa.BusinessID, share bool) error {
	if _, ok := s.Portfolio(partner); !ok {
		return wa.ErrInvalidParameter.Titled("Param partner_business_id must be the id of a business.")
	}
	_, err := s.updatePreverified(ctx, id, func(p *Preverified, _ time.Time) error {
		p.Partners = slices.DeleteFunc(p.Partners, func(b wa.BusinessID) bool { return b == partner })
		if share {
			p.Partners = append(p.Partners, partner)
		}
		return nil
	})
	return err
}

// RemovePreverified takes a number out of the pool. Errors: [ErrUnknown].
func (s *Service) RemovePreverified(ctx context.Context, id string) error {
	_, err := s.updatePreverified(ctx, id, func(p *Preverified, _ time.Time) error {
		p.Removed = true
		return nil
	})
	return err
}

// claim finds a pre-verified number that account w may take. The caller holds mu.
func (s *Service) claim(id string, w *WABA) (*Preverified, error) {
	now := s.clock.Now()
	p, ok := s.snap.Load().preverified[id]
	mine := ok && (p.Owner == w.Owner || slices.Contains(p.Partners, w.Owner) ||
		slices.ContainsFunc(w.Shared, func(h Share) bool { return h.Business == p.Owner }))
	if !mine || !p.available(now) || p.State(now) != CodeVerified {
		return nil, wa.ErrInvalidParameter.Titled("Param preverified_id must be the id of a verified number that this business may use.")
	}
	return p, nil
}
