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

// Ladder is the sanction of a step; 0 is the warning.
func Ladder(step int) Sanction {
	const day = 24 * time.Hour
	s := Sanction{Step: step}
	switch {
	case step <= 0:
		s.Step = 0
	case step <= 2:
		s.Templates, s.Numbers, s.Lasts = true, true, []time.Duration{day, 3 * day}[step-1]
	case step <= 5:
		s.Templates, s.All, s.Numbers, s.Lasts = true, true, true, []time.Duration{5 * day, 7 * day, 30 * day}[step-3]
	case step == 6:
		s.Templates, s.All, s.Numbers = true, true, true
	default:
		s.Templates, s.All, s.Numbers, s.Final = true, true, true, true
	}
	return s
}

// Standing is where an account stands on the ladder: -1 is nowhere.
type Standing struct {
	Step  int
	Moved int64 // Unix milliseconds of the last step in either direction
}

// Next moves the standing at now: up a step for each full day that a number has been RED, down one for each full week
// without. red is since when it is RED without a break, 0 when it is not. Source: spec/quality.md section 7.4.
func (s Standing) Next(red, now int64) Standing {
	switch {
	case red != 0 && s.Step < 6 && now-max(red, s.Moved) >= dayMillis:
		return Standing{s.Step + 1, now}
	case red == 0 && s.Step >= 0 && now-s.Moved >= weekMillis:
		return Standing{s.Step - 1, now}
	}
	return s
}
