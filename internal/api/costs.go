package api

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// tariff is what messages of an account cost by the operator's cards.
type tariff struct {
	rates    pricing.Set
	currency string
}

// Steps implements analytics.Tariff.
func (t tariff) Steps(day time.Time, country, category string) []analytics.Step {
	card := t.rates.At(day, t.currency)
	if card == nil {
		return nil
	}
	tiers := card.Tiers(t.Market(country), category)
	steps := make([]analytics.Step, len(tiers))
	for i, x := range tiers {
		steps[i] = analytics.Step{To: x.To, Micro: int64(x.Rate), Name: x.Range()}
	}
	return steps
}

// Market implements analytics.Tariff.
func (t tariff) Market(country string) string {
	return pricing.MarketOf(country, wa.CallingCodeOf(country))
}

// bill prices points of an account by the card in force and the volume of the whole portfolio; one for each request.
func (s *surface) bill(w *business.WABA) *analytics.Bill {
	b := &analytics.Bill{Source: s.o.Counts, Tariff: tariff{s.o.Rates, w.Currency}, Own: string(w.ID)}
	for _, a := range s.o.Business.WABAs(w.Owner) {
		b.Accounts = append(b.Accounts, analytics.Account{Subject: string(a.ID), Zone: analytics.Zone(a.TimezoneID)})
	}
	return b
}

// cost is the work of a bill.
func cost(ctx context.Context, b *analytics.Bill, q *analytics.Query, list []analytics.Point) ([]analytics.Part, error) {
	parts, err := b.Price(ctx, q, list)
	if err != nil {
		return nil, wa.ErrService.Because(err)
	}
	return parts, nil
}
