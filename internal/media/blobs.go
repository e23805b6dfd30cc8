package media

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// ErrNoBlob says that there is no blob of that name.
var ErrNoBlob = errors.New("no such blob")

// Blobs keeps encrypted files by name. Names are those of [NewBlobID]; a name is used once. Implementations are safe for
// concurrent use and held to mediatest.Blobs.
type Blobs interface {
	// Put stores what r gives. When it returns nil the blob is durable; after an error, of r too, there is none of that name.
	Put(ctx context.Context, id string, r io.Reader) error
	// Open reads a blob from a position on. Errors: ErrNoBlob.
	Open(ctx context.Context, id string, from int64) (io.ReadCloser, error)
	// Delete removes a blob, and what an interrupted Put of that name left. One that is not there is no error.
	Delete(ctx context.Context, id string) error
}

// NewBlobID draws the name of a blob: 32 hexadecimal digits. Knowing it is the right to read the ciphertext.
func NewBlobID(random io.Reader) (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("draw a blob's name: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// ValidBlobID reports whether id could be one of ours.
func ValidBlobID(id string) bool {
	if len(id) != 32 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
