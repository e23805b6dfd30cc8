package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// standings adds what the pairs of a chunk have come to. A pair that is known by it alone is known.
func (s *Store) standings(ctx context.Context, n int, args []any, found map[pipeline.PeerKey]*pipeline.Peer) error {
	return s.query(ctx, s.db, `WITH k(wa_id, number) AS (VALUES `+values(n, 2)+`)
SELECT p.wa_id, p.number, p.referral_at, p.entry_at, p.hash, p.opted_out, p.moved_to
FROM k JOIN standings p ON p.wa_id = k.wa_id AND p.number = k.number`, args, func(r *sql.Rows) error {
		var user, number, hash, moved string
		var out int64
		var e pipeline.Standing
		if err := r.Scan(&user, &number, &e.ReferralAt, &e.EntryAt, &hash, &out, &moved); err != nil {
			return err
		}
		e.Hash, e.OptedOut, e.MovedTo = plain(hash), out != 0, wa.WaID(plain(moved))
		k := pipeline.PeerKey{Number: wa.PhoneNumberID(plain(number)), User: wa.WaID(plain(user))}
		if found[k] == nil {
			found[k] = &pipeline.Peer{Key: k}
		}
		found[k].Standing = e
		return nil
	})
}

// Acquainted implements pipeline.Store.
func (s *Store) Acquainted(ctx context.Context, user wa.WaID) (numbers []wa.PhoneNumberID, _ error) {
	err := s.query(ctx, s.db, `SELECT number FROM pairs WHERE wa_id = ? UNION SELECT number FROM standings WHERE wa_id = ?
ORDER BY number`, []any{text(user), text(user)}, func(r *sql.Rows) error {
		var number string
		if err := r.Scan(&number); err != nil {
			return err
		}
		numbers = append(numbers, wa.PhoneNumberID(plain(number)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the acquaintances of a user: %w", err)
	}
	return numbers, nil
}

func pgStandings(q *pgx.Batch, b *pipeline.Batch) {
	for i := range b.Standing { // rare, and the last of equal ones counts
		e := &b.Standing[i]
		q.Queue(`INSERT INTO standings (wa_id, number, referral_at, entry_at, hash, opted_out, moved_to) VALUES ($1,$2,$3,$4,$5,$6,$7)
ON CONFLICT (wa_id, number) DO UPDATE SET referral_at = excluded.referral_at, entry_at = excluded.entry_at,
  hash = excluded.hash, opted_out = excluded.opted_out, moved_to = excluded.moved_to`,
			text(e.Key.User), text(e.Key.Number), e.ReferralAt, e.EntryAt, text(e.Hash), flag(e.OptedOut), text(e.MovedTo))
	}
}
