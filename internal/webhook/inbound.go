package webhook

import (
	"encoding/json"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Inbound is what an [InboundFunc] needs besides the plaintext.
type Inbound struct {
	ID     wa.MessageID
	From   wa.WaID
	UserID string // business-scoped id of the user; may be empty
	At     int64  // Unix milliseconds
	Type   string // the type as the device named it
	Digits string // the business number, for context.from
}

// InboundFunc appends the element of messages[] for the plaintext a device sent, keys in the order of the samples in
// spec/webhooks.md section 13. The text need not be ASCII: it is respelled afterwards. false means that this message cannot
// be represented; then b is discarded and an "unsupported" element is written.
type InboundFunc func(b []byte, m *Inbound, plaintext []byte) ([]byte, bool)

// received appends the change of an inbound message. body is the clear plaintext; nil makes the message unsupported.
func (p *builder) received(b []byte, r *record.Received, body []byte) []byte {
	b = p.header(b, r.Number)
	m := Inbound{ID: r.ID, From: r.From, UserID: p.userID(r.WABA, r.From), At: r.At, Type: r.Type}
	m.Digits, _ = p.numbers.Digits(r.Number)
	b = contact(b, r.Profile, r.From, m.UserID, r.IdentityHash)
	b = append(b, `,"messages":[`...)
	b = p.message(b, &m, body)
	b = append(b, `]}`...)
	return append(b, fieldMessages...)
}

func (p *builder) message(b []byte, m *Inbound, body []byte) []byte {
	if body != nil {
		if text, ok := p.inbound(nil, m, body); ok {
			return appendASCII(b, text)
		}
	}
	return unsupported(b, m)
}

// inboundHead appends the keys every message has, up to its timestamp.
func inboundHead(b []byte, m *Inbound) []byte {
	b = append(b, `"from":`...)
	b = appendString(b, m.From)
	b = optional(b, `,"from_user_id":`, m.UserID)
	b = append(b, `,"id":`...)
	b = appendString(b, m.ID)
	b = append(b, `,"timestamp":`...)
	return seconds(b, m.At)
}

// unsupported appends a message the API cannot represent (spec/webhooks.md section 13.14).
func unsupported(b []byte, m *Inbound) []byte {
	b = append(b, '{')
	b = inboundHead(b, m)
	b = append(b, `,"errors":[`...)
	row := wa.ErrUnsupportedInbound
	b = appendError(b, row.Code, row.Title, row.Details, "")
	b = append(b, `],"type":"unsupported"`...)
	if m.Type != "" && m.Type != "unsupported" {
		b = append(b, `,"unsupported":{"type":`...)
		b = appendString(b, m.Type)
		b = append(b, '}')
	}
	return append(b, '}')
}

// Text is the InboundFunc that knows text messages only.
func Text(b []byte, m *Inbound, plaintext []byte) ([]byte, bool) {
	var in struct {
		Type string `json:"type"`
		Text struct {
			Body string `json:"body"`
		} `json:"text"`
		Context struct {
			ID                  wa.MessageID `json:"id"`
			Forwarded           bool         `json:"forwarded"`
			FrequentlyForwarded bool         `json:"frequently_forwarded"`
		} `json:"context"`
	}
	if json.Unmarshal(plaintext, &in) != nil || in.Type != "text" {
		return b, false
	}
	b = append(b, '{')
	switch {
	case in.Context.FrequentlyForwarded:
		b = append(b, `"context":{"frequently_forwarded":true},`...)
	case in.Context.Forwarded:
		b = append(b, `"context":{"forwarded":true},`...)
	case in.Context.ID != "":
		b = quoted(b, m, in.Context.ID)
	}
	b = inboundHead(b, m)
	b = append(b, `,"type":"text","text":{"body":`...)
	b = appendString(b, in.Text.Body)
	return append(b, `}}`...), true
}

// quoted appends the context of an answer: who sent the quoted message is written in its id.
func quoted(b []byte, m *Inbound, id wa.MessageID) []byte {
	from := string(m.From)
	if parts, err := wa.ParseMessageID(id); err == nil && parts.Outbound {
		from = m.Digits
	}
	b = append(b, `"context":{"from":`...)
	b = appendString(b, from)
	b = append(b, `,"id":`...)
	b = appendString(b, id)
	return append(b, `},`...)
}
