package signal_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/hikyaku/hikyaku/internal/signal"
)

// Test names quote the rules of design "The user network", section 5.

func TestFirstMessageHeaderIsRepeatedUntilConfirmed(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	a.initiate(b)
	ms := a.burst(3)
	for _, m := range ms {
		if m.kind != signal.Pre {
			t.Fatalf("kind %s before confirmation", m.kind)
		}
	}
	if a.session.Confirmed() {
		t.Fatal("confirmed before anything happened")
	}
	a.session.Confirm()
	if m := a.send("confirmed"); m.kind != signal.Msg || !a.session.Confirmed() {
		t.Fatalf("kind %s after Confirm", m.kind)
	} else {
		ms = append(ms, m)
	}
	b.mustReceive(ms[1], ms[0], ms[3], ms[2]) // any of the repeated headers creates the session
	if len(b.oneTime) != 0 {
		t.Fatal("one-time prekey not used up")
	}
}

func TestAnswerConfirms(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	a.initiate(b)
	b.mustReceive(a.send("hello"))
	answer := b.send("answer")
	if answer.kind != signal.Msg {
		t.Fatalf("responder sent %s", answer.kind)
	}
	a.mustReceive(answer)
	if m := a.send("next"); m.kind != signal.Msg {
		t.Fatalf("kind %s after an answer", m.kind)
	}
}

func TestDuplicatesAreNamed(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	a.initiate(b)
	first := a.send("first")
	b.mustReceive(first)
	b.mustRefuse(first, signal.ErrDuplicate) // its one-time prekey is gone by now
	second := a.send("still with header")
	b.mustReceive(second)
	b.mustRefuse(second, signal.ErrDuplicate)
	b.mustRefuse(first, signal.ErrDuplicate)

	late := b.burst(3)
	a.mustReceive(late[2], late[0])
	a.mustRefuse(late[0], signal.ErrDuplicate)
	a.mustRefuse(late[2], signal.ErrDuplicate)
	a.mustReceive(late[1])
	a.mustRefuse(late[1], signal.ErrDuplicate)

	// Also in an archived state, and after a trip through the store.
	b.initiate(a)
	a.mustReceive(b.send("new session"))
	a.session, b.session = reloaded(t, a.session), reloaded(t, b.session)
	a.mustRefuse(late[1], signal.ErrDuplicate)
	b.mustRefuse(first, signal.ErrDuplicate)
}

func TestBothSidesStartAtOnce(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	a.initiate(b)
	b.initiate(a)
	fromA, fromB := a.burst(2), b.burst(2)
	a.mustReceive(fromB...)
	b.mustReceive(fromA...)
	for i := range 6 {
		x, y := a.send("x"), b.send("y")
		if i%2 == 0 {
			a.mustReceive(y)
			b.mustReceive(x)
		} else {
			b.mustReceive(x)
			a.mustReceive(b.send("z"))
			a.mustReceive(y)
		}
	}
	b.mustReceive(a.send("last"))
	a.mustReceive(b.send("answer"))
	if signal.CurrentBase(a.session) != signal.CurrentBase(b.session) {
		t.Fatal("sides did not settle on one session")
	}
}

func TestChangedIdentity(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	stranger := newPeer(t)
	stranger.initiate(b)
	m := stranger.send("it is me")
	b.mustRefuse(m, signal.ErrUntrustedIdentity)
	info, err := signal.ParsePreKeyInfo(m.wire)
	if err != nil || info.Identity != stranger.id.Key.Public() || info.RegistrationID != 4711 || *info.OneTimePreKeyID != b.made {
		t.Fatalf("info %+v, %v", info, err)
	}
	if b.session.RemoteIdentity() != a.id.Key.Public() {
		t.Fatal("remote identity")
	}
	b.session.Archive()
	if b.session.Ready() || !b.session.RemoteIdentity().IsZero() || b.session.Confirmed() {
		t.Fatal("current state after Archive")
	}
	if _, _, err := b.session.Encrypt(nil, nil); !errors.Is(err, signal.ErrNoSession) {
		t.Fatalf("encrypt after Archive: %v", err)
	}
	b.mustReceive(m)
	if b.session.RemoteIdentity() != stranger.id.Key.Public() {
		t.Fatal("remote identity after change")
	}
}

func TestArchivedStateComesBackByAMessage(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.session.Archive()
	a.session.Archive() // no effect
	a.session = reloaded(t, a.session)
	a.mustReceive(b.send("still here"))
	b.mustReceive(a.send("so am I"))
}

func TestNoSession(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	m := a.send("x")
	b.session = nil
	b.mustRefuse(m, signal.ErrNoSession)
	b.session = &signal.Session{}
	b.mustRefuse(m, signal.ErrNoSession)
	b.session.Confirm()
	if _, _, err := b.session.Encrypt(nil, nil); !errors.Is(err, signal.ErrNoSession) {
		t.Fatal(err)
	}
}

func TestFailingRandomnessChangesNothing(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	before := stored(t, a.session)
	broken := iotest.ErrReader(io.ErrUnexpectedEOF)
	if _, _, err := a.session.Encrypt(broken, []byte("x")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if !bytes.Equal(stored(t, a.session), before) {
		t.Fatal("session changed")
	}
	b.mustReceive(a.send("x"))
	if _, err := signal.Initiate(broken, a.suite, a.id, b.bundle()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if _, err := signal.GenerateKEMPrivateKey(broken); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
}
