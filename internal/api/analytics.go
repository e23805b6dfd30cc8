package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The metrics of an account. Source: spec/analytics.md.
const (
	fieldAnalytics    = "analytics"
	edgeConversations = "conversation_analytics"
	edgePricing       = "pricing_analytics"
	edgeTemplateStats = "template_analytics"
)

// insightEdges are the metrics that are edges and fields alike.
func (s *surface) insightEdges() []graph.Edge[*business.WABA] {
	edge := func(name string, get_ func(context.Context, *graph.Call, *business.WABA) (any, error)) graph.Edge[*business.WABA] {
		return graph.Edge[*business.WABA]{
			Name: name, Scopes: scopes(get, kindWABA, name),
			Get: func(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
				if !mayList(c, w, name) {
					return nil, wa.ErrNodeAccess.Fill(typeWABA) // also when it is read as a field
				}
				return get_(ctx, c, w)
			},
		}
	}
	return []graph.Edge[*business.WABA]{
		edge(edgeConversations, s.conversations), edge(edgePricing, s.prices), edge(edgeTemplateStats, s.templateStats),
	}
}

// noCounts is a platform where nothing was counted.
type noCounts struct{}

func (noCounts) Sum(context.Context, *analytics.Sum) ([]analytics.Count, error) { return nil, nil }
func (noCounts) Counted(_ context.Context, _, _ string) ([]string, error)       { return nil, nil }

// span is what all metrics ask for.
type span struct {
	analytics.Query
	numbers map[wa.PhoneNumberID]string // digits of the account's numbers
}

var granularities = map[string]analytics.Granularity{
	"HALF_HOUR": analytics.Halves, "DAY": analytics.Days, "DAILY": analytics.Days, "MONTH": analytics.Months, "MONTHLY": analytics.Months,
}

// readSpan reads start, end, granularity and the two filters. words are the spellings of granularity that the metric's
// error lists.
func (s *surface) readSpan(c *graph.Call, p graph.Value, w *business.WABA, words ...string) (*span, error) {
	q := &span{numbers: map[wa.PhoneNumberID]string{}}
	q.Subject, q.Zone = string(w.ID), analytics.Zone(w.TimezoneID)
	var err error
	if q.Start, err = p.Get("start").Time(); err != nil {
		return nil, err
	}
	if q.End, err = p.Get("end").Time(); err != nil {
		return nil, err
	}
	word, err := p.Get("granularity").Str()
	if err != nil {
		return nil, err
	}
	g, ok := granularities[strings.ToUpper(word)]
	if !ok {
		return nil, wa.ErrParamOneOf.Fill("granularity", strings.Join(words, ", "), clipText(word))
	}
	q.Granularity = g
	if !q.Start.Before(q.End) {
		return nil, wa.ErrInvalidParameter.With("start must be before end.")
	}
	if q.Start.Before(c.Start.AddDate(-analytics.LookBack, 0, -1)) {
		return nil, wa.ErrInvalidParameter.With("start must not be more than a year ago.")
	}
	if q.End.After(c.Start) {
		q.End = c.Start.Add(time.Second)
	}
	digits, err := p.Get("phone_numbers").StringsOr()
	if err != nil {
		return nil, err
	}
	for _, n := range s.o.Business.Numbers(w.ID) {
		if len(digits) == 0 || slices.ContainsFunc(digits, func(d string) bool { return strings.TrimPrefix(d, "+") == string(n.WaID) }) {
			q.numbers[n.ID] = string(n.WaID)
			q.Numbers = append(q.Numbers, n.ID)
		}
	}
	if q.Countries, err = p.Get("country_codes").StringsOr(); err != nil {
		return nil, err
	}
	for i := range q.Countries {
		q.Countries[i] = strings.ToUpper(q.Countries[i])
	}
	return q, nil
}

// points asks for sums; an account without the numbers that were asked for has none.
func (s *surface) points(ctx context.Context, q *span) ([]analytics.Point, error) {
	if len(q.Numbers) == 0 || len(q.What) == 0 {
		return nil, nil
	}
	list, err := analytics.Points(ctx, s.o.Counts, &q.Query)
	if err != nil {
		return nil, wa.ErrService.Because(err)
	}
	return list, nil
}

// Product types. Source: spec/analytics.md section 2.
const (
	productTemplate = 0
	productOther    = 2
	productReceived = 100
)

