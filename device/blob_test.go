package device_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

func TestFilesOpenAgain(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 15, 16, 17, 4096, 100_003} {
		clear := make([]byte, size)
		if _, err := rand.Read(clear); err != nil {
			t.Fatal(err)
		}
		sealed, blob, err := device.SealFile(rand.Reader, clear)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(sealed)) != blob.Size || bytes.Contains(sealed, clear) && size > 15 {
			t.Errorf("%d bytes became %d, announced are %d", size, len(sealed), blob.Size)
		}
		got, err := blob.Open(slices.Clone(sealed))
		if err != nil || !bytes.Equal(got, clear) {
			t.Errorf("%d bytes: %v", size, err)
		}
		for i := 0; i < len(sealed); i += 1 + len(sealed)/40 {
			bad := slices.Clone(sealed)
			bad[i] ^= 1
			if _, err := blob.Open(bad); !errors.Is(err, device.ErrFile) {
				t.Errorf("byte %d of %d changed: %v", i, len(sealed), err)
			}
		}
		other := blob
		other.SHA256 = make([]byte, 32)
		if _, err := other.Open(slices.Clone(sealed)); !errors.Is(err, device.ErrFile) {
			t.Errorf("another file than announced: %v", err)
		}
	}
	if _, _, err := device.SealFile(rand.Reader, nil); !errors.Is(err, device.ErrFile) {
		t.Errorf("nothing was sealed: %v", err)
	}
	if _, err := new(device.Blob).Open([]byte("x")); !errors.Is(err, device.ErrFile) {
		t.Errorf("nothing was opened: %v", err)
	}
}

// relay is the platform's store of encrypted files.
type relay struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (s *relay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer tok" {
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"code":"unauthorized","text":"no"}`)
		return
	}
	if r.Method == http.MethodPost {
		b, _ := io.ReadAll(r.Body)
		s.files["bl_1"] = b
		io.WriteString(w, `{"id":"bl_1"}`)
		return
	}
	b, ok := s.files[strings.TrimPrefix(r.URL.Path, frame.PathBlobs+"/")]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Write(b)
}

func TestAttachmentTravels(t *testing.T) {
	t.Parallel()
	files := &relay{files: map[string][]byte{}}
	server := httptest.NewServer(files)
	defer server.Close()
	h := &device.HTTPRelay{Server: server.URL, HTTP: server.Client(), Token: func() string { return "tok" }}
	data := []byte("GIF89a, or so")
	a := device.Attachment{Media: device.Media{Kind: "document", MIME: "image/gif", Filename: "a.gif", Caption: "see"}, Data: data, Answer: "wamid.1"}
	content, err := a.Upload(t.Context(), nil, h)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	m, _, err := r.d.Send(business, content)
	if err != nil || m.Context != "wamid.1" {
		t.Fatalf("%v %+v", err, m)
	}
	list := m.Media()
	if len(list) != 1 || list[0].Filename != "a.gif" || list[0].Size != int64(len(data)) || list[0].Caption != "see" {
		t.Fatalf("%+v", list)
	}
	got, err := list[0].Fetch(t.Context(), h)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%q, %v", got, err)
	}
	files.files["bl_1"] = append(files.files["bl_1"], make([]byte, 1000)...)
	if _, err := list[0].Fetch(t.Context(), h); !errors.Is(err, device.ErrFile) {
		t.Errorf("a longer file: %v", err)
	}
	delete(files.files, "bl_1")
	if _, err := list[0].Fetch(t.Context(), h); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a file that is gone: %v", err)
	}
	h.Token = func() string { return "other" }
	var refused *frame.Error
	if _, err := a.Upload(context.Background(), nil, h); !errors.As(err, &refused) || refused.Code != frame.ErrUnauthorized {
		t.Errorf("a wrong token: %v", err)
	}
	h.Token = func() string { return "" }
	if _, err := a.Upload(t.Context(), nil, h); !errors.Is(err, device.ErrOffline) {
		t.Errorf("offline: %v", err)
	}
	a.Kind = "hologram"
	if _, err := a.Upload(t.Context(), nil, h); !errors.Is(err, device.ErrContent) {
		t.Errorf("a kind that does not exist: %v", err)
	}
}
