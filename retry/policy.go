package retry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Sleeper waits. Tests use one that does not.
type Sleeper interface {
	// Sleep waits d, or until ctx ends and then returns its error.
	Sleep(ctx context.Context, d time.Duration) error
}

// System waits in real time.
var System Sleeper = system{}

type system struct{}

func (system) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d) //nolint:forbidigo // a public package for real clients; tests bring another Sleeper
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Policy says how long to go on. The zero value is the one to use.
type Policy struct {
	// Retries is how many times a call is made again; 0 means 5. The longest debt of a pair is 270 s, and
	// 1+4+16+64+256 = 341 s: five always suffice for it.
	Retries int
	// MaxWait is the longest single wait; 0 means 5 minutes. An error that asks for more is returned at once.
	MaxWait time.Duration
}

// Delay is the wait after the refusal number x, 0 being the first: 4^x seconds, saturating at 4^15.
// Source: spec/limits.md section 2.4.
func Delay(x int) time.Duration {
	return time.Second << (2 * min(max(x, 0), 15))
}

// Do is the zero [Policy]'s Do.
func Do(ctx context.Context, s Sleeper, call func() error) error {
	return Policy{}.Do(ctx, s, call)
}

// Do makes the call, again and again as its errors advise, and returns nil once it succeeds. An error that advises
// against another try, or carries no code, is returned as it is. After the last try, and when ctx ends during a wait, the
// call's error comes back wrapped.
func (p Policy) Do(ctx context.Context, s Sleeper, call func() error) error {
	retries, longest := p.Retries, p.MaxWait
	if retries <= 0 {
		retries = 5
	}
	if longest <= 0 {
		longest = 5 * time.Minute
	}
	refused := 0 // answers that asked to back off
	for tried := 0; ; tried++ {
		err := call()
		wait := next(err, refused)
		if err == nil || wait <= 0 || wait > longest {
			return err
		}
		if tried >= retries {
			return fmt.Errorf("after %d retries: %w", retries, err)
		}
		if e := s.Sleep(ctx, wait); e != nil {
			return fmt.Errorf("%w while waiting to retry: %w", e, err)
		}
		if Classify(code(err)).Class == Backoff {
			refused++
		}
	}
}

// next is how long to wait after err; 0 when there is nothing to wait for.
func next(err error, refused int) time.Duration {
	switch a := Classify(code(err)); a.Class {
	case Backoff:
		return Delay(refused)
	case Fixed:
		return a.Wait
	default:
		return 0
	}
}

// code is the code of err; -1, which no code is, when it has none.
func code(err error) int {
	if c, ok := errors.AsType[Coder](err); ok {
		return c.ErrorCode()
	}
	return -1
}
