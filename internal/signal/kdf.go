package signal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
)

// HKDF info strings of the ratchet. Source: design "The user network", section 4.
const (
	infoRatchet     = "WhisperRatchet"
	infoMessageKeys = "WhisperMessageKeys"
)

// Inputs of the two HMACs of a chain step.
var (
	stepSeed  = []byte{1} // gives the seed of this number's message keys
	stepChain = []byte{2} // gives the next chain key
)

// mac32 is HMAC-SHA256 with a 32-byte key over at most 64 bytes. crypto/hmac does the same but allocates a state per
// key; here every call has another key, up to seven per message, and works on the stack.
func mac32(key *[32]byte, msg []byte) [32]byte {
	if len(msg) > 64 {
		panic("signal: mac32 over more than one block")
	}
	var inner [128]byte
	var outer [96]byte
	for i := range 64 {
		inner[i], outer[i] = 0x36, 0x5c
	}
	for i, b := range key {
		inner[i] ^= b
		outer[i] ^= b
	}
	n := copy(inner[64:], msg)
	sum := sha256.Sum256(inner[:64+n])
	copy(outer[64:], sum[:])
	return sha256.Sum256(outer[:])
}

// kdf is HKDF-SHA256 for a 32-byte secret and a short info; it fills out.
func kdf(salt, secret *[32]byte, info string, out []byte) {
	prk := mac32(salt, secret[:])
	var block [64]byte // previous block ‖ info ‖ counter
	n := 0             // bytes of the previous block: none for the first
	for i := byte(1); len(out) > 0; i++ {
		m := copy(block[n:], info)
		block[n+m] = i
		t := mac32(&prk, block[:n+m+1])
		out = out[copy(out, t[:]):]
		n = copy(block[:], t[:])
	}
}

// rootStep mixes a DH result into the root key and starts a chain.
func rootStep(root *[32]byte, dh []byte) (newRoot, chain [32]byte) {
	var out [64]byte
	kdf(root, (*[32]byte)(dh), infoRatchet, out[:])
	return [32]byte(out[:32]), [32]byte(out[32:])
}

// startSecret turns the concatenated agreement results into the root key. The second half of the output, a chain key for
// the signed prekey, is never used: see respond.
func startSecret(secret []byte, label string) (root [32]byte) {
	out, err := hkdf.Key(sha256.New, secret, nil, label, 64)
	if err != nil {
		panic("signal: HKDF refuses 64 bytes of SHA-256 output: " + err.Error())
	}
	return [32]byte(out[:32])
}

// messageKeys are the keys of one message.
type messageKeys struct {
	cipher [32]byte
	mac    [32]byte
	iv     [16]byte
}

func newMessageKeys(seed *[32]byte) (k messageKeys) {
	var zero [32]byte
	var out [80]byte
	kdf(&zero, seed, infoMessageKeys, out[:])
	copy(k.cipher[:], out[:32])
	copy(k.mac[:], out[32:64])
	copy(k.iv[:], out[64:])
	return k
}

// tag is the MAC of a message: it binds both identities, so a message cannot be moved to another pair.
func (k *messageKeys) tag(sender, receiver *PublicKey, body []byte) [macSize]byte {
	h := hmac.New(sha256.New, k.mac[:])
	h.Write(sender[:])
	h.Write(receiver[:])
	h.Write(body)
	var sum [sha256.Size]byte
	return [macSize]byte(h.Sum(sum[:0]))
}
