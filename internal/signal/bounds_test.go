package signal_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/hikyaku/hikyaku/internal/signal"
)

// Test names quote the rules of design "The user network", section 5.

func TestLargestJumpInsideOneChain(t *testing.T) {
	t.Parallel()
	for _, limit := range []uint32{signal.MaxJumpPlatform, signal.MaxJumpDevice} {
		a, b := pair(t)
		b.suite.MaxJump = limit
		b.mustReceive(a.send("number 0 of this chain"))
		signal.SkipAhead(a.session, limit)
		fits := a.send("just")
		b.mustReceive(fits) // number limit+1 after 1
		signal.SkipAhead(a.session, limit+1)
		b.mustRefuse(a.send("one more"), signal.ErrTooFarAhead)

		// A new chain is counted from its beginning.
		a.mustReceive(b.send("turn"))
		b.mustReceive(a.send("number 0"))
		a.mustReceive(b.send("turn"))
		a.send("starts the chain")
		signal.SkipAhead(a.session, limit)
		b.mustRefuse(a.send("too far in a new chain"), signal.ErrTooFarAhead)
	}
}

func TestSkippedKeysAreBoundedOldestFirst(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.suite.MaxJump = signal.MaxJumpDevice
	old := a.burst(11)
	b.mustReceive(old[10])
	a.mustReceive(b.send("turn"))
	ms := a.burst(signal.MaxSkipped + 6)
	b.mustReceive(ms[signal.MaxSkipped-6]) // 10 kept + 1994 new: four over
	if keys, _ := signal.Skipped(b.session); keys != signal.MaxSkipped {
		t.Fatalf("%d keys kept", keys)
	}
	for _, m := range old[:4] {
		b.mustRefuse(m, signal.ErrDuplicate)
	}
	b.mustReceive(old[4:10]...)
	b.mustReceive(ms[signal.MaxSkipped+5])
	if keys, _ := signal.Skipped(b.session); keys != signal.MaxSkipped {
		t.Fatalf("%d keys kept", keys)
	}
	b.session = reloaded(t, b.session)
	b.mustRefuse(ms[3], signal.ErrDuplicate)
	b.mustReceive(ms[5], ms[signal.MaxSkipped+4])
	_, _, _ = a.session.Encrypt(nil, nil)
}

func TestAJumpBeyondTheKeptKeysKeepsTheNewest(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.suite.MaxJump = signal.MaxJumpDevice
	ms := a.burst(signal.MaxSkipped * 2)
	last := len(ms) - 1
	b.mustReceive(ms[last])
	b.mustRefuse(ms[last-signal.MaxSkipped-1], signal.ErrDuplicate)
	b.mustReceive(ms[last-signal.MaxSkipped], ms[last-1])
}

func TestFiveReceivingChains(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	var late []parcel
	for range signal.MaxChains + 1 {
		ms := a.burst(2)
		late = append(late, ms[0])
		b.mustReceive(ms[1])
		a.mustReceive(b.send("turn"))
	}
	if _, chains := signal.Skipped(b.session); chains != signal.MaxChains {
		t.Fatalf("%d chains", chains)
	}
	b.mustRefuse(late[0], signal.ErrBadMAC)
	b.session = reloaded(t, b.session)
	for _, m := range late[1:] {
		b.mustReceive(m)
	}
}

func TestOneCurrentAndFourArchivedSessions(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	late := []parcel{a.send("in session 0")}
	for range signal.MaxArchived + 1 {
		a.initiate(b)
		b.mustReceive(a.send("first"))
		late = append(late, a.send("late"))
	}
	if n := signal.Archived(b.session); n != signal.MaxArchived {
		t.Fatalf("%d archived", n)
	}
	b.mustRefuse(late[0], signal.ErrBadMAC)
	before := signal.CurrentBase(b.session)
	b.mustReceive(late[1])
	if signal.CurrentBase(b.session) == before || signal.Archived(b.session) != signal.MaxArchived {
		t.Fatal("the session that decrypted did not become current")
	}
	for _, m := range late[2:] {
		b.mustReceive(m)
	}
	a.mustReceive(b.send("answer in the session last decrypted with"))
	if signal.CurrentBase(a.session) != signal.CurrentBase(b.session) {
		t.Fatal("sides are in different sessions")
	}
}

func TestChainEnds(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.mustReceive(a.send("x"))
	signal.SetSent(a.session, math.MaxUint32-1)
	b.mustRefuse(a.send("last number"), signal.ErrTooFarAhead)
	if _, _, err := a.session.Encrypt(nil, nil); !errors.Is(err, signal.ErrExhausted) {
		t.Fatal(err)
	}
}

func TestEveryPlaintextLength(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	for n := range 70 {
		m := a.send(string(bytes.Repeat([]byte{'x'}, n)))
		if cap(m.wire) != len(m.wire) {
			t.Fatalf("%d bytes: message of %d in %d", n, len(m.wire), cap(m.wire))
		}
		b.mustReceive(m)
	}
	b.mustReceive(a.send(string(make([]byte, 64<<10))))
}

func TestStoredSizes(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	a.initiate(b)
	size := func(what string, p *peer, limit int) {
		t.Helper()
		n := len(stored(t, p.session))
		t.Logf("%s: %d bytes", what, n)
		if n > limit {
			t.Errorf("%s: %d bytes, limit %d", what, n, limit)
		}
	}
	size("unconfirmed with KEM ciphertext", a, 1840)
	b.mustReceive(a.send("x"))
	size("responder", b, 330)
	a.session.Confirm()
	size("initiator, confirmed", a, 330)
	for range 20 {
		a.mustReceive(b.send("x"))
		b.mustReceive(a.send("x"))
	}
	size("conversation, last received", b, 530)
	size("conversation, last sent", a, 600)
	empty := len(stored(t, b.session))
	ms := a.burst(1001)
	b.mustReceive(ms[1000])
	size("1000 skipped keys", b, empty+34*1000)
}
