package limits

import "time"

// The hourly budgets of management calls of one app on one account. Source: spec/limits.md section 6.1.
const (
	BudgetDefault = 200
	BudgetActive  = 5000 // the account has a registered number
	BudgetWindow  = time.Hour

	// AppPerUser times the users of an app is its own hourly budget, but never less than AppFloor (ours).
	AppPerUser = 200
	AppFloor   = 50_000

	// CreationsPerHour bounds new templates of one account.
	CreationsPerHour = 100
)

const budgetMillis = int64(BudgetWindow / time.Millisecond)

// Budget is an exact log of the calls of the last hour. Refused calls are not in it. The zero value is an empty one; it
// remembers at most as many calls as the largest limit it was asked with.
type Budget struct{ log ring }

// Spend counts a call at now if fewer than limit calls lie in (now − 1 h, now], and reports how many do afterwards.
func (b *Budget) Spend(now int64, limit int) (used int, ok bool) {
	if used = b.Used(now); used >= limit {
		return used, false
	}
	b.log.push(uint64(now))
	return used + 1, true
}

// Used is the number of calls in the last hour.
func (b *Budget) Used(now int64) int {
	for {
		at, ok := b.log.peek()
		if !ok || int64(at) > now-budgetMillis {
			return b.log.n
		}
		b.log.pop()
	}
}

// Wait is how long until the oldest call leaves; 0 when there is none.
func (b *Budget) Wait(now int64) time.Duration {
	b.Used(now)
	at, ok := b.log.peek()
	if !ok {
		return 0
	}
	return time.Duration(int64(at)+budgetMillis-now) * time.Millisecond
}

// Percent is the figure of the usage headers: full at 100, more beyond.
func Percent(used, limit int) int {
	if limit <= 0 {
		return 100
	}
	return 100 * used / limit
}
