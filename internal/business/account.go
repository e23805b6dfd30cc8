package business

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/currency"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// NewWABA is what a new account is made of. Source: spec/business.md section 4.3.
type NewWABA struct {
	Owner                               wa.BusinessID
	Name, Currency, TimezoneID, Country string
	Shared                              []Share
}

// maxAccountName is ours, in characters.
const maxAccountName = 128

// AddWABA creates an account that waits for its review. Errors: [ErrUnknown], rows of code 100, [wa.ErrManagementParameter] when the
// portfolio has its twenty.
func (s *Service) AddWABA(ctx context.Context, nw NewWABA) (*WABA, error) {
	s.lock()
	defer s.mu.Unlock()
	snap := s.snap.Load()
	if _, ok := snap.portfolios[nw.Owner]; !ok {
		return nil, fmt.Errorf("add account to portfolio %s: %w", nw.Owner, ErrUnknown)
	}
	have := 0
	for _, w := range snap.wabas {
		if w.Owner == nw.Owner && w.Status != WABADeleted {
			have++
		}
	}
	if have >= MaxWABAs {
		return nil, tooManyWABAs()
	}
	w := &WABA{
		Owner: nw.Owner, Name: nw.Name, Currency: nw.Currency, TimezoneID: nw.TimezoneID, Country: nw.Country, Shared: nw.Shared,
		Review: ReviewPending, ReviewAt: s.reviewAt(s.clock.Now()),
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	if err := s.fillWABA(w); err != nil {
		return nil, err
	}
	s.record(&Activity{WABA: w.ID, Type: ActCreated, Text: "Account created"})
	s.owe(s.notice(w.ID, FieldCapability, capability(snap.portfolios[nw.Owner]))) // Source: spec/limits.md section 3.3
	s.shared(w, nil)
	if err := s.commit(ctx, &Set{WABAs: []*WABA{w}}); err != nil {
		return nil, fmt.Errorf("add account: %w", err)
	}
	return w, nil
}

// CheckCurrency refuses what is no currency in use. Error: a row of code 100.
func CheckCurrency(code string) error {
	if unit, err := currency.ParseISO(code); err != nil || unit.String() != code || unit == currency.XXX {
		return wa.ErrInvalidParameter.Titled("Param currency must be a currency code of ISO 4217.")
	}
	return nil
}

func tooManyWABAs() error {
	return wa.ErrManagementParameter.User("Limit reached", fmt.Sprintf("A business portfolio has at most %d WhatsApp Business Accounts.", MaxWABAs))
}

func (w *WABA) check() error {
	if n := utf8.RuneCountInString(strings.TrimSpace(w.Name)); n == 0 || n > maxAccountName {
		return wa.ErrInvalidParameter.Titled("Param name must have 1 to %d characters.", maxAccountName)
	}
	if err := CheckCurrency(w.Currency); err != nil {
		return err
	}
	if w.TimezoneID == "" || len(w.TimezoneID) > 4 || strings.Trim(w.TimezoneID, "0123456789") != "" {
		return wa.ErrInvalidParameter.Titled("Param timezone_id must be the number of a time zone.")
	}
	if w.Country != "" && (len(w.Country) != 2 || strings.Trim(w.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return wa.ErrInvalidParameter.Titled("Param country must be a country code of ISO 3166.")
	}
	if len(w.Shared) > MaxPartners {
		return wa.ErrInvalidParameter.Titled("A WhatsApp Business Account is shared with at most %d partners.", MaxPartners)
	}
	return nil
}

// WABAChange names what changes in an account; nil parts stay. Source: spec/business.md section 4.2.
type WABAChange struct {
	Name, TimezoneID, Currency                *string
	Insights, AutoArchival, MarketingDisabled *bool
}

// ChangeWABA changes an account. Errors: [ErrUnknown], rows of code 100, [wa.ErrInsightsPermanent] when insights would be turned
// off, code 100 for currency and time zone once a payment method is attached.
func (s *Service) ChangeWABA(ctx context.Context, id wa.WABAID, c WABAChange) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		if c.Insights != nil && !*c.Insights && w.Insights {
			return wa.ErrInsightsPermanent
		}
		fixed := func(v *string, have string) bool { return v != nil && *v != have && w.FundingID != "" }
		if fixed(c.Currency, w.Currency) || fixed(c.TimezoneID, w.TimezoneID) {
			return wa.ErrInvalidParameter.Titled("Currency and time zone of a WhatsApp Business Account cannot change once a payment method is attached.")
		}
		assign(&w.Name, c.Name)
		assign(&w.TimezoneID, c.TimezoneID)
		assign(&w.Currency, c.Currency)
		assign(&w.AutoArchival, c.AutoArchival)
		assign(&w.MarketingDisabled, c.MarketingDisabled)
		w.Insights = w.Insights || c.Insights != nil && *c.Insights
		if err := w.check(); err != nil {
			return err
		}
		s.record(&Activity{WABA: id, Type: ActUpdated, Text: "Account updated"})
		return nil
	})
}

