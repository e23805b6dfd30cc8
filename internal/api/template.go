package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
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
		{Name: "components", When: graph.ByDefault, Ask: func(ctx context.Context, c *graph.Call, t T, _ graph.Item) (any, error) {
			return graph.Raw(t.AppendComponents(nil, s.sampleAddress(ctx, c))), nil
		}},
		{Name: "language", When: graph.ByDefault, Get: func(t T) any { return t.Language }},
		{Name: "status", When: graph.ByDefault, Get: func(t T) any { return graph.NonEmpty(t.Status) }},
		{Name: "category", When: graph.ByDefault, Get: func(t T) any { return graph.NonEmpty(t.Category) }},
		{Name: "sub_category", When: graph.ByDefault, Get: func(t T) any { return graph.NonEmpty(t.SubCategory) }},
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
		{Name: "quality_score", Get: func(t T) any {
			o := graph.Obj{{K: "score", V: string(t.Quality)}}
			if !t.QualityAt.IsZero() {
				o = append(o, graph.KV{K: "date", V: t.QualityAt.Unix()})
			}
			return o
		}},
		{Name: "correct_category", Get: func(t T) any { return graph.NonEmpty(t.CorrectCategory()) }},
		{Name: "display_format", Get: func(t T) any { return graph.NonEmpty(t.DisplayFormat) }},
		{Name: "cta_url_link_tracking_opted_out", Get: func(t T) any { return t.UntrackedLink }},
		{Name: "is_primary_device_delivery_only", Get: func(t T) any { return t.PrimaryOnly }},
		{Name: "degrees_of_freedom_spec", Get: func(t T) any { return freedoms(t.Specs["degrees_of_freedom_spec"]) }},
		{Name: "bid_spec", Get: func(t T) any { return spec(t, "bid_spec") }},
		{Name: "creative_sourcing_spec", Get: func(t T) any { return spec(t, "creative_sourcing_spec") }},
		{Name: "last_updated_time", Get: func(t T) any { return moment(t.Updated) }},
		{Name: "health_status", Ask: func(_ context.Context, c *graph.Call, t T, _ graph.Item) (any, error) {
			w, ok := s.o.Business.WABA(t.WABA)
			if !ok {
				return nil, graph.ErrInvisible
			}
			return health(c, templateHealth(t), s.wabaHealth(w)), nil
		}},
	}
	return graph.Node[T]{
		Kind: kindTemplate, Name: typeTemplate, Scopes: scopes(get, kindTemplate, ""), Load: s.loadTemplate, Fields: fields,
		Post: &graph.Action[T]{Do: s.editTemplate},
		Edges: []graph.Edge[T]{
			{Name: edgeUnpause, Scopes: scopes(post, kindTemplate, edgeUnpause), Post: &graph.Action[T]{Do: s.unpauseTemplate}, NotField: true},
			{Name: edgeCompare, Scopes: scopes(get, kindTemplate, edgeCompare), Get: s.compareTemplates, NotField: true},
		},
	}
}

// The edges of a template.
const (
	edgeUnpause = "unpause"
	edgeCompare = "compare"
)

// sampleAddress tells where the file behind a handle can be looked at for some minutes. A handle that has expired stays what
// it is.
func (s *surface) sampleAddress(ctx context.Context, c *graph.Call) func(string) string {
	return func(handle string) string {
		if s.o.Media == nil {
			return handle
		}
		m, err := s.o.Media.Handle(ctx, handle)
		if err != nil {
			return handle
		}
		return s.o.Media.URL(c.Base(), m, "")
	}
}

// freedoms is degrees_of_freedom_spec, whose features are read as a list of keys and values. Source: spec/templates.md section 4.3.
func freedoms(stored []byte) any {
	var o map[string]json.RawMessage
	var features map[string]json.RawMessage
	const name = "creative_features_spec"
	if len(stored) == 0 {
		return nil
	}
	if json.Unmarshal(stored, &o) != nil || json.Unmarshal(o[name], &features) != nil {
		return graph.Raw(stored)
	}
	out := graph.Obj{}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if key != name {
			out = append(out, graph.KV{K: key, V: graph.Raw(o[key])})
			continue
		}
		list := []graph.Obj{}
		for _, f := range slices.Sorted(maps.Keys(features)) {
			list = append(list, graph.Obj{{K: "key", V: f}, {K: "value", V: graph.Raw(features[f])}})
		}
		out = append(out, graph.KV{K: name, V: list})
	}
	return out
}

// spec is an object that is stored and returned unread. Source: spec/templates.md section 4.3.
func spec(t *template.Template, name string) any {
	b, ok := t.Specs[name]
	if !ok {
		return nil
	}
	return graph.Raw(b)
}

// editTemplate is POST /{template-id}. Source: spec/templates.md section 4.3.
func (s *surface) editTemplate(ctx context.Context, c *graph.Call, t *template.Template) (any, error) {
	e, err := template.ParseEdit(c.Params)
	if err != nil {
		return nil, err
	}
	w, ok := s.o.Business.WABA(t.WABA)
	if !ok {
		return nil, graph.ErrInvisible
	}
	if err := w.Writable(s.o.Clock.Now()); err != nil {
		return nil, err
	}
	if e.Category == template.Utility && t.Category != template.Utility && w.Misuse.InForce(s.o.Clock.Now()) {
		return nil, wa.ErrPolicy
	}
	e.SupportedApps = c.Version.AtLeast(graph.V(21))
	e.App, e.NoFlows, e.Passcodes = who(c).Caller.App.ID, s.mayMakeFlows(c, w), s.allowance(w).Passcodes
	if _, err := s.o.Template.Change(ctx, t.ID, e); err != nil {
		return nil, templateError(err)
	}
	return s.noted(ctx, c, w.ID, business.ActTemplateEdited, string(t.ID), "Message template edited"), nil
}

