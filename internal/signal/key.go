package signal

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"io"
)

// keyTypeX25519 is the first byte of every X25519 public key on the wire.
const keyTypeX25519 = 0x05

// PublicKey is an X25519 public key in wire form: the byte 05 and the 32-byte key. The zero value is no key. Two keys
// are the same key if they compare equal with ==.
type PublicKey [33]byte

// ParsePublicKey checks length and type byte of a key in wire form. Errors: [ErrFormat].
func ParsePublicKey(b []byte) (PublicKey, error) {
	if len(b) != len(PublicKey{}) || b[0] != keyTypeX25519 {
		return PublicKey{}, fmt.Errorf("public key of %d bytes: %w", len(b), ErrFormat)
	}
	return PublicKey(b), nil
}

// IsZero reports whether k is the zero value, which is not a key.
func (k PublicKey) IsZero() bool { return k == PublicKey{} }

// Bytes returns a copy of the 33-byte wire form.
func (k PublicKey) Bytes() []byte { return k[:] }

func publicFromRaw(raw []byte) PublicKey {
	k := PublicKey{keyTypeX25519}
	copy(k[1:], raw)
	return k
}

// PrivateKey is an X25519 private key that is ready for use: it keeps the expanded object, because making one from bytes
// costs a scalar multiplication (about 50 µs). It is immutable and safe for concurrent use. The zero value is no key
// and must not be used for anything but [PrivateKey.IsZero].
type PrivateKey struct {
	key *ecdh.PrivateKey
	pub PublicKey
}

// GeneratePrivateKey takes 32 bytes from r and makes them a key. A nil r means [rand.Reader]. Errors: those of r.
func GeneratePrivateKey(r io.Reader) (PrivateKey, error) {
	var raw [32]byte
	// Not ecdh's GenerateKey: it ignores its reader, and recorded transcripts need to choose the key.
	if _, err := io.ReadFull(randOr(r), raw[:]); err != nil {
		return PrivateKey{}, fmt.Errorf("read randomness for a private key: %w", err)
	}
	return ParsePrivateKey(raw[:])
}

// ParsePrivateKey expands the 32-byte form that [PrivateKey.Bytes] returns. It takes about 50 µs: call it once per key,
// not once per message. Errors: [ErrFormat].
func ParsePrivateKey(b []byte) (PrivateKey, error) {
	key, err := ecdh.X25519().NewPrivateKey(b)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("private key of %d bytes: %w", len(b), ErrFormat)
	}
	return PrivateKey{key: key, pub: publicFromRaw(key.PublicKey().Bytes())}, nil
}

// IsZero reports whether k is the zero value, which is not a key.
func (k PrivateKey) IsZero() bool { return k.key == nil }

// Bytes returns a copy of the 32-byte secret.
func (k PrivateKey) Bytes() []byte { return k.key.Bytes() }

// Public returns the public half; it costs nothing.
func (k PrivateKey) Public() PublicKey { return k.pub }

// String hides the secret from logs.
func (k PrivateKey) String() string { return "signal.PrivateKey(hidden)" }

// dh is X25519. It refuses the all-zero result a low-order public key gives (RFC 7748, section 6.1).
func (k PrivateKey) dh(pub PublicKey) ([]byte, error) {
	remote, err := ecdh.X25519().NewPublicKey(pub[1:])
	if err != nil {
		return nil, fmt.Errorf("public key: %w", ErrBadKey)
	}
	secret, err := k.key.ECDH(remote)
	if err != nil {
		return nil, fmt.Errorf("agreement: %w", ErrBadKey)
	}
	return secret, nil
}

func randOr(r io.Reader) io.Reader {
	if r == nil {
		return rand.Reader
	}
	return r
}
