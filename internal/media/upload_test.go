package media_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// again finds a session by the id as clients paste it.
func again(t *testing.T, s *media.Service, id string) *media.Session {
	t.Helper()
	path, sig, _ := strings.Cut(id, "?sig=")
	u, err := s.Session(t.Context(), path, sig, "app")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Source: spec/media.md section 20.5.
func TestResumedUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	content := mediatest.JPEG(200_000)
	u, err := w.Begin(ctx, "app", "100001234567890", "sample.jpg", "image/jpeg", int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("the connection breaks")
	if h, err := w.Append(ctx, u, 0, io.MultiReader(bytes.NewReader(content[:131072]), broken{gone})); !errors.Is(err, gone) || h != "" {
		t.Fatalf("%q, %v", h, err)
	}
	s := w.open(t) // and the process starts anew
	u = again(t, s, u.ID)
	if u.Offset() != 131072 {
		t.Fatalf("offset %d", u.Offset())
	}
	var wrong *media.OffsetError
	if _, err := s.Append(ctx, u, 0, bytes.NewReader(content)); !errors.As(err, &wrong) || wrong.At != 131072 {
		t.Errorf("wrong offset: %v", err)
	}
	if _, err := s.Append(ctx, again(t, s, u.ID), 131072, bytes.NewReader(make([]byte, 80_000))); !errors.Is(err, media.ErrTooLarge) {
		t.Errorf("more than announced: %v", err)
	}
	h, err := s.Append(ctx, again(t, s, u.ID), 131072, bytes.NewReader(content[131072:]))
	if err != nil || !strings.HasPrefix(h, "4::aW1hZ2UvanBlZw==:AR") || !strings.Contains(h, ":e:1774958400:app:100001234567890:AR") {
		t.Fatalf("handle %q, %v", h, err)
	}
	m, err := w.Handle(ctx, h+"\nanother")
	if err != nil || m.App != "app" || m.Name != "sample.jpg" || m.MIME != "image/jpeg" || m.Fault != "" {
		t.Fatalf("%+v, %v", m, err)
	}
	if got, err := io.ReadAll(w.Content(ctx, m)); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	path, sig, _ := strings.Cut(u.ID, "?sig=")
	if _, err := w.Session(ctx, path, sig, "app"); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("the session is still there: %v", err)
	}
	if n := w.files(t); n != 1 {
		t.Errorf("%d files are left", n)
	}
	if _, err := w.Describe(ctx, m.ID); !errors.Is(err, media.ErrNotFound) {
		t.Error("a handle passes for a media id")
	}
	w.clock.Advance(media.HandleLife)
	if _, err := w.Handle(ctx, h); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
}

func TestSessionsAndHandlesOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	u, err := w.Begin(ctx, "app", "1", "", "application/pdf", 100)
	if err != nil {
		t.Fatal(err)
	}
	path, sig, _ := strings.Cut(u.ID, "?sig=")
	for _, c := range []struct{ name, path, sig, app string }{
		{"another app", path, sig, "other"},
		{"no signature", path, "", "app"},
		{"another signature", path, sig + "x", "app"},
		{"another session", path[:len(path)-4] + "AAAA", sig, "app"},
		{"no session", "upload:", sig, "app"},
		{"a number", "123", sig, "app"},
	} {
		if _, err := w.Session(ctx, c.path, c.sig, wa.AppID(c.app)); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := w.Session(ctx, u.ID, "", "app"); err != nil { // pasted percent-encoded
		t.Error(err)
	}
	h, err := w.Append(ctx, again(t, w.Service, u.ID), 0, bytes.NewReader(mediatest.PDF(100)))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "4", "1846720391557204", h + "x", strings.Replace(h, ":app:", ":other:", 1), strings.Replace(h, "4::", "4:x:", 1), strings.ToUpper(h), h + ":",
	} {
		if _, err := w.Handle(ctx, bad); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzHandle(f *testing.F) {
	f.Add("4::aW1hZ2UvanBlZw==:ARa8f1nS0q:e:1785657600:770011223344556:100001234567890:ARbK2x")
	f.Add("::::::::")
	f.Add("4::x:ARAAAAAAAAAAAAAAAAAAAAAA:e:1:2:3:AR\n")
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := w.Handle(t.Context(), s); m != nil || !errors.Is(err, media.ErrNotFound) {
			t.Errorf("%q: %v, %v", s, m, err)
		}
		if u, err := w.Session(t.Context(), "upload:"+s, s, "app"); u != nil || !errors.Is(err, media.ErrNotFound) {
			t.Errorf("%q: %v, %v", s, u, err)
		}
		_, _ = media.ParseSent([]byte(s))
		_ = media.ValidLink(s)
	})
}

// Whatever the bytes, looking at them ends, and a fault is valid text.
func FuzzLook(f *testing.F) {
	for _, b := range [][]byte{
		mediatest.PNG(2, 2), mediatest.JPEG(0), mediatest.WebP(512, 512, true, 40), mediatest.Ogg(1), mediatest.Ogg(0), mediatest.MP4(), mediatest.Film("avc1", "mp4a", "mp4a"), mediatest.PDF(30), {},
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		for _, declared := range []string{"image/png", "image/webp", "audio/ogg", "text/plain", "video/mp4"} {
			if mime, _ := media.LookAt(head, declared); mime == "" {
				t.Errorf("%q is of no type", head)
			}
		}
	})
}

// ---- files of users ----

