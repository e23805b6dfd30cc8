package pipeline_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ---- mailboxes ----

// boxes is the mailboxes of one life: it pushes in order, at once, what is resolved, and reports to the pipeline.
type boxes struct {
	w     *world
	cut   *cut
	store *store.Store

	mu       sync.Mutex
	byDevice map[wa.DeviceID]*box
	flashes  []string
	full     bool
	cold     bool // Reserve finds nothing prepared, until the next Prepare
}

type box struct {
	device  wa.DeviceID
	next    uint64
	open    map[uint64]bool // reserved
	items   []*pipeline.MailboxItem
	pushing sync.Mutex
	pushed  uint64
	base    uint64 // everything up to here is void
}

func (b *boxes) Prepare(ctx context.Context, devices []wa.DeviceID) error {
	for _, id := range devices {
		b.mu.Lock()
		known := b.byDevice[id] != nil
		b.cold = false
		b.mu.Unlock()
		if known {
			continue
		}
		tops, err := b.store.MailboxTops(ctx, []wa.DeviceID{id})
		if err != nil {
			return err
		}
		stored, err := b.store.MailboxAfter(ctx, id, 0, 100_000)
		if err != nil {
			return err
		}
		n := &box{device: id, next: tops[0].Seq, open: map[uint64]bool{}}
		for _, it := range stored {
			n.items = append(n.items, (*pipeline.MailboxItem)(it))
		}
		b.mu.Lock()
		if b.byDevice[id] == nil {
			b.byDevice[id] = n
		}
		b.mu.Unlock()
		b.pump(id)
	}
	return nil
}

func (b *boxes) Reserve(device wa.DeviceID) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.byDevice[device]
	if n == nil || b.full || b.cold {
		return 0
	}
	n.next++
	n.open[n.next] = true
	return n.next
}

func (b *boxes) Put(items []*pipeline.MailboxItem) {
	touched := map[wa.DeviceID]bool{}
	b.mu.Lock()
	for _, it := range items {
		n := b.byDevice[it.Device]
		if !n.open[it.Seq] {
			b.w.tb.Errorf("item %d of %s was not reserved", it.Seq, it.Device)
		}
		delete(n.open, it.Seq)
		if it.Seq > n.base {
			n.items = append(n.items, it)
		}
		touched[it.Device] = true
	}
	b.mu.Unlock()
	for id := range touched {
		b.pump(id)
	}
}

func (b *boxes) Skip(device wa.DeviceID, seq uint64) {
	b.mu.Lock()
	n := b.byDevice[device]
	if !n.open[seq] {
		b.w.tb.Errorf("skipped item %d of %s was not reserved", seq, device)
	}
	delete(n.open, seq)
	b.mu.Unlock()
	b.pump(device)
}

func (b *boxes) Flash(user, from wa.WaID, event []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flashes = append(b.flashes, fmt.Sprintf("%s to %s: %s", from, user, event))
}

// reset voids what is in the mailbox and on its way there.
func (b *boxes) reset(device wa.DeviceID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := b.byDevice[device]; n != nil {
		n.items, n.base = nil, n.next
	}
}

// reserved counts positions that were neither put nor skipped.
func (b *boxes) reserved() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, x := range b.byDevice {
		n += len(x.open)
	}
	return n
}

// pump pushes what can be pushed. A reserved position holds up everything behind it.
func (b *boxes) pump(device wa.DeviceID) {
	f := b.w.people.get(device.User())
	b.mu.Lock()
	n := b.byDevice[device]
	b.mu.Unlock()
	if f == nil || n == nil {
		return
	}
	n.pushing.Lock()
	defer n.pushing.Unlock()
	b.mu.Lock()
	items := n.items
	n.items = nil
	first := n.next + 1
	for seq := range n.open {
		first = min(first, seq)
	}
	b.mu.Unlock()
	slices.SortFunc(items, func(x, y *pipeline.MailboxItem) int { return cmp.Compare(x.Seq, y.Seq) })
	for i, it := range items {
		f.mu.Lock()
		offline := f.offline
		f.mu.Unlock()
		if offline || it.Seq >= first {
			b.mu.Lock()
			n.items = append(n.items, items[i:]...)
			b.mu.Unlock()
			return
		}
		if !b.cut.alive(func() { b.push(f, n, it) }) {
			return
		}
	}
}

func (b *boxes) push(f *phone, n *box, it *pipeline.MailboxItem) {
	if it.Seq <= n.pushed {
		b.w.tb.Errorf("item %d of %s came after %d", it.Seq, it.Device, n.pushed)
	}
	n.pushed = it.Seq
	b.w.wires.add(b.w, it)
	r, again := f.take(it)
	if again {
		b.w.p.Retry(pipeline.Receipt{Device: it.Device, Seq: it.Seq, ID: it.ID})
	}
	b.w.p.Receipts([]pipeline.Receipt{r})
}

// ---- what left the process ----

// wires checks that a message key never made two ciphertexts.
type wires struct {
	mu    sync.Mutex
	seen  map[string]string // ratchet key and number → ciphertext
	count int
}

func (s *wires) add(w *world, it *pipeline.MailboxItem) {
	if it.Cipher == nil {
		return
	}
	inner := it.Cipher
	if it.PreKey {
		inner = member(inner[1:], 4)
	}
	ratchet, number := member(inner[1:], 1), member(inner[1:], 2)
	key := string(ratchet) + "/" + string(number)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if have, ok := s.seen[key]; ok && have != string(inner) {
		w.tb.Errorf("message key %x used twice, the second time for item %d of %s", key, it.Seq, it.ID)
	}
	s.seen[key] = string(inner)
}

// member is a field of a protobuf; a number comes as 8 bytes.
func member(b []byte, want protowire.Number) []byte {
	for len(b) > 0 {
		f, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil
		}
		b = b[n:]
		if typ == protowire.VarintType {
			v, n := protowire.ConsumeVarint(b)
			if f == want {
				return binary.BigEndian.AppendUint64(nil, v)
			}
			b = b[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(b)
		if f == want {
			return v
		}
		if n < 0 {
			return nil
		}
		b = b[n:]
	}
	return nil
}
