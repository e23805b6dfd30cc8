package flow

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrUnknown is returned for a flow that does not exist.
var ErrUnknown = errors.New("no such flow")

// Accounts tells what the rest of the platform knows of the account a flow belongs to.
type Accounts interface {
	// Keys returns how many phone numbers the account has, and the number whose encryption key is signed; "" when no key is.
	Keys(w wa.WABAID) (numbers int, signed wa.PhoneNumberID)
	// Key is the encryption key of a number, PEM; "" when it has none that is signed.
	Key(n wa.PhoneNumberID) string
	// Subscribed reports whether the app gets the webhooks of flows of this account.
	Subscribed(a wa.AppID, w wa.WABAID) bool
}

// Secrets knows what apps sign with.
type Secrets interface {
	// AppSecret returns false for an app that does not exist.
	AppSecret(a wa.AppID) (string, bool)
}

// Options of a Service. All but Rand, Log and the numbers are needed.
type Options struct {
	Store Store
	Shelf Shelf
	// Retirements are the planned ends of versions.
	Retirements Retirements
	Counts      Counts
	Sealer      Sealer
	Accounts    Accounts
	Secrets     Secrets
	Clock       clock.Clock // the platform's
	Wall        clock.Clock // real time: how long endpoints take
	// Transport reaches endpoints, and nothing that must not be reached.
	Transport http.RoundTripper
	// CheckURL refuses the URL of an endpoint.
	CheckURL func(string) error
	// Key makes the tokens of preview links and of downloads; at least 16 bytes.
	Key []byte

	Rand io.Reader // of ids; nil means crypto/rand. Keys of exchanges never come from it
	Log  *slog.Logger
	// MaxFlows of an account; 0 means [MaxFlows].
	MaxFlows int
	// Timeout of an endpoint, real time; 0 means 10 s. Source: spec/flows.md section 8.3.
	Timeout time.Duration
}

// Service is the registry of flows and the rules of their life. All methods are safe for concurrent use.
//
// Writes to one account follow each other under its mutex, store included; readers see the account's last published view
// and take no lock. Lock order: account.mu, then the queue's, then an endpoint's.
type Service struct {
	o         Options
	accounts  sync.Map // wa.WABAID → *account
	ids       sync.Map // wa.FlowID → *Flow
	endpoints sync.Map // wa.FlowID → *endpoint
	throttles sync.Map // wa.FlowID → *throttle
	retired   sync.Map // document.Version → Retirement
	retiring  sync.Mutex
	queue     queue
	tally     tally
	busy      atomic.Int32 // exchanges under way
}

// New loads everything from the store.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxFlows == 0 {
		o.MaxFlows = MaxFlows
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if len(o.Key) < 16 {
		return nil, errors.New("flow: the key of links is too short")
	}
	all, err := o.Store.LoadFlows(ctx)
	if err != nil {
		return nil, fmt.Errorf("load flows: %w", err)
	}
	retired, err := o.Retirements.LoadRetirements(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the ends of versions: %w", err)
	}
	s := &Service{o: o}
	for _, r := range retired {
		s.retired.Store(r.Version, r)
	}
	s.queue.init()
	s.tally.counts = map[Count]int64{}
	byAccount := map[wa.WABAID][]*Flow{}
	for _, f := range all {
		byAccount[f.WABA] = append(byAccount[f.WABA], f)
	}
	for w, fs := range byAccount {
		s.publish(s.account(w), fs...)
	}
	for i := range retired {
		s.warnAll(ctx, &retired[i]) // those whom a crash left out
	}
	return s, nil
}

// account of a WABA; it is made when it is asked for first.
func (s *Service) account(w wa.WABAID) *account {
	if a, ok := s.accounts.Load(w); ok {
		return a.(*account)
	}
	a := &account{}
	a.view.Store(emptyView)
	got, _ := s.accounts.LoadOrStore(w, a)
	return got.(*account)
}

// look is the view of an account that may have no flows.
func (s *Service) look(w wa.WABAID) *view {
	if a, ok := s.accounts.Load(w); ok {
		return a.(*account).view.Load()
	}
	return emptyView
}

