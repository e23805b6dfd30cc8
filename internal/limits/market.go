package limits

import "time"

// MarketCap bounds the marketing templates that one person gets. Source: spec/limits.md section 4 (ours: what the real
// service does is adaptive and unpublished).
type MarketCap struct {
	PerPortfolio int // in Window, from one portfolio; 0: 2
	Overall      int // in Window, from all; 0: 10
	Window       time.Duration
}

// Mark is a marketing template that counts: delivered at At, or on its way with At 0.
type Mark struct {
	At        int64 // Unix milliseconds
	Portfolio uint32
}

// Room reports whether one more of the portfolio may be sent at now.
func (c MarketCap) Room(marks []Mark, portfolio uint32, now int64) bool {
	mine, all := 0, 0
	for _, m := range marks {
		if m.At != 0 && m.At <= now-c.millis() {
			continue
		}
		all++
		if m.Portfolio == portfolio {
			mine++
		}
	}
	return mine < orElse(c.PerPortfolio, 2) && all < orElse(c.Overall, 10)
}

// Forget removes marks that no longer count, in place.
func (c MarketCap) Forget(marks []Mark, now int64) []Mark {
	kept := marks[:0]
	for _, m := range marks {
		if m.At == 0 || m.At > now-c.millis() {
			kept = append(kept, m)
		}
	}
	return kept
}

// Adaptive is the cap for somebody who read the given share of their last ten marketing messages (0 to 10 of them).
func Adaptive(read int) int { return min(max(1+(4*read+5)/10, 1), 5) }

func (c MarketCap) millis() int64 {
	if c.Window == 0 {
		return (24 * time.Hour).Milliseconds()
	}
	return c.Window.Milliseconds()
}

func orElse(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}
