package record

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Kind numbers a type of record. Numbers are part of the stored form: never reuse one.
type Kind uint8

// The kinds of record.
const (
	KindAccepted  Kind = 1  // [Accepted]
	KindSealed    Kind = 2  // [Sealed]
	KindSent      Kind = 3  // [Status]
	KindDelivered Kind = 4  // [Status]
	KindRead      Kind = 5  // [Status]
	KindPlayed    Kind = 6  // [Status]
	KindFailed    Kind = 7  // [Status]
	KindReceived  Kind = 8  // [Received]
	KindMarked    Kind = 9  // [Marked]
	KindItem      Kind = 10 // [Item]
	KindAcked     Kind = 11 // [Acked]
	KindBlocked   Kind = 12 // [Blocked]
	KindDropped   Kind = 13 // [Dropped]
	KindNotice    Kind = 40 // [Notice]
	KindStanding  Kind = 41 // [Standing]
	KindFeedback  Kind = 50 // [Feedback]
	KindClicked   Kind = 51 // [Clicked]
)

// Record is one fact. A record is immutable once it was handed to the journal.
type Record interface {
	Kind() Kind
	appendTo(b []byte) []byte
	parse(f fields) error
}

// ErrFormat is returned for bytes that are not a record.
var ErrFormat = errors.New("malformed record")

// Unknown stands for a record of a kind this binary does not know.
type Unknown struct{ Of Kind }

// Kind implements Record.
func (u Unknown) Kind() Kind             { return u.Of }
func (Unknown) appendTo(b []byte) []byte { return b }
func (Unknown) parse(fields) error       { return nil }

// Append encodes r as kind, length, payload.
func Append(b []byte, r Record) []byte {
	b = append(b, byte(r.Kind()))
	// The length goes in front: reserve three bytes (payloads are far below 2 MiB) and patch them afterwards.
	at := len(b)
	b = append(b, 0, 0, 0)
	b = r.appendTo(b)
	n := len(b) - at - 3
	b[at], b[at+1], b[at+2] = byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14)&0x7f
	return b
}

// MaxSize is the largest payload Append can encode.
const MaxSize = 1<<21 - 1

// Next decodes the first record of b and returns the rest.
func Next(b []byte) (Record, []byte, error) {
	if len(b) == 0 {
		return nil, nil, ErrFormat
	}
	kind := Kind(b[0])
	payload, n := protowire.ConsumeBytes(b[1:])
	if n < 0 {
		return nil, nil, fmt.Errorf("%w: kind %d: %w", ErrFormat, kind, protowire.ParseError(n))
	}
	r := blank(kind)
	if err := r.parse(fields(payload)); err != nil {
		return nil, nil, fmt.Errorf("%w: kind %d: %w", ErrFormat, kind, err)
	}
	return r, b[1+n:], nil
}

func blank(k Kind) Record {
	switch k {
	case KindAccepted:
		return new(Accepted)
	case KindSealed:
		return new(Sealed)
	case KindSent, KindDelivered, KindRead, KindPlayed, KindFailed:
		return &Status{Of: k}
	case KindReceived:
		return new(Received)
	case KindMarked:
		return new(Marked)
	case KindItem:
		return new(Item)
	case KindAcked:
		return new(Acked)
	case KindBlocked:
		return new(Blocked)
	case KindDropped:
		return new(Dropped)
	case KindFeedback:
		return new(Feedback)
	case KindClicked:
		return new(Clicked)
	case KindNotice:
		return new(Notice)
	case KindStanding:
		return new(Standing)
	default:
		return Unknown{Of: k}
	}
}

// StatusOf maps the five status kinds to their wire names; other kinds give "".
func StatusOf(k Kind) wa.Status {
	switch k {
	case KindSent:
		return wa.StatusSent
	case KindDelivered:
		return wa.StatusDelivered
	case KindRead:
		return wa.StatusRead
	case KindPlayed:
		return wa.StatusPlayed
	case KindFailed:
		return wa.StatusFailed
	default:
		return ""
	}
}
