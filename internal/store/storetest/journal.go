package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func row(tb testing.TB, s pipeline.Store, id wa.MessageID) *pipeline.Message {
	tb.Helper()
	ms, err := s.Messages(context.Background(), []wa.MessageID{id})
	must(tb, err)
	if len(ms) == 0 {
		return nil
	}
	if len(ms) > 1 {
		tb.Fatalf("%d rows of %s", len(ms), id)
	}
	return ms[0]
}

func ids(ms []*pipeline.Message) string {
	var out strings.Builder
	for _, m := range ms {
		out.WriteString(string(m.ID) + " ")
	}
	return out.String()
}

// merge walks the table of rules in pipeline.Batch.
func merge(t *testing.T, s *store.Store) {
	full := pipeline.Message{
		ID: "m", Number: "1", WABA: "2", User: "15550001", State: pipeline.StateSent, Type: "text", Category: "service",
		PricingType: "regular", Billable: true, PricedOnce: true, IdentityHash: "h", AcceptedAt: 1, SentAt: 2, DeliveredAt: 3,
		ReadAt: 4, PlayedAt: 5, FailedAt: 6, Expires: 7, Code: 8, Attempt: 9, Device: "15550001.1", ClientID: "c", Template: "7", Outside: true,
		Content: []byte("body"), Opaque: []byte("opaque"),
	}
	with := func(change func(*pipeline.Message)) *pipeline.Message {
		m := full
		change(&m)
		return &m
	}
	other := pipeline.Message{
		ID: "m", Number: "11", WABA: "12", User: "15550002", Type: "image", Category: "utility", PricingType: "free", IdentityHash: "i",
		AcceptedAt: 11, SentAt: 12, DeliveredAt: 13, ReadAt: 14, PlayedAt: 15, FailedAt: 16, Expires: 17, Code: 18, Attempt: 19,
		Device: "15550002.2", ClientID: "d", Template: "8", Content: []byte("other"), Opaque: []byte("more"),
	}
	otherMerged := other
	otherMerged.State, otherMerged.Billable, otherMerged.PricedOnce, otherMerged.Outside = full.State, true, true, true
	to := func(st pipeline.State) *pipeline.Message { return &pipeline.Message{ID: "m", State: st} }
	state := func(st pipeline.State) *pipeline.Message { return with(func(m *pipeline.Message) { m.State = st }) }
	gone := func(st pipeline.State) *pipeline.Message {
		return with(func(m *pipeline.Message) { m.State, m.Content = st, nil })
	}
	for i, c := range []struct {
		name                 string
		stored, update, want *pipeline.Message
	}{
		{"zero fields leave everything", &full, &pipeline.Message{ID: "m"}, &full},
		{"other fields replace", &full, &other, &otherMerged},
		{"false does not take back", &full, with(func(m *pipeline.Message) { m.Billable, m.PricedOnce = false, false }), &full},
		{"state grows", &full, to(pipeline.StateRead), gone(pipeline.StateRead)},
		{"state does not shrink", gone(pipeline.StateRead), to(pipeline.StateDelivered), gone(pipeline.StateRead)},
		{"delivered drops the content", &full, to(pipeline.StateDelivered), gone(pipeline.StateDelivered)},
		{"content that comes late is not stored", gone(pipeline.StateDelivered), &pipeline.Message{ID: "m", Content: []byte("x")}, gone(pipeline.StateDelivered)},
		{"content that comes with delivered is not stored", state(pipeline.StateAccepted), with(func(m *pipeline.Message) { m.State = pipeline.StateDelivered }), gone(pipeline.StateDelivered)},
		{"failed ends", gone(pipeline.StateFailed), to(pipeline.StateDropped), gone(pipeline.StateFailed)},
		{"dropped ends", gone(pipeline.StateDropped), to(pipeline.StateReceived), gone(pipeline.StateDropped)},
		{"an end still takes other fields", gone(pipeline.StateFailed), &pipeline.Message{ID: "m", Code: 77}, with(func(m *pipeline.Message) { m.State, m.Content, m.Code = pipeline.StateFailed, nil, 77 })},
		{"sent keeps the content", state(pipeline.StateAccepted), to(pipeline.StateSent), &full},
		{"inbound keeps state and content", state(pipeline.StateReceived), to(pipeline.StateRead), state(pipeline.StateReceived)},
		{"a row that is new and spent has no content", state(pipeline.StateDropped), &pipeline.Message{ID: "m"}, gone(pipeline.StateDropped)},
	} {
		id := wa.MessageID(fmt.Sprintf("m%d", i))
		stored, update, want := *c.stored, *c.update, *c.want
		stored.ID, update.ID, want.ID = id, id, id
		must(t, s.Apply(t.Context(), &pipeline.Batch{Position: uint64(2*i + 1), Insert: []*pipeline.Message{&stored}}))
		must(t, s.Apply(t.Context(), &pipeline.Batch{Position: uint64(2*i + 2), Update: []*pipeline.Message{&update, {ID: "unknown", State: 4}}}))
		same(t, c.name, *row(t, s, id), want)
		// The same as one batch, as an insert of a row that exists after all, and with the row named twice.
		id2 := wa.MessageID(fmt.Sprintf("n%d", i))
		stored.ID, update.ID, want.ID = id2, id2, id2
		must(t, s.Apply(t.Context(), &pipeline.Batch{Partition: 1, Position: uint64(2*i + 1), Insert: []*pipeline.Message{&stored}}))
		must(t, s.Apply(t.Context(), &pipeline.Batch{Partition: 1, Position: uint64(2*i + 2), Insert: []*pipeline.Message{&update, &update}}))
		same(t, c.name+" (insert of a row that exists)", *row(t, s, id2), want)
	}
	if row(t, s, "unknown") != nil {
		t.Error("an update made a row")
	}
}

