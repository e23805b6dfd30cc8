package clock

import (
	"container/heap"
	"time"
)

// controlledTimer is a Timer of a Controlled clock. All fields but the channel are guarded by the clock's mutex.
type controlledTimer struct {
	clock *Controlled
	c     chan time.Time // holds at most one value
	due   time.Time
	seq   uint64
	at    int // index in the queue, -1 when not waiting
}

func (t *controlledTimer) C() <-chan time.Time { return t.c }

// Stop implements [Timer].
func (t *controlledTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	return t.clear()
}

// Reset implements [Timer].
func (t *controlledTimer) Reset(d time.Duration) bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	active := t.clear()
	t.clock.start(t, d)
	return active
}

// clear takes the timer out of the queue, or takes back the value nobody has received yet. It reports whether there
// was something to take, and needs the clock's mutex.
func (t *controlledTimer) clear() bool {
	if t.at >= 0 {
		first := t.at == 0
		heap.Remove(&t.clock.waiting, t.at)
		if first {
			t.clock.arm()
		}
		return true
	}
	select {
	case <-t.c:
		return true
	default:
		return false
	}
}

// queue is a heap of timers, the first due on top.
type queue []*controlledTimer

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].due.Equal(q[j].due) {
		return q[i].seq < q[j].seq
	}
	return q[i].due.Before(q[j].due)
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	t := x.(*controlledTimer)
	t.at = len(*q)
	*q = append(*q, t)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	old := *q
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	t.at = -1
	return t
}
