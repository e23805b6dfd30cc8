package limits_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const hour = int64(3_600_000)

// The vectors of spec/limits.md section 3.6 about the set of users; limit 3. M4 and M8 are sends inside a window, which
// do not ask: see the pipeline's tests.
func TestReachVectors(t *testing.T) {
	t.Parallel()
	const limit = 3
	var r limits.Reach
	send := func(fact string, user wa.WaID, at int64, want, arrives bool) {
		t.Helper()
		if got := r.Reserve(user, at, limit); got != want {
			t.Errorf("%s: user %s at %d: room %v, want %v", fact, user, at-epoch, got, want)
		} else if got && arrives {
			r.Deliver(user, at)
		}
	}
	for _, u := range []wa.WaID{"1", "2", "3"} {
		send("M1: t=0 template to A, B, C: delivered", u, epoch, true, true)
	}
	send("M2: t=1 h template to D: failed", "4", epoch+hour, false, true)
	send("M3: t=1 h template to A again: delivered", "1", epoch+hour, true, true)
	send("before A, B and C have left", "4", epoch+24*hour-1, false, true)
	send("M5: template to D at t=24 h + 1 s: A keeps its first stamp", "4", epoch+24*hour+1000, true, true)
	if n := r.Used(epoch + 24*hour + 1000); n != 1 {
		t.Errorf("M5: %d places are taken, want that of D", n)
	}

	r = limits.Reach{}
	send("M6", "1", epoch, true, true)
	send("M6", "2", epoch, true, true)
	send("M6: C's message is never delivered", "3", epoch, true, false)
	send("M6: t=1 h to D: the reservation is held", "4", epoch+hour, false, true)
	send("M6: also when A and B have left, C holds its place", "3", epoch+25*hour, true, false)
	r.Release("3")
	r.Release("3")
	if n := r.Used(epoch + 25*hour); n != 0 {
		t.Errorf("M6: after the end of C's messages %d places are taken", n)
	}
	send("M9: raised to unlimited", "4", epoch, true, true)
	for i := range 10 {
		if !r.Reserve(wa.WaID(fmt.Sprint(100+i)), epoch, limits.Unlimited) {
			t.Error("M9: unlimited refuses")
		}
	}
}

// No schedule exceeds the limit, a release undoes a take, what is refused is not counted, and whenever there is room a
// message passes. The model remembers everything.
func TestReachAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		var r limits.Reach
		stamp, held := map[wa.WaID]int64{}, map[wa.WaID]int{}
		now := epoch
		live := func(u wa.WaID) bool { return held[u] > 0 || (stamp[u] != 0 && stamp[u] > now-24*hour) }
		used := func() (n int) {
			for i := range 60 {
				if live(wa.WaID(fmt.Sprint(1000 + i))) {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now += rapid.SampledFrom([]int64{0, 1, hour, 5 * hour, 24*hour - 1}).Draw(t, "time")
			u := wa.WaID(fmt.Sprint(1000 + rapid.IntRange(0, 59).Draw(t, "user")))
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				want := live(u) || used() < limit
				if got := r.Reserve(u, now, limit); got != want {
					t.Fatalf("reserve %s: %v, want %v with %d of %d", u, got, want, used(), limit)
				}
				if want {
					held[u]++
				}
			case 2:
				if held[u] == 0 {
					continue
				}
				held[u]--
				if stamp[u] == 0 || stamp[u] <= now-24*hour {
					stamp[u] = now
				}
				if since := r.Deliver(u, now); since != stamp[u] {
					t.Fatalf("deliver %s: counts since %d, want %d", u, since, stamp[u])
				}
			case 3:
				r.Release(u)
				held[u] = max(held[u]-1, 0)
			}
			if got, want := r.Used(now), used(); got != want || want > limit {
				t.Fatalf("%d places are taken, want %d of at most %d", got, want, limit)
			}
		}
	})
}

// Numbers of a portfolio in different lanes: never more than the limit.
func TestReachFromManyLanes(t *testing.T) {
	t.Parallel()
	var r limits.Reach
	done := make(chan int)
	for lane := range 8 {
		go func() {
			n := 0
			for i := range 2000 {
				if r.Reserve(wa.WaID(fmt.Sprint(10_000+lane*2000+i)), epoch, 5000) {
					n++
				}
			}
			done <- n
		}()
	}
	sum := 0
	for range 8 {
		sum += <-done
	}
	if sum != 5000 || r.Used(epoch) != 5000 {
		t.Errorf("%d passed and %d are used, want 5000", sum, r.Used(epoch))
	}
}

func TestReachAfterRestart(t *testing.T) {
	t.Parallel()
	var r limits.Reach
	r.Load("1", epoch)
	r.Load("2", epoch+hour)
	r.Load("2", epoch+2*hour) // by another number: the first stamp counts
	if n := r.Used(epoch + 24*hour - 1); n != 2 {
		t.Errorf("%d users, want 2", n)
	}
	if n := r.Used(epoch + 25*hour - 1); n != 1 {
		t.Errorf("%d users, want 1", n)
	}
	if n := r.Used(epoch + 25*hour); n != 0 {
		t.Errorf("%d users, want none", n)
	}
}

// A million people of one portfolio take at most 40 bytes each.
func TestReachMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a million")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := new(limits.Reach)
	for i := range crowd {
		u := wa.WaID(fmt.Sprint(4_915_000_000_000 + i))
		if !r.Reserve(u, epoch, crowd) {
			t.Fatal("refused within the limit")
		}
		r.Deliver(u, epoch)
	}
	if r.Reserve("1", epoch, crowd) {
		t.Error("one more passed")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / crowd
	t.Logf("%.1f bytes per person", each)
	if each > 40 {
		t.Errorf("%.1f bytes per person", each)
	}
	if n := r.Used(epoch + 24*hour); n != 0 {
		t.Errorf("%d are left after a day", n)
	}
	runtime.KeepAlive(r)
}

// Budget: 250 ns for taking and counting one person among 100,000.
func BenchmarkReach(b *testing.B) {
	var r limits.Reach
	ids := make([]wa.WaID, 100_000)
	for i := range ids {
		ids[i] = wa.WaID(fmt.Sprint(4_915_000_000_000 + i))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	for b.Loop() {
		u := ids[rng.IntN(len(ids))]
		if r.Reserve(u, epoch, limits.Reach100K) {
			r.Deliver(u, epoch)
		}
	}
}
