package signal

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// Version bytes: the upper half is the message's version, the lower one the newest the sender knows.
const (
	versionKEM  = 0x44
	versionX3DH = 0x33
)

// macSize is the length of the truncated MAC at the end of a message, in bytes.
const macSize = 8

// Protobuf wire types, as in the low three bits of a tag.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// message is a parsed ratchet message. Slices point into the received bytes.
type message struct {
	version    byte
	ratchet    PublicKey
	number     uint32
	previous   uint32 // length of the sender's previous chain: read, but old chains are kept whole and do not need it
	ciphertext []byte
	body       []byte // what the MAC covers: version byte and fields
	mac        []byte
}

// preKeyMessage is a parsed first message.
type preKeyMessage struct {
	version   byte
	oneTimeID *uint32
	base      PublicKey
	identity  PublicKey
	inner     []byte
	regID     uint32
	signedID  uint32
	kemID     uint32
	kemText   []byte // nil without KEM
}

// protoField is one protobuf field: v for varints, b for byte strings.
type protoField struct {
	num  uint64
	kind byte
	v    uint64
	b    []byte
}

// nextField splits the first field off b. Fixed-width fields are skipped over, since unknown fields are allowed; groups
// are not.
func nextField(b []byte) (f protoField, rest []byte, err error) {
	tag, n := binary.Uvarint(b)
	if n <= 0 || tag>>3 == 0 {
		return f, nil, fmt.Errorf("field tag: %w", ErrFormat)
	}
	b = b[n:]
	f.num, f.kind = tag>>3, byte(tag&7)
	size := uint64(0)
	switch f.kind {
	case wireVarint:
		if f.v, n = binary.Uvarint(b); n <= 0 {
			return f, nil, fmt.Errorf("field %d: %w", f.num, ErrFormat)
		}
		return f, b[n:], nil
	case wireBytes:
		if size, n = binary.Uvarint(b); n <= 0 {
			return f, nil, fmt.Errorf("field %d: %w", f.num, ErrFormat)
		}
		b = b[n:]
	case wireFixed64:
		size = 8
	case wireFixed32:
		size = 4
	default:
		return f, nil, fmt.Errorf("field %d of wire type %d: %w", f.num, f.kind, ErrFormat)
	}
	if size > uint64(len(b)) {
		return f, nil, fmt.Errorf("field %d cut short: %w", f.num, ErrFormat)
	}
	f.b = b[:size:size]
	return f, b[size:], nil
}

// number reads a uint32 field.
func (f protoField) number(dst *uint32) error {
	if f.kind != wireVarint || f.v > math.MaxUint32 {
		return fmt.Errorf("field %d is not a uint32: %w", f.num, ErrFormat)
	}
	*dst = uint32(f.v)
	return nil
}

// bytes reads a byte string field.
func (f protoField) bytes(dst *[]byte) error {
	if f.kind != wireBytes {
		return fmt.Errorf("field %d is not bytes: %w", f.num, ErrFormat)
	}
	*dst = f.b
	return nil
}

// key reads a public key field.
func (f protoField) key(dst *PublicKey) (err error) {
	if f.kind != wireBytes {
		return fmt.Errorf("field %d is not bytes: %w", f.num, ErrFormat)
	}
	*dst, err = ParsePublicKey(f.b)
	return err
}

func checkVersion(b byte) error {
	if b != versionKEM && b != versionX3DH {
		return fmt.Errorf("message version %02x: %w", b, ErrFormat)
	}
	return nil
}

// parseMessage reads a ratchet message. Every required field must be there; the reserved field 5 and unknown ones are
// ignored (the MAC covers them).
func parseMessage(wire []byte) (m message, err error) {
	if len(wire) < 1+macSize {
		return m, fmt.Errorf("message of %d bytes: %w", len(wire), ErrFormat)
	}
	if err := checkVersion(wire[0]); err != nil {
		return m, err
	}
	m.version = wire[0]
	m.body, m.mac = wire[:len(wire)-macSize], wire[len(wire)-macSize:]
	hasNumber := false
	for rest := m.body[1:]; len(rest) > 0; {
		var f protoField
		if f, rest, err = nextField(rest); err != nil {
			return m, err
		}
		switch f.num {
		case 1:
			err = f.key(&m.ratchet)
		case 2:
			hasNumber = true
			err = f.number(&m.number)
		case 3:
			err = f.number(&m.previous)
		case 4:
			err = f.bytes(&m.ciphertext)
		}
		if err != nil {
			return m, err
		}
	}
	if m.ratchet.IsZero() || !hasNumber || len(m.ciphertext) == 0 || len(m.ciphertext)%16 != 0 {
		return m, fmt.Errorf("message lacks a field: %w", ErrFormat)
	}
	return m, nil
}

