package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/hikyaku/hikyaku/internal/pipeline"
)

// liteApplier holds the prepared statements of Apply on the writing connection. It works below database/sql, whose
// conversions and locks cost as much per row as SQLite itself.
type liteApplier struct {
	conn                                                                 driver.ConnPrepareContext
	begin, commit, rollback                                              *liteStmt
	position, move, insert, peer, session, item, gone, oneTime, standing *liteStmt
	updates                                                              map[fields]*liteStmt
	tallies                                                              map[string]*liteStmt
}

// maxUpdates bounds the prepared forms of UPDATE; a handful occurs in practice.
const maxUpdates = 64

type liteStmt struct {
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	stmt  driver.Stmt
	args  []driver.NamedValue
	rows  int
}

// rowsAtOnce is how many rows of a kind a batch writes before it lets others run: a batch of some thousand rows would keep
// one of two processors for tens of milliseconds, and messages would wait for it.
const rowsAtOnce = 64

func newLiteApplier(ctx context.Context, c driver.ConnPrepareContext) (*liteApplier, error) {
	a := &liteApplier{conn: c, updates: map[fields]*liteStmt{}, tallies: map[string]*liteStmt{}}
	for _, p := range []struct {
		to    **liteStmt
		query string
	}{
		{&a.begin, "BEGIN IMMEDIATE"},
		{&a.commit, "COMMIT"},
		{&a.rollback, "ROLLBACK"},
		{&a.position, "SELECT position FROM positions WHERE partition = ?"},
		{&a.move, "INSERT INTO positions (partition, position) VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET position = excluded.position"},
		{&a.insert, insertMessage},
		{&a.peer, upsertPeer},
		{&a.session, upsertSession},
		{&a.item, upsertItem},
		{&a.gone, "DELETE FROM mailbox WHERE device = ? AND seq = ?"},
		{&a.oneTime, "DELETE FROM number_one_time WHERE number = ? AND id = ?"},
		{&a.standing, upsertStanding},
	} {
		st, err := a.prepare(ctx, p.query)
		if err != nil {
			return nil, errors.Join(err, a.close())
		}
		*p.to = st
	}
	return a, nil
}

const (
	insertMessage = `INSERT INTO messages (id, hid, partition, number, waba, wa_id, state, type, category, pricing_type, billable,
  priced_once, identity_hash, accepted_at, sent_at, delivered_at, read_at, played_at, failed_at, expires, code, attempt,
  device, client_id, template, outside, opaque, content)
SELECT ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,? WHERE NOT EXISTS (SELECT 1 FROM messages WHERE hid = ? AND id = ?)`

	upsertPeer = `INSERT INTO pairs (wa_id, number, device, last_inbound, pair_start, pair_count, blocked_by_user, blocked_by_business, delivered_at, template,
  template_at)
VALUES (?,?,'',?,?,?,?,?,?,?,?)
ON CONFLICT (wa_id, number, device) DO UPDATE SET
  last_inbound = max(last_inbound, excluded.last_inbound),
  pair_start = CASE WHEN excluded.pair_count = 0 THEN pair_start ELSE excluded.pair_start END,
  pair_count = CASE WHEN excluded.pair_count = 0 THEN pair_count ELSE excluded.pair_count END,
  blocked_by_user = coalesce(excluded.blocked_by_user, blocked_by_user),
  blocked_by_business = coalesce(excluded.blocked_by_business, blocked_by_business),
  delivered_at = max(delivered_at, excluded.delivered_at),
  template = CASE WHEN excluded.template = '' THEN template ELSE excluded.template END,
  template_at = CASE WHEN excluded.template = '' THEN template_at ELSE excluded.template_at END`

	upsertSession = `INSERT INTO pairs (wa_id, number, device, last_seq, state) VALUES (?,?,?,?,?)
ON CONFLICT (wa_id, number, device) DO UPDATE SET
  last_seq = max(last_seq, excluded.last_seq), state = coalesce(excluded.state, state)`

	upsertStanding = `INSERT INTO standings (wa_id, number, referral_at, entry_at, hash, opted_out, moved_to) VALUES (?,?,?,?,?,?,?)
ON CONFLICT (wa_id, number) DO UPDATE SET referral_at = excluded.referral_at, entry_at = excluded.entry_at,
  hash = excluded.hash, opted_out = excluded.opted_out, moved_to = excluded.moved_to`

	upsertItem = `INSERT INTO mailbox (device, seq, id, number, at, expires, prekey, silent, cipher, event)
VALUES (?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (device, seq) DO UPDATE SET id = excluded.id, number = excluded.number, at = excluded.at,
  expires = excluded.expires, prekey = excluded.prekey, silent = excluded.silent, cipher = excluded.cipher, event = excluded.event`
)

