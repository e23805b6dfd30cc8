package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
)

// saveActivity appends an entry to an account's history.
func saveActivity(ctx context.Context, t tx, a *business.Activity) error {
	doc, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode activity: %w", err)
	}
	_, err = t.exec(ctx, "INSERT INTO activities (id, waba, at, type, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
		text(a.ID), text(a.WABA), a.At.UnixMilli(), text(a.Type), doc)
	if err != nil {
		return fmt.Errorf("save activity: %w", err)
	}
	return nil
}

// Activities implements business.Store.
func (s *Store) Activities(ctx context.Context, q business.ActivityQuery) ([]*business.Activity, error) {
	where, args := []string{"waba = ?"}, []any{text(q.WABA)}
	and := func(condition string, arg any) { where, args = append(where, condition), append(args, arg) }
	if !q.Since.IsZero() {
		and("at >= ?", q.Since.UnixMilli())
	}
	if !q.Until.IsZero() {
		and("at <= ?", q.Until.UnixMilli())
	}
	if len(q.Types) > 0 {
		where = append(where, "type IN "+values(1, len(q.Types)))
		for _, t := range q.Types {
			args = append(args, text(t))
		}
	}
	order := "DESC"
	switch {
	case q.Before != "":
		and("id < ?", text(q.Before))
	case q.After != "":
		and("id > ?", text(q.After))
		order = "ASC"
	}
	query := "SELECT doc FROM activities WHERE " + strings.Join(where, " AND ") + " ORDER BY id " + order + " LIMIT ?"
	var out []*business.Activity
	err := s.query(ctx, s.db, query, append(args, int64(q.Limit)), func(r *sql.Rows) error {
		var doc sql.RawBytes
		if err := r.Scan(&doc); err != nil {
			return err
		}
		a := &business.Activity{}
		if err := json.Unmarshal(doc, a); err != nil {
			return err
		}
		out = append(out, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read activities: %w", err)
	}
	if order == "ASC" {
		slices.Reverse(out)
	}
	return out, nil
}

// DeleteActivities removes what happened before a moment.
func (s *Store) DeleteActivities(ctx context.Context, before time.Time) error {
	return s.change(ctx, "delete activities", "DELETE FROM activities WHERE at < ?", before.UnixMilli())
}

// SavePicture keeps the bytes of a profile photo, which everybody may see.
func (s *Store) SavePicture(ctx context.Context, id, mime string, data []byte) error {
	return s.change(ctx, "save picture", "INSERT INTO pictures (id, type, data) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING", text(id), text(mime), blob(data))
}

// Picture returns a profile photo; nil data when there is none.
func (s *Store) Picture(ctx context.Context, id string) (mime string, data []byte, err error) {
	_, err = s.one(ctx, s.db, "SELECT type, data FROM pictures WHERE id = ?", []any{text(id)}, &mime, &data)
	return plain(mime), data, wrap("read picture", err)
}

// DeletePicture removes a profile photo.
func (s *Store) DeletePicture(ctx context.Context, id string) error {
	return s.change(ctx, "delete picture", "DELETE FROM pictures WHERE id = ?", text(id))
}
