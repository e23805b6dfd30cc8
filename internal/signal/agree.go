package signal

import (
	"fmt"
	"io"
)

// PreKeyStore gives the private halves of prekeys this side has handed out. A false result means the key is unknown,
// expired or used up. It is called before anything is authenticated and must not change because of it.
type PreKeyStore interface {
	SignedPreKey(id uint32) (PrivateKey, bool)
	KEMPreKey(id uint32) (KEMPrivateKey, bool)
	OneTimePreKey(id uint32) (PrivateKey, bool)
}

// Source: "The PQXDH Key Agreement Protocol", section 2.2: 32 bytes that no encoded key starts with.
func secretPrefix() []byte {
	secret := make([]byte, 32, 32*6)
	for i := range secret {
		secret[i] = 0xff
	}
	return secret
}

// agreement appends DH results and keeps the first error.
type agreement struct {
	secret []byte
	err    error
}

func (a *agreement) dh(k PrivateKey, pub PublicKey) {
	if a.err != nil {
		return
	}
	var part []byte
	part, a.err = k.dh(pub)
	a.secret = append(a.secret, part...)
}

// Initiate starts a session towards the owner of the bundle, whose signatures it verifies. The session has sent nothing
// yet; every message of it is a first message until [Session.Confirm] or an answer. A nil r means [rand.Reader].
// Errors: [ErrBadSignature], [ErrKEMRequired], [ErrBadKey], [ErrFormat], those of r.
func Initiate(r io.Reader, suite Suite, local Identity, remote *Bundle) (*Session, error) {
	st, err := initiate(r, suite, local, remote)
	if err != nil {
		return nil, fmt.Errorf("initiate session: %w", err)
	}
	return &Session{cur: st}, nil
}

func initiate(r io.Reader, suite Suite, local Identity, remote *Bundle) (*state, error) {
	if err := remote.verifySignatures(); err != nil {
		return nil, err
	}
	if !remote.hasKEM() && !suite.AllowX3DH {
		return nil, ErrKEMRequired
	}
	base, err := GeneratePrivateKey(r)
	if err != nil {
		return nil, err
	}
	st := &state{
		version: versionX3DH, local: local.Key.pub, remote: remote.IdentityKey, base: base.pub,
		first: &preKeyHeader{regID: local.RegistrationID, signedID: remote.SignedPreKey.ID},
	}
	a := agreement{secret: secretPrefix()}
	a.dh(local.Key, remote.SignedPreKey.Key)
	a.dh(base, remote.IdentityKey)
	a.dh(base, remote.SignedPreKey.Key)
	if k := remote.OneTimePreKey; k != nil {
		st.first.oneTime, st.first.oneTimeID = true, k.ID
		a.dh(base, k.Key)
	}
	if a.err != nil {
		return nil, a.err
	}
	if remote.hasKEM() {
		secret, text, err := suite.kem().Encapsulate(r, remote.KEMPreKey.Key)
		if err != nil {
			return nil, err
		}
		a.secret = append(a.secret, secret...)
		st.version, st.first.kemID, st.first.kemText = versionKEM, remote.KEMPreKey.ID, text
	}
	root := startSecret(a.secret, suite.label(st.version))
	return st, st.startSending(r, root, remote.SignedPreKey.Key)
}

// startSending makes the first sending chain, from the peer's signed prekey as its first ratchet key.
func (st *state) startSending(r io.Reader, root [32]byte, signed PublicKey) error {
	own, err := GeneratePrivateKey(r)
	if err != nil {
		return err
	}
	secret, err := own.dh(signed)
	if err != nil {
		return err
	}
	st.root, st.chain = rootStep(&root, secret)
	st.own, st.sending = newOwnKey(own), true
	return nil
}

// respond builds the state a first message asks for, as if its initiator's ratchet had not turned yet: our signed prekey
// is our ratchet key. It has to be followed by opening the inner message, which turns the ratchet before anything can be
// sent, so the chain of the signed prekey itself never carries a message and is not kept.
func respond(suite Suite, local Identity, keys PreKeyStore, p *preKeyMessage) (*state, error) {
	if p.version == versionX3DH && !suite.AllowX3DH {
		return nil, ErrKEMRequired
	}
	signed, ok := keys.SignedPreKey(p.signedID)
	if !ok {
		return nil, fmt.Errorf("signed prekey %d: %w", p.signedID, ErrUnknownPreKey)
	}
	a := agreement{secret: secretPrefix()}
	a.dh(signed, p.identity)
	a.dh(local.Key, p.base)
	a.dh(signed, p.base)
	if p.oneTimeID != nil {
		oneTime, ok := keys.OneTimePreKey(*p.oneTimeID)
		if !ok {
			return nil, fmt.Errorf("one-time prekey %d: %w", *p.oneTimeID, ErrUnknownPreKey)
		}
		a.dh(oneTime, p.base)
	}
	if a.err != nil {
		return nil, a.err
	}
	if p.version == versionKEM {
		kemKey, ok := keys.KEMPreKey(p.kemID)
		if !ok {
			return nil, fmt.Errorf("KEM prekey %d: %w", p.kemID, ErrUnknownPreKey)
		}
		secret, err := suite.kem().Decapsulate(kemKey, p.kemText)
		if err != nil {
			return nil, err
		}
		a.secret = append(a.secret, secret...)
	}
	st := &state{version: p.version, local: local.Key.pub, remote: p.identity, base: p.base}
	st.root = startSecret(a.secret, suite.label(p.version))
	st.own, st.sending = newOwnKey(signed), true
	return st, nil
}
