package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The metrics of an account. Source: spec/analytics.md.
const (
	fieldAnalytics    = "analytics"
	edgeConversations = "conversation_analytics"
	edgePricing       = "pricing_analytics"
	edgeTemplateStats = "template_analytics"
	edgeGroupedStats  = "template_group_analytics"
	edgeCallStats     = "call_analytics"
	edgeGroupStats    = "group_analytics"
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
		edge(edgeGroupedStats, s.groupedStats), edge(edgeGroupStats, s.groupStats),
		{Name: edgeCallStats, Scopes: scopes(get, kindWABA, edgeCallStats), Get: s.callEdge, NotField: true},
	}
}

// noCounts is a platform where nothing was counted.
type noCounts struct{}

func (noCounts) Sum(context.Context, *analytics.Sum) ([]analytics.Count, error) { return nil, nil }
func (noCounts) Counted(context.Context, string, ...string) (map[string][]string, error) {
	return nil, nil
}

// span is what all metrics ask for.
type span struct {
	analytics.Query
	numbers map[wa.PhoneNumberID]string // digits of the account's numbers
	own     bool                        // days are those of the account's time zone, where they need not be
}

var granularities = map[string]analytics.Granularity{
	"HALF_HOUR": analytics.Halves, "DAY": analytics.Days, "DAILY": analytics.Days, "MONTH": analytics.Months, "MONTHLY": analytics.Months,
}

// granularityNames are those of the metrics that say DAILY.
var granularityNames = map[analytics.Granularity]string{analytics.Halves: "HALF_HOUR", analytics.Days: "DAILY", analytics.Months: "MONTHLY"}

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
	if err := q.clip(c, c.Start.AddDate(-analytics.LookBack, 0, -1), "a year"); err != nil {
		return nil, err
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

// clip bounds the span of a question: earliest is how far back it may go, in words, and the future ends now.
func (q *span) clip(c *graph.Call, earliest time.Time, back string) error {
	switch {
	case !q.Start.Before(q.End):
		return wa.ErrManagementParameter.User("Invalid time span", "start must be before end.")
	case q.Start.Before(earliest):
		return wa.ErrManagementParameter.User("Invalid time span", "start must not be more than "+back+" ago.")
	case q.End.After(c.Start):
		q.End = c.Start.Add(time.Second)
	}
	return nil
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

// wrapped is the answer of the edges: one page with one set of points. Behind its cursor there is nothing.
func wrapped(c *graph.Call, set graph.Obj) graph.Obj {
	if c.Params.Get("after").Present() {
		return graph.Obj{{K: "data", V: []any{}}}
	}
	cursors := graph.Obj{{K: "before", V: graph.Cursor("0")}, {K: "after", V: graph.Cursor("1")}}
	return graph.Obj{{K: "data", V: []any{set}}, {K: "paging", V: graph.Obj{{K: "cursors", V: cursors}}}}
}

func dataPoints(points []any) graph.Obj { return graph.Obj{{K: "data_points", V: points}} }

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

// mayCost takes COST out of metrics where costs are withheld: from those without the task to see them, and of accounts that a
// partner's credit line pays for. Errors: when nothing else was asked for. all are the metrics that there are. Source:
// spec/analytics.md section 1.5.
func (s *surface) mayCost(c *graph.Call, w *business.WABA, metrics map[string]bool, all ...string) (map[string]bool, error) {
	if len(metrics) == 0 {
		metrics = map[string]bool{}
		for _, m := range all {
			metrics[m] = true
		}
	}
	sees := who(c).May(asset(w), access.ViewCost, scopeM...) == access.Allowed
	if !metrics["COST"] || sees && !s.o.Business.PartnerPays(w) {
		return metrics, nil
	}
	if len(metrics) > 1 {
		delete(metrics, "COST")
		return metrics, nil
	}
	if !sees {
		return nil, wa.ErrNodeAccess.Fill(typeWABA)
	}
	return nil, wa.ErrManagementParameter.User("Cost not available", "The account is billed through a partner's credit line.")
}
