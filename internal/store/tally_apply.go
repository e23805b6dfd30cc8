package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/pricing"
)

// What a batch counts for, in SQLite. There are few rows per batch, so the statements are prepared when they are first used.
const (
	addCount = `INSERT INTO counts (subject, what, bucket, number, country, n) VALUES (?,?,?,?,?,?)
ON CONFLICT (subject, what, bucket, number, country) DO UPDATE SET n = n + excluded.n`
	putReached = `INSERT INTO reached (number, wa_id, at, counted) VALUES (?,?,?,?)
ON CONFLICT (number, wa_id) DO UPDATE SET at = max(at, excluded.at), counted = max(counted, excluded.counted)`
	putMarketing = `INSERT INTO marketing (at, wa_id, number) VALUES (?,?,?) ON CONFLICT DO NOTHING`
	putCharge    = `INSERT INTO charges (id, waba, number, wa_id, market, category, template, at) VALUES (?,?,?,?,?,?,?,?)
ON CONFLICT (id) DO NOTHING`
	addCharged = `INSERT INTO charged (waba, bucket, number, market, category, n) VALUES (?,?,?,?,?,?)
ON CONFLICT (waba, bucket, number, market, category) DO UPDATE SET n = n + excluded.n`
	putEngaged  = `INSERT INTO engaged (id, mark, at) VALUES (?,?,?) ON CONFLICT DO NOTHING`
	putFeedback = `INSERT INTO feedback (number, waba, template, wa_id, at, what, reason, light) VALUES (?,?,?,?,?,?,?,?)`
)

func (a *liteApplier) tally(ctx context.Context, b *pipeline.Batch) error {
	for i := range b.Counts {
		c := &b.Counts[i]
		if err := a.put(ctx, addCount, text(c.Subject), c.What, c.Bucket, text(c.Number), text(c.Country), c.N); err != nil {
			return err
		}
	}
	for i := range b.Reached {
		r := &b.Reached[i]
		if err := a.put(ctx, putReached, text(r.Number), text(r.User), r.At, r.Counted); err != nil {
			return err
		}
		if !r.Marketing {
			continue
		}
		if err := a.put(ctx, putMarketing, r.At, text(r.User), text(r.Number)); err != nil {
			return err
		}
	}
	if err := a.charge(ctx, b.Charges); err != nil {
		return err
	}
	for i := range b.Feedback {
		f := &b.Feedback[i]
		if err := a.put(ctx, putFeedback, text(f.Number), text(f.WABA), text(f.Template), text(f.User), f.At, text(f.What),
			text(f.Reason), flag(f.Light)); err != nil {
			return err
		}
	}
	for i := range b.Engaged {
		e := &b.Engaged[i]
		if err := a.put(ctx, putEngaged, text(e.ID), int64(e.Mark), e.At); err != nil {
			return err
		}
	}
	return nil
}

// charged is a row of the sums of the ledger.
type charged struct {
	waba, number, market, category string
	bucket                         int64
}

// charge writes the ledger, and adds up what was not in it.
func (a *liteApplier) charge(ctx context.Context, list []pricing.Charge) error {
	if len(list) == 0 {
		return nil
	}
	sums := map[charged]int64{}
	for i := range list {
		c := &list[i]
		fresh, err := a.write(ctx, putCharge, text(c.ID), text(c.WABA), text(c.Number), text(c.User), text(c.Market), text(c.Category),
			text(c.Template), c.At)
		if err != nil {
			return err
		}
		if fresh {
			sums[charged{text(c.WABA), text(c.Number), text(c.Market), text(c.Category), c.At / quarter * quarter}]++
		}
	}
	for k, n := range sums {
		if err := a.put(ctx, addCharged, k.waba, k.bucket, k.number, k.market, k.category, n); err != nil {
			return err
		}
	}
	return nil
}

// quarter is the width of a bucket of charged, in milliseconds.
const quarter = int64(pricing.Quarter / time.Millisecond)

func (a *liteApplier) put(ctx context.Context, query string, args ...driver.Value) error {
	_, err := a.write(ctx, query, args...)
	return err
}

