package template

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrUnknown is returned by writes to a template that does not exist.
var ErrUnknown = errors.New("no such template")

// Samples knows the files of resumable uploads.
type Samples interface {
	// Sample checks that the handle stands for a file of the app that fits a header of this format. Error:
	// [wa.ErrTemplateSampleHandle].
	Sample(ctx context.Context, app wa.AppID, handle string, f HeaderFormat) error
}

// Flows knows the flows of accounts.
type Flows interface {
	// Resolve puts the id of the flow that a button of t names in place of its name or JSON; for JSON it makes a flow. Errors are
	// rows of code 100.
	Resolve(ctx context.Context, app wa.AppID, t *Template, f *Flow) error
}

// Sends knows the messages that were made of templates.
type Sends interface {
	// Underway returns those of the templates that have messages which are accepted and neither delivered nor failed.
	Underway(ctx context.Context, ids []wa.TemplateID) ([]wa.TemplateID, error)
}

// Options of a Service.
type Options struct {
	Clock clock.Clock // required
	Rand  io.Reader   // of ids; nil means crypto/rand
	Log   *slog.Logger
	// Samples of media headers; nil: nobody checks them.
	Samples Samples
	// Flows of FLOW buttons; nil: nobody checks them.
	Flows Flows
	// Sends says what is on its way; nil: nothing ever is.
	Sends Sends
	// AskFor is how long Sends may take, real time; 0 means 5 s.
	AskFor time.Duration
	// Limit is how many templates an account may have, each language counts; nil: nobody is held to one. 0: no limit.
	Limit func(w wa.WABAID) int
	// ReviewAfter is how long the automatic reviewer takes.
	ReviewAfter time.Duration
	// ByHand leaves every review to a person, see [Service.Decide].
	ByHand bool
}

// Service is the registry of templates and the rules of their life. All methods are safe for concurrent use. Templates it
// hands out are shared and must not be changed.
//
// Writes to one account follow each other under its mutex, store included; readers see the account's last published view
// and take no lock. queue.mu is taken inside an account's mutex, never around it.
type Service struct {
	store    Store
	o        Options
	accounts sync.Map // wa.WABAID → *account
	ids      sync.Map // wa.TemplateID → *Template, deleted ones too until they are forgotten
	queue    queue
}

