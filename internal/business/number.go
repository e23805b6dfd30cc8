package business

import (
	"context"
	"strconv"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Limit is the number's throughput in messages per second, inbound and outbound together: 20 for numbers that are also
// used in the phone app, else what the operator set, else that of the level. A number that is away for an upgrade has that of
// the next level already: nobody sends meanwhile, and users' messages that waited come in before the level says so.
// Source: spec/limits.md section 2.
func (n *Number) Limit() int {
	switch {
	case n.OnBizApp:
		return CoexistenceMPS
	case n.MPS > 0:
		return n.MPS
	case n.Level == High, n.Upgrade == High:
		return HighMPS
	}
	return StandardMPS
}

// Live reports whether the number still belongs to its account: it was neither deleted nor moved away.
func (n *Number) Live() bool { return n.Status != NumberDeleted && n.Status != NumberMigrated }

// Ready says whether the number may send at now, and if not, why: gate 7 of spec/errors.md section 2. w is the account
// that owns the number. Errors: [wa.ErrNumberDeleted], [wa.ErrNotRegistered], [wa.ErrCertificate], [wa.ErrMaintenance], [wa.ErrLocked],
// [wa.ErrPolicy], [wa.ErrDisplayName].
func (n *Number) Ready(w *WABA, now time.Time) error {
	switch {
	case n.Status == NumberDeleted:
		return wa.ErrNumberDeleted
	case !n.Registered, !n.Live():
		return wa.ErrNotRegistered
	case n.Stale:
		return wa.ErrCertificate
	case now.Before(n.MaintenanceUntil):
		return wa.ErrMaintenance.Retry(n.MaintenanceUntil.Sub(now).Seconds())
	case n.Status == NumberBanned, w.Locked, n.Sanction.Bars(false, now) != nil, w.Sanction.Bars(false, now) != nil:
		return wa.ErrLocked
	case w.Restricted, w.Status != WABAActive:
		return wa.ErrPolicy
	case n.PlatformSupplied && n.Mode != Sandbox && n.NameStatus != NameApproved:
		return wa.ErrDisplayName
	}
	return nil
}

// CallingCode is the country calling code as a number, 0 when there is none.
func (n *Number) CallingCode() int {
	code, err := strconv.Atoi(n.DialCode)
	if err != nil {
		return 0
	}
	return code
}

// Allows reports whether the number may write to user: test numbers only to their listed recipients, unless the list is
// switched off; all others to everybody. Source: spec/business.md section 8.1.
func (n *Number) Allows(user wa.WaID) bool {
	if n.Mode != Sandbox || n.AllowAll {
		return true
	}
	for i := range n.Allowed {
		if n.Allowed[i].User == user {
			return true
		}
	}
	return false
}

// copy makes a number that can be changed without anyone noticing. Slices are replaced, never changed in place.
func (n *Number) copy() *Number {
	c := *n
	return &c
}

// SetQuality gives a number another quality rating, which the history of its account tells. Source: spec/quality.md section 7.4.
// Errors: [ErrUnknown].
func (s *Service) SetQuality(ctx context.Context, id wa.PhoneNumberID, q Quality) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		n.Quality, n.QualityAt = q, s.clock.Now()
		s.record(&Activity{WABA: n.WABA, Type: ActUpdated, Object: string(n.ID), Text: "Quality rating of the phone number: " + string(q)})
		return nil
	})
}
