package document

import "strings"

// dynamic reports whether a string stands for something else: a ${reference}, or an `expression` of version 6.0 on.
func dynamic(s string) bool {
	return len(s) > 3 && strings.HasPrefix(s, "${") && strings.IndexByte(s, '}') == len(s)-1 || quoted(s)
}

func quoted(s string) bool { return len(s) > 2 && s[0] == '`' && s[len(s)-1] == '`' }

// references checks what a dynamic string speaks of.
func (c *checker) references(v *value, path string) {
	if quoted(v.text) && c.doc.Version != 0 && c.doc.Version < 600 {
		c.at(InvalidReference, v, path, "Nested expressions are supported from version 6.0 on.")
		return
	}
	c.expression(strings.Trim(v.text, "`"), v, path)
}

// condition checks the expression of an If or a Switch.
func (c *checker) condition(v *value, path string) {
	if v.is(kindString) && v.text != "" {
		c.expression(strings.Trim(v.text, "`"), v, path)
	}
}

func (c *checker) expression(text string, v *value, path string) {
	e, err := parseExpr(text)
	if err != nil {
		c.at(InvalidReference, v, path, "The expression cannot be read: %s.", err)
		return
	}
	e.refs(func(ref []string) {
		if why := c.unknown(ref); why != "" {
			c.at(InvalidReference, v, path, "Invalid reference '${%s}': %s.", short(strings.Join(ref, ".")), why)
		}
	})
}

// unknown says why a reference leads nowhere; empty when it does not.
func (c *checker) unknown(ref []string) string {
	s := c.screen
	if s == nil {
		return "it stands outside of a screen"
	}
	fields := c.fields
	if ref[0] == "screen" {
		if c.doc.Version != 0 && c.doc.Version < 400 {
			return "other screens can be named from version 4.0 on"
		}
		if len(ref) < 4 {
			return "it names no property"
		}
		if s = c.doc.Screen(ref[1]); s == nil {
			return "there is no such screen"
		}
		fields = nil
		ref = ref[2:]
	}
	if len(ref) < 2 {
		return "it names no property"
	}
	switch ref[0] {
	case "data":
		return missing(s.data, ref[1:])
	case "form":
		if (fields != nil && fields[ref[1]]) || (fields == nil && s.field(ref[1]) != nil) {
			return ""
		}
		return "the screen has no such field"
	}
	return "it begins with neither data, form nor screen"
}

// missing follows a reference through a data model as far as that goes.
func missing(model *value, ref []string) string {
	v := model.get(ref[0])
	if v == nil {
		return "the data model has no such property"
	}
	for _, name := range ref[1:] {
		props := v.get("properties")
		if props == nil {
			return ""
		}
		if v = props.get(name); v == nil {
			return "the data model has no such property"
		}
	}
	return ""
}

// field finds a component that takes a value; nil when the screen has none of that name.
func (s *Screen) field(name string) (found *Component) {
	each(s.Children, func(k *Component) {
		if found == nil && k.Name == name && components[k.Type].field {
			found = k
		}
	})
	return found
}
