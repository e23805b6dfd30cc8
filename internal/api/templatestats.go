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

// maxStatTemplates is how many templates, or groups of them, one question names.
const maxStatTemplates = 10

// templateMetrics are those that are answered; the others are known words, and of events outside of this platform.
var templateMetrics = []string{
	"SENT", "DELIVERED", "READ", "COST", "REPLIED", "CLICKED", "APP_ACTIVATIONS", "APP_ADD_TO_CART", "APP_CHECKOUTS_INITIATED",
	"APP_PURCHASES", "APP_PURCHASES_CONVERSION_VALUE", "WEBSITE_ADD_TO_CART", "WEBSITE_CHECKOUTS_INITIATED", "WEBSITE_PURCHASES",
	"WEBSITE_PURCHASES_CONVERSION_VALUE",
}

// products are the ways to send a template, by the words of the question. Source: spec/analytics.md section 5.
var products = map[string]string{
	"CLOUD_API": "cloud_api", "MARKETING_MESSAGES_LITE_API": productLite, "MARKETING_MESSAGES_API_FOR_WHATSAPP": productLite,
	"CAMPAIGN_INSIGHTS": "campaign_insights",
}

const productLite = "marketing_messages_lite_api"

// tallied is one line of the answer: a template, or the templates of a group.
type tallied struct {
	id        string
	templates []string
}

// templateStats is template_analytics: sent, delivered, read and cost by day. Source: spec/analytics.md section 5.
func (s *surface) templateStats(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	return s.statsByDay(ctx, c, w, "template_id", c.Params.Get("template_ids"), func(ids []string) ([]tallied, error) {
		out := make([]tallied, len(ids))
		for i, id := range ids {
			t, ok := s.o.Template.Template(wa.TemplateID(id))
			if !ok || t.WABA != w.ID {
				return nil, wa.ErrInvalidParameter.Withf("There is no template %s in this account.", clipText(id))
			}
			out[i] = tallied{id, []string{string(t.ID)}}
		}
		return out, nil
	})
}

// groupedStats is template_group_analytics: a group is the sum of the templates that are in it now. Source: spec/analytics.md
// section 7.
func (s *surface) groupedStats(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	return s.statsByDay(ctx, c, w, "template_group_id", c.Params.Get("template_group_ids"), func(ids []string) ([]tallied, error) {
		out := make([]tallied, len(ids))
		for i, id := range ids {
			g, ok := s.group(id)
			if !ok || g.WABA != w.ID {
				return nil, wa.ErrInvalidParameter.Withf("There is no template group %s in this account.", clipText(id))
			}
			out[i] = tallied{id: id}
			for _, t := range g.Templates {
				out[i].templates = append(out[i].templates, string(t))
			}
		}
		return out, nil
	})
}

// statsByDay answers for what find makes of the ids in param; every point names its own by key.
func (s *surface) statsByDay(ctx context.Context, c *graph.Call, w *business.WABA, key string, param graph.Value, find func(ids []string) ([]tallied, error)) (any, error) {
	if !w.Insights {
		return nil, wa.ErrInsightsDisabled
	}
	q, ids, err := s.readStats(c, w, param)
	if err != nil {
		return nil, err
	}
	product, err := c.Params.Get("product_type").EnumOr("CLOUD_API", "CLOUD_API", "MARKETING_MESSAGES_LITE_API", "MARKETING_MESSAGES_API_FOR_WHATSAPP", "CAMPAIGN_INSIGHTS")
	if err != nil {
		return nil, err
	}
	metrics, err := words(c.Params.Get("metric_types"), templateMetrics...)
	if err != nil {
		return nil, err
	}
	if metrics, err = s.mayCost(c, w, metrics, templateMetrics...); err != nil {
		return nil, err
	}
	list, err := find(ids)
	if err != nil {
		return nil, err
	}
	points := []any{}
	bill := s.bill(w)
	for _, e := range list {
		more, err := s.statsOf(ctx, bill, &q.Query, e, key, products[product], metrics)
		if err != nil {
			return nil, err
		}
		points = append(points, more...)
	}
	out := graph.Obj{{K: "granularity", V: "DAILY"}, {K: "product_type", V: products[product]}, {K: "data_points", V: points}}
	if q.own {
		out = append(out, graph.KV{K: "waba_timezone", V: q.Zone.String()})
	}
	return wrapped(c, out), nil
}

func (s *surface) readStats(c *graph.Call, w *business.WABA, param graph.Value) (*span, []string, error) {
	q := &span{Query: analytics.Query{Granularity: analytics.Days, Zone: time.UTC}}
	var err error
	if q.own, err = c.Params.Get("use_waba_timezone").BoolOr(false); err != nil {
		return nil, nil, err
	}
	if q.own {
		q.Zone = analytics.Zone(w.TimezoneID)
	}
	if err := q.days(c, c.Params, q.own); err != nil {
		return nil, nil, err
	}
	if _, err := c.Params.Get("granularity").Enum("DAILY", "DAY"); err != nil {
		return nil, nil, err
	}
	ids, err := param.Strings()
	if err != nil {
		return nil, nil, err
	}
	if len(ids) == 0 || len(ids) > maxStatTemplates {
		return nil, nil, param.Invalid("must be a list of 1 to %d ids", maxStatTemplates)
	}
	return q, ids, nil
}

