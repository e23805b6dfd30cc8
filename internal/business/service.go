package business

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

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
	Rand   io.Reader   // of ids and salts; nil means crypto/rand
	Sealer Sealer      // of private keys; nil: no payload encryption
	Region string      // the country that this server keeps its data in, ISO 3166 alpha-2; empty: it was not told
	IDKey  []byte      // secret that business-scoped user ids are made with; nil for none. It must never change

	// Paid reports whether the number sent messages that cost something since then; nil: none did.
	Paid func(ctx context.Context, n *Number, since time.Time) (bool, error)

	Courier Courier                                      // of ownership codes; nil: none can be requested
	Teller  Teller                                       // of codes of recipients; nil: none can be asked for
	People  func(context.Context, wa.WaID) (bool, error) // whether a person uses these digits; nil: nobody knows
	Review  time.Duration                                // from a request to its automatic decision; 0 decides at once
	Manual  bool                                         // reviews wait for people
	Log     *slog.Logger                                 // nil: none
}

// Service is the registry of portfolios, accounts and numbers. All methods are safe for concurrent use.
type Service struct {
	store  Store
	clock  clock.Clock
	rand   io.Reader
	scopes scopes
	sealer Sealer
	region string
	paid   func(context.Context, *Number, time.Time) (bool, error)

	snap atomic.Pointer[snapshot]

	courier Courier
	teller  Teller
	people  func(context.Context, wa.WaID) (bool, error)
	review  time.Duration
	manual  bool
	log     *slog.Logger

	mu        sync.Mutex // held over every write, store included
	hooks     []func(*Number)
	draft     Set       // what the write in progress adds to its own changes
	owed      []*Notice // not handed on yet, oldest first
	noticeSeq uint32

	wake chan struct{}
}

// lock begins a write.
func (s *Service) lock() {
	s.mu.Lock()
	s.draft = Set{}
}

// snapshot is never changed once it is published.
type snapshot struct {
	portfolios map[wa.BusinessID]*Portfolio
	wabas      map[wa.WABAID]*WABA
	numbers    map[wa.PhoneNumberID]*Number
	byWaID     map[wa.WaID]*Number // live numbers only, and not those that wait to replace one
	credit     map[string]creditRef

	qr          map[string]*QRCode
	qrOf        map[wa.PhoneNumberID][]*QRCode // newest first
	preverified map[string]*Preverified
	budgets     map[wa.WaID]*Budget
	solutions   map[string]*Solution
	intents     map[string]*Intent

	certifications map[string]*Certification
}

