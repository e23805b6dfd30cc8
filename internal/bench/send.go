package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/retry"
)

// SendOptions say what to send where. Zero values take the defaults named.
type SendOptions struct {
	BaseURL, Version, Token, NumberID string // of any server with the API; Version empty means v23.0
	To                                []string
	Text                              string  // empty means "Message N"; "%d" becomes the number of the message
	Count                             int     // messages; 0 means 100
	MPS                               float64 // messages per second; 0 means 10
	Connections                       int     // calls at once; 0 means 64
	AllowRemote                       bool    // send to servers beyond this machine

	Clock     clock.Clock
	Transport http.RoundTripper // nil means one of net/http
	Progress  *Progress
}

// mostWaiting bounds the messages that wait to be tried again.
const mostWaiting = 10_000

func (o *SendOptions) defaults() error {
	u, err := url.Parse(o.BaseURL)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return fmt.Errorf("%q is not the http(s) URL of a server: give it with --server or BASE_URL", o.BaseURL)
	case o.Token == "":
		return errors.New("there is no access token: give it with TOKEN")
	case o.NumberID == "":
		return errors.New("there is no number to send from: give it with --number or PHONE_NUMBER_ID")
	case len(o.To) == 0:
		return errors.New("there is nobody to send to: give --to or USER_PHONE")
	case o.Count < 0 || o.MPS < 0:
		return errors.New("count and mps must not be negative")
	}
	if err := local(u, o.AllowRemote); err != nil {
		return err
	}
	if o.Version == "" {
		o.Version = "v23.0"
	}
	if o.Count == 0 {
		o.Count = 100
	}
	if o.MPS == 0 {
		o.MPS = 10
	}
	if o.Connections <= 0 {
		o.Connections = 64
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: o.Connections}
	}
	return nil
}

// SendReport is the result of [Send].
type SendReport struct {
	Server   string         `json:"server"`
	Asked    int64          `json:"asked"`
	Accepted int64          `json:"accepted"`
	Retried  int64          `json:"retried"` // accepted after at least one refusal
	Calls    int64          `json:"calls"`
	Refused  map[int]int64  `json:"refused,omitempty"` // answers by error code, those that were tried again included
	Failed   int64          `json:"failed"`            // messages given up
	First    string         `json:"first_error,omitempty"`
	Seconds  float64        `json:"seconds"`
	Rate     float64        `json:"accepted_mps"`
	Answer   Quantiles      `json:"answer"` // of single calls that were accepted
	Buckets  []Bucket       `json:"histogram"`
	Wait     Quantiles      `json:"accept"` // from the instant a message was due to its acceptance, waits included
	Codes    map[int]string `json:"codes,omitempty"`
}

// dispatch is the state of a run of [Send].
type dispatch struct {
	o      *SendOptions
	url    string
	calls  chan struct{} // slots
	answer *Latencies
	wait   *Latencies

	mu     sync.Mutex
	report SendReport
}

// Send sends messages at a rate. One that is refused with a code that advises to try again, like 130429 and 131056, is sent
// again as package retry says, while the others go on. Messages that were given up are in the report.
func Send(ctx context.Context, o SendOptions) (*SendReport, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	defer o.Progress.Close()
	d := &dispatch{
		o: &o, url: strings.TrimSuffix(o.BaseURL, "/") + "/" + o.Version + "/" + url.PathEscape(o.NumberID) + "/messages",
		calls: make(chan struct{}, o.Connections), answer: NewLatencies(), wait: NewLatencies(),
	}
	d.report = SendReport{Server: o.BaseURL, Refused: map[int]int64{}}
	begin := o.Clock.Now()
	pace := NewPace(o.Clock, begin, o.MPS, int64(o.Count))
	waiting := make(chan struct{}, mostWaiting)
	stop := o.Progress.every(ctx, o.Clock, d.tell)
	var wg sync.WaitGroup
	for {
		i, due, ok := pace.Next(ctx)
		if !ok {
			break
		}
		waiting <- struct{}{}
		wg.Go(func() {
			defer func() { <-waiting }()
			d.message(ctx, i, due)
		})
	}
	wg.Wait()
	stop()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	r := &d.report
	r.Seconds = o.Clock.Now().Sub(begin).Seconds()
	if r.Seconds > 0 {
		r.Rate = float64(r.Accepted) / r.Seconds
	}
	r.Answer, r.Wait, r.Buckets = d.answer.Quantiles(), d.wait.Quantiles(), d.answer.Buckets()
	return r, nil
}

