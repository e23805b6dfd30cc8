package signal

import (
	"crypto/mlkem"
	"fmt"
	"io"
)

// keyTypeMLKEM1024 is the first byte of ML-KEM-1024 public keys and ciphertexts on the wire.
const keyTypeMLKEM1024 = 0x0a

// KEM is the key encapsulation of a [Suite]. Keys and ciphertexts are in wire form, including their type byte; the
// shared secret is 32 bytes. Implementations hold no state and are safe for concurrent use.
type KEM interface {
	// CheckPublicKey reports whether key can be encapsulated to. Errors: [ErrFormat].
	CheckPublicKey(key []byte) error
	// Encapsulate makes a fresh secret and the ciphertext that carries it to the owner of key. Errors: [ErrFormat].
	Encapsulate(r io.Reader, key []byte) (secret, ciphertext []byte, err error)
	// Decapsulate opens a ciphertext. A damaged one gives a wrong secret, not an error, so the MAC decides. Errors:
	// [ErrFormat].
	Decapsulate(key KEMPrivateKey, ciphertext []byte) (secret []byte, err error)
}

// KEMPrivateKey is an ML-KEM-1024 private key as its 64-byte seed, expanded on use (about 60 µs): the expanded form is
// 13.5 kB, too much to keep per device. The zero value is no key.
type KEMPrivateKey struct {
	seed [mlkem.SeedSize]byte
}

// GenerateKEMPrivateKey takes 64 bytes from r and makes them a seed. A nil r means [rand.Reader]. Errors: those of r.
func GenerateKEMPrivateKey(r io.Reader) (KEMPrivateKey, error) {
	var k KEMPrivateKey
	if _, err := io.ReadFull(randOr(r), k.seed[:]); err != nil {
		return KEMPrivateKey{}, fmt.Errorf("read randomness for a KEM seed: %w", err)
	}
	return k, nil
}

// ParseKEMPrivateKey reads the 64-byte form that [KEMPrivateKey.Bytes] returns. Errors: [ErrFormat].
func ParseKEMPrivateKey(b []byte) (KEMPrivateKey, error) {
	if len(b) != mlkem.SeedSize {
		return KEMPrivateKey{}, fmt.Errorf("KEM seed of %d bytes: %w", len(b), ErrFormat)
	}
	return KEMPrivateKey{seed: [mlkem.SeedSize]byte(b)}, nil
}

// Bytes returns a copy of the 64-byte seed.
func (k KEMPrivateKey) Bytes() []byte { return k.seed[:] }

// String hides the secret from logs.
func (k KEMPrivateKey) String() string { return "signal.KEMPrivateKey(hidden)" }

// Public returns the public key in wire form: 0A and 1568 bytes. It expands the key.
func (k KEMPrivateKey) Public() []byte {
	return append([]byte{keyTypeMLKEM1024}, k.expand().EncapsulationKey().Bytes()...)
}

func (k KEMPrivateKey) expand() *mlkem.DecapsulationKey1024 {
	key, err := mlkem.NewDecapsulationKey1024(k.seed[:])
	if err != nil {
		panic("signal: KEM seed is not 64 bytes") // the array type guarantees the length
	}
	return key
}

// mlkem1024 is the KEM of suites that name none.
type mlkem1024 struct{}

func (mlkem1024) CheckPublicKey(key []byte) error {
	_, err := mlkem1024{}.parse(key)
	return err
}

func (mlkem1024) parse(key []byte) (*mlkem.EncapsulationKey1024, error) {
	if len(key) != 1+mlkem.EncapsulationKeySize1024 || key[0] != keyTypeMLKEM1024 {
		return nil, fmt.Errorf("KEM public key of %d bytes: %w", len(key), ErrFormat)
	}
	ek, err := mlkem.NewEncapsulationKey1024(key[1:])
	if err != nil {
		return nil, fmt.Errorf("KEM public key: %w", ErrFormat)
	}
	return ek, nil
}

// Encapsulate ignores its reader: crypto/mlkem takes its randomness from the system.
func (mlkem1024) Encapsulate(_ io.Reader, key []byte) (secret, ciphertext []byte, err error) {
	ek, err := mlkem1024{}.parse(key)
	if err != nil {
		return nil, nil, err
	}
	secret, body := ek.Encapsulate()
	ciphertext = make([]byte, 0, 1+len(body))
	return secret, append(append(ciphertext, keyTypeMLKEM1024), body...), nil
}

func (mlkem1024) Decapsulate(key KEMPrivateKey, ciphertext []byte) ([]byte, error) {
	if len(ciphertext) != 1+mlkem.CiphertextSize1024 || ciphertext[0] != keyTypeMLKEM1024 {
		return nil, fmt.Errorf("KEM ciphertext of %d bytes: %w", len(ciphertext), ErrFormat)
	}
	secret, err := key.expand().Decapsulate(ciphertext[1:])
	if err != nil {
		return nil, fmt.Errorf("KEM ciphertext: %w", ErrFormat)
	}
	return secret, nil
}
