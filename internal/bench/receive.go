package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"net"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

const (
	maxPayload     = 3 << 20 // spec/webhooks.md section 6: at most 3 MB
	maxConnections = 2048
)

// Receiver takes webhooks and counts them in a ledger. It does as little as HTTP/1.1 allows, so that the platform is what
// is measured. It answers before it counts: an event's latency ends with its answer.
type Receiver struct {
	secret []byte
	token  string // of the handshake
	every  int64  // the signature of every so-manieth POST is checked
	clock  clock.Clock
	ledger atomic.Pointer[Ledger]

	listener net.Listener
	serving  sync.WaitGroup
	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	closed   bool

	counting                          atomic.Int64 // POSTs that are answered and not counted yet
	posts, checked, forged, malformed atomic.Int64
}

// NewReceiver listens on a free port of the loopback interface. The signature of every so-manieth POST is checked; 1 checks
// all. Close it.
func NewReceiver(ctx context.Context, c clock.Clock, secret, token string, every int) (*Receiver, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for webhooks: %w", err)
	}
	r := &Receiver{
		secret: []byte(secret), token: token, every: int64(max(every, 1)), clock: c, listener: l,
		conns: map[net.Conn]struct{}{},
	}
	r.Count(NewLedger(c.Now(), nil))
	r.serving.Go(r.accept)
	return r, nil
}

// URL is where webhooks go.
func (r *Receiver) URL() string { return "http://" + r.listener.Addr().String() + "/bench" }

// Count makes l the ledger of what comes from now on.
func (r *Receiver) Count(l *Ledger) { r.ledger.Store(l) }

// Close ends all connections and waits for their goroutines.
func (r *Receiver) Close() {
	r.mu.Lock()
	r.closed = true
	for c := range r.conns {
		_ = c.Close()
	}
	r.mu.Unlock()
	_ = r.listener.Close()
	r.serving.Wait()
}

func (r *Receiver) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		if !r.admit(c) {
			_ = c.Close()
			continue
		}
		r.serving.Go(func() {
			defer r.leave(c)
			r.serve(c)
		})
	}
}

func (r *Receiver) admit(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.conns) >= maxConnections {
		return false
	}
	r.conns[c] = struct{}{}
	return true
}

func (r *Receiver) leave(c net.Conn) {
	_ = c.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

const (
	answerOK   = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	answerLast = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	answerGo   = "HTTP/1.1 100 Continue\r\n\r\n"
)

func refusal(status string) string {
	return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
}

// serve answers one connection until it ends.
func (r *Receiver) serve(c net.Conn) {
	w := newWire(c)
	mac := hmac.New(sha256.New, r.secret)
	for {
		if err := w.head(); err != nil {
			r.reject(c, err)
			return
		}
		q, err := w.request()
		if err != nil {
			r.reject(c, err)
			return
		}
		if w.expects {
			if _, err := c.Write([]byte(answerGo)); err != nil {
				return
			}
		}
		if err := w.content(maxPayload, false); err != nil {
			r.reject(c, err)
			return
		}
		answer := answerOK
		if !q.again {
			answer = answerLast
		}
		switch string(q.method) {
		case "POST":
			r.counting.Add(1)
			_, err = c.Write([]byte(answer))
			r.count(w, mac) // even if nobody reads the answer: it will come again, and show as a double
			r.counting.Add(-1)
		case "GET":
			_, err = c.Write([]byte(r.handshake(q.target)))
			q.again = false
		default:
			_, err = c.Write([]byte(refusal("405 Method Not Allowed")))
			q.again = false
		}
		if err != nil || !q.again {
			return
		}
	}
}

// settle waits until everything that was answered has been counted.
func (r *Receiver) settle(ctx context.Context) error {
	for r.counting.Load() > 0 {
		if err := r.clock.Sleep(ctx, time.Millisecond); err != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// reject answers what is no request. The end of a connection between two requests is normal.
func (r *Receiver) reject(c net.Conn, err error) {
	if isSyntax(err) {
		r.malformed.Add(1)
		_, _ = c.Write([]byte(refusal("400 Bad Request")))
	}
}

func (r *Receiver) count(w *wire, mac hash.Hash) {
	now := r.clock.Now()
	if n := r.posts.Add(1); n%r.every == 0 {
		r.checked.Add(1)
		if !genuine(mac, w.signature, w.body) {
			r.forged.Add(1)
		}
	}
	l := r.ledger.Load()
	err := updates(w.body,
		func(id, status []byte) { l.Status(id, status, now) },
		func(id []byte) { l.Inbound(id, now) })
	if err != nil {
		r.malformed.Add(1)
	}
}

// genuine compares X-Hub-Signature-256 with the body. Source: spec/webhooks.md section 4.1.
func genuine(mac hash.Hash, header, body []byte) bool {
	text, ok := bytes.CutPrefix(header, []byte("sha256="))
	var got, want [sha256.Size]byte
	if !ok || len(text) != hex.EncodedLen(len(got)) {
		return false
	}
	if _, err := hex.Decode(got[:], text); err != nil {
		return false
	}
	mac.Reset()
	mac.Write(body)
	return hmac.Equal(mac.Sum(want[:0]), got[:])
}

// handshake answers the verification of a callback. Source: spec/webhooks.md section 2.
func (r *Receiver) handshake(target []byte) string {
	_, query, _ := bytes.Cut(target, []byte{'?'})
	v, err := url.ParseQuery(string(query))
	if err != nil || v.Get("hub.mode") != "subscribe" || v.Get("hub.verify_token") != r.token {
		return refusal("403 Forbidden")
	}
	challenge := v.Get("hub.challenge")
	return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
		strconv.Itoa(len(challenge)) + "\r\n\r\n" + challenge
}
