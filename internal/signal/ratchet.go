package signal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"fmt"
	"io"
	"math"
	"slices"
)

// seal encrypts plaintext in the state and advances it. It changes nothing on an error.
func (st *state) seal(r io.Reader, plaintext []byte) ([]byte, error) {
	if !st.sending {
		if err := st.turn(r); err != nil {
			return nil, err
		}
	}
	if st.sent == math.MaxUint32 {
		return nil, ErrExhausted
	}
	seed := mac32(&st.chain, stepSeed)
	keys := newMessageKeys(&seed)
	wire, err := st.encode(&keys, plaintext)
	if err != nil {
		return nil, err
	}
	st.chain = mac32(&st.chain, stepChain)
	st.sent++
	return wire, nil
}

// turn starts a new sending chain with a fresh ratchet key.
func (st *state) turn(r io.Reader) error {
	fresh, err := GeneratePrivateKey(r)
	if err != nil {
		return err
	}
	secret, err := fresh.dh(st.recv[len(st.recv)-1].ratchet)
	if err != nil {
		return err
	}
	st.root, st.chain = rootStep(&st.root, secret)
	st.own, st.sending, st.sent = newOwnKey(fresh), true, 0
	return nil
}

// encode writes the message, inside a first message while unconfirmed, in one allocation of exactly its size.
func (st *state) encode(keys *messageKeys, plaintext []byte) ([]byte, error) {
	pad := aes.BlockSize - len(plaintext)%aes.BlockSize
	n := len(plaintext) + pad
	size := 1 + bytesSize(len(st.own.pub)) + numberSize(st.sent) + numberSize(st.previous) + bytesSize(n) + macSize
	var b []byte
	if st.first == nil {
		b = make([]byte, 0, size)
	} else {
		b = make([]byte, 0, st.first.size()+2*bytesSize(len(st.base))+bytesSize(size))
		b = st.appendFirst(b, size)
	}
	start := len(b)
	b = append(b, st.version)
	b = appendBytes(b, 1, st.own.pub[:])
	b = appendNumber(b, 2, st.sent)
	b = appendNumber(b, 3, st.previous)
	b = appendBytesHead(b, 4, n)
	text := len(b)
	b = append(b, plaintext...)
	for range pad {
		b = append(b, byte(pad))
	}
	block, err := aes.NewCipher(keys.cipher[:])
	if err != nil {
		return nil, fmt.Errorf("message cipher: %w", err)
	}
	cipher.NewCBCEncrypter(block, keys.iv[:]).CryptBlocks(b[text:], b[text:])
	tag := keys.tag(&st.local, &st.remote, b[start:])
	return append(b, tag[:]...), nil
}

// appendFirst writes the outer layer of a first message up to the length of the inner one. The order of the fields is
// that of the published implementations, not ascending.
func (st *state) appendFirst(b []byte, inner int) []byte {
	h := st.first
	b = append(b, st.version)
	b = appendNumber(b, 5, h.regID)
	if h.oneTime {
		b = appendNumber(b, 1, h.oneTimeID)
	}
	b = appendNumber(b, 6, h.signedID)
	if st.version == versionKEM {
		b = appendNumber(b, 7, h.kemID)
		b = appendBytes(b, 8, h.kemText)
	}
	b = appendBytes(b, 2, st.base[:])
	b = appendBytes(b, 3, st.local[:])
	return appendBytesHead(b, 4, inner)
}

// size is an upper bound of the version byte, the ids and the KEM ciphertext.
func (h *preKeyHeader) size() int {
	return 1 + numberSize(h.regID) + numberSize(h.oneTimeID) + numberSize(h.signedID) + numberSize(h.kemID) +
		bytesSize(len(h.kemText))
}

// step is what a received message changes in a state once it is authenticated.
type step struct {
	chain  int          // index in recv; len(recv) means a new chain
	skip   int          // index of the used kept key, or -1 if the chain advances
	next   inChain      // advanced chain, without its kept keys
	kept   []skippedKey // keys newly skipped
	turned bool         // the peer's ratchet turned: root is the new root key
	root   [32]byte
}

