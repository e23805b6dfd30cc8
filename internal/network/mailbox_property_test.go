package network_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/network/networktest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// phone is a device with its own memory, and everything that is true of its mailbox.
type phone struct {
	id       wa.DeviceID
	link     *network.Link
	sink     *networktest.Sink
	last     uint64   // stored by the device
	got      []uint64 // received on this connection and not stored
	have     []uint64 // stored, in order
	reserved []uint64
	durable  []uint64 // in the journal, in the order of becoming so
	unput    []uint64 // durable, not given to Put yet
	unstored []uint64 // durable, not applied by the projector
	gone     map[uint64]bool
}

// machine drives a mailbox through what lanes, projector, devices and crashes can do to it.
type machine struct {
	*world
	phones []*phone
	crowds int

	mu    sync.Mutex // of the phones: held by actions, and by overtake
	raced bool
}

// step makes an action of f.
func (m *machine) step(f func(*rapid.T)) func(*rapid.T) {
	return func(t *rapid.T) {
		m.mu.Lock()
		m.raced = rapid.Bool().Draw(t, "raced")
		f(t)
		m.mu.Unlock()
		m.look(t)
	}
}

func (m *machine) pick(t *rapid.T) *phone {
	return m.phones[rapid.IntRange(0, len(m.phones)-1).Draw(t, "phone")]
}

func take(t *rapid.T, list *[]uint64) (uint64, bool) {
	if len(*list) == 0 {
		return 0, false
	}
	i := rapid.IntRange(0, len(*list)-1).Draw(t, "which")
	v := (*list)[i]
	*list = slices.Delete(*list, i, i+1)
	return v, true
}

func (m *machine) reserveSome(t *rapid.T) {
	p := m.pick(t)
	for range rapid.IntRange(1, 40).Draw(t, "count") {
		p.reserved = append(p.reserved, m.reserve(t, p.id))
	}
}

// append makes reserved items durable; put hands them over, in any order.
func (m *machine) append(t *rapid.T) {
	p := m.pick(t)
	for range rapid.IntRange(1, 30).Draw(t, "count") {
		if seq, ok := take(t, &p.reserved); ok {
			p.durable = append(p.durable, seq)
			p.unput = append(p.unput, seq)
			p.unstored = append(p.unstored, seq)
		}
	}
}

func (m *machine) put(t *rapid.T) {
	var list []*network.Item
	for range rapid.IntRange(1, 40).Draw(t, "count") {
		p := m.pick(t)
		if seq, ok := take(t, &p.unput); ok {
			list = append(list, item(p.id, seq))
		}
	}
	m.box.Put(list)
}

func (m *machine) skip(t *rapid.T) {
	p := m.pick(t)
	if seq, ok := take(t, &p.reserved); ok {
		m.box.Skip(p.id, seq)
	}
}

// project applies some durable items, and some acknowledgements, to the store.
func (m *machine) project(t *rapid.T) {
	p := m.pick(t)
	var list []*network.Item
	var refs, gone []network.Ref
	for range rapid.IntRange(1, 60).Draw(t, "count") {
		if seq, ok := take(t, &p.unstored); ok {
			list = append(list, item(p.id, seq))
			refs = append(refs, network.Ref{Device: p.id, Seq: seq})
		}
	}
	h := m.lanes.Until(context.Background(), func(networktest.Heard) bool { return true })
	for _, a := range h.Acks {
		if a.Device == p.id && !p.gone[a.Seq] && !slices.Contains(p.unstored, a.Seq) && rapid.Bool().Draw(t, "gone") {
			p.gone[a.Seq] = true
			gone = append(gone, network.Ref{Device: p.id, Seq: a.Seq})
		}
	}
	m.store.Apply(list, gone)
	m.box.Stored(refs)
}

// overtake lets the projector finish while a mailbox reads the store.
func (m *machine) overtake() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.raced {
		return
	}
	for _, p := range m.phones {
		var list []*network.Item
		var refs []network.Ref
		for _, seq := range p.unstored {
			list = append(list, item(p.id, seq))
			refs = append(refs, network.Ref{Device: p.id, Seq: seq})
		}
		p.unstored = nil
		m.store.Apply(list, nil)
		m.box.Stored(refs)
	}
}

// crowd makes the mailboxes of other devices push idle ones out of the memory.
func (m *machine) crowd(t *rapid.T) {
	ids := make([]wa.DeviceID, 400)
	for i := range ids {
		ids[i] = wa.NewDeviceID(wa.WaID(strconv.Itoa(m.crowds*len(ids)+i)), 1)
	}
	m.crowds++
	if err := m.box.Prepare(context.Background(), ids); err != nil {
		t.Fatalf("prepare: %v", err)
	}
}

func (m *machine) connect(t *rapid.T) {
	p := m.pick(t)
	p.got = nil // what was not stored is lost
	p.sink = networktest.NewSink(rapid.SampledFrom([]int{0, 2}).Draw(t, "room"))
	p.link = m.attach(t, p.id, p.last, p.sink)
}

