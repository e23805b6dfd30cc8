package signal

import (
	"encoding/binary"
	"fmt"
	"math"
)

// storedVersion is the first byte of the stored form. A reader refuses versions it does not know: guessing at key
// material is worse than starting a new session.
const storedVersion = 1

// Flags of a stored state.
const (
	flagKEM     = 1 << iota // version byte 44, else 33
	flagSending             // own ratchet key and sending chain follow
	flagFirst               // key agreement header follows
	flagOneTime             // the header names a one-time prekey
	flagsAll    = flagKEM | flagSending | flagFirst | flagOneTime
)

// AppendBinary appends the stored form to dst: a version byte, then the states. It is 200 to 231 bytes fresh and confirmed
// (1.6 kB more while the KEM ciphertext must be repeated), 464 to 561 in a conversation, 34 per skipped key. The
// form holds secrets: encrypt it. The error is always nil; it is there for [encoding.BinaryAppender].
//
//	session  version ‖ has current (0/1) ‖ number archived ‖ states, current first
//	state    flags ‖ local 32 ‖ remote 32 ‖ base 32 ‖ root 32 ‖ [own private 32 ‖ public 32 ‖ chain 32 ‖ sent] ‖ previous
//	         ‖ [registration id ‖ signed id ‖ [one-time id] ‖ [KEM id ‖ length ‖ ciphertext]] ‖ number of chains ‖ chains
//	chain    ratchet 32 ‖ key 32 ‖ next ‖ number skipped ‖ (number − one after the last ‖ seed 32)…
//
// Numbers are varints in their shortest form; public keys are without their type byte.
func (s *Session) AppendBinary(dst []byte) ([]byte, error) {
	current := byte(0)
	if s.cur != nil {
		current = 1
	}
	dst = append(dst, storedVersion, current, byte(len(s.old)))
	if s.cur != nil {
		dst = s.cur.append(dst)
	}
	for _, st := range s.old {
		dst = st.append(dst)
	}
	return dst, nil
}

func (st *state) append(b []byte) []byte {
	flags := byte(0)
	if st.version == versionKEM {
		flags |= flagKEM
	}
	if st.sending {
		flags |= flagSending
	}
	if st.first != nil {
		flags |= flagFirst
		if st.first.oneTime {
			flags |= flagOneTime
		}
	}
	b = append(b, flags)
	b = append(b, st.local[1:]...)
	b = append(b, st.remote[1:]...)
	b = append(b, st.base[1:]...)
	b = append(b, st.root[:]...)
	if st.sending {
		b = append(b, st.own.raw[:]...)
		b = append(b, st.own.pub[1:]...)
		b = append(b, st.chain[:]...)
		b = appendU32(b, st.sent)
	}
	b = appendU32(b, st.previous)
	if h := st.first; h != nil {
		b = appendU32(b, h.regID)
		b = appendU32(b, h.signedID)
		if h.oneTime {
			b = appendU32(b, h.oneTimeID)
		}
		if st.version == versionKEM {
			b = appendU32(b, h.kemID)
			b = binary.AppendUvarint(b, uint64(len(h.kemText)))
			b = append(b, h.kemText...)
		}
	}
	b = append(b, byte(len(st.recv)))
	for i := range st.recv {
		b = st.recv[i].append(b)
	}
	return b
}

func (c *inChain) append(b []byte) []byte {
	b = append(b, c.ratchet[1:]...)
	b = append(b, c.key[:]...)
	b = appendU32(b, c.next)
	b = appendU32(b, uint32(len(c.skipped)))
	after := uint32(0)
	for i := range c.skipped {
		k := &c.skipped[i]
		b = appendU32(b, k.number-after)
		b = append(b, k.seed[:]...)
		after = k.number + 1
	}
	return b
}

func appendU32(b []byte, v uint32) []byte { return binary.AppendUvarint(b, uint64(v)) }

// ParseSession reads the stored form. It copies what it keeps and expands no key. It accepts exactly the bytes that
// AppendBinary writes: parsing and appending again gives the same bytes. Errors: [ErrFormat].
func ParseSession(data []byte) (*Session, error) {
	r := reader{rest: data}
	if r.byte() != storedVersion {
		return nil, fmt.Errorf("stored session: unknown version: %w", ErrFormat)
	}
	current, archived := r.byte(), r.byte()
	if current > 1 || archived > maxArchived {
		return nil, fmt.Errorf("stored session: number of states: %w", ErrFormat)
	}
	s := &Session{}
	if current == 1 {
		s.cur = r.state()
	}
	for range archived {
		s.old = append(s.old, r.state())
	}
	if r.bad || len(r.rest) > 0 {
		return nil, fmt.Errorf("stored session: %w", ErrFormat)
	}
	return s, nil
}

// reader consumes the stored form; after the first mismatch it is bad and returns zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) fail() { r.bad, r.rest = true, nil }

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > math.MaxUint32 || n != uvarintSize(v) {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return uint32(v)
}

func (r *reader) key() (k [32]byte) {
	copy(k[:], r.take(32))
	return k
}

func (r *reader) public() PublicKey {
	k := r.key()
	return publicFromRaw(k[:])
}

func (r *reader) state() *state {
	st := &state{version: versionX3DH}
	flags := r.byte()
	if flags&^byte(flagsAll) != 0 || flags&(flagFirst|flagOneTime) == flagOneTime {
		r.fail()
	}
	if flags&flagKEM != 0 {
		st.version = versionKEM
	}
	st.local, st.remote, st.base, st.root = r.public(), r.public(), r.public(), r.key()
	if flags&flagSending != 0 {
		st.sending = true
		st.own = ownKey{raw: r.key(), pub: r.public()}
		st.chain, st.sent = r.key(), r.u32()
	}
	st.previous = r.u32()
	if flags&flagFirst != 0 {
		st.first = r.header(flags)
	}
	n := int(r.byte())
	// Without a sending chain the next one starts from the peer's ratchet key, and only an initiator that has heard
	// nothing yet has a header.
	if n > maxChains || (n == 0 && !st.sending) || (st.first != nil && (n > 0 || !st.sending)) {
		r.fail()
		return st
	}
	skipped := 0
	for range n {
		c := r.chain(maxSkipped - skipped)
		skipped += len(c.skipped)
		st.recv = append(st.recv, c)
	}
	return st
}

func (r *reader) header(flags byte) *preKeyHeader {
	h := &preKeyHeader{regID: r.u32(), signedID: r.u32()}
	if flags&flagOneTime != 0 {
		h.oneTime, h.oneTimeID = true, r.u32()
	}
	if flags&flagKEM != 0 {
		h.kemID = r.u32()
		n := r.u32()
		if uint64(n) > uint64(len(r.rest)) {
			r.fail()
			return h
		}
		h.kemText = append([]byte(nil), r.take(int(n))...)
	}
	return h
}

// chain reads a receiving chain with at most room skipped keys.
func (r *reader) chain(room int) inChain {
	c := inChain{ratchet: r.public(), key: r.key(), next: r.u32()}
	n := r.u32()
	if uint64(n) > uint64(room) || uint64(n)*33 > uint64(len(r.rest)) {
		r.fail()
		return c
	}
	if n > 0 {
		c.skipped = make([]skippedKey, 0, n)
	}
	after := uint64(0)
	for range n {
		number := after + uint64(r.u32())
		if number >= uint64(c.next) {
			r.fail()
			return c
		}
		c.skipped = append(c.skipped, skippedKey{number: uint32(number), seed: r.key()})
		after = number + 1
	}
	return c
}
