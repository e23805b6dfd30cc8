package webhook

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Log is one partition of the journal as the dispatcher reads it.
type Log interface {
	// Next returns the first frame after the given sequence and waits for it until ctx ends.
	Next(ctx context.Context, after uint64) (*journal.Frame, error)
	// Last is the sequence of the newest durable frame; 0 for none.
	Last() uint64
}

// Apps knows the secrets payloads are signed with. It is an in-memory read on the hot path.
type Apps interface {
	AppSecret(app wa.AppID) (secret string, ok bool)
}

// Observer counts what happens. Calls come from many goroutines and must return at once.
type Observer interface {
	// Attempted is called after every attempt that was not cut off by Close.
	Attempted(a Answer, latency time.Duration, updates int)
	// Lost is called when updates are given up.
	Lost(why Loss, updates int)
	// Suspended is called with 1 when an endpoint is suspended and with -1 when that ends.
	Suspended(delta int)
}

type noObserver struct{}

func (noObserver) Attempted(Answer, time.Duration, int) {}
func (noObserver) Lost(Loss, int)                       {}
func (noObserver) Suspended(int)                        {}

// Options configure a Dispatcher. Service, Logs, Store, Safe, Apps, Numbers, Poster and Clock are required.
type Options struct {
	Service *Service
	Logs    []Log // one per partition
	Store   Store
	Safe    Safe
	Apps    Apps
	Numbers Numbers
	Poster  Poster      // see [NewSender]
	Clock   clock.Clock // platform time: schedule and age of updates

	Users    UserIDs  // nil leaves business-scoped user ids out
	Notices  Notices  // nil tells nobody of what was lost of numbers without storage
	Observer Observer // nil counts nothing
	Log      *slog.Logger
	Wall     clock.Clock // real time: latencies and saving; nil means the system's
	Rand     io.Reader   // ids and jitter; nil means crypto/rand

	ErrorsHref   string        // of errors[]; "" means [ErrorsHref]
	UserAgent    string        // "" means facebookexternalua
	StrictStatus bool          // only 200 is success, not every 2xx
	Timeout      time.Duration // of an attempt, real time; 0 means 10 s

	BatchMax   int // updates per POST; 0 means 1,000, the most; 1 sends every update alone
	BatchAbove int // length of the queue above which updates share POSTs; 0 means 50 (spec/limits.md W5)

	StartConcurrency int // 0 means 16
	MaxConcurrency   int // 0 means 64, see spec/limits.md section 8
	SuspendAfter     int // failures in a row; 0 means 20 (spec/limits.md section 8)

	QueueEvents int // per endpoint in memory; 0 means 8,192
	QueueBytes  int // per endpoint in memory; 0 means 16 MiB
	TotalBytes  int // all endpoints; 0 means 256 MiB. Each may hold a little beyond it

	SaveEvery time.Duration // of cursors, real time; 0 means 1 s
	LogCount  int           // deliveries remembered; 0 means 1,000
	LogBytes  int           // of their payloads; 0 means 16 MiB
}

// smallQueue is what an endpoint may hold although all endpoints together hold too much.
const smallQueue = 64 << 10

// or sets a zero option.
func or[T comparable](v *T, standard T) {
	var zero T
	if *v == zero {
		*v = standard
	}
}

