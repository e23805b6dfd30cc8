package document

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxExpr bounds an expression in bytes, and its levels.
const (
	maxExpr  = 4096
	maxLevel = 50
)

// expr is a parsed expression: what an If asks, what a Switch looks at, what a property stands for.
//
//	expr    = or { or }                  values side by side are joined to one string
//	or      = and { "||" and }
//	and     = cmp { "&&" cmp }
//	cmp     = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
//	sum     = product { ("+" | "-") product }
//	product = unary { ("*" | "/" | "%") unary }
//	unary   = [ "!" | "-" ] unary | "(" expr ")" | "${" reference "}" | 'text' | number | true | false
type expr struct {
	op   string // "ref", "lit", "join", or an operator
	ref  []string
	lit  any // string, float64 or bool
	args []*expr
}

// refs calls f for every reference.
func (e *expr) refs(f func([]string)) {
	if e.op == "ref" {
		f(e.ref)
	}
	for _, a := range e.args {
		a.refs(f)
	}
}

type exprParser struct {
	rest  string
	level int
}

func parseExpr(s string) (*expr, error) {
	if len(s) > maxExpr {
		return nil, fmt.Errorf("it is longer than %d characters", maxExpr)
	}
	p := &exprParser{rest: s}
	e, err := p.joined()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("'%s' is not expected", short(p.rest))
	}
	return e, err
}

// take takes an operator if the text goes on with one.
func (p *exprParser) take(ops ...string) string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	for _, op := range ops {
		if strings.HasPrefix(p.rest, op) {
			p.rest = p.rest[len(op):]
			return op
		}
	}
	return ""
}

func (p *exprParser) joined() (*expr, error) {
	if p.level++; p.level > maxLevel {
		return nil, errors.New("it is nested too deep")
	}
	defer func() { p.level-- }()
	e, err := p.binary(0)
	for err == nil {
		p.take()
		if p.rest == "" || p.rest[0] == ')' {
			return e, nil
		}
		var next *expr
		if next, err = p.binary(0); err != nil {
			break
		}
		if e.op != "join" {
			e = &expr{op: "join", args: []*expr{e}}
		}
		e.args = append(e.args, next)
	}
	return nil, err
}

// operators by how tight they bind, loosest first. Longer ones stand before those they begin with.
var operators = [][]string{{"||"}, {"&&"}, {"==", "!=", "<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/", "%"}}

func (p *exprParser) binary(tight int) (*expr, error) {
	if tight == len(operators) {
		return p.unary()
	}
	e, err := p.binary(tight + 1)
	for err == nil {
		op := p.take(operators[tight]...)
		if op == "" {
			return e, nil
		}
		var right *expr
		if right, err = p.binary(tight + 1); err == nil {
			e = &expr{op: op, args: []*expr{e, right}}
		}
	}
	return nil, err
}

func (p *exprParser) unary() (*expr, error) {
	if p.level++; p.level > maxLevel {
		return nil, errors.New("it is nested too deep")
	}
	defer func() { p.level-- }()
	switch op := p.take("!", "-", "(", "${", "'", "true", "false"); op {
	case "!", "-":
		e, err := p.unary()
		return &expr{op: op + "x", args: []*expr{e}}, err
	case "(":
		e, err := p.joined()
		if err == nil && p.take(")") == "" {
			err = errors.New("a ')' is missing")
		}
		return e, err
	case "${":
		return p.reference()
	case "'":
		return p.quoted()
	case "true", "false":
		return &expr{op: "lit", lit: op == "true"}, nil
	}
	n := 0
	for n < len(p.rest) && (p.rest[n] == '.' || (p.rest[n] >= '0' && p.rest[n] <= '9')) {
		n++
	}
	f, err := strconv.ParseFloat(p.rest[:n], 64)
	if err != nil {
		if p.rest == "" {
			return nil, errors.New("it ends too early")
		}
		return nil, fmt.Errorf("'%s' is not expected", short(p.rest))
	}
	p.rest = p.rest[n:]
	return &expr{op: "lit", lit: f}, nil
}

func (p *exprParser) reference() (*expr, error) {
	name, rest, ok := strings.Cut(p.rest, "}")
	if !ok {
		return nil, errors.New("a '}' is missing")
	}
	p.rest = rest
	ref := strings.Split(strings.TrimSpace(name), ".")
	for _, part := range ref {
		if part == "" || strings.ContainsAny(part, " ${'`") {
			return nil, fmt.Errorf("'${%s}' is no reference", short(name))
		}
	}
	return &expr{op: "ref", ref: ref}, nil
}

// quoted reads up to the closing quote. A backslash takes the next character as it is.
func (p *exprParser) quoted() (*expr, error) {
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; c {
		case '\'':
			p.rest = p.rest[i+1:]
			return &expr{op: "lit", lit: b.String()}, nil
		case '\\':
			if i++; i < len(p.rest) {
				b.WriteByte(p.rest[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return nil, errors.New("a closing quote is missing")
}
