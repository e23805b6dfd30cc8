package media_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
)

// sends stores a file as a device does.
func (w *world) sends(t *testing.T, clear []byte) *media.Sent {
	t.Helper()
	sealed, sent := seal(t, clear)
	var err error
	if sent.ID, _, err = w.PutBlob(t.Context(), "16505550001.1", -1, bytes.NewReader(sealed)); err != nil {
		t.Fatal(err)
	}
	return sent
}

// However many messages name a file, a number has it once, and each message its own id. Source: spec/media.md section 7.
func TestAFileIsTakenOverOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	sent := w.sends(t, mediatest.PNG(30, 20))
	first, err := w.Arrive(ctx, sent, sentAs("image/png"))
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(6 * 24 * time.Hour)
	second, err := w.Arrive(ctx, sent, sentAs("image/png"))
	if err != nil || second.ID == first.ID || second.Blob != first.Blob || w.files(t) != 2 {
		t.Fatalf("%+v, %d files, %v", second, w.files(t), err)
	}
	forged := *sent
	forged.Key = bytes.Repeat([]byte{1}, len(sent.Key))
	if m, err := w.Arrive(ctx, &forged, sentAs("image/png")); !errors.Is(err, media.ErrCorrupt) {
		t.Errorf("with another key: %+v, %v", m, err)
	}
	other := sentAs("image/png")
	other.Number = "106540352242999"
	if m, err := w.Arrive(ctx, sent, other); err != nil || m.Blob == first.Blob {
		t.Errorf("another number: %+v, %v", m, err)
	}
	w.clock.Advance(6 * 24 * time.Hour)
	if err := w.Expire(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Describe(ctx, first.ID); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("the first id after its seven days: %v", err)
	}
	if _, err := w.Content(ctx, second).Read(make([]byte, 1)); err != nil {
		t.Errorf("the second id within them: %v", err)
	}
	w.clock.Advance(24 * time.Hour)
	if err := w.Expire(ctx); err != nil || w.files(t) != 1 { // the device's own
		t.Errorf("%d files are left after both, %v", w.files(t), err)
	}
	if m, err := w.Arrive(ctx, sent, sentAs("image/png")); err != nil || m.Blob == first.Blob {
		t.Errorf("sent again when it was gone: %+v, %v", m, err)
	}
}

