package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// B12 and R30: who has to pay, and for what. Source: spec/pricing.md section 4.
func TestPayment(t *testing.T) {
	t.Parallel()
	const user = wa.WaID("4915100001")
	for _, required := range []bool{true, false} {
		w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { o.RequirePayment = required })
		want := 0
		if required {
			want = 131042
		}
		fund := func(attached, problem bool, currency string) {
			t.Helper()
			_, err := w.business.SetPayment(t.Context(), waba, &attached, &problem)
			w.check(err)
			_, err = w.business.UpdateWABA(t.Context(), waba, func(x *business.WABA) error { x.Currency, x.TimezoneID = currency, "1"; return nil })
			w.check(err)
		}
		fund(false, false, "USD")
		w.send("no payment method", one, user, "utility", want)
		w.admit("free in a free entry point window", one, policy.Send{User: user, Category: "marketing", Outside: true, Entry: true}, 0)
		w.admit("free in a customer service window", one, policy.Send{User: user, Category: "utility"}, 0)
		w.admit("authentication is never free", one, policy.Send{User: user, Category: "authentication"}, want)
		w.send("a test number", tests, user, "utility", 0)
		fund(true, false, "")
		w.send("no currency", one, user, "utility", want)
		fund(true, false, "USD")
		w.send("funded", one, user, "utility", 0)
		fund(true, true, "USD")
		w.send("it does not pay", one, user, "utility", 131042)
		w.admit("what is free passes", one, policy.Send{User: user, Category: "utility"}, 0)
	}
}

const abroadCard = `2026-01-01,USD,India,authentication,1,,0.001
2026-01-01,USD,India,authentication_international,1,,0.02
2026-01-01,USD,Egypt,authentication_international,1,,0.03
2026-01-01,USD,Other,authentication,1,,0.005
`

// Eligibility comes with the people a portfolio reaches, is told, stays, and rates begin thirty days later. Source:
// spec/pricing.md section 3, "Authentication international".
func TestInternationalEligibility(t *testing.T) {
	t.Parallel()
	card, err := pricing.Parse(strings.NewReader(abroadCard))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { o.Rates, o.InternationalUsers = card, 2 })
	_, err = w.business.UpdateWABA(t.Context(), waba, func(x *business.WABA) error { x.Currency, x.Country = "USD", "JP"; return nil })
	w.check(err)
	reach := func(users ...wa.WaID) {
		t.Helper()
		b := &pipeline.Batch{}
		for i, u := range users {
			b.Reached = append(b.Reached, limits.Reached{Number: []wa.PhoneNumberID{one, two}[i%2], User: u, At: w.now(), Counted: w.now()})
		}
		w.apply(b)
		w.evaluate()
		w.start()
		w.evaluate()
	}
	from := func() time.Time { p, _ := w.business.Portfolio(owner); return p.International.From }
	const told = `"event":"AUTH_INTL_PRICE_ELIGIBILITY_UPDATE"`
	reach("919800000001", "919800000002", "919800000001", "4915100001", "4915100002")
	if !from().IsZero() {
		t.Error("two people in countries with such a rate are not more than two")
	}
	reach("2010000001")
	start := w.clock.Now().Add(30 * 24 * hour)
	if got := w.owed(); !from().Equal(start) || len(got) != 1 || !strings.Contains(got[0], told) || !strings.Contains(got[0], `"exception_countries":[]`) {
		t.Fatalf("from %v, want %v; told %q", from(), start, got)
	}
	n, _ := w.business.Number(one)
	rate := func(fact string, user wa.WaID, at time.Time, want bool) {
		t.Helper()
		if got := w.policy.International(n, user, at.UnixMilli()); got != want {
			t.Errorf("%s: %v", fact, got)
		}
	}
	rate("before the start", "919800000001", start.Add(-time.Millisecond), false)
	rate("from the start", "919800000001", start, true)
	rate("a country without such a rate", "4915100001", start, false)
	_, err = w.business.SetInternational(t.Context(), owner, business.International{From: start, Exceptions: map[string]time.Time{"EG": start.Add(hour)}})
	w.check(err)
	rate("an exceptional start", "2010000001", start, false)
	rate("which comes later", "2010000001", start.Add(hour), true)
	_, err = w.business.SetLocation(t.Context(), owner, "IN")
	w.check(err)
	rate("at home", "919800000001", start, false)
	if got := w.owed(); len(got) != 3 || !strings.Contains(got[2], `{"event":"BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE","country":"IN"}`) {
		t.Errorf("told %q", got)
	}
	if _, err := w.business.SetLocation(t.Context(), owner, "XX"); err == nil {
		t.Error("a country that does not exist")
	}
}
