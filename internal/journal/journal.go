package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// Journal is a set of logs, one per partition. Close it.
type Journal struct {
	o       Options
	home    *home // nil when the streams are elsewhere
	logs    []*Log
	spare   sync.Pool     // *batch
	abandon chan struct{} // closed when Close no longer waits
	hurry   sync.Once     // closes abandon

	link   atomic.Pointer[link] // nil while the server is not running
	linkMu sync.Mutex           // one restart at a time
	ill    atomic.Bool          // the server could not write: it must be restarted
	closed bool                 // guarded by linkMu
}

// Open opens the journal in o.Dir, creating it when the directory is empty or missing, and recovers what is in it. In a
// cluster it waits until enough nodes are there, or ctx ends.
//
// Errors: ErrLocked, ErrForeign, ErrVersion, ErrCorrupt, ErrFull, ErrUnavailable.
func Open(ctx context.Context, o Options) (*Journal, error) {
	o, err := o.normal()
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{o: o, abandon: make(chan struct{})}
	if o.Dir != "" && !o.external() && o.shared == nil {
		if j.home, err = openHome(o.Dir, o.Partitions); err != nil {
			return nil, fmt.Errorf("open journal: %w", err)
		}
		j.o.Partitions = j.home.Partitions
	}
	j.o.Partitions = or(j.o.Partitions, defaultPartitions)
	for n := range j.o.Partitions {
		j.logs = append(j.logs, newLog(j, n))
	}
	if err = j.start(); err == nil {
		err = j.recover(ctx)
	}
	if err != nil {
		j.stop()
		if j.home != nil {
			j.home.close()
		}
		return nil, fmt.Errorf("open journal: %w", err)
	}
	for _, l := range j.logs {
		go l.write()
	}
	return j, nil
}

// Log is partition p, from 0.
func (j *Journal) Log(p int) *Log { return j.logs[p] }

// Partitions is the number of logs.
func (j *Journal) Partitions() int { return len(j.logs) }

// Close refuses new appends, waits until those queued are durable or ctx ends, answers the rest with an error, wakes readers
// with ErrClosed and stops the server. No done callback runs after it returns.
func (j *Journal) Close(ctx context.Context) error {
	for _, l := range j.logs {
		l.shut()
	}
	var err error
	for _, l := range j.logs {
		select {
		case <-l.stopped:
			continue
		case <-ctx.Done():
		}
		err = fmt.Errorf("close journal: %w", ctx.Err())
		j.hurry.Do(func() { close(j.abandon) })
		<-l.stopped
	}
	j.linkMu.Lock()
	defer j.linkMu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	j.stop()
	if j.home != nil {
		j.home.close()
	}
	return err
}

// shut makes the log refuse appends and its readers stop.
func (l *Log) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = true
	l.changed.Broadcast()
	l.spread()
	l.kick()
}

// start runs the server, or connects to the one elsewhere, and subscribes the logs to their acknowledgements.
func (j *Journal) start() error {
	j.ill.Store(false)
	n, owned := j.o.shared, false
	if n == nil && !j.o.external() {
		var err error
		if n, err = startServer(j.o, j.sickened); err != nil {
			return err
		}
		owned = true
	}
	k, err := dial(j.o, n, owned)
	if err != nil {
		if owned {
			n.stop()
		}
		return err
	}
	for _, l := range j.logs {
		if _, err := k.pub.ChanSubscribe(l.inbox+".*", l.acks); err != nil {
			k.close()
			return fmt.Errorf("%w: subscribe to acknowledgements: %w", ErrUnavailable, err)
		}
	}
	j.link.Store(k)
	return nil
}

func (j *Journal) stop() {
	if k := j.link.Swap(nil); k != nil {
		k.close()
	}
}

// sickened is called when the server failed to write. It will not answer what it could not store.
func (j *Journal) sickened(err error) {
	j.ill.Store(true)
	for _, l := range j.logs {
		l.sicken(err)
	}
}

