package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
)

// server is a platform with one business number, as much of it as a phone needs: registration, the control API's codes,
// and the socket. It answers every text with the script.
type server struct {
	*httptest.Server
	t      *testing.T
	script func(body string) (answers []string) // plaintext members of the answers

	mu       sync.Mutex
	local    signal.Identity
	signed   signal.PrivateKey
	kem      signal.KEMPrivateKey
	device   frame.Device // the registered one
	session  *signal.Session
	seq      uint64
	box      []frame.Item
	texts    []string // received from the phone
	raw      []string // the same, whole
	blob     []byte   // encrypted file
	acts     []string // of the user
	read     []string // wamids that were read at once
	made     int      // registrations
	name     string
	pin      string
	refuse   frame.Code    // of every message
	known    bool          // there is a registered device
	other    bool          // it is not the phone's
	noInbox  bool          // the control API knows no codes
	slow     time.Duration // between the greeting and the mailbox
	received int
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, script: func(body string) []string { return []string{`"type":"text","text":{"body":"echo ` + body + `"}`} }}
	s.local = signal.Identity{Key: must(signal.GeneratePrivateKey(nil)), RegistrationID: 7}
	s.signed, s.kem = must(signal.GeneratePrivateKey(nil)), must(signal.GenerateKEMPrivateKey(nil))
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+frame.PathCodes, func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(frame.CodeAnswer{CodeID: "cd_1", ExpiresIn: 600, RetryAfter: 60})
	})
	mux.HandleFunc("POST "+frame.PathDevices, s.register)
	mux.HandleFunc("GET /control/v1/codes", s.codes)
	mux.HandleFunc("GET "+frame.PathSocket, s.socket)
	mux.HandleFunc("POST "+frame.PathBlobs, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.blob = must(io.ReadAll(r.Body))
		fmt.Fprint(w, `{"id":"bl_1"}`)
	})
	mux.HandleFunc("GET "+frame.PathBlobs+"/bl_1", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer tok" {
			t.Errorf("authorized as %q", r.Header.Get("Authorization"))
		}
		w.Write(s.blob)
	})
	mux.HandleFunc("POST "+frame.PathFlows, s.serveParty)
	mux.HandleFunc("POST "+frame.PathFlowSteps, s.serveParty)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (s *server) codes(w http.ResponseWriter, r *http.Request) {
	if s.noInbox {
		http.Error(w, `{"error":"codes are not caught here"}`, http.StatusNotFound)
		return
	}
	if r.URL.Query().Get("phone") != "+"+me {
		s.t.Errorf("asked for the code of %q", r.URL.Query().Get("phone"))
	}
	fmt.Fprint(w, `{"data":[{"code":"111111","method":"sms","at":"2026-01-15T11:00:00Z"},
		{"code":"482913","method":"sms","at":"2026-01-15T12:00:00Z"}]}`)
}

func (s *server) register(w http.ResponseWriter, r *http.Request) {
	var g frame.Registration
	if err := json.NewDecoder(r.Body).Decode(&g); err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	refuse := func(code frame.Code, left int) {
		w.WriteHeader(code.Status())
		json.NewEncoder(w).Encode(frame.Error{Code: code, Left: &left})
	}
	switch {
	case g.Code != "482913":
		refuse(frame.ErrCodeWrong, 4)
		return
	case s.pin != "" && g.PIN == nil:
		refuse(frame.ErrPINRequired, 5)
		return
	case s.pin != "" && *g.PIN != s.pin:
		refuse(frame.ErrPINWrong, 4)
		return
	}
	if e := g.Device.Check(); e != nil {
		s.t.Error(e)
	}
	s.device, s.name, s.session, s.known = g.Device, g.Name, nil, true
	s.other = false
	s.made++
	json.NewEncoder(w).Encode(frame.Registered{UserID: "u_1", WaID: me, Device: 1, LastSeq: s.seq})
}

func (s *server) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{frame.Subprotocol}})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx := r.Context()
	s.write(ctx, conn, &frame.Hello{V: 1, Nonce: make([]byte, frame.NonceSize), Host: r.Host})
	if _, ok := s.next(ctx, conn).(*frame.Auth); !ok {
		return
	}
	s.mu.Lock()
	known, other := s.known, s.other
	items, slow := s.box, s.slow
	s.mu.Unlock()
	if other {
		conn.Close(websocket.StatusCode(frame.CloseAuth), "authentication failed")
		return
	}
	if !known {
		conn.Close(websocket.StatusCode(frame.CloseRemoved), "no such device")
		return
	}
	s.write(ctx, conn, &frame.Welcome{Token: "tok", OneTimeLeft: 50, Pending: len(items), Limits: frame.DefaultLimits()})
	if len(items) > 0 {
		if slow > 0 {
			<-time.After(slow)
		}
		s.write(ctx, conn, &frame.Deliver{Items: items})
	}
	for f := s.next(ctx, conn); f != nil; f = s.next(ctx, conn) {
		for _, a := range s.handle(f) {
			s.write(ctx, conn, a)
		}
	}
}

func (s *server) next(ctx context.Context, conn *websocket.Conn) frame.Frame {
	_, data, err := conn.Read(ctx)
	if err != nil {
		return nil
	}
	f, err := frame.FromDevice(data)
	if err != nil {
		s.t.Errorf("%s: %v", data, err)
	}
	return f
}

func (s *server) write(ctx context.Context, conn *websocket.Conn, f frame.Frame) {
	_ = conn.Write(ctx, websocket.MessageText, must(frame.Encode(f)))
}

