package message

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// block is what plaintexts are padded to, in bytes, so that ciphertexts do not tell exact lengths.
const block = 64

// MaxPlaintext is the most a message may have before padding, in bytes.
const MaxPlaintext = 64 << 10

// appendText appends the members of a text.
func appendText(b []byte, text string, preview bool, context wa.MessageID) []byte {
	b = quote(append(b, `"type":"text","text":{"body":`...), text)
	if preview {
		b = append(b, `,"preview_url":true`...)
	}
	return appendContext(append(b, '}'), context)
}

func appendContext(b []byte, id wa.MessageID) []byte {
	if id == "" {
		return b
	}
	b = quote(append(b, `,"context":{"id":`...), string(id))
	return append(b, '}')
}

// AppendPlaintext appends what is encrypted for a device, padding included. body is [Outbound.Body], ts is in Unix
// seconds.
func AppendPlaintext(b []byte, id wa.MessageID, ts int64, body []byte) []byte {
	start := len(b)
	b = appendHead(b, id, ts)
	b = append(b, body...)
	return pad(append(b, '}'), start)
}

// AppendPreview appends the companion of a text message: the link's card, a JSON object that the device shows with the
// message id. It has no id of its own, says whose it is in "of", and is padded like a message.
func AppendPreview(b []byte, id wa.MessageID, ts int64, card []byte) []byte {
	start := len(b)
	b = strconv.AppendInt(append(b, `{"v":1,"ts":`...), ts, 10)
	b = quote(append(b, `,"type":"preview","of":`...), string(id))
	b = append(b, `,"preview":`...)
	b = append(b, card...)
	return pad(append(b, '}'), start)
}

func appendHead(b []byte, id wa.MessageID, ts int64) []byte {
	b = quote(append(b, `{"v":1,"id":`...), string(id))
	b = strconv.AppendInt(append(b, `,"ts":`...), ts, 10)
	return append(b, ',')
}

// pad appends 0x80 and zeros until what was appended since start is a multiple of the block.
func pad(b []byte, start int) []byte {
	b = append(b, 0x80)
	var zeros [block]byte
	if over := (len(b) - start) % block; over > 0 {
		b = append(b, zeros[:block-over]...)
	}
	return b
}

// Unpad removes the padding of a plaintext; false when there is none.
func Unpad(plain []byte) ([]byte, bool) {
	for i, c := range slices.Backward(plain) {
		switch c {
		case 0:
		case 0x80:
			return plain[:i], true
		default:
			return nil, false
		}
	}
	return nil, false
}

// The values of message_status. Source: spec/limits.md section 5.
const (
	Accepted = "accepted"
	Held     = "held_for_quality_assessment"
)

// AppendAccepted appends the answer to a send. input is the recipient as given, user the one it was found to be, userID
// the business-scoped id when the call named one, status message_status of a template; empty for everything else. Source:
// spec/messages.md sections 3.2 and 4.
func AppendAccepted(b []byte, input string, user wa.WaID, userID string, id wa.MessageID, status string) []byte {
	b = quote(append(b, `{"messaging_product":"whatsapp","contacts":[{"input":`...), input)
	b = quote(append(b, `,"wa_id":`...), string(user))
	if userID != "" {
		b = quote(append(b, `,"user_id":`...), userID)
	}
	b = quote(append(b, `}],"messages":[{"id":`...), string(id))
	if status != "" {
		b = quote(append(b, `,"message_status":`...), status)
	}
	return append(b, `}]}`...)
}

// typingSeconds is how long a typing indicator shows. Source: spec/messages.md section 13.
const typingSeconds = "25"

// ReadEvent is the mailbox event that tells a user's devices that the business has read everything up to id.
func ReadEvent(id wa.MessageID) []byte {
	return append(quote([]byte(`{"kind":"read","ids":[`), string(id)), `]}`...)
}

// TypingEvent is the event that tells a user's devices that the business number with these digits is typing.
func TypingEvent(number wa.WaID) []byte {
	return append(quote([]byte(`{"kind":"typing","for":`+typingSeconds+`,"of":`), string(number)), '}')
}

// quote appends a JSON string; invalid UTF-8 becomes U+FFFD.
func quote(b []byte, s string) []byte {
	out, err := jsontext.AppendQuote(b, s)
	if err != nil {
		out, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\ufffd")) // valid now
	}
	return out
}
