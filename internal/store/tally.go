package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Sum implements analytics.Source: the counts of its subjects, added up per step of seconds from the start of the span, and
// by what the query keeps apart. There is no order.
func (s *Store) Sum(ctx context.Context, q *analytics.Sum) ([]analytics.Count, error) {
	bucket, number, country := "(bucket - ?) / ? * ? + ?", "''", "''"
	args := []any{q.From, q.Step, q.Step, q.From}
	if q.ByNumber {
		number = "number"
	}
	if q.ByCountry {
		country = "country"
	}
	subjects := q.Of()
	where := "subject IN " + values(1, len(subjects)) + " AND what IN " + values(1, len(q.What)) + " AND bucket >= ? AND bucket < ?"
	for _, x := range subjects {
		args = append(args, text(x))
	}
	for _, w := range q.What {
		args = append(args, w)
	}
	args = append(args, q.From, q.To)
	if len(q.Numbers) > 0 {
		where += " AND number IN " + values(1, len(q.Numbers))
		for _, n := range q.Numbers {
			args = append(args, text(n))
		}
	}
	if len(q.Countries) > 0 {
		where += " AND country IN " + values(1, len(q.Countries))
		for _, c := range q.Countries {
			args = append(args, text(c))
		}
	}
	var out []analytics.Count
	err := s.query(ctx, s.db, "SELECT b, what, num, land, sum(n) FROM (SELECT "+bucket+" AS b, what, "+number+" AS num, "+country+
		" AS land, n FROM counts WHERE "+where+") AS c GROUP BY b, what, num, land", args, func(r *sql.Rows) error {
		var c analytics.Count
		var number, country string
		if err := r.Scan(&c.Bucket, &c.What, &number, &country, &c.N); err != nil {
			return err
		}
		c.Subject, c.Number, c.Country = q.Subject, wa.PhoneNumberID(plain(number)), plain(country)
		out = append(out, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sum counts: %w", err)
	}
	return out, nil
}

// Counted implements analytics.Source.
func (s *Store) Counted(ctx context.Context, prefix string, subjects ...string) (map[string][]string, error) {
	out := map[string][]string{}
	for part := range slices.Chunk(subjects, chunk) {
		args := make([]any, 0, len(part)+2)
		for _, x := range part {
			args = append(args, text(x))
		}
		args = append(args, prefix, prefix+"~")
		err := s.query(ctx, s.db, "SELECT DISTINCT subject, what FROM counts WHERE subject IN "+values(1, len(part))+
			" AND what >= ? AND what < ? ORDER BY subject, what", args, func(r *sql.Rows) error {
			var subject, what string
			if err := r.Scan(&subject, &what); err != nil {
				return err
			}
			out[plain(subject)] = append(out[plain(subject)], what)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("list counts: %w", err)
		}
	}
	return out, nil
}

// ReachedBy is how many people the numbers together reached outside windows after the given time (Unix milliseconds), of
// those whose numbers begin with one of the codes when there are any.
func (s *Store) ReachedBy(ctx context.Context, numbers []wa.PhoneNumberID, since int64, codes ...string) (n int, err error) {
	if len(numbers) == 0 {
		return 0, nil
	}
	args := []any{since}
	for _, x := range numbers {
		args = append(args, text(x))
	}
	where := "at > ? AND number IN " + values(1, len(numbers))
	if len(codes) > 0 {
		where += " AND (wa_id LIKE ?" + strings.Repeat(" OR wa_id LIKE ?", len(codes)-1) + ")"
	}
	for _, c := range codes {
		args = append(args, text(c)+"%")
	}
	if _, err = s.one(ctx, s.db, "SELECT count(DISTINCT wa_id) FROM reached WHERE "+where, args, &n); err != nil {
		return 0, fmt.Errorf("count people reached: %w", err)
	}
	return n, nil
}

// ReachedSince calls f for everybody who counts from after the given time, in the order of that time.
func (s *Store) ReachedSince(ctx context.Context, since int64, f func(limits.Reached)) error {
	err := s.query(ctx, s.db, "SELECT number, wa_id, at, counted FROM reached WHERE counted > ? ORDER BY counted", []any{since}, func(r *sql.Rows) error {
		var number, user string
		var at, counted int64
		if err := r.Scan(&number, &user, &at, &counted); err != nil {
			return err
		}
		f(limits.Reached{Number: wa.PhoneNumberID(plain(number)), User: wa.WaID(plain(user)), At: at, Counted: counted})
		return nil
	})
	if err != nil {
		return fmt.Errorf("read people reached: %w", err)
	}
	return nil
}

// MarketingSince calls f for every marketing template that counts against somebody's cap, oldest first; those that were sent
// and not delivered come with no time.
func (s *Store) MarketingSince(ctx context.Context, since int64, f func(limits.Reached)) error {
	err := s.query(ctx, s.db, "SELECT number, wa_id, at FROM marketing WHERE at > ? ORDER BY at", []any{since}, func(r *sql.Rows) error {
		var number, user string
		var at int64
		if err := r.Scan(&number, &user, &at); err != nil {
			return err
		}
		f(limits.Reached{Number: wa.PhoneNumberID(plain(number)), User: wa.WaID(plain(user)), At: at, Marketing: true})
		return nil
	})
	if err != nil {
		return fmt.Errorf("read marketing templates: %w", err)
	}
	return nil
}

// Underway calls f for every message that was sent outside a window and not delivered; At is 0.
func (s *Store) Underway(ctx context.Context, f func(limits.Arrived)) error {
	err := s.query(ctx, s.db, "SELECT number, wa_id, template, category FROM messages WHERE state = 3 AND outside <> 0", nil, func(r *sql.Rows) error {
		var number, user, template, category string
		if err := r.Scan(&number, &user, &template, &category); err != nil {
			return err
		}
		f(limits.Arrived{
			Number: wa.PhoneNumberID(plain(number)), User: wa.WaID(plain(user)), Template: wa.TemplateID(plain(template)), Category: plain(category),
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("read messages under way: %w", err)
	}
	return nil
}

// MarketingSeen calls f for every marketing template that reached somebody after the given time, oldest first, as one that was
// read or was not. It looks at every message.
func (s *Store) MarketingSeen(ctx context.Context, since int64, f func(limits.Seen)) error {
	err := s.query(ctx, s.db, `SELECT wa_id, id, read_at FROM messages WHERE category IN ('marketing', 'marketing_lite')
AND (delivered_at > ? OR read_at > ?) ORDER BY n`, []any{since, since}, func(r *sql.Rows) error {
		var user, id string
		var read int64
		if err := r.Scan(&user, &id, &read); err != nil {
			return err
		}
		x := limits.Seen{User: wa.WaID(plain(user)), Mark: limits.MarkOf(wa.MessageID(plain(id)))}
		if f(x); read != 0 {
			x.Read = true
			f(x)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read marketing templates that were read: %w", err)
	}
	return nil
}

// ArrivedSince calls f for every template that reached somebody after the given time. It looks at every message.
func (s *Store) ArrivedSince(ctx context.Context, since int64, f func(limits.Arrived)) error {
	err := s.query(ctx, s.db, `SELECT number, wa_id, template, category, CASE WHEN delivered_at <> 0 THEN delivered_at ELSE read_at END
FROM messages WHERE type = 'template' AND (delivered_at > ? OR delivered_at = 0 AND read_at > ?)`, []any{since, since}, func(r *sql.Rows) error {
		var number, user, template, category string
		var at int64
		if err := r.Scan(&number, &user, &template, &category, &at); err != nil {
			return err
		}
		f(limits.Arrived{
			Number: wa.PhoneNumberID(plain(number)), User: wa.WaID(plain(user)), Template: wa.TemplateID(plain(template)), Category: plain(category), At: at,
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("read templates that arrived: %w", err)
	}
	return nil
}

const feedbackColumns = "SELECT number, waba, template, wa_id, at, what, reason, light FROM feedback "

func (s *Store) feedback(ctx context.Context, where string, args ...any) ([]quality.Event, error) {
	var out []quality.Event
	err := s.query(ctx, s.db, feedbackColumns+where, args, func(r *sql.Rows) error {
		var number, waba, template, user, what, reason string
		var e quality.Event
		var light int64
		if err := r.Scan(&number, &waba, &template, &user, &e.At, &what, &reason, &light); err != nil {
			return err
		}
		e.Number, e.WABA, e.Template = wa.PhoneNumberID(plain(number)), wa.WABAID(plain(waba)), wa.TemplateID(plain(template))
		e.User, e.What, e.Reason, e.Light = wa.WaID(plain(user)), plain(what), plain(reason), light != 0
		out = append(out, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read feedback: %w", err)
	}
	return out, nil
}

// NumberFeedback returns what users did with the number's chat since the given time, oldest first.
func (s *Store) NumberFeedback(ctx context.Context, id wa.PhoneNumberID, since int64) ([]quality.Event, error) {
	return s.feedback(ctx, "WHERE number = ? AND at >= ? ORDER BY at, n", text(id), since)
}

// TemplateFeedback is the same for a template.
func (s *Store) TemplateFeedback(ctx context.Context, id wa.TemplateID, since int64) ([]quality.Event, error) {
	return s.feedback(ctx, "WHERE template = ? AND at >= ? ORDER BY at, n", text(id), since)
}

// Stopped returns the latest word of everybody who ever said something about marketing messages.
func (s *Store) Stopped(ctx context.Context) ([]quality.Event, error) {
	return s.feedback(ctx, "WHERE what IN ('stop', 'resume') ORDER BY at, n")
}

// ChargesOf returns the ledger of a WABA in a span of time (Unix milliseconds, the end excluded), oldest first.
func (s *Store) ChargesOf(ctx context.Context, id wa.WABAID, from, to int64) (out []pricing.Charge, err error) {
	err = s.EachCharge(ctx, []wa.WABAID{id}, from, to, func(c pricing.Charge) { out = append(out, c) })
	return out, err
}

// EachCharge calls f for what is in the ledger of the WABAs in a span of time (Unix milliseconds, the end excluded), in the order of
// time and id.
func (s *Store) EachCharge(ctx context.Context, ids []wa.WABAID, from, to int64, f func(pricing.Charge)) error {
	where, args := within("at", ids, from, to)
	err := s.query(ctx, s.db, "SELECT id, waba, number, wa_id, market, category, template, at FROM charges"+where+" ORDER BY at, id",
		args, func(r *sql.Rows) error {
			var c pricing.Charge
			var id, waba, number, user, market, category, template string
			if err := r.Scan(&id, &waba, &number, &user, &market, &category, &template, &c.At); err != nil {
				return err
			}
			c.ID, c.WABA, c.Number, c.User = wa.MessageID(plain(id)), wa.WABAID(plain(waba)), wa.PhoneNumberID(plain(number)), wa.WaID(plain(user))
			c.Market, c.Category, c.Template = plain(market), plain(category), wa.TemplateID(plain(template))
			f(c)
			return nil
		})
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	return nil
}

// Charged is how much is in the ledger of the WABAs in a span of time whose ends are multiples of [pricing.Quarter] (Unix
// milliseconds, the end excluded). It reads sums that are kept with the ledger.
func (s *Store) Charged(ctx context.Context, ids []wa.WABAID, from, to int64) ([]pricing.Volume, error) {
	var out []pricing.Volume
	where, args := within("bucket", ids, from, to)
	err := s.query(ctx, s.db, "SELECT waba, market, category, sum(n) FROM charged"+where+" GROUP BY waba, market, category", args, func(r *sql.Rows) error {
		var v pricing.Volume
		var waba, market, category string
		if err := r.Scan(&waba, &market, &category, &v.N); err != nil {
			return err
		}
		v.WABA, v.Market, v.Category = wa.WABAID(plain(waba)), plain(market), plain(category)
		out = append(out, v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sum ledger: %w", err)
	}
	return out, nil
}

// within is the condition for rows of the WABAs in a span of time.
func within(column string, ids []wa.WABAID, from, to int64) (where string, args []any) {
	for _, id := range ids {
		args = append(args, text(id))
	}
	return " WHERE waba IN " + values(1, len(ids)) + " AND " + column + " >= ? AND " + column + " < ?", append(args, from, to)
}

// Engaged implements pipeline.Store.
func (s *Store) Engaged(ctx context.Context, ids []wa.MessageID) ([]pipeline.Engagement, error) {
	var out []pipeline.Engagement
	for part := range slices.Chunk(ids, chunk) {
		args := make([]any, len(part))
		for i, id := range part {
			args[i] = text(id)
		}
		err := s.query(ctx, s.db, "SELECT id, mark, at FROM engaged WHERE id IN "+values(1, len(args)), args, func(r *sql.Rows) error {
			var id string
			var mark, at int64
			if err := r.Scan(&id, &mark, &at); err != nil {
				return err
			}
			out = append(out, pipeline.Engagement{ID: wa.MessageID(plain(id)), Mark: uint32(mark), At: at})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read what users did: %w", err)
		}
	}
	return out, nil
}

// DeleteTally forgets who was reached, and what users did, before the given time. Counts and the ledger stay; a word about
// marketing messages stays in force.
func (s *Store) DeleteTally(ctx context.Context, before time.Time) error {
	return s.relaxed(ctx, func(ctx context.Context, t tx) error {
		for _, q := range []string{
			"DELETE FROM reached WHERE at < ?", "DELETE FROM marketing WHERE at < ?",
			"DELETE FROM engaged WHERE at < ?", "DELETE FROM feedback WHERE at < ? AND what NOT IN ('stop', 'resume')",
		} {
			if _, err := t.exec(ctx, q, before.UnixMilli()); err != nil {
				return fmt.Errorf("forget counts: %w", err)
			}
		}
		return nil
	})
}

// SavePolicy keeps a document of the policy room.
func (s *Store) SavePolicy(ctx context.Context, id string, doc []byte) error {
	return s.change(ctx, "save policy", "INSERT INTO policy (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc", text(id), doc)
}

// Policy returns all documents of the policy room by id.
func (s *Store) Policy(ctx context.Context) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := s.query(ctx, s.db, "SELECT id, doc FROM policy", nil, func(r *sql.Rows) error {
		var id string
		var doc []byte
		if err := r.Scan(&id, &doc); err != nil {
			return err
		}
		out[plain(id)] = doc
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load policy: %w", err)
	}
	return out, nil
}
