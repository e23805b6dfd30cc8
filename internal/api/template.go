package api

import (
	"context"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// templateNode is GET /{template-id}. Source: spec/templates.md section 4.3.
func (s *surface) templateNode() graph.Node[*template.Template] {
	type T = *template.Template
	fields := []graph.Field[T]{
		{Name: "name", When: graph.ByDefault, Get: func(t T) any { return t.Name }},
		{Name: "parameter_format", When: graph.ByDefault, Get: func(t T) any { return graph.NonEmpty(t.Format) }},
		{Name: "components", When: graph.ByDefault, Get: func(t T) any { return graph.Raw(t.AppendComponents(nil)) }},
		{Name: "language", When: graph.ByDefault, Get: func(t T) any { return t.Language }},
		{Name: "status", When: graph.ByDefault, Get: func(t T) any { return graph.NonEmpty(t.Status) }},
		{Name: "category", When: graph.ByDefault, Get: func(t T) any { return graph.NonEmpty(t.Category) }},
		{Name: "previous_category", When: graph.ByDefault, Get: func(t T) any { return graph.NonEmpty(t.Previous) }},
		{Name: "library_template_name", When: graph.ByDefault, Get: func(t T) any { return graph.NonEmpty(t.Library) }},
		{Name: "message_send_ttl_seconds", When: graph.ByDefault, Get: func(t T) any {
			if t.TTL == 0 {
				return nil
			}
			return t.TTL
		}},
		{Name: "id", When: graph.Always, Get: func(t T) any { return string(t.ID) }},
		{Name: "rejected_reason", Get: func(t T) any {
			if t.Rejected == "" {
				return "NONE"
			}
			return t.Rejected
		}},
		{Name: "quality_score", Get: func(t T) any { return graph.Obj{{K: "score", V: string(t.Quality)}} }},
		{Name: "last_updated_time", Get: func(t T) any { return moment(t.Updated) }},
		{Name: "health_status", Ask: func(_ context.Context, c *graph.Call, t T, _ graph.Item) (any, error) {
			w, ok := s.o.Business.WABA(t.WABA)
			if !ok {
				return nil, graph.ErrInvisible
			}
			return health(c, templateHealth(t), wabaHealth(w)), nil
		}},
	}
	fields = append(fields, absent[T](
		"sub_category", "correct_category", "cta_url_link_tracking_opted_out", "degrees_of_freedom_spec", "bid_spec",
		"creative_sourcing_spec", "is_primary_device_delivery_only",
	)...)
	return graph.Node[T]{
		Kind: kindTemplate, Name: typeTemplate, Scopes: scopes(get, kindTemplate, ""), Load: s.loadTemplate, Fields: fields,
	}
}

func (s *surface) loadTemplate(_ context.Context, c *graph.Call, id string) (*template.Template, error) {
	t, ok := s.o.Template.Template(wa.TemplateID(id))
	if !ok {
		return nil, graph.ErrInvisible
	}
	w, ok := s.o.Business.WABA(t.WABA)
	if !ok || !who(c).SeesWABA(asset(w)) {
		return nil, graph.ErrInvisible
	}
	return t, nil
}

// maxTemplates on a page: clients ask for up to a thousand (spec/graph.md section 6).
const maxTemplates = 1000

// templatesEdge is GET /{waba-id}/message_templates. Source: spec/templates.md section 4.1.
func (s *surface) templatesEdge() graph.Edge[*business.WABA] {
	return graph.Edge[*business.WABA]{
		Name: edgeTemplates, Scopes: scopes(get, kindWABA, edgeTemplates),
		List: graph.Collection[*business.WABA, *template.Template]{
			Item: graph.Ref[*template.Template](kindTemplate), Max: maxTemplates, Default: 25, Key: templateKey,
			List: func(_ context.Context, c *graph.Call, w *business.WABA, p graph.Page) (graph.Items[*template.Template], error) {
				if !mayList(c, w, edgeTemplates) {
					return graph.Items[*template.Template]{}, nil
				}
				all := s.o.Template.List(w.ID)
				f, err := readTemplateFilter(c.Params)
				if err != nil {
					return graph.Items[*template.Template]{}, err
				}
				items := sliced(f.apply(all), p, templateKey, func(a, b string) bool { return a > b })
				items.Summary = s.templateSummary(w, all)
				return items, nil
			},
		},
	}
}

func templateKey(t *template.Template) string { return stamp(t.Created) + string(t.ID) }

// templateFilter is what a list of templates can be narrowed by; zero values do not narrow it.
type templateFilter struct {
	name, nameOrContent, content        string
	language, category, status, quality []string
	none                                bool // asked for a source that no template here has
	since, until                        int64
}

var (
	templateStatuses = []string{
		"APPROVED", "ARCHIVED", "DELETED", "DISABLED", "IN_APPEAL", "LIMIT_EXCEEDED", "PAUSED", "PENDING", "PENDING_DELETION",
		"REJECTED", "FLAGGED", "LOCKED",
	}
	templateQualities = []string{"GREEN", "YELLOW", "RED", "UNKNOWN"}
)

func readTemplateFilter(p graph.Value) (f templateFilter, err error) {
	for _, t := range [...]struct {
		name string
		to   *string
	}{{"name", &f.name}, {"name_or_content", &f.nameOrContent}, {"content", &f.content}} {
		if *t.to, err = p.Get(t.name).StrOr(""); err != nil {
			return f, err
		}
	}
	if f.language, err = p.Get("language").StringsOr(); err != nil {
		return f, err
	}
	if f.category, err = enums(p.Get("category"), "AUTHENTICATION", "MARKETING", "UTILITY"); err != nil {
		return f, err
	}
	if f.status, err = enums(p.Get("status"), templateStatuses...); err != nil {
		return f, err
	}
	if f.quality, err = enums(p.Get("quality_score"), templateQualities...); err != nil {
		return f, err
	}
	source, err := p.Get("source").EnumOr("MANUAL", "AUTO_GENERATED", "MANUAL")
	if err != nil {
		return f, err
	}
	f.none = source != "MANUAL"
	for _, t := range [...]struct {
		name string
		to   *int64
	}{{"since", &f.since}, {"until", &f.until}} {
		if v := p.Get(t.name); v.Present() {
			at, err := v.Time()
			if err != nil {
				return f, err
			}
			*t.to = at.Unix()
		}
	}
	return f, nil
}

// apply narrows the list. A name that some template has exactly finds that one, any other name whatever contains it.
func (f *templateFilter) apply(all []*template.Template) []*template.Template {
	exact := slices.ContainsFunc(all, func(t *template.Template) bool { return t.Name == f.name })
	var out []*template.Template
	for _, t := range all {
		if f.keeps(t, exact) {
			out = append(out, t)
		}
	}
	return out
}

func (f *templateFilter) keeps(t *template.Template, exact bool) bool {
	body := ""
	if b := t.Component(template.Body); b != nil {
		body = b.Text
	}
	in := func(list []string, s string) bool { return list == nil || slices.Contains(list, s) }
	at := t.Updated.Unix()
	switch {
	case f.none,
		exact && t.Name != f.name, !strings.Contains(t.Name, f.name),
		!strings.Contains(body, f.content),
		!strings.Contains(t.Name, f.nameOrContent) && !strings.Contains(body, f.nameOrContent),
		!in(f.language, t.Language), !in(f.category, string(t.Category)), !in(f.status, string(t.Status)),
		!in(f.quality, string(t.Quality)),
		f.since != 0 && at < f.since, f.until != 0 && at > f.until:
		return false
	}
	return true
}

// Templates an account may have. Source: spec/templates.md section 3.
const (
	fewTemplates  = 250
	manyTemplates = 6000
)

// templateSummary counts over the whole account, whatever the filter. Translations are complete when every name exists in
// every language that the account uses (ours).
func (s *surface) templateSummary(w *business.WABA, all []*template.Template) graph.Obj {
	names, languages := map[string]bool{}, map[string]bool{}
	for _, t := range all {
		names[t.Name], languages[t.Language] = true, true
	}
	limit := fewTemplates
	approved := func(n *business.Number) bool { return n.NameStatus == business.NameApproved }
	if s.verification(w.Owner) == string(business.Verified) && slices.ContainsFunc(s.o.Business.Numbers(w.ID), approved) {
		limit = manyTemplates
	}
	return graph.Obj{
		{K: "message_template_count", V: len(all)},
		{K: "message_template_limit", V: limit},
		{K: "are_translations_complete", V: len(all) == len(names)*len(languages)},
	}
}