// open authenticates and decrypts m and returns what to change, without changing anything. Errors: [ErrBadMAC],
// [ErrDuplicate], [ErrTooFarAhead], [ErrFormat] for bad padding under a good MAC.
func (st *state) open(m *message, maxJump uint32) ([]byte, step, error) {
	s := step{chain: st.chainFor(&m.ratchet), skip: -1}
	var seed [32]byte
	if s.chain >= 0 && m.number < st.recv[s.chain].next {
		kept := st.recv[s.chain].skipped
		i, found := slices.BinarySearchFunc(kept, m.number, func(k skippedKey, n uint32) int {
			return int(int64(k.number) - int64(n))
		})
		if !found {
			return nil, step{}, fmt.Errorf("number %d: %w", m.number, ErrDuplicate)
		}
		s.skip, seed = i, kept[i].seed
	} else {
		if err := st.startOrContinue(m, &s, maxJump); err != nil {
			return nil, step{}, err
		}
		seed = s.advance(m.number)
	}
	plaintext, err := st.decode(m, &seed)
	return plaintext, s, err
}

// startOrContinue puts the chain m belongs to into s, after checking how far m is ahead in it.
func (st *state) startOrContinue(m *message, s *step, maxJump uint32) error {
	from := uint32(0)
	if s.chain >= 0 {
		from = st.recv[s.chain].next
	}
	if m.number-from > maxJump || m.number == math.MaxUint32 {
		return fmt.Errorf("number %d after %d: %w", m.number, from, ErrTooFarAhead)
	}
	if s.chain >= 0 {
		c := &st.recv[s.chain]
		s.next = inChain{ratchet: c.ratchet, key: c.key, next: c.next}
		return nil
	}
	if !st.sending {
		// The peer has not seen a new ratchet key of ours since its last turn, so this one cannot be its.
		return fmt.Errorf("ratchet key out of turn: %w", ErrBadMAC)
	}
	secret, err := st.own.dh(m.ratchet)
	if err != nil {
		return err
	}
	s.chain, s.turned = len(st.recv), true
	s.next.ratchet = m.ratchet
	s.root, s.next.key = rootStep(&st.root, secret)
	return nil
}

// advance moves the chain past number, keeps the seeds of the numbers in between, and returns number's seed. Seeds that
// the bound would drop again are not derived.
func (s *step) advance(number uint32) [32]byte {
	c := &s.next
	if n := number - c.next; n > 0 {
		s.kept = make([]skippedKey, 0, min(n, maxSkipped))
	}
	for ; c.next < number; c.next++ {
		if number-c.next <= maxSkipped {
			s.kept = append(s.kept, skippedKey{number: c.next, seed: mac32(&c.key, stepSeed)})
		}
		c.key = mac32(&c.key, stepChain)
	}
	seed := mac32(&c.key, stepSeed)
	c.key = mac32(&c.key, stepChain)
	c.next++
	return seed
}

func (st *state) decode(m *message, seed *[32]byte) ([]byte, error) {
	keys := newMessageKeys(seed)
	tag := keys.tag(&st.remote, &st.local, m.body)
	if !hmac.Equal(tag[:], m.mac) {
		return nil, ErrBadMAC
	}
	block, err := aes.NewCipher(keys.cipher[:])
	if err != nil {
		return nil, fmt.Errorf("message cipher: %w", err)
	}
	text := make([]byte, len(m.ciphertext))
	cipher.NewCBCDecrypter(block, keys.iv[:]).CryptBlocks(text, m.ciphertext)
	// The MAC is verified, so the padding tells an attacker nothing.
	pad := int(text[len(text)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, fmt.Errorf("padding: %w", ErrFormat)
	}
	for _, b := range text[len(text)-pad:] {
		if int(b) != pad {
			return nil, fmt.Errorf("padding: %w", ErrFormat)
		}
	}
	return text[:len(text)-pad], nil
}

// apply commits a step of a message that open has accepted.
func (st *state) apply(s *step) {
	st.first = nil // the peer answered in this state, so it holds it
	if s.skip >= 0 {
		c := &st.recv[s.chain]
		c.skipped = slices.Delete(c.skipped, s.skip, s.skip+1)
		return
	}
	if s.turned {
		st.recv = append(st.recv, inChain{})
		st.root = s.root
		st.previous = st.sent
		st.sending, st.own, st.chain, st.sent = false, ownKey{}, [32]byte{}, 0
	}
	c := &st.recv[s.chain]
	c.ratchet, c.key, c.next = s.next.ratchet, s.next.key, s.next.next
	c.skipped = append(c.skipped, s.kept...)
	st.trim()
}
