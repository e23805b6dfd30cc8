package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	maxBody    = 3_000_000 // spec/webhooks.md section 6: at most 3 MB
	maxUpdates = 1000      // per POST, the same section
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

// brief is the number whose updates they are, when it is one without storage.
func (j *job) brief() wa.PhoneNumberID {
	if j.row != nil {
		return j.row.Brief
	}
	return j.events[0].brief
}

// rowLife is the life of a row of a number without storage: the last attempt is due when its hour ends.
const rowLife = BriefLife + time.Minute

// late reports whether updates of a number without storage waited too long for their turn. A row has a last attempt when its hour
// ends, which comes a moment later.
func (j *job) late(now time.Time) bool {
	life := BriefLife
	if j.row != nil {
		life = rowLife
	}
	return j.brief() != "" && now.After(j.born().Add(life))
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
}

func newWorker(d *Dispatcher) *worker { return &worker{d: d} }

// deliver posts the job, at once a second time when that fails, and decides what follows.
func (w *worker) deliver(e *endpoint, j *job) {
	e.mu.Lock()
	u, text := e.target(j.waba()), e.urlText
	e.mu.Unlock()
	defer clear(w.events)
	secret, ok := w.d.o.Apps.AppSecret(e.id.App)
	switch {
	case u == nil || !ok:
		w.d.drop(e, j, LossUnsubscribed)
		return
	case j.late(w.d.o.Clock.Now()):
		w.d.drop(e, j, LossRetention)
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
		a := w.attempt(text, body)
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
func (w *worker) attempt(url string, payload []byte) Attempt {
	d := w.d
	p := Post{URL: url, UserAgent: d.o.UserAgent, Body: payload}
	p.SHA256, p.SHA1 = w.sign.sign(payload)
	a := Attempt{At: d.o.Clock.Now()}
	start := d.o.Wall.Now()
	status, err := d.o.Poster.Post(&p, d.o.Timeout)
	a.Latency = d.o.Wall.Now().Sub(start)
	if err != nil {
		a.Answer = classify(err)
		return a
	}
	a.Status = status
	switch {
	case a.Status == http.StatusOK, a.Status >= 200 && a.Status < 300 && !d.o.StrictStatus:
		a.Answer = AnswerOK
	default:
		a.Answer = AnswerStatus
	}
	return a
}

func classify(err error) Answer {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		timeout     interface{ Timeout() bool } // net.Error, and what the client library returns
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return AnswerTimeout
	case errors.Is(err, ErrAddress):
		return AnswerRefused
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return AnswerTLS
	default:
		return AnswerUnreachable
	}
}
