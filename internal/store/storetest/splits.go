package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// step is one change as a record makes it. Numbers are kept small so that histories meet.
type step struct {
	message *pipeline.Message // inserted when it is the first of its id
	peer    *pipeline.PeerChange
	session *pipeline.Session
	item    *pipeline.MailboxItem
	gone    *pipeline.MailboxRef
}

// Splits is a property: a history of changes leaves the same rows wherever it is cut into batches, and these are the rows
// that the rules, written down once more here, say.
func Splits(t *testing.T, open func(testing.TB) pipeline.Store) {
	t.Helper()
	s := open(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		history := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step { return drawStep(rt, run) }), 1, 40).Draw(rt, "history")
		// A partition per run, whose names nobody else uses.
		b, known := &pipeline.Batch{Partition: run}, map[wa.MessageID]bool{}
		flush := func() {
			if err := s.Apply(context.Background(), b); err != nil {
				rt.Fatal(err)
			}
			b = &pipeline.Batch{Partition: run}
		}
		m := newModel()
		for i, st := range history {
			b.Position = uint64(i + 1)
			if st.item != nil { // positions are used once
				st.item.Seq = b.Position
			}
			if st.gone != nil { // and gone only after they came
				st.gone.Seq = min(st.gone.Seq, b.Position)
			}
			m.apply(st)
			if st.message != nil {
				c := *st.message
				switch {
				case !known[c.ID]:
					c.State = max(c.State, pipeline.StateAccepted)
					b.Insert = append(b.Insert, &c)
				default:
					b.Update = append(b.Update, &c)
				}
				known[c.ID] = true
			}
			if st.peer != nil {
				b.Peers = append(b.Peers, *st.peer)
			}
			if st.session != nil {
				b.Sessions = append(b.Sessions, *st.session)
			}
			if st.item != nil {
				b.Items = append(b.Items, st.item)
			}
			if st.gone != nil {
				b.Gone = append(b.Gone, *st.gone)
			}
			if i == len(history)-1 || rapid.Bool().Draw(rt, "cut") {
				flush()
			}
		}
		m.compare(rt, s)
	})
}

func drawStep(rt *rapid.T, run int) step {
	number := wa.PhoneNumberID(fmt.Sprint("n", run))
	user := wa.WaID(fmt.Sprintf("%d%d", run, rapid.IntRange(0, 1).Draw(rt, "user")))
	device := wa.NewDeviceID(user, uint8(rapid.IntRange(1, 2).Draw(rt, "device")))
	small := func(what string) int64 { return rapid.Int64Range(0, 3).Draw(rt, what) }
	some := func(what string) []byte {
		return rapid.SampledFrom([][]byte{nil, []byte("a"), []byte("b\x00")}).Draw(rt, what)
	}
	word := func(what string) string {
		return rapid.SampledFrom([]string{"", "x", "y", "\x00", "\xff"}).Draw(rt, what)
	}
	switch rapid.IntRange(0, 4).Draw(rt, "kind") {
	case 0:
		p := &pipeline.PeerChange{Key: pipeline.PeerKey{Number: number, User: user}, LastInbound: small("inbound"), PairStart: small("start"), PairCount: uint32(small("count"))}
		yes := rapid.SampledFrom([]*bool{nil, new(bool), new(true)})
		p.BlockedByUser, p.BlockedByBusiness = yes.Draw(rt, "by user"), yes.Draw(rt, "by business")
		return step{peer: p}
	case 1:
		return step{session: &pipeline.Session{Number: number, Device: device, State: some("state"), LastSeq: uint64(small("seq"))}}
	case 2:
		return step{item: &pipeline.MailboxItem{Device: device, Number: number, Cipher: some("cipher")}}
	case 3:
		return step{gone: &pipeline.MailboxRef{Device: device, Seq: rapid.Uint64Range(1, 40).Draw(rt, "position")}}
	}
	id, state := rapid.IntRange(0, 2).Draw(rt, "id"), pipeline.State(rapid.IntRange(0, 8).Draw(rt, "state"))
	if id == 2 { // inbound ones stay what they are
		state = pipeline.StateReceived
	}
	return step{message: &pipeline.Message{
		ID: wa.MessageID(fmt.Sprintf("m%d.%d", run, id)), Number: number, User: user, State: state, Type: word("type"), Category: word("category"), PricingType: word("pricing"),
		Billable: rapid.Bool().Draw(rt, "billable"), PricedOnce: rapid.Bool().Draw(rt, "priced"), IdentityHash: word("hash"),
		SentAt: small("sent"), DeliveredAt: small("delivered"), ReadAt: small("read"), PlayedAt: small("played"), FailedAt: small("failed"),
		Expires: small("expires"), Code: int(small("code")), Attempt: uint32(small("attempt")), Device: device, ClientID: word("client"),
		Content: some("content"), Opaque: some("opaque"),
	}}
}

// model is the store as the comments of pipeline.Batch describe it.
type model struct {
	messages map[wa.MessageID]*pipeline.Message
	peers    map[pipeline.PeerKey]*pipeline.Peer
	items    map[pipeline.MailboxRef]*pipeline.MailboxItem
}

func newModel() *model {
	return &model{map[wa.MessageID]*pipeline.Message{}, map[pipeline.PeerKey]*pipeline.Peer{}, map[pipeline.MailboxRef]*pipeline.MailboxItem{}}
}