func clientID(t *testing.T, s *store.Store) {
	in := func(id, device, client string, at int64) *pipeline.Message {
		return &pipeline.Message{ID: wa.MessageID(id), State: pipeline.StateReceived, Device: wa.DeviceID(device), ClientID: client, AcceptedAt: at}
	}
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 1, Insert: []*pipeline.Message{
		in("a", "1.1", "x", 1), in("b", "1.1", "y", 2), in("c", "1.2", "x", 3), {ID: "d", State: pipeline.StateSent, AcceptedAt: 4},
	}}))
	for _, c := range []struct{ device, client, want string }{{"1.1", "x", "a"}, {"1.1", "y", "b"}, {"1.2", "x", "c"}, {"1.2", "y", ""}, {"", "", ""}} {
		m, err := s.ByClientID(t.Context(), wa.DeviceID(c.device), c.client)
		must(t, err)
		if (m == nil) != (c.want == "") || m != nil && string(m.ID) != c.want {
			t.Errorf("%s %s: %v, want %q", c.device, c.client, m, c.want)
		}
	}
}

// pending checks the three lists: order, pages, partitions. The order is that of the journal, also when the clock went back.
func pending(t *testing.T, s *store.Store) {
	var insert, there []*pipeline.Message
	for i := range 10 {
		m := &pipeline.Message{ID: wa.MessageID(fmt.Sprintf("p%d", (i*7)%10)), User: "1555", State: pipeline.StateAccepted, AcceptedAt: int64(10 - i/3)}
		insert = append(insert, m)
	}
	there = append(there, &pipeline.Message{ID: "elsewhere", User: "1555", State: pipeline.StateAccepted, AcceptedAt: 1})
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 1, Insert: insert}))
	must(t, s.Apply(t.Context(), &pipeline.Batch{Partition: 3, Position: 1, Insert: there}))
	got, after := "", wa.MessageID("")
	for {
		ms, err := s.Pending(t.Context(), 0, after, 4)
		must(t, err)
		if len(ms) == 0 {
			break
		}
		got += ids(ms) + "| "
		after = ms[len(ms)-1].ID
	}
	same(t, "in the order of the journal, in pages", got, "p0 p7 p4 p1 | p8 p5 p2 p9 | p6 p3 | ")
	ms, err := s.Pending(t.Context(), 3, "", 4)
	must(t, err)
	same(t, "other partition", ids(ms), "elsewhere ")

	set := func(pos uint64, id string, st pipeline.State, expires int64) {
		must(t, s.Apply(t.Context(), &pipeline.Batch{Position: pos, Update: []*pipeline.Message{{ID: wa.MessageID(id), State: st, Expires: expires}}}))
	}
	set(2, "p7", pipeline.StateSent, 50)
	set(3, "p0", pipeline.StateSent, 100)
	set(4, "p4", pipeline.StateFailed, 60)
	set(5, "p1", pipeline.StateSent, 0)
	ms, err = s.Pending(t.Context(), 0, "p0", 3) // named by a row that is not pending any more
	must(t, err)
	same(t, "pending after p0", ids(ms), "p8 p5 p2 ")
	ms, err = s.Undelivered(t.Context(), 0, "1555", 10)
	must(t, err)
	same(t, "undelivered", ids(ms), "p0 p7 p1 ")
	underway(t, s)
	if ms, err = s.Undelivered(t.Context(), 3, "1555", 10); err != nil || len(ms) != 0 {
		t.Errorf("undelivered elsewhere: %s, %v", ids(ms), err)
	}
	stranded, err := s.Stranded(t.Context(), 0)
	must(t, err)
	same(t, "stranded without a device", fmt.Sprint(stranded), "[]")
	must(t, s.Directory().Register(t.Context(), []network.NewDevice{registration("u1", "1555", 1, 0)}))
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 6, Items: []*pipeline.MailboxItem{{Device: "1555.1", Seq: 1, ID: "p0"}}}))
	stranded, err = s.Stranded(t.Context(), 0)
	must(t, err)
	same(t, "stranded: p7 and p1 are in no mailbox", fmt.Sprint(stranded), "[1555]")
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 7, Items: []*pipeline.MailboxItem{
		{Device: "1555.1", Seq: 2, ID: "p7"}, {Device: "1555.1", Seq: 3, ID: "p1"},
	}}))
	stranded, err = s.Stranded(t.Context(), 0)
	must(t, err)
	same(t, "all in the mailbox", fmt.Sprint(stranded), "[]")
	for before, want := range map[int64]string{50: "", 51: "p7 ", 1000: "p7 p0 "} {
		ms, err = s.Expired(t.Context(), 0, before, 10)
		must(t, err)
		same(t, fmt.Sprint("expired before ", before), ids(ms), want)
	}
	set(8, "p7", pipeline.StateDelivered, 0)
	ms, err = s.Expired(t.Context(), 0, 1000, 10)
	must(t, err)
	same(t, "expired after delivery", ids(ms), "p0 ")
}

