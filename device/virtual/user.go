package virtual

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// again is the pause before a failed connection is tried again.
const again = time.Second

// user is one virtual user.
type user struct {
	f     *Fleet
	waID  string
	shard *shard

	mu        sync.Mutex
	name      string
	d         *device.Device // nil until it is registered
	conn      Conn           // nil while offline
	gen       uint32         // number of the connection
	online    bool           // wants to be connected
	turn      uint32         // number of the last change of online, so that older timers are void
	tickAt    int64          // when Device.Tick is due, Unix nanoseconds; 0 for never
	behaviour *Behaviour     // shared, never changed
	reaction  Reaction       // in place of the behaviour; nil for none
	rng       *rand.PCG
	watchers  []*watcher

	lost bool // a frame found the queue full; guarded by shard.mu
}

type watcher struct{ f func(device.Event) }

// Name is the profile name.
func (u *user) Name() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.name
}

func (u *user) installed() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.d != nil
}

// update takes what is new about a user and reports whether it still needs a device.
func (u *user) update(want *User) (fresh bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if want.Behaviour != nil {
		b := *want.Behaviour
		u.behave(&b)
	}
	if want.Name != "" && want.Name != u.name {
		u.name = want.Name
		if u.d != nil {
			if eff, err := u.d.SetProfile(frame.Profile{Name: &want.Name}); u.well(err) {
				u.carry(eff)
			}
		}
	}
	return u.d == nil
}

// behave needs mu.
func (u *user) behave(b *Behaviour) {
	before := u.behaviour.Offline
	u.behaviour = b
	if b.Offline != before && u.d != nil {
		u.setOnline(!b.Offline.Always)
	}
}

// begin connects a user that has just got its device.
func (u *user) begin() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.d != nil && u.conn == nil && !u.f.stopped() {
		u.setOnline(u.online && !u.behaviour.Offline.Always)
	}
}

// setOnline needs mu. It connects or disconnects, and arranges for the next change if the behaviour has periods.
func (u *user) setOnline(on bool) {
	u.online = on
	u.turn++
	if on {
		u.attach()
	} else {
		u.detach()
	}
	o := u.behaviour.Offline
	switch {
	case o.Every == 0:
	case on:
		half := time.Duration(o.Every) / 2
		u.after(half+time.Duration(u.random().Int64N(int64(o.Every)+1)), timer{what: whatOffline})
	default:
		u.after(time.Duration(o.For), timer{what: whatOnline})
	}
}

func (u *user) random() *rand.Rand { return rand.New(u.rng) } //nolint:gosec // behaviour, not secrets

// after needs mu.
func (u *user) after(d time.Duration, t timer) {
	t.u, t.at = u, u.f.o.Clock.Now().Add(d).UnixNano()
	if t.what == whatOnline || t.what == whatOffline {
		t.turn = u.turn
	}
	u.shard.mu.Lock()
	u.shard.later(t)
	u.shard.mu.Unlock()
	u.shard.wake()
}

// attach needs mu.
func (u *user) attach() {
	if u.conn != nil || u.d == nil {
		return
	}
	u.gen++
	gen := u.gen
	u.shard.mu.Lock()
	u.lost = false
	u.shard.mu.Unlock()
	conn, err := u.f.o.Network.Attach(u.d.ID(), u.d.ResumeSeq(), func(f frame.Frame) { u.shard.push(u, gen, f) })
	if err != nil {
		u.f.o.Logger.Warn("connect virtual user", "err", err)
		u.after(again, timer{what: whatOnline})
		return
	}
	u.conn = conn
	if eff, err := u.d.Connected(); u.well(err) {
		u.carry(eff)
	}
}

// detach needs mu.
func (u *user) detach() {
	if u.conn == nil {
		return
	}
	u.gen++ // what is still queued belongs to the old connection
	u.conn.Close()
	u.conn = nil
	u.d.Disconnected()
}

// reconnect begins a new connection after frames were dropped.
func (u *user) reconnect() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.detach()
	if u.online {
		u.attach()
	}
}

