package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// Subscriptions implements webhook.SubscriptionStore.
func (s *Store) Subscriptions(ctx context.Context) ([]webhook.Subscription, []webhook.Link, []webhook.NumberOverride, error) {
	subs, err := webhookRows[webhook.Subscription](ctx, s, "subscriptions", "app")
	if err != nil {
		return nil, nil, nil, err
	}
	links, err := webhookRows[webhook.Link](ctx, s, "links", "app, waba")
	if err != nil {
		return nil, nil, nil, err
	}
	overrides, err := webhookRows[webhook.NumberOverride](ctx, s, "number_overrides", "app, number")
	if err != nil {
		return nil, nil, nil, err
	}
	return subs, links, overrides, nil
}

func webhookRows[T any](ctx context.Context, s *Store, table, order string) ([]T, error) {
	var out []T
	err := s.query(ctx, s.db, "SELECT doc FROM "+table+" ORDER BY "+order, nil, func(r *sql.Rows) error {
		var doc sql.RawBytes
		var v T
		if err := r.Scan(&doc); err != nil {
			return err
		}
		if err := json.Unmarshal(doc, &v); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", table, err)
	}
	return out, nil
}

// saveWebhook upserts a row by its keys; query ends in the conflict clause.
func (s *Store) saveWebhook(ctx context.Context, what string, v any, query string, keys ...any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", what, err)
	}
	return s.change(ctx, "save "+what, query, append(keys, doc)...)
}

// change runs one statement as a control-plane transaction.
func (s *Store) change(ctx context.Context, what, query string, args ...any) error {
	err := s.write(ctx, func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, query, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// SaveSubscription implements webhook.SubscriptionStore.
func (s *Store) SaveSubscription(ctx context.Context, v webhook.Subscription) error {
	return s.saveWebhook(ctx, "subscription", v,
		"INSERT INTO subscriptions (app, doc) VALUES (?, ?) ON CONFLICT (app) DO UPDATE SET doc = excluded.doc", text(v.App))
}

// DeleteSubscription implements webhook.SubscriptionStore.
func (s *Store) DeleteSubscription(ctx context.Context, app wa.AppID) error {
	return s.change(ctx, "delete subscription", "DELETE FROM subscriptions WHERE app = ?", text(app))
}

// SaveLink implements webhook.SubscriptionStore.
func (s *Store) SaveLink(ctx context.Context, v webhook.Link) error {
	return s.saveWebhook(ctx, "link", v,
		"INSERT INTO links (app, waba, doc) VALUES (?, ?, ?) ON CONFLICT (app, waba) DO UPDATE SET doc = excluded.doc",
		text(v.App), text(v.WABA))
}

// DeleteLink implements webhook.SubscriptionStore.
func (s *Store) DeleteLink(ctx context.Context, app wa.AppID, waba wa.WABAID) error {
	err := s.write(ctx, func(ctx context.Context, t tx) error {
		if _, err := t.exec(ctx, "DELETE FROM links WHERE app = ? AND waba = ?", text(app), text(waba)); err != nil {
			return err
		}
		_, err := t.exec(ctx, "DELETE FROM number_overrides WHERE app = ? AND waba = ?", text(app), text(waba))
		return err
	})
	if err != nil {
		return fmt.Errorf("delete link: %w", err)
	}
	return nil
}

// SaveNumberOverride implements webhook.SubscriptionStore.
func (s *Store) SaveNumberOverride(ctx context.Context, v webhook.NumberOverride) error {
	return s.saveWebhook(ctx, "override", v, `INSERT INTO number_overrides (app, number, waba, doc) VALUES (?, ?, ?, ?)
ON CONFLICT (app, number) DO UPDATE SET waba = excluded.waba, doc = excluded.doc`, text(v.App), text(v.Number), text(v.WABA))
}

// DeleteNumberOverride implements webhook.SubscriptionStore.
func (s *Store) DeleteNumberOverride(ctx context.Context, app wa.AppID, number wa.PhoneNumberID) error {
	return s.change(ctx, "delete override", "DELETE FROM number_overrides WHERE app = ? AND number = ?", text(app), text(number))
}

// Cursors implements webhook.CursorStore.
func (s *Store) Cursors(ctx context.Context) ([]webhook.Cursor, error) {
	var out []webhook.Cursor
	err := s.query(ctx, s.db, "SELECT app, scope, partition, seq FROM webhook_cursors ORDER BY app, scope, partition", nil, func(r *sql.Rows) error {
		var app, scope string
		var partition, seq int64
		if err := r.Scan(&app, &scope, &partition, &seq); err != nil {
			return err
		}
		out = append(out, webhook.Cursor{Endpoint: endpointID(app, scope), Partition: int(partition), Seq: uint64(seq)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load cursors: %w", err)
	}
	return out, nil
}

func endpointID(app, scope string) webhook.EndpointID {
	return webhook.EndpointID{App: wa.AppID(plain(app)), Scope: webhook.Scope(plain(scope))}
}

// SaveCursors implements webhook.CursorStore. It does not wait for the disk: a cursor that falls back is read again from
// the journal.
func (s *Store) SaveCursors(ctx context.Context, rows []webhook.Cursor) error {
	err := s.relaxed(ctx, func(ctx context.Context, t tx) error {
		for _, c := range rows {
			_, err := t.exec(ctx, `INSERT INTO webhook_cursors (app, scope, partition, seq) VALUES (?, ?, ?, ?)
ON CONFLICT (app, scope, partition) DO UPDATE SET seq = excluded.seq`,
				text(c.Endpoint.App), text(c.Endpoint.Scope), int64(c.Partition), int64(c.Seq))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save cursors: %w", err)
	}
	return nil
}

// DeleteCursors implements webhook.CursorStore.
func (s *Store) DeleteCursors(ctx context.Context, e webhook.EndpointID) error {
	return s.change(ctx, "delete cursors", "DELETE FROM webhook_cursors WHERE app = ? AND scope = ?", text(e.App), text(e.Scope))
}

// millis and moment store times to the millisecond; the zero time comes back as the zero time.
func millis(t time.Time) int64  { return t.UnixMilli() }
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
