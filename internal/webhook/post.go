package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// Poster sends webhooks. Implementations follow no redirects and are safe for concurrent use; see [NewSender].
type Poster interface {
	// Post sends p and returns the status of the answer, whose content nobody looks at. A positive timeout bounds all of it,
	// in real time.
	Post(p *Post, timeout time.Duration) (status int, err error)
	// Abort cuts off every Post under way and to come.
	Abort()
}

// Post is one signed request.
type Post struct {
	URL       string
	UserAgent string
	SHA256    string // X-Hub-Signature-256
	SHA1      string // X-Hub-Signature
	Body      []byte
}

const (
	maxAnswerHeader = 16 << 10
	maxAnswerBody   = 256 << 10 // read to keep the connection; a longer answer costs it
	maxConnections  = 1 << 16   // per host; the width of the endpoints bounds them before
	idleTime        = time.Minute
)

// Sender is the [Poster] for real receivers. The goroutine that posts also writes and reads the connection: net/http's
// transport hands every request to two more goroutines, which costs twice the processor time per webhook.
type Sender struct {
	client fasthttp.Client

	mu      sync.Mutex
	open    map[*openConn]struct{}
	aborted bool
}

// NewSender makes a Sender that reaches the same addresses as [NewTransport] does, by the same rules.
func NewSender(o TransportOptions) *Sender {
	g := newGuard(o)
	s := &Sender{open: map[*openConn]struct{}{}}
	s.client = fasthttp.Client{
		DialTimeout: func(addr string, timeout time.Duration) (net.Conn, error) { return s.dial(g, addr, timeout) },
		TLSConfig:   &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},

		NoDefaultUserAgentHeader:  true,
		DisablePathNormalizing:    true, // the URL goes out as it was given
		MaxConnsPerHost:           maxConnections,
		MaxIdleConnDuration:       idleTime,
		ConnPoolStrategy:          fasthttp.LIFO, // spare connections grow old and close
		ReadBufferSize:            maxAnswerHeader,
		MaxResponseBodySize:       maxAnswerBody,
		MaxIdemponentCallAttempts: 2,
		RetryIfErr:                func(_ *fasthttp.Request, _ int, err error) (bool, bool) { return false, stale(err) },
	}
	return s
}

// stale reports that an idle connection turned out to be closed. The request goes out once more on another one, as
// net/http does it.
func stale(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, fasthttp.ErrConnectionClosed) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

// Post implements Poster.
func (s *Sender) Post(p *Post, timeout time.Duration) (status int, err error) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.SetRequestURI(p.URL)
	req.Header.SetContentType("application/json")
	req.Header.SetUserAgent(p.UserAgent)
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Accept-Encoding", "deflate, gzip")
	req.Header.Set("X-Hub-Signature-256", p.SHA256)
	req.Header.Set("X-Hub-Signature", p.SHA1)
	req.SetBodyRaw(p.Body)
	err = s.client.DoTimeout(req, res, timeout)
	if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		err = nil // answered, at length
	}
	return res.StatusCode(), err
}

// Abort implements Poster.
func (s *Sender) Abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aborted = true
	for c := range s.open {
		_ = c.Conn.Close()
	}
}

// errAborted is why nothing is dialled any more.
var errAborted = errors.New("webhook sender is closed")

func (s *Sender) dial(g *guard, addr string, timeout time.Duration) (net.Conn, error) {
	if timeout <= 0 || timeout > connectTimeout {
		timeout = connectTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c, err := g.dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aborted {
		return nil, errors.Join(errAborted, c.Close())
	}
	o := &openConn{Conn: c, s: s}
	s.open[o] = struct{}{}
	return o, nil
}

// openConn is a connection that Abort can find.
type openConn struct {
	net.Conn
	s *Sender
}

// Close implements net.Conn.
func (c *openConn) Close() error {
	c.s.mu.Lock()
	delete(c.s.open, c)
	c.s.mu.Unlock()
	return c.Conn.Close()
}
