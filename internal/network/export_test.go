package network

import (
	"context"
	"runtime"
)

// Settle waits until no read from the store is under way or queued. Nothing else may use the mailbox meanwhile.
func (m *Mailbox) Settle() { m.loader.done.Wait() }

// Boxes is how many mailboxes are in memory.
func (m *Mailbox) Boxes() int {
	n := 0
	for i := range m.shards {
		m.shards[i].mu.Lock()
		n += len(m.shards[i].boxes)
		m.shards[i].mu.Unlock()
	}
	return n
}

// Held is how many positions of all devices are in memory.
func (m *Mailbox) Held() int {
	n := 0
	for i := range m.shards {
		m.shards[i].mu.Lock()
		for _, b := range m.shards[i].boxes {
			n += len(b.mem)
		}
		m.shards[i].mu.Unlock()
	}
	return n
}

// WatchEvery is the watcher's step.
const WatchEvery = watchEvery

// HeardAgain waits until no socket has been silent since its last ping.
func (h *Hub) HeardAgain(ctx context.Context) error {
	for {
		quiet := int32(0)
		h.mu.Lock()
		for s := range h.open {
			quiet = max(quiet, s.silent.Load())
		}
		h.mu.Unlock()
		if quiet == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		runtime.Gosched()
	}
}
