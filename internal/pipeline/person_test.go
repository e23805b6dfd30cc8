package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestMark(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	in := f.say(shop, "hi")
	out := w.accept(text(ana, "x"))
	w.settle()
	w.check(w.p.Mark(t.Context(), shop, in, false))
	w.check(w.p.Mark(t.Context(), shop, in, true))
	w.settle()
	if marks := of[*record.Marked](w.records()); len(marks) != 2 || marks[0].ID != in || marks[0].User != ana || marks[0].Number != shop {
		t.Errorf("marked %+v", marks)
	}
	items := of[*record.Item](w.records())
	if len(items) != 2 || string(items[0].Event) != string(message.ReadEvent(in)) || items[0].Device != f.device {
		t.Errorf("items %+v", items)
	}
	if len(f.events) != 2 || !strings.Contains(f.events[0], string(in)) {
		t.Errorf("events %v", f.events)
	}
	if len(w.boxes.flashes) != 1 || !strings.HasPrefix(w.boxes.flashes[0], "15550001111 to 16505550001") {
		t.Errorf("flashes %v", w.boxes.flashes)
	}
	w.projected()
	if left, err := w.store.MailboxAfter(t.Context(), f.device, 0, 10); err != nil || len(left) != 0 {
		t.Errorf("mailbox keeps %d items, %v", len(left), err)
	}
	refused := func(fact string, number wa.PhoneNumberID, id wa.MessageID) {
		t.Helper()
		if err := w.p.Mark(t.Context(), number, id, true); !errors.Is(err, wa.ErrValue) {
			t.Errorf("%s: %v", fact, err)
		}
	}
	refused("unknown", shop, wa.NewMessageID(ana, false, append([]byte{0x3a, 1, 2, 3, 4, 5, 6, 7, 8}, byte(w.p.Partition(shop)))))
	refused("not an id", shop, "wamid.x")
	refused("of the business", shop, out)
	refused("of another number", shop2, in)
	w.kill()
	w.start()
	w.check(w.p.Mark(t.Context(), shop, in, false))
	w.clock.Advance(30*24*time.Hour + time.Millisecond)
	refused("older than 30 days", shop, in)
}

func TestBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.say(shop, "hi")
	block := func(on bool) {
		done := make(chan error, 1)
		w.p.Block(ana, "15550001111", on, "", func(err error) { done <- err })
		w.check(<-done)
	}
	block(true)
	a := w.accept(text(ana, "x"))
	w.settle()
	w.ladder(a, accepted, failed)
	w.kill()
	w.start()
	b := w.accept(text(ana, "x"))
	w.settle()
	w.ladder(b, accepted, failed)
	// A phone that knows of its block does not even try; this one is like one that was registered after it.
	prekey, wire := f.encrypt(shop, "and still I write")
	if a := <-f.post(shop, "blocked", prekey, wire); !errors.Is(a.err, pipeline.ErrBlocking) {
		t.Errorf("written to a business that is blocked: %+v", a)
	}
	if n := len(of[*record.Received](w.records())); n != 1 {
		t.Errorf("%d messages arrived, want the one from before the block", n)
	}
	block(false)
	f.say(shop, "hi again")
	c := w.accept(text(ana, "x"))
	w.settle()
	w.ladder(c, accepted, sent, delivered)
	w.p.Block(ana, "999", true, "", func(err error) {
		if !errors.Is(err, pipeline.ErrNoBusiness) {
			t.Errorf("unknown number: %v", err)
		}
	})
}

// What comes after Close is refused, once, and nothing hangs.
func TestClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	in := f.say(shop, "hi")
	id := w.accept(text(ana, "x"))
	p, prekey, wire := w.p, false, []byte(nil)
	prekey, wire = f.encrypt(shop, "late")
	w.check(p.Close(t.Context()))
	if !p.Projected() || !p.Idle() || p.Lag() != 0 {
		t.Errorf("closed with a lag of %d", p.Lag())
	}
	if _, err := p.Accept(t.Context(), text(ana, "x")); !errors.Is(err, wa.ErrUnavailable) {
		t.Errorf("accept: %v", err)
	}
	if err := p.Mark(t.Context(), shop, in, false); !errors.Is(err, wa.ErrUnavailable) {
		t.Errorf("mark: %v", err)
	}
	if a := <-f.post(shop, "late", prekey, wire); !errors.Is(a.err, pipeline.ErrBusy) {
		t.Errorf("receive: %v", a.err)
	}
	p.UserChanged(ana, true)
	p.Receipts([]pipeline.Receipt{{Device: f.device, ID: id, Step: pipeline.Opened}})
	if !p.Idle() {
		t.Error("not idle")
	}
	w.check(p.Close(t.Context()))
}

