package pipeline

import "github.com/hikyaku/hikyaku/internal/journal"

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
