package network_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/network/networktest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const device = "15550142233.1"

// server is a world behind a real port, with one user.
func server(t *testing.T) (*world, string) {
	t.Helper()
	w := newWorld(nil)
	srv := httptest.NewServer(network.Handler(w.hub, nil))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { w.stop(t) })
	w.user(t, "15550142233")
	return w, "ws" + strings.TrimPrefix(srv.URL, "http") + frame.PathSocket
}

// script is a device that does what its test says.
type script struct {
	t     *testing.T
	ctx   context.Context
	conn  *websocket.Conn
	hello *frame.Hello
}

// dial connects and reads Hello.
func dial(t *testing.T, url string) *script {
	t.Helper()
	ctx := deadline(t)
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{frame.Subprotocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	conn.SetReadLimit(frame.MaxFrame)
	s := &script{t: t, ctx: ctx, conn: conn}
	s.hello = expect[*frame.Hello](s)
	return s
}

// login dials and authenticates.
func login(t *testing.T, url string, last uint64) (*script, *frame.Welcome) {
	t.Helper()
	s := dial(t, url)
	s.send(sharedKeys().Prove(s.hello, device, last))
	return s, expect[*frame.Welcome](s)
}

func (s *script) send(f frame.Frame) {
	s.t.Helper()
	data, err := frame.Encode(f)
	if err != nil {
		s.t.Fatal(err)
	}
	s.raw(string(data))
}

func (s *script) raw(text string) {
	s.t.Helper()
	if err := s.conn.Write(s.ctx, websocket.MessageText, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

func expect[F frame.Frame](s *script) F {
	s.t.Helper()
	var zero F
	_, data, err := s.conn.Read(s.ctx)
	if err != nil {
		s.t.Fatalf("waiting for %T: %v", zero, err)
	}
	f, err := frame.FromServer(data)
	if err != nil {
		s.t.Fatalf("%v: %s", err, data)
	}
	got, ok := f.(F)
	if !ok {
		s.t.Fatalf("got %s, want %T", data, zero)
	}
	return got
}

// closed waits for the end and checks its code.
func (s *script) closed(want frame.CloseCode) {
	s.t.Helper()
	for {
		if _, _, err := s.conn.Read(s.ctx); err != nil {
			if got := websocket.CloseStatus(err); got != websocket.StatusCode(want) {
				s.t.Errorf("closed with %d (%v), want %d", got, err, want)
			}
			return
		}
	}
}

func TestSocketConversation(t *testing.T) {
	t.Parallel()
	w, url := server(t)
	w.box.Put([]*network.Item{item(device, w.reserve(t, device))})
	s, welcome := login(t, url, 0)
	if welcome.Pending != 1 || welcome.OneTimeLeft != 12 || welcome.Limits != frame.DefaultLimits() {
		t.Errorf("welcome %+v", welcome)
	}
	got := expect[*frame.Deliver](s).Items
	if len(got) != 1 || got[0].From != business || got[0].ID != "wamid.1" || string(got[0].Ct) != "ciphertext" || got[0].TS != start.Unix() {
		t.Errorf("items %+v", got)
	}
	s.send(&frame.Ack{Seq: 1, Read: []string{"wamid.1"}})
	h := w.lanes.Until(s.ctx, func(h networktest.Heard) bool { return len(h.Acks) > 0 })
	if len(h.Acks) != 1 || !h.Acks[0].Read || h.Acks[0].Number != number || h.Acks[0].At != start.UnixMilli() {
		t.Errorf("acks %+v", h.Acks)
	}
	s.send(&frame.Receipt{State: frame.StatePlayed, IDs: []string{"wamid.1"}, TS: start.Unix() - 60})
	h = w.lanes.Until(s.ctx, func(h networktest.Heard) bool { return len(h.Receipts) > 0 })
	if len(h.Receipts) != 1 || h.Receipts[0].At != start.UnixMilli()-60_000 {
		t.Errorf("receipts %+v", h.Receipts)
	}
	s.send(&frame.Send{R: 7, ID: "0K9c4QmVfE2uHcA7", To: business, K: frame.KindMessage, Ct: []byte("x"), TS: start.Unix()})
	if a := expect[*frame.Sent](s); a.R != 7 || a.ID != "0K9c4QmVfE2uHcA7" || a.Wamid != "wamid.0K9c4QmVfE2uHcA7" || a.TS != start.Unix() {
		t.Errorf("sent %+v", a)
	}
	w.hub.Event("15550142233", business, &frame.Event{Kind: frame.EventTyping, For: 25})
	if ev := expect[*frame.Deliver](s).Items[0]; ev.Seq != 0 || ev.K != frame.KindEvent || ev.Ev.Kind != frame.EventTyping {
		t.Errorf("event %+v", ev)
	}
	if !w.hub.Online("15550142233") || w.hub.Online("15550142234") {
		t.Error("presence is wrong")
	}
}

func TestSocketRequests(t *testing.T) {
	t.Parallel()
	w, url := server(t)
	w.lanes.OnBundle = func(of wa.WaID, d wa.DeviceID) (*frame.Bundle, error) {
		return &frame.Bundle{IdentityKey: []byte(d), RegistrationID: 3}, nil
	}
	s, _ := login(t, url, 0)
	s.send(&frame.BundleRequest{R: 1, Of: business})
	if b := expect[*frame.Bundle](s); b.R != 1 || b.Of != business || string(b.IdentityKey) != device {
		t.Errorf("bundle %+v", b)
	}
	s.send(&frame.Find{R: 2, Q: "Lucky Shrub"})
	if ok := expect[*frame.OK](s); ok.R != 2 || len(ok.Found) != 1 || ok.Found[0].WaID != business {
		t.Errorf("found %+v", ok)
	}
	name, off := "Ann B.", false
	s.send(&frame.Profile{R: 3, Name: &name, ReadReceipts: &off})
	expect[*frame.OK](s)
	if u, err := w.dir.Lookup(t.Context(), "15550142233"); err != nil || u.Name != name || !u.HideReads {
		t.Errorf("user %+v, %v", u, err)
	}
	s.send(&frame.Receipt{State: frame.StateRead, IDs: []string{"wamid.1"}}) // hidden
	s.send(&frame.Act{R: 4, Do: frame.DoBlock, Of: business})
	expect[*frame.OK](s)
	s.send(&frame.Act{R: 5, Do: frame.DoReport, Of: business, Reason: "spam"})
	expect[*frame.OK](s)
	h := w.lanes.Until(s.ctx, func(h networktest.Heard) bool { return len(h.Actions) == 2 })
	if len(h.Actions) != 2 || h.Actions[0].Do != frame.DoBlock || h.Actions[1].Reason != "spam" || len(h.Receipts) != 0 {
		t.Errorf("lanes heard %+v", h)
	}
	s.send(&frame.PreKeys{R: 6, OneTime: []frame.OneTimeKey{{ID: 90, Key: sharedKeys().OneTime[0].Public().Bytes()}}})
	if ok := expect[*frame.OK](s); ok.R != 6 || ok.OneTimeLeft == nil || *ok.OneTimeLeft != 13 {
		t.Errorf("after upload %+v", ok)
	}
}

func TestSocketRefusals(t *testing.T) {
	t.Parallel()
	w, url := server(t)
	w.lanes.OnReceive = func(in *network.Inbound) { in.Refuse(frame.Refuse(frame.ErrBlocked, "no")) }
	s, _ := login(t, url, 0)
	for _, tc := range []struct {
		send string
		want frame.Code
		r    uint64
	}{
		{`{"t":"dance","r":4}`, frame.ErrUnsupported, 4},
		{`{"t":"send","r":5,"id":"x","to":"1","k":"msg","ct":"AA=="}`, frame.ErrFormat, 5},
		{`{"t":"send","r":6,"id":"0K9c4QmVfE2uHcA7","to":"4915550100","k":"msg","ct":"AA=="}`, frame.ErrNotFound, 6},
		{`{"t":"send","r":7,"id":"0K9c4QmVfE2uHcA7","to":"15550783881","k":"msg","ct":"AA=="}`, frame.ErrBlocked, 7},
		{`{"t":"bundle","r":8,"of":"4915550100"}`, frame.ErrNotFound, 8},
		{`{"t":"act","r":9,"do":"link"}`, frame.ErrUnsupported, 9},
		{`{"t":"act","r":10,"do":"block","of":"4915550100"}`, frame.ErrNotFound, 10},
		{`{"t":"retry","seq":3,"id":"wamid.3","reason":"bad_mac"}`, frame.ErrNotFound, 0},
		{`{"t":"auth","device":"15550142233.1","sig":"` + strings.Repeat("A", 86) + `=="}`, frame.ErrUnsupported, 0},
	} {
		s.raw(tc.send)
		if e := expect[*frame.Error](s); e.Code != tc.want || e.R != tc.r {
			t.Errorf("%s: %+v, want %s", tc.send, e, tc.want)
		}
	}
	for i := range 60 {
		s.send(&frame.Send{R: uint64(i), ID: fmt.Sprintf("0K9c4QmVfE2uHc%02d", i), To: business, K: frame.KindMessage, Ct: []byte("x")})
	}
	rated := 0
	for range 60 {
		if e := expect[*frame.Error](s); e.Code == frame.ErrRate && e.After > 0 {
			rated++
		}
	}
	if rated != 2 { // two of the burst were used above
		t.Errorf("%d of 60 sends were too many, want 2", rated)
	}
}

func TestSocketCloses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		want frame.CloseCode
		do   func(*testing.T, *world, string) *script
	}{
		{"text that is no JSON", frame.CloseMalformed, func(t *testing.T, _ *world, url string) *script {
			s, _ := login(t, url, 0)
			s.raw("hello")
			return s
		}},
		{"binary message", frame.CloseMalformed, func(t *testing.T, _ *world, url string) *script {
			s, _ := login(t, url, 0)
			_ = s.conn.Write(s.ctx, websocket.MessageBinary, []byte(`{"t":"ack","seq":0}`))
			return s
		}},
		{"first frame is no auth", frame.CloseMalformed, func(t *testing.T, _ *world, url string) *script {
			s := dial(t, url)
			s.send(&frame.Ack{})
			return s
		}},
		{"signature for another host", frame.CloseAuth, func(t *testing.T, _ *world, url string) *script {
			s := dial(t, url)
			s.hello.Host = "elsewhere"
			s.send(sharedKeys().Prove(s.hello, device, 0))
			return s
		}},
		{"device that does not exist", frame.CloseRemoved, func(t *testing.T, _ *world, url string) *script {
			s := dial(t, url)
			s.send(sharedKeys().Prove(s.hello, "15550142299.1", 0))
			return s
		}},
		{"replaced", frame.CloseReplaced, func(t *testing.T, _ *world, url string) *script {
			s, _ := login(t, url, 0)
			login(t, url, 0)
			return s
		}},
		{"registered again", frame.CloseRemoved, func(t *testing.T, w *world, url string) *script {
			s, _ := login(t, url, 0)
			dev := sharedKeys().Device
			if _, err := w.dir.Register(t.Context(), "15550142233", "", &dev); err != nil {
				t.Fatal(err)
			}
			return s
		}},
		{"too many frames", frame.CloseTooMany, func(t *testing.T, _ *world, url string) *script {
			s, _ := login(t, url, 0)
			for range frame.FrameBurst + 1 {
				s.send(&frame.Ack{})
			}
			return s
		}},
		{"no auth within 10 s", frame.CloseTimeout, func(t *testing.T, w *world, url string) *script {
			s := dial(t, url)
			if err := w.wire.BlockUntil(s.ctx, 2); err != nil { // the watcher and the wait for auth
				t.Fatal(err)
			}
			w.wire.Advance(frame.AuthWithin)
			return s
		}},
		{"silence for 75 s", frame.CloseTimeout, func(t *testing.T, w *world, url string) *script {
			s, _ := login(t, url, 0)
			// The device does not read, so it answers no ping.
			for range frame.SilenceMax / network.WatchEvery {
				if err := w.wire.BlockUntil(s.ctx, 1); err != nil {
					t.Fatal(err)
				}
				w.wire.Advance(network.WatchEvery)
			}
			return s
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w, url := server(t)
			tc.do(t, w, url).closed(tc.want)
		})
	}
}

func TestPingsKeepAListenerConnected(t *testing.T) {
	t.Parallel()
	w, url := server(t)
	s, _ := login(t, url, 0)
	got := make(chan frame.Frame, 1)
	go func() {
		defer close(got)
		if _, data, err := s.conn.Read(s.ctx); err == nil {
			f, _ := frame.FromServer(data)
			got <- f
		}
	}()
	for range 10 { // five minutes
		for range frame.PingEvery / network.WatchEvery {
			if err := w.wire.BlockUntil(s.ctx, 1); err != nil {
				t.Fatal(err)
			}
			w.wire.Advance(network.WatchEvery)
		}
		if err := w.hub.HeardAgain(s.ctx); err != nil {
			t.Fatal(err)
		}
	}
	w.hub.Event("15550142233", business, &frame.Event{Kind: frame.EventTyping, For: 25})
	if f, ok := <-got; !ok {
		t.Error("the connection ended")
	} else if _, ok := f.(*frame.Deliver); !ok {
		t.Errorf("got %+v", f)
	}
}

func TestOneAddressHasFewConnections(t *testing.T) {
	t.Parallel()
	_, url := server(t)
	for range 4 {
		dial(t, url)
	}
	_, res, err := websocket.Dial(deadline(t), url, &websocket.DialOptions{Subprotocols: []string{frame.Subprotocol}})
	if err == nil || res == nil || res.StatusCode != 429 {
		t.Fatalf("fifth connection: %v", err)
	}
}

func TestShutdownSaysBye(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	srv := httptest.NewServer(network.Handler(w.hub, nil))
	defer srv.Close()
	w.user(t, "15550142233")
	w.user(t, "15550142234")
	s, _ := login(t, "ws"+strings.TrimPrefix(srv.URL, "http")+frame.PathSocket, 0)
	in := networktest.NewSink(0)
	w.attach(t, "15550142234.1", 0, in)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.stop(t)
	}()
	if bye := expect[*frame.Bye](s); bye.After < 0 || bye.After > 5000 {
		t.Errorf("bye %+v", bye)
	}
	s.closed(frame.CloseGoingAway)
	<-done
	frames, code := in.Take()
	if _, ok := frames[len(frames)-1].(*frame.Bye); !ok || code != frame.CloseGoingAway {
		t.Errorf("in-process link got %+v and %d", frames, code)
	}
}

// A device that does not read holds back its items without growing the server's queue, and gets all of them in the end.
func TestSlowReaderGetsEverything(t *testing.T) {
	t.Parallel()
	w, url := server(t)
	s, _ := login(t, url, 0)
	const n = 450
	for range n {
		it := item(device, w.reserve(t, device))
		it.Cipher = make([]byte, 20_000)
		w.box.Put([]*network.Item{it})
	}
	next := uint64(1)
	for next <= n {
		s.ctx = deadline(t) // for each frame anew: a busy machine is slow, but every frame is progress
		for _, it := range expect[*frame.Deliver](s).Items {
			if it.Seq != next {
				t.Fatalf("got %d, want %d", it.Seq, next)
			}
			next++
		}
	}
}
