package signal_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/hikyaku/hikyaku/internal/signal"
)

// peer is one side of a conversation: an identity, its prekeys and its session with the other side.
type peer struct {
	tb      testing.TB
	suite   signal.Suite
	id      signal.Identity
	signed  map[uint32]signal.PrivateKey
	kem     map[uint32]signal.KEMPrivateKey
	oneTime map[uint32]signal.PrivateKey
	session *signal.Session
	made    uint32 // one-time prekeys made so far
}

func newPeer(tb testing.TB) *peer {
	tb.Helper()
	p := &peer{
		tb: tb, signed: map[uint32]signal.PrivateKey{}, kem: map[uint32]signal.KEMPrivateKey{},
		oneTime: map[uint32]signal.PrivateKey{},
	}
	p.id = signal.Identity{Key: newKey(tb), RegistrationID: 4711}
	p.signed[7] = newKey(tb)
	kem, err := signal.GenerateKEMPrivateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	p.kem[9] = kem
	return p
}

func newKey(tb testing.TB) signal.PrivateKey {
	tb.Helper()
	k, err := signal.GeneratePrivateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func (p *peer) SignedPreKey(id uint32) (signal.PrivateKey, bool) {
	k, ok := p.signed[id]
	return k, ok
}

func (p *peer) KEMPreKey(id uint32) (signal.KEMPrivateKey, bool) {
	k, ok := p.kem[id]
	return k, ok
}

func (p *peer) OneTimePreKey(id uint32) (signal.PrivateKey, bool) {
	k, ok := p.oneTime[id]
	return k, ok
}

// bundle hands out the peer's keys, with a new one-time prekey.
func (p *peer) bundle() *signal.Bundle {
	p.made++
	one := newKey(p.tb)
	p.oneTime[p.made] = one
	signed := p.signed[7].Public()
	kem := p.kem[9].Public()
	sigSigned := p.id.Key.Sign(nil, signed[:])
	sigKEM := p.id.Key.Sign(nil, kem)
	return &signal.Bundle{
		IdentityKey: p.id.Key.Public(), RegistrationID: p.id.RegistrationID,
		SignedPreKey:  signal.SignedPreKey{ID: 7, Key: signed, Sig: sigSigned[:]},
		KEMPreKey:     signal.KEMPreKey{ID: 9, Key: kem, Sig: sigKEM[:]},
		OneTimePreKey: &signal.OneTimePreKey{ID: p.made, Key: one.Public()},
	}
}

// initiate starts a session towards to, keeping what p had.
func (p *peer) initiate(to *peer) {
	p.tb.Helper()
	s, err := signal.Initiate(nil, p.suite, p.id, to.bundle())
	if err != nil {
		p.tb.Fatal(err)
	}
	s.Inherit(p.session)
	p.session = s
}

// parcel is a message on its way.
type parcel struct {
	kind signal.Kind
	wire []byte
	text string
}

func (p *peer) send(text string) parcel {
	p.tb.Helper()
	kind, wire, err := p.session.Encrypt(nil, []byte(text))
	if err != nil {
		p.tb.Fatal(err)
	}
	return parcel{kind, wire, text}
}

// receive decrypts m and stores what has to be stored. After an error it checks that the session did not change.
func (p *peer) receive(m parcel) error {
	p.tb.Helper()
	before := stored(p.tb, p.session)
	plaintext, next, oneTime, err := signal.Receive(nil, p.suite, p.id, p, p.session, m.kind, m.wire)
	if err != nil {
		if !bytes.Equal(stored(p.tb, p.session), before) {
			p.tb.Fatalf("session changed by a refused message: %v", err)
		}
		if next != nil || plaintext != nil || oneTime != nil {
			p.tb.Fatalf("results beside an error: %v", err)
		}
		return err
	}
	if string(plaintext) != m.text {
		p.tb.Fatalf("received %q, want %q", plaintext, m.text)
	}
	p.session = next
	if oneTime != nil {
		delete(p.oneTime, *oneTime)
	}
	return nil
}

func (p *peer) mustReceive(ms ...parcel) {
	p.tb.Helper()
	for i, m := range ms {
		if err := p.receive(m); err != nil {
			p.tb.Fatalf("message %d (%q): %v", i, m.text, err)
		}
	}
}

func (p *peer) mustRefuse(m parcel, want error) {
	p.tb.Helper()
	if err := p.receive(m); !errors.Is(err, want) {
		p.tb.Fatalf("%q: got %v, want %v", m.text, err, want)
	}
}

// pair returns two peers in the middle of a conversation.
func pair(tb testing.TB) (a, b *peer) {
	tb.Helper()
	a, b = newPeer(tb), newPeer(tb)
	a.initiate(b)
	b.mustReceive(a.send("first"))
	a.mustReceive(b.send("second"))
	return a, b
}

// burst sends n messages.
func (p *peer) burst(n int) []parcel {
	p.tb.Helper()
	ms := make([]parcel, n)
	for i := range ms {
		ms[i] = p.send(fmt.Sprintf("message %d", i))
	}
	return ms
}
