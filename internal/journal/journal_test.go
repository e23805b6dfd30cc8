package journal_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, o journal.Options) *journal.Journal {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	j, err := journal.Open(soon(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNow(j) })
	return j
}

func closeNow(j *journal.Journal) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = j.Close(ctx) // a second time, or without its server, is fine here
}

func mark(id string) record.Record { return &record.Marked{ID: wa.MessageID(id)} }

func appendTo(t *testing.T, l *journal.Log, recs ...record.Record) error {
	t.Helper()
	done := make(chan error, 1)
	if err := l.Append(recs, func(_ uint64, err error) { done <- err }); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-soon(t).Done():
		t.Fatal("no callback")
		return nil
	}
}

func mustAppend(t *testing.T, l *journal.Log, recs ...record.Record) {
	t.Helper()
	if err := appendTo(t, l, recs...); err != nil {
		t.Fatal(err)
	}
}

// expectLog reads a log from the start.
func expectLog(t *testing.T, l *journal.Log, want ...string) {
	t.Helper()
	var pos uint64
	for _, id := range want {
		f, err := l.Next(soon(t), pos)
		if err != nil || len(f.Records) != 1 || string(f.Records[0].(*record.Marked).ID) != id {
			t.Fatalf("after %d: %+v, %v, want %s", pos, f, err, id)
		}
		pos = f.Seq
	}
	if l.Last() != pos {
		t.Fatalf("log ends at %d, want %d", l.Last(), pos)
	}
}

