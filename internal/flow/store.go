package flow

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Store keeps flows durably. When a write returns nil, it survives a crash of the machine.
type Store interface {
	// LoadFlows returns everything that was saved, in any order.
	LoadFlows(ctx context.Context) ([]*Flow, error)
	// SaveFlow inserts or replaces a flow. A sealed document that is not nil becomes the one of f.Draft.N; documents that are
	// neither the draft nor live are removed in the same transaction. f must not be changed or kept.
	SaveFlow(ctx context.Context, f *Flow, sealed []byte) error
	// DeleteFlow removes a flow with its documents and counts.
	DeleteFlow(ctx context.Context, id wa.FlowID) error
}

// Shelf finds documents.
type Shelf interface {
	// FlowJSON returns the sealed document n of a flow, nil when there is none.
	FlowJSON(ctx context.Context, id wa.FlowID, n int64) ([]byte, error)
}

// Counts keeps what endpoints did, by the hour.
type Counts interface {
	// AddFlowCounts adds to what was counted before. It need not survive a crash.
	AddFlowCounts(ctx context.Context, list []Count) error
	// FlowCounts returns the counts of a flow with from ≤ Hour < to, ordered by hour and what.
	FlowCounts(ctx context.Context, id wa.FlowID, from, to int64) ([]Count, error)
	// ForgetFlowCounts removes the counts of hours before this one.
	ForgetFlowCounts(ctx context.Context, before int64) error
}

// Count is how often something happened to the endpoint of a flow in an hour.
type Count struct {
	Flow wa.FlowID
	Hour int64  // Unix time of its start, seconds
	What string // see the constants of metrics
	N    int64
}

// Sealer encrypts what must not be readable on disk. What was sealed opens with the same ad only.
type Sealer interface {
	Seal(ad, plain []byte) ([]byte, error)
	Open(ad, sealed []byte) ([]byte, error)
}
