package webhook

import (
	"context"
	"fmt"
	"math"
	"time"
)

// near is how many frames an endpoint may be behind the others at the start and still be fed by the head reader: reading
// a few frames twice is cheaper than a reader of its own.
const near = 2048

// atHead in the place of a cursor says that the endpoint has dealt with whatever the head reader has: its cursor is that of
// the head, in every later save, too. So accounts that nothing happens to cost no writes, however many there are.
const atHead = math.MaxInt64

// restore sets up the endpoints that have cursors and decides where the head readers begin.
func (d *Dispatcher) restore(ctx context.Context) error {
	rows, err := d.o.Store.Cursors(ctx)
	if err != nil {
		return fmt.Errorf("load webhook cursors: %w", err)
	}
	cursors := map[EndpointID]map[int]uint64{}
	for _, r := range rows {
		if r.Partition < 0 || r.Partition >= len(d.parts) {
			continue
		}
		if cursors[r.Endpoint] == nil {
			cursors[r.Endpoint] = map[int]uint64{}
		}
		cursors[r.Endpoint][r.Partition] = r.Seq
	}
	for i, p := range d.parts {
		p.saved = cursors[EndpointID{}][i]
		start := p.saved
		for id, c := range cursors {
			if at, ok := c[i]; ok && id != (EndpointID{}) && at < start && at+near >= p.saved {
				start = at
			}
		}
		p.head.Store(start)
	}
	delete(cursors, EndpointID{})
	for id, c := range cursors {
		d.recall(id, c)
	}
	return d.restoreCounts(ctx)
}

// recall sets up an endpoint with stored cursors.
func (d *Dispatcher) recall(id EndpointID, cursors map[int]uint64) {
	e := newEndpoint(d, id)
	for i := range e.parts {
		pt := &e.parts[i]
		at, ok := cursors[i]
		if !ok {
			at = d.parts[i].saved
		}
		pt.saved, pt.stored = at, ok
		if at == atHead {
			at = d.parts[i].saved
		}
		pt.seen, pt.attached = at, at >= d.parts[i].head.Load()
	}
	d.endpoints[id] = e
}

func (d *Dispatcher) restoreCounts(ctx context.Context) error {
	counts, err := d.o.Store.PendingCounts(ctx)
	if err != nil {
		return fmt.Errorf("count waiting webhooks: %w", err)
	}
	for _, c := range counts {
		e := d.endpoints[c.Endpoint]
		if e == nil { // its cursors were not saved yet, or its scope is gone: the rows must go out all the same
			d.recall(c.Endpoint, nil)
			e = d.endpoints[c.Endpoint]
		}
		e.pending, e.waiting, e.nextDue = c.Rows, c.Updates, c.Next
	}
	return nil
}

// sync follows a change of the subscriptions: endpoints appear, retire, or are dropped with their app's subscription.
func (d *Dispatcher) sync() {
	snap := d.o.Service.snap.Load()
	d.mu.Lock()
	wanted := map[EndpointID]bool{}
	for _, id := range snap.scopes() { // callbacks first: overrides begin where those are
		wanted[id] = true
		if d.endpoints[id] == nil {
			d.create(id)
		}
	}
	var dead []*endpoint
	for id, e := range d.endpoints {
		if _, ok := snap.subs[id.App]; !ok {
			dead = append(dead, e)
			delete(d.endpoints, id)
			continue
		}
		d.refresh(e, !wanted[id])
	}
	d.mu.Unlock()
	for _, e := range dead {
		d.bury(e)
	}
	d.kick()
}

// refresh notes whether the scope is gone, and tries a suspended endpoint at once when its URL has changed.
func (d *Dispatcher) refresh(e *endpoint, retired bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.retired = retired
	before := e.urlText
	if e.id.Scope == "" || !retired {
		_ = e.target("")
	}
	if e.suspended && before != e.urlText {
		e.probeAt = d.o.Clock.Now()
	}
}

