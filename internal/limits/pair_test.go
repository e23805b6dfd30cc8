package limits_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/limits"
)

// try is a message at a time in seconds, and the wait it is refused with; 0 is accepted.
type try struct{ at, refused float64 }

func burst(n int, from, every float64) []try {
	var ts []try
	for i := range n {
		ts = append(ts, try{from + float64(i)*every, 0})
	}
	return ts
}

func accepted(at ...float64) (ts []try) {
	for _, a := range at {
		ts = append(ts, try{a, 0})
	}
	return ts
}

func join(parts ...[]try) (all []try) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// The vectors of spec/limits.md section 2.3 about one pair. P10 and P11 are about two.
var pairVectors = []struct {
	fact  string
	tries []try
}{
	{"P1: 0, 6, 12, 18: A A A A", accepted(0, 6, 12, 18)},
	{"P2: 0, 3, 6, 11.999, 12: A A R(6) R(0.001) A", []try{{0, 0}, {3, 0}, {6, 6}, {11.999, 0.001}, {12, 0}}},
	{"P3: 0, 5.999, 6, 12: A A R(6) A", []try{{0, 0}, {5.999, 0}, {6, 6}, {12, 0}}},
	{"P4: 0, 1, 2, 6, 17.9, 18, 24: A A A R(12) R(0.1) A A", []try{{0, 0}, {1, 0}, {2, 0}, {6, 12}, {17.9, 0.1}, {18, 0}, {24, 0}}},
	{"P5: every 5 s: A A R(2) A A R(2) A A", []try{{0, 0}, {5, 0}, {10, 2}, {15, 0}, {20, 0}, {25, 2}, {30, 0}, {35, 0}}},
	{"P6: 46 at 0: 45 A, then R(270)", join(burst(45, 0, 0), []try{{0, 270}})},
	{"P7: P6, then 5.999, 6, 100, 269.999, 270", join(burst(45, 0, 0), []try{{0, 270}, {5.999, 264.001}, {6, 264}, {100, 170}, {269.999, 0.001}, {270, 0}})},
	{"P8: 20 messages at 0, 0.3, …, 5.7; then 6, 60, 114, 119.999, 120", join(burst(20, 0, 0.3), []try{{6, 114}, {60, 60}, {114, 6}, {119.999, 0.001}, {120, 0}})},
	{"P9: 30 messages at 0, 0.2, …, 5.8; then 6, 179.999, 180", join(burst(30, 0, 0.2), []try{{6, 174}, {179.999, 0.001}, {180, 0}})},
	{"P12: 10 per minute for one hour, evenly: 600 A", burst(600, 0, 6)},
}

const epoch = int64(1_750_000_000_000)

func millis(seconds float64) int64 { return epoch + int64(math.Round(seconds*1000)) }

func TestPairVectors(t *testing.T) {
	t.Parallel()
	for _, v := range pairVectors {
		t.Run(v.fact, func(t *testing.T) {
			t.Parallel()
			var s limits.PairState
			for i, try := range v.tries {
				next, wait := limits.Pair.Next(s, millis(try.at))
				if want := time.Duration(math.Round(try.refused*1000)) * time.Millisecond; wait != want {
					t.Errorf("message %d at %v: wait %v, want %v", i+1, try.at, wait, want)
				}
				if wait > 0 && next != s {
					t.Errorf("message %d at %v: a refusal changed the state", i+1, try.at)
				}
				s = next
			}
		})
	}
}

func TestPairsDoNotShareState(t *testing.T) {
	t.Parallel()
	for _, fact := range []string{
		"P10: 45 at 0 to user X, 1 at 0 to user Y: all A",
		"P11: 45 at 0 from number 1, 1 at 0 from number 2, same user: all A",
	} {
		type pair struct{ number, user string }
		states := map[pair]limits.PairState{}
		full, other := pair{"1", "X"}, pair{"1", "Y"}
		if fact[:3] == "P11" {
			other = pair{"2", "X"}
		}
		for _, p := range repeat(full, 45, other) {
			next, wait := limits.Pair.Next(states[p], millis(0))
			if wait != 0 {
				t.Errorf("%s: %v refused", fact, p)
			}
			states[p] = next
		}
	}
}

func repeat[T any](v T, n int, last T) (all []T) {
	for range n {
		all = append(all, v)
	}
	return append(all, last)
}