func pairs(t *testing.T, s *store.Store) {
	k := pipeline.PeerKey{Number: "100", User: "1555"}
	yes, no := true, false
	pos := uint64(0)
	change := func(c pipeline.PeerChange, es ...pipeline.Session) {
		c.Key = k
		pos++
		must(t, s.Apply(t.Context(), &pipeline.Batch{Position: pos, Peers: []pipeline.PeerChange{c}, Sessions: es}))
	}
	want := func(what string, p pipeline.Peer) {
		t.Helper()
		ps, err := s.Peers(t.Context(), []pipeline.PeerKey{{Number: "100", User: "999"}, k, {Number: "101", User: "1555"}, k})
		must(t, err)
		if len(ps) != 1 {
			t.Fatalf("%s: %d pairs", what, len(ps))
		}
		p.Key = k
		same(t, what, ps[0], p)
	}
	if ps, err := s.Peers(t.Context(), nil); err != nil || len(ps) != 0 {
		t.Errorf("no keys: %v, %v", ps, err)
	}
	change(pipeline.PeerChange{LastInbound: 10, PairStart: 5})
	want("a start without a count is left out", pipeline.Peer{LastInbound: 10})
	change(pipeline.PeerChange{PairStart: 20, PairCount: 3, BlockedByUser: &yes})
	want("count", pipeline.Peer{LastInbound: 10, PairStart: 20, PairCount: 3, BlockedByUser: true})
	change(pipeline.PeerChange{LastInbound: 9, PairStart: 21, BlockedByBusiness: &yes})
	want("the latest inbound counts", pipeline.Peer{LastInbound: 10, PairStart: 20, PairCount: 3, BlockedByUser: true, BlockedByBusiness: true})
	change(pipeline.PeerChange{PairStart: 2, PairCount: 1, BlockedByUser: &no})
	want("pair goes back, user unblocks", pipeline.Peer{LastInbound: 10, PairStart: 2, PairCount: 1, BlockedByBusiness: true})

	change(pipeline.PeerChange{DeliveredAt: 30, Template: "7", TemplateAt: 30})
	change(pipeline.PeerChange{DeliveredAt: 29})
	want("last delivered", pipeline.Peer{LastInbound: 10, PairStart: 2, PairCount: 1, BlockedByBusiness: true, DeliveredAt: 30, Template: "7", TemplateAt: 30})
	change(pipeline.PeerChange{DeliveredAt: 40, Template: "8", TemplateAt: 40})

	one := pipeline.Session{Number: "100", Device: "1555.1", State: []byte("s1"), LastSeq: 7}
	two := pipeline.Session{Number: "100", Device: "1555.2", LastSeq: 3}
	change(pipeline.PeerChange{BlockedByBusiness: &no}, two, one, pipeline.Session{Number: "101", Device: "1555.1", LastSeq: 50},
		pipeline.Session{Number: "100", Device: "15551.1", LastSeq: 60})
	base := pipeline.Peer{LastInbound: 10, PairStart: 2, PairCount: 1, DeliveredAt: 40, Template: "8", TemplateAt: 40}
	base.Sessions = []pipeline.Session{one, two}
	ps, err := s.Peers(t.Context(), []pipeline.PeerKey{k, {Number: "101", User: "1555"}})
	must(t, err)
	if len(ps) != 2 {
		t.Errorf("a pair with a session alone is unknown: %v", ps)
	}
	change(pipeline.PeerChange{}, pipeline.Session{Number: "100", Device: "1555.1", LastSeq: 6}, pipeline.Session{Number: "100", Device: "1555.2", State: []byte("s2")},
		pipeline.Session{Number: "100", Device: "1555.2", LastSeq: 9})
	two.State, two.LastSeq = []byte("s2"), 9
	base.Sessions = []pipeline.Session{one, two}
	ps, err = s.Peers(t.Context(), []pipeline.PeerKey{k})
	must(t, err)
	base.Key = k
	same(t, "no state keeps the state, the highest position counts", ps, []pipeline.Peer{base})
}

