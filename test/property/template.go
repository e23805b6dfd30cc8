package property

import (
	"fmt"
	"maps"
	"strings"
)

// A made template is one that exists: how it is created, and what a send of it looks like.
type made struct {
	name, category string
	more           object // of the creation
	components     []any  // of the creation
	shows          []string
	fill           func(d *draw) []any

	numbered, marketing bool
}

// Templates are the creations of all templates that messages of [Kinds] name. handles are samples of files by kind: image,
// video, document. Source: spec/templates.md sections 5 and 6.
func Templates(handles map[string]string, flow string) (list []map[string]any) {
	for _, m := range templates(handles, flow) {
		o := object{"name": m.name, "language": "en_US", "category": m.category, "components": m.components}
		maps.Copy(o, m.more)
		list = append(list, o)
	}
	return list
}

func templateKinds() (list []Kind) {
	for _, m := range templates(nil, "") {
		list = append(list, Kind{
			Name: "template " + m.name, Numbered: m.numbered, Marketing: m.marketing,
			Draw: drawn(func(d *draw) (string, any) {
				d.words = append(d.words, m.shows...)
				language := object{"code": "en_US"}
				d.some(language, "policy", func() any { return "deterministic" })
				t := object{"name": m.name, "language": language}
				if c := m.fill(d); len(c) > 0 || d.perhaps("an empty list") {
					if c == nil {
						c = []any{}
					}
					t["components"] = c
				}
				return "template", t
			}),
		})
	}
	return list
}

// ---- creations ----

func part(kind string, more object) object {
	o := object{"type": kind}
	maps.Copy(o, more)
	return o
}

func bodyOf(text string, examples ...string) object {
	if len(examples) == 0 {
		return part("BODY", object{"text": text})
	}
	return part("BODY", object{"text": text, "example": object{"body_text": []any{examples}}})
}

func buttonsOf(list ...any) object { return part("BUTTONS", object{"buttons": list}) }

func headerOf(format, handle string) object {
	o := object{"format": format}
	if handle != "" {
		o["example"] = object{"header_handle": []string{handle}}
	}
	return part("HEADER", o)
}

func quick(text string) object { return object{"type": "QUICK_REPLY", "text": text} }

var link = object{"type": "URL", "text": "Track", "url": "https://bistro.example/t/{{1}}", "example": []string{"https://bistro.example/t/7"}}

// ---- sends ----

// value is the text of a parameter: one line, and never more than four spaces in a row.
func (d *draw) value(label string, most int) string {
	s := strings.TrimSpace(d.write(label, most, labelRunes))
	for strings.Contains(s, "     ") {
		s = strings.ReplaceAll(s, "     ", " ")
	}
	return d.shown(s)
}

func given(kind string, params ...any) object { return object{"type": kind, "parameters": params} }

func textParam(s string) object { return object{"type": "text", "text": s} }

// pressed fills in a button. Clients write its place as text or as a number, and its kind in any case.
func (d *draw) pressed(kind string, index int, params ...any) object {
	o := object{"type": "button", "sub_type": pick(d, "kind of button", kind, strings.ToUpper(kind)), "index": index, "parameters": params}
	if d.perhaps("index as text") {
		o["index"] = fmt.Sprint(index)
	}
	return o
}

func (d *draw) fileHeader(kind string) object {
	return given("header", object{"type": kind, kind: d.named(kind)})
}

func (d *draw) suffix() object {
	return d.pressed("url", 1, textParam(d.shown(d.key("suffix", 60))))
}

func action(o object) object { return object{"type": "action", "action": o} }

func nothing(*draw) []any { return nil }

// localizable is a parameter of a body: a text, or the older forms for money and moments.
func (d *draw) localizable(label string) any {
	s := d.value(label, 60)
	switch pick(d, label+" is", "text", "currency", "date_time") {
	case "currency":
		return object{"type": "currency", "currency": object{"fallback_value": s, "code": "EUR", "amount_1000": 5000}}
	case "date_time":
		return object{"type": "date_time", "date_time": object{"fallback_value": s, "day_of_week": 5, "calendar": "GREGORIAN"}}
	}
	return textParam(s)
}