func (a *liteApplier) prepare(ctx context.Context, query string) (*liteStmt, error) {
	st, err := a.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	e, ok1 := st.(driver.StmtExecContext)
	q, ok2 := st.(driver.StmtQueryContext)
	if !ok1 || !ok2 {
		return nil, errors.Join(errors.New("prepare: the driver's statements take no context"), st.Close())
	}
	return &liteStmt{exec: e, query: q, stmt: st}, nil
}

// run executes the statement. ctx must not be one that can end: that costs a goroutine per row. The slice of arguments is
// used again for every row.
func (st *liteStmt) run(ctx context.Context, args ...driver.Value) (changed bool, err error) {
	st.args = st.args[:0]
	for i, v := range args {
		st.args = append(st.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	r, err := st.exec.ExecContext(ctx, st.args)
	if err != nil {
		return false, fmt.Errorf("exec: %w", err)
	}
	if st.rows++; st.rows%rowsAtOnce == 0 {
		runtime.Gosched()
	}
	n, err := r.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("exec: %w", err)
	}
	return n > 0, nil
}

// transact runs fn between BEGIN and COMMIT.
func (a *liteApplier) transact(ctx context.Context, fn func(context.Context, *liteApplier) error) error {
	if _, err := a.begin.run(ctx); err != nil {
		return err
	}
	err := fn(ctx, a)
	if err == nil {
		if _, err = a.commit.run(ctx); err == nil {
			return nil
		}
	}
	_, _ = a.rollback.run(ctx) // fails when SQLite has rolled back by itself; the first error counts
	return err
}

func (a *liteApplier) batch(ctx context.Context, b *pipeline.Batch) error {
	at, err := a.reached(ctx, b.Partition)
	if err != nil {
		return err
	}
	if at > 0 && b.Position <= at {
		return nil
	}
	for _, step := range []func(context.Context, *pipeline.Batch) error{a.messages, a.pairs, a.mailbox, a.tally} {
		if err := step(ctx, b); err != nil {
			return err
		}
	}
	_, err = a.move.run(ctx, int64(b.Partition), int64(b.Position))
	return err
}

func (a *liteApplier) reached(ctx context.Context, partition int) (uint64, error) {
	a.position.args = append(a.position.args[:0], driver.NamedValue{Ordinal: 1, Value: int64(partition)})
	rows, err := a.position.query.QueryContext(ctx, a.position.args)
	if err != nil {
		return 0, fmt.Errorf("read position: %w", err)
	}
	defer rows.Close() //nolint:errcheck // nothing was written through it
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		if errors.Is(err, io.EOF) {
			return 0, nil
		}
		return 0, fmt.Errorf("read position: %w", err)
	}
	at, _ := row[0].(int64)
	return uint64(at), nil
}

