package pipeline

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Lifetimes of a number's prekeys. Source: design "The user network", section 3.
const (
	preKeyLife  = 7 * 24 * time.Hour
	preKeyGrace = 30 * 24 * time.Hour // how long the private half of a replaced prekey is kept
)

// numberKeys are the keys of a business number. A value is immutable; rotation makes a new one.
type numberKeys struct {
	identity signal.Identity
	signed   []preKey[signal.PrivateKey] // newest last
	kem      []preKey[signal.KEMPrivateKey]
}

type preKey[K any] struct {
	id      uint32
	key     K
	sig     []byte
	created int64 // Unix milliseconds
}

type oneTimeKey struct {
	id  uint32
	key signal.PrivateKey
}

// with makes the view that a first message needs.
func (k *numberKeys) with(one *oneTimeKey) signal.PreKeyStore { return preKeyView{k, one} }

type preKeyView struct {
	k   *numberKeys
	one *oneTimeKey
}

func (v preKeyView) SignedPreKey(id uint32) (signal.PrivateKey, bool) {
	for _, p := range v.k.signed {
		if p.id == id {
			return p.key, true
		}
	}
	return signal.PrivateKey{}, false
}

func (v preKeyView) KEMPreKey(id uint32) (signal.KEMPrivateKey, bool) {
	for _, p := range v.k.kem {
		if p.id == id {
			return p.key, true
		}
	}
	return signal.KEMPrivateKey{}, false
}

func (v preKeyView) OneTimePreKey(id uint32) (signal.PrivateKey, bool) {
	if v.one != nil && v.one.id == id {
		return v.one.key, true
	}
	return signal.PrivateKey{}, false
}

// keyring holds the keys of the business numbers of this process, loaded on first use.
type keyring struct {
	store KeyStore
	vault Sealer
	clock clock.Clock
	rand  io.Reader

	mu   sync.Mutex // guards the map only
	keys map[wa.PhoneNumberID]*ringEntry
}

// ringEntry is the place of one number in the keyring.
type ringEntry struct {
	mu   sync.Mutex // held while its keys are loaded or made: they are made once
	keys atomic.Pointer[numberKeys]
}

func newKeyring(store KeyStore, vault Sealer, c clock.Clock, r io.Reader) *keyring {
	return &keyring{store: store, vault: vault, clock: c, rand: r, keys: map[wa.PhoneNumberID]*ringEntry{}}
}

func (k *keyring) entry(id wa.PhoneNumberID) *ringEntry {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.keys[id]
	if e == nil {
		e = &ringEntry{}
		k.keys[id] = e
	}
	return e
}

// forget drops the keys of a number from memory.
func (k *keyring) forget(id wa.PhoneNumberID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.keys, id)
}

// Forget drops the keys of a number that is gone from memory; what is stored of them is destroyed by the vault.
func (p *Pipeline) Forget(number wa.PhoneNumberID) { p.keys.forget(number) }

func numberAD(id wa.PhoneNumberID) []byte { return []byte("number/" + string(id) + "/keys") }

func oneTimeAD(id wa.PhoneNumberID, n uint32) []byte {
	return fmt.Appendf(nil, "number/%s/one_time/%d", id, n)
}

// number returns the keys of a number, making them the first time and replacing prekeys that are a week old. New keys are
// durable before anyone sees them.
func (k *keyring) number(ctx context.Context, id wa.PhoneNumberID) (*numberKeys, error) {
	e := k.entry(id)
	if have := e.keys.Load(); have != nil && !k.due(have) {
		return have, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	have := e.keys.Load()
	if have == nil {
		var err error
		if have, err = k.load(ctx, id); err != nil {
			return nil, err
		}
	}
	next, err := k.refresh(have)
	if err != nil {
		return nil, fmt.Errorf("make keys of number %s: %w", id, err)
	}
	if next != have {
		sealed, err := k.vault.SealNumber(id, numberAD(id), next.append(nil))
		if err == nil {
			err = k.store.SaveNumberKeys(ctx, id, sealed)
		}
		if err != nil {
			return nil, fmt.Errorf("save keys of number %s: %w", id, err)
		}
	}
	e.keys.Store(next)
	return next, nil
}

// load returns nil when the number has no keys yet.
func (k *keyring) load(ctx context.Context, id wa.PhoneNumberID) (*numberKeys, error) {
	sealed, err := k.store.NumberKeys(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load keys of number %s: %w", id, err)
	}
	if sealed == nil {
		return nil, nil //nolint:nilnil // said above
	}
	plain, err := k.vault.Open(numberAD(id), sealed)
	if err != nil {
		return nil, fmt.Errorf("open keys of number %s: %w", id, err)
	}
	keys, err := parseNumberKeys(plain)
	if err != nil {
		return nil, fmt.Errorf("open keys of number %s: %w", id, err)
	}
	return keys, nil
}

// due reports whether the prekeys have to be replaced.
func (k *keyring) due(have *numberKeys) bool {
	newest := have.signed[len(have.signed)-1].created
	return k.clock.Now().UnixMilli()-newest >= preKeyLife.Milliseconds()
}

// refresh returns have itself when nothing is due.
func (k *keyring) refresh(have *numberKeys) (*numberKeys, error) {
	if have != nil && !k.due(have) {
		return have, nil
	}
	now := k.clock.Now().UnixMilli()
	next := &numberKeys{}
	if have != nil {
		next.identity = have.identity
		next.signed, next.kem = keep(have.signed, now), keep(have.kem, now)
	} else if err := k.identity(next); err != nil {
		return nil, err
	}
	signed, err := signal.GeneratePrivateKey(k.rand)
	if err != nil {
		return nil, err
	}
	kem, err := signal.GenerateKEMPrivateKey(k.rand)
	if err != nil {
		return nil, err
	}
	id := uint32(1)
	if have != nil {
		id = have.signed[len(have.signed)-1].id + 1
	}
	next.signed = append(next.signed, preKey[signal.PrivateKey]{id, signed, k.sign(next, signed.Public().Bytes()), now})
	next.kem = append(next.kem, preKey[signal.KEMPrivateKey]{id, kem, k.sign(next, kem.Public()), now})
	return next, nil
}

func (k *keyring) identity(n *numberKeys) error {
	key, err := signal.GeneratePrivateKey(k.rand)
	if err != nil {
		return err
	}
	var b [2]byte
	if _, err := io.ReadFull(k.rand, b[:]); err != nil {
		return err
	}
	n.identity = signal.Identity{Key: key, RegistrationID: uint32(binary.BigEndian.Uint16(b[:]))%16380 + 1}
	return nil
}

func (k *keyring) sign(n *numberKeys, key []byte) []byte {
	sig := n.identity.Key.Sign(k.rand, key)
	return sig[:]
}

func keep[K any](list []preKey[K], now int64) (kept []preKey[K]) {
	for _, p := range list {
		if now-p.created < (preKeyLife + preKeyGrace).Milliseconds() {
			kept = append(kept, p)
		}
	}
	return kept
}

// bundle makes what a device needs to begin a session, with a one-time prekey of its own that is durable before it leaves.
func (k *keyring) bundle(ctx context.Context, id wa.PhoneNumberID) (*signal.Bundle, error) {
	n, err := k.number(ctx, id)
	if err != nil {
		return nil, err
	}
	one, err := signal.GeneratePrivateKey(k.rand)
	if err != nil {
		return nil, err
	}
	var b [4]byte
	if _, err := io.ReadFull(k.rand, b[:]); err != nil {
		return nil, err
	}
	// 31 bits, never 0: an id drawn twice would void the key that somebody already holds.
	oneID := max(binary.BigEndian.Uint32(b[:])>>1, 1)
	sealed, err := k.vault.SealNumber(id, oneTimeAD(id, oneID), one.Bytes())
	if err != nil {
		return nil, err
	}
	if err := k.store.SaveOneTime(ctx, id, oneID, sealed, k.clock.Now()); err != nil {
		return nil, err
	}
	s, m := n.signed[len(n.signed)-1], n.kem[len(n.kem)-1]
	return &signal.Bundle{
		IdentityKey: n.identity.Key.Public(), RegistrationID: n.identity.RegistrationID,
		SignedPreKey:  signal.SignedPreKey{ID: s.id, Key: s.key.Public(), Sig: s.sig},
		KEMPreKey:     signal.KEMPreKey{ID: m.id, Key: m.key.Public(), Sig: m.sig},
		OneTimePreKey: &signal.OneTimePreKey{ID: oneID, Key: one.Public()},
	}, nil
}

// oneTime returns nil when the key is unknown or used up.
func (k *keyring) oneTime(ctx context.Context, id wa.PhoneNumberID, n uint32) (*oneTimeKey, error) {
	sealed, err := k.store.OneTime(ctx, id, n)
	if err != nil || sealed == nil {
		return nil, err
	}
	plain, err := k.vault.Open(oneTimeAD(id, n), sealed)
	if err != nil {
		return nil, err
	}
	key, err := signal.ParsePrivateKey(plain)
	if err != nil {
		return nil, err
	}
	return &oneTimeKey{n, key}, nil
}
