package graph

import (
	"context"
	"net/url"
	"slices"
)

// check refuses names that the shape does not have, before anything is loaded for them. An empty collection is checked too.
func (s *shape) check(v Version, sel Selection) error {
	for _, it := range sel {
		if f := s.byName[it.Name]; f != nil && within(v, f.since, f.until) {
			if it.Sub != nil && f.sub != nil {
				if err := f.sub.check(v, it.Sub); err != nil {
					return err
				}
			}
			continue
		}
		e := s.edges[it.Name]
		if e == nil || e.notField || !within(v, e.since, e.until) || (e.list == nil && e.get == nil) {
			return nonexisting(it.Name, s.name)
		}
		if it.Sub != nil && e.list != nil {
			if err := e.list.item.check(v, it.Sub); err != nil {
				return err
			}
		}
	}
	return nil
}

// writer renders values of shapes for one call.
type writer struct {
	encoder
	c     *Call
	debug bool     // collect what is empty
	empty []string // fields that were asked for and have no value
}

// object writes v: its default fields when sel is empty, else those of sel and the fields that are always there.
func (w *writer) object(ctx context.Context, s *shape, v any, sel Selection) error {
	w.b = append(w.b, '{')
	first := true
	if len(sel) == 0 {
		for _, f := range s.fields {
			if f.when == OnAsk || !within(w.c.Version, f.since, f.until) {
				continue
			}
			if err := w.field(ctx, s, f, v, Item{Name: f.name}, &first); err != nil {
				return err
			}
		}
		w.b = append(w.b, '}')
		return nil
	}
	for i, it := range sel {
		if slices.ContainsFunc(sel[:i], func(o Item) bool { return o.key() == it.key() }) {
			continue
		}
		var err error
		if f := s.byName[it.Name]; f != nil {
			err = w.field(ctx, s, f, v, it, &first)
		} else {
			err = w.edgeField(ctx, s, v, it, &first)
		}
		if err != nil {
			return err
		}
	}
	for _, f := range s.fields {
		if f.when != Always || slices.ContainsFunc(sel, func(o Item) bool { return o.key() == f.name }) {
			continue
		}
		if err := w.field(ctx, s, f, v, Item{Name: f.name}, &first); err != nil {
			return err
		}
	}
	w.b = append(w.b, '}')
	return nil
}

func (w *writer) field(ctx context.Context, s *shape, f *field, v any, it Item, first *bool) error {
	if !w.c.allowed(f.scopes) {
		return nil
	}
	var val any
	if f.get != nil {
		val = f.get(v)
	} else {
		c := *w.c
		if s.kind != "" {
			c.ID, c.Kind = s.id(v), s.kind
		}
		var err error
		if val, err = f.ask(ctx, &c, v, it); err != nil {
			return err
		}
		w.c.header = c.header
	}
	if missing(val) {
		if w.debug {
			w.empty = append(w.empty, it.Name)
		}
		return nil
	}
	w.key(first, it.key())
	if f.sub == nil {
		return w.value(pick(val, it.Sub))
	}
	return w.sub(ctx, f.sub, val, it.Sub)
}

func (w *writer) sub(ctx context.Context, s *shape, v any, sel Selection) error {
	items, many := s.each(v)
	if !many {
		return w.object(ctx, s, v, sel)
	}
	w.b = append(w.b, '[')
	for i, item := range items {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if err := w.object(ctx, s, item, sel); err != nil {
			return err
		}
	}
	w.b = append(w.b, ']')
	return nil
}

// pick applies a selection to a value without a shape: an Obj loses the members that were not named.
func pick(v any, sel Selection) any {
	if len(sel) == 0 {
		return v
	}
	switch t := v.(type) {
	case Obj:
		out := make(Obj, 0, len(sel))
		for _, m := range t {
			for _, it := range sel {
				if it.Name == m.K {
					out = append(out, KV{m.K, pick(m.V, it.Sub)})
					break
				}
			}
		}
		return out
	case []Obj:
		out := make([]any, len(t))
		for i, o := range t {
			out[i] = pick(o, sel)
		}
		return out
	}
	return v
}

// id reads the id field of a node, "" when it has none.
func (s *shape) id(v any) string {
	f := s.byName["id"]
	if f == nil || f.get == nil {
		return ""
	}
	switch t := f.get(v).(type) {
	case nil:
		return ""
	case string:
		return t
	default:
		var e encoder
		if err := e.value(t); err != nil || len(e.b) < 2 || e.b[0] != '"' {
			return ""
		}
		return string(e.b[1 : len(e.b)-1])
	}
}

// edgeField writes an edge read as a field (spec/graph.md 4.4). Without the edge's permission the key is left out.
func (w *writer) edgeField(ctx context.Context, s *shape, v any, it Item, first *bool) error {
	e := s.edges[it.Name]
	if !w.c.allowed(either(e.scopes, s.scopes)) {
		return nil
	}
	c := *w.c
	c.ID, c.Kind, c.Edge, c.nested = s.id(v), s.kind, e.name, true
	c.Params = it.params()
	w.key(first, it.key())
	outer := w.c
	w.c = &c
	defer func() { w.c, outer.header = outer, c.header }()
	if e.list == nil {
		val, err := e.get(ctx, &c, v)
		if err != nil {
			return err
		}
		return w.value(pick(val, it.Sub))
	}
	return w.list(ctx, e.list, v, it.Sub, url.PathEscape(c.ID)+"/"+e.name)
}

// list writes {"data":[…],"paging":{…},"summary":{…}}; path is that of the edge, without version.
func (w *writer) list(ctx context.Context, l *listing, parent any, sel Selection, path string) error {
	p, err := w.c.page(l)
	if err != nil {
		return err
	}
	if l.unpaged {
		p = Page{Limit: l.max, Total: p.Total}
	}
	if err := l.item.check(w.c.Version, sel); err != nil {
		return err
	}
	r, err := l.run(ctx, w.c, parent, p)
	if err != nil {
		return err
	}
	w.b = append(w.b, `{"data":[`...)
	for i, item := range r.data {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if err := w.object(ctx, l.item, item, sel); err != nil {
			return err
		}
	}
	w.b = append(w.b, ']')
	if (len(r.data) > 0 || r.unfinished) && !l.unpaged {
		w.paging(p, r, path)
	}
	if err := w.summary(p, r); err != nil {
		return err
	}
	w.b = append(w.b, '}')
	return nil
}

// paging is written for every page with items. A page asked for with a cursor has the cursor's item on its other side, so
// there is something to go back to.
func (w *writer) paging(p Page, r listed, path string) {
	next, prev := r.more, p.After != ""
	if p.backward() {
		next, prev = p.Before != "", r.more
	}
	before, after := Cursor(r.first), Cursor(r.last)
	w.b = append(w.b, `,"paging":{"cursors":{"before":"`...)
	w.b = append(append(w.b, before...), `","after":"`...)
	w.b = append(append(w.b, after...), `"}`...)
	if prev {
		w.b = append(w.b, `,"previous":`...)
		w.b = appendString(w.b, w.c.pageURL(path, p.Limit, "before", before))
	}
	if next {
		w.b = append(w.b, `,"next":`...)
		w.b = appendString(w.b, w.c.pageURL(path, p.Limit, "after", after))
	}
	w.b = append(w.b, '}')
}

func (w *writer) summary(p Page, r listed) error {
	names, err := w.c.summary()
	if err != nil || len(names) == 0 {
		return err
	}
	out := make(Obj, 0, len(r.summary)+1)
	if p.Total {
		out = append(out, KV{"total_count", r.total})
	}
	for _, m := range r.summary {
		if wanted(names, m.K) {
			out = append(out, m)
		}
	}
	w.b = append(w.b, `,"summary":`...)
	return w.encoder.object(out)
}
