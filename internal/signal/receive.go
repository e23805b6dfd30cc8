package signal

import (
	"errors"
	"fmt"
	"io"
)

// Receive decrypts a message of the peer. s is the session with it, or nil if there is none. On success it returns the
// plaintext, the session after it (s itself, changed, unless s was nil; the state the message belongs to is current) and
// the id of the one-time prekey that a new state has used up: delete that key together with storing the session. On an
// error s is as it was. The reader is for protocol versions that need randomness here; today's take it when answering.
//
// A first message by an identity key other than the current state's is refused; without a current state any identity is
// taken, so callers who know the peer's key compare [ParsePreKeyInfo] first. A repeated message is recognised as long as
// its receiving chain is kept (five turns of the conversation); afterwards it fails with [ErrBadMAC]. A repeated first
// message whose state is no longer kept fails with [ErrUnknownPreKey] if it used a one-time prekey, and otherwise
// decrypts again: callers need their own check of message ids.
//
// Errors: [ErrFormat], [ErrBadMAC], [ErrDuplicate], [ErrTooFarAhead], [ErrBadKey]; [ErrNoSession] (kind [Msg] only);
// [ErrUnknownPreKey], [ErrUntrustedIdentity], [ErrKEMRequired] (kind [Pre] only).
func Receive(
	_ io.Reader, suite Suite, local Identity, keys PreKeyStore, s *Session, kind Kind, wire []byte,
) (plaintext []byte, next *Session, usedOneTime *uint32, err error) {
	switch kind {
	case Msg:
		plaintext, err = s.receive(suite, wire)
		next = s
	case Pre:
		plaintext, next, usedOneTime, err = receiveFirst(suite, local, keys, s, wire)
	default:
		err = fmt.Errorf("kind %q: %w", kind, ErrFormat)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("receive: %w", err)
	}
	return plaintext, next, usedOneTime, nil
}

// receive handles messages of a session.
func (s *Session) receive(suite Suite, wire []byte) (plaintext []byte, err error) {
	m, err := parseMessage(wire)
	if err != nil {
		return nil, err
	}
	if s == nil || (s.cur == nil && len(s.old) == 0) {
		return nil, ErrNoSession
	}
	// Ratchet keys are random: a state that has a chain for this one is the only one that can be meant.
	found := false
	s.all(func(i int, st *state) bool {
		if st.version == m.version && st.chainFor(&m.ratchet) >= 0 {
			found = true
			plaintext, err = s.openIn(i, st, &m, suite.maxJump())
		}
		return !found
	})
	if found {
		return plaintext, err
	}
	err = ErrBadMAC
	s.all(func(i int, st *state) bool {
		if st.version != m.version {
			return true
		}
		var failed error
		if plaintext, failed = s.openIn(i, st, &m, suite.maxJump()); failed == nil {
			err = nil
			return false
		}
		if !errors.Is(failed, ErrBadMAC) {
			err = failed // says more than "nobody could authenticate it"
		}
		return true
	})
	return plaintext, err
}

// openIn decrypts in one state and, only if that worked, commits the change and makes the state current.
func (s *Session) openIn(i int, st *state, m *message, maxJump uint32) ([]byte, error) {
	plaintext, change, err := st.open(m, maxJump)
	if err != nil {
		return nil, err
	}
	st.apply(&change)
	s.promote(i)
	return plaintext, nil
}

// receiveFirst handles messages that carry their key agreement.
func receiveFirst(
	suite Suite, local Identity, keys PreKeyStore, s *Session, wire []byte,
) (plaintext []byte, next *Session, usedOneTime *uint32, err error) {
	p, err := parsePreKeyMessage(wire)
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := parseMessage(p.inner)
	if err != nil {
		return nil, nil, nil, err
	}
	// The initiator repeats its key agreement until it hears from us, and the relay may repeat a message: the base key
	// tells that the state exists already, even if the prekeys are long gone.
	index, known := -1, (*state)(nil)
	s.all(func(i int, st *state) bool {
		if st.version == p.version && st.base == p.base {
			index, known = i, st
		}
		return known == nil
	})
	if known != nil {
		if known.remote != p.identity {
			return nil, nil, nil, ErrUntrustedIdentity
		}
		plaintext, err = s.openIn(index, known, &m, suite.maxJump())
		return plaintext, s, nil, err
	}
	if s.Ready() && s.cur.remote != p.identity {
		return nil, nil, nil, ErrUntrustedIdentity
	}
	st, err := respond(suite, local, keys, &p)
	if err != nil {
		return nil, nil, nil, err
	}
	plaintext, change, err := st.open(&m, suite.maxJump())
	if err != nil {
		return nil, nil, nil, err
	}
	st.apply(&change)
	if s == nil {
		s = &Session{}
	}
	s.Archive()
	s.cur = st
	return plaintext, s, p.oneTimeID, nil
}
