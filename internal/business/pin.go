package business

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Six digits hold 20 bits: no hash makes them safe against someone who has the table. The cost only keeps a casual look
// into a backup from being enough; the guess limits below are what protects the number.
const (
	pinIterations = 10_000 // about 2 ms, spent while other writes wait
	pinSaltBytes  = 16
)

// Limits of guesses, ours: the published numbers are undisclosed. Source: spec/limits.md section 7.
const (
	maxWrongPINs = 10
	pinLock      = 12 * time.Hour
	pinPause     = time.Second
)

// Enabled reports is_pin_enabled.
func (p PIN) Enabled() bool { return len(p.Hash) > 0 }

// ValidPIN reports whether pin is exactly six ASCII digits.
func ValidPIN(pin string) bool {
	if len(pin) != 6 {
		return false
	}
	for i := range len(pin) {
		if pin[i] < '0' || pin[i] > '9' {
			return false
		}
	}
	return true
}

func hashPIN(pin string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, pin, salt, pinIterations, sha256.Size)
}

// newPIN makes the stored form of pin.
func newPIN(rand io.Reader, pin string) (PIN, error) {
	salt := make([]byte, pinSaltBytes)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return PIN{}, fmt.Errorf("draw a salt: %w", err)
	}
	h, err := hashPIN(pin, salt)
	if err != nil {
		return PIN{}, fmt.Errorf("hash a PIN: %w", err)
	}
	return PIN{Salt: salt, Hash: h}, nil
}

// locked says for how long no PIN counts, not even the right one, after too many wrong ones: [wa.ErrPINGuesses].
func (p PIN) locked(now time.Time) error {
	wait := p.Locked.Sub(now)
	if wait <= 0 {
		return nil
	}
	return wa.ErrPINGuesses.Withf("Too many wrong PINs. Try again in %d seconds.", int(wait.Seconds()+0.5)).Retry(wait.Seconds())
}

// guess checks pin and returns the state afterwards, which must be stored whatever the error. Errors:
// [wa.ErrPINGuesses] while locked, [wa.ErrPINTooFast] within a second of a wrong guess, [wa.ErrPINMismatch].
func (p PIN) guess(pin string, now time.Time) (PIN, error) {
	if err := p.locked(now); err != nil {
		return p, err
	}
	if p.Wrong > 0 && now.Before(p.Last.Add(pinPause)) {
		return p, wa.ErrPINTooFast.With("Try again in 1 second.").Retry(pinPause.Seconds())
	}
	h, err := hashPIN(pin, p.Salt)
	if err != nil {
		return p, fmt.Errorf("hash a PIN: %w", err)
	}
	if subtle.ConstantTimeCompare(h, p.Hash) == 1 {
		p.Wrong, p.Last, p.Locked = 0, time.Time{}, time.Time{}
		return p, nil
	}
	p.Wrong++
	p.Last = now
	if p.Wrong >= maxWrongPINs {
		p.Wrong = 0
		p.Locked = now.Add(pinLock)
	}
	return p, wa.ErrPINMismatch.With("The PIN does not match the one set for this phone number.")
}
