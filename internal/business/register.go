package business

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Register and deregister calls: ten each per number within 72 hours, then none for 72 hours. Source:
// spec/phone_numbers.md section 4.5.
const (
	maxRegistrations   = 10
	registrationWindow = 72 * time.Hour
)

// Registration is what a call to register says.
type Registration struct {
	PIN     string
	Moved   bool     // the call carries the backup of a self-hosted client
	Storage *Storage // of the number's data from now on; nil: what the settings say
}

// Register connects a number, checking the PIN when it has one and setting it otherwise. Registering a registered number
// succeeds and puts an approved new display name into force. Attempts and wrong guesses are durable before the answer.
//
// A number that migrates takes the place of its predecessor. One that is moved keeps its ownership, and if it ran with two or
// more shards it becomes HIGH at once. A refused call changes nothing but what is counted.
//
// Errors, in this order: [ErrUnknown], [wa.ErrPINFormat], [wa.ErrNumberDeleted], [wa.ErrRegisterCoexistence], rows of code 100
// for the storage, [wa.ErrPINGuesses], [wa.ErrRegisterRate], [wa.ErrReverify], [wa.ErrPINTooFast], [wa.ErrPINMismatch].
// Source: spec/phone_numbers.md sections 4.4 and 22; spec/security.md SC11.
func (s *Service) Register(ctx context.Context, id wa.PhoneNumberID, r Registration) (*Number, error) {
	return s.attempt(ctx, id, func(n *Number, now time.Time) error {
		switch {
		case !ValidPIN(r.PIN):
			return refuse(wa.ErrPINFormat)
		case !n.Live():
			return refuse(wa.ErrNumberDeleted)
		case n.OnBizApp:
			return refuse(wa.ErrRegisterCoexistence)
		}
		storage := n.storage(r.Storage)
		if err := s.mayKeep(n, storage); err != nil {
			return refuse(err)
		}
		if err := n.PIN.locked(now); err != nil {
			return refuse(err)
		}
		if err := count(&n.Calls.Register, &n.Calls.RegisterBlock, now); err != nil {
			return err
		}
		if n.CodeVerification != CodeVerified && (!r.Moved || !n.MultiConnect && n.Platform != OnPremise) {
			return wa.ErrReverify.With("Request and verify a code for this phone number first.")
		}
		if holder := s.snap.Load().byWaID[n.WaID]; n.MigratesFrom != "" && (holder == nil || holder.ID != n.MigratesFrom) {
			return wa.ErrMigration.FillMsg("The phone number moved to another WhatsApp Business Account meanwhile.")
		}
		if err := s.checkPIN(n, r.PIN, now); err != nil {
			return err
		}
		n.keep(storage, now)
		s.connect(n, now, r.Moved)
		return nil
	})
}

func (s *Service) checkPIN(n *Number, pin string, now time.Time) (err error) {
	if n.PIN.Enabled() {
		n.PIN, err = n.PIN.guess(pin, now)
		return err
	}
	n.PIN, err = newPIN(s.rand, pin)
	return err
}

// connect changes n, and owes the webhooks. The caller holds mu.
func (s *Service) connect(n *Number, now time.Time, moved bool) {
	if old, ok := s.snap.Load().numbers[n.MigratesFrom]; ok {
		c := old.copy()
		c.Registered, c.Status, c.Platform, c.Deleted = false, NumberMigrated, NotApplicable, now
		s.draft.Numbers = append(s.draft.Numbers, c)
		n.MigratesFrom = ""
	}
	if n.LastOnboarded.IsZero() {
		v := qualityValue{Display: digitsOf(n), Event: "ONBOARDING"}
		if p := s.snap.Load().portfolios[n.Business]; p != nil {
			v.Current, v.Max = p.MessagingLimit, p.MessagingLimit
		}
		s.owe(s.notice(n.WABA, FieldQuality, v))
	}
	n.Registered, n.Stale = true, false
	n.Status = NumberConnected
	n.Platform = CloudAPI
	n.LastOnboarded = now
	n.CodeVerification = CodeVerified
	switch {
	case moved && n.MultiConnect && n.Level != High:
		n.Level = High
		s.owe(s.notice(n.WABA, FieldQuality, qualityValue{Display: digitsOf(n), Event: "THROUGHPUT_UPGRADE", Current: TierUnlimited, Max: TierUnlimited}))
	case n.Level != High:
		n.Level = Standard
	}
	if k := n.PublicKey; k != nil {
		c := *k
		c.Status = KeyMismatch
		n.PublicKey = &c
	}
	if n.NewName != "" && n.NewNameStatus == NameApproved {
		n.VerifiedName, n.NameStatus = n.NewName, NameApproved
		n.NewName, n.NewNameStatus = "", ""
		if n.Username != "" && n.UsernameStatus == UsernameReserved {
			n.UsernameStatus = UsernameApproved
			s.owe(s.notice(n.WABA, FieldUsername, usernameValue{Display: digitsOf(n), Username: n.Username, Status: string(UsernameApproved)}))
		}
	}
}

