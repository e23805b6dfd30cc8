package api

import (
	"context"
	"slices"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges of an account.
const (
	edgeNumbers    = "phone_numbers"
	edgeTemplates  = "message_templates"
	edgeSubscribed = "subscribed_apps"
)

// wabaNode is /{waba-id}; item is the form that lists of accounts use, whose default fields include the currency. Source:
// spec/business.md section 4.
func (s *surface) wabaNode(item bool) graph.Node[*business.WABA] {
	kind, currency := kindWABA, graph.OnAsk
	if item {
		kind, currency = "waba_item", graph.ByDefault
	}
	return graph.Node[*business.WABA]{
		Kind: kind, Name: typeWABA, Scopes: scopes(get, kindWABA, ""), Load: s.loadWABA, Fields: s.wabaFields(currency),
		Post: &graph.Action[*business.WABA]{Scopes: scopes(post, kindWABA, ""), Answers: kindWABA, Do: s.updateWABA},
		Edges: append([]graph.Edge[*business.WABA]{
			s.numbersEdge(), s.subscribedEdge(), s.assignedUsersEdge(), s.activitiesEdge(), s.agenciesEdge(), s.solutionsEdge(), s.intentEdge(), mobilityEdge(),
		}, slices.Concat(s.templateEdges(), s.insightEdges(), s.flowEdges(), emptyWABAEdges())...),
	}
}

func (s *surface) wabaFields(currency graph.When) []graph.Field[*business.WABA] {
	type T = *business.WABA
	fields := []graph.Field[T]{
		{Name: "id", When: graph.Always, Get: func(w T) any { return string(w.ID) }},
		{Name: "name", When: graph.ByDefault, Get: func(w T) any { return w.Name }},
		{Name: "currency", When: currency, Get: func(w T) any { return graph.NonEmpty(w.Currency) }},
		{Name: "timezone_id", When: graph.ByDefault, Get: func(w T) any { return graph.NonEmpty(w.TimezoneID) }},
		{Name: "message_template_namespace", When: graph.ByDefault, Get: func(w T) any { return graph.NonEmpty(w.Namespace) }},
		{Name: "country", Get: func(w T) any { return graph.NonEmpty(w.Country) }},
		{Name: fieldAnalytics, Ask: s.messagesField},
		{Name: edgeCallStats, Ask: s.callField},
		{Name: "creation_time", Get: func(w T) any { return w.Created.Unix() }},
		{Name: "status", Get: func(w T) any { return graph.NonEmpty(w.Status) }},
		{Name: "account_review_status", Get: func(w T) any { return graph.NonEmpty(w.Review) }},
		{Name: "business_verification_status", Get: func(w T) any { return graph.NonEmpty(s.verification(w.Owner)) }},
		{Name: "ownership_type", Ask: func(_ context.Context, c *graph.Call, w T, _ graph.Item) (any, error) {
			return ownership(c, w), nil
		}},
		{Name: "owner_business", Sub: graph.Ref[portfolio](kindBusiness), Ask: func(_ context.Context, c *graph.Call, w T, _ graph.Item) (any, error) {
			if p, ok := s.owner(c, w.Owner); ok {
				return p, nil
			}
			return nil, nil
		}},
		{Name: "owner_business_info", Get: func(w T) any { return s.ownerInfo(w.Owner) }},
		{Name: "on_behalf_of_business_info", Get: func(w T) any {
			return s.ownerInfo(w.Owner, graph.KV{K: "status", V: "APPROVED"}, graph.KV{K: "type", V: "SELF"})
		}},
		{Name: "primary_funding_id", Get: func(w T) any { return graph.NonEmpty(w.FundingID) }},
		{Name: "purchase_order_number", Get: func(w T) any { return graph.NonEmpty(w.PurchaseNote) }},
		{Name: "health_status", Ask: func(_ context.Context, c *graph.Call, w T, _ graph.Item) (any, error) {
			return health(c, s.wabaHealth(w)), nil
		}},
		{Name: "primary_business_location", Get: func(w T) any {
			if p, ok := s.o.Business.Portfolio(w.Owner); ok {
				return graph.NonEmpty(p.Location(w))
			}
			return nil
		}},
		{Name: "auth_international_rate_eligibility", Get: func(w T) any {
			if p, ok := s.o.Business.Portfolio(w.Owner); ok && !p.International.From.IsZero() {
				return eligibility(p.International.Eligibility())
			}
			return nil
		}},
		{Name: fieldLimit, Get: func(w T) any { return graph.NonEmpty(s.tier(w.Owner)) }},
		{Name: "is_enabled_for_insights", Get: func(w T) any { return w.Insights }},
		{Name: "is_shared_with_partners", Get: func(w T) any { return len(w.Shared) > 0 }},
		{Name: "disable_marketing_messages_on_cloud_api", Get: func(w T) any { return w.MarketingDisabled }},
		{Name: "template_auto_archival_enabled", Get: func(w T) any { return w.AutoArchival }},
		// There is nothing to onboard to: every account may send by the marketing API.
		{Name: "marketing_messages_lite_api_status", Get: func(T) any { return onboarded }},
		{Name: "marketing_messages_onboarding_status", Get: func(T) any { return onboarded }},
	}
	return append(fields, absent[T](
		"linked_commerce_account", "marketing_messages_ad_account",
		"whatsapp_manager_marketing_messages_max_price_enroll_status",
	)...)
}

const onboarded = "ONBOARDED"

func eligibility(e *business.Eligibility) graph.Obj {
	countries := make([]graph.Obj, len(e.Exceptions))
	for i, x := range e.Exceptions {
		countries[i] = graph.Obj{{K: "country_code", V: x.Country}, {K: "start_time", V: x.Start}}
	}
	return graph.Obj{{K: "start_time", V: e.Start}, {K: "exception_countries", V: countries}}
}

// ownership is SELF for members of the owning portfolio, CLIENT_OWNED for partners.
func ownership(c *graph.Call, w *business.WABA) string {
	for _, m := range who(c).Actor.Member {
		if m.Business == w.Owner {
			return "SELF"
		}
	}
	return "CLIENT_OWNED"
}

func (s *surface) loadWABA(_ context.Context, c *graph.Call, id string) (*business.WABA, error) {
	w, ok := s.o.Business.WABA(wa.WABAID(id))
	if !ok || !who(c).SeesWABA(asset(w)) {
		return nil, graph.ErrInvisible
	}
	return w, nil
}

// numbersEdge is GET /{waba-id}/phone_numbers. Source: spec/phone_numbers.md section 3.
func (s *surface) numbersEdge() graph.Edge[*business.WABA] {
	return graph.Edge[*business.WABA]{
		Name: edgeNumbers, Scopes: scopes(get, kindWABA, edgeNumbers),
		List: graph.Collection[*business.WABA, number]{
			Item: graph.Ref[number](kindNumber),
			Key:  numberKey,
			List: func(_ context.Context, c *graph.Call, w *business.WABA, p graph.Page) (graph.Items[number], error) {
				if !mayList(c, w, edgeNumbers) {
					return graph.Items[number]{}, nil
				}
				return s.listNumbers(c, w, p)
			},
		},
		Post: &graph.Action[*business.WABA]{Scopes: scopes(post, kindWABA, edgeNumbers), Answers: kindNumber, Do: s.addNumber},
	}
}

func (s *surface) listNumbers(c *graph.Call, w *business.WABA, p graph.Page) (graph.Items[number], error) {
	order, err := sortParam(c, "last_onboarded_time_descending", "last_onboarded_time_ascending",
		"creation_time_ascending", "creation_time_descending")
	if err != nil {
		return graph.Items[number]{}, err
	}
	conditions, err := conditions(c, "account_mode", "EQUAL")
	if err != nil {
		return graph.Items[number]{}, err
	}
	var modes []string
	for _, f := range conditions {
		mode, err := f.value.Enum(string(business.Live), string(business.Sandbox))
		if err != nil {
			return graph.Items[number]{}, err
		}
		modes = append(modes, mode)
	}
	var all []number
next:
	for _, n := range s.o.Business.Numbers(w.ID) {
		for _, m := range modes {
			if string(n.Mode) != m {
				continue next
			}
		}
		all = append(all, number{n, w})
	}
	return sliced(all, p, numberKey, numberOrder(order)), nil
}

// numberKey holds both times a list can be sorted by, so that a cursor has its place in every order.
func numberKey(n number) string { return stamp(n.LastOnboarded) + stamp(n.Created) + string(n.ID) }

// numberOrder tells which of two keys comes first. Keys come back in cursors, which anybody can forge, so their length is
// not taken for granted.
func numberOrder(order string) func(a, b string) bool {
	from := 0
	if order == "creation_time_ascending" || order == "creation_time_descending" {
		from = stampLen
	}
	part := func(k string) string {
		if len(k) < 2*stampLen {
			return k
		}
		return k[from:from+stampLen] + k[2*stampLen:]
	}
	if order == "creation_time_ascending" || order == "last_onboarded_time_ascending" {
		return func(a, b string) bool { return part(a) < part(b) }
	}
	return func(a, b string) bool { return part(a) > part(b) }
}
