package quality_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func days(pairs ...[3]int) (d quality.Days) { // age, users, points
	for _, p := range pairs {
		d.Users[p[0]], d.Points[p[0]] = p[1], p[2]
	}
	return d
}

// The vectors of spec/quality.md section 7.3.
func TestScoreVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fact   string
		d      quality.Days
		nf     int
		rating quality.Rating
	}{
		{"Q1: D₀=1000, 6 blocks", days([3]int{0, 1000, 18}), 17, quality.Green},
		{"Q2: D₀=1000, 20 points", days([3]int{0, 1000, 20}), 19, quality.Green},
		{"Q3: D₀=1000, 7 blocks", days([3]int{0, 1000, 21}), 20, quality.Yellow},
		{"Q4: D₀=1000, 20 blocks", days([3]int{0, 1000, 60}), 57, quality.Yellow},
		{"Q5: D₀=1000, 21 blocks", days([3]int{0, 1000, 63}), 60, quality.Red},
		{"Q6: D₀=49, 10 blocks", days([3]int{0, 49, 30}), 303, quality.Unknown},
		{"Q7: D₀=50, one mute", days([3]int{0, 50, 1}), 10, quality.Green},
		{"Q8: D₀=50, one block", days([3]int{0, 50, 3}), 30, quality.Yellow},
		{"Q9: D₀=100 clean; D₆=1000 with 150 points", days([3]int{0, 100, 0}, [3]int{6, 1000, 150}), 73, quality.Red},
		{"Q10: D₀=1000 clean; D₆=1000 with 150 points", days([3]int{0, 1000, 0}, [3]int{6, 1000, 150}), 17, quality.Green},
		{"Q11: D₀=200 with 12 points; D₁=200 clean", days([3]int{0, 200, 12}, [3]int{1, 200, 0}), 28, quality.Yellow},
		{"Q12: D₀=200 clean; D₁=200 with 12 points", days([3]int{0, 200, 0}, [3]int{1, 200, 12}), 24, quality.Yellow},
	} {
		if s := quality.Rate(c.d); s.NF != c.nf || s.Rating != c.rating {
			t.Errorf("%s: %+v, want %d %s", c.fact, s, c.nf, c.rating)
		}
	}
}

const (
	minute = int64(60_000)
	day    = 24 * 60 * minute
	noon   = 20_000*day + 12*60*minute
)

func blocks(n int, at int64) (list []quality.Event) {
	for i := range n {
		list = append(list, quality.Event{User: wa.WaID(fmt.Sprint(i)), At: at, What: "block"})
	}
	return list
}

func TestPoints(t *testing.T) {
	t.Parallel()
	sum := func(events []quality.Event, template bool) (n int) {
		for _, p := range quality.Points(events, template, noon) {
			n += p
		}
		return n
	}
	var undone []quality.Event
	for i := range 15 {
		undone = append(undone, quality.Event{User: wa.WaID(fmt.Sprint(i)), At: noon - 50*minute, What: "unblock"})
	}
	for _, c := range []struct {
		fact     string
		events   []quality.Event
		template bool
		want     int
	}{
		{"Q13: Q5, then blocks undone within 10 min until 6 remain", append(blocks(21, noon-60*minute), undone...), false, 18},
		{"Q15: same user blocks, unblocks after 1 h, blocks again", []quality.Event{
			{User: "a", At: noon - 120*minute, What: "block"},
			{User: "a", At: noon - 60*minute, What: "unblock"},
			{User: "a", At: noon, What: "block"},
		}, false, 3},
		{"the highest counts", []quality.Event{
			{User: "a", At: noon - 2, What: "block"}, {User: "a", At: noon - 1, What: "block", Reason: "spam"},
		}, false, 4},
		{"kinds add up", []quality.Event{{User: "a", At: noon, What: "block"}, {User: "a", At: noon, What: "report"}}, false, 8},
		{"stop: 1 for a number", []quality.Event{{User: "a", At: noon, What: "stop"}}, false, 1},
		{"stop: 3 for a template", []quality.Event{{User: "a", At: noon, What: "stop"}}, true, 3},
		{"resume weighs nothing", []quality.Event{{User: "a", At: noon, What: "resume"}}, true, 0},
		{"older than seven days", blocks(5, noon-7*day), false, 0},
	} {
		if got := sum(c.events, c.template); got != c.want {
			t.Errorf("%s: %d points, want %d", c.fact, got, c.want)
		}
	}
	if got := quality.Points(blocks(2, noon-3*day), false, noon); got[3] != 6 {
		t.Errorf("the day of the block: %v", got)
	}
}

