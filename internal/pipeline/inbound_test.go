package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestInbound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.numbers.change(shop, func(n *business.Number) { n.IdentityCheck = true })
	f := w.phone(ana)
	id := f.say(shop, "hello there")
	all := of[*record.Received](w.records())
	if len(all) != 1 {
		t.Fatalf("%d received", len(all))
	}
	r := all[0]
	if r.ID != id || r.Number != shop || r.WABA != "waba-1" || r.From != ana || r.At != epoch.UnixMilli() ||
		r.Device != f.device || r.ClientID != "client-1" || r.Type != "text" || r.Profile != "Name of "+string(ana) ||
		r.IdentityHash != signal.IdentityHash(f.local.Key.Public()) || len(r.Session) == 0 || r.OneTime == 0 {
		t.Errorf("received %+v", r)
	}
	if !bytes.Contains(r.Body, []byte("hello there")) || bytes.Contains(r.SealedBody, []byte("hello")) {
		t.Errorf("body %q, sealed %q", r.Body, r.SealedBody)
	}
	w.projected()
	if k, err := w.store.OneTime(t.Context(), shop, r.OneTime); err != nil || k != nil {
		t.Errorf("the one-time prekey is still there: %v", err)
	}
	if row := w.row(id); row.State != pipeline.StateReceived || row.ClientID != "client-1" || row.User != ana {
		t.Errorf("the store shows %+v", row)
	}
	again := f.say(shop, "second")
	if n := len(of[*record.Received](w.records())); n != 2 || again == id {
		t.Errorf("%d received", n)
	}
}

// A repeat gets the answer of the first, whatever happened between, and leaves no second record.
func TestRepeats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fact    string
		between func(w *world, f *phone)
		anew    bool // the device encrypts it anew, in a new session
	}{
		{"at once", func(*world, *phone) {}, false},
		{"after eviction", func(w *world, _ *phone) { w.crowd() }, false},
		{"after a restart", func(w *world, _ *phone) { w.stop(); w.start() }, false},
		{"after a kill", func(w *world, _ *phone) { w.kill(); w.start() }, false},
		{"after a conversation and a kill", func(w *world, f *phone) {
			for range 8 { // more turns than receiving chains are kept
				w.accept(text(ana, "x"))
				w.settle()
				w.clock.Advance(time.Minute)
				f.say(shop, "y")
			}
			w.kill()
			w.start()
		}, false},
		{"encrypted anew after a kill", func(w *world, _ *phone) { w.kill(); w.start() }, true},
		{"encrypted anew after eviction", func(w *world, _ *phone) { w.crowd() }, true},
	} {
		t.Run(c.fact, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Peers, o.Messages = 2, 2 } })
			f := w.phone(ana)
			prekey, wire := f.encrypt(shop, "once")
			first := <-f.post(shop, "the-one", prekey, wire)
			if first.err != nil {
				t.Fatal(first.err)
			}
			f.sessions[shop].Confirm()
			before := len(of[*record.Received](w.records()))
			c.between(w, f)
			if c.anew {
				f.sessions[shop].Archive()
				prekey, wire = f.encrypt(shop, "once")
			}
			n := len(of[*record.Received](w.records()))
			again := <-f.post(shop, "the-one", prekey, wire)
			if again != first {
				t.Errorf("answered %+v, then %+v", first, again)
			}
			w.settle()
			if m := len(of[*record.Received](w.records())); m != n || before != 1 {
				t.Errorf("%d records became %d", n, m)
			}
			if c.anew { // the new session is known
				f.sessions[shop].Confirm()
				f.say(shop, "next")
			}
			id := w.accept(text(ana, "answer"))
			w.settle()
			w.ladder(id, accepted, sent, delivered)
		})
	}
}

// crowd makes the lanes forget what they do not need.
func (w *world) crowd() {
	w.tb.Helper()
	for i := range 8 {
		w.projected()
		w.clock.Advance(time.Second)
		for _, n := range []wa.PhoneNumberID{shop, shop2} {
			m := template(person(900+i), "x")
			m.Number = n
			w.accept(m)
			f := w.people.get(person(800 + i))
			if f == nil {
				f = w.phone(person(800 + i))
			}
			f.say(n, "x")
		}
	}
	w.projected()
}

// Repeats that come while the first is on its way are answered with it.
func TestRepeatsInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.say(shop, "first")
	prekey, wire := f.encrypt(shop, "x")
	var answers []chan answer
	for range 20 {
		answers = append(answers, f.post(shop, "same", prekey, wire))
	}
	first := <-answers[0]
	for _, c := range answers[1:] {
		if a := <-c; a != first || a.err != nil {
			t.Errorf("answered %+v and %+v", first, a)
		}
	}
	if n := len(of[*record.Received](w.records())); n != 2 {
		t.Errorf("%d received", n)
	}
}

