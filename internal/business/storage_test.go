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
	at := func(d time.Duration) int64 { return c.now.Add(d).UnixMilli() }
	none := business.Storage{None: true}

	set(none, "has not granted it")
	grant(true)
	n := set(none, "")
	if n.Brief(at(-time.Millisecond)) || !n.Brief(at(0)) || !n.Brief(at(24*time.Hour)) {
		t.Error("content lives for an hour from now on, and that of before does not")
	}
	if _, err := s.Register(ctx, id, business.Registration{PIN: "482913"}); err != nil {
		t.Fatal(err)
	}
	grant(false) // is for the next time
	set(none, "")
	set(business.Storage{}, "while the phone number is not registered")
	c.now = c.now.Add(time.Minute)
	n, err := s.Deregister(ctx, id)
	if err != nil || n.NoStorage() {
		t.Fatalf("deregistered: %v, %+v", err, n)
	}
	if !n.Brief(at(-time.Second)) || n.Brief(at(0)) {
		t.Error("what is under way stays what it was, and nothing else")
	}
	restarted, _ := open(t, m)
	if n, _ := restarted.Number(id); n.NoStorage() || !n.Brief(at(-time.Second)) {
		t.Error("a restart forgets it")
	}
	set(none, "has not granted it")
	grant(true)
	c.now = c.now.Add(time.Minute)
	if n = set(none, ""); !n.Brief(at(-90 * time.Second)) {
		t.Error("switched on again at once, what is under way has a storage")
	}
	set(business.Storage{}, "")
	c.now = c.now.Add(24 * time.Hour)
	if n = set(none, ""); n.Brief(at(-24*time.Hour)) || !n.Brief(at(0)) {
		t.Error("switched on again a day later, old content is not of before")
	}
	if n.Region != "" {
		t.Error("it is kept somewhere")
	}
}