// days reads start and end of a question about whole days, at most ninety days ago: they are moved to midnight UTC, or are
// dates of the account's own time zone.
func (q *span) days(c *graph.Call, p graph.Value, own bool) error {
	moment := func(name string) (time.Time, error) {
		t, err := p.Get(name).Time()
		if err == nil && own {
			d, derr := time.ParseInLocation(time.DateOnly, p.Get(name).String(), q.Zone)
			if derr != nil {
				return t, p.Get(name).Invalid("must be a date such as 2026-01-31 with use_waba_timezone")
			}
			return d, nil
		}
		return t.Truncate(24 * time.Hour), err
	}
	var err error
	if q.Start, err = moment("start"); err != nil {
		return err
	}
	if q.End, err = moment("end"); err != nil {
		return err
	}
	return q.clip(c, c.Start.AddDate(0, 0, -analytics.LookBackTemplates-1), "90 days")
}

// step is what a count adds to.
type step struct {
	metric string
	sign   int64
}

// steps are what is counted of a template, by product: what went through the marketing API is a share of the whole.
func steps(product string) map[string]step {
	m := map[string]step{}
	for _, what := range []string{analytics.Sent, analytics.Delivered, analytics.Read} {
		switch product {
		case productLite:
			m[analytics.Lite(what)] = step{what, 1}
		case products["CLOUD_API"]:
			m[what], m[analytics.Lite(what)] = step{what, 1}, step{what, -1}
		}
	}
	return m
}

func (s *surface) statsOf(ctx context.Context, bill *analytics.Bill, q *analytics.Query, e tallied, key, product string, metrics map[string]bool) ([]any, error) {
	type day struct {
		start, end int64
		n          map[string]int64
		spent      int64 // millionths
	}
	days := map[int64]*day{}
	at := func(p *analytics.Point) *day {
		if days[p.Start] == nil {
			days[p.Start] = &day{p.Start, p.End, map[string]int64{}, 0}
		}
		return days[p.Start]
	}
	names := steps(product)
	one := *q
	one.Subjects = e.templates
	for what := range names {
		one.What = append(one.What, what)
	}
	if len(one.What) > 0 && len(e.templates) > 0 { // nothing is counted of the other products
		list, err := analytics.Points(ctx, s.o.Counts, &one)
		if err != nil {
			return nil, wa.ErrService.Because(err)
		}
		for i := range list {
			n := names[list[i].What]
			at(&list[i]).n[n.metric] += n.sign * list[i].N
		}
		if metrics["COST"] {
			if err := s.spentOn(ctx, bill, one, product, func(p *analytics.Point, micro int64) { at(p).spent += micro }); err != nil {
				return nil, err
			}
		}
	}
	var points []any
	for _, d := range days {
		if d.n[analytics.Sent]|d.n[analytics.Delivered]|d.n[analytics.Read]|d.spent == 0 {
			continue // all of it was of the other product
		}
		out := graph.Obj{{K: key, V: e.id}, {K: "start", V: d.start}, {K: "end", V: d.end}}
		for _, m := range []string{analytics.Sent, analytics.Delivered, analytics.Read} {
			if metrics[strings.ToUpper(m)] {
				out = append(out, graph.KV{K: m, V: d.n[m]})
			}
		}
		if metrics["COST"] {
			spent := pricing.Micro(d.spent).Units()
			cost := []any{graph.Obj{{K: "type", V: "amount_spent"}, {K: "value", V: spent}}}
			if n := d.n[analytics.Delivered]; n > 0 {
				cost = append(cost, graph.Obj{{K: "type", V: "cost_per_delivered"}, {K: "value", V: spent / float64(n)}})
			}
			out = append(out, graph.KV{K: "cost", V: cost})
		}
		points = append(points, out)
	}
	slices.SortFunc(points, func(a, b any) int { return int(a.(graph.Obj)[1].V.(int64) - b.(graph.Obj)[1].V.(int64)) })
	return points, nil
}

// spentOn tells what templates cost together by day, at the rates that their account's volume has reached.
func (s *surface) spentOn(ctx context.Context, bill *analytics.Bill, q analytics.Query, product string, spent func(p *analytics.Point, micro int64)) error {
	lite := analytics.Priced("regular", "marketing_lite")
	q.What = []string{lite}
	if product != productLite {
		all, err := s.o.Counts.Counted(ctx, bill.Own, "priced.regular.") // what is counted of a template is of its account, too
		if err != nil {
			return wa.ErrService.Because(err)
		}
		if q.What = slices.DeleteFunc(all, func(what string) bool { return what == lite }); len(q.What) == 0 {
			return nil
		}
	}
	q.ByCountry = true
	list, err := analytics.Points(ctx, s.o.Counts, &q)
	if err != nil {
		return wa.ErrService.Because(err)
	}
	parts, err := cost(ctx, bill, &q, list)
	for _, p := range parts {
		spent(&list[p.Point], p.Micro)
	}
	return err
}
