//go:build crash && linux

package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/hikyaku/hikyaku/test/child"
)

// smallDisk mounts a file system of its own, or skips the test and says why.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED, NOT TESTED: mounting a small file system needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: mount a tmpfs of %s: %v", size, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// fill takes all room that is left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for n := 1 << 20; n >= 1; { // to the last byte
		if _, err := f.Write(make([]byte, n)); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			n /= 2
		}
	}
}

// setFileLimit bounds the size of every file that a process writes: beyond it writes fail with EFBIG.
func setFileLimit(t *testing.T, pid int, bytes uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: bytes, Max: math.MaxUint64}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		t.Skipf("SKIPPED, NOT TESTED: prlimit: %v", errno)
	}
}

// probe sends a template, which needs no window, to a user of its own, so that no limit stands in its way.
func (w *world) probe(i int) (*child.Answer, error) {
	a, err := w.place.Graph(w.t.Context(), "POST", version+"/"+w.numbers[i%2].id+"/messages", w.start.Token,
		child.Hello(fmt.Sprintf("1202555%04d", i), "probe"))
	if err == nil && a.Status == 200 {
		w.ledger.accept(a.MessageID(), w.numbers[i%2].id, fmt.Sprintf("1202555%04d", i), "")
	}
	return a, err
}

// until probes until a send is accepted or refused, as want says, and insists that nothing but 200 and 131016 comes.
func (w *world) until(refused bool, first int, within time.Duration) (probes int) {
	w.t.Helper()
	end := time.Now().Add(within)
	for i := first; ; i++ {
		a, err := w.probe(i)
		if err != nil {
			w.t.Fatalf("probe: %v\n%s", err, w.tail())
		}
		switch {
		case a.Status == 200 && !refused, a.Code() == 131016 && refused:
			return i - first + 1
		case a.Status != 200 && a.Code() != 131016:
			w.t.Fatalf("probe: HTTP %d %s", a.Status, a.Body)
		}
		if time.Now().After(end) {
			w.t.Fatalf("after %v still HTTP %d %s\n%s", within, a.Status, a.Body, w.tail())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// withoutDisk lets senders and devices work while the disk fails, and checks that nothing acknowledged was lost and that
// the platform goes on by itself.
func withoutDisk(t *testing.T, w *world, fail, heal func(p *child.Process)) {
	url := w.receive()
	p := w.run()
	defer func() { p.Kill() }()
	w.furnish(url, 3)
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for i := range 4 {
		load.Go(func() { w.live(ctx, i) })
	}
	for _, p := range w.people {
		load.Go(func() { p.live(ctx) })
	}
	next := 0
	for round := range 3 {
		time.Sleep(700 * time.Millisecond)
		fail(p)
		next += w.until(true, next, 20*time.Second)
		before := w.ledger.count()
		time.Sleep(2 * time.Second)
		t.Logf("round %d: %d sends accepted while the disk fails, refusals so far %v", round, w.ledger.count()-before, w.ledger.refused)
		heal(p)
		next += w.until(false, next, 20*time.Second)
		next += w.until(false, next, 20*time.Second) // the other number's lane is back too
	}
	time.Sleep(time.Second)
	stop()
	load.Wait()
	select {
	case <-p.Done():
		t.Fatalf("the platform ended by itself\n%s", w.tail())
	default:
	}
	w.settle(t.Context())
	end, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 40*time.Second)
	defer cancel()
	if err := p.Stop(end); err != nil {
		t.Errorf("stop: %v\n%s", err, w.tail())
	}
	w.verify()
	w.checkLog()
}

// TestFullDisk takes all room, and gives it back.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, "96m")
	seed := variable(t, "HIKYAKU_CRASH_SEED", uint64(time.Now().UnixNano()))
	t.Logf("seed %d", seed)
	w := newWorld(t, filepath.Join(disk, "data"), seed, false)
	filler := filepath.Join(disk, "filler")
	withoutDisk(t, w,
		func(*child.Process) { fill(t, filler) },
		func(*child.Process) {
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
		})
}

// TestWriteErrors lets every write beyond the first bytes of a file fail.
func TestWriteErrors(t *testing.T) {
	seed := variable(t, "HIKYAKU_CRASH_SEED", uint64(time.Now().UnixNano()))
	t.Logf("seed %d", seed)
	w := newWorld(t, t.TempDir(), seed, false)
	w.place.Log = struct{ io.Writer }{w.log} // through a pipe: the limit must not hit the log
	withoutDisk(t, w,
		func(p *child.Process) { setFileLimit(t, p.PID(), 1024) },
		func(p *child.Process) { setFileLimit(t, p.PID(), math.MaxUint64) })
}
