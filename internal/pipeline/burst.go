package pipeline

import (
	"github.com/hikyaku/hikyaku/internal/journal/record"
)

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
	if len(b.recs) == 0 {
		b.l.busy.Add(1) // until finish: what is decided and not yet handed on is work, too
	}
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
	l.begun++
	l.unprojected.Add(int64(len(b.recs)))
	if err := l.log.Append(b.recs, b.finish); err != nil {
		b.finish(0, err)
	}
}

// finish is called by the journal, in order of the bursts. If the process dies before this line, whoever waits was told
// nothing, and what the frame says is found again on start.
func (b *burst) finish(seq uint64, err error) {
	defer b.l.busy.Add(-1)
	if err != nil {
		// First the lane: what comes back from those who are told must find it recovering.
		b.l.tell(&lost{b: b, err: err})
		for _, o := range b.outcomes {
			o.lost(err)
		}
		return
	}
	for _, o := range b.outcomes {
		o.durable()
	}
	if len(b.items) > 0 {
		b.l.p.o.Mailbox.Put(b.items)
	}
	b.l.tell(&landed{b: b, seq: seq})
}

// landed follows a burst that became durable.
type landed struct {
	b   *burst
	seq uint64
}

func (c *landed) run(l *lane) {
	l.ended++
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
		l.deliver(m, nil)
		l.spill()
	}
	l.passFences()
}

// fence is a command that waits until what was decided before it is durable.
type fence struct {
	burst uint64
	c     command
}

// after runs c once everything decided so far is durable. c is [owed], or a [refuser] when what was decided must not be
// lost unnoticed.
func (l *lane) after(c command) {
	l.busy.Add(1)
	at := l.begun
	if len(l.out.recs) > 0 {
		at++
	}
	l.fences = append(l.fences, fence{at, c})
	l.passFences()
}

func (l *lane) passFences() {
	n := 0
	for n < len(l.fences) && l.fences[n].burst <= l.ended {
		n++
	}
	passed := l.fences[:n:n]
	l.fences = l.fences[n:]
	for _, e := range passed {
		l.decide(e.c)
	}
}

// ---- how far the projector is behind ----

type lag struct {
	seq     uint64
	records int
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

// behind reports that the projector has so much to do that new messages must wait: what it has not applied stays in the
// lane's memory.
func (l *lane) behind() bool { return l.unprojected.Load() > int64(l.p.o.MaxLag) }
