package webhook

import (
	"net/url"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// part is an endpoint's place in one partition.
type part struct {
	attached bool         // the head reader feeds it
	seen     uint64       // attached: frames up to here were dealt with before; else: where its own reader goes on
	open     []*openFrame // frames with unfinished events, ascending
	saved    uint64       // cursor in the store; may be atHead
	stored   bool         // saved is in the store
}

func (p *part) last() uint64 {
	if n := len(p.open); n > 0 {
		return max(p.seen, p.open[n-1].seq)
	}
	return p.seen
}

// mark is the cursor: the last frame up to which nothing is unfinished. head is the head reader's place, read before.
func (p *part) mark(head uint64) uint64 {
	switch {
	case len(p.open) > 0:
		return p.open[0].seq - 1
	case p.attached:
		return max(p.seen, head)
	default:
		return p.seen
	}
}

// endpoint is a receiver with everything that waits for it.
type endpoint struct {
	id EndpointID
	d  *Dispatcher

	mu      sync.Mutex
	url     *url.URL // last one used; parsed again when the text changes
	urlText string
	retired bool // its scope is gone; what it holds goes to the URL that applies instead
	closed  bool // dropped with its app's subscription

	parts    []part
	queue    queue
	held     int // cost of events in flight
	starting int // workers that have not taken work yet
	inflight int // workers, those starting included
	ctl      control
	filling  bool // its own reader runs
	turn     int  // partition its own reader looks at next

	failures  int // in a row
	suspended bool
	revive    bool // a delivery succeeded while suspended
	probes    int
	heldSince time.Time // oldest update that could not be sent, while suspended
	probeAt   time.Time

	rows    []*job // due POSTs from the store
	rowsOut int    // being tried
	rowTurn bool   // rows and queue take turns
	loading bool
	nextDue time.Time // smallest Next in the store; zero when there are no rows
	pending int       // rows in the store
	waiting int       // updates in them

	stats latencies
}

func newEndpoint(d *Dispatcher, id EndpointID) *endpoint {
	return &endpoint{id: id, d: d, parts: make([]part, len(d.parts)), ctl: newControl(d.o.StartConcurrency, d.o.MaxConcurrency)}
}

// offer takes over the events of a frame from the head reader, or detaches from it; the frame held updates, too, that are lost to
// whoever takes it. It says whether the endpoint did: else it has dealt with the frame before, or reads it for itself.
func (e *endpoint) offer(p *partition, seq uint64, events []event, lost int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	pt := &e.parts[p.index]
	if !pt.attached || seq <= pt.seen || e.closed {
		return false
	}
	if e.suspended || !e.fits(events) {
		pt.attached = false
		pt.seen = max(pt.last(), p.head.Load())
		return false
	}
	e.stats.lost += lost
	if len(events) > 0 {
		e.add(p.index, seq, events)
		e.wake()
	}
	return true
}

// fits says whether the queue has room; an empty one takes anything, so that no frame is too large.
func (e *endpoint) fits(events []event) bool {
	if e.queue.len() == 0 && e.held == 0 {
		return true
	}
	size := e.queue.bytes + e.held
	for i := range events {
		size += events[i].cost()
	}
	if size > smallQueue && e.d.memory.Load() > int64(e.d.o.TotalBytes) {
		return false
	}
	return e.queue.len()+e.queue.aside+len(events) <= e.d.o.QueueEvents && size <= e.d.o.QueueBytes
}

func (e *endpoint) add(index int, seq uint64, events []event) {
	f := &openFrame{part: index, seq: seq, left: len(events)}
	for i := range events {
		events[i].frame = f
	}
	before := e.queue.bytes
	e.queue.push(events)
	e.d.memory.Add(int64(e.queue.bytes - before))
	pt := &e.parts[index]
	pt.open = append(pt.open, f)
}

// posts is how many requests the queue makes.
func (e *endpoint) posts() int {
	n := e.queue.len()
	if e.d.o.BatchMax > 1 && n > e.d.o.BatchAbove {
		return (n + e.d.o.BatchMax - 1) / e.d.o.BatchMax
	}
	return n
}

// wake starts as many workers as there is work and width for. It needs mu.
func (e *endpoint) wake() {
	if e.suspended || e.d.closing.Load() {
		return
	}
	for work := e.posts() + len(e.rows); e.inflight < e.ctl.width() && e.starting < work; {
		e.inflight++
		e.starting++
		e.d.work.Go(e.run)
	}
}

// run is a worker: one goroutine, one connection.
func (e *endpoint) run() {
	w := e.d.worker()
	defer e.d.workers.Put(w)
	for first := true; ; first = false {
		j := e.take(w, first)
		if j == nil {
			return
		}
		w.deliver(e, j)
	}
}

// take gives the worker its next job, or nil and lets it go.
func (e *endpoint) take(w *worker, first bool) *job {
	e.mu.Lock()
	defer e.mu.Unlock()
	if first {
		e.starting--
	}
	if !e.suspended && !e.d.closing.Load() && e.inflight <= e.ctl.width() {
		if j := e.next(w); j != nil {
			return j
		}
	}
	e.leave()
	return nil
}

// next picks a job: rows and queue take turns. It needs mu.
func (e *endpoint) next(w *worker) *job {
	if e.rowTurn = !e.rowTurn; e.rowTurn {
		if j := e.row(); j != nil {
			return j
		}
	}
	n := 1
	if e.posts() < e.queue.len() {
		n = e.d.o.BatchMax
	}
	if j := e.pop(w, n); j != nil {
		return j
	}
	return e.row()
}

// row is the next due row, nil without any. It needs mu.
func (e *endpoint) row() *job {
	if len(e.rows) == 0 {
		return nil
	}
	j := e.rows[0]
	e.rows[0] = nil
	e.rows = e.rows[1:]
	e.rowsOut++
	return j
}

// pop moves events into the worker's job; nil when all of them wait for others on their way. It needs mu.
func (e *endpoint) pop(w *worker, n int) *job {
	before := e.queue.bytes
	w.events = e.queue.pop(w.events[:0], n, maxBody-len(payloadOpen)-len(payloadClose))
	e.held += before - e.queue.bytes
	if len(w.events) == 0 {
		return nil
	}
	w.job = job{events: w.events}
	return &w.job
}

// leave lets a worker go; the last one of a suspended endpoint winds it back. It needs mu.
func (e *endpoint) leave() {
	e.inflight--
	if e.inflight > 0 {
		return
	}
	if e.suspended {
		e.rewind()
		if e.revive {
			e.resume()
		}
		e.d.kick()
	}
	e.refill()
}

// release gives up the memory of a job's events and lets later ones of their messages follow. It needs mu.
func (e *endpoint) release(j *job) {
	for i := range j.events {
		c := j.events[i].cost()
		e.held -= c
		e.d.memory.Add(-int64(c))
	}
	if e.queue.free(j.events) > 1 { // one is for the worker that is free now
		e.wake()
	}
}

// finish counts a job's events as done: answered, stored, or dropped. It needs mu.
func (e *endpoint) finish(j *job) {
	e.release(j)
	for i := range j.events {
		f := j.events[i].frame
		f.left--
		pt := &e.parts[f.part]
		for len(pt.open) > 0 && pt.open[0].left == 0 {
			pt.seen = max(pt.seen, pt.open[0].seq)
			pt.open[0] = nil
			pt.open = pt.open[1:]
		}
	}
	e.refill()
}

// refill starts the endpoint's own reader when it lags and has room. It needs mu.
func (e *endpoint) refill() {
	if e.filling || e.suspended || e.closed || e.d.closing.Load() || !e.lagging() || !e.room() {
		return
	}
	e.filling = true
	e.d.work.Go(func() { e.d.fill(e, false) })
}

func (e *endpoint) lagging() bool {
	for i := range e.parts {
		if !e.parts[i].attached {
			return true
		}
	}
	return false
}

// room says whether half of the queue is free.
func (e *endpoint) room() bool {
	return e.queue.len()+e.queue.aside < e.d.o.QueueEvents/2 && e.queue.bytes+e.held < e.d.o.QueueBytes/2 &&
		(e.queue.bytes+e.held < smallQueue || e.d.memory.Load() < int64(e.d.o.TotalBytes))
}

// target is the URL to post to now; nil when the app has no callback any more. It needs mu.
func (e *endpoint) target(waba wa.WABAID) *url.URL {
	text := e.d.o.Service.snap.Load().url(e.id.App, e.id.Scope, waba)
	if text == "" {
		return nil
	}
	if text != e.urlText {
		u, err := url.Parse(text)
		if err != nil {
			return nil // cannot happen: it was parsed when it was set
		}
		e.url, e.urlText = u, text
	}
	return e.url
}
