package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

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

	mu   sync.Mutex // held while keys of one number are made: they are made once
	keys map[wa.PhoneNumberID]*numberKeys
}

func newKeyring(store KeyStore, vault Sealer, c clock.Clock, r io.Reader) *keyring {
	return &keyring{store: store, vault: vault, clock: c, rand: r, keys: map[wa.PhoneNumberID]*numberKeys{}}
}

func numberAD(id wa.PhoneNumberID) []byte { return []byte("number/" + string(id) + "/keys") }

func oneTimeAD(id wa.PhoneNumberID, n uint32) []byte {
	return fmt.Appendf(nil, "number/%s/one_time/%d", id, n)
}

// number returns the keys of a number, making them the first time and replacing prekeys that are a week old. New keys are
// durable before anyone sees them.
func (k *keyring) number(ctx context.Context, id wa.PhoneNumberID) (*numberKeys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	have := k.keys[id]
	if have == nil {
		sealed, err := k.store.NumberKeys(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("load keys of number %s: %w", id, err)
		}
		if sealed != nil {
			plain, err := k.vault.Open(numberAD(id), sealed)
			if err == nil {
				have, err = parseNumberKeys(plain)
			}
			if err != nil {
				return nil, fmt.Errorf("open keys of number %s: %w", id, err)
			}
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
	k.keys[id] = next
	return next, nil
}

// refresh returns have itself when nothing is due.
func (k *keyring) refresh(have *numberKeys) (*numberKeys, error) {
	now := k.clock.Now().UnixMilli()
	if have != nil && now-have.signed[len(have.signed)-1].created < preKeyLife.Milliseconds() {
		return have, nil
	}
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
	oneID := binary.BigEndian.Uint32(b[:])>>8 + 1 // 24 bits, never 0
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

// ---- stored form: protobuf fields, 1 identity, 2 registration id, 3 signed prekeys, 4 KEM prekeys ----

var errNumberKeys = errors.New("malformed keys of a number")

func (n *numberKeys) append(b []byte) []byte {
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendBytes(b, n.identity.Key.Bytes())
	b = protowire.AppendTag(b, 2, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(n.identity.RegistrationID))
	for _, p := range n.signed {
		b = appendPreKey(b, 3, p.id, p.key.Bytes(), p.sig, p.created)
	}
	for _, p := range n.kem {
		b = appendPreKey(b, 4, p.id, p.key.Bytes(), p.sig, p.created)
	}
	return b
}

func appendPreKey(b []byte, field protowire.Number, id uint32, key, sig []byte, created int64) []byte {
	var in []byte
	in = protowire.AppendVarint(in, uint64(id))
	in = protowire.AppendVarint(in, uint64(created)) //nolint:gosec // times after 1970
	in = protowire.AppendBytes(in, key)
	in = protowire.AppendBytes(in, sig)
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, in)
}

func parsePreKey(b []byte) (id uint32, key, sig []byte, created int64, err error) {
	i, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, nil, nil, 0, errNumberKeys
	}
	b = b[n:]
	at, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, nil, nil, 0, errNumberKeys
	}
	b = b[n:]
	key, n = protowire.ConsumeBytes(b)
	if n < 0 {
		return 0, nil, nil, 0, errNumberKeys
	}
	sig, n = protowire.ConsumeBytes(b[n:])
	if n < 0 {
		return 0, nil, nil, 0, errNumberKeys
	}
	return uint32(i), key, sig, int64(at), nil //nolint:gosec // written by appendPreKey
}

func parseNumberKeys(b []byte) (*numberKeys, error) {
	n := &numberKeys{}
	for len(b) > 0 {
		field, typ, size := protowire.ConsumeTag(b)
		if size < 0 {
			return nil, errNumberKeys
		}
		b = b[size:]
		if typ == protowire.VarintType {
			v, size := protowire.ConsumeVarint(b)
			if size < 0 {
				return nil, errNumberKeys
			}
			b = b[size:]
			if field == 2 {
				n.identity.RegistrationID = uint32(v) //nolint:gosec // 14 bits
			}
			continue
		}
		v, size := protowire.ConsumeBytes(b)
		if typ != protowire.BytesType || size < 0 {
			return nil, errNumberKeys
		}
		b = b[size:]
		if err := n.field(field, v); err != nil {
			return nil, err
		}
	}
	if n.identity.Key.IsZero() || len(n.signed) == 0 || len(n.kem) == 0 {
		return nil, errNumberKeys
	}
	return n, nil
}

func (n *numberKeys) field(field protowire.Number, v []byte) (err error) {
	switch field {
	case 1:
		n.identity.Key, err = signal.ParsePrivateKey(v)
	case 3:
		p := preKey[signal.PrivateKey]{}
		var key []byte
		if p.id, key, p.sig, p.created, err = parsePreKey(v); err == nil {
			p.key, err = signal.ParsePrivateKey(key)
		}
		n.signed = append(n.signed, p)
	case 4:
		p := preKey[signal.KEMPrivateKey]{}
		var key []byte
		if p.id, key, p.sig, p.created, err = parsePreKey(v); err == nil {
			p.key, err = signal.ParseKEMPrivateKey(key)
		}
		n.kem = append(n.kem, p)
	}
	return err
}
