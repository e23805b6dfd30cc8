package graph

import (
	"cmp"
	"net/http"
	"slices"
)

// Description is what a [Server] serves, as data: for the documents that are generated from it.
type Description struct {
	Types     []Type     // what has fields, by name
	Endpoints []Endpoint // by route
}

// Type is what has fields: a node, or an object inside an answer.
type Type struct {
	Name   string // as error messages have it
	Kind   string // of nodes; "" for other objects
	Fields []TypeField
}

// TypeField is a member of a type.
type TypeField struct {
	Name string
	When When
	Type string // name of the type of its value, when that has fields
	Edge bool   // an edge that fields= can name
}

// Answer says what a call answers.
type Answer uint8

// The forms of answers.
const (
	AnswerOwn  Answer = iota // of its own form
	AnswerNode               // a node
	AnswerList               // {"data":[…],"paging":{…}}
)

// Endpoint is one method of one path.
type Endpoint struct {
	Route  string // what [Observer] counts it as: "POST phone_number/messages"
	Method string
	Kind   string // of the node it is called on; "" at the root
	Path   string // behind the id: "", "messages", "message_qrdls"; at the root the whole path
	Sub    bool   // one more component follows the path
	Scopes []string
	Answer Answer
	Item   string // name of the type that is answered, once or in a list
	Paged  bool   // a list with cursors
	Max    int    // items on a page, 0 when not paged
	Stream bool   // the body is raw bytes
	Access Access // of root paths
}

// Describe returns what the server serves, in a fixed order.
func (s *Server) Describe() Description {
	d := &describer{types: map[string]*Type{}, kinds: map[*shape]bool{}}
	d.add(Endpoint{Route: "GET /", Method: http.MethodGet, Access: TokenNeeded})
	d.add(Endpoint{Route: "POST /", Method: http.MethodPost, Access: TokenOptional})
	for _, r := range s.roots {
		d.root(r)
	}
	for kind, n := range s.kinds {
		d.shape(n)
		d.node(kind, n)
	}
	out := Description{Endpoints: d.ends}
	for _, t := range d.types {
		out.Types = append(out.Types, *t)
	}
	slices.SortFunc(out.Types, func(a, b Type) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(out.Endpoints, func(a, b Endpoint) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Route, b.Route))
	})
	return out
}

type describer struct {
	types map[string]*Type
	kinds map[*shape]bool // described already
	ends  []Endpoint
}

func (d *describer) add(e Endpoint) { d.ends = append(d.ends, e) }

// shape describes a type. Several shapes may have one name: the brief forms of a node in lists.
func (d *describer) shape(s *shape) {
	if s == nil || d.kinds[s] {
		return
	}
	d.kinds[s] = true
	t := d.types[s.name]
	if t == nil {
		t = &Type{Name: s.name}
		d.types[s.name] = t
	}
	if s.load != nil && t.Kind == "" {
		t.Kind = s.kind
	}
	for _, f := range s.fields {
		v := TypeField{Name: f.name, When: f.when}
		if f.sub != nil {
			v.Type = f.sub.name
			d.shape(f.sub)
		}
		t.merge(v)
	}
	for name, e := range s.edges {
		if e.list != nil {
			d.shape(e.list.item)
		}
		if e.one != nil && e.one.list != nil {
			d.shape(e.one.list.item)
		}
		if !e.notField && (e.list != nil || e.get != nil) {
			v := TypeField{Name: name, Edge: true}
			if e.list != nil {
				v.Type = e.list.item.name
			}
			t.merge(v)
		}
	}
	slices.SortFunc(t.Fields, func(a, b TypeField) int { return cmp.Compare(a.Name, b.Name) })
}

func (t *Type) merge(f TypeField) {
	at := slices.IndexFunc(t.Fields, func(o TypeField) bool { return o.Name == f.Name })
	if at < 0 {
		t.Fields = append(t.Fields, f)
		return
	}
	// What only some forms of the type answer unasked cannot be relied on.
	t.Fields[at].When = min(t.Fields[at].When, f.When)
}

func (d *describer) node(kind string, n *shape) {
	at := func(method, path string, sub bool, scopes []string) Endpoint {
		e := Endpoint{Route: method + " " + kind, Method: method, Kind: kind, Path: path, Sub: sub, Scopes: scopes}
		if path != "" {
			e.Route += "/" + path
		}
		if sub {
			e.Route += "/{sub}"
		}
		return e
	}
	e := at(http.MethodGet, "", false, n.scopes)
	e.Answer, e.Item = AnswerNode, n.name
	d.add(e)
	d.actions(n.post, n.del, n.scopes, func(method string, scopes []string) Endpoint { return at(method, "", false, scopes) })
	for name, edge := range n.edges {
		scopes := either(edge.scopes, n.scopes)
		d.reads(at(http.MethodGet, name, false, scopes), edge.list, edge.get != nil)
		d.actions(edge.post, edge.del, scopes, func(method string, scopes []string) Endpoint { return at(method, name, false, scopes) })
		if o := edge.one; o != nil {
			d.reads(at(http.MethodGet, name, true, scopes), o.list, o.get != nil)
			d.actions(o.post, o.del, scopes, func(method string, scopes []string) Endpoint { return at(method, name, true, scopes) })
		}
	}
}

func (d *describer) reads(e Endpoint, l *listing, own bool) {
	switch {
	case l != nil:
		e.Answer, e.Item = AnswerList, l.item.name
		if e.Paged = !l.unpaged; e.Paged {
			e.Max = l.max
		}
	case !own:
		return
	}
	d.add(e)
}

func (d *describer) actions(post, del *action, scopes []string, at func(string, []string) Endpoint) {
	for _, a := range []struct {
		method string
		a      *action
	}{{http.MethodPost, post}, {http.MethodDelete, del}} {
		if a.a == nil {
			continue
		}
		e := at(a.method, either(a.a.scopes, scopes))
		e.Stream = a.a.stream
		d.add(e)
	}
}

func (d *describer) root(r *root) {
	at := func(method string) Endpoint {
		return Endpoint{Route: method + " " + r.Path, Method: method, Path: r.Path, Scopes: r.Scopes, Access: r.Access}
	}
	if r.list != nil {
		d.shape(r.list.item)
	}
	d.reads(at(http.MethodGet), r.list, r.Get != nil)
	if r.Post != nil {
		d.add(at(http.MethodPost))
	}
	if r.Delete != nil {
		d.add(at(http.MethodDelete))
	}
}
