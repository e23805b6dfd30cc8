package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// deliver is the lane's own next step after a message was accepted: it ends in sent, in failed, or waits for a first
// contact. c is the command at hand, nil when there is none yet. Source for the checks: spec/errors.md section 2, gate 16.
func (l *lane) deliver(m *letter, c *redeliver) {
	if m.State != StateAccepted {
		c.settle(l)
		return
	}
	p := l.peer(PeerKey{m.Number, m.User})
	if !p.ready() {
		l.park(p, c.or(m))
		return
	}
	target, wait := l.reacts(m, c)
	if wait {
		return
	}
	now := l.now()
	hold, dropped := l.pacing(m)
	closed := l.closed(m.Number, m.User, m.Template, now)
	switch {
	case now >= m.Expires:
		l.drop(m)
	case closed != nil:
		l.failLetter(m, p, closed)
	case hold:
		l.standBy(m)
	case dropped != nil:
		l.failLetter(m, p, dropped)
	case m.Type != message.TypeTemplate && !message.WindowOpen(p.lastInbound, now):
		l.failLetter(m, p, wa.ErrWindow)
	case p.standing.OptedOut && m.Type == message.TypeTemplate && m.Category == "marketing":
		l.failLetter(m, p, wa.ErrOptOut)
	case l.barred(m, p, now) != nil:
		l.failLetter(m, p, m.barred)
	case !target:
		l.failLetter(m, p, errReaction)
	case c != nil && c.row != nil:
		l.failLetter(m, p, c.row)
	case m.IdentityHash != "" && p.user != nil && m.IdentityHash != p.user.IdentityHash:
		l.failLetter(m, p, wa.ErrIdentity)
	case p.user == nil || len(p.threads) == 0 || p.blockedByUser || !l.shows(m):
		l.failLetter(m, p, wa.ErrUndeliverable)
	default:
		ready, failed := l.linked(m, p, c)
		if failed {
			break
		}
		if !ready {
			return
		}
		c = c.or(m)
		if l.contact(p, c, "") || !l.reserve(p, c, "") {
			return
		}
		l.send(p, m)
	}
	c.settle(l)
}

// redeliver takes up a message again after it waited for its pair, for a first contact or for a new start.
type redeliver struct {
	id   wa.MessageID
	from *backlog  // nil except after a start
	row  *wa.Error // what the message fails with; nil while there is hope
}

// or returns c, or a command for m if there is none yet.
func (c *redeliver) or(m *letter) *redeliver {
	if c == nil {
		c = &redeliver{id: m.ID}
	}
	return c
}

// settle says that nothing is left to do for the command.
func (c *redeliver) settle(l *lane) {
	if c != nil && c.from != nil {
		from := c.from
		c.from = nil
		from.settled(l)
	}
}

func (c *redeliver) fail(row *wa.Error) { c.row = row }

func (c *redeliver) run(l *lane) {
	m, known, wait := l.letter(c.id, c)
	switch {
	case wait:
	case !known:
		c.settle(l)
	default:
		l.deliver(m, c)
	}
}

// reserve allots a mailbox position on every device, or on the one that only names. It is false when c was put aside
// because a mailbox was not ready.
func (l *lane) reserve(p *peer, c command, only wa.DeviceID) bool {
	freshly := p.freshly
	p.freshly = false
	ok := true
	for _, t := range p.threads {
		t.slot = 0
		if only == "" || t.device.ID == only {
			t.slot = l.p.o.Mailbox.Reserve(t.device.ID)
			ok = ok && t.slot != 0
		}
	}
	if ok || freshly { // right after a load, no position means that the mailbox is full
		return true
	}
	for _, t := range p.threads {
		if t.slot != 0 {
			l.p.o.Mailbox.Skip(t.device.ID, t.slot)
			t.slot = 0
		}
	}
	p.stale = true
	l.park(p, c)
	return false
}

// send encrypts m for every device of the user and writes the items together with the session states after them: if the
// process dies before the frame is durable, both are gone and the message is encrypted again from the older state, whose
// ciphertext never left the process.
func (l *lane) send(p *peer, m *letter) {
	now := l.now()
	body, err := l.bodyOf(m)
	row := wa.ErrDeviceFailed
	if err == nil {
		l.price(m, p, l.free(p, now), now)
		l.plain = message.AppendPlaintext(l.plain[:0], m.ID, m.AcceptedAt/1000, body)
		if len(l.plain) > message.MaxPlaintext {
			err = errLong
		}
	}
	if err == nil {
		row = l.seal(p, m, l.plain, false)
	} else {
		l.logger.Error("write message", "wamid", string(m.ID), "err", err)
		l.skip(p)
	}
	if row != nil {
		l.failLetter(m, p, row)
		return
	}
	l.enter(p, m, now)
	s := l.status(record.KindSent, m, p)
	s.Priced = true
	s.Conversation = message.ConversationEnd(p.lastInbound, s.At)
	if s.Entry != 0 {
		s.Conversation = s.Entry + message.EntryWindow.Milliseconds()
	}
	l.out.write(s, 256+len(s.SealedOpaque)+len(s.SealedBody))
	l.p.counts.Sent.Add(1)
	if m.preview != "" && l.p.o.Previews != nil {
		l.fetchPreview(p, m)
	}
}

