package html

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Node is a piece of a page: an element, an attribute, text, or a group of these. Nil prints nothing.
type Node interface {
	// open writes what belongs into the start tag of the parent, body what belongs between its tags.
	open(b []byte) []byte
	body(b []byte) []byte
}

// Group is several nodes in place of one. Its attributes belong to the element it stands in.
type Group []Node

func (g Group) open(b []byte) []byte {
	for _, n := range g {
		if n != nil {
			b = n.open(b)
		}
	}
	return b
}

func (g Group) body(b []byte) []byte {
	for _, n := range g {
		if n != nil {
			b = n.body(b)
		}
	}
	return b
}

type text string

func (text) open(b []byte) []byte   { return b }
func (t text) body(b []byte) []byte { return escape(b, string(t)) }

// Text is s as people shall read it.
func Text(s string) Node { return text(s) }

// Int is n in decimal digits without separators.
func Int(n int) Node { return text(strconv.Itoa(n)) }

type attribute struct {
	name, value string
	bare        bool
}

func (a attribute) open(b []byte) []byte {
	b = append(append(b, ' '), a.name...)
	if a.bare {
		return b
	}
	b = append(b, '=', '"')
	return append(escape(b, a.value), '"')
}

func (attribute) body(b []byte) []byte { return b }

type element struct {
	name string
	void bool
	kids Group
}

func (element) open(b []byte) []byte { return b }

func (e element) body(b []byte) []byte {
	b = append(append(b, '<'), e.name...)
	b = append(e.kids.open(b), '>')
	if e.void {
		return b
	}
	if e.name == "pre" || e.name == "textarea" {
		b = append(b, '\n') // a browser drops the first line feed there: let it be ours
	}
	b = e.kids.body(b)
	return append(append(append(b, '<', '/'), e.name...), '>')
}

type document struct{ element }

func (d document) body(b []byte) []byte { return d.element.body(append(b, "<!doctype html>"...)) }

// escape appends s as text that is also right inside a quoted attribute. What is not UTF-8, and NUL, becomes U+FFFD; a carriage
// return would be read as a line feed if it were not spelt out.
func escape(b []byte, s string) []byte {
	done := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if with := entity(r, size); with != "" {
			b = append(append(b, s[done:i]...), with...)
			done = i + size
		}
		i += size
	}
	return append(b, s[done:]...)
}

func entity(r rune, size int) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&#34;"
	case '\'':
		return "&#39;"
	case '\r':
		return "&#13;"
	case 0:
		return "\ufffd"
	case utf8.RuneError:
		if size == 1 {
			return "\ufffd"
		}
	}
	return ""
}

// If is n when so, else nothing. n is built in either case: where that needs a value that may be missing, use [Iff].
func If(so bool, n Node) Node {
	if so {
		return n
	}
	return nil
}

// Iff is what f gives when so; else f is not called.
func Iff(so bool, f func() Node) Node {
	if so {
		return f()
	}
	return nil
}

// Map is one node for each of list.
func Map[T any](list []T, f func(T) Node) Node {
	g := make(Group, len(list))
	for i, v := range list {
		g[i] = f(v)
	}
	return g
}

// Render writes n.
func Render(w io.Writer, n Node) error {
	if n == nil {
		return nil
	}
	_, err := w.Write(n.body(make([]byte, 0, 16<<10)))
	return err
}

// String is n as markup.
func String(n Node) string {
	var s strings.Builder
	_ = Render(&s, n) // a builder takes everything
	return s.String()
}

// Part finds the element with an id in n; nil when there is none. The answer to a request for a fragment is such a part of the page.
func Part(n Node, id string) Node {
	switch n := n.(type) {
	case Group:
		for _, kid := range n {
			if found := Part(kid, id); found != nil {
				return found
			}
		}
	case half:
		return Part(n.of, id)
	case document:
		return Part(n.kids, id)
	case element:
		if n.kids.has("id", id) {
			return n
		}
		return Part(n.kids, id)
	}
	return nil
}

func (g Group) has(name, value string) bool {
	for _, n := range g {
		switch n := n.(type) {
		case attribute:
			if n.name == name && n.value == value {
				return true
			}
		case Group:
			if n.has(name, value) {
				return true
			}
		case half:
			if n.attributes && (Group{n.of}).has(name, value) {
				return true
			}
		}
	}
	return false
}

// Attributes is what of n belongs into the start tag of the element it stands in, Content the rest: for a part that hands the nodes it
// was given to two elements.
func Attributes(n Node) Node { return half{n, true} }

// Children is n without its attributes.
func Children(n Node) Node { return half{n, false} }

type half struct {
	of         Node
	attributes bool
}

func (h half) open(b []byte) []byte {
	if h.attributes && h.of != nil {
		return h.of.open(b)
	}
	return b
}

func (h half) body(b []byte) []byte {
	if !h.attributes && h.of != nil {
		return h.of.body(b)
	}
	return b
}