// endpoint returns an endpoint, made when it is new.
func (d *Dispatcher) endpoint(id EndpointID) *endpoint {
	d.mu.RLock()
	e := d.endpoints[id]
	d.mu.RUnlock()
	if e != nil {
		return e
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e = d.endpoints[id]; e == nil {
		e = d.create(id)
	}
	return e
}

// create makes an endpoint that begins at the head, or for an override where the endpoint is that served it so far: what
// waits there for a suspended callback must reach the override. It needs d.mu.
func (d *Dispatcher) create(id EndpointID) *endpoint {
	e := newEndpoint(d, id)
	var parent *endpoint
	if id.Scope != "" {
		if parent = d.endpoints[EndpointID{id.App, d.parentScope(id)}]; parent == nil {
			parent = d.endpoints[EndpointID{id.App, ""}]
		}
	}
	for i := range e.parts {
		head := d.parts[i].head.Load()
		at := head
		if parent != nil {
			parent.mu.Lock()
			at = min(parent.parts[i].mark(head), head)
			parent.mu.Unlock()
		}
		e.parts[i].seen, e.parts[i].attached = at, at >= head
	}
	d.endpoints[id] = e
	if d.started.Load() {
		e.mu.Lock()
		e.refill()
		e.mu.Unlock()
	}
	return e
}

// parentScope is the WABA's scope for a number with an override, else the app's.
func (d *Dispatcher) parentScope(id EndpointID) Scope {
	for k, o := range d.o.Service.snap.Load().overrides {
		if k.app == id.App && numberScope(k.number) == id.Scope {
			return wabaScope(o.WABA)
		}
	}
	return ""
}

// bury drops an endpoint whose app has no subscription any more.
func (d *Dispatcher) bury(e *endpoint) {
	e.mu.Lock()
	e.closed = true
	if e.suspended {
		e.suspended = false
		d.o.Observer.Suspended(-1)
	}
	lost := e.queue.len() + e.queue.aside
	d.memory.Add(-int64(e.queue.bytes))
	e.queue, e.rows = queue{}, nil
	e.mu.Unlock()
	rows, err := d.o.Store.DeleteAllPending(d.ctx, e.id)
	if err == nil {
		err = d.o.Store.DeleteCursors(d.ctx, e.id)
	}
	if err != nil {
		// Found again at the next start, and dropped then.
		d.o.Log.Error("delete webhooks of a removed subscription", "app_id", e.id.App, "err", err)
	}
	if lost += rows; lost > 0 {
		d.o.Observer.Lost(LossUnsubscribed, lost)
	}
}

// save writes the cursors that have moved. The heads are read first: an endpoint that is not among the rows yet begins at
// the saved head after a crash, which is never behind what it has missed. What is lost is owed before a cursor can pass it, so
// everything that these cursors pass is told before they are written; while that fails, they stay, and a crash forgets nobody.
func (d *Dispatcher) save(ctx context.Context) error {
	d.saveMu.Lock()
	defer d.saveMu.Unlock()
	var rows []Cursor
	heads := make([]uint64, len(d.parts))
	for i, p := range d.parts {
		if heads[i] = p.head.Load(); heads[i] != p.saved {
			rows = append(rows, Cursor{Partition: i, Seq: heads[i]})
		}
	}
	endpoints := d.all()
	for _, e := range endpoints {
		rows = e.marks(rows, heads)
	}
	if !d.settle(ctx) {
		return nil
	}
	if len(rows) > 0 {
		if err := d.o.Store.SaveCursors(ctx, rows); err != nil {
			return err
		}
		d.saved(rows)
	}
	return d.finished(ctx, endpoints)
}

// marks appends the cursors that differ from the store.
func (e *endpoint) marks(rows []Cursor, heads []uint64) []Cursor {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return rows
	}
	for i := range e.parts {
		pt := &e.parts[i]
		at := pt.mark(heads[i])
		if pt.attached && len(pt.open) == 0 && pt.seen <= heads[i] {
			at = atHead
		}
		if at != pt.saved || !pt.stored {
			rows = append(rows, Cursor{Endpoint: e.id, Partition: i, Seq: at})
		}
	}
	e.refill() // in case its own reader met an error
	return rows
}

// saved notes what is in the store. It needs saveMu.
func (d *Dispatcher) saved(rows []Cursor) {
	d.savedMu.Lock()
	defer d.savedMu.Unlock()
	for _, r := range rows {
		if r.Endpoint == (EndpointID{}) {
			d.parts[r.Partition].saved = r.Seq
			continue
		}
		d.mu.RLock()
		e := d.endpoints[r.Endpoint]
		d.mu.RUnlock()
		if e == nil {
			continue
		}
		e.mu.Lock()
		e.parts[r.Partition].saved, e.parts[r.Partition].stored = r.Seq, true
		e.mu.Unlock()
	}
}

// finished removes retired endpoints that hold nothing any more.
func (d *Dispatcher) finished(ctx context.Context, endpoints []*endpoint) error {
	for _, e := range endpoints {
		d.mu.Lock()
		e.mu.Lock()
		over := e.retired && !e.lagging() && e.queue.len() == 0 && e.inflight == 0 && e.pending == 0 && !e.filling
		if over {
			e.closed = true
			delete(d.endpoints, e.id)
		}
		e.mu.Unlock()
		d.mu.Unlock()
		if over {
			if err := d.o.Store.DeleteCursors(ctx, e.id); err != nil {
				return fmt.Errorf("delete cursors of a removed override: %w", err)
			}
		}
	}
	return nil
}

// Position is the lowest frame of the partition that every endpoint has dealt with, as it is stored: the journal may
// forget what lies before it.
func (d *Dispatcher) Position(partition int) uint64 {
	d.savedMu.Lock() // not saveMu: a save may wait for lanes, and those for room in the journal
	low := d.parts[partition].saved
	d.savedMu.Unlock()
	for _, e := range d.all() {
		e.mu.Lock()
		if pt := &e.parts[partition]; pt.stored {
			low = min(low, pt.saved) // atHead is no bound
		} else {
			low = min(low, pt.seen)
		}
		e.mu.Unlock()
	}
	return low
}

// Head is the last frame of the partition that endpoints were given; those that fell behind read for themselves.
func (d *Dispatcher) Head(partition int) uint64 { return d.parts[partition].head.Load() }

// due says whether a time has come.
func isDue(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }
