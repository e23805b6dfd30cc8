package template

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Group is a set of templates of one account that are looked at together. Source: spec/templates.md section 16.3.
type Group struct {
	ID          string
	WABA        wa.WABAID
	Name        string
	Description string
	Templates   []wa.TemplateID
	Created     time.Time
}

// GroupStore keeps groups durably.
type GroupStore interface {
	// LoadTemplateGroups returns all of them, in any order.
	LoadTemplateGroups(ctx context.Context) ([]*Group, error)
	// SaveTemplateGroup inserts or replaces a group by id.
	SaveTemplateGroup(ctx context.Context, g *Group) error
	// DeleteTemplateGroup removes a group; an id that is not there is no error.
	DeleteTemplateGroup(ctx context.Context, id string) error
}

// Groups is the registry of template groups. Its methods are safe for concurrent use. Groups it hands out must not be
// changed.
type Groups struct {
	store GroupStore
	s     *Service
	all   atomic.Pointer[map[string]*Group] // never changed once published
	mu    sync.Mutex                        // held over writes, store included
}

// NewGroups loads the groups of the templates of s.
func NewGroups(ctx context.Context, store GroupStore, s *Service) (*Groups, error) {
	list, err := store.LoadTemplateGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("load template groups: %w", err)
	}
	all := make(map[string]*Group, len(list))
	for _, g := range list {
		all[g.ID] = g
	}
	gs := &Groups{store: store, s: s}
	gs.all.Store(&all)
	return gs, nil
}

// Bounds of groups, ours.
const (
	maxGroups     = 1000 // of an account
	maxGroupSize  = 6000
	maxGroupName  = 512
	maxGroupAbout = 1024
)

// Group finds a group.
func (gs *Groups) Group(id string) (*Group, bool) {
	g, ok := (*gs.all.Load())[id]
	return g, ok
}

// List returns the groups of an account, newest first.
func (gs *Groups) List(w wa.WABAID) []*Group {
	var out []*Group
	for _, g := range *gs.all.Load() {
		if g.WABA == w {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b *Group) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Create makes a group. Errors have code 100: templates of another account, too many groups, texts that are too long.
func (gs *Groups) Create(ctx context.Context, g Group) (*Group, error) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if len(gs.List(g.WABA)) >= maxGroups {
		return nil, wa.ErrInvalidParameter.Titled("A WhatsApp Business Account can have %d template groups", maxGroups)
	}
	if err := gs.check(&g, nil); err != nil {
		return nil, err
	}
	id, err := newID(gs.s.o.Rand)
	if err != nil {
		return nil, err
	}
	g.ID, g.Created = string(id), gs.s.o.Clock.Now()
	return &g, gs.put(ctx, &g)
}

// Update changes a group: change gets a copy. Errors: [ErrUnknown], those of Create and of change.
func (gs *Groups) Update(ctx context.Context, id string, change func(*Group)) (*Group, error) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	old, ok := gs.Group(id)
	if !ok {
		return nil, ErrUnknown
	}
	g := *old
	g.Templates = slices.Clone(old.Templates)
	change(&g)
	if err := gs.check(&g, old.Templates); err != nil {
		return nil, err
	}
	return &g, gs.put(ctx, &g)
}

// Delete removes a group. Error: [ErrUnknown].
func (gs *Groups) Delete(ctx context.Context, id string) error {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if _, ok := gs.Group(id); !ok {
		return ErrUnknown
	}
	if err := gs.store.DeleteTemplateGroup(context.WithoutCancel(ctx), id); err != nil {
		return fmt.Errorf("delete template group: %w", err)
	}
	gs.publish(func(m map[string]*Group) { delete(m, id) })
	return nil
}

func (gs *Groups) check(g *Group, had []wa.TemplateID) error {
	if g.Name == "" {
		return wa.ErrParamRequired.Fill("name")
	}
	for _, t := range [...]struct {
		name, text string
		limit      int
	}{{"name", g.Name, maxGroupName}, {"description", g.Description, maxGroupAbout}} {
		if len(t.text) > t.limit && len([]rune(t.text)) > t.limit {
			return wa.ErrParamTooLong.Fill(t.name, t.limit)
		}
	}
	slices.Sort(g.Templates)
	g.Templates = slices.Compact(g.Templates)
	if len(g.Templates) > maxGroupSize {
		return wa.ErrParamType.Fill("whatsapp_business_templates", "a list of at most 6000 templates")
	}
	for _, id := range g.Templates {
		if t, ok := gs.s.any(id); ok && t.WABA != g.WABA || !ok && !slices.Contains(had, id) { // one that was deleted may stay
			return wa.ErrParamType.Fill("whatsapp_business_templates", "a list of templates of this WhatsApp Business Account")
		}
	}
	return nil
}

func (gs *Groups) put(ctx context.Context, g *Group) error {
	if err := gs.store.SaveTemplateGroup(context.WithoutCancel(ctx), g); err != nil {
		return fmt.Errorf("save template group: %w", err)
	}
	gs.publish(func(m map[string]*Group) { m[g.ID] = g })
	return nil
}

func (gs *Groups) publish(change func(map[string]*Group)) {
	m := maps.Clone(*gs.all.Load())
	change(m)
	gs.all.Store(&m)
}
