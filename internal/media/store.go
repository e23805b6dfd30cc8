package media

import (
	"context"
	"errors"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Store keeps the rows. Writes are durable when they return. Times are Unix milliseconds.
type Store interface {
	// SaveMedia inserts a row, sets the size of its blob to r.Size and prolongs its life to r.Keep, in one step.
	SaveMedia(ctx context.Context, r *Row) error
	// Media returns a row, expired ones too; nil when there is none.
	Media(ctx context.Context, id string) (*Row, error)
	// DeleteMedia deletes a row and reports whether it was there. The blob stays until its own end.
	DeleteMedia(ctx context.Context, id string) (bool, error)
	// DeleteExpiredMedia deletes rows that expired at or before the given time, uploads with them, and returns how many.
	DeleteExpiredMedia(ctx context.Context, before int64) (int, error)

	// AddBlob inserts the row of a blob whose bytes are about to be stored.
	AddBlob(ctx context.Context, b BlobRow) error
	// Blob returns the row of a blob; nil when there is none.
	Blob(ctx context.Context, id string) (*BlobRow, error)
	// KeepBlob prolongs the life of a blob; it never shortens it. size is set when it is not 0.
	KeepBlob(ctx context.Context, id string, size, until int64) error
	// ExpiredBlobs returns up to limit blobs that expired at or before the given time.
	ExpiredBlobs(ctx context.Context, before int64, limit int) ([]string, error)
	// DeleteBlob deletes the row, after the bytes are gone.
	DeleteBlob(ctx context.Context, id string) error

	// SaveUpload inserts an upload session, or replaces it if it still has the given number of parts. It reports false when
	// it has not: another request was quicker.
	SaveUpload(ctx context.Context, u *UploadRow, had int) (bool, error)
	// Upload returns a session, expired ones too; nil when there is none.
	Upload(ctx context.Context, id string) (*UploadRow, error)
	// DeleteUpload deletes a session.
	DeleteUpload(ctx context.Context, id string) error
}

// Row is a media id as the store keeps it. What the file is, and its keys, are sealed.
type Row struct {
	ID      string
	WABA    wa.WABAID        // empty for handles
	Number  wa.PhoneNumberID // it was uploaded on, or sent to; empty for handles
	Blob    string
	Expires int64
	Keep    int64 // of the blob: how long it is kept at least; 0 when read
	Size    int64 // of the blob, in bytes; 0 when read
	Sealed  []byte
}

// BlobRow is what is known of a blob without its keys.
type BlobRow struct {
	ID      string
	Size    int64 // encrypted, in bytes; 0 until all of it is there
	Owner   string
	Expires int64
}

// UploadRow is a resumable upload.
type UploadRow struct {
	ID      string
	App     wa.AppID
	Parts   int
	Expires int64
	Sealed  []byte
}

// Sealer keeps the rows' contents unreadable on disk; see the vault room.
type Sealer interface {
	// SealContent seals content. born is 0, or for what lives for an hour when it came into being, in Unix milliseconds.
	SealContent(born int64, ad, plain []byte) ([]byte, error)
	Open(ad, sealed []byte) ([]byte, error)
}

// Errors of this package besides rows of the table.
var (
	// ErrNotFound says that a media id, handle or upload does not exist, has expired, or is not visible to the caller.
	ErrNotFound = errors.New("no such media")
	// ErrTooLarge says that a file is larger than the limit of its type.
	ErrTooLarge = errors.New("the file is too large")
	// ErrEmpty says that a file has no bytes.
	ErrEmpty = errors.New("the file is empty")
)
