package graph

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Raw is JSON that is written as it is: what hot paths answer with. It must be one valid JSON text.
type Raw []byte

// Obj is a JSON object with the order of its members kept. Members whose value is nil are left out.
type Obj []KV

// KV is one member of an [Obj].
type KV struct {
	K string
	V any
}

// Success is what updates, deletes and actions answer: {"success":true}.
var Success = Raw(`{"success":true}`)

// ID is what creations answer: {"id":"…"}.
func ID[S ~string](id S) Obj { return Obj{{"id", string(id)}} }

// NonEmpty is s, or nil when it is empty, so that a field without value is left out.
func NonEmpty[S ~string](s S) any {
	if s == "" {
		return nil
	}
	return string(s)
}

// isoTime is the form of times of nodes (spec/graph.md 5.2).
const isoTime = "2006-01-02T15:04:05-0700"

// encoder appends JSON. Common types are written without reflection; the rest goes through encoding/json.
type encoder struct {
	b    []byte
	unix bool // date_format=U: times as Unix seconds
}

func (e *encoder) key(first *bool, k string) {
	if !*first {
		e.b = append(e.b, ',')
	}
	*first = false
	e.b = appendString(e.b, k)
	e.b = append(e.b, ':')
}

// value writes what field getters and handlers return.
func (e *encoder) value(v any) error {
	switch t := v.(type) {
	case nil:
		e.b = append(e.b, "null"...)
	case string:
		e.b = appendString(e.b, t)
	case bool:
		e.b = strconv.AppendBool(e.b, t)
	case int:
		e.b = strconv.AppendInt(e.b, int64(t), 10)
	case int64:
		e.b = strconv.AppendInt(e.b, t, 10)
	case float64:
		return e.float(t)
	case time.Time:
		if e.unix {
			e.b = strconv.AppendInt(e.b, t.Unix(), 10)
			return nil
		}
		e.b = append(e.b, '"')
		e.b = t.UTC().AppendFormat(e.b, isoTime)
		e.b = append(e.b, '"')
	case Raw:
		e.b = append(e.b, t...)
	case Obj:
		return e.object(t)
	case Value:
		e.b = t.AppendJSON(e.b)
	case []string:
		return list(e, t)
	case []any:
		return list(e, t)
	case []Obj:
		return list(e, t)
	case map[string]any:
		return members(e, t)
	case map[string]string:
		return members(e, t)
	default:
		return e.reflected(v)
	}
	return nil
}

func (e *encoder) float(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("encode %v: not a JSON number", f)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		e.b = strconv.AppendInt(e.b, int64(f), 10)
		return nil
	}
	e.b = strconv.AppendFloat(e.b, f, 'g', -1, 64)
	return nil
}

func (e *encoder) object(o Obj) error {
	first := true
	e.b = append(e.b, '{')
	for _, m := range o {
		if m.V == nil {
			continue
		}
		e.key(&first, m.K)
		if err := e.value(m.V); err != nil {
			return err
		}
	}
	e.b = append(e.b, '}')
	return nil
}

func list[T any](e *encoder, items []T) error {
	e.b = append(e.b, '[')
	for i, item := range items {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		if err := e.value(item); err != nil {
			return err
		}
	}
	e.b = append(e.b, ']')
	return nil
}

func members[T any](e *encoder, m map[string]T) error {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	first := true
	e.b = append(e.b, '{')
	for _, k := range keys {
		e.key(&first, k)
		if err := e.value(m[k]); err != nil {
			return err
		}
	}
	e.b = append(e.b, '}')
	return nil
}

// reflected handles named strings, numbers, pointers and slices of what value knows, and leaves the rest to encoding/json.
func (e *encoder) reflected(v any) error {
	if _, ok := v.(json.Marshaler); !ok {
		rv := reflect.ValueOf(v)
		switch rv.Kind() {
		case reflect.String:
			return e.value(rv.String())
		case reflect.Bool:
			return e.value(rv.Bool())
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			return e.value(rv.Int())
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			e.b = strconv.AppendUint(e.b, rv.Uint(), 10)
			return nil
		case reflect.Float32, reflect.Float64:
			return e.float(rv.Float())
		case reflect.Pointer, reflect.Interface:
			if rv.IsNil() {
				return e.value(nil)
			}
			return e.value(rv.Elem().Interface())
		case reflect.Slice:
			if rv.Type().Elem().Kind() == reflect.Uint8 {
				break // encoding/json writes bytes as base64
			}
			items := make([]any, rv.Len())
			for i := range items {
				items[i] = rv.Index(i).Interface()
			}
			return list(e, items)
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	e.b = append(e.b, b...)
	return nil
}

// AppendJSON appends the value as compact JSON. Form strings that hold a JSON object or array are written as that, so the
// result does not depend on the carrier; absent values and files are null.
func (v Value) AppendJSON(b []byte) []byte {
	if v.Kind() == KindAbsent {
		return append(b, "null"...)
	}
	n := &v.d.nodes[v.i]
	switch n.kind {
	case KindNull, KindUpload:
		return append(b, "null"...)
	case KindBool, KindNumber:
		return append(b, n.text...)
	case KindString:
		if o := v.open(KindObject); o.Kind() == KindObject {
			return o.AppendJSON(b)
		}
		if a := v.open(KindArray); a.Kind() == KindArray {
			return a.AppendJSON(b)
		}
		return appendString(b, n.text)
	}
	open, end := byte('['), byte(']')
	if n.kind == KindObject {
		open, end = '{', '}'
	}
	b = append(b, open)
	for c := n.first; c != 0; c = v.d.nodes[c].next {
		if c != n.first {
			b = append(b, ',')
		}
		if n.kind == KindObject {
			b = append(appendString(b, v.d.nodes[c].key), ':')
		}
		b = Value{d: v.d, i: c}.AppendJSON(b)
	}
	return append(b, end)
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string; invalid UTF-8 becomes U+FFFD. Slashes and non-ASCII stay as they are: the real
// service escapes them, and any valid JSON is accepted by clients (spec/graph.md 5.2).
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
