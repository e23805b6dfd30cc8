package template

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Notifier tells a business what happened to its templates. It returns when the notice is durable.
type Notifier interface {
	Notify(ctx context.Context, w wa.WABAID, field string, value []byte) error
}

// queue is what Run has to do.
type queue struct {
	wake chan struct{} // holds one

	mu     sync.Mutex
	due    dues
	at     map[wa.TemplateID]time.Time // the earliest entry of a template; others are out of date
	outbox map[wa.TemplateID]bool      // with notices nobody has taken yet
	used   map[wa.TemplateID]bool      // sent for the first time today
	hold   time.Time                   // when accounts are held to their limits next
	busy   bool
	deaf   bool // nobody takes notices: they wait in the store
}

type dueEntry struct {
	at time.Time
	id wa.TemplateID
}

// dues is a heap of moments, the next on top. A template has one entry that counts; it may be early, so whoever takes it asks
// the template again.
type dues []dueEntry

func (d dues) Len() int           { return len(d) }
func (d dues) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d dues) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }

// Push implements heap.Interface.
func (d *dues) Push(x any) { *d = append(*d, x.(dueEntry)) }

// Pop implements heap.Interface.
func (d *dues) Pop() any {
	old := *d
	x := old[len(old)-1]
	*d = old[:len(old)-1]
	return x
}

func (q *queue) init() {
	q.wake = make(chan struct{}, 1)
	q.outbox, q.used, q.at = map[wa.TemplateID]bool{}, map[wa.TemplateID]bool{}, map[wa.TemplateID]time.Time{}
}

func (q *queue) add(ts []*Template) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range ts {
		if len(t.Outbox) > 0 {
			q.outbox[t.ID] = true
		}
		at := t.due()
		if old, ok := q.at[t.ID]; !at.IsZero() && (!ok || at.Before(old)) {
			q.at[t.ID] = at
			heap.Push(&q.due, dueEntry{at, t.ID})
		}
	}
	q.poke()
}

func (q *queue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// maxUsed bounds what is remembered of sends between two turns of Run.
const maxUsed = 10_000

// use notes a send. It gives up rather than wait: the next send of that day comes again.
func (q *queue) use(id wa.TemplateID) {
	if !q.mu.TryLock() {
		return
	}
	defer q.mu.Unlock()
	if !q.used[id] && len(q.used) < maxUsed {
		q.used[id] = true
		q.poke()
	}
}

// take returns what is to be done at now, and when to look again; zero for no such time.
func (q *queue) take(now time.Time) (due, used, outbox []wa.TemplateID, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.due) > 0 && !q.due[0].at.After(now) {
		if e := heap.Pop(&q.due).(dueEntry); q.at[e.id].Equal(e.at) {
			delete(q.at, e.id)
			due = append(due, e.id)
		}
	}
	for id := range q.used {
		used = append(used, id)
	}
	clear(q.used)
	for id := range q.outbox {
		if !q.deaf {
			outbox = append(outbox, id)
		}
	}
	if len(q.due) > 0 {
		next = q.due[0].at
	}
	q.busy = len(due)+len(used)+len(outbox) > 0
	return due, used, outbox, next
}

// Idle reports whether nothing is to be done before time passes.
func (s *Service) Idle() bool {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.busy && len(q.used) == 0 && (q.deaf || len(q.outbox) == 0) && (len(q.due) == 0 || q.due[0].at.After(s.o.Clock.Now())) &&
		(s.o.Limit == nil || q.hold.After(s.o.Clock.Now()))
}

// retryAfter is the pause after a store or a notifier failed.
const retryAfter = time.Second

// Run does what happens by the clock and hands notices to n, until ctx ends; with a nil n they wait. It runs once at a time.
func (s *Service) Run(ctx context.Context, n Notifier) {
	s.queue.mu.Lock()
	s.queue.deaf = n == nil
	s.queue.mu.Unlock()
	for ctx.Err() == nil {
		if err := s.holdAll(ctx, s.o.Clock.Now()); err != nil && ctx.Err() == nil {
			s.o.Log.Warn("templates", "err", err)
		}
		due, used, outbox, next := s.queue.take(s.o.Clock.Now())
		if hold := s.holding(); !hold.IsZero() && (next.IsZero() || hold.Before(next)) {
			next = hold
		}
		if len(due)+len(used)+len(outbox) > 0 {
			if err := s.work(ctx, n, due, used, outbox); err != nil && ctx.Err() == nil {
				s.o.Log.Warn("templates", "err", err)
				s.rest(ctx, s.o.Clock.Now().Add(retryAfter))
			}
			continue
		}
		s.rest(ctx, next)
	}
}

