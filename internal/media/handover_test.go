package media_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
)

var errDisk = errors.New("the disk is away")

// shaky fails when it is told to.
type shaky struct {
	media.Blobs
	*mediatest.Store
	open, keep error
	opened     int
}

func (s *shaky) Open(ctx context.Context, id string, from int64) (io.ReadCloser, error) {
	s.opened++
	if s.open != nil {
		return nil, s.open
	}
	return s.Blobs.Open(ctx, id, from)
}

func (s *shaky) KeepBlob(ctx context.Context, id string, size, until int64) error {
	if s.keep != nil {
		return s.keep
	}
	return s.Store.KeepBlob(ctx, id, size, until)
}

// The budget of a device holds one file here: whatever fails and however often a step comes again, it pays once.
func TestAFileIsPaidForOnce(t *testing.T) {
	t.Parallel()
	sealed, sent := seal(t, bytes.Repeat([]byte("x"), 1000))
	blobs, err := media.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sh := &shaky{Blobs: blobs, Store: mediatest.NewStore()}
	s, err := media.New(media.Options{
		Store: sh, Blobs: sh, Vault: sealer{}, Clock: clock.NewFake(epoch), Key: []byte("0123456789abcdef"), Hourly: 3 * int64(len(sealed)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if sent.ID, _, err = s.PutBlob(t.Context(), "16505550009.1", -1, bytes.NewReader(sealed)); err != nil {
		t.Fatal(err)
	}
	hand := func(owner string, file *media.Sent, want error) {
		t.Helper()
		if _, err := s.HandOver(t.Context(), owner, file, false); !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
	}
	for range 3 {
		sh.open = errDisk
		hand("16505550001.1", sent, errDisk)
		sh.open, sh.keep = nil, errDisk
		hand("16505550001.1", sent, errDisk)
		sh.keep = nil
	}
	sh.opened = 0
	for range 3 {
		hand("16505550001.1", sent, nil)
	}
	if sh.opened != 1 {
		t.Errorf("read %d times", sh.opened)
	}
	forged := *sent
	forged.Key = bytes.Repeat([]byte{1}, len(sent.Key))
	forged.MACKey = forged.Key
	if _, err := s.HandOver(t.Context(), "16505550001.1", &forged, false); err == nil {
		t.Error("it was handed over with another key")
	} else if over := (*media.BudgetError)(nil); !errors.As(err, &over) {
		t.Errorf("a second file is within the budget: %v", err)
	}
}
