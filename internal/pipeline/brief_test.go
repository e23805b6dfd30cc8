package pipeline_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// withoutStorage makes shop a number that keeps nothing.
func withoutStorage(w *world) {
	w.numbers.change(shop, func(n *business.Number) { n.NoStorageFrom = epoch.Add(-time.Hour) })
}

// sealed is everything of the journal and of the store's rows that content is in.
func (w *world) sealed(ids ...wa.MessageID) (all [][]byte) {
	w.tb.Helper()
	for _, r := range w.records() {
		switch r := r.(type) {
		case *record.Accepted:
			all = append(all, r.SealedBody, r.SealedOpaque)
		case *record.Received:
			all = append(all, r.SealedBody)
		case *record.Status:
			all = append(all, r.SealedBody, r.SealedOpaque)
		case *record.Sealed:
			all = append(all, r.Cipher)
		}
	}
	for _, id := range ids {
		m := w.row(id)
		all = append(all, m.Content, m.Opaque)
	}
	items, err := w.store.MailboxAfter(w.tb.Context(), wa.DeviceID(ana+".1"), 0, 100)
	w.check(err)
	for _, it := range items {
		all = append(all, it.Cipher)
	}
	return all
}

// Source: spec/security.md sections A5 and B2 (S11), spec/messages.md section 14.2.
func TestContentOfNumbersWithoutStorage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withoutStorage)
	f := w.phone(ana)
	f.say(shop, "secret of the user")
	w.settle()
	m := text(ana, "secret of the business")
	m.Opaque = "secret of both"
	seen := w.accept(m)
	w.settle()
	f.switchOn(false)
	id := w.accept(m)
	w.settle()
	w.projected()
	if row := w.row(id); row.Expires != row.AcceptedAt+business.BriefLife.Milliseconds() {
		t.Errorf("it lives until %v", time.UnixMilli(row.Expires).UTC())
	}
	n := 0
	for _, b := range w.sealed(seen, id) {
		if len(b) == 0 {
			continue
		}
		if n++; !vault.IsBrief(b) {
			t.Errorf("kept for longer than an hour: %x", b[:8])
		}
	}
	if n < 12 {
		t.Errorf("only %d sealed things were looked at", n)
	}
	for _, r := range w.records() {
		switch r := r.(type) {
		case *record.Status:
			if !r.Brief {
				t.Errorf("status %v is like any other", r.Of)
			}
		case *record.Received:
			if !r.Brief {
				t.Error("the message received is like any other")
			}
		}
	}

	w.kill()
	w.start() // in the middle of the hour
	w.clock.Advance(61 * time.Minute)
	w.settle()
	if _, err := w.vault.DestroyBrief(); err != nil {
		t.Fatal(err)
	}
	ad := []byte("message/" + string(id) + "/body")
	for _, b := range w.sealed(seen, id) {
		if len(b) == 0 {
			continue
		}
		if _, err := w.vault.Open(ad, b); !errors.Is(err, vault.ErrDestroyed) {
			t.Errorf("opened an hour later: %v", err)
		}
	}
	// The device read it within the hour and says so now. What the business wrote to itself is content, too.
	w.p.Receipts([]pipeline.Receipt{{Device: f.device, ID: seen, Step: pipeline.Opened}})
	w.settle()
	list := w.ladder(seen, accepted, sent, delivered, read)
	if s := list[2]; s.Opaque != "" || len(s.SealedOpaque) > 0 || list[1].Opaque != "" && len(list[1].SealedOpaque) == 0 {
		t.Errorf("read an hour later: %+v", s)
	}
}

// Source: spec/errors.md section 8, 131036: the payload is gone when the device asks for it.
func TestADeviceThatAsksAgainAfterTheHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withoutStorage)
	f := w.phone(ana)
	f.deaf = true // what comes cannot be read; it asks by hand below
	f.say(shop, "hi")
	w.settle()
	again := func(id wa.MessageID) {
		w.p.Retry(pipeline.Receipt{Device: f.device, Seq: 1, ID: id})
		w.settle()
	}
	a, b := w.accept(text(ana, "a")), w.accept(text(ana, "b"))
	w.settle()
	again(a) // in time: encrypted anew
	w.ladder(a, accepted, sent)
	w.clock.Advance(59 * time.Minute)
	again(a)
	w.ladder(a, accepted, sent)
	w.clock.Advance(2 * time.Minute)
	again(a) // sent still, or dropped by now
	kinds, list := w.statuses(a)
	if s := list[len(list)-1]; s.Of != failed || s.Code != 131036 || s.Details != "Message payload not found" || !s.Brief {
		t.Errorf("%v: %+v", kinds, s)
	}
	w.dropAll(b)
	w.projected()
	w.kill()
	w.start() // what is known of it is in the store alone
	for range 2 {
		again(b)
		w.ladder(b, accepted, sent, dropped, failed)
		w.projected()
	}
	w.kill()
	w.start()
	again(b)
	w.ladder(b, accepted, sent, dropped, failed)
}

