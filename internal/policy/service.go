package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Past is what happened, as the store shows it. Times are Unix milliseconds.
type Past interface {
	// ReachedBy counts the people whom the numbers together reached outside windows after since: everybody, or those whose
	// numbers begin with one of the codes.
	ReachedBy(ctx context.Context, numbers []wa.PhoneNumberID, since int64, codes ...string) (int, error)
	// NumberFeedback and TemplateFeedback are in the order of time.
	NumberFeedback(ctx context.Context, id wa.PhoneNumberID, since int64) ([]quality.Event, error)
	TemplateFeedback(ctx context.Context, id wa.TemplateID, since int64) ([]quality.Event, error)
}

// Memory is what a start reads back. Times are Unix milliseconds.
type Memory interface {
	// ReachedSince is in the order of Counted.
	ReachedSince(ctx context.Context, since int64, f func(limits.Reached)) error
	MarketingSince(ctx context.Context, since int64, f func(limits.Reached)) error
	// Underway are messages that were sent outside a window and not delivered.
	Underway(ctx context.Context, f func(limits.Arrived)) error
	// MarketingSeen are the marketing templates that reached somebody after since, oldest first, with whether they were read.
	MarketingSeen(ctx context.Context, since int64, f func(limits.Seen)) error
	// ArrivedSince are the templates that reached somebody after since.
	ArrivedSince(ctx context.Context, since int64, f func(limits.Arrived)) error
}

// Notes keeps what the room has decided, one small document per object.
type Notes interface {
	Stopped(ctx context.Context) ([]quality.Event, error)
	Policy(ctx context.Context) (map[string][]byte, error)
	SavePolicy(ctx context.Context, id string, doc []byte) error
}

// Notifier tells subscribed apps of a change of a field other than messages; number may be empty. After nil the notice is
// durable.
type Notifier interface {
	Notify(ctx context.Context, waba wa.WABAID, number wa.PhoneNumberID, field string, value []byte) error
}

// Options of a Service. All but the durations, RequirePayment and Marketing are needed.
type Options struct {
	Business *business.Service
	Template *template.Service
	Past     Past
	Memory   Memory
	Notes    Notes
	Counts   analytics.Source
	Clock    clock.Clock
	Log      *slog.Logger
	// Rate gives a template another rating, with all that follows from it.
	// byHand: a pause that follows is not ended by the clock; it follows of a RED that is no news, too.
	Rate func(ctx context.Context, id wa.TemplateID, q template.Quality, byHand bool) error

	UpgradeTime    time.Duration // a number is away while its throughput is raised; 0 means 5 s, at most a minute
	Calm           time.Duration // how long a better rating must hold; 0 means 6 h, negative none
	ScaleDelay     time.Duration // from when a higher messaging limit is earned until it is given
	LegacyWebhook  bool          // a number that becomes RED, or ceases to be, is told as FLAGGED and UNFLAGGED
	Enforcement    Mode          // of accounts; empty means Observe
	Rates          pricing.Set   // whose volume tiers are told when they are reached; nil: none
	PaceBatch      int           // so many templates of a portfolio go out before others are held; 0: none is ever held
	PaceAfter      int           // so many messages of a template go out before others are held; 0: none is ever held
	Billing        Billing       // empty means BillingRecord
	Ledger         Ledger        // needed where Billing refuses
	RequirePayment bool          // billable templates of accounts without payment method fail with 131042
	Marketing      Marketing

	InternationalUsers int // a portfolio that reached more people than these pays international rates; 0 means 750,000
}

// Service is the policy of a platform. All methods are safe for concurrent use.
type Service struct {
	o      Options
	notify Notifier // nil: nobody is told

	portfolios sync.Map // wa.BusinessID to *portfolio
	market     [shards]marketShard

	// working is held while portfolios are evaluated, ratings made and levels raised, by the clock or because an operator asks:
	// what one of them reads and writes, the others must not have read before. Taken before rating and mu.
	working sync.Mutex

	rating sync.Mutex // held from reading the note of a number or a template to saving it; taken before mu

	mu      sync.Mutex
	index   uint32 // of the next portfolio
	notes   map[string]*note
	stopped map[pair]bool
	dirty   map[string]bool        // ids of numbers and templates to rate
	changed map[wa.BusinessID]bool // portfolios of which a rating has changed: what they earned is looked at
	active  map[string]bool        // of those that reached people since the last evaluation
	decided map[string]int64       // when the operator's ratings end, Unix milliseconds; those without end are not here
	due     time.Time              // of the next evaluation by the clock; zero while nothing runs
	busy    bool                   // Run is at work
	retry   time.Time              // before it no raise is due by the clock: the last one failed

	pacer pacer
	till  till

	wake chan struct{} // buffered 1
}

