package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// chunk bounds the rows that one query names.
const chunk = 200

// Position implements pipeline.Store.
func (s *Store) Position(ctx context.Context, partition int) (uint64, error) {
	var at int64
	if _, err := s.one(ctx, s.db, "SELECT position FROM positions WHERE partition = ?", []any{int64(partition)}, &at); err != nil {
		return 0, fmt.Errorf("read position of partition %d: %w", partition, err)
	}
	return uint64(at), nil
}

const messageColumns = `m.id, m.number, m.waba, m.wa_id, m.state, m.type, m.category, m.pricing_type, m.billable, m.priced_once,
  m.identity_hash, m.accepted_at, m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at, m.expires, m.code, m.attempt,
  m.device, m.client_id, m.template, m.outside, m.opaque, m.content`

// messages runs a query whose result is messageColumns.
func (s *Store) messages(ctx context.Context, query string, args ...any) ([]*pipeline.Message, error) {
	var out []*pipeline.Message
	err := s.query(ctx, s.db, query, args, func(r *sql.Rows) error {
		m, err := scanMessage(r)
		out = append(out, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	return out, nil
}

// scanMessage reads messageColumns, and what the query has in front of them.
func scanMessage(r *sql.Rows, before ...any) (*pipeline.Message, error) {
	var (
		m                                                                               pipeline.Message
		id, number, waba, user, kind, category, pricing, hash, device, client, template string
		state, billable, priced, code, attempt, outside                                 int64
	)
	err := r.Scan(append(before, &id, &number, &waba, &user, &state, &kind, &category, &pricing, &billable, &priced, &hash,
		&m.AcceptedAt, &m.SentAt, &m.DeliveredAt, &m.ReadAt, &m.PlayedAt, &m.FailedAt, &m.Expires, &code, &attempt,
		&device, &client, &template, &outside, &m.Opaque, &m.Content)...)
	if err != nil {
		return nil, err
	}
	m.ID, m.Number, m.WABA, m.User = wa.MessageID(plain(id)), wa.PhoneNumberID(plain(number)), wa.WABAID(plain(waba)), wa.WaID(plain(user))
	m.State, m.Type, m.Category, m.PricingType = pipeline.State(state), plain(kind), plain(category), plain(pricing)
	m.Billable, m.PricedOnce, m.IdentityHash = billable != 0, priced != 0, plain(hash)
	m.Code, m.Attempt = int(code), uint32(attempt)
	m.Device, m.ClientID = wa.DeviceID(plain(device)), plain(client)
	m.Template, m.Outside = wa.TemplateID(plain(template)), outside != 0
	return &m, nil
}

// Messages implements pipeline.Store. The order is not that of ids.
func (s *Store) Messages(ctx context.Context, ids []wa.MessageID) ([]*pipeline.Message, error) {
	var out []*pipeline.Message
	for len(ids) > 0 {
		n := min(len(ids), chunk)
		where, args := s.byID("m", ids[:n])
		ms, err := s.messages(ctx, "SELECT "+messageColumns+" FROM messages m WHERE "+where, args...)
		if err != nil {
			return nil, err
		}
		out, ids = append(out, ms...), ids[n:]
	}
	return out, nil
}

// byID is the condition that a message has one of the ids.
func (s *Store) byID(table string, ids []wa.MessageID) (where string, args []any) {
	if s.lite != nil {
		where = table + ".hid IN " + values(1, len(ids)) + " AND "
		for _, id := range ids {
			args = append(args, idHash(id))
		}
	}
	for _, id := range ids {
		args = append(args, text(id))
	}
	return where + table + ".id IN " + values(1, len(ids)), args
}

// Pending implements pipeline.Store. An id that is unknown, or empty, means from the beginning.
func (s *Store) Pending(ctx context.Context, partition int, after wa.MessageID, limit int) ([]*pipeline.Message, error) {
	where, args := s.byID("a", []wa.MessageID{after})
	args = append(append([]any{int64(partition)}, args...), int64(limit))
	return s.messages(ctx, "SELECT "+messageColumns+` FROM messages m WHERE m.state = 1 AND m.partition = ?
  AND m.n > coalesce((SELECT a.n FROM messages a WHERE `+where+"), 0) ORDER BY m.n LIMIT ?", args...)
}

// Undelivered implements pipeline.Store.
func (s *Store) Undelivered(ctx context.Context, partition int, user wa.WaID, limit int) ([]*pipeline.Message, error) {
	return s.messages(ctx, "SELECT "+messageColumns+` FROM messages m WHERE m.state = 3 AND m.wa_id = ? AND m.partition = ?
  ORDER BY m.n LIMIT ?`, text(user), int64(partition), int64(limit))
}

// TemplatesUnderway returns those of the templates that have messages which were accepted and neither delivered nor failed. All such
// messages are looked at, once for all templates: an index by template would be a write more for each message of a campaign, and
// templates are seldom deleted. The caller bounds the time.
func (s *Store) TemplatesUnderway(ctx context.Context, ids []wa.TemplateID) ([]wa.TemplateID, error) {
	var out []wa.TemplateID
	for part := range slices.Chunk(ids, chunk) {
		args := make([]any, 0, len(part)+1)
		for _, id := range part {
			args = append(args, text(id))
		}
		args = append(args, int64(len(part)))         // where there is nothing more to find, the look ends
		for _, state := range [...]string{"1", "3"} { // each has its index
			err := s.query(ctx, s.db, "SELECT DISTINCT template FROM messages WHERE state = "+state+" AND template IN "+
				values(1, len(part))+" LIMIT ?", args, func(r *sql.Rows) error {
				var id string
				err := r.Scan(&id)
				if id := wa.TemplateID(plain(id)); err == nil && !slices.Contains(out, id) {
					out = append(out, id)
				}
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("look for messages of templates: %w", err)
			}
		}
	}
	return out, nil
}

// Stranded implements pipeline.Store. Only undelivered messages are looked at, of which there are few.
func (s *Store) Stranded(ctx context.Context, partition int) (users []wa.WaID, err error) {
	err = s.query(ctx, s.db, `SELECT DISTINCT m.wa_id FROM messages m JOIN devices d ON d.id = m.wa_id || '.1'
WHERE m.state = 3 AND m.partition = ? AND d.created >= m.sent_at
  AND NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.device = d.id AND b.id = m.id)`, []any{int64(partition)}, func(r *sql.Rows) error {
		var user string
		if err := r.Scan(&user); err != nil {
			return err
		}
		users = append(users, wa.WaID(plain(user)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for messages without a mailbox item: %w", err)
	}
	return users, nil
}

// Expired implements pipeline.Store: oldest end of life first. Messages that never end are left out.
func (s *Store) Expired(ctx context.Context, partition int, before int64, limit int) ([]*pipeline.Message, error) {
	return s.messages(ctx, "SELECT "+messageColumns+` FROM messages m WHERE m.state = 3 AND m.partition = ? AND m.expires > 0
  AND m.expires < ? ORDER BY m.expires LIMIT ?`, int64(partition), before, int64(limit))
}

// ByClientID implements pipeline.Store.
func (s *Store) ByClientID(ctx context.Context, device wa.DeviceID, clientID string) (*pipeline.Message, error) {
	ms, err := s.messages(ctx, "SELECT "+messageColumns+` FROM messages m WHERE m.state = 9 AND m.device = ? AND m.client_id = ?
  ORDER BY m.n LIMIT 1`, text(device), text(clientID))
	if err != nil || len(ms) == 0 {
		return nil, err
	}
	return ms[0], nil
}

// Peers implements pipeline.Store. The order is not that of keys.
func (s *Store) Peers(ctx context.Context, keys []pipeline.PeerKey) ([]pipeline.Peer, error) {
	var out []pipeline.Peer
	for len(keys) > 0 {
		n := min(len(keys), chunk)
		ps, err := s.peers(ctx, keys[:n])
		if err != nil {
			return nil, fmt.Errorf("read pairs: %w", err)
		}
		out, keys = append(out, ps...), keys[n:]
	}
	return out, nil
}

// peers reads a chunk. A pair that is known by its sessions alone is known.
func (s *Store) peers(ctx context.Context, keys []pipeline.PeerKey) ([]pipeline.Peer, error) {
	found := make(map[pipeline.PeerKey]*pipeline.Peer, len(keys))
	var args []any
	for _, k := range keys {
		args = append(args, text(k.User), text(k.Number))
	}
	err := s.query(ctx, s.db, `WITH k(wa_id, number) AS (VALUES `+values(len(keys), 2)+`)
SELECT p.wa_id, p.number, p.device, p.last_inbound, p.pair_start, p.pair_count, coalesce(p.blocked_by_user, 0),
  coalesce(p.blocked_by_business, 0), p.last_seq, p.state, p.delivered_at, p.template, p.template_at
FROM k JOIN pairs p ON p.wa_id = k.wa_id AND p.number = k.number ORDER BY p.device`, args, func(r *sql.Rows) error {
		var user, number, device, template string
		var inbound, start, count, byUser, byBusiness, seq, delivered, templateAt int64
		var state []byte
		if err := r.Scan(&user, &number, &device, &inbound, &start, &count, &byUser, &byBusiness, &seq, &state, &delivered, &template, &templateAt); err != nil {
			return err
		}
		k := pipeline.PeerKey{Number: wa.PhoneNumberID(plain(number)), User: wa.WaID(plain(user))}
		p := found[k]
		if p == nil {
			p = &pipeline.Peer{Key: k}
			found[k] = p
		}
		if device == "" {
			p.LastInbound, p.PairStart, p.PairCount = inbound, start, uint32(count)
			p.BlockedByUser, p.BlockedByBusiness = byUser != 0, byBusiness != 0
			p.DeliveredAt, p.Template, p.TemplateAt = delivered, wa.TemplateID(plain(template)), templateAt
			return nil
		}
		e := pipeline.Session{Number: k.Number, Device: wa.DeviceID(plain(device)), State: state, LastSeq: uint64(seq)}
		if n := len(p.Sessions); n == 0 || p.Sessions[n-1].Device != e.Device { // keys given twice join twice
			p.Sessions = append(p.Sessions, e)
		}
		return nil
	})
	if err == nil {
		err = s.standings(ctx, len(keys), args, found)
	}
	if err != nil {
		return nil, err
	}
	out := make([]pipeline.Peer, 0, len(found))
	for _, k := range keys {
		if p := found[k]; p != nil {
			out = append(out, *p)
			delete(found, k)
		}
	}
	return out, nil
}
