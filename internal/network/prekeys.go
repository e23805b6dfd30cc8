package network

import (
	"context"
	"errors"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// freshKeys is how long uploaded keys are trusted although a device reports an unknown prekey, in milliseconds: it uploads
// first and reports then.
const freshKeys = 60_000

// Bundle hands out the keys of a device. Each one-time prekey goes to one caller only; without any left the bundle has
// none. ErrNoDevice when the device does not exist.
func (d *Directory) Bundle(ctx context.Context, id wa.DeviceID) (*signal.Bundle, error) {
	b, left, err := d.takeBundle(ctx, id)
	if err == nil && left < frame.LowOneTime {
		d.low(id, left)
	}
	return b, err
}

// takeBundle reads identity and prekeys with the writers of the user locked out: a registration between the two reads would
// give out the old identity with the new prekeys, which do not verify.
func (d *Directory) takeBundle(ctx context.Context, id wa.DeviceID) (b *signal.Bundle, left int, err error) {
	defer d.writer(id.User())()
	_, dev, err := d.device(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	keys, err := d.store.Keys(ctx, id)
	if err != nil {
		return nil, 0, fmt.Errorf("load keys: %w", err)
	}
	if keys == nil {
		return nil, 0, ErrNoDevice
	}
	once, left, err := d.store.TakeOneTime(ctx, id)
	if err != nil {
		return nil, 0, fmt.Errorf("take a one-time prekey: %w", err)
	}
	b = bundle(dev.IdentityKey, keys)
	b.RegistrationID = dev.RegistrationID
	if once != nil {
		b.OneTimePreKey = &signal.OneTimePreKey{ID: once.ID, Key: signal.PublicKey(once.Key)}
	}
	return b, left, nil
}

// Upload verifies and stores new prekeys of a device and returns how many one-time prekeys it has now. An *frame.Error says
// what is wrong with them.
func (d *Directory) Upload(ctx context.Context, id wa.DeviceID, p *frame.PreKeys) (left int, err error) {
	defer d.writer(id.User())()
	u, dev, err := d.device(ctx, id)
	if err != nil {
		return 0, err
	}
	k := &KeySet{Signed: p.SignedPreKey, KEM: p.KEMPreKey, OneTime: p.OneTime}
	if err := d.verifyUpload(ctx, dev, k); err != nil {
		return 0, err
	}
	if k.Signed != nil {
		k.At = d.now()
	}
	if left, err = d.store.SaveKeys(ctx, id, k); err != nil {
		return 0, fmt.Errorf("save keys: %w", err)
	}
	if k.Signed == nil && k.KEM == nil {
		return left, nil
	}
	d.cache.drop(u.WaID) // Device.SignedAt changed
	d.tell(Change{Kind: KeysChanged, User: u, Device: id})
	return left, nil
}

func (d *Directory) verifyUpload(ctx context.Context, dev *Device, k *KeySet) error {
	if len(k.OneTime) > 0 {
		left, err := d.store.OneTimeLeft(ctx, dev.ID)
		if err != nil {
			return fmt.Errorf("count one-time prekeys: %w", err)
		}
		if left+len(k.OneTime) > frame.MaxOneTime {
			return frame.Refuse(frame.ErrTooLarge, fmt.Sprintf("at most %d one-time prekeys are kept", frame.MaxOneTime))
		}
	}
	if k.Signed == nil && k.KEM == nil {
		return oneTimeForm(k.OneTime)
	}
	stored, err := d.store.Keys(ctx, dev.ID)
	if err != nil {
		return fmt.Errorf("load keys: %w", err)
	}
	if stored == nil {
		return ErrNoDevice
	}
	merged := *stored
	if k.Signed != nil {
		merged.Signed = k.Signed
	}
	if k.KEM != nil {
		merged.KEM = k.KEM
	}
	if err := verified(bundle(dev.IdentityKey, &merged)); err != nil {
		return err
	}
	return oneTimeForm(k.OneTime)
}

// unknownPreKey drops what was handed out in vain and asks the device for more, unless it uploaded just now.
func (d *Directory) unknownPreKey(ctx context.Context, id wa.DeviceID) error {
	_, dev, err := d.device(ctx, id)
	if err != nil {
		return err
	}
	if d.now()-dev.SignedAt < freshKeys {
		return nil
	}
	if err := d.store.DropOneTime(ctx, id); err != nil {
		return fmt.Errorf("drop one-time prekeys: %w", err)
	}
	d.low(id, 0)
	return nil
}

// low asks the device for one-time prekeys if it is connected.
func (d *Directory) low(id wa.DeviceID, left int) {
	d.mu.RLock()
	f := d.onLow
	d.mu.RUnlock()
	if f != nil {
		f(id, left)
	}
}

// verify checks form and signatures of a device's keys.
func verify(dev *frame.Device) error {
	if e := dev.Check(); e != nil {
		return e
	}
	k := &KeySet{Signed: &dev.SignedPreKey, KEM: &dev.KEMPreKey}
	if err := verified(bundle(signal.PublicKey(dev.IdentityKey), k)); err != nil {
		return err
	}
	return oneTimeForm(dev.OneTime)
}

func verified(b *signal.Bundle) error {
	switch err := b.Verify(); {
	case err == nil:
		return nil
	case errors.Is(err, signal.ErrBadSignature):
		return frame.Refuse(frame.ErrBadSignature, "a prekey is not signed by the identity key")
	default:
		return frame.Refuse(frame.ErrFormat, "a key is not of its form")
	}
}

func oneTimeForm(list []frame.OneTimeKey) error {
	for _, k := range list {
		if _, err := signal.ParsePublicKey(k.Key); err != nil {
			return frame.Refuse(frame.ErrFormat, "a one-time prekey is not of its form")
		}
	}
	return nil
}

// bundle puts keys together. Their lengths were checked when they came in.
func bundle(identity signal.PublicKey, k *KeySet) *signal.Bundle {
	b := &signal.Bundle{IdentityKey: identity}
	b.SignedPreKey = signal.SignedPreKey{ID: k.Signed.ID, Key: signal.PublicKey(k.Signed.Key), Sig: k.Signed.Sig}
	if k.KEM != nil {
		b.KEMPreKey = signal.KEMPreKey{ID: k.KEM.ID, Key: k.KEM.Key, Sig: k.KEM.Sig}
	}
	return b
}
