package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// querier is what reads: the pool, or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// rebound caches statements with numbered placeholders; there are as many as statements in this package.
var rebound sync.Map

// bind writes the placeholders of a statement as the dialect wants them. Statements of this package are written with "?",
// and hold no other question mark.
func (s *Store) bind(query string) string {
	if s.lite != nil {
		return query
	}
	if q, ok := rebound.Load(query); ok {
		return q.(string)
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	rebound.Store(query, b.String())
	return b.String()
}

// query calls scan for every row.
func (s *Store) query(ctx context.Context, q querier, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, s.bind(query), args...)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("scan: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("query: %w", err)
	}
	return nil
}

// one reads a single row; it reports false when there is none.
func (s *Store) one(ctx context.Context, q querier, query string, args []any, dest ...any) (bool, error) {
	err := q.QueryRowContext(ctx, s.bind(query), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("query: %w", err)
	}
	return true, nil
}

// tx is a control-plane transaction.
type tx struct {
	*sql.Tx
	s *Store
}

// exec runs a statement and returns how many rows it changed.
func (t tx) exec(ctx context.Context, query string, args ...any) (int, error) {
	r, err := t.ExecContext(ctx, t.s.bind(query), args...)
	if err != nil {
		return 0, fmt.Errorf("exec: %w", err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("exec: %w", err)
	}
	return int(n), nil
}

// write runs fn in a control-plane transaction: all or nothing, durable when it returns nil.
func (s *Store) write(ctx context.Context, fn func(ctx context.Context, t tx) error) error {
	return s.transact(ctx, true, fn)
}

// relaxed is write that does not wait for the disk: a power cut may take the transaction back as a whole.
func (s *Store) relaxed(ctx context.Context, fn func(ctx context.Context, t tx) error) error {
	return s.transact(ctx, false, fn)
}

func (s *Store) transact(ctx context.Context, full bool, fn func(ctx context.Context, t tx) error) error {
	if s.lite != nil {
		return s.lite.write(ctx, full, func(ctx context.Context, t *sql.Tx) error { return fn(ctx, tx{t, s}) })
	}
	t, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if !full {
		if _, err := t.ExecContext(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
			_ = t.Rollback() // the first error counts
			return fmt.Errorf("begin: %w", err)
		}
	}
	if err := fn(ctx, tx{t, s}); err != nil {
		_ = t.Rollback() // the first error counts
		return err
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// escape marks text that PostgreSQL would refuse. It is a private-use character that nobody starts a text with; if
// somebody does, that text is escaped too.
const escape = "\uf8ffhex:"

// text is the stored form of a string from anywhere.
func text[T ~string](v T) string {
	s := string(v)
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 && !strings.HasPrefix(s, escape) {
		return s
	}
	return escape + hex.EncodeToString([]byte(s))
}

// plain is the inverse of text.
func plain(s string) string {
	h, ok := strings.CutPrefix(s, escape)
	if !ok {
		return s
	}
	b, err := hex.DecodeString(h)
	if err != nil {
		return s // never written by text
	}
	return string(b)
}

// idHash is the hash by which SQLite finds a message: FNV-1a, 64 bits.
func idHash(id wa.MessageID) int64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return int64(h)
}

// blob is the stored form of bytes: nothing is NULL in both dialects.
func blob(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// flag is a boolean column.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// values writes n groups of k placeholders for VALUES.
func values(n, k int) string {
	group := "(" + strings.TrimSuffix(strings.Repeat("?,", k), ",") + ")"
	return strings.TrimSuffix(strings.Repeat(group+",", n), ",")
}

// saveDoc inserts or replaces a JSON document. table is a constant of this package.
func saveDoc(ctx context.Context, t tx, table, id string, v any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", table, err)
	}
	_, err = t.exec(ctx, "INSERT INTO "+table+" (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc", text(id), doc)
	if err != nil {
		return fmt.Errorf("save %s %s: %w", table, id, err)
	}
	return nil
}

// loadDocs reads all JSON documents of a table, ordered by id.
func loadDocs[T any](ctx context.Context, s *Store, table string) ([]*T, error) {
	var out []*T
	err := s.query(ctx, s.db, "SELECT doc FROM "+table+" ORDER BY id", nil, func(r *sql.Rows) error {
		var doc sql.RawBytes
		if err := r.Scan(&doc); err != nil {
			return err
		}
		v := new(T)
		if err := json.Unmarshal(doc, v); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", table, err)
	}
	return out, nil
}
