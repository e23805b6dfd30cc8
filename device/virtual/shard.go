package virtual

import (
	"context"
	"sync"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// shard is a part of the users with the goroutines that work for them.
type shard struct {
	f    *Fleet
	work chan struct{} // holds one token when there may be something to do

	mu     sync.Mutex
	queue  []delivery
	spare  []delivery // the other buffer of the queue
	busy   bool       // the worker has taken something and is not done
	lost   []*user    // whose frames found the queue full
	timers timers
	made   uint64
	rouse  context.CancelFunc // makes sleep look again; nil before it runs
}

// delivery is a frame for a user's connection number gen.
type delivery struct {
	u   *user
	gen uint32
	f   frame.Frame
}

func (s *shard) wake() {
	select {
	case s.work <- struct{}{}:
	default:
	}
}

// push is the sink of all connections. It never blocks.
func (s *shard) push(u *user, gen uint32, f frame.Frame) {
	s.mu.Lock()
	switch {
	case u.lost:
		// Everything behind a dropped frame is dropped too, or an acknowledgement would cover the gap.
	case len(s.queue) >= s.f.o.queue():
		u.lost = true
		s.lost = append(s.lost, u)
		s.f.dropped.Add(1)
	default:
		s.queue = append(s.queue, delivery{u, gen, f})
	}
	s.mu.Unlock()
	s.wake()
}

// run is the worker.
func (s *shard) run(ctx context.Context) {
	for {
		if s.turn() { //nolint:contextcheck // the relay is in this process and waits for a disk at most
			if ctx.Err() != nil {
				return
			}
			continue
		}
		select {
		case <-s.work:
		case <-ctx.Done():
			return
		}
	}
}

// turn does what there is to do now and reports whether there was something.
func (s *shard) turn() bool {
	now := s.f.o.Clock.Now()
	s.mu.Lock()
	list := s.queue
	s.queue = s.spare[:0]
	s.spare = nil
	var due []timer
	for s.due(now) && len(due) < dueAtOnce {
		due = append(due, s.timers.pop())
	}
	lost := s.lost
	s.lost = nil
	s.busy = len(list)+len(due)+len(lost) > 0
	busy := s.busy
	s.mu.Unlock()
	for i := range due {
		due[i].u.fire(&due[i])
	}
	for i := range list {
		list[i].u.receive(list[i].gen, list[i].f)
	}
	for _, u := range lost {
		u.reconnect()
	}
	clear(list)
	s.mu.Lock()
	if cap(list) <= spareMax {
		s.spare = list[:0]
	}
	s.busy = false
	if len(due) > 0 && s.rouse != nil {
		s.rouse()
	}
	s.mu.Unlock()
	return busy
}

// Bounds of a worker's turn.
const (
	dueAtOnce = 1024     // timers
	spareMax  = 64 << 10 // deliveries whose memory is kept
)

// idle reports whether nothing is queued or due.
func (s *shard) idle() bool {
	now := s.f.o.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due(now) {
		s.wake() // in case a wait has missed a change of the clock
		return false
	}
	return len(s.queue) == 0 && !s.busy && len(s.lost) == 0
}
