package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Errors of Reserve.
var (
	ErrUnprepared = errors.New("mailbox is not in memory") // call Prepare, then Reserve again
	ErrFull       = errors.New("mailbox is full")
)

const (
	boxShards = 64
	// recountAfter is how old the count of a full mailbox may be before the store is asked again: items may have expired.
	recountAfter = time.Minute
	// loadItems is how many items one read from the store brings.
	loadItems = frame.Window
)

// MailboxConfig configures a Mailbox. Store, Clock and Businesses are required.
type MailboxConfig struct {
	Store      MailboxStore
	Clock      clock.Clock
	Businesses Businesses
	Log        *slog.Logger
	Boxes      int // mailboxes of idle devices kept in memory, about; 0 means 200,000
	Items      int // bound of one mailbox; 0 means frame.MailboxItems
	Bytes      int64
	Kept       int // items of a connected device that stay in memory although the store has them; 0 means 1,000
	Loaders    int // reads from the store at a time; 0 means 4
}

// Mailbox keeps the items of all devices in order until they are acknowledged. It is safe for concurrent use.
//
// Life of a position: Reserve, then Put or Skip. After Put the item is pushed when everything before it is resolved, the
// device is connected and its window has room. It leaves the memory when the device acknowledged it, or, for a device that
// is away, when Stored says that the projector has it; then it is read from the store when the device comes back.
type Mailbox struct {
	store   MailboxStore
	clock   clock.Clock
	biz     Businesses
	log     *slog.Logger
	perBox  int // limits
	perByte int64
	perPart int // boxes per shard
	kept    int
	loader  loader

	shards [boxShards]boxShard
}

type boxShard struct {
	mu      sync.Mutex
	boxes   map[wa.DeviceID]*box
	dropped uint64 // boxes that were forgotten: a Prepare that overlaps must read again
}

