package business

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Limits of ownership codes; the published numbers are undisclosed. Source: spec/limits.md section 7, spec/phone_numbers.md
// section 4.2.
const (
	codeLife      = 10 * time.Minute
	codePause     = time.Minute // between two requests
	codeWindow    = 72 * time.Hour
	codesInWindow = 10
	codeWait      = 12 * time.Hour // after too many requests or guesses
	maxWrongCodes = 5
	codeSaltBytes = 16
)

// CodeMethod is how a code reaches the holder of a number.
type CodeMethod string

// The ways of a code.
const (
	BySMS   CodeMethod = "SMS"
	ByVoice CodeMethod = "VOICE"
)

// Courier brings codes to whoever holds a number.
type Courier interface {
	// SendCode returns when the code is handed over.
	SendCode(ctx context.Context, to wa.WaID, code string, method CodeMethod, locale string) error
	// ChooseCode is the code of a number that has a fixed one.
	ChooseCode(to wa.WaID) (code string, ok bool)
}

// ErrNoCourier says that this server has no way to send codes.
var ErrNoCourier = errors.New("no way to send verification codes is configured")

// Ownership is the proof of ownership in progress: the last code, hashed, and the attempts so far.
type Ownership struct {
	Salt    []byte // nil: no code is outstanding
	Hash    []byte
	Expires time.Time
	Wrong   int // wrong codes since the last request
}

// Budget counts what was tried with the digits of a number, whoever tried: a record that can be deleted and made again must
// not start afresh.
type Budget struct {
	WaID     wa.WaID
	Requests []time.Time // within the last 72 hours, oldest first
	Blocked  time.Time   // neither requests nor guesses before this instant; zero when not
	Gone     bool        // on its way out of the store
}

// spent reports whether nothing of the budget is used any more.
func (b *Budget) spent(now time.Time) bool {
	n := len(b.Requests)
	return !now.Before(b.Blocked) && (n == 0 || now.Sub(b.Requests[n-1]) >= codeWindow)
}

// budget is a copy that goes into the write in progress. The caller holds mu.
func (s *Service) budget(id wa.WaID) *Budget {
	for _, b := range s.draft.Budgets {
		if b.WaID == id {
			return b
		}
	}
	b := &Budget{WaID: id}
	if old, ok := s.snap.Load().budgets[id]; ok {
		*b = *old
	}
	s.draft.Budgets = append(s.draft.Budgets, b)
	return b
}

// LogValue implements slog.LogValuer.
func (Ownership) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String implements fmt.Stringer, so that no format verb prints the hash.
func (Ownership) String() string { return "[redacted]" }

// GoString implements fmt.GoStringer.
func (Ownership) GoString() string { return "[redacted]" }

// RequestCode sends an ownership code to the number. A number that is verified needs none. Errors, in this order:
// [ErrUnknown], [wa.ErrNumberDeleted], [wa.ErrRequestCode] when no code is needed, [wa.ErrRequestCodeLater] within a minute of the
// last one, after ten in 72 hours and after too many wrong codes, [ErrNoCourier]. Source: spec/phone_numbers.md section 4.2.
func (s *Service) RequestCode(ctx context.Context, id wa.PhoneNumberID, method CodeMethod, locale string) error {
	var to wa.WaID
	var code string
	_, err := s.attempt(ctx, id, func(n *Number, now time.Time) (err error) {
		switch {
		case !n.Live():
			return refuse(wa.ErrNumberDeleted)
		case n.CodeVerification == CodeVerified:
			return refuse(wa.ErrRequestCode)
		case s.courier == nil:
			return refuse(ErrNoCourier)
		}
		if err := s.budget(n.WaID).take(now); err != nil {
			return err
		}
		if code, err = s.drawCode(n.WaID); err != nil {
			return refuse(err)
		}
		salt := make([]byte, codeSaltBytes)
		if _, err := io.ReadFull(s.rand, salt); err != nil {
			return refuse(fmt.Errorf("draw a salt: %w", err))
		}
		n.Ownership.Salt, n.Ownership.Hash = salt, hashCode(salt, code)
		n.Ownership.Expires, n.Ownership.Wrong = now.Add(codeLife), 0
		to = n.WaID
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.courier.SendCode(ctx, to, code, method, locale); err != nil {
		return wa.ErrServerUnavailable.With("The code could not be sent. Try again later.").Because(err)
	}
	return nil
}

// take counts a request. The first one that is too many starts the block.
func (b *Budget) take(now time.Time) error {
	later := func(until time.Time) error { return wa.ErrRequestCodeLater.Retry(until.Sub(now).Seconds()) }
	if now.Before(b.Blocked) {
		return refuse(later(b.Blocked))
	}
	var recent []time.Time
	for _, t := range b.Requests {
		if now.Sub(t) < codeWindow {
			recent = append(recent, t)
		}
	}
	if n := len(recent); n > 0 && now.Before(recent[n-1].Add(codePause)) {
		return refuse(later(recent[n-1].Add(codePause)))
	}
	if len(recent) >= codesInWindow {
		b.Blocked = now.Add(codeWait)
		return later(b.Blocked)
	}
	b.Requests = append(recent, now)
	return nil
}

func (s *Service) drawCode(to wa.WaID) (string, error) {
	if s.courier != nil {
		if code, ok := s.courier.ChooseCode(to); ok {
			return code, nil
		}
	}
	v, err := rand.Int(s.rand, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("draw a code: %w", err)
	}
	return fmt.Sprintf("%06d", v), nil
}

// A code lives for ten minutes and five guesses: a slow hash would protect nothing more.
func hashCode(salt []byte, code string) []byte {
	m := hmac.New(sha256.New, salt)
	m.Write([]byte(code))
	return m.Sum(nil)
}

// VerifyCode takes the code that was sent. Wrong guesses are durable before the answer. Errors, in this order: [ErrUnknown],
// [wa.ErrNumberDeleted], [wa.ErrCodeFormat], [wa.ErrVerifyCode] for a wrong, expired or never requested code. Source:
// spec/phone_numbers.md section 4.3.
func (s *Service) VerifyCode(ctx context.Context, id wa.PhoneNumberID, code string) (*Number, error) {
	return s.attempt(ctx, id, func(n *Number, now time.Time) error {
		if !n.Live() {
			return refuse(wa.ErrNumberDeleted)
		}
		if err := n.Ownership.guess(code, s.budget(n.WaID), now); err != nil {
			return err
		}
		n.CodeVerification, n.CodeVerifiedAt = CodeVerified, now
		s.owe(s.notice(n.WABA, FieldAccount, accountValue{Event: "VERIFIED_ACCOUNT", Phone: digitsOf(n)}))
		s.record(&Activity{WABA: n.WABA, Type: ActNumberVerified, Object: string(n.ID), Text: "Phone number verified"})
		return nil
	})
}
