package business

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Sanction is what enforcement takes from an account or from one number. Which step of the ladder takes what is not decided
// here. Source: spec/quality.md section 5.
type Sanction struct {
	Step      int    // on the ladder of enforcement; 0 is a warning, which takes nothing
	Violation string // violation_type of the webhook; empty for none
	Templates bool   // templates fail with 131048
	Messages  bool   // every message is refused with 131031
	Numbers   bool   // no numbers are added to the account: 368
	Writes    bool   // nothing of the account is changed: 368
	Final     bool   // the account is disabled, the number is banned
	From      time.Time
	Until     time.Time // zero: until it is lifted
	Appeal    Appeal
}

// Appeal is how far the appeal against a sanction is; empty when there was none.
type Appeal string

// The states of an appeal. One that is granted lifts the sanction.
const (
	AppealPending  Appeal = "PENDING"
	AppealRejected Appeal = "REJECTED"
)

// InForce reports whether the sanction takes anything at now; that of nil does not.
func (x *Sanction) InForce(now time.Time) bool {
	return x != nil && (x.Templates || x.Messages || x.Numbers || x.Writes) && (x.Until.IsZero() || now.Before(x.Until))
}

// Bars returns the row that a message fails with at now, nil when it may go. Errors: [wa.ErrLocked] for every message,
// [wa.ErrSpam] for templates.
func (x *Sanction) Bars(template bool, now time.Time) *wa.Error {
	switch {
	case !x.InForce(now):
		return nil
	case x.Messages:
		return wa.ErrLocked
	case x.Templates && template:
		return wa.ErrSpam
	}
	return nil
}

// Writable says whether the account may be changed at now. Errors: [wa.ErrLocked], [wa.ErrPolicy].
func (w *WABA) Writable(now time.Time) error {
	switch {
	case w.Locked:
		return wa.ErrLocked
	case w.Restricted, w.Status != WABAActive, w.Sanction.InForce(now) && w.Sanction.Writes:
		return wa.ErrPolicy
	}
	return nil
}

// State is status of the number at now: RESTRICTED when only replies are possible, because of a sanction or because the
// portfolio's messaging limit is used up. Source: spec/quality.md section 2, spec/limits.md section 3.4.
func (n *Number) State(w *WABA, now time.Time, full bool) NumberStatus {
	full = full && n.Mode != Sandbox
	if n.Status == NumberConnected && (full || n.Sanction.Bars(true, now) != nil || w.Sanction.Bars(true, now) != nil) {
		return NumberRestricted
	}
	return n.Status
}

type violationInfo struct {
	Type string `json:"violation_type"`
}

type restrictionInfo struct {
	Type       string `json:"restriction_type"`
	Expiration int64  `json:"expiration,omitempty"` // absent: until it is lifted
}

// restrictions are those of the webhook. Source: spec/webhooks.md section 32.
func (x *Sanction) restrictions(until time.Time) (list []restrictionInfo) {
	end := int64(0)
	if !until.IsZero() {
		end = until.Unix()
	}
	for _, r := range []struct {
		on   bool
		name string
	}{
		{x.Numbers, "RESTRICTED_ADD_PHONE_NUMBER_ACTION"},
		{x.Templates || x.Messages, "RESTRICTED_BIZ_INITIATED_MESSAGING"},
		{x.Messages, "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"},
	} {
		if r.on {
			list = append(list, restrictionInfo{r.name, end})
		}
	}
	return list
}

// SetSanction puts an account under a sanction and owes the webhooks: of the violation, of what is taken, of the end of the
// account. Errors: [ErrUnknown].
func (s *Service) SetSanction(ctx context.Context, id wa.WABAID, x Sanction) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		x.From = s.clock.Now()
		w.Sanction = &x
		if x.Violation != "" {
			s.owe(s.notice(id, FieldAccount, accountValue{Event: "ACCOUNT_VIOLATION", Violation: &violationInfo{x.Violation}}))
		}
		switch list := x.restrictions(x.Until); {
		case x.Final:
			w.Status = WABADisabled
			s.owe(s.notice(id, FieldAccount, accountValue{Event: "DISABLED_UPDATE", Ban: &banInfo{State: "DISABLE", Date: s.banDate()}}))
		case len(list) > 0:
			s.owe(s.notice(id, FieldAccount, accountValue{Event: "ACCOUNT_RESTRICTION", Restrictions: list}))
		}
		s.record(&Activity{WABA: id, Type: ActUpdated, Text: "Enforcement against the account"})
		return nil
	})
}

// LiftSanction ends the sanction of an account; it is no error when there is none. What is lifted before its time is told as a
// restriction that expires now (ours: the real service documents no event for it). Errors: [ErrUnknown].
func (s *Service) LiftSanction(ctx context.Context, id wa.WABAID) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		s.lift(w)
		return nil
	})
}

