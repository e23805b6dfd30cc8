package limits

import "math"

// The levels of throughput in messages per second. Source: spec/limits.md section 1.1.
const (
	LevelCoexistence = 20   // number also used in the phone app, fixed
	LevelStandard    = 80   // every number at first
	LevelHigh        = 1000 // after the automatic upgrade
)

const (
	windowMillis = 1000   // messages per second are counted over a second
	idleMillis   = 60_000 // after which the memory of a number is dropped
)

// Window is the exact sliding window: at time t fewer than level messages may lie in (t − 1 s, t]. It remembers at most
// level times, 8 bytes each, and grows to that only as traffic does. The zero value is an empty window.
// Source: spec/limits.md section 1.2.
type Window struct {
	ring  []int64 // times in order, from first on, wrapping around
	first int
	n     int   // how many of ring are in use
	last  int64 // time of the latest Push; a step back of up to a second counts as no step, see follow
}

// NewWindow is an empty window.
func NewWindow() *Window { return new(Window) }

// AllowOutbound reports whether an outbound message at now keeps the number within its level. It counts nothing. The level is
// given with each call, so that a change takes effect at once and keeps the history.
func (w *Window) AllowOutbound(now int64, level int) bool { return w.Used(now) < level }

// Wait is how many milliseconds from now an outbound message will be allowed, if nothing else is counted; 0 when it is
// allowed now.
func (w *Window) Wait(now int64, level int) int64 {
	used := w.Used(now)
	switch {
	case used < level:
		return 0
	case level <= 0:
		return windowMillis
	}
	// The message that has to leave is the one after which level−1 remain.
	return w.at(used-level) + windowMillis - max(now, w.last)
}

// Used is how many messages of the last second are remembered: all, up to the level of the latest Push.
func (w *Window) Used(now int64) int {
	w.follow(now)
	now = max(now, w.last)
	for w.n > 0 && w.at(0) <= now-windowMillis {
		w.drop()
	}
	return w.n
}

// follow moves the memory along when the clock was set back by more than the window: without that, a number would be
// refused until time is where it was before. The ages of what is remembered stay, so setting the clock back gains nothing.
func (w *Window) follow(now int64) {
	back := w.last - now
	if back <= windowMillis {
		return
	}
	for i := range w.n {
		w.ring[(w.first+i)%len(w.ring)] -= back
	}
	w.last = now
}

// Push counts a message at now: an accepted outbound one, or any inbound one, which is never refused.
func (w *Window) Push(now int64, level int) {
	w.follow(now)
	now = max(now, w.last)
	w.last = now
	w.Used(now)
	for w.n >= max(level, 1) { // inbound over the level: the oldest no longer matters
		w.drop()
	}
	if w.n == len(w.ring) || len(w.ring) > max(2*level, minRing) {
		w.resize(level)
	}
	w.ring[(w.first+w.n)%len(w.ring)] = now
	w.n++
}

// Idle reports whether the window can be dropped: nothing was counted for a minute.
func (w *Window) Idle(now int64) bool {
	w.follow(now)
	return now-w.last >= idleMillis
}

// minRing is the smallest ring, in messages: most numbers never need more.
const minRing = 8

// resize makes room for more: twice what is in use, at most level.
func (w *Window) resize(level int) {
	ring := make([]int64, max(min(2*w.n, level), w.n+1, min(minRing, level)))
	for i := range w.n {
		ring[i] = w.at(i)
	}
	w.ring, w.first = ring, 0
}

// at is the i-th oldest time.
func (w *Window) at(i int) int64 { return w.ring[(w.first+i)%len(w.ring)] }

func (w *Window) drop() {
	w.first = (w.first + 1) % len(w.ring)
	w.n--
}

// Bucket is a token bucket with rate and capacity of the level, for clients that pace exactly at the limit: setting
// throughput.mode "bucket". Over a second it lets up to twice the level pass. The zero value is a full bucket.
// Source: spec/limits.md section 1.2 (ours).
type Bucket struct {
	spent float64 // tokens missing from a full bucket at last
	last  int64
}

// AllowOutbound is as that of a Window.
func (b *Bucket) AllowOutbound(now int64, level int) bool {
	const dust = 1e-9 // of adding up fractions of tokens
	b.follow(now)
	return b.missing(now, level)+1 <= float64(level)+dust
}

// Wait is as that of a Window.
func (b *Bucket) Wait(now int64, level int) int64 {
	if b.AllowOutbound(now, level) {
		return 0
	}
	if level <= 0 {
		return windowMillis
	}
	over := b.missing(now, level) + 1 - float64(level)
	return max(int64(math.Ceil(over*windowMillis/float64(level)-1e-9)), 1) + max(b.last-now, 0)
}

// Push is as that of a Window.
func (b *Bucket) Push(now int64, level int) {
	b.follow(now)
	b.spent = min(b.missing(now, level)+1, float64(level))
	b.last = max(now, b.last)
}

// Idle reports whether the bucket can be dropped.
func (b *Bucket) Idle(now int64) bool {
	b.follow(now)
	return now-b.last >= idleMillis
}

// follow does for a bucket what it does for a Window.
func (b *Bucket) follow(now int64) {
	if b.last-now > windowMillis {
		b.last = now
	}
}

func (b *Bucket) missing(now int64, level int) float64 {
	elapsed := max(now-b.last, 0)
	return max(b.spent-float64(elapsed)*float64(level)/windowMillis, 0)
}
