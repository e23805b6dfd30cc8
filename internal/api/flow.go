package api

import (
	"context"
	"net/url"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges that have to do with flows.
const (
	edgeFlows        = "flows"
	edgeMigrateFlows = "migrate_flows"
	edgeAssets       = "assets"
	edgePublish      = "publish"
	edgeDeprecate    = "deprecate"
)

// FlowPath is where the pages and files of flows are: {flow}/preview/ and {flow}/flow.json.
const FlowPath = "/flows/"

// flowNode is /{flow-id}. Source: spec/flows.md sections 2 and 3.
func (s *surface) flowNode() graph.Node[*flow.Flow] {
	type T = *flow.Flow
	action := func(edge string, do func(context.Context, *graph.Call, T) (any, error)) graph.Edge[T] {
		return graph.Edge[T]{Name: edge, NotField: true, Scopes: scopes(post, kindFlow, edge), Post: &graph.Action[T]{Do: do}}
	}
	return graph.Node[T]{
		Kind: kindFlow, Name: typeFlow, Scopes: scopes(get, kindFlow, ""), Load: s.loadFlow, Fields: s.flowFields(),
		Post:   &graph.Action[T]{Do: s.updateFlow},
		Delete: &graph.Action[T]{Do: s.deleteFlow},
		Edges: []graph.Edge[T]{
			{
				Name: edgeAssets, Scopes: scopes(get, kindFlow, edgeAssets),
				List: graph.Collection[T, flowAsset]{Item: flowAssetObject(), Key: func(flowAsset) string { return "flow.json" }, List: s.listAssets},
				Post: &graph.Action[T]{Scopes: scopes(post, kindFlow, edgeAssets), MaxBody: maxFlowUpload, Do: s.uploadFlow},
			},
			action(edgePublish, s.publishFlow), action(edgeDeprecate, s.deprecateFlow),
		},
	}
}

func (s *surface) flowFields() []graph.Field[*flow.Flow] {
	type T = *flow.Flow
	return []graph.Field[T]{
		{Name: "id", When: graph.Always, Get: func(f T) any { return string(f.ID) }},
		{Name: "name", When: graph.ByDefault, Get: func(f T) any { return f.Name }},
		{Name: "status", When: graph.ByDefault, Get: func(f T) any { return string(f.Status) }},
		{Name: "categories", When: graph.ByDefault, Get: func(f T) any {
			out := make([]string, len(f.Categories))
			for i, c := range f.Categories {
				out[i] = string(c)
			}
			return out
		}},
		{Name: "validation_errors", When: graph.ByDefault, Get: func(f T) any { return problems(f) }},
		{Name: "json_version", Get: func(f T) any { return graph.NonEmpty(f.Draft.Version.String()) }},
		{Name: "data_api_version", Get: func(f T) any { return graph.NonEmpty(f.Draft.DataAPI) }},
		{Name: "endpoint_uri", Since: graph.V(19), Get: func(f T) any { return graph.NonEmpty(f.EndpointURI()) }},
		{Name: "data_channel_uri", Until: graph.V(19), Get: func(f T) any { return graph.NonEmpty(f.EndpointURI()) }},
		{Name: "preview", Ask: s.flowPreview},
		{Name: "whatsapp_business_account", Sub: graph.Ref[*business.WABA](kindWABA), Ask: func(_ context.Context, _ *graph.Call, f T, _ graph.Item) (any, error) {
			if w, ok := s.o.Business.WABA(f.WABA); ok {
				return w, nil
			}
			return nil, nil
		}},
		{Name: "application", Ask: func(_ context.Context, c *graph.Call, f T, _ graph.Item) (any, error) {
			a, ok := s.o.Access.App(f.App)
			if !ok {
				return nil, nil
			}
			return graph.Obj{{K: "id", V: string(a.ID)}, {K: "name", V: a.Name}, {K: "link", V: appLink(c, a)}}, nil
		}},
		{Name: "updated_at", Get: func(f T) any { return moment(f.Updated) }},
		{Name: "health_status", Ask: s.flowHealth},
		{Name: "metric", Ask: s.flowMetric},
	}
}

// problems is validation_errors: an empty list when there are none.
func problems(f *flow.Flow) []document.Problem {
	if f.Draft.Problems == nil {
		return []document.Problem{}
	}
	return f.Draft.Problems
}

// flowPreview is preview and preview.invalidate(…). Source: spec/flows.md section 5.
func (s *surface) flowPreview(ctx context.Context, c *graph.Call, f *flow.Flow, it graph.Item) (any, error) {
	fresh, err := it.Arg("invalidate").BoolOr(false)
	if err != nil {
		return nil, err
	}
	token, ends, err := s.o.Flows.Preview(ctx, f.ID, fresh)
	if err != nil {
		return nil, flowError(err)
	}
	link := c.Base() + FlowPath + string(f.ID) + "/preview/?token=" + token
	return graph.Obj{{K: "preview_url", V: link}, {K: "expires_at", V: ends}}, nil
}

func (s *surface) loadFlow(_ context.Context, c *graph.Call, id string) (*flow.Flow, error) {
	f, ok := s.o.Flows.Flow(wa.FlowID(id))
	if !ok || !s.seesFlow(c, f) {
		return nil, graph.ErrInvisible
	}
	return f, nil
}

func (s *surface) seesFlow(c *graph.Call, f *flow.Flow) bool {
	w, ok := s.o.Business.WABA(f.WABA)
	return ok && who(c).SeesWABA(asset(w))
}

// flowEdges of an account. Source: spec/flows.md section 2.
func (s *surface) flowEdges() []graph.Edge[*business.WABA] {
	type W = *business.WABA
	return []graph.Edge[W]{
		{
			Name: edgeFlows, Scopes: scopes(get, kindWABA, edgeFlows),
			List: graph.Collection[W, *flow.Flow]{
				Item: graph.Ref[*flow.Flow](kindFlow), Key: flowKey,
				List: func(_ context.Context, c *graph.Call, w W, p graph.Page) (graph.Items[*flow.Flow], error) {
					if !mayList(c, w, edgeFlows) {
						return graph.Items[*flow.Flow]{}, nil
					}
					return graph.Slice(s.o.Flows.List(w.ID), p, flowKey, func(a, b string) bool { return a > b }), nil
				},
			},
			Post: &graph.Action[W]{Scopes: scopes(post, kindWABA, edgeFlows), MaxBody: maxFlowUpload, Answers: kindFlow, Do: s.createFlow},
		},
		{
			Name: edgeMigrateFlows, NotField: true, Scopes: scopes(post, kindWABA, edgeMigrateFlows),
			Post: &graph.Action[W]{Do: s.migrateFlows},
		},
	}
}

func flowKey(f *flow.Flow) string { return stamp(f.Created) + string(f.ID) }

// flowAsset is the one file of a flow.
type flowAsset struct{ url string }

func flowAssetObject() graph.Object[flowAsset] {
	type T = flowAsset
	return graph.Object[T]{Name: "WhatsAppExtensionAsset", Fields: []graph.Field[T]{
		{Name: "name", When: graph.ByDefault, Get: func(T) any { return assetName }},
		{Name: "asset_type", When: graph.ByDefault, Get: func(T) any { return assetType }},
		{Name: "download_url", When: graph.ByDefault, Get: func(a T) any { return a.url }},
	}}
}

const (
	assetName = "flow.json"
	assetType = "FLOW_JSON"
)

func (s *surface) listAssets(_ context.Context, c *graph.Call, f *flow.Flow, p graph.Page) (graph.Items[flowAsset], error) {
	if !f.Draft.Exists() || !s.mayFlow(c, f) {
		return graph.Items[flowAsset]{}, nil
	}
	n, ends, token := s.o.Flows.AssetToken(f)
	q := url.Values{"n": {strconv.FormatInt(n, 10)}, "e": {strconv.FormatInt(ends, 10)}, "token": {token}}
	a := flowAsset{c.Base() + FlowPath + string(f.ID) + "/" + assetName + "?" + q.Encode()}
	return graph.Slice([]flowAsset{a}, p, func(flowAsset) string { return assetName }, func(a, b string) bool { return a < b }), nil
}

// mayFlow is mayList for what is read inside of a flow.
func (s *surface) mayFlow(c *graph.Call, f *flow.Flow) bool {
	w, ok := s.o.Business.WABA(f.WABA)
	if !ok {
		return false
	}
	r := rights[endpoint{get, kindFlow, edgeAssets}]
	return who(c).May(asset(w), r.task, r.scopes...) == access.Allowed
}
