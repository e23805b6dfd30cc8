package business

import (
	"context"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Rejection is rejection_reason of a display name. Source: spec/webhooks.md section 39.
type Rejection string

// Rejections are the published reasons.
var Rejections = []Rejection{
	"NAME_EMPLOYEE_ISSUE", "NAME_ENDCLIENT_NOTRELATED", "NAME_FORMAT_UNACCEPTABLE", "NAME_INDIVIDUAL_ISSUE", "NAME_NOT_CONSISTENT", "UNKNOWN",
}

// startNameReview sets the state of a name that was just given. Names that claim what only a review can grant wait for it;
// so do the names of numbers that the platform supplies.
func (s *Service) startNameReview(n *Number, now time.Time) {
	n.NameStatus = NameAvailableWithout
	if n.PlatformSupplied || claims(n.VerifiedName) {
		n.NameStatus = NamePending
	}
	n.NameReview = s.reviewAt(now)
}

// claims reports whether a name says something that the guidelines leave to a review, or never allow.
func claims(name string) bool {
	for word := range strings.FieldsSeq(strings.ToLower(name)) {
		if word == "official" || word == "verified" || word == "whatsapp" {
			return true
		}
	}
	return false
}

// reviewAt is when a review that starts now is decided; zero when people decide.
func (s *Service) reviewAt(now time.Time) time.Time {
	if s.manual {
		return time.Time{}
	}
	return now.Add(s.review)
}

// RequestName asks for another display name. The one in force stays until the new one is approved and the number registered
// again. Errors: [ErrUnknown], [wa.ErrNumberDeleted], rows of code 100 for the name and for test
// numbers, whose name is fixed. Source: spec/phone_numbers.md section 6, spec/business.md section 8.1.
func (s *Service) RequestName(ctx context.Context, id wa.PhoneNumberID, name string) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error { return s.requestName(n, name) })
}

// requestName needs mu.
func (s *Service) requestName(n *Number, name string) error {
	name = strings.TrimSpace(name)
	if err := CheckName("new_display_name", name); err != nil {
		return err
	}
	switch {
	case !n.Live():
		return wa.ErrNumberDeleted
	case n.Mode == Sandbox:
		return wa.ErrManagementParameter.User("Display name can't be changed", "The display name of a test number is fixed.")
	}
	n.NewName, n.NewNameStatus = name, NamePending
	n.NameReview = s.reviewAt(s.clock.Now())
	s.owe(s.notice(n.WABA, FieldName, nameValue{Display: digitsOf(n), Decision: "PENDING", Requested: name}))
	return nil
}

// DecideName ends the review of the number's pending name, else of the name in force. An empty reason approves. Errors:
// [ErrUnknown], [wa.ErrValue] when nothing is under review.
func (s *Service) DecideName(ctx context.Context, id wa.PhoneNumberID, reason Rejection) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		if n.NewNameStatus != NamePending && n.NameStatus != NamePending && n.NameStatus != NameAvailableWithout {
			return wa.ErrValue.With("No display name of this phone number is under review.")
		}
		s.decideName(n, reason)
		return nil
	})
}

// automatic is what the automatic review thinks of a name.
func automatic(name string) Rejection {
	if claims(name) {
		return "NAME_FORMAT_UNACCEPTABLE"
	}
	return ""
}

// decideName changes n, and owes the webhook. The caller holds mu.
func (s *Service) decideName(n *Number, reason Rejection) {
	status, v := NameApproved, nameValue{Display: digitsOf(n), Decision: "APPROVED", Requested: n.VerifiedName}
	if reason != "" {
		status, v.Decision = NameDeclined, "REJECTED"
		text := string(reason)
		v.Reason = &text
	}
	n.NameReview = time.Time{}
	if n.NewNameStatus == NamePending {
		v.Requested, n.NewNameStatus = n.NewName, status
	} else {
		n.NameStatus = status
	}
	s.owe(s.notice(n.WABA, FieldName, v))
}

// due lets everything happen whose time has come, and says how long until the next; 0 when nothing waits.
func (s *Service) due(ctx context.Context) (time.Duration, error) {
	s.lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	var set Set
	var next time.Time
	soonest := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	snap := s.snap.Load()
	for _, n := range snap.numbers {
		switch {
		case n.NameReview.IsZero() || !n.Live():
		case now.Before(n.NameReview):
			soonest(n.NameReview)
		default:
			c := n.copy()
			name := c.VerifiedName
			if c.NewNameStatus == NamePending {
				name = c.NewName
			}
			s.decideName(c, automatic(name))
			set.Numbers = append(set.Numbers, c)
		}
	}
	for _, w := range snap.wabas {
		switch {
		case w.ReviewAt.IsZero() || w.Status == WABADeleted:
		case now.Before(w.ReviewAt):
			soonest(w.ReviewAt)
		default:
			c := *w
			s.decideReview(&c, ReviewApproved)
			set.WABAs = append(set.WABAs, &c)
		}
	}
	for _, b := range snap.budgets {
		if b.spent(now) {
			set.Budgets = append(set.Budgets, &Budget{WaID: b.WaID, Gone: true})
		}
	}
	snap.forget(&set, now)
	if len(set.Numbers)+len(set.WABAs)+len(set.Budgets)+len(set.Solutions)+len(set.Intents)+len(set.Certifications) > 0 {
		if err := s.commit(ctx, &set); err != nil {
			return 0, err
		}
	}
	if next.IsZero() {
		return 0, nil
	}
	return next.Sub(now), nil
}