// write reports whether a row changed.
func (a *liteApplier) write(ctx context.Context, query string, args ...driver.Value) (changed bool, err error) {
	st := a.tallies[query]
	if st == nil {
		if st, err = a.prepare(ctx, query); err != nil {
			return false, err
		}
		a.tallies[query] = st
	}
	if changed, err = st.run(ctx, args...); err != nil {
		return false, fmt.Errorf("count: %w", err)
	}
	return changed, nil
}

// pgTally is the same for PostgreSQL, one statement per table. Keys of a batch are distinct, but for people reached twice.
func pgTally(q *pgx.Batch, b *pipeline.Batch) {
	if len(b.Counts) > 0 {
		var subject, what, number, country []string
		var bucket, n []int64
		for i := range b.Counts {
			c := &b.Counts[i]
			subject, what = append(subject, text(c.Subject)), append(what, c.What)
			number, country = append(number, text(c.Number)), append(country, text(c.Country))
			bucket, n = append(bucket, c.Bucket), append(n, c.N)
		}
		q.Queue(pgUpsert("counts", "subject, what, bucket, number, country, n", "$1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[]",
			"subject, what, bucket, number, country", "n = t.n + excluded.n"), subject, what, bucket, number, country, n)
	}
	pgReached(q, b.Reached)
	if len(b.Charges) > 0 {
		var id, waba, number, user, market, category, template []string
		var at []int64
		for i := range b.Charges {
			c := &b.Charges[i]
			id, waba, number, user = append(id, text(c.ID)), append(waba, text(c.WABA)), append(number, text(c.Number)), append(user, text(c.User))
			market, category, template = append(market, text(c.Market)), append(category, text(c.Category)), append(template, text(c.Template))
			at = append(at, c.At)
		}
		// Numbers are of one partition, so that no two transactions add to the same row of charged.
		q.Queue("WITH fresh AS (INSERT INTO charges (id, waba, number, wa_id, market, category, template, at) SELECT * FROM unnest($1::text[], "+
			"$2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[]) ON CONFLICT (id) DO NOTHING "+
			"RETURNING waba, number, market, category, at) INSERT INTO charged AS t (waba, bucket, number, market, category, n) "+
			"SELECT waba, at / $9 * $9, number, market, category, count(*) FROM fresh GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5 "+
			"ON CONFLICT (waba, bucket, number, market, category) DO UPDATE SET n = t.n + excluded.n",
			id, waba, number, user, market, category, template, at, quarter)
	}
	for i := range b.Feedback {
		f := &b.Feedback[i]
		q.Queue("INSERT INTO feedback (number, waba, template, wa_id, at, what, reason, light) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)",
			text(f.Number), text(f.WABA), text(f.Template), text(f.User), f.At, text(f.What), text(f.Reason), flag(f.Light))
	}
	for i := range b.Engaged {
		e := &b.Engaged[i]
		q.Queue("INSERT INTO engaged (id, mark, at) VALUES ($1,$2,$3) ON CONFLICT DO NOTHING", text(e.ID), int64(e.Mark), e.At)
	}
}

func pgReached(q *pgx.Batch, rs []limits.Reached) {
	if len(rs) == 0 {
		return
	}
	type key struct{ number, user string }
	at := map[key]int{}
	var number, user, mNumber, mUser []string
	var when, counted, mAt []int64
	for i := range rs {
		r := &rs[i]
		k := key{text(r.Number), text(r.User)}
		if r.Marketing {
			mNumber, mUser, mAt = append(mNumber, k.number), append(mUser, k.user), append(mAt, r.At)
		}
		if j, ok := at[k]; ok { // a statement may name a row only once
			when[j], counted[j] = max(when[j], r.At), max(counted[j], r.Counted)
			continue
		}
		at[k] = len(number)
		number, user = append(number, k.number), append(user, k.user)
		when, counted = append(when, r.At), append(counted, r.Counted)
	}
	q.Queue(pgUpsert("reached", "number, wa_id, at, counted", "$1::text[], $2::text[], $3::bigint[], $4::bigint[]", "number, wa_id",
		"at = greatest(t.at, excluded.at), counted = greatest(t.counted, excluded.counted)"), number, user, when, counted)
	if len(mAt) > 0 {
		q.Queue("INSERT INTO marketing (at, wa_id, number) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING",
			mAt, mUser, mNumber)
	}
}