func (a *liteApplier) messages(ctx context.Context, b *pipeline.Batch) error {
	for _, m := range b.Insert {
		id, hash := text(m.ID), idHash(m.ID)
		fresh, err := a.insert.run(ctx, id, hash, int64(b.Partition), text(m.Number), text(m.WABA), text(m.User), int64(m.State),
			text(m.Type), text(m.Category), text(m.PricingType), flag(m.Billable), flag(m.PricedOnce), text(m.IdentityHash),
			m.AcceptedAt, m.SentAt, m.DeliveredAt, m.ReadAt, m.PlayedAt, m.FailedAt, m.Expires, int64(m.Code),
			int64(m.Attempt), text(m.Device), text(m.ClientID), text(m.Template), flag(m.Outside), blob(m.Opaque),
			blob(content(m)), hash, id)
		if err != nil {
			return fmt.Errorf("insert message: %w", err)
		}
		if !fresh { // the row exists after all: what is known of it now must not be lost, nor stop the projector
			if err := a.update(ctx, m); err != nil {
				return err
			}
		}
	}
	for _, m := range b.Update {
		if err := a.update(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (a *liteApplier) pairs(ctx context.Context, b *pipeline.Batch) error {
	for i := range b.Peers {
		p := &b.Peers[i]
		if p.PairCount == 0 {
			c := *p
			c.PairStart = 0
			p = &c
		}
		_, err := a.peer.run(ctx, text(p.Key.User), text(p.Key.Number), p.LastInbound, p.PairStart, int64(p.PairCount),
			maybe(p.BlockedByUser), maybe(p.BlockedByBusiness), p.DeliveredAt, text(p.Template), p.TemplateAt)
		if err != nil {
			return fmt.Errorf("write pair: %w", err)
		}
	}
	for i := range b.Sessions {
		e := &b.Sessions[i]
		_, err := a.session.run(ctx, text(e.Device.User()), text(e.Number), text(e.Device), int64(e.LastSeq), blob(e.State))
		if err != nil {
			return fmt.Errorf("write session: %w", err)
		}
	}
	for i := range b.Standing {
		e := &b.Standing[i]
		_, err := a.standing.run(ctx, text(e.Key.User), text(e.Key.Number), e.ReferralAt, e.EntryAt, text(e.Hash), flag(e.OptedOut), text(e.MovedTo))
		if err != nil {
			return fmt.Errorf("write standing: %w", err)
		}
	}
	for _, o := range b.OneTime {
		if _, err := a.oneTime.run(ctx, text(o.Number), int64(o.ID)); err != nil {
			return fmt.Errorf("delete one-time prekey: %w", err)
		}
	}
	return nil
}

func (a *liteApplier) mailbox(ctx context.Context, b *pipeline.Batch) error {
	for _, it := range b.Items {
		_, err := a.item.run(ctx, text(it.Device), int64(it.Seq), text(it.ID), text(it.Number), it.At, it.Expires,
			flag(it.PreKey), flag(it.Silent), blob(it.Cipher), blob(it.Event))
		if err != nil {
			return fmt.Errorf("write mailbox item: %w", err)
		}
	}
	for _, g := range b.Gone {
		if _, err := a.gone.run(ctx, text(g.Device), int64(g.Seq)); err != nil {
			return fmt.Errorf("delete mailbox item: %w", err)
		}
	}
	return nil
}

func maybe(b *bool) driver.Value {
	if b == nil {
		return nil
	}
	return flag(*b)
}

func (a *liteApplier) close() error {
	var errs []error
	for _, st := range []*liteStmt{a.begin, a.commit, a.rollback, a.position, a.move, a.insert, a.peer, a.session, a.item, a.gone, a.oneTime, a.standing} {
		if st != nil {
			errs = append(errs, st.stmt.Close())
		}
	}
	for _, st := range a.tallies {
		errs = append(errs, st.stmt.Close())
	}
	for _, st := range a.updates {
		errs = append(errs, st.stmt.Close())
	}
	return errors.Join(errs...)
}

// fields says which columns an update sets.
type fields uint32

// update writes the fields of m that are not zero. There is a prepared statement per set of fields: the usual updates set
// a state and a time.
func (a *liteApplier) update(ctx context.Context, m *pipeline.Message) error {
	var (
		set  fields
		args [27]driver.Value
		n    int
	)
	put := func(bit int, present bool, v driver.Value) {
		if present {
			set |= 1 << bit
			args[n] = v
			n++
		}
	}
	put(0, m.State != 0, int64(m.State))
	put(1, len(m.Content) > 0 && !spent(m.State), blob(m.Content))
	put(2, m.Number != "", text(m.Number))
	put(3, m.WABA != "", text(m.WABA))
	put(4, m.User != "", text(m.User))
	put(5, m.Type != "", text(m.Type))
	put(6, m.Category != "", text(m.Category))
	put(7, m.PricingType != "", text(m.PricingType))
	put(8, m.Billable, int64(1))
	put(9, m.PricedOnce, int64(1))
	put(10, m.IdentityHash != "", text(m.IdentityHash))
	put(11, m.AcceptedAt != 0, m.AcceptedAt)
	put(12, m.SentAt != 0, m.SentAt)
	put(13, m.DeliveredAt != 0, m.DeliveredAt)
	put(14, m.ReadAt != 0, m.ReadAt)
	put(15, m.PlayedAt != 0, m.PlayedAt)
	put(16, m.FailedAt != 0, m.FailedAt)
	put(17, m.Expires != 0, m.Expires)
	put(18, m.Code != 0, int64(m.Code))
	put(19, m.Attempt != 0, int64(m.Attempt))
	put(20, m.Device != "", text(m.Device))
	put(21, m.ClientID != "", text(m.ClientID))
	put(22, len(m.Opaque) > 0, blob(m.Opaque))
	put(23, m.Template != "", text(m.Template))
	put(24, m.Outside, int64(1))
	if set == 0 {
		return nil
	}
	args[n], args[n+1] = idHash(m.ID), text(m.ID)
	st, err := a.updater(ctx, set, spent(m.State))
	if err != nil {
		return err
	}
	if _, err := st.run(ctx, args[:n+2]...); err != nil {
		return fmt.Errorf("update message: %w", err)
	}
	return nil
}

// columns are those of the bits of fields, with the expression that sets them. In SET, a column's name means its old value.
var columns = [...]string{
	"state = CASE WHEN state IN (7, 8) THEN state ELSE max(state, ?) END",
	"content = CASE WHEN state BETWEEN 4 AND 8 THEN NULL ELSE ? END",
	"number = ?", "waba = ?", "wa_id = ?", "type = ?", "category = ?", "pricing_type = ?", "billable = ?", "priced_once = ?",
	"identity_hash = ?", "accepted_at = ?", "sent_at = ?", "delivered_at = ?", "read_at = ?", "played_at = ?", "failed_at = ?",
	"expires = ?", "code = ?", "attempt = ?", "device = ?", "client_id = ?", "opaque = ?",
	"template = ?", "outside = ?",
}

func (a *liteApplier) updater(ctx context.Context, set fields, drop bool) (*liteStmt, error) {
	key := set
	if drop {
		key |= 1 << 31
	}
	if st, ok := a.updates[key]; ok {
		return st, nil
	}
	var parts []string
	for i, c := range columns {
		if set&(1<<i) != 0 {
			parts = append(parts, c)
		}
	}
	if drop {
		parts = append(parts, "content = CASE WHEN state = 9 THEN content END")
	}
	if len(a.updates) >= maxUpdates { // an unusual mix: forget one, whichever
		for k, st := range a.updates {
			delete(a.updates, k)
			if err := st.stmt.Close(); err != nil {
				return nil, fmt.Errorf("close statement: %w", err)
			}
			break
		}
	}
	st, err := a.prepare(ctx, "UPDATE messages SET "+strings.Join(parts, ", ")+" WHERE hid = ? AND id = ?")
	if err != nil {
		return nil, err
	}
	a.updates[key] = st
	return st, nil
}
