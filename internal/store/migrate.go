package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// lockKey is the advisory lock that nodes starting together take before they look at the schema.
const lockKey = 0x68696b79616b75 // "hikyaku"

// SchemaError says that the database was used by a newer binary.
type SchemaError struct {
	Have  int64 // version of the database
	Known int64 // newest version this binary knows
}

// Error implements error.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("the database has schema version %d, this binary knows %d: use a newer hikyaku", e.Have, e.Known)
}

// migrate brings the schema up to date.
func (s *Store) migrate(ctx context.Context) error {
	db, dialect := s.db, goose.DialectPostgres
	if s.lite != nil {
		// goose takes connections from the pool: lend it the only one that may write.
		if err := s.lite.conn.Close(); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		db, dialect = s.lite.db, goose.DialectSQLite3
	}
	err := s.locked(ctx, func() error { return up(ctx, db, dialect, s.Dialect()) })
	if s.lite != nil {
		var cerr error
		s.lite.conn, cerr = db.Conn(ctx)
		err = errors.Join(err, cerr)
	}
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// locked holds off other nodes. SQLite's data directory has a single process.
func (s *Store) locked(ctx context.Context, fn func() error) error {
	if s.pg == nil {
		return fn()
	}
	c, err := s.pg.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("take lock: %w", err)
	}
	defer c.Release()
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(lockKey)); err != nil {
		return fmt.Errorf("take lock: %w", err)
	}
	defer c.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(lockKey)) //nolint:errcheck // ends with the connection at the latest
	return fn()
}

func up(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string) error {
	files, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return fmt.Errorf("find migrations: %w", err)
	}
	// Migrations are written side by side and do not depend on each other: a database that has a later one takes the others.
	p, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true), goose.WithTableName("schema_version"),
		goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > known {
		return &SchemaError{Have: have, Known: known}
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if !pending {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("from version %d to %d: %w", have, known, err)
	}
	return nil
}