func assign[T any](to, v *T) {
	if v != nil {
		*to = *v
	}
}

// decideReview changes w, and owes the webhook. The caller holds mu.
func (s *Service) decideReview(w *WABA, d Review) {
	w.Review, w.ReviewAt, w.Updated = d, time.Time{}, s.clock.Now()
	s.owe(s.notice(w.ID, FieldReview, reviewValue{d}))
}

// DecideReview ends the review of an account, or takes a decision back. Errors: [ErrUnknown].
func (s *Service) DecideReview(ctx context.Context, id wa.WABAID, d Review) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		s.decideReview(w, d)
		return nil
	})
}

// ShareWABA shares an account with a partner portfolio, or changes what the partner may do. Errors: [ErrUnknown], code 100 for a
// third partner and for the owner itself. Source: spec/business.md section 1.
func (s *Service) ShareWABA(ctx context.Context, id wa.WABAID, h Share) (*WABA, error) {
	if _, ok := s.Portfolio(h.Business); !ok {
		return nil, wa.ErrInvalidParameter.Titled("Param business must be the id of a business.")
	}
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		if h.Business == w.Owner {
			return wa.ErrInvalidParameter.Titled("A WhatsApp Business Account cannot be shared with its owner.")
		}
		before := slices.Clone(w.Shared)
		h.Since = s.clock.Now()
		if at := slices.IndexFunc(before, func(x Share) bool { return x.Business == h.Business }); at >= 0 {
			h.Since = before[at].Since // access was granted then, whatever it covers now
		}
		w.Shared = append(slices.DeleteFunc(w.Shared, func(x Share) bool { return x.Business == h.Business }), h)
		s.shared(w, before)
		return w.check()
	})
}

// UnshareWABA ends a share, and tells of the partner's apps that were installed for the account; it is no error when there is
// none. Errors: [ErrUnknown].
func (s *Service) UnshareWABA(ctx context.Context, id wa.WABAID, partner wa.BusinessID, apps ...wa.AppID) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		before := slices.Clone(w.Shared)
		w.Shared = slices.DeleteFunc(w.Shared, func(x Share) bool { return x.Business == partner })
		if len(w.Shared) < len(before) {
			for _, app := range apps {
				s.appEvent("PARTNER_APP_UNINSTALLED", w, app, partner)
			}
		}
		s.shared(w, before)
		return nil
	})
}

// shared records the partners that came and went, and owes their webhooks.
func (s *Service) shared(w *WABA, before []Share) {
	info := &wabaInfo{WABA: w.ID, Owner: w.Owner}
	has := func(list []Share, b wa.BusinessID) bool {
		return slices.ContainsFunc(list, func(h Share) bool { return h.Business == b })
	}
	for _, h := range w.Shared {
		if !has(before, h.Business) {
			s.record(&Activity{WABA: w.ID, Type: ActGranted, Object: string(h.Business), Text: "Shared with a partner"})
			n := s.notice(w.ID, FieldAccount, accountValue{Event: "PARTNER_ADDED", WABAInfo: s.joined(info, w, h.Business)})
			n.Entry = string(h.Business)
			s.owe(n)
		}
	}
	for _, h := range before {
		if !has(w.Shared, h.Business) {
			s.record(&Activity{WABA: w.ID, Type: ActRevoked, Object: string(h.Business), Text: "No longer shared with a partner"})
			n := s.notice(w.ID, FieldAccount, accountValue{Event: "PARTNER_REMOVED", WABAInfo: info})
			n.Entry = string(h.Business)
			s.owe(n)
		}
	}
}

