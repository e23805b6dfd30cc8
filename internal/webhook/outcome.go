package webhook

import (
	"errors"
	"fmt"
	"time"
)

// Loss says why updates were given up. The set is closed: it serves as a metric label.
type Loss string

// The losses.
const (
	LossExpired      Loss = "expired"      // seven days without an answer
	LossRetention    Loss = "retention"    // an hour without an answer, of a number without storage
	LossUnsubscribed Loss = "unsubscribed" // the app has no callback any more
)

// lossOf is why an update is given up whose life is over.
func lossOf(brief bool) Loss {
	if brief {
		return LossRetention
	}
	return LossExpired
}

// done forgets a job that was answered.
func (d *Dispatcher) done(e *endpoint, j *job) {
	if j.row == nil {
		e.mu.Lock()
		e.finish(j)
		e.mu.Unlock()
		return
	}
	// A crash before the row is gone repeats the POST.
	found, err := d.o.Store.DeletePending(d.ctx, j.row.ID)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rowsOut--
	switch {
	case err != nil:
		d.o.Log.Error("delete delivered webhook", "delivery_id", j.row.ID, "err", err)
		e.dueAt(d.o.Clock.Now().Add(storePause))
	case found: // else it was sent by hand meanwhile
		e.pending--
		e.waiting -= j.row.Updates
	}
	e.rowEnd()
}

// rowEnd looks for more due rows after the last one in memory. It needs mu.
func (e *endpoint) rowEnd() {
	if len(e.rows)+e.rowsOut == 0 {
		e.d.kick()
	}
}

// drop gives a job up. A row of a loss goes when that was told: with updates from the journal the cursor waits for it.
func (d *Dispatcher) drop(e *endpoint, j *job, why Loss) {
	if why == LossRetention {
		l := loss{e.id.App, j.waba(), j.brief()}
		d.owe(l)
		if j.row != nil && !d.tell(d.ctx, l) {
			d.putOff(e, j)
			return
		}
	}
	d.o.Observer.Lost(why, j.updates())
	e.miss(j.updates())
	d.done(e, j)
}

// putOff keeps a row whose loss could not be told, until a time at which it is not tried again.
func (d *Dispatcher) putOff(e *endpoint, j *job) {
	at := d.o.Clock.Now().Add(storePause)
	if end := j.born().Add(rowLife + time.Second); at.Before(end) {
		at = end
	}
	if err := d.again(e, j, j.row.Attempts, j.row.Status, at); err != nil {
		d.o.Log.Error("put lost webhook off", "delivery_id", j.row.ID, "err", err)
	}
}

// giveBack leaves a job unfinished: the cursor stays before it, or the row stays as it is.
func (d *Dispatcher) giveBack(e *endpoint, j *job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if j.row != nil {
		e.rowsOut--
		e.dueAt(d.o.Clock.Now())
		return
	}
	e.release(j)
	if at := time.UnixMilli(j.events[0].born).UTC(); e.heldSince.IsZero() || at.Before(e.heldSince) {
		e.heldSince = at
	}
}

// failed decides what follows a failed attempt: true means to try again at once.
func (d *Dispatcher) failed(e *endpoint, j *job, en *entry, body []byte, attempts, status int, suspended bool) (again bool) {
	if suspended && j.row == nil {
		// The cursor stays where it is; no row is made. What has expired is dropped when it is read again.
		d.log.end(en, StateHeld, time.Time{})
		d.giveBack(e, j)
		return false
	}
	// Whether the status was good enough was decided before; 0 is a failure under every rule.
	brief := j.brief() != ""
	out, at := Next(j.born(), d.o.Clock.Now(), lifeOf(brief), attempts, 0, d.jitter())
	switch {
	case out == Dropped:
		d.log.end(en, StateDropped, time.Time{})
		d.drop(e, j, lossOf(brief))
		return false
	case attempts < 2 && !d.closing.Load():
		return true
	}
	var err error
	if j.row != nil {
		err = d.again(e, j, attempts, status, at)
	} else {
		err = d.park(e, j, en, body, attempts, status, at)
	}
	if err == nil {
		d.log.end(en, StateRetrying, at)
		return false
	}
	d.o.Log.Error("store webhook for retry", "app_id", e.id.App, "err", err)
	d.log.end(en, StateHeld, time.Time{})
	if j.row == nil {
		e.mu.Lock()
		if !e.suspended {
			e.suspend(d.o.Clock.Now()) // without a store the cursor is all we have
		}
		e.mu.Unlock()
		d.giveBack(e, j)
	}
	return false
}

