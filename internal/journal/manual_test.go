//go:build manual

// Tests that need a machine of their own: go test -tags manual -run Manual -v ./internal/journal
package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// TestManualFullDisk fills a real file system: HIKYAKU_SMALL_DISK names an empty directory on one of about 24 MB, such as
// a tmpfs.
func TestManualFullDisk(t *testing.T) {
	small := os.Getenv("HIKYAKU_SMALL_DISK")
	if small == "" {
		t.Skip("HIKYAKU_SMALL_DISK is not set")
	}
	ballast := filepath.Join(small, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(small, "journal")
	j := open(t, journal.Options{Dir: dir, Partitions: 2})
	l := j.Log(0)
	acked := 0
	var err error
	for err == nil {
		if err = appendTo(t, l, bigMark(acked)); err == nil {
			acked++
		}
	}
	t.Logf("after %d records: %v", acked, err)
	if !errors.Is(err, journal.ErrFull) {
		t.Fatal("the error is not ErrFull")
	}
	for range 2 {
		_, err := l.Resume(soon(t))
		if err == nil {
			err = appendTo(t, l, bigMark(acked))
		}
		t.Logf("while it is full: %v", err)
		if !errors.Is(err, journal.ErrFull) {
			t.Fatal("the error is not ErrFull")
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	last, err := l.Resume(soon(t))
	if err != nil || last < uint64(acked) {
		t.Fatalf("resume with room: %d, %v, %d were acknowledged", last, err, acked)
	}
	mustAppend(t, l, mark("after"))
	closeNow(j)
	j = open(t, journal.Options{Dir: dir})
	l = j.Log(0)
	seen := 0
	for pos := range l.Last() {
		f, err := l.Next(soon(t), pos)
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := f.Records[0].(*record.Accepted); ok && string(r.ID) == fmt.Sprint(seen) {
			seen++
		}
	}
	if seen < acked || l.Last() != last+1 {
		t.Errorf("%d of %d acknowledged records are there, log ends at %d, want %d", seen, acked, l.Last(), last+1)
	}
}

func bigMark(i int) record.Record {
	return &record.Accepted{ID: wa.MessageID(fmt.Sprint(i)), SealedBody: make([]byte, 30<<10)}
}

// TestManualStart writes what a million messages leave behind, about 2 GB, and measures how long the journal takes to open
// it after a clean end and after a crash. The goal is 2 s. HIKYAKU_BIG_DIR keeps the data for the next run.
func TestManualStart(t *testing.T) {
	dir := os.Getenv("HIKYAKU_BIG_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	sys := clock.System()
	if _, err := os.Stat(filepath.Join(dir, "journal.json")); err != nil {
		fill(t, dir)
	}
	for _, crashed := range []bool{false, true, false} {
		if crashed {
			dropIndexes(t, dir)
		}
		start := sys.Now()
		j, err := journal.Open(context.Background(), journal.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		var frames uint64
		for p := range j.Partitions() {
			frames += j.Log(p).Last()
		}
		t.Logf("crashed=%v: open took %s, %d frames; %s", crashed, sys.Now().Sub(start), frames, memory())
		if err := j.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// fill writes one million messages of five records each to all partitions: frames of two messages' worth.
func fill(t *testing.T, dir string) {
	t.Helper()
	j := open(t, journal.Options{Dir: dir, TailBytes: 1, MaxFrameRecords: 10})
	const messages = 1_000_000
	for i := range messages {
		number, id := wa.PhoneNumberID("106540352242922"), wa.MessageID(fmt.Sprintf("wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA%07d", i))
		status := func(k record.Kind) record.Record {
			return &record.Status{
				Of: k, ID: id, Number: number, WABA: "102290129340398", To: "16505551234", At: 1700000000000, Type: "text",
				Category: "service", PricingType: "regular", Priced: true, Device: "16505551234.1", Seq: uint64(i),
			}
		}
		recs := []record.Record{
			&record.Accepted{ID: id, Number: number, WABA: "102290129340398", To: "16505551234", At: 1700000000000, Type: "text", SealedBody: make([]byte, 200)},
			&record.Sealed{ID: id, Number: number, Device: "16505551234.1", Seq: uint64(i), Cipher: make([]byte, 400), Session: make([]byte, 700)},
			status(record.KindSent), status(record.KindDelivered), status(record.KindRead),
		}
		if err := j.Log(i%8).Append(recs, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// dropIndexes leaves the streams as a crash does: with an index that does not match.
func dropIndexes(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "index.db") {
			err = os.Remove(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func memory() string {
	runtime.GC()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err.Error()
	}
	var size, resident int
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("resident %d MB", resident*os.Getpagesize()>>20)
}

// TestManualFlushes counts on the disk that every acknowledged frame was flushed to it. Others only add flushes.
func TestManualFlushes(t *testing.T) {
	l := open(t, journal.Options{Partitions: 1}).Log(0)
	mustAppend(t, l, mark("first"))
	const n = 200
	before := flushes(t)
	for range n {
		mustAppend(t, l, mark("a"))
	}
	if got := flushes(t) - before; got < n {
		t.Errorf("%d flushes for %d frames", got, n)
	} else {
		t.Logf("%d flushes for %d frames", got, n)
	}
}

// flushes is the number of flush requests that all disks completed: field 19 of a line of /proc/diskstats.
func flushes(t *testing.T) (n int) {
	t.Helper()
	b, err := os.ReadFile("/proc/diskstats")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 18 {
			v, err := strconv.Atoi(f[18])
			if err != nil {
				t.Fatal(err)
			}
			n += v
		}
	}
	return n
}

// TestManualIdleMemory reports what an empty journal occupies.
func TestManualIdleMemory(t *testing.T) {
	t.Log("before: " + memory())
	j := open(t, journal.Options{})
	for p := range j.Partitions() {
		mustAppend(t, j.Log(p), mark("a"))
	}
	t.Log("open: " + memory())
	if err := clock.System().Sleep(soon(t), 12*time.Second); err != nil {
		t.Fatal(err)
	}
	t.Log("12 s later: " + memory())
}
