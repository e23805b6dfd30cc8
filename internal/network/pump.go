package network

import (
	"context"
	"slices"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// deliverBytes keeps a Deliver below frame.MaxFrame.
const deliverBytes = frame.MaxFrame - 1024

// pump pushes what can be pushed. The shard's lock is held.
func (m *Mailbox) pump(b *box) {
	for b.link != nil && !b.link.stalled {
		d, need := m.collect(b)
		if len(d.Items) == 0 {
			if need && !b.loading {
				m.load(b)
			}
			return
		}
		before := b.pushed
		b.pushed = d.Items[len(d.Items)-1].Seq
		b.inflight += len(d.Items)
		if !b.link.sink.Push(d) {
			b.pushed = before
			b.inflight -= len(d.Items)
			b.link.stalled = true
		}
	}
}

// collect gathers the next items for the device; need says that the store must be read to go on.
func (m *Mailbox) collect(b *box) (d *frame.Deliver, need bool) {
	d = new(frame.Deliver)
	room := min(frame.MaxItems, frame.Window-b.inflight)
	bytes := 0
	now := m.clock.Now().UnixMilli()
	for i := b.find(b.pushed + 1); len(d.Items) < room; i++ {
		if b.storeHigh > b.checked && (i == len(b.mem) || b.mem[i].seq > b.checked+1) {
			return d, true
		}
		if i == len(b.mem) {
			return d, false
		}
		e := &b.mem[i]
		if e.flags&(reserved|void) == reserved {
			return d, false
		}
		if e.item != nil && e.item.Expires != 0 && e.item.Expires <= now {
			b.uncount(e.item)
			e.item = nil
			e.flags |= void
		}
		if e.item != nil {
			it := m.item(e.item)
			size := it.AboutSize()
			if bytes += size; bytes > deliverBytes && len(d.Items) > 0 {
				return d, false
			}
			if size <= deliverBytes {
				d.Items = append(d.Items, it)
			} else {
				// Pushed, it would end the connection each time, and nothing behind it would ever arrive.
				m.log.Error("mailbox item is too large for a frame", "wamid", string(e.item.ID), "size_bytes", size)
				bytes -= size
				b.uncount(e.item)
				e.item = nil
				e.flags |= void
			}
		}
		b.checked = max(b.checked, e.seq)
	}
	return d, false
}

// item is the form in which a device sees a mailbox item.
func (m *Mailbox) item(t *Item) frame.Item {
	from, ok := m.biz.WaID(t.Number)
	if !ok { // the number was deleted after it wrote; devices show the id
		from = wa.WaID(t.Number)
	}
	f := frame.Item{Seq: t.Seq, ID: string(t.ID), From: string(from), K: frame.KindMessage, Ct: t.Cipher, TS: t.At / 1000, Exp: t.Expires / 1000}
	switch {
	case t.PreKey:
		f.K = frame.KindPreKey
	case t.Event != nil:
		f.K = frame.KindEvent
		ev, err := frame.ParseEvent(t.Event)
		if err != nil {
			m.log.Error("mailbox event is not readable", "seq", t.Seq, "err", err)
			ev = new(frame.Event)
		}
		f.Ev = ev
	}
	return f
}

// load reads what the memory left to the store, beside the caller. The shard's lock is held.
func (m *Mailbox) load(b *box) {
	l, from, high := b.link, b.checked, b.storeHigh
	b.loading = m.loader.add(func(ctx context.Context) {
		items, err := m.store.MailboxAfter(ctx, b.device, from, loadItems)
		if m.loaded(b, l, from, high, items, err) && ctx.Err() == nil {
			m.log.Error("mailbox is not readable", "err", err)
			l.drop(frame.CloseGoingAway, "mailbox is not readable")
		}
	})
}

// loaded takes over what a read for the connection l brought; failed says that l must end.
func (m *Mailbox) loaded(b *box, l *Link, from, high uint64, items []*Item, err error) (failed bool) {
	s := m.shard(b.device)
	s.mu.Lock()
	defer s.mu.Unlock()
	b.loading = false
	switch {
	case b.link != l: // meanwhile there is another connection, or none: it begins anew
		b.evictAll()
	case err != nil:
		return true
	default:
		reached := high
		if len(items) == loadItems {
			reached = items[len(items)-1].Seq
		}
		l.hub.acked(b.device, b.merge(items, max(from, reached), m.clock.Now().UnixMilli()))
	}
	m.pump(b)
	return false
}

// merge takes items from the store into the memory; those that the device holds already are acknowledgements.
func (b *box) merge(items []*Item, reached uint64, now int64) []Ack {
	var acks []Ack
	for _, it := range items {
		i := b.find(it.Seq)
		if it.Seq <= b.floor || i < len(b.mem) && b.mem[i].seq == it.Seq {
			continue
		}
		if it.Seq <= b.acked {
			acks = append(acks, newAck(it, now))
			b.uncount(it)
			continue
		}
		b.mem = slices.Insert(b.mem, i, entry{seq: it.Seq, item: it, flags: stored})
	}
	b.checked = max(b.checked, reached)
	b.floor = max(b.floor, min(b.acked, b.checked))
	return acks
}
