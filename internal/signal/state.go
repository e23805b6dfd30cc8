package signal

import (
	"crypto/ecdh"
	"slices"
)

// Bounds of one session. Source: design "The user network", section 5.
const (
	maxSkipped  = 2000 // message keys kept for late messages, per ratchet state
	maxChains   = 5    // receiving chains kept, per ratchet state
	maxArchived = 4    // ratchet states kept besides the current one
)

// state is one run of the Double Ratchet.
type state struct {
	version byte // versionKEM or versionX3DH
	local   PublicKey
	remote  PublicKey
	base    PublicKey // the initiator's ephemeral key: recognises a repeated first message

	root     [32]byte
	sending  bool      // false while the next Encrypt has to turn the ratchet
	own      ownKey    // valid if sending
	chain    [32]byte  // sending chain key, valid if sending
	sent     uint32    // next number in the sending chain, valid if sending
	previous uint32    // length of the sending chain before it
	recv     []inChain // oldest first; the last one's ratchet key is the peer's current one

	first *preKeyHeader // non-nil until the peer is known to hold the session
}

// ownKey is our ratchet key pair. The private half of a loaded state is expanded when it is first used, which on the
// way out is never: a chain only needs the public half.
type ownKey struct {
	raw [32]byte
	pub PublicKey
	key *ecdh.PrivateKey // nil until expanded
}

func newOwnKey(k PrivateKey) ownKey {
	return ownKey{raw: [32]byte(k.key.Bytes()), pub: k.pub, key: k.key}
}

func (o *ownKey) dh(pub PublicKey) ([]byte, error) {
	if o.key == nil {
		k, err := ParsePrivateKey(o.raw[:])
		if err != nil {
			return nil, err
		}
		o.key = k.key
	}
	return PrivateKey{key: o.key}.dh(pub)
}

// inChain is a receiving chain.
type inChain struct {
	ratchet PublicKey
	key     [32]byte
	next    uint32       // number of the message that key belongs to
	skipped []skippedKey // numbers below next that have not arrived, ascending
}

// skippedKey is the seed of the keys of a message that has not arrived.
type skippedKey struct {
	number uint32
	seed   [32]byte
}

// preKeyHeader is what a message repeats until the peer holds the session.
type preKeyHeader struct {
	regID     uint32
	signedID  uint32
	oneTime   bool
	oneTimeID uint32
	kemID     uint32
	kemText   []byte // with KEM: ciphertext in wire form; never modified
}

func (st *state) chainFor(ratchet *PublicKey) int {
	for i := range slices.Backward(st.recv) {
		if st.recv[i].ratchet == *ratchet {
			return i
		}
	}
	return -1
}

// trim drops what is over the bounds: the oldest chain with its kept keys, then the oldest kept keys. Oldest means by
// chain, then by number, which is the order in which the peer sent them.
func (st *state) trim() {
	if n := len(st.recv) - maxChains; n > 0 {
		m := copy(st.recv, st.recv[n:])
		clear(st.recv[m:])
		st.recv = st.recv[:m]
	}
	total := 0
	for i := range st.recv {
		total += len(st.recv[i].skipped)
	}
	for i := 0; total > maxSkipped; i++ {
		c := &st.recv[i]
		n := min(total-maxSkipped, len(c.skipped))
		m := copy(c.skipped, c.skipped[n:])
		clear(c.skipped[m:])
		c.skipped = c.skipped[:m]
		total -= n
	}
}
