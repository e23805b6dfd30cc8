package mediatest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hikyaku/hikyaku/internal/media"
)

// Store is a media.Store in memory. It counts the calls that reach it.
type Store struct {
	mu      sync.Mutex
	media   map[string]media.Row
	blobs   map[string]media.BlobRow
	uploads map[string]media.UploadRow
	Calls   int
}

// NewStore returns an empty Store.
func NewStore() *Store {
	return &Store{media: map[string]media.Row{}, blobs: map[string]media.BlobRow{}, uploads: map[string]media.UploadRow{}}
}

func (s *Store) lock() func() {
	s.mu.Lock()
	s.Calls++
	return s.mu.Unlock
}

// Blobs returns how many blobs are known.
func (s *Store) Blobs() int {
	defer s.lock()()
	return len(s.blobs)
}

// SaveMedia implements media.Store.
func (s *Store) SaveMedia(ctx context.Context, r *media.Row) error {
	defer s.lock()()
	b, ok := s.blobs[r.Blob]
	if _, had := s.media[r.ID]; had || !ok {
		return errors.New("the id is taken or the blob is gone")
	}
	b.Expires, b.Size = max(b.Expires, r.Keep), r.Size
	s.blobs[r.Blob] = b
	row := *r
	row.Keep, row.Size = 0, 0
	s.media[r.ID] = row
	return ctx.Err()
}

// Media implements media.Store.
func (s *Store) Media(_ context.Context, id string) (*media.Row, error) {
	defer s.lock()()
	if r, ok := s.media[id]; ok {
		return &r, nil
	}
	return nil, nil //nolint:nilnil // the contract says nil for unknown
}

// DeleteMedia implements media.Store.
func (s *Store) DeleteMedia(_ context.Context, id string) (bool, error) {
	defer s.lock()()
	_, ok := s.media[id]
	delete(s.media, id)
	return ok, nil
}

// DeleteExpiredMedia implements media.Store.
func (s *Store) DeleteExpiredMedia(_ context.Context, before int64) (n int, _ error) {
	defer s.lock()()
	for id, r := range s.media {
		if r.Expires <= before {
			delete(s.media, id)
			n++
		}
	}
	for id, u := range s.uploads {
		if u.Expires <= before {
			delete(s.uploads, id)
		}
	}
	return n, nil
}

// AddBlob implements media.Store.
func (s *Store) AddBlob(ctx context.Context, b media.BlobRow) error {
	defer s.lock()()
	s.blobs[b.ID] = b
	return ctx.Err()
}

// Blob implements media.Store.
func (s *Store) Blob(_ context.Context, id string) (*media.BlobRow, error) {
	defer s.lock()()
	if b, ok := s.blobs[id]; ok {
		return &b, nil
	}
	return nil, nil //nolint:nilnil // the contract says nil for unknown
}

// KeepBlob implements media.Store.
func (s *Store) KeepBlob(_ context.Context, id string, size, until int64) error {
	defer s.lock()()
	if b, ok := s.blobs[id]; ok {
		b.Expires = max(b.Expires, until)
		if size > 0 {
			b.Size = size
		}
		s.blobs[id] = b
	}
	return nil
}

// ExpiredBlobs implements media.Store.
func (s *Store) ExpiredBlobs(_ context.Context, before int64, limit int) (ids []string, _ error) {
	defer s.lock()()
	for id, b := range s.blobs {
		if b.Expires <= before {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return int(s.blobs[a].Expires - s.blobs[b].Expires) })
	return ids[:min(len(ids), limit)], nil
}

// DeleteBlob implements media.Store.
func (s *Store) DeleteBlob(_ context.Context, id string) error {
	defer s.lock()()
	delete(s.blobs, id)
	return nil
}

// SaveUpload implements media.Store.
func (s *Store) SaveUpload(_ context.Context, u *media.UploadRow, had int) (bool, error) {
	defer s.lock()()
	old, ok := s.uploads[u.ID]
	if ok != (u.Parts > 0) || old.Parts != had {
		return false, nil
	}
	s.uploads[u.ID] = *u
	return true, nil
}

// Upload implements media.Store.
func (s *Store) Upload(_ context.Context, id string) (*media.UploadRow, error) {
	defer s.lock()()
	if u, ok := s.uploads[id]; ok {
		return &u, nil
	}
	return nil, nil //nolint:nilnil // the contract says nil for unknown
}

// DeleteUpload implements media.Store.
func (s *Store) DeleteUpload(_ context.Context, id string) error {
	defer s.lock()()
	delete(s.uploads, id)
	return nil
}
