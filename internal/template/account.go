package template

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// account holds the templates of one WABA.
type account struct {
	mu   sync.Mutex // held over every write, store included
	view atomic.Pointer[view]
}

type key struct {
	name, language string
}

// view is never changed once it is published.
type view struct {
	byKey            map[key]*Template // without deleted ones
	live             []*Template       // newest first
	gone             []*Template       // deleted ones that are still remembered, newest first
	names, languages int
}

var emptyView = &view{}

// with is the view after ts were written.
func (v *view) with(ts []*Template) *view {
	n := &view{
		byKey: make(map[key]*Template, len(v.byKey)+len(ts)), live: slices.Grow(slices.Clone(v.live), len(ts)), gone: slices.Clone(v.gone),
	}
	maps.Copy(n.byKey, v.byKey)
	for _, t := range ts {
		k := key{t.Name, t.Language}
		same := func(o *Template) bool { return o.ID == t.ID }
		if old := n.byKey[k]; old != nil && old.ID == t.ID {
			delete(n.byKey, k)
		}
		if len(v.live)+len(v.gone) > 0 { // while loading there is nothing to replace
			n.live = slices.DeleteFunc(n.live, same)
			n.gone = slices.DeleteFunc(n.gone, same)
		}
		if t.Status == Deleted {
			n.gone = append(n.gone, t)
			continue
		}
		n.byKey[k] = t
		n.live = append(n.live, t)
	}
	slices.SortFunc(n.live, newest)
	slices.SortFunc(n.gone, newest)
	n.count()
	return n
}

func (v *view) without(t *Template) *view {
	n := *v
	n.gone = slices.DeleteFunc(slices.Clone(v.gone), func(o *Template) bool { return o.ID == t.ID })
	return &n
}

func (v *view) count() {
	names, languages := map[string]bool{}, map[string]bool{}
	for k := range v.byKey {
		names[k.name], languages[k.language] = true, true
	}
	v.names, v.languages = len(names), len(languages)
}

// newest is the order of lists: by the millisecond of creation, then by id, both falling.
func newest(a, b *Template) int {
	if x, y := a.Created.UnixMilli(), b.Created.UnixMilli(); x != y {
		if x > y {
			return -1
		}
		return 1
	}
	return strings.Compare(string(b.ID), string(a.ID))
}

// sibling is another language of the name, nil when there is none.
func (v *view) sibling(name, language string) *Template {
	for k, t := range v.byKey {
		if k.name == name && k.language != language {
			return t
		}
	}
	return nil
}
