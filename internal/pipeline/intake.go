package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Bounds of taking over users' files.
const (
	// maxFilesOf bounds the messages of one account that wait for a turn, maxFiles those of all: then devices are told to
	// come again. Each holds a message of at most 64 KiB.
	maxFilesOf, maxFiles = 128, 2048
	// maxInbox bounds the messages of one device that wait behind one of its own.
	maxInbox = 128
	// fileTime is for reading a file of the largest size twice and writing it once, to a bucket that is far away.
	fileTime = 2 * time.Minute
)

// intake takes over files of users: beside the pool of the lanes, since a file may take minutes and what lanes wait for must
// not wait behind it. Accounts have turns, and none has all workers.
type intake struct {
	workers, perTenant int
	limit              time.Duration // for one file

	mu      sync.Mutex
	tenants map[wa.WABAID]*turn
	ready   []*turn // that have a file to begin with
	waiting int
	active  int
	count   atomic.Int64 // waiting and running

	ctx  context.Context //nolint:containedctx // of all jobs; ends with stop
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// turn is what one account has waiting.
type turn struct {
	id     wa.WABAID
	queue  []func(context.Context)
	active int
	ready  bool
}

func newIntake(workers int, limit time.Duration) *intake {
	i := &intake{workers: workers, perTenant: max(1, workers/2), limit: limit, tenants: map[wa.WABAID]*turn{}}
	i.ctx, i.stop = context.WithCancel(context.Background())
	return i
}

// do runs job when it is the account's turn; false when too much waits.
func (i *intake) do(waba wa.WABAID, job func(context.Context)) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	t := i.tenants[waba]
	if t == nil {
		t = &turn{id: waba}
	}
	if len(t.queue) >= maxFilesOf || i.waiting >= maxFiles {
		return false
	}
	i.tenants[waba] = t
	t.queue = append(t.queue, job)
	i.waiting++
	i.count.Add(1)
	i.offer(t)
	i.start()
	return true
}

func (i *intake) offer(t *turn) {
	if !t.ready && len(t.queue) > 0 && t.active < i.perTenant {
		t.ready = true
		i.ready = append(i.ready, t)
	}
}

// start gives free workers to the accounts in turn.
func (i *intake) start() {
	for i.active < i.workers && len(i.ready) > 0 {
		t := i.ready[0]
		i.ready[0] = nil
		i.ready = i.ready[1:]
		t.ready = false
		job := t.queue[0]
		t.queue[0] = nil
		t.queue = t.queue[1:]
		i.waiting--
		t.active++
		i.active++
		i.offer(t)
		i.wg.Go(func() { i.work(t, job) })
	}
}

func (i *intake) work(t *turn, job func(context.Context)) {
	ctx, cancel := context.WithTimeout(i.ctx, i.limit)
	job(ctx)
	cancel()
	i.count.Add(-1)
	i.mu.Lock()
	defer i.mu.Unlock()
	t.active--
	i.active--
	i.offer(t)
	if t.active == 0 && len(t.queue) == 0 {
		delete(i.tenants, t.id)
	}
	i.start()
}

func (i *intake) idle() bool { return i.count.Load() == 0 }

// close waits for all jobs, with their context ended. Those still queued run, too: somebody waits for their answer.
func (i *intake) close() {
	i.stop()
	i.wg.Wait()
}