// joined is info with the solution that a partner got the account by.
func (s *Service) joined(info *wabaInfo, w *WABA, partner wa.BusinessID) *wabaInfo {
	x := s.snap.Load().solutions[w.Solution]
	if x == nil || !x.holds(partner) {
		return info
	}
	c := *info
	c.Solution, c.Partners = x.ID, []wa.BusinessID{x.Owner.Business, x.Partner.Business}
	return &c
}

// ---- portfolio ----

// PortfolioChange names what changes in a portfolio; nil parts stay.
type PortfolioChange struct {
	Name, Vertical, TwoFactor *string
	TimezoneID                *int
}

// PortfolioVerticals are the industries of a portfolio; part of the list is unverified. Source: spec/business.md section 2.2.
var PortfolioVerticals = []string{
	"ADVERTISING", "AUTOMOTIVE", "CONSUMER_PACKAGED_GOODS", "ECOMMERCE", "EDUCATION", "ENERGY_AND_UTILITIES",
	"ENTERTAINMENT_AND_MEDIA", "FINANCIAL_SERVICES", "GAMING", "GOVERNMENT_AND_POLITICS", "HEALTH", "LUXURY", "MARKETING",
	"NON_PROFIT", "ORGANIZATIONS_AND_ASSOCIATIONS", "OTHER", "PROFESSIONAL_SERVICES", "RESTAURANT", "RETAIL", "TECHNOLOGY",
	"TELECOM", "TRAVEL",
}

// TwoFactorTypes are who must use two factors.
var TwoFactorTypes = []string{"none", "admin_required", "all_required"}

// CheckPortfolioName asks for 1 to 128 characters (ours).
func CheckPortfolioName(name string) error {
	if n := utf8.RuneCountInString(strings.TrimSpace(name)); n == 0 || n > maxAccountName {
		return wa.ErrInvalidParameter.Titled("Param name must have 1 to %d characters.", maxAccountName)
	}
	return nil
}

// ChangePortfolio changes a portfolio. Errors: [ErrUnknown], rows of code 100.
func (s *Service) ChangePortfolio(ctx context.Context, id wa.BusinessID, c PortfolioChange) (*Portfolio, error) {
	return s.UpdatePortfolio(ctx, id, func(p *Portfolio) error {
		assign(&p.Name, c.Name)
		assign(&p.Vertical, c.Vertical)
		assign(&p.TwoFactor, c.TwoFactor)
		assign(&p.TimezoneID, c.TimezoneID)
		return CheckPortfolioName(p.Name)
	})
}

// SetVerification decides over the verification of a business. A verified business starts at a messaging limit of 2,000, unless
// the operator gave it one in people.
// Errors: [ErrUnknown]. Source: spec/business.md sections 2.3 and 11.
func (s *Service) SetVerification(ctx context.Context, id wa.BusinessID, v Verification) (*Portfolio, error) {
	return s.setStanding(ctx, id, func(p *Portfolio) error {
		p.verify(v)
		return nil
	})
}

// verify is what a decision over its verification does to a portfolio.
func (p *Portfolio) verify(v Verification) {
	p.Verification = v
	if v == Verified && p.ReachLimit == 0 && tierRank(p.MessagingLimit) < tierRank(Tier2K) {
		p.MessagingLimit = Tier2K
	}
}

// SetMessagingLimit sets the messaging limit of a portfolio. Errors: [ErrUnknown].
func (s *Service) SetMessagingLimit(ctx context.Context, id wa.BusinessID, t Tier) (*Portfolio, error) {
	return s.setStanding(ctx, id, func(p *Portfolio) error {
		p.MessagingLimit = t
		return nil
	})
}