// Close that may not wait: everyone in the middle of something hears of it.
func TestCloseAtOnce(t *testing.T) {
	t.Parallel()
	for _, fact := range []string{"a directory that hangs", "a store that fails", "a journal that fails"} {
		t.Run(fact, func(t *testing.T) {
			t.Parallel()
			ill := &illStore{}
			var logs []*faultyLog
			w := newWorld(t, func(w *world) {
				w.set = func(o *pipeline.Options) { ill.Store, o.Store = o.Store, ill }
				w.wrap = func(l pipeline.Log) pipeline.Log {
					logs = append(logs, newFaultyLog(l))
					return logs[len(logs)-1]
				}
			})
			f := w.phone(ana)
			n, _ := w.numbers.Number(shop)
			prekey, wire := f.encrypt(shop, "hi")
			gate := make(chan struct{})
			switch fact {
			case "a directory that hangs":
				w.people.mu.Lock()
				w.people.loaded = func() { <-gate }
				w.people.mu.Unlock()
			case "a store that fails":
				ill.mu.Lock()
				ill.reads = 1 << 30
				ill.mu.Unlock()
			default:
				w.accept(template(bob, "x"))
				w.settle()
				for _, l := range logs {
					l.stuck = true
					l.fail(1, false)
				}
			}
			answers := make(chan error, 100)
			for range 20 {
				go func() {
					_, err := w.p.Accept(t.Context(), template(ana, "x"))
					answers <- err
				}()
				w.p.Receive(&pipeline.Incoming{
					Device: f.device, To: n.WaID, ClientID: "c", PreKey: prekey, Cipher: wire,
					Done: func(_ wa.MessageID, _ int64, err error) { answers <- err },
				})
				w.p.Block(ana, n.WaID, true, "", func(err error) { answers <- err })
			}
			for w.p.Queued() > 0 {
				w.check(w.pace.Sleep(t.Context(), time.Millisecond))
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			closed := make(chan error, 1)
			go func() { closed <- w.p.Close(ctx) }()
			if fact == "a directory that hangs" {
				close(gate)
			}
			<-closed
			for range 60 {
				<-answers
			}
			w.cut.kill()
			w.check(w.journal.Close(t.Context()))
			w.check(w.store.Close())
		})
	}
}

// A store that does not answer delays what was acknowledged and refuses what was not.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	ill := &illStore{}
	w := newWorld(t, func(w *world) {
		w.set = func(o *pipeline.Options) { ill.Store, o.Store = o.Store, ill }
	})
	f := w.phone(ana)
	f.switchOn(false)
	id := w.accept(template(ana, "x"))
	w.projected()
	w.kill()
	w.start()
	ill.mu.Lock()
	ill.reads = 4
	ill.mu.Unlock()
	f.switchOn(true) // its acknowledgement needs the message and the pair
	if _, err := w.p.Accept(t.Context(), template(bob, "x")); err != nil && !errors.Is(err, wa.ErrUnavailable) {
		t.Error(err)
	}
	w.settle()
	w.ladder(id, accepted, sent, delivered)
}

// Nothing stays in memory once the store has it.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) {
		w.set = func(o *pipeline.Options) { o.Peers, o.Messages = 8, 8 }
		w.numbers.change(shop, func(n *business.Number) { n.Level = business.High })
	})
	for round := range 3 {
		for i := range 60 {
			f := w.people.get(person(i))
			if f == nil {
				f = w.phone(person(i))
			}
			f.say(shop, "x")
			w.accept(text(f.user, "y"))
		}
		w.projected()
		w.clock.Advance(time.Minute)
		w.accept(template(bob, "turn"))
		w.projected()
		w.accept(template(bob, "turn"))
		w.projected()
		peers, users, messages, recent, lags := w.p.Held()
		if peers > 40 || users > 40 || messages > 40 || recent > 40 || lags > 2 {
			t.Errorf("round %d: %d pairs, %d users, %d messages, %d ids, %d lags in memory", round, peers, users, messages, recent, lags)
		}
	}
	for i := range 60 {
		w.people.get(person(i)).healthy(t)
	}
}

// After a busy time the memory empties by the clock, and what is needed again is read again.
func TestMemoryOfQuietLanes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) {
		w.numbers.change(shop, func(n *business.Number) { n.Level = business.High })
		w.set = func(o *pipeline.Options) { o.Rest = time.Hour }
	})
	for i := range 40 {
		f := w.phone(person(i))
		f.say(shop, "x")
		w.accept(text(f.user, "y"))
	}
	w.projected()
	if peers, _, messages, recent, _ := w.p.Held(); peers < 40 || messages < 40 || recent < 40 {
		t.Fatalf("%d pairs, %d messages, %d ids in memory: nothing to test", peers, messages, recent)
	}
	for range 3 {
		w.clock.Advance(time.Minute) // means nothing to the memory
		w.p.Busy(pipeline.MaxQuiet + 1)
		w.p.Rest()
	}
	if peers, _, messages, recent, _ := w.p.Held(); peers < 40 || messages < 40 || recent < 40 {
		t.Errorf("%d pairs, %d messages, %d ids in memory of lanes that are busy", peers, messages, recent)
	}
	for range 1000 { // a lane sees that a quiet time is over when it gets to it
		w.pace.Advance(time.Hour)
		w.check(w.pace.Sleep(t.Context(), 20*time.Millisecond))
		if peers, users, messages, recent, _ := w.p.Held(); peers+users+messages+recent == 0 {
			break
		}
	}
	if peers, users, messages, recent, _ := w.p.Held(); peers+users+messages+recent > 0 {
		t.Errorf("%d pairs, %d users, %d messages, %d ids are still in memory", peers, users, messages, recent)
	}
	id := w.accept(template(person(7), "still there?"))
	w.settle()
	w.ladder(id, accepted, sent, delivered)
	w.people.get(person(7)).healthy(t)
}
