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

// maxTemplates on a page: clients ask for up to a thousand (spec/graph.md section 6).
const maxTemplates = 1000

// templatesEdge is GET /{waba-id}/message_templates. Source: spec/templates.md section 4.1.
func (s *surface) templatesEdge() graph.Edge[*business.WABA] {
	return graph.Edge[*business.WABA]{
		Name: edgeTemplates, Scopes: scopes(get, kindWABA, edgeTemplates),
		List: graph.Collection[*business.WABA, *template.Template]{
			Item: graph.Ref[*template.Template](kindTemplate), Max: maxTemplates, Default: 25, Key: templateKey,
			BadCursor: wa.ErrCursor, BadSince: graph.V(24), // spec/errors.md section 6
			List: func(_ context.Context, c *graph.Call, w *business.WABA, p graph.Page) (graph.Items[*template.Template], error) {
				if !mayList(c, w, edgeTemplates) {
					return graph.Items[*template.Template]{}, nil
				}
				f, err := readTemplateFilter(c.Params)
				if err != nil {
					return graph.Items[*template.Template]{}, err
				}
				all := s.o.Template.List(w.ID)
				list := all
				if slices.Contains(f.status, string(template.Deleted)) {
					list = append(slices.Clip(list), s.o.Template.Deleted(w.ID)...)
					slices.SortFunc(list, func(a, b *template.Template) int { return strings.Compare(templateKey(b), templateKey(a)) })
				}
				items := templatePage(f.apply(list), p)
				items.Summary = s.templateSummary(w, len(all))
				return items, nil
			},
		},
		Post:   &graph.Action[*business.WABA]{Scopes: scopes(post, kindWABA, edgeTemplates), Answers: kindTemplate, Do: s.createTemplate},
		Delete: &graph.Action[*business.WABA]{Scopes: scopes(remove, kindWABA, edgeTemplates), Do: s.deleteTemplates},
		One: &graph.One[*business.WABA]{
			Post: &graph.Action[*business.WABA]{Scopes: scopes(post, kindWABA, edgeTemplates), Do: s.archiveTemplates},
		},
	}
}

// templatePage is graph.Slice for a list that is in order already: it looks at few keys of a long list.
func templatePage(all []*template.Template, p graph.Page) graph.Items[*template.Template] {
	after := func(key string) int {
		i, _ := slices.BinarySearchFunc(all, key, func(t *template.Template, k string) int { return -strings.Compare(templateKey(t), k) })
		return i
	}
	from, end := 0, 0
	if p.Before != "" && p.After == "" {
		end = after(p.Before)
		from = max(0, end-p.Limit)
		return graph.Items[*template.Template]{Data: all[from:end], More: from > 0, Total: len(all)}
	}
	if p.After != "" {
		if from = after(p.After); from < len(all) && templateKey(all[from]) == p.After {
			from++
		}
	}
	end = min(len(all), from+p.Limit)
	return graph.Items[*template.Template]{Data: all[from:end], More: end < len(all), Total: len(all)}
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

// everything reports whether the filter narrows nothing.
func (f *templateFilter) everything() bool {
	return f.name == "" && f.nameOrContent == "" && f.content == "" && f.language == nil && f.category == nil && f.status == nil &&
		f.quality == nil && !f.none && f.since == 0 && f.until == 0
}

// apply narrows the list. A name that some template has exactly finds that one, any other name whatever contains it.
func (f *templateFilter) apply(all []*template.Template) []*template.Template {
	if f.everything() {
		return all
	}
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

// allowance is what an account may have. Sources: spec/templates.md sections 3 and 9.4.
func (s *surface) allowance(w *business.WABA) template.Allowance {
	verified := s.verification(w.Owner) == string(business.Verified)
	a := template.Allowance{Limit: s.o.Business.TemplateLimit(w.ID), Passcodes: verified || w.Test, Refusal: w.Writable(s.o.Clock.Now())}
	if w.Misuse.InForce(s.o.Clock.Now()) {
		a.Utility = wa.ErrPolicy
	}
	return a
}

// templateSummary counts over the whole account, whatever the filter. Translations are complete when every name exists in
// every language that the account uses (ours).
func (s *surface) templateSummary(w *business.WABA, count int) graph.Obj {
	names, languages := s.o.Template.Languages(w.ID)
	return graph.Obj{
		{K: "message_template_count", V: count},
		{K: "message_template_limit", V: s.allowance(w).Limit},
		{K: "are_translations_complete", V: count == names*languages},
	}
}
