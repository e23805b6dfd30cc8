package pipeline_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	accepted  = record.KindAccepted
	sent      = record.KindSent
	delivered = record.KindDelivered
	read      = record.KindRead
	failed    = record.KindFailed
	dropped   = record.KindDropped
)

func (w *world) ladder(id wa.MessageID, want ...record.Kind) []*record.Status {
	w.tb.Helper()
	kinds, list := w.statuses(id)
	if !slices.Equal(kinds, want) {
		w.tb.Fatalf("the journal has %v, want %v", kinds, want)
	}
	return list
}

func TestLadder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.numbers.change(shop, func(n *business.Number) { n.IdentityCheck = true })
	f := w.phone(ana)
	f.say(shop, "hi")
	w.clock.Advance(time.Minute)
	m := text(ana, "hello")
	m.Opaque = "order:7"
	id := w.accept(m)
	w.settle()
	w.clock.Advance(time.Second)
	w.p.Receipts([]pipeline.Receipt{{Device: f.device, ID: id, Step: pipeline.Opened}})
	w.settle()
	list := w.ladder(id, accepted, sent, delivered, read)

	hash := signal.IdentityHash(f.local.Key.Public())
	for i, s := range list {
		if s.Number != shop || s.WABA != "waba-1" || s.To != ana || s.Type != "text" || s.Opaque != "order:7" ||
			len(s.SealedOpaque) == 0 || s.Profile != "Name of "+string(ana) || s.IdentityHash != hash {
			t.Errorf("status %d is %+v", i, s)
		}
		if s.Category != "service" || s.PricingType != "free_customer_service" || s.Billable {
			t.Errorf("status %d is priced %s %s %v", i, s.Category, s.PricingType, s.Billable)
		}
		if want := i < 2; s.Priced != want { // sent and the first of delivered and read
			t.Errorf("status %d carries pricing: %v", i, s.Priced)
		}
	}
	if end := epoch.Add(24 * time.Hour).UnixMilli(); list[0].Conversation != end || list[1].Conversation != 0 {
		t.Errorf("conversation ends %d and %d, want %d and 0", list[0].Conversation, list[1].Conversation, end)
	}
	if list[0].At != epoch.Add(time.Minute).UnixMilli() || list[2].At != list[0].At+1000 {
		t.Errorf("times are %d, %d, %d", list[0].At, list[1].At, list[2].At)
	}
	if list[1].Device != f.device || list[1].Seq != 1 || list[0].Seq != 0 || list[2].Seq != 0 {
		t.Errorf("acknowledged %s %d", list[1].Device, list[1].Seq)
	}
	sealed := of[*record.Sealed](w.records())
	if len(sealed) != 1 || sealed[0].ID != id || sealed[0].Seq != 1 || sealed[0].Attempt != 0 || len(sealed[0].Session) == 0 {
		t.Errorf("sealed %+v", sealed)
	}
	row := w.row(id)
	if row.State != pipeline.StateRead || row.Content != nil || !row.PricedOnce || row.DeliveredAt == 0 || row.ReadAt == 0 {
		t.Errorf("the store shows %+v", row)
	}
	if left, err := w.store.MailboxAfter(t.Context(), f.device, 0, 10); err != nil || len(left) != 0 {
		t.Errorf("mailbox keeps %d items, %v", len(left), err)
	}
}

func TestReadAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.say(shop, "hi")
	f.step = pipeline.Shown
	id := w.accept(text(ana, "hello"))
	w.settle()
	list := w.ladder(id, accepted, sent, read)
	if !list[0].Priced || !list[1].Priced {
		t.Error("read without delivered before it carries the pricing")
	}
	// Whatever comes later, each status is told once.
	for _, step := range []pipeline.Step{pipeline.Stored, pipeline.Shown, pipeline.Opened, pipeline.Skipped, pipeline.Heard} {
		w.p.Receipts([]pipeline.Receipt{{Device: f.device, Seq: 1, ID: id, Number: shop, Step: step}})
	}
	w.settle()
	w.ladder(id, accepted, sent, read)
}

func TestReceiptsOfOthersChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, other := w.phone(ana), w.phone(bob)
	in := f.say(shop, "hi")
	f.switchOn(false)
	id := w.accept(text(ana, "hello"))
	w.settle()
	w.p.Receipts([]pipeline.Receipt{
		{Device: other.device, ID: id, Step: pipeline.Opened},
		{Device: f.device, ID: in, Step: pipeline.Opened},
		{Device: f.device, ID: "wamid.unknown", Step: pipeline.Opened},
		{Device: f.device, ID: id, Step: pipeline.Skipped},
	})
	w.settle()
	w.ladder(id, accepted, sent)
	f.switchOn(true)
	w.settle()
	w.ladder(id, accepted, sent, delivered)
}

// A device that names a message before it was sent must not stop it.
func TestReceiptBeforeSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	w.people.gate = make(chan struct{})
	id := w.accept(template(ana, "first"))
	w.p.Receipts([]pipeline.Receipt{{Device: f.device, ID: id, Step: pipeline.Opened}})
	for w.p.Counts().Accepted.Load() == 0 || w.p.Queued() > 0 {
		w.check(w.pace.Sleep(t.Context(), time.Millisecond))
	}
	close(w.people.gate)
	w.settle()
	w.ladder(id, accepted, sent, delivered)
}

func TestFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	hash := func(m *pipeline.Outgoing, h string) *pipeline.Outgoing { m.IdentityHash = h; return m }
	mine := signal.IdentityHash(f.local.Key.Public())
	w.phone(bob).removed = true
	w.phone("16505550003")
	w.p.Block("16505550003", "15550001111", true, "", func(err error) { w.check(err) })
	w.settle()
	for _, c := range []struct {
		fact string
		m    *pipeline.Outgoing
		code int
	}{
		{"window closed", text(ana, "x"), 131047},
		{"template outside of the window", template(ana, "x"), 0},
		{"nobody has the number", template("16505559999", "x"), 131026},
		{"no device", template(bob, "x"), 131026},
		{"blocked", template("16505550003", "x"), 131026},
		{"another hash", hash(template(ana, "x"), "AAAAAAAAAAA="), 137000},
		{"the hash", hash(template(ana, "x"), mine), 0},
		{"another hash and blocked", hash(template("16505550003", "x"), "AAAAAAAAAAA="), 137000},
	} {
		id := w.accept(c.m)
		w.settle()
		if c.code == 0 {
			list := w.ladder(id, accepted, sent, delivered)
			if s := list[0]; s.PricingType != message.PriceRegular || s.Category != "utility" || !s.Billable ||
				s.Conversation != s.At+message.Window.Milliseconds() {
				t.Errorf("%s: %+v", c.fact, s)
			}
			continue
		}
		list := w.ladder(id, accepted, failed)
		if s := list[0]; s.Code != c.code || s.Priced || s.Conversation != 0 || s.Details == "" {
			t.Errorf("%s: %+v, want code %d", c.fact, s, c.code)
		}
		if row := w.row(id); row.State != pipeline.StateFailed || row.Code != c.code || row.Content != nil {
			t.Errorf("%s: the store shows %+v", c.fact, row)
		}
	}
	if n := w.boxes.reserved(); n != 0 {
		t.Errorf("%d positions are neither put nor skipped", n)
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.say(shop, "hi")
	w.clock.Advance(message.Window - time.Millisecond)
	open := w.accept(text(ana, "in time"))
	w.settle()
	w.ladder(open, accepted, sent, delivered)
	w.clock.Advance(time.Millisecond)
	late := w.accept(text(ana, "late"))
	w.settle()
	w.ladder(late, accepted, failed)
	utility := w.accept(template(ana, "x"))
	f.say(shop, "again")
	free := w.accept(template(ana, "y"))
	w.settle()
	if s := w.ladder(utility, accepted, sent, delivered)[0]; s.PricingType != message.PriceRegular {
		t.Errorf("outside of the window: %s", s.PricingType)
	}
	if s := w.ladder(free, accepted, sent, delivered)[0]; s.PricingType != message.PriceInWindow || s.Billable {
		t.Errorf("a utility template inside of the window: %s", s.PricingType)
	}
	other := text(ana, "another number has its own window")
	other.Number = shop2
	id := w.accept(other)
	w.settle()
	w.ladder(id, accepted, failed)
}

func TestUnusableNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		fact   string
		change func(n *business.Number)
		code   error
	}{
		{"unregistered", func(n *business.Number) { n.Registered = false }, wa.ErrNotRegistered},
		{"upgrading", func(n *business.Number) { n.MaintenanceUntil = epoch.Add(time.Second) }, wa.ErrMaintenance},
	} {
		w.numbers.change(shop, c.change)
		if _, err := w.p.Accept(t.Context(), text(ana, "x")); err == nil || !errorIs(err, c.code) {
			t.Errorf("%s: %v", c.fact, err)
		}
		w.numbers.change(shop, func(n *business.Number) { n.Registered, n.MaintenanceUntil = true, time.Time{} })
	}
	m := text(ana, "x")
	m.Number = "1"
	if _, err := w.p.Accept(t.Context(), m); !errorIs(err, wa.ErrNumberDeleted) {
		t.Errorf("deleted: %v", err)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	f.switchOn(false)
	m := template(ana, "soon gone")
	m.Life = 10 * time.Minute
	id, kept := w.accept(m), w.accept(template(ana, "kept"))
	w.projected()
	w.clock.Advance(9 * time.Minute)
	w.projected()
	w.ladder(id, accepted, sent)
	for range 3 {
		w.check(w.clock.BlockUntil(t.Context(), 2))
		w.clock.Advance(time.Minute)
		w.projected()
	}
	w.ladder(id, accepted, sent, dropped)
	w.ladder(kept, accepted, sent)
	if row := w.row(id); row.State != pipeline.StateDropped || row.Content != nil {
		t.Errorf("the store shows %+v", row)
	}
	if n := w.p.Counts().Dropped.Load(); n != 1 {
		t.Errorf("%d dropped", n)
	}
}
