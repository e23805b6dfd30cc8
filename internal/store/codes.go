package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// codeRest is how long, in milliseconds, an expired code may stay: its life and the hour that the room asks for are shorter.
const codeRest = 3 * 3600_000

// SaveCode implements network.CodeStore. It clears away old codes on the way.
func (s *Store) SaveCode(ctx context.Context, c *network.Code) error {
	err := s.write(ctx, func(ctx context.Context, t tx) error {
		if _, err := t.exec(ctx, "DELETE FROM codes WHERE expires < ?", c.Expires-codeRest); err != nil {
			return err
		}
		_, err := t.exec(ctx, `INSERT INTO codes (id, phone, salt, hash, tries, expires) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET phone = excluded.phone, salt = excluded.salt, hash = excluded.hash, tries = excluded.tries,
  expires = excluded.expires`, text(c.ID), text(c.Phone), blob(c.Salt), blob(c.Hash), int64(c.Tries), c.Expires)
		return err
	})
	return wrap("save code", err)
}

// TryCode implements network.CodeStore.
func (s *Store) TryCode(ctx context.Context, id string) (*network.Code, error) {
	c := &network.Code{ID: id}
	err := s.write(ctx, func(ctx context.Context, t tx) error {
		var phone string
		var tries int64
		err := t.QueryRowContext(ctx, s.bind("UPDATE codes SET tries = tries + 1 WHERE id = ? RETURNING phone, salt, hash, tries, expires"), text(id)).
			Scan(&phone, &c.Salt, &c.Hash, &tries, &c.Expires)
		c.Phone, c.Tries = wa.WaID(plain(phone)), int(tries)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // the contract says nil for unknown
	}
	if err != nil {
		return nil, fmt.Errorf("try code: %w", err)
	}
	return c, nil
}

// DeleteCode implements network.CodeStore.
func (s *Store) DeleteCode(ctx context.Context, id string) error {
	return s.change(ctx, "delete code", "DELETE FROM codes WHERE id = ?", text(id))
}
