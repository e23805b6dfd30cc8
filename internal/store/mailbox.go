package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// MailboxTops implements network.MailboxStore. The journal may know of higher positions than the store.
func (s *Store) MailboxTops(ctx context.Context, devices []wa.DeviceID) ([]network.Top, error) {
	found := make(map[wa.DeviceID]network.Top, len(devices))
	for rest := devices; len(rest) > 0; {
		n := min(len(rest), chunk)
		var args []any
		for _, d := range rest[:n] {
			args = append(args, text(d), text(d.User()))
		}
		if err := s.tops(ctx, args, found); err != nil {
			return nil, fmt.Errorf("read mailbox tops: %w", err)
		}
		rest = rest[n:]
	}
	out := make([]network.Top, len(devices))
	for i, d := range devices {
		out[i] = found[d]
		out[i].Device = d
	}
	return out, nil
}

func (s *Store) tops(ctx context.Context, devices []any, found map[wa.DeviceID]network.Top) error {
	return s.query(ctx, s.db, `WITH k(device, wa_id) AS (VALUES `+values(len(devices)/2, 2)+`),
b AS (SELECT k.device, k.wa_id, coalesce(d.base, 0) AS base FROM k LEFT JOIN devices d ON d.id = k.device)
SELECT b.device, b.base,
  coalesce((SELECT max(p.last_seq) FROM pairs p WHERE p.wa_id = b.wa_id AND p.device = b.device), 0),
  coalesce((SELECT max(m.seq) FROM mailbox m WHERE m.device = b.device), 0),
  (SELECT count(*) FROM mailbox m WHERE m.device = b.device AND m.seq > b.base),
  (SELECT CAST(coalesce(sum(coalesce(length(m.cipher), 0) + coalesce(length(m.event), 0)), 0) AS BIGINT) FROM mailbox m
   WHERE m.device = b.device AND m.seq > b.base)
FROM b`, devices, func(r *sql.Rows) error {
		var device string
		var base, given, kept, items, size int64
		if err := r.Scan(&device, &base, &given, &kept, &items, &size); err != nil {
			return err
		}
		found[wa.DeviceID(plain(device))] = network.Top{
			Seq: uint64(max(base, given, kept)), Base: uint64(base), Items: int(items), Bytes: size,
		}
		return nil
	})
}

// MailboxAfter implements network.MailboxStore: expired items are among them.
func (s *Store) MailboxAfter(ctx context.Context, device wa.DeviceID, after uint64, limit int) ([]*network.Item, error) {
	var out []*network.Item
	err := s.query(ctx, s.db, `SELECT seq, id, number, at, expires, prekey, silent, cipher, event FROM mailbox
WHERE device = ? AND seq > ? ORDER BY seq LIMIT ?`, []any{text(device), int64(after), int64(limit)}, func(r *sql.Rows) error {
		it := &network.Item{Device: device}
		var seq, prekey, silent int64
		var id, number string
		if err := r.Scan(&seq, &id, &number, &it.At, &it.Expires, &prekey, &silent, &it.Cipher, &it.Event); err != nil {
			return err
		}
		it.Seq, it.ID, it.Number = uint64(seq), wa.MessageID(plain(id)), wa.PhoneNumberID(plain(number))
		it.PreKey, it.Silent = prekey != 0, silent != 0
		out = append(out, it)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read mailbox: %w", err)
	}
	return out, nil
}
