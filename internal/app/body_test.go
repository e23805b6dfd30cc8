package app

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// A long body may take longer than the server's timeout as long as its bytes come, and no longer.
func TestLongBodiesAreWaitedFor(t *testing.T) {
	t.Parallel()
	const grace, size = 300 * time.Millisecond, 6 * patience
	read := make(chan error, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if long(r) {
			patient(w, r, clock.System(), grace)
		}
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	}))
	srv.Config.ReadTimeout = grace
	srv.Start()
	t.Cleanup(srv.Close)
	upload := func(each time.Duration, parts int) error {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "POST /v23.0/10654/media HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
		chunk := append([]byte("40000\r\n"), make([]byte, patience)...)
		for range parts {
			_, _ = conn.Write(append(chunk, "\r\n"...))
			_ = clock.System().Sleep(t.Context(), each)
		}
		if parts == size/patience {
			_, _ = io.WriteString(conn, "0\r\n\r\n")
		}
		return <-read
	}
	if err := upload(grace/3, size/patience); err != nil { // twice the timeout
		t.Error(err)
	}
	began := clock.System().Now()
	if err := upload(0, 0); !errors.Is(err, os.ErrDeadlineExceeded) || clock.System().Now().Sub(began) > 10*time.Second {
		t.Errorf("nothing came: %v", err)
	}
}

func TestWhoMayTakeLong(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/": false, "/v23.0": false, "/v23.0/": false, "/v17.0/10654/media": true, "/10654/media": true, "/v23.0/upload:abc": true, "/upload:abc": true,
	} {
		r := httptest.NewRequest(http.MethodPost, path, http.NoBody)
		if r.ContentLength = -1; long(r) != want {
			t.Errorf("%s: %v", path, !want)
		}
		if r.ContentLength = shortBody; long(r) {
			t.Errorf("%s: a short body", path)
		}
	}
}

// An answer is given up when nobody reads it, and goes out whole to somebody who does.
func TestLargeAnswersNeedAReader(t *testing.T) {
	t.Parallel()
	const size = 32 << 20 // more than sockets hold
	wrote := make(chan error, 2)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer, end := watched(w, clock.System(), 300*time.Millisecond)
		defer end()
		_, err := answer.Write(make([]byte, size))
		wrote <- err
	}))
	t.Cleanup(srv.Close)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := <-wrote; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nobody reads: %v", err)
	}
	for range 2 { // the second on the same connection
		res, err := srv.Client().Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err := errors.Join(err, <-wrote); err != nil || n != size {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
}
