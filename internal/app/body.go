package app

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/api/flowpage"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

const (
	// shortBody is how many bytes always come within bodyTimeout, or the caller is not waited for.
	shortBody = 1 << 20
	// slowest is how many bytes of a longer body must come in a second, on average, once bodyTimeout is over.
	slowest = 16 << 10
	// readTimeout is how long a part of a large answer may take to go out.
	readTimeout = 20 * time.Second
	// patience is how many bytes come between two moves of the deadline.
	patience = 256 << 10
)

// long reports whether a request's body may take longer than bodyTimeout: files do on slow lines. A batch holds one of few
// places while its body comes, so it may not.
func long(r *http.Request) bool {
	return (r.ContentLength > shortBody || r.ContentLength < 0) && !batch(r.URL.Path)
}

// batch reports whether a path names at most a version. Ids and the names of nodes never begin with a v and a digit.
func batch(path string) bool {
	p := strings.Trim(path, "/")
	return p == "" || len(p) > 1 && p[0] == 'v' && p[1] >= '0' && p[1] <= '9' && !strings.Contains(p, "/")
}

// longBody moves the deadline of a request on while its bytes come.
type longBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	wall  clock.Clock
	start time.Time
	grace time.Duration // to begin with, and for the answer
	n     int64
	moved int64 // the value of n at the last move
}

// patient lets the body of r take as long as its bytes come.
func patient(w http.ResponseWriter, r *http.Request, wall clock.Clock, grace time.Duration) {
	r.Body = &longBody{ReadCloser: r.Body, conn: http.NewResponseController(w), wall: wall, start: wall.Now(), grace: grace}
}

// Read implements io.Reader.
func (b *longBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	switch {
	case errors.Is(err, io.EOF):
		b.move(b.wall.Now())
	case b.n-b.moved >= patience:
		b.moved = b.n
		b.move(b.start.Add(time.Duration(b.n) * time.Second / slowest))
	}
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}

// large reports whether an answer may be a whole flow, which waits in memory until it is read.
func large(r *http.Request) bool {
	return r.URL.Path == frame.PathFlows || strings.HasPrefix(r.URL.Path, api.FlowPath) || strings.HasPrefix(r.URL.Path, flowpage.Path)
}

// reading is an answer that is given up when its reader does not read: each part must go out within grace.
type reading struct {
	http.ResponseWriter
	conn  *http.ResponseController
	wall  clock.Clock
	grace time.Duration
	n     int
}

// watched gives an answer a deadline that moves on with its bytes. The second result is called at the end of the answer.
func watched(w http.ResponseWriter, wall clock.Clock, grace time.Duration) (*reading, func()) {
	r := &reading{ResponseWriter: w, conn: http.NewResponseController(w), wall: wall, grace: grace}
	return r, func() {
		if r.n > answerPart {
			_ = r.conn.Flush() // what is left goes out under the deadline too
		}
		_ = r.conn.SetWriteDeadline(time.Time{}) // the connection may serve further requests
	}
}

// answerPart is how many bytes of an answer go out between two moves of the deadline.
const answerPart = 64 << 10

// Write implements io.Writer.
func (r *reading) Write(b []byte) (n int, err error) {
	for {
		part := b[n:min(len(b), n+answerPart)]
		_ = r.conn.SetWriteDeadline(r.wall.Now().Add(r.grace))
		wrote, err := r.ResponseWriter.Write(part)
		n += wrote
		if r.n += wrote; err != nil || n == len(b) {
			return n, err //nolint:wrapcheck // that of the connection
		}
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (r *reading) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// move sets the deadline to grace after t. One that cannot be moved ends the body as before.
func (b *longBody) move(t time.Time) { _ = b.conn.SetReadDeadline(t.Add(b.grace)) }
