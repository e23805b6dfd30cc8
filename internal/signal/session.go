package signal

import (
	"fmt"
	"io"
)

// Kind says which of the two layouts a message has. The values are those of the frames' field "k".
type Kind string

// The kinds of messages.
const (
	Pre Kind = "pre" // first message: carries the key agreement
	Msg Kind = "msg" // message of a session the receiver holds
)

// Session is what one side knows about one (local identity, remote device) pair: the current ratchet state and up to
// four archived ones. The zero value holds none; [Initiate], [Receive] and [ParseSession] make useful ones. It is not
// safe for concurrent use.
type Session struct {
	cur *state
	old []*state // most recently current first
}

// String hides the secrets from logs.
func (s *Session) String() string { return "signal.Session(hidden)" }

// Encrypt encrypts plaintext in the current state, which it advances. Make the session durable before the result leaves
// the process: restoring an older form would use a message key twice. The first message after an answer reads 32 bytes
// from r (nil means [rand.Reader]) and takes about 100 µs, others about 5 µs. The ciphertext is 1 to 16 bytes longer
// than the plaintext; its length is otherwise not hidden. Errors: [ErrNoSession], [ErrExhausted], those of r.
func (s *Session) Encrypt(r io.Reader, plaintext []byte) (kind Kind, wire []byte, err error) {
	if s == nil || s.cur == nil {
		return "", nil, fmt.Errorf("encrypt: %w", ErrNoSession)
	}
	kind = Msg
	if s.cur.first != nil {
		kind = Pre
	}
	wire, err = s.cur.seal(r, plaintext)
	if err != nil {
		return "", nil, fmt.Errorf("encrypt: %w", err)
	}
	return kind, wire, nil
}

// Ready reports whether there is a current state to encrypt in.
func (s *Session) Ready() bool { return s != nil && s.cur != nil }

// Confirm says that the peer holds the current state, so messages need not repeat the key agreement. Call it only for
// proof about a message of the current state; a message received in it has the same effect.
func (s *Session) Confirm() {
	if s.Ready() {
		s.cur.first = nil
	}
}

// Confirmed reports whether [Session.Encrypt] returns [Msg] rather than [Pre]. It is false without a current state.
func (s *Session) Confirmed() bool { return s.Ready() && s.cur.first == nil }

// RemoteIdentity returns the peer's identity key in the current state, or the zero key without one.
func (s *Session) RemoteIdentity() PublicKey {
	if !s.Ready() {
		return PublicKey{}
	}
	return s.cur.remote
}

// BaseKeys names the states that are kept, the current one first. A state that is no longer among them was dropped:
// messages in it do not decrypt any more.
func (s *Session) BaseKeys() []PublicKey {
	var list []PublicKey
	s.all(func(_ int, st *state) bool {
		list = append(list, st.base)
		return true
	})
	return list
}

// Archive puts the current state aside, after a change of identity or before a retry: nothing is encrypted in it any
// more unless a message arrives in it, and the next first message may come from any identity key. Of more than four
// archived states the one unused for longest is dropped.
func (s *Session) Archive() {
	if s.Ready() {
		s.pushOld(s.cur)
		s.cur = nil
	}
}

// Inherit puts the states of the session that s replaces behind those of s, so that late messages in them still decrypt.
// old must not be used afterwards.
func (s *Session) Inherit(old *Session) {
	if old == nil || old == s {
		return
	}
	if old.cur != nil {
		s.old = append(s.old, old.cur)
	}
	s.old = append(s.old, old.old...)
	s.dropOld()
	*old = Session{}
}

func (s *Session) pushOld(st *state) {
	s.old = append(s.old, nil)
	copy(s.old[1:], s.old)
	s.old[0] = st
	s.dropOld()
}

func (s *Session) dropOld() {
	if len(s.old) > maxArchived {
		clear(s.old[maxArchived:])
		s.old = s.old[:maxArchived]
	}
}

// all calls f for the current state and the archived ones, in that order, until it returns false. It passes the index
// for promote: -1 is the current state.
func (s *Session) all(f func(i int, st *state) bool) {
	if s == nil {
		return
	}
	if s.cur != nil && !f(-1, s.cur) {
		return
	}
	for i, st := range s.old {
		if !f(i, st) {
			return
		}
	}
}

// promote makes the state with that index current: a side answers in the state it last decrypted with, which is how two
// sides that started at once end up in states both hold.
func (s *Session) promote(i int) {
	if i < 0 {
		return
	}
	st := s.old[i]
	if s.cur == nil {
		copy(s.old[i:], s.old[i+1:])
		s.old[len(s.old)-1] = nil
		s.old = s.old[:len(s.old)-1]
	} else {
		copy(s.old[1:i+1], s.old[:i])
		s.old[0] = s.cur
	}
	s.cur = st
}