func TestServerSyncsBeforeItAcknowledges(t *testing.T) {
	t.Parallel()
	if !journal.SyncsAlways(open(t, journal.Options{Partitions: 1})) {
		t.Error("it does not")
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	if n := open(t, journal.Options{}).Partitions(); n != 8 {
		t.Errorf("a new journal has %d partitions", n)
	}
	for name, o := range map[string]journal.Options{
		"no directory":         {},
		"frames too large":     {Dir: t.TempDir(), MaxFrameBytes: 1 << 20},
		"too many partitions":  {Dir: t.TempDir(), Partitions: 5000},
		"a node without name":  {Dir: t.TempDir(), Cluster: &journal.Cluster{Listen: "127.0.0.1:0"}},
		"a node without port":  {Dir: t.TempDir(), Cluster: &journal.Cluster{Node: "a", Listen: "127.0.0.1"}},
		"a node with bad port": {Dir: t.TempDir(), Cluster: &journal.Cluster{Node: "a", Listen: "127.0.0.1:x"}},
	} {
		if j, err := journal.Open(soon(t), o); err == nil {
			closeNow(j)
			t.Errorf("%s: opened", name)
		}
	}
}

func TestPlatformTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	c := clock.NewFake(at)
	j := open(t, journal.Options{Dir: dir, Partitions: 1, Clock: c})
	l := j.Log(0)
	mustAppend(t, l, mark("a"))
	c.Advance(time.Hour)
	mustAppend(t, l, mark("b"))
	closeNow(j)
	// The next clock is behind: time stands still.
	l = open(t, journal.Options{Dir: dir, Clock: clock.NewFake(at)}).Log(0)
	mustAppend(t, l, mark("c"))
	for seq, want := range []time.Time{at, at.Add(time.Hour), at.Add(time.Hour)} {
		if f, err := l.Next(soon(t), uint64(seq)); err != nil || !f.At.Equal(want) || f.At.Location() != time.UTC {
			t.Errorf("frame %d: %+v, %v, want %s", seq+1, f, err, want)
		}
	}
	if pos, err := l.SeqAt(soon(t), at.Add(time.Minute)); err != nil || pos != 1 {
		t.Errorf("position is %d, %v", pos, err)
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  error
	}{
		"of something else":     {map[string]string{"data.db": "x"}, journal.ErrForeign},
		"with a foreign file":   {map[string]string{"journal.json": "hello"}, journal.ErrForeign},
		"of a newer version":    {map[string]string{"journal.json": `{"format":2,"partitions":8}`}, journal.ErrVersion},
		"of other size":         {map[string]string{"journal.json": `{"format":1,"partitions":4}`}, journal.ErrForeign},
		"without its streams":   {map[string]string{"journal.json": `{"format":1,"partitions":8,"created":true}`}, journal.ErrCorrupt},
		"of a creation cut off": {map[string]string{"journal.json": `{"format":1,"partitions":8}`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for n, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, n), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			j, err := journal.Open(soon(t), journal.Options{Dir: dir, Partitions: 8})
			if err == nil {
				closeNow(j)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestFailedWrite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op   string
		err  error
		want error
	}{
		{"write", syscall.ENOSPC, journal.ErrFull},
		{"write", syscall.EIO, journal.ErrUnavailable},
		{"write", syscall.EFBIG, journal.ErrUnavailable},
		{"sync", syscall.EINVAL, journal.ErrUnavailable},
	} {
		t.Run(c.op+" "+c.err.Error(), func(t *testing.T) {
			t.Parallel()
			failedWrite(t, &fs.PathError{Op: c.op, Path: "1.blk", Err: c.err}, c.want)
		})
	}
}

// failedWrite lets the server complain of a write, after which its stream refuses everything until it is restarted.
func failedWrite(t *testing.T, complaint, want error) {
	j := open(t, journal.Options{Partitions: 2})
	l := j.Log(0)
	mustAppend(t, l, mark("a"))
	journal.ComplainNext(l, complaint)
	if err := appendTo(t, l, mark("b")); !errors.Is(err, want) {
		t.Fatalf("append: %v, want %v", err, want)
	}
	if err := l.Append(nil, nil); !errors.Is(err, want) {
		t.Errorf("append to the failed log: %v, want %v", err, want)
	}
	if last, err := l.Resume(soon(t)); err != nil || last != 1 {
		t.Fatalf("resume: %d, %v", last, err)
	}
	mustAppend(t, l, mark("c"))
	expectLog(t, l, "a", "c")
	mustAppend(t, j.Log(1), mark("x")) // it had nothing in flight
}

func TestServerIsGone(t *testing.T) {
	t.Parallel()
	j := open(t, journal.Options{Partitions: 1, TailBytes: 1, AppendTimeout: 300 * time.Millisecond})
	l := j.Log(0)
	mustAppend(t, l, mark("a"))
	mustAppend(t, l, mark("b"))
	journal.KillServer(j)
	frame := make(chan *journal.Frame, 1)
	go func() {
		f, err := l.Next(soon(t), 0) // only on disk
		if err != nil {
			t.Error(err)
		}
		frame <- f
	}()
	if err := appendTo(t, l, mark("c")); !errors.Is(err, journal.ErrUnavailable) && !errors.Is(err, journal.ErrUncertain) {
		t.Fatalf("append without a server: %v", err)
	}
	if err := l.Trim(soon(t), 1); err == nil && l.First() == 2 {
		t.Error("trimmed without a server")
	}
	if _, err := l.Resume(soon(t)); err != nil { // starts it again
		t.Fatal(err)
	}
	if f := <-frame; f == nil {
		t.Error("the waiting reader got nothing")
	}
	mustAppend(t, l, mark("d"))
}

// What was forgotten is read from disk; the newest frame stays in memory.
func TestForget(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	j := open(t, journal.Options{Partitions: 1, Clock: c})
	l := j.Log(0)
	for _, name := range []string{"a", "b", "c"} {
		mustAppend(t, l, mark(name))
		c.Advance(time.Minute)
	}
	l.Forget(c.Now(), 0)
	if n := journal.InMemory(l); n != 3 {
		t.Errorf("%d frames in memory, want all: a reader is before them", n)
	}
	l.Forget(c.Now().Add(-150*time.Second), 3)
	if n := journal.InMemory(l); n != 2 {
		t.Errorf("%d frames in memory, want the two that are young", n)
	}
	l.Forget(c.Now(), 3)
	if n := journal.InMemory(l); n != 1 {
		t.Errorf("%d frames in memory, want the newest", n)
	}
	expectLog(t, l, "a", "b", "c")
	mustAppend(t, l, mark("d"))
	expectLog(t, l, "a", "b", "c", "d")
}

// largeLog fills log 0 with frames of 900 KiB, four to a block file, and closes the journal.
func largeLog(t *testing.T, n int) (dir string, blocks []string) {
	t.Helper()
	dir = t.TempDir()
	j := open(t, journal.Options{Dir: dir, Partitions: 1})
	for range n {
		mustAppend(t, j.Log(0), &record.Accepted{SealedBody: make([]byte, 900<<10)})
	}
	closeNow(j)
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".blk") {
			blocks = append(blocks, path)
		}
		return err
	})
	if err != nil || len(blocks) < 2 {
		t.Fatalf("blocks are %q, %v", blocks, err)
	}
	return dir, blocks
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{0xff}, at); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedBlockStopsReaders(t *testing.T) {
	t.Parallel()
	dir, blocks := largeLog(t, 6)
	flip(t, blocks[0], 1_500_000) // in the second frame
	j := open(t, journal.Options{Dir: dir})
	l := j.Log(0)
	if _, err := l.Next(soon(t), 0); err != nil {
		t.Errorf("before the damage: %v", err)
	}
	if _, err := l.Next(soon(t), 1); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("at the damage: %v", err)
	}
}

