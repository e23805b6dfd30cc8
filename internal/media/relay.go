package media

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// ---- blobs of the user network: ciphertext that the platform stores without being able to read it ----

// PutBlob stores an encrypted file of a device and returns its name and size. Errors: [ErrTooLarge], [ErrEmpty], those of r.
func (s *Service) PutBlob(ctx context.Context, owner string, r io.Reader) (id string, size int64, err error) {
	if id, err = NewBlobID(s.o.Rand); err != nil {
		return "", 0, err
	}
	pending := s.o.Clock.Now().Add(pendingLife).UnixMilli()
	if err = s.o.Store.AddBlob(ctx, BlobRow{ID: id, Owner: owner, Expires: pending}); err != nil {
		return "", 0, fmt.Errorf("add blob: %w", err)
	}
	in := &intake{r: r, left: MaxBlob}
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

// ---- files of users ----

// Sent is a file as a user's device describes it inside a message. Source: design "The user network", section 10.
type Sent struct {
	ID        string `json:"id"`
	Size      int64  `json:"size"` // encrypted, in bytes
	Key       []byte `json:"key"`
	MACKey    []byte `json:"mac_key"`
	SHA256Enc []byte `json:"sha256_enc"`
	SHA256    []byte `json:"sha256"` // of the clear file
}

// ParseSent reads the blob member of a device's message.
func ParseSent(raw []byte) (*Sent, error) {
	b := &Sent{}
	if err := json.Unmarshal(raw, b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if !ValidBlobID(b.ID) || len(b.Key) != keySize || len(b.MACKey) != keySize || len(b.SHA256Enc) != macSize || len(b.SHA256) != macSize {
		return nil, fmt.Errorf("%w: the message does not describe it", ErrCorrupt)
	}
	return b, nil
}

// Arrive takes a user's file over: it is fetched and checked before anything is decrypted, encrypted again under a key of
// the platform, and gets a media id of seven days. Errors: [ErrNoBlob], [ErrCorrupt], [ErrTooLarge]; anything else means
// that it may be tried again.
func (s *Service) Arrive(ctx context.Context, b *Sent, mime string, waba wa.WABAID, number wa.PhoneNumberID) (*Media, error) {
	size, err := s.Blob(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	if size > MaxBlob {
		return nil, ErrTooLarge
	}
	keys := Keys{Key: b.Key, MAC: b.MACKey}
	src, err := s.o.Blobs.Open(ctx, b.ID, 0)
	if err != nil {
		return nil, fmt.Errorf("open a user's file: %w", err)
	}
	if err = errors.Join(verify(src, keys, b.SHA256Enc), src.Close()); err != nil {
		return nil, err
	}
	if src, err = s.o.Blobs.Open(ctx, b.ID, 0); err != nil {
		return nil, fmt.Errorf("open a user's file: %w", err)
	}
	clear, err := newDecrypter(src, keys, size, 0)
	if err != nil {
		return nil, errors.Join(err, src.Close())
	}
	defer clear.Close() //nolint:errcheck // it was only read
	f, err := s.store(ctx, clear, MaxSize)
	if errors.Is(err, ErrEmpty) {
		err = ErrCorrupt
	}
	if err != nil {
		return nil, err
	}
	if mime = strings.TrimSpace(mime); Bare(mime) == "" || len(mime) > 100 {
		mime = f.look.MIME
	}
	m := f.media(mime)
	if string(m.SHA256) != string(b.SHA256) {
		s.discard(ctx, f.blob)
		return nil, fmt.Errorf("%w: it is another file than announced", ErrCorrupt)
	}
	m.WABA, m.Number, m.Expires = waba, number, s.end(InboundLife)
	if err = s.save(ctx, m, ""); err != nil {
		return nil, err
	}
	s.Counts.Received.Add(1)
	return m, nil
}
