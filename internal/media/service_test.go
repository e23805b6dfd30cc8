package media_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
)

// Source: spec/media.md sections 2, 3, 15 and 21.
func TestTypesAndSizes(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	ogg, png := mediatest.Ogg(1), mediatest.PNG(640, 480)
	for _, c := range []struct {
		name, declared string
		content        []byte
		refused        int    // code
		kind           string // it is sent as
		unfit          string // part of the details of 131053; "" when it can be sent
	}{
		{"PNG", "image/png", png, 0, media.Image, ""},
		{"upper case and parameters", "Image/PNG; charset=binary", png, 0, media.Image, ""},
		{"JPEG of 5 MB", "image/jpeg", mediatest.JPEG(5 * mb), 0, media.Image, ""},
		{"JPEG of 5 MB and a byte", "image/jpeg", mediatest.JPEG(5*mb + 1), 100, "", ""},
		{"PNG bytes declared as JPEG", "image/jpeg", png, 0, media.Image, "Image file uploaded with mimetype as image/jpeg, however on processing it is of type image/png. Please choose a different file."},
		{"16 bits per channel", "image/png", mediatest.PNG16(), 0, media.Image, "Image is invalid."},
		{"a broken PNG", "image/png", png[:20], 0, media.Image, "Image is invalid."},
		{"a picture as document", "image/png", png, 0, media.Document, "Document file uploaded with mimetype as image/png"},
		{"a document as picture", "application/pdf", mediatest.PDF(100), 0, media.Image, "Image file uploaded with mimetype as application/pdf"},
		{"PDF", "application/pdf", mediatest.PDF(100), 0, media.Document, ""},
		{"PDF in a header", "application/pdf", mediatest.PDF(100), 0, media.PDF, ""},
		{"text in a header", "text/plain", []byte("a"), 0, media.PDF, "Document file uploaded with mimetype as text/plain"},
		{"an animation", "video/mp4", mediatest.MP4(), 0, media.GIF, ""},
		{"a picture as animation", "image/png", png, 0, media.GIF, "Video file uploaded with mimetype as image/png"},
		{"text", "text/plain", []byte("Grüße\n"), 0, media.Document, ""},
		{"bytes declared as text", "text/plain", []byte{0, 1, 2, 3, 0xff, 0xfe, 0}, 0, media.Document, "of type application/octet-stream"},
		{"MP4", "video/mp4", mediatest.MP4(), 0, media.Video, ""},
		{"H.264 and AAC", "video/mp4", mediatest.Film("avc1", "mp4a"), 0, media.Video, ""},
		{"H.264 alone", "video/mp4", mediatest.Film("avc1"), 0, media.Video, ""},
		{"HEVC", "video/mp4", mediatest.Film("hvc1", "mp4a"), 0, media.Video, "however on processing it is of type video/mp4, videoCodec=hevc, audioCodec=aac. Please choose"},
		{"another sound", "video/3gpp", mediatest.Film("avc1", "none"), 0, media.Video, "of type video/mp4, videoCodec=h264, audioCodec=unknown. Please choose"},
		{"two sounds", "video/mp4", mediatest.Film("avc1", "mp4a", "mp4a"), 0, media.Video, "videoCodec=h264, audioStreams=2"},
		{"no pictures", "video/mp4", mediatest.Film("", "mp4a"), 0, media.Video, "videoCodec=unknown"},
		{"a film as animation", "video/mp4", mediatest.Film("vp09"), 0, media.GIF, "videoCodec=vp9"},
		{"sound alone", "audio/mp4", mediatest.Film("", "mp4a"), 0, media.Audio, ""},
		{"MP4 above 16 MB", "video/mp4", append(mediatest.MP4(), make([]byte, 16*mb)...), 100, "", ""},
		{"Ogg with Opus", "audio/ogg; codecs=opus", ogg, 0, media.Audio, ""},
		{"Ogg with Vorbis", "audio/ogg", mediatest.Ogg(0), 0, media.Audio, "Audio file uploaded with mimetype as audio/ogg, however on processing it is of type audio/ogg, audioCodec=unknown"},
		{"Ogg in stereo", "audio/ogg", mediatest.Ogg(2), 0, media.Audio, "channels=2"},
		{"static sticker", "image/webp", mediatest.WebP(512, 512, false, 100<<10), 0, media.Sticker, ""},
		{"static sticker above 100 KB", "image/webp", mediatest.WebP(512, 512, false, 100<<10+1), 100, "", ""},
		{"animated sticker", "image/webp", mediatest.WebP(512, 512, true, 500<<10), 0, media.Sticker, ""},
		{"animated sticker above 500 KB", "image/webp", mediatest.WebP(512, 512, true, 500<<10+1), 100, "", ""},
		{"sticker of another size", "image/webp", mediatest.WebP(511, 512, false, 100), 0, media.Sticker, "511 x 512"},
		{"a sticker is no image", "image/webp", mediatest.WebP(512, 512, false, 100), 0, media.Image, "Image file uploaded with mimetype as image/webp"},
		{"PDF of 99 MB", "application/pdf", mediatest.PDF(99 * mb), 0, media.Document, ""},
		{"unsupported type", "application/octet-stream", png, 100, "", ""},
		{"no type", "", png, 100, "", ""},
		{"GIF", "image/gif", []byte("GIF89a"), 100, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			m, err := w.upload(c.content, c.declared)
			if code(err) != c.refused {
				t.Fatalf("upload: %v", err)
			}
			if err != nil {
				if n := w.files(t); n != 0 || w.store.Blobs() != 0 {
					t.Errorf("%d files are left", n)
				}
				return
			}
			if got := m.Unfit(c.kind, false); (got == "") != (c.unfit == "") || !strings.Contains(got, c.unfit) {
				t.Errorf("unfit: %q, want %q", got, c.unfit)
			}
			if !media.ValidID(m.ID) || m.Size != int64(len(c.content)) || m.SHA256 == nil {
				t.Errorf("media %+v", m)
			}
		})
	}
}

