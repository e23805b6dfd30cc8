package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// clickLife is how long after a message was sent the business hears of clicks on its links. Source: spec/webhooks.md
// section 16.
const clickLife = 7 * day

// Click says that a user opened a link of a message that a business number sent: in its text, or behind a button, whose mark
// (message.ButtonMark) is 0 when the device did not say which. Those on buttons of templates are counted; the business hears of
// them all when the message went out by the marketing API, without user and message. done is called after that is durable, or
// with [ErrBusy] or [ErrNoBusiness]; it must not block.
func (p *Pipeline) Click(user, number wa.WaID, id wa.MessageID, inText bool, button uint32, done func(error)) {
	n, ok := p.o.Numbers.NumberByWaID(number)
	if !ok {
		done(ErrNoBusiness)
		return
	}
	l, ok := p.laneOfMessage(id)
	if !ok || l != p.laneOf(n.ID) {
		done(nil) // heard, and nobody's message
		return
	}
	if !l.offer(&click{user: user, n: n, id: id, inText: inText, button: button, done: done}) {
		done(ErrBusy)
	}
}

type click struct {
	user   wa.WaID
	n      *business.Number
	id     wa.MessageID
	inText bool
	button uint32
	done   func(error)
}

func (c *click) refuse(error) { c.done(ErrBusy) }
func (c *click) durable()     { c.done(nil) }
func (c *click) lost(error)   { c.done(ErrBusy) }

func (c *click) run(l *lane) {
	m, known, wait := l.letter(c.id, c)
	if wait {
		return
	}
	now := l.now()
	if !known || m.Number != c.n.ID || m.User != c.user || m.SentAt == 0 || m.Template == "" && m.Category != message.MarketingLite ||
		now-m.SentAt > clickLife.Milliseconds() {
		c.done(nil)
		return
	}
	if m.Category == message.MarketingLite {
		if err := c.tell(l, now); err != nil {
			l.logger.Error("tell of a click", "number_id", string(c.n.ID), "err", err)
			c.refuse(err)
			return
		}
	}
	if !c.inText && m.Template != "" {
		l.out.write(&record.Clicked{ID: c.id, Number: c.n.ID, User: c.user, At: now, Button: c.button}, 0)
	} else if m.Category != message.MarketingLite {
		c.done(nil)
		return
	}
	l.out.outcomes = append(l.out.outcomes, c)
}

func (c *click) tell(l *lane, now int64) error {
	var once [6]byte
	_, _ = l.ids.Read(once[:]) // ChaCha8 never fails
	of := sha256.Sum256([]byte("click/" + string(c.id)))
	value := message.AppendClick(nil, time.UnixMilli(now), of[:18], "clk_"+hex.EncodeToString(once[:]), c.inText)
	return l.notice(&Notice{WABA: c.n.WABA, Number: c.n.ID, Field: fieldMessages, Value: value})
}
