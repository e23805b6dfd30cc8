package business

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Slots of a portfolio. Source: spec/business.md section 1, spec/limits.md section 7.
const (
	MaxWABAs         = 20
	numbersAtFirst   = 2
	numbersGrown     = 20
	maxPlatformGiven = 2 // 555 numbers
	// MaxPartners an account is shared with.
	MaxPartners = 2
)

// reAddWait is how long digits rest after their number was deleted. Source: spec/phone_numbers.md section 4.8.
const reAddWait = 5 * time.Minute

// MaxNumbers is how many numbers a portfolio may have: two, and twenty once the business is verified or its messaging limit
// is 2,000 or more. Source: spec/business.md section 1.
func (p *Portfolio) MaxNumbers() int {
	if p.Verification == Verified || tierRank(p.MessagingLimit) >= tierRank(Tier2K) {
		return numbersGrown
	}
	return numbersAtFirst
}

// Tiers are the messaging limits, rising.
var Tiers = []Tier{Untiered, Tier50, Tier250, Tier2K, Tier10K, Tier100K, TierUnlimited}

// tierRank orders messaging limits.
func tierRank(t Tier) int {
	for i, x := range Tiers {
		if x == t {
			return i
		}
	}
	return 0
}

// NewNumber is what POST /{waba-id}/phone_numbers asks for. Source: spec/phone_numbers.md section 4.1.
type NewNumber struct {
	WABA        wa.WABAID
	WaID        wa.WaID // international digits
	Name        string  // display name; not looked at when migrating
	Migrate     bool    // take the number over from another account
	Preverified string  // id of a pre-verified number to claim; then WaID is not needed
	Subscribed  bool    // some app is subscribed to the account: asked for by a migration
}

// AddNumber adds a number to an account: pending, until its owner proves ownership and registers it. Errors, in this order:
// [ErrUnknown], [wa.ErrPolicy] and [wa.ErrLocked] for accounts that may not, [wa.ErrNumberExists], [wa.ErrMigration] for migrations
// that cannot be, [wa.ErrCertificateCreate] when somebody else uses the number, [wa.ErrRegisterWait] within five minutes of its
// deletion, [wa.ErrParamType] for the name, [wa.ErrNumberLimit]. Source: spec/phone_numbers.md sections 4.1, 4.6 and 22.
func (s *Service) AddNumber(ctx context.Context, nn NewNumber) (*Number, error) {
	s.lock()
	defer s.mu.Unlock()
	w, ok := s.snap.Load().wabas[nn.WABA]
	if !ok || w.Status == WABADeleted {
		return nil, fmt.Errorf("add number to account %s: %w", nn.WABA, ErrUnknown)
	}
	if err := w.Writable(s.clock.Now()); err != nil {
		return nil, err
	}
	if w.Sanction.InForce(s.clock.Now()) && w.Sanction.Numbers {
		return nil, wa.ErrPolicy
	}
	n := Number{WABA: w.ID, Business: w.Owner, WaID: nn.WaID, VerifiedName: strings.TrimSpace(nn.Name)}
	var set Set
	if nn.Preverified != "" {
		pv, err := s.claim(nn.Preverified, w)
		if err != nil {
			return nil, err
		}
		n.WaID, n.Preverified = pv.WaID, true
		n.CodeVerification, n.CodeVerifiedAt = CodeVerified, pv.VerifiedAt
		used := *pv
		used.Claimed = true
		set.Preverified = []*Preverified{&used}
	}
	now := s.clock.Now()
	if nn.Migrate {
		n.VerifiedName, n.NameStatus = "", ""
		if err := s.migrateInto(&n, w, nn.Subscribed, now); err != nil {
			return nil, err
		}
	} else if err := s.admit(ctx, &n, now); err != nil {
		return nil, err
	}
	if err := s.slot(w.Owner, nn.Migrate); err != nil {
		return nil, err
	}
	if err := s.fillNumber(&n); err != nil {
		return nil, err
	}
	if !nn.Migrate {
		s.startNameReview(&n, now)
	}
	s.record(&Activity{WABA: w.ID, Type: ActNumberAdded, Object: string(n.ID), Text: "Phone number added"})
	set.Numbers = []*Number{&n}
	if err := s.commit(ctx, &set); err != nil {
		return nil, fmt.Errorf("add number: %w", err)
	}
	return &n, nil
}

