package pipeline_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ackBoxes acknowledges every item at once, as devices that are all connected do.
type ackBoxes struct {
	*boxes
	p   *pipeline.Pipeline
	mu  sync.Mutex
	seq map[wa.DeviceID]uint64
}

func (b *ackBoxes) Reserve(device wa.DeviceID) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq[device]++
	return b.seq[device]
}

func (b *ackBoxes) Put(items []*pipeline.MailboxItem) {
	acks := make([]pipeline.Receipt, len(items))
	for i, it := range items {
		acks[i] = pipeline.Receipt{Device: it.Device, Seq: it.Seq, ID: it.ID, Number: it.Number}
	}
	b.p.Receipts(acks)
}

func (b *ackBoxes) Skip(wa.DeviceID, uint64) {}

// BenchmarkLadder measures messages from Accept to delivered, durable at each step and projected into the store, with 512
// clients and 2,000 users of two numbers. Budget: 60 µs per message on two cores.
func BenchmarkLadder(b *testing.B) {
	acks := &ackBoxes{seq: map[wa.DeviceID]uint64{}}
	w := newWorld(b, func(w *world) {
		w.pace = clock.NewControlled(epoch, 1)
		w.set = func(o *pipeline.Options) { acks.boxes, _ = o.Mailbox.(*boxes); o.Mailbox = acks }
		for _, id := range []wa.PhoneNumberID{shop, shop2} {
			w.numbers.change(id, func(n *business.Number) { n.MPS = 1 << 20 })
		}
	})
	acks.p = w.p
	const users = 2000
	for i := range users {
		w.phone(person(i))
	}
	var next atomic.Int64
	send := func() {
		n := next.Add(1)
		if n%users == 0 {
			w.clock.Advance(time.Minute)
		}
		m := template(person(int(n%users)), "A message of usual length, with a name, a date and what else a template has.")
		m.Number, m.Life = []wa.PhoneNumberID{shop, shop2}[n&1], message.Month
		if _, err := w.p.Accept(b.Context(), m); err != nil {
			b.Error(err)
		}
	}
	run := func(n int) {
		var wg sync.WaitGroup
		var left atomic.Int64
		left.Store(int64(n))
		for range 512 {
			wg.Go(func() {
				for left.Add(-1) >= 0 {
					send()
				}
			})
		}
		wg.Wait()
		w.settle()
	}
	run(2 * users) // first contacts
	b.ReportAllocs()
	before := w.p.Counts().Delivered.Load()
	b.ResetTimer()
	n := 0
	for b.Loop() {
		n++
		if n == 20_000 { // b.Loop counts, run sends
			run(n)
			n = 0
		}
	}
	run(n)
	b.StopTimer()
	if got := w.p.Counts().Delivered.Load() - before; got != uint64(b.N) {
		b.Errorf("%d of %d delivered", got, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
