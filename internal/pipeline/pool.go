package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const settlePause = 2 * time.Millisecond

// maxLoads is how many loads are taken in a row while a job waits.
const maxLoads = 8

// pool runs slow work beside the lanes on a fixed number of goroutines. Its queues are bounded by what lanes can have on
// their way: one load per lane and burst, one key agreement per device, see lane. Loads go first: somebody waits for the
// answer to a send behind them, while a campaign to strangers agrees keys by the thousand. But not without end: files,
// previews and the content of what is sent again must come to their turn, too.
type pool struct {
	mu     sync.Mutex
	more   *sync.Cond
	loads  []func(context.Context)
	jobs   []func(context.Context)
	row    int // loads taken since the last job
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

func (p *pool) do(job func(context.Context)) { p.queue(&p.jobs, job) }

func (p *pool) load(job func(context.Context)) { p.queue(&p.loads, job) }

func (p *pool) queue(to *[]func(context.Context), job func(context.Context)) {
	p.count.Add(1)
	p.mu.Lock()
	*to = append(*to, job)
	p.mu.Unlock()
	p.more.Signal()
}

// next takes the job whose turn it is; nil when there is none. It needs mu.
func (p *pool) next() (job func(context.Context)) {
	from := &p.loads
	if len(p.jobs) > 0 && (len(p.loads) == 0 || p.row >= maxLoads) {
		from = &p.jobs
	}
	if len(*from) == 0 {
		return nil
	}
	if p.row++; from == &p.jobs {
		p.row = 0
	}
	job = (*from)[0]
	(*from)[0] = nil
	if *from = (*from)[1:]; len(*from) == 0 {
		*from = nil // a queue that was long once does not stay so
	}
	return job
}

func (p *pool) work() {
	for {
		p.mu.Lock()
		job := p.next()
		for job == nil && !p.closed {
			p.more.Wait()
			job = p.next()
		}
		p.mu.Unlock()
		if job == nil {
			return
		}
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
