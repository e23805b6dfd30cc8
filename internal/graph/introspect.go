package graph

import (
	"slices"
	"strings"
)

// debugging reads debug=all|info|warning; anything else is off. Source: spec/graph.md 9.2.
func (c *Call) debugging() bool {
	switch strings.ToLower(c.Params.Get("debug").String()) {
	case "all", "info", "warning":
		return true
	}
	return false
}

// close puts what a read was asked to tell besides into the object that ends w.b: metadata of node n (nil for lists), and
// the messages of debug.
func (w *writer) close(n *shape) {
	if n != nil {
		if on, err := w.c.Params.Get("metadata").BoolOr(false); err == nil && on {
			w.member("metadata", n.metadata(w.c))
		}
	}
	if w.debug {
		w.member("__debug__", Obj{{"messages", w.messages()}})
	}
}

// member appends to the object that ends w.b.
func (w *writer) member(key string, v Obj) {
	first := len(w.b) > 1 && w.b[len(w.b)-2] == '{'
	w.b = w.b[:len(w.b)-1]
	w.key(&first, key)
	if err := w.value(v); err != nil {
		panic(err) // texts and lists of them
	}
	w.b = append(w.b, '}')
}

func (w *writer) messages() []Obj {
	out := []Obj{}
	warn := func(text string) { out = append(out, Obj{{"type", "warning"}, {"message", text}}) }
	if w.c.asked == Upgraded {
		warn("The version " + w.c.askedRaw + " is no longer available. The call was served with " + w.c.Version.String() + ".")
	}
	slices.Sort(w.empty)
	for _, name := range slices.Compact(w.empty) {
		warn("The field " + name + " is empty.")
	}
	return out
}

// metadata describes a kind of node: its fields in the version of the call and the addresses of its edges. Source:
// spec/graph.md 9.3.
func (s *shape) metadata(c *Call) Obj {
	fields := []Obj{}
	for _, f := range s.fields {
		if within(c.Version, f.since, f.until) {
			fields = append(fields, Obj{{"name", f.name}})
		}
	}
	var names []string
	for name, e := range s.edges {
		if within(c.Version, e.since, e.until) && (e.list != nil || e.get != nil) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var connections Obj
	for _, name := range names {
		connections = append(connections, KV{name, c.Base() + "/" + c.Version.String() + "/" + c.ID + "/" + name})
	}
	out := Obj{{"fields", fields}, {"type", strings.ToLower(s.name)}}
	if len(connections) > 0 {
		out = append(out, KV{"connections", connections})
	}
	return out
}
