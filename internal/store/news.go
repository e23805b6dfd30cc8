package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/hikyaku/hikyaku/internal/network"
)

// News implements network.DirectoryStore.
func (d *Directory) News(ctx context.Context, after string, limit int) ([]*network.News, error) {
	var out []*network.News
	err := d.s.query(ctx, d.s.db, "SELECT doc FROM news WHERE id > ? ORDER BY id LIMIT ?", []any{text(after), int64(limit)}, func(r *sql.Rows) error {
		var doc sql.RawBytes
		if err := r.Scan(&doc); err != nil {
			return err
		}
		n := new(network.News)
		out = append(out, n)
		return json.Unmarshal(doc, n)
	})
	return out, wrap("read news", err)
}

// LastNews implements network.DirectoryStore.
func (d *Directory) LastNews(ctx context.Context) (id string, err error) {
	_, err = d.s.one(ctx, d.s.db, "SELECT id FROM news ORDER BY id DESC LIMIT 1", nil, &id)
	return id, wrap("read the last news", err)
}

// Told implements network.DirectoryStore. It does not wait for the disk: what comes back after a power cut is told again.
func (d *Directory) Told(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = text(id)
	}
	return wrap("forget news", d.s.relaxed(ctx, func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, "DELETE FROM news WHERE id IN "+values(1, len(ids)), args...)
		return err
	}))
}
