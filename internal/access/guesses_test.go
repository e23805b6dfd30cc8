package access_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Source: spec/security.md S22.
func TestManyWrongTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, _ := w.issue(t, w.admin, nil)
	try := func(addr, token string) error {
		_, err := w.AuthenticateFrom(t.Context(), addr, token)
		return err
	}
	for i := range 100 {
		if err := try("192.0.2.1:1000", "nonsense"); !errors.Is(err, wa.ErrToken) {
			t.Fatalf("token %d: %v", i, err)
		}
		if err := try("[2001:db8::1]:1000", "nonsense"); !errors.Is(err, wa.ErrToken) {
			t.Fatalf("token %d of a network: %v", i, err)
		}
	}
	for _, c := range []struct {
		name, addr, token string
		want              error
	}{
		{"one more", "192.0.2.1:1001", "nonsense", wa.ErrTooManyTokens},
		{"a wrong secret of an app", "192.0.2.1:1001", "440330220110559|" + appSecret, wa.ErrTooManyTokens},
		{"no token", "192.0.2.1:1001", "", wa.ErrTokenRequired},
		{"a good one of the same address", "192.0.2.1:1001", token, nil},
		{"another address", "192.0.2.2:1000", "nonsense", wa.ErrToken},
		{"a neighbour in the same IPv6 network", "[2001:db8::2]:1000", "nonsense", wa.ErrTooManyTokens},
		{"another network", "[2001:db8:0:1::1]:1000", "nonsense", wa.ErrToken},
	} {
		if err := try(c.addr, c.token); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	w.clock.now = w.clock.now.Add(time.Minute)
	if err := try("192.0.2.1:1000", "nonsense"); !errors.Is(err, wa.ErrToken) {
		t.Errorf("a minute later: %v", err)
	}
}
