package media

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	// HandleLife is how long a handle can be used. Source: spec/media.md section 1 (unverified).
	HandleLife = 30 * 24 * time.Hour
	// uploadLife is how long a session waits for its bytes.
	uploadLife = 24 * time.Hour
	// maxParts bounds the requests of one upload.
	maxParts = 1000
	// maxName bounds file names. Source: spec/media.md section 10.
	maxName = 240
)

// OffsetError says that an upload goes on at another position.
type OffsetError struct{ At int64 }

func (e *OffsetError) Error() string { return fmt.Sprintf("the upload goes on at offset %d", e.At) }

// Session is a resumable upload. Source: spec/media.md section 12.
type Session struct {
	ID     string   `json:"-"` // "upload:…?sig=…", as clients paste it
	App    wa.AppID `json:"-"`
	User   string   `json:"user"`
	Name   string   `json:"name,omitempty"`
	Type   string   `json:"type"`
	Length int64    `json:"length"`
	Sig    string   `json:"sig"`
	Parts  []part   `json:"parts,omitempty"`
	Kept   int64    `json:"kept,omitempty"` // until when all parts are, Unix milliseconds

	row string
}

type part struct {
	Blob     string `json:"blob"`
	BlobSize int64  `json:"blob_size"`
	Size     int64  `json:"size"`
	Keys
}

// Offset is how many bytes are there.
func (u *Session) Offset() (n int64) {
	for _, p := range u.Parts {
		n += p.Size
	}
	return n
}

// The id of a session is base64 of this and 32 digits; no padding is needed.
const (
	sessionPrefix = "upload:"
	sessionInner  = "1:attachment:"
)

// UploadType normalises the type of a resumable upload; "" for one that is not taken. Source: spec/media.md section 12.1.
func UploadType(t string) string {
	switch b := Bare(t); b {
	case "application/pdf", "image/jpeg", "image/png", "video/mp4":
		return b
	case "image/jpg":
		return "image/jpeg"
	}
	return ""
}

// Begin opens a session for a file of length bytes, 1 to [MaxSize], of a type that [UploadType] takes.
func (s *Service) Begin(ctx context.Context, app wa.AppID, user, name, mime string, length int64) (*Session, error) {
	row, err := NewBlobID(s.o.Rand)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 12)
	if _, err := io.ReadFull(s.o.Rand, secret); err != nil {
		return nil, fmt.Errorf("draw a signature: %w", err)
	}
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	u := &Session{App: app, User: user, Name: name, Type: mime, Length: length, Sig: "AR" + base64.RawURLEncoding.EncodeToString(secret), row: row}
	u.name()
	if _, err := s.saveSession(ctx, u, 0); err != nil {
		return nil, err
	}
	return u, nil
}

func (u *Session) name() {
	u.ID = sessionPrefix + base64.RawURLEncoding.EncodeToString([]byte(sessionInner+u.row)) + "?sig=" + u.Sig
}

func (s *Service) saveSession(ctx context.Context, u *Session, had int) (bool, error) {
	plain, err := json.Marshal(u)
	if err != nil {
		return false, fmt.Errorf("encode upload: %w", err)
	}
	r := &UploadRow{ID: u.row, App: u.App, Parts: len(u.Parts), Expires: s.o.Clock.Now().Add(uploadLife).UnixMilli()}
	if r.Sealed, err = s.o.Vault.SealContent(0, uploadAD(u.row), plain); err != nil {
		return false, fmt.Errorf("seal upload: %w", err)
	}
	ok, err := s.o.Store.SaveUpload(ctx, r, had)
	if err != nil {
		return false, fmt.Errorf("save upload: %w", err)
	}
	return ok, nil
}

func uploadAD(id string) []byte { return []byte("upload/" + id) }

// IsSession reports whether id names an upload session: what stands in the path, with or without its signature.
func IsSession(id string) bool { return strings.HasPrefix(id, sessionPrefix) }

