package analytics

import "time"

// Rate says what messages after+1 to after+n of a month cost: those of one country and pricing category, over all accounts
// of a portfolio, charged in the month that at lies in. It also names the tier of the first of them.
type Rate func(at time.Time, country, category string, after, n int64) (cost float64, tier string)

// Cost prices the points of one account. all are the charged points of every account of its portfolio in the same buckets,
// from the beginning of the month of the first on: volume tiers count them together, those of earlier buckets first, and in
// a bucket the account's own. market tells which countries share tiers. The result is by index of own.
// Source: spec/pricing.md section 3, "Volume tiers".
func Cost(own, all []Point, zone *time.Location, market func(country string) string, rate Rate) ([]float64, []string) {
	type key struct{ month, market, category string }
	keyOf := func(p *Point) (key, bool) {
		kind, category, ok := PriceOf(p.What)
		return key{time.Unix(p.Start, 0).In(zone).Format("2006-01"), market(p.Country), category}, ok && kind == "regular"
	}
	before := map[key]int64{}
	costs, tiers := make([]float64, len(own)), make([]string, len(own))
	next := 0
	for i := 0; i < len(own); {
		at := own[i].Start
		for ; next < len(all) && all[next].Start < at; next++ {
			if k, ok := keyOf(&all[next]); ok {
				before[k] += all[next].N
			}
		}
		mine := map[key]int64{}
		for ; i < len(own) && own[i].Start == at; i++ {
			k, ok := keyOf(&own[i])
			if !ok {
				continue
			}
			costs[i], tiers[i] = rate(time.Unix(at, 0), own[i].Country, k.category, before[k]+mine[k], own[i].N)
			mine[k] += own[i].N
		}
	}
	return costs, tiers
}
