package network_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/network/networktest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestNothingBehindAnUnresolvedPosition(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	s := networktest.NewSink(0)
	w.attach(t, d, 0, s)
	for range 4 {
		w.reserve(t, d)
	}
	w.box.Put([]*network.Item{item(d, 2), item(d, 4)})
	if got := items(t, s); len(got) != 0 {
		t.Fatalf("got %v while 1 is unresolved", seqs(got))
	}
	w.box.Skip(d, 1)
	if got := seqs(items(t, s)); !slices.Equal(got, []uint64{2}) {
		t.Fatalf("got %v, want 2", got)
	}
	w.box.Put([]*network.Item{item(d, 3)})
	if got := seqs(items(t, s)); !slices.Equal(got, []uint64{3, 4}) {
		t.Fatalf("got %v, want 3 4", got)
	}
}

func TestWindowHoldsBackWhatIsUnacknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	s := networktest.NewSink(0)
	l := w.attach(t, d, 0, s)
	var list []*network.Item
	for range frame.Window + 30 {
		list = append(list, item(d, w.reserve(t, d)))
	}
	w.box.Put(list)
	frames, _ := s.Take()
	n := 0
	for _, f := range frames {
		if d, ok := f.(*frame.Deliver); ok {
			if len(d.Items) > frame.MaxItems {
				t.Errorf("%d items in a frame", len(d.Items))
			}
			n += len(d.Items)
		}
	}
	if n != frame.Window {
		t.Fatalf("%d items pushed, want %d", n, frame.Window)
	}
	l.Send(t.Context(), &frame.Ack{Seq: 10})
	if got := items(t, s); len(got) != 10 {
		t.Fatalf("%d items after acknowledging 10", len(got))
	}
}

func TestAwayDeviceKeepsNothingInMemoryOnceStored(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	var list []*network.Item
	var refs []network.Ref
	for range 700 {
		seq := w.reserve(t, d)
		list = append(list, item(d, seq))
		refs = append(refs, network.Ref{Device: d, Seq: seq})
	}
	w.box.Stored(refs[:1]) // the projector may be first
	w.box.Put(list)
	if n := w.box.Held(); n != 699 {
		t.Fatalf("%d positions in memory before the projector has them, want 699", n)
	}
	w.store.Apply(list, nil)
	w.box.Stored(refs[1:])
	if n := w.box.Held(); n != 0 {
		t.Fatalf("%d positions in memory, want 0", n)
	}
	s := networktest.NewSink(0)
	l := w.attach(t, d, 0, s)
	var got []uint64
	for range 3 {
		w.box.Settle()
		got = append(got, seqs(items(t, s))...)
		l.Send(t.Context(), &frame.Ack{Seq: uint64(len(got))})
	}
	if len(got) != 700 || !slices.IsSorted(got) {
		t.Fatalf("%d items came back", len(got))
	}
	h := w.lanes.Until(deadline(t), func(h networktest.Heard) bool { return len(h.Acks) >= 700 })
	if len(h.Acks) != 700 {
		t.Fatalf("%d acknowledgements", len(h.Acks))
	}
}

func TestFullMailboxRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(func(c *network.MailboxConfig) { c.Items = 3 })
	defer w.stop(t)
	d := w.user(t, "15550142233")
	var list []*network.Item
	for range 3 {
		list = append(list, item(d, w.reserve(t, d)))
	}
	w.box.Put(list)
	if _, err := w.box.Reserve(d); !errors.Is(err, network.ErrFull) {
		t.Fatalf("got %v, want full", err)
	}
	w.store.Apply(list, nil)
	w.box.Stored([]network.Ref{{Device: d, Seq: 1}, {Device: d, Seq: 2}, {Device: d, Seq: 3}})
	w.store.Apply(nil, []network.Ref{{Device: d, Seq: 1}}) // expired: the projector removed it
	w.clock.Advance(2 * time.Minute)
	if seq := w.reserve(t, d); seq != 4 {
		t.Fatalf("reserved %d after room was made, want 4", seq)
	}
	w.box.Skip(d, 4)
}

