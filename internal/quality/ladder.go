package quality

import "time"

// Pause is what a template that becomes RED gets: the nth time, counted from 1. The third disables it. Source:
// spec/quality.md section 3.1.
func Pause(nth int) (pause time.Duration, disable bool) {
	switch {
	case nth <= 1:
		return 3 * time.Hour, false
	case nth == 2:
		return 6 * time.Hour, false
	}
	return 0, true
}

// PauseTitle is other_info.title of the nth pause.
func PauseTitle(nth int) string {
	switch {
	case nth <= 1:
		return "FIRST_PAUSE"
	case nth == 2:
		return "SECOND_PAUSE"
	}
	return "DISABLED"
}

// Sanction is a step of account enforcement. Source: spec/quality.md section 5.
type Sanction struct {
	Step      int
	Templates bool          // templates are refused
	All       bool          // every message is refused
	Numbers   bool          // no numbers may be added
	Lasts     time.Duration // 0: until an appeal opens it, or for the warning nothing
	Final     bool          // disabled for good
}

const oneDay = 24 * time.Hour

// ladder are the steps; what lies above the last is for good.
var ladder = [...]Sanction{
	0: {},
	1: {Templates: true, Numbers: true, Lasts: oneDay},
	2: {Templates: true, Numbers: true, Lasts: 3 * oneDay},
	3: {Templates: true, All: true, Numbers: true, Lasts: 5 * oneDay},
	4: {Templates: true, All: true, Numbers: true, Lasts: 7 * oneDay},
	5: {Templates: true, All: true, Numbers: true, Lasts: 30 * oneDay},
	6: {Templates: true, All: true, Numbers: true},
	7: {Templates: true, All: true, Numbers: true, Final: true},
}

// Ladder is the sanction of a step; 0 is the warning.
func Ladder(step int) Sanction {
	step = min(max(step, 0), len(ladder)-1)
	s := ladder[step]
	s.Step = step
	return s
}

// Standing is where an account stands on the ladder: -1 is nowhere.
type Standing struct {
	Step  int
	Moved int64 // Unix milliseconds of the last step in either direction
	Calm  int64 // since when no number is RED, Unix milliseconds; 0 while one is
}

// Next moves the standing at now: up a step for each full day that a number has been RED, down one for each full week
// without. red is since when it is RED without a break, 0 when it is not. Source: spec/quality.md section 7.4.
func (s Standing) Next(red, now int64) Standing {
	switch {
	case red != 0 && s.Step < 6 && now-max(red, s.Moved) >= dayMillis:
		return Standing{Step: s.Step + 1, Moved: now}
	case red != 0:
		s.Calm = 0
	case s.Step < 0:
	case s.Calm == 0:
		s.Calm = now
	case now-max(s.Calm, s.Moved) >= weekMillis:
		return Standing{Step: s.Step - 1, Moved: now, Calm: s.Calm}
	}
	return s
}
