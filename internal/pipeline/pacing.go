package pipeline

import (
	"context"
	"slices"

	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// What a letter remembers of how its send was answered. One that was loaded from the store does not know: the gate tells by
// when it was accepted.
const (
	paceUnknown = iota
	paceGoes    // answered "accepted"
	paceHeld    // answered "held_for_quality_assessment"
	paceStands  // likewise, and counted among those that wait
)

// pacing asks what becomes of a template's message: it waits, or fails with row, or goes.
func (l *lane) pacing(m *letter) (wait bool, row *wa.Error) {
	if m.Type != message.TypeTemplate || m.pace == paceGoes || m.admitted || l.p.o.Gate == nil {
		return false, nil
	}
	return l.p.o.Gate.Pacing(&m.Message, m.pace >= paceHeld)
}

// standBy lets a message wait in the store alone, however many there are. Nothing is lost when the process dies: the next
// start finds it among what was accepted and not sent, and asks again.
func (l *lane) standBy(m *letter) {
	if m.Content != nil {
		m.body, m.files, m.opaque = nil, nil, ""
	}
	if m.pace == paceHeld { // not again after a start or a release
		m.pace = paceStands
		l.p.counts.Held.Add(1)
	}
}

// Release takes up the messages of a template, or those of numbers, that wait: the gate has another answer for them now.
func (p *Pipeline) Release(id wa.TemplateID, numbers []wa.PhoneNumberID) {
	for _, l := range p.lanes {
		l.tell(&release{id, numbers})
	}
}

type release struct {
	template wa.TemplateID
	numbers  []wa.PhoneNumberID
}

// holds reports whether a waiting message is concerned.
func (c *release) holds(m *Message) bool {
	if c.template != "" {
		return m.Template == c.template
	}
	return m.Type == message.TypeTemplate && slices.Contains(c.numbers, m.Number)
}

func (c *release) owed() {}

// run finds the waiting messages in the store, once it shows all of them. What is accepted at this moment asks the gate by
// itself when it is durable.
func (c *release) run(l *lane) {
	last := l.log.Last()
	l.job(func(ctx context.Context) command {
		if l.p.proj[l.index].wait(ctx, last) != nil {
			return nil // stopping: the next start looks by itself
		}
		var ids []wa.MessageID
		var after wa.MessageID
		for {
			rows, err := l.p.o.Store.Pending(ctx, l.index, after, warmPage)
			if err != nil {
				l.logger.Warn("look for held messages", "err", err)
				return &postponed{c}
			}
			for _, r := range rows {
				after = r.ID
				if c.holds(r) {
					ids = append(ids, r.ID)
				}
			}
			if len(rows) < warmPage {
				return released(ids)
			}
		}
	})
}

type released []wa.MessageID

func (c released) run(l *lane) {
	if len(c) > 0 {
		(&backlog{ids: c}).next(l)
	}
}