// seal encrypts a file as a device does.
func seal(t *testing.T, clear []byte) ([]byte, *media.Sent) {
	t.Helper()
	secret := make([]byte, 80)
	_, _ = rand.Read(secret)
	s := &media.Sent{Key: secret[:32], MACKey: secret[32:64]}
	fill := 16 - len(clear)%16
	block, err := aes.NewCipher(s.Key)
	if err != nil {
		t.Fatal(err)
	}
	out := append(bytes.Clone(secret[64:]), clear...)
	out = append(out, bytes.Repeat([]byte{byte(fill)}, fill)...)
	cipher.NewCBCEncrypter(block, out[:16]).CryptBlocks(out[16:], out[16:])
	mac := hmac.New(sha256.New, s.MACKey)
	mac.Write(out)
	out = mac.Sum(out)
	enc, plain := sha256.Sum256(out), sha256.Sum256(clear)
	s.Size, s.SHA256Enc, s.SHA256 = int64(len(out)), enc[:], plain[:]
	return out, s
}

// Source: spec/media.md sections 7 and 9; spec/security.md SC3; design "The user network", section 10.
func TestArrival(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	clear := mediatest.PNG(30, 20)
	sealed, sent := seal(t, clear)
	id, size, err := w.PutBlob(ctx, "16505550001.1", -1, bytes.NewReader(sealed))
	if err != nil || size != sent.Size {
		t.Fatalf("%d, %v", size, err)
	}
	sent.ID = id
	m, err := w.Arrive(ctx, sent, sentAs("image/png"))
	if err != nil || !media.ValidID(m.ID) || m.Blob == id || bytes.Equal(m.Key, sent.Key) || m.MIME != "image/png" {
		t.Fatalf("%+v, %v", m, err)
	}
	if got, err := io.ReadAll(w.Content(ctx, m)); err != nil || !bytes.Equal(got, clear) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if s := string(w.AppendArrival(nil, "https://wa.example", m)); strings.Contains(s, "key") ||
		!strings.HasPrefix(s, `"id":"`+m.ID+`","mime_type":"image/png","sha256":"`) ||
		!strings.Contains(s, `,"url":"`+w.URL("https://wa.example", m, "webhook")+`",`) {
		t.Errorf("description %s", s)
	}
	if m, err := w.Arrive(ctx, sent, sentAs("no type")); err != nil || m.MIME != "image/png" {
		t.Errorf("sniffed: %+v, %v", m, err)
	}
	w.clock.Advance(media.InboundLife)
	if _, err := w.Describe(ctx, m.ID); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("after seven days: %v", err)
	}
}

func sentAs(mime string) *media.Origin {
	return &media.Origin{Device: "16505550001.1", WABA: waba, Number: shop, Kind: media.Document, MIME: mime}
}

func TestArrivalsThatAreNotWhatTheySay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	put := func(b []byte) string {
		id, _, err := w.PutBlob(ctx, "d", -1, bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	clear := bytes.Repeat([]byte("0123456789abcdef"), 3000)
	for name, change := range map[string]func(sealed []byte, s *media.Sent) []byte{
		"a bit in the IV":         func(b []byte, _ *media.Sent) []byte { b[3] ^= 1; return b },
		"a bit inside":            func(b []byte, _ *media.Sent) []byte { b[30_000] ^= 1; return b },
		"a bit in the MAC":        func(b []byte, _ *media.Sent) []byte { b[len(b)-1] ^= 1; return b },
		"another hash":            func(b []byte, s *media.Sent) []byte { s.SHA256Enc[0] ^= 1; return b },
		"another hash of the key": func(b []byte, s *media.Sent) []byte { s.SHA256[0] ^= 1; return b },
		"another MAC key":         func(b []byte, s *media.Sent) []byte { s.MACKey[0] ^= 1; return b },
		"another key":             func(b []byte, s *media.Sent) []byte { s.Key[0] ^= 1; return b },
		"half of it":              func(b []byte, _ *media.Sent) []byte { return b[:len(b)/2] },
		"too short": func(_ []byte, s *media.Sent) []byte {
			mac := hmac.New(sha256.New, s.MACKey)
			b := mac.Sum(nil)
			enc := sha256.Sum256(b)
			s.SHA256Enc = enc[:]
			return b
		},
	} {
		sealed, sent := seal(t, clear)
		sealed = change(sealed, sent)
		sent.ID = put(sealed)
		if m, err := w.Arrive(ctx, sent, sentAs("text/plain")); !errors.Is(err, media.ErrCorrupt) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	_, sent := seal(t, clear)
	sent.ID = strings.Repeat("0", 32)
	if _, err := w.Arrive(ctx, sent, sentAs("text/plain")); !errors.Is(err, media.ErrNoBlob) {
		t.Errorf("unknown blob: %v", err)
	}
	for _, bad := range []string{`{}`, `[]`, `{"id":"../../x"}`, `"x"`} {
		if _, err := media.ParseSent([]byte(bad)); !errors.Is(err, media.ErrCorrupt) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestBlobsOfDevices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	if _, _, err := w.PutBlob(ctx, "d", -1, bytes.NewReader(nil)); !errors.Is(err, media.ErrEmpty) {
		t.Error(err)
	}
	if _, _, err := w.PutBlob(ctx, "d", -1, io.LimitReader(zeros{}, media.MaxBlob+1)); !errors.Is(err, media.ErrTooLarge) {
		t.Error(err)
	}
	if n := w.files(t); n != 0 {
		t.Errorf("%d files are left", n)
	}
	id, _, err := w.PutBlob(ctx, "d", -1, strings.NewReader("cipher"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := w.Blob(ctx, id); n != 6 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	w.clock.Advance(media.UploadedLife)
	if _, err := w.Blob(ctx, id); !errors.Is(err, media.ErrNoBlob) {
		t.Errorf("after 30 days: %v", err)
	}
	if err := w.Expire(ctx); err != nil || w.files(t) != 0 {
		t.Errorf("%d files are left, %v", w.files(t), err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