func TestExpiredItemsAreNotPushed(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	for i := range 3 {
		it := item(d, w.reserve(t, d))
		if i == 1 {
			it.Expires = start.Add(time.Hour).UnixMilli()
		}
		w.box.Put([]*network.Item{it})
	}
	w.clock.Advance(time.Hour)
	s := networktest.NewSink(0)
	w.attach(t, d, 0, s)
	if got := seqs(items(t, s)); !slices.Equal(got, []uint64{1, 3}) {
		t.Fatalf("got %v, want 1 3", got)
	}
}

// An item that fits into no frame would end every connection at its turn: it must not hold up what comes behind it.
func TestItemBeyondAFrameIsSkipped(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	s := networktest.NewSink(0)
	w.attach(t, d, 0, s)
	list := []*network.Item{item(d, w.reserve(t, d)), item(d, w.reserve(t, d)), item(d, w.reserve(t, d))}
	list[1].Cipher = make([]byte, frame.MaxFrame)
	w.box.Put(list)
	if got := seqs(items(t, s)); !slices.Equal(got, []uint64{1, 3}) {
		t.Fatalf("got %v, want 1 3", got)
	}
}

func TestRegisteringAgainVoidsOldItems(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	s := networktest.NewSink(0)
	w.attach(t, d, 0, s)
	w.reserve(t, d)
	w.reserve(t, d)
	w.box.Put([]*network.Item{item(d, 1)})
	var changes []network.Change
	w.dir.OnChange(func(c network.Change) { changes = append(changes, c) })
	keys := networktest.NewKeys(0)
	u, err := w.dir.Register(t.Context(), "15550142233", "", &keys.Device)
	if err != nil {
		t.Fatal(err)
	}
	if _, code := s.Take(); code != frame.CloseRemoved {
		t.Errorf("old connection closed with %d", code)
	}
	if len(changes) != 1 || changes[0].Kind != network.DeviceReplaced || !changes[0].Identity || u.Name != "Ann" {
		t.Errorf("changes %+v, user %+v", changes, u)
	}
	w.box.Put([]*network.Item{item(d, 2)}) // encrypted for the old keys
	seq := w.reserve(t, d)
	w.box.Put([]*network.Item{item(d, seq)})
	s = networktest.NewSink(0)
	w.attach(t, d, 0, s)
	frames, _ := s.Take()
	if wel, ok := frames[0].(*frame.Welcome); !ok || wel.LastSeq != 2 {
		t.Errorf("first frame %+v, want Welcome at 2", frames[0])
	}
	if del, ok := frames[1].(*frame.Deliver); !ok || len(del.Items) != 1 || del.Items[0].Seq != 3 {
		t.Errorf("then %+v, want item 3", frames[1])
	}
}

func TestRetriedItemIsNoDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	s := networktest.NewSink(0)
	l := w.attach(t, d, 0, s)
	w.reserve(t, d)
	w.reserve(t, d)
	w.box.Put([]*network.Item{item(d, 1), item(d, 2)})
	l.Send(t.Context(), &frame.Retry{Seq: 1, ID: "wamid.1", Reason: frame.RetryBadMAC})
	l.Send(t.Context(), &frame.Ack{Seq: 2, Read: []string{"wamid.2", "wamid.0"}})
	h := w.lanes.Until(deadline(t), func(h networktest.Heard) bool {
		return len(h.Acks) == 2 && len(h.Retries) == 1 && len(h.Receipts) == 1
	})
	if len(h.Acks) != 2 || !h.Acks[0].Retried || h.Acks[0].Read || h.Acks[1].Retried || !h.Acks[1].Read {
		t.Errorf("acks %+v", h.Acks)
	}
	if len(h.Retries) != 1 || h.Retries[0].ID != "wamid.1" {
		t.Errorf("retries %+v", h.Retries)
	}
	if len(h.Receipts) != 1 || !slices.Equal(h.Receipts[0].IDs, []wa.MessageID{"wamid.0"}) {
		t.Errorf("receipts %+v: what was acknowledged before is a receipt", h.Receipts)
	}
}

func TestIdleMailboxesAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(func(c *network.MailboxConfig) { c.Boxes = 64 })
	defer w.stop(t)
	var ids []wa.DeviceID
	for i := range 2000 {
		ids = append(ids, wa.DeviceID(string(rune('0'+i%10))+string(rune('a'+i/10%26))+string(rune('a'+i/260))+".1"))
	}
	if err := w.box.Prepare(context.Background(), ids); err != nil {
		t.Fatal(err)
	}
	if n := w.box.Boxes(); n > 2*64 {
		t.Errorf("%d mailboxes in memory", n)
	}
}

// The device acknowledged, but the projector is behind: a mailbox made anew from the store would give the position again.
func TestPositionIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(func(c *network.MailboxConfig) { c.Boxes = 64 })
	defer w.stop(t)
	d := w.user(t, "15550142233")
	l := w.attach(t, d, 0, networktest.NewSink(0))
	w.box.Put([]*network.Item{item(d, w.reserve(t, d))})
	l.Send(t.Context(), &frame.Ack{Seq: 1})
	l.Close()
	crowd := func(from int) {
		var ids []wa.DeviceID
		for i := range 1000 {
			ids = append(ids, wa.NewDeviceID(wa.WaID(strconv.Itoa(from+i)), 1))
		}
		if err := w.box.Prepare(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
	}
	crowd(1000)
	if seq := w.reserve(t, d); seq != 2 {
		t.Fatalf("reserved %d, want 2", seq)
	}
	w.box.Skip(d, 2)
	w.store.Apply([]*network.Item{item(d, 1)}, []network.Ref{{Device: d, Seq: 1}})
	w.box.Stored([]network.Ref{{Device: d, Seq: 1}})
	crowd(5000)
	if _, err := w.box.Reserve(d); !errors.Is(err, network.ErrUnprepared) {
		t.Fatalf("mailbox is still in memory: %v", err)
	}
	if seq := w.reserve(t, d); seq != 2 {
		t.Fatalf("reserved %d from the store, want 2", seq)
	}
	w.box.Skip(d, 2)
}

func BenchmarkItem(b *testing.B) {
	w := newWorld(nil)
	defer w.stop(b)
	d := w.user(b, "15550142233")
	s := networktest.NewSink(0)
	l := w.attach(b, d, 0, s)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		seq := w.reserve(b, d)
		w.box.Put([]*network.Item{item(d, seq)})
		l.Send(ctx, &frame.Ack{Seq: seq})
		s.Take()
		w.box.Stored([]network.Ref{{Device: d, Seq: seq}})
	}
}

func TestUnreadableStoreEndsTheConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	it := item(d, w.reserve(t, d))
	w.box.Put([]*network.Item{it})
	w.store.Apply([]*network.Item{it}, nil)
	w.box.Stored([]network.Ref{{Device: d, Seq: 1}})
	var attached sync.WaitGroup // the read begins inside attach, which needs the store itself
	attached.Add(1)
	w.store.BeforeRead = func() { attached.Wait() }
	s := networktest.NewSink(0)
	w.attach(t, d, 0, s)
	w.store.Break(errors.New("disk on fire"))
	attached.Done()
	w.box.Settle()
	if _, code := s.Take(); code != frame.CloseGoingAway {
		t.Fatalf("closed with %d", code)
	}
	w.store.Break(nil)
	s = networktest.NewSink(0)
	w.attach(t, d, 0, s)
	w.box.Settle()
	if got := seqs(items(t, s)); !slices.Equal(got, []uint64{1}) {
		t.Errorf("after the store came back: %v", got)
	}
}