// Deregister disconnects a number; the PIN stays. Errors, in this order: [ErrUnknown], [wa.ErrNumberDeleted],
// [wa.ErrDeregisterCoexistence], [wa.ErrRegisterRate], [wa.ErrNotRegistered]. Source: spec/phone_numbers.md section 4.5.
func (s *Service) Deregister(ctx context.Context, id wa.PhoneNumberID) (*Number, error) {
	return s.attempt(ctx, id, func(n *Number, now time.Time) error {
		switch {
		case !n.Live():
			return refuse(wa.ErrNumberDeleted)
		case n.OnBizApp:
			return refuse(wa.ErrDeregisterCoexistence)
		}
		if err := count(&n.Calls.Deregister, &n.Calls.DeregisterBlock, now); err != nil {
			return err
		}
		if !n.Registered {
			return wa.ErrNotRegistered
		}
		n.Registered, n.Region = false, "" // local storage ends
		n.leaveStorage(false, now)         // and that nothing is kept
		n.Status = NumberDisconnected
		n.Platform = NotApplicable
		return nil
	})
}

// SetPIN sets or replaces the two-step PIN without asking for the old one (spec/phone_numbers.md section 8). Errors:
// [ErrUnknown], [wa.ErrPINFormat].
func (s *Service) SetPIN(ctx context.Context, id wa.PhoneNumberID, pin string) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error { return s.setPIN(n, pin) })
}

// setPIN needs mu.
func (s *Service) setPIN(n *Number, pin string) (err error) {
	if !ValidPIN(pin) {
		return wa.ErrPINFormat
	}
	if n.PIN.Enabled() {
		s.owe(s.notice(n.WABA, FieldSecurity, securityValue{Display: digitsOf(n), Event: "PIN_CHANGED"}))
	}
	n.PIN, err = newPIN(s.rand, pin)
	return err
}

// DisablePIN turns two-step verification off: what the owner confirms by mail on the real service. Errors: [ErrUnknown].
func (s *Service) DisablePIN(ctx context.Context, id wa.PhoneNumberID) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		n.PIN = PIN{}
		s.owe(s.notice(n.WABA, FieldSecurity, securityValue{Display: digitsOf(n), Event: "PIN_REQUEST_SUCCESS"}))
		return nil
	})
}

// refusal marks an error that leaves no trace: the attempt does not count.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func refuse(err error) error { return refusal{err} }

// attempt is UpdateNumber for calls that are counted: what try changed is stored even when it fails, unless it refuses.
func (s *Service) attempt(ctx context.Context, id wa.PhoneNumberID, try func(*Number, time.Time) error) (*Number, error) {
	s.lock()
	defer s.mu.Unlock()
	old, ok := s.snap.Load().numbers[id]
	if !ok {
		return nil, fmt.Errorf("registration of number %s: %w", id, ErrUnknown)
	}
	n := old.copy()
	failed := try(n, s.clock.Now())
	if r := (refusal{}); errors.As(failed, &r) {
		return nil, r.error
	}
	if err := s.commit(ctx, &Set{Numbers: []*Number{n}}); err != nil {
		return nil, fmt.Errorf("registration of number %s: %w", id, err)
	}
	if failed != nil {
		return nil, failed
	}
	return n, nil
}

// count takes one call off the budget. The eleventh call within the window starts the block; calls during the block are
// refused and do not prolong it.
func count(calls *[]time.Time, block *time.Time, now time.Time) error {
	if now.Before(*block) {
		return refuse(wa.ErrRegisterRate.Retry(block.Sub(now).Seconds()))
	}
	var recent []time.Time
	for _, t := range *calls {
		if now.Sub(t) < registrationWindow {
			recent = append(recent, t)
		}
	}
	if len(recent) >= maxRegistrations {
		*calls, *block = nil, now.Add(registrationWindow)
		return wa.ErrRegisterRate.Retry(registrationWindow.Seconds())
	}
	*calls = append(recent, now)
	return nil
}
