package app

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// setLocation moves where a business is at home.
func setLocation(r *http.Request, p *platform) (any, error) {
	var in struct {
		Country string `json:"country"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	b, err := p.rules.business.SetLocation(r.Context(), wa.BusinessID(r.PathValue("id")), in.Country)
	if err != nil {
		return nil, accountError(err)
	}
	return map[string]any{"id": b.ID, "country": b.Country}, nil
}

// setInternational says from when a portfolio pays international rates for authentication templates.
func setInternational(r *http.Request, p *platform) (any, error) {
	var in struct {
		Start      time.Time            `json:"start"`
		Exceptions map[string]time.Time `json:"exceptions"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Start.IsZero() {
		return nil, badRequest("want start, a time such as 2026-12-01T00:00:00Z")
	}
	for c := range in.Exceptions {
		if wa.CallingCodeOf(c) == 0 {
			return nil, badRequest("exceptions: want country codes of ISO 3166, not %q", c)
		}
	}
	b, err := p.rules.business.SetInternational(r.Context(), wa.BusinessID(r.PathValue("id")), business.International{From: in.Start, Exceptions: in.Exceptions})
	if err != nil {
		return nil, accountError(err)
	}
	return map[string]any{"id": b.ID, "international": b.International.Eligibility()}, nil
}

// showBalance says what an account has paid, spent and may owe.
func showBalance(r *http.Request, p *platform) (any, error) {
	return balanceAnswer(p.policy.Balance(wa.WABAID(r.PathValue("id"))))
}

// payIn adds to what an account has paid, and says how much it may owe.
func payIn(r *http.Request, p *platform) (any, error) {
	var in struct {
		Add   *float64 `json:"add"`
		Limit *float64 `json:"limit"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Add == nil && in.Limit == nil {
		return nil, badRequest("want add or limit, amounts in the account's currency")
	}
	var add, limit pricing.Micro
	for _, a := range []struct {
		given *float64
		to    *pricing.Micro
	}{{in.Add, &add}, {in.Limit, &limit}} {
		if a.given == nil {
			continue
		}
		if math.Abs(*a.given) > maxAmount {
			return nil, badRequest("want amounts up to %d", int64(maxAmount))
		}
		*a.to = pricing.Micro(math.Round(*a.given * 1e6))
	}
	if limit < 0 {
		return nil, badRequest("limit: want an amount from 0")
	}
	owe := &limit
	if in.Limit == nil {
		owe = nil
	}
	return balanceAnswer(p.policy.Pay(r.Context(), wa.WABAID(r.PathValue("id")), add, owe))
}

// maxAmount bounds what is paid at once: far above what anybody pays, far below what overflows.
const maxAmount = 1e9

func balanceAnswer(b policy.Balance, err error) (any, error) {
	switch {
	case errors.Is(err, policy.ErrNoBalance):
		return nil, badRequest("%v", err)
	case err != nil:
		return nil, accountError(err)
	}
	return map[string]any{
		"mode": b.Mode, "paid": b.Paid.Units(), "limit": b.Limit.Units(), "spent": b.Spent.Units(), "available": b.Available.Units(), "currency": b.Currency,
	}, nil
}

// valued is the ledger of an account in the month that the query names, with what every message cost.
func valued(r *http.Request, p *platform) ([]pricing.Entry, error) {
	w, ok := p.rules.business.WABA(wa.WABAID(r.PathValue("id")))
	if !ok {
		return nil, notFound("no account %s", r.PathValue("id"))
	}
	rates, err := p.rateCard()
	if err != nil {
		return nil, err
	}
	month := r.URL.Query().Get("month")
	if month == "" {
		month = p.clock.Now().In(analytics.Zone(w.TimezoneID)).Format("2006-01")
	}
	var all []pricing.Charge
	for _, a := range p.rules.business.WABAs(w.Owner) {
		start, err := time.ParseInLocation("2006-01", month, analytics.Zone(a.TimezoneID))
		if err != nil {
			return nil, badRequest("month: want a month such as 2026-11")
		}
		list, err := p.store.ChargesOf(r.Context(), a.ID, start.UnixMilli(), start.AddDate(0, 1, 0).UnixMilli())
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b pricing.Charge) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(string(a.ID), string(b.ID)))
	})
	return rates.Value(all, w.ID, w.Currency, analytics.Zone(w.TimezoneID)), nil
}

func showLedger(r *http.Request, p *platform) (any, error) {
	entries, err := valued(r, p)
	if err != nil {
		return nil, err
	}
	out := make([]map[string]any, len(entries))
	for i, e := range entries {
		out[i] = map[string]any{
			"wamid": e.ID, "waba": e.WABA, "number": e.Number, "market": e.Market, "category": e.Category, "type": "regular",
			"tier": e.Tier, "rate": e.Rate.Units(), "currency": e.Currency, "delivered_at": time.UnixMilli(e.At).UTC().Format(time.RFC3339Nano),
		}
	}
	return map[string]any{"data": out}, nil
}

func showInvoice(r *http.Request, p *platform) (any, error) {
	entries, err := valued(r, p)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = pricing.WriteInvoice(&b, pricing.Invoice(entries))
	return table(b.Bytes()), err
}

// table is an answer in CSV.
type table []byte
