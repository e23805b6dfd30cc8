package virtual

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hikyaku/hikyaku/device"
)

// Defaults of [Options].
const (
	DefaultQueue   = 64 << 10
	DefaultHistory = 100
	DefaultBytes   = 64 << 10
	DefaultOneTime = 2
)

// Options are what a fleet is given. Network and Clock are needed.
type Options struct {
	Network Network
	Clock   device.Clock
	Default *Behaviour   // of users without one; nil means Default()
	Seed    uint64       // of what users do
	Rand    io.Reader    // of keys; nil means crypto/rand
	Workers int          // shards; 0 means one per processor
	Queue   int          // frames waiting per shard; 0 means DefaultQueue
	History int          // messages kept per user, about 0.5 kB each; 0 means DefaultHistory
	Bytes   int          // memory of the messages kept per user; 0 means DefaultBytes
	OneTime int          // one-time prekeys per user at the platform; 0 means DefaultOneTime, negative none
	Logger  *slog.Logger // nil is silent

	// Files is where a device ("15550142233.1") keeps encrypted files; nil: users neither send nor fetch any.
	Files func(device string) device.Relay
	// Flows is where a device gets the flows that its user was sent; nil: users answer them without opening them.
	Flows func(device string) device.FlowHost
}

func (o *Options) queue() int { return cmp.Or(o.Queue, DefaultQueue) }

// Errors of a fleet.
var (
	// ErrUnknown reports a wa_id that is no user of the fleet, or an id that the user does not know.
	ErrUnknown = errors.New("no such virtual user or message")
	// ErrFlow reports a flow that could not be opened, or not be filled in with the values given; the error says where.
	ErrFlow = errors.New("the flow was not answered")
	// ErrAction reports an action that does not exist, lacks a field or is impossible; the error says which.
	ErrAction = errors.New("cannot be done")
	// ErrClosed reports a fleet that was closed.
	ErrClosed = errors.New("the virtual users have stopped")
)

// Fleet is all virtual users of a process. Its methods are safe for concurrent use. Life: [New], perhaps [Fleet.Load],
// [Fleet.Start], …, [Fleet.Close], perhaps [Fleet.Save].
type Fleet struct {
	o       Options
	plain   *Behaviour // of users without one
	shards  []*shard
	dropped atomic.Uint64
	handled atomic.Uint64
	pending atomic.Int64 // users to register in the background
	flows   atomic.Int64 // that users are filling in by themselves

	adding sync.Mutex // one registration at a time, so that a user is never made twice

	mu     sync.RWMutex
	users  map[string]*user
	left   map[string]bool // numbers that their users gave up in this run
	life   context.Context //nolint:containedctx // ends with Close; of the jobs
	cancel context.CancelFunc
	closed bool
	jobs   sync.WaitGroup
}

// New makes a fleet without users. Nothing runs before [Fleet.Start].
func New(o Options) *Fleet {
	o.Workers = cmp.Or(o.Workers, runtime.GOMAXPROCS(0))
	o.History, o.OneTime = cmp.Or(o.History, DefaultHistory), cmp.Or(o.OneTime, DefaultOneTime)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Fleet{o: o, plain: o.Default, users: map[string]*user{}, left: map[string]bool{}}
	if f.plain == nil {
		b := Default()
		f.plain = &b
	}
	for range o.Workers {
		f.shards = append(f.shards, &shard{f: f, work: make(chan struct{}, 1)})
	}
	return f
}

// Start lets the users live: loaded ones connect.
func (f *Fleet) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	f.mu.Lock()
	f.life, f.cancel = ctx, cancel
	users := slices.Collect(maps.Values(f.users))
	f.mu.Unlock()
	for _, s := range f.shards {
		f.jobs.Go(func() { s.run(ctx) })
		f.jobs.Go(func() { s.sleep(ctx) })
	}
	for _, u := range users {
		u.begin()
	}
}

// Close disconnects all users and waits until nothing runs any more.
func (f *Fleet) Close() {
	f.mu.Lock()
	f.closed = true
	cancel := f.cancel
	users := slices.Collect(maps.Values(f.users))
	f.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	f.jobs.Wait()
	for _, u := range users {
		u.mu.Lock()
		u.detach()
		u.mu.Unlock()
	}
}

// Idle reports whether nothing is queued, being worked on, or due now. What is due later does not count, nor what the
// platform holds.
func (f *Fleet) Idle() bool {
	if f.pending.Load() > 0 || f.flows.Load() > 0 {
		return false
	}
	for _, s := range f.shards {
		if !s.idle() {
			return false
		}
	}
	return true
}

// Stats counts what a fleet does.
type Stats struct {
	Users    int
	Queued   int    // frames that wait
	Handled  uint64 // frames taken from the platform
	Overflow uint64 // times a user was connected again because a queue was full
}

// Stats returns the present counts.
func (f *Fleet) Stats() Stats {
	st := Stats{Handled: f.handled.Load(), Overflow: f.dropped.Load()}
	f.mu.RLock()
	st.Users = len(f.users)
	f.mu.RUnlock()
	for _, s := range f.shards {
		s.mu.Lock()
		st.Queued += len(s.queue)
		s.mu.Unlock()
	}
	return st
}

func (f *Fleet) stopped() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.closed
}

func (f *Fleet) user(waID string) (*user, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return nil, ErrClosed
	}
	u := f.users[waID]
	if u == nil {
		return nil, fmt.Errorf("%q: %w", waID, ErrUnknown)
	}
	return u, nil
}

// makeUser makes a user that has no device yet.
func (f *Fleet) makeUser(waID string) *user {
	h := fnv.New64a()
	_, _ = h.Write([]byte(waID)) // cannot fail
	sum := h.Sum64()
	return &user{
		f: f, waID: waID, shard: f.shards[sum%uint64(len(f.shards))], behaviour: f.plain,
		rng: rand.NewPCG(f.o.Seed, sum), online: true,
	}
}

func (f *Fleet) options(u *user) device.Options {
	return device.Options{
		Clock: f.o.Clock, Rand: f.o.Rand, Client: "virtual", History: f.o.History,
		HistoryBytes: cmp.Or(f.o.Bytes, DefaultBytes), OneTime: f.o.OneTime, Lossless: true, ReadAtOnce: u.readAtOnce,
	}
}
