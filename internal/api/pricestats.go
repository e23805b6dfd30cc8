package api

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// priced is what the two metrics about prices have in common.
type priced struct {
	*span
	dims, metrics map[string]bool
	list          []analytics.Point
	parts         []analytics.Part // of list, by tier where costs or tiers are asked for
}

// pricedPoints reads the query and the points of delivered messages by price; keep filters by type and category.
func (s *surface) pricedPoints(ctx context.Context, c *graph.Call, w *business.WABA, metric string, dims []string, keep func(kind, category string) bool) (*priced, error) {
	q, err := s.readSpan(c, c.Params, w, "HALF_HOUR", "DAILY", "MONTHLY")
	if err != nil {
		return nil, err
	}
	r := &priced{span: q}
	if r.dims, err = words(c.Params.Get("dimensions"), dims...); err != nil {
		return nil, err
	}
	if r.metrics, err = words(c.Params.Get("metric_types"), "COST", metric); err != nil {
		return nil, err
	}
	if r.metrics, err = s.mayCost(c, w, r.metrics, "COST", metric); err != nil {
		return nil, err
	}
	all, err := s.o.Counts.Counted(ctx, "priced.", q.Subject)
	if err != nil {
		return nil, wa.ErrService.Because(err)
	}
	for _, word := range all[q.Subject] {
		if kind, category, ok := analytics.PriceOf(word); ok && keep(kind, category) {
			q.What = append(q.What, word)
		}
	}
	q.ByNumber, q.ByCountry = r.dims["PHONE"], true // countries decide over prices
	if r.list, err = s.points(ctx, q); err != nil {
		return nil, err
	}
	if r.metrics["COST"] || r.dims["TIER"] || c.Params.Get("tiers").Present() {
		r.parts, err = cost(ctx, s.bill(w), &q.Query, r.list)
		return r, err
	}
	for i := range r.list {
		r.parts = append(r.parts, analytics.Part{Point: i, N: r.list[i].N})
	}
	return r, nil
}

// group adds up parts that do not differ in what was asked for. name makes the members of a point besides its metrics.
func (r *priced) group(metric string, name func(p *analytics.Point, tier string) graph.Obj) []any {
	type sum struct {
		head     graph.Obj
		n, micro int64
	}
	var sums []*sum
	at := map[string]*sum{}
	for _, part := range r.parts {
		p := &r.list[part.Point]
		head := append(graph.Obj{{K: "start", V: p.Start}, {K: "end", V: p.End}}, name(p, part.Tier)...)
		k := strconv.AppendInt(nil, p.Start, 10)
		for _, m := range head {
			if v, ok := m.V.(string); ok {
				k = append(append(append(append(k, '/'), m.K...), '='), v...)
			}
		}
		e := at[string(k)]
		if e == nil {
			e = &sum{head: head}
			at[string(k)] = e
			sums = append(sums, e)
		}
		e.n += part.N
		e.micro += part.Micro
	}
	slices.SortStableFunc(sums, func(a, b *sum) int { return cmp.Compare(a.head[0].V.(int64), b.head[0].V.(int64)) })
	points := []any{}
	for _, e := range sums {
		if r.metrics[strings.ToUpper(metric)] {
			e.head = append(e.head, graph.KV{K: metric, V: e.n})
		}
		if r.metrics["COST"] {
			e.head = append(e.head, graph.KV{K: "cost", V: pricing.Micro(e.micro).Units()})
		}
		points = append(points, e.head)
	}
	return points
}

var pricingCategories = []string{
	"AUTHENTICATION", "AUTHENTICATION_INTERNATIONAL", "MARKETING", "MARKETING_LITE", "MARKETING_LITE_DYNAMIC", "SERVICE", "UTILITY",
	"REFERRAL_CONVERSION", "GROUP_MARKETING", "GROUP_MARKETING_LITE", "GROUP_SERVICE", "GROUP_UTILITY", "AI_BOT",
}

var conversationCategories = []string{"AUTHENTICATION", "AUTHENTICATION_INTERNATIONAL", "MARKETING", "MARKETING_LITE", "SERVICE", "UTILITY"}

// reported is a pricing category as reports have it: what is free in a customer service window is service.
func reported(kind, category string) string {
	if kind == "free_customer_service" {
		return "SERVICE"
	}
	return strings.ToUpper(category)
}

