package api

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Calls and groups are not here: their metrics read the question as the real service does, and there is nothing to count.

// callEdge is call_analytics as an edge. Source: spec/analytics.md sections 1.1 and 8.
func (s *surface) callEdge(_ context.Context, c *graph.Call, w *business.WABA) (any, error) {
	set, err := s.callStats(c, c.Params, w)
	if err != nil {
		return nil, err
	}
	return wrapped(c, set), nil
}

// callField is call_analytics as a field.
func (s *surface) callField(_ context.Context, c *graph.Call, w *business.WABA, it graph.Item) (any, error) {
	if !mayList(c, w, edgeCallStats) {
		return nil, wa.ErrNodeAccess.Fill(typeWABA)
	}
	return s.callStats(c, it.Args(), w)
}

func (s *surface) callStats(c *graph.Call, p graph.Value, w *business.WABA) (graph.Obj, error) {
	q, err := s.readSpan(c, p, w, "HALF_HOUR", "DAILY", "MONTHLY")
	if err != nil {
		return nil, err
	}
	directions, err := words(p.Get("directions"), "USER_INITIATED", "BUSINESS_INITIATED")
	if err != nil {
		return nil, err
	}
	metrics, err := words(p.Get("metric_types"), "COUNT", "COST", "AVERAGE_DURATION")
	if err != nil {
		return nil, err
	}
	if _, err = s.mayCost(c, w, metrics, "COUNT", "COST", "AVERAGE_DURATION"); err != nil {
		return nil, err
	}
	if _, err = words(p.Get("dimensions"), "PHONE", "DIRECTION", "COUNTRY", "TIER"); err != nil {
		return nil, err
	}
	if _, err = p.Get("tiers").StringsOr(); err != nil {
		return nil, err
	}
	set := graph.Obj{{K: "granularity", V: granularityNames[q.Granularity]}}
	if len(directions) == 1 {
		for d := range directions {
			set = append(set, graph.KV{K: "directions", V: d})
		}
	}
	return append(set, dataPoints([]any{})...), nil
}

// groupStats is group_analytics: no group exists that could be asked about. Source: spec/analytics.md section 9.
func (s *surface) groupStats(_ context.Context, c *graph.Call, _ *business.WABA) (any, error) {
	q := &span{}
	if err := q.days(c, c.Params, false); err != nil {
		return nil, err
	}
	if _, err := c.Params.Get("granularity").EnumOr("DAILY", "DAILY", "DAY"); err != nil {
		return nil, err
	}
	metrics := c.Params.Get("metric_types")
	if err := metrics.Required(); err != nil {
		return nil, err
	}
	if _, err := words(metrics, "SENT", "DELIVERED", "READ", "PARTICIPANTS_JOINED", "PARTICIPANTS_LEFT", "REPLIES", "CLICKS", "COST"); err != nil {
		return nil, err
	}
	ids, err := c.Params.Get("group_ids").Strings()
	if err != nil {
		return nil, err
	}
	if len(ids) != 1 {
		return nil, c.Params.Get("group_ids").Invalid("must be a list with one group id")
	}
	return nil, wa.ErrInvalidParameter.Withf("There is no group %s in this account.", clipText(ids[0]))
}
