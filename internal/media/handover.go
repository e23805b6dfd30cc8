package media

import (
	"context"
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"
)

// The files that people give to a flow are handed to its endpoint still encrypted: the endpoint gets an address and the keys. What
// the address gives is AES-256-CBC with PKCS #7 padding ‖ the first ten bytes of HMAC-SHA256 over IV and ciphertext: the stored form
// without the IV, and with a shorter MAC. Source: spec/media.md section 14; Flows reference, "Media upload".
const (
	shortMAC = 10
	handLess = aes.BlockSize + macSize - shortMAC // bytes that the stored form is longer
	minBlob  = overhead + aes.BlockSize
	minKey   = 16
)

// HandedLife is how long an endpoint can fetch a file, unless its number is without storage. Source: Flows reference, "Media upload".
const HandedLife = 20 * 24 * time.Hour

// HandedPath is where the public port serves these files.
const HandedPath = Path + "flow/"

// Handed is a file as the endpoint of a flow is told of it.
type Handed struct {
	URL       string // without the server's address
	IV        []byte
	SHA256Enc []byte // of what the address gives
}

// handedFile is what is known of a file that was handed over.
type handedFile struct {
	iv, sum []byte
	until   int64 // when its blob ends, Unix milliseconds
}

func (f *handedFile) end() int64 { return f.until }

// HandOver checks a user's encrypted file and makes it ready for the endpoint of a flow. owner's budget pays for it, once: a step
// that is repeated names files that are known. The address of a file for a number without storage (brief) ends with [BriefLife].
// Errors: [ErrNoBlob], [ErrCorrupt], [ErrTooLarge], [*BudgetError]; anything else means that it may be tried again.
func (s *Service) HandOver(ctx context.Context, owner string, b *Sent, brief bool) (*Handed, error) {
	if len(s.o.Key) < minKey {
		return nil, errors.New("media: no key for addresses")
	}
	size, err := s.Blob(ctx, b.ID)
	switch {
	case err != nil:
		return nil, err
	case size > MaxBlob:
		return nil, ErrTooLarge
	case size < minBlob:
		return nil, ErrCorrupt
	}
	life := HandedLife
	if brief {
		life = min(life, BriefLife)
	}
	key, until := b.at(""), s.now()+s.bound(life).Milliseconds()
	had, known := s.handed.get(key, s.now())
	if !known {
		if err := s.arrivals.take(owner, size, s.o.Clock.Now()); err != nil {
			return nil, err
		}
		had, err = s.readHanded(ctx, b)
	}
	if err == nil {
		err = s.o.Store.KeepBlob(ctx, b.ID, 0, until)
	}
	if err != nil {
		if !known && !hopeless(err) {
			s.arrivals.give(owner, size)
		}
		return nil, fmt.Errorf("hand a user's file over: %w", err)
	}
	s.handed.put(key, &handedFile{had.iv, had.sum, until})
	ext := strconv.FormatInt(until/1000, 10)
	return &Handed{HandedPath + b.ID + "?ext=" + ext + "&hash=" + s.signHanded(b.ID, ext), had.iv, had.sum}, nil
}

func (s *Service) readHanded(ctx context.Context, b *Sent) (*handedFile, error) {
	src, err := s.o.Blobs.Open(ctx, b.ID, 0)
	if err != nil {
		return nil, fmt.Errorf("open it: %w", err)
	}
	iv, sum, err := handed(&cancelled{ctx, src}, Keys{Key: b.Key, MAC: b.MACKey}, b.SHA256Enc)
	if err = errors.Join(err, src.Close()); err != nil {
		return nil, err
	}
	return &handedFile{iv: iv, sum: sum}, nil
}

// handed reads a stored file to its end, checks it, and sums up what the address will give.
func handed(r io.Reader, k Keys, sha256Enc []byte) (iv, sum []byte, err error) {
	iv = make([]byte, aes.BlockSize)
	if _, err := io.ReadFull(r, iv); err != nil {
		return nil, nil, ErrCorrupt
	}
	given := sha256.New()
	tail := &lastBytes{to: given}
	whole := io.MultiReader(&onceRead{iv}, io.TeeReader(r, tail))
	if err := verify(whole, k, sha256Enc); err != nil {
		return nil, nil, err
	}
	if len(tail.kept) < macSize {
		return nil, nil, ErrCorrupt
	}
	given.Write(tail.kept[:shortMAC])
	return iv, given.Sum(nil), nil
}

// onceRead reads bytes once.
type onceRead struct{ b []byte }

func (o *onceRead) Read(p []byte) (int, error) {
	if len(o.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, o.b)
	o.b = o.b[n:]
	return n, nil
}

// lastBytes passes on all but the last macSize bytes, which it keeps.
type lastBytes struct {
	to   io.Writer
	kept []byte
}

func (l *lastBytes) Write(p []byte) (int, error) {
	l.kept = append(l.kept, p...)
	if over := len(l.kept) - macSize; over > 0 {
		if _, err := l.to.Write(l.kept[:over]); err != nil {
			return 0, err
		}
		l.kept = append(l.kept[:0], l.kept[over:]...)
	}
	return len(p), nil
}

func (s *Service) signHanded(id, ext string) string {
	h := hmac.New(sha256.New, s.o.Key)
	for _, part := range []string{"flow-file", id, ext} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:24])
}

// Fetch opens the file that an address of [Handed] names: id is the last part of its path, q its query. The caller closes it.
// Errors: [ErrNotFound] for an address that was changed or has come to its end, or whose file is gone.
func (s *Service) Fetch(ctx context.Context, id string, q url.Values) (r io.ReadCloser, size int64, err error) {
	ext, err := strconv.ParseInt(q.Get("ext"), 10, 64)
	if err != nil || len(s.o.Key) < minKey || ext <= s.o.Clock.Now().Unix() ||
		!hmac.Equal([]byte(s.signHanded(id, q.Get("ext"))), []byte(q.Get("hash"))) {
		return nil, 0, ErrNotFound
	}
	whole, err := s.Blob(ctx, id)
	if errors.Is(err, ErrNoBlob) {
		return nil, 0, ErrNotFound
	}
	if err != nil {
		return nil, 0, err
	}
	src, err := s.o.Blobs.Open(ctx, id, aes.BlockSize)
	if errors.Is(err, ErrNoBlob) {
		return nil, 0, ErrNotFound
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open a user's file: %w", err)
	}
	size = whole - handLess
	return &limited{io.LimitReader(src, size), src}, size, nil
}

type limited struct {
	io.Reader
	io.Closer
}
