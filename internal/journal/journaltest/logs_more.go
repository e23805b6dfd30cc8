package journaltest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
)

func testTrim(t *testing.T, _ *System, l *journal.Log) {
	for i := range 10 {
		add(t, l, fact("t%d", i))
	}
	ctx := within(t)
	if err := l.Trim(ctx, 4); err != nil {
		t.Fatal(err)
	}
	if l.First() != 5 || l.Last() != 10 {
		t.Errorf("after trimming 4 of 10 the log is %d to %d", l.First(), l.Last())
	}
	expectIDs(t, ids(read(t, l, 0, 6)), "t4", "t5", "t6", "t7", "t8", "t9")
	if err := l.Trim(ctx, 2); err != nil || l.First() != 5 {
		t.Errorf("trimming less again: %v, first is %d", err, l.First())
	}
	if err := l.Trim(ctx, 1000); err != nil {
		t.Fatal(err)
	}
	if l.First() != 11 || l.Last() != 10 {
		t.Errorf("after trimming everything the log is %d to %d", l.First(), l.Last())
	}
	if seq := add(t, l, fact("after")); seq != 11 {
		t.Errorf("the frame after everything was trimmed has sequence %d", seq)
	}
	expectIDs(t, ids(read(t, l, 0, 1)), "after")
}

func testSeqAt(t *testing.T, _ *System, l *journal.Log) {
	sys := clock.System()
	var at []time.Time
	for i := range 12 { // the first ones leave the tail
		seq := add(t, l, bulky(fmt.Sprint("at", i), 12<<10))
		f, err := l.Next(within(t), seq-1)
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, f.At)
		eventually(t, "the clock moves", func() bool { return sys.Now().Sub(f.At) > 2*time.Millisecond })
	}
	for i, when := range at {
		for _, c := range []struct {
			t    time.Time
			want uint64
		}{{when, uint64(i)}, {when.Add(time.Millisecond), uint64(i + 1)}} {
			if got, err := l.SeqAt(within(t), c.t); err != nil || got != c.want {
				t.Errorf("position of frame %d's time, %s: %d, %v, want %d", i+1, c.t.Sub(when), got, err, c.want)
			}
		}
	}
	if err := l.Trim(within(t), 5); err != nil {
		t.Fatal(err)
	}
	if got, err := l.SeqAt(within(t), at[0]); err != nil || got != 5 {
		t.Errorf("position of a time before the first frame: %d, %v, want 5", got, err)
	}
	if got, err := l.SeqAt(within(t), sys.Now().Add(time.Hour)); err != nil || got != 12 {
		t.Errorf("position of the future: %d, %v, want 12", got, err)
	}
}

func testFailed(t *testing.T, s *System, l *journal.Log) {
	ctx := within(t)
	add(t, l, fact("before"))
	s.Refuse(l)
	_, err := try(ctx, l, fact("refused"))
	expectErr(t, err, journal.ErrUnavailable)
	err = l.Append(facts("later", 1), func(uint64, error) { t.Error("callback of an append that was not taken") })
	expectErr(t, err, journal.ErrUnavailable)
	if f, err := l.Next(ctx, 0); err != nil || f.Seq != 1 {
		t.Errorf("reading while the log is failed: %+v, %v", f, err)
	}
	last, err := l.Resume(ctx)
	if err != nil || last != 1 {
		t.Fatalf("resume: %d, %v, want 1", last, err)
	}
	if seq := add(t, l, fact("again")); seq != 2 {
		t.Errorf("the first frame after resume has sequence %d", seq)
	}
	expectIDs(t, ids(read(t, l, 0, 2)), "before", "again")
	if last, err := l.Resume(ctx); err != nil || last != 2 {
		t.Errorf("resuming a healthy log: %d, %v, want 2", last, err)
	}
	add(t, l, fact("more"))
}

func testLost(t *testing.T, s *System, l *journal.Log) {
	ctx := within(t)
	add(t, l, fact("before"))
	s.Lose(l)
	_, err := try(ctx, l, fact("lost"))
	expectErr(t, err, journal.ErrUncertain)
	last, err := l.Resume(ctx)
	if err != nil || last != 2 {
		t.Fatalf("resume: %d, %v, want 2: the frame landed", last, err)
	}
	add(t, l, fact("after"))
	expectIDs(t, ids(read(t, l, 0, 3)), "before", "lost", "after")
}

func testFenced(t *testing.T, s *System, l *journal.Log) {
	ctx := within(t)
	rival := s.rival.Log(l.Partition())
	add(t, l, fact("old owner"))
	if _, err := try(ctx, rival, fact("too early")); err == nil {
		t.Fatal("a writer that did not see the last frame was let through")
	}
	if last, err := rival.Resume(ctx); err != nil || last != 1 {
		t.Fatalf("the new owner resumes at %d, %v, want 1", last, err)
	}
	add(t, rival) // the fence
	_, err := try(ctx, l, fact("stale"))
	expectErr(t, err, journal.ErrFenced)
	add(t, rival, fact("new owner"))
	expectIDs(t, ids(read(t, rival, 0, 2)), "old owner", "new owner")
	if last, err := l.Resume(ctx); err != nil || last != 3 {
		t.Errorf("resume: %d, %v, want 3", last, err)
	}
	expectIDs(t, ids(read(t, l, 0, 2)), "old owner", "new owner")
}

func testTooLarge(t *testing.T, _ *System, l *journal.Log) {
	for _, size := range []int{1 << 20, 3 << 20} {
		err := l.Append([]record.Record{fact("x"), bulky("large", size)}, func(uint64, error) { t.Error("callback") })
		expectErr(t, err, journal.ErrTooLarge)
	}
	add(t, l, fact("small"))
	add(t, l, bulky("larger than a frame should be", 900<<10))
	expectIDs(t, ids(read(t, l, 0, 2)), "small", "larger than a frame should be")
}

func testBackPressure(t *testing.T, s *System, l *journal.Log) {
	const calls, each = 100, 10
	release := s.Hold(l)
	var returned, told atomic.Int64
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for i := range calls {
			if err := l.Append(facts(fmt.Sprint("p", i), each), func(uint64, error) { told.Add(1) }); err != nil {
				t.Error(err)
				return
			}
			returned.Add(1)
		}
	}()
	eventually(t, "append blocks", func() bool { return s.Blocked(l) == 1 })
	// Four frames' worth waits, one frame is in hand.
	if n := returned.Load() * each; n > int64(6*small().MaxFrameRecords) || n < int64(4*small().MaxFrameRecords) {
		t.Errorf("%d records were taken while nothing was written", n)
	}
	if told.Load() != 0 {
		t.Error("callbacks before anything was written")
	}
	release()
	<-finished
	read(t, l, 0, calls*each)
	eventually(t, "all callbacks", func() bool { return told.Load() == calls })
}

func testCorrupt(t *testing.T, s *System, l *journal.Log) {
	ctx := within(t)
	add(t, l, fact("good"))
	if err := s.Spoil(l, []byte("this is no frame")); err != nil {
		t.Fatal(err)
	}
	if last, err := l.Resume(ctx); last != 2 || err == nil {
		t.Errorf("resume at a damaged frame: %d, %v", last, err)
	}
	expectIDs(t, ids(read(t, l, 0, 1)), "good")
	for range 2 {
		_, err := l.Next(ctx, 1)
		expectErr(t, err, journal.ErrCorrupt)
	}
}
