package media_test

import (
	"bytes"
	"errors"
	"net/url"
	"path"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
)

// bornSealer notes what rows are sealed with.
type bornSealer struct {
	sealer
	born []int64
}

func (s *bornSealer) SealContent(born int64, ad, plain []byte) ([]byte, error) {
	s.born = append(s.born, born)
	return s.sealer.SealContent(born, ad, plain)
}

// Source: spec/media.md sections 3, 7 and 17.
func TestFilesOfNumbersWithoutStorage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	safe := &bornSealer{}
	s, err := media.New(media.Options{Store: w.store, Blobs: w.blobs, Vault: safe, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	ctx, start := t.Context(), w.clock.Now()
	upload := func(brief bool, life time.Duration) *media.Media {
		m, err := s.Upload(ctx, bytes.NewReader(mediatest.PNG(4, 4)), media.Source{
			WABA: waba, Number: shop, Brief: brief, Declared: func() (string, error) { return "image/png", nil },
			Life: func() (time.Duration, error) { return life, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	lives := func(what string, m *media.Media, life time.Duration, brief bool) {
		t.Helper()
		if got := time.UnixMilli(m.Expires).Sub(start); got != life {
			t.Errorf("%s lives for %v, want %v", what, got, life)
		}
		born := int64(0)
		if brief {
			born = start.UnixMilli()
		}
		if got := safe.born[len(safe.born)-1]; got != born {
			t.Errorf("the keys of %s are sealed with %d, want %d", what, got, born)
		}
	}
	lives("a file", upload(false, 0), media.UploadedLife, false)
	lives("a file of a number without storage", upload(true, 0), media.BriefLife, true)
	lives("one with 60 minutes", upload(true, time.Hour), media.BriefLife, true)
	lives("one with a day", upload(true, 24*time.Hour), 24*time.Hour, false)
	sent := w.sends(t, []byte("from a user"))
	from := sentAs("text/plain")
	from.Brief = true
	m, err := s.Arrive(ctx, sent, from)
	if err != nil {
		t.Fatal(err)
	}
	lives("a user's file", m, media.BriefLife, true)
	if _, err := s.Upload(ctx, bytes.NewReader([]byte("x")), media.Source{
		Brief: true, Declared: func() (string, error) { return "text/plain", nil },
		Life: func() (time.Duration, error) { return 0, media.ErrEmpty },
	}); !errors.Is(err, media.ErrEmpty) {
		t.Errorf("a life that is refused: %v", err)
	}

	again := func() (n int) { // as after a start, from the rows alone
		t.Helper()
		s := w.open(t)
		if err := s.Expire(ctx); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Describe(ctx, m.ID); err == nil && !got.Brief {
			t.Error("it is not known any more what number it is of")
		}
		return w.files(t)
	}
	if n := again(); n != 6 { // five and the device's own
		t.Fatalf("%d files", n)
	}
	w.clock.Advance(50 * time.Minute)
	if _, err := s.Attach(ctx, m.ID); err != nil { // a message may need it for an hour from now
		t.Fatal(err)
	}
	w.clock.Advance(10 * time.Minute)
	if _, err := s.Describe(ctx, m.ID); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("after an hour: %v", err)
	}
	if n := again(); n != 4 { // the storage's, the day's, the sent one and the device's own
		t.Errorf("%d files after an hour", n)
	}
	w.clock.Advance(time.Hour)
	if n := again(); n != 3 {
		t.Errorf("%d files when the message's life is over", n)
	}
}

// Within most of its hour a file that comes again is not stored again; towards the end, and after it, it is.
func TestAFileOfANumberWithoutStorageIsTakenOverOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, from := t.Context(), sentAs("text/plain")
	from.Brief = true
	sent := w.sends(t, []byte("from a user"))
	arrive := func() *media.Media {
		t.Helper()
		m, err := w.Arrive(ctx, sent, from)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := arrive()
	w.clock.Advance(45 * time.Minute)
	second := arrive()
	if second.ID == first.ID || second.Blob != first.Blob || second.Expires != w.clock.Now().Add(media.BriefLife).UnixMilli() {
		t.Errorf("%+v came again as %+v", first, second)
	}
	w.clock.Advance(45 * time.Minute) // the first id is over, its blob is not
	if err := w.Expire(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Describe(ctx, first.ID); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("the first id after its hour: %v", err)
	}
	if _, err := w.Content(ctx, second).Read(make([]byte, 1)); err != nil {
		t.Errorf("the second id within its hour: %v", err)
	}
	w.clock.Advance(10 * time.Minute)
	if third := arrive(); third.Blob == first.Blob {
		t.Error("a blob was given on that may be on the sweep's list")
	}
}

func TestTheEndpointOfAFlowHasAnHourWithoutStorage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := media.New(media.Options{Store: w.store, Blobs: w.blobs, Vault: sealer{}, Clock: w.clock, Key: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	sent, start := w.sends(t, []byte("from a user")), w.clock.Now()
	hand := func(brief bool) (fetch func() error) {
		t.Helper()
		h, err := s.HandOver(t.Context(), "16505550001", sent, brief)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(h.URL)
		if err != nil {
			t.Fatal(err)
		}
		return func() error {
			r, _, err := s.Fetch(t.Context(), path.Base(u.Path), u.Query())
			if err == nil {
				err = r.Close()
			}
			return err
		}
	}
	kept, brief := hand(false), hand(true)
	for _, at := range []struct {
		after       time.Duration
		kept, brief error
	}{
		{media.BriefLife - time.Second, nil, nil},
		{media.BriefLife, nil, media.ErrNotFound},
		{media.HandedLife - time.Second, nil, media.ErrNotFound},
		{media.HandedLife, media.ErrNotFound, media.ErrNotFound},
	} {
		w.clock.Advance(at.after - w.clock.Now().Sub(start))
		if err := kept(); !errors.Is(err, at.kept) {
			t.Errorf("after %v: %v, want %v", at.after, err, at.kept)
		}
		if err := brief(); !errors.Is(err, at.brief) {
			t.Errorf("without storage, after %v: %v, want %v", at.after, err, at.brief)
		}
	}
}
