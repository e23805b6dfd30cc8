package media

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// BudgetError says that a device has had as many bytes as it may for now.
type BudgetError struct{ Wait time.Duration }

func (e *BudgetError) Error() string {
	return fmt.Sprintf("the device's files have too many bytes; there is room again in %v", e.Wait)
}

// hourly is how many bytes of files a device may store in an hour, and as many may be taken over from it for businesses: ten
// files of the largest size. Messages that name a file that is there already cost nothing.
const hourly = 1 << 30

// maxDebtors bounds the memory of a budget. Most devices have paid within seconds.
const maxDebtors = 100_000

// budget allows each device a number of bytes within any hour: half of them at once, the others as time goes by. What a
// device has taken is a debt that shrinks steadily.
type budget struct {
	burst int64         // bytes
	span  time.Duration // in which a debt of burst is paid

	mu    sync.Mutex
	debts map[string]debt
}

type debt struct {
	bytes int64
	at    time.Time
}

func newBudget(perHour int64) *budget {
	return &budget{burst: perHour / 2, span: time.Hour, debts: map[string]debt{}}
}

// left is what of a debt is unpaid.
func (b *budget) left(d debt, now time.Time) int64 {
	gone := min(max(now.Sub(d.at), 0), b.span)
	return max(0, d.bytes-int64(float64(b.burst)*(float64(gone)/float64(b.span))))
}

// take takes n bytes. Errors: [*BudgetError], then nothing is taken.
func (b *budget) take(device string, n int64, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, known := b.debts[device]
	if !known && len(b.debts) >= maxDebtors {
		b.settle(now)
		if len(b.debts) >= maxDebtors { // the disk matters more than one device more
			return &BudgetError{b.span}
		}
	}
	left := b.left(d, now)
	if over := left + n - b.burst; over > 0 {
		return &BudgetError{time.Duration(float64(over) / float64(b.burst) * float64(b.span))}
	}
	b.debts[device] = debt{left + n, now}
	return nil
}

// give takes n bytes back that were not used.
func (b *budget) give(device string, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d, ok := b.debts[device]; ok {
		d.bytes = max(0, d.bytes-n)
		b.debts[device] = d
	}
}

// settle forgets who has paid.
func (b *budget) settle(now time.Time) {
	for device, d := range b.debts {
		if b.left(d, now) == 0 {
			delete(b.debts, device)
		}
	}
}

// metered reads what is paid for: announced bytes beforehand, further ones as they come.
type metered struct {
	r    io.Reader
	paid int64
	take func(n int64) error
}

// pay pays for n bytes; nothing when n is not positive.
func (m *metered) pay(n int64) error {
	if n <= 0 {
		return nil
	}
	if err := m.take(n); err != nil {
		return err
	}
	m.paid += n
	return nil
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if e := m.pay(int64(n) - m.paid); e != nil {
		return 0, e
	}
	m.paid -= int64(n)
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}
