package pipeline

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ---- the business marks a message as read ----

// markLife is how old a message may be to be marked. Source: spec/messages.md section 13.
const markLife = 30 * 24 * time.Hour

// Mark tells the user's devices that the business has read a message and all before it, and, with typing, that an answer
// is being written. It returns after the mark is durable. Errors: [wa.ErrValue] for a message that the number did not
// receive within 30 days, [wa.ErrUnavailable].
func (p *Pipeline) Mark(ctx context.Context, number wa.PhoneNumberID, id wa.MessageID, typing bool) error {
	l, ok := p.laneOfMessage(id)
	if !ok || l != p.laneOf(number) {
		return wa.ErrValue.With(textUnknownMessage)
	}
	c := &mark{number: number, id: id, typing: typing, done: make(chan error, 1)}
	if !l.offer(c) {
		return wa.ErrUnavailable.With(textBusy)
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

const textUnknownMessage = "message_id is not the id of a message this number received within the last 30 days."

type mark struct {
	number wa.PhoneNumberID
	id     wa.MessageID
	typing bool
	done   chan error
	flash  func() // shows the typing indicator
}

func (c *mark) refuse(err error) { c.done <- err }
func (c *mark) lost(err error)   { c.done <- wa.ErrUnavailable.With(textRecovering).Because(err) }

func (c *mark) durable() {
	if c.flash != nil {
		c.flash()
	}
	c.done <- nil
}

func (c *mark) run(l *lane) {
	n, ok := l.p.o.Numbers.Number(c.number)
	if err := usable(n, ok, l.p.o.Clock.Now()); err != nil {
		c.refuse(err)
		return
	}
	m, known, wait := l.letter(c.id, c)
	if wait {
		return
	}
	now := l.now()
	if !known || m.State != StateReceived || m.Number != c.number || now-m.AcceptedAt > markLife.Milliseconds() {
		c.refuse(wa.ErrValue.With(textUnknownMessage))
		return
	}
	p := l.peer(PeerKey{m.Number, m.User})
	if !p.ready() {
		l.park(p, c)
		return
	}
	if !l.reserve(p, c, "") {
		return
	}
	l.out.write(&record.Marked{ID: m.ID, Number: m.Number, User: m.User, At: now}, 0)
	l.out.outcomes = append(l.out.outcomes, c)
	event := message.ReadEvent(m.ID)
	for _, t := range p.threads {
		if t.slot == 0 {
			continue // the mailbox is full
		}
		it := &MailboxItem{
			Device: t.device.ID, Seq: t.slot, Number: m.Number, At: now,
			Expires: now + markLife.Milliseconds(), Event: event,
		}
		t.slot = 0
		l.out.write(&record.Item{
			Number: it.Number, Device: it.Device, Seq: it.Seq, At: now, Expires: it.Expires,
			Event: event,
		}, len(event))
		l.out.items = append(l.out.items, it)
	}
	if c.typing {
		user, from := m.User, n.WaID
		c.flash = func() { l.p.o.Mailbox.Flash(user, from, message.TypingEvent(from)) }
	}
}

// ---- blocks ----

// Block says that a user blocked a business number, or lifted the block. reason is the user's, see [analytics.Blocked]; words
// that are not known there stand for "other". done is called after it is durable, or with [ErrBusy] or [ErrNoBusiness]; it
// must not block.
func (p *Pipeline) Block(user wa.WaID, number wa.WaID, on bool, reason string, done func(error)) {
	n, ok := p.o.Numbers.NumberByWaID(number)
	if !ok {
		done(ErrNoBusiness)
		return
	}
	if !p.laneOf(n.ID).offer(&block{user: user, n: n, on: on, reason: analytics.BlockReason(reason), done: done}) {
		done(ErrBusy)
	}
}

type block struct {
	user   wa.WaID
	n      *business.Number
	on     bool
	reason string
	done   func(error)
}

func (c *block) refuse(error) { c.done(ErrBusy) }
func (c *block) durable()     { c.done(nil) }
func (c *block) lost(error)   { c.done(ErrBusy) }

func (c *block) run(l *lane) {
	p := l.peer(PeerKey{c.n.ID, c.user})
	if !p.ready() {
		l.park(p, c)
		return
	}
	changed := p.blockedByUser != c.on
	p.blockedByUser = c.on
	l.out.write(&record.Blocked{Number: c.n.ID, User: c.user, At: l.now(), On: c.on}, 0)
	what, reason := FeedbackUnblock, ""
	if c.on {
		what, reason = FeedbackBlock, c.reason
	}
	if r := p.opinion(c.n, what, reason, l.now()); changed && r != nil {
		l.out.write(r, 0)
	}
	l.out.touch(&p.pin)
	l.out.outcomes = append(l.out.outcomes, c)
}

// Bundle returns the keys with which a device begins a session with a business number.
func (p *Pipeline) Bundle(ctx context.Context, number wa.WaID) (*signal.Bundle, error) {
	n, ok := p.o.Numbers.NumberByWaID(number)
	if !ok || !n.Registered {
		return nil, ErrNoBusiness
	}
	return p.keys.bundle(ctx, n.ID)
}

// Identity returns the public identity key of a registered number, for people who compare it.
func (p *Pipeline) Identity(ctx context.Context, number wa.PhoneNumberID) (signal.PublicKey, error) {
	n, err := p.keys.number(ctx, number)
	if err != nil {
		return signal.PublicKey{}, err
	}
	return n.identity.Key.Public(), nil
}
