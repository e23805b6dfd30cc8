package api

import (
	"context"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
)

// library is GET /message_template_library. Source: spec/templates.md section 15.
func library() graph.Root {
	return graph.Root{Path: edgeLibrary, Scopes: []string{string(access.Management)}, List: libraryOf[graph.None]()}
}

// libraryOf is the list of library templates below a parent: it is the same everywhere.
func libraryOf[T any]() graph.Lister[T] {
	type R = *template.Ready
	return graph.Collection[T, R]{
		Item: graph.Object[R]{Name: "WhatsAppBusinessHSMLibrary", Fields: []graph.Field[R]{
			{Name: "name", When: graph.ByDefault, Get: func(r R) any { return r.Name }},
			{Name: "language", When: graph.ByDefault, Get: func(r R) any { return r.Language }},
			{Name: "category", When: graph.ByDefault, Get: func(r R) any { return string(r.Category) }},
			{Name: "topic", When: graph.ByDefault, Get: func(r R) any { return r.Topic }},
			{Name: "usecase", When: graph.ByDefault, Get: func(r R) any { return r.UseCase }},
			{Name: "industry", When: graph.ByDefault, Get: func(r R) any { return r.Industry }},
			{Name: "header", When: graph.ByDefault, Get: func(r R) any { return graph.NonEmpty(r.Header) }},
			{Name: "body", When: graph.ByDefault, Get: func(r R) any { return r.Body }},
			{Name: "body_params", When: graph.ByDefault, Get: func(r R) any { return r.Params }},
			{Name: "body_param_types", When: graph.ByDefault, Get: func(r R) any { return r.Types }},
			{Name: "buttons", When: graph.ByDefault, Get: func(r R) any { return readyButtons(r) }},
			{Name: "id", When: graph.Always, Get: func(r R) any { return r.ID }},
		}},
		Key: func(r R) string { return r.ID },
		List: func(_ context.Context, c *graph.Call, _ T, p graph.Page) (graph.Items[R], error) {
			list, err := filterLibrary(c)
			return graph.Slice(list, p, func(r R) string { return r.ID }, func(a, b string) bool { return a < b }), err
		},
	}
}

func readyButtons(r *template.Ready) any {
	if len(r.Buttons) == 0 {
		return nil
	}
	out := make([]graph.Obj, len(r.Buttons))
	for i, b := range r.Buttons {
		o := graph.Obj{{K: "type", V: string(b.Type)}, {K: "text", V: b.Text}}
		if b.URL != "" {
			o = append(o, graph.KV{K: "url", V: b.URL})
		}
		if b.Phone != "" {
			o = append(o, graph.KV{K: "phone_number", V: b.Phone})
		}
		out[i] = o
	}
	return out
}

func filterLibrary(c *graph.Call) ([]*template.Ready, error) {
	f := map[string]string{}
	for _, k := range []string{"search", "topic", "usecase", "industry", "language", "name", "category"} {
		s, err := c.Params.Get(k).StrOr("")
		if err != nil {
			return nil, err
		}
		f[k] = s
	}
	is := func(key, value string) bool { return f[key] == "" || strings.EqualFold(f[key], value) }
	var out []*template.Ready
	for _, r := range template.Library() {
		industry := f["industry"] == "" || slices.ContainsFunc(r.Industry, func(s string) bool { return strings.EqualFold(s, f["industry"]) })
		text := strings.ToLower(r.Name + " " + r.Header + " " + r.Body)
		if industry && is("topic", r.Topic) && is("usecase", r.UseCase) && is("language", r.Language) && is("name", r.Name) &&
			is("category", string(r.Category)) && strings.Contains(text, strings.ToLower(f["search"])) {
			out = append(out, r)
		}
	}
	return out, nil
}