// errLong says that files which were described after the send made the message too long.
var errLong = errors.New("the message is too long for a device")

// skip gives the reserved positions back.
func (l *lane) skip(p *peer) {
	for _, t := range p.threads {
		if t.slot != 0 {
			l.p.o.Mailbox.Skip(t.device.ID, t.slot)
			t.slot = 0
		}
	}
}

// seal fills the reserved positions with plain, encrypted. A non-nil result is the row the message fails with: no device
// could be reached.
func (l *lane) seal(p *peer, m *letter, plain []byte, silent bool) (row *wa.Error) {
	sealed := false
	row = wa.ErrUndeliverable // the mailboxes are full
	for _, t := range p.threads {
		if t.slot == 0 {
			continue
		}
		if err := l.sealFor(p, t, m, plain, silent); err != nil {
			l.logger.Error("encrypt message", "wamid", string(m.ID), "err", err)
			l.p.o.Mailbox.Skip(t.device.ID, t.slot)
			row = wa.ErrUnknownSend
		} else {
			sealed = true
		}
		t.slot = 0
	}
	if sealed {
		return nil
	}
	return row
}

func (l *lane) sealFor(p *peer, t *thread, m *letter, plain []byte, silent bool) error {
	kind, wire, err := t.session.Encrypt(l.p.o.Rand, plain)
	if err != nil {
		return err
	}
	since := t.since
	if since == 0 {
		t.since = t.slot
	}
	state, err := l.sealSession(m.Number, t)
	if err != nil {
		t.since = since // the session has moved on; that only skips a key
		return err
	}
	kept := wire
	if m.brief {
		// Whoever had the key of the number and an older state of the session could read the ciphertext.
		if kept, err = l.p.o.Vault.SealContent(m.born(), ItemAD(t.device.ID, t.slot), wire); err != nil {
			t.since = since
			return err
		}
	}
	item := &MailboxItem{
		Device: t.device.ID, Seq: t.slot, ID: m.ID, Number: m.Number, At: l.now(), Expires: m.Expires,
		PreKey: kind == signal.Pre, Silent: silent, Cipher: wire,
	}
	l.out.write(&record.Sealed{
		ID: m.ID, Number: m.Number, Device: item.Device, Seq: item.Seq, At: item.At, Expires: item.Expires,
		PreKey: item.PreKey, Silent: silent, Cipher: kept, Session: state, Attempt: m.Attempt,
	}, len(kept)+len(state)+128)
	l.out.items = append(l.out.items, item)
	l.out.touch(&p.pin)
	return nil
}

// drop ends a message whose life is over without a webhook. Source: spec/messages.md section 14.2.
func (l *lane) drop(m *letter) {
	l.settleReach(m, false)
	m.State, m.body, m.Content = StateDropped, nil, nil
	l.out.write(&record.Dropped{ID: m.ID, Number: m.Number, To: m.User, At: l.now()}, 64)
	l.out.touch(&m.pin)
	l.p.counts.Dropped.Add(1)
}

// ---- messages whose life ended while they waited in a mailbox ----

const expiryBatch = 1000

func (l *lane) findExpired() {
	now := l.now()
	l.job(func(ctx context.Context) command {
		rows, err := l.p.o.Store.Expired(ctx, l.index, now, expiryBatch)
		if err != nil {
			l.logger.Warn("look for expired messages", "err", err)
			return nil // the next minute asks again
		}
		return expired(rows)
	})
}

type expired []*Message

func (c expired) run(l *lane) {
	for _, r := range c {
		l.busy.Add(1)
		l.decide(&expire{r.ID})
	}
	if len(c) == expiryBatch {
		l.after(moreExpired{})
	}
}

// expire drops one message. The row that was found may be old: the lane's memory, or a new look, decides.
type expire struct{ id wa.MessageID }

func (c *expire) owed() {}

func (c *expire) run(l *lane) {
	m, known, wait := l.letter(c.id, c)
	if !wait && known && (m.State == StateSent || m.State == StateAccepted) && m.Expires <= l.now() {
		l.drop(m)
	}
}

// moreExpired asks again once the store shows the last batch.
type moreExpired struct{}

func (moreExpired) owed() {}

func (moreExpired) run(l *lane) {
	l.job(func(ctx context.Context) command {
		if l.p.proj[l.index].wait(ctx, l.log.Last()) != nil {
			return nil
		}
		return findMore{}
	})
}

type findMore struct{}

func (findMore) run(l *lane) { l.findExpired() }

// ---- link previews ----

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
	l.plain = message.AppendPreview(l.plain[:0], c.m.ID, l.now()/1000, c.card)
	for _, t := range c.p.threads {
		t.slot = 0
		if t.session.Ready() {
			t.slot = l.p.o.Mailbox.Reserve(t.device.ID)
		}
	}
	_ = l.seal(c.p, c.m, l.plain, true)
}
