package policy_test

import (
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

const tierCard = `2026-01-01,USD,India,utility,1,10,0.002
2026-01-01,USD,India,utility,11,20,0.001
2026-01-01,USD,India,utility,21,,0.0005
2026-01-01,USD,India,authentication,1,10,0.002
2026-01-01,USD,India,authentication,11,,0.001
2026-01-01,USD,Other,utility,1,,0.01
`

// B13: the message that is the first of a tier makes one webhook for every account of the portfolio, over starts too; free
// messages, other markets and the months before do not count, and authentication counts by either rate.
func TestVolumeTiers(t *testing.T) {
	t.Parallel()
	card, err := pricing.Parse(strings.NewReader(tierCard))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { o.Rates = card })
	const other = wa.WABAID("220110330440551")
	_, err = w.business.CreateWABA(t.Context(), business.WABA{ID: other, Owner: owner, Name: "Second", TimezoneID: "0"})
	w.check(err)
	charge := func(waba wa.WABAID, country, kind, category string, n int64) {
		t.Helper()
		w.apply(&pipeline.Batch{Counts: []analytics.Count{{Key: analytics.Key{
			Subject: string(waba), What: analytics.Priced(kind, category), Bucket: w.clock.Now().Unix() / analytics.HalfHour * analytics.HalfHour,
			Number: one, Country: country,
		}, N: n}}})
		w.evaluate()
		w.start()
		w.evaluate()
	}
	want := func(fact string, tiers ...string) {
		t.Helper()
		got := w.owed()
		if len(got) != len(tiers) {
			t.Fatalf("%s: told %q, want %d notices", fact, got, len(tiers))
		}
		for i, tier := range tiers {
			if !strings.Contains(got[i], `"volume_tier_info":{`) || !strings.Contains(got[i], tier) {
				t.Errorf("%s: told %s, want %s", fact, got[i], tier)
			}
		}
	}
	charge(waba, "IN", "regular", "utility", 10)
	charge(waba, "IN", "free_customer_service", "utility", 100)
	charge(waba, "DE", "regular", "utility", 100)
	want("the tenth")
	charge(other, "IN", "regular", "utility", 1)
	const eleven, month = `"pricing_category":"UTILITY","tier":"11:20"`, `"effective_month":"2026-03","region":"India"`
	want("the eleventh, of either account", eleven, month)
	charge(waba, "IN", "regular", "authentication", 6)
	charge(waba, "IN", "regular", "authentication-international", 5)
	const auth = `"pricing_category":"AUTHENTICATION","tier":"11:MAX"`
	want("authentication", eleven, month, auth, auth)
	w.clock.Advance(40 * 24 * time.Hour)
	charge(waba, "IN", "regular", "utility", 10)
	want("another month begins anew", eleven, month, auth, auth)
	charge(waba, "IN", "regular", "utility", 11)
	const last = `"pricing_category":"UTILITY","tier":"21:MAX","effective_month":"2026-04"`
	want("a tier may be passed", eleven, month, auth, auth, last, last)

	// Around the border two months are added up at once: in Tokyo May has begun, elsewhere it is still April.
	_, err = w.business.UpdateWABA(t.Context(), other, func(x *business.WABA) error { x.TimezoneID = "Asia/Tokyo"; return nil })
	w.check(err)
	w.clock.Advance(time.Date(2026, 4, 30, 16, 0, 0, 0, time.UTC).Sub(w.clock.Now()))
	charge(other, "IN", "regular", "utility", 11)
	charge(waba, "IN", "regular", "utility", 30)
	const may = `"pricing_category":"UTILITY","tier":"11:20","effective_month":"2026-05"`
	want("Tokyo's May", eleven, month, auth, auth, last, last, may)

	// What is reached in the last hour of a month is told in the next one.
	w.clock.Advance(time.Date(2026, 5, 31, 23, 30, 0, 0, time.UTC).Sub(w.clock.Now()))
	w.apply(&pipeline.Batch{Counts: []analytics.Count{{Key: analytics.Key{
		Subject: string(waba), What: analytics.Priced("regular", "authentication"), Bucket: w.clock.Now().Unix(), Number: one, Country: "IN",
	}, N: 11}}})
	w.clock.Advance(time.Hour)
	w.evaluate()
	want("the last hour of May", eleven, month, auth, auth, last, last, may, `"effective_month":"2026-05"`, `"effective_month":"2026-05"`, `"effective_month":"2026-05"`)
}
