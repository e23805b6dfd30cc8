package template

import (
	"slices"
	"strings"
)

// Variables lists the names of the variables of a text, each once, in the order they appear.
func Variables(text string) (names []string) {
	eachVariable(text, func(_, _ int, name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// eachVariable calls f with the place of every "{{name}}" and the name.
func eachVariable(text string, f func(from, to int, name string)) {
	for at := 0; ; {
		open := strings.Index(text[at:], "{{")
		if open < 0 {
			return
		}
		open += at
		end := strings.Index(text[open:], "}}")
		if end < 0 {
			return
		}
		end += open
		name := strings.TrimSpace(text[open+2 : end])
		if !variableName(name) {
			at = open + 1
			continue
		}
		f(open, end+2, name)
		at = end + 2
	}
}

// variableName is digits, or [a-z][a-z0-9_]*. Source: spec/templates.md section 7.
func variableName(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return true
}

func substitute(text string, value func(name string) string) string {
	var b strings.Builder
	last := 0
	eachVariable(text, func(from, to int, name string) {
		b.WriteString(text[last:from])
		b.WriteString(value(name))
		last = to
	})
	b.WriteString(text[last:])
	return b.String()
}
