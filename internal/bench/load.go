package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/retry"
)

// load sends the messages of a run and keeps what was answered.
type load struct {
	clock  clock.Clock
	ledger *Ledger
	roster *roster
	addr   string

	accept *Latencies // from the instant a message was due to its answer; of a closed loop, from the send
	late   *Latencies // from the instant a message was due to its send: the generator's own part
	refusals
}

// refusals counts what was not accepted.
type refusals struct {
	attempted atomic.Int64
	starved   atomic.Int64 // sends of a closed loop that waited for the pair rate limit

	mu      sync.Mutex
	refused map[int]int64 // by error code
	broken  int64         // connections that failed; nobody knows whether the message was accepted
	first   error         // of either kind
}

// refuse counts an answer that was no success, or the lack of one.
func (n *refusals) refuse(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.first == nil {
		n.first = err
	}
	if e, ok := errors.AsType[*retry.Error](err); ok {
		if n.refused == nil {
			n.refused = map[int]int64{}
		}
		n.refused[e.Code]++
		return
	}
	n.broken++
}

// failures returns the counts by code, the broken sends and the first error.
func (n *refusals) failures() (map[int]int64, int64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.refused), n.broken, n.first
}

// send sends message number i of conversation to and waits for the answer. It reports whether the message was accepted.
func (l *load) send(ctx context.Context, c *conn, buf *[]byte, to *conversation, i int64, due time.Time) bool {
	*buf = to.request((*buf)[:0], i)
	l.attempted.Add(1)
	l.late.Record(l.clock.Now().Sub(due))
	status, answer, err := c.post(ctx, *buf)
	now := l.clock.Now()
	if err == nil {
		err = retry.Response(status, answer)
	}
	var id []byte
	if err == nil {
		id, err = sentID(answer)
	}
	if err != nil {
		l.refuse(err)
		return false
	}
	l.accept.Record(now.Sub(due))
	l.ledger.Accepted(id, now)
	return true
}

// openLoop sends at the pace's instants, over at most workers connections. When all are busy the messages leave late, and
// their latencies count the wait.
func (l *load) openLoop(ctx context.Context, p *Pace, workers int) {
	crew(workers, l.addr, func(c *conn) {
		var buf []byte
		_ = c.dial(ctx) // before the first message is due; if it fails, the first message tells
		for {
			i, due, ok := p.Next(ctx)
			if !ok {
				return
			}
			to, _ := l.roster.take(due)
			l.send(ctx, c, &buf, to, i, due)
		}
	})
}

// closedLoop sends whenever there is a token, until enough ends; what is being sent then gets its answer, unless ctx ends. A
// message takes a token along until its last status is in.
func (l *load) closedLoop(ctx, enough context.Context, tokens *tokens, workers int) {
	var n atomic.Int64
	crew(workers, l.addr, func(c *conn) {
		var buf []byte
		for tokens.take(enough) {
			to, rest := l.roster.take(l.clock.Now())
			if rest > 0 {
				l.starved.Add(1)
				if l.clock.Sleep(enough, rest) != nil {
					return
				}
			}
			if !l.send(ctx, c, &buf, to, n.Add(1), l.clock.Now()) {
				tokens.give()
			}
		}
	})
}

// tokens bound the messages on their way.
type tokens struct {
	c    chan struct{}
	size int // tokens in the world; of one goroutine
	done atomic.Int64
}

func newTokens(most int) *tokens { return &tokens{c: make(chan struct{}, most)} }

func (t *tokens) take(ctx context.Context) bool {
	select {
	case <-t.c:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// give brings a token back. There is always room, because no more than there are can come back.
func (t *tokens) give() {
	select {
	case t.c <- struct{}{}:
	default:
	}
}

// complete is give for a message that has all its statuses.
func (t *tokens) complete() {
	t.done.Add(1)
	t.give()
}

// resize makes n tokens of what there are. Taking some away waits for them.
func (t *tokens) resize(ctx context.Context, n int) {
	for ; t.size < n; t.size++ {
		t.give()
	}
	for ; t.size > n && t.take(ctx); t.size-- {
	}
}

// Bounds of the search for the maximum.
const (
	firstWindow = 64
	mostWindow  = 16 << 10
	settleTime  = time.Second
	stepTime    = 4 * time.Second
	growth      = 1.05 // two steps in a row that bring less than this are the last
	mostWorkers = 256
)

// Step is a window of the search for the maximum.
type Step struct {
	Window int     `json:"in_flight"` // messages on their way at any time
	Rate   float64 `json:"mps"`       // messages that got their last status, per second
}

// climb doubles the window until the rate does not grow any more. It returns the steps and the smallest window that comes
// close to the best rate: a larger one only lets messages wait.
func (l *load) climb(ctx context.Context, t *tokens, tell func(string)) (steps []Step, best int, err error) {
	top, flat := 0.0, 0
	for n := firstWindow; n <= mostWindow && flat < 2; n *= 2 {
		t.resize(ctx, n)
		rate, err := l.rate(ctx, t, settleTime, stepTime)
		if err != nil {
			return steps, 0, err
		}
		steps = append(steps, Step{n, rate})
		tell(fmt.Sprintf("%d in flight: %s messages/s with all statuses", n, thousands(int64(rate))))
		flat++
		if rate > top*growth {
			flat = 0
		}
		top = max(top, rate)
	}
	for _, s := range steps {
		if s.Rate > 0 && s.Rate*growth >= top {
			return steps, s.Window, nil
		}
	}
	return steps, 0, nil
}

// rate is how many messages per second get their last status, over d after settle.
func (l *load) rate(ctx context.Context, t *tokens, settle, d time.Duration) (float64, error) {
	if err := l.clock.Sleep(ctx, settle); err != nil {
		return 0, err
	}
	begin, before := l.clock.Now(), t.done.Load()
	if err := l.clock.Sleep(ctx, d); err != nil {
		return 0, err
	}
	return float64(t.done.Load()-before) / l.clock.Now().Sub(begin).Seconds(), nil
}
