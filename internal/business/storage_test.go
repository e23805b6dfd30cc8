package business_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
)

// Source: spec/security.md section A5, spec/phone_numbers.md sections 4.5 and 9.
func TestNumbersWithoutStorage(t *testing.T) {
	t.Parallel()
	s, c, m, test := starter(t)
	ctx := t.Context()
	id := pending(t, s, test, "815055550142").ID
	set := func(want business.Storage, refused string) *business.Number {
		t.Helper()
		n, err := s.ChangeSettings(ctx, id, business.SettingsChange{Storage: &want})
		switch {
		case refused == "" && (err != nil || n.NoStorage() != want.None):
			t.Fatalf("%+v: %v", want, err)
		case refused != "" && (err == nil || !strings.Contains(err.Error(), refused)):
			t.Fatalf("%+v: %v, want %q", want, err, refused)
		}
		return n
	}
	grant := func(on bool) {
		t.Helper()
		if _, err := s.UpdateNumber(ctx, id, func(n *business.Number) error { n.NoStorageGranted = on; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	none := business.Storage{None: true}

	set(none, "has not granted it")
	grant(true)
	set(none, "")
	grant(false) // before it was used: there is no number that has it
	set(none, "has not granted it")
	checks := true
	if n, err := s.ChangeSettings(ctx, id, business.SettingsChange{IdentityCheck: &checks}); err != nil || !n.NoStorage() {
		t.Errorf("another setting: %v, %+v", err, n)
	}
	if n, err := s.Register(ctx, id, business.Registration{PIN: "482913"}); err == nil || !strings.Contains(err.Error(), "has not granted it") {
		t.Fatalf("registered with a grant that was withdrawn: %v, %+v", err, n)
	}
	set(business.Storage{}, "")
	grant(true)
	set(none, "")
	if _, err := s.Register(ctx, id, business.Registration{PIN: "482913"}); err != nil {
		t.Fatal(err)
	}
	grant(false) // is for the next time
	set(none, "")
	set(business.Storage{}, "while the phone number is not registered")
	restarted, _ := open(t, m)
	if n, _ := restarted.Number(id); !n.NoStorage() {
		t.Error("a restart forgets it")
	}
	c.now = c.now.Add(time.Minute)
	if n, err := s.Deregister(ctx, id); err != nil || n.NoStorage() {
		t.Fatalf("deregistered: %v, %+v", err, n)
	}
	set(none, "has not granted it")
	grant(true)
	c.now = c.now.Add(time.Minute)
	n := set(none, "")
	if !n.NoStorageFrom.Equal(c.now) {
		t.Errorf("switched on again, it is without storage since %v", n.NoStorageFrom)
	}
	if n.Region != "" {
		t.Error("it is kept somewhere")
	}
}
