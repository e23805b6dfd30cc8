package device

import (
	"context"
	"time"
)

// Clock tells time and waits. It is the part of the platform's clock that needs no other types, so any clock of that shape
// fits. Implementations are safe for concurrent use.
type Clock interface {
	Now() time.Time
	// Sleep waits d, or until ctx ends and then returns its error.
	Sleep(ctx context.Context, d time.Duration) error
}
