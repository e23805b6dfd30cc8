package clock

import (
	"context"
	"time"
)

// Clock tells time and waits. Implementations are safe for concurrent use.
type Clock interface {
	// Now is the platform's time, UTC.
	Now() time.Time
	// NewTimer fires once, d of platform time from now.
	NewTimer(d time.Duration) Timer
	// Sleep waits d of platform time, or until ctx ends and then returns its error.
	Sleep(ctx context.Context, d time.Duration) error
}

// Timer is the part of time.Timer that both kinds of clock can offer. Stop and Reset behave as those of
// time.Timer since Go 1.23: after either returns, no stale value is received.
type Timer interface {
	C() <-chan time.Time
	Stop() bool
	Reset(d time.Duration) bool
}