// parsePreKeyMessage reads the outer layer of a first message.
func parsePreKeyMessage(wire []byte) (p preKeyMessage, err error) {
	if len(wire) == 0 {
		return p, fmt.Errorf("first message of 0 bytes: %w", ErrFormat)
	}
	if err := checkVersion(wire[0]); err != nil {
		return p, err
	}
	p.version = wire[0]
	hasSigned, hasKEM := false, false
	for rest := wire[1:]; len(rest) > 0; {
		var f protoField
		if f, rest, err = nextField(rest); err != nil {
			return p, err
		}
		switch f.num {
		case 1:
			p.oneTimeID = new(uint32)
			err = f.number(p.oneTimeID)
		case 2:
			err = f.key(&p.base)
		case 3:
			err = f.key(&p.identity)
		case 4:
			err = f.bytes(&p.inner)
		case 5:
			err = f.number(&p.regID)
		case 6:
			hasSigned = true
			err = f.number(&p.signedID)
		case 7:
			hasKEM = true
			err = f.number(&p.kemID)
		case 8:
			err = f.bytes(&p.kemText)
		}
		if err != nil {
			return p, err
		}
	}
	if p.base.IsZero() || p.identity.IsZero() || len(p.inner) == 0 || !hasSigned {
		return p, fmt.Errorf("first message lacks a field: %w", ErrFormat)
	}
	// The inner version is the authenticated one; a different outer one is a downgrade attempt or damage.
	if p.inner[0] != p.version || (p.version == versionKEM) != (hasKEM && len(p.kemText) > 0) {
		return p, fmt.Errorf("first message mixes versions: %w", ErrFormat)
	}
	return p, nil
}

// PreKeyInfo is what a first message says in clear. Nothing of it is authenticated before [Receive] accepts the message.
type PreKeyInfo struct {
	Identity        PublicKey // compare it with the key known for the sender before calling [Receive]
	RegistrationID  uint32    // of the sender; another one than before means a fresh install
	SignedPreKeyID  uint32
	KEMPreKeyID     *uint32 // nil without KEM
	OneTimePreKeyID *uint32 // nil without one
}

// ParsePreKeyInfo reads the clear part of a first message without using any key. Errors: [ErrFormat].
func ParsePreKeyInfo(wire []byte) (PreKeyInfo, error) {
	p, err := parsePreKeyMessage(wire)
	if err != nil {
		return PreKeyInfo{}, err
	}
	info := PreKeyInfo{
		Identity: p.identity, RegistrationID: p.regID, SignedPreKeyID: p.signedID, OneTimePreKeyID: p.oneTimeID,
	}
	if p.version == versionKEM {
		info.KEMPreKeyID = &p.kemID
	}
	return info, nil
}

func appendNumber(b []byte, num, v uint32) []byte {
	b = append(b, byte(num<<3|wireVarint))
	return binary.AppendUvarint(b, uint64(v))
}

// appendBytesHead writes tag and length; the caller appends the n bytes.
func appendBytesHead(b []byte, num uint32, n int) []byte {
	b = append(b, byte(num<<3|wireBytes))
	return binary.AppendUvarint(b, uint64(n))
}

func appendBytes(b []byte, num uint32, v []byte) []byte {
	return append(appendBytesHead(b, num, len(v)), v...)
}

// numberSize and bytesSize are the lengths of encoded fields with numbers below 16.
func numberSize(v uint32) int { return 1 + uvarintSize(uint64(v)) }
func bytesSize(n int) int     { return 1 + uvarintSize(uint64(n)) + n }

func uvarintSize(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }
