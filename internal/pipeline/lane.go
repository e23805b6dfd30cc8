package pipeline

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	// maxBurst bounds the commands a lane decides before it hands their records to the journal.
	maxBurst = 256
	// maxBurstBytes bounds the same by size; a frame holds several bursts.
	maxBurstBytes = 128 << 10
	// maxParked bounds the commands that wait for the store, as a multiple of the queue.
	maxParked = 4
	// maxScratch bounds the room for encoding sessions that a lane keeps.
	maxScratch = 8 << 10
)

// command is one thing for a lane to decide. run is called on the lane's goroutine.
type command interface{ run(l *lane) }

// refuser is a command that can be told to come again later: while the lane cannot write, or has too much to do.
type refuser interface{ refuse(err error) }

// owed is a command that cannot be refused because nobody would repeat it. It names what it is about by ids alone, so
// that it means the same after the lane has forgotten its memory.
type owed interface{ owed() }

// outcome hears what became of the records of a command. Both calls come from the journal's goroutine and must not block.
type outcome interface {
	durable()
	lost(err error)
}

// lane is a single writer: its goroutine owns every field below the line.
type lane struct {
	p      *Pipeline
	index  int
	log    Log
	logger *slog.Logger
	inbox  chan command

	mu    sync.Mutex
	inner []command     // what the lane owes itself: results of jobs, next steps; served before the inbox
	wake  chan struct{} // buffered 1

	busy        atomic.Int64 // bursts on their way, jobs, parked and undecided commands
	unprojected atomic.Int64 // records appended that the projector has not applied
	projected   atomic.Uint64
	closing     atomic.Bool // takes nothing new
	stopped     atomic.Bool // the goroutine has ended or is about to: whoever comes now answers for himself

	// ---- owned by the goroutine ----
	ids       *rand.ChaCha8
	numbers   map[wa.PhoneNumberID]*number
	peers     *cache[PeerKey, *peer]
	byUser    map[wa.WaID][]*peer
	messages  *cache[wa.MessageID, *letter]
	recent    *cache[clientKey, *inbound]
	missing   []PeerKey // pairs to load at the end of this burst
	absent    []wa.MessageID
	decided   int       // commands since the memory was looked at last
	parked    int       // commands that wait for a pair or a message
	greeting  int       // messages that wait for a first contact
	linking   int       // messages that wait for media by link
	later     []command // wait for a store that did not answer
	reread    []*reseal // wait for their content
	rereading bool      // a job fetches content
	spent     []spent   // messages whose files could not be taken over yet
	broken    bool      // the memory is void: recovering
	resuming  bool      // a goroutine waits for the journal
	deferred  []command
	out       *burst
	lags      []lag
	fences    []fence
	begun     uint64         // bursts handed to the journal
	ended     uint64         // bursts answered by it
	era       int            // counts how often the lane forgot; results of jobs from an earlier era are void
	untold    []*MailboxItem // reserved positions of lost bursts: whether they are in the journal shows after Resume
	good      uint64         // last frame that this lane knows to be durable
	restarted time.Time      // when the last recovery ended, real time
	scratch   []byte         // for encoding sessions
	plain     []byte         // the plaintext at hand
}

func newLane(p *Pipeline, index int, log Log) *lane {
	l := &lane{
		p: p, index: index, log: log, logger: p.o.Logger.With("lane", index),
		inbox: make(chan command, p.o.Queue), wake: make(chan struct{}, 1), scratch: make([]byte, 1<<10),
	}
	var seed [32]byte
	_, _ = io.ReadFull(p.o.IDs, seed[:])
	// A source that repeats itself after a restart must not make the ids of before again.
	binary.LittleEndian.PutUint64(seed[24:], binary.LittleEndian.Uint64(seed[24:])^log.Last())
	l.ids = rand.NewChaCha8(seed)
	l.forget()
	return l
}

// forget empties the lane's memory; what it needs is loaded again from the store.
func (l *lane) forget() {
	l.unhold()
	l.numbers = map[wa.PhoneNumberID]*number{}
	l.byUser = map[wa.WaID][]*peer{}
	l.peers = newCache(l.p.o.Peers, func(_ PeerKey, p *peer) { l.unlink(p) })
	l.messages = newCache[wa.MessageID, *letter](l.p.o.Messages, nil)
	l.recent = newCache[clientKey, *inbound](l.p.o.Messages, nil)
	l.out = &burst{l: l}
	l.missing, l.absent, l.later, l.fences, l.reread = nil, nil, nil, nil, nil
	l.spent = nil // the sessions of the store can decrypt them
	l.parked, l.greeting, l.linking, l.rereading = 0, 0, 0, false
	l.era++
}

// offer puts a command into the bounded queue; false means that the queue is full or the lane is closing.
func (l *lane) offer(c command) bool {
	if l.closing.Load() {
		return false
	}
	l.busy.Add(1)
	select {
	case l.inbox <- c:
	default:
		l.busy.Add(-1)
		return false
	}
	if l.stopped.Load() {
		l.refuseAll()
	}
	return true
}

// tell gives the lane something it owes itself. It never blocks: what arrives this way is bounded by what the lane let in.
func (l *lane) tell(c command) {
	l.busy.Add(1)
	l.mu.Lock()
	l.inner = append(l.inner, c)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	if l.stopped.Load() {
		l.refuseAll()
	}
}

func (l *lane) queued() int { return len(l.inbox) }

// job runs slow work in the pool; f's result comes back as a command, unless the lane forgot its memory meanwhile. f must
// not touch anything that the lane owns.
func (l *lane) job(f func(ctx context.Context) command) { l.p.pool.do(l.working(f)) }

// loading is job for a read that answers wait for.
func (l *lane) loading(f func(ctx context.Context) command) { l.p.pool.load(l.working(f)) }

func (l *lane) working(f func(ctx context.Context) command) func(ctx context.Context) {
	l.busy.Add(1)
	era := l.era
	return func(ctx context.Context) {
		if c := f(ctx); c != nil {
			l.tell(result{era, c})
		}
		l.busy.Add(-1)
	}
}

// takeOver is job for a user's file, which has a pool of its own; false when too much of the account waits there.
func (l *lane) takeOver(waba wa.WABAID, f func(ctx context.Context) command) bool {
	era := l.era
	l.busy.Add(1)
	taken := l.p.files.do(waba, func(ctx context.Context) {
		l.tell(result{era, f(ctx)})
		l.busy.Add(-1)
	})
	if !taken {
		l.busy.Add(-1)
	}
	return taken
}

// result is what a job found out.
type result struct {
	era int
	c   command
}

func (r result) run(l *lane) {
	if r.era != l.era || l.broken {
		if l.aside(r.c) || r.era != l.era {
			return
		}
	}
	r.c.run(l)
}

// aside answers or keeps a command that the lane cannot decide now; false means that it belongs to the lane's machinery.
func (l *lane) aside(c command) bool {
	switch v := c.(type) {
	case refuser:
		v.refuse(wa.ErrUnavailable.With(textRecovering))
	case owed:
		if l.broken {
			l.deferred = append(l.deferred, c)
		} else {
			l.tell(c)
		}
	case *redeliver: // found again in the store
	default:
		return false
	}
	return true
}

func (l *lane) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			l.stopped.Store(true)
			l.refuseAll()
			l.everyWaiting(refuseStopped)
			return
		case c := <-l.inbox:
			l.decide(c)
		case <-l.wake:
		}
		l.drain()
		l.endBurst()
	}
}

// drain decides what is waiting, up to one burst.
func (l *lane) drain() {
	for range maxBurst {
		l.serveInner()
		select {
		case c := <-l.inbox:
			l.decide(c)
		default:
			return
		}
	}
}

func (l *lane) takeInner() []command {
	l.mu.Lock()
	defer l.mu.Unlock()
	inner := l.inner
	l.inner = nil
	return inner
}

func (l *lane) serveInner() {
	for _, c := range l.takeInner() {
		l.decide(c)
	}
}

func (l *lane) decide(c command) {
	defer l.busy.Add(-1)
	if l.broken && l.aside(c) {
		return
	}
	l.decided++
	c.run(l)
	l.spill()
}

