package pipeline

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	// maxBurst bounds the commands a lane decides before it hands their records to the journal.
	maxBurst = 256
	// maxBurstBytes bounds the same by size; a frame holds several bursts.
	maxBurstBytes = 128 << 10
	// maxParked bounds the commands that wait for a pair to be loaded, as a multiple of the queue.
	maxParked = 4
)

// command is one thing for a lane to decide. run is called on the lane's goroutine.
type command interface{ run(l *lane) }

// refuser is a command that can be told to come again later, while the lane cannot write.
type refuser interface{ refuse(err error) }

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
	closing     atomic.Bool

	// ---- owned by the goroutine ----
	ids      *rand.ChaCha8
	numbers  map[wa.PhoneNumberID]*number
	peers    *cache[PeerKey, *peer]
	byUser   map[wa.WaID][]*peer
	messages *cache[wa.MessageID, *letter]
	recent   *cache[clientKey, *inbound]
	missing  []PeerKey // pairs to load at the end of this burst
	absent   []wa.MessageID
	parked   int
	broken   bool // the journal refused: recovering
	deferred []command
	out      *burst
	lags     []lag
	era      int            // counts how often the lane forgot; results of jobs from an earlier era are void
	aloft    int            // bursts handed to the journal and not answered
	owed     []*MailboxItem // reserved positions of lost bursts: whether they are in the journal shows after Resume
	good     uint64         // last frame that this lane knows to be durable
}

type lag struct {
	seq     uint64
	records int
}

func newLane(p *Pipeline, index int, log Log) *lane {
	l := &lane{p: p, index: index, log: log, logger: p.o.Logger.With("lane", index),
		inbox: make(chan command, p.o.Queue), wake: make(chan struct{}, 1)}
	var seed [32]byte
	_, _ = io.ReadFull(p.o.IDs, seed[:])
	l.ids = rand.NewChaCha8(seed)
	l.forget()
	return l
}

// forget empties the lane's memory; what it needs is loaded again from the store.
func (l *lane) forget() {
	l.numbers = map[wa.PhoneNumberID]*number{}
	l.byUser = map[wa.WaID][]*peer{}
	l.peers = newCache(l.p.o.Peers, func(_ PeerKey, p *peer) { l.unlink(p) })
	l.messages = newCache[wa.MessageID, *letter](l.p.o.Messages, nil)
	l.recent = newCache[clientKey, *inbound](l.p.o.Messages, nil)
	l.out = &burst{l: l}
	l.missing, l.absent, l.parked = nil, nil, 0
	l.era++
}

// offer puts a command into the bounded queue; false means that the queue is full.
func (l *lane) offer(c command) bool {
	if l.closing.Load() {
		return false
	}
	l.busy.Add(1)
	select {
	case l.inbox <- c:
		return true
	default:
		l.busy.Add(-1)
		return false
	}
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
}

func (l *lane) queued() int { return len(l.inbox) }

// job runs slow work in the pool; f's result comes back as a command, unless the lane forgot its memory meanwhile.
func (l *lane) job(f func(ctx context.Context) command) {
	l.busy.Add(1)
	era := l.era
	l.p.pool.do(func(ctx context.Context) {
		if c := f(ctx); c != nil {
			l.tell(result{era, c})
		}
		l.busy.Add(-1)
	})
}

// result is what a job found out.
type result struct {
	era int
	c   command
}

func (r result) run(l *lane) {
	if r.era == l.era {
		r.c.run(l)
	} else if v, ok := r.c.(refuser); ok {
		v.refuse(wa.ErrUnavailable.With(textRecovering))
	}
}

func (l *lane) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			l.refuseAll(ErrStopped)
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

func (l *lane) serveInner() {
	l.mu.Lock()
	inner := l.inner
	l.inner = nil
	l.mu.Unlock()
	for _, c := range inner {
		l.decide(c)
	}
}

func (l *lane) decide(c command) {
	defer l.busy.Add(-1)
	if r, ok := c.(refuser); ok && l.broken {
		r.refuse(wa.ErrUnavailable.With(textRecovering))
		return
	}
	c.run(l)
	if l.out.size >= maxBurstBytes {
		l.flush()
	}
}

