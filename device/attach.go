package device

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
)

// fileKinds are the types of messages that carry a file.
var fileKinds = []string{"image", "video", "audio", "document", "sticker"}

// Attachment is a clear file to be sent.
type Attachment struct {
	Media  // Kind and MIME are needed; Size, Link and Blob are set by Upload
	Data   []byte
	Answer string // wamid of the message that it answers; empty for none
}

// Upload encrypts the file with keys of its own, hands it to the relay and returns the content for [Device.Send]. random
// nil means crypto/rand. Errors: [ErrContent], [ErrFile], those of the relay.
func (a *Attachment) Upload(ctx context.Context, random io.Reader, r Relay) ([]byte, error) {
	if !slices.Contains(fileKinds, a.Kind) || a.MIME == "" {
		return nil, fmt.Errorf("a file of kind %q and type %q: %w", a.Kind, a.MIME, ErrContent)
	}
	if random == nil {
		random = rand.Reader
	}
	sealed, blob, err := SealFile(random, a.Data)
	if err != nil {
		return nil, err
	}
	if blob.ID, err = r.Upload(ctx, sealed); err != nil {
		return nil, err
	}
	f := a.Media
	f.Size, f.Blob = int64(len(a.Data)), &blob
	return WithContext(FileContent(f), a.Answer), nil
}

// Fetch downloads the file of a message, verifies it and decrypts it. Errors: [ErrFile], those of the relay.
func (f *Media) Fetch(ctx context.Context, r Relay) ([]byte, error) {
	if f.Blob == nil || f.Blob.ID == "" || len(f.Blob.SHA256Enc) != sha256.Size {
		return nil, fmt.Errorf("the message does not say where it is: %w", ErrFile)
	}
	most := f.Blob.Size + fileOver
	if f.Blob.Size <= 0 || most > MaxFile+2*fileOver {
		return nil, fmt.Errorf("%d bytes: %w", f.Blob.Size, ErrFile)
	}
	sealed, err := r.Download(ctx, f.Blob.ID, most)
	if err != nil {
		return nil, err
	}
	return f.Blob.Open(sealed)
}
