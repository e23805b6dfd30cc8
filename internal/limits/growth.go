package limits

import "time"

// What the automatic rules look at. Source: spec/limits.md sections 1.4 and 3.2.
const (
	// UpgradeUsers is how many people a number must reach outside windows in 24 hours to be raised to 1,000 per second.
	UpgradeUsers = 100_000
	// VerifyUsers is how many people a new portfolio must reach in VerifyWindow to be raised without verification.
	VerifyUsers  = 2000
	VerifyWindow = 30 * 24 * time.Hour
	// RaiseWindow is the time in which half of the limit must have been used.
	RaiseWindow = 7 * 24 * time.Hour
	// RaisePause is the least time between two automatic raises (ours).
	RaisePause = 24 * time.Hour
	// MaxUpgrade is the longest a number may be away while it is upgraded.
	MaxUpgrade = time.Minute
)

// The steps of the messaging limit, in users; Unlimited is none.
const (
	Reach250  = 250
	Reach2K   = 2000
	Reach10K  = 10_000
	Reach100K = 100_000
	Unlimited = -1
)

// Upgrade is what decides over the throughput of a number.
type Upgrade struct {
	Unlimited bool // the portfolio's messaging limit
	Users     int  // unique, reached outside windows in 24 hours by this number
	LowRated  bool // the number's quality is RED
	High      bool // it has the level already
	Fixed     bool // coexistence: the number is also used in the phone app
}

// Eligible says whether the number is to be upgraded.
func (u Upgrade) Eligible() bool {
	return u.Unlimited && u.Users >= UpgradeUsers && !u.LowRated && !u.High && !u.Fixed
}

// Raise is what decides over the messaging limit of a portfolio.
type Raise struct {
	Limit     int           // in force; Unlimited for none
	Verified  bool          // business verification is done
	Users7    int           // unique, reached outside windows in the last 7 days
	Users30   int           // the same in 30 days; looked at below Reach2K only
	HighGrade bool          // every number with traffic is GREEN or UNKNOWN, no template in use is RED or YELLOW
	Since     time.Duration // since the last automatic raise
}

// Next is the limit after an evaluation: the one in force, or one step more.
func (r Raise) Next() int {
	switch {
	case r.Limit < 0 || r.Limit >= Reach100K && !r.busy():
		return r.Limit
	case r.Limit < Reach2K:
		if r.Verified || (r.HighGrade && r.Users30 >= VerifyUsers) {
			return Reach2K
		}
		return r.Limit
	case !r.busy():
		return r.Limit
	case r.Limit < Reach10K:
		return Reach10K
	case r.Limit < Reach100K:
		return Reach100K
	}
	return Unlimited
}

// busy reports whether half of the limit was used with good quality, and the last raise is old enough.
func (r Raise) busy() bool {
	return r.HighGrade && 2*r.Users7 >= r.Limit && r.Since >= RaisePause
}
