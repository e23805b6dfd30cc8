package document

import (
	"strings"
	"unicode/utf8"
)

// checker walks a document and collects what is wrong with it.
type checker struct {
	report
	doc    *Document
	usable func(url string) error // says what is wrong with the address of an endpoint; nil takes any

	screen *Screen         // the one being looked at; nil outside of screens
	fields map[string]bool // names of its fields
	total  map[string]int  // components on it by type
	all    int
	places map[string]*value // where screens stand, by id
}

// MaxComponents bounds the components of a screen. Source: Flow JSON reference, "Components".
const MaxComponents = 50

var topKeys = map[string]rule{
	"version": text(0).fixed().must(), "screens": rule{kinds: kindArray, least: 1}.fixed().must(),
	"routing_model": rule{kinds: kindObject}.fixed(), "data_api_version": text(0).fixed(), "data_channel_uri": text(0).fixed(),
}

var screenKeys = map[string]rule{
	"id": text(200).fixed().must(), "title": text(200).fixed(), "layout": rule{kinds: kindObject}.fixed().must(),
	"data": rule{kinds: kindObject}.fixed(), "terminal": flag().fixed(), "success": flag().fixed(), "refresh_on_back": flag().fixed(),
	"sensitive": list(0, MaxComponents, text(200)).fixed().from(501),
}

var layoutKeys = map[string]rule{"type": text(0).fixed().must(), "children": rule{kinds: kindArray, least: 1}.fixed().must()}

func (c *checker) document(root *value) {
	c.object(root, "", topKeys)
	if v := root.get("version"); v.is(kindString) && c.doc.Version == 0 {
		c.at(InvalidValue, v, "version", "Invalid value found for property 'version'. '%s' is no known version.", short(v.text))
	}
	if v := root.get("data_api_version"); v.is(kindString) && !has(dataVersions, v.text) {
		c.at(InvalidValue, v, "data_api_version", "Invalid value found for property 'data_api_version'.")
	}
	if v := root.get("data_channel_uri"); v != nil && c.doc.Version >= 300 {
		c.at(InvalidKey, v, "data_channel_uri", "The property 'data_channel_uri' is not supported since version 3.0: set 'endpoint_uri' on the flow.")
	}
	if v := root.get("data_channel_uri"); v.is(kindString) && c.doc.Version < 300 && c.usable != nil && c.usable(v.text) != nil {
		c.bad("data_channel_uri", v, "data_channel_uri")
	}
	c.places = map[string]*value{}
	list := root.get("screens")
	if !list.is(kindArray) {
		return
	}
	screens := 0 // of doc.Screens, which holds the objects only
	for i, v := range list.items {
		path := index("screens", i)
		if v.kind != kindObject {
			c.at(InvalidType, v, path, "Expected property 'screens[%d]' to be of type object but found %s.", i, kindNames[v.kind])
			continue
		}
		c.screenID(v, path)
		c.doScreen(v, c.doc.Screens[screens], path)
		screens++
	}
	c.terminal(list)
	c.routing(root)
}

func (c *checker) screenID(v *value, path string) {
	id := v.get("id")
	if !id.is(kindString) {
		return
	}
	path = under(path, "id")
	if id.text == "SUCCESS" || id.text == "" || strings.Trim(id.text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") != "" {
		c.at(InvalidScreenID, id, path, "Invalid screen id '%s'. Use letters and underscores; SUCCESS is a reserved word.", short(id.text))
	}
	if c.places[id.text] != nil {
		c.at(DuplicateScreen, id, path, "Duplicate screen id '%s'. Screen ids must be unique.", short(id.text))
		return
	}
	c.places[id.text] = id
}

func (c *checker) terminal(list *value) {
	for _, s := range c.doc.Screens {
		if s.Terminal {
			return
		}
	}
	if len(list.items) > 0 {
		c.at(MissingTerminal, list, "screens", "A flow needs at least one screen with the property 'terminal' set to true.")
	}
}

// object checks the properties of an object against their rules.
func (c *checker) object(v *value, path string, rules map[string]rule) {
	seen := make(map[string]bool, len(v.members))
	for i := range v.members {
		m := &v.members[i]
		p := under(path, m.name)
		r, known := rules[m.name]
		switch {
		case seen[m.name]:
			c.add(InvalidKey, m.start, m.end, p, "The property '"+short(m.name)+"' is there twice.")
		case !known:
			c.add(InvalidKey, m.start, m.end, p, "Unknown property '"+short(m.name)+"' found.")
		case c.doc.Version != 0 && r.since > c.doc.Version:
			c.add(InvalidKey, m.start, m.end, p, "The property '"+m.name+"' is supported from version "+r.since.String()+" on.")
		default:
			c.value(m.name, m.value, p, r)
		}
		seen[m.name] = true
	}
	for _, name := range sorted(rules) {
		if rules[name].required && !seen[name] {
			c.at(MissingRequired, v, path, "Missing required property '%s'.", name)
		}
	}
}

// value checks one property.
func (c *checker) value(name string, v *value, path string, r rule) {
	if !r.static && v.kind == kindString && dynamic(v.text) {
		c.references(v, path)
		return
	}
	if v.kind&r.kinds == 0 {
		c.at(InvalidType, v, path, "Expected property '%s' to be of type %s but found %s.", name, kindText(r.kinds), kindNames[v.kind])
		return
	}
	switch v.kind {
	case kindString:
		c.text(name, v, path, r)
	case kindNumber:
		if n, _ := v.plain().(float64); n < float64(r.least) || (r.most > 0 && n > float64(r.most)) {
			c.bad(name, v, path)
		}
	case kindArray:
		c.array(name, v, path, r)
	case kindObject:
		if r.actions != nil {
			c.action(name, v, path, r.actions)
		} else if r.fields != nil {
			c.object(v, path, r.fields)
		}
	case kindNull, kindBool:
	}
}

func (c *checker) bad(name string, v *value, path string) {
	c.at(InvalidValue, v, path, "Invalid value found for property '%s'.", name)
}

func (c *checker) text(name string, v *value, path string, r rule) {
	if r.enum != nil && !has(r.enum, v.text) {
		c.at(InvalidValue, v, path, "Invalid value found for property '%s'. Expected one of %s.", name, strings.Join(r.enum, ", "))
		return
	}
	if r.most > 0 && len(v.text) > r.most && utf8.RuneCountInString(v.text) > r.most {
		c.at(InvalidValue, v, path, "Invalid value found for property '%s'. It has more than %d characters.", name, r.most)
	}
	if r.required && v.text == "" {
		c.at(InvalidValue, v, path, "Invalid value found for property '%s'. It is empty.", name)
	}
}

func (c *checker) array(name string, v *value, path string, r rule) {
	most := r.most
	if r.items == nil {
		most = 0 // a bound of characters
		if r.kinds&kindString != 0 {
			r.items = &rule{kinds: kindString, most: r.most}
		}
	}
	if n := len(v.items); n < r.least || (most > 0 && n > most) {
		c.at(InvalidValue, v, path, "Invalid value found for property '%s'. It has %d items.", name, n)
	}
	if r.items == nil {
		return
	}
	ids := map[string]bool{}
	for i, it := range v.items {
		c.value(name, it, index(path, i), *r.items)
		id := it.get("id")
		if id.is(kindString) && ids[id.text] {
			c.at(InvalidValue, id, under(index(path, i), "id"), "Duplicate id '%s' in '%s'.", short(id.text), name)
		}
		ids[id.str()] = true
	}
}