// dropAll waits until the lane has dropped the message.
func (w *world) dropAll(id wa.MessageID) {
	w.tb.Helper()
	for range 2000 {
		if kinds, _ := w.statuses(id); kinds[len(kinds)-1] == dropped {
			return
		}
		w.clock.Advance(time.Minute)
		w.settle()
	}
	w.tb.Fatal("its life did not end")
}

// A number that has storage, or got it back, is like any other.
func TestContentOfOtherNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withoutStorage, func(w *world) {
		w.numbers.change(shop, func(n *business.Number) { n.NoStorageTo = epoch.Add(-time.Minute) })
	})
	w.phone(ana).say(shop, "hi")
	id := w.accept(text(ana, "x"))
	w.settle()
	for _, b := range w.sealed(id) {
		if vault.IsBrief(b) {
			t.Error("it has the key of an hour")
		}
	}
	if row := w.row(id); row.Expires < row.AcceptedAt+24*time.Hour.Milliseconds() {
		t.Errorf("it lives until %v", row.Expires)
	}
}

// What a message is was settled when it was accepted: its number may have got its storage back since, and lost it again.
func TestMessagesStayAsTheyWereAccepted(t *testing.T) {
	t.Parallel()
	storage := func(w *world, from, to time.Duration) {
		w.numbers.change(shop, func(n *business.Number) {
			n.NoStorageFrom, n.NoStorageTo = epoch.Add(from), time.Time{}
			if to != 0 {
				n.NoStorageTo = epoch.Add(to)
			}
		})
	}
	w := newWorld(t)
	f := w.phone(ana)
	f.say(shop, "hi")
	w.settle()
	opaque := text(ana, "x")
	opaque.Opaque = "of the shop"
	send := func(m *pipeline.Outgoing) wa.MessageID {
		id := w.accept(m)
		w.settle()
		return id
	}
	storage(w, 0, 0)
	brief := []wa.MessageID{send(text(ana, "x")), send(opaque)}
	storage(w, 0, time.Second)
	kept := send(opaque)
	f.deaf = true // it asks by hand below
	unread := send(text(ana, "x"))
	last := func(id wa.MessageID) *record.Status {
		w.settle()
		_, list := w.statuses(id)
		return list[len(list)-1]
	}
	open := func(id wa.MessageID) *record.Status {
		w.p.Receipts([]pipeline.Receipt{{Device: f.device, ID: id, Step: pipeline.Opened}})
		return last(id)
	}
	w.projected()
	w.kill()
	storage(w, -2*time.Hour, 0) // as if it had been without storage all the time
	w.start()
	w.clock.Advance(61 * time.Minute)
	w.settle()
	w.p.Retry(pipeline.Receipt{Device: f.device, Seq: 1, ID: unread})
	if s := last(unread); s.Of != sent {
		t.Errorf("content that was kept is not found: %+v", s)
	}
	if s := open(kept); s.Of != read || s.Brief || s.Opaque != opaque.Opaque || s.OpaqueAt != 0 {
		t.Errorf("of a message with storage: %+v", s)
	}
	w.projected()
	w.kill()
	storage(w, 61*time.Minute, 0)
	w.start()
	for _, id := range brief {
		if s := open(id); s.Of != read || !s.Brief || s.Opaque != "" || len(s.SealedOpaque) > 0 {
			t.Errorf("of a message without storage: %+v", s)
		}
	}
}

// Callback data lives for an hour after the message was accepted, however late in that hour it is told.
func TestStatusesSayHowOldTheirCallbackDataIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withoutStorage)
	f := w.phone(ana)
	f.say(shop, "hi")
	w.settle()
	m := text(ana, "x")
	m.Opaque = "of the shop"
	at := w.clock.Now().UnixMilli()
	with, without := w.accept(m), w.accept(text(ana, "y"))
	w.settle()
	w.clock.Advance(59 * time.Minute)
	w.p.Receipts([]pipeline.Receipt{{Device: f.device, ID: with, Step: pipeline.Opened}, {Device: f.device, ID: without, Step: pipeline.Opened}})
	w.settle()
	for _, s := range w.ladder(with, accepted, sent, delivered, read) {
		if s.Opaque != m.Opaque && len(s.SealedOpaque) == 0 || s.OpaqueAt != at {
			t.Errorf("%v: %q since %d, want %d", s.Of, s.Opaque, s.OpaqueAt, at)
		}
	}
	for _, s := range w.ladder(without, accepted, sent, delivered, read) {
		if len(s.SealedOpaque) > 0 || s.OpaqueAt != 0 {
			t.Errorf("%v: %d bytes since %d, there are none", s.Of, len(s.SealedOpaque), s.OpaqueAt)
		}
	}
}
