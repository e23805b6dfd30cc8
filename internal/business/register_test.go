package business_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

type randomBytes struct{}

func (randomBytes) Read(p []byte) (int, error) { return rand.Read(p) }

func TestRegister(t *testing.T) {
	t.Parallel()
	s, c, m, test := starter(t)
	ctx := t.Context()
	n := pending(t, s, test, "815055550142")
	if n.Registered || n.Platform != business.NotApplicable || n.Level != business.LevelNotAvailable {
		t.Fatalf("a new number is %+v", *n)
	}
	for _, pin := range []string{"", "12345", "1234567", "12345a", "１２３４５６"} {
		if _, err := s.Register(ctx, n.ID, business.Registration{PIN: pin}); !errors.Is(err, wa.ErrPINFormat) {
			t.Errorf("PIN %q: %v", pin, err)
		}
	}
	n, err := s.Register(ctx, n.ID, business.Registration{PIN: "482913"})
	if err != nil {
		t.Fatal(err)
	}
	if !n.Registered || n.Status != business.NumberConnected || n.Platform != business.CloudAPI || !n.PIN.Enabled() ||
		n.Level != business.Standard || !n.LastOnboarded.Equal(c.now) {
		t.Errorf("after registering: %+v", *n)
	}
	if _, err = s.Register(ctx, n.ID, business.Registration{PIN: "000000"}); !errors.Is(err, wa.ErrPINMismatch) {
		t.Errorf("other PIN: %v", err)
	}
	if _, err = s.Register(ctx, n.ID, business.Registration{PIN: "482913"}); !errors.Is(err, wa.ErrPINTooFast) {
		t.Errorf("guess within a second of a wrong one: %v", err)
	}
	c.now = c.now.Add(time.Second)
	restarted, _ := open(t, m)
	if got, _ := restarted.Number(n.ID); got.PIN.Wrong != 1 {
		t.Error("a wrong guess is forgotten by a restart")
	}
	if _, err = s.UpdateNumber(ctx, n.ID, func(n *business.Number) error {
		n.NewName, n.NewNameStatus = "Aozora Tea", business.NameApproved
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n, err = s.Register(ctx, n.ID, business.Registration{PIN: "482913"}); err != nil || n.VerifiedName != "Aozora Tea" || n.NewName != "" {
		t.Errorf("registering again puts the approved name into force: %v %+v", err, n)
	}
	if n, err = s.Deregister(ctx, n.ID); err != nil || n.Registered || n.Status != business.NumberDisconnected || !n.PIN.Enabled() {
		t.Errorf("deregister: %v %+v", err, n)
	}
	if _, err = s.Deregister(ctx, n.ID); !errors.Is(err, wa.ErrNotRegistered) {
		t.Errorf("deregister twice: %v", err)
	}
	if n, err = s.SetPIN(ctx, n.ID, "222222"); err != nil || !n.PIN.Enabled() {
		t.Error(err)
	}
	if _, err = s.Register(ctx, n.ID, business.Registration{PIN: "222222"}); err != nil {
		t.Errorf("with the replaced PIN: %v", err)
	}
}

func TestRegisterRefusals(t *testing.T) {
	t.Parallel()
	s, _, m, n := starter(t)
	for _, c := range []struct {
		name   string
		change func(*business.Number)
		want   error
	}{
		{"not verified: 133006", func(n *business.Number) { n.CodeVerification = business.CodeNotVerified }, wa.ErrReverify},
		{"verification expired: 133006", func(n *business.Number) { n.CodeVerification = business.CodeExpired }, wa.ErrReverify},
		{"deleted: 33", func(n *business.Number) { n.Status = business.NumberDeleted }, wa.ErrNumberDeleted},
		{"coexistence: 136025", func(n *business.Number) { n.OnBizApp = true }, wa.ErrRegisterCoexistence},
	} {
		if _, err := s.UpdateNumber(t.Context(), n.ID, func(x *business.Number) error {
			id := x.ID
			*x = *n
			x.ID = id
			c.change(x)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Register(t.Context(), n.ID, business.Registration{PIN: "123456"}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	saves := m.saves
	if _, err := s.Deregister(t.Context(), n.ID); !errors.Is(err, wa.ErrDeregisterCoexistence) {
		t.Errorf("coexistence: %v", err)
	}
	if m.saves != saves {
		t.Error("a refused call was counted")
	}
}

// Source: spec/errors.md section 21, E22; spec/limits.md section 7.
func TestTenRegistrationsIn72Hours(t *testing.T) {
	t.Parallel()
	s, c, m, n := starter(t)
	ctx := t.Context()
	for i := range 10 {
		if _, err := s.Register(ctx, n.ID, business.Registration{PIN: "123456"}); err != nil {
			t.Fatalf("call %d: %v", i+1, err)
		}
		c.now = c.now.Add(time.Hour)
	}
	_, err := s.Register(ctx, n.ID, business.Registration{PIN: "123456"})
	if !errors.Is(err, wa.ErrRegisterRate) {
		t.Fatalf("11th call: %v", err)
	}
	blocked := c.now
	c.now = blocked.Add(71 * time.Hour)
	restarted, rc := open(t, m)
	rc.now = c.now
	var row *wa.Error
	if _, err = restarted.Register(ctx, n.ID, business.Registration{PIN: "123456"}); !errors.As(err, &row) || row.Code != 133016 || row.RetryIn != 3600 {
		t.Errorf("71 hours into the block, after a restart: %v", err)
	}
	c.now = blocked.Add(72 * time.Hour)
	if _, err = s.Register(ctx, n.ID, business.Registration{PIN: "123456"}); err != nil {
		t.Errorf("after the block: %v", err)
	}
	for i := range 10 {
		if _, err = s.Deregister(ctx, n.ID); err != nil && !errors.Is(err, wa.ErrNotRegistered) {
			t.Fatalf("deregister %d has a budget of its own: %v", i+1, err)
		}
	}
	if _, err = s.Deregister(ctx, n.ID); !errors.Is(err, wa.ErrRegisterRate) {
		t.Errorf("11th deregister: %v", err)
	}
}

func TestRegistrationsAMovingWindow(t *testing.T) {
	t.Parallel()
	s, c, _, n := starter(t)
	for i := range 30 {
		if _, err := s.Register(t.Context(), n.ID, business.Registration{PIN: "123456"}); err != nil {
			t.Fatalf("call %d, one every 8 hours: %v", i+1, err)
		}
		c.now = c.now.Add(8 * time.Hour)
	}
}

// Ten wrong PINs use up the budget of calls as well; until the lock ends it is the lock that answers. Source: spec/security.md SC11.
func TestTenWrongPINsInARow(t *testing.T) {
	t.Parallel()
	s, c, _, n := starter(t)
	if _, err := s.SetPIN(t.Context(), n.ID, "123456"); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		want, pin := wa.ErrPINMismatch, fmt.Sprintf("%06d", i)
		switch i {
		case 10:
			want, pin = wa.ErrPINGuesses, "123456"
		case 11:
			want, pin = wa.ErrRegisterRate, "123456"
			c.now = c.now.Add(12 * time.Hour)
		}
		if _, err := s.Register(t.Context(), n.ID, business.Registration{PIN: pin}); !errors.Is(err, want) {
			t.Errorf("call %d: %v", i+1, err)
		}
		c.now = c.now.Add(2 * time.Second)
	}
}

func TestTenWrongPINsLock(t *testing.T) {
	t.Parallel()
	s, c, _, n := starter(t)
	ctx := t.Context()
	if _, err := s.Register(ctx, n.ID, business.Registration{PIN: "123456"}); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		c.now = c.now.Add(73 * time.Hour / 9) // stay within the budget of calls
		if _, err := s.Register(ctx, n.ID, business.Registration{PIN: fmt.Sprintf("%06d", i)}); !errors.Is(err, wa.ErrPINMismatch) {
			t.Fatalf("guess %d: %v", i+1, err)
		}
	}
	c.now = c.now.Add(12*time.Hour - time.Second)
	if _, err := s.Register(ctx, n.ID, business.Registration{PIN: "123456"}); !errors.Is(err, wa.ErrPINGuesses) {
		t.Errorf("locked: %v", err)
	}
	c.now = c.now.Add(time.Second)
	if _, err := s.Register(ctx, n.ID, business.Registration{PIN: "123456"}); err != nil {
		t.Errorf("after 12 hours: %v", err)
	}
}
