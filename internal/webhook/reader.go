package webhook

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// partition is the head reader of one partition.
type partition struct {
	index int
	log   Log
	head  atomic.Uint64 // last frame given to the endpoints
	saved uint64        // head in the store; guarded by Dispatcher.savedMu

	mu      sync.Mutex // held while a frame is given out, so that an endpoint can join between two frames
	snap    *snapshot
	routes  map[origination][]receiver
	slots   map[*endpoint]*slot
	touched []*slot
	scratch []byte
}

// origination is what routing depends on.
type origination struct {
	field  string
	waba   wa.WABAID
	number wa.PhoneNumberID
	entry  wa.BusinessID
	only   wa.AppID
}

// receiver is a routed target.
type receiver struct {
	slot    *slot
	variant variant
}

// slot collects the events of one frame for one endpoint.
type slot struct {
	endpoint *endpoint
	events   []event
	late     []loss // of updates that are no events any more
}

// gather returns the slot's place in the frame that is given out. It needs p.mu.
func (p *partition) gather(s *slot) *slot {
	if len(s.events)+len(s.late) == 0 {
		p.touched = append(p.touched, s)
	}
	return s
}

func newPartition(i int, l Log) *partition { return &partition{index: i, log: l} }

// readPause is how long to wait after the journal failed.
const readPause = time.Second

// read is the head reader.
func (d *Dispatcher) read(ctx context.Context, p *partition) {
	for {
		f, err := p.log.Next(ctx, p.head.Load())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.o.Log.Error("read journal for webhooks", "partition", p.index, "err", err)
			if d.o.Wall.Sleep(ctx, readPause) != nil {
				return
			}
		default:
			d.fan(p, f)
		}
	}
}

// fan gives a frame to the endpoints it concerns. What is of numbers without storage may be too late, after a time in which the
// process did not run: it is lost to those that had not dealt with it.
func (d *Dispatcher) fan(p *partition, f *journal.Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if snap := d.o.Service.snap.Load(); snap != p.snap {
		p.snap, p.routes, p.slots = snap, map[origination][]receiver{}, map[*endpoint]*slot{}
	}
	for _, r := range f.Records {
		u, ok := updateOf(r)
		if !ok {
			continue
		}
		if u.brief && u.born <= d.o.Clock.Now().Add(-BriefLife).UnixMilli() {
			for _, to := range d.receivers(p, &u) {
				s := p.gather(to.slot)
				s.late = append(s.late, loss{s.endpoint.id.App, u.waba, u.number})
			}
			continue
		}
		var built [variants]event
		for _, to := range d.receivers(p, &u) {
			v := to.variant
			if built[v].body == nil {
				built[v], p.scratch = d.event(&u, v, p.scratch)
			}
			s := p.gather(to.slot)
			s.events = append(s.events, built[v])
		}
	}
	for i, s := range p.touched {
		if s.endpoint.offer(p, f.Seq, s.events, len(s.late)) {
			d.lost(s.late...)
		}
		clear(s.events)
		s.events, s.late = s.events[:0], nil
		p.touched[i] = nil
	}
	p.touched = p.touched[:0]
	p.head.Store(f.Seq) // after what is lost is owed: see save
}

// receivers returns the endpoints of an update. It needs p.mu.
func (d *Dispatcher) receivers(p *partition, u *update) []receiver {
	key := origination{u.field, u.waba, u.number, u.entry, u.only}
	to, ok := p.routes[key]
	if ok {
		return to
	}
	for _, t := range p.snap.route(u.field, u.waba, u.number, u.entry) {
		if u.only != "" && t.App != u.only {
			continue
		}
		e := d.endpoint(EndpointID{t.App, t.Scope})
		s := p.slots[e]
		if s == nil {
			s = &slot{endpoint: e}
			p.slots[e] = s
		}
		to = append(to, receiver{slot: s, variant: variantOf(t.Version)})
	}
	p.routes[key] = to
	return to
}

