package device

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
)

// maxRetries bounds the remembered retries. Source: frame.RetryRate, the platform takes no more an hour.
const maxRetries = frame.RetryRate

// retry is a request for an item to be encrypted again that the platform may not have heard.
type retry struct {
	Seq    uint64            `json:"seq"`
	ID     string            `json:"id"`
	Reason frame.RetryReason `json:"reason"`
}

var suite = signal.Suite{MaxJump: signal.MaxJumpDevice}

// deliver takes mailbox items. Source: design "The user network", section 6.1.
func (d *Device) deliver(f *frame.Deliver) error {
	var ack uint64
	var read []string
	if d.conn.fresh && len(f.Items) > 0 && f.Items[0].Seq > 0 {
		// The platform begins behind these: it has heard the retries.
		d.conn.fresh = false
		d.confirmRetries(f.Items[0].Seq)
	}
	for i := range f.Items {
		it := &f.Items[i]
		if it.Seq > 0 && d.conn.waiting > 0 {
			d.conn.waiting--
		}
		switch {
		case it.Seq == 0:
			if it.Ev != nil {
				d.event(it)
			}
			continue
		case it.Seq <= d.last:
			d.repeatRetry(it.Seq)
		default:
			now, err := d.take(it)
			if err != nil {
				return err
			}
			if now != "" && len(read) < frame.MaxIDs {
				read = append(read, now)
			}
			d.last, d.dirty.position = it.Seq, true
		}
		// Not d.last: while a retry is unconfirmed, the platform may still have to deliver its item again.
		ack = max(ack, it.Seq)
	}
	if ack > 0 {
		d.eff.send(&frame.Ack{Seq: ack, Read: read})
	}
	return nil
}

// take handles one new item. It returns the message's id if it was read at once.
func (d *Device) take(it *frame.Item) (read string, err error) {
	switch {
	case it.K == frame.KindEvent:
		if it.Ev != nil {
			d.event(it)
		}
		return "", nil
	case it.K != frame.KindPreKey && it.K != frame.KindMessage, !isNumber(it.From):
		return "", nil // of a later version: nothing can be said about it
	}
	c := d.chat(it.From)
	if c == nil {
		c = &chat{waID: it.From}
	}
	plain, err := d.decrypt(c, it)
	if err != nil {
		return "", d.unreadable(it, err)
	}
	if d.chat(it.From) == nil {
		d.chats = append(d.chats, c)
	}
	d.touchSession(c)
	return d.show(c, it, plain), nil
}

func (d *Device) decrypt(c *chat, it *frame.Item) ([]byte, error) {
	kind, local := signal.Kind(it.K), signal.Identity{}
	if kind == signal.Pre {
		local = d.local()
	}
	plain, next, used, err := signal.Receive(d.o.Rand, suite, local, &d.keys, c.session, kind, it.Ct)
	if errors.Is(err, signal.ErrUntrustedIdentity) {
		// The business has new keys. Only a message that decrypts proves it, so the old session is not touched before.
		if plain, next, used, err = signal.Receive(d.o.Rand, suite, local, &d.keys, nil, kind, it.Ct); err == nil {
			next.Inherit(c.session)
		}
	}
	if err != nil {
		return nil, err
	}
	c.session = next
	if used != nil {
		d.spend(*used)
	}
	if kind == signal.Pre {
		c.fetch = false
		d.trust(c, next.RemoteIdentity())
	}
	return plain, nil
}

// unreadable asks for an item to be encrypted again. The frame goes out before the ack that covers the item.
func (d *Device) unreadable(it *frame.Item, cause error) error {
	if it.ID == "" || d.find(it.ID) != nil {
		return nil // a repeat, or a companion of a message that is here: not worth asking
	}
	r := retry{it.Seq, it.ID, reason(cause)}
	if r.Reason == frame.RetryUnknownPreKey {
		if err := d.renewKeys(); err != nil {
			return err
		}
	}
	d.retries = append(d.retries, r)
	if over := len(d.retries) - maxRetries; over > 0 {
		d.retries = slices.Delete(d.retries, 0, over)
	}
	d.dirty.position = true
	d.eff.send(&frame.Retry{Seq: r.Seq, ID: r.ID, Reason: r.Reason})
	return nil
}

func reason(err error) frame.RetryReason {
	switch {
	case errors.Is(err, signal.ErrNoSession):
		return frame.RetryNoSession
	case errors.Is(err, signal.ErrUnknownPreKey):
		return frame.RetryUnknownPreKey
	case errors.Is(err, signal.ErrDuplicate):
		return frame.RetryDuplicate
	case errors.Is(err, signal.ErrFormat), errors.Is(err, signal.ErrKEMRequired):
		return frame.RetryFormat
	}
	return frame.RetryBadMAC
}

