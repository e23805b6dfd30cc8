package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func bufioOf(b []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(b)) }

// childOptions let Platform start this test binary as the platform.
func childOptions(t *testing.T, faults fakeFaults) PlatformOptions {
	t.Helper()
	o := small(t, nil)
	o.Program, o.Dir = os.Args[0], t.TempDir()
	b, err := json.Marshal(faults)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Dir, "faults"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPlatformAsAChild(t *testing.T) {
	t.Parallel()
	o := childOptions(t, fakeFaults{})
	r, err := Platform(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Tally.Complete != 100 || r.Tally.Missing() != 0 {
		t.Errorf("%+v", r.Tally)
	}
	if runtime.GOOS == "linux" && (r.PeakRSS < mib || r.EndRSS < mib || r.EndRSS > r.PeakRSS) {
		t.Errorf("memory: peak %d, end %d", r.PeakRSS, r.EndRSS)
	}
	got, err := FindTarget(t.Context(), o.Program, o.Dir, "", "", nil)
	if err != nil || got.AppSecret != secret {
		t.Errorf("variables of the data directory: %+v, %v", got, err)
	}
	if _, err := FindTarget(t.Context(), o.Program, t.TempDir(), "", "", nil); err == nil || !strings.Contains(err.Error(), "no platform there") {
		t.Errorf("an empty directory: %v", err)
	}
}

func TestAPlatformThatDiesTellsWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		faults fakeFaults
		want   string
	}{
		{"before it is ready", fakeFaults{NeverReady: true}, "the disk is made of cheese"},
		{"in the middle", fakeFaults{DieAt: 30}, "journal: out of cheese"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Platform(t.Context(), childOptions(t, c.faults))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "exit status") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestCancelStopsTheChild(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	o := childOptions(t, fakeFaults{})
	o.Duration, o.MPS = time.Hour, 100
	o.Progress = &Progress{W: writerFunc(func(b []byte) (int, error) {
		if strings.Contains(string(b), "accepted") {
			cancel()
		}
		return len(b), nil
	})}
	if _, err := Platform(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestTail(t *testing.T) {
	t.Parallel()
	l := newTail("ready")
	for i := range 100_000 {
		if i == 50 {
			_, _ = l.Write([]byte("re"))
			_, _ = l.Write([]byte("ady\n"))
		}
		_, _ = l.Write([]byte("a line of a log\n"))
	}
	select {
	case <-l.found:
	default:
		t.Error("the text was missed")
	}
	if n := strings.Count(l.String(), "\n") + 1; n != tailLines || cap(l.b) > 4*tailBytes {
		t.Errorf("%d lines, %d bytes kept", n, cap(l.b))
	}
}

func TestProcessUsage(t *testing.T) {
	t.Parallel()
	u, err := processUsage(os.Getpid())
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil || u.RSS < mib || u.Peak < u.RSS/2 || u.CPU < 0 {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := processUsage(1 << 30); err == nil {
		t.Error("a process that does not exist has a usage")
	}
	if busy, err := machineBusy(); err != nil || busy <= 0 {
		t.Errorf("machine: %v, %v", busy, err)
	}
}