func TestDamageFoundByRecoveryStopsTheStart(t *testing.T) {
	t.Parallel()
	dir, blocks := largeLog(t, 6)
	flip(t, blocks[0], 1_500_000)
	// As after a crash: without its index the server reads everything, and drops what it cannot read.
	if err := os.Remove(filepath.Join(filepath.Dir(blocks[0]), "index.db")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		j, err := journal.Open(soon(t), journal.Options{Dir: dir})
		if err == nil {
			closeNow(j)
		}
		if !errors.Is(err, journal.ErrCorrupt) {
			t.Fatalf("open: %v", err)
		}
	}
}

func TestUnfinishedFrameIsDropped(t *testing.T) {
	t.Parallel()
	dir, blocks := largeLog(t, 6)
	last := blocks[len(blocks)-1]
	info, err := os.Stat(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Truncate(last, info.Size()-1000), os.Remove(filepath.Join(filepath.Dir(last), "index.db"))); err != nil {
		t.Fatal(err)
	}
	l := open(t, journal.Options{Dir: dir}).Log(0)
	if l.Last() != 5 {
		t.Errorf("log ends at %d, want 5", l.Last())
	}
	mustAppend(t, l, mark("next"))
	if f, err := l.Next(soon(t), 5); err != nil || f.Seq != 6 {
		t.Errorf("next is %+v, %v", f, err)
	}
}

func TestFrameInFlightIsNotRead(t *testing.T) {
	t.Parallel()
	o := journal.Options{Dir: t.TempDir(), Partitions: 1}
	j := open(t, o)
	mustAppend(t, j.Log(0), mark("a"))
	mustAppend(t, j.Log(0), mark("b"))
	closeNow(j)
	l := open(t, o).Log(0) // both are read from disk now
	frame := journal.EncodeFrame(time.Now(), []record.Record{mark("c")})
	if err := journal.Spoil(soon(t), l, frame); err != nil {
		t.Fatal(err)
	}
	expectLog(t, l, "a", "b")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f, err := l.Next(ctx, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("a frame that the log does not know to be durable was read: %+v, %v", f, err)
	}
}

func TestPositionBeyondTheEnd(t *testing.T) {
	t.Parallel()
	l := open(t, journal.Options{Partitions: 1}).Log(0)
	mustAppend(t, l, mark("a"))
	if _, err := l.Next(soon(t), 2); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("a reader that saw frame 2 of 1: %v", err)
	}
}

func TestExternalServer(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true, SyncAlways: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	o := journal.Options{Partitions: 2, Cluster: &journal.Cluster{URL: s.ClientURL(), Replicas: 1}}
	j := open(t, o)
	mustAppend(t, j.Log(1), mark("a"))
	follower := open(t, o)
	expectLog(t, follower.Log(1), "a")
	mustAppend(t, j.Log(1), mark("b"))
	if f, err := follower.Log(1).Next(soon(t), 1); err != nil || f.Seq != 2 {
		t.Errorf("the follower's next is %+v, %v", f, err)
	}
	o.Partitions = 1
	if j, err := journal.Open(soon(t), o); !errors.Is(err, journal.ErrForeign) {
		closeNow(j)
		t.Errorf("with other partitions: %v", err)
	}
}

func TestLease(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	j := open(t, journal.Options{Partitions: 2, Clock: c})
	ctx := soon(t)
	a, err := j.Acquire(ctx, 0, "a", time.Minute)
	if err != nil || a.Epoch() != 1 || !a.Expires().Equal(c.Now().Add(time.Minute)) {
		t.Fatalf("first lease: %+v, %v", a, err)
	}
	if _, err := j.Acquire(ctx, 0, "b", time.Minute); !errors.Is(err, journal.ErrHeld) {
		t.Errorf("a second owner: %v", err)
	}
	if _, err := j.Acquire(ctx, 1, "b", time.Minute); err != nil {
		t.Errorf("another partition: %v", err)
	}
	c.Advance(50 * time.Second)
	if err := a.Renew(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	c.Advance(50 * time.Second)
	if _, err := j.Acquire(ctx, 0, "b", time.Minute); !errors.Is(err, journal.ErrHeld) {
		t.Errorf("after a renewal: %v", err)
	}
	c.Advance(11 * time.Second)
	b, err := j.Acquire(ctx, 0, "b", time.Minute)
	if err != nil || b.Epoch() != 2 {
		t.Fatalf("after the end: %+v, %v", b, err)
	}
	for range 2 {
		if err := a.Renew(ctx, time.Minute); !errors.Is(err, journal.ErrHeld) {
			t.Errorf("renewing a lost lease: %v", err)
		}
	}
	if err := b.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if again, err := j.Acquire(ctx, 0, "a", time.Minute); err != nil || again.Epoch() != 3 {
		t.Errorf("after a release: %+v, %v", again, err)
	}
}
