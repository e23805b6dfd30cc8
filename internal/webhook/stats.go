package webhook

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"time"
)

// Buckets are the upper bounds of the latency histogram; one more bucket takes what is slower.
var Buckets = [...]time.Duration{
	25 * time.Millisecond, 50 * time.Millisecond, 75 * time.Millisecond, 100 * time.Millisecond, 150 * time.Millisecond,
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
}

// latencies counts the answers of one endpoint since the process started.
type latencies struct {
	buckets [len(Buckets) + 1]uint64
	failed  uint64
	lost    int
}

func (l *latencies) add(d time.Duration) {
	l.buckets[sort.Search(len(Buckets), func(i int) bool { return d <= Buckets[i] })]++
}

// Stats is the state of one endpoint.
type Stats struct {
	Endpoint    EndpointID
	URL         string
	Suspended   bool
	NextProbe   time.Time // while suspended
	Failures    int       // attempts in a row
	Concurrency int       // most POSTs in flight at present
	InFlight    int
	Queued      int       // updates in memory
	Behind      uint64    // frames of the journal behind its cursors
	Waiting     int       // updates in the store
	NextRetry   time.Time // zero without any
	Oldest      time.Time // oldest update in memory or held by a suspension; zero without any. Rows: see [Dispatcher.Waiting]

	Buckets [len(Buckets) + 1]uint64 // answers by latency, see [Buckets]
	Answers uint64                   // good ones
	Failed  uint64                   // attempts
	Lost    int                      // updates given up
}

// Median is the upper bound of the bucket that holds the median; 0 without answers.
func (s *Stats) Median() time.Duration {
	var sum uint64
	for i, n := range s.Buckets {
		if sum += n; sum*2 >= s.Answers && s.Answers > 0 {
			if i == len(Buckets) {
				return 2 * Buckets[i-1]
			}
			return Buckets[i]
		}
	}
	return 0
}

// Slow is the share of answers above one second, 0 to 1.
func (s *Stats) Slow() float64 {
	if s.Answers == 0 {
		return 0
	}
	var slow uint64
	for i, n := range s.Buckets {
		if i == len(Buckets) || Buckets[i] > SlowStandard {
			slow += n
		}
	}
	return float64(slow) / float64(s.Answers)
}

// MeetsStandard says whether the receiver keeps the standard: median at most 250 ms, less than 1 % above 1 s.
func (s *Stats) MeetsStandard() bool { return s.Median() <= MedianStandard && s.Slow() < 0.01 }

// Stats returns the state of every endpoint, ordered by app and scope.
func (d *Dispatcher) Stats() []Stats {
	var out []Stats
	for _, e := range d.all() {
		out = append(out, e.show())
	}
	slices.SortFunc(out, func(a, b Stats) int {
		return cmp.Or(cmp.Compare(a.Endpoint.App, b.Endpoint.App), cmp.Compare(a.Endpoint.Scope, b.Endpoint.Scope))
	})
	return out
}

func (e *endpoint) show() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Stats{
		Endpoint: e.id, URL: e.urlText, Suspended: e.suspended, Failures: e.failures, Concurrency: e.ctl.width(),
		InFlight: e.inflight, Queued: e.queue.len() + e.queue.aside, Waiting: e.waiting, NextRetry: e.nextDue,
		Buckets: e.stats.buckets, Failed: e.stats.failed, Lost: e.stats.lost,
	}
	if e.suspended {
		s.NextProbe = e.probeAt
	}
	for _, n := range s.Buckets {
		s.Answers += n
	}
	if e.queue.len() > 0 {
		s.Oldest = time.UnixMilli(e.queue.items[e.queue.head].born).UTC()
	}
	if !e.heldSince.IsZero() && (s.Oldest.IsZero() || e.heldSince.Before(s.Oldest)) {
		s.Oldest = e.heldSince
	}
	for i := range e.parts {
		head := e.d.parts[i].head.Load()
		s.Behind += head - min(head, e.parts[i].mark(head))
	}
	return s
}

// Waiting sums up the rows in the store per endpoint. It reads the store.
func (d *Dispatcher) Waiting(ctx context.Context) ([]PendingCount, error) {
	return d.o.Store.PendingCounts(ctx)
}

// Idle says that nothing is on its way: every durable frame was read, and no POST is in flight, queued or due. POSTs whose
// next attempt lies in the future and suspended endpoints between probes do not count.
func (d *Dispatcher) Idle() bool {
	for _, p := range d.parts {
		if p.head.Load() < p.log.Last() {
			return false
		}
	}
	now := d.o.Clock.Now()
	for _, e := range d.all() {
		if !e.idle(now) {
			return false
		}
	}
	return d.untried.Load() == 0
}

func (e *endpoint) idle(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.inflight > 0 || e.loading || e.filling {
		return false
	}
	if e.suspended {
		return e.probeAt.After(now)
	}
	return e.queue.len() == 0 && len(e.rows)+e.rowsOut == 0 && !e.lagging() && !isDue(e.nextDue, now)
}
