package device

import (
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
)

// Lives of prekeys. Source: design "The user network", section 3.
const (
	rotateEvery = 7 * 24 * time.Hour  // a new signed and KEM prekey
	keepOld     = 30 * 24 * time.Hour // private parts of replaced ones, after that
	// keepOneTime bounds the private parts of one-time prekeys that were handed out for first messages that never came.
	keepOneTime = 500
	// rotateAgain bounds how often a peer's complaint makes new keys: sooner, the present ones are uploaded again.
	rotateAgain = 10 * time.Minute
)

// keyring holds the device's private keys in their short forms; they are expanded when they are used, because thousands of
// devices may live in one process.
type keyring struct {
	identity signal.PrivateKey // expanded from the account's seed when first needed

	Signed  []signedKey `json:"signed"` // newest last
	KEM     []kemKey    `json:"kem"`    // newest last
	OneTime []oneTime   `json:"one_time"`
	NextID  uint32      `json:"next_id"`
	Upload  bool        `json:"upload,omitempty"` // the server does not have the newest signed and KEM prekeys yet
	upload  uint64      // request number of the upload in flight
	retryAt time.Time   // no upload before
}

type signedKey struct {
	ID   uint32   `json:"id"`
	Seed [32]byte `json:"seed"`
	Made int64    `json:"made"` // Unix seconds
}

type kemKey struct {
	ID   uint32   `json:"id"`
	Seed [64]byte `json:"seed"`
	Made int64    `json:"made"`
}

type oneTime struct {
	ID   uint32   `json:"id"`
	Seed [32]byte `json:"seed"`
	New  bool     `json:"new,omitempty"` // the server does not have it yet
}

