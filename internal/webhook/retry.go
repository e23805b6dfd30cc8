package webhook

import (
	"math/rand/v2"
	"time"
)

// Life is how long an update is tried after it happened. Source: spec/limits.md section 8 (7 days are binding; another page
// of the original says 36 hours).
const Life = 7 * 24 * time.Hour

// BriefLife is how long an update of a number without storage is tried. Source: spec/webhooks.md section 6.
const BriefLife = time.Hour

// lifeOf is how long an update is tried.
func lifeOf(brief bool) time.Duration {
	if brief {
		return BriefLife
	}
	return Life
}

// Outcome is what an attempt means for its POST.
type Outcome uint8

// The outcomes of an attempt.
const (
	Delivered Outcome = iota // answered, nothing more to do
	Retry                    // try again later
	Dropped                  // its life is over
)

// waits[n-1] is the pause after attempt n. Source: spec/webhooks.md section 6, "Choice for the retry schedule".
var waits = [...]time.Duration{
	0, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
}

// jitterShare is how much earlier than its nominal time an hourly attempt may come. Jitter only shortens, so that an
// endpoint that is back an hour before the end always gets another attempt.
const jitterShare = 0.1

// Next says what the answer to attempt n (1 is the first) of a POST whose youngest update happened at born means, and when
// to try again if it means Retry. status is 0 when nobody answered. Any 2xx counts as delivered. The last attempt is made
// when its life ends, never later: nothing is dropped before. jitter may be nil.
func Next(born, now time.Time, life time.Duration, n, status int, jitter *rand.Rand) (Outcome, time.Time) {
	if status >= 200 && status < 300 {
		return Delivered, time.Time{}
	}
	end := born.Add(life)
	if !now.Before(end) {
		return Dropped, time.Time{}
	}
	at := now.Add(wait(n, jitter))
	if at.After(end) {
		at = end
	}
	return Retry, at
}

// wait is the pause after attempt n.
func wait(n int, jitter *rand.Rand) time.Duration {
	if n < 1 {
		n = 1
	}
	if n <= len(waits) {
		return waits[n-1]
	}
	d := waits[len(waits)-1]
	if jitter == nil {
		return d
	}
	return d - time.Duration(jitter.Float64()*jitterShare*float64(d))
}
