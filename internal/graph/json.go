package graph

import (
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of one JSON text. A message body has some dozen nodes; a template with carousel some hundred.
const (
	maxDepth = 32
	maxNodes = 50_000
	maxKeys  = 1_000 // members of one object, parameters of one call
)

// errSyntax is what every malformed JSON text is; the text of the wire is chosen by the caller.
var errSyntax = errors.New("malformed JSON")

// parseJSON reads one JSON text (RFC 8259) into a tree whose root has the path base. It refuses what readers of JSON
// disagree about: duplicate keys, invalid UTF-8, lone surrogates, NUL characters, and more than the bounds above. Errors
// are errSyntax or rows with code 100.
func parseJSON(s, base string) (*doc, error) {
	d := &doc{nodes: make([]node, 1, min(len(s)/14+4, 512)), base: base}
	p := parser{s: s, d: d}
	p.space()
	if err := p.value(0, 0); err != nil {
		return nil, err
	}
	p.space()
	if p.i != len(p.s) {
		return nil, errSyntax
	}
	return d, nil
}

type parser struct {
	s string
	i int
	d *doc
}

func (p *parser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// value reads one value into node id, which its parent has already linked.
func (p *parser) value(id int32, depth int) error {
	if p.i >= len(p.s) {
		return errSyntax
	}
	switch c := p.s[p.i]; c {
	case '{':
		return p.object(id, depth+1)
	case '[':
		return p.array(id, depth+1)
	case '"':
		t, err := p.text()
		if errors.Is(err, errNUL) {
			return p.badText(id)
		}
		n := &p.d.nodes[id]
		n.kind, n.text = KindString, t
		return err
	case 't':
		return p.literal(id, KindBool, "true")
	case 'f':
		return p.literal(id, KindBool, "false")
	case 'n':
		return p.literal(id, KindNull, "null")
	default:
		return p.number(id)
	}
}

func (p *parser) literal(id int32, k Kind, word string) error {
	if !strings.HasPrefix(p.s[p.i:], word) {
		return errSyntax
	}
	n := &p.d.nodes[id]
	n.kind, n.text = k, word
	p.i += len(word)
	return nil
}

func (p *parser) badText(id int32) error {
	return Invalid("Param %s must not contain NUL characters.", clip(p.d.path(id)))
}

func (p *parser) grow(depth int) error {
	if depth > maxDepth {
		return Invalid("JSON is nested deeper than %d levels", maxDepth)
	}
	if len(p.d.nodes) >= maxNodes {
		return Invalid("JSON has more than %d values", maxNodes)
	}
	return nil
}

func (p *parser) array(id int32, depth int) error {
	p.d.nodes[id].kind = KindArray
	p.i++
	p.space()
	if p.i < len(p.s) && p.s[p.i] == ']' {
		p.i++
		return nil
	}
	for {
		if err := p.grow(depth); err != nil {
			return err
		}
		if err := p.value(p.d.add(id, node{}), depth); err != nil {
			return err
		}
		if done, err := p.comma(']'); done || err != nil {
			return err
		}
	}
}

// comma eats what follows an element: the closing byte, or a comma and the space after it.
func (p *parser) comma(end byte) (done bool, err error) {
	p.space()
	if p.i >= len(p.s) {
		return false, errSyntax
	}
	c := p.s[p.i]
	p.i++
	if c == end {
		return true, nil
	}
	if c != ',' {
		return false, errSyntax
	}
	p.space()
	return false, nil
}

func (p *parser) object(id int32, depth int) error {
	p.d.nodes[id].kind = KindObject
	p.i++
	p.space()
	if p.i < len(p.s) && p.s[p.i] == '}' {
		p.i++
		return nil
	}
	var seen map[string]struct{}
	for {
		if err := p.grow(depth); err != nil {
			return err
		}
		key, err := p.key(id)
		if err != nil {
			return err
		}
		if seen, err = p.once(id, key, seen); err != nil {
			return err
		}
		if err := p.value(p.d.add(id, node{key: key}), depth); err != nil {
			return err
		}
		if done, err := p.comma('}'); done || err != nil {
			return err
		}
	}
}

func (p *parser) key(id int32) (string, error) {
	if p.i >= len(p.s) || p.s[p.i] != '"' {
		return "", errSyntax
	}
	key, err := p.text()
	if errors.Is(err, errNUL) {
		return "", p.badText(id)
	}
	if err != nil {
		return "", err
	}
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != ':' {
		return "", errSyntax
	}
	p.i++
	p.space()
	return key, nil
}

// once refuses a second member of the same name. Small objects are searched, large ones get a set.
func (p *parser) once(id int32, key string, seen map[string]struct{}) (map[string]struct{}, error) {
	n := p.d.nodes[id].count
	dup := false
	switch {
	case n >= maxKeys:
		return nil, Invalid("Param %s has more than %d keys.", clip(p.d.path(id)), maxKeys)
	case n < 16:
		dup = p.d.find(id, key) != 0
	default:
		if seen == nil {
			seen = make(map[string]struct{}, 2*n)
			for c := p.d.nodes[id].first; c != 0; c = p.d.nodes[c].next {
				seen[p.d.nodes[c].key] = struct{}{}
			}
		}
		_, dup = seen[key]
		seen[key] = struct{}{}
	}
	if dup {
		return nil, Invalid(`Duplicate key "%s" in JSON`, clip(join(p.d.path(id), key)))
	}
	return seen, nil
}

func (p *parser) number(id int32) error {
	s, i := p.s, p.i
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := i
	i = skipDigits(s, i)
	if i == whole || (s[whole] == '0' && i > whole+1) {
		return errSyntax
	}
	if i < len(s) && s[i] == '.' {
		from := i + 1
		if i = skipDigits(s, from); i == from {
			return errSyntax
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		from := i
		if i = skipDigits(s, from); i == from {
			return errSyntax
		}
	}
	n := &p.d.nodes[id]
	n.kind, n.text = KindNumber, s[p.i:i]
	p.i = i
	return nil
}

func skipDigits(s string, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

// errNUL marks a string with U+0000: legal JSON, but no text of this platform, and poison for what stores text.
var errNUL = errors.New("NUL in string")

// text reads a string; p.i is at the opening quote. Without escapes the result shares the body's memory.
func (p *parser) text() (string, error) {
	s, from := p.s, p.i+1
	ascii := true
	for i := from; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			p.i = i + 1
			if !ascii && !utf8.ValidString(s[from:i]) {
				return "", errSyntax
			}
			return s[from:i], nil
		case c == '\\':
			return p.escaped(from, i)
		case c < ' ':
			return "", errSyntax
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", errSyntax
}

// escaped continues text at the first backslash, at i.
func (p *parser) escaped(from, i int) (string, error) {
	s := p.s
	b := append(make([]byte, 0, min(len(s)-from, 2*(i-from)+64)), s[from:i]...)
	nul := false
	for i < len(s) {
		c := s[i]
		switch {
		case c == '"':
			p.i = i + 1
			if !utf8.Valid(b) {
				return "", errSyntax
			}
			if nul {
				return "", errNUL
			}
			return string(b), nil
		case c < ' ':
			return "", errSyntax
		case c != '\\':
			b = append(b, c)
			i++
			continue
		}
		if i+1 >= len(s) {
			return "", errSyntax
		}
		if s[i+1] == 'u' {
			r, n := unicodeEscape(s[i:])
			if n == 0 {
				return "", errSyntax
			}
			nul = nul || r == 0
			b = utf8.AppendRune(b, r)
			i += n
			continue
		}
		e := strings.IndexByte(`"\/bfnrt`, s[i+1])
		if e < 0 {
			return "", errSyntax
		}
		b = append(b, "\"\\/\b\f\n\r\t"[e])
		i += 2
	}
	return "", errSyntax
}

// unicodeEscape reads \uXXXX, or a surrogate pair of them, at the start of s and returns its length; 0 means malformed.
func unicodeEscape(s string) (rune, int) {
	r, ok := hex4(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(s) < 12 {
		return 0, 0
	}
	low, ok := hex4(s[6:])
	if !ok {
		return 0, 0
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for i := 2; i < 6; i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
