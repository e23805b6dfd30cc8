package fidelity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// kinds are how the published paths call the objects of the scenarios' world.
var kinds = map[string][]string{
	"number":   {"Phone-Number-ID", "WhatsApp-Account-Number-ID"},
	"account":  {"WABA-ID", "WhatsApp-Business-Account-ID"},
	"business": {"Business-ID"},
	"app":      {"Application-ID"},
	"media":    {"Media-ID"},
	"template": {"TEMPLATE_ID"},
	"code":     {"QR-Code-ID"},
	"user":     {"User-ID"},
}

// route is one operation.
type route struct {
	method, template string
	item             *openapi3.PathItem
	op               *openapi3.Operation
	params           map[string]string
}

func (r *route) String() string { return r.method + " " + r.template }

// find returns the operation of a call. kind says what an id names; "" when nobody knows.
func (s *Spec) find(method, path string, kind func(id string) string) (*route, error) {
	got := strings.Split(strings.Trim(path, "/"), "/")
	var found []*route
	for template, item := range s.doc.Paths.Map() {
		want := strings.Split(strings.Trim(template, "/"), "/")
		params, ok := match(want, got, kind)
		if op := item.GetOperation(method); ok && op != nil {
			found = append(found, &route{method, template, item, op, params})
		}
	}
	// Of two names for one kind of object the first one listed in kinds is the better described one.
	slices.SortFunc(found, func(a, b *route) int { return strings.Compare(a.template, b.template) })
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	for _, names := range kinds {
		for _, name := range names {
			for _, r := range found {
				if strings.Contains(r.template, "{"+name+"}") {
					return r, nil
				}
			}
		}
	}
	return nil, fmt.Errorf("%s %s may be %s or %s", method, path, found[0], found[1])
}

func match(want, got []string, kind func(string) string) (params map[string]string, ok bool) {
	if len(want) != len(got) {
		return nil, false
	}
	params = map[string]string{}
	for i, w := range want {
		name, isParam := strings.CutPrefix(w, "{")
		if !isParam {
			if w != got[i] {
				return nil, false
			}
			continue
		}
		name = strings.TrimSuffix(name, "}")
		if name != "Version" && !slices.Contains(kinds[kind(got[i])], name) {
			return nil, false
		}
		params[name] = got[i]
	}
	return params, true
}
