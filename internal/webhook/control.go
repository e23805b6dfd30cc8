package webhook

import "time"

// The receiver standard. Source: spec/limits.md section 8.
const (
	// MedianStandard is the latency that half of the deliveries must stay within.
	MedianStandard = 250 * time.Millisecond
	// SlowStandard is the latency that at most one in a hundred may exceed.
	SlowStandard = time.Second
)

// cutPause is the least time between two reductions: answers that were on their way when the first one happened say nothing
// about its effect.
const cutPause = 500 * time.Millisecond

// control decides how many connections an endpoint uses: additive increase while the receiver keeps the standard and there
// is more to send, multiplicative decrease on failures and slow answers. Until the first decrease it grows by one per
// answer, so that a healthy receiver gets its full width within a few round trips.
type control struct {
	limit, most float64
	steady      bool // the first decrease has happened
	lastCut     time.Time
}

func newControl(start, most int) control {
	return control{limit: float64(min(start, most)), most: float64(most)}
}

// width is how many deliveries may be in flight, at least 1.
func (c *control) width() int { return int(c.limit) }

// answered takes in a good answer; more says that updates wait.
func (c *control) answered(latency time.Duration, more bool, now time.Time) {
	switch {
	case latency > SlowStandard:
		c.cut(0.8, now)
	case latency <= MedianStandard && more:
		step := 1.0
		if c.steady {
			step = 1 / c.limit
		}
		c.limit = min(c.limit+step, c.most)
	}
}

// failed takes in a failure.
func (c *control) failed(now time.Time) { c.cut(0.5, now) }

func (c *control) cut(by float64, now time.Time) {
	c.steady = true
	if !c.lastCut.IsZero() && now.Sub(c.lastCut) < cutPause {
		return
	}
	c.lastCut = now
	c.limit = max(c.limit*by, 1)
}