// admit refuses numbers that cannot be added as they are.
func (s *Service) admit(ctx context.Context, n *Number, now time.Time) error {
	snap := s.snap.Load()
	if old, ok := snap.byWaID[n.WaID]; ok {
		if old.WABA == n.WABA {
			return wa.ErrNumberExists
		}
		return wa.ErrCertificateCreate.FillMsg("The phone number is registered with another WhatsApp Business Account. Migrate it, or remove it there.")
	}
	for _, old := range snap.numbers {
		if old.WaID == n.WaID && old.Status == NumberDeleted && now.Before(old.Deleted.Add(reAddWait)) {
			return wa.ErrRegisterWait.Retry(old.Deleted.Add(reAddWait).Sub(now).Seconds())
		}
	}
	if s.people != nil {
		used, err := s.people(ctx, n.WaID)
		if err != nil {
			return fmt.Errorf("look for a person with the digits of the number: %w", err)
		}
		if used {
			return wa.ErrCertificateCreate.FillMsg("The phone number is used by a person. Its account there must be deleted first.")
		}
	}
	if err := CheckName("verified_name", n.VerifiedName); err != nil {
		return err
	}
	n.PlatformSupplied = strings.HasPrefix(string(n.WaID), "1555") && len(n.WaID) == 11
	if n.PlatformSupplied {
		n.CodeVerification, n.CodeVerifiedAt = CodeVerified, now
		given := 0
		for _, o := range snap.numbers {
			if o.Business == n.Business && o.PlatformSupplied && o.Live() && o.Mode != Sandbox {
				given++
			}
		}
		if given >= maxPlatformGiven {
			return wa.ErrNumberLimit.User("Limit Exceeded", "A business has at most two 555 numbers.")
		}
	}
	return nil
}

// slot refuses a number too many. Test numbers take no slot. A number that moves inside the portfolio leaves its old one.
func (s *Service) slot(owner wa.BusinessID, moves bool) error {
	snap := s.snap.Load()
	p, used := snap.portfolios[owner], 0
	for _, n := range snap.numbers {
		if n.Business == owner && n.Live() && n.Mode != Sandbox {
			used++
		}
	}
	if moves || p == nil || used < p.MaxNumbers() {
		return nil
	}
	return wa.ErrNumberLimit
}

// CheckName asks of a parameter for 3 to 128 characters with a letter or digit among them. Source: spec/phone_numbers.md section 6.
func CheckName(param, name string) error {
	const least, most = 3, 128
	length := utf8.RuneCountInString(name)
	named := strings.ContainsFunc(name, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	if length < least || length > most || !named || strings.ContainsFunc(name, unicode.IsControl) {
		return wa.ErrInvalidParameter.Titled("Param %s must be a display name of %d to %d characters with at least one letter or digit.", param, least, most)
	}
	return nil
}

// migrateInto prepares n as the successor of a number in another account. The old number works on until the new one is
// registered. Source: spec/phone_numbers.md section 4.6.
func (s *Service) migrateInto(n *Number, w *WABA, subscribed bool, now time.Time) error {
	snap := s.snap.Load()
	refuse := func(why string) error { return wa.ErrMigration.FillMsg(why) }
	old, ok := snap.byWaID[n.WaID]
	if !ok {
		return refuse("The phone number is not registered with another WhatsApp Business Account. It can be added directly.")
	}
	for _, x := range snap.numbers {
		if x.WaID == n.WaID && x.WABA == w.ID && x.Live() {
			return wa.ErrNumberExists
		}
	}
	from := snap.wabas[old.WABA]
	source, target := snap.portfolios[old.Business], snap.portfolios[w.Owner]
	switch {
	case now.Before(old.MaintenanceUntil):
		return wa.ErrManagementMaintenance
	case !old.Registered, old.Mode == Sandbox, old.OnBizApp, old.PlatformSupplied:
		return refuse("The phone number must be registered, and neither a test number nor a 555 number nor used in the phone app.")
	case old.PIN.Enabled():
		return wa.ErrCertificateCreate.FillMsg("Two-step verification of the phone number must be turned off first.")
	case old.NameStatus != NameApproved, old.NewName != "":
		return refuse("The registered display name should be present and approved.")
	case source == nil || target == nil || from == nil || (old.Business != w.Owner && source.Name != target.Name):
		return refuse("Both WhatsApp Business Accounts must represent the same business.")
	case from.Review != ReviewApproved, w.Review != ReviewApproved:
		return refuse("Both WhatsApp Business Accounts must be approved.")
	case target.Verification != Verified:
		return refuse("The business must be verified.")
	case w.FundingID == "":
		return refuse("The destination has no payment method.")
	case !subscribed:
		return refuse("No app is subscribed to the webhooks of the destination.")
	}
	n.MigratesFrom = old.ID
	n.VerifiedName, n.NameStatus = old.VerifiedName, old.NameStatus
	n.Quality, n.QualityAt, n.Official, n.OfficialRequest = old.Quality, old.QualityAt, old.Official, old.OfficialRequest
	n.Level, n.MPS, n.IdentityCheck = old.Level, old.MPS, old.IdentityCheck
	n.Profile, n.Commerce, n.Automation = old.Profile, old.Commerce, old.Automation
	return nil
}
