package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const settlePause = 2 * time.Millisecond

// pool runs slow work beside the lanes on a fixed number of goroutines. Its queue is bounded by what lanes can have on
// their way: one load per lane and burst, one key agreement per device, see lane.
type pool struct {
	mu     sync.Mutex
	more   *sync.Cond
	jobs   []func(context.Context)
	closed bool
	count  atomic.Int64 // queued and running

	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
}

func newPool(workers int) *pool {
	p := &pool{}
	p.more = sync.NewCond(&p.mu)
	p.ctx, p.stop = context.WithCancel(context.Background())
	for range workers {
		p.wg.Go(p.work)
	}
	return p
}

func (p *pool) do(job func(context.Context)) {
	p.count.Add(1)
	p.mu.Lock()
	p.jobs = append(p.jobs, job)
	p.mu.Unlock()
	p.more.Signal()
}

func (p *pool) work() {
	for {
		p.mu.Lock()
		for len(p.jobs) == 0 && !p.closed {
			p.more.Wait()
		}
		if len(p.jobs) == 0 {
			p.mu.Unlock()
			return
		}
		job := p.jobs[0]
		p.jobs[0] = nil
		p.jobs = p.jobs[1:]
		p.mu.Unlock()
		job(p.ctx)
		p.count.Add(-1)
	}
}

func (p *pool) idle() bool { return p.count.Load() == 0 }

// close ends the context of all jobs and waits for them. Those still queued run, too: somebody may wait for their answer.
func (p *pool) close() {
	p.stop()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.more.Broadcast()
	p.wg.Wait()
}
