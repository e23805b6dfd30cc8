package graph

import (
	"cmp"
	"context"
	"fmt"
	"reflect"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// shape is a Node or Object with its type erased: what the server works with.
type shape struct {
	kind   string
	name   string
	scopes []string
	load   func(context.Context, *Call, string) (any, error)
	fields []*field
	byName map[string]*field
	edges  map[string]*edge
	post   *action
	del    *action
	each   func(any) ([]any, bool) // the elements of a []T
}

type field struct {
	name         string
	when         When
	get          func(any) any
	ask          func(context.Context, *Call, any, Item) (any, error)
	sub          *shape
	since, until Version
	scopes       []string
}

type edge struct {
	name         string
	scopes       []string
	list         *listing
	get          func(context.Context, *Call, any) (any, error)
	post, del    *action
	one          *one
	since, until Version
	notField     bool
}

type one struct {
	list      *listing
	get       func(context.Context, *Call, any) (any, error)
	post, del *action
}

type action struct {
	scopes  []string
	maxBody int64
	stream  bool
	answers *shape // nil: fields is no parameter of the grammar here
	do      func(context.Context, *Call, any) (any, error)
}

type listing struct {
	item      *shape
	def, max  int
	unpaged   bool
	spans     bool
	badCursor *wa.Error
	badSince  Version
	run       func(context.Context, *Call, any, Page) (listed, error)
}

// listed is Items with its type erased.
type listed struct {
	data        []any
	first, last string // keys
	more        bool
	unfinished  bool // there is more to look at, whatever data has
	total       int
	summary     Obj
}

// rest notes where the search goes on.
func (r *listed) rest(key string, p Page) {
	r.unfinished = true
	if p.backward() {
		r.first = key
	} else {
		r.last = key
	}
	if len(r.data) == 0 { // what was asked for is the other end
		r.first, r.last = cmp.Or(r.first, p.After, key), cmp.Or(r.last, p.Before, key)
	}
}

func within(v, since, until Version) bool {
	return (since.IsZero() || v.AtLeast(since)) && (until.IsZero() || !v.AtLeast(until))
}

// builder turns the nodes of api into shapes and collects what is wrong with them.
type builder struct {
	kinds map[string]*shape
	errs  []error
}

func (b *builder) fault(format string, args ...any) {
	b.errs = append(b.errs, fmt.Errorf(format, args...))
}

func (n Node[T]) kind() string { return n.Kind }

func (n Node[T]) compile(b *builder) *shape {
	if s, ok := b.kinds[n.Kind]; ok {
		return s
	}
	s := &shape{}
	n.fill(b, s)
	return s
}

func (r Ref[T]) compile(b *builder) *shape {
	s, ok := b.kinds[string(r)]
	if !ok {
		b.fault("reference to node %q, which is not registered", string(r))
		return &shape{}
	}
	return s
}

func (o Object[T]) compile(b *builder) *shape {
	s := &shape{name: o.Name, each: each[T]}
	fillFields(b, s, o.Fields)
	return s
}

func each[T any](v any) ([]any, bool) {
	items, ok := v.([]T)
	if !ok {
		return nil, false
	}
	out := make([]any, len(items))
	for i, it := range items {
		out[i] = it
	}
	return out, true
}

func (n Node[T]) fill(b *builder, s *shape) {
	s.kind, s.name, s.scopes, s.each = n.Kind, n.Name, n.Scopes, each[T]
	if n.Kind == "" || n.Name == "" {
		b.fault("a node has no Kind or Name (%q, %q)", n.Kind, n.Name)
	}
	if n.Load != nil {
		s.load = func(ctx context.Context, c *Call, id string) (any, error) { return n.Load(ctx, c, id) }
	}
	s.post, s.del = eraseAction(b, n.Post), eraseAction(b, n.Delete)
	fillFields(b, s, n.Fields)
	s.edges = make(map[string]*edge, len(n.Edges))
	for _, e := range n.Edges {
		if s.edges[e.Name] != nil || (s.byName[e.Name] != nil && !e.NotField) {
			b.fault("node %s has %q twice", n.Kind, e.Name)
		}
		s.edges[e.Name] = eraseEdge(b, e)
	}
}

func fillFields[T any](b *builder, s *shape, fields []Field[T]) {
	s.byName = make(map[string]*field, len(fields))
	for _, f := range fields {
		e := &field{name: f.Name, when: f.When, since: f.Since, until: f.Until, scopes: f.Scopes}
		switch {
		case f.Get != nil:
			e.get = func(v any) any { return f.Get(v.(T)) }
		case f.Ask != nil:
			e.ask = func(ctx context.Context, c *Call, v any, it Item) (any, error) { return f.Ask(ctx, c, v.(T), it) }
		default:
			b.fault("field %s.%s has neither Get nor Ask", s.name, f.Name)
		}
		if f.Sub != nil {
			e.sub = f.Sub.compile(b)
		}
		if s.byName[f.Name] != nil {
			b.fault("%s has field %q twice", s.name, f.Name)
		}
		s.byName[f.Name] = e
		s.fields = append(s.fields, e)
	}
}

func eraseEdge[T any](b *builder, e Edge[T]) *edge {
	out := &edge{
		name: e.Name, scopes: e.Scopes, since: e.Since, until: e.Until, notField: e.NotField,
		post: eraseAction(b, e.Post), del: eraseAction(b, e.Delete), get: eraseGet(e.Get),
	}
	if e.List != nil {
		out.list = e.List.listing(b)
	}
	if e.One != nil {
		out.one = &one{get: eraseGet(e.One.Get), post: eraseAction(b, e.One.Post), del: eraseAction(b, e.One.Delete)}
		if e.One.List != nil {
			out.one.list = e.One.List.listing(b)
		}
	}
	return out
}

func eraseGet[T any](get func(context.Context, *Call, T) (any, error)) func(context.Context, *Call, any) (any, error) {
	if get == nil {
		return nil
	}
	return func(ctx context.Context, c *Call, v any) (any, error) { return get(ctx, c, v.(T)) }
}

func eraseAction[T any](b *builder, a *Action[T]) *action {
	if a == nil {
		return nil
	}
	out := &action{
		scopes: a.Scopes, maxBody: a.MaxBody, stream: a.Stream,
		do: func(ctx context.Context, c *Call, v any) (any, error) { return a.Do(ctx, c, v.(T)) },
	}
	if a.Answers != "" {
		if out.answers = b.kinds[a.Answers]; out.answers == nil {
			b.fault("an action answers node %q, which is not registered", a.Answers)
		}
	}
	return out
}

func (l Collection[T, S]) listing(b *builder) *listing {
	out := &listing{item: l.Item.compile(b), def: l.Default, max: l.Max, unpaged: l.Unpaged, spans: l.Spans, badCursor: l.BadCursor, badSince: l.BadSince}
	if out.max == 0 {
		out.max = 100
	}
	if out.def == 0 {
		out.def = min(25, out.max)
	}
	if l.Key == nil && !l.Unpaged {
		b.fault("a collection of %s has no Key", out.item.name)
	}
	out.run = func(ctx context.Context, c *Call, v any, p Page) (listed, error) {
		items, err := l.List(ctx, c, v.(T), p)
		if err != nil {
			return listed{}, err
		}
		r := listed{more: items.More, total: items.Total, summary: items.Summary}
		r.data, _ = each[S](items.Data)
		if n := len(items.Data); n > 0 && l.Key != nil {
			r.first, r.last = l.Key(items.Data[0]), l.Key(items.Data[n-1])
		}
		if items.Rest != "" {
			r.rest(items.Rest, p)
		}
		return r, nil
	}
	return out
}

// missing reports whether a value that a getter returned stands for nothing: nil, or a nil pointer, map or slice.
func missing(v any) bool {
	switch v.(type) {
	case nil:
		return true
	case string, bool, int, int64, float64, Obj, Raw:
		return false
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		return rv.IsNil()
	}
	return false
}
