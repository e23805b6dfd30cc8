package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrUnknown is returned by writes to an object that does not exist. The API answers it like a forbidden one.
var ErrUnknown = errors.New("no such object")

// ErrExists is returned when an object with the given id exists already.
var ErrExists = errors.New("the id is taken")

// Options of a Service.
type Options struct {
	Clock  clock.Clock // required
	Sealer Sealer      // required
	Pepper []byte      // required: at least 16 secret bytes; another pepper makes every stored token unknown
	Rounds int         // of password hashes; 0 means 600,000
	Rand   io.Reader   // of ids, secrets and tokens; nil means crypto/rand
}

// Service knows apps, actors and tokens. All methods are safe for concurrent use. Objects it hands out are shared and must
// not be changed.
type Service struct {
	store  Store
	clock  clock.Clock
	sealer Sealer
	rand   io.Reader
	keys   *keys

	rounds int
	codes  codes
	logins logins

	guesses guesses

	snap atomic.Pointer[snapshot]
	mu   sync.Mutex // held over every write, store included
}

// snapshot is never changed once it is published.
type snapshot struct {
	apps   map[wa.AppID]*App
	system map[wa.SystemUserID]*SystemUser
	people map[string]*Person
	tokens map[[32]byte]*Token

	invitations map[string]*Invitation
	sessions    map[[32]byte]*Session
}

// New loads everything from the store.
func New(ctx context.Context, store Store, o Options) (*Service, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Rounds == 0 {
		o.Rounds = passwordRounds
	}
	k, err := newKeys(o.Pepper)
	if err != nil {
		return nil, err
	}
	set, err := store.LoadAccess(ctx)
	if err != nil {
		return nil, fmt.Errorf("load apps, users and tokens: %w", err)
	}
	s := &Service{store: store, clock: o.Clock, sealer: o.Sealer, rand: o.Rand, keys: k, rounds: o.Rounds, logins: logins{wrong: map[string]*attempts{}, busy: make(chan struct{}, 1)}}
	empty := &snapshot{}
	s.snap.Store(empty.with(set))
	return s, nil
}

func (s *snapshot) with(set *Set) *snapshot {
	n := *s
	n.apps = merged(s.apps, set.Apps, func(a *App) wa.AppID { return a.ID })
	n.system = merged(s.system, set.SystemUsers, func(u *SystemUser) wa.SystemUserID { return u.ID })
	n.people = merged(s.people, set.People, func(p *Person) string { return p.ID })
	for _, t := range set.Tokens {
		if t.used == nil {
			t.used = &use{}
		}
	}
	n.tokens = merged(s.tokens, set.Tokens, func(t *Token) [32]byte { return t.Hash })
	n.invitations = merged(s.invitations, set.Invitations, func(i *Invitation) string { return i.ID })
	n.sessions = merged(s.sessions, set.Sessions, func(x *Session) [32]byte { return x.Hash })
	for _, x := range set.Sessions {
		if x.Ended {
			delete(n.sessions, x.Hash)
		}
	}
	return &n
}

func merged[K comparable, V any](m map[K]V, add []V, key func(V) K) map[K]V {
	if len(add) == 0 {
		return m
	}
	c := make(map[K]V, len(m)+len(add))
	maps.Copy(c, m)
	for _, v := range add {
		c[key(v)] = v
	}
	return c
}

// commit makes set durable, then visible. The caller holds mu. The request that caused the change may go away at any
// time; that must not leave store and memory apart, so its cancellation does not reach the store.
func (s *Service) commit(ctx context.Context, set *Set) error {
	if err := s.store.SaveAccess(context.WithoutCancel(ctx), set); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	s.snap.Store(s.snap.Load().with(set))
	return nil
}

// App finds an app by id. Removed ones are not found.
func (s *Service) App(id wa.AppID) (*App, bool) {
	a, ok := s.snap.Load().apps[id]
	if !ok || !a.Removed.IsZero() {
		return nil, false
	}
	return a, true
}

// Signer finds an app by id, a removed one too: what happened before its end is still signed with its secret.
func (s *Service) Signer(id wa.AppID) (*App, bool) {
	a, ok := s.snap.Load().apps[id]
	return a, ok
}

// Apps returns all apps by id, without those that were removed.
func (s *Service) Apps() []*App {
	all := slices.SortedFunc(maps.Values(s.snap.Load().apps), func(a, b *App) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return slices.DeleteFunc(all, func(a *App) bool { return !a.Removed.IsZero() })
}

// SystemUser finds a system user by id.
func (s *Service) SystemUser(id wa.SystemUserID) (*SystemUser, bool) {
	u, ok := s.snap.Load().system[id]
	return u, ok
}

// SystemUsers returns the system users of a portfolio, oldest first.
func (s *Service) SystemUsers(b wa.BusinessID) []*SystemUser {
	var out []*SystemUser
	for _, u := range s.snap.Load().system {
		if u.Business == b {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *SystemUser) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return out
}

// Person finds a person by id.
func (s *Service) Person(id string) (*Person, bool) {
	p, ok := s.snap.Load().people[id]
	return p, ok
}

// People returns all people by id.
func (s *Service) People() []*Person {
	return slices.SortedFunc(maps.Values(s.snap.Load().people), func(a, b *Person) int { return strings.Compare(a.ID, b.ID) })
}

// Tokens returns what is known of the tokens that match, in no order. It looks at every token: not for hot paths.
func (s *Service) Tokens(match func(*Token) bool) []*Token {
	var out []*Token
	for _, t := range s.snap.Load().tokens {
		if match(t) {
			out = append(out, t)
		}
	}
	return out
}
