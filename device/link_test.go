package device_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/internal/platformtest"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// server is the platform of the tests behind a WebSocket.
type server struct {
	t    *testing.T
	p    *platformtest.Platform
	auth ed25519.PublicKey
	http *httptest.Server
	host string // what Hello says; empty means the request's

	mu      sync.Mutex
	conn    *websocket.Conn
	accepts int
	refuse  websocket.StatusCode // closes the next connections right after Hello
}

func newServer(t *testing.T, p *platformtest.Platform) *server {
	t.Helper()
	s := &server{t: t, p: p}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != frame.PathSocket {
		http.NotFound(w, r)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{frame.Subprotocol}})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(frame.MaxFrame)
	s.mu.Lock()
	s.accepts++
	s.conn = conn
	refuse, host := s.refuse, s.host
	s.mu.Unlock()
	if host == "" {
		host = r.Host
	}
	nonce := make([]byte, frame.NonceSize)
	s.write(conn, &frame.Hello{V: 1, Nonce: nonce, Host: host})
	if refuse != 0 {
		conn.Close(refuse, "refused")
		return
	}
	for {
		_, data, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		f, err := frame.FromDevice(data)
		if err != nil {
			s.t.Errorf("device sent %.80s: %v", data, err)
			return
		}
		a, ok := f.(*frame.Auth)
		if !ok {
			for _, answer := range s.p.Handle(deviceID, f) {
				s.write(conn, answer)
			}
			continue
		}
		if !ed25519.Verify(s.auth, frame.AuthMessage(host, nonce, a.Device), a.Sig) {
			conn.Close(websocket.StatusCode(frame.CloseAuth), "signature")
			return
		}
		s.write(conn, s.p.Welcome(deviceID))
		for _, d := range s.p.Pending(deviceID, 100) {
			s.write(conn, d)
		}
	}
}

func (s *server) write(conn *websocket.Conn, f frame.Frame) {
	data, err := frame.Encode(f)
	if err == nil {
		err = conn.Write(context.Background(), websocket.MessageText, data)
	}
	if err != nil {
		s.t.Logf("write %s: %v", f.Type(), err)
	}
}

func (s *server) current() *websocket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// linked is a device on a real socket.
type linked struct {
	*rig
	s      *server
	l      *device.Link
	seen   chan device.Event
	ended  chan error
	cancel context.CancelFunc
}

func newLinked(t *testing.T, change func(s *server, o *device.LinkOptions)) *linked {
	t.Helper()
	r := newRig(t)
	s := newServer(t, r.p)
	s.auth = r.d.Describe("", frame.PlatformOther).AuthKey
	k := &linked{rig: r, s: s, seen: make(chan device.Event, 1000), ended: make(chan error, 1)}
	o := device.LinkOptions{
		Server: s.http.URL, Clock: r.clock, Events: func(e device.Event) { k.seen <- e },
		Jitter: func(n time.Duration) time.Duration { return n },
	}
	if change != nil {
		change(s, &o)
	}
	l, err := device.NewLink(r.d, o)
	if err != nil {
		t.Fatal(err)
	}
	k.l = l
	ctx, cancel := context.WithCancel(t.Context())
	k.cancel = cancel
	go func() { k.ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		s.http.CloseClientConnections()
	})
	return k
}

// until waits for an event of a kind.
func (k *linked) until(kind device.EventKind) device.Event {
	k.t.Helper()
	for {
		select {
		case e := <-k.seen:
			if e.Kind == kind {
				return e
			}
		case err := <-k.ended:
			k.t.Fatalf("the link ended: %v", err)
		case <-k.t.Context().Done():
			k.t.Fatal("no such event")
		}
	}
}

// back ends the pauses until the link has come back.
func (k *linked) back() {
	k.t.Helper()
	for {
		select {
		case e := <-k.seen:
			if e.Kind == device.EventConnected {
				return
			}
		case err := <-k.ended:
			k.t.Fatalf("the link ended: %v", err)
		default:
			k.l.Wake()
		}
	}
}

