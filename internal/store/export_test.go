package store

import (
	"context"
	"database/sql"
)

// Exec runs any statement on the writing side, for tests that break things.
func (s *Store) Exec(ctx context.Context, query string) error {
	return s.write(ctx, func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, query)
		return err
	})
}

// Int reads a number, for tests of settings.
func (s *Store) Int(ctx context.Context, query string) (n int64, err error) {
	if s.lite != nil {
		if _, err := s.lite.take(ctx); err != nil {
			return 0, err
		}
		defer s.lite.give()
		err = s.lite.conn.QueryRowContext(ctx, query).Scan(&n)
		return n, err
	}
	err = s.db.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// DB is the pool that reads.
func (s *Store) DB() *sql.DB { return s.db }
