package template

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrUnknown is returned by writes to a template that does not exist.
var ErrUnknown = errors.New("no such template")

// Options of a Service.
type Options struct {
	Clock clock.Clock // required
	Rand  io.Reader   // of ids; nil means crypto/rand
}

// Service is the registry of templates. All methods are safe for concurrent use. Templates it hands out are shared and
// must not be changed.
type Service struct {
	store Store
	clock clock.Clock
	rand  io.Reader
	snap  atomic.Pointer[snapshot]
	mu    sync.Mutex // held over every write, store included
}

type key struct {
	waba           wa.WABAID
	name, language string
}

// snapshot is never changed once it is published.
type snapshot struct {
	byID  map[wa.TemplateID]*Template
	byKey map[key]*Template // without deleted ones
}

// New loads everything from the store.
func New(ctx context.Context, store Store, o Options) (*Service, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	all, err := store.LoadTemplates(ctx)
	if err != nil {
		return nil, fmt.Errorf("load templates: %w", err)
	}
	s := &Service{store: store, clock: o.Clock, rand: o.Rand}
	empty := &snapshot{}
	s.snap.Store(empty.with(all))
	return s, nil
}

func (s *snapshot) with(ts []*Template) *snapshot {
	n := &snapshot{
		byID:  make(map[wa.TemplateID]*Template, len(s.byID)+len(ts)),
		byKey: make(map[key]*Template, len(s.byKey)+len(ts)),
	}
	maps.Copy(n.byID, s.byID)
	maps.Copy(n.byKey, s.byKey)
	for _, t := range ts {
		k := key{t.WABA, t.Name, t.Language}
		if old := n.byID[t.ID]; old != nil && n.byKey[k] == old {
			delete(n.byKey, k)
		}
		n.byID[t.ID] = t
		if t.Status != Deleted {
			n.byKey[k] = t
		}
	}
	return n
}

// commit makes ts durable, then visible. The caller holds mu. The caller of the API may go away at any time; that must
// not leave store and memory apart, so its cancellation does not reach the store.
func (s *Service) commit(ctx context.Context, ts ...*Template) error {
	if err := s.store.SaveTemplates(context.WithoutCancel(ctx), ts); err != nil {
		return fmt.Errorf("save templates: %w", err)
	}
	s.snap.Store(s.snap.Load().with(ts))
	return nil
}

// Find returns the template for sending. Errors are those of [Sendable].
func (s *Service) Find(w wa.WABAID, name, language string) (*Template, error) {
	t := s.snap.Load().byKey[key{w, name, language}]
	if err := Sendable(t, name, language); err != nil {
		return nil, err
	}
	return t, nil
}

// Template finds a template by id. Deleted ones are not found.
func (s *Service) Template(id wa.TemplateID) (*Template, bool) {
	t, ok := s.snap.Load().byID[id]
	if !ok || t.Status == Deleted {
		return nil, false
	}
	return t, true
}

// List returns the account's templates, newest first, without deleted ones.
func (s *Service) List(w wa.WABAID) []*Template {
	var out []*Template
	for k, t := range s.snap.Load().byKey {
		if k.waba == w {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Template) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(string(a.ID), string(b.ID)))
	})
	return out
}

// Create stores a new template as it is. An empty ID, format and status (pending) are filled in, so are the times. Errors:
// [wa.ErrTemplateExists] when the account has the name in this language, or the id is taken.
func (s *Service) Create(ctx context.Context, t Template) (*Template, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := s.snap.Load()
	if _, ok := snap.byKey[key{t.WABA, t.Name, t.Language}]; ok {
		return nil, wa.ErrTemplateExists.FillMsg(t.Language)
	}
	if _, ok := snap.byID[t.ID]; ok {
		return nil, wa.ErrTemplateExists.FillMsg(t.Language)
	}
	for t.ID == "" {
		id, err := newID(s.rand)
		if err != nil {
			return nil, err
		}
		if _, ok := snap.byID[id]; !ok {
			t.ID = id
		}
	}
	t.Status = cmp.Or(t.Status, Pending)
	t.Format = cmp.Or(t.Format, Positional)
	t.Quality = cmp.Or(t.Quality, QualityUnknown)
	t.Created = s.clock.Now()
	t.Updated = t.Created
	if err := s.commit(ctx, &t); err != nil {
		return nil, fmt.Errorf("create template: %w", err)
	}
	return &t, nil
}

// Update changes a template: change gets a copy, replaces slices instead of writing into them, and an error from it leaves
// everything as it was. Id, account, name and language stay. Errors: [ErrUnknown] and those of change.
func (s *Service) Update(ctx context.Context, id wa.TemplateID, change func(*Template) error) (*Template, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.snap.Load().byID[id]
	if !ok || old.Status == Deleted {
		return nil, fmt.Errorf("update template %s: %w", id, ErrUnknown)
	}
	t := *old
	if err := change(&t); err != nil {
		return nil, err
	}
	t.ID, t.WABA, t.Name, t.Language, t.Updated = old.ID, old.WABA, old.Name, old.Language, s.clock.Now()
	if err := s.commit(ctx, &t); err != nil {
		return nil, fmt.Errorf("update template %s: %w", id, err)
	}
	return &t, nil
}

// CreateSample gives an account its hello_world template; when it has one, that one is returned. An empty id is filled
// in. Source: spec/business.md section 8.1.
func (s *Service) CreateSample(ctx context.Context, w wa.WABAID, id wa.TemplateID) (*Template, error) {
	if t, ok := s.snap.Load().byKey[key{w, "hello_world", "en_US"}]; ok {
		return t, nil
	}
	t := HelloWorld(w)
	t.ID = id
	return s.Create(ctx, t)
}

// HelloWorld is the sample template that every test account begins with.
func HelloWorld(w wa.WABAID) Template {
	return Template{
		WABA: w, Name: "hello_world", Language: "en_US", Category: Utility, Status: Approved, Format: Positional, Sample: true,
		Components: []Component{
			{Type: Header, Format: HeaderText, Text: "Hello World"},
			{Type: Body, Text: "Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp message " +
				"notification from the Cloud API, hosted by Meta. Thank you for taking the time to test with us."},
			{Type: Footer, Text: "WhatsApp Business Platform sample message"},
		},
	}
}

// newID makes a random id: 15 or 16 decimal digits, at most 2^53-1 (spec/templates.md section 1).
func newID(rand io.Reader) (wa.TemplateID, error) {
	const least, most = 100_000_000_000_000, 1<<53 - 1
	for {
		var b [8]byte
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return "", fmt.Errorf("draw a random id: %w", err)
		}
		if v := binary.LittleEndian.Uint64(b[:]) >> 11; v <= most-least {
			return wa.TemplateID(strconv.FormatUint(least+v, 10)), nil
		}
	}
}
