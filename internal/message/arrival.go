package message

import (
	"strconv"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Arrival is what AppendInbound needs besides the message itself.
type Arrival struct {
	ID       wa.MessageID
	From     wa.WaID
	UserID   string  // business-scoped id of the user; empty for none
	At       int64   // Unix milliseconds
	Business wa.WaID // the business number, for context.from
}

// AppendInbound appends the element of messages[] for what a device sent; body is [Inbound.Body], nil for a message that
// could not be read, with media as the platform keeps them. Types that cannot be represented become "unsupported", nothing
// is dropped. Keys come in the order of the samples in spec/webhooks.md sections 12 and 13.
func AppendInbound(b []byte, a *Arrival, body []byte) []byte {
	var c content
	if body == nil || !c.parse(body) {
		c = content{kind: TypeUnsupported}
	}
	start := len(b)
	b = append(b, '{')
	if c.kind != TypeOrder { // whose context comes last
		if with := c.appendContext(b, a); len(with) > len(b) {
			b = append(with, ',')
		}
	}
	b = a.appendHead(b)
	out, ok := c.appendContent(b, a)
	if !ok {
		b = a.appendHead(append(b[:start], '{'))
		return appendUnsupported(b, c.kind)
	}
	return append(out, '}')
}

func (a *Arrival) appendHead(b []byte) []byte {
	b = quote(append(b, `"from":`...), string(a.From))
	if a.UserID != "" {
		b = quote(append(b, `,"from_user_id":`...), a.UserID)
	}
	b = quote(append(b, `,"id":`...), string(a.ID))
	b = strconv.AppendInt(append(b, `,"timestamp":"`...), a.At/1000, 10)
	return append(b, '"')
}

// appendContent appends type and content; false when there is none that a business could be shown.
func (c *content) appendContent(b []byte, a *Arrival) (_ []byte, ok bool) {
	b = append(append(append(b, `,"type":"`...), c.kind...), '"')
	switch c.kind {
	case TypeText:
		b = append(append(append(b, `,"text":{"body":`...), c.text...), '}')
	case TypeUnsupported:
		return b, false
	default:
		if c.object == nil {
			return b, false
		}
		b = append(append(append(b, `,"`...), c.kind...), `":`...)
		if b, ok = c.appendObject(b); !ok {
			return b, false
		}
	}
	if c.kind == TypeOrder {
		if with := c.appendContext(append(b, ','), a); len(with) > len(b)+1 {
			b = with
		}
	}
	if len(c.referral) > 0 {
		if with, ok := referral.append(append(b, `,"referral":`...), c.referral); ok {
			b = with
		}
	}
	return b, true
}

// appendObject appends what stands under the name of the kind. Answers to a message are none without it.
func (c *content) appendObject(b []byte) ([]byte, bool) {
	switch {
	case c.kind == TypeContacts:
		return cards.append(b, c.object)
	case c.kind == TypeInteractive:
		if c.quoted == "" {
			return b, false
		}
		return appendReply(b, c.object)
	case c.kind == TypeButton && c.quoted == "":
		return b, false
	}
	s, ok := mediaShapes[c.kind]
	if !ok {
		s = inboundShapes[c.kind]
	}
	return s.append(b, c.object)
}

// reply is the object of an interactive answer: its type, and a member of that name.
var reply = shape{
	{name: "type", check: filled(32), must: true},
	{name: "button_reply", check: isObject},
	{name: "list_reply", check: isObject},
	{name: "nfm_reply", check: isObject},
	{name: "call_permission_reply", check: isObject},
}

func isObject(raw []byte) bool { return raw[0] == '{' }

func appendReply(b, raw []byte) ([]byte, bool) {
	var values [maxMembers][]byte
	if raw[0] != '{' || !reply.read(raw, &values) || len(values[0]) < 2 || values[0][0] != '"' {
		return b, false
	}
	kind := string(values[0][1 : len(values[0])-1])
	for i := range reply[1:] {
		if m := &reply[i+1]; m.name == kind && values[i+1] != nil {
			b = append(append(append(b, `{"type":"`...), kind...), `","`...)
			b = append(append(b, kind...), `":`...)
			b, ok := replies[kind].append(b, values[i+1])
			return append(b, '}'), ok
		}
	}
	return b, false
}

// appendUnsupported appends what stands for a message that a business cannot be shown. Media whose file could not be had
// are told apart. Source: spec/webhooks.md section 13.14, spec/errors.md section 8.
func appendUnsupported(b []byte, kind string) []byte {
	row, details := wa.ErrUnsupportedInbound, wa.ErrUnsupportedInbound.Details
	if _, ok := mediaShapes[kind]; ok {
		row, details = wa.ErrMediaDownload, textNoMedia
	}
	b = strconv.AppendInt(append(b, `,"errors":[{"code":`...), int64(row.Code), 10)
	b = quote(append(b, `,"title":`...), row.Title)
	b = quote(append(b, `,"message":`...), row.Title)
	b = quote(append(b, `,"error_data":{"details":`...), details)
	b = append(b, `}}],"type":"unsupported"`...)
	if kind != TypeUnsupported {
		b = append(quote(append(b, `,"unsupported":{"type":`...), kind), '}')
	}
	return append(b, '}')
}

const textNoMedia = "Failed to download the media from the sender."

// appendContext appends what the message answers, or that it was forwarded: never both. Who sent the quoted message is
// written in its id; an id of another shape counts as the user's own, except that of a call, which only a business can ask
// for. Source: spec/webhooks.md section 12.1.
func (c *content) appendContext(b []byte, a *Arrival) []byte {
	switch {
	case c.often:
		return append(b, `"context":{"frequently_forwarded":true}`...)
	case c.forwarded:
		return append(b, `"context":{"forwarded":true}`...)
	case c.quoted == "" && c.product == nil:
		return b
	}
	start := len(b)
	b = append(b, `"context":{`...)
	if c.quoted != "" {
		b = quote(append(b, `"from":`...), string(c.author(a)))
		b = quote(append(b, `,"id":`...), string(c.quoted))
	}
	if c.product != nil {
		at := len(b)
		if c.quoted != "" {
			b = append(b, ',')
		}
		with, ok := product.append(append(b, `"referred_product":`...), c.product)
		switch {
		case ok:
			b = with
		case c.quoted == "":
			return b[:start]
		default:
			b = b[:at]
		}
	}
	return append(b, '}')
}

// author is who wrote the quoted message.
func (c *content) author(a *Arrival) wa.WaID {
	if p, err := wa.ParseMessageID(c.quoted); err == nil && p.Outbound {
		return a.Business
	}
	if len(c.quoted) > len(callPrefix) && c.quoted[:len(callPrefix)] == callPrefix {
		return a.Business
	}
	return a.From
}

// callPrefix begins the ids of calls.
const callPrefix = "wacid."
