package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Blocked implements pipeline.Blocklist.
func (s *Store) Blocked(ctx context.Context, number wa.PhoneNumberID, after, before wa.WaID, limit int) ([]wa.WaID, error) {
	query := "SELECT wa_id FROM pairs WHERE blocked_by_business = 1 AND device = '' AND number = ?"
	args := []any{text(number)}
	back := after == "" && before != ""
	switch {
	case back:
		query, args = query+" AND wa_id < ? ORDER BY wa_id DESC LIMIT ?", append(args, text(before))
	default:
		query, args = query+" AND wa_id > ? ORDER BY wa_id LIMIT ?", append(args, text(after))
	}
	var out []wa.WaID
	err := s.query(ctx, s.db, query, append(args, int64(limit)), func(r *sql.Rows) error {
		var user string
		err := r.Scan(&user)
		out = append(out, wa.WaID(plain(user)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read blocked users: %w", err)
	}
	if back {
		slices.Reverse(out)
	}
	return out, nil
}

// CountBlocked implements pipeline.Blocklist.
func (s *Store) CountBlocked(ctx context.Context, number wa.PhoneNumberID) (int, error) {
	var n int64
	_, err := s.one(ctx, s.db, "SELECT count(*) FROM pairs WHERE blocked_by_business = 1 AND device = '' AND number = ?", []any{text(number)}, &n)
	if err != nil {
		return 0, fmt.Errorf("count blocked users: %w", err)
	}
	return int(n), nil
}