// standings are written as a whole: the last of a batch counts.
func standings(t *testing.T, s *store.Store) {
	k, other := pipeline.PeerKey{Number: "100", User: "1555"}, pipeline.PeerKey{Number: "101", User: "1555"}
	full := pipeline.Standing{Key: k, ReferralAt: 1, EntryAt: 2, Hash: "h", OptedOut: true, MovedTo: "1666"}
	must(t, s.Apply(t.Context(), &pipeline.Batch{
		Position: 1, Standing: []pipeline.Standing{full, {Key: other, Hash: "x"}, {Key: other, EntryAt: 7}},
		Peers: []pipeline.PeerChange{{Key: other, LastInbound: 5}, {Key: pipeline.PeerKey{Number: "102", User: "1555"}, LastInbound: 1}},
	}))
	get := func(what string, want ...pipeline.Peer) {
		t.Helper()
		got, err := s.Peers(t.Context(), []pipeline.PeerKey{k, other})
		must(t, err)
		same(t, what, got, want)
	}
	bare := full
	bare.Key = pipeline.PeerKey{}
	get("first", pipeline.Peer{Key: k, Standing: bare}, pipeline.Peer{Key: other, LastInbound: 5, Standing: pipeline.Standing{EntryAt: 7}})
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 2, Standing: []pipeline.Standing{{Key: k, OptedOut: true}}}))
	get("replaced", pipeline.Peer{Key: k, Standing: pipeline.Standing{OptedOut: true}}, pipeline.Peer{Key: other, LastInbound: 5, Standing: pipeline.Standing{EntryAt: 7}})
	numbers, err := s.Acquainted(t.Context(), "1555")
	must(t, err)
	same(t, "acquainted", numbers, []wa.PhoneNumberID{"100", "101", "102"})
	if numbers, err = s.Acquainted(t.Context(), "999"); err != nil || len(numbers) != 0 {
		t.Errorf("nobody knows a stranger: %v, %v", numbers, err)
	}
	_, err = s.DeletePairs(t.Context(), time.UnixMilli(100))
	must(t, err)
	get("a preference outlives its pair", pipeline.Peer{Key: k, Standing: pipeline.Standing{OptedOut: true}})
}

