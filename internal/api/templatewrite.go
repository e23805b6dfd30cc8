package api

import (
	"context"
	"strings"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges of an account that have to do with templates, besides message_templates.
const (
	edgeUpsert      = "upsert_message_templates"
	edgePreviews    = "message_template_previews"
	edgeMigrate     = "migrate_message_templates"
	edgePerformance = "template_performance_metrics"
	edgeLibrary     = "message_template_library"
)

// templateEdges of an account. Source: spec/templates.md section 4.6.
func (s *surface) templateEdges() []graph.Edge[*business.WABA] {
	type W = *business.WABA
	return []graph.Edge[W]{
		s.templatesEdge(), s.groupsEdge(),
		{Name: edgeUpsert, Scopes: scopes(post, kindWABA, edgeUpsert), Post: &graph.Action[W]{Do: s.upsertTemplates}, NotField: true},
		{Name: edgePreviews, Scopes: scopes(get, kindWABA, edgePreviews), Get: s.templatePreviews, NotField: true},
		{Name: edgeMigrate, Scopes: scopes(post, kindWABA, edgeMigrate), Post: &graph.Action[W]{Do: s.migrateTemplates}, NotField: true},
		{Name: edgeLibrary, Scopes: scopes(get, kindWABA, edgeLibrary), List: libraryOf[W](), NotField: true},
		{Name: edgePerformance, Scopes: scopes(get, kindWABA, edgePerformance), Get: templatePerformance, NotField: true},
	}
}

// createTemplate is POST /{waba-id}/message_templates. Source: spec/templates.md sections 4.2 and 5.
func (s *surface) createTemplate(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	d, err := template.ParseDraft(c.Params)
	if err != nil {
		return nil, err
	}
	d.SupportedApps = c.Version.AtLeast(graph.V(21))
	d.App, d.NoFlows = who(c).Caller.App.ID, s.mayMakeFlows(c, w)
	t, err := s.o.Template.Submit(ctx, w.ID, d, s.allowance(w))
	if err != nil {
		return nil, err
	}
	s.noted(ctx, c, w.ID, business.ActTemplateMade, string(t.ID), "Message template created")
	return graph.Written{ID: string(t.ID), Else: graph.Obj{
		{K: "id", V: string(t.ID)}, {K: "status", V: string(t.Status)}, {K: "category", V: string(t.Category)},
	}}, nil
}

// maxBulk is how many templates one call deletes or archives. Source: spec/templates.md section 3.
const maxBulk = 100

// deleteTemplates is DELETE /{waba-id}/message_templates. Source: spec/templates.md section 4.4.
func (s *surface) deleteTemplates(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	if err := w.Writable(s.o.Clock.Now()); err != nil {
		return nil, err
	}
	many, one, name := c.Params.Get("hsm_ids"), c.Params.Get("hsm_id"), c.Params.Get("name")
	if many.Present() {
		if one.Present() || name.Present() {
			return nil, wa.ErrParamType.Fill("hsm_ids", "absent when hsm_id or name is given")
		}
		ids, err := templateIDs(many, maxBulk)
		if err != nil {
			return nil, err
		}
		return s.removed(ctx, c, w, "", s.o.Template.Remove(ctx, w.ID, "", ids...))
	}
	n, err := name.Str()
	if err != nil {
		return nil, err
	}
	if !one.Present() {
		return s.removed(ctx, c, w, "", s.o.Template.RemoveName(ctx, w.ID, n))
	}
	id, err := one.ID()
	if err != nil {
		return nil, err
	}
	return s.removed(ctx, c, w, id, s.o.Template.Remove(ctx, w.ID, n, wa.TemplateID(id)))
}

// removed ends a deletion of templates: of one, else of several.
func (s *surface) removed(ctx context.Context, c *graph.Call, w *business.WABA, id string, err error) (any, error) {
	switch {
	case err != nil:
		return nil, templateError(err)
	case id == "":
		return s.noted(ctx, c, w.ID, business.ActTemplateGone, "", "Message templates deleted"), nil
	}
	return s.noted(ctx, c, w.ID, business.ActTemplateGone, id, "Message template deleted"), nil
}

func success(err error) (any, error) {
	if err != nil {
		return nil, templateError(err)
	}
	return graph.Success, nil
}

// templateIDs reads a list of ids: JSON, or joined by commas.
func templateIDs(v graph.Value, most int) ([]wa.TemplateID, error) {
	list, err := v.Strings()
	if err != nil {
		return nil, err
	}
	if len(list) == 1 {
		list = strings.Split(list[0], ",") // some clients join them in JSON, too
	}
	if len(list) == 0 || len(list) > most {
		return nil, v.Invalid("must be a list of 1 to %d ids", most)
	}
	out := make([]wa.TemplateID, len(list))
	for i, id := range list {
		out[i] = wa.TemplateID(strings.TrimSpace(id))
	}
	return out, nil
}

// archiveTemplates is POST /{waba-id}/message_templates/archive and …/unarchive. Source: spec/templates.md section 4.5.
func (s *surface) archiveTemplates(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	act, key := s.o.Template.Archive, "archived_templates"
	switch c.Sub {
	case "archive":
	case "unarchive":
		act, key = s.o.Template.Unarchive, "unarchived_templates"
	default:
		return nil, unsupported(c)
	}
	if err := w.Writable(s.o.Clock.Now()); err != nil {
		return nil, err
	}
	v := c.Params.Get("hsm_ids")
	if err := v.Required(); err != nil {
		return nil, err
	}
	ids, err := templateIDs(v, maxBulk)
	if err != nil {
		return nil, err
	}
	done, failed, err := act(ctx, w.ID, ids)
	if err != nil {
		return nil, err
	}
	return outcome(key, done, failed), nil
}

// outcome lists which templates were changed, and why the others were not.
func outcome(key string, done []wa.TemplateID, failed []template.Failure) graph.Obj {
	why := graph.Obj{}
	for _, f := range failed {
		why = append(why, graph.KV{K: string(f.ID), V: f.Why})
	}
	return graph.Obj{{K: key, V: idTexts(done)}, {K: "failed_templates", V: why}}
}

// upsertTemplates is POST /{waba-id}/upsert_message_templates. Source: spec/templates.md section 9.5.
func (s *surface) upsertTemplates(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	d, list, err := template.ParseUpsert(c.Params)
	if err != nil {
		return nil, err
	}
	d.SupportedApps = c.Version.AtLeast(graph.V(21))
	ts, err := s.o.Template.Upsert(ctx, w.ID, d, list, s.allowance(w))
	if err != nil {
		return nil, err
	}
	data := make([]graph.Obj, len(ts))
	for i, t := range ts {
		data[i] = graph.Obj{{K: "id", V: string(t.ID)}, {K: "status", V: string(t.Status)}, {K: "language", V: t.Language}}
	}
	s.noted(ctx, c, w.ID, business.ActTemplateEdited, "", "Authentication templates created or changed")
	return graph.Obj{{K: "data", V: data}}, nil
}

// templatePreviews is GET /{waba-id}/message_template_previews. Source: spec/templates.md section 9.6.
func (s *surface) templatePreviews(_ context.Context, c *graph.Call, _ *business.WABA) (any, error) {
	p := c.Params
	if _, err := p.Get("category").Enum("AUTHENTICATION"); err != nil {
		return nil, err
	}
	if err := p.Get("button_types").Required(); err != nil {
		return nil, err
	}
	if _, err := enums(p.Get("button_types"), "OTP"); err != nil {
		return nil, err
	}
	languages := p.Get("languages")
	if !languages.Present() {
		languages = p.Get("language")
	}
	list, err := languages.StringsOr()
	if err != nil {
		return nil, err
	}
	for i := range list {
		var ok bool
		if list[i], ok = template.ParseLanguage(list[i]); !ok {
			return nil, wa.ErrTemplateLanguage
		}
	}
	security, err := p.Get("add_security_recommendation").BoolOr(false)
	if err != nil {
		return nil, err
	}
	minutes, err := p.Get("code_expiration_minutes").IntOr(0)
	if err != nil {
		return nil, err
	}
	if minutes < 0 || minutes > 90 || minutes == 0 && p.Has("code_expiration_minutes") {
		return nil, p.Get("code_expiration_minutes").Invalid("must be between 1 and 90")
	}
	views := template.Previews(list, security, int(minutes))
	data := make([]graph.Obj, len(views))
	for i, v := range views {
		o := graph.Obj{
			{K: "body", V: v.Body},
			{K: "buttons", V: []graph.Obj{{{K: "autofill_text", V: v.Autofill}, {K: "text", V: v.Button}}}},
		}
		if v.Footer != "" {
			o = append(o, graph.KV{K: "footer", V: v.Footer})
		}
		data[i] = append(o, graph.KV{K: "language", V: v.Language})
	}
	return graph.Obj{{K: "data", V: data}}, nil
}

// maxMigration is how many templates one call copies. Source: spec/templates.md section 3.
const maxMigration = 500

// migrateTemplates is POST /{waba-id}/migrate_message_templates. Source: spec/templates.md section 16.1.
func (s *surface) migrateTemplates(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	source, err := c.Params.Get("source_waba_id").ID()
	if err != nil {
		return nil, err
	}
	page, err := c.Params.Get("page_number").IntOr(0)
	if err != nil {
		return nil, err
	}
	count, err := c.Params.Get("count").IntOr(maxMigration)
	if err != nil {
		return nil, err
	}
	if page < 0 || page > 1<<20 || count < 1 || count > maxMigration {
		return nil, c.Params.Get("count").Invalid("must be between 1 and %d, and page_number not negative", maxMigration)
	}
	from, ok := s.o.Business.WABA(wa.WABAID(source))
	if !ok || !who(c).SeesWABA(asset(from)) || from.Owner != w.Owner || from.ID == w.ID {
		return nil, wa.ErrParamType.Fill("source_waba_id", "another WhatsApp Business Account of the same business")
	}
	if err := w.Writable(s.o.Clock.Now()); err != nil {
		return nil, err
	}
	ids, err := migrated(c, s.o.Template.List(from.ID), int(page)*maxMigration, int(count))
	if err != nil {
		return nil, err
	}
	done, failed, err := s.o.Template.Migrate(ctx, from.ID, w.ID, ids, s.allowance(w))
	if err != nil {
		return nil, err
	}
	return outcome("migrated_templates", done, failed), nil
}

func migrated(c *graph.Call, all []*template.Template, from, count int) ([]wa.TemplateID, error) {
	if v := c.Params.Get("template_ids"); v.Present() {
		return templateIDs(v, maxMigration)
	}
	var out []wa.TemplateID
	for i := from; i < len(all) && len(out) < count; i++ {
		out = append(out, all[i].ID)
	}
	return out, nil
}

// templatePerformance is GET /{waba-id}/template_performance_metrics: estimates of the marketing API, of which there are
// none. Source: spec/templates.md section 16.4.
func templatePerformance(context.Context, *graph.Call, *business.WABA) (any, error) {
	return graph.Obj{{K: "data", V: []string{}}}, nil
}