// New loads everything from the store.
func New(ctx context.Context, store Store, o Options) (*Service, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	all, err := store.LoadTemplates(ctx)
	if err != nil {
		return nil, fmt.Errorf("load templates: %w", err)
	}
	s := &Service{store: store, o: o}
	s.queue.init()
	byAccount := map[wa.WABAID][]*Template{}
	for _, t := range all {
		byAccount[t.WABA] = append(byAccount[t.WABA], t)
	}
	for w, ts := range byAccount {
		s.publish(s.account(w), ts)
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

// look is the view of an account that may not exist.
func (s *Service) look(w wa.WABAID) *view {
	if a, ok := s.accounts.Load(w); ok {
		return a.(*account).view.Load()
	}
	return emptyView
}

// commit makes ts durable, then visible. The caller holds the account's mutex. The caller of the API may go away at any
// time; that must not leave store and memory apart, so its cancellation does not reach the store.
func (s *Service) commit(ctx context.Context, a *account, ts ...*Template) error {
	if err := s.store.SaveTemplates(context.WithoutCancel(ctx), ts); err != nil {
		return fmt.Errorf("save templates: %w", err)
	}
	s.publish(a, ts)
	return nil
}

func (s *Service) publish(a *account, ts []*Template) {
	a.view.Store(a.view.Load().with(ts))
	for _, t := range ts {
		s.ids.Store(t.ID, t)
	}
	s.queue.add(ts)
}

// Find returns the template for sending. Errors are those of [Sendable].
func (s *Service) Find(w wa.WABAID, name, language string) (*Template, error) {
	t := s.look(w).byKey[key{name, language}]
	if err := Sendable(t, name, language); err != nil {
		return nil, err
	}
	if now := s.o.Clock.Now(); now.Sub(t.Used) >= day {
		s.queue.use(t.ID) // remembered by Run: the send does not wait for it
	}
	return t, nil
}

const day = 24 * time.Hour

// Template finds a template by id. Deleted ones are not found.
func (s *Service) Template(id wa.TemplateID) (*Template, bool) {
	t, ok := s.any(id)
	if !ok || t.Status == Deleted {
		return nil, false
	}
	return t, true
}

func (s *Service) any(id wa.TemplateID) (*Template, bool) {
	t, ok := s.ids.Load(id)
	if !ok {
		return nil, false
	}
	return t.(*Template), true
}

// List returns the account's templates, newest first, without deleted ones. The slice must not be changed.
func (s *Service) List(w wa.WABAID) []*Template { return s.look(w).live }

// Deleted returns the account's templates that were deleted in the last 30 days, newest first.
func (s *Service) Deleted(w wa.WABAID) []*Template { return s.look(w).gone }

// Languages counts the distinct names and languages of the account's templates.
func (s *Service) Languages(w wa.WABAID) (names, languages int) {
	v := s.look(w)
	return v.names, v.languages
}

// Create stores a new template as it is. An empty ID, format and status (pending) are filled in, so are the times. Errors:
// [wa.ErrTemplateExists] when the account has the name in this language, or the id is taken.
func (s *Service) Create(ctx context.Context, t Template) (*Template, error) {
	a := s.account(t.WABA)
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.view.Load().byKey[key{t.Name, t.Language}]; ok {
		return nil, wa.ErrTemplateExists.FillMsg(languageName(t.Language))
	}
	return s.create(ctx, a, t)
}

// create is Create under the account's mutex, after the name was found to be free.
func (s *Service) create(ctx context.Context, a *account, t Template) (*Template, error) {
	if _, ok := s.any(t.ID); ok {
		return nil, wa.ErrTemplateExists.FillMsg(languageName(t.Language))
	}
	if err := s.complete(&t); err != nil {
		return nil, err
	}
	if err := s.commit(ctx, a, &t); err != nil {
		return nil, fmt.Errorf("create template: %w", err)
	}
	return &t, nil
}

// complete fills in what every new template has.
func (s *Service) complete(t *Template) error {
	for t.ID == "" {
		id, err := newID(s.o.Rand)
		if err != nil {
			return err
		}
		if _, ok := s.any(id); !ok {
			t.ID = id
		}
	}
	if t.Status == "" {
		t.Status = Pending
	}
	if t.Format == "" {
		t.Format = Positional
	}
	if t.Quality == "" {
		t.Quality = QualityUnknown
	}
	t.Created = s.o.Clock.Now()
	t.Updated, t.Used = t.Created, t.Created
	t.Ever = t.Ever || t.Status == Approved
	return nil
}

// Update changes a template: change gets a copy, replaces slices instead of writing into them, and an error from it leaves
// everything as it was. Id, account, name and language stay. Errors: [ErrUnknown] and those of change.
func (s *Service) Update(ctx context.Context, id wa.TemplateID, change func(*Template) error) (*Template, error) {
	return s.update(ctx, id, func(t *Template) error {
		if t.Status == Deleted {
			return ErrUnknown
		}
		t.Updated = s.o.Clock.Now()
		return change(t)
	})
}

// update is Update for deleted templates, too; last_updated_time stays.
func (s *Service) update(ctx context.Context, id wa.TemplateID, change func(*Template) error) (*Template, error) {
	old, ok := s.any(id)
	if !ok {
		return nil, fmt.Errorf("update template %s: %w", id, ErrUnknown)
	}
	a := s.account(old.WABA)
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, ok = s.any(id); !ok {
		return nil, fmt.Errorf("update template %s: %w", id, ErrUnknown)
	}
	t := *old
	if err := change(&t); err != nil {
		return nil, err
	}
	t.ID, t.WABA, t.Name, t.Language = old.ID, old.WABA, old.Name, old.Language
	if err := s.commit(ctx, a, &t); err != nil {
		return nil, fmt.Errorf("update template %s: %w", id, err)
	}
	return &t, nil
}

// CreateSample gives an account its hello_world template; when it has one, that one is returned. An empty id is filled
// in. Source: spec/business.md section 8.1.
func (s *Service) CreateSample(ctx context.Context, w wa.WABAID, id wa.TemplateID) (*Template, error) {
	if t, ok := s.look(w).byKey[key{"hello_world", "en_US"}]; ok {
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

func languageName(code string) string {
	if n, ok := languages[code]; ok {
		return n
	}
	return clip(code)
}
