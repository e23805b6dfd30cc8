package api

import (
	"cmp"
	"context"
	"maps"
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
	clicks, err := s.clicksOf(ctx, list, metrics)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		more, err := s.statsOf(ctx, bill, &q.Query, e, key, products[product], metrics, clicks)
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
	if q.Start.Equal(q.End) {
		return wa.ErrManagementParameter.User("Invalid time span", "start must be on a day before that of end: the time of day does not count.")
	}
	return q.clip(c, c.Start.AddDate(0, 0, -analytics.LookBackTemplates-1), "90 days")
}

// countedOfTemplates are the words of what is counted of templates, in the order of answers.
var countedOfTemplates = []string{analytics.Sent, analytics.Delivered, analytics.Read, analytics.Replied}

// tallyDay is what happened to a template on a day, or to the templates of a group.
type tallyDay struct {
	start, end int64
	n          map[string]int64 // by word, without clicks
	clicks     map[press]int64
	spent      int64 // millionths
}

// press is a button, and how its clicks are counted.
type press struct{ kind, words string }

func (d *tallyDay) empty() bool {
	sum := d.spent
	for _, n := range d.n {
		sum |= n
	}
	for _, n := range d.clicks {
		sum |= n
	}
	return sum == 0
}

// add adds a count. What went through the marketing API is counted as such, and is a share of the whole.
func (d *tallyDay) add(what string, n int64, product string) {
	kind, words, lite, click := analytics.ClickOf(what)
	if !click {
		_, lite = liteWords[what]
	}
	switch {
	case lite && product == products["CLOUD_API"]:
		n = -n
	case !lite && product == productLite:
		return
	}
	if click {
		d.clicks[press{kind, words}] += n
		return
	}
	if of, ok := liteWords[what]; ok {
		what = of
	}
	d.n[what] += n
}

// liteWords are the words of what went through the marketing API, and what each is a share of.
var liteWords = func() map[string]string {
	m := map[string]string{}
	for _, what := range countedOfTemplates {
		m[analytics.Lite(what)] = what
	}
	return m
}()

func (s *surface) statsOf(ctx context.Context, bill *analytics.Bill, q *analytics.Query, e tallied, key, product string, metrics map[string]bool, clicks map[string][]string) ([]any, error) {
	days := map[int64]*tallyDay{}
	at := func(p *analytics.Point) *tallyDay {
		if days[p.Start] == nil {
			days[p.Start] = &tallyDay{p.Start, p.End, map[string]int64{}, map[press]int64{}, 0}
		}
		return days[p.Start]
	}
	one := *q
	if len(e.templates) > 0 && (product == productLite || product == products["CLOUD_API"]) { // nothing is counted of other products
		for part := range slices.Chunk(e.templates, templatesAtOnce) {
			one.Subjects, one.What = part, countedOf(part, clicks)
			list, err := analytics.Points(ctx, s.o.Counts, &one)
			if err != nil {
				return nil, wa.ErrService.Because(err)
			}
			for i := range list {
				at(&list[i]).add(list[i].What, list[i].N, product)
			}
		}
		one.Subjects = e.templates
		if metrics["COST"] {
			if err := s.spentOn(ctx, bill, one, product, func(p *analytics.Point, micro int64) { at(p).spent += micro }); err != nil {
				return nil, err
			}
		}
	}
	var points []any
	for _, d := range days {
		if !d.empty() { // else all of it was of the other product
			points = append(points, d.point(key, e.id, metrics))
		}
	}
	slices.SortFunc(points, func(a, b any) int { return int(a.(graph.Obj)[1].V.(int64) - b.(graph.Obj)[1].V.(int64)) })
	return points, nil
}

// templatesAtOnce bounds the templates that are counted together: every one brings the words of its buttons.
const templatesAtOnce = 200