// messagesField is analytics.start(…).end(…).granularity(…): messages sent and delivered.
func (s *surface) messagesField(ctx context.Context, c *graph.Call, w *business.WABA, it graph.Item) (any, error) {
	if !mayList(c, w, edgeConversations) {
		return nil, wa.ErrNodeAccess.Fill(typeWABA)
	}
	p := it.Args()
	q, err := s.readSpan(c, p, w, "HALF_HOUR", "DAY", "MONTH")
	if err != nil {
		return nil, err
	}
	products, err := p.Get("product_types").ListOr()
	if err != nil {
		return nil, err
	}
	for _, v := range products {
		n, err := v.Int()
		if err != nil {
			return nil, err
		}
		switch n {
		case productTemplate:
			q.What = append(q.What, analytics.SentTemplates, analytics.DeliveredTemplates)
		case productOther:
			q.What = append(q.What, analytics.SentOthers, analytics.DeliveredOthers)
		case productReceived:
			q.What = append(q.What, analytics.Received)
		case 101, 102, 103: // of groups, which there are none of
		default:
			return nil, v.Invalid("must be one of 0, 2, 100, 101, 102, 103")
		}
	}
	if slices.Contains(q.What, analytics.Received) && len(q.What) > 1 {
		return nil, wa.ErrProductType
	}
	if len(products) == 0 {
		q.What = []string{analytics.SentTemplates, analytics.SentOthers, analytics.DeliveredTemplates, analytics.DeliveredOthers}
	}
	q.ByCountry = len(q.Countries) == 0
	list, err := s.points(ctx, q)
	if err != nil {
		return nil, err
	}
	return messagesAnswer(q, list), nil
}

func messagesAnswer(q *span, list []analytics.Point) graph.Obj {
	type bucket struct{ start, end, sent, delivered int64 }
	var buckets []bucket
	countries := map[string]bool{}
	for _, p := range list {
		if n := len(buckets); n == 0 || buckets[n-1].start != p.Start {
			buckets = append(buckets, bucket{start: p.Start, end: p.End})
		}
		b := &buckets[len(buckets)-1]
		if strings.HasPrefix(p.What, "delivered.") {
			b.delivered += p.N
		} else {
			b.sent += p.N
		}
		if p.Country != "" {
			countries[p.Country] = true
		}
	}
	points := []any{}
	for _, b := range buckets {
		points = append(points, graph.Obj{{K: "start", V: b.start}, {K: "end", V: b.end}, {K: "sent", V: b.sent}, {K: "delivered", V: b.delivered}})
	}
	digits := []any{}
	for _, id := range q.Numbers {
		digits = append(digits, q.numbers[id])
	}
	names := q.Countries
	if len(names) == 0 {
		for c := range countries {
			names = append(names, c)
		}
		slices.Sort(names)
	}
	lands := []any{}
	for _, c := range names {
		lands = append(lands, c)
	}
	return graph.Obj{
		{K: "phone_numbers", V: digits},
		{K: "country_codes", V: lands},
		{K: "granularity", V: string(q.Granularity)},
		{K: "data_points", V: points},
	}
}

// wrapped is the answer of the edges: one set of points.
func wrapped(points []any) graph.Obj {
	return graph.Obj{{K: "data", V: []any{graph.Obj{{K: "data_points", V: points}}}}}
}

// words reads a list of enumerated words, upper case.
func words(v graph.Value, allowed ...string) (map[string]bool, error) {
	list, err := v.StringsOr()
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, w := range list {
		u := strings.ToUpper(w)
		if !slices.Contains(allowed, u) {
			return nil, wa.ErrParamOneOf.Fill(v.Path(), strings.Join(allowed, ", "), clipText(w))
		}
		out[u] = true
	}
	return out, nil
}

// priced is what the two metrics about prices have in common.
type priced struct {
	*span
	dims, metrics map[string]bool
	list          []analytics.Point
	costs         []float64
	tiers         []string
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
	if len(r.metrics) == 0 {
		r.metrics = map[string]bool{"COST": true, metric: true}
	}
	all, err := s.o.Counts.Counted(ctx, q.Subject, "priced.")
	if err != nil {
		return nil, wa.ErrService.Because(err)
	}
	for _, word := range all {
		if kind, category, ok := analytics.PriceOf(word); ok && keep(kind, category) {
			q.What = append(q.What, word)
		}
	}
	q.ByNumber, q.ByCountry = r.dims["PHONE"], true // countries decide over prices
	if r.list, err = s.points(ctx, q); err != nil {
		return nil, err
	}
	if r.metrics["COST"] || r.dims["TIER"] {
		r.costs, r.tiers, err = s.cost(ctx, w, q, r.list)
	}
	return r, err
}

