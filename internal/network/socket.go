package network

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	// deliversWaiting is how many Deliver frames may wait in a socket. Items behind them are gathered into fuller frames.
	deliversWaiting = 4
	// watchEvery is how often silence is measured: in steps, so that a clock that jumps does not cut connections.
	watchEvery = 5 * time.Second
	silentMost = int32(frame.SilenceMax / watchEvery)
	pingSteps  = int32(frame.PingEvery / watchEvery)
)

var frameRate = rate{every: time.Second / frame.FrameRate, burst: frame.FrameBurst}

// Errors of closing are dropped everywhere below: the connection is over either way.

// socket is the sink of a WebSocket connection. One goroutine reads, one writes.
type socket struct {
	conn   *websocket.Conn
	silent atomic.Int32 // watch steps since the device was heard
	steps  atomic.Int32 // watch steps in all

	mu       sync.Mutex
	queue    []frame.Frame
	delivers int // of them
	stalled  bool
	wake     chan struct{} // something to do for the writer
	code     frame.CloseCode
	reason   string
	closing  bool
	dying    int // watch steps since closing
}

// Push implements Sink.
func (s *socket) Push(f frame.Frame) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, items := f.(*frame.Deliver)
	switch {
	case s.closing:
		return true // nobody will read it
	case items && s.delivers >= deliversWaiting:
		s.stalled = s.stalled || d.Items[0].Seq != 0
		return false
	case len(s.queue) >= frame.QueuedFrames:
		return false
	}
	if items {
		s.delivers++
	}
	s.queue = append(s.queue, f)
	s.signal()
	return true
}

// Close implements Sink.
func (s *socket) Close(code frame.CloseCode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.closing, s.code, s.reason = true, code, reason
		s.signal()
	}
}

func (s *socket) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write is the writer: it ends when the connection does. resume is called when there is room for items again.
func (s *socket) write(ctx context.Context, resume func()) {
	var buf []byte
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		for {
			s.mu.Lock()
			batch, stalled := s.queue, s.stalled
			closing, code, reason := s.closing, s.code, s.reason
			s.queue, s.delivers, s.stalled = nil, 0, false
			s.mu.Unlock()
			if len(batch) == 0 && !stalled {
				if closing {
					_ = s.conn.Close(websocket.StatusCode(code), reason)
					return
				}
				break
			}
			for _, f := range batch {
				var err error
				if buf, err = frame.AppendJSON(buf[:0], f); err == nil {
					err = s.conn.Write(ctx, websocket.MessageText, buf)
				}
				if err != nil {
					_ = s.conn.CloseNow()
					return
				}
			}
			if stalled {
				resume()
			}
		}
		if cap(buf) > 4096 { // idle connections should not hold a large one
			buf = nil
		}
	}
}

// ServeHTTP serves the socket: GET /network/v1/socket.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	addr := h.cfg.Address(r)
	if e := h.enter(addr); e != nil {
		refuse(w, e)
		return
	}
	defer h.leave(addr)
	s := &socket{wake: make(chan struct{}, 1)}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{frame.Subprotocol}, OriginPatterns: h.cfg.Origins, CompressionMode: websocket.CompressionDisabled,
		OnPongReceived: func(context.Context, []byte) { s.silent.Store(0) },
		OnPingReceived: func(context.Context, []byte) bool { s.silent.Store(0); return true },
	})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }() // nobody is left to tell
	if conn.Subprotocol() != frame.Subprotocol {
		_ = conn.Close(websocket.StatusCode(frame.CloseMalformed), "subprotocol "+frame.Subprotocol+" expected")
		return
	}
	conn.SetReadLimit(frame.MaxFrame)
	s.conn = conn
	host := h.cfg.Host
	if host == "" {
		host = r.Host
	}
	h.serve(r.Context(), s, host)
}

// serve runs a connection to its end, which comes at the latest with the hub's.
func (h *Hub) serve(ctx context.Context, s *socket, host string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.ctx, cancel)() //nolint:contextcheck // the hub ends connections that their requests would not
	u, dev, lastSeq := h.authenticate(ctx, s, host)
	if dev == nil {
		return
	}
	l, err := h.attach(ctx, u, dev, lastSeq, s)
	if err != nil {
		h.refuseDevice(s, err)
		return
	}
	h.watched(s, true)
	defer h.watched(s, false)
	var writer sync.WaitGroup
	writer.Go(func() {
		s.write(ctx, l.Resume)
		l.Close()
	})
	h.read(ctx, s, l)
	l.Close()
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	if !closing { // the device left: nothing to flush
		cancel()
	}
	writer.Wait()
}

// read takes the device's frames until the connection ends.
func (h *Hub) read(ctx context.Context, s *socket, l *Link) {
	var paid int64
	for {
		typ, data, err := s.conn.Read(ctx)
		if err != nil {
			if errors.Is(err, websocket.ErrMessageTooBig) {
				l.drop(frame.CloseMalformed, "frame too large")
			}
			return
		}
		s.silent.Store(0)
		if frameRate.take(&paid, h.cfg.Wire.Now().UnixNano()) > 0 {
			l.drop(frame.CloseTooMany, "too many frames")
			return
		}
		f, err := frame.FromDevice(data)
		switch e, refused := errors.AsType[*frame.Error](err); {
		case typ != websocket.MessageText || errors.Is(err, frame.ErrMalformed):
			l.drop(frame.CloseMalformed, "malformed frame")
			return
		case refused:
			l.push(e)
		default:
			l.Send(ctx, f)
		}
	}
}

