package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// The standard for receivers. Source: spec/webhooks.md section 7.
const (
	medianMost = 250 * time.Millisecond
	slowTime   = time.Second
	slowMost   = 0.01 // share of deliveries that may take longer than slowTime: less than this
)

// WebhookOptions say which receiver to test and how hard. Zero values take the defaults named.
type WebhookOptions struct {
	URL         string
	AppSecret   string        // signs the payloads; needed
	VerifyToken string        // not empty: the handshake is tested too
	MPS         float64       // outbound messages per second to stand for; 0 means 1,000. Each makes three statuses
	Reply       float64       // share that users answer
	Duration    time.Duration // 0 means 30 s
	Connections int           // most deliveries at once; 0 means 1,024
	AllowRemote bool          // test receivers beyond this machine

	WABAID, NumberID, Number string // of the payloads; empty takes those of the documentation

	Clock    clock.Clock
	Progress *Progress
}

const (
	defaultDeliveries = 1024 // 3,000 a second that take 250 ms each are 750 at once
	sampleUsers       = 10_000
)

func (o *WebhookOptions) defaults() (*url.URL, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return nil, fmt.Errorf("%q is not the http(s) URL of a receiver", o.URL)
	case o.AppSecret == "":
		return nil, errors.New("payloads are signed with the app secret: give it with --app-secret or APP_SECRET")
	case o.MPS < 0 || o.Reply < 0 || o.Duration < 0:
		return nil, errors.New("mps, reply and duration must not be negative")
	}
	if err := local(u, o.AllowRemote); err != nil {
		return nil, err
	}
	text := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	text(&o.WABAID, "102290129340398")
	text(&o.NumberID, "106540352242922")
	text(&o.Number, "15550783881")
	if o.MPS == 0 {
		o.MPS = 1000
	}
	if o.Duration == 0 {
		o.Duration = 30 * time.Second
	}
	if o.Connections <= 0 {
		o.Connections = defaultDeliveries
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	return u, nil
}

// local refuses hosts beyond this machine unless they are allowed: a load test against the wrong host is an attack.
func local(u *url.URL, remote bool) error {
	h := strings.ToLower(u.Hostname())
	ip, err := netip.ParseAddr(h)
	if remote || h == "localhost" || strings.HasSuffix(h, ".localhost") || (err == nil && ip.Unmap().IsLoopback()) {
		return nil
	}
	return fmt.Errorf("%s is not this machine; say --allow-remote if you may put load on it", u.Hostname())
}

// WebhookReport is the result of [Webhook].
type WebhookReport struct {
	Verdict string   `json:"verdict"` // PASS or FAIL
	Reasons []string `json:"reasons"` // of a FAIL

	URL         string  `json:"url"`
	MPS         float64 `json:"mps"`
	Reply       float64 `json:"reply"`
	AskedRate   float64 `json:"asked_posts_ps"` // 3 × outbound + 1 × inbound
	Rate        float64 `json:"answered_posts_ps"`
	Seconds     float64 `json:"seconds"`
	Connections int     `json:"connections"`

	Asked    int64         `json:"asked"`
	Answered int64         `json:"answered"` // with 2xx
	Failed   int64         `json:"failed"`   // time-outs, connections, other statuses
	Statuses map[int]int64 `json:"failed_by_status,omitempty"`
	First    string        `json:"first_error,omitempty"`

	Latency Quantiles `json:"latency"` // from the instant a delivery was due
	Slow    float64   `json:"share_above_1s"`
	Late    Quantiles `json:"generator_late"`
	Buckets []Bucket  `json:"histogram"`
}

// delivery is the state of a test of a receiver.
type delivery struct {
	o       *WebhookOptions
	u       *url.URL
	sample  sample
	t       http.RoundTripper
	latency *Latencies
	late    *Latencies
	asked   atomic.Int64
	ok      atomic.Int64

	mu       sync.Mutex
	failed   int64
	statuses map[int]int64
	first    error
}

// Webhook tests a receiver against the standard: it sends signed deliveries at the rate that the load makes, one update
// each, as an open loop. A receiver that is too slow is a report with a verdict, no error.
func Webhook(ctx context.Context, o WebhookOptions) (*WebhookReport, error) {
	u, err := o.defaults()
	if err != nil {
		return nil, err
	}
	defer o.Progress.Close()
	t := transport(o.Connections)
	defer t.CloseIdleConnections()
	d := &delivery{
		o: &o, u: u, sample: sample{o.WABAID, o.NumberID, o.Number}, t: t, latency: NewLatencies(), late: NewLatencies(),
		statuses: map[int]int64{},
	}
	if o.VerifyToken != "" {
		if err := d.handshake(ctx); err != nil {
			d.first = err
			r := d.report(0)
			r.Reasons = append([]string{"the handshake failed"}, r.Reasons...)
			return r, context.Cause(ctx)
		}
	}
	begin := o.Clock.Now().Add(leadTime)
	rate := o.MPS * (3 + o.Reply)
	pace := NewPace(o.Clock, begin, rate, int64(rate*o.Duration.Seconds()+0.5))
	stop := o.Progress.every(ctx, o.Clock, d.tell)
	var wg sync.WaitGroup
	for range o.Connections {
		wg.Go(func() { d.work(ctx, pace) })
	}
	wg.Wait()
	stop()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return d.report(o.Clock.Now().Sub(begin)), nil
}

