package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// sweep is how many rows one step of a retention job looks at: it holds the writer for a few milliseconds.
const sweep = 1000

// DeleteMessages deletes messages, with the users' identifiers in them, whose last event lies before the given time, and
// returns how many. It works in small steps and may be ended by ctx between them.
func (s *Store) DeleteMessages(ctx context.Context, before time.Time) (int, error) {
	total, last := 0, int64(0)
	for {
		old, next, more, err := s.oldMessages(ctx, last, before.UnixMilli())
		if err == nil && len(old) > 0 {
			err = s.deleteMessages(ctx, old)
		}
		if err != nil {
			return total, fmt.Errorf("delete old messages: %w", err)
		}
		total, last = total+len(old), next
		if !more {
			return total, nil
		}
		if err := context.Cause(ctx); err != nil {
			return total, err
		}
	}
}

// oldMessages looks at the rows after n. Rows are in the order of their acceptance, so the first one that was accepted
// too late ends the search.
func (s *Store) oldMessages(ctx context.Context, n, before int64) (old []any, next int64, more bool, err error) {
	seen, young := 0, false
	err = s.query(ctx, s.db, `SELECT n, accepted_at, sent_at, delivered_at, read_at, played_at, failed_at FROM messages
WHERE n > ? ORDER BY n LIMIT ?`, []any{n, int64(sweep)}, func(r *sql.Rows) error {
		var at [6]int64
		var row int64
		if err := r.Scan(&row, &at[0], &at[1], &at[2], &at[3], &at[4], &at[5]); err != nil {
			return err
		}
		seen++
		next = row
		young = young || at[0] >= before
		if max(at[0], at[1], at[2], at[3], at[4], at[5]) < before {
			old = append(old, row)
		}
		return nil
	})
	return old, next, seen == sweep && !young, err
}

func (s *Store) deleteMessages(ctx context.Context, rows []any) error {
	return s.write(ctx, func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, "DELETE FROM messages WHERE n IN "+values(1, len(rows)), rows...)
		return err
	})
}

// DeletePairs deletes the state of pairs without a message since the given time and without a block, and returns how many.
// That a user wants no marketing messages stays, and so do their sessions: without them the next message could not be read.
func (s *Store) DeletePairs(ctx context.Context, before time.Time) (int, error) {
	var n int
	err := s.write(ctx, func(ctx context.Context, t tx) (err error) {
		n, err = t.exec(ctx, `DELETE FROM pairs WHERE device = '' AND last_inbound < ? AND pair_start < ?
AND coalesce(blocked_by_user, 0) = 0 AND coalesce(blocked_by_business, 0) = 0`, before.UnixMilli(), before.UnixMilli())
		if err == nil {
			_, err = t.exec(ctx, `DELETE FROM standings WHERE opted_out = 0 AND NOT EXISTS (SELECT 1 FROM pairs p
WHERE p.wa_id = standings.wa_id AND p.number = standings.number AND p.device = '')`)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete old pairs: %w", err)
	}
	return n, nil
}
