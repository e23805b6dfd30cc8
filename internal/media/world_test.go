package media_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	waba = wa.WABAID("220110330440550")
	shop = wa.PhoneNumberID("106540352242922")
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a media room with a store in memory and a directory on disk.
type world struct {
	*media.Service
	store *mediatest.Store
	clock *clock.Controlled
	dir   string
	blobs media.Blobs
}

// sealer hides the text and notices a wrong place.
type sealer struct{}

func (sealer) SealContent(_ int64, ad, plain []byte) ([]byte, error) {
	sum := sha256.Sum256(ad)
	out := bytes.Clone(sum[:])
	for i, b := range plain {
		out = append(out, b^sum[i%32]^0x5a)
	}
	return out, nil
}

func (s sealer) Open(ad, sealed []byte) ([]byte, error) {
	sum := sha256.Sum256(ad)
	if !bytes.HasPrefix(sealed, sum[:]) {
		return nil, errors.New("sealed elsewhere")
	}
	out, _ := s.SealContent(0, ad, sealed[32:])
	return out[32:], nil
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{store: mediatest.NewStore(), clock: clock.NewFake(epoch), dir: filepath.Join(tb.TempDir(), "blobs")}
	var err error
	if w.blobs, err = media.OpenDir(w.dir); err != nil {
		tb.Fatal(err)
	}
	w.Service = w.open(tb)
	return w
}

// open is a service as after a start.
func (w *world) open(tb testing.TB) *media.Service {
	tb.Helper()
	s, err := media.New(media.Options{Store: w.store, Blobs: w.blobs, Vault: sealer{}, Clock: w.clock})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func (w *world) upload(content []byte, declared string) (*media.Media, error) {
	return w.Upload(context.Background(), bytes.NewReader(content), media.Source{
		WABA: waba, Number: shop, Declared: func() (string, error) { return declared, nil },
	})
}

// files counts the files on disk.
func (w *world) files(tb testing.TB) (n int) {
	tb.Helper()
	err := filepath.WalkDir(w.dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func code(err error) int {
	if row := (*wa.Error)(nil); errors.As(err, &row) {
		return row.Code
	}
	return 0
}
