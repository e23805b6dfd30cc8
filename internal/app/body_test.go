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
