package pipeline

import (
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// What a user does that says something about a business. Source: spec/quality.md sections 4 and 7.1.
const (
	FeedbackBlock   = "block"
	FeedbackUnblock = "unblock"
	FeedbackReport  = "report"
	FeedbackMute    = "mute"
	FeedbackArchive = "archive"
	FeedbackStop    = "stop"   // no marketing messages from this business
	FeedbackResume  = "resume" // marketing messages again
	FeedbackDislike = "dislike"
)

// Whom feedback is attributed to: a number that wrote to the user within a week, and the template delivered last within
// three days. Muting and archiving count right after a delivery. Source: spec/quality.md section 7.1.
const (
	feedbackNumber   = 7 * 24 * time.Hour
	feedbackTemplate = 72 * time.Hour
	feedbackSoon     = time.Hour
)

const (
	day = 24 * time.Hour
	// readWindow is how long after a message was sent its being read counts, in milliseconds. Source: spec/analytics.md
	// section 5.
	readWindow = int64(7 * day / time.Millisecond)
)

// reached notes that the user got a message of the number, and reports of what it is the first today.
func (p *peer) reached(m *letter, at int64) (f record.Fresh) {
	today := at / day.Milliseconds()
	if p.deliveredAt/day.Milliseconds() < today {
		f |= record.FreshNumber
	}
	p.deliveredAt = max(p.deliveredAt, at)
	if m.Template == "" {
		return f
	}
	if p.template != m.Template || p.templateAt/day.Milliseconds() < today {
		f |= record.FreshTemplate
	}
	p.template, p.templateAt = m.Template, at
	return f
}

// opinion is the record of what the user did at now; nil when the number has nothing to do with it: it has not written to
// the user for a week. What the user wants to get is heard all the same.
func (p *peer) opinion(n *business.Number, what, reason string, now int64) *record.Feedback {
	since := now - p.deliveredAt
	light := p.deliveredAt == 0 || since >= feedbackNumber.Milliseconds()
	if light && what != FeedbackStop && what != FeedbackResume {
		return nil
	}
	if (what == FeedbackMute || what == FeedbackArchive) && since > feedbackSoon.Milliseconds() {
		return nil
	}
	r := &record.Feedback{Number: n.ID, WABA: n.WABA, User: p.key.User, At: now, What: what, Reason: reason, Light: light}
	if p.template != "" && now-p.templateAt < feedbackTemplate.Milliseconds() {
		r.Template = p.template
	}
	return r
}

// Feedback says what a user did with the chat of a business number: one of the words above but block and unblock, which are
// [Pipeline.Block]. It changes how the number is rated and nothing else. done is called after it is durable, or with
// [ErrBusy] or [ErrNoBusiness]; it must not block.
func (p *Pipeline) Feedback(user, number wa.WaID, what, reason string, done func(error)) {
	n, ok := p.o.Numbers.NumberByWaID(number)
	if !ok {
		done(ErrNoBusiness)
		return
	}
	if !p.laneOf(n.ID).offer(&feedback{user: user, n: n, what: what, reason: reason, done: done}) {
		done(ErrBusy)
	}
}

type feedback struct {
	user         wa.WaID
	n            *business.Number
	what, reason string
	done         func(error)
}

func (c *feedback) refuse(error) { c.done(ErrBusy) }
func (c *feedback) durable()     { c.done(nil) }
func (c *feedback) lost(error)   { c.done(ErrBusy) }

func (c *feedback) run(l *lane) {
	p := l.peer(PeerKey{c.n.ID, c.user})
	if !p.ready() {
		l.park(p, c)
		return
	}
	if c.what == FeedbackStop || c.what == FeedbackResume {
		if err := l.prefer(p, c.n, c.what == FeedbackStop); err != nil {
			c.refuse(err)
			return
		}
	}
	r := p.opinion(c.n, c.what, c.reason, l.now())
	switch {
	case r != nil:
		l.out.write(r, 64+len(c.reason))
	case len(l.out.recs) == 0:
		c.done(nil) // heard, and nobody's fault
		return
	}
	l.out.outcomes = append(l.out.outcomes, c)
}
