package signal_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/signal"
)

// flight is a message the model has seen sent.
type flight struct {
	parcel
	base    signal.PublicKey // state it was sent in
	ratchet signal.PublicKey
	done    bool // decrypted once
}

// side is a peer with what the model knows about it.
type side struct {
	*peer
	sent []*flight
	// Ratchet keys of the other side seen in each state, in order of arrival: a chain is kept while fewer than
	// MaxChains newer ones have arrived.
	seen map[signal.PublicKey][]signal.PublicKey
	// order of the states kept, current first: the rule "1 current + 4 archived".
	states []signal.PublicKey
}

// world is two sides and a network that loses, repeats, reorders and damages messages.
type world struct {
	t     *rapid.T
	sides [2]*side
	n     int
}

func newWorld(t *rapid.T, tb testing.TB) *world {
	w := &world{t: t}
	for i := range w.sides {
		w.sides[i] = &side{peer: newPeer(tb), seen: map[signal.PublicKey][]signal.PublicKey{}}
	}
	return w
}

// use moves a state to the front, as the sessions do.
func (s *side) use(base signal.PublicKey) {
	s.states = slices.DeleteFunc(s.states, func(b signal.PublicKey) bool { return b == base })
	s.states = slices.Insert(s.states, 0, base)
	s.states = s.states[:min(len(s.states), 1+signal.MaxArchived)]
}

func (w *world) initiate(i int) {
	s := w.sides[i]
	s.initiate(w.sides[1-i].peer)
	s.use(signal.CurrentBase(s.session))
}

func (w *world) send(i int) {
	s := w.sides[i]
	if !s.session.Ready() {
		w.initiate(i)
	}
	w.n++
	f := &flight{parcel: s.send(fmt.Sprintf("message %d", w.n)), base: signal.CurrentBase(s.session)}
	inner := f.wire
	if f.kind == signal.Pre {
		var err error
		if inner, err = signal.InnerMessage(f.wire); err != nil {
			w.t.Fatal(err)
		}
	}
	var err error
	if f.ratchet, _, err = signal.RatchetKey(inner); err != nil {
		w.t.Fatal(err)
	}
	s.sent = append(s.sent, f)
}

// readable says whether side i must be able to decrypt f, which it has not yet.
func (w *world) readable(i int, f *flight) bool {
	s := w.sides[i]
	if !slices.Contains(s.states, f.base) {
		// The state is new to s (a first message makes it) or s has dropped it.
		return f.kind == signal.Pre && len(s.seen[f.base]) == 0
	}
	keys := s.seen[f.base]
	at := slices.Index(keys, f.ratchet)
	return at < 0 || len(keys)-at <= signal.MaxChains
}

// deliver hands f, or a damaged copy, to side i and checks the outcome against the model.
func (w *world) deliver(i int, f *flight, damage func([]byte)) {
	s := w.sides[i]
	m := f.parcel
	if damage != nil {
		m.wire = slices.Clone(m.wire)
		damage(m.wire)
	}
	readable := w.readable(i, f)
	err := s.receive(m) // checks the plaintext, and that a refusal changes nothing
	switch {
	case err == nil && f.done:
		w.t.Fatalf("%q decrypted twice", f.text)
	case err == nil:
		f.done = true
		s.use(f.base)
		if !slices.Contains(s.seen[f.base], f.ratchet) {
			s.seen[f.base] = append(s.seen[f.base], f.ratchet)
		}
		if got := signal.CurrentBase(s.session); got != f.base {
			w.t.Fatalf("%q decrypted, but its state is not current", f.text)
		}
	case damage != nil:
		// Refusing is right; which error depends on the byte.
	case f.done && readable && !errors.Is(err, signal.ErrDuplicate):
		w.t.Fatalf("repeated %q: %v", f.text, err)
	case !f.done && readable:
		w.t.Fatalf("%q must decrypt: %v", f.text, err)
	}
}

// pick draws a message of side i, if it has sent any.
func (w *world) pick(i int) *flight {
	sent := w.sides[i].sent
	if len(sent) == 0 {
		w.t.Skip("nothing sent")
	}
	return sent[rapid.IntRange(0, len(sent)-1).Draw(w.t, "message")]
}

// TestRandomSchedules checks: whatever the network does, every message decrypts at most once; it does decrypt if its
// state and chain are still kept; a repeat is called one; a refusal changes nothing; storing and loading at any point
// makes no difference.
func TestRandomSchedules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, t)
		who := func() int { return rapid.IntRange(0, 1).Draw(rt, "side") }
		next := [2]int{} // next message each side receives, if in order
		rt.Repeat(map[string]func(*rapid.T){
			"send": func(*rapid.T) { w.send(who()) },
			"deliver next": func(rt *rapid.T) {
				i := who()
				if next[i] == len(w.sides[1-i].sent) {
					rt.Skip("nothing on its way")
				}
				next[i]++
				w.deliver(i, w.sides[1-i].sent[next[i]-1], nil)
			},
			"deliver any, perhaps again": func(*rapid.T) {
				i := who()
				w.deliver(i, w.pick(1-i), nil)
			},
			"lose": func(rt *rapid.T) {
				i := who()
				if next[i] < len(w.sides[1-i].sent) {
					next[i]++
				}
			},
			"damage": func(rt *rapid.T) {
				i := who()
				f := w.pick(1 - i)
				at := rapid.IntRange(0, len(f.wire)-1).Draw(rt, "position")
				bit := rapid.IntRange(0, 7).Draw(rt, "bit")
				w.deliver(i, f, func(b []byte) { b[at] ^= 1 << bit })
			},
			"save and load": func(rt *rapid.T) {
				s := w.sides[who()]
				if s.session != nil {
					s.session = reloaded(t, s.session)
				}
			},
			"confirm": func(rt *rapid.T) {
				i := who()
				s := w.sides[i]
				if !s.session.Ready() || len(w.sides[1-i].seen[signal.CurrentBase(s.session)]) == 0 {
					rt.Skip("the peer does not hold it")
				}
				s.session.Confirm()
			},
			"start again": func(rt *rapid.T) {
				if rapid.IntRange(0, 3).Draw(rt, "rarely") == 0 {
					w.initiate(who())
				}
			},
		})
	})
}

// TestInOrderDeliveryAlwaysWorks is the schedule of a mailbox: nothing lost, nothing repeated, any interleaving.
func TestInOrderDeliveryAlwaysWorks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a, b := newPeer(t), newPeer(t)
		peers, queues := [2]*peer{a, b}, [2][]parcel{}
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 3), 1, 60).Draw(rt, "steps") {
			i := step % 2
			p := peers[i]
			if step < 2 {
				if !p.session.Ready() {
					p.initiate(peers[1-i])
				}
				queues[1-i] = append(queues[1-i], p.send("x"))
			} else if len(queues[i]) > 0 {
				p.mustReceive(queues[i][0])
				queues[i] = queues[i][1:]
			}
		}
		for i, q := range queues {
			peers[i].mustReceive(q...)
		}
	})
}