func TestVoiceNotesAreOpus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ogg, err := w.upload(mediatest.Ogg(1), "audio/ogg")
	if err != nil || ogg.Unfit(media.Audio, true) != "" {
		t.Errorf("Opus: %v %s", err, ogg.Unfit(media.Audio, true))
	}
	mp3, err := w.upload(append([]byte("\xff\xfb\x90\x64"), make([]byte, 1000)...), "audio/mpeg")
	if err != nil || mp3.Unfit(media.Audio, false) != "" || mp3.Unfit(media.Audio, true) == "" {
		t.Errorf("MP3: %v, plain %q, voice %q", err, mp3.Unfit(media.Audio, false), mp3.Unfit(media.Audio, true))
	}
}

func TestUploadsThatFailLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cause := errors.New("the form is wrong")
	_, err := w.Upload(t.Context(), strings.NewReader("x"), media.Source{Declared: func() (string, error) { return "", cause }})
	if !errors.Is(err, cause) {
		t.Error(err)
	}
	if _, err = w.upload(nil, "image/png"); !errors.Is(err, media.ErrEmpty) {
		t.Error(err)
	}
	gone := errors.New("the client has gone")
	for _, cause := range []error{gone, io.ErrUnexpectedEOF} {
		for _, n := range []int{0, 100, 32 << 10, 100_000} {
			_, err = w.Upload(t.Context(), io.MultiReader(bytes.NewReader(make([]byte, n)), broken{cause}), media.Source{})
			if !errors.Is(err, cause) {
				t.Errorf("%d bytes and %v: %v", n, cause, err)
			}
		}
	}
	if n := w.files(t); n != 0 || w.store.Blobs() != 0 {
		t.Errorf("%d files and %d blobs are left", n, w.store.Blobs())
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// The clear file is read back from every position, and only ciphertext is on disk.
func TestContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	canary := []byte("canary canary canary")
	for _, size := range []int{20, 32, 4096, 32 << 10, 70_001} {
		content := append(bytes.Clone(canary), make([]byte, size-20)...)
		_, _ = rand.Read(content[20:])
		m, err := w.upload(content, "application/pdf")
		if err != nil {
			t.Fatal(err)
		}
		c := w.Content(t.Context(), m)
		for _, at := range []int{0, 1, 15, 16, 17, size / 2, size - 1, size} {
			if _, err := c.Seek(int64(at), io.SeekStart); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, content[at:]) {
				t.Errorf("%d bytes from %d: %d, %v", size, at, len(got), err)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, canary) {
			t.Errorf("%s is in clear", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What a device gets opens the blob by the rules of the network's design, section 10.
func TestDevicesOpenTheBlob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := mediatest.PNG(300, 200)
	m, err := w.upload(content, "image/png")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		ID            string
		MIME          string `json:"mime_type"`
		SHA256        []byte
		Size          int64
		Width, Height int
		Blob          media.Sent
	}
	if err := json.Unmarshal([]byte("{"+string(m.AppendMembers(nil))+"}"), &d); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	if d.ID != m.ID || d.MIME != "image/png" || d.Size != int64(len(content)) || d.Width != 300 || d.Height != 200 || !bytes.Equal(d.SHA256, sum[:]) {
		t.Errorf("description %+v", d)
	}
	if size, err := w.Blob(t.Context(), d.Blob.ID); err != nil || size != d.Blob.Size {
		t.Errorf("the relay says %d, %v", size, err)
	}
	r, err := w.OpenBlob(t.Context(), d.Blob.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := io.ReadAll(r)
	if err != nil || int64(len(sealed)) != d.Blob.Size {
		t.Fatalf("%d bytes, %v", len(sealed), err)
	}
	if enc := sha256.Sum256(sealed); !bytes.Equal(enc[:], d.Blob.SHA256Enc) {
		t.Error("sha256_enc differs")
	}
	end := len(sealed) - 32
	mac := hmac.New(sha256.New, d.Blob.MACKey)
	mac.Write(sealed[:end])
	if !hmac.Equal(mac.Sum(nil), sealed[end:]) {
		t.Error("the MAC differs")
	}
	block, err := aes.NewCipher(d.Blob.Key)
	if err != nil {
		t.Fatal(err)
	}
	clear := make([]byte, end-16)
	cipher.NewCBCDecrypter(block, sealed[:16]).CryptBlocks(clear, sealed[16:end])
	if clear = clear[:len(clear)-int(clear[len(clear)-1])]; !bytes.Equal(clear, content) {
		t.Error("the content differs")
	}
}

// A file that was changed on disk never looks complete. Source: spec/security.md SC3.
func TestChangedFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 5000)
	m, err := w.upload(content, "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.dir, m.Blob[:2], m.Blob)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 16, len(good) / 2, len(good) - 33, len(good) - 1} {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(w.Content(t.Context(), m))
		if !errors.Is(err, media.ErrCorrupt) || len(got) >= len(content) {
			t.Errorf("bit at %d: %d bytes, %v", at, len(got), err)
		}
	}
}

// Source: spec/media.md sections 6, 7 and 18, rows 10 and 13.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	m, err := w.upload(mediatest.PNG(8, 8), "image/png")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(media.UploadedLife - time.Second)
	for name, s := range map[string]*media.Service{"in memory": w.Service, "after a start": w.open(t)} {
		got, err := s.Describe(ctx, m.ID)
		if err != nil || got.MIME != "image/png" || got.WABA != waba || got.Number != shop || !bytes.Equal(got.Key, m.Key) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := w.Attach(ctx, m.ID); err != nil { // a message that may wait for a month
		t.Fatal(err)
	}
	w.clock.Advance(time.Second)
	for name, s := range map[string]*media.Service{"in memory": w.Service, "after a start": w.open(t)} {
		if _, err := s.Describe(ctx, m.ID); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("%s, after 30 days: %v", name, err)
		}
	}
	w.clock.Advance(media.UploadedLife - 2*time.Second)
	if err := w.Expire(ctx); err != nil || w.files(t) != 1 {
		t.Errorf("the message's file: %d left, %v", w.files(t), err)
	}
	w.clock.Advance(3 * 24 * time.Hour)
	if err := w.Expire(ctx); err != nil || w.files(t) != 0 || w.store.Blobs() != 0 {
		t.Errorf("in the end: %d left, %v", w.files(t), err)
	}
}

