package network_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// nowhere is a sink that takes everything and keeps nothing.
type nowhere struct{}

func (nowhere) Push(frame.Frame) bool         { return true }
func (nowhere) Close(frame.CloseCode, string) {}

// fleet connects n devices in-process.
func fleet(t testing.TB, w *world, n int) []*network.Link {
	list := make([]network.NewUser, n)
	for i := range list {
		list[i] = network.NewUser{WaID: wa.WaID(fmt.Sprintf("1555020%05d", i)), Name: "Fleet", Device: sharedKeys().Device}
	}
	if _, err := w.dir.Create(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	links := make([]*network.Link, n)
	for i := range list {
		links[i] = w.attach(t, wa.NewDeviceID(list[i].WaID, 1), 0, nowhere{})
	}
	return links
}

func TestFleetCostsNoGoroutines(t *testing.T) {
	w := newWorld(nil)
	defer w.stop(t)
	fleet(t, w, 10)
	before := runtime.NumGoroutine()
	fleet(t, w, 1000)
	if more := runtime.NumGoroutine() - before; more > 20 {
		t.Errorf("%d goroutines more for 1,000 devices", more)
	}
}

// Budget: 2 µs for an item through the mailbox of one of 10,000 devices, from Reserve to the lanes hearing of its
// acknowledgement; and 2 kB of idle memory per device, the user's row and the test's store included.
func BenchmarkFleetItem(b *testing.B) {
	w := newWorld(nil)
	w.lanes.Deaf = true
	defer w.stop(b)
	var m0, m1 runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m0)
	links := fleet(b, w, 10_000)
	runtime.GC()
	runtime.ReadMemStats(&m1)
	ctx := b.Context()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		l := links[i%len(links)]
		i++
		seq := w.reserve(b, l.Device())
		w.box.Put([]*network.Item{item(l.Device(), seq)})
		l.Send(ctx, &frame.Ack{Seq: seq})
		w.box.Stored([]network.Ref{{Device: l.Device(), Seq: seq}})
	}
	b.ReportMetric(float64(m1.HeapAlloc-m0.HeapAlloc)/10_000, "heapB/device")
}

func BenchmarkReceiptParallel(b *testing.B) {
	w := newWorld(nil)
	w.lanes.Deaf = true
	defer w.stop(b)
	links := fleet(b, w, 1000)
	ctx := b.Context()
	r := &frame.Receipt{State: frame.StateRead, IDs: []string{"wamid.HBgLMTU1NTAxNDIyMzM"}}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			links[i%len(links)].Send(ctx, r)
		}
	})
}
