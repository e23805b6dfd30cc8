package pipeline

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxAttempts bounds the encryptions of one message after the first. Source: design "The user network", section 6.4.
const maxAttempts = 3

// deliver is the lane's own next step after a message was accepted: it ends in sent, in failed, or waits for a first
// contact. Source for the checks: spec/errors.md section 2, gate 16.
func (l *lane) deliver(m *letter) {
	if m.State != StateAccepted {
		return
	}
	p := l.peer(PeerKey{m.Number, m.User})
	if !p.ready() {
		l.park(p, &redeliver{m})
		return
	}
	now := l.now()
	switch {
	case now >= m.Expires:
		l.drop(m)
		return
	case m.Type != message.TypeTemplate && !message.WindowOpen(p.lastInbound, now):
		l.failLetter(m, p, wa.ErrWindow)
		return
	case p.user == nil || len(p.threads) == 0 || p.blockedByUser:
		l.failLetter(m, p, wa.ErrUndeliverable)
		return
	case m.IdentityHash != "" && m.IdentityHash != p.user.IdentityHash:
		l.failLetter(m, p, wa.ErrIdentity)
		return
	}
	l.price(m, p, now)
	if l.contact(p, m) {
		return
	}
	l.seal(p, m)
}

// redeliver takes up a message again after its pair was loaded or its body read back.
type redeliver struct{ m *letter }

func (c *redeliver) run(l *lane) {
	if c.m.body == nil && c.m.State == StateAccepted {
		l.readBody(c.m, c)
		return
	}
	l.deliver(c.m)
}

// readBody opens the sealed content of a message that was accepted before the last start.
func (l *lane) readBody(m *letter, again command) {
	body, err := l.p.o.Vault.Open(bodyAD(m.ID), m.Content)
	if err != nil {
		l.logger.Error("open message", "wamid", string(m.ID), "err", err)
		l.failLetter(m, nil, wa.ErrDeviceFailed)
		return
	}
	m.body = body
	again.run(l)
}

// contact starts first contacts with the devices that have no session and puts m aside until they are done. Messages
// behind m wait with it, so that the order of a conversation is kept.
func (l *lane) contact(p *peer, m *letter) (wait bool) {
	for _, t := range p.threads {
		if t.session.Ready() && len(t.queue) == 0 {
			continue
		}
		if !wait {
			m.held++
			l.busy.Add(1)
			t.queue = append(t.queue, m)
			wait = true
		}
		if !t.asked {
			t.asked = true
			l.job(func(ctx context.Context) command { return l.agree(ctx, p, t) })
		}
	}
	return wait
}

// agree runs in the pool: it fetches the device's prekeys and makes a session.
func (l *lane) agree(ctx context.Context, p *peer, t *thread) command {
	b, err := l.p.o.Directory.Bundle(ctx, t.device.ID)
	if err != nil {
		return &agreed{p, t, nil, err}
	}
	s, err := signal.Initiate(l.p.o.Rand, signal.Suite{}, p.keys.identity, b)
	return &agreed{p, t, s, err}
}

type agreed struct {
	p   *peer
	t   *thread
	s   *signal.Session
	err error
}

func (c *agreed) run(l *lane) {
	t := c.t
	t.asked = false
	queue := t.queue
	t.queue = nil
	if c.err == nil && !t.session.Ready() {
		// The device may have begun a session of its own meanwhile: then that one is used.
		c.s.Inherit(t.session)
		t.session, t.since = c.s, 0
	}
	for _, m := range queue {
		m.held--
		l.busy.Add(-1)
		if c.err != nil {
			l.logger.Warn("first contact", "number_id", string(m.Number), "err", c.err)
			l.failLetter(m, c.p, wa.ErrUndeliverable)
			continue
		}
		l.deliver(m)
	}
}

// seal encrypts m for every device of the user and writes the items together with the session states after them: if the
// process dies before the frame is durable, both are gone and the message is encrypted again from the older state, whose
// ciphertext never left the process.
func (l *lane) seal(p *peer, m *letter) {
	plain := message.AppendPlaintext(nil, m.ID, m.AcceptedAt/1000, m.body)
	var refused *wa.Error
	sealed := 0
	for _, t := range p.threads {
		if row := l.sealFor(p, t, m, plain, false); row != nil {
			refused = row
		} else {
			sealed++
		}
	}
	if sealed == 0 {
		l.failLetter(m, p, refused)
		return
	}
	m.body = nil
	s := l.status(record.KindSent, m, p)
	s.Priced = true
	s.Conversation = message.ConversationEnd(p.lastInbound, s.At)
	l.out.write(s, 256+len(s.SealedOpaque))
	l.p.counts.Sent.Add(1)
	if m.preview != "" && l.p.o.Previews != nil {
		l.fetchPreview(p, m)
	}
}

