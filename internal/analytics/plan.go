package analytics

import (
	"context"
	"sort"
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
	for at := floor(start.In(zone), g); at.Before(end); {
		next := at.AddDate(0, 0, 1)
		if g == Months {
			next = at.AddDate(0, 1, 0)
		}
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

func floor(t time.Time, g Granularity) time.Time {
	y, m, d := t.Date()
	if g == Months {
		d = 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// Zone is the time zone behind a WABA's timezone_id: the number of an advertising time zone, of which few are published, or
// an IANA name. What is not known is UTC. Source: spec/business.md section 2.1.
func Zone(id string) *time.Location {
	name, ok := zones[id]
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

var zones = map[string]string{
	"0": "UTC", "1": "America/Los_Angeles", "7": "America/New_York", "24": "America/Sao_Paulo",
}