func (m *machine) disconnect(t *rapid.T) {
	p := m.pick(t)
	if p.link != nil {
		p.link.Close()
		p.link, p.got = nil, nil
	}
}

// commit stores a part of what was received; the acknowledgement may be lost.
func (m *machine) commit(t *rapid.T) {
	p := m.pick(t)
	n := rapid.IntRange(0, len(p.got)).Draw(t, "stored")
	if n == 0 {
		return
	}
	p.have = append(p.have, p.got[:n]...)
	p.last = p.got[n-1]
	p.got = p.got[n:]
	if rapid.IntRange(0, 3).Draw(t, "lost") > 0 {
		p.link.Send(context.Background(), &frame.Ack{Seq: p.last})
	}
}

// crash ends the process: reserved positions are forgotten, the journal is not. The projector catches up before anything
// else happens.
func (m *machine) crash(t *rapid.T) {
	m.stop(t)
	for _, p := range m.phones {
		var list []*network.Item
		for _, seq := range p.unstored {
			list = append(list, item(p.id, seq))
		}
		m.store.Apply(list, nil)
		p.unstored, p.unput, p.reserved, p.link, p.got = nil, nil, nil, nil, nil
	}
	m.boot()
}

// look takes what arrived and checks order and completeness.
func (m *machine) look(t *rapid.T) {
	m.box.Settle()
	for _, p := range m.phones {
		for p.link != nil {
			list := items(t, p.sink)
			for _, it := range list {
				before := p.last
				if len(p.got) > 0 {
					before = p.got[len(p.got)-1]
				}
				if it.Seq <= before {
					t.Fatalf("%s got %d after %d", p.id, it.Seq, before)
				}
				if !slices.Contains(p.durable, it.Seq) {
					t.Fatalf("%s got %d, which is not durable", p.id, it.Seq)
				}
				for s := before + 1; s < it.Seq; s++ {
					if slices.Contains(p.durable, s) || slices.Contains(p.reserved, s) {
						t.Fatalf("%s got %d before %d", p.id, it.Seq, s)
					}
				}
				p.got = append(p.got, it.Seq)
			}
			p.link.Resume()
			m.box.Settle()
			if len(list) == 0 {
				break
			}
		}
	}
}

// finish resolves everything and lets the devices drain their mailboxes.
func (m *machine) finish(t *rapid.T) {
	for _, p := range m.phones {
		var list []*network.Item
		for _, seq := range p.unput {
			list = append(list, item(p.id, seq))
		}
		for _, seq := range p.reserved {
			m.box.Skip(p.id, seq)
		}
		p.reserved = nil
		m.box.Put(list)
		p.got, p.sink = nil, networktest.NewSink(0)
		p.link = m.attach(t, p.id, p.last, p.sink)
		m.look(t)
		for len(p.got) > 0 {
			p.have = append(p.have, p.got...)
			p.last = p.got[len(p.got)-1]
			p.got = nil
			p.link.Send(context.Background(), &frame.Ack{Seq: p.last})
			m.look(t)
		}
		slices.Sort(p.durable)
		if !slices.Equal(p.have, p.durable) {
			t.Fatalf("%s has %v, sent was %v", p.id, p.have, p.durable)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	m.lanes.Until(ctx, func(h networktest.Heard) bool { return m.unreported(h) == "" })
	if missing := m.unreported(m.lanes.Until(ctx, func(networktest.Heard) bool { return true })); missing != "" {
		t.Fatalf("lanes never heard of an acknowledgement: %s", missing)
	}
}

func (m *machine) unreported(h networktest.Heard) string {
	heard := make(map[network.Ref]bool)
	for _, a := range h.Acks {
		heard[network.Ref{Device: a.Device, Seq: a.Seq}] = true
	}
	for _, p := range m.phones {
		for _, seq := range p.durable {
			if !heard[network.Ref{Device: p.id, Seq: seq}] {
				return string(item(p.id, seq).ID)
			}
		}
	}
	return ""
}

func TestEveryItemOnceAndInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{world: newWorld(func(c *network.MailboxConfig) { c.Boxes, c.Kept = 64, 3 })}
		m.store.AfterRead = m.overtake
		for _, n := range []wa.WaID{"15550142231", "15550142232"} {
			m.phones = append(m.phones, &phone{id: m.user(t, n), gone: make(map[uint64]bool)})
		}
		t.Repeat(map[string]func(*rapid.T){
			"reserve": m.step(m.reserveSome), "append": m.step(m.append), "put": m.step(m.put), "skip": m.step(m.skip),
			"project": m.step(m.project), "connect": m.step(m.connect), "disconnect": m.step(m.disconnect),
			"commit": m.step(m.commit), "crash": m.step(m.crash), "crowd": m.step(m.crowd),
		})
		m.finish(t)
		m.stop(t)
	})
}
