package pipeline

import (
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Gate decides over templates by what reaches beyond one lane: the portfolio's messaging limit, what a user wants and gets
// from everybody, payment, sanctions. Source: spec/errors.md section 2, gate 16. It is called from all lanes at once and
// must not block.
type Gate interface {
	// Admit returns nil when the template m may go out, else the row it fails with. m.Outside tells that no customer service
	// window is open, m.Entry that a free entry point window is. What passes may hold room, which Settle ends.
	Admit(m *Message, n *business.Number, now int64) *wa.Error
	// Settle says that a message which passed was delivered, or never will be. Of a delivery outside a window it returns
	// from when the user counts, see limits.Reached; 0 when the user does not.
	Settle(m *Message, n *business.Number, delivered bool, now int64) (since int64)
	// Pacing says what becomes of an accepted message while its template is looked at: it waits until [Pipeline.Release], or
	// fails with row, or goes. held: the send was answered that it waits; false also when that is not known any more. Source:
	// spec/limits.md section 5.
	Pacing(m *Message, held bool) (wait bool, row *wa.Error)
}

// barred asks the gate about a template, once.
func (l *lane) barred(m *letter, p *peer, now int64) *wa.Error {
	if m.Type != message.TypeTemplate || m.admitted {
		return nil
	}
	m.Outside = !message.WindowOpen(p.lastInbound, now)
	m.class = m.Category
	m.Entry = l.free(p, now)
	n, ok := l.p.o.Numbers.Number(m.Number)
	if l.p.o.Gate != nil && ok {
		if m.barred = l.p.o.Gate.Admit(&m.Message, n, now); m.barred != nil {
			return m.barred
		}
	}
	m.admitted = true // and pinned until it is sent or fails: loaded anew, it would be asked about again
	return nil
}

// settleReach ends what a message holds at the gate. It is called when the message is delivered, fails or is dropped; of a
// message that was sent before the last start the row tells that it passed.
func (l *lane) settleReach(m *letter, delivered bool) int64 {
	if m.Type != message.TypeTemplate || l.p.o.Gate == nil || (!m.admitted && m.State < StateSent) {
		return 0
	}
	n, ok := l.p.o.Numbers.Number(m.Number)
	if !ok {
		return 0
	}
	row := m.Message
	if m.class != "" {
		row.Category = m.class
	}
	return l.p.o.Gate.Settle(&row, n, delivered, l.now())
}

// unhold gives back what messages hold whose records are lost with the lane's memory: they are delivered anew. Those that
// turn out to be on disk after all count when they arrive.
func (l *lane) unhold() {
	if l.messages == nil {
		return
	}
	l.messages.each(func(m *letter) {
		if m.admitted && (m.State == StateAccepted || m.flying > 0 && m.State == StateSent) {
			l.settleReach(m, false)
		}
	})
}
