package network_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// shelf keeps blobs in memory.
type shelf struct {
	mu    sync.Mutex
	blobs map[string][]byte
}

func (s *shelf) PutBlob(_ context.Context, _ wa.DeviceID, announced int64, r io.Reader) (string, int64, error) {
	if announced == 666 {
		return "", 0, &frame.Error{Code: frame.ErrRate, Text: "too many bytes", After: 1500}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return "", 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "b" + strconv.Itoa(len(s.blobs))
	s.blobs[id] = b
	return id, int64(len(b)), nil
}

func (s *shelf) Blob(_ context.Context, id string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.blobs[id]
	if !ok {
		return 0, frame.Refuse(frame.ErrNotFound, "no such file")
	}
	return int64(len(b)), nil
}

func (s *shelf) OpenBlob(_ context.Context, id string, from int64) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return io.NopCloser(bytes.NewReader(s.blobs[id][from:])), nil
}

type blobCall struct {
	method, path, token, rang string
	body                      string
}

func (c blobCall) do(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(deadline(t), c.method, url+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.rang != "" {
		req.Header.Set("Range", c.rang)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(b))
}

// Source: design "The user network", section 10.
func TestBlobs(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	hub := network.NewHub(network.Config{
		Directory: w.dir, Mailbox: w.box, Lanes: w.lanes, Businesses: w.biz, Blobs: &shelf{blobs: map[string][]byte{}}, Clock: w.clock, Wire: w.wire,
	})
	srv := httptest.NewServer(network.Handler(hub, nil))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { w.stop(t); _ = hub.Shutdown(context.Background()) })
	w.user(t, "15550142233")
	s, welcome := login(t, "ws"+strings.TrimPrefix(srv.URL, "http")+frame.PathSocket, 0)
	token := welcome.Token
	if token == "" {
		t.Fatal("no token")
	}
	const blob = "0123456789"
	for _, c := range []struct {
		name   string
		call   blobCall
		status int
		want   string // the answer begins with it
	}{
		{"upload", blobCall{"POST", frame.PathBlobs, token, "", blob}, 200, `{"id":"b0","size":10}`},
		{"download", blobCall{"GET", frame.PathBlobs + "/b0", token, "", ""}, 200, blob},
		{"a range", blobCall{"GET", frame.PathBlobs + "/b0", token, "bytes=3-5", ""}, 206, "345"},
		{"the end", blobCall{"GET", frame.PathBlobs + "/b0", token, "bytes=-2", ""}, 206, "89"},
		{"no such range", blobCall{"GET", frame.PathBlobs + "/b0", token, "bytes=10-", ""}, 416, ""},
		{"more ranges than are served", blobCall{"GET", frame.PathBlobs + "/b0", token, "bytes=" + strings.Repeat("0-0,", 20) + "0-0", ""}, 200, blob},
		{"head", blobCall{"HEAD", frame.PathBlobs + "/b0", token, "", ""}, 200, ""},
		{"unknown", blobCall{"GET", frame.PathBlobs + "/b1", token, "", ""}, 404, `{"code":"not_found"`},
		{"no token", blobCall{"GET", frame.PathBlobs + "/b0", "", "", ""}, 401, `{"code":"unauthorized"`},
		{"another token", blobCall{"GET", frame.PathBlobs + "/b0", token[:len(token)-2] + "AA", "", ""}, 401, `{"code":"unauthorized"`},
		{"over the budget of bytes", blobCall{"POST", frame.PathBlobs, token, "", strings.Repeat("x", 666)}, 429, `{"code":"rate","text":"too many bytes","after":1500}`},
		{"no token, upload", blobCall{"POST", frame.PathBlobs, "", "", blob}, 401, `{"code":"unauthorized"`},
		{"garbage", blobCall{"GET", frame.PathBlobs + "/b0", "a.b", "", ""}, 401, `{"code":"unauthorized"`},
		{"another method", blobCall{"DELETE", frame.PathBlobs + "/b0", token, "", ""}, 400, `{"code":"unsupported"`},
	} {
		if status, got := c.call.do(t, srv.URL); status != c.status || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %d %s", c.name, status, got)
		}
	}
	w.wire.Advance(2 * time.Hour)
	download := blobCall{"GET", frame.PathBlobs + "/b0", token, "", ""}
	if status, got := download.do(t, srv.URL); status != 200 {
		t.Errorf("while the device is connected: %d %s", status, got)
	}
	s.conn.CloseNow()
	for status := 0; status != 401; { // when the connection is gone, so is the token
		status, _ = download.do(t, srv.URL)
	}
}

func TestBlobUploadsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	hub := network.NewHub(network.Config{
		Directory: w.dir, Mailbox: w.box, Lanes: w.lanes, Businesses: w.biz, Blobs: &shelf{blobs: map[string][]byte{}}, Clock: w.clock, Wire: w.wire,
	})
	srv := httptest.NewServer(network.Handler(hub, nil))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { w.stop(t); _ = hub.Shutdown(context.Background()) })
	w.user(t, "15550142233")
	_, welcome := login(t, "ws"+strings.TrimPrefix(srv.URL, "http")+frame.PathSocket, 0)
	upload := blobCall{"POST", frame.PathBlobs, welcome.Token, "", "x"}
	for range 300 {
		if status, got := upload.do(t, srv.URL); status != 200 {
			t.Fatalf("%d %s", status, got)
		}
	}
	if status, got := upload.do(t, srv.URL); status != 429 || !strings.Contains(got, `"after":3600000`) {
		t.Errorf("%d %s", status, got)
	}
}
