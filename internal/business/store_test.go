package business_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// memory is a Store in memory that can be told to fail.
type memory struct {
	mu    sync.Mutex
	set   map[string]any
	saves int

	activities []*business.Activity
	fail       error
}

func (m *memory) LoadBusiness(context.Context) (*business.Set, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	var s business.Set
	for _, v := range m.set {
		switch v := v.(type) {
		case business.Portfolio:
			s.Portfolios = append(s.Portfolios, &v)
		case business.WABA:
			s.WABAs = append(s.WABAs, &v)
		case business.Number:
			s.Numbers = append(s.Numbers, &v)
		case business.QRCode:
			s.QRCodes = append(s.QRCodes, &v)
		case business.Preverified:
			s.Preverified = append(s.Preverified, &v)
		case business.Solution:
			s.Solutions = append(s.Solutions, &v)
		case business.Intent:
			s.Intents = append(s.Intents, &v)
		case business.Certification:
			s.Certifications = append(s.Certifications, &v)
		case business.Budget:
			s.Budgets = append(s.Budgets, &v)
		case business.Notice:
			s.Notices = append(s.Notices, &v)
		}
	}
	return &s, nil
}

func (m *memory) Activities(_ context.Context, q business.ActivityQuery) (out []*business.Activity, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range slices.Backward(m.activities) {
		if a.WABA == q.WABA && (q.Limit == 0 || len(out) < q.Limit) {
			out = append(out, a)
		}
	}
	return out, nil
}

func (m *memory) SaveBusiness(ctx context.Context, s *business.Set) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.fail, ctx.Err()); err != nil {
		return err
	}
	if m.set == nil {
		m.set = map[string]any{}
	}
	m.saves++
	for _, p := range s.Portfolios {
		m.set["p"+string(p.ID)] = *p
	}
	for _, w := range s.WABAs {
		m.set["w"+string(w.ID)] = *w
	}
	for _, n := range s.Numbers {
		m.set["n"+string(n.ID)] = *n
	}
	for _, q := range s.QRCodes {
		m.set["q"+q.Code] = *q
		if q.Deleted {
			delete(m.set, "q"+q.Code)
		}
	}
	for _, p := range s.Preverified {
		m.set["v"+p.ID] = *p
	}
	for _, x := range s.Solutions {
		m.set["s"+x.ID] = *x
		if x.Gone {
			delete(m.set, "s"+x.ID)
		}
	}
	for _, i := range s.Intents {
		m.set["i"+i.ID] = *i
		if i.Gone {
			delete(m.set, "i"+i.ID)
		}
	}
	for _, x := range s.Certifications {
		m.set["c"+x.ID] = *x
		if x.Gone {
			delete(m.set, "c"+x.ID)
		}
	}
	for _, b := range s.Budgets {
		m.set["b"+string(b.WaID)] = *b
		if b.Gone {
			delete(m.set, "b"+string(b.WaID))
		}
	}
	for _, n := range s.Notices {
		m.set["o"+n.ID] = *n
	}
	for _, id := range s.Delivered {
		delete(m.set, "o"+id)
	}
	m.activities = append(m.activities, s.Activities...)
	return nil
}

// at is a clock that stands where the test puts it.
type at struct {
	clock.Clock
	now time.Time
}

func (a *at) Now() time.Time { return a.now }

func open(t *testing.T, m *memory) (*business.Service, *at) {
	t.Helper()
	c := &at{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	s, err := business.New(t.Context(), m, business.Options{Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// starter opens a service with its test resources.
func starter(t *testing.T) (*business.Service, *at, *memory, *business.Number) {
	t.Helper()
	m := &memory{}
	s, c := open(t, m)
	_, _, n, err := s.CreateStarter(t.Context(), business.Starter{})
	if err != nil {
		t.Fatal(err)
	}
	return s, c, m, n
}

// pending adds a verified but unregistered number to the account of n.
func pending(t *testing.T, s *business.Service, n *business.Number, digits wa.WaID) *business.Number {
	t.Helper()
	x, err := s.CreateNumber(t.Context(), business.Number{
		WABA: n.WABA, WaID: digits, VerifiedName: "Aozora Store", CodeVerification: business.CodeVerified,
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A number that moved away before the time of that was noted ends with the next start, and not anew with every one.
func TestNumbersWithoutEnd(t *testing.T) {
	t.Parallel()
	s, c, m, _ := office(t, nil)
	ids := map[business.NumberStatus]wa.PhoneNumberID{}
	for status, digits := range map[business.NumberStatus]wa.WaID{
		business.NumberMigrated: "815055550142", business.NumberDeleted: "815055550143", business.NumberConnected: "815055550144",
	} {
		n, err := s.AddNumber(t.Context(), business.NewNumber{WABA: "11", WaID: digits, Name: "Aozora"})
		if err != nil {
			t.Fatal(err)
		}
		ids[status] = n.ID
		if _, err = s.UpdateNumber(t.Context(), n.ID, func(n *business.Number) error {
			n.Status, n.Registered = status, false
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	noted := c.now.Add(time.Hour)
	for range 2 {
		c.now = c.now.Add(time.Hour)
		s, err := business.New(t.Context(), m, business.Options{Clock: c})
		if err != nil {
			t.Fatal(err)
		}
		if list := s.Buried(noted); len(list) != 0 {
			t.Errorf("ended before it was noted: %v", list)
		}
		if list := s.Buried(noted.Add(time.Second)); len(list) != 2 || slices.Contains(list, ids[business.NumberConnected]) {
			t.Errorf("ended: %v of %v", list, ids)
		}
	}
}
