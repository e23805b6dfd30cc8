package pipeline

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	resumePause = 500 * time.Millisecond
	warmPage    = 1000
	// retryPause is how long acknowledged work waits for a store that does not answer.
	retryPause = time.Second
)

// lost follows a burst that the journal did not take, or may have taken without saying so. From here on the lane's memory
// is ahead of the journal: nothing is decided until the journal writes again and the lane has started over from the store.
type lost struct {
	b   *burst
	err error
}

func (c *lost) run(l *lane) {
	l.aloft--
	l.unprojected.Add(-int64(len(c.b.recs)))
	l.owed = append(l.owed, c.b.items...)
	if !l.broken {
		l.broken = true
		l.logger.Error("journal refused a frame; sends are refused until it writes again", "err", c.err)
	}
	l.recover()
}

// recover begins once every burst has been answered.
func (l *lane) recover() {
	if !l.broken || l.aloft > 0 || len(l.out.recs) > 0 {
		return
	}
	l.putAside()
	l.forget()
	good := l.good
	l.busy.Add(1)
	l.p.wg.Go(func() {
		defer l.busy.Add(-1)
		l.resume(l.p.pool.ctx, good)
	})
}

// putAside answers who can be told to come again and keeps what was acknowledged.
func (l *lane) putAside() {
	aside := func(waiting []command) {
		for _, c := range waiting {
			l.busy.Add(-1)
			if r, ok := c.(refuser); ok {
				r.refuse(wa.ErrUnavailable.With(textRecovering))
			} else if _, again := c.(*redeliver); !again {
				l.deferred = append(l.deferred, c)
			}
		}
	}
	for _, m := range []map[PeerKey]*peer{l.peers.young, l.peers.old} {
		for _, p := range m {
			aside(p.waiting)
			for _, t := range p.threads {
				l.busy.Add(-int64(len(t.queue)))
			}
		}
	}
	for _, m := range []map[wa.MessageID]*letter{l.messages.young, l.messages.old} {
		for _, e := range m {
			aside(e.waiting)
		}
	}
}

// resume waits until the journal writes again, lets the store catch up, and gathers what the lane starts from.
func (l *lane) resume(ctx context.Context, good uint64) {
	for {
		r, err := l.tryResume(ctx, good)
		if err == nil {
			l.tell(r)
			return
		}
		l.logger.Warn("journal still refuses", "err", err)
		if l.p.o.Pace.Sleep(ctx, resumePause) != nil {
			return
		}
	}
}

func (l *lane) tryResume(ctx context.Context, good uint64) (*resumed, error) {
	if _, err := l.log.Resume(ctx); err != nil {
		return nil, err
	}
	r := &resumed{landed: map[MailboxRef]bool{}}
	for at := good; at < l.log.Last(); {
		f, err := l.log.Next(ctx, at)
		if err != nil {
			return nil, err
		}
		at = f.Seq
		for _, rec := range f.Records {
			switch rec := rec.(type) {
			case *record.Sealed:
				r.landed[MailboxRef{rec.Device, rec.Seq}] = true
			case *record.Item:
				r.landed[MailboxRef{rec.Device, rec.Seq}] = true
			}
		}
	}
	if err := l.p.proj[l.index].wait(ctx, l.log.Last()); err != nil {
		return nil, err
	}
	var err error
	r.start, err = l.gather(ctx)
	return r, err
}

// resumed ends a recovery.
type resumed struct {
	landed map[MailboxRef]bool
	start  *start
}

func (c *resumed) run(l *lane) {
	var put []*MailboxItem
	for _, it := range l.owed {
		if c.landed[MailboxRef{it.Device, it.Seq}] {
			put = append(put, it)
		} else {
			l.p.o.Mailbox.Skip(it.Device, it.Seq)
		}
	}
	l.p.o.Mailbox.Put(put)
	l.owed, l.broken, l.good = nil, false, l.log.Last()
	l.p.counts.Recovered.Add(1)
	l.logger.Info("journal writes again")
	c.start.run(l)
	deferred := l.deferred
	l.deferred = nil
	for _, d := range deferred {
		d.run(l)
	}
}

// retryLater lets an acknowledged command run again when the store may answer.
func (l *lane) retryLater(c command) {
	l.p.wg.Go(func() {
		if l.p.o.Pace.Sleep(l.p.pool.ctx, retryPause) == nil {
			l.tell(c)
		}
		l.busy.Add(-1)
	})
}

// ---- start ----

// start is what a lane begins with: messages accepted but neither sealed nor failed, and the last second of traffic.
type start struct {
	pending []wa.MessageID
	traffic []traffic
}

type traffic struct {
	number wa.PhoneNumberID
	at     int64
}

// warm prepares the lane before its goroutine runs.
func (l *lane) warm(ctx context.Context) error {
	s, err := l.gather(ctx)
	if err != nil {
		return err
	}
	l.good = l.log.Last()
	l.tell(s)
	return nil
}

func (l *lane) gather(ctx context.Context) (*start, error) {
	s := &start{}
	var after wa.MessageID
	for {
		rows, err := l.p.o.Store.Pending(ctx, l.index, after, warmPage)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			s.pending = append(s.pending, r.ID)
			after = r.ID
		}
		if len(rows) < warmPage {
			break
		}
	}
	at, err := l.log.SeqAt(ctx, l.p.o.Clock.Now().Add(-time.Second))
	if err != nil {
		return nil, err
	}
	for at < l.log.Last() {
		f, err := l.log.Next(ctx, at)
		if err != nil {
			return nil, err
		}
		at = f.Seq
		for _, r := range f.Records {
			switch r := r.(type) {
			case *record.Accepted:
				s.traffic = append(s.traffic, traffic{r.Number, r.At})
			case *record.Received:
				s.traffic = append(s.traffic, traffic{r.Number, r.At})
			}
		}
	}
	return s, nil
}

func (c *start) run(l *lane) {
	for _, t := range c.traffic {
		if n, ok := l.p.o.Numbers.Number(t.number); ok {
			l.number(t.number).window.Push(t.at, n.Limit())
		}
	}
	c.traffic = nil
	l.nextPending(c.pending)
}

// nextPending takes up messages of before the start, a page at a time.
func (l *lane) nextPending(ids []wa.MessageID) {
	if len(ids) == 0 {
		return
	}
	page := ids[:min(warmPage, len(ids))]
	l.job(func(ctx context.Context) command {
		rows, err := l.p.o.Store.Messages(ctx, page)
		if err != nil {
			l.logger.Warn("load pending messages", "err", err)
			if l.p.o.Pace.Sleep(ctx, retryPause) != nil {
				return nil
			}
			return &pendingPage{nil, ids}
		}
		return &pendingPage{rows, ids[len(page):]}
	})
}

type pendingPage struct {
	rows []*Message
	rest []wa.MessageID
}

func (c *pendingPage) run(l *lane) {
	for _, r := range c.rows {
		if m, ok := l.messages.get(r.ID); r.State != StateAccepted || (ok && m.loaded && !m.missing) {
			continue
		}
		m := &letter{Message: *r, loaded: true}
		l.messages.put(r.ID, m)
		(&redeliver{m}).run(l)
	}
	l.nextPending(c.rest)
}
