package storetest

import (
	"testing"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/store"
)

// Media holds a store to what the media room asks for.
func Media(t *testing.T, s media.Store) {
	t.Helper()
	ctx := t.Context()
	if r, err := s.Media(ctx, "1"); r != nil || err != nil {
		t.Fatalf("nothing: %v, %v", r, err)
	}
	row := &media.Row{ID: "1846720391557204", WABA: "w", Number: "n\x00", Blob: "b1", Expires: 100, Keep: 120, Size: 6, Sealed: []byte{0, 1, 255}}
	if s.SaveMedia(ctx, row) == nil {
		t.Error("media of a blob that is gone was saved")
	}
	must(t, s.AddBlob(ctx, media.BlobRow{ID: "b1", Owner: "1555.1", Expires: 10}))
	must(t, s.SaveMedia(ctx, row))
	if s.SaveMedia(ctx, row) == nil {
		t.Error("an id was given twice")
	}
	got, err := s.Media(ctx, row.ID)
	must(t, err)
	want := *row
	want.Keep, want.Size = 0, 0
	same(t, "media", *got, want)
	b, err := s.Blob(ctx, "b1")
	must(t, err)
	same(t, "its blob", *b, media.BlobRow{ID: "b1", Size: 6, Owner: "1555.1", Expires: 120})
	must(t, s.KeepBlob(ctx, "b1", 7, 110))
	b, err = s.Blob(ctx, "b1")
	must(t, err)
	same(t, "a life is never shortened", *b, media.BlobRow{ID: "b1", Size: 7, Owner: "1555.1", Expires: 120})
	must(t, s.KeepBlob(ctx, "b1", 0, 130))
	must(t, s.AddBlob(ctx, media.BlobRow{ID: "b2", Expires: 20}))
	expired := func(before int64, limit int) []string {
		ids, err := s.ExpiredBlobs(ctx, before, limit)
		must(t, err)
		return ids
	}
	same(t, "expired", expired(129, 9), []string{"b2"})
	same(t, "expired at the time itself", expired(130, 9), []string{"b2", "b1"})
	same(t, "limit", expired(130, 1), []string{"b2"})
	must(t, s.DeleteBlob(ctx, "b2"))
	same(t, "deleted", expired(130, 9), []string{"b1"})
	if n, err := s.DeleteExpiredMedia(ctx, 99); n != 0 || err != nil {
		t.Errorf("expired too early: %d, %v", n, err)
	}
	if n, err := s.DeleteExpiredMedia(ctx, 100); n != 1 || err != nil {
		t.Errorf("expired: %d, %v", n, err)
	}
	row.ID, row.Expires = "1846720391557205", 300
	must(t, s.SaveMedia(ctx, row))
	for _, want := range []bool{true, false} {
		if was, err := s.DeleteMedia(ctx, row.ID); was != want || err != nil {
			t.Errorf("deleted %v, %v", was, err)
		}
	}
}

// Uploads holds a store to what resumable uploads ask for.
func Uploads(t *testing.T, s media.Store) {
	t.Helper()
	ctx := t.Context()
	save := func(u media.UploadRow, had int, want bool) {
		t.Helper()
		if ok, err := s.SaveUpload(ctx, &u, had); ok != want || err != nil {
			t.Errorf("save %d after %d: %v, %v", u.Parts, had, ok, err)
		}
	}
	u := media.UploadRow{ID: "u", App: "a", Expires: 50, Sealed: []byte{1}}
	save(u, 0, true)
	save(u, 0, false)
	u.Parts, u.Sealed, u.Expires = 1, []byte{2}, 60
	save(u, 0, true)
	save(u, 0, false) // somebody was quicker
	got, err := s.Upload(ctx, "u")
	must(t, err)
	same(t, "upload", *got, u)
	if _, err := s.DeleteExpiredMedia(ctx, 60); err != nil {
		t.Error(err)
	}
	if got, err = s.Upload(ctx, "u"); got != nil || err != nil {
		t.Errorf("expired: %v, %v", got, err)
	}
	u.Parts = 0
	save(u, 0, true)
	must(t, s.DeleteUpload(ctx, "u"))
	if got, err = s.Upload(ctx, "u"); got != nil || err != nil {
		t.Errorf("deleted: %v, %v", got, err)
	}
}

func mediaRows(t *testing.T, s *store.Store) { Media(t, s) }

func uploadRows(t *testing.T, s *store.Store) { Uploads(t, s) }
