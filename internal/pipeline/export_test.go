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
