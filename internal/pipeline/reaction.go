package pipeline

import (
	"time"

	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// reactionLife is how old a message may be to be reacted to. Source: spec/messages.md section 9.10.
const reactionLife = 30 * 24 * time.Hour

var errReaction = wa.ErrValue.With("The message reacted to is unknown, older than 30 days, deleted, or a reaction itself.")

// reacts says whether the message that a reaction is about can be reacted to; true for messages that are no reactions. wait
// is true when c was put aside because the store has to be asked.
func (l *lane) reacts(m *letter, c *redeliver) (ok, wait bool) {
	if m.Type != message.TypeReaction {
		return true, false
	}
	body, err := l.bodyOf(m)
	if err != nil {
		return true, false // send finds the same, and has a name for it
	}
	id := message.ReactionTarget(body)
	if of, ok := l.p.laneOfMessage(id); !ok || of != l {
		return false, false
	}
	t, known, wait := l.letter(id, c.or(m))
	if wait {
		return false, true
	}
	return known && t.Number == m.Number && t.User == m.User && t.Type != message.TypeReaction &&
		t.State != StateFailed && t.State != StateDropped && l.now()-t.AcceptedAt <= reactionLife.Milliseconds(), false
}

// shows reports whether the user's client can show the message: address messages exist in one country only. Source:
// spec/messages.md section 10.9.
func (l *lane) shows(m *letter) bool {
	if m.Type != message.TypeInteractive {
		return true
	}
	body, err := l.bodyOf(m)
	return err != nil || message.Shows(body, m.User)
}
