package retry

import "time"

// Class is what a client can do about an error code.
type Class uint8

// The classes. The zero value is the safe one.
const (
	Stop        Class = iota // somebody has to change the request, the account or the set-up first
	StopForUser              // this recipient cannot be reached until the recipient changes
	Backoff                  // the same call may succeed soon: wait 4^X seconds
	Fixed                    // the same call may succeed after a known time
)

// String is the class in words.
func (c Class) String() string {
	switch c {
	case StopForUser:
		return "stop for this user"
	case Backoff:
		return "back off"
	case Fixed:
		return "wait"
	default:
		return "stop"
	}
}

// Advice is what to do about an error.
type Advice struct {
	Class Class
	Wait  time.Duration // for Fixed: how long at least; 0 when only the details of the error tell
}

// Classify says what to do about an error code of the API. Codes it does not know are [Stop].
// Source: spec/errors.md section 20.
func Classify(code int) Advice { return advice[code] }

const day = 24 * time.Hour

var advice = map[int]Advice{
	1:      {Class: Backoff}, // unknown
	2:      {Class: Backoff}, // temporary outage
	4:      {Class: Backoff}, // app limit
	17:     {Class: Backoff}, // user limit
	341:    {Class: Backoff}, // app limit, temporary
	613:    {Class: Backoff}, // limit of one edge
	80007:  {Class: Backoff}, // limit of the business account
	80008:  {Class: Backoff}, // the same under another number
	130429: {Class: Backoff}, // throughput of the number
	131000: {Class: Backoff}, // something went wrong
	131016: {Class: Backoff}, // service unavailable
	131056: {Class: Backoff}, // pair rate: at most five retries, see Policy
	131057: {Class: Backoff}, // maintenance
	133004: {Class: Backoff}, // server temporarily unavailable
	138002: {Class: Backoff}, // concurrent calls
	138004: {Class: Backoff}, // connection error
	138005: {Class: Backoff}, // rate of calls
	138007: {Class: Backoff}, // connection timed out
	139102: {Class: Backoff}, // block list changed
	139103: {Class: Backoff}, // internal error of the block list

	131049: {Class: Fixed, Wait: day},              // marketing cap of the user
	132015: {Class: Fixed},                         // template paused: the length of the pause
	132069: {Class: Fixed, Wait: time.Hour},        // flow throttled
	133008: {Class: Fixed},                         // too many PIN guesses: see details
	133009: {Class: Fixed},                         // PIN guessed too fast: see details
	133015: {Class: Fixed, Wait: 5 * time.Minute},  // number deleted just now
	133016: {Class: Fixed, Wait: 3 * day},          // register and deregister
	134101: {Class: Fixed, Wait: 10 * time.Minute}, // template syncing
	138009: {Class: Fixed, Wait: day},              // call permission requests
	138012: {Class: Fixed},                         // calls to the user: see details

	130403: {Class: StopForUser}, // blocked by the business
	130472: {Class: StopForUser}, // experiment
	131021: {Class: StopForUser}, // the sender itself
	131026: {Class: StopForUser}, // undeliverable
	131030: {Class: StopForUser}, // not on the list of the test number
	131050: {Class: StopForUser}, // stopped marketing messages
	137000: {Class: StopForUser}, // identity to be verified again
}