// A file that the business sends on outlives its id like any other.
func TestAnArrivalThatIsSentOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	m, err := w.Arrive(ctx, w.sends(t, []byte("x")), sentAs("text/plain"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Attach(ctx, m.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(29 * 24 * time.Hour)
	if err := w.Expire(ctx); err != nil || w.files(t) != 2 {
		t.Errorf("%d files, %v", w.files(t), err)
	}
}

func TestWhatADeviceMaySendInAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	const size = 10_000
	s, err := media.New(media.Options{Store: w.store, Blobs: w.blobs, Vault: sealer{}, Clock: w.clock, Hourly: 10 * size})
	if err != nil {
		t.Fatal(err)
	}
	arrive := func(device string, sent *media.Sent) error {
		o := sentAs("text/plain")
		o.Device = device
		_, err := s.Arrive(ctx, sent, o)
		return err
	}
	taken := 0
	for hours := range 2 { // five at once, further ones as time goes by
		for range 10 {
			for err = nil; err == nil; taken++ {
				err = arrive("a", w.sends(t, bytes.Repeat([]byte{byte(taken), 'x'}, size/2-100)))
			}
			taken--
			if over, ok := errors.AsType[*media.BudgetError](err); !ok || over.Wait <= 0 || over.Wait > time.Hour {
				t.Fatal(err)
			}
			w.clock.Advance(6 * time.Minute)
		}
		if taken > 10*(hours+1) || taken < 5*(hours+1)-1 {
			t.Errorf("%d files in %d hours", taken, hours+1)
		}
	}
	sent := w.sends(t, bytes.Repeat([]byte("y"), size))
	for range 20 { // one that is there costs nothing
		if err := arrive("b", sent); err != nil {
			t.Error(err)
		}
	}
}

// What is announced is refused unread; what is not, where the budget ends.
func TestWhatADeviceMayStoreInAnHour(t *testing.T) {
	t.Parallel()
	for name, announced := range map[string]int64{"announced": 1000, "not announced": -1, "announced too low": 10} {
		w := newWorld(t)
		s, err := media.New(media.Options{Store: w.store, Blobs: w.blobs, Vault: sealer{}, Clock: w.clock, Hourly: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		put := func(device string, size, announced int64) (int64, error) {
			r := &counted{r: io.LimitReader(zeros{}, size)}
			_, _, err := s.PutBlob(t.Context(), device, announced, r)
			return r.n, err
		}
		var n int
		for err = nil; err == nil; n++ {
			_, err = put("a", 1000, announced)
		}
		over, ok := errors.AsType[*media.BudgetError](err)
		if !ok || n != 6 || over.Wait <= 0 || over.Wait > time.Hour {
			t.Errorf("%s: upload %d: %v", name, n, err)
			continue
		}
		if w.files(t) != 5 {
			t.Errorf("%s: %d files", name, w.files(t))
		}
		if read, err := put("a", 1000, 1000); err == nil || read != 0 {
			t.Errorf("%s: read %d bytes, %v", name, read, err)
		}
		if _, err := put("b", 1000, announced); err != nil {
			t.Errorf("%s: another device: %v", name, err)
		}
		w.clock.Advance(time.Hour)
		if _, err := put("a", 1000, 1000); err != nil {
			t.Errorf("%s: an hour later: %v", name, err)
		}
	}
}

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// The first part of an upload lives as long as its session.
func TestASlowUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	clear := mediatest.PNG(30, 20)
	u, err := w.Begin(ctx, "app", "user", "a.png", "image/png", int64(len(clear)))
	if err != nil {
		t.Fatal(err)
	}
	handle := ""
	for i, to := range []int{10, 20, len(clear)} {
		u = again(t, w.Service, u.ID)
		from := int(u.Offset())
		if handle, err = w.Append(ctx, u, int64(from), bytes.NewReader(clear[from:to])); err != nil {
			t.Fatalf("part %d: %v", i, err)
		}
		w.clock.Advance(20 * time.Hour)
		if err := w.Expire(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := w.Handle(ctx, handle); err != nil || m.Size != int64(len(clear)) {
		t.Errorf("%+v, %v", m, err)
	}
}

// lateStore calls a function after it has read a row.
type lateStore struct {
	*mediatest.Store
	read func()
}

func (s *lateStore) Media(ctx context.Context, id string) (*media.Row, error) {
	r, err := s.Store.Media(ctx, id)
	if f := s.read; f != nil {
		s.read = nil
		f()
	}
	return r, err
}

// An id that is deleted while somebody reads it does not come back.
func TestDeletedWhileItIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, err := w.upload([]byte("x"), "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	store := &lateStore{Store: w.store}
	s, err := media.New(media.Options{Store: store, Blobs: w.blobs, Vault: sealer{}, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	store.read = func() {
		if err := s.Delete(t.Context(), m.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Describe(t.Context(), m.ID); err != nil {
		t.Errorf("who read it in time: %v", err)
	}
	if _, err := s.Describe(t.Context(), m.ID); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("afterwards: %v", err)
	}
}

// A blob is never stored in a folder that a crash could take away.
func TestFoldersAreThereBeforeBlobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if list, err := os.ReadDir(w.dir); err != nil || len(list) != 256 {
		t.Errorf("%d folders, %v", len(list), err)
	}
}

// What a picture, a sound or a sticker is, its bytes say. Source: spec/webhooks.md sections 13.2 to 13.6.
func TestDeclaredTypesOfArrivals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	png, html := w.sends(t, mediatest.PNG(30, 20)), w.sends(t, []byte("<!DOCTYPE html><html><script>x</script></html>"))
	for _, c := range []struct {
		name           string
		sent           *media.Sent
		kind, declared string
		want           string // "" when there is no usable file
	}{
		{"a picture", png, media.Image, "image/png", "image/png"},
		{"a picture that says it is a page", png, media.Image, "text/html", "image/png"},
		{"a picture that says it is another", png, media.Image, "image/jpeg", "image/png"},
		{"a page that says it is a picture", html, media.Image, "image/png", ""},
		{"a page as a picture", html, media.Image, "text/html", ""},
		{"a picture as a sound", png, media.Audio, "audio/mpeg", ""},
		{"a page as a document", html, media.Document, "text/html", "text/html"},
	} {
		o := sentAs(c.declared)
		o.Kind = c.kind
		m, err := w.Arrive(t.Context(), c.sent, o)
		if c.want == "" {
			if !errors.Is(err, media.ErrCorrupt) {
				t.Errorf("%s: %+v, %v", c.name, m, err)
			}
		} else if err != nil || m.MIME != c.want {
			t.Errorf("%s: %+v, %v", c.name, m, err)
		}
	}
}
