package document

import (
	"maps"
	"slices"
	"strings"
)

// maxNested bounds If and Switch inside each other. Source: Flow JSON reference, "If".
const maxNested = 3

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// kindText names the kinds a property may have.
func kindText(k kind) string {
	var list []string
	for _, one := range []kind{kindString, kindNumber, kindBool, kindArray, kindObject} {
		if k&one != 0 {
			list = append(list, kindNames[one])
		}
	}
	return strings.Join(list, " or ")
}

func (c *checker) doScreen(v *value, s *Screen, path string) {
	c.screen, c.total, c.all, c.fields = s, map[string]int{}, 0, map[string]bool{}
	defer func() { c.screen = nil }()
	c.object(v, path, screenKeys)
	if t := v.get("success"); t != nil && !s.Terminal {
		c.at(InvalidKey, t, under(path, "success"), "The property 'success' is for terminal screens only.")
	}
	if s.data != nil {
		c.model(s.data, under(path, "data"))
	}
	each(s.Children, func(k *Component) {
		if components[k.Type].field {
			c.fields[k.Name] = true
		}
	})
	for _, name := range s.Sensitive {
		if !c.fields[name] {
			c.at(InvalidValue, v.get("sensitive"), under(path, "sensitive"),
				"Invalid value found for property 'sensitive'. The screen has no field '%s'.", short(name))
		}
	}
	if layout := v.get("layout"); layout.is(kindObject) {
		c.layout(layout, under(path, "layout"))
	}
}

func (c *checker) layout(v *value, path string) {
	c.object(v, path, layoutKeys)
	if t := v.get("type"); t.is(kindString) && t.text != "SingleColumnLayout" {
		c.at(InvalidValue, t, under(path, "type"), "Invalid value found for property 'type'. The only layout is 'SingleColumnLayout'.")
	}
	if kids := v.get("children"); kids.is(kindArray) {
		path = under(path, "children")
		c.children(kids, path, place{})
		c.onScreen(kids, path)
	}
}

// onScreen checks what holds for all components of a screen together.
func (c *checker) onScreen(kids *value, path string) {
	if c.all > MaxComponents {
		c.at(InvalidComponent, kids, path, "A screen has at most %d components, but '%s' has %d.", MaxComponents, short(c.screen.ID), c.all)
	}
	for _, name := range sorted(c.total) {
		if most := components[name].most; most > 0 && c.total[name] > most {
			c.at(InvalidComponent, kids, path, "A screen has at most %d components of type %s.", most, name)
		}
	}
	if n := c.total["PhotoPicker"] + c.total["DocumentPicker"]; n > 1 {
		c.at(InvalidComponent, kids, path, "A screen has at most one PhotoPicker or DocumentPicker.")
	}
	switch n := footers(c.screen.Children); {
	case n > 1:
		c.at(InvalidComponent, kids, path, "You can only have one Footer component per screen.")
	case n == 0 && c.screen.Terminal:
		c.at(InvalidComponent, kids, path, "A terminal screen needs a Footer component.")
	}
	if c.screen.Terminal && c.total["NavigationList"] > 0 {
		c.at(InvalidComponent, kids, path, "A terminal screen must not have a NavigationList component.")
	}
}

// footers counts the Footers that a person may see at once.
func footers(list []*Component) (n int) {
	for _, k := range list {
		most := 0
		switch k.Type {
		case "Footer":
			most = 1
		case "Switch":
			for _, cs := range k.Cases {
				most = max(most, footers(cs.Children))
			}
		default:
			most = max(footers(k.Children), footers(k.Else))
		}
		n += most
	}
	return n
}

// place says what a component stands in.
type place struct {
	form   bool
	nested int // If and Switch around it
	names  map[string]bool
}

// children checks a list of components. The name of a field may not be used twice, save in branches of which one is shown.
func (c *checker) children(v *value, path string, in place) {
	if in.names == nil {
		in.names = map[string]bool{}
	}
	for i, it := range v.items {
		if c.full() {
			return
		}
		p := index(path, i)
		if it.kind != kindObject {
			c.at(InvalidType, it, p, "Expected a component to be of type object but found %s.", kindNames[it.kind])
			continue
		}
		c.component(it, p, in)
	}
}

func (c *checker) component(v *value, path string, in place) {
	c.all++
	t := v.get("type")
	if t == nil {
		c.at(MissingRequired, v, path, "Missing required property 'type'.")
		return
	}
	def, known := components[t.str()]
	if !known {
		c.at(InvalidValue, t, under(path, "type"), "Invalid value found for property 'type'.")
		return
	}
	if c.doc.Version != 0 && def.since > c.doc.Version {
		c.at(InvalidValue, t, under(path, "type"), "Invalid value found for property 'type'. %s is supported from version %s on.", t.text, def.since)
		return
	}
	c.total[t.text]++
	c.object(v, path, def.props)
	if def.field {
		c.field(v, path, in)
	}
	c.inner(t.text, v, path, in)
}

