package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	maxBody    = 3_000_000 // spec/webhooks.md section 6: at most 3 MB
	maxUpdates = 1000      // per POST, the same section
	drain      = 256 << 10 // bytes of an answer that are read to keep the connection
)

// Answer says how an attempt ended. The set is closed: it serves as a metric label.
type Answer string

// The answers.
const (
	AnswerOK          Answer = "ok"
	AnswerStatus      Answer = "status"  // another status than 2xx (with StrictStatus: than 200)
	AnswerTimeout     Answer = "timeout" // nothing within the time limit
	AnswerTLS         Answer = "tls"     // certificate or handshake
	AnswerRefused     Answer = "refused" // the address must not be reached
	AnswerUnreachable Answer = "unreachable"
)

// Attempt is one try of a POST.
type Attempt struct {
	At      time.Time // platform time
	Answer  Answer
	Status  int // 0 when nobody answered
	Latency time.Duration
}

// job is one POST: updates from the journal, or a row of the store.
type job struct {
	events []event
	row    *Pending
	body   []byte // of a row, opened
}

func (j *job) updates() int {
	if j.row != nil {
		return j.row.Updates
	}
	return len(j.events)
}

func (j *job) waba() wa.WABAID {
	if j.row != nil {
		return j.row.WABA
	}
	return j.events[0].waba
}

// payload is the body of the POST. A single update has it ready.
func (j *job) payload() []byte {
	switch {
	case j.row != nil:
		return j.body
	case len(j.events) == 1:
		return j.events[0].body
	}
	size := len(payloadOpen) + len(payloadClose)
	for i := range j.events {
		size += len(j.events[i].body) // a little more than it needs
	}
	return batch(make([]byte, 0, size), j.events)
}

// born is when the youngest update happened.
func (j *job) born() time.Time {
	if j.row != nil {
		return j.row.Born
	}
	youngest := j.events[0].born
	for i := range j.events {
		youngest = max(youngest, j.events[i].born)
	}
	return time.UnixMilli(youngest)
}

// worker is what a goroutine that posts needs; reused.
type worker struct {
	d      *Dispatcher
	events []event
	job    job
	sign   *signer
	buf    []byte
}

func newWorker(d *Dispatcher) *worker { return &worker{d: d, buf: make([]byte, 2048)} }

// header makes the header of a request. It is not reused: the transport may still read it after it has returned. The values
// that never change are shared.
func (w *worker) header(body []byte) http.Header {
	v := make([]string, 2)
	v[0], v[1] = w.sign.sign(body)
	return http.Header{
		"Content-Type":        contentType,
		"User-Agent":          w.d.userAgent,
		"Accept":              accept,
		"Accept-Encoding":     acceptEncoding,
		"X-Hub-Signature-256": v[:1:1],
		"X-Hub-Signature":     v[1:],
		// Not sent: it allows the transport to use another connection when an idle one turns out to be closed.
		"Idempotency-Key": {},
	}
}

var (
	contentType    = []string{"application/json"}
	accept         = []string{"*/*"}
	acceptEncoding = []string{"deflate, gzip"}
)

// body makes the body of a request. Of this type the transport knows that it is all there, and sends it together with the
// header.
func body(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }

// deliver posts the job, at once a second time when that fails, and decides what follows.
func (w *worker) deliver(e *endpoint, j *job) {
	e.mu.Lock()
	u, text := e.target(j.waba()), e.urlText
	e.mu.Unlock()
	defer clear(w.events)
	secret, ok := w.d.o.Apps.AppSecret(e.id.App)
	if u == nil || !ok {
		w.d.drop(e, j, LossUnsubscribed)
		return
	}
	if w.sign == nil || w.sign.secret != secret {
		w.sign = newSigner(secret)
	}
	body := j.payload()
	entry := w.d.log.begin(e.id, text, j, body)
	attempts := 0
	if j.row != nil {
		attempts = j.row.Attempts
	}
	for {
		a := w.attempt(w.d.ctx, u, body)
		if w.d.ctx.Err() != nil { // cut off by Close: not the receiver's fault
			w.d.giveBack(e, j)
			return
		}
		attempts++
		w.d.log.attempt(entry, a)
		w.d.o.Observer.Attempted(a.Answer, a.Latency, j.updates())
		if a.Answer == AnswerOK {
			e.succeeded(a.Latency)
			w.d.done(e, j)
			w.d.log.end(entry, StateDelivered, time.Time{})
			return
		}
		suspended := e.failed()
		if !w.d.failed(e, j, entry, body, attempts, a.Status, suspended) {
			return
		}
	}
}

// attempt posts once.
func (w *worker) attempt(ctx context.Context, u *url.URL, payload []byte) Attempt {
	d := w.d
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	req := (&http.Request{
		Method: http.MethodPost, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header(payload), Body: body(payload), ContentLength: int64(len(payload)),
		GetBody: func() (io.ReadCloser, error) { return body(payload), nil },
	}).WithContext(ctx)
	a := Attempt{At: d.o.Clock.Now()}
	start := d.o.Wall.Now()
	res, err := d.o.Transport.RoundTrip(req) //nolint:bodyclose // drain closes it
	if err == nil {
		err = w.drain(res.Body)
	}
	a.Latency = d.o.Wall.Now().Sub(start)
	if err != nil {
		a.Answer = classify(ctx, err)
		return a
	}
	a.Status = res.StatusCode
	switch {
	case a.Status == http.StatusOK, a.Status >= 200 && a.Status < 300 && !d.o.StrictStatus:
		a.Answer = AnswerOK
	default:
		a.Answer = AnswerStatus
	}
	return a
}

// drain reads the answer, which nobody looks at, so that the connection can be used again.
func (w *worker) drain(body io.ReadCloser) error {
	if body == http.NoBody {
		return nil
	}
	defer func() { _ = body.Close() }()
	for left := drain; left > 0; {
		n, err := body.Read(w.buf)
		left -= n
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func classify(ctx context.Context, err error) Answer {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		timeout     net.Error
	)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return AnswerTimeout
	case errors.Is(err, ErrAddress):
		return AnswerRefused
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return AnswerTLS
	default:
		return AnswerUnreachable
	}
}