// Points are never negative, whatever happens in which order.
func TestPointsAreNeverNegative(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var events []quality.Event
		at := noon - 8*day
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			at += rapid.SampledFrom([]int64{1, minute, 20 * minute, day}).Draw(t, "time")
			events = append(events, quality.Event{
				User: rapid.SampledFrom([]wa.WaID{"a", "b"}).Draw(t, "user"), At: at,
				What:   rapid.SampledFrom([]string{"block", "unblock", "report", "stop"}).Draw(t, "what"),
				Reason: rapid.SampledFrom([]string{"", "spam"}).Draw(t, "reason"),
			})
		}
		for i, p := range quality.Points(events, false, noon) {
			if p < 0 {
				t.Fatalf("day %d has %d points", i, p)
			}
		}
	})
}

func TestReadRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fact           string
		users, del, rd int
		rating         quality.Rating
	}{
		{"10 % read", 200, 200, 20, quality.Green},
		{"fewer than 10 %", 200, 200, 19, quality.Yellow},
		{"3 %", 200, 200, 6, quality.Yellow},
		{"fewer than 3 %", 200, 200, 5, quality.Red},
		{"the sample is too small for the rule", 199, 199, 0, quality.Green},
		{"nobody has read receipts on", 200, 0, 0, quality.Green},
	} {
		if s := quality.RateMarketing(days([3]int{0, c.users, 0}), c.del, c.rd); s.Rating != c.rating {
			t.Errorf("%s: %s, want %s", c.fact, s.Rating, c.rating)
		}
	}
}

func TestHysteresis(t *testing.T) {
	t.Parallel()
	h := quality.Held{Rating: quality.Green}
	step := func(fact string, seen quality.Rating, at time.Duration, want quality.Rating) {
		t.Helper()
		if h = h.Step(seen, noon+at.Milliseconds(), quality.Calm); h.Rating != want {
			t.Errorf("%s: %s, want %s", fact, h.Rating, want)
		}
	}
	step("worsening is immediate", quality.Red, 0, quality.Red)
	step("better once", quality.Yellow, time.Hour, quality.Red)
	step("better twice, too soon", quality.Yellow, 6*time.Hour, quality.Red)
	step("better for six hours", quality.Yellow, 7*time.Hour, quality.Yellow)
	step("better", quality.Green, 8*time.Hour, quality.Yellow)
	step("interrupted", quality.Yellow, 9*time.Hour, quality.Yellow)
	step("starts again", quality.Green, 15*time.Hour, quality.Yellow)
	step("and holds", quality.Green, 21*time.Hour, quality.Green)
	if h := (quality.Held{Rating: quality.Red}).Step(quality.Green, noon, 0); h.Rating != quality.Green {
		t.Error("without hysteresis improvement is immediate")
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	for nth, want := range map[int]string{1: "3h0m0s false FIRST_PAUSE", 2: "6h0m0s false SECOND_PAUSE", 3: "0s true DISABLED", 9: "0s true DISABLED"} {
		d, off := quality.Pause(nth)
		if got := fmt.Sprint(d, off, " ", quality.PauseTitle(nth)); got != want {
			t.Errorf("RED for the %d. time: %s, want %s", nth, got, want)
		}
	}
}

func TestLadder(t *testing.T) {
	t.Parallel()
	for step, want := range []string{
		"false false 0s", "true false 24h0m0s", "true false 72h0m0s", "true true 120h0m0s", "true true 168h0m0s",
		"true true 720h0m0s", "true true 0s", "true true 0s",
	} {
		s := quality.Ladder(step)
		if got := fmt.Sprint(s.Templates, s.All, s.Lasts); got != want || s.Final != (step == 7) {
			t.Errorf("step %d: %s, want %s", step, got, want)
		}
	}
	s := quality.Standing{Step: -1}
	walk := func(fact string, red, now int64, want int) {
		t.Helper()
		if s = s.Next(red, now); s.Step != want {
			t.Errorf("%s: step %d, want %d", fact, s.Step, want)
		}
	}
	walk("RED for less than a day", noon, noon+day-1, -1)
	walk("RED for a day: warning", noon, noon+day, 0)
	walk("the same day", noon, noon+day+1, 0)
	walk("each further day one step", noon, noon+2*day, 1)
	walk("GREEN", 0, noon+2*day+5, 1)
	walk("RED for a moment", noon+4*day, noon+4*day, 1)
	walk("GREEN again", 0, noon+5*day, 1)
	walk("GREEN for less than a week without a break", 0, noon+12*day-1, 1)
	walk("a full week takes one step back", 0, noon+12*day, 0)
	walk("and another", 0, noon+19*day, -1)
	walk("nothing is left to take back", 0, noon+30*day, -1)
}
