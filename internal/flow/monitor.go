package flow

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// How endpoints are watched (ours, but for the thresholds, which are published without being binding: spec/flows.md section
// 10).
const (
	pingEvery  = 10 * time.Minute
	callWindow = 30 * time.Minute // of error rates and latency
	pingWindow = 24 * time.Hour   // of availability
	fewCalls   = 10               // below it no rate is told
	maxCalls   = 256              // remembered of an endpoint
	maxPings   = int(pingWindow / pingEvery)
)

// Thresholds of alerts: percent, and milliseconds of latency. Those of errors and latency are reached from below, that of
// availability from above.
var (
	errorLevels   = []float64{5, 10, 50}
	latencyLevels = []float64{1000, 5000, 7000}
	leastUp       = 90.0
)

// call is a request of a user to an endpoint.
type call struct {
	at     time.Time
	took   time.Duration
	kind   Kind // empty: it was answered
	client bool // it told of an error in the user's client
}

// errs reports whether a call counts as an error of the endpoint.
func (c *call) errs() bool {
	switch c.kind {
	case Timeout, NoConnection, BadStatus, Undecrypted, BadSignature, BadAnswer:
		return true
	case "", TokenOver, Closed, NotReady, Busy:
	}
	return false
}

// asked reports whether a call reached for the endpoint at all.
func (c *call) asked() bool { return c.errs() || c.kind == "" || c.kind == TokenOver }

// endpoint is what is remembered of how requests of one flow went lately.
type endpoint struct {
	busy  atomic.Int32 // exchanges under way
	mu    sync.Mutex
	calls []call
	pings []call
}

// asked is when the endpoint was pinged last.
func (e *endpoint) asked() (at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.pings); n > 0 {
		at = e.pings[n-1].at
	}
	return at
}

func keep(list []call, c call, most int, since time.Time) []call {
	list = append(list, c)
	from := max(0, len(list)-most)
	for from < len(list) && list[from].at.Before(since) {
		from++
	}
	return slices.Delete(list, 0, from)
}

// observe counts a call and looks whether an alert begins or ends.
func (s *Service) observe(ctx context.Context, id wa.FlowID, c call) {
	if _, ok := s.Flow(id); !ok || !c.asked() {
		return // it may have been deleted meanwhile
	}
	s.count(id, c.at, whatRequest)
	s.count(id, c.at, latencyWhat(c.took))
	if c.errs() {
		s.count(id, c.at, whatError+string(c.kind))
	}
	e := s.endpointOf(id)
	e.mu.Lock()
	e.calls = keep(e.calls, c, maxCalls, c.at.Add(-callWindow))
	e.mu.Unlock()
	s.judge(ctx, id)
}

func (s *Service) observePing(ctx context.Context, id wa.FlowID, c call) {
	if _, ok := s.Flow(id); !ok {
		return
	}
	what := whatUp
	if c.kind != "" {
		what = whatDown
	}
	s.count(id, c.at, what)
	e := s.endpointOf(id)
	e.mu.Lock()
	e.pings = keep(e.pings, c, maxPings, c.at.Add(-pingWindow))
	e.mu.Unlock()
	s.judge(ctx, id)
}

func (s *Service) endpointOf(id wa.FlowID) *endpoint {
	if e, ok := s.endpoints.Load(id); ok {
		return e.(*endpoint)
	}
	e, _ := s.endpoints.LoadOrStore(id, &endpoint{})
	return e.(*endpoint)
}

// finding is how things stand with one kind of alert: the highest threshold that is crossed, 0 for none, and what to tell.
type finding struct {
	level float64
	value value
	few   bool // too little is known, as after a start: an alert stays what it is
}

// level is the threshold that a finding makes an alert stand at.
func (f *Flow) level(x *finding) float64 {
	if x.few {
		return f.Alerts[x.value.Event]
	}
	return x.level
}

