package device

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// padBlock is what plaintexts are padded to, in bytes, so that a ciphertext hides the exact length.
const padBlock = 64

// ErrContent reports content that cannot be sent: no JSON object, no type, no member of the type's name (type
// "unsupported" needs none), or too long.
var ErrContent = errors.New("content is not a message")

// TypeUnsupported is the [Message.Type] of what this device does not know how to show; Raw has it all the same.
const TypeUnsupported = "unsupported"

// TypeNotice is the [Message.Type] of lines that the device itself adds to a chat.
const TypeNotice = "notice"

// known are the types that a business can send. Source: spec/messages.md sections 9 to 11.
var known = []string{
	"text", "image", "audio", "video", "document", "sticker", "location", "contacts", "reaction", "interactive", "template",
	"order", "system", "pin",
}

// pad appends the marker and zeros up to the next multiple of [padBlock].
func pad(plain []byte) []byte {
	plain = append(plain, 0x80)
	for len(plain)%padBlock != 0 {
		plain = append(plain, 0)
	}
	return plain
}

// unpad removes what pad appended; ok is false when there is no marker.
func unpad(plain []byte) (content []byte, ok bool) {
	plain = bytes.TrimRight(plain, "\x00")
	if len(plain) == 0 || plain[len(plain)-1] != 0x80 {
		return nil, false
	}
	return plain[:len(plain)-1], true
}

// inbound is what a decrypted plaintext says.
type inbound struct {
	raw     []byte // the whole object; nil when there is none
	typ     string
	id      string
	context string
	of      string
	preview []byte
	ts      int64
}

// parseInbound never fails: what it cannot read is of [TypeUnsupported], because a message is shown or it is shown that
// there is one, never dropped.
func parseInbound(plain []byte) inbound {
	in := inbound{typ: TypeUnsupported}
	raw, ok := unpad(plain)
	if !ok || !json.Valid(raw) {
		return in
	}
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte(string(utf8.RuneError)))
	}
	var v, typ, context []byte
	if !members(raw, func(key, value []byte) {
		switch string(key) {
		case "v":
			v = value
		case "type":
			typ = value
		case "context":
			context = value
		case "id":
			in.id = text(value)
		case "of":
			in.of = text(value)
		case "preview":
			in.preview = value
		case "ts":
			in.ts = number(value)
		}
	}) {
		return in
	}
	in.raw = slices.Clip(raw)
	if string(v) != "1" {
		return in
	}
	in.context = text(member(context, "id"))
	t := text(typ)
	if t == "preview" && in.of != "" {
		in.typ = t
	} else if i := slices.Index(known, t); i >= 0 && len(member(raw, t)) > 0 {
		in.typ = known[i] // shared, so that the message does not keep a copy
	}
	return in
}

// envelope are members of a request to the platform that are no part of a message, or that the device sets itself.
var envelope = []string{"v", "id", "ts", "from", "to", "messaging_product", "recipient_type", "timestamp"}

// contextOf reads what a message answers. The send API names it message_id, messages name it id: both are taken, and id is
// what is sent.
func contextOf(value []byte) (id string, out []byte) {
	id = text(member(value, "id"))
	other := text(member(value, "message_id"))
	if id != "" || other == "" {
		return id, value
	}
	out = append([]byte(`{"id":`), encode(other)...)
	members(value, func(key, v []byte) {
		if string(key) != "message_id" && string(key) != "id" {
			out = append(out, `,"`...)
			out = append(append(append(out, key...), `":`...), v...)
		}
	})
	return other, append(out, '}')
}

// buildOutbound makes the object that is encrypted, from content in the shape of the send API:
// {"type":"text","text":{…},"context":{"id":…}}. Errors: [ErrContent], with the path of what is wrong.
func buildOutbound(content []byte, ts int64) (raw []byte, typ, context string, err error) {
	if !json.Valid(content) || !utf8.Valid(content) {
		return nil, "", "", fmt.Errorf("no JSON: %w", ErrContent)
	}
	raw = append(make([]byte, 0, len(content)+32), `{"v":1,"ts":`...)
	raw = strconv.AppendInt(raw, ts, 10)
	if !members(content, func(key, value []byte) {
		switch {
		case slices.Contains(envelope, string(key)):
			return
		case string(key) == "type":
			typ = text(value)
		case string(key) == "context":
			context, value = contextOf(value)
		}
		raw = append(raw, `,"`...)
		raw = append(raw, key...)
		raw = append(raw, `":`...)
		raw = append(raw, value...)
	}) {
		return nil, "", "", fmt.Errorf("no object: %w", ErrContent)
	}
	raw = append(raw, '}')
	switch {
	case typ == "":
		return nil, "", "", fmt.Errorf("type is missing: %w", ErrContent)
	case len(member(raw, typ)) == 0 && typ != TypeUnsupported:
		return nil, "", "", fmt.Errorf("%q is missing: %w", typ, ErrContent)
	case len(raw) > frame.MaxPlaintext:
		return nil, "", "", fmt.Errorf("longer than %d bytes: %w", frame.MaxPlaintext, ErrContent)
	}
	return raw, typ, context, check(typ, raw)
}
