package message

import (
	"bytes"
	"io"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxDepth bounds the nesting of a device's message.
const maxDepth = 16

// Inbound is a device's message as the journal keeps it.
type Inbound struct {
	Type     string // as the device named it; "unsupported" when it cannot be read
	Body     []byte // the JSON without padding, part of the plaintext; nil when it cannot be read
	Referral bool   // the chat was opened from an ad or a post; spec/messages.md section 8.2

	Quoted wa.MessageID // what it answers; empty for none
	Button uint32       // of an answer to a template by its quick reply button: see [ButtonMark]; 0 for none
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
	in := Inbound{Type: c.kind, Body: body, Referral: len(c.referral) > len(`{}`), Quoted: c.quoted}
	if c.kind == TypeButton && c.quoted != "" {
		in.Button = c.pressed()
	}
	return in
}

// content is what is read of a device's message. Everything but the kind is part of the parsed bytes.
type content struct {
	kind             string
	text             []byte // the body of a text, a JSON string
	object           []byte // what stands under the name of the kind
	quoted           wa.MessageID
	forwarded, often bool
	product          []byte
	referral         []byte
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

// span is value with a bounded depth.
func (r *reader) span() ([]byte, bool) {
	start := int(r.InputOffset())
	if !skip(r) {
		return nil, false
	}
	end := int(r.InputOffset())
	return bytes.TrimLeft(r.body[start:end:end], " \t\r\n:,"), true
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// open reads body in place.
func open(body []byte) *reader {
	r := readers.Get().(*reader) //nolint:forcetypeassert // the pool holds nothing else
	r.body = body
	r.Reset(bytes.NewBuffer(body))
	return r
}

// close lets go of the body.
func (r *reader) close() {
	r.body = nil
	r.Reset(emptyReader{})
	readers.Put(r)
}

// parse reads one JSON object and nothing behind it. Duplicate keys and invalid UTF-8 make it unreadable.
func (c *content) parse(body []byte) bool {
	r := open(body)
	defer r.close()
	if !c.members(r) {
		return false
	}
	if _, err := r.ReadToken(); err != io.EOF { //nolint:errorlint // the decoder returns it unwrapped
		return false
	}
	switch {
	case c.kind == TypeText && len(c.text) <= len(`""`):
		c.kind = TypeUnsupported // a text without text
	case c.object == nil && inboundKind([]byte(c.kind)) != "":
		c.find(body) // its type came last, behind other objects
	}
	return true
}

// find reads the object of the kind.
func (c *content) find(body []byte) {
	var values [maxMembers][]byte
	if (shape{{name: c.kind}}).read(body, &values) {
		c.object = values[0]
	}
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, io.EOF }

func (c *content) members(r *reader) bool {
	c.kind = TypeUnsupported
	var of string // the kind whose object was read
	ok := members(r, func(name []byte) bool {
		switch string(name) {
		case `"type"`:
			return stringMember(r, func(raw []byte) { c.kind = kindOf(raw) })
		case `"text"`:
			return c.readText(r)
		case `"context"`:
			return c.readContext(r)
		case `"referral"`:
			return r.objectMember(&c.referral)
		}
		if kind := inboundKind(name[1 : len(name)-1]); kind != "" && (of == "" || kind == c.kind) {
			of = kind
			v, ok := r.span()
			c.object = v
			return ok
		}
		return skip(r)
	})
	if of != c.kind {
		c.object = nil
	}
	return ok
}

// objectMember keeps an object, and skips anything else.
func (r *reader) objectMember(to *[]byte) bool {
	if r.PeekKind() != '{' {
		return skip(r)
	}
	v, ok := r.span()
	*to = v
	return ok
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
		case `"referred_product"`:
			return r.objectMember(&c.product)
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
	if kind := inboundKind(name); kind != "" {
		return kind
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

// inboundKind returns the name of a type whose object a business is shown; "" for all others. It does not allocate.
func inboundKind(name []byte) string {
	switch string(name) {
	case TypeAudio:
		return TypeAudio
	case TypeButton:
		return TypeButton
	case TypeContacts:
		return TypeContacts
	case TypeDocument:
		return TypeDocument
	case TypeImage:
		return TypeImage
	case TypeInteractive:
		return TypeInteractive
	case TypeLocation:
		return TypeLocation
	case TypeOrder:
		return TypeOrder
	case TypeReaction:
		return TypeReaction
	case TypeSticker:
		return TypeSticker
	case TypeVideo:
		return TypeVideo
	}
	return ""
}
