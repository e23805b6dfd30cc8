package message

import (
	"bytes"
	"io"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxDepth bounds the nesting of a device's message.
const maxDepth = 16

// Inbound is a device's message as the journal keeps it.
type Inbound struct {
	Type string // as the device named it; "unsupported" when it cannot be read
	Body []byte // the JSON without padding, part of the plaintext; nil when it cannot be read
}

// ParseInbound reads a decrypted plaintext, padding included. It never fails: what is too large, too deep or no message
// becomes "unsupported", which the business is told about; nothing is dropped.
func ParseInbound(plain []byte) Inbound {
	body, ok := Unpad(plain)
	if !ok || len(body) > MaxPlaintext {
		return Inbound{Type: TypeUnsupported}
	}
	var c content
	if !c.parse(body) {
		return Inbound{Type: TypeUnsupported}
	}
	return Inbound{Type: c.kind, Body: body}
}

// Arrival is what AppendInbound needs besides the message itself.
type Arrival struct {
	ID       wa.MessageID
	From     wa.WaID
	UserID   string  // business-scoped id of the user; empty for none
	At       int64   // Unix milliseconds
	Business wa.WaID // the business number, for context.from
}

// AppendInbound appends the element of messages[] for what a device sent; body is [Inbound.Body], nil for a message that
// could not be read. Types that cannot be represented become "unsupported". Keys come in the order of the samples in
// spec/webhooks.md sections 12.1, 13.1 and 13.14.
func AppendInbound(b []byte, a *Arrival, body []byte) []byte {
	var c content
	if body == nil || !c.parse(body) {
		c = content{kind: TypeUnsupported}
	}
	b = append(b, '{')
	if c.kind != TypeText {
		b = a.appendHead(b)
		return appendUnsupported(b, c.kind)
	}
	b = c.appendContext(b, a)
	b = a.appendHead(b)
	b = append(b, `,"type":"text","text":{"body":`...)
	b = append(b, c.text...)
	return append(b, `}}`...)
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

func appendUnsupported(b []byte, kind string) []byte {
	row := wa.ErrUnsupportedInbound
	b = strconv.AppendInt(append(b, `,"errors":[{"code":`...), int64(row.Code), 10)
	b = quote(append(b, `,"title":`...), row.Title)
	b = quote(append(b, `,"message":`...), row.Title)
	b = quote(append(b, `,"error_data":{"details":`...), row.Details)
	b = append(b, `}}],"type":"unsupported"`...)
	if kind != TypeUnsupported {
		b = append(quote(append(b, `,"unsupported":{"type":`...), kind), '}')
	}
	return append(b, '}')
}

// appendContext appends what the message answers, or that it was forwarded: never both. Who sent the quoted message is
// written in its id; an id of another shape counts as the user's own. Source: spec/webhooks.md section 12.1.
func (c *content) appendContext(b []byte, a *Arrival) []byte {
	switch {
	case c.often:
		return append(b, `"context":{"frequently_forwarded":true},`...)
	case c.forwarded:
		return append(b, `"context":{"forwarded":true},`...)
	case c.quoted == "":
		return b
	}
	from := a.From
	if p, err := wa.ParseMessageID(c.quoted); err == nil && p.Outbound {
		from = a.Business
	}
	b = quote(append(b, `"context":{"from":`...), string(from))
	b = quote(append(b, `,"id":`...), string(c.quoted))
	return append(b, `},`...)
}

// content is what is read of a device's message. text is a JSON string and part of the parsed bytes.
type content struct {
	kind             string
	text             []byte
	quoted           wa.MessageID
	forwarded, often bool
}

// reader is a JSON reader and what it reads, used again for the next message.
type reader struct {
	jsontext.Decoder
	body []byte
}

// value reads the next value and returns its place in the body, which the decoder's own answer need not outlive.
func (r *reader) value() ([]byte, error) {
	v, err := r.ReadValue()
	if err != nil {
		return nil, err
	}
	end := int(r.InputOffset())
	return r.body[end-len(v) : end : end], nil
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// parse reads one JSON object and nothing behind it. Duplicate keys and invalid UTF-8 make it unreadable.
func (c *content) parse(body []byte) bool {
	r := readers.Get().(*reader) //nolint:forcetypeassert // the pool holds nothing else
	r.body = body
	r.Reset(bytes.NewBuffer(body)) // read in place
	ok := c.object(r)
	if ok {
		_, err := r.ReadToken()
		ok = err == io.EOF //nolint:errorlint // the decoder returns it unwrapped
	}
	r.body = nil
	r.Reset(emptyReader{}) // lets go of the body
	readers.Put(r)
	if ok && c.kind == TypeText && len(c.text) <= len(`""`) {
		c.kind = TypeUnsupported // a text without text
	}
	return ok
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, io.EOF }

func (c *content) object(r *reader) bool {
	c.kind = TypeUnsupported
	return members(r, func(name []byte) bool {
		switch string(name) {
		case `"type"`:
			return stringMember(r, func(raw []byte) { c.kind = kindOf(raw) })
		case `"text"`:
			return c.readText(r)
		case `"context"`:
			return c.readContext(r)
		}
		return skip(r)
	})
}

func (c *content) readText(r *reader) bool {
	if r.PeekKind() != '{' {
		return skip(r)
	}
	return members(r, func(name []byte) bool {
		if string(name) == `"body"` {
			return stringMember(r, func(raw []byte) { c.text = raw })
		}
		return skip(r)
	})
}

func (c *content) readContext(r *reader) bool {
	if r.PeekKind() != '{' {
		return skip(r)
	}
	return members(r, func(name []byte) bool {
		switch string(name) {
		case `"id"`:
			return stringMember(r, func(raw []byte) {
				if id, err := jsontext.AppendUnquote(nil, raw); err == nil && len(id) <= maxMessageID {
					c.quoted = wa.MessageID(id)
				}
			})
		case `"forwarded"`:
			c.forwarded = r.PeekKind() == 't'
		case `"frequently_forwarded"`:
			c.often = r.PeekKind() == 't'
		}
		return skip(r)
	})
}

// members reads an object and calls f after each name, which is quoted; f consumes the value.
func members(r *reader, f func(name []byte) bool) bool {
	if t, err := r.ReadToken(); err != nil || t.Kind() != '{' {
		return false
	}
	for r.PeekKind() == '"' {
		name, err := r.value()
		if err != nil || !f(name) {
			return false
		}
	}
	t, err := r.ReadToken()
	return err == nil && t.Kind() == '}'
}

// stringMember hands a string to f, quoted as it is in the text, and skips anything else.
func stringMember(r *reader, f func(raw []byte)) bool {
	if r.PeekKind() != '"' {
		return skip(r)
	}
	raw, err := r.value()
	if err == nil {
		f(raw)
	}
	return err == nil
}

// skip reads a value token by token, so that its depth is bounded.
func skip(r *reader) bool {
	base := r.StackDepth()
	for {
		if _, err := r.ReadToken(); err != nil {
			return false
		}
		switch d := r.StackDepth(); {
		case d > maxDepth:
			return false
		case d <= base:
			return true
		}
	}
}

// kindOf reads the type a device names: up to 32 lower-case letters and underscores, else "unsupported". Only such a name
// is repeated to the business.
func kindOf(raw []byte) string {
	name := raw[1 : len(raw)-1]
	if string(name) == TypeText {
		return TypeText
	}
	if len(name) == 0 || len(name) > 32 {
		return TypeUnsupported
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && c != '_' {
			return TypeUnsupported
		}
	}
	return string(name)
}