func (s *server) handle(f frame.Frame) []frame.Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch f := f.(type) {
	case *frame.Ack:
		s.read = append(s.read, f.Read...)
		for len(s.box) > 0 && s.box[0].Seq <= f.Seq {
			s.box = s.box[1:]
		}
	case *frame.Receipt:
		s.read = append(s.read, f.IDs...)
	case *frame.BundleRequest:
		if f.Of != market {
			return []frame.Frame{frame.Refuse(frame.ErrNotFound, "no such number").To(f.R)}
		}
		return []frame.Frame{s.bundle(f.R)}
	case *frame.PreKeys:
		left := 50
		return []frame.Frame{&frame.OK{R: f.R, OneTimeLeft: &left}}
	case *frame.Act:
		s.acts = append(s.acts, string(f.Do)+" "+f.Of)
		return []frame.Frame{&frame.OK{R: f.R}}
	case *frame.Profile:
		s.name = *f.Name
		return []frame.Frame{&frame.OK{R: f.R}}
	case *frame.Find:
		return []frame.Frame{&frame.OK{R: f.R, Found: []frame.Business{{
			WaID: market, Name: "Jasper's Market", Verified: true, About: "Fruit\x1b and more", Email: "desk@market.example",
			Websites: []string{"https://a.example", "https://b.example"},
		}}}}
	case *frame.Send:
		return s.take(f)
	}
	return nil
}

func (s *server) take(f *frame.Send) []frame.Frame {
	if s.refuse != "" {
		return []frame.Frame{frame.Refuse(s.refuse, "").To(f.R)}
	}
	plain, next, _, err := signal.Receive(nil, signal.Suite{}, s.local, s, s.session, signal.Kind(f.K), f.Ct)
	if err != nil {
		s.t.Error(err)
		return nil
	}
	s.session = next
	var m struct {
		Text struct{ Body string }
	}
	if err := json.Unmarshal([]byte(strings.TrimRight(string(plain), "\x00")[:bytes.LastIndexByte(plain, 0x80)]), &m); err != nil {
		s.t.Error(err)
	}
	s.texts = append(s.texts, m.Text.Body)
	s.raw = append(s.raw, string(plain[:bytes.LastIndexByte(plain, 0x80)]))
	s.received++
	out := []frame.Frame{&frame.Sent{R: f.R, ID: f.ID, Wamid: fmt.Sprintf("wamid.out%d", s.received), TS: noon.Unix()}}
	for _, a := range s.script(m.Text.Body) {
		out = append(out, &frame.Deliver{Items: []frame.Item{s.item(a)}})
	}
	s.seq++
	read := frame.Event{Kind: frame.EventRead, IDs: []string{fmt.Sprintf("wamid.out%d", s.received)}}
	return append(out, &frame.Deliver{Items: []frame.Item{{Seq: s.seq, From: market, K: frame.KindEvent, Ev: &read}}})
}

// item encrypts a message for the phone in the session that the phone began, or a new one.
func (s *server) item(members string) frame.Item {
	if !s.session.Ready() {
		pub := func(b []byte) signal.PublicKey { return must(signal.ParsePublicKey(b)) }
		s.session = must(signal.Initiate(nil, signal.Suite{}, s.local, &signal.Bundle{
			IdentityKey: pub(s.device.IdentityKey), RegistrationID: s.device.RegistrationID,
			SignedPreKey: signal.SignedPreKey{
				ID: s.device.SignedPreKey.ID, Key: pub(s.device.SignedPreKey.Key), Sig: s.device.SignedPreKey.Sig,
			},
			KEMPreKey: signal.KEMPreKey{ID: s.device.KEMPreKey.ID, Key: s.device.KEMPreKey.Key, Sig: s.device.KEMPreKey.Sig},
		}))
	}
	s.seq++
	id := fmt.Sprintf("wamid.in%d", s.seq)
	plain := fmt.Appendf(nil, `{"v":1,"id":%q,"ts":%d,%s}`, id, noon.Unix(), members)
	plain = append(plain, 0x80)
	for len(plain)%64 != 0 {
		plain = append(plain, 0)
	}
	kind, wire, err := s.session.Encrypt(nil, plain)
	if err != nil {
		s.t.Error(err)
	}
	return frame.Item{Seq: s.seq, ID: id, From: market, K: frame.Kind(kind), Ct: wire, TS: noon.Unix()}
}

func (s *server) bundle(r uint64) *frame.Bundle {
	signed, kem := s.signed.Public().Bytes(), s.kem.Public()
	a, b := s.local.Key.Sign(nil, signed), s.local.Key.Sign(nil, kem)
	return &frame.Bundle{
		R: r, Of: market, IdentityKey: s.local.Key.Public().Bytes(), RegistrationID: 7,
		SignedPreKey: frame.SignedKey{ID: 1, Key: signed, Sig: a[:]}, KEMPreKey: &frame.SignedKey{ID: 1, Key: kem, Sig: b[:]},
	}
}

// The keys of the business, as signal.PreKeyStore.

func (s *server) SignedPreKey(id uint32) (signal.PrivateKey, bool)    { return s.signed, id == 1 }
func (s *server) KEMPreKey(id uint32) (signal.KEMPrivateKey, bool)    { return s.kem, id == 1 }
func (s *server) OneTimePreKey(uint32) (k signal.PrivateKey, ok bool) { return k, false }

var _ signal.PreKeyStore = (*server)(nil)

var errNobody = errors.New("nobody is there")
