package pipeline

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// letter is a message in a lane's memory: its row, and what only memory holds. There is never more than one per id, so
// that a step is taken once.
type letter struct {
	pin
	Message
	loaded  bool
	missing bool   // the store does not know it either
	brief   bool   // of a number without storage: nothing of its content outlives the hour after it was accepted
	asked   bool   // a load is on its way
	body    []byte // clear; dropped once it is sealed for every device
	opaque  string // clear; read back from Opaque when needed
	preview string // link to fetch after the message is on its way

	pace     uint8                // how the send was answered, see pacing.go
	admitted bool                 // a template: the gate has let it pass
	class    string               // the category that the gate was asked with: the price may make it another one
	barred   *wa.Error            // or has not
	files    []message.Attachment // not known yet; the body has placeholders for them
	linking  int                  // of them, being fetched
	filled   int                  // of them, written into the body
	waiting  []command
}

// pinned also keeps what is on its way: its clear content and its place at the gate are nowhere else.
func (m *letter) pinned(projected uint64) bool {
	return m.pin.pinned(projected) || m.State == StateAccepted && (m.admitted || m.body != nil)
}

// born is what content of the message is sealed with, see [Sealer].
func (m *letter) born() int64 {
	if m.brief {
		return m.AcceptedAt
	}
	return 0
}

// isBrief reports whether a row is of a message that was accepted without storage, whatever its number has by now. The callback
// data of those is always there, and stays when the content has gone.
func (l *lane) isBrief(row *Message) bool {
	return l.p.o.Vault.IsBrief(row.Opaque) || l.p.o.Vault.IsBrief(row.Content)
}

// past reports whether the content of the message must not be used any more.
func (m *letter) past(now int64) bool {
	return m.brief && now >= m.AcceptedAt+business.BriefLife.Milliseconds()
}

// letter finds a message, or arranges for c to run again when the store has been asked. known is false when there is no
// such message; wait is true when c was put aside.
func (l *lane) letter(id wa.MessageID, c command) (m *letter, known, wait bool) {
	m, ok := l.messages.get(id)
	if ok && m.loaded {
		return m, !m.missing, false
	}
	if l.crowded(c) {
		return nil, false, true
	}
	if !ok {
		m = &letter{}
		m.ID = id
		l.messages.put(id, m)
	}
	if !m.asked {
		m.asked = true
		l.absent = append(l.absent, id)
	}
	l.busy.Add(1)
	l.parked++
	m.held++
	m.waiting = append(m.waiting, c)
	return nil, false, true
}

// crowded refuses c when too many commands wait for the store. What cannot be refused waits in any case.
func (l *lane) crowded(c command) bool {
	r, ok := c.(refuser)
	if !ok || l.parked < maxParked*l.p.o.Queue {
		return false
	}
	l.p.counts.RefusedBusy.Add(1)
	r.refuse(wa.ErrUnavailable.With(textBusy))
	return true
}

func (l *lane) loadMessages(ctx context.Context, ids []wa.MessageID) command {
	rows, err := l.p.o.Store.Messages(ctx, ids)
	return &messagesLoaded{ids, rows, err}
}

type messagesLoaded struct {
	ids  []wa.MessageID
	rows []*Message
	err  error
}

func (c *messagesLoaded) run(l *lane) {
	for _, r := range c.rows {
		if m, ok := l.messages.get(r.ID); ok && !m.loaded {
			m.Message = *r
			m.loaded = true
			m.brief = l.isBrief(r)
		}
	}
	if c.err != nil {
		l.logger.Warn("load messages", "messages", len(c.ids), "err", c.err)
	}
	for _, id := range c.ids {
		m, ok := l.messages.get(id)
		if !ok {
			continue
		}
		waiting := m.waiting
		m.waiting, m.asked = nil, false
		m.held -= len(waiting)
		l.parked -= len(waiting)
		switch {
		case c.err != nil:
			l.messages.drop(id)
		case !m.loaded:
			m.loaded, m.missing = true, true
		}
		for _, w := range waiting {
			l.resume(w, c.err)
		}
	}
}

