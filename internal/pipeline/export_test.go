package pipeline

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Held counts what the lanes hold in memory. They must be at rest.
func (p *Pipeline) Held() (peers, users, messages, recent, lags int) {
	for _, l := range p.lanes {
		done := make(chan struct{})
		l.tell(probe(func() {
			peers += len(l.peers.young) + len(l.peers.old)
			users += len(l.byUser)
			messages += len(l.messages.young) + len(l.messages.old)
			recent += len(l.recent.young) + len(l.recent.old)
			lags += len(l.lags)
			close(done)
		}))
		<-done
	}
	return peers, users, messages, recent, lags
}

// Busy lets every lane decide n commands that do nothing.
func (p *Pipeline) Busy(n int) {
	for _, l := range p.lanes {
		for range n {
			l.tell(probe(func() {}))
		}
	}
}

// Rest lets the lanes look at their memory.
func (p *Pipeline) Rest() {
	for _, l := range p.lanes {
		l.tell(rested{})
	}
}

type probe func()

func (f probe) run(*lane) { f() }

// Project merges frames into a batch.
func Project(partition int, frames []*journal.Frame) *Batch {
	s := newSketch(partition)
	for _, f := range frames {
		s.frame(f)
	}
	return s.finish()
}

// Pool is the pool of slow work.
type Pool struct{ p *pool }

// NewPool returns a pool.
func NewPool(workers int) Pool { return Pool{newPool(workers)} }

// Do queues a job.
func (p Pool) Do(job func(context.Context)) { p.p.do(job) }

// Load queues a job that goes first.
func (p Pool) Load(job func(context.Context)) { p.p.load(job) }

// Close waits for all.
func (p Pool) Close() { p.p.close() }

// MaxQuiet is how many commands a quiet minute may have.
const MaxQuiet = maxQuiet

// MaxFilesOf is how many files of one account wait.
const MaxFilesOf = maxFilesOf

// Intake is the pool of users' files.
type Intake struct{ i *intake }

// NewIntake returns a pool.
func NewIntake(workers int, limit time.Duration) Intake { return Intake{newIntake(workers, limit)} }

// Do queues a job; false when there is no room.
func (i Intake) Do(waba wa.WABAID, job func(context.Context)) bool { return i.i.do(waba, job) }

// Close waits for all jobs.
func (i Intake) Close() { i.i.close() }