const (
	shards  = 64
	every   = time.Hour
	upgrade = 5 * time.Second
)

// portfolio is what the gate knows of one.
type portfolio struct {
	index uint32
	reach limits.Reach
}

type pair struct {
	number wa.PhoneNumberID
	user   wa.WaID
}

// note is what was decided about an object and is not in its own row.
type note struct {
	Rating   quality.Rating `json:"rating,omitempty"`
	Better   int64          `json:"better,omitempty"`   // see quality.Held
	Override quality.Rating `json:"override,omitempty"` // by the operator
	// OverrideUntil is when it ends, Unix milliseconds; 0 for never.
	OverrideUntil int64            `json:"override_until,omitempty"`
	Pauses        int              `json:"pauses,omitempty"` // of a template, ever
	PausedUntil   int64            `json:"paused_until,omitempty"`
	RedSince      int64            `json:"red_since,omitempty"`
	Standing      quality.Standing `json:"standing"`            // of a number on the ladder
	Raised        int64            `json:"raised,omitempty"`    // of notes before 1.0: now it is in the portfolio's row
	Earned        int64            `json:"earned,omitempty"`    // since when a portfolio has earned the next limit; 0: it has not
	Denied        bool             `json:"denied,omitempty"`    // a higher limit was earned and not given; the portfolio was told
	Mode          Mode             `json:"mode,omitempty"`      // of the platform, when the operator chose it
	Pretended     int              `json:"pretended,omitempty"` // people that count as reached by a number, see Pretend
	PretendedAt   int64            `json:"pretended_at,omitempty"`
	Pace          pace             `json:"pace,omitzero"`   // of a template
	Tiers         *told            `json:"tiers,omitempty"` // of a portfolio; replaced, never changed
	Purse         *purse           `json:"purse,omitempty"` // of an account; replaced, never changed
}

// New reads what was decided before. The store must show everything that happened: call Load then, and Start last.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.UpgradeTime == 0 {
		o.UpgradeTime = upgrade
	}
	o.UpgradeTime = min(o.UpgradeTime, limits.MaxUpgrade)
	if o.Calm == 0 {
		o.Calm = quality.Calm
	}
	if o.InternationalUsers == 0 {
		o.InternationalUsers = internationalUsers
	}
	s := &Service{o: o, notes: map[string]*note{}, stopped: map[pair]bool{}, dirty: map[string]bool{}, changed: map[wa.BusinessID]bool{}, active: map[string]bool{}, decided: map[string]int64{}, wake: make(chan struct{}, 1)}
	for i := range s.market {
		s.market[i].marks = map[wa.WaID][]limits.Mark{}
	}
	docs, err := o.Notes.Policy(ctx)
	if err != nil {
		return nil, err
	}
	for id, doc := range docs {
		n := &note{}
		if err := json.Unmarshal(doc, n); err != nil {
			return nil, fmt.Errorf("read policy of %s: %w", id, err)
		}
		s.notes[id] = n
	}
	s.openPacer()
	s.openDecisions()
	return s, nil
}

// Load reads back what the gate keeps in memory.
func (s *Service) Load(ctx context.Context) error {
	now := s.o.Clock.Now().UnixMilli()
	day := limits.ReachWindow.Milliseconds()
	err := s.o.Memory.ReachedSince(ctx, now-day, func(r limits.Reached) {
		if n, ok := s.counts(r.Number); ok {
			s.portfolio(n.Business).reach.Load(r.User, r.Counted)
		}
	})
	err = errors.Join(err, s.o.Memory.MarketingSince(ctx, now-day, func(r limits.Reached) { s.mark(r) }))
	err = errors.Join(err, s.o.Memory.Underway(ctx, func(r limits.Arrived) {
		n, ok := s.counts(r.Number)
		if !ok {
			return
		}
		if s.limit(n.Business) != limits.Unlimited {
			s.portfolio(n.Business).reach.Reserve(r.User, now, limits.Unlimited)
		}
		if s.marketing(Send{Template: r.Template, Category: r.Category}) { // also where its price makes it another one
			s.mark(limits.Reached{Number: r.Number, User: r.User})
		}
	}))
	said, e := s.o.Notes.Stopped(ctx)
	s.listen(said)
	return errors.Join(err, e, s.loadSeen(ctx), s.loadLast(ctx), s.loadTill(ctx))
}