// park makes a job a row of the store and finishes its updates.
func (d *Dispatcher) park(e *endpoint, j *job, en *entry, body []byte, attempts, status int, at time.Time) error {
	p := &Pending{
		ID: d.log.id(en), Endpoint: e.id, WABA: j.waba(), Message: j.events[0].id, Updates: len(j.events),
		Born: j.born(), Attempts: attempts, Status: status, Next: at, Brief: j.brief(),
	}
	born := int64(0)
	if p.Brief != "" {
		born = p.Born.UnixMilli()
	}
	sealed, err := d.o.Safe.SealContent(born, pendingAD(p.ID), body)
	if err != nil {
		return fmt.Errorf("seal body: %w", err)
	}
	p.Body = sealed
	if err := d.o.Store.AddPending(d.ctx, p); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pending++
	e.waiting += p.Updates
	e.dueAt(at)
	e.finish(j)
	d.kick()
	return nil
}

// again sets the next time of a row.
func (d *Dispatcher) again(e *endpoint, j *job, attempts, status int, at time.Time) error {
	err := d.o.Store.UpdatePending(d.ctx, j.row.ID, attempts, status, at)
	if err != nil {
		at = d.o.Clock.Now().Add(storePause)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rowsOut--
	e.dueAt(at)
	e.rowEnd()
	d.kick()
	return err
}

// due reads due rows and opens their bodies; more says that there may be others behind them.
func (d *Dispatcher) due(e *endpoint, limit int) (jobs []*job, more bool, err error) {
	rows, err := d.o.Store.DuePending(d.ctx, e.id, d.o.Clock.Now(), limit)
	if err != nil {
		return nil, false, err
	}
	jobs = make([]*job, 0, len(rows))
	for _, r := range rows {
		body, err := d.o.Safe.Open(pendingAD(r.ID), r.Body)
		if err != nil {
			d.unreadable(e, r, err)
			continue
		}
		jobs = append(jobs, &job{row: r, body: body})
	}
	return jobs, len(rows) == limit, nil
}

// unreadable deals with a row whose body cannot be opened: it must not stay due, or the rows behind it would never be read.
// When its key was destroyed, it is lost for good, and goes when whoever is to be told of it was.
func (d *Dispatcher) unreadable(e *endpoint, r *Pending, cause error) {
	gone := errors.Is(cause, ErrGone)
	if !gone || r.Brief == "" {
		d.o.Log.Error("stored webhook cannot be opened", "delivery_id", r.ID, "err", cause)
	}
	if gone && r.Brief != "" {
		l := loss{e.id.App, r.WABA, r.Brief}
		d.owe(l)
		gone = d.tell(d.ctx, l)
	}
	if !gone {
		at := d.o.Clock.Now().Add(unreadablePause)
		if err := d.o.Store.UpdatePending(d.ctx, r.ID, r.Attempts, r.Status, at); err != nil {
			d.o.Log.Error("put stored webhook off", "delivery_id", r.ID, "err", err)
			return
		}
		e.mu.Lock()
		e.dueAt(at)
		e.mu.Unlock()
		return
	}
	found, err := d.o.Store.DeletePending(d.ctx, r.ID)
	if err != nil || !found {
		return
	}
	d.o.Observer.Lost(lossOf(r.Brief != ""), r.Updates)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pending--
	e.waiting -= r.Updates
	e.stats.lost += r.Updates
}
