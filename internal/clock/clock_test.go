package clock_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/clock"
)

var start = time.Date(2026, 4, 3, 10, 0, 0, 0, time.UTC)

func TestFakeStandsStill(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start.In(time.FixedZone("JST", 9*3600)))
	if now := c.Now(); !now.Equal(start) || now.Location() != time.UTC {
		t.Errorf("starts at %v", now)
	}
	if now := c.Advance(25 * time.Hour); !now.Equal(start.Add(25*time.Hour)) || !c.Now().Equal(now) {
		t.Errorf("advanced to %v", now)
	}
	if now := c.Advance(-time.Hour); !now.Equal(start.Add(25 * time.Hour)) {
		t.Errorf("went back to %v", now)
	}
}

func TestTimersFireInOrder(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	var timers []clock.Timer
	for _, s := range []int{3, 1, 2} {
		timers = append(timers, c.NewTimer(time.Duration(s)*time.Second))
	}
	if at, ok := c.Next(); !ok || !at.Equal(start.Add(time.Second)) || c.Waiters() != 3 {
		t.Errorf("next %v, %d waiters", at, c.Waiters())
	}
	c.Advance(2 * time.Second)
	for i, want := range []int{0, 1, 2} {
		select {
		case at := <-timers[i].C():
			if want == 0 || !at.Equal(start.Add(time.Duration(want)*time.Second)) {
				t.Errorf("timer %d fired with %v", i, at)
			}
		default:
			if want != 0 {
				t.Errorf("timer %d did not fire", i)
			}
		}
	}
	if c.Waiters() != 1 {
		t.Errorf("%d waiters left", c.Waiters())
	}
}

func TestStopAndResetLeaveNoStaleValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]clock.Clock{"fake": clock.NewFake(start), "system": clock.System()} {
		tm := c.NewTimer(time.Hour)
		if !tm.Stop() || tm.Stop() {
			t.Errorf("%s: Stop reports a waiting timer once", name)
		}
		if tm.Reset(0) {
			t.Errorf("%s: Reset of a stopped timer", name)
		}
		<-tm.C()
		tm.Reset(0)
		tm.Reset(time.Hour)
		select {
		case <-tm.C():
			t.Errorf("%s: stale value after Reset", name)
		default:
		}
		tm.Stop()
	}
}

func TestStopTakesBackAValueThatNobodyReceived(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	tm := c.NewTimer(time.Second)
	c.Advance(time.Second)
	if !tm.Stop() {
		t.Error("Stop reports false")
	}
	select {
	case <-tm.C():
		t.Error("stale value")
	default:
	}
}

func TestSleep(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	woke := make(chan error)
	go func() { woke <- c.Sleep(t.Context(), time.Minute) }()
	if err := c.BlockUntil(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	c.Advance(59 * time.Second)
	if c.Waiters() != 1 {
		t.Error("woke too early")
	}
	c.Advance(time.Second)
	if err := <-woke; err != nil {
		t.Error(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	go func() { woke <- c.Sleep(ctx, time.Minute) }()
	if err := c.BlockUntil(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-woke; !errors.Is(err, context.Canceled) || c.Waiters() != 0 {
		t.Errorf("%v, %d waiters", err, c.Waiters())
	}
	for name, cl := range map[string]clock.Clock{"fake": c, "system": clock.System()} {
		if err := cl.Sleep(ctx, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: ended context, no wait: %v", name, err)
		}
		if err := cl.Sleep(t.Context(), -1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := clock.System().Sleep(t.Context(), time.Nanosecond); err != nil {
		t.Error(err)
	}
}

func TestBlockUntilEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := clock.NewFake(start).BlockUntil(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	c := clock.NewControlled(start, 86_400) // a day a second
	if err := c.Sleep(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if now := c.Now(); now.Before(start.Add(time.Hour)) {
		t.Errorf("woke at %v", now)
	}
	c.SetScale(0)
	frozen := c.Now()
	tm := c.NewTimer(time.Hour)
	if !c.Now().Equal(frozen) || c.Scale() != 0 {
		t.Error("not frozen")
	}
	c.SetScale(1e5) // the timer made while frozen now has a real time
	if at := <-tm.C(); !at.Equal(frozen.Add(time.Hour)) {
		t.Errorf("fired with %v", at)
	}
	for in, want := range map[float64]float64{-1: 0, math.Inf(1): clock.MaxScale, 1e9: clock.MaxScale, 60: 60} {
		if c.SetScale(in); c.Scale() != want {
			t.Errorf("scale %v became %v", in, c.Scale())
		}
	}
	if c.SetScale(math.NaN()); c.Scale() != 0 {
		t.Errorf("NaN became %v", c.Scale())
	}
}

func TestRealTimeRuns(t *testing.T) {
	t.Parallel()
	c := clock.NewControlled(start, 1)
	a := c.Now()
	if err := c.Sleep(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if d := c.Now().Sub(a); d < time.Millisecond {
		t.Errorf("slept %v", d)
	}
	if c.NewTimer(math.MaxInt64).Stop(); c.Waiters() != 0 {
		t.Error("stopped timer waits")
	}
}

// Whatever is started, stopped and advanced: a timer fires exactly when time has reached its due time, in order.
func TestTimersAgainstAModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := clock.NewFake(start)
		type entry struct {
			timer clock.Timer
			due   time.Time
		}
		var live []entry
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				d := time.Duration(rapid.IntRange(1, 50).Draw(t, "d"))
				live = append(live, entry{c.NewTimer(d), c.Now().Add(d)})
			},
			"stop": func(t *rapid.T) {
				if len(live) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(live)-1).Draw(t, "i")
				if !live[i].timer.Stop() {
					t.Fatal("waiting timer reported as done")
				}
				live = slices.Delete(live, i, i+1)
			},
			"reset": func(t *rapid.T) {
				if len(live) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(live)-1).Draw(t, "i")
				d := time.Duration(rapid.IntRange(1, 50).Draw(t, "d"))
				live[i].timer.Reset(d)
				live[i].due = c.Now().Add(d)
			},
			"advance": func(t *rapid.T) {
				now := c.Advance(time.Duration(rapid.IntRange(0, 40).Draw(t, "d")))
				live = slices.DeleteFunc(live, func(e entry) bool {
					select {
					case at := <-e.timer.C():
						if !at.Equal(e.due) || e.due.After(now) {
							t.Fatalf("fired with %v at %v, due %v", at, now, e.due)
						}
						return true
					default:
						if !e.due.After(now) {
							t.Fatalf("due %v, not fired at %v", e.due, now)
						}
						return false
					}
				})
			},
			"": func(t *rapid.T) {
				if c.Waiters() != len(live) {
					t.Fatalf("%d waiters, want %d", c.Waiters(), len(live))
				}
			},
		})
	})
}

func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	c := clock.NewControlled(start, 1000)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for j := range 20 {
				before := c.Now()
				d := time.Duration(1+(i*j)%7) * time.Second
				if err := c.Sleep(t.Context(), d); err != nil {
					t.Error(err)
				}
				if got := c.Now().Sub(before); got < d {
					t.Errorf("slept %v of %v", got, d)
				}
			}
		})
	}
	for range 50 {
		c.Advance(time.Second)
		c.SetScale(1000 + c.Scale()/2)
	}
	wg.Wait()
	if c.Waiters() != 0 {
		t.Errorf("%d waiters left", c.Waiters())
	}
}
