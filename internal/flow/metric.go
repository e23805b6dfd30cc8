package flow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// What is counted by the hour. There are few of each, so that a flow has at most some thousand rows.
const (
	whatRequest = "request"
	whatError   = "error/"   // and the kind
	whatLatency = "latency/" // and seconds, rounded up
	whatUp      = "ping/succeeded"
	whatDown    = "ping/failed"
)

// LookBack is how long counts are kept. Source: spec/flows.md section 6.
const LookBack = 90 * 24 * time.Hour

func latencyWhat(d time.Duration) string {
	const most = 30 // twice the endpoint's time, and then some
	return whatLatency + strconv.FormatInt(min(int64((d+time.Second-1)/time.Second), most), 10)
}

// tally is what was counted since it was written last.
type tally struct {
	mu     sync.Mutex
	counts map[Count]int64 // by count without N
}

func (s *Service) count(id wa.FlowID, at time.Time, what string) {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	s.tally.counts[Count{Flow: id, Hour: at.Truncate(time.Hour).Unix(), What: what}]++
}

// uncount drops what was counted of a flow that is gone.
func (s *Service) uncount(id wa.FlowID) {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	maps.DeleteFunc(s.tally.counts, func(c Count, _ int64) bool { return c.Flow == id })
}

// flush writes what was counted. Counts that cannot be written wait for the next time.
func (s *Service) flush(ctx context.Context) error {
	s.tally.mu.Lock()
	list := make([]Count, 0, len(s.tally.counts))
	for c, n := range s.tally.counts {
		c.N = n
		list = append(list, c)
	}
	clear(s.tally.counts)
	s.tally.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Flow, b.Flow), cmp.Compare(a.Hour, b.Hour), cmp.Compare(a.What, b.What))
	})
	if err := s.o.Counts.AddFlowCounts(ctx, list); err != nil {
		s.tally.mu.Lock()
		defer s.tally.mu.Unlock()
		for _, c := range list {
			n := c.N
			c.N = 0
			s.tally.counts[c] += n
		}
		return fmt.Errorf("count requests of flows: %w", err)
	}
	return nil
}

// Metric is what of an endpoint is asked for.
type Metric string

// The metrics. Source: spec/flows.md section 6.
const (
	RequestCount     Metric = "ENDPOINT_REQUEST_COUNT"
	RequestErrors    Metric = "ENDPOINT_REQUEST_ERROR"
	RequestErrorRate Metric = "ENDPOINT_REQUEST_ERROR_RATE"
	RequestLatency   Metric = "ENDPOINT_REQUEST_LATENCY_SECONDS_CEIL"
	RequestAvailable Metric = "ENDPOINT_AVAILABILITY"
)

// Granularity of a metric.
type Granularity string

// The granularities. Lifetime is one point over everything that is kept.
const (
	Hour     Granularity = "HOUR"
	Day      Granularity = "DAY"
	Lifetime Granularity = "LIFETIME"
)

// Query asks for a metric of a flow.
type Query struct {
	Flow        wa.FlowID
	Metric      Metric
	Granularity Granularity
	Since       time.Time // inclusive, at the start of an hour
	Until       time.Time // exclusive
	Zone        *time.Location
}

// Point is the metric of one hour or day.
type Point struct {
	At   time.Time
	Data []Datum
}

// Datum is one value. It is an integer unless Rate is set.
type Datum struct {
	Key  string
	N    int64
	Rate float64
	rate bool
}

// IsRate reports whether the value is Rate.
func (d *Datum) IsRate() bool { return d.rate }

// Points answers a query: one point for every hour or day in which something was counted, the oldest first.
func (s *Service) Points(ctx context.Context, q Query) ([]Point, error) {
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	list, err := s.o.Counts.FlowCounts(ctx, q.Flow, q.Since.Unix(), q.Until.Unix())
	if err != nil {
		return nil, fmt.Errorf("read counts of a flow: %w", err)
	}
	byTime := map[int64]map[string]int64{}
	for _, c := range list {
		at := q.start(c.Hour)
		if byTime[at] == nil {
			byTime[at] = map[string]int64{}
		}
		byTime[at][c.What] += c.N
	}
	var out []Point
	for at, counts := range byTime {
		if data := q.data(counts); len(data) > 0 {
			out = append(out, Point{time.Unix(at, 0).UTC(), data})
		}
	}
	slices.SortFunc(out, func(a, b Point) int { return a.At.Compare(b.At) })
	return out, nil
}

// start is when the point begins that an hour belongs to.
func (q *Query) start(hour int64) int64 {
	switch q.Granularity {
	case Day:
		y, m, d := time.Unix(hour, 0).In(q.Zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, q.Zone).Unix()
	case Lifetime:
		return q.Since.Unix()
	case Hour:
	}
	return hour
}

// data picks from the counts of one point what the metric shows; nothing when nothing was counted.
func (q *Query) data(counts map[string]int64) (out []Datum) {
	requests := counts[whatRequest]
	switch q.Metric {
	case RequestCount:
		if requests > 0 {
			out = []Datum{{Key: "value", N: requests}}
		}
	case RequestErrorRate:
		if requests > 0 {
			bad := int64(0)
			for what, n := range counts {
				if strings.HasPrefix(what, whatError) {
					bad += n
				}
			}
			out = []Datum{{Key: "value", Rate: float64(bad) / float64(requests), rate: true}}
		}
	case RequestErrors:
		out = below(counts, whatError)
	case RequestLatency:
		out = below(counts, whatLatency)
	case RequestAvailable:
		if up, down := counts[whatUp], counts[whatDown]; up+down > 0 {
			out = []Datum{{Key: "succeeded", N: up}, {Key: "failed", N: down}}
		}
	}
	return out
}

func below(counts map[string]int64, prefix string) (out []Datum) {
	for what, n := range counts {
		if key, ok := strings.CutPrefix(what, prefix); ok {
			out = append(out, Datum{Key: key, N: n})
		}
	}
	slices.SortFunc(out, func(a, b Datum) int {
		return cmp.Or(cmp.Compare(len(a.Key), len(b.Key)), cmp.Compare(a.Key, b.Key))
	})
	return out
}