func (l *lane) endBurst() {
	l.flush()
	l.load()
	projected := l.projected.Load()
	l.peers.turn(projected, false)
	l.messages.turn(projected, false)
	l.recent.turn(projected, false)
}

func (l *lane) refuseAll(err error) {
	l.serveInner()
	for {
		select {
		case c := <-l.inbox:
			if r, ok := c.(refuser); ok {
				r.refuse(err)
			}
			l.busy.Add(-1)
		default:
			return
		}
	}
}

// now is the platform's time in Unix milliseconds.
func (l *lane) now() int64 { return l.p.o.Clock.Now().UnixMilli() }

// newID makes a message id whose last key byte is the lane's number, so that anyone holding the id finds the lane.
func (l *lane) newID(user wa.WaID, outbound bool) wa.MessageID {
	key := make([]byte, 9, 10)
	_, _ = l.ids.Read(key) // ChaCha8 never fails
	if !outbound {
		key = append([]byte{0x3a}, key...)
	}
	key[len(key)-1] = byte(l.index)
	return wa.NewMessageID(user, outbound, key)
}

// ---- bursts ----

// burst collects what the commands of one turn append.
type burst struct {
	l        *lane
	recs     []record.Record
	size     int
	outcomes []outcome
	pins     []*pin
	accepted []*letter      // to be delivered next, once durable
	items    []*MailboxItem // to be pushed, once durable
}

// write adds a record to the burst. size is its rough length in bytes.
func (b *burst) write(r record.Record, size int) {
	b.recs = append(b.recs, r)
	b.size += size + 64
}

func (b *burst) touch(p *pin) {
	p.flying++
	b.pins = append(b.pins, p)
}

// flush hands the burst to the journal.
func (l *lane) flush() {
	b := l.out
	if len(b.recs) == 0 {
		return
	}
	l.out = &burst{l: l}
	l.busy.Add(1)
	l.aloft++
	l.unprojected.Add(int64(len(b.recs)))
	if err := l.log.Append(b.recs, b.finish); err != nil {
		b.finish(0, err)
	}
}

// finish is called by the journal, in order of the bursts. If the process dies before this line, whoever waits was told
// nothing, and what the frame says is found again on start.
func (b *burst) finish(seq uint64, err error) {
	if err != nil {
		for _, o := range b.outcomes {
			o.lost(err)
		}
		b.l.tell(&lost{b: b, err: err})
		b.l.busy.Add(-1)
		return
	}
	for _, o := range b.outcomes {
		o.durable()
	}
	if len(b.items) > 0 {
		b.l.p.o.Mailbox.Put(b.items)
	}
	b.l.tell(&landed{b: b, seq: seq})
	b.l.busy.Add(-1)
}

// landed follows a burst that became durable.
type landed struct {
	b   *burst
	seq uint64
}

func (c *landed) run(l *lane) {
	l.aloft--
	l.good = c.seq
	for _, p := range c.b.pins {
		p.flying--
		p.dirty = max(p.dirty, c.seq)
	}
	l.lags = append(l.lags, lag{c.seq, len(c.b.recs)})
	l.settleLag()
	if l.broken {
		l.recover() // what is accepted is found in the store afterwards
		return
	}
	for _, m := range c.b.accepted {
		l.deliver(m)
	}
}

func (l *lane) projectorMoved(pos uint64) {
	l.projected.Store(pos)
	l.tell(moved{})
}

// moved wakes the lane after the projector has applied frames.
type moved struct{}

func (moved) run(l *lane) { l.settleLag() }

func (l *lane) settleLag() {
	projected := l.projected.Load()
	n := 0
	for n < len(l.lags) && l.lags[n].seq <= projected {
		l.unprojected.Add(-int64(l.lags[n].records))
		n++
	}
	l.lags = l.lags[:copy(l.lags, l.lags[n:])]
}

// expire looks once a minute for messages whose life has ended.
func (l *lane) expire(ctx context.Context) {
	for l.p.o.Clock.Sleep(ctx, time.Minute) == nil {
		l.tell(expiry{})
	}
}
