package limits_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/limits"
)

// step is a row of events: n messages at a time of one number, and how many of them pass.
type step struct {
	at      float64 // seconds
	n       int
	inbound bool
	pass    int // ignored for inbound
	number  int // 0 or 1
}

func sends(at float64, n, pass int) step { return step{at: at, n: n, pass: pass} }
func inbound(at float64, n int) step     { return step{at: at, n: n, inbound: true} }

// The vectors of spec/limits.md section 1.3. T12 is about the order of gates, which is not decided here: that asking
// counts nothing is TestRefusedRequestsDoNotCount.
var throughputVectors = []struct {
	fact  string
	level int
	steps []step
}{
	{"T1: 80 sends at t=0: 80 accepted", 80, []step{sends(0, 80, 80)}},
	{"T2: T1, then sends at 0.000, 0.500, 0.999: all 130429", 80, []step{sends(0, 80, 80), sends(0, 1, 0), sends(0.5, 1, 0), sends(0.999, 1, 0)}},
	{"T3: T1, then 80 sends at 1.000: 80 accepted", 80, []step{sends(0, 80, 80), sends(1, 80, 80)}},
	{"T4: 30 inbound at 0.0, 51 sends at 0.1: 50 accepted, 51st refused", 80, []step{inbound(0, 30), sends(0.1, 51, 50)}},
	{"T5: 100 inbound at 0.0, 1 send at 0.5: refused", 80, []step{inbound(0, 100), sends(0.5, 1, 0)}},
	{"T6: T5, send at 1.0: accepted", 80, []step{inbound(0, 100), sends(0.5, 1, 0), sends(1, 1, 1)}},
	{"T7: 40 sends at 0.0, 40 at 0.6, 1 at 0.99, 40 at 1.0, 1 at 1.0: 80 accepted, refused, 40 accepted, refused", 80, []step{sends(0, 40, 40), sends(0.6, 40, 40), sends(0.99, 1, 0), sends(1, 40, 40), sends(1, 1, 0)}},
	{"T8: level 20, 21 sends at 0: 20 accepted", limits.LevelCoexistence, []step{sends(0, 21, 20)}},
	{"T9: level 1,000, 1,001 sends at 0: 1,000 accepted", limits.LevelHigh, []step{sends(0, 1001, 1000)}},
	{"T10: 160 sends in the same ms: exactly 80 accepted", 80, []step{sends(0, 160, 80)}},
	{"T11: T10, and 80 more refused retried at +1 s: 80 accepted", 80, []step{sends(0, 160, 80), sends(1, 80, 80)}},
	{"T13: two numbers of one WABA, 80 each at 0: all accepted", 80, []step{sends(0, 80, 80), {at: 0, n: 80, pass: 80, number: 1}}},
}

func TestThroughputVectors(t *testing.T) {
	t.Parallel()
	const epoch = 1_750_000_000_000
	for _, v := range throughputVectors {
		t.Run(v.fact, func(t *testing.T) {
			t.Parallel()
			var numbers [2]limits.Window
			for i, s := range v.steps {
				now, w := epoch+int64(s.at*1000+0.5), &numbers[s.number]
				passed := 0
				for range s.n {
					if s.inbound || w.AllowOutbound(now, v.level) {
						w.Push(now, v.level)
						passed++
					}
				}
				if !s.inbound && passed != s.pass {
					t.Errorf("step %d: %d of %d passed at %v, want %d", i+1, passed, s.n, s.at, s.pass)
				}
			}
		})
	}
}

func TestRefusedRequestsDoNotCount(t *testing.T) {
	t.Parallel()
	w := limits.NewWindow()
	for range 1000 {
		w.AllowOutbound(1000, 80)
	}
	if n := w.Used(1000); n != 0 {
		t.Errorf("asking counted %d", n)
	}
}

func TestLevelChangeKeepsHistory(t *testing.T) {
	t.Parallel()
	w := limits.NewWindow()
	push(w, 0, 80, 80)
	if w.AllowOutbound(0, 80) || !w.AllowOutbound(0, 1000) {
		t.Error("the new level counts at once")
	}
	push(w, 0, 920, 1000)
	if w.AllowOutbound(0, 1000) || w.Used(0) != 1000 {
		t.Errorf("after the raise %d are used", w.Used(0))
	}
	if w.AllowOutbound(999, 20) || !w.AllowOutbound(1000, 20) {
		t.Error("the lower level counts the same history")
	}
}

func TestWindowWait(t *testing.T) {
	t.Parallel()
	w := limits.NewWindow()
	push(w, 0, 40, 80)
	if d := w.Wait(0, 80); d != 0 {
		t.Errorf("room, and wait %d", d)
	}
	push(w, 600, 40, 80)
	for _, c := range []struct {
		level int
		want  int64
	}{{80, 390}, {60, 390}, {40, 990}, {20, 990}} {
		if d := w.Wait(610, c.level); d != c.want {
			t.Errorf("level %d: wait %d, want %d", c.level, d, c.want)
		}
		if at := 610 + c.want; w.Wait(610, c.level) > 0 {
			x := *w
			if !x.AllowOutbound(at, c.level) {
				t.Errorf("level %d: refused after the wait", c.level)
			}
		}
	}
}

func TestIdleAfterAMinute(t *testing.T) {
	t.Parallel()
	w := limits.NewWindow()
	push(w, 1000, 1, 80)
	if w.Idle(60_999) || !w.Idle(61_000) {
		t.Error("idle is 60 s after the last message")
	}
	if w.Idle(500) {
		t.Error("time went back")
	}
}