// resume runs a command that waited for the store. If the store did not answer, what has been acknowledged waits on.
func (l *lane) resume(c command, err error) {
	if err == nil {
		l.decide(c)
		return
	}
	if r, ok := c.(refuser); ok {
		r.refuse(wa.ErrUnavailable.Because(err))
		l.busy.Add(-1)
		return
	}
	l.retryLater(c)
}

// opaqueOf returns the clear callback data, for records that carry it to readers in memory.
func (l *lane) opaqueOf(m *letter) string {
	if m.brief && m.past(l.now()) {
		m.opaque, m.Opaque = "", nil
	}
	if m.opaque == "" && len(m.Opaque) > 0 {
		if b, err := l.p.o.Vault.Open(opaqueAD(m.ID), m.Opaque); err == nil {
			m.opaque = string(b)
		} else {
			l.logger.Error("open callback data", "wamid", string(m.ID), "err", err)
		}
	}
	return m.opaque
}

// bodyOf returns the clear content of a message that was not sent yet. It is read back when the message was accepted
// before the last start.
func (l *lane) bodyOf(m *letter) ([]byte, error) {
	if m.body == nil {
		body, err := l.p.o.Vault.Open(bodyAD(m.ID), m.Content)
		if err != nil {
			l.logger.Error("open message", "wamid", string(m.ID), "err", err)
			return nil, err
		}
		if m.body, m.files, err = unpack(body); err != nil {
			l.logger.Error("open message", "wamid", string(m.ID), "err", err)
			return nil, err
		}
	}
	return m.body, nil
}

// status makes the record of a step of m and moves the row. The caller has checked that the step is due.
func (l *lane) status(kind record.Kind, m *letter, p *peer) *record.Status {
	now := l.now()
	opaque, sealed, born := l.opaqueOf(m), m.Opaque, int64(0)
	switch {
	case opaque == "" && m.brief:
		sealed = nil
	case m.brief:
		born = m.AcceptedAt
	}
	s := &record.Status{
		Of: kind, ID: m.ID, Number: m.Number, WABA: m.WABA, To: m.User, At: now, Type: m.Type, Category: m.Category,
		Template: m.Template, Outside: m.Outside,
		PricingType: m.PricingType, Billable: m.Billable, Opaque: opaque, SealedOpaque: sealed, Brief: m.brief, OpaqueAt: born,
	}
	if p != nil && p.user != nil {
		s.Profile = p.user.Name
		if m.IdentityHash == "" {
			if n, ok := l.p.o.Numbers.Number(m.Number); ok && n.IdentityCheck {
				s.IdentityHash = p.user.IdentityHash
				l.identified(p, s.IdentityHash)
			}
		}
		if m.PricingType == message.PriceFreeEntry && kind != record.KindFailed {
			s.Entry = p.standing.EntryAt
		}
	}
	switch kind {
	case record.KindSent:
		m.State, m.SentAt = StateSent, now
		l.keepFilled(s, m)
	case record.KindDelivered:
		m.State, m.DeliveredAt = StateDelivered, now
	case record.KindRead:
		m.State, m.ReadAt = StateRead, now
	case record.KindPlayed:
		m.State, m.PlayedAt = StatePlayed, now
	case record.KindFailed:
		m.State, m.FailedAt = StateFailed, now
	}
	m.body, m.Content = nil, nil // reseal reads it back
	l.out.touch(&m.pin)
	return s
}

// failLetter ends a message with a row of the error table.
func (l *lane) failLetter(m *letter, p *peer, row *wa.Error) {
	if m.State != StateDropped { // which has ended what it held
		l.settleReach(m, false)
	}
	s := l.status(record.KindFailed, m, p)
	s.Code, s.Subcode, s.Details = row.Code, row.Subcode, row.Details
	m.Code = row.Code
	l.out.write(s, len(s.Details)+len(s.SealedOpaque))
	l.p.counts.Failed.Add(1)
}