// Session finds an upload by the id in a path, to which clients have pasted the signature as a query parameter. Errors:
// [ErrNotFound], also for a wrong signature and an app that it does not belong to.
func (s *Service) Session(ctx context.Context, id, sig string, app wa.AppID) (*Session, error) {
	text, ok := strings.CutPrefix(id, sessionPrefix)
	if !ok {
		return nil, ErrNotFound
	}
	if head, tail, has := strings.Cut(text, "?sig="); has { // pasted percent-encoded
		text, sig = head, tail
	}
	inner, err := base64.RawURLEncoding.DecodeString(text)
	row, ok := strings.CutPrefix(string(inner), sessionInner)
	if err != nil || !ok || !ValidBlobID(row) {
		return nil, ErrNotFound
	}
	r, err := s.o.Store.Upload(ctx, row)
	if err != nil {
		return nil, fmt.Errorf("read upload: %w", err)
	}
	if r == nil || r.App != app || r.Expires <= s.now() {
		return nil, ErrNotFound
	}
	plain, err := s.o.Vault.Open(uploadAD(row), r.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open upload: %w", err)
	}
	u := &Session{App: r.App, row: row}
	if err := json.Unmarshal(plain, u); err != nil {
		return nil, fmt.Errorf("decode upload: %w", err)
	}
	u.name()
	if !hmac.Equal([]byte(u.Sig), []byte(sig)) {
		return nil, ErrNotFound
	}
	return u, nil
}

// Append takes bytes of the file from offset on and returns the handle once all are there, else "". Bytes that came before
// r broke off are kept. Errors: [*OffsetError], [ErrTooLarge] when more come than were announced, and that of r.
func (s *Service) Append(ctx context.Context, u *Session, offset int64, r io.Reader) (handle string, err error) {
	at := u.Offset()
	if offset != at {
		return "", &OffsetError{at}
	}
	ctx = context.WithoutCancel(ctx) // what has arrived is kept when the client goes
	if at == u.Length {
		return s.complete(ctx, u, nil)
	}
	if len(u.Parts) >= maxParts {
		return "", fmt.Errorf("%w: it came in more than %d requests", ErrTooLarge, maxParts)
	}
	whole := &lenient{r: r}
	f, err := s.store(ctx, whole, u.Length-at, false)
	if errors.Is(err, ErrEmpty) {
		return "", whole.err
	}
	if err != nil {
		return "", err
	}
	u.Parts = append(u.Parts, part{Blob: f.blob, BlobSize: f.enc.out, Size: f.size, Keys: f.keys})
	if err := s.keepParts(ctx, u); err != nil {
		s.discard(ctx, f.blob)
		return "", err
	}
	ok, err := s.saveSession(ctx, u, len(u.Parts)-1)
	if err == nil && ok && at+f.size < u.Length {
		return "", whole.err
	}
	if err == nil && !ok {
		s.discard(ctx, f.blob)
		err = &OffsetError{at}
	}
	if err != nil {
		return "", err
	}
	return s.complete(ctx, u, f)
}

// keepParts lets all parts live as long as the session, which its last bytes prolong: the last part alone as a rule, all of
// them once a day.
func (s *Service) keepParts(ctx context.Context, u *Session) error {
	now, due := s.o.Clock.Now(), u.Parts[len(u.Parts)-1:]
	until := now.Add(2 * uploadLife).UnixMilli()
	if u.Kept < now.Add(uploadLife).UnixMilli() {
		due, u.Kept = u.Parts, until
	}
	for _, p := range due {
		if err := s.o.Store.KeepBlob(ctx, p.Blob, 0, until); err != nil {
			return fmt.Errorf("keep the parts of an upload: %w", err)
		}
	}
	return nil
}

// lenient ends where its reader fails, and remembers why.
type lenient struct {
	r   io.Reader
	err error
}

func (l *lenient) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, io.EOF
	}
	n, err := l.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		l.err, err = err, io.EOF
	}
	return n, err
}

