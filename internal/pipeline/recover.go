package pipeline

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	resumePause = 500 * time.Millisecond
	// flapTime is how soon after a recovery another one counts as the same trouble.
	flapTime = 5 * time.Second
	warmPage = 1000
	// retryPause is how long acknowledged work waits for a store that does not answer.
	retryPause = time.Second
)

// lost follows a burst that the journal did not take, or may have taken without saying so.
type lost struct {
	b   *burst
	err error
}

func (c *lost) run(l *lane) {
	l.ended++
	l.unprojected.Add(-int64(len(c.b.recs)))
	l.untold = append(l.untold, c.b.items...)
	l.startOver(c.err)
}

// startOver begins a recovery: the lane's memory is ahead of the journal. Nothing is decided until the journal writes again
// and the lane has begun anew with what the store shows.
func (l *lane) startOver(cause error) {
	if !l.broken {
		l.broken = true
		l.logger.Error("lane starts over; sends are refused until the journal writes", "err", cause)
	}
	l.recover()
}

// recover goes on once every burst has been answered.
func (l *lane) recover() {
	if l.resuming || l.begun > l.ended || len(l.out.recs) > 0 {
		return
	}
	l.everyWaiting(func(c command) { l.aside(c) })
	l.forget()
	l.resuming = true
	l.busy.Add(1)
	good := l.good
	// A disk that takes the restart but not the next frame would make a lane start over without end.
	flapping := l.p.o.Pace.Now().Sub(l.restarted) < flapTime
	l.p.wg.Go(func() {
		defer l.busy.Add(-1)
		if flapping && l.p.o.Pace.Sleep(l.p.pool.ctx, resumePause) != nil {
			return
		}
		l.await(l.p.pool.ctx, good)
	})
}

// await waits until the journal writes again, lets the store catch up, and gathers what the lane starts from.
func (l *lane) await(ctx context.Context, good uint64) {
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
	r := &resumed{landed: map[MailboxRef]bool{}, last: l.log.Last()}
	// The last good frame is looked at, too: it may hold more than this lane was told of.
	for at := max(good, 1) - 1; at < r.last; {
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
	if err := l.p.proj[l.index].wait(ctx, r.last); err != nil {
		return nil, err
	}
	var err error
	r.start, err = l.gather(ctx)
	return r, err
}

// resumed ends a recovery.
type resumed struct {
	landed map[MailboxRef]bool
	last   uint64
	start  *start
}

func (c *resumed) run(l *lane) {
	l.restarted = l.p.o.Pace.Now()
	var put []*MailboxItem
	for _, it := range l.untold {
		if c.landed[MailboxRef{it.Device, it.Seq}] {
			put = append(put, it)
		} else {
			l.p.o.Mailbox.Skip(it.Device, it.Seq)
		}
	}
	if len(put) > 0 {
		l.p.o.Mailbox.Put(put)
	}
	l.untold, l.broken, l.resuming, l.good = nil, false, false, c.last
	l.p.counts.Recovered.Add(1)
	l.logger.Info("journal writes again")
	c.start.run(l)
	deferred := l.deferred
	l.deferred = nil
	for _, d := range deferred {
		l.busy.Add(1)
		l.decide(d)
	}
}

// retryLater lets a command that is counted as waiting run again when the store may answer.
func (l *lane) retryLater(c command) {
	l.later = append(l.later, c)
	if len(l.later) > 1 {
		return
	}
	era := l.era
	l.p.wg.Go(func() {
		if l.p.o.Pace.Sleep(l.p.pool.ctx, retryPause) == nil {
			l.tell(result{era, again{}})
		}
	})
}

// again takes up what waited for the store.
type again struct{}

func (again) run(l *lane) {
	later := l.later
	l.later = nil
	for _, c := range later {
		l.decide(c)
	}
}

// postponed is what a job returns when the store did not answer.
type postponed struct{ c command }

func (c *postponed) owed() {}

func (c *postponed) run(l *lane) {
	l.busy.Add(1)
	l.retryLater(c.c)
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
	l.tell(findStranded{})
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
	(&backlog{ids: c.pending}).next(l)
}

// backlog takes up messages of before the start, a page at a time: the next one when all of the last were sent or failed.
type backlog struct {
	ids  []wa.MessageID
	open int // of the page at hand
}

func (b *backlog) next(l *lane) {
	page := b.ids[:min(warmPage, len(b.ids))]
	b.ids, b.open = b.ids[len(page):], len(page)
	for _, id := range page {
		l.busy.Add(1)
		l.decide(&redeliver{id: id, from: b})
	}
}

func (b *backlog) settled(l *lane) {
	if b.open--; b.open == 0 {
		b.next(l)
	}
}
