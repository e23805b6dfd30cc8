package frame

// MaxBlob is the size of the largest encrypted file: 100 MiB in clear, with IV, padding and MAC.
const MaxBlob = 100<<20 + 64

// BlobAnswer answers POST /network/v1/blobs.
type BlobAnswer struct {
	ID   string `json:"id"`
	Size int64  `json:"size"` // encrypted, in bytes
}