// counts reports whether messages of the number count: those of test numbers do not.
func (s *Service) counts(id wa.PhoneNumberID) (*business.Number, bool) {
	n, ok := s.o.Business.Number(id)
	return n, ok && n.Mode != business.Sandbox
}

func (s *Service) portfolio(id wa.BusinessID) *portfolio {
	if p, ok := s.portfolios.Load(id); ok {
		return p.(*portfolio)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, loaded := s.portfolios.LoadOrStore(id, &portfolio{index: s.index})
	if !loaded {
		s.index++
	}
	return p.(*portfolio)
}

// Tell says who is told of every change before it is stored; nil is nobody.
func (s *Service) Tell(n Notifier) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notify = n
}

// Run works until ctx ends. n is as for [Service.Tell].
func (s *Service) Run(ctx context.Context, n Notifier) {
	s.Tell(n)
	s.next(s.o.Clock.Now())
	for {
		s.turn(ctx)
		t := s.o.Clock.NewTimer(s.pause())
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-s.wake:
		case <-t.C():
		}
		t.Stop()
	}
}

// turn does what is due.
func (s *Service) turn(ctx context.Context) {
	now := s.o.Clock.Now()
	s.mu.Lock()
	s.busy = true
	due := s.due
	s.mu.Unlock()
	if !now.Before(due) {
		if err := s.Evaluate(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Warn("evaluate policy", "err", err)
		}
		s.next(now)
	}
	if err := s.CatchUp(ctx); err != nil && ctx.Err() == nil {
		s.o.Log.Warn("apply policy", "err", err)
	}
	s.mu.Lock()
	s.busy = false
	s.mu.Unlock()
}

func (s *Service) next(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = now.Add(every)
}

// Idle reports whether nothing is to be done before time passes. Ratings that could not be made wait for the next look.
func (s *Service) Idle() bool {
	s.mu.Lock()
	busy := s.busy || len(s.dirty) > 0 && len(s.wake) > 0
	due := s.due
	s.mu.Unlock()
	return !busy && (due.IsZero() || s.soonest(due).After(s.o.Clock.Now()))
}

// pause is how long until something is due by the clock.
func (s *Service) pause() time.Duration {
	s.mu.Lock()
	due := s.due
	s.mu.Unlock()
	return max(s.soonest(due).Sub(s.o.Clock.Now()), time.Millisecond)
}

// soonest is due, or the end of an upgrade before it.
func (s *Service) soonest(due time.Time) time.Time {
	for _, n := range s.o.Business.AllNumbers() {
		if n.Upgrade != "" && n.MaintenanceUntil.Before(due) {
			due = n.MaintenanceUntil
		}
	}
	for _, at := range []time.Time{s.pacer.next(), s.nextEnd(), s.nextRaise()} {
		if !at.IsZero() && at.Before(due) {
			due = at
		}
	}
	return due
}

// Poke lets Run look at the clock, after it was moved.
func (s *Service) Poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tell writes a notice; the change follows it.
func (s *Service) tell(ctx context.Context, waba wa.WABAID, number wa.PhoneNumberID, field string, value any) error {
	s.mu.Lock()
	n := s.notify
	s.mu.Unlock()
	if n == nil {
		return nil
	}
	b, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := n.Notify(ctx, waba, number, field, b); err != nil {
		return fmt.Errorf("notify %s of %s: %w", field, waba, err)
	}
	return nil
}

// noteOf returns a copy of what is known about an object. Who saves a changed copy of a number's or a template's needs
// Service.rating.
func (s *Service) noteOf(id string) note {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.notes[id]; n != nil {
		return *n
	}
	return note{Standing: quality.Standing{Step: -1}}
}

func (s *Service) save(ctx context.Context, id string, n note) error {
	doc, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := s.o.Notes.SavePolicy(ctx, id, doc); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[id] = &n
	return nil
}
