package store

import (
	"context"
	"fmt"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// NumberKeys implements pipeline.KeyStore.
func (s *Store) NumberKeys(ctx context.Context, number wa.PhoneNumberID) ([]byte, error) {
	var sealed []byte
	if _, err := s.one(ctx, s.db, "SELECT sealed FROM number_keys WHERE number = ?", []any{text(number)}, &sealed); err != nil {
		return nil, fmt.Errorf("read keys of number %s: %w", number, err)
	}
	return sealed, nil
}

// SaveNumberKeys implements pipeline.KeyStore.
func (s *Store) SaveNumberKeys(ctx context.Context, number wa.PhoneNumberID, sealed []byte) error {
	err := s.write(ctx, func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, "INSERT INTO number_keys (number, sealed) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET sealed = excluded.sealed",
			text(number), blob(sealed))
		return err
	})
	if err != nil {
		return fmt.Errorf("save keys of number %s: %w", number, err)
	}
	return nil
}

// SaveOneTime implements pipeline.KeyStore.
func (s *Store) SaveOneTime(ctx context.Context, number wa.PhoneNumberID, id uint32, sealed []byte, created time.Time) error {
	err := s.write(ctx, func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, `INSERT INTO number_one_time (number, id, sealed, created) VALUES (?, ?, ?, ?)
ON CONFLICT (number, id) DO UPDATE SET sealed = excluded.sealed, created = excluded.created`,
			text(number), int64(id), blob(sealed), created.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("save one-time prekey of number %s: %w", number, err)
	}
	return nil
}

// OneTime implements pipeline.KeyStore.
func (s *Store) OneTime(ctx context.Context, number wa.PhoneNumberID, id uint32) ([]byte, error) {
	var sealed []byte
	_, err := s.one(ctx, s.db, "SELECT sealed FROM number_one_time WHERE number = ? AND id = ?", []any{text(number), int64(id)}, &sealed)
	if err != nil {
		return nil, fmt.Errorf("read one-time prekey of number %s: %w", number, err)
	}
	return sealed, nil
}

// DeleteOneTime deletes one-time prekeys that were handed out before the given time and never used, and returns how many.
func (s *Store) DeleteOneTime(ctx context.Context, before time.Time) (int, error) {
	var n int
	err := s.write(ctx, func(ctx context.Context, t tx) (err error) {
		n, err = t.exec(ctx, "DELETE FROM number_one_time WHERE created < ?", before.UnixMilli())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete old one-time prekeys: %w", err)
	}
	return n, nil
}
