package mediatest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/hikyaku/hikyaku/internal/media"
)

// Blobs holds an implementation to the promises of media.Blobs. open returns an empty one.
func Blobs(t *testing.T, open func(testing.TB) media.Blobs) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, media.Blobs){
		"stored": stored, "broken": broken, "absent": absent, "concurrent": concurrent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func name(t *testing.T) string {
	t.Helper()
	id, err := media.NewBlobID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func read(t *testing.T, b media.Blobs, id string, from int64) ([]byte, error) {
	t.Helper()
	r, err := b.Open(t.Context(), id, from)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// stored: every size around the part size of a bucket comes back from every position, and is gone once it was deleted.
func stored(t *testing.T, b media.Blobs) {
	for _, size := range []int{1, 4096, 5<<20 - 1, 5 << 20, 11<<20 + 3} {
		content := make([]byte, size)
		_, _ = rand.Read(content)
		id := name(t)
		if err := b.Put(t.Context(), id, onlyReader{bytes.NewReader(content)}); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		for _, from := range []int{0, 1, size / 2, size - 1} {
			if from >= size {
				continue
			}
			got, err := read(t, b, id, int64(from))
			if err != nil || !bytes.Equal(got, content[from:]) {
				t.Errorf("%d bytes from %d: %d bytes, %v", size, from, len(got), err)
			}
		}
		if err := b.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
		if _, err := read(t, b, id, 0); !errors.Is(err, media.ErrNoBlob) {
			t.Errorf("after its end: %v", err)
		}
	}
}

type onlyReader struct{ io.Reader }

// broken: what fails while it is stored is not there, and its name can be cleared.
func broken(t *testing.T, b media.Blobs) {
	cause := errors.New("the client has gone")
	for _, size := range []int{0, 100, 6 << 20} {
		id := name(t)
		r := io.MultiReader(bytes.NewReader(make([]byte, size)), failing{cause})
		if err := b.Put(t.Context(), id, r); err == nil {
			t.Errorf("%d bytes and a failure were stored", size)
		}
		if _, err := read(t, b, id, 0); !errors.Is(err, media.ErrNoBlob) {
			t.Errorf("half a blob of %d bytes: %v", size, err)
		}
		if err := b.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	id := name(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Put(ctx, id, bytes.NewReader([]byte("x"))); err == nil {
		t.Error("stored after the end of its context")
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// absent: names that are none reach nothing outside.
func absent(t *testing.T, b media.Blobs) {
	for _, id := range []string{name(t), "", "../../etc/passwd", "AB", string(make([]byte, 32)), "../../../../../../../../etc/host"} {
		if _, err := read(t, b, id, 0); !errors.Is(err, media.ErrNoBlob) {
			t.Errorf("%q: %v", id, err)
		}
		if err := b.Delete(t.Context(), id); err != nil {
			t.Errorf("delete %q: %v", id, err)
		}
		if id == "" || media.ValidBlobID(id) {
			continue
		}
		if b.Put(t.Context(), id, bytes.NewReader(nil)) == nil {
			t.Errorf("%q was stored", id)
		}
	}
}

func concurrent(t *testing.T, b media.Blobs) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id, content := name(t), bytes.Repeat([]byte{byte(i)}, 10_000)
			if err := b.Put(t.Context(), id, bytes.NewReader(content)); err != nil {
				t.Error(err)
			}
			if got, err := read(t, b, id, 0); err != nil || !bytes.Equal(got, content) {
				t.Errorf("blob %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}
