package device

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// MaxFile is the largest clear file in bytes. Source: spec/media.md section 9, design "The user network", section 10.
const MaxFile = 100 << 20

const (
	fileKeySize = 32
	fileOver    = 2*aes.BlockSize + sha256.Size // what encryption adds at most: IV, padding, MAC
)

// ErrFile reports a file that cannot be used: empty, too large, or not what its message says it is.
var ErrFile = errors.New("file cannot be used")

// Blob says where an encrypted file is kept and how it is opened. It travels inside messages, so only their receiver can
// open the file. Source: design "The user network", section 10.
type Blob struct {
	ID        string `json:"id"`
	Size      int64  `json:"size"`       // of the encrypted file, in bytes
	Key       []byte `json:"key"`        // of AES-256-CBC
	MACKey    []byte `json:"mac_key"`    // of HMAC-SHA256
	SHA256Enc []byte `json:"sha256_enc"` // of the encrypted file
	SHA256    []byte `json:"sha256"`     // of the clear file; what the business is told
}

// SealFile encrypts a file with keys of its own: IV ‖ AES-256-CBC ‖ HMAC-SHA256 of both. The ID is still to be set, to what
// the relay answers. Errors: [ErrFile], those of the source of randomness.
func SealFile(random io.Reader, clear []byte) ([]byte, Blob, error) {
	if len(clear) == 0 || len(clear) > MaxFile {
		return nil, Blob{}, fmt.Errorf("%d bytes, want 1 to %d: %w", len(clear), MaxFile, ErrFile)
	}
	secret := make([]byte, 2*fileKeySize+aes.BlockSize)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, Blob{}, fmt.Errorf("make a file's keys: %w", err)
	}
	b := Blob{Key: secret[:fileKeySize:fileKeySize], MACKey: secret[fileKeySize : 2*fileKeySize : 2*fileKeySize]}
	block, err := aes.NewCipher(b.Key)
	if err != nil {
		return nil, Blob{}, fmt.Errorf("make a file's cipher: %w", err)
	}
	fill := aes.BlockSize - len(clear)%aes.BlockSize
	sealed := make([]byte, 0, len(clear)+fileOver)
	sealed = append(sealed, secret[2*fileKeySize:]...)
	sealed = append(sealed, clear...)
	sealed = append(sealed, bytes.Repeat([]byte{byte(fill)}, fill)...)
	cipher.NewCBCEncrypter(block, sealed[:aes.BlockSize]).CryptBlocks(sealed[aes.BlockSize:], sealed[aes.BlockSize:])
	sealed = b.mac(sealed).Sum(sealed)
	enc, plain := sha256.Sum256(sealed), sha256.Sum256(clear)
	b.Size, b.SHA256Enc, b.SHA256 = int64(len(sealed)), enc[:], plain[:]
	return sealed, b, nil
}

type summer interface{ Sum(b []byte) []byte }

func (b *Blob) mac(sealed []byte) summer {
	h := hmac.New(sha256.New, b.MACKey)
	h.Write(sealed)
	return h
}

// Open verifies an encrypted file against all that its message says, then decrypts it. sealed is spent. Errors: [ErrFile].
func (b *Blob) Open(sealed []byte) ([]byte, error) {
	end := len(sealed) - sha256.Size
	if len(b.Key) != fileKeySize || len(b.MACKey) != fileKeySize || end < 2*aes.BlockSize || end%aes.BlockSize != 0 {
		return nil, fmt.Errorf("keys or length: %w", ErrFile)
	}
	sum := sha256.Sum256(sealed)
	if !hmac.Equal(sum[:], b.SHA256Enc) || !hmac.Equal(b.mac(sealed[:end]).Sum(nil), sealed[end:]) {
		return nil, fmt.Errorf("it was changed on the way: %w", ErrFile)
	}
	block, err := aes.NewCipher(b.Key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	clear := sealed[aes.BlockSize:end]
	cipher.NewCBCDecrypter(block, sealed[:aes.BlockSize]).CryptBlocks(clear, clear)
	fill := int(clear[len(clear)-1])
	if fill < 1 || fill > aes.BlockSize || !bytes.Equal(clear[len(clear)-fill:], bytes.Repeat([]byte{byte(fill)}, fill)) {
		return nil, fmt.Errorf("padding: %w", ErrFile)
	}
	clear = clear[: len(clear)-fill : len(clear)-fill]
	if sum = sha256.Sum256(clear); !hmac.Equal(sum[:], b.SHA256) {
		return nil, fmt.Errorf("it is another file than announced: %w", ErrFile)
	}
	return clear, nil
}
