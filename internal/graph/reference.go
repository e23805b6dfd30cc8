package graph

import (
	"strconv"
	"strings"
)

// References between batch items have the form {result=NAME:JSONPATH}. Of JSONPath the part that published examples use is
// understood: $, .name, ['name'], [n], .* and [*].

const refOpen = "{result="

// references lists the names that a text refers to.
func references(s string) []string {
	var names []string
	for {
		_, rest, ok := strings.Cut(s, refOpen)
		if !ok {
			return names
		}
		ref, after, ok := strings.Cut(rest, "}")
		if !ok {
			return names
		}
		name, _, _ := strings.Cut(ref, ":")
		names = append(names, name)
		s = after
	}
}

// maxExpanded bounds a text after its references were filled in, in bytes.
const maxExpanded = 1 << 20

// expand replaces references by the values they name, joined by commas. All named items have succeeded.
func expand(s string, items []item, escape func(string) string) (string, error) {
	var b strings.Builder
	for {
		head, rest, ok := strings.Cut(s, refOpen)
		b.WriteString(head)
		if !ok {
			return b.String(), nil
		}
		ref, after, ok := strings.Cut(rest, "}")
		name, path, ok2 := strings.Cut(ref, ":")
		if !ok || !ok2 {
			return "", batchError("A reference of a batch item must have the form {result=name:$.path}")
		}
		for _, it := range items {
			if it.name != name {
				continue
			}
			d, err := parseJSON(string(it.out.body), "")
			if err != nil {
				return "", batchError("Batch item %q has no JSON answer to refer to", clip(name))
			}
			values, err := jsonPath(Value{d: d}, path)
			if err != nil {
				return "", err
			}
			b.WriteString(escape(strings.Join(values, ",")))
			break
		}
		if b.Len() > maxExpanded {
			return "", batchError("A batch item is too large after its references were filled in")
		}
		s = after
	}
}

// jsonPath returns the scalars that path selects.
func jsonPath(root Value, path string) ([]string, error) {
	bad := batchError("Reference %q of a batch item is not a supported JSONPath", clip(path))
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, bad
	}
	at := []Value{root}
	for rest != "" {
		var step string
		switch {
		case strings.HasPrefix(rest, "["):
			in, after, ok := strings.Cut(rest[1:], "]")
			if !ok {
				return nil, bad
			}
			step, rest = strings.Trim(in, `'"`), after
		case strings.HasPrefix(rest, "."):
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			step, rest = rest[1:1+end], rest[1+end:]
		default:
			return nil, bad
		}
		if step == "" {
			return nil, bad
		}
		at = descend(at, step)
	}
	out := make([]string, len(at))
	for i, v := range at {
		out[i] = v.String()
	}
	return out, nil
}

func descend(at []Value, step string) []Value {
	var out []Value
	for _, v := range at {
		switch n, err := strconv.Atoi(step); {
		case step == "*" && v.Kind() == KindObject:
			for _, k := range v.Keys() {
				out = append(out, v.Get(k))
			}
		case step == "*":
			out = append(out, v.Elems()...)
		case v.Kind() == KindArray && err == nil && n >= 0 && n < v.Len():
			out = append(out, v.Elems()[n])
		case v.Kind() == KindObject && v.Has(step):
			out = append(out, v.Get(step))
		}
	}
	return out
}
