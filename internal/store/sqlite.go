package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// fileName of the database inside the data directory.
const fileName = "hikyaku.db"

const (
	// readers bounds the reading connections. Each has a page cache of its own; idle ones are closed.
	readers = 4
	// Page caches in KiB, negative by SQLite's convention. The driver's allocator rounds a page with its header up to 8 KiB,
	// so they take twice as much memory. The operating system caches the file as well. Three times the writer's cache saved
	// 15 % of the time of batches that touch everything, and 64 MiB is too much for that.
	writerCache = -16384 // given back by Shrink
	readerCache = -2048
)

// lite is the writing side of a SQLite database: one connection, handed out in turn.
type lite struct {
	turn chan struct{} // buffered 1: holds a token while the connection is free
	db   *sql.DB       // of the writing connection alone
	conn *sql.Conn

	// Guarded by the turn.
	full    bool // synchronous=FULL is set
	applier *liteApplier
}

// openLite opens both sides of the database in dir.
func openLite(ctx context.Context, dir string) (*lite, *sql.DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make data directory: %w", err)
	}
	path := filepath.Join(dir, fileName)
	// Made here, so that it is readable by its owner only; SQLite gives its companions the same mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the directory
	if err != nil {
		return nil, nil, fmt.Errorf("make database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, nil, fmt.Errorf("make database: %w", err)
	}
	// A checkpoint every 32 MiB of log: pages that change in every batch are copied once per checkpoint, not once per batch.
	// Every 64 MiB saved 10 % of the time of batches that touch everything, compared with every 16 MiB.
	w, err := sql.Open("sqlite", liteDSN(path, "immediate", "busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
		fmt.Sprintf("cache_size(%d)", writerCache), "temp_store(MEMORY)", "wal_autocheckpoint(8000)",
		"journal_size_limit(67108864)", "secure_delete(FAST)"))
	if err != nil {
		return nil, nil, fmt.Errorf("open database: %w", err)
	}
	w.SetMaxOpenConns(1)
	l := &lite{turn: make(chan struct{}, 1), db: w, full: true}
	if l.conn, err = w.Conn(ctx); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open database: %w", err), w.Close())
	}
	l.turn <- struct{}{}
	r, err := sql.Open("sqlite", liteDSN(path, "deferred", "busy_timeout(10000)", "query_only(1)",
		fmt.Sprintf("cache_size(%d)", readerCache), "temp_store(MEMORY)"))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open database: %w", err), l.close())
	}
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	r.SetConnMaxIdleTime(10 * time.Second)
	return l, r, nil
}

func liteDSN(path, lock string, pragmas ...string) string {
	q := url.Values{"_txlock": {lock}, "_pragma": pragmas}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// take waits for the turn and returns a context that does not end: a statement with one that can costs a goroutine, and
// giving up halfway through a transaction saves nothing.
func (l *lite) take(ctx context.Context) (context.Context, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	select {
	case <-l.turn:
		return context.WithoutCancel(ctx), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (l *lite) give() { l.turn <- struct{}{} }

// sync chooses what a commit waits for; the caller has the turn. It cannot change inside a transaction.
func (l *lite) sync(ctx context.Context, full bool) error {
	if l.full == full {
		return nil
	}
	mode := "NORMAL"
	if full {
		mode = "FULL"
	}
	if _, err := l.conn.ExecContext(ctx, "PRAGMA synchronous="+mode); err != nil {
		return fmt.Errorf("set synchronous: %w", err)
	}
	l.full = full
	return nil
}

// write runs fn in a transaction, which with full is on disk when write returns nil.
func (l *lite) write(ctx context.Context, full bool, fn func(context.Context, *sql.Tx) error) error {
	ctx, err := l.take(ctx)
	if err != nil {
		return err
	}
	defer l.give()
	if err := l.sync(ctx, full); err != nil {
		return err
	}
	t, err := l.conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(ctx, t); err != nil {
		return errors.Join(err, t.Rollback())
	}
	if err := t.Commit(); err != nil {
		_ = t.Rollback() // after a failed commit it only makes sure that nothing stays open
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// apply runs fn, which works below database/sql, in a transaction that does not wait for the disk.
func (l *lite) apply(ctx context.Context, fn func(context.Context, *liteApplier) error) error {
	ctx, err := l.take(ctx)
	if err != nil {
		return err
	}
	defer l.give()
	if err := l.sync(ctx, false); err != nil {
		return err
	}
	return l.conn.Raw(func(c any) error {
		if l.applier == nil {
			dc, ok := c.(driver.ConnPrepareContext)
			if !ok {
				return errors.New("the driver cannot prepare statements")
			}
			a, err := newLiteApplier(ctx, dc)
			if err != nil {
				return err
			}
			l.applier = a
		}
		return l.applier.transact(ctx, fn)
	})
}

// checkpoint copies the log into the database and empties it, so that overwritten bytes are in no file any more.
func (l *lite) checkpoint(ctx context.Context) error {
	ctx, err := l.take(ctx)
	if err != nil {
		return err
	}
	defer l.give()
	var busy, log, done int
	err = l.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &done)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if busy != 0 {
		return errors.New("checkpoint: a reader is in the way")
	}
	return nil
}

// shrink gives the page cache of the writing connection back.
func (l *lite) shrink(ctx context.Context) error {
	ctx, err := l.take(ctx)
	if err != nil {
		return err
	}
	defer l.give()
	if _, err := l.conn.ExecContext(ctx, "PRAGMA shrink_memory"); err != nil {
		return fmt.Errorf("shrink: %w", err)
	}
	return nil
}

func (l *lite) close() error {
	<-l.turn // never given back: nobody writes any more
	var err error
	if l.applier != nil {
		err = l.applier.close()
	}
	return errors.Join(err, l.conn.Close(), l.db.Close())
}
