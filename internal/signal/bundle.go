package signal

import "fmt"

// Identity is what a side is known by in all its sessions.
type Identity struct {
	Key            PrivateKey
	RegistrationID uint32 // 1–16380, new on every fresh install; sent with first messages
}

// SignedPreKey is a medium-term X25519 key. Sig is the identity key's XEdDSA signature over the 33-byte key.
type SignedPreKey struct {
	ID  uint32
	Key PublicKey
	Sig []byte
}

// KEMPreKey is a KEM public key in wire form (0A and 1568 bytes), signed like a [SignedPreKey] over all its bytes. An
// empty Key means there is none.
type KEMPreKey struct {
	ID  uint32
	Key []byte
	Sig []byte
}

// OneTimePreKey is an X25519 key handed out once.
type OneTimePreKey struct {
	ID  uint32
	Key PublicKey
}

// Bundle is what somebody needs to write to a side that is not there.
type Bundle struct {
	IdentityKey    PublicKey
	RegistrationID uint32
	SignedPreKey   SignedPreKey
	KEMPreKey      KEMPreKey
	OneTimePreKey  *OneTimePreKey // nil if none was left: weaker forward secrecy for the first message
}

// Verify checks signatures and forms of everything in the bundle, with ML-KEM-1024 as its KEM. A bundle without KEM key
// passes: whether that is enough is the policy of [Suite.AllowX3DH]. Errors: [ErrBadSignature], [ErrFormat].
func (b *Bundle) Verify() error {
	if err := b.verifySignatures(); err != nil {
		return err
	}
	if !b.hasKEM() {
		return nil
	}
	return mlkem1024{}.CheckPublicKey(b.KEMPreKey.Key)
}

func (b *Bundle) hasKEM() bool { return len(b.KEMPreKey.Key) > 0 }

func (b *Bundle) verifySignatures() error {
	for _, k := range []PublicKey{b.IdentityKey, b.SignedPreKey.Key} {
		if k[0] != keyTypeX25519 {
			return fmt.Errorf("bundle key: %w", ErrFormat)
		}
	}
	if b.OneTimePreKey != nil && b.OneTimePreKey.Key[0] != keyTypeX25519 {
		return fmt.Errorf("one-time prekey %d: %w", b.OneTimePreKey.ID, ErrFormat)
	}
	if !b.IdentityKey.Verify(b.SignedPreKey.Key[:], b.SignedPreKey.Sig) {
		return fmt.Errorf("signed prekey %d: %w", b.SignedPreKey.ID, ErrBadSignature)
	}
	if b.hasKEM() && !b.IdentityKey.Verify(b.KEMPreKey.Key, b.KEMPreKey.Sig) {
		return fmt.Errorf("KEM prekey %d: %w", b.KEMPreKey.ID, ErrBadSignature)
	}
	return nil
}
