package pipeline_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// story draws what lanes may write about a few messages, in an order that may happen.
type story struct {
	t    *rapid.T
	run  int
	recs []record.Record
	at   int64
	seq  map[wa.DeviceID]uint64
	open []*record.Sealed // sent and not acknowledged
	done []wa.MessageID   // delivered
	keys uint32
}

func (s *story) number() wa.PhoneNumberID {
	return wa.PhoneNumberID(fmt.Sprintf("%d00%d", s.run, rapid.IntRange(1, 2).Draw(s.t, "number")))
}

func (s *story) user() wa.WaID {
	return wa.WaID(fmt.Sprintf("%d55500%d", s.run, rapid.IntRange(1, 3).Draw(s.t, "user")))
}

func (s *story) bytes() []byte { return []byte(fmt.Sprint("bytes ", s.at)) }

func (s *story) write(recs ...record.Record) { s.recs = append(s.recs, recs...) }

func (s *story) id() wa.MessageID { return wa.MessageID(fmt.Sprintf("wamid.%d.%d", s.run, s.at)) }

func (s *story) step() {
	s.at += int64(rapid.IntRange(1, 3).Draw(s.t, "time"))
	switch rapid.IntRange(0, 9).Draw(s.t, "step") {
	case 0, 1, 2, 3:
		s.message()
	case 4:
		s.keys++
		n, u := s.number(), s.user()
		s.write(&record.Received{
			ID: s.id(), Number: n, WABA: "w", From: u, At: s.at, Device: wa.NewDeviceID(u, 1), ClientID: string(s.id()),
			Type: "text", Session: s.bytes(), OneTime: s.keys, SealedBody: s.bytes(),
		})
	case 5, 6:
		s.acknowledge()
	case 7:
		if len(s.done) > 0 {
			i := rapid.IntRange(0, len(s.done)-1).Draw(s.t, "which")
			s.write(&record.Status{Of: record.KindRead, ID: s.done[i], At: s.at, Category: "service"})
			s.done = slices.Delete(s.done, i, i+1)
		}
	case 8:
		n, d := s.number(), wa.NewDeviceID(s.user(), 1)
		s.seq[d]++
		s.write(&record.Marked{ID: "m", Number: n, At: s.at}, &record.Item{Number: n, Device: d, Seq: s.seq[d], At: s.at, Event: s.bytes()})
		if rapid.Bool().Draw(s.t, "acknowledged") {
			s.write(&record.Acked{Number: n, Device: d, Seq: s.seq[d], At: s.at})
		}
	default:
		s.write(&record.Blocked{Number: s.number(), User: s.user(), At: s.at, On: rapid.Bool().Draw(s.t, "on"), ByBusiness: rapid.Bool().Draw(s.t, "by")})
	}
}

func (s *story) message() {
	n, u := s.number(), s.user()
	d := wa.NewDeviceID(u, 1)
	a := &record.Accepted{
		ID: s.id(), Number: n, WABA: "w", To: u, At: s.at, Expires: s.at + 1000, Type: "text", Category: "service",
		IdentityHash: "h", PairStart: s.at, PairCount: uint32(rapid.IntRange(1, 45).Draw(s.t, "pair")), SealedBody: s.bytes(), SealedOpaque: s.bytes(),
	}
	s.write(a)
	switch rapid.IntRange(0, 5).Draw(s.t, "fate") {
	case 0:
		s.write(&record.Status{Of: record.KindFailed, ID: a.ID, At: s.at, Code: 131047, Category: "service"})
	case 1: // still waiting
	default:
		s.seq[d]++
		sealed := &record.Sealed{ID: a.ID, Number: n, Device: d, Seq: s.seq[d], At: s.at, Expires: a.Expires, Cipher: s.bytes(), Session: s.bytes()}
		s.write(sealed, &record.Status{Of: record.KindSent, ID: a.ID, At: s.at, Category: "service", PricingType: "regular", Billable: true, Priced: true})
		s.open = append(s.open, sealed)
	}
}

func (s *story) acknowledge() {
	if len(s.open) == 0 {
		return
	}
	i := rapid.IntRange(0, len(s.open)-1).Draw(s.t, "which")
	it := s.open[i]
	s.open = slices.Delete(s.open, i, i+1)
	switch rapid.IntRange(0, 4).Draw(s.t, "how") {
	case 0: // asked again
		s.seq[it.Device]++
		next := *it
		next.Seq, next.Attempt, next.Cipher, next.Session = s.seq[it.Device], it.Attempt+1, s.bytes(), s.bytes()
		s.write(&record.Acked{Number: it.Number, Device: it.Device, Seq: it.Seq, ID: it.ID, At: s.at}, &next)
		s.open = append(s.open, &next)
	case 1:
		s.write(&record.Dropped{ID: it.ID, Number: it.Number, At: s.at})
	case 2:
		s.write(&record.Status{Of: record.KindRead, ID: it.ID, At: s.at, Device: it.Device, Seq: it.Seq, Priced: true, Category: "service"})
	default:
		s.write(&record.Status{Of: record.KindDelivered, ID: it.ID, At: s.at, Device: it.Device, Seq: it.Seq, Priced: true, Category: "service"})
		s.done = append(s.done, it.ID)
	}
}

