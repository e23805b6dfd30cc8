package network

import (
	"context"
	"sync"
)

// loader runs jobs in few goroutines that live only while there is work.
type loader struct {
	ctx    context.Context // ends the jobs, which no caller waits for
	cancel context.CancelFunc
	most   int
	done   sync.WaitGroup

	mu      sync.Mutex
	queue   []func(context.Context)
	running int
}

func (l *loader) start(most int) {
	l.most = most
	l.ctx, l.cancel = context.WithCancel(context.Background())
}

// add queues a job; false when the loader has stopped.
func (l *loader) add(job func(context.Context)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		return false
	}
	l.queue = append(l.queue, job)
	if l.running < l.most {
		l.running++
		l.done.Go(l.work)
	}
	return true
}

func (l *loader) work() {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 || l.ctx.Err() != nil {
			l.running--
			l.queue = nil
			l.mu.Unlock()
			return
		}
		job := l.queue[0]
		l.queue[0] = nil
		l.queue = l.queue[1:]
		l.mu.Unlock()
		job(l.ctx)
	}
}

// stop ends the jobs under way, forgets the queued ones and waits.
func (l *loader) stop() {
	l.mu.Lock()
	l.cancel()
	l.mu.Unlock()
	l.done.Wait()
}