// fill is an endpoint's own reader: it reads from the endpoint's cursors until there is no more room, or it has caught up
// and the head reader feeds it again. For a probe it stops as soon as there is something to send.
func (d *Dispatcher) fill(e *endpoint, probe bool) {
	var scratch []byte
	for {
		p, pos, more := d.place(e, probe)
		if !more {
			return
		}
		if pos >= p.head.Load() {
			d.attach(e, p)
			continue
		}
		f, err := p.log.Next(d.ctx, pos)
		if err != nil {
			if d.ctx.Err() == nil {
				d.o.Log.Error("read journal for webhooks", "partition", p.index, "app_id", e.id.App, "err", err)
			}
			d.unfilled(e, probe)
			return
		}
		var events []event
		events, scratch = d.eventsFor(e, f, scratch)
		d.append(e, p, pos, f.Seq, events)
	}
}

// place says where an endpoint's own reader goes on; more is false when it is done.
func (d *Dispatcher) place(e *endpoint, probe bool) (p *partition, pos uint64, more bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	stop := e.closed || d.closing.Load() || d.ctx.Err() != nil
	if probe {
		stop = stop || e.queue.len() > 0
	} else {
		stop = stop || e.suspended || !e.room()
	}
	for range e.parts {
		if stop {
			break
		}
		i := e.turn % len(e.parts)
		e.turn++
		if pt := &e.parts[i]; !pt.attached && (!probe || pt.seen < d.parts[i].head.Load()) {
			return d.parts[i], pt.seen, true
		}
	}
	if !probe {
		e.filling = false
		if e.suspended {
			d.kick()
		}
	}
	return nil, 0, false
}

// unfilled ends a reader that met an error; it starts again with the next save.
func (d *Dispatcher) unfilled(e *endpoint, probe bool) {
	if probe {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.filling = false
	d.kick()
}

// attach joins an endpoint that has caught up to the head reader.
func (d *Dispatcher) attach(e *endpoint, p *partition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if pt := &e.parts[p.index]; !e.suspended && pt.seen >= p.head.Load() {
		pt.attached = true
	}
}

// append takes over the events of a frame from the endpoint's own reader, unless the endpoint was wound back meanwhile.
func (d *Dispatcher) append(e *endpoint, p *partition, pos, seq uint64, events []event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	pt := &e.parts[p.index]
	if pt.seen != pos || pt.attached || e.closed {
		return
	}
	pt.seen = seq
	if len(events) > 0 {
		e.add(p.index, seq, events)
		e.wake()
	}
}

// eventsFor builds what a frame holds for one endpoint. Updates older than seven days, or an hour, are dropped.
func (d *Dispatcher) eventsFor(e *endpoint, f *journal.Frame, scratch []byte) ([]event, []byte) {
	snap, expired := d.o.Service.snap.Load(), 0
	now := d.o.Clock.Now()
	oldest, oldestBrief := now.Add(-Life).UnixMilli(), now.Add(-BriefLife).UnixMilli()
	var late []loss
	var events []event
	for _, r := range f.Records {
		u, ok := updateOf(r)
		if !ok {
			continue
		}
		v, ok := d.concerns(snap, e, &u)
		switch {
		case !ok:
		case u.brief && u.born <= oldestBrief:
			late = append(late, loss{e.id.App, u.waba, u.number})
		case u.born <= oldest:
			expired++
		default:
			var ev event
			ev, scratch = d.event(&u, v, scratch)
			events = append(events, ev)
		}
	}
	if expired > 0 {
		e.miss(expired)
		d.o.Observer.Lost(LossExpired, expired)
	}
	if len(late) > 0 {
		e.miss(len(late))
		d.lost(late...)
	}
	return events, scratch
}

// miss counts updates that the endpoint will never get.
func (e *endpoint) miss(updates int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stats.lost += updates
}

// concerns says whether the update belongs to the endpoint: it is routed there, or was before the endpoint's scope went.
func (d *Dispatcher) concerns(snap *snapshot, e *endpoint, u *update) (v variant, ok bool) {
	if !e.id.Scope.covers(u.waba, u.number) {
		return newest, false
	}
	for _, t := range snap.route(u.field, u.waba, u.number, u.entry) {
		if t.App != e.id.App || u.only != "" && t.App != u.only {
			continue
		}
		return variantOf(t.Version), t.Scope == e.id.Scope || e.isRetired()
	}
	return newest, false
}

func (e *endpoint) isRetired() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.retired
}
