package business

import (
	"context"
	"errors"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// NumberChange is what an owner changes of a number in one call; nil parts stay as they are.
type NumberChange struct {
	Name     *string // asks for a display name, see [Service.RequestName]
	Username *string // see [Service.SetUsername]
	PIN      *string // see [Service.SetPIN]
	Hidden   *bool   // from the search of devices
}

// ChangeNumber does all of a change or nothing. Errors: [ErrUnknown], and those of the parts. Source: spec/phone_numbers.md
// section 5.
func (s *Service) ChangeNumber(ctx context.Context, id wa.PhoneNumberID, c NumberChange) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error { return s.alter(n, &c) })
}

// errRehearsed ends a write that was only tried.
var errRehearsed = errors.New("this was a rehearsal")

// CheckChange says whether ChangeNumber would do it now, for callers who have to ask others before.
func (s *Service) CheckChange(ctx context.Context, id wa.PhoneNumberID, c NumberChange) error {
	_, err := s.UpdateNumber(ctx, id, func(n *Number) error {
		if err := s.alter(n, &c); err != nil {
			return err
		}
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		return nil
	}
	return err
}

// alter needs mu.
func (s *Service) alter(n *Number, c *NumberChange) error {
	if c.Username != nil {
		if !ValidUsername(*c.Username) {
			return wa.ErrUsernameFormat
		}
		if err := s.setUsername(n, *c.Username, false); err != nil {
			return err
		}
	}
	if c.Name != nil {
		if err := s.requestName(n, *c.Name); err != nil {
			return err
		}
	}
	if c.PIN != nil {
		if err := s.setPIN(n, *c.PIN); err != nil {
			return err
		}
	}
	if c.Hidden != nil {
		n.SearchHidden = *c.Hidden
	}
	return nil
}
