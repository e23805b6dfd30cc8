package webhook

import (
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// received appends the change of an inbound message (spec/webhooks.md section 10). body is the clear plaintext; nil makes
// the message unsupported.
func (p *builder) received(b []byte, r *record.Received, body []byte) []byte {
	digits, _ := p.numbers.Digits(r.Number)
	a := message.Arrival{ID: r.ID, From: r.From, UserID: p.userID(r.WABA, r.From), At: r.At, Business: wa.WaID(digits)}
	b = p.header(b, r.Number)
	b = contact(b, r.Profile, r.From, a.UserID, r.IdentityHash)
	b = append(b, `,"messages":[`...)
	// The message room writes plain JSON: spell it as the platform does.
	b = appendASCII(b, message.AppendInbound(make([]byte, 0, len(body)+512), &a, body))
	b = append(b, `]}`...)
	return append(b, fieldMessages...)
}