// authenticate says Hello and waits for a valid Auth. It returns the device as it was when it proved itself; nil when the
// connection is closed.
func (h *Hub) authenticate(ctx context.Context, s *socket, host string) (u *User, dev *Device, lastSeq uint64) {
	nonce := make([]byte, frame.NonceSize)
	if _, err := io.ReadFull(h.cfg.Rand, nonce); err != nil {
		h.log.Error("no nonce for a connection", "err", err)
		return nil, nil, 0
	}
	hello, err := frame.Encode(&frame.Hello{V: frame.Version, Nonce: nonce, Time: h.cfg.Clock.Now().Unix(), Host: host})
	if err != nil || s.conn.Write(ctx, websocket.MessageText, hello) != nil {
		return nil, nil, 0
	}
	typ, data, ok := h.readWithin(ctx, s, frame.AuthWithin)
	if !ok {
		return nil, nil, 0
	}
	f, err := frame.FromDevice(data)
	auth, ok := f.(*frame.Auth)
	if err != nil || !ok || typ != websocket.MessageText {
		_ = s.conn.Close(websocket.StatusCode(frame.CloseMalformed), "auth expected")
		return nil, nil, 0
	}
	u, dev, err = h.dir.device(ctx, wa.DeviceID(auth.Device))
	if err != nil {
		h.refuseDevice(s, err)
		return nil, nil, 0
	}
	if !ed25519.Verify(dev.AuthKey, frame.AuthMessage(host, nonce, auth.Device), auth.Sig) {
		_ = s.conn.Close(websocket.StatusCode(frame.CloseAuth), "authentication failed")
		return nil, nil, 0
	}
	return u, dev, auth.LastSeq
}

// readWithin reads one message; not ok when none came in time, and then the connection is closed.
func (h *Hub) readWithin(ctx context.Context, s *socket, d time.Duration) (typ websocket.MessageType, data []byte, ok bool) {
	var err error
	done := make(chan struct{})
	go func() { // ends with the connection
		defer close(done)
		typ, data, err = s.conn.Read(ctx)
	}()
	timer := h.cfg.Wire.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return typ, data, err == nil
	case <-timer.C():
		_ = s.conn.Close(websocket.StatusCode(frame.CloseTimeout), "no auth in time")
		<-done
		return 0, nil, false
	}
}

// refuseDevice closes a connection whose device cannot be served.
func (h *Hub) refuseDevice(s *socket, err error) {
	switch {
	case errors.Is(err, ErrNoDevice):
		_ = s.conn.Close(websocket.StatusCode(frame.CloseRemoved), "no such device")
	case errors.Is(err, ErrStopping):
		_ = s.conn.Close(websocket.StatusGoingAway, "restart")
	default:
		h.log.Error("device cannot be connected", "err", err)
		_ = s.conn.Close(websocket.StatusTryAgainLater, "try again")
	}
}

// enter counts a connection of an address, or says why not. leave undoes it.
func (h *Hub) enter(addr string) *frame.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.stops.Load():
		return frame.Refuse(frame.ErrBusy, "the server stops")
	case h.peers[addr] >= h.cfg.PerAddress:
		return frame.Refuse(frame.ErrRate, "too many connections from this address")
	}
	h.peers[addr]++
	h.sockets.Add(1)
	return nil
}

func (h *Hub) leave(addr string) {
	defer h.sockets.Done()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.peers[addr]--; h.peers[addr] <= 0 {
		delete(h.peers, addr)
	}
}

func (h *Hub) watched(s *socket, on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if on {
		h.open[s] = struct{}{}
	} else {
		delete(h.open, s)
	}
}

// watch pings sockets and ends silent ones until the hub ends.
func (h *Hub) watch() {
	for h.cfg.Wire.Sleep(h.ctx, watchEvery) == nil {
		h.mu.Lock()
		list := make([]*socket, 0, len(h.open))
		for s := range h.open {
			list = append(list, s)
		}
		h.mu.Unlock()
		for _, s := range list {
			h.look(s)
		}
	}
}

// look takes one watch step for a socket.
func (h *Hub) look(s *socket) {
	switch silent := s.silent.Add(1); {
	case s.stuck():
		_ = s.conn.CloseNow()
	case silent >= silentMost:
		s.Close(frame.CloseTimeout, "silence")
	case s.steps.Add(1)%pingSteps == 0:
		h.running.Go(func() {
			ctx, cancel := context.WithTimeout(h.ctx, frame.SilenceMax)
			defer cancel()
			_ = s.conn.Ping(ctx) // the pong callback notes the answer; silence ends the connection
		})
	}
}

// stuck reports whether the connection should have been closed two steps ago: the peer takes nothing any more.
func (s *socket) stuck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		s.dying++
	}
	return s.dying > 2
}
