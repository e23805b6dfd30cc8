package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

const (
	// maxBatch bounds the records of one store transaction.
	maxBatch = 8000
	// gatherTime is how long the projector lets the journal run ahead before it writes: most messages pass all their steps in
	// that time, and then their row is written once. After a batch of busyBatch records it is busyTime: a loaded machine
	// needs longer for the steps, and a row written twice costs more there.
	gatherTime = 150 * time.Millisecond
	busyTime   = 600 * time.Millisecond
	busyBatch  = 400
)

// projector is the follower of one partition that keeps the store's view up to date. It is idempotent: the position is
// written in the same transaction as the effect.
type projector struct {
	partition int
	log       Log
	store     Store
	pace      clock.Clock
	logger    *slog.Logger
	applied   func(*Batch)
	noLedger  bool
	templates Templates // nil: what users do about them is not counted

	pos  atomic.Uint64
	last int           // records of the last batch; used by run alone
	urge chan struct{} // buffered 1: somebody waits, do not gather
	over chan struct{} // closed when run has ended
	err  error         // why; read after over

	mu      sync.Mutex
	moved   chan struct{} // closed and replaced at every step
	waiting int
}

func newProjector(partition int, log Log, store Store, pace clock.Clock, logger *slog.Logger) *projector {
	return &projector{
		partition: partition, log: log, store: store, pace: pace, logger: logger,
		urge: make(chan struct{}, 1), over: make(chan struct{}), moved: make(chan struct{}),
	}
}

func (p *projector) position() uint64 { return p.pos.Load() }

func (p *projector) open(ctx context.Context) error {
	pos, err := p.store.Position(ctx, p.partition)
	if err != nil {
		return err
	}
	p.pos.Store(pos)
	return nil
}

// wait returns when the store shows everything up to seq, or with the reason why it never will.
func (p *projector) wait(ctx context.Context, seq uint64) error {
	p.mu.Lock()
	p.waiting++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.waiting--
		p.mu.Unlock()
	}()
	for {
		p.mu.Lock()
		moved := p.moved
		p.mu.Unlock()
		if p.pos.Load() >= seq {
			return nil
		}
		select {
		case p.urge <- struct{}{}:
		default:
		}
		select {
		case <-moved:
		case <-p.over:
			return p.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (p *projector) urged() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting > 0
}

// run follows the journal until ctx ends. An error means that the store or the journal is damaged or gone.
func (p *projector) run(ctx context.Context) error {
	defer close(p.over)
	for {
		if err := p.step(ctx); err != nil {
			if ctx.Err() != nil {
				p.err = ErrStopped
				return nil
			}
			p.err = fmt.Errorf("projector of partition %d: %w", p.partition, err)
			return p.err
		}
	}
}

func (p *projector) step(ctx context.Context) error {
	at := p.pos.Load()
	f, err := p.log.Next(ctx, at)
	if err != nil {
		return err
	}
	s := newSketch(p.partition)
	s.tally.noLedger = p.noLedger
	s.frame(f)
	if !p.urged() {
		p.gather(ctx, s)
	}
	for s.records < maxBatch && s.b.Position < p.log.Last() {
		if f, err = p.log.Next(ctx, s.b.Position); err != nil {
			return err
		}
		s.frame(f)
	}
	p.last = s.records
	var b *Batch
	for {
		if err = s.engage(ctx, p.store, p.templates); err == nil {
			if b == nil {
				b = s.finish()
			}
			err = p.store.Apply(ctx, b)
		}
		if err == nil {
			break
		}
		// A full disk or a database that is away comes back; meanwhile the lanes see the lag and refuse sends.
		p.logger.Warn("project journal into store", "partition", p.partition, "err", err)
		if p.pace.Sleep(ctx, retryPause) != nil {
			return err
		}
	}
	p.moveTo(b)
	return nil
}

// gather takes the frames of a while, or as many as a batch takes, or those until somebody waits. It reads them as they
// come: from memory.
func (p *projector) gather(ctx context.Context, s *sketch) {
	patience := gatherTime
	if p.last >= busyBatch {
		patience = busyTime
	}
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer stop()
		t := p.pace.NewTimer(patience)
		defer t.Stop()
		select {
		case <-t.C():
		case <-p.urge:
		case <-ctx.Done():
		}
	})
	for s.records < maxBatch {
		f, err := p.log.Next(ctx, s.b.Position)
		if err != nil {
			break // time is over; any other error comes again
		}
		s.frame(f)
	}
	stop()
	wg.Wait()
}

func (p *projector) moveTo(b *Batch) {
	p.pos.Store(b.Position)
	p.mu.Lock()
	close(p.moved)
	p.moved = make(chan struct{})
	p.mu.Unlock()
	if p.applied != nil {
		p.applied(b)
	}
}