func TestLinkTalks(t *testing.T) {
	t.Parallel()
	k := newLinked(t, nil)
	k.until(device.EventConnected)
	k.p.Text(deviceID, "over the wire")
	k.s.write(k.s.current(), k.p.Pending(deviceID, 100)[0])
	e := k.until(device.EventMessage)
	equal(t, "text", e.Message.Text(), "over the wire")
	if _, err := k.l.Send(business, []byte(`{"type":"text","text":{"body":"and back"}}`)); err != nil {
		t.Fatal(err)
	}
	for e = k.until(device.EventChanged); e.Message.Status != device.Sent; e = k.until(device.EventChanged) {
	}
	equal(t, "arrived", strings.Join(k.inbox(), ""), "and back")

	// The connection breaks; what is written meanwhile goes out on the next one.
	k.s.current().CloseNow()
	k.until(device.EventOffline)
	if _, err := k.l.Send(business, []byte(`{"type":"text","text":{"body":"later"}}`)); err != nil {
		t.Fatal(err)
	}
	k.back()
	for e = k.until(device.EventChanged); e.Message.Status != device.Sent; e = k.until(device.EventChanged) {
	}
	equal(t, "arrived", strings.Join(k.inbox(), " "), "and back later")
	k.cancel()
	if err := <-k.ended; err != nil {
		t.Errorf("asked to stop: %v", err)
	}
}

func TestLinkEnds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		close frame.CloseCode
		host  string
		want  error
		gone  bool
	}{
		"replaced":     {close: frame.CloseReplaced, want: device.ErrReplaced},
		"removed":      {close: frame.CloseRemoved, want: device.ErrGone, gone: true},
		"another host": {host: "evil.example", want: device.ErrHost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newLinked(t, func(s *server, _ *device.LinkOptions) {
				s.refuse, s.host = websocket.StatusCode(tc.close), tc.host
			})
			if err := <-k.ended; !errors.Is(err, tc.want) {
				t.Errorf("ended with %v", err)
			}
			k.l.Look(func(d *device.Device) { equal(t, "gone", d.Gone(), tc.gone) })
			k.reopen()
			equal(t, "stored as gone", k.d.Gone(), tc.gone)
		})
	}
}

func TestLinkBacksOff(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var bounds []time.Duration
	var l *device.Link
	reached := make(chan struct{})
	k := newLinked(t, func(s *server, o *device.LinkOptions) {
		s.refuse = websocket.StatusCode(frame.CloseTooMany)
		o.Jitter = func(n time.Duration) time.Duration {
			mu.Lock()
			defer mu.Unlock()
			if bounds = append(bounds, n); len(bounds) == 10 {
				close(reached)
			}
			return 0
		}
	})
	l = k.l
	<-reached
	k.cancel()
	<-k.ended
	mu.Lock()
	defer mu.Unlock()
	for i, want := range []string{"500ms", "1s", "2s", "4s", "8s", "16s", "32s", "1m0s", "1m0s", "1m0s"} {
		equal(t, "bound", bounds[i].String(), want)
	}
	l.Wake() // harmless when nothing rests
}

func TestLinkWakesAndWaitsForBye(t *testing.T) {
	t.Parallel()
	k := newLinked(t, nil)
	k.until(device.EventConnected)
	k.s.write(k.s.current(), &frame.Bye{Reason: "restart", After: 3_600_000})
	k.s.current().Close(websocket.StatusGoingAway, "")
	k.until(device.EventOffline)
	k.back() // the network has come back: nobody waits the hour
}

func TestLinkEndsSilence(t *testing.T) {
	t.Parallel()
	k := newLinked(t, nil)
	k.until(device.EventConnected)
	var e device.Event
	for e.Kind != device.EventOffline {
		k.clock.advance(10 * time.Second)
		select {
		case e = <-k.seen:
		default:
		}
	}
	if e.Err == nil || !strings.Contains(e.Err.Error(), "silent") {
		t.Errorf("ended with %v", e.Err)
	}
}

func TestLinkReloadsAfterFailedStep(t *testing.T) {
	t.Parallel()
	k := newLinked(t, nil)
	k.until(device.EventConnected)
	k.l.Look(func(*device.Device) { k.store.failing = true })
	_, err := k.l.Send(business, []byte(`{"type":"text","text":{"body":"not stored"}}`))
	if !errors.Is(err, device.ErrBroken) {
		t.Fatalf("send: %v", err)
	}
	k.l.Look(func(*device.Device) { k.store.failing = false })
	k.back()
	if _, err := k.l.Send(business, []byte(`{"type":"text","text":{"body":"stored"}}`)); err != nil {
		t.Fatal(err)
	}
	for e := k.until(device.EventChanged); e.Message.Status != device.Sent; e = k.until(device.EventChanged) {
	}
	equal(t, "arrived", strings.Join(k.inbox(), " "), "stored")
}
