package pipeline

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxAttempts bounds the encryptions of one message after the first. Source: design "The user network", section 6.4.
const maxAttempts = 3

// ---- users change ----

// UserChanged makes every lane look the user up again before the next use. again says that a device was installed anew:
// what it has not acknowledged is then encrypted once more. Source: design "The user network", section 8.
func (p *Pipeline) UserChanged(user wa.WaID, again bool) {
	for _, l := range p.lanes {
		l.tell(&userChanged{user: user, again: again})
	}
}

type userChanged struct {
	user  wa.WaID
	again bool
}

func (c *userChanged) owed() {}

func (c *userChanged) run(l *lane) {
	for _, p := range l.byUser[c.user] {
		p.stale = true
		p.outrun = p.asked
	}
	if c.again {
		l.after(&undelivered{user: c.user}) // messages on their way to the old keys must be found, too
	}
}

// undeliveredMost is what one mailbox can hold.
const undeliveredMost = 10_000

// undelivered looks for the messages that a device has not acknowledged, and encrypts them again.
type undelivered struct {
	user wa.WaID
	rows []*Message
}

func (c *undelivered) owed() {}

func (c *undelivered) run(l *lane) {
	for _, r := range c.rows {
		l.busy.Add(1)
		l.decide(&reseal{id: r.ID, content: r.Content, read: true})
	}
	if c.rows != nil {
		return
	}
	l.job(func(ctx context.Context) command {
		if l.p.proj[l.index].wait(ctx, l.log.Last()) != nil {
			return nil
		}
		rows, err := l.p.o.Store.Undelivered(ctx, l.index, c.user, undeliveredMost)
		switch {
		case err != nil:
			l.logger.Warn("look for undelivered messages", "err", err)
			return &postponed{&undelivered{user: c.user}}
		case len(rows) == 0:
			return nil
		}
		return &undelivered{c.user, rows}
	})
}

// findStranded looks, at a start, for users whose new installation was stored, and whose messages were not encrypted again
// before the process died.
type findStranded struct{}

func (findStranded) owed() {}

func (findStranded) run(l *lane) {
	l.job(func(ctx context.Context) command {
		users, err := l.p.o.Store.Stranded(ctx, l.index)
		if err != nil {
			l.logger.Warn("look for messages of replaced installations", "err", err)
			return &postponed{findStranded{}}
		}
		return stranded(users)
	})
}

type stranded []wa.WaID

func (c stranded) run(l *lane) {
	for _, user := range c {
		l.after(&undelivered{user: user})
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

func (c *retry) owed() {}

func (c *retry) run(l *lane) {
	m, known, wait := l.letter(c.ID, c)
	switch {
	case wait || !known || m.User != c.Device.User():
		return
	case m.brief && m.State == StateDropped && m.FailedAt == 0:
		// Its life ended while it was on its way to the device, which got it all the same, and cannot read it.
		l.failLetter(m, nil, wa.ErrDeviceFailed)
		return
	case m.State != StateSent:
		return
	}
	l.p.counts.Retried.Add(1)
	(&reseal{id: c.ID, device: c.Device, seq: c.Seq}).run(l)
}

// reseal encrypts a message again that was sent before.
type reseal struct {
	id      wa.MessageID
	device  wa.DeviceID // the one that asked; empty for all
	seq     uint64      // position that could not be read; 0 when the session was not at fault
	content []byte      // sealed body, read back from the store
	read    bool
	row     *wa.Error // what the message fails with; nil while there is hope
}

func (c *reseal) owed() {}

func (c *reseal) fail(row *wa.Error) { c.row = row }

func (c *reseal) run(l *lane) {
	m, known, wait := l.letter(c.id, c)
	if wait || !known || m.State != StateSent {
		return
	}
	p := l.peer(PeerKey{m.Number, m.User})
	if !p.ready() {
		l.park(p, c)
		return
	}
	switch {
	case c.row != nil:
	case m.IdentityHash != "" && p.user != nil && m.IdentityHash != p.user.IdentityHash:
		c.row = wa.ErrIdentity
	case p.user == nil || len(p.threads) == 0:
		c.row = wa.ErrUndeliverable
	case m.Attempt >= maxAttempts, c.read && len(c.content) == 0, m.past(l.now()):
		c.row = wa.ErrDeviceFailed
	}
	if c.row != nil {
		l.failLetter(m, p, c.row)
		return
	}
	if c.device != "" && p.thread(c.device) == nil {
		return // that device is gone; its user's others have the message
	}
	if !c.read {
		c.fetch(l)
		return
	}
	c.archive(p)
	if l.contact(p, c, c.device) || !l.reserve(p, c, c.device) {
		return
	}
	c.send(l, p, m)
}

// archive puts the session aside that the device could not read, once; a session made since then is not at fault.
func (c *reseal) archive(p *peer) {
	if c.seq == 0 {
		return
	}
	if t := p.thread(c.device); t.session.Ready() && c.seq >= t.since {
		t.session.Archive()
		t.since = 0
	}
	c.seq = 0
}

func (c *reseal) send(l *lane, p *peer, m *letter) {
	body, err := l.p.o.Vault.Open(bodyAD(m.ID), c.content)
	if err == nil {
		var missing []message.Attachment
		if body, missing, err = unpack(body); err == nil && len(missing) > 0 {
			err = errUnlinked
		}
	}
	if err != nil {
		l.logger.Error("open message", "wamid", string(m.ID), "err", err)
		l.skip(p)
		l.failLetter(m, p, wa.ErrDeviceFailed)
		return
	}
	m.Attempt++
	l.plain = message.AppendPlaintext(l.plain[:0], m.ID, m.AcceptedAt/1000, body)
	if row := l.seal(p, m, l.plain, false); row != nil {
		l.failLetter(m, p, row)
		return
	}
	l.out.touch(&m.pin) // its count of attempts
}

// fetch asks for the content, which is read back from the store at the end of the burst.
func (c *reseal) fetch(l *lane) {
	l.busy.Add(1)
	l.reread = append(l.reread, c)
}

// readAgain fetches the content of messages to be encrypted again, one batch at a time so that they keep their order.
func (l *lane) readAgain() {
	if len(l.reread) == 0 || l.rereading {
		return
	}
	list := l.reread
	l.reread, l.rereading = nil, true
	ids := make([]wa.MessageID, len(list))
	for i, c := range list {
		ids[i] = c.id
	}
	l.job(func(ctx context.Context) command {
		if l.p.proj[l.index].wait(ctx, l.log.Last()) != nil {
			return nil
		}
		rows, err := l.p.o.Store.Messages(ctx, ids)
		return &readBack{list, rows, err}
	})
}

type readBack struct {
	list []*reseal
	rows []*Message
	err  error
}

func (c *readBack) owed() {}

func (c *readBack) run(l *lane) {
	l.rereading = false
	if c.err != nil {
		l.logger.Warn("read messages again", "messages", len(c.list), "err", c.err)
	}
	content := make(map[wa.MessageID][]byte, len(c.rows))
	for _, r := range c.rows {
		content[r.ID] = r.Content
	}
	for _, s := range c.list {
		if c.err == nil {
			s.read, s.content = true, content[s.id]
		}
		l.resume(s, c.err)
	}
}