// sealFor encrypts plain for one device. A non-nil result is the row the message fails with.
func (l *lane) sealFor(p *peer, t *thread, m *letter, plain []byte, silent bool) *wa.Error {
	kind, wire, err := t.session.Encrypt(l.p.o.Rand, plain)
	if err != nil {
		return wa.ErrUnknownSend.Because(err)
	}
	state, err := l.sealSession(m.Number, t)
	if err != nil {
		return wa.ErrUnknownSend.Because(err)
	}
	seq := l.p.o.Mailbox.Reserve(t.device.ID)
	if seq == 0 {
		// The mailbox is full. The session has moved on; that only skips a key.
		return wa.ErrUndeliverable
	}
	if t.since == 0 {
		t.since = seq
	}
	item := &MailboxItem{
		Device: t.device.ID, Seq: seq, ID: m.ID, Number: m.Number, At: l.now(), Expires: m.Expires,
		PreKey: kind == signal.Pre, Silent: silent, Cipher: wire,
	}
	l.out.write(&record.Sealed{
		ID: m.ID, Number: m.Number, Device: item.Device, Seq: seq, At: item.At, Expires: item.Expires,
		PreKey: item.PreKey, Silent: silent, Cipher: wire, Session: state, Attempt: m.Attempt,
	}, len(wire)+len(state))
	l.out.items = append(l.out.items, item)
	l.out.touch(&p.pin)
	return nil
}

// drop ends a message whose life is over without a webhook. Source: spec/messages.md section 14.2.
func (l *lane) drop(m *letter) {
	m.State, m.body = StateDropped, nil
	l.out.write(&record.Dropped{ID: m.ID, Number: m.Number, To: m.User, At: l.now()}, 0)
	l.out.touch(&m.pin)
	l.p.counts.Dropped.Add(1)
}

// expiry finds messages whose life ended while they waited in a mailbox.
type expiry struct{}

const expiryBatch = 1000

func (expiry) run(l *lane) {
	if l.broken {
		return
	}
	now := l.now()
	l.job(func(ctx context.Context) command {
		rows, err := l.p.o.Store.Expired(ctx, l.index, now, expiryBatch)
		if err != nil {
			l.logger.Warn("look for expired messages", "err", err)
			return nil
		}
		return &expired{rows}
	})
}

type expired struct{ rows []*Message }

func (c *expired) run(l *lane) {
	for _, r := range c.rows {
		m, ok := l.messages.get(r.ID)
		if !ok || !m.loaded || m.missing {
			m = &letter{Message: *r, loaded: true}
			l.messages.put(r.ID, m)
		}
		if m.State == StateSent || m.State == StateAccepted {
			l.drop(m)
		}
	}
	if len(c.rows) == expiryBatch {
		l.job(func(ctx context.Context) command {
			// Ask again once the store shows this batch.
			if err := l.p.proj[l.index].wait(ctx, l.log.Last()); err != nil {
				return nil
			}
			return expiry{}
		})
	}
}

// Previewer fetches what a device shows under a message with a link. It returns nil when there is nothing to show; it must
// bound its time and guard against internal addresses.
type Previewer interface {
	Preview(ctx context.Context, url string) []byte
}

// fetchPreview lets the preview follow the message as a silent companion, so that neither a slow page nor a missing one
// delays it.
func (l *lane) fetchPreview(p *peer, m *letter) {
	url := m.preview
	m.preview = ""
	m.held++
	l.job(func(ctx context.Context) command {
		ctx, cancel := context.WithTimeout(ctx, previewTime)
		defer cancel()
		return &previewed{p, m, l.p.o.Previews.Preview(ctx, url)}
	})
}

const previewTime = 10 * time.Second

type previewed struct {
	p    *peer
	m    *letter
	card []byte
}

func (c *previewed) run(l *lane) {
	c.m.held--
	if len(c.card) == 0 || !c.p.ready() || l.broken {
		return
	}
	if q, ok := l.peers.get(c.p.key); !ok || q != c.p {
		return // loaded anew meanwhile; a preview is not worth a second load
	}
	plain := message.AppendPreview(nil, c.m.ID, l.now()/1000, c.card)
	for _, t := range c.p.threads {
		if t.session.Ready() {
			_ = l.sealFor(c.p, t, c.m, plain, true)
		}
	}
}