func items(t *testing.T, s *store.Store) {
	it := func(device string, seq uint64, cipher string) *pipeline.MailboxItem {
		return &pipeline.MailboxItem{
			Device: wa.DeviceID(device), Seq: seq, ID: "m", Number: "100", At: 1, Expires: 2, PreKey: true, Silent: true, Cipher: []byte(cipher),
		}
	}
	event := &pipeline.MailboxItem{Device: "1.1", Seq: 4, Number: "100", Event: []byte("{}")}
	must(t, s.Apply(t.Context(), &pipeline.Batch{
		Position: 1, Items: []*pipeline.MailboxItem{it("1.1", 3, "c"), it("1.1", 1, "a"), it("1.1", 2, "b"), it("1.2", 9, "z"), event, it("1.1", 8, "q")},
		Gone: []pipeline.MailboxRef{{Device: "1.1", Seq: 8}},
	}))
	list := func(after uint64, limit int) string {
		var out strings.Builder
		got, err := s.MailboxAfter(t.Context(), "1.1", after, limit)
		must(t, err)
		for _, i := range got {
			fmt.Fprintf(&out, "%d%s%s ", i.Seq, i.Cipher, i.Event)
		}
		return out.String()
	}
	same(t, "all", list(0, 100), "1a 2b 3c 4{} ")
	same(t, "page", list(1, 2), "2b 3c ")
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 2, Gone: []pipeline.MailboxRef{{Device: "1.1", Seq: 2}, {Device: "1.1", Seq: 77}}}))
	same(t, "one gone", list(0, 100), "1a 3c 4{} ")
	got, err := s.MailboxAfter(t.Context(), "1.1", 0, 1)
	must(t, err)
	same(t, "fields", pipeline.MailboxItem(*got[0]), *it("1.1", 1, "a"))
	got, err = s.MailboxAfter(t.Context(), "1.1", 3, 1)
	must(t, err)
	if got[0].Cipher != nil || got[0].ID != "" || got[0].PreKey || got[0].Silent {
		t.Errorf("event: %+v", got[0])
	}
}

// again applies a batch twice, and an older one: neither has an effect.
func again(t *testing.T, s *store.Store) {
	b := &pipeline.Batch{
		Partition: 2, Position: 10, Insert: []*pipeline.Message{{ID: "m", State: pipeline.StateAccepted}},
		Items: []*pipeline.MailboxItem{{Device: "1.1", Seq: 1, Cipher: []byte("x")}},
	}
	gone := &pipeline.Batch{Partition: 2, Position: 11, Update: []*pipeline.Message{{ID: "m", Attempt: 1}}, Gone: []pipeline.MailboxRef{{Device: "1.1", Seq: 1}}}
	for _, b := range []*pipeline.Batch{b, b, gone, b, gone, {Partition: 2, Position: 3, Update: []*pipeline.Message{{ID: "m", Attempt: 7}}}} {
		must(t, s.Apply(t.Context(), b))
	}
	if got, err := s.MailboxAfter(t.Context(), "1.1", 0, 9); err != nil || len(got) != 0 {
		t.Errorf("an item came back: %v, %v", got, err)
	}
	if m := row(t, s, "m"); m.Attempt != 1 {
		t.Errorf("an old batch had an effect: %+v", m)
	}
	for partition, want := range map[int]uint64{2: 11, 0: 0} {
		if got, err := s.Position(t.Context(), partition); err != nil || got != want {
			t.Errorf("position of %d: %d, %v; want %d", partition, got, err, want)
		}
	}
}

