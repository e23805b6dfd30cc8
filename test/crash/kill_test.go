//go:build crash

package crash

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// variable reads an environment variable.
func variable(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestKill kills the platform while it starts, while it works and while it stops, again and again on one directory.
func TestKill(t *testing.T) {
	kills := variable(t, "HIKYAKU_CRASH_KILLS", 200)
	seed := variable(t, "HIKYAKU_CRASH_SEED", uint64(time.Now().UnixNano()))
	t.Logf("seed %d (HIKYAKU_CRASH_SEED), %d kills (HIKYAKU_CRASH_KILLS)", seed, kills)
	w := newWorld(t, t.TempDir(), seed, true)
	url := w.receive()
	p := w.run()
	defer func() { p.Kill() }()
	w.furnish(url, 6)

	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for i := range 6 {
		load.Go(func() { w.live(ctx, i) })
	}
	for _, p := range w.people {
		load.Go(func() { p.live(ctx) })
	}
	starting, working, stopping := 0, 0, 0
	var slowest time.Duration
	for n := range kills {
		switch w.pick(10) {
		case 0, 1:
			stopping++
			time.Sleep(time.Duration(w.pick(300)) * time.Millisecond)
			if err := p.Terminate(); err != nil {
				t.Errorf("kill %d: %v", n, err)
			}
			time.Sleep(time.Duration(w.pick(150)) * time.Millisecond)
			p.Kill()
		default:
			working++
			life := w.pick(400)
			if w.chance(0.15) { // long enough for what happens once a second
				life += 1500
			}
			time.Sleep(time.Duration(life) * time.Millisecond)
			p.Kill()
		}
		for w.chance(0.2) {
			starting++
			var err error
			if p, err = w.place.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(w.pick(250)) * time.Millisecond)
			p.Kill()
		}
		began := time.Now()
		p = w.run()
		slowest = max(slowest, time.Since(began))
		for _, q := range w.people {
			q.link.Wake()
		}
		if n%25 == 24 {
			t.Logf("%d kills, %d messages accepted, %v since the last start", n+1, w.ledger.count(), time.Since(began))
		}
	}
	t.Logf("killed %d times at work, %d while stopping, %d while starting; slowest start %v", working, stopping, starting, slowest)
	time.Sleep(500 * time.Millisecond)
	stop()
	load.Wait()
	w.hooks.Fault = nil
	w.settle(t.Context())
	end, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 40*time.Second)
	defer cancel()
	if err := p.Stop(end); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("the last stop: %v\n%s", err, w.tail())
	}
	w.verify()
	w.checkLog()
}