// judge tells of thresholds that were crossed since the last time.
func (s *Service) judge(ctx context.Context, id wa.FlowID) {
	f, ok := s.Flow(id)
	if !ok {
		return
	}
	e := s.endpointOf(id)
	e.mu.Lock()
	found := e.findings(s.o.Clock.Now())
	e.mu.Unlock()
	if !f.differs(found) {
		return
	}
	_, err := s.change(context.WithoutCancel(ctx), id, func(f *Flow) ([]byte, error) {
		f.alert(found)
		return nil, nil
	})
	if err != nil {
		s.o.Log.WarnContext(ctx, "alert of a flow", "flow_id", string(id), "err", err) // the next call finds it again
	}
}

func (f *Flow) differs(found []finding) bool {
	return slices.ContainsFunc(found, func(x finding) bool { return f.level(&x) != f.Alerts[x.value.Event] })
}

// alert takes over the levels that were found and tells of those that changed.
func (f *Flow) alert(found []finding) {
	alerts := make(map[Event]float64, len(found))
	for _, x := range found {
		x.level = f.level(&x)
		if x.level != 0 {
			alerts[x.value.Event] = x.level
		}
		was := f.Alerts[x.value.Event]
		if x.level == was {
			continue
		}
		v, at := x.value, x.level
		v.State = "ACTIVATED"
		if more := x.level > was; x.level == 0 || !more { // one alert has one threshold: a lower one ends the higher
			v.State, at = "DEACTIVATED", was
		}
		v.Threshold = &at
		v.Message = describe(v.Event, v.State, at)
		f.tell(&v)
	}
	f.Alerts = alerts
}

// findings looks at what is remembered, at now.
func (e *endpoint) findings(now time.Time) []finding {
	calls := recent(e.calls, now.Add(-callWindow))
	pings := recent(e.pings, now.Add(-pingWindow))
	return []finding{errorRates(calls), clientErrors(calls), latencies(calls), available(pings)}
}

func recent(list []call, since time.Time) []call {
	i := slices.IndexFunc(list, func(c call) bool { return !c.at.Before(since) })
	if i < 0 {
		return nil
	}
	return list[i:]
}

func errorRates(calls []call) finding {
	kinds, bad := map[Kind]int{}, 0
	for i := range calls {
		if calls[i].errs() {
			kinds[calls[i].kind]++
			bad++
		}
	}
	rate := percent(bad, len(calls))
	x := finding{value: value{Event: EndpointError, ErrorRate: &rate}, level: reached(errorLevels, rate), few: len(calls) < fewCalls}
	for _, k := range []Kind{Timeout, NoConnection, BadStatus, Undecrypted, BadSignature, BadAnswer} {
		if n := kinds[k]; n > 0 {
			x.value.Errors = append(x.value.Errors, errorRate{upper(k), percent(n, bad), n})
		}
	}
	return x
}

func clientErrors(calls []call) finding {
	bad := 0
	for i := range calls {
		if calls[i].client {
			bad++
		}
	}
	rate := percent(bad, len(calls))
	return finding{value: value{Event: ClientErrors, ErrorRate: &rate}, level: reached(errorLevels, rate), few: len(calls) < fewCalls}
}

func latencies(calls []call) finding {
	n := len(calls)
	var p50, p90 int64
	if n > 0 {
		times := make([]time.Duration, n)
		for i := range calls {
			times[i] = calls[i].took
		}
		slices.Sort(times)
		p50, p90 = times[(n-1)*50/100].Milliseconds(), times[(n-1)*90/100].Milliseconds()
	}
	return finding{
		value: value{Event: Latency, P50: &p50, P90: &p90, Requests: &n}, level: reached(latencyLevels, float64(p90)), few: n < fewCalls,
	}
}

func available(pings []call) finding {
	up := 0
	for i := range pings {
		if pings[i].kind == "" {
			up++
		}
	}
	share := 100.0
	if len(pings) > 0 {
		share = percent(up, len(pings))
	}
	x := finding{value: value{Event: Availability, Availability: &share}, few: len(pings) < fewCalls}
	if share < leastUp {
		x.level = leastUp
	}
	return x
}

// percent has two decimals, as webhooks show it.
func percent(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return math.Round(float64(n)/float64(of)*10000) / 100
}

func reached(levels []float64, v float64) (level float64) {
	for _, l := range levels {
		if v >= l {
			level = l
		}
	}
	return level
}
