package media

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ---- blobs of the user network: ciphertext that the platform stores without being able to read it ----

// PutBlob stores an encrypted file of a device and returns its name and size. announced is how many bytes it should have, or
// -1; a file that the device's budget has no room for is refused before it is read. Bytes that came are not given back, also
// when the upload fails. Errors: [ErrTooLarge], [ErrEmpty], [*BudgetError], those of r.
func (s *Service) PutBlob(ctx context.Context, owner string, announced int64, r io.Reader) (id string, size int64, err error) {
	if announced > MaxBlob {
		return "", 0, ErrTooLarge
	}
	m := &metered{r: r, take: func(n int64) error { return s.uploads.take(owner, n, s.o.Clock.Now()) }}
	if err = m.pay(announced); err != nil {
		return "", 0, err
	}
	if id, err = NewBlobID(s.o.Rand); err != nil {
		return "", 0, err
	}
	pending := s.o.Clock.Now().Add(pendingLife).UnixMilli()
	if err = s.o.Store.AddBlob(ctx, BlobRow{ID: id, Owner: owner, Expires: pending}); err != nil {
		return "", 0, fmt.Errorf("add blob: %w", err)
	}
	in := &intake{r: m, left: MaxBlob}
	err = s.o.Blobs.Put(ctx, id, in)
	switch {
	case in.err != nil && !errors.Is(in.err, io.EOF):
		err = in.err
	case err == nil && in.n == 0:
		err = ErrEmpty
	case err == nil:
		err = s.o.Store.KeepBlob(ctx, id, in.n, s.o.Clock.Now().Add(UploadedLife).UnixMilli())
	}
	if err != nil {
		s.discard(ctx, id)
		return "", 0, err
	}
	return id, in.n, nil
}

// Blob returns the size of an encrypted file. Errors: [ErrNoBlob].
func (s *Service) Blob(ctx context.Context, id string) (size int64, err error) {
	if !ValidBlobID(id) {
		return 0, ErrNoBlob
	}
	b, err := s.o.Store.Blob(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("read blob: %w", err)
	}
	if b == nil || b.Size == 0 || b.Expires <= s.now() {
		return 0, ErrNoBlob
	}
	return b.Size, nil
}

// OpenBlob reads an encrypted file from a position on. Errors: [ErrNoBlob].
func (s *Service) OpenBlob(ctx context.Context, id string, from int64) (io.ReadCloser, error) {
	return s.o.Blobs.Open(ctx, id, from) //nolint:wrapcheck // one call
}
