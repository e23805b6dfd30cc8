package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Throughput limits the messages of a number per second. Times are Unix milliseconds; the level is given with each call, so
// that a change takes effect at once and keeps the history. Source: spec/limits.md section 1.2.
type Throughput interface {
	// Wait is how many milliseconds from now an outbound message will be allowed; 0: it is. It counts nothing.
	Wait(now int64, level int) int64
	// Push counts a message at now: an accepted outbound one, or any inbound one, which is never refused.
	Push(now int64, level int)
	// Idle reports whether it can be dropped: nothing was counted for a minute.
	Idle(now int64) bool
}

// Options assemble a Pipeline. Zero numbers mean the default in the comment.
type Options struct {
	Logs      []Log // one per partition
	Store     Store
	Blocks    Blocklist
	Keys      KeyStore
	Numbers   Numbers
	Directory Directory
	Mailbox   Mailbox
	UserIDs   UserIDs // nil: notices name users by their numbers alone
	Vault     Sealer
	Previews  Previewer // nil: links are delivered without preview
	Arrivals  Arrivals  // nil: files of users are not taken over
	Archive   Archive   // nil: nobody asks for what was sent
	Links     Linker    // nil: messages with media by link fail
	Gate      Gate      // nil: every template passes
	Borders   Borders   // nil: everybody may be written to
	Sync      []int     // codes that are answered at once instead of later, of those that foresee finds
	Templates Templates // nil: clicks and answers are not counted
	Rates     Rates     // nil: there are no international rates
	// Throughput makes the limiter of a number's messages per second; nil means a [limits.Window].
	Throughput func() Throughput
	// Ready is called once, when the store shows everything and before the lanes run; nil for none.
	Ready    func(ctx context.Context) error
	NoLedger bool         // charged messages are not written down
	Applied  func(*Batch) // called after the store has taken a batch; nil for none
	Clock    clock.Clock  // platform time
	Pace     clock.Clock  // real time, for pauses that must pass even when platform time stands still
	Rand     io.Reader    // keys and ids; must be safe for concurrent use
	IDs      io.Reader    // seeds of message ids; nil means Rand
	Logger   *slog.Logger

	Queue    int // commands waiting per lane before callers are told to try again; 4096
	Workers  int // goroutines for slow work, over all lanes; 8
	Files    int // users' files taken over at once, half of them for one account; 4
	Peers    int // pairs kept in memory per lane and generation; 10,000
	Messages int // messages kept in memory per lane and generation; 10,000
	MaxLag   int // records the projector may be behind before sends are refused, per lane; 400,000

	Rest     time.Duration // real time between two looks at what the memory holds for nobody; a minute
	FileTime time.Duration // for taking over one file of a user, then the device is told to come again; 2 minutes
}

func (o *Options) defaults() {
	set := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	set(&o.Queue, 4096)
	set(&o.Workers, 8)
	set(&o.Files, 4)
	set(&o.Peers, 10_000)
	set(&o.Messages, 10_000)
	set(&o.MaxLag, 400_000)
	if o.FileTime == 0 {
		o.FileTime = fileTime
	}
	if o.Rest == 0 {
		o.Rest = time.Minute
	}
	if o.Pace == nil {
		o.Pace = o.Clock
	}
	if o.Throughput == nil {
		o.Throughput = func() Throughput { return limits.NewWindow() }
	}
	if o.IDs == nil {
		o.IDs = o.Rand
	}
}

// Pipeline is the set of lanes of this process.
type Pipeline struct {
	o     Options
	keys  *keyring
	lanes []*lane
	pool  *pool
	files *intake
	proj  []*projector

	stop    context.CancelFunc
	started bool // the lanes run
	wg      sync.WaitGroup
	fail    chan error

	counts Counts
}

// Counts are running totals since the start, for metrics.
type Counts struct {
	Accepted, Received, Sent, Delivered, Read, Failed atomic.Uint64
	RefusedThroughput, RefusedPair, RefusedBusy       atomic.Uint64
	Retried, Dropped, Held, Recovered                 atomic.Uint64
}

// ErrStopped is returned to callers whose command was not decided before the pipeline stopped.
var ErrStopped = errors.New("the pipeline has stopped")

// New returns a pipeline that does nothing until Start.
func New(o Options) *Pipeline {
	o.defaults()
	p := &Pipeline{o: o, fail: make(chan error, 1)}
	p.keys = newKeyring(o.Keys, o.Vault, o.Clock, o.Rand)
	p.pool = newPool(o.Workers)
	p.files = newIntake(o.Files, o.FileTime)
	for i, log := range o.Logs {
		p.lanes = append(p.lanes, newLane(p, i, log))
		p.proj = append(p.proj, newProjector(i, log, o.Store, o.Pace, o.Logger))
		p.proj[i].noLedger = o.NoLedger
		p.proj[i].templates = o.Templates
	}
	return p
}

// maxLanes is how many lanes the last byte of a message id can tell apart.
const maxLanes = 256