// A clock that is set back, or a restart after a sandbox's clock was advanced, must not refuse a number for hours.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	const day = 86_400_000
	w := limits.NewWindow()
	push(w, 2*day, 80, 80)
	if w.AllowOutbound(day, 80) || w.AllowOutbound(day+999, 80) {
		t.Error("setting the clock back made room")
	}
	if d := w.Wait(day, 80); d != 1000 {
		t.Errorf("wait %d", d)
	}
	if !w.AllowOutbound(day+1000, 80) {
		t.Error("still refused after a second")
	}
	for i := range int64(5) {
		push(w, day+1000*(i+1), 80, 80)
	}
	if !w.AllowOutbound(day+6000, 80) || !w.Idle(day+65_000) {
		t.Error("the window does not move on")
	}
}

func push(w *limits.Window, now int64, n, level int) {
	for range n {
		w.Push(now, level)
	}
}

// Never more than level messages in any second when inbound stays within it, whatever is sent and when; and whenever
// the second has room, a send passes. The model keeps every time for ever.
func TestNeverMoreThanTheLevelInAnySecond(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.IntRange(1, 30).Draw(t, "level")
		w := limits.NewWindow()
		var accepted []int64 // outbound
		var all []int64
		now := int64(1_750_000_000_000)
		for range rapid.IntRange(1, 120).Draw(t, "events") {
			now += rapid.SampledFrom([]int64{0, 0, 0, 1, 30, 400, 999, 1000}).Draw(t, "step")
			in := rapid.IntRange(0, 9).Draw(t, "inbound") == 0
			live := 0
			for _, at := range all {
				if at > now-1000 {
					live++
				}
			}
			if in {
				w.Push(now, level)
				all = append(all, now)
				continue
			}
			ok := w.AllowOutbound(now, level)
			if ok != (live < level) {
				t.Fatalf("at %d with %d of %d: allowed is %v", now, live, level, ok)
			}
			if ok {
				w.Push(now, level)
				all, accepted = append(all, now), append(accepted, now)
			}
		}
		for i := range accepted {
			if i >= level && accepted[i]-accepted[i-level] < 1000 {
				t.Fatalf("%d messages in less than a second", level+1)
			}
		}
	})
}

func TestBucket(t *testing.T) {
	t.Parallel()
	var b limits.Bucket
	count := func(now int64, n int) (passed int) {
		for range n {
			if b.AllowOutbound(now, 80) {
				b.Push(now, 80)
				passed++
			}
		}
		return passed
	}
	if n := count(1_000_000, 100); n != 80 {
		t.Errorf("a full bucket holds %d", n)
	}
	if n := count(1_000_500, 100); n != 40 {
		t.Errorf("half a second brings %d", n)
	}
	if n := count(1_010_000, 100); n != 80 {
		t.Errorf("it never holds more than 80: %d", n)
	}
	for range 100 {
		b.Push(1_010_000, 80) // inbound is never refused
	}
	if n := count(1_011_000, 100); n != 80 || b.Idle(1_011_000) || !b.Idle(1_071_000) {
		t.Errorf("the debt of inbound ends at empty: %d", n)
	}
	b = limits.Bucket{}
	for i := range int64(1000) { // paced exactly at the limit: one each 12.5 ms, times in whole ms
		if count(2_000_000+i*25/2, 1) != 1 {
			t.Fatalf("paced message %d refused", i)
		}
	}
}

// Budget: 25 ns, and no allocation once the ring has grown.
func BenchmarkWindow(b *testing.B) {
	w, now := limits.NewWindow(), int64(0)
	push(w, 0, limits.LevelHigh, limits.LevelHigh)
	b.ReportAllocs()
	for b.Loop() {
		now++
		if w.AllowOutbound(now, limits.LevelHigh) {
			w.Push(now, limits.LevelHigh)
		}
	}
}

func TestMemory(t *testing.T) {
	w, now := limits.NewWindow(), int64(0)
	push(w, 0, 5000, limits.LevelHigh)
	if n := testing.AllocsPerRun(1000, func() { now++; w.Push(now, limits.LevelHigh) }); n != 0 {
		t.Errorf("a grown window allocates %v times", n)
	}
}

// The bucket against a model that keeps every time for ever: in any span of time no more than the level and what the span brings
// pass, what is refused counts nothing, and what was refused passes after the wait it was told.
func TestBucketAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.IntRange(1, 30).Draw(t, "level")
		var b limits.Bucket
		var passed []int64
		now := epoch
		for range rapid.IntRange(1, 120).Draw(t, "events") {
			now += rapid.SampledFrom([]int64{0, 0, 0, 1, 30, 400, 999, 1000, 5000}).Draw(t, "step")
			wait := b.Wait(now, level)
			if ok := b.AllowOutbound(now, level); ok != (wait == 0) {
				t.Fatalf("at %d: allowed is %v, wait %d", now, ok, wait)
			}
			if wait == 0 {
				b.Push(now, level)
				passed = append(passed, now)
				continue
			}
			before := b
			if later := before.Wait(now+wait, level); later != 0 {
				t.Fatalf("after the wait of %d ms another %d", wait, later)
			}
			if sooner := before.Wait(now+wait-1, level); wait > 1 && sooner == 0 {
				t.Fatalf("it passes before the wait of %d ms", wait)
			}
		}
		for i := range passed {
			for j := i; j < len(passed); j++ {
				if n, span := int64(j-i+1), passed[j]-passed[i]; n*1000 > int64(level)*(1000+span)+1 {
					t.Fatalf("%d messages in %d ms at level %d", n, span, level)
				}
			}
		}
	})
}
