package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

const pendingColumns = "id, app, scope, waba, message, updates, born, attempts, status, next, body, brief"

// AddPending implements webhook.PendingStore.
func (s *Store) AddPending(ctx context.Context, p *webhook.Pending) error {
	return s.change(ctx, "add pending POST", "INSERT INTO webhook_pending ("+pendingColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET attempts = excluded.attempts, status = excluded.status, next = excluded.next`,
		text(p.ID), text(p.Endpoint.App), text(p.Endpoint.Scope), text(p.WABA), text(p.Message), int64(p.Updates),
		millis(p.Born), int64(p.Attempts), int64(p.Status), millis(p.Next), blob(p.Body), text(p.Brief))
}

// UpdatePending implements webhook.PendingStore. It does not wait for the disk: at worst an attempt is made once more.
func (s *Store) UpdatePending(ctx context.Context, id string, attempts, status int, next time.Time) error {
	err := s.relaxed(ctx, func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, "UPDATE webhook_pending SET attempts = ?, status = ?, next = ? WHERE id = ?",
			int64(attempts), int64(status), millis(next), text(id))
		return err
	})
	if err != nil {
		return fmt.Errorf("update pending POST: %w", err)
	}
	return nil
}

// DeletePending implements webhook.PendingStore. It does not wait for the disk: at worst a POST is sent twice.
func (s *Store) DeletePending(ctx context.Context, id string) (bool, error) {
	var n int
	err := s.relaxed(ctx, func(ctx context.Context, t tx) (err error) {
		n, err = t.exec(ctx, "DELETE FROM webhook_pending WHERE id = ?", text(id))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("delete pending POST: %w", err)
	}
	return n > 0, nil
}

// DeleteAllPending implements webhook.PendingStore.
func (s *Store) DeleteAllPending(ctx context.Context, e webhook.EndpointID) (int, error) {
	var updates int64
	err := s.write(ctx, func(ctx context.Context, t tx) error {
		where, args := " FROM webhook_pending WHERE app = ? AND scope = ?", []any{text(e.App), text(e.Scope)}
		if _, err := s.one(ctx, t, "SELECT coalesce(sum(updates), 0)"+where, args, &updates); err != nil {
			return err
		}
		_, err := t.exec(ctx, "DELETE"+where, args...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete pending POSTs: %w", err)
	}
	return int(updates), nil
}

func (s *Store) pending(ctx context.Context, where string, args ...any) ([]*webhook.Pending, error) {
	var out []*webhook.Pending
	err := s.query(ctx, s.db, "SELECT "+pendingColumns+" FROM webhook_pending "+where, args, func(r *sql.Rows) error {
		var p webhook.Pending
		var id, app, scope, waba, message, brief string
		var updates, born, attempts, status, next int64
		if err := r.Scan(&id, &app, &scope, &waba, &message, &updates, &born, &attempts, &status, &next, &p.Body, &brief); err != nil {
			return err
		}
		p.ID, p.Endpoint, p.WABA, p.Message = plain(id), endpointID(app, scope), wa.WABAID(plain(waba)), wa.MessageID(plain(message))
		p.Brief = wa.PhoneNumberID(plain(brief))
		p.Updates, p.Born, p.Attempts, p.Status, p.Next = int(updates), moment(born), int(attempts), int(status), moment(next)
		out = append(out, &p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read pending POSTs: %w", err)
	}
	return out, nil
}

// DuePending implements webhook.PendingStore.
func (s *Store) DuePending(ctx context.Context, e webhook.EndpointID, now time.Time, limit int) ([]*webhook.Pending, error) {
	return s.pending(ctx, "WHERE app = ? AND scope = ? AND next <= ? ORDER BY next, id LIMIT ?",
		text(e.App), text(e.Scope), millis(now), int64(limit))
}

// NextPending implements webhook.PendingStore.
func (s *Store) NextPending(ctx context.Context, e webhook.EndpointID, after time.Time) (time.Time, error) {
	var next sql.NullInt64
	_, err := s.one(ctx, s.db, "SELECT min(next) FROM webhook_pending WHERE app = ? AND scope = ? AND next > ?",
		[]any{text(e.App), text(e.Scope), millis(after)}, &next)
	if err != nil {
		return time.Time{}, fmt.Errorf("read next pending POST: %w", err)
	}
	if !next.Valid {
		return time.Time{}, nil
	}
	return moment(next.Int64), nil
}

// PendingByID implements webhook.PendingStore.
func (s *Store) PendingByID(ctx context.Context, id string) (*webhook.Pending, error) {
	ps, err := s.pending(ctx, "WHERE id = ?", text(id))
	if err != nil || len(ps) == 0 {
		return nil, err
	}
	return ps[0], nil
}

// PendingCounts implements webhook.PendingStore.
func (s *Store) PendingCounts(ctx context.Context) ([]webhook.PendingCount, error) {
	var out []webhook.PendingCount
	err := s.query(ctx, s.db, `SELECT app, scope, count(*), CAST(sum(updates) AS BIGINT), min(born), min(next) FROM webhook_pending
GROUP BY app, scope ORDER BY app, scope`, nil, func(r *sql.Rows) error {
		var app, scope string
		var rows, updates, oldest, next int64
		if err := r.Scan(&app, &scope, &rows, &updates, &oldest, &next); err != nil {
			return err
		}
		out = append(out, webhook.PendingCount{
			Endpoint: endpointID(app, scope), Rows: int(rows), Updates: int(updates), Oldest: moment(oldest), Next: moment(next),
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count pending POSTs: %w", err)
	}
	return out, nil
}