// zeroIDs gives the same id for ever.
type zeroIDs struct{}

func (zeroIDs) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestIDsThatAreTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := media.New(media.Options{Store: w.store, Blobs: w.blobs, Vault: sealer{}, Clock: w.clock, IDs: zeroIDs{}, Retention: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	w.Service = s
	seen := map[string]bool{}
	for range 3 {
		m, err := w.upload([]byte("x"), "text/plain")
		if err != nil || seen[m.ID] || m.Expires != epoch.Add(time.Hour).UnixMilli() {
			t.Fatalf("%+v, %v", m, err)
		}
		seen[m.ID] = true
	}
	if !seen["100000000000000"] {
		t.Errorf("ids %v", seen)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, err := w.upload(mediatest.PNG(8, 8), "image/png")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), m.ID); err != nil {
		t.Error(err)
	}
	if err := w.Delete(t.Context(), m.ID); !errors.Is(err, media.ErrNotFound) {
		t.Error(err)
	}
	if _, err := w.Attach(t.Context(), m.ID); !errors.Is(err, media.ErrNotFound) {
		t.Error(err)
	}
	if w.files(t) != 1 {
		t.Error("messages on their way have lost the file")
	}
}

// The same image in every message costs no SQL.
func TestAttachmentsComeFromMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, err := w.upload(mediatest.PNG(8, 8), "image/png")
	if err != nil {
		t.Fatal(err)
	}
	before := w.store.Calls
	for range 1000 {
		if _, err := w.Attach(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.store.Calls - before; n != 0 {
		t.Errorf("%d calls of the store", n)
	}
	w.clock.Advance(36 * time.Hour)
	for range 1000 {
		if _, err := w.Attach(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.store.Calls - before; n != 1 {
		t.Errorf("%d calls of the store to keep the blob another day", n)
	}
}

// Source: spec/media.md sections 4, 5 and 22.
func TestURLs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, err := w.upload(mediatest.PNG(8, 8), "image/png")
	if err != nil {
		t.Fatal(err)
	}
	address := w.URL("https://wa.example", m, "")
	query := func(change func(url.Values)) url.Values {
		u, err := url.Parse(address)
		if err != nil || u.Host != "wa.example" || u.Path != media.Path {
			t.Fatalf("%s: %v", address, err)
		}
		q := u.Query()
		change(q)
		return q
	}
	same := func(url.Values) {}
	if got, err := w.open(t).Visit(t.Context(), query(same)); err != nil || got.ID != m.ID {
		t.Errorf("after a start: %v", err)
	}
	for name, change := range map[string]func(url.Values){
		"a later end":   func(q url.Values) { q.Set("ext", "9999999999") },
		"another media": func(q url.Values) { q.Set("mid", "1846720391557204") },
		"a source":      func(q url.Values) { q.Set("source", "webhook") },
		"no hash":       func(q url.Values) { q.Del("hash") },
		"another hash":  func(q url.Values) { q.Set("hash", q.Get("hash")+"x") },
		"no end":        func(q url.Values) { q.Del("ext") },
		"nothing":       func(q url.Values) { clear(q) },
	} {
		if _, err := w.Visit(t.Context(), query(change)); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.clock.Advance(media.URLLife)
	if _, err := w.Visit(t.Context(), query(same)); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("after five minutes: %v", err)
	}
}
