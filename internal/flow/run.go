package flow

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// queue is what Run has to do.
type queue struct {
	wake chan struct{} // holds one

	mu      sync.Mutex
	outbox  map[wa.FlowID]bool // with notices nobody has taken yet; false while they are handed over
	round   time.Time          // when endpoints are asked next
	pinging bool
}

func (q *queue) init() {
	q.wake = make(chan struct{}, 1)
	q.outbox = map[wa.FlowID]bool{}
}

func (q *queue) add(f *Flow) {
	if len(f.Outbox) == 0 {
		return
	}
	q.mu.Lock()
	q.outbox[f.ID] = true
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// begin marks that the notices of a flow are being handed over; what is added from now on keeps it waiting.
func (q *queue) begin(id wa.FlowID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.outbox[id] = false
}

// end takes a flow out, unless something was added since begin or is left.
func (q *queue) end(id wa.FlowID, left bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if left || q.outbox[id] {
		q.outbox[id] = true
		return
	}
	delete(q.outbox, id)
}

func (q *queue) forget(id wa.FlowID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.outbox, id)
}

func (q *queue) waiting() []wa.FlowID {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := make([]wa.FlowID, 0, len(q.outbox))
	for id := range q.outbox {
		list = append(list, id)
	}
	return list
}

// Idle reports whether nothing is to be done before time passes.
func (s *Service) Idle() bool {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.outbox) == 0 && !q.pinging && s.o.Clock.Now().Before(q.round)
}

const (
	retryAfter = time.Second     // after a notice was not taken
	flushEvery = 5 * time.Second // real time; a crash loses what was counted since
	pingers    = 16              // accounts whose endpoints are asked at once
	pingersOne = 4               // endpoints of one account that are asked at once
	pingFor    = 2 * time.Minute // real time, for the endpoints of an account; those that are left are asked first in the next round
)

// Run hands notices to n, asks endpoints for signs of life and writes counts, until ctx ends. It runs once.
func (s *Service) Run(ctx context.Context, n Notifier) {
	s.queue.mu.Lock()
	s.queue.round = s.o.Clock.Now().Add(pingEvery)
	s.queue.mu.Unlock()
	var all sync.WaitGroup
	all.Go(func() { s.tellAll(ctx, n) })
	all.Go(func() { s.watch(ctx) })
	all.Go(func() {
		for s.o.Wall.Sleep(ctx, flushEvery) == nil {
			s.warn(ctx, s.flush(ctx))
		}
	})
	all.Wait()
	last := context.WithoutCancel(ctx)
	s.warn(last, s.flush(last))
}

func (s *Service) warn(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.o.Log.WarnContext(ctx, "flows", "err", err)
	}
}

func (s *Service) tellAll(ctx context.Context, n Notifier) {
	for ctx.Err() == nil {
		var err error
		for _, id := range s.queue.waiting() {
			err = errors.Join(err, s.hand(ctx, n, id))
		}
		if err != nil {
			s.warn(ctx, err)
			_ = s.o.Wall.Sleep(ctx, retryAfter) // the loop looks at ctx
			continue
		}
		select {
		case <-ctx.Done():
		case <-s.queue.wake:
		}
	}
}

// hand gives the notices of a flow to n. A crash in between repeats them.
func (s *Service) hand(ctx context.Context, n Notifier, id wa.FlowID) (failed error) {
	s.queue.begin(id) // before the flow is looked at: what others add meanwhile must not be forgotten
	defer func() { s.queue.end(id, failed != nil) }()
	f, ok := s.Flow(id)
	if !ok {
		return nil
	}
	told := 0
	for _, m := range f.Outbox {
		if failed = n.Notify(ctx, f.WABA, Field, m); failed != nil {
			break
		}
		told++
	}
	if told > 0 {
		if _, err := s.change(ctx, id, func(f *Flow) ([]byte, error) { f.Outbox = f.Outbox[told:]; return nil, nil }); err != nil {
			return errors.Join(failed, err)
		}
	}
	return failed
}

// watch asks every endpoint of a published flow every ten minutes of platform time.
func (s *Service) watch(ctx context.Context) {
	for {
		s.queue.mu.Lock()
		next := s.queue.round
		s.queue.mu.Unlock()
		if s.o.Clock.Sleep(ctx, next.Sub(s.o.Clock.Now())) != nil {
			return
		}
		s.queue.mu.Lock()
		s.queue.pinging = true
		s.queue.mu.Unlock()
		s.pingAll(ctx)
		s.warn(ctx, s.o.Counts.ForgetFlowCounts(ctx, s.o.Clock.Now().Add(-LookBack).Unix()))
		s.queue.mu.Lock()
		s.queue.pinging, s.queue.round = false, s.o.Clock.Now().Add(pingEvery)
		s.queue.mu.Unlock()
	}
}

// pingAll is one round. Accounts do not wait for each other's endpoints: each has its own few and its own time.
func (s *Service) pingAll(ctx context.Context) {
	accounts := map[wa.WABAID][]*Flow{}
	s.ids.Range(func(_, v any) bool {
		f := v.(*Flow)
		if (f.Status == Published || f.Status == Throttled) && f.Live.Talks() {
			accounts[f.WABA] = append(accounts[f.WABA], f)
		}
		return true
	})
	var all sync.WaitGroup
	defer all.Wait()
	turn := make(chan struct{}, pingers)
	for _, flows := range accounts {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return
		}
		all.Go(func() {
			defer func() { <-turn }()
			s.pingAccount(ctx, flows)
		})
	}
}

// pingAccount asks the endpoints of an account, first those that were not asked for the longest time.
func (s *Service) pingAccount(ctx context.Context, flows []*Flow) {
	last := make(map[wa.FlowID]time.Time, len(flows))
	for _, f := range flows {
		last[f.ID] = s.endpointOf(f.ID).asked()
	}
	slices.SortFunc(flows, func(a, b *Flow) int { return last[a.ID].Compare(last[b.ID]) })
	ends := s.o.Wall.Now().Add(pingFor)
	var all sync.WaitGroup
	defer all.Wait()
	turn := make(chan struct{}, pingersOne)
	for _, f := range flows {
		turn <- struct{}{} // endpoints are given up after some seconds
		if ctx.Err() != nil || !s.o.Wall.Now().Before(ends) {
			return
		}
		all.Go(func() {
			defer func() { <-turn }()
			s.pingOne(ctx, f)
		})
	}
}

func (s *Service) pingOne(ctx context.Context, f *Flow) {
	_, signed := s.o.Accounts.Keys(f.WABA)
	err := s.ping(ctx, f, &f.Live, signed)
	if err != nil && ctx.Err() != nil {
		return
	}
	c := call{at: s.o.Clock.Now(), kind: kindOf(err)}
	if c.kind == "" && err != nil {
		c.kind = NotReady
	}
	s.observePing(ctx, f.ID, c)
}