func TestPairStateCanBeDroppedWhenPaid(t *testing.T) {
	t.Parallel()
	s := limits.PairState{Start: epoch, Sent: 45}
	if at := limits.Pair.Paid(s); at != epoch+270_000 {
		t.Errorf("45 messages are paid after %d ms", at-epoch)
	}
	after, _ := limits.Pair.Next(s, epoch+270_000)
	fresh, _ := limits.Pair.Next(limits.PairState{}, epoch+270_000)
	if after != fresh {
		t.Errorf("%+v is not %+v", after, fresh)
	}
}

// The debt of before a step back of the clock is paid from then on: neither forgotten nor owed for the length of the step.
func TestPairAfterClockSetBack(t *testing.T) {
	t.Parallel()
	s, wait := limits.Pair.Next(limits.PairState{Start: epoch + 90_000_000, Sent: 45}, epoch)
	if wait != 270*time.Second {
		t.Errorf("wait %v, want that of 45 messages", wait)
	}
	if _, wait = limits.Pair.Next(s, epoch+269_999); wait != time.Millisecond {
		t.Errorf("wait %v, want the rest of the debt", wait)
	}
	if _, wait = limits.Pair.Next(s, epoch+270_000); wait != 0 {
		t.Errorf("wait %v after the debt is paid", wait)
	}
	next, wait := limits.Pair.Next(limits.PairState{Start: epoch + 90_000_000, Sent: 2}, epoch)
	if wait != 0 || next != (limits.PairState{Start: epoch, Sent: 3}) {
		t.Errorf("%+v, wait %v", next, wait)
	}
}

// The table of spec/limits.md section 2.4: after a refusal wait 4^X seconds, X starting at 0, until accepted.
func TestRetryTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fact  string
		burst int
		first float64
		want  []float64 // times of the tries; the last one is accepted
	}{
		{"N=2, 6 s", 2, 6, []float64{6, 7, 11, 27}},
		{"N=5, 6 s", 5, 6, []float64{6, 7, 11, 27, 91}},
		{"N=20, 6 s", 20, 6, []float64{6, 7, 11, 27, 91, 347}},
		{"N=45, 0.5 s", 45, 0.5, []float64{0.5, 1.5, 5.5, 21.5, 85.5, 341.5}},
		{"N=45, 6 s", 45, 6, []float64{6, 7, 11, 27, 91, 347}},
	} {
		var s limits.PairState
		for range c.burst {
			s, _ = limits.Pair.Next(s, millis(0))
		}
		at := c.first
		for x := 0; ; x++ {
			if x >= len(c.want) || at != c.want[x] {
				t.Errorf("%s: try %d at %v, want %v", c.fact, x+1, at, c.want)
				break
			}
			if _, wait := limits.Pair.Next(s, millis(at)); wait == 0 {
				if x != len(c.want)-1 {
					t.Errorf("%s: accepted at %v", c.fact, at)
				}
				break
			}
			at += math.Pow(4, float64(x))
		}
	}
}

// Messages accepted in any interval of length D are at most D/6 + 45, for D ≥ 0, whatever is tried and when; and a
// refused message passes exactly after the wait it was told.
func TestPairInvariant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s limits.PairState
		var accepted []int64
		now := epoch
		for range rapid.IntRange(1, 400).Draw(t, "tries") {
			now += rapid.SampledFrom([]int64{0, 0, 0, 0, 1, 50, 1000, 5999, 6000, 6001, 90_000}).Draw(t, "step")
			next, wait := limits.Pair.Next(s, now)
			if wait > 0 {
				at := now + wait.Milliseconds()
				if _, w := limits.Pair.Next(s, at); w != 0 {
					t.Fatalf("refused again after the wait of %v", wait)
				}
				if _, w := limits.Pair.Next(s, at-1); w != time.Millisecond {
					t.Fatalf("a millisecond before the end of the wait: %v", w)
				}
				continue
			}
			s, accepted = next, append(accepted, now)
		}
		for i := range accepted {
			for j := i; j < len(accepted); j++ {
				d := float64(accepted[j]-accepted[i]) / 1000
				if n := j - i + 1; float64(n) > d/6+45 {
					t.Fatalf("%d messages in %v s", n, d)
				}
			}
		}
	})
}

// Budget: 5 ns.
func BenchmarkPair(b *testing.B) {
	var s limits.PairState
	now := epoch
	for b.Loop() {
		now += 3000
		s, _ = limits.Pair.Next(s, now)
	}
}
