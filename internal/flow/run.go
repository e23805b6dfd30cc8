package flow

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// queue is what Run has to do.
type queue struct {
	wake chan struct{} // holds one

	mu      sync.Mutex
	outbox  map[wa.FlowID]bool // with notices nobody has taken yet
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
	pingers    = 16              // endpoints that are asked at once
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
	f, ok := s.Flow(id)
	if !ok {
		s.queue.forget(id)
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
	if f, ok := s.Flow(id); !ok || len(f.Outbox) == 0 {
		s.queue.forget(id)
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

func (s *Service) pingAll(ctx context.Context) {
	var all sync.WaitGroup
	turn := make(chan struct{}, pingers)
	s.ids.Range(func(_, v any) bool {
		f := v.(*Flow)
		if (f.Status != Published && f.Status != Throttled) || !f.Live.Talks() {
			return true
		}
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return false
		}
		all.Go(func() {
			defer func() { <-turn }()
			s.pingOne(ctx, f)
		})
		return true
	})
	all.Wait()
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