// heal restarts a server that failed to write or does not run: a stream refuses everything after a failed write, until it
// is recovered from disk.
func (j *Journal) heal(ctx context.Context) error {
	j.linkMu.Lock()
	defer j.linkMu.Unlock()
	if j.closed {
		return ErrClosed
	}
	if k := j.link.Load(); k != nil && k.alive() && !j.ill.Load() {
		return nil
	}
	if j.o.external() || j.o.shared != nil {
		return nil // not ours to restart
	}
	j.o.Logger.Warn("journal server restarts")
	j.stop()
	if err := j.start(); err != nil {
		return err
	}
	for _, l := range j.logs {
		l.restarted()
	}
	return j.await(ctx)
}

// restarted fails the frame in flight, whose answer will not come, and forgets complaints about frames that never were.
func (l *Log) restarted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy {
		l.sicken(fmt.Errorf("%w: server was restarted", ErrUncertain))
		return
	}
	select {
	case old := <-l.sick:
		l.j.o.Logger.Debug("journal recovered", "partition", l.n, "err", old)
	default:
	}
}

// await waits until every stream can be reached.
func (j *Journal) await(ctx context.Context) error {
	for _, l := range j.logs {
		if _, _, err := l.ask(ctx); err != nil {
			return err
		}
	}
	return nil
}

// recover finds or creates the streams and takes over where they stand.
func (j *Journal) recover(ctx context.Context) error {
	for _, l := range j.logs {
		s, found, err := l.ask(ctx)
		if err != nil {
			return err
		}
		if !found {
			if j.home != nil && j.home.Created && j.o.alone() {
				return fmt.Errorf("%w: partition %d is missing", ErrCorrupt, l.n)
			}
			if s, err = l.create(ctx); err != nil {
				return err
			}
		}
		if err := l.checkState(s); err != nil {
			return err
		}
		l.stand(s)
		if err := l.remember(ctx); err != nil {
			return err
		}
	}
	if j.home != nil {
		return j.home.created()
	}
	// Streams elsewhere have no manifest: one more than expected tells that the number of partitions is wrong.
	if _, found, err := newLog(j, len(j.logs)).ask(ctx); err != nil {
		return err
	} else if found {
		return fmt.Errorf("%w: it has more than %d partitions", ErrForeign, len(j.logs))
	}
	return nil
}

// ask is info, repeated while the cluster has no leader.
func (l *Log) ask(ctx context.Context) (s state, found bool, err error) {
	err = l.j.patiently(ctx, func(k *link) error {
		s, found, err = k.info(ctx, l.stream)
		return err
	})
	return s, found, err
}

func (l *Log) create(ctx context.Context) (s state, err error) {
	err = l.j.patiently(ctx, func(k *link) error {
		if err := k.create(ctx, l.j.o, l.stream, l.subject); err != nil {
			return err
		}
		var found bool
		if s, found, err = k.info(ctx, l.stream); err == nil && !found {
			err = fmt.Errorf("%w: stream %s is not there yet", ErrUnavailable, l.stream)
		}
		return err
	})
	return s, err
}

// remember takes the time of the newest frame, so that time does not fall after a restart with an older clock.
func (l *Log) remember(ctx context.Context) error {
	l.mu.Lock()
	first, last := l.first, l.known
	l.mu.Unlock()
	if first > last {
		return nil
	}
	var msgs []stored
	err := l.j.patiently(ctx, func(*link) (err error) {
		msgs, err = l.fetch(ctx, last, 1)
		return err
	})
	if err != nil {
		return err
	}
	f, err := l.decode(msgs[0])
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = max(l.at, f.At.UnixMilli())
	return nil
}

// patiently repeats what a cluster without a leader cannot do yet. A single server is ready from the start.
func (j *Journal) patiently(ctx context.Context, do func(*link) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		k := j.link.Load()
		if k == nil {
			return fmt.Errorf("%w: server is not running", ErrUnavailable)
		}
		err := do(k)
		if err == nil || j.o.alone() || !errors.Is(err, ErrUnavailable) {
			return err
		}
		if clock.System().Sleep(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}

// newBatch is an empty batch with room for the frame's header.
func (j *Journal) newBatch() *batch {
	if b, ok := j.spare.Get().(*batch); ok {
		return b
	}
	return &batch{buf: make([]byte, frameHeader, 4<<10)}
}

// recycle takes back a batch whose callers were told. Its records live on in the tail.
func (j *Journal) recycle(b *batch) {
	clear(b.done)
	*b = batch{buf: b.buf[:frameHeader], done: b.done[:0]}
	j.spare.Put(b)
}
