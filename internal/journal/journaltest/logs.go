package journaltest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
)

func testOrder(t *testing.T, _ *System, l *journal.Log) {
	if l.Last() != 0 || l.First() != 1 {
		t.Fatalf("a new log stands at %d, first %d", l.Last(), l.First())
	}
	const n = 300
	var want []string
	for i := range n {
		name := fmt.Sprintf("o%d", i)
		want = append(want, name)
		if err := l.Append([]record.Record{fact("%s", name)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	frames := read(t, l, 0, n)
	expectIDs(t, ids(frames), want...)
	for i, f := range frames {
		if f.Seq != uint64(i+1) || f.Partition != l.Partition() {
			t.Errorf("frame %d has sequence %d, partition %d", i, f.Seq, f.Partition)
		}
		if i > 0 && f.At.Before(frames[i-1].At) {
			t.Errorf("time falls at frame %d", f.Seq)
		}
	}
	if l.Last() != frames[len(frames)-1].Seq {
		t.Errorf("last is %d, the last frame has %d", l.Last(), frames[len(frames)-1].Seq)
	}
}

func testBatching(t *testing.T, s *System, l *journal.Log) {
	const n = 40
	release := s.Hold(l)
	first := make(chan outcome, 1)
	if err := l.Append(facts("first", 1), func(seq uint64, err error) { first <- outcome{seq, err} }); err != nil {
		t.Fatal(err)
	}
	// Nothing is written: what arrives now joins the first frame or, if the writer has that in hand, the second.
	var wg sync.WaitGroup
	seqs := make(chan outcome, n)
	for i := range n {
		wg.Go(func() {
			if err := l.Append(facts(fmt.Sprint("b", i), 1), func(seq uint64, err error) { seqs <- outcome{seq, err} }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	release()
	o := <-first
	if o.err != nil {
		t.Fatal(o.err)
	}
	for range n {
		if got := <-seqs; got.err != nil || got.seq > o.seq+1 {
			t.Fatalf("a record of the second frame has sequence %d, %v, want at most %d", got.seq, got.err, o.seq+1)
		}
	}
	for _, f := range read(t, l, 0, n+1) {
		if len(f.Records) > small().MaxFrameRecords {
			t.Errorf("frame %d holds %d records", f.Seq, len(f.Records))
		}
	}
}

func testWhole(t *testing.T, _ *System, l *journal.Log) {
	sizes := []int{1, 30, 30, 49, 2, 50, 7, 120, 1, 44, 5, 1, 60}
	total := 0
	for i, n := range sizes {
		if err := l.Append(facts(fmt.Sprint("w", i), n), nil); err != nil {
			t.Fatal(err)
		}
		total += n
	}
	where := map[string]uint64{}
	counts := map[string]int{}
	for _, f := range read(t, l, 0, total) {
		for _, id := range ids([]*journal.Frame{f}) {
			var call, n int
			if _, err := fmt.Sscanf(id, "w%d.%d", &call, &n); err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprint(call)
			if seq, seen := where[key]; seen && seq != f.Seq {
				t.Fatalf("append %d is split over frames %d and %d", call, seq, f.Seq)
			}
			where[key] = f.Seq
			counts[key]++
		}
	}
	for i, n := range sizes {
		if counts[fmt.Sprint(i)] != n {
			t.Errorf("append %d of %d records has %d", i, n, counts[fmt.Sprint(i)])
		}
	}
}

func testEmpty(t *testing.T, _ *System, l *journal.Log) {
	seq := add(t, l)
	f, err := l.Next(within(t), seq-1)
	if err != nil || f.Seq != seq || len(f.Records) != 0 {
		t.Fatalf("next is %+v, %v", f, err)
	}
}

func testCallbacks(t *testing.T, _ *System, l *journal.Log) {
	const n = 400
	var inside atomic.Int32
	var last uint64
	next := 0
	done := make(chan struct{})
	for i := range n {
		err := l.Append(facts(fmt.Sprint("c", i), 1), func(seq uint64, err error) {
			if inside.Add(1) != 1 {
				t.Error("two callbacks at once")
			}
			if err != nil || i != next || seq < last || seq == 0 {
				t.Errorf("callback %d with sequence %d, %v; want %d, at least %d", i, seq, err, next, last)
			}
			next, last = i+1, seq
			inside.Add(-1)
			if i == n-1 {
				close(done)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	<-done
}

func testReaders(t *testing.T, _ *System, l *journal.Log) {
	a, b := add(t, l, facts("r1", 2)...), add(t, l, facts("r2", 1)...)
	expectIDs(t, ids(read(t, l, 0, 3)), "r1.0", "r1.1", "r2.0")
	expectIDs(t, ids(read(t, l, a, 1)), "r2.0")

	type answer struct {
		f   *journal.Frame
		err error
	}
	const waiting = 3
	answers := make(chan answer, waiting)
	for range waiting {
		go func() {
			f, err := l.Next(within(t), b)
			answers <- answer{f, err}
		}()
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() {
		_, err := l.Next(ctx, b+100_000) // nothing will ever be there
		stopped <- err
	}()
	cancel()
	if err := <-stopped; err == nil {
		t.Error("a reader ahead of the log got a frame")
	}
	c := add(t, l, facts("r3", 1)...)
	for range waiting {
		if got := <-answers; got.err != nil || got.f.Seq != c {
			t.Errorf("a woken reader got %+v, %v, want frame %d", got.f, got.err, c)
		}
	}
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	_, err := l.Next(ctx, c)
	expectErr(t, err, context.Canceled)
}

func testTail(t *testing.T, _ *System, l *journal.Log) {
	r := bulky("tail", 100)
	seq := add(t, l, r)
	f, err := l.Next(within(t), seq-1)
	if err != nil || len(f.Records) != 1 || f.Records[0] != r {
		t.Fatalf("next is %+v, %v, want the record that was appended", f, err)
	}
}

func testSlowReader(t *testing.T, _ *System, l *journal.Log) {
	const n = 60
	var want []string
	for i := range n { // each about a fifth of the tail
		name := fmt.Sprint("slow", i)
		want = append(want, name)
		add(t, l, bulky(name, 6<<10))
	}
	frames := read(t, l, 0, n)
	expectIDs(t, ids(frames), want...)
	if old := frames[0].Records[0].(*record.Accepted); old.Body != nil || len(old.SealedBody) != 6<<10 {
		t.Error("the oldest frame did not come from disk")
	}
	if young := frames[len(frames)-1].Records[0].(*record.Accepted); string(young.Body) != "clear "+want[n-1] {
		t.Error("the newest frame did not come from memory")
	}
	// Two readers at different places, one frame at a time.
	for i := range n - 1 {
		for _, after := range []uint64{uint64(i), uint64(n - 1 - i)} {
			f, err := l.Next(within(t), after)
			if err != nil || f.Seq != after+1 {
				t.Fatalf("next after %d is %+v, %v", after, f, err)
			}
		}
	}
}
