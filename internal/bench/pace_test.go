package bench

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/clock"
)

var start = time.Date(2026, 4, 3, 10, 0, 0, 0, time.UTC)

// pump lets time pass whenever at least n wait for it, until the test ends.
func pump(t *testing.T, c *clock.Controlled, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for c.BlockUntil(ctx, n) == nil {
			if at, ok := c.Next(); ok {
				c.Advance(at.Sub(c.Now()))
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

func TestPaceIsAnOpenLoop(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	p := NewPace(c, start.Add(time.Second), 4, 6)
	type turn struct {
		i   int64
		due time.Duration
		at  time.Duration
	}
	turns := make(chan turn)
	go func() {
		defer close(turns)
		for {
			i, due, ok := p.Next(t.Context())
			if !ok {
				return
			}
			turns <- turn{i, due.Sub(start), c.Now().Sub(start)}
		}
	}()
	wait := func() {
		if err := c.BlockUntil(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	var got []turn
	wait()
	c.Advance(time.Second) // the first is due
	got = append(got, <-turns)
	wait()
	c.Advance(600 * time.Millisecond) // two more, 350 and 100 ms late
	got = append(got, <-turns, <-turns)
	wait()
	c.Advance(150 * time.Millisecond)
	got = append(got, <-turns)
	wait()
	c.Advance(time.Hour) // the rest at once, with the instants at which they were due
	got = append(got, <-turns, <-turns)
	ms := time.Millisecond
	want := []turn{
		{0, 1000 * ms, 1000 * ms},
		{1, 1250 * ms, 1600 * ms},
		{2, 1500 * ms, 1600 * ms},
		{3, 1750 * ms, 1750 * ms},
		{4, 2000 * ms, 1750*ms + time.Hour},
		{5, 2250 * ms, 1750*ms + time.Hour},
	}
	if !slices.Equal(got, want) {
		t.Errorf("turns %v, want %v", got, want)
	}
	if more, open := <-turns; open {
		t.Errorf("a turn after the last: %v", more)
	}
	if p.Handed() != 6 {
		t.Errorf("%d handed out", p.Handed())
	}
}

func TestPaceEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := clock.NewFake(start)
	p := NewPace(c, start.Add(time.Hour), 1, 10)
	ended := make(chan bool)
	go func() {
		_, _, ok := p.Next(ctx)
		ended <- ok
	}()
	if err := c.BlockUntil(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if <-ended {
		t.Error("a turn after the end")
	}
	c.Advance(2 * time.Hour)
	if _, _, ok := p.Next(ctx); ok {
		t.Error("a late turn after the end")
	}
}

// Whatever the rate and however many workers: every turn is handed out once, never before it is due, and the instants do
// not drift.
func TestPaceHandsOutEveryTurnOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.1, 5000).Draw(t, "rate")
		total := rapid.Int64Range(0, 200).Draw(t, "total")
		workers := rapid.IntRange(1, 8).Draw(t, "workers")
		c := clock.NewFake(start)
		p := NewPace(c, start, rate, total)
		var mu sync.Mutex
		var got []int64
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for {
					i, due, ok := p.Next(context.Background())
					if !ok {
						return
					}
					mu.Lock()
					got = append(got, i)
					if c.Now().Before(due) {
						t.Errorf("turn %d at %v before it is due at %v", i, c.Now(), due)
					}
					if drift := due.Sub(start).Seconds() - float64(i)/rate; drift > 1e-6 || drift < -1e-6 {
						t.Errorf("turn %d drifts by %v s", i, drift)
					}
					mu.Unlock()
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		for open := true; open; {
			select {
			case <-done:
				open = false
			default:
				c.Advance(time.Duration(float64(time.Second) / rate))
			}
		}
		slices.Sort(got)
		for i := range total {
			if i >= int64(len(got)) || got[i] != i {
				t.Fatalf("turns %v of %d", got, total)
			}
		}
		if int64(len(got)) != total {
			t.Fatalf("%d turns of %d", len(got), total)
		}
	})
}
