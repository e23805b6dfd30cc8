package limits_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// cap = clamp(1 + round(4 × read_rate_of_last_10), 1, 5). Source: spec/limits.md section 4.
func TestAdaptiveCap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ read, of, want int }{
		{0, 0, 2},
		{0, 1, 1},
		{1, 1, 5},
		{1, 2, 3},
		{1, 8, 2},
		{1, 9, 1},
		{0, 10, 1},
		{1, 10, 1},
		{2, 10, 2},
		{3, 10, 2},
		{4, 10, 3},
		{5, 10, 3},
		{6, 10, 3},
		{7, 10, 4},
		{8, 10, 4},
		{9, 10, 5},
		{10, 10, 5},
	} {
		if got := limits.Adaptive(c.read, c.of); got != c.want {
			t.Errorf("%d of %d read: %d, want %d", c.read, c.of, got, c.want)
		}
	}
}

// The last ten count, in whatever order they are read, and nothing twice.
func TestAttention(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var a limits.Attention
		var order []uint32
		read := map[uint32]bool{}
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			s := limits.Seen{Mark: rapid.Uint32Range(1, 30).Draw(t, "message"), Read: rapid.Bool().Draw(t, "read")}
			known := false
			for _, m := range order {
				known = known || m == s.Mark
			}
			a.Note(s)
			switch {
			case !known && !s.Read:
				order = append(order, s.Mark)
				if len(order) > 10 {
					delete(read, order[0])
					order = order[1:]
				}
			case known && s.Read:
				read[s.Mark] = true
			}
			if r, of := a.Rate(); r != len(read) || of != len(order) {
				t.Fatalf("%d of %d, want %d of %d", r, of, len(read), len(order))
			}
		}
	})
	if limits.MarkOf("wamid.A") == limits.MarkOf("wamid.B") || limits.MarkOf("") == 0 {
		t.Error("marks tell messages apart and are never 0")
	}
}

// No schedule gives a person more than the cap in any 24 hours, from one portfolio or from all; what is refused is not
// counted, what fails gives its place back, and whenever there is room a message passes.
func TestMarketCapAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := limits.MarketCap{PerPortfolio: rapid.IntRange(1, 5).Draw(t, "cap"), Overall: rapid.IntRange(3, 10).Draw(t, "overall")}
		type sent struct {
			at int64
			by uint32
		}
		var marks []limits.Mark
		var all []sent
		now := epoch
		for range rapid.IntRange(1, 150).Draw(t, "sends") {
			now += rapid.SampledFrom([]int64{0, 1, hour, 5 * hour, 24*hour - 1, 24 * hour}).Draw(t, "time")
			by := rapid.Uint32Range(0, 3).Draw(t, "portfolio")
			mine, live := 0, 0
			for _, s := range all {
				if s.at > now-24*hour {
					live++
					if s.by == by {
						mine++
					}
				}
			}
			marks = c.Forget(marks, now)
			ok := c.Room(marks, by, now)
			if ok != (mine < c.PerPortfolio && live < c.Overall) {
				t.Fatalf("room is %v with %d of %d and %d of %d", ok, mine, c.PerPortfolio, live, c.Overall)
			}
			if !ok {
				continue
			}
			marks = append(marks, limits.Mark{Portfolio: by})
			if rapid.IntRange(0, 4).Draw(t, "fails") == 0 {
				marks = marks[:len(marks)-1]
				continue
			}
			marks[len(marks)-1].At = now
			all = append(all, sent{now, by})
		}
	})
}

// Nobody is capped in the EEA, the United Kingdom, Japan and South Korea, nor by those who send from there.
func TestCapped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sender, user wa.WaID
		want         bool
	}{
		{"12025550101", "5511987654321", true},
		{"12025550101", "919876543210", true},
		{"12025550101", "4915112345678", false},
		{"12025550101", "447400123456", false},
		{"12025550101", "819012345678", false},
		{"12025550101", "821012345678", false},
		{"12025550101", "4740612345", false},
		{"12025550101", "3546111234", false},
		{"4915112345678", "12025550101", false},
		{"12025550101", "41791234567", true},
	} {
		if got := limits.Capped(c.sender, c.user); got != c.want {
			t.Errorf("%s to %s: %v, want %v", c.sender, c.user, got, c.want)
		}
	}
}

func TestHeldOut(t *testing.T) {
	t.Parallel()
	out := 0
	var one wa.WaID
	for i := range 10_000 {
		id := wa.WaID("1202555" + string([]byte{byte('0' + i/1000), byte('0' + i/100%10), byte('0' + i/10%10), byte('0' + i%10)}))
		if limits.HeldOut(id, 10, 0, epoch) {
			out, one = out+1, id
			if !limits.HeldOut(id, 20, 0, epoch) {
				t.Errorf("%s is in a hundredth and not in two", id)
			}
		}
		if limits.HeldOut(id, 0, 0, epoch) || !limits.HeldOut(id, 1000, 0, epoch) {
			t.Fatal("none and all")
		}
	}
	if out < 60 || out > 150 {
		t.Errorf("%d of 10,000 are held out, want about a hundred", out)
	}
	if limits.HeldOut(one, 10, epoch-12*hour+1, epoch) || !limits.HeldOut(one, 10, epoch-12*hour, epoch) {
		t.Error("a template within twelve hours exempts")
	}
}
