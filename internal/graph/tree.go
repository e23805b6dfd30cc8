package graph

import (
	"strconv"
	"strings"
)

// Kind is the JSON type of a [Value].
type Kind uint8

// The kinds of values. Absent is the zero value: the parameter was not sent.
const (
	KindAbsent Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
	KindUpload // a file part of a multipart body
)

// doc is a parsed parameter set or JSON text: nodes in one slice, linked by index, node 0 being the root. Strings are
// substrings of the body wherever they hold no escape, so a message body costs three allocations.
type doc struct {
	nodes []node
	base  string          // path of node 0; "" for a parameter set
	subs  map[int32]*doc  // JSON texts found in form strings, parsed on demand
	files map[int32]*File // of Upload nodes
}

type node struct {
	key   string // in an object
	text  string // String: the text; Number, Bool: the literal
	first int32  // child, 0 when none
	last  int32
	next  int32 // sibling, 0 when none
	up    int32
	count int32 // children
	pos   int32 // in an array
	kind  Kind
	loose bool // from a query, form or modifier: the type is what the reader makes of it
}

// add appends n as the last child of up and returns its index.
func (d *doc) add(up int32, n node) int32 {
	i := int32(len(d.nodes)) // parsers stop at maxNodes
	n.up = up
	p := &d.nodes[up]
	if p.kind == KindArray && n.pos == 0 {
		n.pos = p.count
	}
	if p.first == 0 {
		p.first = i
	} else {
		d.nodes[p.last].next = i
	}
	p.last = i
	p.count++
	d.nodes = append(d.nodes, n)
	return i
}

// find returns the child of object i named key, or 0.
func (d *doc) find(i int32, key string) int32 {
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if d.nodes[c].key == key {
			return c
		}
	}
	return 0
}

// drop unlinks every parameter named key.
func (d *doc) drop(key string) {
	prev := int32(0)
	for c := d.nodes[0].first; c != 0; c = d.nodes[c].next {
		if d.nodes[c].key != key {
			prev = c
			continue
		}
		if prev == 0 {
			d.nodes[0].first = d.nodes[c].next
		} else {
			d.nodes[prev].next = d.nodes[c].next
		}
		if d.nodes[0].last == c {
			d.nodes[0].last = prev
		}
		d.nodes[0].count--
	}
}

// path renders where node i is, "template['components'][0]['type']".
func (d *doc) path(i int32) string {
	if i == 0 {
		return d.base
	}
	n := &d.nodes[i]
	up := d.path(n.up)
	if d.nodes[n.up].kind == KindArray {
		return up + "[" + strconv.Itoa(int(n.pos)) + "]"
	}
	return join(up, n.key)
}

func join(up, key string) string {
	if up == "" {
		return key
	}
	return up + "['" + key + "']"
}

func newDoc(sizeHint int) *doc {
	d := &doc{nodes: make([]node, 1, sizeHint)}
	d.nodes[0].kind = KindObject
	return d
}

// Value is one parameter or a part of one. The zero Value is an absent one. Values know where they are, so every accessor
// that returns an error names the parameter in Graph wording. A Value may be read by one goroutine at a time.
type Value struct {
	d    *doc
	i    int32
	miss string // the first key not found below node i
	deep string // path below miss, already rendered
}

// Text makes a Value of a text as if it came from a form field called name: accessors apply the list, object and number
// forms of spec/graph.md 3.3. It is how field modifiers and stored settings are read.
func Text(name, text string) Value {
	d := newDoc(2)
	d.add(0, node{key: name, text: text, kind: KindString, loose: true})
	return Value{d: d, i: 1}
}

// JSON makes a Value of a body that must be a JSON object, as if it had come with the call. Errors: those of bodies.
func JSON(text string) (Value, error) {
	d, err := parseBodyJSON(text)
	if err != nil {
		return Value{}, err
	}
	return Value{d: d}, nil
}

// Kind is the JSON type as it was sent. Values of forms and queries are String, or Array when repeated.
func (v Value) Kind() Kind {
	if v.d == nil || v.miss != "" {
		return KindAbsent
	}
	return v.d.nodes[v.i].kind
}

// Present reports whether the value was sent and is not JSON null.
func (v Value) Present() bool {
	k := v.Kind()
	return k != KindAbsent && k != KindNull
}

