package clock

import (
	"container/heap"
	"context"
	"math"
	"sync"
	"time"
)

// MaxScale is the fastest that a [Controlled] clock can be made to run: about eleven days a second.
const MaxScale = 1e6

// maxArm bounds how long the clock trusts one real timer, so that tiny scales cannot overflow a duration.
const maxArm = time.Hour

// Controlled is a clock whose platform time can be advanced and runs at any speed against real time. It never goes
// back. Timers and sleepers that a step of time makes due fire in the order of their due times, and in the order of
// their creation when these are equal; what their goroutines then do is up to the scheduler.
type Controlled struct {
	mu      sync.Mutex
	base    time.Time // platform time at anchor
	anchor  time.Time // real time of the last change of base or scale
	scale   float64   // seconds of platform time per second of real time; 0 is frozen
	waiting queue
	made    uint64      // timers started so far, for the order among equals
	real    *time.Timer // calls pass when the first of waiting is due; nil until needed
	blocked []blocked
}

// blocked is a caller of BlockUntil.
type blocked struct {
	n    int
	done chan struct{}
}

// NewControlled starts a clock at start that runs scale times as fast as real time. See [Controlled.SetScale].
func NewControlled(start time.Time, scale float64) *Controlled {
	return &Controlled{base: start.Round(0).UTC(), anchor: time.Now(), scale: clamp(scale)}
}

// NewFake starts a frozen clock: time passes only by [Controlled.Advance].
func NewFake(start time.Time) *Controlled { return NewControlled(start, 0) }

func clamp(scale float64) float64 {
	if !(scale > 0) { // NaN included
		return 0
	}
	return math.Min(scale, MaxScale)
}

// Now implements [Clock].
func (c *Controlled) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// now needs mu.
func (c *Controlled) now() time.Time {
	switch c.scale {
	case 0:
		return c.base
	case 1:
		return c.base.Add(time.Since(c.anchor))
	}
	return c.base.Add(duration(float64(time.Since(c.anchor)) * c.scale))
}

// duration converts nanoseconds, saturating.
func duration(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}

// Advance lets d of platform time pass at once, fires what becomes due, and returns the new time. Without effect when d
// is not positive.
func (c *Controlled) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(max(d, 0))
	return c.base
}

// Scale is how many seconds of platform time pass in a second of real time.
func (c *Controlled) Scale() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scale
}

// SetScale changes the speed from now on: 0 (also for anything negative) freezes, 1 is real time, [MaxScale] the most.
func (c *Controlled) SetScale(scale float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(0) // what has passed has passed at the old speed
	c.scale = clamp(scale)
	c.arm()
}

// settle moves base to now plus d and fires what is due. It needs mu.
func (c *Controlled) settle(d time.Duration) {
	c.base, c.anchor = c.now().Add(d), time.Now()
	for len(c.waiting) > 0 && !c.waiting[0].due.After(c.base) {
		t := heap.Pop(&c.waiting).(*controlledTimer)
		t.c <- t.due // never blocks: one value, and the buffer is emptied when the timer is set
	}
	c.arm()
}

// arm sets the real timer to the first waiter. It needs mu.
func (c *Controlled) arm() {
	if c.scale == 0 || len(c.waiting) == 0 {
		if c.real != nil {
			c.real.Stop()
		}
		return
	}
	left := float64(c.waiting[0].due.Sub(c.now())) / c.scale
	d := min(max(duration(math.Ceil(left)), 0), maxArm)
	if c.real == nil {
		c.real = time.AfterFunc(d, c.pass)
		return
	}
	c.real.Reset(d)
}

// pass is called in a goroutine of its own when real time has brought something due, or maxArm has gone by.
func (c *Controlled) pass() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(0)
}

// NewTimer implements [Clock]. The value received is the time at which the timer was due.
func (c *Controlled) NewTimer(d time.Duration) Timer {
	t := &controlledTimer{clock: c, c: make(chan time.Time, 1), at: -1}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start(t, d)
	return t
}

// Sleep implements [Clock].
func (c *Controlled) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, c, d) }

// start needs mu, and t neither waiting nor holding a value.
func (c *Controlled) start(t *controlledTimer, d time.Duration) {
	now := c.now()
	if d <= 0 {
		t.c <- now
		return
	}
	c.made++
	t.due, t.seq = now.Add(d), c.made
	heap.Push(&c.waiting, t)
	if t.at == 0 {
		c.arm()
	}
	kept := c.blocked[:0]
	for _, b := range c.blocked {
		if len(c.waiting) >= b.n {
			close(b.done)
		} else {
			kept = append(kept, b)
		}
	}
	c.blocked = kept
}

// Waiters is how many timers and sleepers wait for platform time to pass.
func (c *Controlled) Waiters() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

// Next is the time at which the first waiter is due; false when nobody waits.
func (c *Controlled) Next() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return time.Time{}, false
	}
	return c.waiting[0].due, true
}

// BlockUntil returns when at least n timers and sleepers wait, so that a test can advance the clock without guessing
// whether the code under test has got as far as its wait. The error is that of ctx.
func (c *Controlled) BlockUntil(ctx context.Context, n int) error {
	c.mu.Lock()
	if len(c.waiting) >= n {
		c.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	c.blocked = append(c.blocked, blocked{n, done})
	c.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
