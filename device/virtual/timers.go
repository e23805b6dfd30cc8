package virtual

import (
	"context"
	"time"
)

// timer is something a user does later.
type timer struct {
	at   int64 // Unix nanoseconds
	n    uint64
	u    *user
	what what
	chat string
	ids  []string
	act  Action
	turn uint32 // of user.turn, for whatOnline and whatOffline
}

type what uint8

const (
	whatAct    what = iota + 1 // act about ids in chat
	whatTick                   // Device.Tick, if u.tickAt is still at
	whatOnline                 // connect, if u.turn is still turn
	whatOffline
)

// timers is a heap: the earliest first, in the order of their making when equal. Written out because container/heap boxes
// every element.
type timers []timer

func (h timers) before(i, j int) bool {
	return h[i].at < h[j].at || (h[i].at == h[j].at && h[i].n < h[j].n)
}

func (h *timers) push(t timer) {
	*h = append(*h, t)
	for i := len(*h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.before(i, up) {
			return
		}
		(*h)[i], (*h)[up] = (*h)[up], (*h)[i]
		i = up
	}
}

func (h *timers) pop() timer {
	old := *h
	first, last := old[0], len(old)-1
	old[0] = old[last]
	old[last] = timer{}
	*h = old[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return first
		}
		if child+1 < last && h.before(child+1, child) {
			child++
		}
		if !h.before(child, i) {
			return first
		}
		(*h)[i], (*h)[child] = (*h)[child], (*h)[i]
		i = child
	}
}

// later needs s.mu. It arranges for t at its time.
func (s *shard) later(t timer) {
	s.made++
	t.n = s.made
	s.timers.push(t)
	if s.timers[0].n == t.n && s.rouse != nil {
		s.rouse() // the sleeper waits for a later one
	}
}

// due reports whether the first timer's time has come; needs s.mu.
func (s *shard) due(now time.Time) bool {
	return len(s.timers) > 0 && s.timers[0].at <= now.UnixNano()
}

// sleep waits for the first timer, again and again, and wakes the worker.
func (s *shard) sleep(ctx context.Context) {
	for ctx.Err() == nil {
		wait, rouse := context.WithCancel(ctx)
		s.mu.Lock()
		s.rouse = rouse
		d, any := time.Duration(0), len(s.timers) > 0
		if any {
			d = time.Unix(0, s.timers[0].at).Sub(s.f.o.Clock.Now())
		}
		s.mu.Unlock()
		if !any {
			<-wait.Done()
		} else if d <= 0 || s.f.o.Clock.Sleep(wait, d) == nil {
			s.wake()
			// The worker takes what is due and then rouses this loop.
			<-wait.Done()
		}
		rouse()
	}
}

// Poke makes the fleet look at the clock again. Call it after the platform's time was moved by hand: a wait that was begun
// in the same instant may have missed it.
func (f *Fleet) Poke() {
	for _, s := range f.shards {
		s.mu.Lock()
		if s.rouse != nil {
			s.rouse()
		}
		s.mu.Unlock()
		s.wake()
	}
}