// complete makes one file of the parts and gives it a handle. f is the last part if it was stored just now. If the process
// dies before the handle is saved, an empty request at the end completes the session again.
func (s *Service) complete(ctx context.Context, u *Session, f *file) (string, error) {
	parts := u.Parts
	if len(parts) > 1 || f == nil {
		var err error
		if f, err = s.store(ctx, &joined{ctx: ctx, s: s, parts: parts}, MaxSize, false); err != nil {
			return "", fmt.Errorf("join the parts of an upload: %w", err)
		}
	} else {
		parts = nil
	}
	m := f.media(u.Type)
	m.App, m.User, m.Name = u.App, u.User, u.Name
	m.live(s.now(), s.bound(HandleLife))
	id, err := NewBlobID(s.o.Rand)
	if err != nil {
		return "", err
	}
	if err := s.save(ctx, m, handlePrefix+id, s.keepUntil(m)); err != nil {
		return "", err
	}
	if err := s.o.Store.DeleteUpload(ctx, u.row); err != nil {
		s.log.Warn("delete upload", "err", err) // it expires
	}
	for _, p := range parts {
		s.discard(ctx, p.Blob)
	}
	s.Counts.Uploaded.Add(1)
	s.Counts.UploadedBytes.Add(uint64(m.Size))
	return m.Handle(), nil
}

// joined reads parts one after the other.
type joined struct {
	ctx   context.Context //nolint:containedctx // lives for one call
	s     *Service
	parts []part
	open  *Content
}

func (j *joined) Read(p []byte) (int, error) {
	for {
		if j.open == nil {
			if len(j.parts) == 0 {
				return 0, io.EOF
			}
			h := j.parts[0]
			j.open = j.s.Content(j.ctx, &Media{Size: h.Size, Blob: h.Blob, BlobSize: h.BlobSize, Keys: h.Keys})
			j.parts = j.parts[1:]
		}
		n, err := j.open.Read(p)
		if errors.Is(err, io.EOF) {
			err = j.open.Close()
			j.open = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// ---- handles ----

// handlePrefix begins the ids of rows that belong to handles, so that neither can pass for the other.
const handlePrefix = "h"

func validHandleID(id string) bool {
	inner, ok := strings.CutPrefix(id, handlePrefix)
	return ok && ValidBlobID(inner)
}

// Handle is what stands for m where a sample is asked for: 4, nothing, the type in base64, a name, "e", the end in Unix
// seconds, app, user, signature. It is "" for media that are no handles. Source: spec/media.md section 12.2 (observed).
func (m *Media) Handle() string {
	name, err := hex.DecodeString(strings.TrimPrefix(m.ID, handlePrefix))
	if err != nil || !validHandleID(m.ID) {
		return ""
	}
	end := strconv.FormatInt(m.Expires/1000, 10)
	return strings.Join([]string{
		"4", "", base64.StdEncoding.EncodeToString([]byte(m.MIME)), "AR" + base64.RawURLEncoding.EncodeToString(name), "e", end,
		string(m.App), m.User, m.sign("handle", end, string(m.App), m.User),
	}, ":")
}

// Handle finds the file behind a handle. Which app may use it is for the caller to say, see [Media].App. Of several handles
// on lines of their own the first one counts. Errors: [ErrNotFound] for one that is malformed, changed or has expired.
func (s *Service) Handle(ctx context.Context, handle string) (*Media, error) {
	handle, _, _ = strings.Cut(strings.TrimSpace(handle), "\n")
	f := strings.SplitN(handle, ":", 10)
	if len(f) != 9 {
		return nil, ErrNotFound
	}
	text, ok := strings.CutPrefix(f[3], "AR")
	name, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil || len(name) != 16 {
		return nil, ErrNotFound
	}
	m, err := s.describe(ctx, handlePrefix+hex.EncodeToString(name))
	if err != nil {
		return nil, err
	}
	if !hmac.Equal([]byte(m.Handle()), []byte(handle)) {
		return nil, ErrNotFound
	}
	return m, nil
}