// spill flushes a burst that has become large. Commands that decide about many messages call it after each: the records
// of one message stay together, those of many need not and would not fit into a frame.
func (l *lane) spill() {
	if l.out.size >= maxBurstBytes {
		l.flush()
	}
}

func (l *lane) endBurst() {
	l.flush()
	l.load()
	projected := l.projected.Load()
	l.peers.turn(projected)
	l.messages.turn(projected)
	l.recent.turn(projected)
}

// everyWaiting empties all places where commands wait in the lane's memory and hands them to f.
func (l *lane) everyWaiting(f func(c command)) {
	give := func(list []command) {
		for _, c := range list {
			l.busy.Add(-1)
			f(c)
		}
	}
	l.peers.each(func(p *peer) {
		waiting := p.waiting
		p.waiting = nil
		give(waiting)
		for _, t := range p.threads {
			give(t.takeWaiting())
		}
	})
	l.messages.each(func(m *letter) {
		waiting := m.waiting
		m.waiting = nil
		give(waiting)
	})
	later, fences, reread := l.later, l.fences, l.reread
	l.later, l.fences, l.reread = nil, nil, nil
	give(later)
	for _, c := range reread {
		l.busy.Add(-1)
		f(c)
	}
	for _, e := range fences {
		l.busy.Add(-1)
		f(e.c)
	}
}

// refuseAll answers what came too late. It may be called by anyone once the lane has stopped.
func (l *lane) refuseAll() {
	for _, c := range l.takeInner() {
		refuseStopped(c)
		l.busy.Add(-1)
	}
	for {
		select {
		case c := <-l.inbox:
			refuseStopped(c)
			l.busy.Add(-1)
		default:
			return
		}
	}
}

func refuseStopped(c command) {
	if r, ok := c.(result); ok {
		c = r.c
	}
	if r, ok := c.(refuser); ok {
		r.refuse(wa.ErrUnavailable.Because(ErrStopped))
	}
}

// now is the platform's time in Unix milliseconds.
func (l *lane) now() int64 { return l.p.o.Clock.Now().UnixMilli() }

// newID makes a message id whose last key byte is the lane's number, so that anyone holding the id finds the lane.
func (l *lane) newID(user wa.WaID, outbound bool) wa.MessageID {
	var room [10]byte
	key := room[:9]
	if !outbound {
		key, room[0] = room[:], 0x3a
		_, _ = l.ids.Read(key[1:])
	} else {
		_, _ = l.ids.Read(key) // ChaCha8 never fails
	}
	key[len(key)-1] = byte(l.index)
	return wa.NewMessageID(user, outbound, key)
}

// tick does once a minute what is due by the clock.
func (l *lane) tick(ctx context.Context) {
	for l.p.o.Clock.Sleep(ctx, time.Minute) == nil {
		l.tell(minute{})
	}
}

// rest lets the memory age in real time, however fast the platform's clock runs.
func (l *lane) rest(ctx context.Context) {
	for l.p.o.Pace.Sleep(ctx, l.p.o.Rest) == nil {
		l.tell(rested{})
	}
}

type minute struct{}

func (minute) run(l *lane) {
	now := l.now()
	for id, n := range l.numbers {
		if n.linking == 0 && n.window.Idle(now) {
			delete(l.numbers, id)
		}
	}
	if len(l.numbers) == 0 {
		l.numbers = map[wa.PhoneNumberID]*number{} // a map keeps the room it once needed
	}
	if !l.broken {
		l.findExpired()
	}
}

// maxQuiet is how many commands a lane may decide in a minute that counts as quiet: so few cost nothing when all they need
// must be read again.
const maxQuiet = 1000

type rested struct{}

// run gives the memory back after a busy time, when reads cost little: what nobody has used for two quiet minutes can be
// read again.
func (rested) run(l *lane) {
	quiet := l.decided <= maxQuiet
	l.decided = 0
	if !quiet {
		return
	}
	projected := l.projected.Load()
	l.peers.age(projected)
	l.messages.age(projected)
	l.recent.age(projected)
	if len(l.byUser) == 0 {
		l.byUser = map[wa.WaID][]*peer{}
	}
}