// RaiseMessagingLimit gives a portfolio the next messaging limit, which it earned, and notes when: both or neither. One that has
// another limit than from by now keeps it. Errors: [ErrUnknown].
func (s *Service) RaiseMessagingLimit(ctx context.Context, id wa.BusinessID, from, to Tier) (*Portfolio, error) {
	return s.setStanding(ctx, id, func(p *Portfolio) error {
		if p.MessagingLimit == from && p.ReachLimit == 0 {
			p.MessagingLimit, p.Raised = to, s.clock.Now()
		}
		return nil
	})
}

// setStanding changes what limits hang on. When they change, every account of the portfolio is owed a webhook, and the names
// of its numbers are reviewed when the limit rises.
func (s *Service) setStanding(ctx context.Context, id wa.BusinessID, change func(*Portfolio) error) (*Portfolio, error) {
	return s.UpdatePortfolio(ctx, id, func(p *Portfolio) error {
		limit, numbers := p.MessagingLimit, p.MaxNumbers()
		if err := change(p); err != nil {
			return err
		}
		if p.MessagingLimit == limit && p.MaxNumbers() == numbers {
			return nil
		}
		for _, w := range s.WABAs(id) {
			s.owe(s.notice(w.ID, FieldCapability, capability(p)))
		}
		if tierRank(p.MessagingLimit) <= tierRank(limit) {
			return nil
		}
		for _, n := range s.AllNumbers() {
			if n.Business == id && n.NameStatus == NameAvailableWithout && n.Mode != Sandbox && n.NameReview.IsZero() {
				c := n.copy()
				c.NameReview = s.reviewAt(s.clock.Now())
				s.draft.Numbers = append(s.draft.Numbers, c)
			}
		}
		return nil
	})
}

// Standing is what enforcement made of an account. Source: spec/business.md section 12.
type Standing string

// The standings an operator can give.
const (
	StandingGood     Standing = "ACTIVE"
	StandingLocked   Standing = "LOCKED"     // 131031
	StandingBlocked  Standing = "RESTRICTED" // 368
	StandingDisabled Standing = "DISABLED"   // banned
)

// SetStanding is the operator's enforcement. Errors: [ErrUnknown].
func (s *Service) SetStanding(ctx context.Context, id wa.WABAID, st Standing) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		if st == StandingGood {
			s.lift(w)
		}
		was := w.Status
		w.Locked, w.Restricted, w.Status = st == StandingLocked, st == StandingBlocked, WABAActive
		date := s.banDate()
		switch {
		case st == StandingDisabled:
			w.Status = WABADisabled
			s.owe(s.notice(id, FieldAccount, accountValue{Event: "DISABLED_UPDATE", Ban: &banInfo{State: "DISABLE", Date: date}}))
		case was == WABADisabled:
			s.owe(s.notice(id, FieldAccount, accountValue{Event: "DISABLED_UPDATE", Ban: &banInfo{State: "REINSTATE", Date: date}}))
		}
		return nil
	})
}

// InstalledApp tells that a partner's app was installed for an account. Errors: [ErrUnknown].
func (s *Service) InstalledApp(ctx context.Context, id wa.WABAID, app wa.AppID, partner wa.BusinessID) error {
	_, err := s.UpdateWABA(ctx, id, func(w *WABA) error {
		s.record(&Activity{WABA: id, Type: ActGranted, Object: string(app), Text: "App installed"})
		s.appEvent("PARTNER_APP_INSTALLED", w, app, partner)
		return nil
	})
	return err
}

// appEvent owes a partner the webhook about its app. The caller holds mu.
func (s *Service) appEvent(event string, w *WABA, app wa.AppID, partner wa.BusinessID) {
	n := s.notice(w.ID, FieldAccount, accountValue{Event: event, WABAInfo: &wabaInfo{WABA: w.ID, Owner: w.Owner, App: app}})
	n.Entry = string(partner)
	s.owe(n)
}
