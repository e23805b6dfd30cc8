package limits_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/limits"
)

// The vectors U1 to U6 of spec/limits.md section 1.4. That sends get 131057 meanwhile (U4), and that a second raise needs
// no downtime (U5), is tested where numbers are.
func TestUpgradeVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fact string
		u    limits.Upgrade
		want bool
	}{
		{"U1: portfolio TIER_100K, 100,000 users reached", limits.Upgrade{Users: 100_000}, false},
		{"U2: UNLIMITED, 99,999 unique users in 24 h", limits.Upgrade{Unlimited: true, Users: 99_999}, false},
		{"U3: UNLIMITED, 100,000 unique, quality RED", limits.Upgrade{Unlimited: true, Users: 100_000, LowRated: true}, false},
		{"U4: all true", limits.Upgrade{Unlimited: true, Users: 100_000}, true},
		{"U6: 60,000 users inside windows + 60,000 outside", limits.Upgrade{Unlimited: true, Users: 60_000}, false},
		{"already HIGH", limits.Upgrade{Unlimited: true, Users: 200_000, High: true}, false},
		{"coexistence is fixed", limits.Upgrade{Unlimited: true, Users: 200_000, Fixed: true}, false},
	} {
		if got := c.u.Eligible(); got != c.want {
			t.Errorf("%s: %v", c.fact, got)
		}
	}
}

// The vectors M10 to M14 of spec/limits.md section 3.6 and the steps of section 3.2.
func TestRaiseVectors(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		fact string
		r    limits.Raise
		want int
	}{
		{"M10: TIER_2K, 1,000 unique in 7 d, GREEN", limits.Raise{Limit: 2000, Users7: 1000, HighGrade: true, Since: day}, 10_000},
		{"M11: as M10 with 999", limits.Raise{Limit: 2000, Users7: 999, HighGrade: true, Since: day}, 2000},
		{"M12: as M10, one template RED", limits.Raise{Limit: 2000, Users7: 1000, Since: day}, 2000},
		{"M13: TIER_250, business verified", limits.Raise{Limit: 250, Verified: true}, 2000},
		{"M14: TIER_250, 2,000 unique delivered in 30 d", limits.Raise{Limit: 250, Users30: 2000, HighGrade: true}, 2000},
		{"as M14 with 1,999", limits.Raise{Limit: 250, Users30: 1999, HighGrade: true}, 250},
		{"as M14 with bad templates", limits.Raise{Limit: 250, Users30: 2000}, 250},
		{"one step at a time", limits.Raise{Limit: 2000, Users7: 2_000_000, HighGrade: true, Since: day}, 10_000},
		{"a day between two raises", limits.Raise{Limit: 10_000, Users7: 5000, HighGrade: true, Since: day - 1}, 10_000},
		{"10,000 to 100,000", limits.Raise{Limit: 10_000, Users7: 5000, HighGrade: true, Since: day}, 100_000},
		{"100,000 to unlimited", limits.Raise{Limit: 100_000, Users7: 50_000, HighGrade: true, Since: day}, limits.Unlimited},
		{"100,000 stays", limits.Raise{Limit: 100_000, Users7: 49_999, HighGrade: true, Since: day}, 100_000},
		{"unlimited stays", limits.Raise{Limit: limits.Unlimited, Users7: 1, HighGrade: true, Since: day}, limits.Unlimited},
	} {
		if got := c.r.Next(); got != c.want {
			t.Errorf("%s: %d, want %d", c.fact, got, c.want)
		}
	}
}

// The vectors G1 to G7 of spec/limits.md section 6.3; G8 is about what is counted at all.
func TestBudgetVectors(t *testing.T) {
	t.Parallel()
	spend := func(b *limits.Budget, at int64, n, limit int) (passed int) {
		for range n {
			if _, ok := b.Spend(epoch+at, limit); ok {
				passed++
			}
		}
		return passed
	}
	var b limits.Budget
	if n := spend(&b, 0, 200, limits.BudgetDefault); n != 200 || limits.Percent(b.Used(epoch), limits.BudgetDefault) != 100 {
		t.Errorf("G1: %d passed", n)
	}
	if n := spend(&b, 0, 1, limits.BudgetDefault); n != 0 || b.Wait(epoch) != time.Hour {
		t.Errorf("G2: %d passed, wait %v", n, b.Wait(epoch))
	}
	if n := spend(&b, 0, 1, limits.BudgetActive); n != 1 {
		t.Error("G6: a number gets registered: the next call is refused")
	}
	b = limits.Budget{}
	spend(&b, 0, 200, 200)
	if spend(&b, hour-1, 1, 200) != 0 || spend(&b, hour+1, 1, 200) != 1 {
		t.Error("G5: 3,600.001 s")
	}
	b = limits.Budget{}
	spend(&b, 0, 100, 200)
	spend(&b, hour/2, 100, 200)
	if spend(&b, hour-1000, 1, 200) != 0 || spend(&b, hour+1000, 1, 200) != 1 {
		t.Error("G7: 100 at t=0, 100 at 1,800, 1 at 3,599: refused; at 3,601 ok")
	}
}

// Never more than the limit in any hour, and refused calls are not counted.
func TestBudgetInvariant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		var b limits.Budget
		var passed []int64
		now := epoch
		for range rapid.IntRange(1, 150).Draw(t, "calls") {
			now += rapid.SampledFrom([]int64{0, 1, 60_000, hour / 2, hour - 1, hour}).Draw(t, "time")
			live := 0
			for _, at := range passed {
				if at > now-hour {
					live++
				}
			}
			used, ok := b.Spend(now, limit)
			if ok != (live < limit) {
				t.Fatalf("at %d with %d of %d: %v", now-epoch, live, limit, ok)
			}
			if ok {
				passed = append(passed, now)
				live++
			}
			if used != live {
				t.Fatalf("%d used, want %d", used, live)
			}
		}
	})
}

// The vectors of spec/limits.md section 4, cap 2.
func TestMarketCap(t *testing.T) {
	t.Parallel()
	var c limits.MarketCap
	var marks []limits.Mark
	send := func(at int64, want bool) {
		t.Helper()
		if got := c.Room(marks, 1, epoch+at); got != want {
			t.Errorf("at %d: %v", at, got)
		} else if got {
			marks = append(marks, limits.Mark{At: epoch + at, Portfolio: 1})
		}
	}
	send(0, true)
	send(hour, true)
	send(2*hour, false)
	send(24*hour+60_000, true)
	send(24*hour+60_000, false)
	if marks = c.Forget(marks, epoch+26*hour); len(marks) != 1 {
		t.Errorf("%d marks are kept", len(marks))
	}
	marks = nil
	for p := range uint32(12) {
		if got := c.Room(marks, p, epoch); got != (p < 10) {
			t.Errorf("10 per user over all: message %d: %v", p+1, got)
		}
		marks = append(marks, limits.Mark{Portfolio: p}) // on its way
	}
}
