package virtual_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hikyaku/hikyaku/device/internal/platformtest"
	"github.com/hikyaku/hikyaku/device/virtual"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// counter is a platform that only counts, so that a benchmark measures the fleet.
type counter struct {
	*platformtest.Platform
	mu    sync.Mutex
	sinks map[string]func(frame.Frame)
	acks  atomic.Int64
	reads atomic.Int64
}

func (c *counter) CreateUsers(_ context.Context, users []virtual.Registration) error {
	for _, u := range users {
		c.Register(u.WaID, u.Device)
	}
	return nil
}

func (c *counter) MoveUser(context.Context, string, virtual.Registration) error { return nil }

func (c *counter) Attach(device string, _ uint64, sink func(frame.Frame)) (virtual.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sinks[device] = sink
	return c, nil
}

func (c *counter) Handle(f frame.Frame) {
	switch f := f.(type) {
	case *frame.Ack:
		c.acks.Add(1)
	case *frame.Receipt:
		c.reads.Add(int64(len(f.IDs)))
	}
}

func (c *counter) Close() {}

// BenchmarkReceive is one message to an established session: decrypt, parse, keep, ack, read receipt.
// Budget: 100 µs on one core, so that 10,000 a second fit.
func BenchmarkReceive(b *testing.B) {
	const users, each = 200, 50
	c := &counter{Platform: platformtest.New(business), sinks: map[string]func(frame.Frame){}}
	f := virtual.New(virtual.Options{Network: c, Clock: newClock(), Workers: 1})
	f.Start()
	defer f.Close()
	ids := make([]string, users)
	for i := range users {
		ids[i] = fmt.Sprintf("1555%07d", i)
		if err := f.Add(b.Context(), virtual.User{WaID: ids[i]}); err != nil {
			b.Fatal(err)
		}
	}
	wait := func() {
		for !f.Idle() {
			runtime.Gosched()
		}
	}
	done := 0
	round := func(n int) {
		frames := make([]*frame.Deliver, 0, n)
		to := make([]func(frame.Frame), 0, n)
		for i := range n {
			id := ids[i%users] + ".1"
			c.Text(id, "Your parcel is here, at the corner of the street.")
			list := c.Pending(id, 1)
			frames, to = append(frames, list[len(list)-1]), append(to, c.sinks[id])
		}
		for i := range users {
			id := ids[i] + ".1"
			list := c.Pending(id, 10000)
			if len(list) > 0 {
				items := list[len(list)-1].Items
				c.Platform.Handle(id, &frame.Ack{Seq: items[len(items)-1].Seq})
			}
		}
		b.StartTimer()
		for i, d := range frames {
			to[i](d)
		}
		wait()
		b.StopTimer()
		done += n
	}
	b.StopTimer()
	round(users) // first contacts
	b.ResetTimer()
	b.ReportAllocs()
	for left := b.N; left > 0; left -= users * each {
		round(min(left, users*each))
	}
	if c.reads.Load() != int64(done) {
		b.Fatalf("%d of %d read", c.reads.Load(), done)
	}
}

// BenchmarkAdd is the making of a user: keys, signatures, connection. Budget: 1 ms and 5 kB kept.
func BenchmarkAdd(b *testing.B) {
	c := &counter{Platform: platformtest.New(business), sinks: map[string]func(frame.Frame){}}
	f := virtual.New(virtual.Options{Network: nobody{c}, Clock: newClock(), Workers: 1})
	f.Start()
	defer f.Close()
	users := make([]virtual.User, b.N)
	for i := range users {
		users[i].WaID = fmt.Sprintf("1555%07d", i)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	if err := f.Add(b.Context(), users...); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "kept-B/user")
}

// nobody forgets who registers, so that only the fleet's memory is measured.
type nobody struct{ *counter }

func (nobody) CreateUsers(context.Context, []virtual.Registration) error    { return nil }
func (nobody) MoveUser(context.Context, string, virtual.Registration) error { return nil }

func (n nobody) Attach(string, uint64, func(frame.Frame)) (virtual.Conn, error) { return n, nil }
