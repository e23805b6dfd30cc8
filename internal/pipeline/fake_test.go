package pipeline_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// slowStore applies nothing until its gate opens.
type slowStore struct {
	pipeline.Store
	gate chan struct{}
}

func (s *slowStore) Apply(ctx context.Context, b *pipeline.Batch) error {
	select {
	case <-s.gate:
		return s.Store.Apply(ctx, b)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// illStore fails reads while it is ill.
type illStore struct {
	pipeline.Store
	mu    sync.Mutex
	reads int // so many reads fail
}

func (s *illStore) fails() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads--
	return s.reads >= 0
}

// failing reports whether a read is yet to fail.
func (s *illStore) failing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads > 0
}

func (s *illStore) Peers(ctx context.Context, keys []pipeline.PeerKey) ([]pipeline.Peer, error) {
	if s.fails() {
		return nil, errDead
	}
	return s.Store.Peers(ctx, keys)
}

func (s *illStore) Messages(ctx context.Context, ids []wa.MessageID) ([]*pipeline.Message, error) {
	if s.fails() {
		return nil, errDead
	}
	return s.Store.Messages(ctx, ids)
}

func (s *illStore) Undelivered(ctx context.Context, p int, user wa.WaID, limit int) ([]*pipeline.Message, error) {
	if s.fails() {
		return nil, errDead
	}
	return s.Store.Undelivered(ctx, p, user, limit)
}

// faultyLog fails appends on demand, as a journal may: from the failing one on, everything is answered with an error until
// Resume. With landed the records are in the journal all the same.
type faultyLog struct {
	pipeline.Log

	mu      sync.Mutex
	arm     int // appends from now until one fails; 0 for never
	landed  bool
	failing bool
	open    int // appends handed to the journal
	idle    *sync.Cond
	faults  int
	stuck   bool // Resume fails
}

func newFaultyLog(l pipeline.Log) *faultyLog {
	f := &faultyLog{Log: l}
	f.idle = sync.NewCond(&f.mu)
	return f
}

var errFault = fmt.Errorf("%w: made up", journal.ErrUncertain)

// fail lets the n-th append from now fail.
func (f *faultyLog) fail(n int, landed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arm, f.landed = n, landed
}

func (f *faultyLog) Append(recs []record.Record, done func(uint64, error)) error {
	f.mu.Lock()
	if f.failing {
		f.mu.Unlock()
		return errFault
	}
	if f.arm > 0 {
		if f.arm--; f.arm == 0 {
			f.failing = true
			f.faults++
			if !f.landed {
				f.mu.Unlock()
				return errFault
			}
		}
	}
	fails := f.failing
	f.open++
	f.mu.Unlock()
	err := f.Log.Append(recs, func(seq uint64, err error) {
		if err == nil && fails {
			seq, err = 0, errFault
		}
		done(seq, err)
		f.closed()
	})
	if err != nil {
		f.closed()
	}
	return err
}

func (f *faultyLog) closed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open--
	f.idle.Broadcast()
}

func (f *faultyLog) Resume(ctx context.Context) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.open > 0 {
		f.idle.Wait()
	}
	if f.stuck {
		return 0, errFault
	}
	last, err := f.Log.Resume(ctx)
	f.failing = err != nil
	return last, err
}
