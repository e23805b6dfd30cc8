package pipeline

import (
	"context"
	"time"

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
}

func (c *mark) refuse(err error) { c.done <- err }
func (c *mark) durable()         { c.done <- nil }
func (c *mark) lost(err error)   { c.done <- wa.ErrUnavailable.With(textRecovering).Because(err) }

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
	l.out.write(&record.Marked{ID: m.ID, Number: m.Number, User: m.User, At: now}, 0)
	l.out.outcomes = append(l.out.outcomes, c)
	event := message.ReadEvent(m.ID)
	for _, t := range p.threads {
		seq := l.p.o.Mailbox.Reserve(t.device.ID)
		if seq == 0 {
			continue
		}
		it := &MailboxItem{Device: t.device.ID, Seq: seq, Number: m.Number, At: now,
			Expires: now + markLife.Milliseconds(), Event: event}
		l.out.write(&record.Item{Number: it.Number, Device: it.Device, Seq: seq, At: now, Expires: it.Expires,
			Event: event}, len(event))
		l.out.items = append(l.out.items, it)
	}
	if c.typing {
		l.p.o.Mailbox.Flash(m.User, n.WaID, message.TypingEvent(n.WaID))
	}
}

// ---- blocks ----

// Block says that a user blocked a business number, or lifted the block. done is called after it is durable, or with
// [ErrBusy] or [ErrNoBusiness]; it must not block.
func (p *Pipeline) Block(user wa.WaID, number wa.WaID, on bool, done func(error)) {
	n, ok := p.o.Numbers.NumberByWaID(number)
	if !ok {
		done(ErrNoBusiness)
		return
	}
	if !p.laneOf(n.ID).offer(&block{user: user, n: n, on: on, done: done}) {
		done(ErrBusy)
	}
}

type block struct {
	user wa.WaID
	n    *business.Number
	on   bool
	done func(error)
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
	p.blockedByUser = c.on
	l.out.write(&record.Blocked{Number: c.n.ID, User: c.user, At: l.now(), On: c.on}, 0)
	l.out.touch(&p.pin)
	l.out.outcomes = append(l.out.outcomes, c)
}

// ---- users change ----

// UserChanged makes every lane look the user up again before the next use. again says that a device was installed anew:
// what it has not acknowledged is then encrypted once more. Source: design "The user network", section 8.
func (p *Pipeline) UserChanged(user wa.WaID, again bool) {
	for _, l := range p.lanes {
		l.tell(userChanged{user, again})
	}
}

type userChanged struct {
	user  wa.WaID
	again bool
}

func (c userChanged) run(l *lane) {
	for _, p := range l.byUser[c.user] {
		p.stale = true
	}
	if !c.again {
		return
	}
	l.job(func(ctx context.Context) command {
		if err := l.p.proj[l.index].wait(ctx, l.log.Last()); err != nil {
			return nil
		}
		rows, err := l.p.o.Store.Undelivered(ctx, l.index, c.user, expiryBatch)
		if err != nil {
			l.logger.Warn("look for undelivered messages", "err", err)
			return nil
		}
		return &undelivered{rows}
	})
}

type undelivered struct{ rows []*Message }

func (c *undelivered) run(l *lane) {
	for _, r := range c.rows {
		m, ok := l.messages.get(r.ID)
		if !ok || !m.loaded || m.missing {
			m = &letter{Message: *r, loaded: true}
			l.messages.put(r.ID, m)
		}
		if m.State == StateSent {
			if m.Content == nil {
				m.Content = r.Content
			}
			(&reseal{m: m}).run(l)
		}
	}
}

// ---- a device asks again ----

// Retry says that a device could not decrypt an item; the item itself is acknowledged with [Skipped]. The message is
// encrypted again in a new session, at most three times. Source: design "The user network", section 6.4.
func (p *Pipeline) Retry(r Receipt) {
	if l := p.laneFor(r); l != nil {
		l.tell(&retry{r})
	}
}

type retry struct{ Receipt }