// New loads everything from the store.
func New(ctx context.Context, store Store, o Options) (*Service, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	set, err := store.LoadBusiness(ctx)
	if err != nil {
		return nil, fmt.Errorf("load portfolios, accounts and numbers: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		store: store, clock: o.Clock, rand: o.Rand, courier: o.Courier, teller: o.Teller, people: o.People, review: o.Review, manual: o.Manual, log: o.Log,
		wake: make(chan struct{}, 1), owed: set.Notices, scopes: scopes{key: o.IDKey}, sealer: o.Sealer, region: o.Region, paid: o.Paid,
	}
	slices.SortFunc(s.owed, func(a, b *Notice) int { return strings.Compare(a.ID, b.ID) })
	for _, n := range s.owed { // under a clock that stands still a start must not give their ids away again
		if seq, err := strconv.ParseUint(n.ID[max(0, len(n.ID)-8):], 16, 32); err == nil {
			s.noticeSeq = max(s.noticeSeq, uint32(seq))
		}
	}
	empty := &snapshot{}
	s.snap.Store(empty.with(set))
	if err := s.date(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// date gives numbers that ended before their end was noted one: now, at the latest. Without it their keys would never be
// destroyed, see [Service.Buried].
func (s *Service) date(ctx context.Context) error {
	set := &Set{}
	for _, n := range s.snap.Load().numbers {
		if !n.Live() && n.Deleted.IsZero() {
			c := n.copy()
			c.Deleted = s.clock.Now()
			set.Numbers = append(set.Numbers, c)
		}
	}
	if len(set.Numbers) == 0 {
		return nil
	}
	s.lock()
	defer s.mu.Unlock()
	return s.commit(ctx, set)
}

// with returns a snapshot that also contains set.
func (s *snapshot) with(set *Set) *snapshot {
	n := *s
	if len(set.Portfolios) > 0 {
		n.portfolios = grown(s.portfolios, len(set.Portfolios))
		for _, p := range set.Portfolios {
			n.portfolios[p.ID] = p
		}
		n.putCredit(s.credit, set.Portfolios)
	}
	if len(set.WABAs) > 0 {
		n.wabas = grown(s.wabas, len(set.WABAs))
		for _, w := range set.WABAs {
			n.wabas[w.ID] = w
		}
	}
	if len(set.Numbers) > 0 {
		n.numbers = grown(s.numbers, len(set.Numbers))
		n.byWaID = grown(s.byWaID, len(set.Numbers))
		for _, x := range set.Numbers {
			n.putNumber(x)
		}
	}
	if len(set.QRCodes) > 0 {
		n.putQRCodes(set.QRCodes)
	}
	if len(set.Preverified) > 0 {
		n.preverified = grown(s.preverified, len(set.Preverified))
		for _, p := range set.Preverified {
			n.preverified[p.ID] = p
			if p.Removed {
				delete(n.preverified, p.ID)
			}
		}
	}
	n.putPartners(set)
	if len(set.Budgets) > 0 {
		n.budgets = grown(s.budgets, len(set.Budgets))
		for _, b := range set.Budgets {
			n.budgets[b.WaID] = b
			if b.Gone {
				delete(n.budgets, b.WaID)
			}
		}
	}
	return &n
}

func (s *snapshot) putNumber(n *Number) {
	if old := s.numbers[n.ID]; old != nil && s.byWaID[old.WaID] == old {
		delete(s.byWaID, old.WaID)
	}
	s.numbers[n.ID] = n
	if n.Live() && n.MigratesFrom == "" {
		s.byWaID[n.WaID] = n
	}
}

func grown[K comparable, V any](m map[K]V, by int) map[K]V {
	c := make(map[K]V, len(m)+by)
	maps.Copy(c, m)
	return c
}

// OnChange calls f with every number that is created or changed, in the order of the changes, before the changing call
// returns. f must return at once and must not write to the service. Numbers that exist already are not reported.
func (s *Service) OnChange(f func(*Number)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, f)
}

// commit makes set durable, then visible. The caller holds mu. The request that caused the change may go away at any
// time; that must not leave store and memory apart, so its cancellation does not reach the store.
func (s *Service) commit(ctx context.Context, set *Set) error {
	set.Numbers = append(set.Numbers, s.draft.Numbers...)
	set.Notices, set.Activities = s.draft.Notices, s.draft.Activities
	set.Budgets = append(set.Budgets, s.draft.Budgets...)
	set.Intents = append(set.Intents, s.draft.Intents...)
	set.Certifications = append(set.Certifications, s.draft.Certifications...)
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		for _, act := range set.Activities {
			act.Actor = a
		}
	}
	if err := s.store.SaveBusiness(context.WithoutCancel(ctx), set); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	s.owed = append(s.owed, set.Notices...)
	defer s.poke()
	s.snap.Store(s.snap.Load().with(set))
	for _, n := range set.Numbers {
		for _, f := range s.hooks {
			f(n)
		}
	}
	return nil
}

// Empty reports whether there is no portfolio: a first start.
func (s *Service) Empty() bool { return len(s.snap.Load().portfolios) == 0 }

// Portfolio finds a portfolio by id. Deleted ones are not found.
func (s *Service) Portfolio(id wa.BusinessID) (*Portfolio, bool) {
	p, ok := s.snap.Load().portfolios[id]
	if !ok || !p.Deleted.IsZero() {
		return nil, false
	}
	return p, true
}

// Gone reports whether a portfolio was deleted.
func (s *Service) Gone(id wa.BusinessID) bool {
	p, ok := s.snap.Load().portfolios[id]
	return ok && !p.Deleted.IsZero()
}

// WABA finds an account by id. Deleted accounts are not found.
func (s *Service) WABA(id wa.WABAID) (*WABA, bool) {
	w, ok := s.snap.Load().wabas[id]
	if !ok || w.Status == WABADeleted {
		return nil, false
	}
	return w, true
}

// Number finds a number by id, deleted and migrated ones too: sends from them are answered with a code of their own.
func (s *Service) Number(id wa.PhoneNumberID) (*Number, bool) {
	n, ok := s.snap.Load().numbers[id]
	return n, ok
}

// NumberByWaID finds the live number with these digits.
func (s *Service) NumberByWaID(id wa.WaID) (*Number, bool) {
	n, ok := s.snap.Load().byWaID[id]
	return n, ok
}

// Portfolios returns all portfolios by id.
func (s *Service) Portfolios() []*Portfolio {
	return sorted(s.snap.Load().portfolios, func(p *Portfolio) bool { return p.Deleted.IsZero() },
		func(a, b *Portfolio) int { return strings.Compare(string(a.ID), string(b.ID)) })
}

// WABAs returns the accounts owned by the portfolio, oldest first.
func (s *Service) WABAs(owner wa.BusinessID) []*WABA {
	return sorted(s.snap.Load().wabas,
		func(w *WABA) bool { return w.Owner == owner && w.Status != WABADeleted }, olderWABA)
}

// ClientWABAs returns the accounts of others that are shared with the portfolio, oldest first.
func (s *Service) ClientWABAs(partner wa.BusinessID) []*WABA {
	return sorted(s.snap.Load().wabas, func(w *WABA) bool {
		return w.Status != WABADeleted && slices.ContainsFunc(w.Shared, func(h Share) bool { return h.Business == partner })
	}, olderWABA)
}

// Numbers returns the account's numbers that are not deleted, oldest first.
func (s *Service) Numbers(w wa.WABAID) []*Number {
	return sorted(s.snap.Load().numbers,
		func(n *Number) bool { return n.WABA == w && n.Status != NumberDeleted }, olderNumber)
}

// AllNumbers returns every live number, oldest first.
func (s *Service) AllNumbers() []*Number {
	return sorted(s.snap.Load().numbers, (*Number).Live, olderNumber)
}

// Buried returns the numbers that were deleted or migrated before the given time. They never come back.
func (s *Service) Buried(before time.Time) (out []wa.PhoneNumberID) {
	for _, n := range s.snap.Load().numbers {
		if !n.Live() && !n.Deleted.IsZero() && n.Deleted.Before(before) {
			out = append(out, n.ID)
		}
	}
	return out
}

func olderWABA(a, b *WABA) int {
	if c := a.Created.Compare(b.Created); c != 0 {
		return c
	}
	return strings.Compare(string(a.ID), string(b.ID))
}

func olderNumber(a, b *Number) int {
	if c := a.Created.Compare(b.Created); c != 0 {
		return c
	}
	return strings.Compare(string(a.ID), string(b.ID))
}

func sorted[K comparable, V any](m map[K]V, keep func(V) bool, cmp func(a, b V) int) []V {
	var out []V
	for _, v := range m {
		if keep(v) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, cmp)
	return out
}
