package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Directory is the part of the store that keeps people, their devices and prekeys. It implements network.DirectoryStore
// and has a type of its own because its names are common ones.
type Directory struct{ s *Store }

// Directory returns the users' part of the store.
func (s *Store) Directory() *Directory { return &Directory{s} }

const (
	userColumns = `u.id, u.wa_id, u.generation, u.name, u.username, u.hide_reads, u.identity_hash, u.pin, u.pin_tries, u.pin_pause,
  u.created, u.seen`
	deviceColumns = "d.id, d.name, d.platform, d.identity_key, d.auth_key, d.registration_id, d.signed_at, d.base, d.created, d.seen"
)

// User implements network.DirectoryStore.
func (d *Directory) User(ctx context.Context, id wa.WaID) (*network.User, error) {
	us, err := d.users(ctx, "u.wa_id = ?", "", text(id))
	if err != nil || len(us) == 0 {
		return nil, err
	}
	return us[0], nil
}

// Users implements network.DirectoryStore.
func (d *Directory) Users(ctx context.Context, after wa.WaID, limit int) ([]*network.User, error) {
	return d.users(ctx, "u.wa_id > ?", "LIMIT ?", text(after), int64(limit))
}

// users reads users in the order of their numbers, then the devices of all of them.
func (d *Directory) users(ctx context.Context, where, limit string, args ...any) ([]*network.User, error) {
	var out []*network.User
	byID := map[string]*network.User{}
	query := "SELECT " + userColumns + " FROM users u WHERE " + where + " ORDER BY u.wa_id " + limit
	err := d.s.query(ctx, d.s.db, query, args, func(r *sql.Rows) error {
		var u network.User
		var id, waID, name, username, hash string
		var generation, hide, tries int64
		if err := r.Scan(&id, &waID, &generation, &name, &username, &hide, &hash, &u.PIN, &tries, &u.PINPause, &u.Created, &u.Seen); err != nil {
			return err
		}
		u.ID, u.WaID, u.Name, u.Username, u.IdentityHash = plain(id), wa.WaID(plain(waID)), plain(name), plain(username), plain(hash)
		u.Generation, u.HideReads, u.PINTries = uint32(generation), hide != 0, int(tries)
		out = append(out, &u)
		byID[id] = &u
		return nil
	})
	if err != nil || len(out) == 0 {
		return nil, wrap("read users", err)
	}
	query = "SELECT d.owner, " + deviceColumns + " FROM devices d JOIN (SELECT u.id FROM users u WHERE " + where + " ORDER BY u.wa_id " + limit +
		") AS o ON o.id = d.owner ORDER BY d.owner, d.number"
	err = d.s.query(ctx, d.s.db, query, args, func(r *sql.Rows) error {
		var owner string
		dev, err := scanDevice(r, &owner)
		if u := byID[owner]; err == nil && u != nil { // else it came between the two queries
			u.Devices = append(u.Devices, dev)
		}
		return err
	})
	if err != nil {
		return nil, wrap("read devices", err)
	}
	return out, nil
}

