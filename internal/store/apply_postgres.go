package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/hikyaku/hikyaku/internal/pipeline"
)

// applyPG writes the batch with one statement per table, rows as arrays, pipelined: two round trips and the commit.
func (s *Store) applyPG(ctx context.Context, b *pipeline.Batch) error {
	t, err := s.pg.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer t.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after a commit it does nothing
	reached, err := lockPosition(ctx, t, b)
	if err != nil || reached {
		return err
	}
	q := &pgx.Batch{}
	pgMessages(q, b)
	pgPairs(q, b)
	pgMailbox(q, b)
	pgTally(q, b)
	pgStandings(q, b)
	q.Queue("UPDATE positions SET position = $2 WHERE partition = $1", int64(b.Partition), int64(b.Position))
	if err := t.SendBatch(ctx, q).Close(); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	if err := t.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// lockPosition reports whether the batch was applied before. It holds off any other writer of the partition.
func lockPosition(ctx context.Context, t pgx.Tx, b *pipeline.Batch) (reached bool, err error) {
	q := &pgx.Batch{}
	q.Queue("SET LOCAL synchronous_commit = off")
	q.Queue("INSERT INTO positions (partition, position) VALUES ($1, 0) ON CONFLICT DO NOTHING", int64(b.Partition))
	q.Queue("SELECT position FROM positions WHERE partition = $1 FOR UPDATE", int64(b.Partition)).QueryRow(func(r pgx.Row) error {
		var at int64
		if err := r.Scan(&at); err != nil {
			return err
		}
		reached = at > 0 && b.Position <= uint64(at)
		return nil
	})
	if err := t.SendBatch(ctx, q).Close(); err != nil {
		return false, fmt.Errorf("lock position: %w", err)
	}
	return reached, nil
}

// pgColumn is a column of messages after the id: its array type, how its array is made, and how an update changes it.
type pgColumn struct {
	name, array string
	pick        func([]*pipeline.Message) any
	merge       string // with m for the row and u for the update
}

func texts(pick func(*pipeline.Message) string) func([]*pipeline.Message) any {
	return func(ms []*pipeline.Message) any {
		out := make([]string, len(ms))
		for i, m := range ms {
			out[i] = text(pick(m))
		}
		return out
	}
}

func numbers(pick func(*pipeline.Message) int64) func([]*pipeline.Message) any {
	return func(ms []*pipeline.Message) any {
		out := make([]int64, len(ms))
		for i, m := range ms {
			out[i] = pick(m)
		}
		return out
	}
}

func blobs(pick func(*pipeline.Message) []byte) func([]*pipeline.Message) any {
	return func(ms []*pipeline.Message) any {
		out := make([][]byte, len(ms))
		for i, m := range ms {
			if b := pick(m); len(b) > 0 {
				out[i] = b
			}
		}
		return out
	}
}

func textColumn(name string, pick func(*pipeline.Message) string) pgColumn {
	return pgColumn{name, "text", texts(pick), "coalesce(nullif(u." + name + ", ''), m." + name + ")"}
}

func numberColumn(name string, pick func(*pipeline.Message) int64) pgColumn {
	return pgColumn{name, "bigint", numbers(pick), "coalesce(nullif(u." + name + ", 0), m." + name + ")"}
}

const mergedState = "CASE WHEN m.state IN (7, 8) THEN m.state ELSE greatest(m.state, u.state) END"

var pgColumns = []pgColumn{
	textColumn("number", func(m *pipeline.Message) string { return string(m.Number) }),
	textColumn("waba", func(m *pipeline.Message) string { return string(m.WABA) }),
	textColumn("wa_id", func(m *pipeline.Message) string { return string(m.User) }),
	{"state", "bigint", numbers(func(m *pipeline.Message) int64 { return int64(m.State) }), mergedState},
	textColumn("type", func(m *pipeline.Message) string { return m.Type }),
	textColumn("category", func(m *pipeline.Message) string { return m.Category }),
	textColumn("pricing_type", func(m *pipeline.Message) string { return m.PricingType }),
	numberColumn("billable", func(m *pipeline.Message) int64 { return flag(m.Billable) }),
	numberColumn("priced_once", func(m *pipeline.Message) int64 { return flag(m.PricedOnce) }),
	textColumn("identity_hash", func(m *pipeline.Message) string { return m.IdentityHash }),
	numberColumn("accepted_at", func(m *pipeline.Message) int64 { return m.AcceptedAt }),
	numberColumn("sent_at", func(m *pipeline.Message) int64 { return m.SentAt }),
	numberColumn("delivered_at", func(m *pipeline.Message) int64 { return m.DeliveredAt }),
	numberColumn("read_at", func(m *pipeline.Message) int64 { return m.ReadAt }),
	numberColumn("played_at", func(m *pipeline.Message) int64 { return m.PlayedAt }),
	numberColumn("failed_at", func(m *pipeline.Message) int64 { return m.FailedAt }),
	numberColumn("expires", func(m *pipeline.Message) int64 { return m.Expires }),
	numberColumn("code", func(m *pipeline.Message) int64 { return int64(m.Code) }),
	numberColumn("attempt", func(m *pipeline.Message) int64 { return int64(m.Attempt) }),
	textColumn("device", func(m *pipeline.Message) string { return string(m.Device) }),
	textColumn("client_id", func(m *pipeline.Message) string { return m.ClientID }),
	textColumn("template", func(m *pipeline.Message) string { return string(m.Template) }),
	numberColumn("outside", func(m *pipeline.Message) int64 { return flag(m.Outside) }),
	{"opaque", "bytea", blobs(func(m *pipeline.Message) []byte { return m.Opaque }), "coalesce(u.opaque, m.opaque)"},
	{
		"content", "bytea", blobs(content),
		"CASE WHEN " + mergedState + " BETWEEN 4 AND 8 THEN NULL ELSE coalesce(u.content, m.content) END",
	},
}

var pgInsert, pgUpdate = pgStatements()

func pgStatements() (insert, update string) {
	names, arrays, sets := "id", "$1::text[]", make([]string, len(pgColumns))
	for i, c := range pgColumns {
		names += ", " + c.name
		arrays += fmt.Sprintf(", $%d::%s[]", i+2, c.array)
		sets[i] = c.name + " = " + c.merge
	}
	set := strings.Join(sets, ", ")
	last := len(pgColumns) + 2
	insert = fmt.Sprintf("INSERT INTO messages AS m (partition, %s) SELECT $%d::bigint, %s FROM unnest(%s) WITH ORDINALITY AS u(%s, ord) ORDER BY ord "+
		"ON CONFLICT (id) DO UPDATE SET %s", names, last, names, arrays, names, strings.ReplaceAll(set, "u.", "excluded."))
	update = fmt.Sprintf("UPDATE messages AS m SET %s FROM unnest(%s) AS u(%s) WHERE m.id = u.id", set, arrays, names)
	return insert, update
}

func pgMessages(q *pgx.Batch, b *pipeline.Batch) {
	rows := func(ms []*pipeline.Message) []any {
		args := []any{texts(func(m *pipeline.Message) string { return string(m.ID) })(ms)}
		for _, c := range pgColumns {
			args = append(args, c.pick(ms))
		}
		return args
	}
	if len(b.Insert) > 0 {
		q.Queue(pgInsert, append(rows(distinct(b.Insert)), int64(b.Partition))...)
	}
	if len(b.Update) > 0 {
		q.Queue(pgUpdate, rows(distinct(b.Update))...)
	}
}

func pgPairs(q *pgx.Batch, b *pipeline.Batch) {
	if ps := distinctPairs(b.Peers); len(ps) > 0 {
		var number, user, template []string
		var inbound, start, count, delivered, templateAt []int64
		var byUser, byBusiness []*int64
		for _, p := range ps {
			number, user = append(number, text(p.Key.Number)), append(user, text(p.Key.User))
			inbound, start, count = append(inbound, p.LastInbound), append(start, p.PairStart), append(count, int64(p.PairCount))
			byUser, byBusiness = append(byUser, pgFlag(p.BlockedByUser)), append(byBusiness, pgFlag(p.BlockedByBusiness))
			delivered, template, templateAt = append(delivered, p.DeliveredAt), append(template, text(p.Template)), append(templateAt, p.TemplateAt)
		}
		q.Queue(pgUpsert("pairs", "number, wa_id, device, last_inbound, pair_start, pair_count, blocked_by_user, blocked_by_business, delivered_at, template, template_at",
			"$1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::bigint[]", "wa_id, number, device",
			"last_inbound = greatest(t.last_inbound, excluded.last_inbound),"+
				"pair_start = CASE WHEN excluded.pair_count = 0 THEN t.pair_start ELSE excluded.pair_start END,"+
				"pair_count = CASE WHEN excluded.pair_count = 0 THEN t.pair_count ELSE excluded.pair_count END,"+
				"blocked_by_user = coalesce(excluded.blocked_by_user, t.blocked_by_user),"+
				"blocked_by_business = coalesce(excluded.blocked_by_business, t.blocked_by_business),"+
				"delivered_at = greatest(t.delivered_at, excluded.delivered_at),"+
				"template = coalesce(nullif(excluded.template, ''), t.template),"+
				"template_at = CASE WHEN excluded.template = '' THEN t.template_at ELSE excluded.template_at END"),
			number, user, make([]string, len(ps)), inbound, start, count, byUser, byBusiness, delivered, template, templateAt)
	}
	if es := distinctSessions(b.Sessions); len(es) > 0 {
		var user, number, device []string
		var seq []int64
		var state [][]byte
		for _, e := range es {
			user, number, device = append(user, text(e.Device.User())), append(number, text(e.Number)), append(device, text(e.Device))
			seq, state = append(seq, int64(e.LastSeq)), append(state, e.State)
		}
		q.Queue(pgUpsert("pairs", "wa_id, number, device, last_seq, state", "$1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[]", "wa_id, number, device",
			"last_seq = greatest(t.last_seq, excluded.last_seq), state = coalesce(excluded.state, t.state)"),
			user, number, device, seq, state)
	}
	if len(b.OneTime) > 0 {
		var number []string
		var id []int64
		for _, o := range b.OneTime {
			number, id = append(number, text(o.Number)), append(id, int64(o.ID))
		}
		q.Queue("DELETE FROM number_one_time t USING unnest($1::text[], $2::bigint[]) AS u(number, id) WHERE t.number = u.number AND t.id = u.id",
			number, id)
	}
}

func pgUpsert(table, columns, arrays, key, set string) string {
	return "INSERT INTO " + table + " AS t (" + columns + ") SELECT " + columns + " FROM unnest(" + arrays + ") AS u(" + columns +
		") ON CONFLICT (" + key + ") DO UPDATE SET " + set
}

func pgMailbox(q *pgx.Batch, b *pipeline.Batch) {
	items := slices.Clone(b.Items)
	seen := make(map[pipeline.MailboxRef]bool, len(items))
	for i, it := range slices.Backward(items) { // the last of equal ones counts
		if r := (pipeline.MailboxRef{Device: it.Device, Seq: it.Seq}); seen[r] {
			items = slices.Delete(items, i, i+1)
		} else {
			seen[r] = true
		}
	}
	if len(items) > 0 {
		var device, id, number []string
		var seq, at, expires, prekey, silent []int64
		var cipher, event [][]byte
		for _, it := range items {
			device, id, number = append(device, text(it.Device)), append(id, text(it.ID)), append(number, text(it.Number))
			seq, at, expires = append(seq, int64(it.Seq)), append(at, it.At), append(expires, it.Expires)
			prekey, silent = append(prekey, flag(it.PreKey)), append(silent, flag(it.Silent))
			cipher, event = append(cipher, orNil(it.Cipher)), append(event, orNil(it.Event))
		}
		q.Queue(pgUpsert("mailbox", "device, seq, id, number, at, expires, prekey, silent, cipher, event",
			"$1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bytea[]",
			"device, seq", "id = excluded.id, number = excluded.number, at = excluded.at, expires = excluded.expires,"+
				"prekey = excluded.prekey, silent = excluded.silent, cipher = excluded.cipher, event = excluded.event"),
			device, seq, id, number, at, expires, prekey, silent, cipher, event)
	}
	if len(b.Gone) > 0 {
		var device []string
		var seq []int64
		for _, g := range b.Gone {
			device, seq = append(device, text(g.Device)), append(seq, int64(g.Seq))
		}
		q.Queue("DELETE FROM mailbox t USING unnest($1::text[], $2::bigint[]) AS u(device, seq) WHERE t.device = u.device AND t.seq = u.seq",
			device, seq)
	}
}

func distinctPairs(ps []pipeline.PeerChange) []pipeline.PeerChange {
	at := make(map[pipeline.PeerKey]int, len(ps))
	var out []pipeline.PeerChange
	for _, p := range ps {
		if p.PairCount == 0 {
			p.PairStart = 0
		}
		i, ok := at[p.Key]
		if !ok {
			at[p.Key] = len(out)
			out = append(out, p)
			continue
		}
		o := &out[i]
		o.LastInbound = max(o.LastInbound, p.LastInbound)
		if p.PairCount != 0 {
			o.PairStart, o.PairCount = p.PairStart, p.PairCount
		}
		if p.BlockedByUser != nil {
			o.BlockedByUser = p.BlockedByUser
		}
		if p.BlockedByBusiness != nil {
			o.BlockedByBusiness = p.BlockedByBusiness
		}
		o.DeliveredAt = max(o.DeliveredAt, p.DeliveredAt)
		if p.Template != "" {
			o.Template, o.TemplateAt = p.Template, p.TemplateAt
		}
	}
	return out
}

func distinctSessions(es []pipeline.Session) []pipeline.Session {
	type key struct{ device, number string }
	at := make(map[key]int, len(es))
	var out []pipeline.Session
	for _, e := range es {
		e.State = orNil(e.State)
		k := key{string(e.Device), string(e.Number)}
		i, ok := at[k]
		if !ok {
			at[k] = len(out)
			out = append(out, e)
			continue
		}
		out[i].LastSeq = max(out[i].LastSeq, e.LastSeq)
		if e.State != nil {
			out[i].State = e.State
		}
	}
	return out
}

func orNil(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

func pgFlag(b *bool) *int64 {
	if b == nil {
		return nil
	}
	v := flag(*b)
	return &v
}
