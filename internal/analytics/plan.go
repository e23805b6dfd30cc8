package analytics

import (
	"context"
	_ "embed"
	"sort"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // machines without a zone database count days like others

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Granularity is the length of a bucket. Source: spec/analytics.md section 1.3; both spellings are taken.
type Granularity string

// The granularities.
const (
	Halves Granularity = "HALF_HOUR"
	Days   Granularity = "DAY"
	Months Granularity = "MONTH"
)

// LookBack is how far back counts can be asked for, in years, and LookBackTemplates in days. Source: spec/analytics.md
// section 1.2.
const (
	LookBack          = 1
	LookBackTemplates = 90
)

// Query asks for points: sums per bucket.
type Query struct {
	Subject     string
	Subjects    []string // like those of a Sum
	What        []string
	Start, End  time.Time // buckets that hold any of it are whole
	Granularity Granularity
	Zone        *time.Location // of days and months
	Numbers     []wa.PhoneNumberID
	Countries   []string
	ByNumber    bool
	ByCountry   bool
}

// Point is a sum that is not zero.
type Point struct {
	Start, End int64 // Unix seconds
	What       string
	Number     wa.PhoneNumberID
	Country    string
	N          int64
}

// Points answers a query, in the order of time and then of the rest of a point.
func Points(ctx context.Context, src Source, q *Query) ([]Point, error) {
	var out []Point
	for _, r := range runs(q.Start, q.End, q.Granularity, q.Zone) {
		list, err := src.Sum(ctx, &Sum{
			Subject: q.Subject, Subjects: q.Subjects, What: q.What, From: r.from, To: r.to, Step: r.step, Numbers: q.Numbers, Countries: q.Countries,
			ByNumber: q.ByNumber, ByCountry: q.ByCountry,
		})
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			out = append(out, Point{c.Bucket, c.Bucket + r.step, c.What, c.Number, c.Country, c.N})
		}
	}
	sort.Slice(out, func(i, j int) bool { return less(&out[i], &out[j]) })
	return out, nil
}

func less(a, b *Point) bool {
	switch {
	case a.Start != b.Start:
		return a.Start < b.Start
	case a.What != b.What:
		return a.What < b.What
	case a.Number != b.Number:
		return a.Number < b.Number
	}
	return a.Country < b.Country
}

// run is a span of buckets of the same length: a year of days is three of them where clocks are put forward and back.
type run struct{ from, to, step int64 }

func runs(start, end time.Time, g Granularity, zone *time.Location) (out []run) {
	if most := start.AddDate(LookBack, 1, 0); end.After(most) {
		end = most // nobody may ask for more
	}
	if !start.Before(end) {
		return nil
	}
	if g == Halves {
		from := start.Unix() / HalfHour * HalfHour
		return []run{{from, (end.Unix() + HalfHour - 1) / HalfHour * HalfHour, HalfHour}}
	}
	y, m, d := start.In(zone).Date()
	days, months := 1, 0
	if g == Months {
		d, days, months = 1, 0, 1
	}
	for at := midnight(y, m, d, zone); at.Before(end); {
		d += days
		m += time.Month(months)
		next := midnight(y, m, d, zone)
		step := next.Unix() - at.Unix()
		if n := len(out); n > 0 && out[n-1].step == step {
			out[n-1].to += step
		} else {
			out = append(out, run{at.Unix(), next.Unix(), step})
		}
		at = next
	}
	return out
}

// midnight is when a day begins: at one o'clock where clocks are put forward at midnight, as in Chile.
func midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if t.Hour() != 0 {
		return time.Date(y, m, d, 1, 0, 0, 0, zone)
	}
	return t
}

// Zone is the time zone behind a WABA's timezone_id: the number of an advertising time zone, or an IANA name. What is not known
// is UTC. Source: spec/business.md section 2.1.
func Zone(id string) *time.Location {
	name, ok := zones()[id]
	if !ok {
		name = id
	}
	if name == "" || name == "Local" {
		return time.UTC
	}
	if loc, ok := loaded.Load(name); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	loaded.Store(name, loc)
	return loc
}

// loaded are the zones that were read, by name: there are some hundred.
var loaded sync.Map

//go:embed zones.csv
var zoneFile string

// zones maps the numbers that are published to names. All are whole half hours from UTC, as counts are.
var zones = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(zoneFile) {
		if id, name, ok := strings.Cut(strings.TrimSpace(line), ","); ok {
			m[id] = name
		}
	}
	return m
})
