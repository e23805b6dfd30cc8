package analytics

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Step is a volume tier: up to the To-th message of a month, what one costs in millionths, and how reports name it.
type Step struct {
	To    int64
	Micro int64
	Name  string // "0:750000"
}

// Tariff knows what charged messages cost.
type Tariff interface {
	// Steps are the tiers of a category on a day, in order; the last has no end. None: there is no card.
	Steps(day time.Time, country, category string) []Step
	// Market names the countries whose messages count together for volume tiers.
	Market(country string) string
}

// Account is one of a portfolio. A month of its messages begins and ends at midnight in its own time zone, and counts together
// with that month of the others.
type Account struct {
	Subject string
	Zone    *time.Location
}

// Bill prices points of an account, or of templates of it. It remembers what the portfolio's months held, so it is for the questions
// of one request, one after the other. Source: spec/pricing.md section 3, "Volume tiers".
type Bill struct {
	Source   Source
	Tariff   Tariff
	Own      string    // the account's subject
	Accounts []Account // of the portfolio, the own one among them, always in the same order

	sums map[string]map[volume]int64 // by month
	rows map[string]map[cell]row     // by month
}

// Part is a share of a point: those of its messages that one tier holds.
type Part struct {
	Point int // index into what was priced
	N     int64
	Micro int64  // what they cost together
	Tier  string // empty for what is free
}

// volume says whose messages count together.
type volume struct{ month, market, family string }

// family is the category that a category counts with: authentication at home and abroad count together.
func family(category string) string {
	if category == "authentication_international" {
		return "authentication"
	}
	return category
}

// tieredWords are the words of the charged messages that have volume tiers, by family.
var tieredWords = map[string][]string{
	"utility":        {Priced(regular, "utility")},
	"authentication": {Priced(regular, "authentication"), Priced(regular, "authentication_international")},
}

const regular = "regular"

// Price prices the points that q brought. While a portfolio stays within the first tier the order of its messages does not
// matter; beyond it they are priced half hour by half hour, and within one account by account in their order, so that parts add
// up to the whole however they are asked for.
func (b *Bill) Price(ctx context.Context, q *Query, list []Point) ([]Part, error) {
	beyond, err := b.beyond(ctx, list)
	if err != nil {
		return nil, err
	}
	var out []Part
	exact := map[Point]int{} // points to price by half hours, without their sums
	for i := range list {
		p := &list[i]
		kind, category, _ := PriceOf(p.What)
		if kind != regular {
			out = append(out, Part{Point: i, N: p.N})
			continue
		}
		if b.touches(beyond, p) {
			exact[p.key()] = i
			continue
		}
		part := Part{Point: i, N: p.N}
		if s := b.Tariff.Steps(time.Unix(p.Start, 0).In(b.zone()), p.Country, category); len(s) > 0 {
			part.Tier, part.Micro = s[0].Name, s[0].Micro*p.N
		}
		out = append(out, part)
	}
	if len(exact) == 0 {
		return out, nil
	}
	more, err := b.exact(ctx, q, list, exact, beyond)
	return append(out, more...), err
}

func (p *Point) key() Point {
	k := *p
	k.N = 0
	return k
}

func (b *Bill) zone() *time.Location {
	for _, a := range b.Accounts {
		if a.Subject == b.Own {
			return a.Zone
		}
	}
	return time.UTC
}

func month(at int64, zone *time.Location) string { return time.Unix(at, 0).In(zone).Format("2006-01") }

// touches reports whether any message of the point may be beyond a first tier.
func (b *Bill) touches(beyond map[volume]bool, p *Point) bool {
	_, category, _ := PriceOf(p.What)
	v := volume{month(p.Start, b.zone()), b.Tariff.Market(p.Country), family(category)}
	first := beyond[v]
	v.month = month(p.End-1, b.zone())
	return first || beyond[v]
}

// beyond finds the volumes that have passed their first tier.
func (b *Bill) beyond(ctx context.Context, list []Point) (map[volume]bool, error) {
	limits := map[volume]int64{}
	for i := range list {
		p := &list[i]
		kind, category, _ := PriceOf(p.What)
		if kind != regular || tieredWords[family(category)] == nil {
			continue
		}
		steps := b.Tariff.Steps(time.Unix(p.Start, 0).In(b.zone()), p.Country, category)
		if len(steps) < 2 {
			continue
		}
		for _, at := range []int64{p.Start, p.End - 1} {
			limits[volume{month(at, b.zone()), b.Tariff.Market(p.Country), family(category)}] = steps[0].To
		}
	}
	for _, m := range months(limits) {
		if err := b.sum(ctx, m); err != nil {
			return nil, err
		}
	}
	out := map[volume]bool{}
	for v, most := range limits {
		out[v] = b.sums[v.month][v] > most
	}
	return out, nil
}

// sum adds up the volumes of a month, once.
func (b *Bill) sum(ctx context.Context, m string) error {
	if b.sums[m] != nil {
		return nil
	}
	sums := map[volume]int64{}
	if err := b.each(ctx, m, Months, func(_ string, p *Point) {
		_, category, _ := PriceOf(p.What)
		sums[volume{m, b.Tariff.Market(p.Country), family(category)}] += p.N
	}); err != nil {
		return err
	}
	if b.sums == nil {
		b.sums = map[string]map[volume]int64{}
	}
	b.sums[m] = sums
	return nil
}