// receive takes a frame of connection gen.
func (u *user) receive(gen uint32, f frame.Frame) {
	u.f.handled.Add(1)
	u.mu.Lock()
	defer u.mu.Unlock()
	if gen != u.gen || u.conn == nil {
		return
	}
	if bye, ok := f.(*frame.Bye); ok {
		u.detach()
		u.after(time.Duration(bye.After)*time.Millisecond, timer{what: whatOnline})
		return
	}
	if eff, err := u.d.Handle(f); u.well(err) {
		u.carry(eff)
	}
}

// well logs an error of a device. Its state is in memory, so what can fail is randomness, or a full queue.
func (u *user) well(err error) bool {
	if err != nil {
		u.f.o.Logger.Warn("virtual user", "err", err)
	}
	return err == nil
}

// carry needs mu. It sends the frames, and lets the user react to what has arrived.
func (u *user) carry(eff device.Effects) {
	if u.conn != nil {
		for _, f := range eff.Frames {
			u.conn.Handle(f)
		}
	}
	var read []string // at once
	for i := range eff.Events {
		e := &eff.Events[i]
		for _, w := range u.watchers {
			w.f(*e)
		}
		switch {
		case e.Kind == device.EventGone:
			u.detach()
		case e.Kind == device.EventMessage && e.Message.Direction == device.In:
			read = u.react(e.Message, read)
		}
	}
	if len(read) > 0 {
		if eff, err := u.d.MarkRead(read...); u.well(err) {
			u.carry(eff)
		}
	}
	u.plan()
}

// plan needs mu. It arranges for the device's next tick. A timer that turns out too early asks again, so that a user has
// one timer for this, not one for every change of mind.
func (u *user) plan() {
	due := u.d.Due()
	if due.IsZero() {
		return
	}
	if at := due.UnixNano(); u.tickAt == 0 || at < u.tickAt {
		u.tickAt = at
		u.shard.mu.Lock()
		u.shard.later(timer{at: at, u: u, what: whatTick})
		u.shard.mu.Unlock()
	}
}

func (u *user) readAtOnce(*device.Message) bool {
	b := u.behaviour
	return b.ReadAtOnce && u.reaction == nil && chance(u.random(), b.ReadRate)
}

// react needs mu. It does at once what is to be done at once, except reading, whose ids it collects.
func (u *user) react(m *device.Message, read []string) []string {
	var buffer [4]Action
	var list []Action
	rng := u.random()
	switch {
	case u.reaction != nil:
		list = u.reaction(rng, m, buffer[:0])
	case u.behaviour.ReadAtOnce && m.Status == device.Received:
		b := *u.behaviour
		b.ReadRate = 0 // decided already
		list = b.React(rng, m, buffer[:0])
	default:
		list = u.behaviour.React(rng, m, buffer[:0])
	}
	for _, a := range list {
		if a.Do == DoRead && a.After <= 0 {
			read = append(read, m.ID)
			continue
		}
		// Even what is due now goes through the heap: the acknowledgement of the whole frame comes first.
		u.after(a.After, timer{what: whatAct, chat: m.Chat, ids: []string{m.ID}, act: a})
	}
	return read
}

// fire does what a timer is for.
func (u *user) fire(t *timer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch t.what {
	case whatTick:
		if u.tickAt == t.at && u.d != nil {
			u.tickAt = 0
			if eff, err := u.d.Tick(); u.well(err) {
				u.carry(eff)
			}
		}
	case whatOnline:
		if t.turn == u.turn && u.conn == nil {
			u.setOnline(true)
		}
	case whatOffline:
		if t.turn == u.turn {
			u.setOnline(false)
		}
	case whatAct:
		u.act(t)
	}
}

func (u *user) watch(f func(device.Event)) (stop func()) {
	w := &watcher{f}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.watchers = append(u.watchers, w)
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.watchers = slices.DeleteFunc(u.watchers, func(x *watcher) bool { return x == w })
	}
}
