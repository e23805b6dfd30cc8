package signal_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/hikyaku/hikyaku/internal/signal"
)

// Test names quote the rules of design "The user network", section 5.

func TestUnknownPreKeys(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(*peer){
		"signed":   func(p *peer) { clear(p.signed) },
		"kem":      func(p *peer) { clear(p.kem) },
		"one-time": func(p *peer) { clear(p.oneTime) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newPeer(t), newPeer(t)
			a.initiate(b)
			m := a.send("x")
			forget(b)
			b.mustRefuse(m, signal.ErrUnknownPreKey)
		})
	}
}

func TestSessionWithoutOneTimePreKey(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	bundle := b.bundle()
	bundle.OneTimePreKey = nil
	var err error
	if a.session, err = signal.Initiate(nil, a.suite, a.id, bundle); err != nil {
		t.Fatal(err)
	}
	a.session = reloaded(t, a.session)
	m := a.send("x")
	b.mustReceive(m)
	b.mustRefuse(m, signal.ErrDuplicate)
	if len(b.oneTime) != 1 {
		t.Fatal("one-time prekey used")
	}
}

func TestX3DHOnlyWhenBothPoliciesAllow(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	bundle := b.bundle()
	bundle.KEMPreKey = signal.KEMPreKey{}
	if err := bundle.Verify(); err != nil {
		t.Fatal(err)
	}
	if _, err := signal.Initiate(nil, a.suite, a.id, bundle); !errors.Is(err, signal.ErrKEMRequired) {
		t.Fatalf("initiator: %v", err)
	}
	a.suite.AllowX3DH = true
	var err error
	if a.session, err = signal.Initiate(nil, a.suite, a.id, bundle); err != nil {
		t.Fatal(err)
	}
	a.session = reloaded(t, a.session)
	m := a.send("x")
	b.mustRefuse(m, signal.ErrKEMRequired)
	b.suite.AllowX3DH = true
	b.mustReceive(m)
	if m.wire[0] != 0x33 {
		t.Fatalf("version %02x", m.wire[0])
	}
	a.mustReceive(b.send("y"))
}

func TestDowngradeIsRefused(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	b.suite.AllowX3DH = true
	a.initiate(b)
	m := a.send("x")
	m.wire[0] = 0x33
	b.mustRefuse(m, signal.ErrFormat)
	m.wire[0] = 0x45
	b.mustRefuse(m, signal.ErrFormat)
	b.mustRefuse(parcel{kind: "evt", wire: m.wire}, signal.ErrFormat)
}

func TestBundleIsVerified(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*signal.Bundle)
		want  error
	}{
		"signed prekey":    {func(b *signal.Bundle) { b.SignedPreKey.Key[5] ^= 1 }, signal.ErrBadSignature},
		"its signature":    {func(b *signal.Bundle) { b.SignedPreKey.Sig = b.SignedPreKey.Sig[:63] }, signal.ErrBadSignature},
		"KEM prekey":       {func(b *signal.Bundle) { b.KEMPreKey.Key[5] ^= 1 }, signal.ErrBadSignature},
		"KEM signature":    {func(b *signal.Bundle) { b.KEMPreKey.Sig[5] ^= 1 }, signal.ErrBadSignature},
		"identity":         {func(b *signal.Bundle) { b.IdentityKey[0] = 6 }, signal.ErrFormat},
		"one-time prekey":  {func(b *signal.Bundle) { b.OneTimePreKey.Key[0] = 0 }, signal.ErrFormat},
		"empty signed key": {func(b *signal.Bundle) { b.SignedPreKey.Key = signal.PublicKey{} }, signal.ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newPeer(t), newPeer(t)
			bundle := b.bundle()
			if err := bundle.Verify(); err != nil {
				t.Fatal(err)
			}
			c.spoil(bundle)
			if err := bundle.Verify(); !errors.Is(err, c.want) {
				t.Errorf("Verify: %v, want %v", err, c.want)
			}
			if _, err := signal.Initiate(nil, a.suite, a.id, bundle); !errors.Is(err, c.want) {
				t.Errorf("Initiate: %v, want %v", err, c.want)
			}
		})
	}
}

func TestSignedKEMKeyOfWrongForm(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	for _, key := range [][]byte{{0x0a}, slices.Concat([]byte{8}, b.kem[9].Public()[1:]), slices.Repeat([]byte{0x0a}, 1570)} {
		bundle := b.bundle()
		sig := b.id.Key.Sign(nil, key)
		bundle.KEMPreKey = signal.KEMPreKey{ID: 9, Key: key, Sig: sig[:]}
		if err := bundle.Verify(); !errors.Is(err, signal.ErrFormat) {
			t.Errorf("Verify: %v", err)
		}
		if _, err := signal.Initiate(nil, a.suite, a.id, bundle); !errors.Is(err, signal.ErrFormat) {
			t.Errorf("Initiate: %v", err)
		}
	}
}

func TestZeroResultsOfDHAreRefused(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	bundle := b.bundle()
	bundle.OneTimePreKey.Key = signal.PublicKey{5} // the point of order two: every scalar gives zero
	if _, err := signal.Initiate(nil, a.suite, a.id, bundle); !errors.Is(err, signal.ErrBadKey) {
		t.Fatal(err)
	}
	a.initiate(b)
	m := a.send("x")
	base, err := signal.BaseKey(m.wire)
	if err != nil {
		t.Fatal(err)
	}
	low := signal.PublicKey{5}
	m.wire = bytes.Replace(m.wire, base[:], low[:], 1)
	b.mustRefuse(m, signal.ErrBadKey)

	a, b = pair(t)
	m = b.send("y")
	ratchet, _, err := signal.RatchetKey(m.wire)
	if err != nil {
		t.Fatal(err)
	}
	a.send("z") // so that a has a ratchet key to agree with
	m.wire = bytes.Replace(m.wire, ratchet[:], low[:], 1)
	a.mustRefuse(m, signal.ErrBadKey)
}