// concurrent lets every partition apply while others read and the control plane writes.
func concurrent(t *testing.T, s *store.Store) {
	const partitions, batches, size = 4, 15, 20
	var g sync.WaitGroup
	for p := range partitions {
		g.Go(func() {
			for b := range batches {
				batch := &pipeline.Batch{Partition: p, Position: uint64(b + 1)}
				for i := range size {
					id := wa.MessageID(fmt.Sprintf("%d-%d-%d", p, b, i))
					user, number := wa.WaID(fmt.Sprint(i)), wa.PhoneNumberID(fmt.Sprint(p))
					batch.Insert = append(batch.Insert, &pipeline.Message{ID: id, State: pipeline.StateAccepted, User: user, AcceptedAt: int64(b)})
					batch.Sessions = append(batch.Sessions, pipeline.Session{Number: number, Device: wa.NewDeviceID(user, 1), LastSeq: uint64(b)})
					batch.Peers = append(batch.Peers, pipeline.PeerChange{Key: pipeline.PeerKey{Number: number, User: user}, LastInbound: int64(b)})
				}
				if err := s.Apply(t.Context(), batch); err != nil {
					t.Error(err)
					return
				}
			}
		})
		g.Go(func() {
			for i := range batches {
				if err := s.SaveNumberKeys(t.Context(), wa.PhoneNumberID(fmt.Sprint(p)), []byte{byte(i)}); err != nil {
					t.Error(err)
				}
				if _, err := s.Pending(t.Context(), p, "", 10); err != nil {
					t.Error(err)
				}
			}
		})
	}
	g.Wait()
	for p := range partitions {
		ms, err := s.Pending(t.Context(), p, "", 10_000)
		must(t, err)
		if len(ms) != batches*size {
			t.Errorf("partition %d has %d messages", p, len(ms))
		}
	}
}

// templateSends is what a store says of the messages of templates.
type templateSends interface {
	TemplatesUnderway(ctx context.Context, ids []wa.TemplateID) ([]wa.TemplateID, error)
}

// underway needs a store without messages of the templates 70 to 73.
func underway(t *testing.T, s pipeline.Store) {
	t.Helper()
	sends, ok := s.(templateSends)
	if !ok {
		return // a fake of the pipeline's
	}
	var batch pipeline.Batch
	for i, state := range []pipeline.State{pipeline.StateAccepted, pipeline.StateSent, pipeline.StateDelivered, pipeline.StateFailed} {
		batch.Insert = append(batch.Insert, &pipeline.Message{
			ID: wa.MessageID(fmt.Sprintf("t%d", i)), User: "1777", State: state, AcceptedAt: 1, Template: wa.TemplateID(fmt.Sprint(70 + i)),
		})
	}
	batch.Partition, batch.Position = 9, 1
	must(t, s.Apply(t.Context(), &batch))
	got, err := sends.TemplatesUnderway(t.Context(), []wa.TemplateID{"74", "73", "72", "71", "70"})
	must(t, err)
	same(t, "templates with messages under way", got, []wa.TemplateID{"70", "71"})
	if got, err := sends.TemplatesUnderway(t.Context(), []wa.TemplateID{"71"}); err != nil || len(got) != 1 {
		t.Errorf("one template with messages under way: %v, %v", got, err)
	}
}
