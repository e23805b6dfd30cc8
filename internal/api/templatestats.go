package api

import (
	"context"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const maxStatTemplates = 10

// templateStats is template_analytics: sent, delivered, read and cost by day. Clicks and replies are not counted.
// Source: spec/analytics.md section 5.
func (s *surface) templateStats(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	if !w.Insights {
		return nil, wa.ErrInsightsDisabled
	}
	q, ids, err := s.readStats(c, w)
	if err != nil {
		return nil, err
	}
	metrics, err := words(c.Params.Get("metric_types"), "SENT", "DELIVERED", "READ", "REPLIED", "CLICKED", "COST")
	if err != nil {
		return nil, err
	}
	points := []any{}
	for _, id := range ids {
		if t, ok := s.o.Template.Template(id); !ok || t.WABA != w.ID {
			return nil, wa.ErrInvalidParameter.Withf("There is no template %s in this account.", clipText(string(id)))
		}
		more, err := s.statsOf(ctx, w, q, id, metrics)
		if err != nil {
			return nil, err
		}
		points = append(points, more...)
	}
	out := graph.Obj{{K: "granularity", V: "DAILY"}, {K: "product_type", V: "cloud_api"}, {K: "data_points", V: points}}
	if q.Zone != time.UTC {
		out = append(out, graph.KV{K: "waba_timezone", V: q.Zone.String()})
	}
	return graph.Obj{{K: "data", V: []any{out}}}, nil
}

func (s *surface) readStats(c *graph.Call, w *business.WABA) (*analytics.Query, []wa.TemplateID, error) {
	q := &analytics.Query{Granularity: analytics.Days, Zone: time.UTC}
	own, err := c.Params.Get("use_waba_timezone").BoolOr(false)
	if err != nil {
		return nil, nil, err
	}
	if own {
		q.Zone = analytics.Zone(w.TimezoneID)
	}
	moment := func(name string) (time.Time, error) {
		t, err := c.Params.Get(name).Time()
		if err == nil && own {
			d, derr := time.ParseInLocation(time.DateOnly, c.Params.Get(name).String(), q.Zone)
			if derr != nil {
				return t, c.Params.Get(name).Invalid("must be a date such as 2026-01-31 with use_waba_timezone")
			}
			return d, nil
		}
		return t.Truncate(24 * time.Hour), err
	}
	if q.Start, err = moment("start"); err != nil {
		return nil, nil, err
	}
	if q.End, err = moment("end"); err != nil {
		return nil, nil, err
	}
	if _, err := c.Params.Get("granularity").Enum("DAILY", "DAY"); err != nil {
		return nil, nil, err
	}
	switch {
	case !q.Start.Before(q.End):
		return nil, nil, wa.ErrInvalidParameter.With("start must be before end.")
	case q.Start.Before(c.Start.AddDate(0, 0, -analytics.LookBackTemplates-1)):
		return nil, nil, wa.ErrInvalidParameter.With("start must not be more than 90 days ago.")
	}
	if q.End.After(c.Start) {
		q.End = c.Start.Add(time.Second)
	}
	list, err := c.Params.Get("template_ids").Strings()
	if err != nil {
		return nil, nil, err
	}
	if len(list) == 0 || len(list) > maxStatTemplates {
		return nil, nil, c.Params.Get("template_ids").Invalid("must be a list of 1 to %d template ids", maxStatTemplates)
	}
	ids := make([]wa.TemplateID, len(list))
	for i, id := range list {
		ids[i] = wa.TemplateID(id)
	}
	return q, ids, nil
}

func (s *surface) statsOf(ctx context.Context, w *business.WABA, q *analytics.Query, id wa.TemplateID, metrics map[string]bool) ([]any, error) {
	wants := func(m string) bool { return len(metrics) == 0 || metrics[m] }
	day := *q
	day.Subject, day.What = string(id), []string{analytics.Sent, analytics.Delivered, analytics.Read}
	list, err := analytics.Points(ctx, s.o.Counts, &day)
	if err != nil {
		return nil, wa.ErrService.Because(err)
	}
	spent := map[int64]float64{}
	if wants("COST") {
		if spent, err = s.spentOn(ctx, w, day); err != nil {
			return nil, err
		}
	}
	var points []any
	for i := 0; i < len(list); {
		p := list[i]
		n := map[string]int64{}
		for ; i < len(list) && list[i].Start == p.Start; i++ {
			n[list[i].What] = list[i].N
		}
		out := graph.Obj{{K: "template_id", V: string(id)}, {K: "start", V: p.Start}, {K: "end", V: p.End}}
		for _, m := range []string{analytics.Sent, analytics.Delivered, analytics.Read} {
			if wants(strings.ToUpper(m)) {
				out = append(out, graph.KV{K: m, V: n[m]})
			}
		}
		if wants("COST") {
			cost := []any{graph.Obj{{K: "type", V: "amount_spent"}, {K: "value", V: spent[p.Start]}}}
			if d := n[analytics.Delivered]; d > 0 {
				cost = append(cost, graph.Obj{{K: "type", V: "cost_per_delivered"}, {K: "value", V: spent[p.Start] / float64(d)}})
			}
			out = append(out, graph.KV{K: "cost", V: cost})
		}
		points = append(points, out)
	}
	return points, nil
}

// spentOn is the cost of a template by day, at the rates that its account's volume has reached.
func (s *surface) spentOn(ctx context.Context, w *business.WABA, q analytics.Query) (map[int64]float64, error) {
	all, err := s.o.Counts.Counted(ctx, q.Subject, "priced.regular.")
	if err != nil {
		return nil, wa.ErrService.Because(err)
	}
	out := map[int64]float64{}
	if len(all) == 0 {
		return out, nil
	}
	q.What, q.ByCountry = all, true
	list, err := analytics.Points(ctx, s.o.Counts, &q)
	if err != nil {
		return nil, wa.ErrService.Because(err)
	}
	costs, _, err := s.cost(ctx, w, &span{Query: q}, list)
	for i, p := range list {
		out[p.Start] += costs[i]
	}
	return out, err
}
