package template

import (
	"slices"
	"strings"
)

// parseTexts reads the samples of a text's variables in any of the forms clients send, and returns them in the form the
// service answers: {"body_text":[["Mio","A-2210"]]}, {"header_text":["Spring"]}, or the list of named ones. key is the
// positional member. Source: spec/templates.md section 7.
func parseTexts[V Value[V]](v V, c *Component, key string, f Format) ([]byte, error) {
	names := Variables(c.Text)
	if len(names) == 0 {
		return nil, nil // samples without a variable are ignored
	}
	if !v.Present() {
		return nil, missing(c.Type, "example")
	}
	o, err := v.Object()
	if err != nil {
		return nil, err
	}
	if f == Named {
		return parseNamed(o.Get(key+"_named_params"), c.Type, key+"_named_params", names)
	}
	list, err := parseSamples(o.Get(key))
	if err != nil {
		return nil, err
	}
	if len(list) != len(names) {
		return nil, missing(c.Type, "example")
	}
	open, end := "[", "]}"
	if c.Type == Body {
		open, end = "[[", "]]}"
	}
	b := append([]byte(`{"`), key...)
	b = append(append(b, `":`...), open...)
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = quote(b, s)
	}
	return append(b, end...), nil
}

// parseSamples reads a list of lists, a list, or a single text.
func parseSamples[V Value[V]](v V) ([]string, error) {
	outer, err := v.ListOr()
	if err != nil {
		return nil, err
	}
	if len(outer) == 1 {
		if s, err := outer[0].Str(); err == nil {
			outer = []V{outer[0]}
			if strings.HasPrefix(strings.TrimSpace(s), "[") {
				return bounded([]string{s})
			}
		} else if inner, err := outer[0].List(); err == nil {
			outer = inner
		}
	}
	out := make([]string, len(outer))
	for i, e := range outer {
		if out[i], err = e.ID(); err != nil { // numbers are common samples
			return nil, err
		}
	}
	return bounded(out)
}

func bounded(list []string) ([]string, error) {
	for _, s := range list {
		if err := tooLong("example", s, maxExampleText); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func parseNamed[V Value[V]](v V, kind ComponentType, key string, names []string) ([]byte, error) {
	list, err := v.ListOr()
	if err != nil {
		return nil, err
	}
	b := append([]byte(`{"`), key...)
	b = append(b, `":[`...)
	var seen []string
	for i, e := range list {
		o, err := e.Object()
		if err != nil {
			return nil, err
		}
		name, err := o.Get("param_name").Str()
		if err != nil {
			return nil, err
		}
		sample, err := o.Get("example").ID()
		if err != nil {
			return nil, err
		}
		if err = tooLong("example", sample, maxExampleText); err != nil {
			return nil, err
		}
		if !slices.Contains(names, name) || slices.Contains(seen, name) {
			return nil, missing(kind, "example")
		}
		seen = append(seen, name)
		if i > 0 {
			b = append(b, ',')
		}
		b = quote(append(b, `{"param_name":`...), name)
		b = append(quote(append(b, `,"example":`...), sample), '}')
	}
	if len(seen) != len(names) {
		return nil, missing(kind, "example")
	}
	return append(b, `]}`...), nil
}

// parseHandle reads the sample of a media header: {"header_handle":["4::…"]}. Whether there is one and what it stands
// for is looked up when the template is submitted. Source: spec/templates.md section 6.1.
func parseHandle[V Value[V]](c *Component, v V) error {
	if !v.Present() {
		return nil
	}
	o, err := v.Object()
	if err != nil {
		return err
	}
	list, err := o.Get("header_handle").StringsOr()
	if err != nil {
		return err
	}
	if len(list) > 0 && len(list[0]) <= maxHandle {
		c.Handle = list[0]
	}
	return nil
}

const maxHandle = 2 << 10 // bytes, ours