// Flow finds a flow by id.
func (s *Service) Flow(id wa.FlowID) (*Flow, bool) {
	f, ok := s.ids.Load(id)
	if !ok {
		return nil, false
	}
	return f.(*Flow), true
}

// Named finds a flow of an account by its name.
func (s *Service) Named(w wa.WABAID, name string) (*Flow, bool) {
	f, ok := s.look(w).byName[name]
	return f, ok
}

// List returns the account's flows, newest first. The slice must not be changed.
func (s *Service) List(w wa.WABAID) []*Flow { return s.look(w).list }

// publish makes flows visible. The caller holds the account's mutex, except while loading.
func (s *Service) publish(a *account, fs ...*Flow) {
	a.view.Store(a.view.Load().with(fs))
	for _, f := range fs {
		s.ids.Store(f.ID, f)
		s.queue.add(f)
	}
}

// commit makes f durable, with a new document when json is not nil, then visible. The caller holds the account's mutex. Its
// caller may go away at any time; that must not leave store and memory apart, so its cancellation does not reach the store.
func (s *Service) commit(ctx context.Context, a *account, f *Flow, json []byte) error {
	var sealed []byte
	if json != nil {
		var err error
		if sealed, err = s.o.Sealer.Seal(ad(f.ID, f.Draft.N), json); err != nil {
			return fmt.Errorf("seal flow %s: %w", f.ID, err)
		}
	}
	if err := s.o.Store.SaveFlow(context.WithoutCancel(ctx), f, sealed); err != nil {
		return fmt.Errorf("save flow %s: %w", f.ID, err)
	}
	s.publish(a, f)
	return nil
}

// change is every write to an existing flow: do gets a copy and may return a document.
func (s *Service) change(ctx context.Context, id wa.FlowID, do func(f *Flow) (json []byte, err error)) (*Flow, error) {
	old, ok := s.Flow(id)
	if !ok {
		return nil, fmt.Errorf("flow %s: %w", id, ErrUnknown)
	}
	a := s.account(old.WABA)
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, ok = s.Flow(id); !ok {
		return nil, fmt.Errorf("flow %s: %w", id, ErrUnknown)
	}
	f := old.clone()
	json, err := do(f)
	if err != nil {
		return nil, err
	}
	return f, s.commit(ctx, a, f, json)
}

// JSON reads a document of a flow: n is that of [Flow.Draft] or [Flow.Live]. Error: [ErrUnknown] when there is none.
func (s *Service) JSON(ctx context.Context, id wa.FlowID, n int64) ([]byte, error) {
	sealed, err := s.o.Shelf.FlowJSON(ctx, id, n)
	if err != nil {
		return nil, fmt.Errorf("read flow %s: %w", id, err)
	}
	if sealed == nil {
		return nil, fmt.Errorf("document %d of flow %s: %w", n, id, ErrUnknown)
	}
	json, err := s.o.Sealer.Open(ad(id, n), sealed)
	if err != nil {
		return nil, fmt.Errorf("open flow %s: %w", id, err)
	}
	return json, nil
}

// ad binds a sealed document to its place.
func ad(id wa.FlowID, n int64) []byte {
	return strconv.AppendInt(append([]byte("flow/"+string(id)), '/'), n, 10)
}

// newID makes a random id: 15 or 16 decimal digits, at most 2^53-1 (spec/graph.md section 1).
func (s *Service) newID() (wa.FlowID, error) {
	const least, most = 100_000_000_000_000, 1<<53 - 1
	for {
		var b [8]byte
		if _, err := io.ReadFull(s.o.Rand, b[:]); err != nil {
			return "", fmt.Errorf("draw a random id: %w", err)
		}
		v := binary.LittleEndian.Uint64(b[:]) >> 11
		id := wa.FlowID(strconv.FormatUint(least+v, 10))
		if _, taken := s.Flow(id); v <= most-least && !taken {
			return id, nil
		}
	}
}