// prices is pricing_analytics. Source: spec/analytics.md section 4.
func (s *surface) prices(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	kinds, err := words(c.Params.Get("pricing_types"), "REGULAR", "FREE_CUSTOMER_SERVICE", "FREE_ENTRY_POINT", "FREE_GROUP_CUSTOMER_SERVICE")
	if err != nil {
		return nil, err
	}
	categories, err := words(c.Params.Get("pricing_categories"), pricingCategories...)
	if err != nil {
		return nil, err
	}
	r, err := s.pricedPoints(ctx, c, w, "VOLUME", []string{"COUNTRY", "PHONE", "PRICING_CATEGORY", "PRICING_TYPE", "TIER"}, func(kind, category string) bool {
		return (len(kinds) == 0 || kinds[strings.ToUpper(kind)]) && (len(categories) == 0 || categories[reported(kind, category)])
	})
	if err != nil {
		return nil, err
	}
	if err := r.only(c.Params.Get("tiers")); err != nil {
		return nil, err
	}
	return wrapped(c, dataPoints(r.group("volume", func(p *analytics.Point, tier string) (head graph.Obj) {
		kind, category, _ := analytics.PriceOf(p.What)
		if r.dims["PHONE"] {
			head = append(head, graph.KV{K: "phone_number", V: r.numbers[p.Number]})
		}
		if r.dims["COUNTRY"] {
			head = append(head, graph.KV{K: "country", V: p.Country})
		}
		if r.dims["TIER"] && r.dims["PRICING_CATEGORY"] && r.dims["COUNTRY"] && tier != "" {
			head = append(head, graph.KV{K: "tier", V: tier})
		}
		if r.dims["PRICING_TYPE"] {
			head = append(head, graph.KV{K: "pricing_type", V: strings.ToUpper(kind)})
		}
		if r.dims["PRICING_CATEGORY"] {
			head = append(head, graph.KV{K: "pricing_category", V: reported(kind, category)})
		}
		return head
	}))), nil
}

// only keeps the parts within the volume tiers that are asked for.
func (r *priced) only(v graph.Value) error {
	tiers, err := v.StringsOr()
	if err != nil || len(tiers) == 0 {
		return err
	}
	r.parts = slices.DeleteFunc(r.parts, func(p analytics.Part) bool {
		return !slices.ContainsFunc(tiers, func(t string) bool { return strings.EqualFold(t, p.Tier) })
	})
	return nil
}

// conversationTypes are the pricing types by their old names.
var conversationTypes = map[string]string{"regular": "REGULAR", "free_customer_service": "FREE_TIER", "free_entry_point": "FREE_ENTRY_POINT"}

// conversations is conversation_analytics: every delivered message is a conversation of its own since pricing is by message.
// Source: spec/analytics.md section 3.
func (s *surface) conversations(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	kinds, err := words(c.Params.Get("conversation_types"), "REGULAR", "FREE_TIER", "FREE_ENTRY_POINT", "FREE_ENTRY")
	if err != nil {
		return nil, err
	}
	if kinds["FREE_ENTRY"] {
		kinds["FREE_ENTRY_POINT"] = true
	}
	categories, err := words(c.Params.Get("conversation_categories"), conversationCategories...)
	if err != nil {
		return nil, err
	}
	directions, err := words(c.Params.Get("conversation_directions"), "BUSINESS_INITIATED", "USER_INITIATED", "UNKNOWN")
	if err != nil {
		return nil, err
	}
	dims := []string{"CONVERSATION_CATEGORY", "CONVERSATION_DIRECTION", "CONVERSATION_TYPE", "COUNTRY", "PHONE"}
	r, err := s.pricedPoints(ctx, c, w, "CONVERSATION", dims, func(kind, category string) bool {
		return (len(kinds) == 0 || kinds[conversationTypes[kind]]) && (len(categories) == 0 || categories[reported(kind, category)]) &&
			(len(directions) == 0 || directions["UNKNOWN"])
	})
	if err != nil {
		return nil, err
	}
	return wrapped(c, dataPoints(r.group("conversation", func(p *analytics.Point, _ string) (head graph.Obj) {
		kind, category, _ := analytics.PriceOf(p.What)
		add := func(dim, key, value string) {
			if r.dims[dim] {
				head = append(head, graph.KV{K: key, V: value})
			}
		}
		add("PHONE", "phone_number", r.numbers[p.Number])
		add("COUNTRY", "country", p.Country)
		add("CONVERSATION_TYPE", "conversation_type", conversationTypes[kind])
		add("CONVERSATION_DIRECTION", "conversation_direction", "UNKNOWN")
		add("CONVERSATION_CATEGORY", "conversation_category", reported(kind, category))
		return head
	}))), nil
}