// Wherever a history is cut into frames and batches, the store shows the same in the end.
func TestBatchesDoNotMatter(t *testing.T) {
	t.Parallel()
	open := func() *store.Store {
		s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	one, many := open(), open()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		s := &story{t: rt, run: run, seq: map[wa.DeviceID]uint64{}}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			s.step()
		}
		for _, st := range []*store.Store{one, many} {
			for i := range s.keys {
				if err := st.SaveOneTime(t.Context(), wa.PhoneNumberID(fmt.Sprintf("%d001", run)), i+1, []byte("k"), time.Unix(1, 0)); err != nil {
					rt.Fatal(err)
				}
			}
		}
		var frames []*journal.Frame
		for at, rest := uint64(1), s.recs; len(rest) > 0; at++ {
			n := rapid.IntRange(1, min(6, len(rest))).Draw(rt, "frame")
			frames = append(frames, &journal.Frame{Partition: run, Seq: at, Records: rest[:n]})
			rest = rest[n:]
		}
		apply := func(st *store.Store, frames []*journal.Frame) (placed []pipeline.MailboxRef) {
			if len(frames) == 0 {
				return nil
			}
			b := pipeline.Project(run, frames)
			placed = b.Placed
			for range rapid.IntRange(1, 2).Draw(rt, "times") { // a second time changes nothing
				if err := st.Apply(t.Context(), b); err != nil {
					rt.Fatal(err)
				}
			}
			return placed
		}
		placed := apply(one, frames)
		var pieces []pipeline.MailboxRef
		for rest := frames; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "batch")
			pieces = append(pieces, apply(many, rest[:n])...)
			rest = rest[n:]
		}
		if !slices.Equal(placed, pieces) {
			rt.Fatalf("placed %v and %v", placed, pieces)
		}
		if a, b := shows(rt, one, s), shows(rt, many, s); a != b {
			rt.Fatalf("in one batch:\n%s\nin several:\n%s", a, b)
		}
	})
}

// shows is everything that the store tells about a story.
func shows(t *rapid.T, s *store.Store, st *story) string {
	ctx := t.Context()
	var out []byte
	add := func(what string, v any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		out = fmt.Appendf(out, "%s: %+v\n", what, v)
	}
	pos, err := s.Position(ctx, st.run)
	add("position", pos, err)
	ids := map[wa.MessageID]bool{}
	for _, r := range st.recs {
		switch r := r.(type) {
		case *record.Accepted:
			ids[r.ID] = true
		case *record.Received:
			ids[r.ID] = true
			k, err := s.OneTime(ctx, r.Number, r.OneTime)
			add("one-time", k, err)
		}
	}
	for at := range st.at + 1 {
		if id := wa.MessageID(fmt.Sprintf("wamid.%d.%d", st.run, at)); ids[id] {
			rows, err := s.Messages(ctx, []wa.MessageID{id})
			if len(rows) != 1 {
				t.Fatalf("%d rows of %s", len(rows), id)
			}
			add("message", *rows[0], err)
		}
	}
	pending, err := s.Pending(ctx, st.run, "", 100)
	for _, m := range pending {
		add("pending", m.ID, err)
	}
	for u := 1; u <= 3; u++ {
		user := wa.WaID(fmt.Sprintf("%d55500%d", st.run, u))
		undelivered, err := s.Undelivered(ctx, st.run, user, 100)
		for _, m := range undelivered {
			add("undelivered", m.ID, err)
		}
		items, err := s.MailboxAfter(ctx, wa.NewDeviceID(user, 1), 0, 100)
		for _, it := range items {
			add("item", *it, err)
		}
		tops, err := s.MailboxTops(ctx, []wa.DeviceID{wa.NewDeviceID(user, 1)})
		add("tops", tops[0].Seq, err)
		for n := 1; n <= 2; n++ {
			peers, err := s.Peers(ctx, []pipeline.PeerKey{{Number: wa.PhoneNumberID(fmt.Sprintf("%d00%d", st.run, n)), User: user}})
			add("peers", peers, err)
		}
	}
	return string(out)
}

// Messages of one millisecond keep the journal's order, which a restart follows.
func TestPendingKeepsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.phone(ana)
	gate := make(chan struct{})
	w.people.mu.Lock()
	w.people.gate = gate
	w.people.mu.Unlock()
	var want []wa.MessageID
	for range 40 {
		want = append(want, w.accept(template(ana, "x")))
	}
	for !w.p.Projected() {
		w.check(w.pace.Sleep(t.Context(), 10*time.Millisecond))
	}
	w.people.mu.Lock()
	w.people.gate = nil
	w.people.mu.Unlock()
	w.cut.kill()
	close(gate)
	w.kill()
	w.start()
	w.settle()
	if got := f.received(); !slices.Equal(got, want) {
		t.Errorf("came in the order %v, want %v", got, want)
	}
}
