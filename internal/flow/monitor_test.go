package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/flow/flowtest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// text writes points as "time key=value key=value".
func text(points []flow.Point) (list []string) {
	for _, p := range points {
		line := p.At.Format(time.RFC3339)
		for _, d := range p.Data {
			line += fmt.Sprintf(" %s=%d", d.Key, d.N)
			if d.IsRate() {
				line = strings.TrimSuffix(line, "0") + fmt.Sprint(d.Rate)
			}
		}
		list = append(list, line)
	}
	return list
}

func (r *room) points(id wa.FlowID, m flow.Metric, g flow.Granularity, zone *time.Location) []string {
	r.t.Helper()
	list, err := r.Points(r.t.Context(), flow.Query{
		Flow: id, Metric: m, Granularity: g, Since: noon.Add(-flow.LookBack), Until: noon.Add(365 * 24 * time.Hour), Zone: zone,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return text(list)
}

// metric is the sum of what was counted, without its time.
func (r *room) metric(id wa.FlowID, m flow.Metric) string {
	r.t.Helper()
	_, values, _ := strings.Cut(strings.Join(r.points(id, m, flow.Lifetime, time.UTC), "\n"), " ")
	return values
}

// exchanges makes n requests, of which the first bad ones fail with this status.
func (r *room) exchanges(f *flow.Flow, n, bad, status int) {
	r.t.Helper()
	for i := range n {
		r.end.Set(pick)
		if i < bad {
			r.end.Set(func(flowtest.Question) flowtest.Answer { return flowtest.Answer{Status: status} })
		}
		if _, err := r.Exchange(r.t.Context(), step(f)); (err != nil) != (i < bad) {
			r.t.Fatal(err)
		}
	}
}

// An alert begins at ten requests, is told once, outlives a start, and ends with ten requests that were better. Sources: spec/flows.md sections 10 and
// 11, spec/webhooks.md section 19.
func TestAlerts(t *testing.T) {
	t.Parallel()
	slow := func(r *room, took time.Duration) func(*flow.Flow) {
		return func(f *flow.Flow) {
			r.end.Set(func(q flowtest.Question) flowtest.Answer { r.wall.Advance(took); return pick(q) })
			for range 10 {
				_, _ = r.Exchange(r.t.Context(), step(f))
			}
		}
	}
	for _, c := range []struct {
		name    string
		trouble func(r *room, f *flow.Flow)
		on, off string // "" when there is no alert
	}{
		{"nine requests are too few", func(r *room, f *flow.Flow) { r.exchanges(f, 9, 9, 500) }, "", ""},
		{"no error", func(r *room, f *flow.Flow) { r.exchanges(f, 10, 0, 0) }, "", ""},
		{"a flow token that is over is no error", func(r *room, f *flow.Flow) { r.exchanges(f, 10, 10, 427) }, "", ""},
		{
			"one of ten", func(r *room, f *flow.Flow) { r.exchanges(f, 10, 1, 500) },
			`{"event":"ENDPOINT_ERROR_RATE","message":"Endpoint error rate has reached 10%","flow_id":"ID","error_rate":10,"threshold":10,"alert_state":"ACTIVATED","errors":[{"error_type":"HTTP_STATUS","error_rate":100,"error_count":1}]}`,
			`{"event":"ENDPOINT_ERROR_RATE","message":"Endpoint error rate has fallen below 10%","flow_id":"ID","error_rate":0,"threshold":10,"alert_state":"DEACTIVATED"}`,
		},
		{
			"half of ten", func(r *room, f *flow.Flow) { r.exchanges(f, 10, 5, 432) },
			`{"event":"ENDPOINT_ERROR_RATE","message":"Endpoint error rate has reached 50%","flow_id":"ID","error_rate":50,"threshold":50,"alert_state":"ACTIVATED","errors":[{"error_type":"SIGNATURE","error_rate":100,"error_count":5}]}`,
			`{"event":"ENDPOINT_ERROR_RATE","message":"Endpoint error rate has fallen below 50%","flow_id":"ID","error_rate":0,"threshold":50,"alert_state":"DEACTIVATED"}`,
		},
		{"quick", func(r *room, f *flow.Flow) { slow(r, 999*time.Millisecond)(f) }, "", ""},
		{
			"slow", func(r *room, f *flow.Flow) { slow(r, 6*time.Second)(f) },
			`{"event":"ENDPOINT_LATENCY","message":"Endpoint latency p90 has reached 5000 ms","flow_id":"ID","p50_latency":6000,"p90_latency":6000,"requests_count":10,"threshold":5000,"alert_state":"ACTIVATED"}`,
			`{"event":"ENDPOINT_LATENCY","message":"Endpoint latency p90 has fallen below 5000 ms","flow_id":"ID","p50_latency":0,"p90_latency":0,"requests_count":10,"threshold":5000,"alert_state":"DEACTIVATED"}`,
		},
		{
			"errors of clients", func(r *room, f *flow.Flow) {
				r.exchanges(f, 9, 0, 0)
				st := step(f)
				st.Data = json.RawMessage(`{"error":"invalid-screen-transition","error_message":"x"}`)
				r.end.Set(func(flowtest.Question) flowtest.Answer {
					return flowtest.Answer{JSON: map[string]any{"data": map[string]any{"acknowledged": true}}}
				})
				if _, err := r.Exchange(r.t.Context(), st); err != nil {
					r.t.Fatal(err)
				}
			},
			`{"event":"CLIENT_ERROR_RATE","message":"Client error rate has reached 10%","flow_id":"ID","error_rate":10,"threshold":10,"alert_state":"ACTIVATED"}`,
			`{"event":"CLIENT_ERROR_RATE","message":"Client error rate has fallen below 10%","flow_id":"ID","error_rate":0,"threshold":10,"alert_state":"DEACTIVATED"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			f := r.published("f", talks)
			c.trouble(r, f)
			var want []string
			if c.on != "" {
				want = append(want, strings.Replace(c.on, "ID", string(f.ID), 1))
			}
			alike(t, "raised", r.notices(f.ID), want)
			r.load() // alerts survive, requests do not
			r.clock.Advance(31 * time.Minute)
			r.exchanges(f, 9, 0, 0)
			alike(t, "after nine good requests", r.notices(f.ID), want)
			r.exchanges(f, 1, 0, 0)
			if c.off != "" {
				want = append(want, strings.Replace(c.off, "ID", string(f.ID), 1))
			}
			alike(t, "cleared", r.notices(f.ID), want)
			now, _ := r.Flow(f.ID)
			same(t, "alerts that are on", len(now.Alerts), 0)
		})
	}
}

// What is older than half an hour counts for nothing.
func TestAlertWindow(t *testing.T) {
	t.Parallel()
	r := open(t)
	f := r.published("f", talks)
	r.exchanges(f, 9, 9, 500)
	r.clock.Advance(30*time.Minute + 1)
	r.exchanges(f, 10, 0, 0)
	alike(t, "alerts", r.notices(f.ID), nil)
	r.clock.Advance(30 * time.Minute)
	r.exchanges(f, 1, 1, 500) // one of eleven
	same(t, "alerts within the half hour", len(r.notices(f.ID)), 1)
}

func alike(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// ear takes notices; the first is refused.
type ear struct {
	mu    sync.Mutex
	deaf  bool
	heard []string
	said  chan struct{}
}

func (e *ear) Notify(_ context.Context, _ wa.WABAID, field string, value []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.deaf {
		e.deaf = true
		return errors.New("not now")
	}
	e.heard = append(e.heard, field+" "+string(value))
	e.said <- struct{}{}
	return nil
}

// Endpoints are asked every ten minutes; below nine of ten an alert begins, above it ends.
func TestAvailability(t *testing.T) {
	t.Parallel()
	r := open(t)
	f := r.published("f", talks)
	r.published("quiet", plain)
	r.draft("draft", talks)
	ctx, cancel := context.WithCancel(t.Context())
	e := &ear{said: make(chan struct{}, 100)}
	var all sync.WaitGroup
	all.Go(func() { r.Run(ctx, e) })
	defer all.Wait()
	defer cancel()
	// The notices of both publications: the first time nobody takes one, so it is tried again a second later.
	must(t, r.wall.BlockUntil(ctx, 2))
	r.wall.Advance(time.Second)
	for range 2 {
		<-e.said
	}
	for round := range 20 {
		r.end.Set(pick)
		if round < 2 {
			r.end.Set(func(flowtest.Question) flowtest.Answer { return flowtest.Answer{Status: 503} })
		}
		must(t, r.clock.BlockUntil(ctx, 1))
		r.clock.Advance(10 * time.Minute)
		must(t, r.clock.BlockUntil(ctx, 1))
		if round == 9 || round == 19 {
			<-e.said
		}
	}
	same(t, "pings", r.net.take(), 20)
	alert := func(message, share, state string) string {
		return `flows {"event":"ENDPOINT_AVAILABILITY","message":"Endpoint availability has ` + message + ` 90%","flow_id":"` + string(f.ID) +
			`","availability":` + share + `,"threshold":90,"alert_state":"` + state + `"}`
	}
	e.mu.Lock()
	alike(t, "alerts", e.heard[2:], []string{alert("fallen below", "80", "ACTIVATED"), alert("reached", "90", "DEACTIVATED")})
	e.mu.Unlock()
	alike(t, "metric", r.points(f.ID, flow.RequestAvailable, flow.Hour, time.UTC), []string{
		"2026-05-01T12:00:00Z succeeded=3 failed=2", "2026-05-01T13:00:00Z succeeded=6 failed=0",
		"2026-05-01T14:00:00Z succeeded=6 failed=0", "2026-05-01T15:00:00Z succeeded=3 failed=0",
	})
	same(t, "requests", r.metric(f.ID, flow.RequestCount), "")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Days begin where the account is, on days that clocks change, too. Source: spec/flows.md section 6.
func TestMetrics(t *testing.T) {
	t.Parallel()
	r := open(t)
	zone, err := time.LoadLocation("America/Los_Angeles")
	must(t, err)
	f := r.published("f", talks)
	at := func(text string) {
		when, err := time.Parse(time.RFC3339, text)
		must(t, err)
		r.clock.Advance(when.Sub(r.clock.Now()))
	}
	at("2026-10-31T20:10:00Z")
	r.exchanges(f, 2, 0, 0)
	at("2026-11-01T06:30:00Z") // 23:30, summer time
	r.net.instead(hang)
	_, _ = r.Exchange(t.Context(), step(f))
	r.net.instead(nil)
	at("2026-11-01T12:00:00Z")
	r.end.Set(func(q flowtest.Question) flowtest.Answer { r.wall.Advance(1500 * time.Millisecond); return pick(q) })
	_, _ = r.Exchange(t.Context(), step(f))
	at("2026-11-02T07:30:00Z") // 23:30, winter time
	r.exchanges(f, 2, 1, 500)
	r.mem.fail = errors.New("disk full") // what cannot be written now is written later
	if _, err := r.Points(t.Context(), flow.Query{Flow: f.ID, Metric: flow.RequestCount, Granularity: flow.Lifetime}); !errors.Is(err, r.mem.fail) {
		t.Errorf("got %v", err)
	}
	r.mem.fail = nil
	const since = "2026-01-31T12:00:00Z"
	for _, c := range []struct {
		metric flow.Metric
		grain  flow.Granularity
		want   []string
	}{
		{flow.RequestCount, flow.Hour, []string{"2026-10-31T20:00:00Z value=2", "2026-11-01T06:00:00Z value=1", "2026-11-01T12:00:00Z value=1", "2026-11-02T07:00:00Z value=2"}},
		{flow.RequestCount, flow.Day, []string{"2026-10-31T07:00:00Z value=3", "2026-11-01T07:00:00Z value=3"}},
		{flow.RequestCount, flow.Lifetime, []string{since + " value=6"}},
		{flow.RequestErrors, flow.Hour, []string{"2026-11-01T06:00:00Z timeout_error=1", "2026-11-02T07:00:00Z http_status_error=1"}},
		{flow.RequestErrors, flow.Lifetime, []string{since + " timeout_error=1 http_status_error=1"}},
		{flow.RequestErrorRate, flow.Hour, []string{"2026-10-31T20:00:00Z value=0", "2026-11-01T06:00:00Z value=1", "2026-11-01T12:00:00Z value=0", "2026-11-02T07:00:00Z value=0.5"}},
		{flow.RequestErrorRate, flow.Day, []string{"2026-10-31T07:00:00Z value=0.3333333333333333", "2026-11-01T07:00:00Z value=0.3333333333333333"}},
		{flow.RequestLatency, flow.Day, []string{"2026-10-31T07:00:00Z 0=3", "2026-11-01T07:00:00Z 0=2 2=1"}},
		{flow.RequestAvailable, flow.Lifetime, nil},
	} {
		alike(t, string(c.metric)+" by "+string(c.grain), r.points(f.ID, c.metric, c.grain, zone), c.want)
	}
	utc := r.points(f.ID, flow.RequestCount, flow.Day, time.UTC)
	alike(t, "in UTC", utc, []string{"2026-10-31T00:00:00Z value=2", "2026-11-01T00:00:00Z value=2", "2026-11-02T00:00:00Z value=2"})
}
