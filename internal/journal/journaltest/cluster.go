package journaltest

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
)

// testCluster walks through the life of one partition of a cluster: three nodes read the same, the stream's leader dies while
// node owner writes, another node takes the partition over, the old owner is refused, the dead node comes back.
func testCluster(t *testing.T, s *System, nodes int) {
	o := small()
	o.Partitions = 1
	js := openAll(t, s, nodes, o)
	leader := -1
	eventually(t, "a leader", func() bool {
		for i, j := range js {
			if s.Leads(j, j.Log(0)) {
				leader = i
			}
		}
		return leader >= 0
	})
	owner, other := (leader+1)%nodes, (leader+2)%nodes
	l := js[owner].Log(0)
	var want []string
	for i := range 20 { // nodes that have just met may not all know where the stream is
		want = append(want, fmt.Sprint("k", i))
		persist(t, l, fmt.Sprint("k", i))
	}
	for n, j := range js {
		expectIDs(t, ids(read(t, j.Log(0), 0, len(want))), want...)
		if j.Log(0).Last() != 20 {
			t.Errorf("node %d is at %d", n, j.Log(0).Last())
		}
	}

	s.Kill(js[leader])
	for i := 20; i < 40; i++ {
		want = append(want, fmt.Sprint("k", i))
		persist(t, l, fmt.Sprint("k", i))
	}
	expectIDs(t, ids(read(t, js[other].Log(0), 0, len(want))), want...)

	successor := js[other].Log(0)
	ctx := within(t)
	if last, err := successor.Resume(ctx); err != nil || last != l.Last() {
		t.Fatalf("the successor resumes at %d, %v, want %d", last, err, l.Last())
	}
	add(t, successor) // the fence
	_, err := try(ctx, l, fact("stale"))
	expectErr(t, err, journal.ErrFenced)
	want = append(want, "new owner")
	persist(t, successor, "new owner")

	shut(js[leader])
	back, err := s.Open(leader, o)
	if err != nil {
		t.Fatalf("reopen node %d: %v", leader, err)
	}
	t.Cleanup(func() { shut(back) })
	expectIDs(t, ids(read(t, back.Log(0), 0, len(want))), want...)
	want = append(want, "caught up")
	persist(t, successor, "caught up")
	expectIDs(t, ids(read(t, back.Log(0), 0, len(want))), want...)
	testLease(t, js[other], back)
}

// persist appends until it is sure that the record is in the log, once.
func persist(t *testing.T, l *journal.Log, name string) {
	t.Helper()
	ctx := within(t)
	before := l.Last()
	for {
		if _, err := try(ctx, l, fact("%s", name)); err == nil {
			return
		}
		last, err := l.Resume(ctx)
		for err != nil {
			if clock.System().Sleep(ctx, 50*time.Millisecond) != nil {
				t.Fatalf("resume: %v", err)
			}
			last, err = l.Resume(ctx)
		}
		if last > before { // it landed although its answer was lost
			return
		}
	}
}

// testLease hands a partition from one node to another.
func testLease(t *testing.T, a, b *journal.Journal) {
	ctx := within(t)
	var first *journal.Lease
	eventually(t, "a lease", func() bool {
		var err error
		first, err = a.Acquire(ctx, 0, "a", time.Hour)
		return err == nil
	})
	_, err := b.Acquire(ctx, 0, "b", time.Hour)
	expectErr(t, err, journal.ErrHeld)
	if err := first.Release(ctx); err != nil {
		t.Fatal(err)
	}
	second, err := b.Acquire(ctx, 0, "b", time.Hour)
	if err != nil || second.Epoch() <= first.Epoch() {
		t.Fatalf("second lease: %v, epoch %d after %d", err, second.Epoch(), first.Epoch())
	}
	expectErr(t, first.Renew(ctx, time.Hour), journal.ErrHeld)
}