// months are those of the volumes whose value is not zero.
func months[T comparable](m map[volume]T) []string {
	var zero T
	set := map[string]bool{}
	for v, x := range m {
		if x != zero {
			set[v.month] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// each walks over the charged messages that a portfolio's accounts count to a month, in buckets of g.
func (b *Bill) each(ctx context.Context, month string, g Granularity, f func(subject string, p *Point)) error {
	var what []string
	for _, words := range tieredWords {
		what = append(what, words...)
	}
	slices.Sort(what)
	for _, a := range b.Accounts {
		start, err := time.ParseInLocation("2006-01", month, a.Zone)
		if err != nil {
			return err
		}
		list, err := Points(ctx, b.Source, &Query{
			Subject: a.Subject, What: what, Start: start, End: start.AddDate(0, 1, 0), Granularity: g, Zone: a.Zone,
			ByNumber: g == Halves, ByCountry: true,
		})
		if err != nil {
			return err
		}
		for i := range list {
			f(a.Subject, &list[i])
		}
	}
	return nil
}

// row is a half hour of one account, and how many messages of its volume came before.
type row struct {
	Point
	subject string
	before  int64
}

// cell finds a row of the own account.
type cell struct {
	start   int64
	what    string
	number  wa.PhoneNumberID
	country string
}

// lay lays out the rows of the own account in a month, with what came before them in the whole portfolio, once.
func (b *Bill) lay(ctx context.Context, month string) error {
	if b.rows[month] != nil {
		return nil
	}
	out := map[cell]row{}
	var all []row
	if err := b.each(ctx, month, Halves, func(subject string, p *Point) { all = append(all, row{Point: *p, subject: subject}) }); err != nil {
		return err
	}
	// Accounts come one after the other, in their order, and the points of each in theirs.
	slices.SortStableFunc(all, func(x, y row) int { return int(x.Start - y.Start) })
	sums := map[volume]int64{}
	for _, r := range all {
		_, category, _ := PriceOf(r.What)
		v := volume{month, b.Tariff.Market(r.Country), family(category)}
		r.before = sums[v]
		sums[v] += r.N
		if r.subject == b.Own {
			out[cell{r.Start, r.What, r.Number, r.Country}] = r
		}
	}
	if b.rows == nil {
		b.rows = map[string]map[cell]row{}
	}
	b.rows[month] = out
	return nil
}

// exact prices the points that index names by their half hours.
func (b *Bill) exact(ctx context.Context, q *Query, list []Point, index map[Point]int, beyond map[volume]bool) ([]Part, error) {
	var rows []map[cell]row
	for _, m := range months(beyond) {
		if err := b.lay(ctx, m); err != nil {
			return nil, err
		}
		rows = append(rows, b.rows[m])
	}
	fine := *q
	fine.Granularity, fine.ByNumber, fine.ByCountry = Halves, true, true
	fine.Start, fine.End = time.Unix(list[0].Start, 0), time.Unix(list[len(list)-1].End, 0)
	halves, err := Points(ctx, b.Source, &fine)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(halves, func(x, y Point) int { return int(x.Start - y.Start) })
	type place struct {
		point int
		tier  string
	}
	sums := map[place]*Part{}
	var order []place
	spans := spansOf(list)
	for i := range halves {
		h := &halves[i]
		at, ok := index[whole(h, spans, q)]
		if !ok {
			continue
		}
		for _, part := range b.split(h, rows) {
			k := place{at, part.Tier}
			if sums[k] == nil {
				sums[k] = &Part{Point: at, Tier: part.Tier}
				order = append(order, k)
			}
			sums[k].N += part.N
			sums[k].Micro += part.Micro
		}
	}
	out := make([]Part, len(order))
	for i, k := range order {
		out[i] = *sums[k]
	}
	return out, nil
}

// spansOf are the buckets that occur in list, by their start.
func spansOf(list []Point) []Point {
	var out []Point
	for i := range list {
		if n := len(out); n == 0 || out[n-1].Start != list[i].Start {
			out = append(out, Point{Start: list[i].Start, End: list[i].End})
		}
	}
	return out
}

// whole is the key of the point that a half hour is a share of.
func whole(h *Point, spans []Point, q *Query) Point {
	i, ok := slices.BinarySearchFunc(spans, h.Start, func(s Point, at int64) int { return int(s.Start - at) })
	if !ok {
		i--
	}
	k := Point{What: h.What}
	if i >= 0 {
		k.Start, k.End = spans[i].Start, spans[i].End
	}
	if q.ByNumber {
		k.Number = h.Number
	}
	if q.ByCountry {
		k.Country = h.Country
	}
	return k
}

// split prices the messages of a half hour. Those of a template share what the half hour's messages of their kind cost
// together.
func (b *Bill) split(h *Point, rows []map[cell]row) []Part {
	_, category, _ := PriceOf(h.What)
	steps := b.Tariff.Steps(time.Unix(h.Start, 0).In(b.zone()), h.Country, category)
	if len(steps) == 0 {
		return []Part{{N: h.N}}
	}
	var r row
	for _, m := range rows {
		if x, ok := m[cell{h.Start, h.What, h.Number, h.Country}]; ok {
			r = x
		}
	}
	if r.N == 0 { // of a month within its first tier
		return []Part{{N: h.N, Micro: h.N * steps[0].Micro, Tier: steps[0].Name}}
	}
	var parts []Part
	cost, after := int64(0), r.before
	for i, s := range steps {
		n := min(s.To, r.before+r.N) - after
		if i == len(steps)-1 {
			n = r.before + r.N - after
		}
		if n <= 0 {
			continue
		}
		parts = append(parts, Part{N: n, Micro: n * s.Micro, Tier: s.Name})
		cost += n * s.Micro
		after += n
	}
	if h.N == r.N {
		return parts
	}
	return []Part{{N: h.N, Micro: cost * h.N / r.N, Tier: parts[0].Tier}}
}