// unpauseTemplate is POST /{template-id}/unpause. Source: spec/templates.md section 13.2.
func (s *surface) unpauseTemplate(ctx context.Context, _ *graph.Call, t *template.Template) (any, error) {
	why, err := s.o.Template.Unpause(ctx, t.ID)
	if err != nil {
		return nil, templateError(err)
	}
	if why != "" {
		return graph.Obj{{K: "success", V: false}, {K: "reason", V: why}}, nil
	}
	return graph.Success, nil
}

// minCompared is how often both templates must have been sent. Source: spec/templates.md section 16.2.
const minCompared = 1000

// compareTemplates is GET /{template-id}/compare. Source: spec/templates.md section 16.2.
func (s *surface) compareTemplates(ctx context.Context, c *graph.Call, t *template.Template) (any, error) {
	ids, err := c.Params.Get("template_ids").Strings()
	if err != nil {
		return nil, err
	}
	if len(ids) != 1 {
		return nil, wa.ErrParamType.Fill("template_ids", "a list with one id")
	}
	from, err := c.Params.Get("start").Time()
	if err != nil {
		return nil, err
	}
	to, err := c.Params.Get("end").Time()
	if err != nil {
		return nil, err
	}
	if days := to.Sub(from).Round(24*time.Hour) / (24 * time.Hour); days != 7 && days != 30 && days != 60 && days != 90 {
		return nil, wa.ErrParamType.Fill("start", "7, 30, 60 or 90 days before end")
	}
	if age := c.Start.Sub(to); age < -24*time.Hour || age > 24*time.Hour {
		return nil, wa.ErrParamType.Fill("end", "the time of the request")
	}
	o, ok := s.o.Template.Template(wa.TemplateID(ids[0]))
	if !ok || o.WABA != t.WABA || o.ID == t.ID {
		return nil, wa.ErrParamType.Fill("template_ids", "another template of the same WhatsApp Business Account")
	}
	both, err := analytics.Compare(ctx, s.o.Counts, from, to, string(t.ID), string(o.ID))
	if err != nil {
		return nil, wa.ErrService.Because(err)
	}
	if both[0].Sends < minCompared || both[1].Sends < minCompared {
		return nil, wa.ErrInvalidParameter.Titled("Both templates must have been sent at least 1,000 times in the time frame")
	}
	return comparison(both, map[string]template.Category{string(t.ID): t.Category, string(o.ID): o.Category}), nil
}

// comparison is the answer: which one is blocked less often, how often they were sent, and why they are blocked.
func comparison(both []analytics.Compared, category map[string]template.Category) graph.Obj {
	order := slices.SortedStableFunc(slices.Values(both), analytics.MoreBlocked)
	var ids, sends, reasons []any
	for i := range both {
		ids = append(ids, order[i].Template)
		sends = append(sends, graph.Obj{{K: "key", V: both[i].Template}, {K: "value", V: both[i].Sends}})
		reasons = append(reasons, graph.Obj{{K: "key", V: both[i].Template}, {K: "value", V: blockReason(both[i], category[both[i].Template])}})
	}
	return graph.Obj{{K: "data", V: []any{
		graph.Obj{{K: "metric", V: "BLOCK_RATE"}, {K: "type", V: "RELATIVE"}, {K: "order_by_relative_metric", V: ids}},
		graph.Obj{{K: "metric", V: "MESSAGE_SENDS"}, {K: "type", V: "NUMBER_VALUES"}, {K: "number_values", V: sends}},
		graph.Obj{{K: "metric", V: "TOP_BLOCK_REASON"}, {K: "type", V: "STRING_VALUES"}, {K: "string_values", V: reasons}},
	}}}
}

// blockReason is the word for what people say most often. NO_REASON stands for a template that nobody blocked (unverified).
func blockReason(c analytics.Compared, of template.Category) string {
	switch {
	case c.Blocks == 0:
		return "NO_REASON"
	case c.Reason == analytics.ReasonNoSignUp && of == template.Authentication:
		return "OTP_DID_NOT_REQUEST"
	}
	switch c.Reason {
	case analytics.ReasonSpam:
		return "SPAM"
	case analytics.ReasonOffensive:
		return "OFFENSIVE_MESSAGES"
	case analytics.ReasonNoSignUp:
		return "NO_SIGN_UP"
	case analytics.ReasonNotNeeded:
		return "NO_LONGER_NEEDED"
	case analytics.ReasonOther:
		return "OTHER"
	}
	return "NO_REASON_GIVEN"
}

// templateError makes a row of what the template room says about a template that went away meanwhile.
func templateError(err error) error {
	if errors.Is(err, template.ErrUnknown) {
		return wa.ErrTemplateNotFound.Because(err)
	}
	return err
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
