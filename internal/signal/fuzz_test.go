package signal_test

import (
	"bytes"
	"testing"

	"github.com/hikyaku/hikyaku/internal/signal"
)

// addTranscripts seeds f with the recorded messages of one kind.
func addTranscripts(f *testing.F, preKey bool) {
	f.Helper()
	for _, tr := range loadTranscripts(f) {
		for _, step := range tr.Steps {
			if step.PreKey == preKey {
				f.Add([]byte(step.Wire))
			}
		}
	}
}

// FuzzFirstMessage: foreign bytes as a first message never panic and never become a session unless we made them.
func FuzzFirstMessage(f *testing.F) {
	addTranscripts(f, true)
	a, b := newPeer(f), newPeer(f)
	b.suite.AllowX3DH = true
	a.initiate(b)
	own := a.send("first")
	f.Add(own.wire)
	keys := *b
	f.Fuzz(func(t *testing.T, wire []byte) {
		plaintext, next, _, err := signal.Receive(nil, b.suite, b.id, &keys, nil, signal.Pre, wire)
		if err == nil && (string(plaintext) != "first" || next.RemoteIdentity() != a.id.Key.Public()) {
			t.Fatalf("accepted %x", wire)
		}
		if info, err := signal.ParsePreKeyInfo(wire); err == nil && info.Identity.IsZero() {
			t.Fatal("first message without identity")
		}
	})
}

// FuzzMessage: foreign bytes in a session never panic, and either are one of our messages or change nothing.
func FuzzMessage(f *testing.F) {
	addTranscripts(f, false)
	a, b := pair(f)
	ms := a.burst(3)
	for _, m := range ms {
		f.Add(m.wire)
	}
	b.mustReceive(ms[1]) // leaves a kept key, a used one and one ahead
	state := stored(f, b.session)
	f.Fuzz(func(t *testing.T, wire []byte) {
		s, err := signal.ParseSession(state)
		if err != nil {
			t.Fatal(err)
		}
		plaintext, _, _, err := signal.Receive(nil, b.suite, b.id, b, s, signal.Msg, wire)
		if err == nil && string(plaintext) != ms[0].text && string(plaintext) != ms[2].text {
			t.Fatalf("accepted %x as %q", wire, plaintext)
		}
		if err != nil && !bytes.Equal(stored(t, s), state) {
			t.Fatalf("session changed by refused %x", wire)
		}
	})
}

// FuzzStoredSession: whatever parses is written back as the same bytes and can be used without a panic.
func FuzzStoredSession(f *testing.F) {
	a, b := newPeer(f), newPeer(f)
	a.initiate(b)
	f.Add(stored(f, a.session))
	first := a.burst(3)
	b.mustReceive(first[2], first[0])
	f.Add(stored(f, b.session))
	a.mustReceive(b.send("x"))
	f.Add(stored(f, a.session))
	a.initiate(b)
	a.session.Archive()
	f.Add(stored(f, a.session))
	wire := b.send("y").wire
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := signal.ParseSession(data)
		if err != nil {
			return
		}
		if again := stored(t, s); !bytes.Equal(again, data) {
			t.Fatalf("%x\nbecame\n%x", data, again)
		}
		_, _, _, _ = signal.Receive(nil, b.suite, b.id, b, s, signal.Msg, wire)
		_, _, _ = s.Encrypt(nil, []byte("z"))
		reloaded(t, s)
	})
}