// Path is the place of the value in the notation of error messages, "template['language']['code']".
func (v Value) Path() string {
	if v.d == nil {
		return ""
	}
	p := v.d.path(v.i)
	if v.miss != "" {
		p = join(p, v.miss)
	}
	return p + v.deep
}

// Get returns the member named key of an object, or an absent Value that still knows its path. A form string that holds a
// JSON object is looked into.
func (v Value) Get(key string) Value {
	if v.d == nil {
		return Value{d: emptyDoc, miss: key}
	}
	if v.miss != "" {
		v.deep += "['" + key + "']"
		return v
	}
	o := v.open(KindObject)
	if o.Kind() != KindObject {
		return Value{d: v.d, i: v.i, miss: key}
	}
	if c := o.d.find(o.i, key); c != 0 {
		return Value{d: o.d, i: c}
	}
	return Value{d: o.d, i: o.i, miss: key}
}

var emptyDoc = newDoc(1)

// Has reports whether the object has a present, non-null member named key.
func (v Value) Has(key string) bool { return v.Get(key).Present() }

// Len is the number of elements of an array or members of an object.
func (v Value) Len() int {
	if k := v.Kind(); k != KindArray && k != KindObject {
		return 0
	}
	return int(v.d.nodes[v.i].count)
}

// Elems returns the elements of an array, nil for anything else. See [Value.List] for the forms a form field may have.
func (v Value) Elems() []Value {
	if v.Kind() != KindArray {
		return nil
	}
	out := make([]Value, 0, v.d.nodes[v.i].count)
	for c := v.d.nodes[v.i].first; c != 0; c = v.d.nodes[c].next {
		out = append(out, Value{d: v.d, i: c})
	}
	return out
}

// Keys returns the member names of an object in the order they were sent, nil for anything else.
func (v Value) Keys() []string {
	if v.Kind() != KindObject {
		return nil
	}
	out := make([]string, 0, v.d.nodes[v.i].count)
	for c := v.d.nodes[v.i].first; c != 0; c = v.d.nodes[c].next {
		out = append(out, v.d.nodes[c].key)
	}
	return out
}

// Only fails with `Unexpected key "x" on param "text".` when the object has a member that is not in keys. On a whole
// parameter set the parameters every call understands (fields, limit, …) are not counted.
func (v Value) Only(keys ...string) error {
	o := v.open(KindObject)
	if o.Kind() != KindObject {
		return nil
	}
	root := o.i == 0 && o.d.base == ""
next:
	for c := o.d.nodes[o.i].first; c != 0; c = o.d.nodes[c].next {
		k := o.d.nodes[c].key
		for _, want := range keys {
			if k == want {
				continue next
			}
		}
		if root && understood[k] {
			continue
		}
		if root {
			return Invalid(`Unexpected key "%s".`, clip(k))
		}
		return Invalid(`Unexpected key "%s" on param "%s".`, clip(k), o.Path())
	}
	return nil
}

// understood are the parameters of spec/graph.md 3.4, legal on every call.
var understood = map[string]bool{
	"access_token": true, "appsecret_proof": true, "appsecret_time": true, "fields": true, "limit": true, "after": true,
	"before": true, "summary": true, "ids": true, "method": true, "format": true, "pretty": true,
	"suppress_http_code": true, "callback": true, "locale": true, "date_format": true, "debug": true, "metadata": true,
	"include_headers": true,
}

// open returns v itself, or for a form string holding a JSON text of kind k the value of that text.
func (v Value) open(k Kind) Value {
	if v.d == nil || v.miss != "" {
		return v
	}
	n := &v.d.nodes[v.i]
	if !n.loose || n.kind != KindString {
		return v
	}
	if sub, ok := v.d.subs[v.i]; ok {
		if sub == nil {
			return v
		}
		return Value{d: sub}
	}
	t := strings.TrimLeft(n.text, " \t\r\n")
	if t == "" || (k == KindObject && t[0] != '{') || (k == KindArray && t[0] != '[') {
		return v
	}
	sub, err := parseJSON(n.text, v.d.path(v.i))
	if v.d.subs == nil {
		v.d.subs = make(map[int32]*doc)
	}
	v.d.subs[v.i] = sub // nil when malformed: a large bad text must not be read again for every Get
	if err != nil {
		return v
	}
	return Value{d: sub}
}