func (d *delivery) tell() {
	q := d.latency.Quantiles()
	d.o.Progress.Tick("%s sent  %s answered  p50 %.1f p99 %.1f ms", thousands(d.asked.Load()), thousands(d.ok.Load()), q.P50, q.P99)
}

func (d *delivery) work(ctx context.Context, pace *Pace) {
	sign := newSigner(d.o.AppSecret)
	for {
		i, due, ok := pace.Next(ctx)
		if !ok {
			return
		}
		payload := d.payload(i, due)
		header := sign.header(payload)
		d.asked.Add(1)
		d.late.Record(d.o.Clock.Now().Sub(due))
		status, err := d.attempt(ctx, header, payload)
		if ctx.Err() != nil {
			return
		}
		d.latency.Record(d.o.Clock.Now().Sub(due))
		if err == nil && status >= 200 && status < 300 {
			d.ok.Add(1)
			continue
		}
		d.fail(status, err)
	}
}

func (d *delivery) attempt(ctx context.Context, header http.Header, payload []byte) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	return post(ctx, d.t, d.u, header, payload)
}

func (d *delivery) fail(status int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed++
	if err == nil {
		d.statuses[status]++
		err = fmt.Errorf("HTTP %d", status)
	}
	if d.first == nil {
		d.first = err
	}
}

// payload is that of event i: the statuses of one message after the other, and between them the answers of users, spread
// evenly.
func (d *delivery) payload(i int64, at time.Time) []byte {
	share := d.o.Reply / (3 + d.o.Reply)
	before, after := int64(float64(i)*share), int64(float64(i+1)*share)
	n := (i - before) / 3
	kind := [...]string{"sent", "delivered", "read"}[(i-before)%3]
	if after > before {
		n, kind = before, ""
	}
	user := "1650" + fmt.Sprintf("%07d", n%sampleUsers)
	if kind == "" {
		return d.sample.message(messageID(user, -1-n), user, at)
	}
	return d.sample.status(messageID(user, n), user, kind, at)
}

// handshake asks the receiver to echo a challenge. Source: spec/webhooks.md section 2.
func (d *delivery) handshake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	challenge := strconv.FormatInt(1_000_000_000+d.o.Clock.Now().UnixNano()%1_000_000_000, 10)
	u := *d.u
	q := u.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.challenge", challenge)
	q.Set("hub.verify_token", d.o.VerifyToken)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return err
	}
	res, err := d.t.RoundTrip(req)
	if err != nil {
		if op, ok := errors.AsType[*net.OpError](err); ok {
			return op
		}
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || strings.TrimSpace(string(b)) != challenge {
		return fmt.Errorf("handshake: HTTP %d, and the body is not the challenge %s", res.StatusCode, challenge)
	}
	return nil
}

func (d *delivery) report(wall time.Duration) *WebhookReport {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := &WebhookReport{
		URL: d.o.URL, MPS: d.o.MPS, Reply: d.o.Reply, AskedRate: d.o.MPS * (3 + d.o.Reply), Seconds: wall.Seconds(),
		Connections: d.o.Connections, Asked: d.asked.Load(), Answered: d.ok.Load(), Failed: d.failed, Statuses: d.statuses,
		Latency: d.latency.Quantiles(), Slow: d.latency.Above(slowTime), Late: d.late.Quantiles(), Buckets: d.latency.Buckets(),
		Reasons: []string{},
	}
	if d.first != nil {
		r.First = d.first.Error()
	}
	if wall > 0 {
		r.Rate = float64(r.Answered) / max(wall, d.o.Duration).Seconds()
	}
	fail := func(bad bool, format string, args ...any) {
		if bad {
			r.Reasons = append(r.Reasons, fmt.Sprintf(format, args...))
		}
	}
	fail(r.Answered == 0, "no delivery was answered with 200")
	fail(r.Failed > 0, "%s deliveries failed and would come again", thousands(r.Failed))
	// Not by the quantile, which is rounded up: exactly 250 ms is good enough.
	fail(d.latency.Above(medianMost) > 0.5, "the median is %s ms, the standard %d ms", number(r.Latency.P50), medianMost.Milliseconds())
	fail(r.Slow >= slowMost, "%s take longer than %s, the standard is less than %s", percent(r.Slow), slowTime, percent(slowMost))
	r.Verdict = verdict(r.Reasons)
	return r
}

// Passed reports the verdict.
func (r *WebhookReport) Passed() bool { return r.Verdict == "PASS" }

// Write writes the report for people.
func (r *WebhookReport) Write(w io.Writer) error {
	out := &page{w: w}
	out.line("")
	out.row("receiver", "%s", r.URL)
	out.row("load", "%s messages/s and %s replies: %s deliveries/s, at most %d at once", number(r.MPS), percent(r.Reply), number(r.AskedRate), r.Connections)
	out.row("answered", "%s of %s, %.1f/s over %.1f s", thousands(r.Answered), thousands(r.Asked), r.Rate, r.Seconds)
	out.row("failed", "%s", thousands(r.Failed))
	out.latency("latency", r.Latency)
	out.latency("generator late", r.Late)
	out.row("above 1 s", "%s", percent(r.Slow))
	out.line("\n  Latency counts from the instant a delivery was due. Standard: median at most 250 ms, less than 1 % above 1 s.\n")
	if out.err == nil {
		out.err = Chart(w, r.Buckets)
	}
	if r.First != "" {
		out.row("first error", "%s", r.First)
	}
	out.verdict(r.Verdict, r.Reasons)
	return out.err
}