// lift needs mu; w is the copy that is written.
func (s *Service) lift(w *WABA) {
	x, now := w.Sanction, s.clock.Now()
	w.Sanction = nil
	if x == nil {
		return
	}
	switch list := x.restrictions(now); {
	case x.Final:
		w.Status = WABAActive
		s.owe(s.notice(w.ID, FieldAccount, accountValue{Event: "DISABLED_UPDATE", Ban: &banInfo{State: "REINSTATE", Date: s.banDate()}}))
	case x.InForce(now) && len(list) > 0:
		s.owe(s.notice(w.ID, FieldAccount, accountValue{Event: "ACCOUNT_RESTRICTION", Restrictions: list}))
	}
	s.record(&Activity{WABA: w.ID, Type: ActUpdated, Text: "Enforcement against the account lifted"})
}

// Appeal asks for another look at the sanction of an account: once. Errors: [ErrUnknown], [wa.ErrValue] when nothing is in
// force, or the appeal was rejected.
func (s *Service) Appeal(ctx context.Context, id wa.WABAID) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		switch x := w.Sanction; {
		case !x.InForce(s.clock.Now()):
			return wa.ErrValue.User("", "Nothing is in force against the account.")
		case x.Appeal == AppealRejected:
			return wa.ErrValue.User("", "The appeal was rejected.")
		}
		return w.appeal(AppealPending)
	})
}

// DecideAppeal ends an appeal: the sanction is lifted, or stays. Errors: [ErrUnknown], [wa.ErrValue] without an appeal.
func (s *Service) DecideAppeal(ctx context.Context, id wa.WABAID, granted bool) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		if w.Sanction == nil || w.Sanction.Appeal != AppealPending {
			return wa.ErrValue.User("", "There is no appeal to decide.")
		}
		if granted {
			s.lift(w)
			return nil
		}
		return w.appeal(AppealRejected)
	})
}

func (w *WABA) appeal(a Appeal) error {
	x := *w.Sanction
	x.Appeal = a
	w.Sanction = &x
	return nil
}

// SanctionNumber puts one number under a sanction, or lifts it with nil. The violation is told to the account: no event of the
// real service names a number. Errors: [ErrUnknown].
func (s *Service) SanctionNumber(ctx context.Context, id wa.PhoneNumberID, x *Sanction) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		if x == nil {
			if n.Sanction != nil && n.Sanction.Final && n.Status == NumberBanned {
				n.Status = NumberConnected
			}
			n.Sanction = nil
			return nil
		}
		c := *x
		c.From = s.clock.Now()
		if n.Sanction = &c; c.Final && n.Status == NumberConnected {
			n.Status = NumberBanned
		}
		if c.Violation != "" {
			s.owe(s.notice(n.WABA, FieldAccount, accountValue{Event: "ACCOUNT_VIOLATION", Violation: &violationInfo{c.Violation}}))
		}
		s.record(&Activity{WABA: n.WABA, Type: ActUpdated, Object: string(n.ID), Text: "Enforcement against the phone number"})
		return nil
	})
}

// Alert tells the accounts of a portfolio something about the portfolio itself. Errors: [ErrUnknown]. Source: spec/webhooks.md
// section 30.
func (s *Service) Alert(ctx context.Context, id wa.BusinessID, severity, kind, text string) error {
	_, err := s.UpdatePortfolio(ctx, id, func(p *Portfolio) error {
		for _, w := range s.WABAs(id) {
			s.owe(s.notice(w.ID, FieldAlerts, alertValue{
				EntityType: "BUSINESS", EntityID: string(id),
				Info: alertInfo{Severity: severity, Status: "ACTIVE", Type: kind, Description: text},
			}))
		}
		return nil
	})
	return err
}

// VolumeTier is volume_tier_info of account_update. Source: spec/webhooks.md section 32.
type VolumeTier struct {
	At       int64  `json:"tier_update_time"` // Unix seconds
	Category string `json:"pricing_category"`
	Tier     string `json:"tier"`            // "25000001:50000000"
	Month    string `json:"effective_month"` // "2026-07"
	Region   string `json:"region"`
}

// TellTier tells an account that its portfolio has reached a volume tier. Errors: [ErrUnknown].
func (s *Service) TellTier(ctx context.Context, id wa.WABAID, t VolumeTier) error {
	_, err := s.UpdateWABA(ctx, id, func(*WABA) error {
		s.owe(s.notice(id, FieldAccount, accountValue{Event: "VOLUME_BASED_PRICING_TIER_UPDATE", Volume: &t}))
		return nil
	})
	return err
}

// banDate is waba_ban_date.
func (s *Service) banDate() string { return s.clock.Now().UTC().Format("January 2, 2006") }
