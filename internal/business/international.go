package business

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// International says from when a portfolio pays international rates for authentication templates. Once it is eligible it stays
// so. Source: spec/pricing.md section 3, "Authentication international".
type International struct {
	From       time.Time            // zero: not eligible
	Exceptions map[string]time.Time // by country, ISO 3166 alpha-2; replaced, never changed
}

// Begins is from when messages to a country cost the international rate. It means nothing for the zero value.
func (x International) Begins(country string) time.Time {
	if at, ok := x.Exceptions[country]; ok {
		return at
	}
	return x.From
}

// Eligibility is the object that the account's field auth_international_rate_eligibility and its webhook carry.
type Eligibility struct {
	Start      int64              `json:"start_time"` // Unix seconds
	Exceptions []ExceptionCountry `json:"exception_countries"`
}

// ExceptionCountry is a country with a start of its own.
type ExceptionCountry struct {
	Country string `json:"country_code"`
	Start   int64  `json:"start_time"`
}

// Eligibility puts x into the form of the wire, its countries in order; nil when the portfolio is not eligible.
func (x International) Eligibility() *Eligibility {
	if x.From.IsZero() {
		return nil
	}
	e := &Eligibility{Start: x.From.Unix(), Exceptions: []ExceptionCountry{}}
	for _, c := range slices.Sorted(maps.Keys(x.Exceptions)) {
		e.Exceptions = append(e.Exceptions, ExceptionCountry{c, x.Exceptions[c].Unix()})
	}
	return e
}

// Location is the primary location of the business, ISO 3166 alpha-2: what its portfolio says, else its account; empty when
// neither does.
func (p *Portfolio) Location(w *WABA) string {
	if p.Country != "" {
		return p.Country
	}
	return w.Country
}

// SetInternational makes a portfolio eligible for international authentication rates, or moves their start, and owes every
// account of it the webhook. Errors: [ErrUnknown].
func (s *Service) SetInternational(ctx context.Context, id wa.BusinessID, x International) (*Portfolio, error) {
	return s.UpdatePortfolio(ctx, id, func(p *Portfolio) error {
		p.International = x
		for _, w := range s.WABAs(id) {
			s.owe(s.notice(w.ID, FieldAccount, accountValue{Event: "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE", International: x.Eligibility()}))
		}
		return nil
	})
}

// SetLocation moves the primary location of a business and owes every account of it the webhook; saying the same again
// changes nothing. Errors: [ErrUnknown], code 100 for what is no country code.
func (s *Service) SetLocation(ctx context.Context, id wa.BusinessID, country string) (*Portfolio, error) {
	if wa.CallingCodeOf(country) == 0 {
		return nil, wa.ErrInvalidParameter.Titled("Param country must be a country code of ISO 3166.")
	}
	return s.UpdatePortfolio(ctx, id, func(p *Portfolio) error {
		if p.Country == country {
			return nil
		}
		p.Country = country
		for _, w := range s.WABAs(id) {
			s.owe(s.notice(w.ID, FieldAccount, accountValue{Event: "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE", Country: country}))
		}
		return nil
	})
}

// PartnerPays reports whether what pays for an account is another portfolio's credit line. Source: spec/business.md section 7.
func (s *Service) PartnerPays(w *WABA) bool {
	ref, lent := s.snap.Load().funder(w.FundingID)
	return lent && ref.owner.ID != w.Owner
}
