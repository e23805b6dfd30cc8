package manager

import (
	"maps"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

// measures are what the overview counts, as indexes into what belongs to a day.
const (
	sent = iota
	delivered
	received
	measures
)

var measured = map[string]int{
	analytics.SentTemplates: sent, analytics.SentOthers: sent, analytics.DeliveredTemplates: delivered, analytics.DeliveredOthers: delivered,
	analytics.Received: received,
}

// week is O5: what was sent, delivered and received in seven days, by day.
func (v *visit) week(numbers []*business.Number) (html.Node, error) {
	zone := zoneOf(v.waba)
	now := v.m.o.Clock.Now().In(zone)
	first := time.Date(now.Year(), now.Month(), now.Day()-6, 0, 0, 0, 0, zone)
	counts, err := v.counts(numbers, first)
	if err != nil {
		return nil, err
	}
	days := make([]string, len(counts))
	values := make([][]int64, measures)
	var total [measures]int64
	for i, day := range counts {
		days[i] = first.AddDate(0, 0, i).Format("01-02")
		for m, n := range day {
			values[m] = append(values[m], n)
			total[m] += n
		}
	}
	title := v.t("home.week")
	return kit.Flush(kit.Head{Title: title, Sub: html.Text(v.t("home.day", "zone", now.Format("MST")))},
		kit.Figures(kit.Figure(v.t("home.sent"), total[sent], nil), kit.Figure(v.t("home.delivered"), total[delivered], nil), kit.Figure(v.t("home.received"), total[received], nil)),
		html.Div(html.Class("pad"), kit.Lines(v.lang, kit.Chart{Label: title, Points: v.t("home.day", "zone", now.Format("MST")), X: days, Series: []kit.Series{
			{Name: v.t("home.delivered"), Hue: "delivered", Values: values[delivered], Area: true},
			{Name: v.t("home.sent"), Hue: "sent", Values: values[sent]},
			{Name: v.t("home.received"), Hue: "3", Values: values[received]},
		}}))), nil
}

// counts are the figures of seven days from first on.
func (v *visit) counts(numbers []*business.Number, first time.Time) (days [7][measures]int64, err error) {
	if v.m.o.Counts == nil || len(numbers) == 0 {
		return days, nil
	}
	points, err := analytics.Points(v.r.Context(), v.m.o.Counts, &analytics.Query{
		Subject: string(v.waba.ID), What: slices.Sorted(maps.Keys(measured)), Start: first, End: first.AddDate(0, 0, len(days)),
		Granularity: analytics.Days, Zone: first.Location(),
	})
	if err != nil {
		return days, err
	}
	for _, p := range points {
		date := time.Unix(p.Start, 0).In(first.Location()).Format(time.DateOnly)
		for i := range days {
			if first.AddDate(0, 0, i).Format(time.DateOnly) == date {
				days[i][measured[p.What]] += p.N
			}
		}
	}
	return days, nil
}
