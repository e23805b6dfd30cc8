package access_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/clock"
)

type sessionKey [32]byte

// memory is a Store in memory that can be told to fail.
type memory struct {
	mu   sync.Mutex
	set  map[any]any
	fail error
}

func (m *memory) LoadAccess(context.Context) (*access.Set, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var s access.Set
	for _, v := range m.set {
		switch v := v.(type) {
		case access.App:
			s.Apps = append(s.Apps, &v)
		case access.SystemUser:
			s.SystemUsers = append(s.SystemUsers, &v)
		case access.Person:
			s.People = append(s.People, &v)
		case access.Token:
			s.Tokens = append(s.Tokens, &v)
		case access.Session:
			s.Sessions = append(s.Sessions, &v)
		}
	}
	return &s, m.fail
}

func (m *memory) SaveAccess(ctx context.Context, s *access.Set) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.fail, ctx.Err()); err != nil {
		return err
	}
	if m.set == nil {
		m.set = map[any]any{}
	}
	for _, v := range s.Apps {
		m.set[v.ID] = *v
	}
	for _, v := range s.SystemUsers {
		m.set[v.ID] = *v
	}
	for _, v := range s.People {
		m.set[v.ID] = *v
	}
	for _, v := range s.Tokens {
		m.set[v.Hash] = *v
	}
	for _, v := range s.Sessions {
		m.set[sessionKey(v.Hash)] = *v
		if v.Ended {
			delete(m.set, sessionKey(v.Hash))
		}
	}
	return nil
}

// sealer is no encryption, but it hides the text and notices a wrong ad.
type sealer struct{}

var errSeal = errors.New("sealed elsewhere")

func (sealer) Seal(ad, plain []byte) ([]byte, error) {
	sum := sha256.Sum256(ad)
	out := bytes.Clone(sum[:])
	for i, b := range plain {
		out = append(out, b^sum[i%32]^0x5a)
	}
	return out, nil
}

func (sealer) Open(ad, sealed []byte) ([]byte, error) {
	sum := sha256.Sum256(ad)
	if len(sealed) < 32 || !bytes.Equal(sealed[:32], sum[:]) {
		return nil, errSeal
	}
	var out []byte
	for i, b := range sealed[32:] {
		out = append(out, b^sum[i%32]^0x5a)
	}
	return out, nil
}

// at is a clock that stands where the test puts it.
type at struct {
	clock.Clock
	now time.Time
}

func (a *at) Now() time.Time { return a.now }

const (
	business    = "500600700800900"
	otherOwner  = "500600700800901"
	appSecret   = "0123456789abcdef0123456789abcdef"
	verifyToken = "verify-me-please"
)

// world is a service with one app of the portfolio, an admin and an employee.
type world struct {
	*access.Service
	clock           *at
	store           *memory
	app             *access.App
	admin, employee *access.SystemUser
}

func open(t *testing.T, m *memory) (*access.Service, *at) {
	t.Helper()
	c := &at{now: time.Date(2026, 1, 5, 18, 0, 0, 0, time.UTC)}
	s, err := access.New(t.Context(), m, access.Options{Clock: c, Sealer: sealer{}, Pepper: bytes.Repeat([]byte{7}, 32), Rounds: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{store: &memory{}}
	w.Service, w.clock = open(t, w.store)
	var err error
	w.app, err = w.CreateApp(t.Context(), access.NewApp{
		ID: "440330220110550", Name: "Aozora Messaging", Business: business, Secret: appSecret, VerifyToken: verifyToken,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.admin, err = w.CreateSystemUser(t.Context(), access.SystemUser{Business: business, Name: "admin", Role: access.Admin})
	if err != nil {
		t.Fatal(err)
	}
	w.employee, err = w.CreateSystemUser(t.Context(), access.SystemUser{
		Business: business, Name: "shop-backend",
		Assigned: []access.Assignment{{WABA: "220", Tasks: []access.Task{access.MessagingTask, access.ManageTemplates}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var both = []access.Scope{access.Management, access.Messaging}

// issue makes a token of a system user and logs in with it.
func (w *world) issue(t *testing.T, u *access.SystemUser, change func(*access.TokenSpec)) (string, *access.Caller) {
	t.Helper()
	spec := access.TokenSpec{Type: access.SystemUserToken, App: w.app.ID, Actor: string(u.ID), Scopes: both}
	if change != nil {
		change(&spec)
	}
	secret, _, err := w.Issue(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Authenticate(t.Context(), secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal(), c
}