// field checks what holds for everything that takes a value.
func (c *checker) field(v *value, path string, in place) {
	name := v.get("name")
	if in.names[name.str()] && name.str() != "" {
		c.at(InvalidValue, name, under(path, "name"), "Duplicate name '%s'. Names must be unique on a screen.", short(name.str()))
	}
	in.names[name.str()] = true
	if c.doc.Version != 0 && c.doc.Version < 400 && !in.form {
		c.at(InvalidComponent, v, path, "Before version 4.0 a %s must stand inside of a Form.", v.get("type").str())
	}
	for _, pair := range [][2]string{
		{"min-selected-items", "max-selected-items"},
		{"min-chars", "max-chars"},
		{"min-days", "max-days"},
		{"min-uploaded-photos", "max-uploaded-photos"},
		{"min-uploaded-documents", "max-uploaded-documents"},
	} {
		low, high := v.get(pair[0]), v.get(pair[1])
		if !low.is(kindNumber) || !high.is(kindNumber) {
			continue
		}
		if a, b := low.plain().(float64), high.plain().(float64); a > b {
			c.at(InvalidValue, low, under(path, pair[0]), "Invalid value found for property '%s'. It is greater than '%s'.", pair[0], pair[1])
		}
	}
}

// inner checks what is particular to a type, and what stands inside of it.
func (c *checker) inner(name string, v *value, path string, in place) {
	branch := func(list *value, p string) {
		if !list.is(kindArray) {
			return
		}
		next := place{form: in.form, nested: in.nested + 1, names: maps.Clone(in.names)}
		c.children(list, p, next)
	}
	switch name {
	case "If":
		c.condition(v.get("condition"), under(path, "condition"))
		branch(v.get("then"), under(path, "then"))
		branch(v.get("else"), under(path, "else"))
	case "Switch":
		c.condition(v.get("value"), under(path, "value"))
		cases := v.get("cases")
		if cases.is(kindObject) && len(cases.members) == 0 {
			c.bad("cases", cases, under(path, "cases"))
		}
		if cases.is(kindObject) {
			for _, m := range cases.members {
				if !m.value.is(kindArray) {
					c.at(InvalidType, m.value, under(path, "cases."+m.name), "Expected a case to be of type array but found %s.", kindNames[m.value.kind])
				}
				branch(m.value, under(path, "cases."+m.name))
			}
		}
	case "Form":
		if in.form {
			c.at(InvalidComponent, v, path, "A Form must not stand inside of a Form.")
		}
		in.form = true
		if kids := v.get("children"); kids.is(kindArray) {
			c.children(kids, under(path, "children"), in)
		}
	case "Footer":
		left, center, right := v.get("left-caption"), v.get("center-caption"), v.get("right-caption")
		if (center != nil && (left != nil || right != nil)) || (left == nil) != (right == nil) {
			c.at(InvalidComponent, v, path, "A Footer has 'left-caption' and 'right-caption', or 'center-caption' alone.")
		}
	case "NavigationList":
		c.navigationList(v, path)
	}
	if in.nested == maxNested && (name == "If" || name == "Switch") {
		c.at(InvalidComponent, v, path, "If and Switch nest at most %d deep.", maxNested)
	}
}

func (c *checker) navigationList(v *value, path string) {
	items := v.get("list-items")
	if !items.is(kindArray) {
		return
	}
	whole, badges := v.get("on-click-action") != nil, 0
	for i, it := range items.items {
		if own := it.get("on-click-action") != nil; own == whole {
			c.at(InvalidComponent, it, index(under(path, "list-items"), i), "Either a NavigationList or each of its items has 'on-click-action'.")
		}
		if it.get("badge") != nil {
			badges++
		}
	}
	if badges > 1 {
		c.at(InvalidComponent, items, under(path, "list-items"), "Only one item of a NavigationList may have a badge.")
	}
}

// modelTypes are the words of a data model.
var modelTypes = map[string]kind{
	"string": kindString, "number": kindNumber, "boolean": kindBool, "array": kindArray, "object": kindObject,
}

// maxModel bounds the properties of a data model (ours): they are looked up one by one.
const maxModel = 1000

// model checks a screen's data model.
func (c *checker) model(data *value, path string) {
	if len(data.members) > maxModel {
		c.at(InvalidDataModel, data, path, "A data model has at most %d properties.", maxModel)
		return
	}
	for _, m := range data.members {
		p := under(path, m.name)
		if m.value.kind != kindObject {
			c.at(InvalidDataModel, m.value, p, "Expected property '%s' to be of type object but found %s.", short(m.name), kindNames[m.value.kind])
			continue
		}
		c.schema(m.value, p)
		ex := m.value.get("__example__")
		if ex == nil {
			c.at(InvalidDataModel, m.value, p, "Missing required property '__example__' of '%s'.", short(m.name))
			continue
		}
		if want := modelTypes[m.value.get("type").str()]; want != 0 && ex.kind != want {
			c.at(InvalidDataModel, ex, under(p, "__example__"), "The example of '%s' is no %s.", short(m.name), kindNames[want])
		}
	}
}

func (c *checker) schema(v *value, path string) {
	t := v.get("type")
	if t == nil {
		c.at(InvalidDataModel, v, path, "Missing required property 'type'.")
		return
	}
	if modelTypes[t.str()] == 0 {
		c.at(InvalidDataModel, t, under(path, "type"), "Invalid value found for property 'type'. Expected one of array, boolean, number, object, string.")
	}
	if items := v.get("items"); items.is(kindObject) {
		c.schema(items, under(path, "items"))
	}
	if props := v.get("properties"); props.is(kindObject) {
		for _, m := range props.members {
			if m.value.kind == kindObject {
				c.schema(m.value, under(under(path, "properties"), m.name))
			}
		}
	}
}