// clicksOf are the words of what was clicked on each of the templates, when it is asked for. Costs need clicks.
func (s *surface) clicksOf(ctx context.Context, list []tallied, metrics map[string]bool) (map[string][]string, error) {
	if !metrics["CLICKED"] && !metrics["COST"] {
		return nil, nil
	}
	var all []string
	for _, e := range list {
		all = append(all, e.templates...)
	}
	out := map[string][]string{}
	for _, prefix := range []string{analytics.Clicks, analytics.Lite(analytics.Clicks)} {
		more, err := s.o.Counts.Counted(ctx, prefix, all...)
		if err != nil {
			return nil, wa.ErrService.Because(err)
		}
		for id, words := range more {
			out[id] = append(out[id], words...)
		}
	}
	return out, nil
}

// countedOf are the words of what is counted of templates.
func countedOf(templates []string, clicks map[string][]string) []string {
	var what []string
	for _, w := range countedOfTemplates {
		what = append(what, w, analytics.Lite(w))
	}
	for _, id := range templates {
		what = append(what, clicks[id]...)
	}
	slices.Sort(what)
	return slices.Compact(what)
}

// point is a day as it is answered. Source: spec/analytics.md section 5.
func (d *tallyDay) point(key, id string, metrics map[string]bool) graph.Obj {
	out := graph.Obj{{K: key, V: id}, {K: "start", V: d.start}, {K: "end", V: d.end}}
	for _, m := range countedOfTemplates {
		if metrics[strings.ToUpper(m)] {
			out = append(out, graph.KV{K: m, V: d.n[m]})
		}
	}
	if metrics["CLICKED"] {
		if list := d.clicked(); len(list) > 0 {
			out = append(out, graph.KV{K: "clicked", V: list})
		}
	}
	if !metrics["COST"] {
		return out
	}
	cost := []any{graph.Obj{{K: "type", V: "amount_spent"}, {K: "value", V: pricing.Micro(d.spent).Units()}}}
	per := func(name string, n int64) {
		if n > 0 { // divided before it becomes a fraction: 0.105 / 3 is not 0.035
			cost = append(cost, graph.Obj{{K: "type", V: name}, {K: "value", V: float64(d.spent) / float64(n) / 1e6}})
		}
	}
	per("cost_per_delivered", d.n[analytics.Delivered])
	var links int64
	for p, n := range d.clicks {
		if p.kind == analytics.LinkButton {
			links += n
		}
	}
	per("cost_per_url_button_click", links)
	return append(out, graph.KV{K: "cost", V: cost})
}

// clicked lists links before quick replies, each in the order of the words on them.
func (d *tallyDay) clicked() []any {
	kinds := []string{analytics.LinkButton, analytics.UniqueLinkButton, analytics.QuickReplyButton}
	all := slices.SortedFunc(maps.Keys(d.clicks), func(a, b press) int {
		quick := func(p press) int { return slices.Index(kinds, p.kind) / 2 }
		return cmp.Or(quick(a)-quick(b), strings.Compare(a.words, b.words), slices.Index(kinds, a.kind)-slices.Index(kinds, b.kind))
	})
	list := []any{}
	for _, p := range all {
		if n := d.clicks[p]; n > 0 {
			list = append(list, graph.Obj{{K: "type", V: p.kind}, {K: "button_content", V: p.words}, {K: "count", V: n}})
		}
	}
	return list
}

// spentOn tells what templates cost together by day, at the rates that their account's volume has reached.
func (s *surface) spentOn(ctx context.Context, bill *analytics.Bill, q analytics.Query, product string, spent func(p *analytics.Point, micro int64)) error {
	lite := analytics.Priced("regular", "marketing_lite")
	q.What = []string{lite}
	if product != productLite {
		all, err := s.o.Counts.Counted(ctx, "priced.regular.", bill.Own) // what is counted of a template is of its account, too
		if err != nil {
			return wa.ErrService.Because(err)
		}
		if q.What = slices.DeleteFunc(all[bill.Own], func(what string) bool { return what == lite }); len(q.What) == 0 {
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