func (c *retry) run(l *lane) {
	if l.broken {
		l.deferred = append(l.deferred, c)
		return
	}
	m, known, wait := l.letter(c.ID, c)
	if wait || !known || m.User != c.Device.User() || m.State != StateSent {
		return
	}
	p := l.peer(PeerKey{m.Number, m.User})
	if !p.ready() {
		l.park(p, c)
		return
	}
	if t := p.thread(c.Device); t != nil && t.session != nil && c.Seq >= t.since {
		t.session.Archive()
		t.since = 0
	}
	l.p.counts.Retried.Add(1)
	(&reseal{m: m}).run(l)
}

// reseal encrypts a message again that was sent before.
type reseal struct {
	m   *letter
	row *Message // read back, with its content
}

func (c *reseal) run(l *lane) {
	m := c.m
	if l.broken || m.State != StateSent {
		return
	}
	p := l.peer(PeerKey{m.Number, m.User})
	if !p.ready() {
		l.park(p, c)
		return
	}
	switch {
	case m.Attempt >= maxAttempts, c.row != nil && len(c.row.Content) == 0:
		l.failLetter(m, p, wa.ErrDeviceFailed)
		return
	case p.user == nil || len(p.threads) == 0:
		l.failLetter(m, p, wa.ErrUndeliverable)
		return
	case m.IdentityHash != "" && m.IdentityHash != p.user.IdentityHash:
		l.failLetter(m, p, wa.ErrIdentity)
		return
	}
	if c.row == nil {
		c.fetch(l)
		return
	}
	body, err := l.p.o.Vault.Open(bodyAD(m.ID), c.row.Content)
	if err != nil {
		l.failLetter(m, p, wa.ErrDeviceFailed)
		return
	}
	m.Attempt++
	c.again(l, p, message.AppendPlaintext(nil, m.ID, m.AcceptedAt/1000, body))
}

// fetch reads the content back once the store shows it.
func (c *reseal) fetch(l *lane) {
	c.m.held++
	l.job(func(ctx context.Context) command {
		row := &Message{}
		if err := l.p.proj[l.index].wait(ctx, l.log.Last()); err != nil {
			return nil
		}
		rows, err := l.p.o.Store.Messages(ctx, []wa.MessageID{c.m.ID})
		if err != nil {
			l.logger.Warn("read message again", "wamid", string(c.m.ID), "err", err)
		}
		if len(rows) == 1 {
			row = rows[0]
		}
		return &refetched{&reseal{m: c.m, row: row}}
	})
}

type refetched struct{ c *reseal }

func (r *refetched) run(l *lane) {
	r.c.m.held--
	r.c.run(l)
}

func (c *reseal) again(l *lane, p *peer, plain []byte) {
	for _, t := range p.threads {
		if t.session.Ready() {
			if row := l.sealFor(p, t, c.m, plain, false); row != nil {
				l.failLetter(c.m, p, row)
				return
			}
			continue
		}
		l.job(func(ctx context.Context) command {
			b, err := l.p.o.Directory.Bundle(ctx, t.device.ID)
			if err != nil {
				return &resealed{c, p, t, nil, plain, err}
			}
			s, err := signal.Initiate(l.p.o.Rand, signal.Suite{}, p.keys.identity, b)
			return &resealed{c, p, t, s, plain, err}
		})
	}
}

type resealed struct {
	c     *reseal
	p     *peer
	t     *thread
	s     *signal.Session
	plain []byte
	err   error
}

func (r *resealed) run(l *lane) {
	if r.err != nil {
		l.failLetter(r.c.m, r.p, wa.ErrUndeliverable.Because(r.err))
		return
	}
	if !r.t.session.Ready() {
		r.s.Inherit(r.t.session)
		r.t.session, r.t.since = r.s, 0
	}
	if row := l.sealFor(r.p, r.t, r.c.m, r.plain, false); row != nil {
		l.failLetter(r.c.m, r.p, row)
	}
}

// Bundle returns the keys with which a device begins a session with a business number.
func (p *Pipeline) Bundle(ctx context.Context, number wa.WaID) (*signal.Bundle, error) {
	n, ok := p.o.Numbers.NumberByWaID(number)
	if !ok || !n.Registered {
		return nil, ErrNoBusiness
	}
	return p.keys.bundle(ctx, n.ID)
}
