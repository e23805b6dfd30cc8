package webhook

import "time"

// succeeded takes in a good answer.
func (e *endpoint) succeeded(latency time.Duration) {
	now := e.d.o.Wall.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failures = 0
	e.stats.add(latency)
	e.ctl.answered(latency, e.queue.len()+len(e.rows) > 0, now)
	if e.suspended {
		e.revive = true
	} else {
		e.wake() // the width may have grown
	}
}

// failed takes in a failure and says whether the endpoint is suspended now.
func (e *endpoint) failed() bool {
	now, wall := e.d.o.Clock.Now(), e.d.o.Wall.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failures++
	e.stats.failed++
	e.ctl.failed(wall)
	if !e.suspended && e.failures >= e.d.o.SuspendAfter {
		e.suspend(now)
	}
	return e.suspended
}

// suspend stops feeding the endpoint: from here on only probes go out. It needs mu.
func (e *endpoint) suspend(now time.Time) {
	e.suspended, e.revive, e.probes = true, false, 0
	for i := range e.parts {
		pt := &e.parts[i]
		if pt.attached {
			pt.attached = false
			pt.seen = max(pt.last(), e.d.parts[i].head.Load())
		}
	}
	e.later(now)
	e.d.o.Observer.Suspended(1)
	e.d.o.Log.Warn("webhook endpoint suspended", "app_id", e.id.App, "failures", e.failures, "probe_at", e.probeAt)
}

// later sets the time of the next probe. It needs mu.
func (e *endpoint) later(now time.Time) {
	e.probes++
	// The pause after the first failure is none; a probe is never the first attempt.
	e.probeAt = now.Add(wait(e.probes+1, e.d.jitter()))
	e.d.kick()
}

// rewind forgets what is in memory: the endpoint's own reader starts again at the cursors. It needs mu and no work in
// flight.
func (e *endpoint) rewind() {
	for i := range e.parts {
		pt := &e.parts[i]
		if len(pt.open) > 0 {
			pt.seen = pt.open[0].seq - 1
			pt.open = nil
		}
	}
	e.d.memory.Add(-int64(e.queue.bytes))
	e.queue = queue{}
	if len(e.rows) > 0 {
		e.rows = nil
		e.nextDue = e.d.o.Clock.Now()
	}
}

// resume ends a suspension. It needs mu.
func (e *endpoint) resume() {
	e.suspended, e.revive, e.failures, e.probes, e.heldSince = false, false, 0, 0, time.Time{}
	e.d.o.Observer.Suspended(-1)
	e.d.o.Log.Info("webhook endpoint resumed", "app_id", e.id.App)
	e.refill()
	e.d.kick()
}

// tick starts what is due and returns when to come again; zero for never.
func (e *endpoint) tick(now time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed || e.d.closing.Load():
		return time.Time{}
	case e.suspended:
		if e.inflight > 0 || e.filling {
			return time.Time{} // whoever is last kicks
		}
		if e.probeAt.After(now) {
			return e.probeAt
		}
		e.inflight++
		e.filling = true
		e.d.work.Go(e.probe)
		return time.Time{}
	case e.nextDue.IsZero() || e.loading || len(e.rows)+e.rowsOut > 0:
		return time.Time{}
	case e.nextDue.After(now):
		return e.nextDue
	default:
		e.loading = true
		e.d.work.Go(e.load)
		return time.Time{}
	}
}

// probe tries the oldest thing that waits: a due row, else the first update behind the cursor.
func (e *endpoint) probe() {
	w := e.d.worker()
	defer e.d.workers.Put(w)
	j := e.dueRow()
	if j == nil {
		e.d.fill(e, true)
	}
	e.mu.Lock()
	e.filling = false
	switch {
	case j != nil:
		e.rowsOut++
	case e.queue.len() > 0:
		j = e.pop(w, 1)
	default:
		e.revive = true // nothing waits any more
	}
	e.mu.Unlock()
	if j != nil {
		w.deliver(e, j)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.revive && e.suspended {
		e.later(e.d.o.Clock.Now())
	}
	e.leave()
	e.d.kick()
}

// dueRow reads one due row.
func (e *endpoint) dueRow() *job {
	jobs, _, err := e.d.due(e, 1)
	if err != nil {
		e.d.o.Log.Error("read due webhooks", "app_id", e.id.App, "err", err)
	}
	if len(jobs) == 0 {
		return nil
	}
	return jobs[0]
}

// duePage is how many rows are in memory at once.
const duePage = 64

// storePause is how long to wait after the store failed.
const storePause = 10 * time.Second

// unreadablePause is how long a row waits whose key could not be had just now.
const unreadablePause = time.Minute

// load reads due rows and hands them to the workers.
func (e *endpoint) load() {
	now := e.d.o.Clock.Now()
	e.mu.Lock()
	e.nextDue = time.Time{} // rows stored from here on set it again
	e.mu.Unlock()
	jobs, more, err := e.d.due(e, duePage)
	var next time.Time
	switch {
	case err == nil && more:
		next = now
	case err == nil:
		next, err = e.d.o.Store.NextPending(e.d.ctx, e.id, now)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		e.d.o.Log.Error("read due webhooks", "app_id", e.id.App, "err", err)
		next = now.Add(storePause)
	}
	e.loading = false
	e.rows = jobs
	e.dueAt(next)
	if e.suspended {
		e.rows = nil
		if len(jobs) > 0 {
			e.dueAt(now)
		}
		return
	}
	e.wake()
	e.d.kick()
}

// dueAt notes that a row is due at the given time. It needs mu.
func (e *endpoint) dueAt(at time.Time) {
	if !at.IsZero() && (e.nextDue.IsZero() || at.Before(e.nextDue)) {
		e.nextDue = at
	}
}