func scanDevice(r *sql.Rows, owner *string) (*network.Device, error) {
	var dev network.Device
	var id, name, platform string
	var identity []byte
	var registration, base int64
	err := r.Scan(owner, &id, &name, &platform, &identity, &dev.AuthKey, &registration, &dev.SignedAt, &base, &dev.Created, &dev.Seen)
	if err != nil {
		return nil, err
	}
	if len(identity) != len(dev.IdentityKey) {
		return nil, errors.New("identity key of a wrong length")
	}
	copy(dev.IdentityKey[:], identity)
	dev.ID, dev.Name, dev.Platform = wa.DeviceID(plain(id)), plain(name), frame.Platform(plain(platform))
	dev.RegistrationID, dev.Base = uint32(registration), uint64(base)
	return &dev, nil
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// CountUsers implements network.DirectoryStore.
func (d *Directory) CountUsers(ctx context.Context) (int, error) {
	var n int64
	_, err := d.s.one(ctx, d.s.db, "SELECT count(*) FROM users", nil, &n)
	return int(n), wrap("count users", err)
}

// SaveUser implements network.DirectoryStore. A user that is gone is no error.
func (d *Directory) SaveUser(ctx context.Context, u *network.User) error {
	return d.s.change(ctx, "save user", `UPDATE users SET wa_id = ?, generation = ?, name = ?, username = ?, hide_reads = ?,
  identity_hash = ?, pin = ?, pin_tries = ?, pin_pause = ?, created = ?, seen = ? WHERE id = ?`,
		append(userValues(u), text(u.ID))...)
}

// userValues are the columns of a user after the id.
func userValues(u *network.User) []any {
	return []any{
		text(u.WaID), int64(u.Generation), text(u.Name), text(u.Username), flag(u.HideReads), text(u.IdentityHash), blob(u.PIN),
		int64(u.PINTries), u.PINPause, u.Created, u.Seen,
	}
}

// Register implements network.DirectoryStore.
func (d *Directory) Register(ctx context.Context, list []network.NewDevice) error {
	err := d.s.write(ctx, func(ctx context.Context, t tx) error {
		for i := range list {
			if len(list[i].User.Devices) != 1 {
				return fmt.Errorf("registration of a user with %d devices", len(list[i].User.Devices))
			}
			if err := register(ctx, t, list[i].User, list[i].User.Devices[0], &list[i].Keys); err != nil {
				return err
			}
			if n := list[i].News; n != nil {
				if err := saveDoc(ctx, t, "news", n.ID, n); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return wrap("register", err)
}

func register(ctx context.Context, t tx, u *network.User, dev *network.Device, k *network.KeySet) error {
	_, err := t.exec(ctx, `INSERT INTO users (id, wa_id, generation, name, username, hide_reads, identity_hash, pin, pin_tries, pin_pause,
  created, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET wa_id = excluded.wa_id, generation = excluded.generation, name = excluded.name,
  username = excluded.username, hide_reads = excluded.hide_reads, identity_hash = excluded.identity_hash, pin = excluded.pin,
  pin_tries = excluded.pin_tries, pin_pause = excluded.pin_pause, created = excluded.created, seen = excluded.seen`,
		append([]any{text(u.ID)}, userValues(u)...)...)
	if err != nil {
		return err
	}
	// Devices of other ids are gone for good, with everything in their mailboxes; of the device that takes their place,
	// items above Base may have been written meanwhile, for the new keys.
	for _, q := range []struct {
		query string
		args  []any
	}{
		{"DELETE FROM prekeys WHERE device IN (SELECT id FROM devices WHERE owner = ?)", []any{text(u.ID)}},
		{"DELETE FROM mailbox WHERE device IN (SELECT id FROM devices WHERE owner = ? AND id <> ?)", []any{text(u.ID), text(dev.ID)}},
		{"DELETE FROM devices WHERE owner = ?", []any{text(u.ID)}},
		{"DELETE FROM mailbox WHERE device = ? AND seq <= ?", []any{text(dev.ID), int64(dev.Base)}},
	} {
		if _, err := t.exec(ctx, q.query, q.args...); err != nil {
			return err
		}
	}
	if err := insertDevice(ctx, t, u.ID, dev); err != nil {
		return err
	}
	return saveKeys(ctx, t, dev.ID, k)
}

func insertDevice(ctx context.Context, t tx, owner string, dev *network.Device) error {
	_, err := t.exec(ctx, `INSERT INTO devices (id, owner, number, name, platform, identity_key, auth_key, registration_id, signed_at,
  base, created, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		text(dev.ID), text(owner), int64(dev.ID.Number()), text(dev.Name), text(dev.Platform), dev.IdentityKey[:], blob(dev.AuthKey),
		int64(dev.RegistrationID), dev.SignedAt, int64(dev.Base), dev.Created, dev.Seen)
	return err
}

// RemoveDevice implements network.DirectoryStore.
func (d *Directory) RemoveDevice(ctx context.Context, id wa.DeviceID) error {
	err := d.s.write(ctx, func(ctx context.Context, t tx) error {
		for _, q := range []string{"DELETE FROM prekeys WHERE device = ?", "DELETE FROM mailbox WHERE device = ?", "DELETE FROM devices WHERE id = ?"} {
			if _, err := t.exec(ctx, q, text(id)); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap("remove device", err)
}

// Touch implements network.DirectoryStore. It does not wait for the disk.
func (d *Directory) Touch(ctx context.Context, id wa.DeviceID, at int64) error {
	err := d.s.relaxed(ctx, func(ctx context.Context, t tx) error {
		if _, err := t.exec(ctx, "UPDATE devices SET seen = ? WHERE id = ?", at, text(id)); err != nil {
			return err
		}
		_, err := t.exec(ctx, "UPDATE users SET seen = ? WHERE id = (SELECT owner FROM devices WHERE id = ?)", at, text(id))
		return err
	})
	return wrap("touch device", err)
}
