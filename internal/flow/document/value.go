package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// The bounds of a document. Source: spec/flows.md, section 4 (size); the others are ours.
const (
	MaxSize   = 10 << 20 // bytes
	MaxDepth  = 64       // levels of objects and arrays
	MaxValues = 200_000  // objects, arrays, strings, numbers …
)

// ErrSyntax is the error of bytes that are no JSON object within the bounds; the text says where they go wrong.
var ErrSyntax = errors.New("not a JSON object")

// kind is what a JSON value is.
type kind uint8

const (
	kindNull kind = 1 << iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

var kindNames = map[kind]string{
	kindNull: "null", kindBool: "boolean", kindNumber: "number", kindString: "string", kindArray: "array", kindObject: "object",
}

// value is a JSON value that remembers where it stands in the source: the bytes from start up to end.
type value struct {
	kind       kind
	start, end int
	text       string // of a string, or a number as written
	yes        bool   // of a boolean
	members    []member
	items      []*value
}

// member is a property of an object, in the order of the source.
type member struct {
	name       string
	start, end int // of the name
	value      *value
}

// get returns a property; nil when there is none. Of several with one name the last counts, as with other readers of JSON.
func (v *value) get(name string) *value {
	if v == nil {
		return nil
	}
	for _, v0 := range slices.Backward(v.members) {
		if v0.name == name {
			return v0.value
		}
	}
	return nil
}

// str is the text of a string; empty for everything else.
func (v *value) str() string {
	if v == nil || v.kind != kindString {
		return ""
	}
	return v.text
}

// is reports whether v exists and is of one of the kinds.
func (v *value) is(k kind) bool { return v != nil && v.kind&k != 0 }

// plain is the value as encoding/json would decode it.
func (v *value) plain() any {
	if v == nil {
		return nil
	}
	switch v.kind {
	case kindBool:
		return v.yes
	case kindNumber:
		n, _ := strconv.ParseFloat(v.text, 64) // the scanner took it as a number
		return n
	case kindString:
		return v.text
	case kindArray:
		list := make([]any, len(v.items))
		for i, it := range v.items {
			list[i] = it.plain()
		}
		return list
	case kindObject:
		m := make(map[string]any, len(v.members))
		for i := range v.members {
			m[v.members[i].name] = v.members[i].value.plain()
		}
		return m
	case kindNull:
	}
	return nil
}

// reader turns bytes into values. The scanner of encoding/json does the work; the reader keeps the places.
type reader struct {
	src    []byte
	dec    *json.Decoder
	values int
}

func read(src []byte) (*value, error) {
	if len(src) > MaxSize {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrSyntax, MaxSize)
	}
	r := &reader{src: src, dec: json.NewDecoder(bytes.NewReader(src))}
	r.dec.UseNumber()
	v, err := r.value(0)
	if err == nil {
		if _, err = r.dec.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else {
			err = errors.New("something follows the object")
		}
	}
	if err == nil && v.kind != kindObject {
		err = errors.New("it is of type " + kindNames[v.kind])
	}
	if err != nil {
		line, column := newLines(src).at(int(r.dec.InputOffset()))
		return nil, fmt.Errorf("%w: line %d, column %d: %w", ErrSyntax, line, column, err)
	}
	return v, nil
}

// token reads the next token and says which bytes it is.
func (r *reader) token() (tok json.Token, start, end int, err error) {
	start = int(r.dec.InputOffset())
	tok, err = r.dec.Token()
	end = int(r.dec.InputOffset())
	for start < end && bytes.IndexByte([]byte(" \t\r\n,:"), r.src[start]) >= 0 {
		start++
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return tok, start, end, err //nolint:wrapcheck // the caller adds the place
}

func (r *reader) value(depth int) (*value, error) {
	tok, start, end, err := r.token()
	if err != nil {
		return nil, err
	}
	return r.from(tok, start, end, depth)
}

// from makes the value that begins with a token.
func (r *reader) from(tok json.Token, start, end, depth int) (*value, error) {
	if r.values++; r.values > MaxValues {
		return nil, fmt.Errorf("more than %d values", MaxValues)
	}
	v := &value{start: start, end: end}
	switch t := tok.(type) {
	case nil:
		v.kind = kindNull
	case bool:
		v.kind, v.yes = kindBool, t
	case json.Number:
		v.kind, v.text = kindNumber, t.String()
	case string:
		v.kind, v.text = kindString, t
	case json.Delim:
		if depth >= MaxDepth {
			return nil, fmt.Errorf("more than %d levels", MaxDepth)
		}
		if t == '[' {
			return r.array(v, depth+1)
		}
		return r.object(v, depth+1)
	}
	return v, nil
}

func (r *reader) array(v *value, depth int) (*value, error) {
	v.kind = kindArray
	for {
		tok, start, end, err := r.token()
		if err != nil {
			return nil, err
		}
		if tok == json.Delim(']') {
			v.end = end
			return v, nil
		}
		item, err := r.from(tok, start, end, depth)
		if err != nil {
			return nil, err
		}
		v.items = append(v.items, item)
	}
}

func (r *reader) object(v *value, depth int) (*value, error) {
	v.kind = kindObject
	for {
		tok, start, end, err := r.token()
		if err != nil {
			return nil, err
		}
		name, ok := tok.(string)
		if !ok { // the decoder lets nothing else through here but the end
			v.end = end
			return v, nil
		}
		m := member{name: name, start: start, end: end}
		if m.value, err = r.value(depth); err != nil {
			return nil, err
		}
		v.members = append(v.members, m)
	}
}
