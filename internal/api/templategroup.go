package api

import (
	"context"
	"slices"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const edgeTemplateGroups = "template_groups"

// groupNode is /{group-id}: a set of templates. Source: spec/templates.md section 16.3.
func (s *surface) groupNode() graph.Node[*template.Group] {
	type G = *template.Group
	return graph.Node[G]{
		Kind: kindTemplateGroup, Name: typeTemplateGroup, Scopes: scopes(get, kindTemplateGroup, ""),
		Load: func(_ context.Context, c *graph.Call, id string) (G, error) {
			g, ok := s.group(id)
			if !ok {
				return nil, graph.ErrInvisible
			}
			w, ok := s.o.Business.WABA(g.WABA)
			if !ok || !who(c).SeesWABA(asset(w)) {
				return nil, graph.ErrInvisible
			}
			return g, nil
		},
		Fields: []graph.Field[G]{
			{Name: "id", When: graph.Always, Get: func(g G) any { return g.ID }},
			{Name: "name", When: graph.ByDefault, Get: func(g G) any { return g.Name }},
			{Name: "description", When: graph.ByDefault, Get: func(g G) any { return g.Description }},
			{Name: "whatsapp_business_templates", When: graph.ByDefault, Get: func(g G) any { return idTexts(g.Templates) }},
		},
		Post:   &graph.Action[G]{Scopes: scopes(post, kindTemplateGroup, ""), Do: s.editGroup},
		Delete: &graph.Action[G]{Scopes: scopes(remove, kindTemplateGroup, ""), Do: s.deleteGroup},
	}
}

func (s *surface) group(id string) (*template.Group, bool) {
	if s.o.Groups == nil {
		return nil, false
	}
	return s.o.Groups.Group(id)
}

func idTexts(ids []wa.TemplateID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}

func (s *surface) groupsEdge() graph.Edge[*business.WABA] {
	key := func(g *template.Group) string { return stamp(g.Created) + g.ID }
	return graph.Edge[*business.WABA]{
		Name: edgeTemplateGroups, Scopes: scopes(get, kindWABA, edgeTemplateGroups),
		List: graph.Collection[*business.WABA, *template.Group]{
			Item: graph.Ref[*template.Group](kindTemplateGroup), Key: key,
			List: func(_ context.Context, c *graph.Call, w *business.WABA, p graph.Page) (graph.Items[*template.Group], error) {
				if s.o.Groups == nil || !mayList(c, w, edgeTemplateGroups) {
					return graph.Items[*template.Group]{}, nil
				}
				return sliced(s.o.Groups.List(w.ID), p, key, func(a, b string) bool { return a > b }), nil
			},
		},
		Post: &graph.Action[*business.WABA]{Scopes: scopes(post, kindWABA, edgeTemplateGroups), Answers: kindTemplateGroup, Do: s.createGroup},
	}
}

func (s *surface) createGroup(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	if s.o.Groups == nil {
		return nil, unsupported(c)
	}
	if err := w.Writable(s.o.Clock.Now()); err != nil {
		return nil, err
	}
	g := template.Group{WABA: w.ID}
	var err error
	if g.Name, err = c.Params.Get("name").Str(); err != nil {
		return nil, err
	}
	if g.Description, err = c.Params.Get("description").Str(); err != nil {
		return nil, err
	}
	if g.Templates, err = groupMembers(c, "whatsapp_business_templates"); err != nil {
		return nil, err
	}
	if g.Templates == nil {
		return nil, wa.ErrParamRequired.Fill("whatsapp_business_templates")
	}
	made, err := s.o.Groups.Create(ctx, g)
	if err != nil {
		return nil, err
	}
	return graph.Written{ID: made.ID, Else: graph.ID(made.ID)}, nil
}

// maxGroupChange is how many templates one call adds to or removes from a group.
const maxGroupChange = 500

func groupMembers(c *graph.Call, name string) ([]wa.TemplateID, error) {
	v := c.Params.Get(name)
	if !v.Present() {
		return nil, nil
	}
	return templateIDs(v, maxGroupChange)
}

func (s *surface) editGroup(ctx context.Context, c *graph.Call, g *template.Group) (any, error) {
	name, err := c.Params.Get("name").StrOr(g.Name)
	if err != nil {
		return nil, err
	}
	about, err := c.Params.Get("description").StrOr(g.Description)
	if err != nil {
		return nil, err
	}
	add, err := groupMembers(c, "add_whatsapp_business_templates")
	if err != nil {
		return nil, err
	}
	drop, err := groupMembers(c, "remove_whatsapp_business_templates")
	if err != nil {
		return nil, err
	}
	_, err = s.o.Groups.Update(ctx, g.ID, func(g *template.Group) {
		g.Name, g.Description = name, about
		g.Templates = slices.DeleteFunc(append(g.Templates, add...), func(id wa.TemplateID) bool { return slices.Contains(drop, id) })
	})
	return success(err)
}

func (s *surface) deleteGroup(ctx context.Context, _ *graph.Call, g *template.Group) (any, error) {
	return success(s.o.Groups.Delete(ctx, g.ID))
}