// First messages wait for their keys; what the device sends after them must not overtake.
func TestInboundOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	var answers []chan answer
	for i := range 50 {
		if i == 30 {
			a := <-answers[29]
			answers[29] <- a
			f.sessions[shop].Confirm()
		}
		prekey, wire := f.encrypt(shop, "x")
		answers = append(answers, f.post(shop, "client-"+string(rune('A'+i)), prekey, wire))
	}
	var want []wa.MessageID
	for _, c := range answers {
		a := <-c
		if a.err != nil {
			t.Fatal(a.err)
		}
		want = append(want, a.id)
	}
	var got []wa.MessageID
	for _, r := range of[*record.Received](w.records()) {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("received in the order %v, sent in the order %v", got, want)
	}
}

func TestInboundRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, other := w.phone(ana), w.phone(bob)
	n, _ := w.numbers.Number(shop)
	b, err := w.p.Bundle(t.Context(), n.WaID)
	w.check(err)
	stale := *b
	stale.OneTimePreKey = &signal.OneTimePreKey{ID: b.OneTimePreKey.ID + 1, Key: b.OneTimePreKey.Key}
	first := func(local signal.Identity, b *signal.Bundle) []byte {
		s, err := signal.Initiate(nil, signal.Suite{}, local, b)
		w.check(err)
		_, wire, err := s.Encrypt(nil, append([]byte("{}"), 0x80))
		w.check(err)
		return wire
	}
	damaged := first(f.local, b)
	damaged[len(damaged)-1] ^= 1
	for _, c := range []struct {
		fact   string
		prekey bool
		wire   []byte
		want   error
	}{
		{"a prekey nobody has", true, first(f.local, &stale), pipeline.ErrStaleKey},
		{"another identity", true, first(other.local, b), pipeline.ErrUndecryptable},
		{"damaged", true, damaged, pipeline.ErrUndecryptable},
		{"noise", true, []byte("noise"), pipeline.ErrUndecryptable},
		{"no session", false, []byte("noise"), pipeline.ErrUndecryptable},
		{"good", true, first(f.local, b), nil},
	} {
		if a := <-f.post(shop, c.fact, c.prekey, c.wire); !errors.Is(a.err, c.want) {
			t.Errorf("%s: %v, want %v", c.fact, a.err, c.want)
		}
	}
	w.settle()
	if n := len(of[*record.Received](w.records())); n != 1 {
		t.Errorf("%d received", n)
	}
	answers := make(chan error, 2)
	done := func(_ wa.MessageID, _ int64, err error) { answers <- err }
	w.p.Receive(&pipeline.Incoming{Device: f.device, To: "999", ClientID: "c", Cipher: []byte("x"), Done: done})
	w.p.Receive(&pipeline.Incoming{Device: "16505559999.1", To: n.WaID, ClientID: "c", Cipher: []byte("x"), Done: done})
	for range 2 {
		if err := <-answers; !errors.Is(err, pipeline.ErrNoBusiness) {
			t.Errorf("unknown number or device: %v", err)
		}
	}
}

// A business that blocked the user hears nothing; the table of blocks is the journal's.
func TestBlockedByBusiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	w.projected()
	on := true
	at, err := w.store.Position(t.Context(), w.p.Partition(shop))
	w.check(err)
	w.stop()
	w.start()
	w.check(w.store.Apply(t.Context(), &pipeline.Batch{
		Partition: 77, Position: at + 1,
		Peers: []pipeline.PeerChange{{Key: pipeline.PeerKey{Number: shop, User: ana}, BlockedByBusiness: &on}},
	}))
	prekey, wire := f.encrypt(shop, "hi")
	if a := <-f.post(shop, "c", prekey, wire); !errors.Is(a.err, pipeline.ErrBlocked) {
		t.Errorf("inbound: %v", a.err)
	}
	if _, err := w.p.Accept(t.Context(), template(ana, "x")); !errors.Is(err, wa.ErrBlockedByBusiness) {
		t.Errorf("outbound: %v", err)
	}
}

// Prekeys are replaced every week; a lane that knows a pair for longer must read first messages to the new ones.
func TestPreKeysAreReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.say(shop, "hi")
	n, _ := w.numbers.Number(shop)
	before, err := w.p.Bundle(context.Background(), n.WaID)
	w.check(err)
	w.clock.Advance(8 * 24 * time.Hour)
	for range 2 {
		f.sessions[shop].Archive()
		f.say(shop, "with the new keys")
	}
	after, err := w.p.Bundle(context.Background(), n.WaID)
	w.check(err)
	if before.SignedPreKey.ID == after.SignedPreKey.ID || before.KEMPreKey.ID == after.KEMPreKey.ID {
		t.Error("the prekeys were not replaced")
	}
	if before.IdentityKey != after.IdentityKey || after.Verify() != nil {
		t.Error("the new bundle is not of the same identity")
	}
	s, err := signal.Initiate(nil, signal.Suite{}, f.local, before)
	w.check(err)
	_, wire, err := s.Encrypt(nil, append([]byte("{}"), 0x80))
	w.check(err)
	if a := <-f.post(shop, "old keys", true, wire); a.err != nil {
		t.Errorf("with the keys of last week: %v", a.err)
	}
	w.stop()
	w.start()
	again, err := w.p.Bundle(context.Background(), n.WaID)
	w.check(err)
	if again.IdentityKey != after.IdentityKey || again.SignedPreKey.ID != after.SignedPreKey.ID {
		t.Error("the keys changed with a restart")
	}
}
