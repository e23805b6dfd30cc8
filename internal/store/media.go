package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const keepBlob = "UPDATE blobs SET expires = CASE WHEN expires < ? THEN ? ELSE expires END WHERE id = ?"

// SaveMedia implements media.Store.
func (s *Store) SaveMedia(ctx context.Context, r *media.Row) error {
	return wrap("save media", s.write(ctx, func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, "INSERT INTO media (id, waba, number, blob, expires, sealed) VALUES (?, ?, ?, ?, ?, ?)",
			text(r.ID), text(r.WABA), text(r.Number), text(r.Blob), r.Expires, r.Sealed)
		if err != nil {
			return err
		}
		n, err := t.exec(ctx, "UPDATE blobs SET size = ?, expires = CASE WHEN expires < ? THEN ? ELSE expires END WHERE id = ?",
			r.Size, r.Keep, r.Keep, text(r.Blob))
		if err == nil && n == 0 {
			return fmt.Errorf("blob %s is gone", r.Blob)
		}
		return err
	}))
}

// Media implements media.Store.
func (s *Store) Media(ctx context.Context, id string) (*media.Row, error) {
	r := &media.Row{ID: id}
	var waba, number, blob string
	ok, err := s.one(ctx, s.db, "SELECT waba, number, blob, expires, sealed FROM media WHERE id = ?", []any{text(id)},
		&waba, &number, &blob, &r.Expires, &r.Sealed)
	if err != nil || !ok {
		return nil, wrap("read media", err)
	}
	r.WABA, r.Number, r.Blob = wa.WABAID(plain(waba)), wa.PhoneNumberID(plain(number)), plain(blob)
	return r, nil
}

// DeleteMedia implements media.Store.
func (s *Store) DeleteMedia(ctx context.Context, id string) (was bool, err error) {
	err = s.write(ctx, func(ctx context.Context, t tx) error {
		n, err := t.exec(ctx, "DELETE FROM media WHERE id = ?", text(id))
		was = n > 0
		return err
	})
	return was, wrap("delete media", err)
}

// DeleteExpiredMedia implements media.Store.
func (s *Store) DeleteExpiredMedia(ctx context.Context, before int64) (n int, err error) {
	err = s.write(ctx, func(ctx context.Context, t tx) (err error) {
		if n, err = t.exec(ctx, "DELETE FROM media WHERE expires <= ?", before); err != nil {
			return err
		}
		_, err = t.exec(ctx, "DELETE FROM uploads WHERE expires <= ?", before)
		return err
	})
	return n, wrap("delete expired media", err)
}

// AddBlob implements media.Store.
func (s *Store) AddBlob(ctx context.Context, b media.BlobRow) error {
	return s.change(ctx, "add blob", "INSERT INTO blobs (id, size, owner, expires) VALUES (?, ?, ?, ?)",
		text(b.ID), b.Size, text(b.Owner), b.Expires)
}

// Blob implements media.Store.
func (s *Store) Blob(ctx context.Context, id string) (*media.BlobRow, error) {
	b := &media.BlobRow{ID: id}
	var owner string
	ok, err := s.one(ctx, s.db, "SELECT size, owner, expires FROM blobs WHERE id = ?", []any{text(id)}, &b.Size, &owner, &b.Expires)
	if err != nil || !ok {
		return nil, wrap("read blob", err)
	}
	b.Owner = plain(owner)
	return b, nil
}

// KeepBlob implements media.Store.
func (s *Store) KeepBlob(ctx context.Context, id string, size, until int64) error {
	return wrap("keep blob", s.write(ctx, func(ctx context.Context, t tx) error {
		if size > 0 {
			if _, err := t.exec(ctx, "UPDATE blobs SET size = ? WHERE id = ?", size, text(id)); err != nil {
				return err
			}
		}
		_, err := t.exec(ctx, keepBlob, until, until, text(id))
		return err
	}))
}

// ExpiredBlobs implements media.Store.
func (s *Store) ExpiredBlobs(ctx context.Context, before int64, limit int) (ids []string, err error) {
	err = s.query(ctx, s.db, "SELECT id FROM blobs WHERE expires <= ? ORDER BY expires, id LIMIT ?", []any{before, int64(limit)},
		func(r *sql.Rows) error {
			var id string
			if err := r.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, plain(id))
			return nil
		})
	return ids, wrap("find expired blobs", err)
}

// DeleteBlob implements media.Store.
func (s *Store) DeleteBlob(ctx context.Context, id string) error {
	return s.change(ctx, "delete blob", "DELETE FROM blobs WHERE id = ?", text(id))
}

// SaveUpload implements media.Store.
func (s *Store) SaveUpload(ctx context.Context, u *media.UploadRow, had int) (ok bool, err error) {
	err = s.write(ctx, func(ctx context.Context, t tx) error {
		var n int
		var err error
		if u.Parts == 0 {
			n, err = t.exec(ctx, "INSERT INTO uploads (id, app, parts, expires, sealed) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
				text(u.ID), text(u.App), int64(u.Parts), u.Expires, u.Sealed)
		} else {
			n, err = t.exec(ctx, "UPDATE uploads SET parts = ?, expires = ?, sealed = ? WHERE id = ? AND parts = ?",
				int64(u.Parts), u.Expires, u.Sealed, text(u.ID), int64(had))
		}
		ok = n > 0
		return err
	})
	return ok, wrap("save upload", err)
}

// Upload implements media.Store.
func (s *Store) Upload(ctx context.Context, id string) (*media.UploadRow, error) {
	u := &media.UploadRow{ID: id}
	var app string
	var parts int64
	ok, err := s.one(ctx, s.db, "SELECT app, parts, expires, sealed FROM uploads WHERE id = ?", []any{text(id)}, &app, &parts, &u.Expires, &u.Sealed)
	if err != nil || !ok {
		return nil, wrap("read upload", err)
	}
	u.App, u.Parts = wa.AppID(plain(app)), int(parts)
	return u, nil
}

// DeleteUpload implements media.Store.
func (s *Store) DeleteUpload(ctx context.Context, id string) error {
	return s.change(ctx, "delete upload", "DELETE FROM uploads WHERE id = ?", text(id))
}
