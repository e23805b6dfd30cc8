package api

import (
	"context"
	"errors"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// flowHealth is health_status and health_status.phone_number(id). Source: spec/business.md section 10.
func (s *surface) flowHealth(_ context.Context, c *graph.Call, f *flow.Flow, it graph.Item) (any, error) {
	w, ok := s.o.Business.WABA(f.WABA)
	if !ok {
		return nil, graph.ErrInvisible
	}
	entities := []entity{flowEntity(f)}
	if v := it.Arg("phone_number"); v.Present() {
		id, err := v.ID()
		if err != nil {
			return nil, err
		}
		n, ok := s.o.Business.Number(wa.PhoneNumberID(id))
		if !ok || n.WABA != f.WABA {
			return nil, wa.ErrParamType.Fill("phone_number", "the id of a phone number of the account")
		}
		entities = append(entities, numberHealth(number{n, w}, c.Start, s.full(number{n, w})))
	}
	return health(c, append(entities, s.wabaHealth(w))...), nil
}

// flowEntity says whether the flow can be sent. An alert limits it.
func flowEntity(f *flow.Flow) entity {
	e := entity{kind: "FLOW", id: string(f.ID)}
	block := func(why, fix string) { e.code, e.why, e.fix = healthFlow, why, fix }
	switch f.Status {
	case flow.Draft:
		block("The Flow is not published.", "Publish the Flow.")
	case flow.Deprecated:
		block("The Flow is deprecated.", "Create another Flow.")
	case flow.Blocked:
		block("The Flow is blocked because of its endpoint.", "Fix the endpoint.")
	case flow.Throttled:
		e.info = "The Flow is throttled because of its endpoint: 10 messages in an hour can be sent with it."
	case flow.Published:
		if len(f.Alerts) > 0 {
			e.info = "The endpoint of the Flow has crossed a threshold of errors, latency or availability."
		}
	}
	return e
}

// flowMetric is metric.name(…).granularity(…).since(…).until(…). Source: spec/flows.md section 6.
func (s *surface) flowMetric(ctx context.Context, c *graph.Call, f *flow.Flow, it graph.Item) (any, error) {
	p := it.Args()
	name, err := p.Get("name").Enum(
		string(flow.RequestCount), string(flow.RequestErrors), string(flow.RequestErrorRate), string(flow.RequestLatency), string(flow.RequestAvailable))
	if err != nil {
		return nil, err
	}
	granularity, err := p.Get("granularity").EnumOr(string(flow.Day), string(flow.Day), string(flow.Hour), string(flow.Lifetime))
	if err != nil {
		return nil, err
	}
	q := flow.Query{Flow: f.ID, Metric: flow.Metric(name), Granularity: flow.Granularity(granularity), Zone: s.flowZone(f)}
	if q.Since, q.Until, err = metricSpan(p, q, c.Start); err != nil {
		return nil, err
	}
	points, err := s.o.Flows.Points(ctx, q)
	if err != nil {
		return nil, wa.ErrService.Because(err)
	}
	list := make([]graph.Obj, len(points))
	for i, pt := range points {
		data := make([]graph.Obj, len(pt.Data))
		for j := range pt.Data {
			d := &pt.Data[j]
			v := any(d.N)
			if d.IsRate() {
				v = d.Rate
			}
			data[j] = graph.Obj{{K: "key", V: d.Key}, {K: "value", V: v}}
		}
		list[i] = graph.Obj{{K: "timestamp", V: pt.At}, {K: "data", V: data}}
	}
	return graph.Obj{{K: "name", V: name}, {K: "granularity", V: granularity}, {K: "data_points", V: list}}, nil
}

// flowZone is where the days of a flow's account begin.
func (s *surface) flowZone(f *flow.Flow) *time.Location {
	w, ok := s.o.Business.WABA(f.WABA)
	if !ok {
		return time.UTC
	}
	return analytics.Zone(w.TimezoneID)
}

// metricDays is the period when nobody says one (ours).
const metricDays = 7

// metricSpan reads since and until: days of the account, both included. A point cannot be older than what is kept.
func metricSpan(p graph.Value, q flow.Query, now time.Time) (since, until time.Time, err error) {
	oldest := now.Add(-flow.LookBack).Truncate(time.Hour)
	if q.Granularity == flow.Lifetime {
		if p.Has("since") || p.Has("until") {
			return since, until, wa.ErrInvalidParameter.Titled("Granularity LIFETIME takes neither since nor until.")
		}
		return oldest, now.Add(time.Second), nil
	}
	today := now.In(q.Zone)
	midnight := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, q.Zone) }
	y, m, d := today.Date()
	since, until = midnight(y, m, d-metricDays+1), midnight(y, m, d+1)
	if v := p.Get("until"); v.Present() {
		if until, err = metricDay(v, q.Zone); err != nil {
			return since, until, err
		}
		since, until = until.AddDate(0, 0, -metricDays+1), until.AddDate(0, 0, 1)
	}
	if v := p.Get("since"); v.Present() {
		if since, err = metricDay(v, q.Zone); err != nil {
			return since, until, err
		}
	}
	switch {
	case !since.Before(until):
		return since, until, wa.ErrInvalidParameter.Titled("Param since must not be after until.")
	case since.Before(oldest.AddDate(0, 0, -1)):
		return since, until, wa.ErrInvalidParameter.Titled("Param since must not be more than 90 days ago.")
	}
	return since, until, nil
}

var errNoDate = errors.New("no date")

func metricDay(v graph.Value, zone *time.Location) (time.Time, error) {
	text, err := v.Str()
	if err != nil {
		return time.Time{}, err
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return time.Time{}, wa.ErrParamType.Fill(v.Path(), "a date such as 2026-05-01").Because(errNoDate)
	}
	return day, nil
}
