package webhook

import (
	"slices"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// queue is a first-in, first-out line of events. While an update of a message is on its way, later ones of the same message
// stand aside, so that a receiver sees delivered before read although many workers post at once; messages do not wait for
// each other. The zero value is empty.
type queue struct {
	items []event
	head  int
	bytes int // cost of all events, those aside included
	aside int // events that wait for an earlier one of their message
	taken map[wa.MessageID]turn
	turns uint64 // calls of pop
}

// turn is a message of which an update is on its way.
type turn struct {
	n      uint64 // the pop that took it
	behind []event
}

// len is how many events could be taken now, if none of them belonged to a message on its way.
func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(events []event) {
	if q.head > 0 && q.head >= len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, events...)
	for i := range events {
		q.bytes += events[i].cost()
	}
}

// pop moves up to n events with at most size bytes of payload to the end of to; the first one is moved whatever its size.
// Updates of a number without storage share a POST only with updates of the same number and minute, see [event.joins].
// It may return none of a queue that is not empty: then what it holds waits for events that were taken before. [queue.free]
// must be told when those are dealt with.
func (q *queue) pop(to []event, n, size int) []event {
	q.turns++
	for first := true; q.head < len(q.items) && n > 0; {
		e := &q.items[q.head]
		t, busy := q.taken[e.id]
		if busy && t.n != q.turns {
			t.behind = append(t.behind, *e)
			q.taken[e.id] = t
			q.aside++
		} else {
			size -= len(e.body)
			if !first && (size < 0 || !e.joins(&to[len(to)-1])) {
				break
			}
			q.take(e.id)
			to = append(to, *e)
			q.bytes -= e.cost()
			first = false
			n--
		}
		*e = event{}
		q.head++
	}
	return to
}

// take notes that an update of the message is on its way. Updates that belong to no message keep no order.
func (q *queue) take(id wa.MessageID) {
	if id == "" {
		return
	}
	if q.taken == nil {
		q.taken = map[wa.MessageID]turn{}
	}
	q.taken[id] = turn{n: q.turns}
}

// free puts what waited for these events at the head of the queue and returns how many came back.
func (q *queue) free(events []event) (back int) {
	for i := range events {
		t, ok := q.taken[events[i].id]
		if !ok {
			continue // several of one message
		}
		delete(q.taken, events[i].id)
		k := len(t.behind)
		if k == 0 {
			continue
		}
		if q.head >= k {
			q.head -= k
			copy(q.items[q.head:], t.behind)
		} else {
			q.items = slices.Insert(q.items, q.head, t.behind...)
		}
		q.aside -= k
		back += k
	}
	return back
}
