package bench

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
)

const maxAnswer = 1 << 20

// conn is a keep-alive connection of one worker to a plain HTTP server. It is made at the first request and again after an
// error or when the server closes it. Not safe for concurrent use.
type conn struct {
	addr string
	c    net.Conn
	w    *wire
}

// post sends a whole request, header and body, and reads the answer. The answer is valid until the next call. A request is
// never repeated: it may have been done. When ctx ends the connection is closed and the error is that of ctx.
func (c *conn) post(ctx context.Context, request []byte) (status int, answer []byte, err error) {
	if c.c == nil {
		if err := c.dial(ctx); err != nil {
			return 0, nil, err
		}
	}
	nc := c.c
	defer context.AfterFunc(ctx, func() { _ = nc.Close() })()
	_, err = nc.Write(request)
	again := false
	if err == nil {
		status, again, err = c.w.response(maxAnswer)
	}
	if err != nil || !again {
		c.close()
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return 0, nil, err
	}
	return status, c.w.body, nil
}

func (c *conn) dial(ctx context.Context) error {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	c.c, c.w = nc, newWire(nc)
	return nil
}

func (c *conn) close() {
	if c.c != nil {
		_ = c.c.Close()
		c.c = nil
	}
}

// host takes host and port from a plain HTTP URL.
func host(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return "", fmt.Errorf("%q is not an http://host:port URL", base)
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "80"), nil
	}
	return u.Host, nil
}

// crew runs n workers with a connection each and waits for them.
func crew(n int, addr string, work func(*conn)) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			c := &conn{addr: addr}
			defer c.close()
			work(c)
		})
	}
	wg.Wait()
}
