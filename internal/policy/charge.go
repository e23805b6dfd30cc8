package policy

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// paid reports whether a message is free or its account can pay. Source: spec/pricing.md section 4.
func (s *Service) paid(n *business.Number, m Send) bool {
	if m.Entry || m.Category == "utility" && !m.Outside {
		return true
	}
	w, ok := s.o.Business.WABA(n.WABA)
	return ok && w.Pays(s.o.RequirePayment) && s.Funded(w)
}

// International reports whether an authentication template that reaches the user at now (Unix milliseconds) costs the
// international rate: its portfolio became eligible, has its primary location in another country, and the rate card has such a
// rate for the user's, where it is in force. Source: spec/pricing.md section 3, "Authentication international".
func (s *Service) International(n *business.Number, user wa.WaID, now int64) bool {
	p, ok := s.o.Business.Portfolio(n.Business)
	if !ok || p.International.From.IsZero() {
		return false
	}
	w, ok := s.o.Business.WABA(n.WABA)
	if !ok {
		return false
	}
	at := time.UnixMilli(now)
	country, _ := wa.CountryOf(user)
	if home := p.Location(w); home == "" || home == country || at.Before(p.International.Begins(country)) {
		return false
	}
	card := s.o.Rates.At(at.In(analytics.Zone(w.TimezoneID)), w.Currency)
	return card != nil && card.Has(pricing.Market(user), pricing.AuthInternational)
}

// Category is that of a template as prices spell it; empty when there is no such template.
func (s *Service) Category(id wa.TemplateID) string {
	t, ok := s.o.Template.Template(id)
	if !ok {
		return ""
	}
	return t.Category.Pricing()
}

// Defaults of international rates. Source: spec/pricing.md section 3.
const (
	internationalUsers = 750_000
	internationalDelay = 30 * 24 * time.Hour
)

// becomeEligible makes a portfolio eligible for international rates once it reached more than the threshold of people outside
// windows within thirty days, in the countries that have such a rate, the tests' numbers aside. They begin thirty days later.
func (s *Service) becomeEligible(ctx context.Context, p *business.Portfolio, numbers []wa.PhoneNumberID, now time.Time) error {
	codes := s.o.Rates.Codes(pricing.AuthInternational)
	if !p.International.From.IsZero() || len(codes) == 0 {
		return nil
	}
	n, err := s.o.Past.ReachedBy(ctx, numbers, now.Add(-limits.VerifyWindow).UnixMilli(), codes...)
	if err != nil || n <= s.o.InternationalUsers {
		return err
	}
	_, err = s.o.Business.SetInternational(ctx, p.ID, business.International{From: now.Add(internationalDelay)})
	return err
}
