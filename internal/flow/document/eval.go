package document

import (
	"math"
	"strconv"
	"strings"
)

// scope finds what a reference stands for; nil when there is nothing.
type scope func(ref []string) any

// eval computes an expression. It never fails: what cannot be computed is nil.
func (e *expr) eval(of scope) any {
	switch e.op {
	case "lit":
		return e.lit
	case "ref":
		return of(e.ref)
	case "join":
		var b strings.Builder
		for _, a := range e.args {
			b.WriteString(Text(a.eval(of)))
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
			return Text(a) + Text(b)
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
func resolve(v *value, of scope, version Version) any {
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

func dynamicValue(s string, of scope, version Version) any {
	if !dynamic(s) || (quoted(s) && version < 600) {
		return s
	}
	return compute(s, of)
}

// compute evaluates text that is an expression by its place.
func compute(s string, of scope) any {
	e, err := parseExpr(strings.Trim(s, "`"))
	if err != nil {
		return nil
	}
	return e.eval(of)
}
