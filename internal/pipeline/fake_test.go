package pipeline_test

import (
	"context"
	"sync"

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
