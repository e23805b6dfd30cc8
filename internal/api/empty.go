package api

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
)

// Edges of features that are not here: they exist and hold nothing, which is what clients that walk through an account or a
// portfolio need to hear. Nothing can be put into them. Source: spec/business.md sections 3, 5.2 and 5.3.
var (
	emptyOfWABA = []string{
		"schedules", "audiences", "message_campaigns", "welcome_message_sequences", "dataset", "product_catalogs",
		"payment_configurations", "obo_mobility_intent", "in_progress_onbehalf_request",
	}
	emptyOfBusiness = []string{"owned_product_catalogs", "client_product_catalogs", "client_apps"}
)

// nothing is an item of such an edge.
type nothing struct{}

// empty makes the edges of a kind. They are no fields of their node: nothing is asked of an empty list.
func empty[S any](kind string, names []string) []graph.Edge[S] {
	item := graph.Object[nothing]{Name: "Nothing", Fields: []graph.Field[nothing]{{Name: "id", When: graph.Always, Get: func(nothing) any { return nil }}}}
	out := make([]graph.Edge[S], len(names))
	for i, name := range names {
		out[i] = graph.Edge[S]{
			Name: name, NotField: true, Scopes: scopes(get, kind, name),
			List: graph.Collection[S, nothing]{Item: item, Unpaged: true, List: func(context.Context, *graph.Call, S, graph.Page) (graph.Items[nothing], error) {
				return graph.Items[nothing]{}, nil
			}},
		}
	}
	return out
}

func emptyWABAEdges() []graph.Edge[*business.WABA] {
	return empty[*business.WABA](kindWABA, emptyOfWABA)
}

func emptyPortfolioEdges() []graph.Edge[portfolio] {
	return empty[portfolio](kindBusiness, emptyOfBusiness)
}
