package wa

import (
	"encoding/base64"
	"errors"
	"strings"
)

const (
	idPrefix = "wamid."

	// maxKey bounds the key of a message id in bytes. Keys are 9 bytes (outbound) or 10 (inbound); longer ones are read
	// because clients of other platforms make them.
	maxKey = 32
)

// The fixed bytes of the Thrift-compact struct around user and key. Source: spec/messages.md section 5 (observed).
const (
	idOpen     = "\x1c\x18"         // field 1, struct; field 1.1, binary: the user's digits follow
	idMiddle   = "\x15\x02\x00"     // field 1.2, i32 = 1; end of the inner struct
	idOutbound = byte(0x11)         // field 2, boolean: sent by the business
	idInbound  = byte(0x12)         // sent by the user
	idKey      = byte(0x18)         // field 3, binary: the key in upper-case hex follows
	upperHex   = "0123456789ABCDEF" // the alphabet of keys
)

// MessageParts is what a message id is made of.
type MessageParts struct {
	User     WaID // the person, whichever way the message went
	Outbound bool // sent by the business
	Key      []byte
}

// NewMessageID makes a message id that names the user, the direction and the key. Keys make ids unique: 9 random bytes
// for outbound messages, and 10 that start with 0x3A for inbound ones. A user that is not 1 to 15 digits and a key
// that is not 1 to 32 bytes are faults of the caller and give "".
func NewMessageID(user WaID, outbound bool, key []byte) MessageID {
	if len(user) == 0 || len(user) > MaxPhoneDigits || !allDigits(user) || len(key) == 0 || len(key) > maxKey {
		return ""
	}
	var raw [len(idOpen) + 1 + MaxPhoneDigits + len(idMiddle) + 3 + 2*maxKey + 1]byte
	b := append(raw[:0], idOpen...)
	b = append(b, byte(len(user)))
	b = append(b, user...)
	b = append(b, idMiddle...)
	direction := idInbound
	if outbound {
		direction = idOutbound
	}
	b = append(b, direction, idKey, byte(2*len(key)))
	for _, k := range key {
		b = append(b, upperHex[k>>4], upperHex[k&15])
	}
	b = append(b, 0)
	var text [len(idPrefix) + (len(raw)+2)/3*4]byte
	return MessageID(base64.StdEncoding.AppendEncode(append(text[:0], idPrefix...), b))
}

var errMessageID = errors.New("malformed message id")

// ParseMessageID takes apart an id that [NewMessageID] made. It accepts exactly what NewMessageID can make, so an id
// that parses prints back to the same bytes. Ids of groups, and of other platforms with other shapes, are an error.
func ParseMessageID(id MessageID) (MessageParts, error) {
	text, ok := strings.CutPrefix(string(id), idPrefix)
	var raw [128]byte
	if !ok || base64.StdEncoding.DecodedLen(len(text)) > len(raw) || strings.ContainsAny(text, "\r\n") {
		return MessageParts{}, errMessageID
	}
	b, err := base64.StdEncoding.Strict().AppendDecode(raw[:0], []byte(text))
	if err != nil {
		return MessageParts{}, errMessageID
	}
	user, b, ok := field(b, idOpen, 1, MaxPhoneDigits)
	if !ok || !allDigits(user) || len(b) < len(idMiddle)+1 || string(b[:len(idMiddle)]) != idMiddle {
		return MessageParts{}, errMessageID
	}
	b = b[len(idMiddle):]
	direction := b[0]
	hex, b, ok := field(b[1:], "\x18", 2, 2*maxKey)
	if !ok || direction != idOutbound && direction != idInbound || len(b) != 1 || b[0] != 0 {
		return MessageParts{}, errMessageID
	}
	key, ok := fromHex(hex)
	if !ok {
		return MessageParts{}, errMessageID
	}
	return MessageParts{User: WaID(user), Outbound: direction == idOutbound, Key: key}, nil
}

// field cuts a length-prefixed text of least to most bytes that follows open.
func field(b []byte, open string, least, most int) (text, rest []byte, ok bool) {
	if len(b) <= len(open) || string(b[:len(open)]) != open {
		return nil, nil, false
	}
	n := int(b[len(open)])
	b = b[len(open)+1:]
	if n < least || n > most || n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

func allDigits[T ~string | ~[]byte](b T) bool {
	for i := range len(b) {
		if b[i] < '0' || b[i] > '9' {
			return false
		}
	}
	return true
}

func fromHex(b []byte) ([]byte, bool) {
	if len(b)%2 != 0 {
		return nil, false
	}
	key := make([]byte, len(b)/2)
	for i, c := range b {
		v := strings.IndexByte(upperHex, c)
		if v < 0 {
			return nil, false
		}
		key[i/2] = key[i/2]<<4 | byte(v)
	}
	return key, true
}