// repeatRetry tells the platform once more about an item that it delivers again.
func (d *Device) repeatRetry(seq uint64) {
	for _, r := range d.retries {
		if r.Seq == seq {
			d.eff.send(&frame.Retry{Seq: r.Seq, ID: r.ID, Reason: r.Reason})
		}
	}
}

// confirmRetries forgets the retries of items below seq.
func (d *Device) confirmRetries(seq uint64) {
	d.dropRetries(func(r retry) bool { return r.Seq < seq })
}

func (d *Device) dropRetries(drop func(retry) bool) {
	if len(d.retries) == 0 {
		return
	}
	n := len(d.retries)
	d.retries = slices.DeleteFunc(d.retries, drop)
	d.dirty.position = d.dirty.position || len(d.retries) != n
}

// show puts a decrypted message into its chat. It returns the id if the message was read at once and may be reported.
func (d *Device) show(c *chat, it *frame.Item, plain []byte) (read string) {
	in := parseInbound(plain)
	if in.typ == "preview" {
		d.preview(c, &in)
		return ""
	}
	m := &Message{
		ID: it.ID, Chat: c.waID, Direction: In, Type: in.typ, Raw: in.raw, Time: in.ts, Status: Received,
		Context: in.context,
	}
	if m.ID == "" {
		m.ID = in.id
	} else if in.id != "" && in.id != m.ID {
		m.Type = TypeUnsupported // the envelope belongs to another message
	}
	if m.Time == 0 {
		m.Time = it.TS
	}
	d.dropRetries(func(r retry) bool { return r.ID == m.ID })
	if d.find(m.ID) != nil {
		return "" // encrypted again although it had arrived
	}
	if m.ID != "" && (d.open == c.waID || (d.o.ReadAtOnce != nil && d.o.ReadAtOnce(m))) {
		m.Status = Read
		if !d.me.NoReceipts {
			read = m.ID
			d.keepReceipt(m.ID, frame.StateRead, 1)
		}
	}
	d.add(m)
	d.eff.tell(Event{Kind: EventMessage, Chat: c.waID, Message: m})
	d.affect(m)
	return read
}

// preview attaches the card of a link to its message.
func (d *Device) preview(c *chat, in *inbound) {
	m := d.find(in.of)
	if m == nil || m.Chat != c.waID || m.Direction != In || len(in.preview) == 0 || in.preview[0] != '{' {
		return
	}
	m.Preview = slices.Clone(in.preview)
	d.weight += len(m.Preview)
	d.changed(m)
}

// event takes what the platform says in clear.
func (d *Device) event(it *frame.Item) {
	ev, from := it.Ev, who(it)
	switch ev.Kind {
	case frame.EventRead:
		d.readByBusiness(from, ev.IDs)
	case frame.EventTyping:
		d.eff.tell(Event{Kind: EventTyping, Chat: from, Seconds: ev.For})
	case frame.EventIdentity:
		// A hint only: the notice is shown when the new key has proved itself.
		if c := d.chat(ev.Of); c != nil {
			c.fetch = true
			d.touchChat(c)
			if d.conn.online {
				d.fetchBundle(c)
			}
		}
	case frame.EventProfile:
		d.eff.tell(Event{Kind: EventProfile, Chat: ev.Of})
	case frame.EventSelfRead:
		for _, id := range ev.IDs {
			if m := d.find(id); m != nil && m.Direction == In && m.Status == Received {
				m.Status = Read
				d.changed(m)
			}
		}
	}
}

// readByBusiness marks the user's messages in ids, and all before them in the same chat.
func (d *Device) readByBusiness(from string, ids []string) {
	var upTo uint64
	for _, id := range ids {
		if m := d.find(id); m != nil && m.Direction == Out && (from == "" || m.Chat == from) {
			upTo, from = max(upTo, m.N), m.Chat
		}
	}
	for _, m := range d.history {
		if m.N <= upTo && m.Direction == Out && m.Chat == from && m.Status == Sent {
			m.Status = Read
			d.changed(m)
		}
	}
}

// Card is the part of a link preview that every client can show. Everything is untrusted text.
type Card struct {
	URL         string `json:"url"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

// Card reads the message's preview; ok is false when there is none.
func (m *Message) Card() (c Card, ok bool) {
	if len(m.Preview) == 0 || json.Unmarshal(m.Preview, &c) != nil {
		return Card{}, false
	}
	return c, true
}