// Start brings the store up to the end of the journal, then starts the lanes. It returns when every lane is ready. After an
// error only Close may be called.
func (p *Pipeline) Start(ctx context.Context) error {
	if len(p.lanes) == 0 || len(p.lanes) > maxLanes {
		return fmt.Errorf("%d partitions: 1 to %d are possible", len(p.lanes), maxLanes)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	for i, pr := range p.proj {
		if err := pr.open(ctx); err != nil {
			return fmt.Errorf("projector %d: %w", i, err)
		}
	}
	errs := make(chan error, len(p.lanes))
	for i := range p.lanes {
		l, pr := p.lanes[i], p.proj[i]
		pr.applied = func(b *Batch) {
			if p.o.Applied != nil {
				p.o.Applied(b)
			}
			l.projectorMoved(b.Position)
		}
		l.projected.Store(pr.position())
		p.wg.Go(func() { p.watch(pr.run(run)) })
		p.wg.Go(func() {
			err := pr.wait(ctx, l.log.Last())
			if err == nil {
				err = l.warm(ctx)
			}
			errs <- err
		})
	}
	var err error
	for range p.lanes {
		err = errors.Join(err, <-errs)
	}
	if err == nil && p.o.Ready != nil {
		err = p.o.Ready(ctx)
	}
	if err != nil {
		return err
	}
	p.started = true
	for _, l := range p.lanes {
		p.wg.Go(func() { l.run(run) })
		p.wg.Go(func() { l.tick(run) })
		p.wg.Go(func() { l.rest(run) })
	}
	return nil
}

// Failed tells why the pipeline cannot go on; the process should stop, since starting again is the recovery.
func (p *Pipeline) Failed() <-chan error { return p.fail }

func (p *Pipeline) watch(err error) {
	if err == nil {
		return
	}
	select {
	case p.fail <- err:
	default:
	}
}

// Close refuses new commands, lets what is on its way become durable and projected, and stops. When ctx ends before, it
// stops at once: whoever still waits is refused, and what was acknowledged goes on with the next start.
func (p *Pipeline) Close(ctx context.Context) error {
	for _, l := range p.lanes {
		l.closing.Store(true)
	}
	var err error
	if p.started {
		err = p.Settle(ctx)
		for i, l := range p.lanes {
			if err == nil {
				err = p.proj[i].wait(ctx, l.log.Last())
			}
		}
	}
	if p.stop != nil {
		p.stop()
	}
	p.pool.stop() // lanes may wait in it for a journal or a store
	p.files.stop()
	p.wg.Wait()
	for _, l := range p.lanes {
		l.settleLag() // the projector may have told a lane that had ended
	}
	p.files.close()
	p.pool.close()
	return err
}

// Settle waits until no lane has work queued or on its way.
func (p *Pipeline) Settle(ctx context.Context) error {
	for !p.Idle() {
		if err := p.o.Pace.Sleep(ctx, settlePause); err != nil {
			return err
		}
	}
	return nil
}

// Idle reports that every command was decided and every decision is durable and handed on.
func (p *Pipeline) Idle() bool {
	for _, l := range p.lanes {
		if l.busy.Load() != 0 || l.queued() != 0 {
			return false
		}
	}
	return p.pool.idle() && p.files.idle()
}

// Projected reports that the store shows everything the journal holds.
func (p *Pipeline) Projected() bool {
	for i, l := range p.lanes {
		if p.proj[i].position() < l.log.Last() {
			return false
		}
	}
	return true
}

// CatchUp waits until the store shows what the journal holds now.
func (p *Pipeline) CatchUp(ctx context.Context) error {
	for i, l := range p.lanes {
		if err := p.proj[i].wait(ctx, l.log.Last()); err != nil {
			return err
		}
	}
	return nil
}

// Stored returns the last frame of a partition that the store shows.
func (p *Pipeline) Stored(partition int) uint64 { return p.proj[partition].position() }

// Counts returns the running totals.
func (p *Pipeline) Counts() *Counts { return &p.counts }

// Lag is the number of records that the projector still has to apply, over all lanes.
func (p *Pipeline) Lag() (records int) {
	for _, l := range p.lanes {
		records += int(l.unprojected.Load())
	}
	return records
}

// Queued is the number of commands waiting, over all lanes.
func (p *Pipeline) Queued() (commands int) {
	for _, l := range p.lanes {
		commands += l.queued()
	}
	return commands
}

// Partition tells which lane owns a number: 32-bit FNV-1a of its digits.
func (p *Pipeline) Partition(number wa.PhoneNumberID) int {
	h := uint32(2166136261)
	for i := range len(number) {
		h = (h ^ uint32(number[i])) * 16777619
	}
	return int(h % uint32(len(p.lanes)))
}

func (p *Pipeline) laneOf(number wa.PhoneNumberID) *lane { return p.lanes[p.Partition(number)] }

// laneOfMessage reads the lane from a message id: the last byte of the key inside names it, see lane.newID.
func (p *Pipeline) laneOfMessage(id wa.MessageID) (*lane, bool) {
	m, err := wa.ParseMessageID(id)
	if err != nil || len(m.Key) == 0 {
		return nil, false
	}
	i := int(m.Key[len(m.Key)-1])
	if i >= len(p.lanes) {
		return nil, false
	}
	return p.lanes[i], true
}
