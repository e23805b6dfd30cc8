package bench

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// event is something that happens to a message, as a bit.
type event uint8

const (
	accepted event = 1 << iota // the send was answered with an id
	sent
	delivered
	read
	failed
	inbound // a message of a user

	ladder = sent | delivered | read
)

func statusOf(status []byte) event {
	switch string(status) {
	case "sent":
		return sent
	case "delivered":
		return delivered
	case "read":
		return read
	case "failed":
		return failed
	}
	return 0
}

// key is 128 bits of hash of a message id: among a billion messages two collide with a chance of 1 in 10^20.
type key [2]uint64

// entry is what is known of a message.
type entry struct {
	at   int64 // of the accept answer, or of the first status if that came earlier; nanoseconds since the ledger began
	seen event
}

// Ledger counts what happened to every message of a run, exactly. It is safe for concurrent use.
type Ledger struct {
	epoch  time.Time
	seeds  [2]maphash.Seed
	shards [64]ledgerShard
	// complete is called once for each accepted message whose last status has come in, and for each that failed.
	complete func()

	accepted, sent, delivered, read, failed, inbound atomic.Int64
	doubled, open                                    atomic.Int64
	toSent, toDelivered, toRead                      *Latencies
}

type ledgerShard struct {
	mu sync.Mutex
	m  map[key]entry
	_  [40]byte // a cache line of its own
}

// NewLedger makes an empty ledger. complete may be nil; it must not block.
func NewLedger(epoch time.Time, complete func()) *Ledger {
	l := &Ledger{
		epoch: epoch, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, complete: complete,
		toSent: NewLatencies(), toDelivered: NewLatencies(), toRead: NewLatencies(),
	}
	for i := range l.shards {
		l.shards[i].m = map[key]entry{}
	}
	return l
}

// Accepted counts a message whose send was answered at an instant.
func (l *Ledger) Accepted(id []byte, at time.Time) {
	l.accepted.Add(1)
	l.count(id, accepted, at)
}

// Status counts a status that arrived at an instant. One that is none of sent, delivered, read and failed is ignored.
func (l *Ledger) Status(id, status []byte, at time.Time) {
	e := statusOf(status)
	switch e {
	case sent:
		l.sent.Add(1)
	case delivered:
		l.delivered.Add(1)
	case read:
		l.read.Add(1)
	case failed:
		l.failed.Add(1)
	default:
		return
	}
	l.count(id, e, at)
}

// Inbound counts a message of a user.
func (l *Ledger) Inbound(id []byte, at time.Time) {
	l.inbound.Add(1)
	l.count(id, inbound, at)
}

func (l *Ledger) count(id []byte, e event, at time.Time) {
	k := key{maphash.Bytes(l.seeds[0], id), maphash.Bytes(l.seeds[1], id)}
	now := at.Sub(l.epoch).Nanoseconds()
	s := &l.shards[k[0]%uint64(len(l.shards))]
	s.mu.Lock()
	was, known := s.m[k]
	if was.seen&e != 0 {
		s.mu.Unlock()
		l.doubled.Add(1)
		return
	}
	next := entry{at: was.at, seen: was.seen | e}
	if !known || e == accepted {
		next.at = now
	}
	s.m[k] = next
	s.mu.Unlock()
	l.measure(e, was, now)
	switch {
	case e == accepted && !next.done():
		l.open.Add(1)
	case next.done() && !was.done():
		if e != accepted {
			l.open.Add(-1)
		}
		if l.complete != nil {
			l.complete()
		}
	}
}

// done reports whether an accepted message has come as far as it can.
func (e entry) done() bool {
	return e.seen&accepted != 0 && (e.seen&ladder == ladder || e.seen&failed != 0)
}

// measure counts the time from the accept answer to a status. A status that overtook the answer counts as 0.
func (l *Ledger) measure(e event, was entry, now int64) {
	since := time.Duration(0)
	if was.seen&accepted != 0 {
		since = time.Duration(now - was.at)
	}
	switch e {
	case sent:
		l.toSent.Record(since)
	case delivered:
		l.toDelivered.Record(since)
	case read:
		l.toRead.Record(since)
	}
}

// Open is how many accepted messages still wait for a status.
func (l *Ledger) Open() int64 { return l.open.Load() }

// Quantiles are the times from the accept answer of a message to its statuses.
func (l *Ledger) Quantiles() (sent, delivered, read Quantiles) {
	return l.toSent.Quantiles(), l.toDelivered.Quantiles(), l.toRead.Quantiles()
}

// forgetLatencies begins the latencies anew; the counts go on.
func (l *Ledger) forgetLatencies() {
	l.toSent.Reset()
	l.toDelivered.Reset()
	l.toRead.Reset()
}

// Tally is the result of a ledger.
type Tally struct {
	Accepted  int64 `json:"accepted"`
	Sent      int64 `json:"sent"`
	Delivered int64 `json:"delivered"`
	Read      int64 `json:"read"`
	Failed    int64 `json:"failed"`
	Inbound   int64 `json:"inbound"` // distinct messages of users

	MissingSent      int64 `json:"missing_sent"`      // accepted, neither sent nor failed
	MissingDelivered int64 `json:"missing_delivered"` // sent or accepted, not delivered, not failed
	MissingRead      int64 `json:"missing_read"`
	Doubled          int64 `json:"doubled"`  // events that came once more
	Strangers        int64 `json:"unknown"`  // messages with a status whose send was never answered
	Opened           int64 `json:"-"`        // entries
	Complete         int64 `json:"complete"` // accepted messages with all their statuses
}

// Missing is how many statuses have not come.
func (t *Tally) Missing() int64 { return t.MissingSent + t.MissingDelivered + t.MissingRead }

// Tally goes through all messages. Statuses are counted without their doubles.
func (l *Ledger) Tally() Tally {
	t := Tally{Doubled: l.doubled.Load()}
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for _, e := range s.m {
			t.add(e)
		}
		s.mu.Unlock()
	}
	return t
}

func (t *Tally) add(e entry) {
	has := func(bit event) int64 {
		if e.seen&bit != 0 {
			return 1
		}
		return 0
	}
	t.Opened++
	t.Accepted += has(accepted)
	t.Sent += has(sent)
	t.Delivered += has(delivered)
	t.Read += has(read)
	t.Failed += has(failed)
	t.Inbound += has(inbound)
	switch {
	case e.seen&inbound != 0:
	case e.seen&accepted == 0:
		t.Strangers++
	case e.seen&failed != 0:
	default:
		t.MissingSent += 1 - has(sent)
		t.MissingDelivered += 1 - has(delivered)
		t.MissingRead += 1 - has(read)
		if e.seen&ladder == ladder {
			t.Complete++
		}
	}
}
