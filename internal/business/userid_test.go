package business_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

type portfolios struct{}

func (portfolios) LoadBusiness(context.Context) (*business.Set, error) {
	return &business.Set{WABAs: []*business.WABA{{ID: "1", Owner: "10"}, {ID: "2", Owner: "10"}, {ID: "3", Owner: "11"}}}, nil
}

func (portfolios) SaveBusiness(context.Context, *business.Set) error { return nil }

func (portfolios) Activities(context.Context, business.ActivityQuery) ([]*business.Activity, error) {
	return nil, nil
}

func scoped(t *testing.T, key string) *business.Service {
	t.Helper()
	s, err := business.New(t.Context(), portfolios{}, business.Options{Clock: clock.NewFake(time.Unix(1, 0)), IDKey: []byte(key)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Source: spec/messages.md section 3.2.
func TestBusinessScopedUserIDs(t *testing.T) {
	t.Parallel()
	s, other := scoped(t, "key"), scoped(t, "another key")
	form := regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}$`)
	seen := map[string]bool{}
	for user, country := range map[wa.WaID]string{"15550177788": "US.", "16135550123": "CA.", "819012345678": "JP.", "8816123456789": "ZZ.", "1234567": "US.", "999999999999999": "ZZ."} {
		id := s.UserID("1", user)
		if !form.MatchString(id) || !strings.HasPrefix(id, country) || strings.Contains(id, string(user)) || seen[id] {
			t.Errorf("%s is %s", user, id)
		}
		seen[id] = true
		if got, ok := s.UserOf("2", id); got != user || !ok {
			t.Errorf("the portfolio's other account knows %s as %s", id, got)
		}
		if s.UserID("2", user) != id || s.UserID("3", user) == id {
			t.Error("ids are not those of a portfolio")
		}
		for _, c := range []struct {
			s        *business.Service
			waba, id string
		}{
			{s, "3", id},
			{s, "4", id},
			{other, "1", id},
			{s, "1", "FR" + id[2:]},
			{s, "1", id[:3] + "ENT." + id[3:]},
			{s, "1", id[:len(id)-1]},
			{s, "1", id + "0"},
			{s, "1", id[:3] + strings.Repeat("z", 22)},
			{s, "1", id[:3] + "-" + id[4:]},
			{s, "1", ""},
		} {
			if got, ok := c.s.UserOf(wa.WABAID(c.waba), c.id); ok {
				t.Errorf("%s of account %s is %s", c.id, c.waba, got)
			}
		}
	}
	for _, user := range []wa.WaID{"", "0155", "x", "-5"} {
		if id := s.UserID("1", user); id != "" {
			t.Errorf("%q is %s", user, id)
		}
	}
	if scoped(t, "").UserID("1", "15550177788") != "" {
		t.Error("an id without a key")
	}
}

func BenchmarkUserID(b *testing.B) {
	s, err := business.New(b.Context(), portfolios{}, business.Options{Clock: clock.NewFake(time.Unix(1, 0)), IDKey: []byte("key")})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if s.UserID("1", "15550177788") == "" {
			b.Fatal("no id")
		}
	}
}
