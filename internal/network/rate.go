package network

import (
	"sync"
	"time"
)

// rate is a limit on one stream of events, as arithmetic on the time until which the events so far are paid.
type rate struct {
	every time.Duration // one event
	burst int           // events at once after a pause
}

// take records an event at now (nanoseconds) in paid, or tells how long to wait.
func (r rate) take(paid *int64, now int64) (wait time.Duration) {
	next := max(*paid, now)
	if ahead := time.Duration(next - now); ahead > time.Duration(r.burst-1)*r.every {
		return ahead - time.Duration(r.burst-1)*r.every
	}
	*paid = next + int64(r.every)
	return 0
}

// quotaKeys bounds the memory of a quota. When it is reached, keys without recent events are dropped.
const quotaKeys = 100_000

// quota allows n events per key within any span of time.
type quota struct {
	n    int
	span time.Duration

	mu   sync.Mutex
	seen map[string][]int64 // times of events in nanoseconds, ascending
}

func newQuota(n int, span time.Duration) *quota {
	return &quota{n: n, span: span, seen: make(map[string][]int64)}
}

// take records an event, or tells how long to wait.
func (q *quota) take(key string, at time.Time) (wait time.Duration) {
	now, old := at.UnixNano(), at.Add(-q.span).UnixNano()
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.seen) >= quotaKeys {
		q.purge(old)
	}
	times := q.seen[key]
	for len(times) > 0 && times[0] <= old {
		times = times[1:]
	}
	if len(times) >= q.n {
		q.seen[key] = times
		return time.Duration(times[0] - old)
	}
	q.seen[key] = append(times, now)
	return 0
}

func (q *quota) purge(old int64) {
	for key, times := range q.seen {
		if times[len(times)-1] <= old {
			delete(q.seen, key)
		}
	}
	if len(q.seen) >= quotaKeys { // all recent: forgetting is better than growing
		clear(q.seen)
	}
}
