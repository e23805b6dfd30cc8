package limits

import "time"

// PairRule limits the messages from one business number to one user: one per Every, or up to Burst within Window, which
// are paid back at one per Every before the next one.
type PairRule struct {
	Every  time.Duration
	Window time.Duration
	Burst  int
}

// Pair is the rule of the platform. Source: Cloud API overview, "Pair rate limits"; spec/limits.md section 2.2.
var Pair = PairRule{Every: 6 * time.Second, Window: 6 * time.Second, Burst: 45}

// PairState is the state of one pair. The zero value is a pair that owes nothing.
type PairState struct {
	Start int64 // of the current window, Unix milliseconds
	Sent  int   // messages accepted in it
}

// Next reports the state after a message at now, or how long to wait: a positive wait refuses, and then next is s
// unless the clock was set back: keep it in any case.
// Refusals cost nothing. Time going back does not help: a message before Start is part of its window, and after a longer
// step back the whole debt is still there.
//
// The burst is a debt and no bucket of 45: after 20 messages the next one passes when 20 × 6 s are over.
func (r PairRule) Next(s PairState, now int64) (next PairState, wait time.Duration) {
	if s.Sent > 0 && s.Start-now > r.Window.Milliseconds() {
		s.Start = now // the clock was set back: the debt stays, and is paid from now on
	}
	paid := r.Paid(s)
	switch {
	case s.Sent <= 0 || now >= paid:
		return PairState{now, 1}, 0
	case now < s.Start+r.Window.Milliseconds() && s.Sent < r.Burst:
		return PairState{s.Start, s.Sent + 1}, 0
	}
	return s, time.Duration(paid-now) * time.Millisecond
}

// Paid is when the pair owes nothing more, Unix milliseconds. From then on its state need not be kept.
func (r PairRule) Paid(s PairState) int64 {
	if s.Sent <= 0 {
		return s.Start
	}
	return s.Start + int64(s.Sent)*r.Every.Milliseconds()
}