func (d *dispatch) tell() {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := &d.report
	d.o.Progress.Tick("%s sent  %s accepted  %s on their way or waiting to be tried again  %s given up",
		thousands(r.Asked), thousands(r.Accepted), thousands(r.Asked-r.Accepted-r.Failed), thousands(r.Failed))
}

// message sends one message until it is accepted or given up.
func (d *dispatch) message(ctx context.Context, i int64, due time.Time) {
	body, err := d.body(i)
	tries := 0
	d.mu.Lock()
	d.report.Asked++
	d.mu.Unlock()
	if err == nil {
		err = retry.Do(ctx, d.o.Clock, func() error {
			tries++
			return d.call(ctx, body)
		})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.report.Failed++
		if d.report.First == "" {
			d.report.First = err.Error()
		}
		return
	}
	d.report.Accepted++
	if tries > 1 {
		d.report.Retried++
	}
	d.wait.Record(d.o.Clock.Now().Sub(due))
}

func (d *dispatch) body(i int64) ([]byte, error) {
	text := strings.ReplaceAll(d.o.Text, "%d", fmt.Sprint(i+1))
	if text == "" {
		text = fmt.Sprint("Message ", i+1)
	}
	return json.Marshal(map[string]any{
		"messaging_product": "whatsapp", "recipient_type": "individual", "to": d.o.To[i%int64(len(d.o.To))], "type": "text",
		"text": map[string]string{"body": text},
	})
}

// call makes one call and counts its answer.
func (d *dispatch) call(ctx context.Context, body []byte) error {
	select {
	case d.calls <- struct{}{}:
		defer func() { <-d.calls }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.o.Token)
	req.Header.Set("Content-Type", "application/json")
	begin := d.o.Clock.Now()
	status, answer, err := d.roundTrip(req)
	if err == nil {
		err = retry.Response(status, answer)
	}
	if err == nil {
		_, err = sentID(answer)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report.Calls++
	if e, ok := errors.AsType[*retry.Error](err); ok {
		d.report.Refused[e.Code]++
		if d.report.Codes == nil {
			d.report.Codes = map[int]string{}
		}
		d.report.Codes[e.Code] = e.Message
	}
	if err == nil {
		d.answer.Record(d.o.Clock.Now().Sub(begin))
	}
	return err
}

func (d *dispatch) roundTrip(req *http.Request) (int, []byte, error) {
	res, err := d.o.Transport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return res.StatusCode, b, err
}

// Passed reports whether every message was accepted.
func (r *SendReport) Passed() bool { return r.Failed == 0 }

// Write writes the report for people.
func (r *SendReport) Write(w io.Writer) error {
	out := &page{w: w}
	out.line("")
	out.row("server", "%s", r.Server)
	out.row("accepted", "%s of %s, %s of them after a refusal; %.1f/s over %.1f s", thousands(r.Accepted), thousands(r.Asked), thousands(r.Retried), r.Rate, r.Seconds)
	out.row("given up", "%s", thousands(r.Failed))
	for _, code := range slices.Sorted(maps.Keys(r.Refused)) {
		out.row("refused", "%s times %s", thousands(r.Refused[code]), r.Codes[code])
	}
	out.latency("answer", r.Answer)
	out.latency("accepted after", r.Wait)
	out.line("")
	if out.err == nil {
		out.err = Chart(w, r.Buckets)
	}
	if r.First != "" {
		out.row("first error", "%s", r.First)
	}
	return out.err
}
