package network

import (
	"slices"
	"sort"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// flags of an entry.
const (
	reserved uint8 = 1 << iota // neither Put nor Skip yet
	stored                     // the projector has it
	void                       // acknowledged, expired or voided: kept only until the projector has it, or until Put
	retried                    // the device asked for a retry
)

// entry is a position that the memory has to know of. item is nil while reserved and when void.
type entry struct {
	seq   uint64
	item  *Item
	flags uint8
}

// box is the mailbox of one device. Its shard's lock guards it.
//
//	     acked        pushed       checked                  next
//	───────┼────────────┼─────────────┼───────────────────────┼──►  positions
//	 done  │  in flight │ in memory   │ in memory, or in the  │
//	       │  (memory)  │             │ store if ≤ storeHigh  │
//
// While a device is away checked equals floor: whatever mem does not hold may be in the store.
type box struct {
	device wa.DeviceID
	mem    []entry // ascending
	link   *Link   // nil while the device is away

	next      uint64 // the highest position reserved
	floor     uint64 // everything up to here is acknowledged and was reported, or is void
	acked     uint64 // the device holds everything up to here; what lies between floor and acked is still to be reported
	pushed    uint64 // this connection got everything up to here
	checked   uint64 // up to here the memory holds what the store has
	storeHigh uint64 // above this nothing was left to the store

	items    int   // about, for the limit
	bytes    int64 // about
	counted  int64 // when items was last right, Unix milliseconds
	inflight int   // pushed and not acknowledged
	loading  bool  // a read from the store is under way
	dirty    bool  // Put will look at it again
}

func newBox(id wa.DeviceID, top Top, now int64) *box {
	b := &box{
		device: id, next: max(top.Seq, top.Base), floor: top.Base, acked: top.Base, pushed: top.Base, checked: top.Base,
		items: top.Items, bytes: top.Bytes, counted: now,
	}
	if top.Items > 0 {
		b.storeHigh = b.next
	}
	return b
}

// recount corrects the count by what the store said and what it does not know yet.
func (b *box) recount(top Top, now int64) {
	b.items, b.bytes, b.counted = top.Items, top.Bytes, now
	for i := range b.mem {
		if e := &b.mem[i]; e.flags&(stored|void) == 0 {
			b.items++
			if e.item != nil {
				b.bytes += e.item.size()
			}
		}
	}
}

// idle reports whether the box can be forgotten and made anew from the store.
func (b *box) idle() bool { return b.link == nil && len(b.mem) == 0 && !b.loading && !b.dirty }

// find is the index of the first entry at or above seq.
func (b *box) find(seq uint64) int {
	return sort.Search(len(b.mem), func(i int) bool { return b.mem[i].seq >= seq })
}

// at is the entry of a position; nil when the memory does not hold it.
func (b *box) at(seq uint64) *entry {
	if i := b.find(seq); i < len(b.mem) && b.mem[i].seq == seq {
		return &b.mem[i]
	}
	return nil
}

func (b *box) reserve() uint64 {
	b.next++
	b.items++
	b.mem = append(b.mem, entry{seq: b.next, flags: reserved})
	return b.next
}

// put fills a reserved position; false when there is nothing to push.
func (b *box) put(it *Item, kept int) bool {
	e := b.at(it.Seq)
	if e == nil || e.flags&reserved == 0 {
		return false
	}
	e.flags &^= reserved
	if e.flags&void != 0 {
		if e.flags&stored != 0 {
			b.remove(it.Seq)
		}
		return false
	}
	e.item = it
	b.bytes += it.size()
	if e.flags&stored != 0 {
		b.evict(it.Seq, kept)
	}
	return true
}

func (b *box) skip(seq uint64) {
	if e := b.at(seq); e != nil && e.flags&reserved != 0 {
		if e.flags&void == 0 {
			b.items--
		}
		b.remove(seq)
	}
}

func (b *box) markStored(seq uint64, kept int) {
	e := b.at(seq)
	if e == nil {
		return
	}
	e.flags |= stored
	switch {
	case e.flags&reserved != 0: // Put comes later
	case e.flags&void != 0:
		b.remove(seq)
	default:
		b.evict(seq, kept)
	}
}

// evict leaves a stored item to the store where the memory does not need it: the device is away, or has plenty before it.
// Not while a read is under way, which may have missed it.
func (b *box) evict(seq uint64, kept int) {
	if b.loading || b.link != nil && (seq <= b.checked || len(b.mem) <= kept) {
		return
	}
	b.storeHigh = max(b.storeHigh, seq)
	b.remove(seq)
}

// evictAll does for a device that went away what evict does for one item.
func (b *box) evictAll() {
	if b.link != nil || b.loading {
		return
	}
	b.mem = slices.DeleteFunc(b.mem, func(e entry) bool {
		if e.flags&stored == 0 || e.flags&reserved != 0 {
			return false
		}
		if e.item != nil {
			b.storeHigh = max(b.storeHigh, e.seq)
		}
		return true
	})
	b.release()
}

func (b *box) remove(seq uint64) {
	i := b.find(seq)
	if i == 0 {
		b.mem[0] = entry{}
		b.mem = b.mem[1:]
	} else {
		b.mem = slices.Delete(b.mem, i, i+1)
	}
	b.release()
}

func (b *box) release() {
	if len(b.mem) == 0 {
		b.mem = nil
	}
}

// attach makes l the connection and counts last as an acknowledgement. It returns the connection replaced and what is
// acknowledged now.
func (b *box) attach(l *Link, last uint64, now int64) (old *Link, acks []Ack) {
	old, b.link = b.link, l
	if last > b.next && len(b.mem) == 0 {
		b.next = min(last, maxNext) // the server lost what it gave; new items must be above what the device has
	}
	b.acked = max(b.acked, min(last, b.frontier()))
	acks = b.settle(b.acked, nil, now)
	b.pushed, b.checked, b.inflight = b.acked, b.floor, 0
	if b.storeHigh <= b.checked {
		b.checked = b.acked
	}
	b.floor = min(b.checked, b.acked)
	return old, acks
}

// maxNext keeps positions of a device with absurd claims far from the largest one.
const maxNext = 1 << 52

// frontier is the highest position that everything below is resolved of.
func (b *box) frontier() uint64 {
	for i := range b.mem {
		if b.mem[i].flags&(reserved|void) == reserved {
			return b.mem[i].seq - 1
		}
	}
	return b.next
}

// detach ends the connection l; false when it was not the current one.
func (b *box) detach(l *Link) bool {
	if b.link != l {
		return false
	}
	b.link, b.inflight = nil, 0
	b.pushed, b.checked = b.acked, b.floor
	b.evictAll()
	return true
}

// ack takes the device's word that it holds everything up to seq.
func (b *box) ack(seq uint64, read []string, now int64) []Ack {
	seq = min(seq, b.pushed)
	if seq <= b.acked {
		return nil
	}
	b.acked = seq
	acks := b.settle(seq, read, now)
	b.floor = max(b.floor, min(b.acked, b.checked))
	if b.acked == b.next && len(b.mem) == 0 && b.storeHigh <= b.checked {
		b.items, b.bytes = 0, 0
	}
	return acks
}

// settle turns the entries up to seq into acknowledgements and forgets them, except for those the projector does not have
// yet: as long as it has not, the position must not be forgotten.
func (b *box) settle(seq uint64, read []string, now int64) []Ack {
	end := b.find(seq + 1)
	var acks []Ack
	kept := 0
	for i := range end {
		e := &b.mem[i]
		if e.item != nil {
			if acks == nil {
				acks = make([]Ack, 0, end-i)
			}
			acks = append(acks, e.ack(now, read))
			b.uncount(e.item)
			if b.inflight > 0 && e.seq <= b.pushed {
				b.inflight--
			}
			e.item = nil
			e.flags |= void
		}
		if e.flags&stored == 0 || e.flags&reserved != 0 {
			b.mem[kept] = *e
			kept++
		}
	}
	if kept == 0 {
		clear(b.mem[:end])
		b.mem = b.mem[end:]
	} else {
		b.mem = slices.Delete(b.mem, kept, end)
	}
	b.release()
	return acks
}

func (b *box) uncount(it *Item) {
	b.items = max(0, b.items-1)
	b.bytes = max(0, b.bytes-it.size())
}

func (e *entry) ack(now int64, read []string) Ack {
	a := newAck(e.item, now)
	a.Retried = e.flags&retried != 0
	a.Read = a.ID != "" && len(read) > 0 && slices.Contains(read, string(a.ID))
	return a
}

func newAck(it *Item, now int64) Ack {
	return Ack{Device: it.Device, Seq: it.Seq, ID: it.ID, Number: it.Number, Silent: it.Silent, At: now}
}

// retry notes that the device could not decrypt the item; false when it does not have it.
func (b *box) retry(seq uint64, id wa.MessageID) bool {
	e := b.at(seq)
	if e == nil || e.item == nil || e.item.ID != id || seq > b.pushed {
		return false
	}
	e.flags |= retried
	return true
}

// reset voids everything up to base and returns the connection to be closed.
func (b *box) reset(base uint64) *Link {
	l := b.link
	b.link, b.inflight = nil, 0
	b.next = max(b.next, base)
	for i := range b.find(base + 1) {
		e := &b.mem[i]
		e.item = nil
		e.flags |= void
	}
	b.mem = slices.DeleteFunc(b.mem, func(e entry) bool { return e.flags&(void|stored|reserved) == void|stored })
	b.release()
	b.floor, b.acked, b.pushed, b.checked = base, base, base, base
	b.items, b.bytes = 0, 0
	for i := range b.mem {
		if e := &b.mem[i]; e.flags&void == 0 {
			b.items++
			if e.item != nil {
				b.bytes += e.item.size()
			}
		}
	}
	b.evictAll()
	return l
}
