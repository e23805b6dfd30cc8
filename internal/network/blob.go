package network

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Blobs keeps encrypted files for devices. An *frame.Error is passed on to the device; other errors become ErrBusy.
type Blobs interface {
	// PutBlob stores what r gives and returns its name, which nobody can guess. announced is how many bytes that should be; -1
	// when it is not known. It keeps account of the bytes of a device: frame.ErrRate.
	PutBlob(ctx context.Context, owner wa.DeviceID, announced int64, r io.Reader) (id string, size int64, err error)
	// Blob returns the size of a file in bytes.
	Blob(ctx context.Context, id string) (size int64, err error)
	// OpenBlob reads a file from a position on.
	OpenBlob(ctx context.Context, id string, from int64) (io.ReadCloser, error)
}

const (
	// tokenLife is how long a token of a Welcome is good without its connection. Source: design "The user network", section 9.1.
	tokenLife = time.Hour
	// blobsPerHour bounds the uploads of a device; Blobs bounds their bytes.
	blobsPerHour = 300
	// maxRanges bounds the ranges of one request.
	maxRanges = 8
)

// tokens makes and checks the bearer tokens of blobs and flows. They say who they belong to and hold until when; nothing is stored,
// and a restart voids them, as it ends all connections.
type tokens struct{ key []byte }

func newTokens(random io.Reader) (tokens, error) {
	t := tokens{make([]byte, 32)}
	_, err := io.ReadFull(random, t.key)
	return t, err //nolint:wrapcheck // of the source of randomness
}

// issue makes a token: expiry (8 bytes) ‖ MAC (32 bytes) ‖ device, in base64.
func (t tokens) issue(device wa.DeviceID, until time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	b = append(b, t.mac(b[:8], device)...)
	return base64.RawURLEncoding.EncodeToString(append(b, device...))
}

func (t tokens) mac(until []byte, device wa.DeviceID) []byte {
	h := hmac.New(sha256.New, t.key)
	h.Write(until)
	h.Write([]byte(device))
	return h.Sum(nil)
}

// owner is the device a token was made for, and when it ends.
func (t tokens) owner(token string) (device wa.DeviceID, until time.Time, ok bool) {
	if len(token) > 256 {
		return "", time.Time{}, false
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 8+sha256.Size {
		return "", time.Time{}, false
	}
	device = wa.DeviceID(b[8+sha256.Size:])
	if !hmac.Equal(b[8:8+sha256.Size], t.mac(b[:8], device)) {
		return "", time.Time{}, false
	}
	return device, time.Unix(int64(binary.BigEndian.Uint64(b)), 0), true
}

// bearer finds the device that a request comes from: one that is known, and whose token has not ended or that is connected.
func (h *Hub) bearer(r *http.Request) (wa.DeviceID, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	device, until, ok := h.tokens.owner(strings.TrimSpace(token))
	if !ok || !strings.EqualFold(scheme, "bearer") || (!h.cfg.Wire.Now().Before(until) && !h.box.connected(device)) {
		return "", frame.Refuse(frame.ErrUnauthorized, "a token of a running connection is needed")
	}
	if _, _, err := h.dir.device(r.Context(), device); errors.Is(err, ErrNoDevice) {
		return "", frame.Refuse(frame.ErrGone, "register again")
	} else if err != nil {
		return "", err
	}
	return device, nil
}

// connected reports whether the device has a connection.
func (m *Mailbox) connected(device wa.DeviceID) bool {
	s := m.shard(device)
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.boxes[device]
	return b != nil && b.link != nil
}

// takeBlob is POST /network/v1/blobs.
func (h *Hub) takeBlob(w http.ResponseWriter, r *http.Request) {
	device, err := h.bearer(r)
	if err == nil {
		err = h.storeBlob(w, r, device)
	}
	if err != nil {
		h.refuseBlob(w, r, err)
	}
}

func (h *Hub) storeBlob(w http.ResponseWriter, r *http.Request, device wa.DeviceID) error {
	if wait := h.uploads.take(string(device), h.cfg.Wire.Now()); wait > 0 {
		e := frame.Refuse(frame.ErrRate, "too many files")
		e.After = wait.Milliseconds()
		return e
	}
	if r.ContentLength > frame.MaxBlob {
		return frame.Refuse(frame.ErrTooLarge, "a file is too large")
	}
	id, size, err := h.cfg.Blobs.PutBlob(r.Context(), device, r.ContentLength, r.Body)
	if err != nil {
		return err //nolint:wrapcheck // told apart by refuseBlob
	}
	writeJSON(w, http.StatusOK, &frame.BlobAnswer{ID: id, Size: size})
	return nil
}

// giveBlob is GET /network/v1/blobs/{id}.
func (h *Hub) giveBlob(w http.ResponseWriter, r *http.Request) {
	_, err := h.bearer(r)
	id, size := r.PathValue("id"), int64(0)
	if err == nil {
		size, err = h.cfg.Blobs.Blob(r.Context(), id)
	}
	if err != nil {
		h.refuseBlob(w, r, err)
		return
	}
	if strings.Count(r.Header.Get("Range"), ",") >= maxRanges {
		r.Header.Del("Range") // each range opens the file anew
	}
	hd := w.Header()
	hd.Set("Content-Type", "application/octet-stream")
	hd.Set("Cache-Control", "private, max-age=86400, immutable")
	hd.Set("ETag", `"`+id+`"`)
	f := &blobFile{ctx: r.Context(), blobs: h.cfg.Blobs, id: id, size: size}
	defer f.close()
	http.ServeContent(w, r, "", time.Time{}, f)
}

func (h *Hub) refuseBlob(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*frame.Error](err)
	if !ok {
		if r.Context().Err() == nil {
			h.log.ErrorContext(r.Context(), "a device's file", "err", err)
		}
		e = frame.Refuse(frame.ErrBusy, "try again")
	}
	refuse(w, e)
}

// blobFile is a blob as http.ServeContent wants it: opened where it is first read.
type blobFile struct {
	ctx   context.Context //nolint:containedctx // lives for one request
	blobs Blobs
	id    string
	size  int64
	at    int64
	open  io.ReadCloser
}

func (f *blobFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	if offset != f.at {
		f.close()
		f.at = offset
	}
	return offset, nil
}

func (f *blobFile) Read(p []byte) (n int, err error) {
	if f.at >= f.size {
		return 0, io.EOF
	}
	if f.open == nil {
		if f.open, err = f.blobs.OpenBlob(f.ctx, f.id, f.at); err != nil {
			return 0, err //nolint:wrapcheck // ServeContent drops it
		}
	}
	n, err = f.open.Read(p)
	f.at += int64(n)
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}

func (f *blobFile) close() {
	if f.open != nil {
		_ = f.open.Close() // it was only read
		f.open = nil
	}
}
