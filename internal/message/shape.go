package message

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// A shape says which members an object of a device's message has, in the order in which the platform repeats them to the
// business. Everything else a device writes is left out.
type shape []member

type member struct {
	name  string
	check func(raw []byte) bool // of the value as it stands in the text; nil for objects and lists
	must  bool                  // without it the object is none
	empty string                // written when the member is missing; "" for nothing
	of    shape                 // of an object
	each  bool                  // a list of such objects, or of the checked value
	most  int                   // elements of a list
}

// maxMembers bounds the members of a shape.
const maxMembers = 12

// append appends the object in raw, which is valid JSON, in the form of the shape; false when it does not fit. An object of
// which nothing is left does not fit either.
func (s shape) append(b, raw []byte) ([]byte, bool) {
	var values [maxMembers][]byte
	if len(raw) == 0 || raw[0] != '{' || !s.read(raw, &values) {
		return b, false
	}
	start := len(b)
	b = append(b, '{')
	for i := range s {
		m := &s[i]
		before := len(b)
		if before > start+1 {
			b = append(b, ',')
		}
		named := append(append(append(b, '"'), m.name...), '"', ':')
		fits := values[i] != nil
		if fits {
			b, fits = m.append(named, values[i])
		}
		switch {
		case fits:
		case m.must:
			return b[:start], false
		case m.empty != "":
			b = append(named, m.empty...)
		default:
			b = b[:before]
		}
	}
	if len(b) == start+1 {
		return b[:start], false
	}
	return append(b, '}'), true
}

// read collects the values of the shape's members.
func (s shape) read(raw []byte, values *[maxMembers][]byte) bool {
	r := open(raw)
	defer r.close()
	return members(r, func(name []byte) bool {
		for i := range s {
			if string(name[1:len(name)-1]) == s[i].name {
				v, ok := r.span()
				values[i] = v
				return ok
			}
		}
		return skip(r)
	})
}

func (m *member) append(b, raw []byte) ([]byte, bool) {
	switch {
	case m.each:
		return m.list(b, raw)
	case m.of != nil:
		return m.of.append(b, raw)
	case m.check(raw):
		return append(b, raw...), true
	}
	return b, false
}

// list appends the elements that fit; a list without any does not fit.
func (m *member) list(b, raw []byte) ([]byte, bool) {
	if raw[0] != '[' {
		return b, false
	}
	r := open(raw)
	defer r.close()
	if _, err := r.ReadToken(); err != nil {
		return b, false
	}
	start, n := len(b), 0
	b = append(b, '[')
	one := member{check: m.check, of: m.of}
	for r.PeekKind() != ']' && n < m.most {
		v, ok := r.span()
		if !ok {
			return b[:start], false
		}
		before := len(b)
		if n > 0 {
			b = append(b, ',')
		}
		if b, ok = one.append(b, v); ok {
			n++
		} else {
			b = b[:before]
		}
	}
	return append(b, ']'), n > 0
}

// ---- checks of values; raw is valid JSON ----

// text accepts strings of up to most bytes as they stand in the JSON text.
func text(most int) func([]byte) bool {
	return func(raw []byte) bool { return raw[0] == '"' && len(raw)-2 <= most }
}

// filled accepts strings that are not empty.
func filled(most int) func([]byte) bool {
	return func(raw []byte) bool { return raw[0] == '"' && len(raw) > 2 && len(raw)-2 <= most }
}

// one accepts the listed strings.
func one(of ...string) func([]byte) bool {
	return func(raw []byte) bool {
		for _, s := range of {
			if len(raw) == len(s)+2 && string(raw[1:len(raw)-1]) == s && raw[0] == '"' {
				return true
			}
		}
		return false
	}
}

func truth(raw []byte) bool { return raw[0] == 't' || raw[0] == 'f' }

// between accepts numbers in a range, as a double can hold them.
func between(low, high float64) func([]byte) bool {
	return func(raw []byte) bool {
		if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
			return false
		}
		f, err := strconv.ParseFloat(string(raw), 64)
		return err == nil && f >= low && f <= high
	}
}

// count accepts whole numbers from 1 on.
func count(raw []byte) bool {
	n, err := strconv.ParseUint(string(raw), 10, 31)
	return err == nil && n > 0
}

// unix accepts a time in seconds, as a string of digits.
func unix(raw []byte) bool {
	if raw[0] != '"' || len(raw) < 3 || len(raw) > 14 {
		return false
	}
	return len(bytes.Trim(raw[1:len(raw)-1], "0123456789")) == 0
}

// object accepts a string that holds a JSON object.
func object(raw []byte) bool {
	if raw[0] != '"' {
		return false
	}
	v, err := jsontext.AppendUnquote(nil, raw)
	return err == nil && jsontext.Value(v).IsValid() && jsontext.Value(v).Kind() == '{'
}