func encodeID(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (d *Device) local() signal.Identity {
	if d.keys.identity.IsZero() {
		// The seed was checked when the device was made or loaded.
		k, err := signal.ParsePrivateKey(d.me.IdentitySeed)
		if err != nil {
			panic("device: identity seed: " + err.Error())
		}
		d.keys.identity = k
	}
	return signal.Identity{Key: d.keys.identity, RegistrationID: d.me.RegistrationID}
}

// SignedPreKey implements signal.PreKeyStore.
func (k *keyring) SignedPreKey(id uint32) (signal.PrivateKey, bool) {
	for i := range k.Signed {
		if k.Signed[i].ID == id {
			p, err := signal.ParsePrivateKey(k.Signed[i].Seed[:])
			return p, err == nil
		}
	}
	return signal.PrivateKey{}, false
}

// KEMPreKey implements signal.PreKeyStore.
func (k *keyring) KEMPreKey(id uint32) (signal.KEMPrivateKey, bool) {
	for i := range k.KEM {
		if k.KEM[i].ID == id {
			p, err := signal.ParseKEMPrivateKey(k.KEM[i].Seed[:])
			return p, err == nil
		}
	}
	return signal.KEMPrivateKey{}, false
}

// OneTimePreKey implements signal.PreKeyStore.
func (k *keyring) OneTimePreKey(id uint32) (signal.PrivateKey, bool) {
	for i := range k.OneTime {
		if k.OneTime[i].ID == id {
			p, err := signal.ParsePrivateKey(k.OneTime[i].Seed[:])
			return p, err == nil
		}
	}
	return signal.PrivateKey{}, false
}

// rotate makes a new signed and KEM prekey and forgets the ones whose time is over.
func (d *Device) rotate() error {
	k, now := &d.keys, d.now()
	signed, err := signal.GeneratePrivateKey(d.o.Rand)
	if err != nil {
		return fmt.Errorf("make a signed prekey: %w", err)
	}
	kem, err := signal.GenerateKEMPrivateKey(d.o.Rand)
	if err != nil {
		return fmt.Errorf("make a KEM prekey: %w", err)
	}
	id := d.nextKeyID()
	k.Signed = append(k.Signed, signedKey{ID: id, Seed: [32]byte(signed.Bytes()), Made: now.Unix()})
	k.KEM = append(k.KEM, kemKey{ID: id, Seed: [64]byte(kem.Bytes()), Made: now.Unix()})
	// A replaced key was current until its successor was made, and is kept keepOld from then on.
	over := now.Add(-keepOld).Unix()
	for len(k.Signed) > 1 && k.Signed[1].Made < over {
		k.Signed = slices.Delete(k.Signed, 0, 1)
	}
	for len(k.KEM) > 1 && k.KEM[1].Made < over {
		k.KEM = slices.Delete(k.KEM, 0, 1)
	}
	k.Upload, d.dirty.keys = true, true
	return nil
}

func (d *Device) nextKeyID() uint32 {
	d.keys.NextID = d.keys.NextID%0xFFFFFF + 1 // 24 bits, as other implementations expect
	return d.keys.NextID
}

// moreOneTime makes n one-time prekeys.
func (d *Device) moreOneTime(n int) error {
	k := &d.keys
	for range n {
		p, err := signal.GeneratePrivateKey(d.o.Rand)
		if err != nil {
			return fmt.Errorf("make a one-time prekey: %w", err)
		}
		k.OneTime = append(k.OneTime, oneTime{ID: d.nextKeyID(), Seed: [32]byte(p.Bytes()), New: true})
		d.dirty.keys = true
	}
	if over := len(k.OneTime) - keepOneTime; over > 0 {
		k.OneTime = slices.Delete(k.OneTime, 0, over)
	}
	return nil
}

// spend deletes a one-time prekey after the first message that used it.
func (d *Device) spend(id uint32) {
	d.keys.OneTime = slices.DeleteFunc(d.keys.OneTime, func(o oneTime) bool { return o.ID == id })
	d.dirty.keys = true
}

func (k *keyring) uploaded() {
	k.Upload = false
	for i := range k.OneTime {
		k.OneTime[i].New = false
	}
}

func (k *keyring) publicOneTime() []frame.OneTimeKey {
	var list []frame.OneTimeKey
	for i := range k.OneTime {
		if !k.OneTime[i].New || len(list) == frame.MaxOneTime {
			continue
		}
		if p, err := signal.ParsePrivateKey(k.OneTime[i].Seed[:]); err == nil {
			list = append(list, frame.OneTimeKey{ID: k.OneTime[i].ID, Key: p.Public().Bytes()})
		}
	}
	return list
}

func (k *keyring) publicSigned(d *Device) frame.SignedKey {
	newest := &k.Signed[len(k.Signed)-1]
	p, _ := k.SignedPreKey(newest.ID)
	pub := p.Public().Bytes()
	sig := d.local().Key.Sign(d.o.Rand, pub)
	return frame.SignedKey{ID: newest.ID, Key: pub, Sig: sig[:]}
}

func (k *keyring) publicKEM(d *Device) frame.SignedKey {
	newest := &k.KEM[len(k.KEM)-1]
	p, _ := k.KEMPreKey(newest.ID)
	pub := p.Public()
	sig := d.local().Key.Sign(d.o.Rand, pub)
	return frame.SignedKey{ID: newest.ID, Key: pub, Sig: sig[:]}
}

// ---- upload ----

// rotateAt is when the next rotation is due.
func (k *keyring) rotateAt() time.Time {
	return time.Unix(k.Signed[len(k.Signed)-1].Made, 0).Add(rotateEvery)
}

// due is when keepKeys has something to do next; zero when an answer has to come first.
func (k *keyring) due() time.Time {
	if k.upload != 0 {
		return time.Time{}
	}
	if k.unsent() && !k.retryAt.IsZero() {
		return k.retryAt
	}
	if at := k.rotateAt(); at.After(k.retryAt) {
		return at
	}
	return k.retryAt
}

// unsent reports whether the server lacks some of the keys.
func (k *keyring) unsent() bool {
	return k.Upload || slices.ContainsFunc(k.OneTime, func(o oneTime) bool { return o.New })
}

// refill makes the server's stock of one-time prekeys full again when it runs low.
func (d *Device) refill(left int) error {
	k, target := &d.keys, d.o.oneTime()
	if k.upload != 0 {
		return nil // its answer says how many there are then
	}
	fresh := 0
	for i := range k.OneTime {
		if k.OneTime[i].New {
			fresh++
		}
	}
	if left+fresh >= min(target, frame.LowOneTime) {
		return nil
	}
	return d.moreOneTime(target - left - fresh)
}

// keepKeys rotates when it is time and uploads what the server does not have.
func (d *Device) keepKeys() error {
	k, now := &d.keys, d.now()
	if k.upload != 0 {
		return nil // its answer comes back here
	}
	if !now.Before(k.rotateAt()) {
		if err := d.rotate(); err != nil {
			return err
		}
	}
	if now.Before(k.retryAt) {
		return nil
	}
	return d.upload()
}

func (d *Device) upload() error {
	k := &d.keys
	f := &frame.PreKeys{OneTime: k.publicOneTime()}
	if k.Upload {
		s, m := k.publicSigned(d), k.publicKEM(d)
		f.SignedPreKey, f.KEMPreKey = &s, &m
	}
	if f.SignedPreKey == nil && len(f.OneTime) == 0 {
		return nil
	}
	f.R = d.ask(askKeys, "")
	k.upload = f.R
	d.eff.send(f)
	return nil
}

// uploadAnswered takes OK (e nil) or a refusal of an upload.
func (d *Device) uploadAnswered(r uint64, left *int, e *frame.Error) error {
	k := &d.keys
	if r != k.upload {
		return nil // a newer upload has everything of this one
	}
	k.upload = 0
	d.dirty.keys = true
	switch {
	case e == nil:
		k.uploaded()
		if left != nil {
			if err := d.refill(*left); err != nil {
				return err
			}
		}
		return d.keepKeys()
	case e.Code == frame.ErrBusy || e.Code == frame.ErrRate:
		k.retryAt = d.now().Add(pause(e.After, 0))
	default:
		// The server has enough one-time prekeys, or does not like these: make others when it asks for them.
		k.OneTime = slices.DeleteFunc(k.OneTime, func(o oneTime) bool { return o.New })
		k.retryAt = d.now().Add(rotateAgain)
		d.eff.tell(Event{Kind: EventRefused, Error: e})
	}
	return nil
}

// renewKeys answers a first message that names keys this device does not have: the platform's copy must be replaced.
func (d *Device) renewKeys() error {
	k := &d.keys
	if d.now().Sub(time.Unix(k.Signed[len(k.Signed)-1].Made, 0)) >= rotateAgain {
		if err := d.rotate(); err != nil {
			return err
		}
	}
	k.Upload = true
	d.dirty.keys = true
	if !d.conn.online {
		return nil
	}
	return d.upload()
}
