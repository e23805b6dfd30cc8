package bench

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// Pace hands out the turns of an open loop: turn i is due at start + i/rate, whatever became of the turns before it. It is
// safe for concurrent use; each turn is handed out once.
type Pace struct {
	clock clock.Clock
	start time.Time
	rate  float64
	total int64
	next  atomic.Int64
}

// NewPace makes total turns, rate (> 0) per second, the first one due at start.
func NewPace(c clock.Clock, start time.Time, rate float64, total int64) *Pace {
	return &Pace{clock: c, start: start, rate: rate, total: total}
}

// Next waits until the next turn is due. When the caller is late the turn is handed out at once, with the instant at which
// it was due: latencies count from there. ok is false after the last turn and when ctx has ended.
func (p *Pace) Next(ctx context.Context) (i int64, due time.Time, ok bool) {
	i = p.next.Add(1) - 1
	if i >= p.total {
		return 0, time.Time{}, false
	}
	due = p.Due(i)
	if wait := due.Sub(p.clock.Now()); wait > 0 {
		if p.clock.Sleep(ctx, wait) != nil {
			return 0, time.Time{}, false
		}
	}
	return i, due, ctx.Err() == nil
}

// Due is when turn i is due.
func (p *Pace) Due(i int64) time.Time {
	return p.start.Add(time.Duration(float64(i) / p.rate * float64(time.Second)))
}

// Handed is how many turns have been taken so far.
func (p *Pace) Handed() int64 { return min(p.next.Load(), p.total) }
