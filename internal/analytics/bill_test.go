package analytics_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// rows are counts in memory, with the rules of the store.
type rows []analytics.Count

func (c rows) Sum(_ context.Context, q *analytics.Sum) ([]analytics.Count, error) {
	sums := map[analytics.Key]int64{}
	for _, x := range c {
		if !slices.Contains(q.Of(), x.Subject) || !slices.Contains(q.What, x.What) || x.Bucket < q.From || x.Bucket >= q.To ||
			(len(q.Numbers) > 0 && !slices.Contains(q.Numbers, x.Number)) {
			continue
		}
		k := x.Key
		if len(q.Subjects) > 0 {
			k.Subject = ""
		}
		k.Bucket = (x.Bucket-q.From)/q.Step*q.Step + q.From
		if !q.ByNumber {
			k.Number = ""
		}
		if !q.ByCountry {
			k.Country = ""
		}
		sums[k] += x.N
	}
	var out []analytics.Count
	for k, n := range sums {
		out = append(out, analytics.Count{Key: k, N: n})
	}
	return out, nil
}

func (rows) Counted(context.Context, string, ...string) (map[string][]string, error) { return nil, nil }

// tariff has two tiers in one market and one in the others.
type tariff struct{}

func (tariff) Steps(_ time.Time, country, category string) []analytics.Step {
	abroad := map[bool]int64{false: 0, true: 1000}[category == "authentication_international"]
	if country == "IN" && category != "marketing" {
		return []analytics.Step{{10, 100 + abroad, "0:10"}, {1 << 60, 10 + abroad, "11:MAX"}}
	}
	return []analytics.Step{{1 << 60, 500, "0:MAX"}}
}

func (tariff) Market(country string) string { return country }

// What accounts, numbers and half hours cost adds up to what the portfolio's messages cost one after the other, whatever was
// asked for. Source: spec/pricing.md section 3, "Volume tiers", and vector B13.
func TestBillAddsUp(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC).Unix()
	utility, auth, abroad := analytics.Priced("regular", "utility"), analytics.Priced("regular", "authentication"), analytics.Priced("regular", "authentication-international")
	var all rows
	add := func(subject, what string, at int64, number wa.PhoneNumberID, country string, n int64) {
		all = append(all, analytics.Count{Key: analytics.Key{Subject: subject, What: what, Bucket: at, Number: number, Country: country}, N: n})
	}
	add("a", utility, at, "1", "IN", 4)
	add("b", utility, at, "3", "IN", 4)
	add("a", utility, at+1800, "1", "IN", 3) // two of them are the last of the first tier
	add("a", utility, at+1800, "2", "IN", 2)
	add("b", utility, at+1800, "3", "IN", 5)
	add("a", auth, at, "1", "IN", 8)
	add("a", abroad, at+3600, "1", "IN", 4) // two of them too: both kinds count together
	add("a", utility, at, "1", "DE", 2)
	add("a", utility, at+40*86400, "1", "IN", 10) // another month begins anew
	add("t", utility, at+1800, "1", "IN", 1)      // a template's share of account a

	price := func(own, subject string, g analytics.Granularity, numbers ...wa.PhoneNumberID) (cost int64, parts string) {
		t.Helper()
		q := &analytics.Query{
			Subject: subject, What: []string{utility, auth, abroad}, Start: time.Unix(at, 0), End: time.Unix(at+50*86400, 0), Granularity: g,
			Zone: time.UTC, Numbers: numbers, ByCountry: true,
		}
		list, err := analytics.Points(t.Context(), all, q)
		if err != nil {
			t.Fatal(err)
		}
		b := analytics.Bill{
			Source: all, Tariff: tariff{}, Own: own,
			Accounts: []analytics.Account{{"a", time.UTC}, {"b", time.UTC}},
		}
		priced, err := b.Price(t.Context(), q, list)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		var lines []string
		for _, p := range priced {
			cost += p.Micro
			n += p.N
			_, category, _ := analytics.PriceOf(list[p.Point].What)
			lines = append(lines, fmt.Sprintf("%s %s %d: %d at %d", list[p.Point].Country, category, time.Unix(list[p.Point].Start, 0).UTC().Month(), p.N, p.Micro))
		}
		for _, p := range list {
			n -= p.N
		}
		if n != 0 {
			t.Errorf("%d messages are left over", n)
		}
		slices.Sort(lines)
		return cost, strings.Join(lines, ", ")
	}
	const want = "DE utility 3: 2 at 1000, IN authentication 3: 8 at 800, IN authentication_international 3: 2 at 2020, " +
		"IN authentication_international 3: 2 at 2200, IN utility 3: 3 at 30, IN utility 3: 6 at 600, IN utility 4: 10 at 1000"
	whole, parts := price("a", "a", analytics.Months)
	if parts != want {
		t.Errorf("a month: %s", parts)
	}
	for _, g := range []analytics.Granularity{analytics.Days, analytics.Halves} {
		if cost, _ := price("a", "a", g); cost != whole {
			t.Errorf("by %s: %d, want %d", g, cost, whole)
		}
	}
	first, _ := price("a", "a", analytics.Days, "1")
	second, _ := price("a", "a", analytics.Days, "2")
	if first+second != whole {
		t.Errorf("by number: %d and %d, want %d", first, second, whole)
	}
	// Utility in India in March: 18 messages, ten at 100 and eight at 10.
	if b, _ := price("b", "b", analytics.Months); b != 4*100+5*10 {
		t.Errorf("the other account: %d", b)
	}
	if cost, _ := price("a", "t", analytics.Days); cost != (2*100+10)/3 {
		t.Errorf("a template's share: %d", cost)
	}
}

// asked counts the questions to a source.
type asked struct {
	rows
	n int
}

func (a *asked) Sum(ctx context.Context, q *analytics.Sum) ([]analytics.Count, error) {
	a.n++
	return a.rows.Sum(ctx, q)
}

// What the portfolio's months held is read once for all questions of a request, and many templates are one question.
func TestBillRemembersMonths(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	utility := analytics.Priced("regular", "utility")
	src := &asked{}
	for i, subject := range []string{"a", "b", "t1", "t2"} {
		src.rows = append(src.rows, analytics.Count{Key: analytics.Key{Subject: subject, What: utility, Bucket: at.Unix(), Number: "1", Country: "IN"}, N: []int64{12, 5, 7, 5}[i]})
	}
	b := &analytics.Bill{Source: src, Tariff: tariff{}, Own: "a", Accounts: []analytics.Account{{Subject: "a", Zone: time.UTC}, {Subject: "b", Zone: time.UTC}}}
	q := &analytics.Query{
		Subjects: []string{"t1", "t2"}, What: []string{utility}, Start: at, End: at.AddDate(0, 0, 1), Granularity: analytics.Days, Zone: time.UTC, ByCountry: true,
	}
	for i, want := range []int{6, 2, 2} { // points and their half hours; the first time also two accounts by months and by half hours
		before := src.n
		list, err := analytics.Points(t.Context(), src, q)
		if err != nil || len(list) != 1 || list[0].N != 12 {
			t.Fatalf("%+v %v", list, err)
		}
		parts, err := b.Price(t.Context(), q, list)
		if err != nil || len(parts) != 2 || parts[0].Micro+parts[1].Micro != 10*100+2*10 {
			t.Errorf("%+v %v", parts, err)
		}
		if n := src.n - before; n != want {
			t.Errorf("request %d: %d questions, want %d", i+1, n, want)
		}
	}
}
