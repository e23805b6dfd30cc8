package graph

import (
	"fmt"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Bounds of one fields parameter (spec/graph.md 4.3, choice).
const (
	maxFieldsDepth = 6
	maxFieldsNames = 500
	maxFieldsText  = 64 << 10
)

// Selection is a parsed fields parameter.
type Selection []Item

// Item is one name of a selection with its modifiers and its own selection: name.limit(5){id,status}.
type Item struct {
	Name string
	Mods []Mod
	Sub  Selection // nil without braces
}

// Mod is a modifier, .name(args). Args is the raw text between the parentheses.
type Mod struct {
	Name, Args string
}

// Arg is the modifier called name as a value, absent when there is none: words, numbers, "quoted" strings, JSON and comma
// lists are read by its accessors (spec/graph.md 4.2).
func (it Item) Arg(name string) Value {
	for _, m := range it.Mods {
		if m.Name == name {
			return Text(name, modText(m.Args))
		}
	}
	return Value{}.Get(name)
}

// Args are all modifiers as one parameter set, the later of two equal names counting.
func (it Item) Args() Value {
	d := newDoc(len(it.Mods) + 1)
	for _, m := range it.Mods {
		d.drop(m.Name)
		d.add(0, node{key: m.Name, text: modText(m.Args), kind: KindString, loose: true})
	}
	return Value{d: d}
}

// params are the modifiers and, as fields, what stands in braces: the parameters of the same read by the edge's own address.
func (it Item) params() Value {
	v := it.Args()
	if it.Sub != nil {
		v.d.drop("fields")
		v.d.add(0, node{key: "fields", text: it.Sub.String(), kind: KindString, loose: true})
	}
	return v
}

// modText drops the quotes of a single quoted argument.
func modText(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' && !strings.Contains(s[1:len(s)-1], `"`) {
		return s[1 : len(s)-1]
	}
	return s
}

// key is the response key: the name, or the argument of .as(alias).
func (it Item) key() string {
	for _, m := range it.Mods {
		if m.Name == "as" && m.Args != "" {
			return modText(m.Args)
		}
	}
	return it.Name
}

// String prints the selection in its shortest form, which parses back to the same selection.
func (s Selection) String() string { return string(s.append(nil)) }

func (s Selection) append(b []byte) []byte {
	for i, it := range s {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, it.Name...)
		for _, m := range it.Mods {
			b = append(append(append(append(append(b, '.'), m.Name...), '('), m.Args...), ')')
		}
		if it.Sub != nil {
			b = append(it.Sub.append(append(b, '{')), '}')
		}
	}
	return b
}

// ParseFields reads a fields parameter. Text of white space only is an empty selection. Errors: code 2500 for syntax, code
// 100 beyond the bounds.
func ParseFields(text string) (Selection, error) {
	if len(text) > maxFieldsText {
		return nil, Invalid("Param fields must be at most %d characters long.", maxFieldsText)
	}
	p := fieldsParser{s: text}
	p.space()
	if p.i == len(p.s) {
		return nil, nil
	}
	sel, err := p.list(1)
	if err != nil {
		return nil, err
	}
	if p.i < len(p.s) {
		return nil, p.fail("end of string")
	}
	return sel, nil
}

type fieldsParser struct {
	s     string
	i     int
	names int
}

func (p *fieldsParser) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

// fail is the syntax error of spec/graph.md 4.3 (wording unverified).
func (p *fieldsParser) fail(want string) *wa.Error {
	got := "end of string"
	if p.i < len(p.s) {
		got = `"` + clip(firstRune(p.s[p.i:])) + `"`
	}
	return wa.ErrFieldSyntax.Fill(fmt.Sprintf("Expected %s instead of %s.", want, got), p.i, clip(p.s))
}

func firstRune(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}
	return s
}

func (p *fieldsParser) list(depth int) (Selection, error) {
	if depth > maxFieldsDepth {
		return nil, Invalid("Param fields must not be nested deeper than %d levels.", maxFieldsDepth)
	}
	var sel Selection
	for {
		it, err := p.item(depth)
		if err != nil {
			return nil, err
		}
		sel = append(sel, it)
		if p.i >= len(p.s) || p.s[p.i] != ',' {
			return sel, nil
		}
		p.i++
	}
}

func (p *fieldsParser) item(depth int) (Item, error) {
	var it Item
	var err error
	if p.names++; p.names > maxFieldsNames {
		return it, Invalid("Param fields must not have more than %d names.", maxFieldsNames)
	}
	if it.Name, err = p.name("a field name"); err != nil {
		return it, err
	}
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case '.':
			m, err := p.modifier()
			if err != nil {
				return it, err
			}
			if it.Mods = append(it.Mods, m); len(it.Mods) > 32 {
				return it, Invalid("Param fields must not have more than 32 modifiers on one name.")
			}
		case '{':
			if it.Sub != nil {
				return it, p.fail("end of string")
			}
			p.i++
			if it.Sub, err = p.list(depth + 1); err != nil {
				return it, err
			}
			if p.i >= len(p.s) || p.s[p.i] != '}' {
				return it, p.fail(`"}"`)
			}
			p.i++
			p.space()
		default:
			return it, nil
		}
	}
	return it, nil
}

func (p *fieldsParser) name(want string) (string, error) {
	p.space()
	from := p.i
	for p.i < len(p.s) && nameByte(p.s[p.i]) {
		p.i++
	}
	if p.i == from {
		return "", p.fail(want)
	}
	name := p.s[from:p.i]
	p.space()
	return name, nil
}

func nameByte(c byte) bool {
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
}

func (p *fieldsParser) modifier() (Mod, error) {
	var m Mod
	var err error
	p.i++ // the dot
	if m.Name, err = p.name("a modifier name"); err != nil {
		return m, err
	}
	if p.i >= len(p.s) || p.s[p.i] != '(' {
		return m, p.fail(`"("`)
	}
	p.i++
	if m.Args, err = p.args(); err != nil {
		return m, err
	}
	p.space()
	return m, nil
}

// args reads up to the parenthesis that closes the modifier. Brackets of all kinds nest and double quotes hide them.
func (p *fieldsParser) args() (string, error) {
	from := p.i
	var open []byte
	quoted := false
	for ; p.i < len(p.s); p.i++ {
		c := p.s[p.i]
		if quoted {
			switch c {
			case '\\':
				p.i++
			case '"':
				quoted = false
			}
			continue
		}
		switch c {
		case '"':
			quoted = true
		case '(':
			open = append(open, ')')
		case '[':
			open = append(open, ']')
		case '{':
			open = append(open, '}')
		case ')', ']', '}':
			if len(open) == 0 {
				if c != ')' {
					return "", p.fail(`")"`)
				}
				args := strings.TrimSpace(p.s[from:p.i])
				p.i++
				return args, nil
			}
			if open[len(open)-1] != c {
				return "", p.fail(`"` + string(open[len(open)-1]) + `"`)
			}
			open = open[:len(open)-1]
		}
	}
	p.i = min(p.i, len(p.s))
	return "", p.fail(`")"`)
}