// NewMailbox makes a Mailbox; Close ends it.
func NewMailbox(c MailboxConfig) *Mailbox {
	m := &Mailbox{
		store: c.Store, clock: c.Clock, biz: c.Businesses, log: c.Log,
		perBox: cmp.Or(c.Items, frame.MailboxItems), perByte: cmp.Or(c.Bytes, frame.MailboxBytes),
		perPart: max(1, cmp.Or(c.Boxes, 200_000)/boxShards), kept: cmp.Or(c.Kept, 2*frame.Window),
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	m.loader.start(cmp.Or(c.Loaders, 4))
	for i := range m.shards {
		m.shards[i].boxes = make(map[wa.DeviceID]*box)
	}
	return m
}

// Close ends the reads under way and waits for them.
func (m *Mailbox) Close() { m.loader.stop() }

func (m *Mailbox) shard(device wa.DeviceID) *boxShard {
	return &m.shards[hashString(string(device))%boxShards]
}

// Prepare makes the mailboxes of the devices ready for Reserve. It reads the store for those that are not in memory, in
// one call.
func (m *Mailbox) Prepare(ctx context.Context, devices []wa.DeviceID) error {
	for len(devices) > 0 {
		var missing []wa.DeviceID
		var steps []uint64
		for _, id := range devices {
			s := m.shard(id)
			s.mu.Lock()
			if b := s.boxes[id]; b == nil || m.stale(b) {
				missing = append(missing, id)
				steps = append(steps, s.dropped)
			}
			s.mu.Unlock()
		}
		if len(missing) == 0 {
			return nil
		}
		tops, err := m.store.MailboxTops(ctx, missing)
		if err != nil {
			return fmt.Errorf("read %d mailboxes: %w", len(missing), err)
		}
		devices = devices[:0:0]
		for i, id := range missing {
			if !m.install(id, tops[i], steps[i]) {
				devices = append(devices, id)
			}
		}
	}
	return nil
}

// stale reports whether b is full by a count that is old enough to be checked again.
func (m *Mailbox) stale(b *box) bool {
	return m.full(b) && m.clock.Now().UnixMilli()-b.counted >= recountAfter.Milliseconds()
}

func (m *Mailbox) full(b *box) bool { return b.items >= m.perBox || b.bytes >= m.perByte }

// install takes over what the store said; false when a box of the shard was forgotten meanwhile and the answer may be old.
func (m *Mailbox) install(id wa.DeviceID, top Top, step uint64) bool {
	s := m.shard(id)
	now := m.clock.Now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.boxes[id]; b != nil {
		if m.full(b) {
			b.recount(top, now)
		}
		return true
	}
	if s.dropped != step {
		return false
	}
	if len(s.boxes) >= m.perPart {
		s.forget()
	}
	s.boxes[id] = newBox(id, top, now)
	return true
}

// forget makes room by dropping a few mailboxes that hold nothing the store does not have.
func (s *boxShard) forget() {
	looked := 0
	for id, b := range s.boxes {
		if b.idle() {
			delete(s.boxes, id)
			s.dropped++
		}
		if looked++; looked >= 16 {
			return
		}
	}
}

// Reserve allots the next position of the device's mailbox. Every position is later given to Put or Skip; nothing behind
// it is pushed before that. Errors: ErrUnprepared, ErrFull.
func (m *Mailbox) Reserve(device wa.DeviceID) (uint64, error) {
	s := m.shard(device)
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.boxes[device]
	if b == nil {
		return 0, ErrUnprepared
	}
	if m.full(b) {
		if m.stale(b) {
			return 0, ErrUnprepared
		}
		return 0, ErrFull
	}
	return b.reserve(), nil
}

// Put hands over items that are durable. Connected devices get them at once. The mailbox keeps the items; callers must not
// change them any more. Items of positions that were voided by a new registration are ignored.
func (m *Mailbox) Put(items []*Item) {
	var online []*box
	for _, it := range items {
		s := m.shard(it.Device)
		s.mu.Lock()
		if b := s.boxes[it.Device]; b != nil && b.put(it, m.kept) && b.link != nil && !b.dirty {
			b.dirty = true
			online = append(online, b)
		}
		s.mu.Unlock()
	}
	for _, b := range online {
		s := m.shard(b.device)
		s.mu.Lock()
		b.dirty = false
		m.pump(b)
		s.mu.Unlock()
	}
}

// Skip says that a reserved position will never be filled.
func (m *Mailbox) Skip(device wa.DeviceID, seq uint64) {
	s := m.shard(device)
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.boxes[device]; b != nil {
		b.skip(seq)
		m.pump(b)
	}
}

// Stored says that the projector has applied the records of these positions: MailboxAfter returns the items, or they came
// and went. It is called for every position once, also for items acknowledged in the same batch, and may come before Put.
func (m *Mailbox) Stored(refs []Ref) {
	for _, r := range refs {
		s := m.shard(r.Device)
		s.mu.Lock()
		if b := s.boxes[r.Device]; b != nil {
			b.markStored(r.Seq, m.kept)
		}
		s.mu.Unlock()
	}
}

// Highest is the highest position reserved so far, from the store if need be.
func (m *Mailbox) Highest(ctx context.Context, device wa.DeviceID) (uint64, error) {
	for {
		if err := m.Prepare(ctx, []wa.DeviceID{device}); err != nil {
			return 0, err
		}
		s := m.shard(device)
		s.mu.Lock()
		b := s.boxes[device]
		next := uint64(0)
		if b != nil {
			next = b.next
		}
		s.mu.Unlock()
		if b != nil {
			return next, nil
		}
	}
}

// Reset voids all positions up to base: the device registered again. Its connection ends with CloseRemoved.
func (m *Mailbox) Reset(device wa.DeviceID, base uint64) {
	s := m.shard(device)
	s.mu.Lock()
	b := s.boxes[device]
	var l *Link
	if b != nil {
		l = b.reset(base)
	}
	s.mu.Unlock()
	if l != nil {
		l.drop(frame.CloseRemoved, "registered again")
	}
}

// online is the connection of the device; nil when it is away.
func (m *Mailbox) online(device wa.DeviceID) *Link {
	s := m.shard(device)
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.boxes[device]; b != nil {
		return b.link
	}
	return nil
}

// links lists all connections.
func (m *Mailbox) links() []*Link {
	var all []*Link
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		for _, b := range s.boxes {
			if b.link != nil {
				all = append(all, b.link)
			}
		}
		s.mu.Unlock()
	}
	return all
}
