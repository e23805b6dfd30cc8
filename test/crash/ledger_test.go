//go:build crash

package crash

import (
	"fmt"
	"sync"

	"github.com/hikyaku/hikyaku/test/child"
)

// promise is a message that the platform acknowledged.
type promise struct{ id, number, to, text string }

// ledger keeps what the platform promised to senders.
type ledger struct {
	mu       sync.Mutex
	accepted map[string]promise
	refused  map[string]int
	problems []string
}

func newLedger() *ledger { return &ledger{accepted: map[string]promise{}, refused: map[string]int{}} }

// expected are the refusals that a well-behaved sender meets under this load, and while the platform starts or stops.
var expected = map[int]bool{130429: true, 131056: true, 131016: true}

func (l *ledger) accept(id, number, to, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, twice := l.accepted[id]; twice || id == "" {
		l.problems = append(l.problems, fmt.Sprintf("id %q was given out twice", id))
	}
	l.accepted[id] = promise{id, number, to, text}
}

func (l *ledger) refuse(a *child.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	code := a.Code()
	l.refused[fmt.Sprintf("%d/%d", a.Status, code)]++
	if !expected[code] && (a.Status != 503 || code != 0) {
		l.problems = append(l.problems, fmt.Sprintf("refused with HTTP %d: %s", a.Status, a.Body))
	}
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.accepted)
}
