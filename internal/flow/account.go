package flow

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// account holds the flows of one WABA.
type account struct {
	mu   sync.Mutex // held over every write, store included
	view atomic.Pointer[view]
}

// view is never changed once it is published.
type view struct {
	byName map[string]*Flow
	list   []*Flow // newest first
}

var emptyView = &view{}

// with is the view after fs were written.
func (v *view) with(fs []*Flow) *view {
	n := &view{byName: make(map[string]*Flow, len(v.byName)+len(fs)), list: slices.Clone(v.list)}
	maps.Copy(n.byName, v.byName)
	for _, f := range fs {
		n.drop(f.ID)
		n.byName[f.Name] = f
		n.list = append(n.list, f)
	}
	slices.SortFunc(n.list, newest)
	return n
}

// without is the view after a flow was deleted.
func (v *view) without(id wa.FlowID) *view {
	n := &view{byName: maps.Clone(v.byName), list: slices.Clone(v.list)}
	n.drop(id)
	return n
}

func (v *view) drop(id wa.FlowID) {
	i := slices.IndexFunc(v.list, func(f *Flow) bool { return f.ID == id })
	if i < 0 {
		return
	}
	delete(v.byName, v.list[i].Name)
	v.list = slices.Delete(v.list, i, i+1)
}

// newest is the order of lists: by the millisecond of creation, then by id, both falling.
func newest(a, b *Flow) int {
	if c := cmp.Compare(b.Created.UnixMilli(), a.Created.UnixMilli()); c != 0 {
		return c
	}
	return strings.Compare(string(b.ID), string(a.ID))
}
