package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// Options say where the database is.
type Options struct {
	Dir    string       // data directory for SQLite; made when it does not exist. Used when DSN is empty
	DSN    string       // of PostgreSQL: postgres://…; pool_max_conns and the like as pgx documents them
	Logger *slog.Logger // nil discards
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	log *slog.Logger
	db  *sql.DB // reads; with PostgreSQL also control-plane writes

	lite *lite         // nil with PostgreSQL
	pg   *pgxpool.Pool // nil with SQLite
}

// Open opens the database and brings its schema up to date. Errors: [SchemaError] when a newer binary has been here.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{log: o.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.connect(ctx, o); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context, o Options) error {
	switch {
	case o.DSN == "" && o.Dir == "":
		return errors.New("open store: neither a data directory nor a DSN is given")
	case o.DSN == "":
		l, r, err := openLite(ctx, o.Dir)
		if err != nil {
			return fmt.Errorf("open store: %w", err)
		}
		s.lite, s.db = l, r
		return nil
	case !strings.HasPrefix(o.DSN, "postgres://") && !strings.HasPrefix(o.DSN, "postgresql://"):
		return errors.New("open store: the DSN must start with postgres://") // and is not repeated: it may hold a password
	}
	c, err := pgxpool.ParseConfig(o.DSN)
	if err != nil {
		return fmt.Errorf("open store: %w", err) // pgx leaves the password out
	}
	if s.pg, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if err := s.pg.Ping(ctx); err != nil {
		s.pg.Close()
		return fmt.Errorf("open store: %w", err)
	}
	s.db = stdlib.OpenDBFromPool(s.pg)
	return nil
}

// Dialect is "sqlite" or "postgres".
func (s *Store) Dialect() string {
	if s.lite != nil {
		return "sqlite"
	}
	return "postgres"
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("ping store: %w", err)
	}
	return nil
}

// Shrink gives back memory that is only useful under load. Call it when nothing was written for a while.
func (s *Store) Shrink(ctx context.Context) error {
	if s.lite == nil {
		return nil
	}
	return s.lite.shrink(ctx)
}

// Close waits for the write in progress and closes the database.
func (s *Store) Close() error {
	err := s.db.Close()
	if s.lite != nil {
		err = errors.Join(err, s.lite.close())
	}
	if s.pg != nil {
		s.pg.Close()
	}
	if err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}
