package document

import (
	"bytes"
	"slices"
	"strconv"
)

// Document is a flow as its JSON describes it. It is read-only and may be shared.
type Document struct {
	Version        Version
	DataAPIVersion string // "3.0" or "4.0"; empty for a flow without endpoint
	DataChannelURI string // the endpoint of versions before 3.0
	Routing        map[string][]string
	Screens        []*Screen

	byID map[string]*Screen // the first of each id
}

// Screen is one page of a flow.
type Screen struct {
	ID, Title     string
	Terminal      bool
	Success       bool // whether a terminal screen ends the flow well
	RefreshOnBack bool
	Sensitive     []string // fields a summary must not show
	Children      []*Component

	data *value // the data model; nil when the screen declares none
}

// Component is one thing on a screen.
type Component struct {
	Type     string
	Name     string       // of fields and forms; empty for others
	Children []*Component // of a Form; what an If shows when its condition holds
	Else     []*Component // of an If
	Cases    []Case       // of a Switch

	props *value
}

// Case is what a Switch shows for one value.
type Case struct {
	Value    string
	Children []*Component
}

// Parse reads Flow JSON. Problems do not keep it from returning a document; what they speak of is left out or stands as it
// was written. The error wraps ErrSyntax: then there is no document at all.
func Parse(src []byte) (*Document, []Problem, error) { return ParseWith(src, nil) }

// ParseWith is [Parse] that also asks whether a data_channel_uri can be used; nil takes any.
func ParseWith(src []byte, usable func(url string) error) (*Document, []Problem, error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")) // editors write it, readers of JSON refuse it
	root, err := read(src)
	if err != nil {
		return nil, nil, err
	}
	d := build(root)
	c := &checker{report: report{lines: newLines(src)}, doc: d, usable: usable}
	c.document(root)
	return d, c.list, nil
}

// Screen finds a screen; nil when the flow has none of that id.
func (d *Document) Screen(id string) *Screen { return d.byID[id] }

// Entry is the screen a flow opens with when nobody names one: the first that no route leads to, else the first. It is nil
// for a flow without screens.
func (d *Document) Entry() *Screen {
	led := map[string]bool{}
	for _, to := range d.Routing {
		for _, id := range to {
			led[id] = true
		}
	}
	for _, s := range d.Screens {
		if _, ok := d.Routing[s.ID]; ok && !led[s.ID] {
			return s
		}
	}
	if len(d.Screens) == 0 {
		return nil
	}
	return d.Screens[0]
}

// HasEndpoint reports whether the flow talks with a data endpoint.
func (d *Document) HasEndpoint() bool { return d.DataAPIVersion != "" || d.DataChannelURI != "" }

// DataKeys lists what a screen's data model declares.
func (s *Screen) DataKeys() []string {
	if s.data == nil {
		return nil
	}
	keys := make([]string, 0, len(s.data.members))
	for _, m := range s.data.members {
		keys = append(keys, m.name)
	}
	return keys
}

// Example is the example that a screen's data model gives for each of its properties.
func (s *Screen) Example() map[string]any {
	ex := map[string]any{}
	if s.data == nil {
		return ex
	}
	for _, m := range s.data.members {
		if v := m.value.get("__example__"); v != nil {
			ex[m.name] = v.plain()
		}
	}
	return ex
}

// build takes from the source what has the right shape. It is lenient: the checker says what is wrong.
func build(root *value) *Document {
	d := &Document{
		DataAPIVersion: root.get("data_api_version").str(), DataChannelURI: root.get("data_channel_uri").str(), byID: map[string]*Screen{},
	}
	d.Version, _ = ParseVersion(root.get("version").str())
	if r := root.get("routing_model"); r.is(kindObject) {
		d.Routing = make(map[string][]string, len(r.members))
		for _, m := range r.members {
			d.Routing[m.name] = texts(m.value)
		}
	}
	if list := root.get("screens"); list != nil {
		for _, v := range list.items {
			if v.kind != kindObject {
				continue
			}
			s := buildScreen(v)
			d.Screens = append(d.Screens, s)
			if d.byID[s.ID] == nil {
				d.byID[s.ID] = s
			}
		}
	}
	return d
}

func buildScreen(v *value) *Screen {
	s := &Screen{
		ID: v.get("id").str(), Title: v.get("title").str(), Terminal: v.get("terminal").is(kindBool) && v.get("terminal").yes,
		RefreshOnBack: v.get("refresh_on_back").is(kindBool) && v.get("refresh_on_back").yes, Sensitive: texts(v.get("sensitive")),
	}
	s.Success = s.Terminal
	if ok := v.get("success"); ok.is(kindBool) {
		s.Success = ok.yes
	}
	if data := v.get("data"); data.is(kindObject) {
		s.data = data
	}
	s.Children = buildChildren(v.get("layout").get("children"))
	return s
}

func buildChildren(v *value) (list []*Component) {
	if v == nil {
		return nil
	}
	for _, it := range v.items {
		if it.kind == kindObject {
			list = append(list, buildComponent(it))
		}
	}
	return list
}

func buildComponent(v *value) *Component {
	c := &Component{Type: v.get("type").str(), Name: v.get("name").str(), props: v}
	switch c.Type {
	case "If":
		c.Children, c.Else = buildChildren(v.get("then")), buildChildren(v.get("else"))
	case "Switch":
		if cases := v.get("cases"); cases.is(kindObject) {
			for _, m := range cases.members {
				c.Cases = append(c.Cases, Case{m.name, buildChildren(m.value)})
			}
		}
	case "Form":
		c.Children = buildChildren(v.get("children"))
	}
	return c
}

// texts are the strings of an array.
func texts(v *value) (list []string) {
	if v == nil {
		return nil
	}
	for _, it := range v.items {
		if it.kind == kindString {
			list = append(list, it.text)
		}
	}
	return list
}

// each calls f for every component of a list and of what the list contains, outer ones first.
func each(list []*Component, f func(*Component)) {
	for _, c := range list {
		f(c)
		each(c.Children, f)
		each(c.Else, f)
		for _, cs := range c.Cases {
			each(cs.Children, f)
		}
	}
}

func under(path string, name string) string { return path + "." + name }

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func has(list []string, s string) bool { return slices.Contains(list, s) }
