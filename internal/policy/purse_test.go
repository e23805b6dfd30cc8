package policy_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// rows counts what a start reads of the ledger itself.
type rows struct {
	policy.Ledger
	n int
}

func (r *rows) EachCharge(ctx context.Context, ids []wa.WABAID, from, to int64, f func(pricing.Charge)) error {
	return r.Ledger.EachCharge(ctx, ids, from, to, func(c pricing.Charge) { r.n++; f(c) })
}

const purseCard = `2026-01-01,USD,Brazil,utility,1,300,0.01
2026-01-01,USD,Brazil,utility,301,900,0.007
2026-01-01,USD,Brazil,utility,901,,0.003
2026-01-01,USD,Brazil,authentication,1,400,0.02
2026-01-01,USD,Brazil,authentication,401,,0.011
2026-01-01,USD,Brazil,authentication_international,1,450,0.05
2026-01-01,USD,Brazil,authentication_international,451,,0.04
2026-01-01,USD,Brazil,marketing,1,,0.06
2026-04-01,USD,Brazil,marketing,1,,0.07
2026-01-01,EUR,Brazil,utility,1,350,0.009
2026-01-01,EUR,Brazil,utility,351,,0.008
2026-01-01,EUR,Brazil,authentication,1,,0.015
`

// Accounts of a portfolio, in time zones whose months begin hours and quarters of hours apart and in two currencies, are charged over
// the border of a month. After a start each has spent what its ledger says, message by message, and hardly any of it was read.
func TestStartReadsSums(t *testing.T) {
	t.Parallel()
	rates, err := pricing.Parse(strings.NewReader(purseCard))
	if err != nil {
		t.Fatal(err)
	}
	ledger := &rows{}
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) {
		ledger.Ledger = o.Ledger
		o.Billing, o.Rates, o.Ledger = policy.BillingPrepaid, rates, ledger
	})
	accounts := []business.WABA{
		{ID: waba, TimezoneID: "Asia/Kathmandu", Currency: "USD"},
		{ID: "220110330440551", TimezoneID: "America/Los_Angeles", Currency: "USD"},
		{ID: "220110330440552", TimezoneID: "Asia/Tokyo", Currency: "EUR"},
		{ID: "220110330440553", TimezoneID: "0", Currency: "USD"},
	}
	for i, a := range accounts {
		if i > 0 {
			_, err = w.business.CreateWABA(t.Context(), business.WABA{ID: a.ID, Owner: owner, Name: "W"})
			w.check(err)
		}
		_, err = w.business.UpdateWABA(t.Context(), a.ID, func(x *business.WABA) error { x.Currency, x.TimezoneID = a.Currency, a.TimezoneID; return nil })
		w.check(err)
	}
	w.start()
	random := rand.New(rand.NewPCG(1, 2))
	categories := []string{"utility", "utility", "utility", pricing.Auth, pricing.AuthInternational, "marketing"}
	var all []pricing.Charge
	since := map[wa.WABAID]int64{}
	w.clock.Advance(time.Date(2026, 3, 29, 20, 7, 11, 0, time.UTC).Sub(w.clock.Now()))
	for range 60 {
		b := &pipeline.Batch{}
		for k := range 50 {
			c := pricing.Charge{
				ID: wa.MessageID(fmt.Sprintf("m%04d", len(all))), WABA: accounts[random.IntN(3)].ID, Number: one, User: "5511900001", Market: "Brazil",
				Category: categories[random.IntN(len(categories))], At: w.now() + int64(k)*7919,
			}
			all, b.Charges = append(all, c), append(b.Charges, c)
		}
		w.apply(b)
		w.clock.Advance(79 * time.Minute)
		if a := accounts[min(len(since), len(accounts)-1)].ID; since[a] == 0 && len(all) > 200*(len(since)+1) { // paid in one after the other
			since[a] = w.now()
			_, err := w.policy.Pay(t.Context(), a, 1, nil)
			w.check(err)
		}
	}
	for _, months := range []int{0, 0, 2, 0} { // the last start finds everything in the notes
		w.clock.Advance(time.Duration(months) * 31 * 24 * time.Hour)
		ledger.n = 0
		w.start()
		for _, a := range accounts {
			if b, err := w.policy.Balance(a.ID); err != nil || b.Spent != spent(rates, all, accounts, a, since[a.ID]) {
				t.Errorf("%s has spent %s, %v, want %s", a.TimezoneID, b.Spent, err, spent(rates, all, accounts, a, since[a.ID]))
			}
		}
		if ledger.n > len(all)/4 {
			t.Errorf("%d of %d charges were read", ledger.n, len(all))
		}
	}
	if ledger.n != 0 {
		t.Errorf("%d charges of months that are over were read", ledger.n)
	}
}

// spent prices the ledger message by message, in its order.
func spent(rates pricing.Set, all []pricing.Charge, accounts []business.WABA, of business.WABA, since int64) (sum pricing.Micro) {
	if since == 0 {
		return 0
	}
	for _, month := range []string{"2026-03", "2026-04"} {
		var list []pricing.Charge
		for _, c := range all {
			for _, a := range accounts {
				if a.ID == c.WABA && time.UnixMilli(c.At).In(analytics.Zone(a.TimezoneID)).Format(pricing.Month) == month {
					list = append(list, c)
				}
			}
		}
		slices.SortFunc(list, func(a, b pricing.Charge) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)) })
		for _, e := range rates.Value(list, of.ID, of.Currency, analytics.Zone(of.TimezoneID)) {
			if e.At >= since {
				sum += e.Rate
			}
		}
	}
	return sum
}
