package pricing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The worked example and the border of a tier (B1, B13): the nth message of the portfolio costs what its tier says, whoever
// sends it. Source: spec/pricing.md sections 1, 3 and 4.
func TestLedger(t *testing.T) {
	t.Parallel()
	set, err := pricing.Parse(strings.NewReader(`2026-01-01,USD,India,utility,1,2,0.0014
2026-01-01,USD,India,utility,3,,0.001
2026-01-01,USD,India,marketing,1,,0.01
2026-01-01,USD,India,authentication,1,1,0.002
2026-01-01,USD,India,authentication,2,,0.001
2026-01-01,USD,India,authentication_international,1,1,0.03
2026-01-01,USD,India,authentication_international,2,,0.02
`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	var all []pricing.Charge
	for i, c := range []struct {
		own      bool
		category string
	}{
		{true, "marketing"},
		{true, "utility"},
		{false, "utility"},
		{true, "utility"},
		{true, "utility"},
		{false, "authentication"},
		{true, "authentication_international"},
	} {
		e := pricing.Charge{ID: "m", WABA: "other", Market: "India", Category: c.category, At: at + int64(i)}
		if c.own {
			e.WABA = "own"
		}
		all = append(all, e)
	}
	value := func(own wa.WABAID, currency string) string {
		t.Helper()
		var b strings.Builder
		if err := pricing.WriteInvoice(&b, pricing.Invoice(set.Value(all, own, currency, time.UTC))); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if got, want := value("own", "USD"), `market,category,tier,messages,rate,amount,currency
India,authentication_international,2:MAX,1,0.020000,0.020000,USD
India,marketing,0:MAX,1,0.010000,0.010000,USD
India,utility,0:2,1,0.001400,0.001400,USD
India,utility,3:MAX,2,0.001000,0.002000,USD
total,,,5,,0.033400,USD
`; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got, want := value("other", "EUR"), `market,category,tier,messages,rate,amount,currency
India,authentication,,1,0.000000,0.000000,EUR
India,utility,,1,0.000000,0.000000,EUR
total,,,2,,0.000000,EUR
`; got != want {
		t.Errorf("without a card: got\n%swant\n%s", got, want)
	}
	if got := pricing.Micro(1_234_567).String(); got != "1.234567" {
		t.Error(got)
	}
}