// rest waits for the next moment, zero for none, or for something new.
func (s *Service) rest(ctx context.Context, next time.Time) {
	var timer <-chan time.Time
	if !next.IsZero() {
		t := s.o.Clock.NewTimer(next.Sub(s.o.Clock.Now()))
		defer t.Stop()
		timer = t.C()
	}
	select {
	case <-ctx.Done():
	case <-s.queue.wake:
	case <-timer:
	}
}

func (s *Service) work(ctx context.Context, n Notifier, due, used, outbox []wa.TemplateID) (err error) {
	way, e := s.waiting(ctx, due)
	err = errors.Join(err, e)
	for _, id := range due {
		if e := s.pass(ctx, id, way); e != nil {
			err = errors.Join(err, e)
			s.queue.add(s.again(id))
		}
	}
	for _, id := range used {
		err = errors.Join(err, s.touch(ctx, id))
	}
	for _, id := range outbox {
		err = errors.Join(err, s.tell(ctx, n, id))
	}
	return err
}

func (s *Service) again(id wa.TemplateID) []*Template {
	if t, ok := s.any(id); ok {
		return []*Template{t}
	}
	return nil
}

// waiting asks for the messages of those templates that wait for them. What cannot be known counts as on its way.
func (s *Service) waiting(ctx context.Context, due []wa.TemplateID) (ways, error) {
	var list []*Template
	for _, id := range due {
		if t, ok := s.any(id); ok && t.Status == PendingDeletion {
			list = append(list, t)
		}
	}
	return s.underway(ctx, list)
}

// pass lets a template become what it is at this moment. way says what is on its way.
func (s *Service) pass(ctx context.Context, id wa.TemplateID, way ways) error {
	t, ok := s.any(id)
	if !ok {
		return nil
	}
	if at := t.due(); at.IsZero() || at.After(s.o.Clock.Now()) {
		s.queue.add([]*Template{t}) // the entry was early
		return nil
	}
	if t.Status == Deleted {
		return s.forget(ctx, t)
	}
	if t.Status == PendingDeletion && s.o.Clock.Now().Sub(t.Removed) < deliverFor && way.maybe(t) {
		return s.later(ctx, id)
	}
	_, err := s.Update(ctx, id, func(t *Template) error {
		if at := t.due(); at.IsZero() || at.After(s.o.Clock.Now()) {
			return errStale
		}
		s.step(t, s.o.Clock.Now())
		return nil
	})
	if errors.Is(err, errStale) || errors.Is(err, ErrUnknown) {
		s.queue.add(s.again(id))
		return nil
	}
	return err
}

// later lets a template whose messages are not delivered wait on.
func (s *Service) later(ctx context.Context, id wa.TemplateID) error {
	_, err := s.update(ctx, id, func(t *Template) error { t.Asked = s.o.Clock.Now(); return nil })
	return err
}

var errStale = errors.New("the template has changed meanwhile")

// forget removes what was deleted long ago.
func (s *Service) forget(ctx context.Context, t *Template) error {
	a := s.account(t.WABA)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := s.store.ForgetTemplates(ctx, []wa.TemplateID{t.ID}); err != nil {
		return err
	}
	a.view.Store(a.view.Load().without(t))
	s.ids.Delete(t.ID)
	return nil
}

// touch remembers that a template was sent today.
func (s *Service) touch(ctx context.Context, id wa.TemplateID) error {
	now := s.o.Clock.Now()
	_, err := s.update(ctx, id, func(t *Template) error {
		if t.Status == Deleted || now.Sub(t.Used) < day {
			return errStale
		}
		t.Used = now
		return nil
	})
	if errors.Is(err, errStale) || errors.Is(err, ErrUnknown) {
		return nil
	}
	return err
}

// tell hands the notices of a template over. A crash in between repeats them.
func (s *Service) tell(ctx context.Context, n Notifier, id wa.TemplateID) error {
	t, ok := s.any(id)
	if !ok {
		return nil
	}
	told := 0
	var failed error
	for _, m := range t.Outbox {
		if failed = n.Notify(ctx, t.WABA, m.Field, m.Value); failed != nil {
			break
		}
		told++
	}
	if told > 0 {
		if _, err := s.update(ctx, id, func(t *Template) error { t.Outbox = t.Outbox[told:]; return nil }); err != nil {
			return errors.Join(failed, err)
		}
	}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	if t, ok := s.any(id); !ok || len(t.Outbox) == 0 {
		delete(s.queue.outbox, id)
	}
	return failed
}
