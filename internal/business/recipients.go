package business

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// PendingRecipient is a person who was asked to confirm with a code that a test number may write to them.
type PendingRecipient struct {
	User      wa.WaID
	Ownership Ownership
}

// Teller brings the code of a recipient-to-be to the devices that the person has, in a message of the test number. It needs no
// driver, and none takes its place: what is to be confirmed is that the person reads these messages.
type Teller interface {
	// TellCode returns when the message is accepted.
	TellCode(ctx context.Context, from *Number, to wa.WaID, code string) error
}

// RequestRecipient sends a code to a person whom a test number shall write to, in a message on the person's own devices. Errors:
// [ErrUnknown], code 100 for other numbers and when the five places are taken, [ErrNoCourier] without a [Teller],
// [wa.ErrRequestCodeLater] as [Service.RequestCode]. Source: spec/business.md section 8.2.
func (s *Service) RequestRecipient(ctx context.Context, id wa.PhoneNumberID, user wa.WaID) error {
	var code string
	n, err := s.attempt(ctx, id, func(n *Number, now time.Time) (err error) {
		if err := n.placeFor(user); err != nil {
			return refuse(err)
		}
		if s.teller == nil {
			return refuse(ErrNoCourier)
		}
		p := PendingRecipient{User: user}
		at := slices.IndexFunc(n.Pending, func(p PendingRecipient) bool { return p.User == user })
		if at >= 0 {
			p = n.Pending[at]
		}
		if err := s.budget(user).take(now); err != nil {
			return err
		}
		if code, err = s.drawCode(user); err != nil {
			return refuse(err)
		}
		salt := make([]byte, codeSaltBytes)
		if _, err := io.ReadFull(s.rand, salt); err != nil {
			return refuse(fmt.Errorf("draw a salt: %w", err))
		}
		p.Ownership.Salt, p.Ownership.Hash = salt, hashCode(salt, code)
		p.Ownership.Expires, p.Ownership.Wrong = now.Add(codeLife), 0
		n.Pending = slices.Clone(n.Pending)
		if at >= 0 {
			n.Pending[at] = p
			return nil
		}
		n.Pending = append(n.Pending[max(0, len(n.Pending)-MaxRecipients+1):], p) // who never answers makes place
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.teller.TellCode(ctx, n, user, code); err != nil {
		return wa.ErrServerUnavailable.With("The code could not be sent. Try again later.").Because(err)
	}
	return nil
}

// ConfirmRecipient takes the code the person was sent and puts them on the list, where they stay. Errors: as
// [Service.RequestRecipient], and [wa.ErrVerifyCode].
func (s *Service) ConfirmRecipient(ctx context.Context, id wa.PhoneNumberID, user wa.WaID, code string) (*Number, error) {
	return s.attempt(ctx, id, func(n *Number, now time.Time) error {
		if err := n.placeFor(user); err != nil {
			return refuse(err)
		}
		at := slices.IndexFunc(n.Pending, func(p PendingRecipient) bool { return p.User == user })
		if at < 0 {
			return refuse(wa.ErrVerifyCode)
		}
		n.Pending = slices.Clone(n.Pending)
		if err := n.Pending[at].Ownership.guess(code, s.budget(user), now); err != nil {
			return err
		}
		n.Pending = slices.Delete(n.Pending, at, at+1)
		n.Allowed = append(slices.Clone(n.Allowed), Recipient{User: user, Added: now})
		return nil
	})
}

// placeFor refuses who cannot be put on the list.
func (n *Number) placeFor(user wa.WaID) error {
	switch {
	case n.Mode != Sandbox || !n.Live():
		return wa.ErrInvalidParameter.Titled("Only test numbers have a list of recipients.")
	case slices.ContainsFunc(n.Allowed, func(r Recipient) bool { return r.User == user }):
		return wa.ErrInvalidParameter.Titled("The recipient is on the list already.")
	case len(n.Allowed) >= MaxRecipients:
		return wa.ErrInvalidParameter.Titled("A test number has at most %d recipients, and they stay on the list.", MaxRecipients)
	}
	return nil
}
