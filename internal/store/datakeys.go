package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/vault"
)

const dataKeyColumns = "id, class, scope, begins, ends, created, wrapped"

func (s *Store) dataKeys(ctx context.Context, where string, args ...any) ([]vault.DataKey, error) {
	var out []vault.DataKey
	err := s.query(ctx, s.db, "SELECT "+dataKeyColumns+" FROM data_keys "+where, args, func(r *sql.Rows) error {
		var k vault.DataKey
		var id int64
		var class, scope string
		if err := r.Scan(&id, &class, &scope, &k.Begins, &k.Ends, &k.Created, &k.Wrapped); err != nil {
			return err
		}
		k.ID, k.Class, k.Scope = uint32(id), vault.Class(plain(class)), plain(scope)
		out = append(out, k)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read data keys: %w", err)
	}
	return out, nil
}

// DataKeys implements vault.Store.
func (s *Store) DataKeys(ctx context.Context) ([]vault.DataKey, error) {
	return s.dataKeys(ctx, "ORDER BY created, id")
}

// DataKey implements vault.Store.
func (s *Store) DataKey(ctx context.Context, id uint32) (*vault.DataKey, error) {
	ks, err := s.dataKeys(ctx, "WHERE id = ?", int64(id))
	if err != nil || len(ks) == 0 {
		return nil, err
	}
	return &ks[0], nil
}

// AddDataKey implements vault.Store.
func (s *Store) AddDataKey(ctx context.Context, k vault.DataKey) error {
	err := s.write(ctx, func(ctx context.Context, t tx) error {
		n, err := t.exec(ctx, "INSERT INTO data_keys ("+dataKeyColumns+") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
			int64(k.ID), text(k.Class), text(k.Scope), k.Begins, k.Ends, k.Created, blob(k.Wrapped))
		if err == nil && n == 0 {
			err = vault.ErrKeyExists
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add data key %d: %w", k.ID, err)
	}
	return nil
}

// RewrapDataKeys implements vault.Store.
func (s *Store) RewrapDataKeys(ctx context.Context, keys []vault.DataKey) error {
	err := s.write(ctx, func(ctx context.Context, t tx) error {
		for _, k := range keys {
			_, err := t.exec(ctx, "UPDATE data_keys SET wrapped = ? WHERE id = ? AND wrapped IS NOT NULL", blob(k.Wrapped), int64(k.ID))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("wrap data keys again: %w", err)
	}
	return nil
}

// DestroyDataKeys implements vault.Store. With SQLite the old bytes are overwritten and the log is emptied. PostgreSQL
// keeps dead rows until the table is vacuumed, and its archives keep what they have: there the root key is what counts.
func (s *Store) DestroyDataKeys(ctx context.Context, ids []uint32) error {
	err := s.write(ctx, func(ctx context.Context, t tx) error {
		for _, id := range ids {
			if _, err := t.exec(ctx, "UPDATE data_keys SET wrapped = NULL WHERE id = ?", int64(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("destroy data keys: %w", err)
	}
	if s.lite != nil {
		if err := s.lite.checkpoint(ctx); err != nil {
			// The keys are destroyed; only their old bytes may stay in the log until the next checkpoint.
			s.log.WarnContext(ctx, "old bytes of destroyed keys stay in the log for now", "err", err)
		}
		return nil
	}
	if _, err := s.db.ExecContext(ctx, "VACUUM data_keys"); err != nil {
		s.log.WarnContext(ctx, "old bytes of destroyed keys stay in the table for now", "err", err)
	}
	return nil
}
