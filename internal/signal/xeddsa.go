package signal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"io"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// Sign makes an XEdDSA signature: an Ed25519 signature by an X25519 key. A nil r means [rand.Reader]. The nonce also
// depends on key and message, so a reader that fails or repeats costs nothing but the signature being repeatable.
// Source: "The XEdDSA and VXEdDSA Signature Schemes", section 2.4.
func (k PrivateKey) Sign(r io.Reader, msg []byte) (sig [64]byte) {
	a, err := edwards25519.NewScalar().SetBytesWithClamping(k.key.Bytes())
	if err != nil {
		panic("signal: X25519 private key is not 32 bytes") // ecdh guarantees the length
	}
	pub := new(edwards25519.Point).ScalarBaseMult(a).Bytes()
	if pub[31]&0x80 != 0 {
		// An X25519 key does not say which of the two Edwards points it is; the scheme fixes the one with sign 0.
		a.Negate(a)
		pub[31] &= 0x7f
	}

	var z [64]byte
	_, _ = io.ReadFull(randOr(r), z[:])
	prefix := bytes.Repeat([]byte{0xff}, 32) // hash_1: never the start of a point, so it cannot collide with the hash below
	prefix[0] = 0xfe
	nonce := wideScalar(prefix, a.Bytes(), msg, z[:])
	commitment := new(edwards25519.Point).ScalarBaseMult(nonce).Bytes()
	challenge := wideScalar(commitment, pub, msg)
	copy(sig[:32], commitment)
	copy(sig[32:], edwards25519.NewScalar().MultiplyAdd(challenge, a, nonce).Bytes())
	return sig
}

// Verify reports whether sig is an XEdDSA signature of msg by the owner of k. Besides the published scheme it accepts
// the older form, which carries the sign of the Edwards point in the top bit of the last byte.
func (k PublicKey) Verify(msg, sig []byte) bool {
	if len(sig) != ed25519.SignatureSize || k[0] != keyTypeX25519 {
		return false
	}
	u, err := new(field.Element).SetBytes(k[1:])
	if err != nil || !bytes.Equal(u.Bytes(), k[1:]) {
		return false // not the one canonical encoding: a second name for the same key
	}
	// Birational map from the Montgomery to the Edwards curve: y = (u-1)/(u+1).
	one := new(field.Element).One()
	y := new(field.Element).Add(u, one)
	y.Multiply(new(field.Element).Subtract(u, one), y.Invert(y))
	point := y.Bytes()

	plain := [ed25519.SignatureSize]byte(sig)
	point[31] |= plain[63] & 0x80
	plain[63] &= 0x7f
	return ed25519.Verify(point, msg, plain[:])
}

// wideScalar is SHA-512 of the parts, reduced modulo the order of the group.
func wideScalar(parts ...[]byte) *edwards25519.Scalar {
	h := sha512.New()
	for _, p := range parts {
		h.Write(p)
	}
	s, err := edwards25519.NewScalar().SetUniformBytes(h.Sum(nil))
	if err != nil {
		panic("signal: SHA-512 is not 64 bytes")
	}
	return s
}
