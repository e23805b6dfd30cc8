package pricing_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestMarket(t *testing.T) {
	t.Parallel()
	for to, want := range map[wa.WaID]string{
		"16505551234": "North America", "18095551234": "Rest of Latin America", "919812345678": "India",
		"8190123456": "Rest of Asia Pacific", "97255512345": "Israel", "3545551234": pricing.Other, "": pricing.Other,
		"4915112345": "Germany", "77011234567": "Russia",
	} {
		if got := pricing.Market(to); got != want {
			t.Errorf("%s is in %s, want %s", to, got, want)
		}
	}
}

const card = `# comment
2026-01-01,USD,India,utility,1,25000000,0.0014
2026-01-01,USD,India,utility,25000001,50000000,0.001
2026-01-01,USD,India,utility,50000001,,0.0009
2026-01-01,USD,Other,marketing,1,,0.05
2026-04-01,USD,India,utility,1,,0.002
`

func cards(t *testing.T) pricing.Set {
	t.Helper()
	set, err := pricing.Parse(strings.NewReader(card))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// B13: message 25,000,000 and 25,000,001 of the month: old rate, new rate.
func TestTierBorder(t *testing.T) {
	t.Parallel()
	c := cards(t).At(time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC), "USD")
	if a, b := c.At("India", "utility", 25_000_000), c.At("India", "utility", 25_000_001); a.Rate != 1400 || b.Rate != 1000 ||
		a.Range() != "0:25000000" || b.Range() != "25000001:50000000" {
		t.Errorf("%+v, then %+v", a, b)
	}
	if sum := c.Cost("India", "utility", 24_999_999, 3); sum != 1400+2*1000 {
		t.Errorf("three messages over the border cost %d", sum)
	}
	if r := c.At("India", "utility", 60_000_000); r.Rate != 900 || r.Range() != "50000001:MAX" {
		t.Errorf("the last tier: %+v", r)
	}
	if r := c.At("Peru", "marketing", 1); r.Rate != 50_000 || r.Range() != "0:MAX" {
		t.Errorf("a market without a line costs what Other does: %+v", r)
	}
	if r := c.At("Peru", "utility", 1); r.Rate != 0 {
		t.Errorf("no line: %+v", r)
	}
}

func TestCardsChangeByDate(t *testing.T) {
	t.Parallel()
	set := cards(t)
	april := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	if c := set.At(april, ""); c.At("India", "utility", 1).Rate != 2000 {
		t.Error("the new card is in force on its first day")
	}
	kiritimati := time.FixedZone("", 14*60*60)
	if c := set.At(april.Add(-14*time.Hour).In(kiritimati), "USD"); c.At("India", "utility", 1).Rate != 2000 {
		t.Error("a card begins at the account's midnight")
	}
	if c := set.At(april.Add(-14*time.Hour-time.Second).In(kiritimati), "USD"); c.At("India", "utility", 1).Rate != 1400 {
		t.Error("and not before")
	}
	if c := set.At(april.AddDate(-1, 0, 0), "USD"); c != nil {
		t.Error("no card was in force before the first")
	}
	if c := set.At(april, "EUR"); c != nil {
		t.Error("a card of another currency")
	}
}

// Cost is the sum of the single messages.
func TestCostAddsUp(t *testing.T) {
	t.Parallel()
	set, err := pricing.Parse(strings.NewReader("2026-01-01,USD,India,utility,1,5,0.000003\n2026-01-01,USD,India,utility,6,7,0.000002\n2026-01-01,USD,India,utility,8,,0.000001\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := set[0]
	rapid.Check(t, func(t *rapid.T) {
		after, n := rapid.Int64Range(0, 12).Draw(t, "after"), rapid.Int64Range(0, 12).Draw(t, "n")
		var sum pricing.Micro
		for i := after + 1; i <= after+n; i++ {
			sum += c.At("India", "utility", i).Rate
		}
		if got := c.Cost("India", "utility", after, n); got != sum {
			t.Fatalf("%d, want %d", got, sum)
		}
	})
}

func TestBrokenCards(t *testing.T) {
	t.Parallel()
	for fact, text := range map[string]string{
		"columns":          "2026-01-01,USD,India,utility,1,",
		"date":             "1.1.2026,USD,India,utility,1,,0.1",
		"within a month":   "2026-01-15,USD,India,utility,1,,0.1",
		"currency":         "2026-01-01,dollars,India,utility,1,,0.1",
		"gap":              "2026-01-01,USD,India,utility,1,5,0.1\n2026-01-01,USD,India,utility,7,,0.1",
		"no end":           "2026-01-01,USD,India,utility,1,5,0.1",
		"negative":         "2026-01-01,USD,India,utility,1,,-0.1",
		"seven places":     "2026-01-01,USD,India,utility,1,,0.1234567",
		"tiered marketing": "2026-01-01,USD,India,marketing,1,5,0.1\n2026-01-01,USD,India,marketing,6,,0.1",
	} {
		if _, err := pricing.Parse(strings.NewReader(text)); err == nil {
			t.Errorf("%s: accepted", fact)
		}
	}
}

func TestSampleIsWhole(t *testing.T) {
	t.Parallel()
	c := pricing.Sample().At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), "USD")
	for _, category := range []string{"marketing", "utility", "authentication"} {
		for _, market := range []string{"Argentina", "Other", "Rest of Western Europe"} {
			if c.At(market, category, 1).Rate == 0 {
				t.Errorf("%s in %s costs nothing", category, market)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(card)
	f.Fuzz(func(t *testing.T, text string) {
		set, err := pricing.Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, c := range set {
			_ = c.Cost("India", "utility", 3, 10)
		}
	})
}
