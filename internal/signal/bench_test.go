package signal_test

import (
	"testing"

	"github.com/hikyaku/hikyaku/internal/signal"
)

var text600 = make([]byte, 600)

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkEncrypt is a message in a running chain of a session just loaded. Budget: 10 µs.
func BenchmarkEncrypt(b *testing.B) {
	a, _ := pair(b)
	a.send("turn the ratchet")
	a.session = reloaded(b, a.session)
	b.ReportAllocs()
	for b.Loop() {
		_, _, err := a.session.Encrypt(nil, text600)
		check(b, err)
	}
}

// BenchmarkEncryptTurn is the first message after an answer: a new key and one agreement. Budget: 150 µs.
func BenchmarkEncryptTurn(b *testing.B) {
	a, _ := pair(b)
	state := stored(b, a.session)
	b.ReportAllocs()
	for b.Loop() {
		s, err := signal.ParseSession(state)
		check(b, err)
		_, _, err = s.Encrypt(nil, text600)
		check(b, err)
	}
}

// BenchmarkDecrypt is a message in a running chain. Budget: 10 µs.
func BenchmarkDecrypt(b *testing.B) {
	a, c := pair(b)
	ms := a.burst(1 << 10)
	c.mustReceive(ms[0])
	state := stored(b, c.session)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if i = i%(len(ms)-1) + 1; i == 1 {
			var err error
			c.session, err = signal.ParseSession(state)
			check(b, err)
		}
		_, _, _, err := signal.Receive(nil, c.suite, c.id, c, c.session, ms[i].kind, ms[i].wire)
		check(b, err)
	}
}

// BenchmarkQuestionAndAnswer is two messages that each turn the ratchet, both ends. Budget: 500 µs.
func BenchmarkQuestionAndAnswer(b *testing.B) {
	a, c := pair(b)
	for b.Loop() {
		c.mustReceive(a.send("question"))
		a.mustReceive(c.send("answer"))
	}
}

// BenchmarkInitiate is the first contact of the sending side, with encryption. Budget: 1 ms.
func BenchmarkInitiate(b *testing.B) {
	a, c := newPeer(b), newPeer(b)
	bundle := c.bundle()
	b.ReportAllocs()
	for b.Loop() {
		s, err := signal.Initiate(nil, a.suite, a.id, bundle)
		check(b, err)
		_, _, err = s.Encrypt(nil, text600)
		check(b, err)
	}
}

// BenchmarkReceiveFirst is the first contact of the receiving side. Budget: 1 ms.
func BenchmarkReceiveFirst(b *testing.B) {
	a, c := newPeer(b), newPeer(b)
	a.initiate(c)
	m := a.send("first")
	b.ReportAllocs()
	for b.Loop() {
		_, _, _, err := signal.Receive(nil, c.suite, c.id, c, nil, m.kind, m.wire)
		check(b, err)
	}
}

// conversation returns a session with all its receiving chains, of the side that sent last.
func conversation(b *testing.B) *signal.Session {
	b.Helper()
	a, c := pair(b)
	for range 10 {
		c.mustReceive(a.send("x"))
		a.mustReceive(c.send("y"))
	}
	a.send("z")
	return a.session
}

// BenchmarkAppendBinary stores a session in a conversation; it happens after every message. Budget: 500 ns.
func BenchmarkAppendBinary(b *testing.B) {
	s := conversation(b)
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		_, err := s.AppendBinary(buf)
		check(b, err)
	}
}

// BenchmarkParseSession loads it. Budget: 2 µs.
func BenchmarkParseSession(b *testing.B) {
	data := stored(b, conversation(b))
	b.ReportAllocs()
	for b.Loop() {
		_, err := signal.ParseSession(data)
		check(b, err)
	}
}

// BenchmarkJump is a device that comes back to 20,000 expired messages. Budget: 40 ms.
func BenchmarkJump(b *testing.B) {
	a, c := pair(b)
	c.suite.MaxJump = signal.MaxJumpDevice
	c.mustReceive(a.send("x"))
	signal.SkipAhead(a.session, 20000)
	m := a.send("y")
	state := stored(b, c.session)
	for b.Loop() {
		s, err := signal.ParseSession(state)
		check(b, err)
		_, _, _, err = signal.Receive(nil, c.suite, c.id, c, s, m.kind, m.wire)
		check(b, err)
	}
}

// BenchmarkRefuse is a forged message that every kept state has to be asked about. Budget: 1 ms.
func BenchmarkRefuse(b *testing.B) {
	a, c := pair(b)
	for range signal.MaxArchived {
		c.initiate(a)
		a.mustReceive(c.send("x"))
		c.mustReceive(a.send("y"))
		c.send("z") // so that a new ratchet key of a is possible
	}
	stranger, other := pair(b)
	other.mustReceive(stranger.send("x"))
	m := stranger.send("y")
	state := stored(b, c.session)
	for b.Loop() {
		s, err := signal.ParseSession(state)
		check(b, err)
		if _, _, _, err = signal.Receive(nil, c.suite, c.id, c, s, m.kind, m.wire); err == nil {
			b.Fatal("accepted")
		}
	}
}

// BenchmarkSign and BenchmarkVerify are one prekey. Budget: 150 µs each.
func BenchmarkSign(b *testing.B) {
	k := newKey(b)
	for b.Loop() {
		k.Sign(nil, text600[:33])
	}
}

// BenchmarkVerify: see BenchmarkSign.
func BenchmarkVerify(b *testing.B) {
	k := newKey(b)
	sig := k.Sign(nil, text600[:33])
	pub := k.Public()
	for b.Loop() {
		if !pub.Verify(text600[:33], sig[:]) {
			b.Fatal("refused")
		}
	}
}
