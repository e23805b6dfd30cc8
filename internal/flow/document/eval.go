package document

import (
	"math"
	"strconv"
	"strings"
)

// The bounds of what expressions make: a reference can be written many times, and what it stands for comes from anywhere.
const (
	maxMade   = 64 << 10 // bytes of text put together by one expression
	maxScreen = 4 << 20  // weight of all that the references of a screen stand for
)

// scope finds what a reference stands for; nil when there is nothing, and when all that was found would weigh too much.
type scope struct {
	find func(ref []string) any
	left int  // weight that may still be found
	over bool // something weighed too much
}

func (of *scope) ref(ref []string) any {
	v := of.find(ref)
	if of.left -= weigh(v, of.left); of.left < 0 {
		of.left, of.over = 0, true
		return nil
	}
	return v
}

// weigh is about how many bytes a value takes, in memory or as text. It stops soon after most.
func weigh(v any, most int) int {
	n := 16
	switch v := v.(type) {
	case nil:
		return 0
	case string:
		n += len(v)
	case float64:
		if size := math.Abs(v); size != 0 && (size > 1e21 || size < 1e-7) { // its zeros are written out
			n += 340
		}
	case []any:
		for _, it := range v {
			if n += 16 + weigh(it, most-n); n > most {
				break
			}
		}
	case map[string]any:
		for k, it := range v {
			if n += 16 + len(k) + weigh(it, most-n); n > most {
				break
			}
		}
	}
	return n
}

// eval computes an expression. It never fails: what cannot be computed, or becomes too long, is nil.
func (e *expr) eval(of *scope) any {
	switch e.op {
	case "lit":
		return e.lit
	case "ref":
		return of.ref(e.ref)
	case "join":
		var b strings.Builder
		for _, a := range e.args {
			if b.WriteString(Text(a.eval(of))); b.Len() > maxMade {
				return nil
			}
		}
		return b.String()
	case "!x":
		return !truth(e.args[0].eval(of))
	case "-x":
		if n, ok := numeric(e.args[0].eval(of)); ok {
			return -n
		}
		return nil
	case "&&":
		return truth(e.args[0].eval(of)) && truth(e.args[1].eval(of))
	case "||":
		return truth(e.args[0].eval(of)) || truth(e.args[1].eval(of))
	}
	return operate(e.op, e.args[0].eval(of), e.args[1].eval(of))
}

func operate(op string, a, b any) any {
	switch op {
	case "==":
		return same(a, b)
	case "!=":
		return !same(a, b)
	}
	x, xok := numeric(a)
	y, yok := numeric(b)
	if !xok || !yok {
		if op == "+" {
			if s := Text(a) + Text(b); len(s) <= maxMade {
				return s
			}
			return nil
		}
		if order := strings.Compare(Text(a), Text(b)); strings.ContainsAny(op, "<>") {
			return ordered(op, float64(order), 0)
		}
		return nil
	}
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		return finite(x / y)
	case "%":
		return finite(math.Mod(x, y))
	}
	return ordered(op, x, y)
}

func ordered(op string, x, y float64) any {
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

// finite keeps what JSON can hold.
func finite(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return x
}

// numeric reads a number, also out of the text of an input.
func numeric(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil && finite(n) != nil
	}
	return 0, false
}

func same(a, b any) bool {
	if x, ok := numeric(a); ok {
		if y, ok := numeric(b); ok {
			return x == y
		}
	}
	return Text(a) == Text(b)
}

// truth is what a condition makes of a value: nothing, zero, "" and an empty list are false.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != "" && v != "false"
	case []any:
		return len(v) > 0
	}
	return true
}

// Text writes a value for people.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		list := make([]string, len(v))
		for i, it := range v {
			list[i] = Text(it)
		}
		return strings.Join(list, ", ")
	case map[string]any:
		list := make([]string, 0, len(v))
		for _, k := range sorted(v) {
			list = append(list, Text(v[k]))
		}
		return strings.Join(list, " ")
	}
	return ""
}

// resolve makes the value of a property: references are followed, at any depth.
func resolve(v *value, of *scope, version Version) any {
	if v == nil {
		return nil
	}
	switch v.kind {
	case kindString:
		return dynamicValue(v.text, of, version)
	case kindArray:
		list := make([]any, len(v.items))
		for i, it := range v.items {
			list[i] = resolve(it, of, version)
		}
		return list
	case kindObject:
		m := make(map[string]any, len(v.members))
		for i := range v.members {
			m[v.members[i].name] = resolve(v.members[i].value, of, version)
		}
		return m
	case kindNull, kindBool, kindNumber:
	}
	return v.plain()
}

func dynamicValue(s string, of *scope, version Version) any {
	if !dynamic(s) || (quoted(s) && version < 600) {
		return s
	}
	return compute(s, of)
}

// compute evaluates text that is an expression by its place.
func compute(s string, of *scope) any {
	e, err := parseExpr(strings.Trim(s, "`"))
	if err != nil {
		return nil
	}
	return e.eval(of)
}
