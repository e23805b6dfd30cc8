package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Keys implements network.DirectoryStore.
func (d *Directory) Keys(ctx context.Context, id wa.DeviceID) (*network.KeySet, error) {
	var k network.KeySet
	var signed, kem frame.SignedKey
	var signedID, kemID int64
	found, err := d.s.one(ctx, d.s.db, `SELECT signed_at, signed_id, signed_key, signed_sig, kem_id, kem_key, kem_sig FROM devices WHERE id = ?`,
		[]any{text(id)}, &k.At, &signedID, &signed.Key, &signed.Sig, &kemID, &kem.Key, &kem.Sig)
	if err != nil || !found {
		return nil, wrap("read keys", err)
	}
	if signed.Key != nil {
		signed.ID = uint32(signedID)
		k.Signed = &signed
	}
	if kem.Key != nil {
		kem.ID = uint32(kemID)
		k.KEM = &kem
	}
	return &k, nil
}

// SaveKeys implements network.DirectoryStore. One-time prekeys alone do not wait for the disk: a device whose upload is lost
// is asked again.
func (d *Directory) SaveKeys(ctx context.Context, id wa.DeviceID, k *network.KeySet) (int, error) {
	var left int
	err := d.s.transact(ctx, k.Signed != nil || k.KEM != nil, func(ctx context.Context, t tx) (err error) {
		if err = saveKeys(ctx, t, id, k); err == nil {
			left, err = oneTimeLeft(ctx, t.s, t, id)
		}
		return err
	})
	return left, wrap("save keys", err)
}

func saveKeys(ctx context.Context, t tx, id wa.DeviceID, k *network.KeySet) error {
	if k.Signed != nil {
		_, err := t.exec(ctx, "UPDATE devices SET signed_id = ?, signed_key = ?, signed_sig = ? WHERE id = ?",
			int64(k.Signed.ID), blob(k.Signed.Key), blob(k.Signed.Sig), text(id))
		if err != nil {
			return err
		}
	}
	if k.At != 0 {
		if _, err := t.exec(ctx, "UPDATE devices SET signed_at = ? WHERE id = ?", k.At, text(id)); err != nil {
			return err
		}
	}
	if k.KEM != nil {
		_, err := t.exec(ctx, "UPDATE devices SET kem_id = ?, kem_key = ?, kem_sig = ? WHERE id = ?",
			int64(k.KEM.ID), blob(k.KEM.Key), blob(k.KEM.Sig), text(id))
		if err != nil {
			return err
		}
	}
	for _, o := range k.OneTime {
		_, err := t.exec(ctx, "INSERT INTO prekeys (device, id, public) VALUES (?, ?, ?) ON CONFLICT (device, id) DO UPDATE SET public = excluded.public",
			text(id), int64(o.ID), blob(o.Key))
		if err != nil {
			return err
		}
	}
	return nil
}

func oneTimeLeft(ctx context.Context, s *Store, q querier, id wa.DeviceID) (int, error) {
	var n int64
	_, err := s.one(ctx, q, "SELECT count(*) FROM prekeys WHERE device = ?", []any{text(id)}, &n)
	return int(n), err
}

// TakeOneTime implements network.DirectoryStore. It does not wait for the disk: a campaign to strangers takes a key per
// message. After a power cut a key may be given out again; its device says that it does not know it any more, and gets the
// message once more with another.
func (d *Directory) TakeOneTime(ctx context.Context, id wa.DeviceID) (*frame.OneTimeKey, int, error) {
	var (
		k    *frame.OneTimeKey
		left int
	)
	lock := ""
	if d.s.pg != nil {
		lock = " FOR UPDATE SKIP LOCKED" // two callers get two keys instead of waiting for each other
	}
	err := d.s.relaxed(ctx, func(ctx context.Context, t tx) error {
		var o frame.OneTimeKey
		var n int64
		err := t.QueryRowContext(ctx, d.s.bind("DELETE FROM prekeys WHERE device = ? AND id = (SELECT id FROM prekeys WHERE device = ? ORDER BY id LIMIT 1"+
			lock+") RETURNING id, public"), text(id), text(id)).Scan(&n, &o.Key)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		o.ID = uint32(n)
		k = &o
		left, err = oneTimeLeft(ctx, d.s, t, id)
		return err
	})
	if err != nil {
		return nil, 0, wrap("take one-time prekey", err)
	}
	return k, left, nil
}

// OneTimeLeft implements network.DirectoryStore.
func (d *Directory) OneTimeLeft(ctx context.Context, id wa.DeviceID) (int, error) {
	n, err := oneTimeLeft(ctx, d.s, d.s.db, id)
	return n, wrap("count one-time prekeys", err)
}

// DropOneTime implements network.DirectoryStore.
func (d *Directory) DropOneTime(ctx context.Context, id wa.DeviceID) error {
	return d.s.change(ctx, "drop one-time prekeys", "DELETE FROM prekeys WHERE device = ?", text(id))
}