// cost prices points by the card in force and the volume of the whole portfolio.
func (s *surface) cost(ctx context.Context, w *business.WABA, q *span, list []analytics.Point) ([]float64, []string, error) {
	var all []analytics.Point
	if len(list) > 0 {
		t := time.Unix(list[0].Start, 0).In(q.Zone)
		for _, other := range s.o.Business.WABAs(w.Owner) {
			o := q.Query
			o.Subject, o.Numbers, o.Countries, o.ByNumber, o.ByCountry = string(other.ID), nil, nil, false, true
			o.Start = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, q.Zone)
			more, err := analytics.Points(ctx, s.o.Counts, &o)
			if err != nil {
				return nil, nil, wa.ErrService.Because(err)
			}
			all = append(all, more...)
		}
		slices.SortStableFunc(all, func(a, b analytics.Point) int { return int(a.Start - b.Start) })
	}
	market := func(country string) string { return pricing.MarketOf(country, wa.CallingCodeOf(country)) }
	costs, tiers := analytics.Cost(list, all, q.Zone, market, func(at time.Time, country, category string, after, n int64) (float64, string) {
		card := s.o.Rates.At(at, w.Currency)
		if card == nil {
			return 0, ""
		}
		m := market(country)
		return card.Cost(m, category, after, n).Units(), card.At(m, category, after+1).Range()
	})
	return costs, tiers, nil
}

// group adds up points that do not differ in what was asked for. name makes the members of a point besides its metrics.
func (r *priced) group(metric string, name func(p *analytics.Point, tier string) graph.Obj) []any {
	type sum struct {
		head graph.Obj
		n    int64
		cost float64
	}
	var sums []*sum
	at := map[string]*sum{}
	for i := range r.list {
		p, tier := &r.list[i], ""
		if r.tiers != nil {
			tier = r.tiers[i]
		}
		head := append(graph.Obj{{K: "start", V: p.Start}, {K: "end", V: p.End}}, name(p, tier)...)
		var k strings.Builder
		for _, m := range head {
			if v, ok := m.V.(string); ok {
				k.WriteString(v)
			}
			k.WriteByte('/')
		}
		key := k.String() + time.Unix(p.Start, 0).UTC().Format(time.RFC3339)
		e := at[key]
		if e == nil {
			e = &sum{head: head}
			at[key] = e
			sums = append(sums, e)
		}
		e.n += p.N
		if r.costs != nil {
			e.cost += r.costs[i]
		}
	}
	points := []any{}
	for _, e := range sums {
		if r.metrics[strings.ToUpper(metric)] {
			e.head = append(e.head, graph.KV{K: metric, V: e.n})
		}
		if r.metrics["COST"] {
			e.head = append(e.head, graph.KV{K: "cost", V: e.cost})
		}
		points = append(points, e.head)
	}
	return points
}

var pricingCategories = []string{
	"AUTHENTICATION", "AUTHENTICATION_INTERNATIONAL", "MARKETING", "MARKETING_LITE", "MARKETING_LITE_DYNAMIC", "SERVICE", "UTILITY",
	"REFERRAL_CONVERSION", "GROUP_MARKETING", "GROUP_MARKETING_LITE", "GROUP_SERVICE", "GROUP_UTILITY", "AI_BOT",
}

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
	return wrapped(r.group("volume", func(p *analytics.Point, tier string) (head graph.Obj) {
		kind, category, _ := analytics.PriceOf(p.What)
		if r.dims["PHONE"] {
			head = append(head, graph.KV{K: "phone_number", V: r.numbers[p.Number]})
		}
		if r.dims["COUNTRY"] {
			head = append(head, graph.KV{K: "country", V: p.Country})
		}
		if r.dims["TIER"] && r.dims["PRICING_CATEGORY"] && r.dims["COUNTRY"] && kind == "regular" && tier != "" {
			head = append(head, graph.KV{K: "tier", V: tier})
		}
		if r.dims["PRICING_TYPE"] {
			head = append(head, graph.KV{K: "pricing_type", V: strings.ToUpper(kind)})
		}
		if r.dims["PRICING_CATEGORY"] {
			head = append(head, graph.KV{K: "pricing_category", V: reported(kind, category)})
		}
		return head
	})), nil
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
	categories, err := words(c.Params.Get("conversation_categories"), pricingCategories...)
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
	return wrapped(r.group("conversation", func(p *analytics.Point, _ string) (head graph.Obj) {
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
	})), nil
}
