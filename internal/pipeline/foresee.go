package pipeline

import (
	"slices"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Borders tells what an account may not write, and to whom, whatever passed between the two. It is called from all lanes at once
// and must not block.
type Borders interface {
	// Closed returns the row that a message from the number to the user fails with at now (Unix milliseconds), before anything
	// else is looked at; nil when there is none. template is what it was made from; empty for messages of other types. Source
	// for the order: spec/errors.md section 2, gate 16: country restriction, classification restriction.
	Closed(n *business.Number, user wa.WaID, template wa.TemplateID, now int64) *wa.Error
}

// closed asks for messages of every type.
func (l *lane) closed(number wa.PhoneNumberID, user wa.WaID, template wa.TemplateID, now int64) *wa.Error {
	if l.p.o.Borders == nil {
		return nil
	}
	n, ok := l.p.o.Numbers.Number(number)
	if !ok {
		return nil
	}
	return l.p.o.Borders.Closed(n, user, template, now)
}

// foresee returns the row that the message at hand would fail with a moment later, if the operator wants sends to be answered
// with that code at once. The checks are those of deliver, in its order. What passes the gate keeps its place there: see take.
// Source: spec/errors.md section 2, errors.sync_overrides.
func (l *lane) foresee(p *peer, n *business.Number, c *accept, now int64) *wa.Error {
	if len(l.p.o.Sync) == 0 || c.m.Held {
		return nil
	}
	row := l.closed(c.m.Number, c.m.To, c.m.Template, now)
	template := c.m.Type == message.TypeTemplate
	switch {
	case row != nil:
	case !template && !message.WindowOpen(p.lastInbound, now):
		row = wa.ErrWindow
	case template && p.standing.OptedOut && c.m.Category == "marketing":
		row = wa.ErrOptOut
	case template && l.p.o.Gate != nil:
		m := &Message{
			Number: c.m.Number, WABA: n.WABA, User: c.m.To, Type: c.m.Type, Category: c.m.Category, Template: c.m.Template,
			AcceptedAt: now, Outside: !message.WindowOpen(p.lastInbound, now), Entry: l.free(p, now),
		}
		if wait, dropped := l.p.o.Gate.Pacing(m, false); wait || dropped != nil {
			return nil
		}
		if row = l.p.o.Gate.Admit(m, n, now); row == nil {
			c.passed = m
		}
	}
	if row == nil && c.m.IdentityHash != "" && p.user != nil && c.m.IdentityHash != p.user.IdentityHash {
		row = wa.ErrIdentity
	}
	if row == nil || !slices.Contains(l.p.o.Sync, row.Code) {
		return nil // what passed the gate fails later, and gives its place back then
	}
	l.forgo(c, n)
	return row
}

// forgo gives the place back that a message holds which is not accepted.
func (l *lane) forgo(c *accept, n *business.Number) {
	if c.passed != nil {
		l.p.o.Gate.Settle(c.passed, n, false, l.now())
		c.passed = nil
	}
}
