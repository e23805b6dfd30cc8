package journal

import (
	"slices"
	"sort"
	"time"
)

// tail holds the newest frames of a log as they were appended, so that readers who keep up need no disk and see the
// memory-only fields. Frames are contiguous. Guarded by Log.mu.
type tail struct {
	frames []*Frame
	costs  []int
	cost   int
}

// push adds f, the newest frame, and drops the oldest ones until at most limit bytes are held. The newest always stays.
func (t *tail) push(f *Frame, cost, limit int) {
	if n := len(t.frames); n > 0 && t.frames[n-1].Seq+1 != f.Seq {
		t.drop(n)
	}
	t.frames, t.costs = append(t.frames, f), append(t.costs, cost)
	t.cost += cost
	n := 0
	for over := t.cost; over > limit && n < len(t.frames)-1; n++ {
		over -= t.costs[n]
	}
	t.drop(n)
}

// drop forgets the n oldest frames.
func (t *tail) drop(n int) {
	for i := range n {
		t.cost -= t.costs[i]
		t.frames[i] = nil
	}
	t.frames, t.costs = t.frames[n:], t.costs[n:]
}

// trim forgets frames up to seq.
func (t *tail) trim(seq uint64) {
	n := 0
	for n < len(t.frames) && t.frames[n].Seq <= seq {
		n++
	}
	t.drop(n)
}

// forget drops frames up to seq that are older than at. The newest always stays.
func (t *tail) forget(at time.Time, seq uint64) {
	n := 0
	for n < len(t.frames)-1 && t.frames[n].Seq <= seq && t.frames[n].At.Before(at) {
		n++
	}
	if t.drop(n); len(t.frames) < cap(t.frames)/4 {
		t.frames, t.costs = slices.Clip(slices.Clone(t.frames)), slices.Clip(slices.Clone(t.costs))
	}
}

// next is the frame after seq; nil when the tail does not hold it.
func (t *tail) next(seq uint64) *Frame {
	if len(t.frames) == 0 || seq+1 < t.frames[0].Seq {
		return nil
	}
	if i := seq + 1 - t.frames[0].Seq; i < uint64(len(t.frames)) {
		return t.frames[i]
	}
	return nil
}

// before is the sequence of the last frame older than at; false when that frame may be older than the tail.
func (t *tail) before(at time.Time) (uint64, bool) {
	if len(t.frames) == 0 || !t.frames[0].At.Before(at) {
		return 0, false
	}
	i := sort.Search(len(t.frames), func(i int) bool { return !t.frames[i].At.Before(at) })
	return t.frames[i-1].Seq, true
}
