package webhook

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestControlGrowsAndShrinks(t *testing.T) {
	t.Parallel()
	c, now := newControl(16, 256), testStart
	for range 240 {
		c.answered(100*time.Millisecond, true, now)
	}
	if c.width() != 256 {
		t.Errorf("a healthy receiver with a backlog: %d, want 256", c.width())
	}
	c.failed(now)
	if c.width() != 128 {
		t.Errorf("after a failure: %d, want 128", c.width())
	}
	c.failed(now.Add(100 * time.Millisecond))
	if c.width() != 128 {
		t.Errorf("a failure from before the cut counted: %d", c.width())
	}
	for range 128 {
		c.answered(100*time.Millisecond, true, now)
	}
	if w := c.width(); w < 128 || w > 129 {
		t.Errorf("one round trip after a cut: %d, want one more", w)
	}
	c.answered(2*time.Second, true, now.Add(time.Second))
	if w := c.width(); w > 104 {
		t.Errorf("after an answer above one second: %d", w)
	}
	before := c.width()
	c.answered(500*time.Millisecond, true, now)
	c.answered(time.Millisecond, false, now)
	if c.width() != before {
		t.Errorf("middling latency or nothing to send: %d, want %d", c.width(), before)
	}
}

func TestControlStaysInBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, now := newControl(16, 256), testStart
		for range rapid.IntRange(0, 500).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "pause")))
			if rapid.Bool().Draw(t, "ok") {
				c.answered(time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "latency")), true, now)
			} else {
				c.failed(now)
			}
			if c.width() < 1 || c.width() > 256 {
				t.Fatalf("width %d", c.width())
			}
		}
	})
}

func TestLatencyStandard(t *testing.T) {
	t.Parallel()
	var l latencies
	for range 60 {
		l.add(240 * time.Millisecond)
	}
	for range 40 {
		l.add(400 * time.Millisecond)
	}
	s := Stats{Buckets: l.buckets, Answers: 100}
	if s.Median() != 250*time.Millisecond || s.Slow() != 0 || !s.MeetsStandard() {
		t.Errorf("median %v, slow %v", s.Median(), s.Slow())
	}
	l.add(1001 * time.Millisecond)
	l.add(time.Minute)
	s = Stats{Buckets: l.buckets, Answers: 102}
	if s.Slow() < 0.019 || s.MeetsStandard() {
		t.Errorf("slow %v", s.Slow())
	}
}