func (o *Options) fill() {
	or(&o.ErrorsHref, ErrorsHref)
	or(&o.UserAgent, userAgent)
	or(&o.Timeout, attemptTimeout)
	or(&o.BatchMax, maxUpdates)
	o.BatchMax = min(o.BatchMax, maxUpdates)
	or(&o.BatchAbove, 50)
	or(&o.StartConcurrency, 16)
	or(&o.MaxConcurrency, 64)
	or(&o.SuspendAfter, 20)
	or(&o.QueueEvents, 8192)
	or(&o.QueueBytes, 16<<20)
	or(&o.TotalBytes, 256<<20)
	or(&o.SaveEvery, time.Second)
	or(&o.LogCount, 1000)
	or(&o.LogBytes, 16<<20)
	if o.Observer == nil {
		o.Observer = noObserver{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Wall == nil {
		o.Wall = clock.System()
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
}

// Dispatcher reads the journal and posts. See the package comment.
type Dispatcher struct {
	o      Options
	build  *builder
	parts  []*partition
	log    *deliveryLog
	memory atomic.Int64 // cost of all queued and posted events

	ctx     context.Context // of attempts and store calls; ends when Close is out of patience
	cancel  context.CancelFunc
	stop    context.CancelFunc // of the readers
	closing atomic.Bool
	started atomic.Bool
	readers sync.WaitGroup
	work    sync.WaitGroup
	workers sync.Pool
	kicked  chan struct{}

	mu        sync.RWMutex
	endpoints map[EndpointID]*endpoint

	saveMu  sync.Mutex // one save at a time
	savedMu sync.Mutex // guards what is noted as saved, while several cursors change together

	telling sync.Mutex    // one notice at a time; nobody waits for it who reads the journal or posts what was read there
	owing   chan struct{} // wakes herald
	untried atomic.Int64  // losses that herald has not looked at

	lossMu sync.Mutex         // never held while something is written
	owed   map[loss]struct{}  // not told yet
	told   map[loss]time.Time // in the last minute or two
	swept  time.Time          // when told was swept

	randMu sync.Mutex
	random *mathrand.Rand
}

// New loads cursors and counts of waiting POSTs. Nothing is read from the journal or sent before Start.
func New(ctx context.Context, o Options) (*Dispatcher, error) {
	o.fill()
	var seed [24]byte
	if _, err := io.ReadFull(o.Rand, seed[:]); err != nil {
		return nil, fmt.Errorf("seed webhook dispatcher: %w", err)
	}
	d := &Dispatcher{
		o:         o,
		build:     &builder{numbers: o.Numbers, users: o.Users, href: o.ErrorsHref},
		log:       newDeliveryLog(hex.EncodeToString(seed[:6])+"-", o.LogCount, o.LogBytes),
		kicked:    make(chan struct{}, 1),
		endpoints: map[EndpointID]*endpoint{},
		owing:     make(chan struct{}, 1),
		owed:      map[loss]struct{}{},
		told:      map[loss]time.Time{},
		random:    mathrand.New(mathrand.NewPCG(uint64(seed[8]), uint64(seed[16]))), //nolint:gosec // jitter
	}
	d.workers.New = func() any { return newWorker(d) }
	for i, l := range o.Logs {
		d.parts = append(d.parts, newPartition(i, l))
	}
	// Deliveries outlive the context of the start.
	d.ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(d.ctx, o.Poster.Abort) //nolint:contextcheck // it ends what outlives the context of the start
	if err := d.restore(ctx); err != nil {
		d.cancel()
		return nil, err
	}
	o.Service.watch(d.sync)
	d.sync()
	return d, nil
}

func (d *Dispatcher) worker() *worker { return d.workers.Get().(*worker) }

// jitter returns a source of its own for one decision.
func (d *Dispatcher) jitter() *mathrand.Rand {
	d.randMu.Lock()
	defer d.randMu.Unlock()
	return mathrand.New(mathrand.NewPCG(d.random.Uint64(), d.random.Uint64())) //nolint:gosec // jitter
}

// Start begins to read and to post.
func (d *Dispatcher) Start() {
	if d.started.Swap(true) {
		return
	}
	ctx, stop := context.WithCancel(d.ctx)
	d.stop = stop
	for _, p := range d.parts {
		d.readers.Go(func() { d.read(ctx, p) })
	}
	d.readers.Go(func() { d.tend(ctx) })
	d.readers.Go(func() { d.keep(ctx) })
	d.readers.Go(func() { d.herald(ctx) })
	for _, e := range d.all() {
		e.mu.Lock()
		e.refill()
		e.mu.Unlock()
	}
}

// Close stops reading, waits for the POSTs in flight until ctx ends, and saves the cursors. What was not answered is sent
// after the next start.
func (d *Dispatcher) Close(ctx context.Context) error {
	d.closing.Store(true)
	if d.stop != nil {
		d.stop()
	}
	d.readers.Wait()
	idle := make(chan struct{})
	go func() {
		d.work.Wait()
		close(idle)
	}()
	var cut error
	select {
	case <-idle:
	case <-ctx.Done():
		cut = fmt.Errorf("webhooks in flight were cut off: %w", context.Cause(ctx))
		d.cancel()
		<-idle
	}
	err := d.save(context.WithoutCancel(ctx))
	d.cancel()
	return errors.Join(cut, err)
}

// kick makes tend look again.
func (d *Dispatcher) kick() {
	select {
	case d.kicked <- struct{}{}:
	default:
	}
}

// tend starts probes and retries when they are due.
func (d *Dispatcher) tend(ctx context.Context) {
	for {
		var next time.Time
		now := d.o.Clock.Now()
		for _, e := range d.all() {
			at := e.tick(now)
			if !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		if !d.pause(ctx, next.Sub(now), !next.IsZero()) {
			return
		}
	}
}

// pause waits for a kick, or the given time when timed; false when ctx has ended.
func (d *Dispatcher) pause(ctx context.Context, wait time.Duration, timed bool) bool {
	var due <-chan time.Time
	if timed {
		t := d.o.Clock.NewTimer(wait)
		defer t.Stop()
		due = t.C()
	}
	select {
	case <-due:
	case <-d.kicked:
	case <-ctx.Done():
		return false
	}
	return true
}

// keep saves cursors. A disk that is full stays so for a while: it is told when that begins and when it is over.
func (d *Dispatcher) keep(ctx context.Context) {
	failing := false
	for d.o.Wall.Sleep(ctx, d.o.SaveEvery) == nil {
		d.log.forget(d.o.Clock.Now())
		err := d.save(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			d.o.Log.Error("save webhook cursors", "err", err)
		case err == nil && failing:
			d.o.Log.Info("webhook cursors are saved again")
		}
		failing = err != nil
	}
}

// all returns the endpoints.
func (d *Dispatcher) all() []*endpoint {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]*endpoint, 0, len(d.endpoints))
	for _, e := range d.endpoints {
		out = append(out, e)
	}
	return out
}
