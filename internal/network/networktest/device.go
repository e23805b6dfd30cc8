package networktest

import (
	"crypto/ed25519"
	"crypto/rand"
	"sync"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
)

// Keys is a device's public description and the private keys behind it.
type Keys struct {
	Device   frame.Device
	Identity signal.PrivateKey
	Auth     ed25519.PrivateKey
	Signed   signal.PrivateKey
	KEM      signal.KEMPrivateKey
	OneTime  []signal.PrivateKey // with ids from 1
}

// NewKeys draws keys with n one-time prekeys.
func NewKeys(n int) *Keys {
	k := &Keys{Identity: private(), Signed: private()}
	var pub ed25519.PublicKey
	var err error
	if pub, k.Auth, err = ed25519.GenerateKey(rand.Reader); err != nil {
		panic(err)
	}
	if k.KEM, err = signal.GenerateKEMPrivateKey(rand.Reader); err != nil {
		panic(err)
	}
	k.Device = frame.Device{
		Name: "test", Platform: frame.PlatformOther, IdentityKey: k.Identity.Public().Bytes(), AuthKey: pub, RegistrationID: 77,
		SignedPreKey: k.Sign(1, k.Signed.Public().Bytes()), KEMPreKey: k.Sign(2, k.KEM.Public()),
	}
	for i := range n {
		one := private()
		k.OneTime = append(k.OneTime, one)
		k.Device.OneTime = append(k.Device.OneTime, frame.OneTimeKey{ID: uint32(i + 1), Key: one.Public().Bytes()})
	}
	return k
}

// Sign makes a signed prekey of a public key.
func (k *Keys) Sign(id uint32, key []byte) frame.SignedKey {
	sig := k.Identity.Sign(rand.Reader, key)
	return frame.SignedKey{ID: id, Key: key, Sig: sig[:]}
}

// Prove answers a Hello for the device.
func (k *Keys) Prove(h *frame.Hello, device string, lastSeq uint64) *frame.Auth {
	return &frame.Auth{
		Device: device, Sig: ed25519.Sign(k.Auth, frame.AuthMessage(h.Host, h.Nonce, device)), LastSeq: lastSeq, Client: "networktest",
	}
}

func private() signal.PrivateKey {
	k, err := signal.GeneratePrivateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

// Sink collects the frames of an in-process link.
type Sink struct {
	mu     sync.Mutex
	frames []frame.Frame
	wake   chan struct{}
	room   int
	code   frame.CloseCode
}

// NewSink makes a sink with room for that many frames; 0 means no bound.
func NewSink(room int) *Sink { return &Sink{wake: make(chan struct{}, 1), room: room} }

// Push implements network.Sink.
func (s *Sink) Push(f frame.Frame) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room > 0 && len(s.frames) >= s.room {
		return false
	}
	s.frames = append(s.frames, f)
	s.signal()
	return true
}

// Close implements network.Sink.
func (s *Sink) Close(code frame.CloseCode, _ string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = code
	s.signal()
}

func (s *Sink) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Take returns what came since the last call and the close code, 0 while the link is open.
func (s *Sink) Take() ([]frame.Frame, frame.CloseCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.frames
	s.frames = nil
	return list, s.code
}

// Wake fires when something may have come.
func (s *Sink) Wake() <-chan struct{} { return s.wake }
