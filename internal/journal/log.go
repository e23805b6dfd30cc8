package journal

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/hikyaku/hikyaku/internal/journal/record"
)

// Log is one partition. Append, Resume and the position fields belong to the partition's owner; Next, SeqAt and Trim are
// for readers. All methods are safe for concurrent use.
type Log struct {
	j       *Journal
	n       int // partition
	stream  string
	subject string
	inbox   string         // where acknowledgements arrive, one token per frame below it
	acks    chan *nats.Msg // of every connection
	sick    chan error     // the server says that it cannot write
	wake    chan struct{}  // something is queued, or the log is closing
	stopped chan struct{}  // the writer is gone

	resuming sync.Mutex // one Resume at a time

	mu      sync.Mutex
	changed *sync.Cond // queue, busy, failed or closing changed
	queue   []*batch   // full, oldest first
	open    *batch     // takes records; nil when there is none
	records int        // waiting in queue and open
	bytes   int        // waiting in queue and open
	blocked int        // calls of Append that wait for room
	busy    bool       // the writer has a frame in hand
	failed  error
	closing bool

	first  uint64 // first frame kept; last+1 when there is none
	expect uint64 // last frame as this writer knows it: what the next one must follow
	known  uint64 // last frame as readers know it; beyond expect when another node wrote it
	at     int64  // Unix milliseconds of the newest frame, so that time never falls

	tail  tail
	ahead ahead
	news  chan struct{} // closed when known or the state changes; nil while nobody waits

	frame nats.Msg // reused by the writer
	tries uint64   // frames published, for telling their acknowledgements apart; used by the writer only

	fault func(b *batch) (sent bool) // tests: what goes wrong with the next frame
}

// batch is a frame in the making.
type batch struct {
	buf     []byte
	records []record.Record
	done    []func(seq uint64, err error)
	at      int64
}

// empty reports whether no Append contributed yet.
func (b *batch) empty() bool { return len(b.done) == 0 }

func newLog(j *Journal, n int) *Log {
	l := &Log{
		j: j, n: n,
		stream:  "hikyaku-journal-" + strconv.Itoa(n),
		subject: "hikyaku.journal." + strconv.Itoa(n),
		inbox:   nats.NewInbox(),
		acks:    make(chan *nats.Msg, 16),
		sick:    make(chan error, 1),
		wake:    make(chan struct{}, 1),
		stopped: make(chan struct{}),
	}
	l.changed = sync.NewCond(&l.mu)
	l.frame = nats.Msg{Subject: l.subject, Header: nats.Header{headerExpect: []string{""}}}
	return l
}

const headerExpect = "Nats-Expected-Last-Sequence"

// Append adds recs to the next frame; all of them land in that one frame, or none. It returns when they are queued, and
// blocks while about four frames' worth is waiting. An empty recs writes a frame without records, which a new owner uses to
// fence off the old one.
//
// done (nil is allowed) is called exactly once if Append returned nil, in the order of appends and from one goroutine per
// log: after the frame is durable, with its sequence, or with the error that failed the log. It must neither block nor call
// Append or Resume. If Append returns an error, nothing was queued and done is never called.
//
// Errors: ErrTooLarge leaves the log as it was; ErrClosed; else the error that failed the log, until Resume. Those given to
// done are ErrFenced, ErrFull, ErrUncertain, ErrUnavailable and ErrClosed; after each of them the records may still have
// landed, which Resume finds out.
func (l *Log) Append(recs []record.Record, done func(seq uint64, err error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.refusal() == nil && (l.records >= waitingFrames*l.j.o.MaxFrameRecords || l.bytes >= waitingFrames*l.j.o.MaxFrameBytes) {
		l.blocked++
		l.changed.Wait()
		l.blocked--
	}
	if err := l.refusal(); err != nil {
		return err
	}
	if err := l.enqueue(recs, done); err != nil {
		return err
	}
	l.kick()
	return nil
}

// refusal is why the log takes nothing. Lock held.
func (l *Log) refusal() error {
	if l.closing {
		return ErrClosed
	}
	return l.failed
}

// kick wakes the writer.
func (l *Log) kick() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// enqueue encodes recs into the open batch, or into a new one when they would make it too large. Lock held.
func (l *Log) enqueue(recs []record.Record, done func(uint64, error)) error {
	if l.open == nil {
		l.open = l.j.newBatch()
	}
	b := l.open
	mark := len(b.buf)
	for _, r := range recs {
		if b.buf = record.Append(b.buf, r); len(b.buf)-mark > maxMessage-frameHeader {
			err := fmt.Errorf("%w: %d records take more than %d bytes", ErrTooLarge, len(recs), maxMessage)
			b.buf = b.buf[:mark]
			return err
		}
	}
	size := len(b.buf) - mark
	o := &l.j.o
	if !b.empty() && (len(b.buf) > o.MaxFrameBytes || len(b.records)+len(recs) > o.MaxFrameRecords) {
		next := l.j.newBatch()
		next.buf = append(next.buf, b.buf[mark:]...)
		b.buf = b.buf[:mark]
		l.queue, l.open, b = append(l.queue, b), next, next
	}
	b.records = append(b.records, recs...)
	b.done = append(b.done, done)
	l.records += len(recs)
	l.bytes += size
	return nil
}

// take hands the next batch to the writer; nil when there is none. Lock held.
func (l *Log) take() *batch {
	var b *batch
	switch {
	case len(l.queue) > 0:
		b = l.queue[0]
		l.queue[0] = nil
		l.queue = l.queue[1:]
	case l.open != nil && !l.open.empty():
		b, l.open = l.open, nil
	default:
		return nil
	}
	l.records -= len(b.records)
	l.bytes -= len(b.buf) - frameHeader
	l.at = max(l.at, l.j.o.Clock.Now().UnixMilli())
	b.at = l.at
	return b
}

// First is the sequence of the oldest frame kept, Last()+1 when there is none.
func (l *Log) First() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first
}

// Last is the sequence of the newest durable frame this process knows of; 0 when there never was one. On a node that does
// not own the partition it may be behind.
func (l *Log) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known
}

// Partition is the log's number, from 0.
func (l *Log) Partition() int { return l.n }

// fail puts the log into the failed state and takes away everything that waits, oldest first. Lock held.
func (l *Log) fail(err error) []*batch {
	l.failed = err
	waiting := l.queue
	if l.open != nil && !l.open.empty() {
		waiting = append(waiting, l.open)
	}
	l.queue, l.open, l.records, l.bytes = nil, nil, 0, 0
	l.changed.Broadcast()
	return waiting
}

// tell calls what waited for b.
func (b *batch) tell(seq uint64, err error) {
	for _, done := range b.done {
		if done != nil {
			done(seq, err)
		}
	}
}

// spread tells readers that there is news. Lock held.
func (l *Log) spread() {
	if l.news != nil {
		close(l.news)
		l.news = nil
	}
}