func (m *model) apply(st step) {
	switch {
	case st.message != nil:
		m.message(*st.message)
	case st.peer != nil:
		c, p := st.peer, m.peer(st.peer.Key)
		p.LastInbound = max(p.LastInbound, c.LastInbound)
		if c.PairCount > 0 {
			p.PairStart, p.PairCount = c.PairStart, c.PairCount
		}
		if c.BlockedByUser != nil {
			p.BlockedByUser = *c.BlockedByUser
		}
		if c.BlockedByBusiness != nil {
			p.BlockedByBusiness = *c.BlockedByBusiness
		}
	case st.session != nil:
		m.session(st.session)
	case st.item != nil:
		m.items[pipeline.MailboxRef{Device: st.item.Device, Seq: st.item.Seq}] = st.item
	case st.gone != nil:
		delete(m.items, *st.gone)
	}
}

func (m *model) message(u pipeline.Message) {
	old, ok := m.messages[u.ID]
	if !ok {
		u.State = max(u.State, pipeline.StateAccepted)
		old = &u
		m.messages[u.ID] = old
	} else {
		if old.State != pipeline.StateFailed && old.State != pipeline.StateDropped && u.State > old.State {
			old.State = u.State
		}
		for _, f := range []struct{ old, new *string }{
			{&old.Type, &u.Type},
			{&old.Category, &u.Category},
			{&old.PricingType, &u.PricingType},
			{&old.IdentityHash, &u.IdentityHash},
			{&old.ClientID, &u.ClientID},
		} {
			*f.old = cmp.Or(*f.new, *f.old)
		}
		for _, f := range []struct{ old, new *int64 }{
			{&old.SentAt, &u.SentAt},
			{&old.DeliveredAt, &u.DeliveredAt},
			{&old.ReadAt, &u.ReadAt},
			{&old.PlayedAt, &u.PlayedAt},
			{&old.FailedAt, &u.FailedAt},
			{&old.Expires, &u.Expires},
		} {
			*f.old = cmp.Or(*f.new, *f.old)
		}
		old.User, old.Device, old.Code, old.Attempt = cmp.Or(u.User, old.User), cmp.Or(u.Device, old.Device), cmp.Or(u.Code, old.Code), cmp.Or(u.Attempt, old.Attempt)
		old.Billable, old.PricedOnce = old.Billable || u.Billable, old.PricedOnce || u.PricedOnce
		if u.Opaque != nil {
			old.Opaque = u.Opaque
		}
		if u.Content != nil {
			old.Content = u.Content
		}
	}
	switch old.State {
	case pipeline.StateDelivered, pipeline.StateRead, pipeline.StatePlayed, pipeline.StateFailed, pipeline.StateDropped:
		old.Content = nil
	}
}

func (m *model) peer(k pipeline.PeerKey) *pipeline.Peer {
	if m.peers[k] == nil {
		m.peers[k] = &pipeline.Peer{Key: k}
	}
	return m.peers[k]
}

func (m *model) session(e *pipeline.Session) {
	p := m.peer(pipeline.PeerKey{Number: e.Number, User: e.Device.User()})
	i := slices.IndexFunc(p.Sessions, func(o pipeline.Session) bool { return o.Device == e.Device })
	if i < 0 {
		p.Sessions = append(p.Sessions, *e)
		slices.SortFunc(p.Sessions, func(a, b pipeline.Session) int { return cmp.Compare(a.Device, b.Device) })
		return
	}
	o := &p.Sessions[i]
	o.LastSeq = max(o.LastSeq, e.LastSeq)
	if e.State != nil {
		o.State = e.State
	}
}

func (m *model) compare(rt *rapid.T, s pipeline.Store) {
	ctx := context.Background()
	for id, want := range m.messages {
		got, err := s.Messages(ctx, []wa.MessageID{id})
		if err != nil || len(got) != 1 {
			rt.Fatalf("message %s: %v, %v", id, got, err)
		}
		if g, w := fmt.Sprintf("%+v", *got[0]), fmt.Sprintf("%+v", *want); g != w {
			rt.Fatalf("message:\n got %s\nwant %s", g, w)
		}
	}
	for k, want := range m.peers {
		got, err := s.Peers(ctx, []pipeline.PeerKey{k})
		if err != nil || len(got) != 1 {
			rt.Fatalf("pair %v: %v, %v", k, got, err)
		}
		if g, w := fmt.Sprintf("%+v", got[0]), fmt.Sprintf("%+v", *want); g != w {
			rt.Fatalf("pair:\n got %s\nwant %s", g, w)
		}
	}
	box, ok := s.(network.MailboxStore)
	if !ok {
		return
	}
	devices := map[wa.DeviceID]int{}
	for ref := range m.items {
		devices[ref.Device]++
	}
	for d, n := range devices {
		got, err := box.MailboxAfter(ctx, d, 0, 1000)
		if err != nil || len(got) != n {
			rt.Fatalf("mailbox of %s has %d items, want %d: %v", d, len(got), n, err)
		}
		for _, it := range got {
			want := m.items[pipeline.MailboxRef{Device: d, Seq: it.Seq}]
			if want == nil || fmt.Sprintf("%+v", pipeline.MailboxItem(*it)) != fmt.Sprintf("%+v", *want) {
				rt.Fatalf("item: got %+v, want %+v", it, want)
			}
		}
	}
}
