package device

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// members calls f for every member of a JSON object, in order. The object must have passed [json.Valid]; the key is
// without its quotes and still escaped, the value is raw. It reports whether obj is an object at all. It exists because
// messages fly by the thousand and need four members of theirs, without reflection.
func members(obj []byte, f func(key, value []byte)) bool {
	i := space(obj, 0)
	if i >= len(obj) || obj[i] != '{' {
		return false
	}
	i++
	for {
		i = space(obj, i)
		switch {
		case i >= len(obj) || obj[i] == '}':
			return true
		case obj[i] == ',':
			i++
			continue
		}
		start := i
		i = quoted(obj, i)
		key := obj[start+1 : i-1]
		i = space(obj, i) + 1 // the colon
		i = space(obj, i)
		start = i
		i = value(obj, i)
		f(key, obj[start:i])
	}
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// quoted returns the end of the string that begins at i.
func quoted(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// value returns the end of the value that begins at i.
func value(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = quoted(b, i); depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			} else if depth < 0 {
				return i
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// text reads a JSON string; anything else gives "".
func text(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return strings.ToValidUTF8(string(raw[1:len(raw)-1]), string(utf8.RuneError))
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// number reads a JSON number that is a whole number; anything else gives 0.
func number(raw []byte) int64 {
	var n int64
	if len(raw) == 0 || len(raw) > 18 {
		return 0
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// member returns one member of an object that passed [json.Valid], nil when it is absent.
func member(obj []byte, name string) []byte {
	var found []byte
	members(obj, func(key, value []byte) {
		if string(key) == name {
			found = value
		}
	})
	return found
}
