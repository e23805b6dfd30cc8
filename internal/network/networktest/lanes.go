package networktest

import (
	"context"
	"sync"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Businesses knows numbers by id.
type Businesses map[wa.PhoneNumberID]frame.Business

// WaID implements network.Businesses.
func (b Businesses) WaID(id wa.PhoneNumberID) (wa.WaID, bool) {
	n, ok := b[id]
	return wa.WaID(n.WaID), ok
}

// Known implements network.Businesses.
func (b Businesses) Known(id wa.WaID) bool {
	for _, n := range b {
		if n.WaID == string(id) {
			return true
		}
	}
	return false
}

// Find implements network.Businesses: an exact match of number or name.
func (b Businesses) Find(_ context.Context, q string, limit int) ([]frame.Business, error) {
	var list []frame.Business
	for _, n := range b {
		if (n.WaID == q || n.Name == q) && len(list) < limit {
			list = append(list, n)
		}
	}
	return list, nil
}

// Lanes records what devices said and lets tests wait for it. The zero value accepts everything.
type Lanes struct {
	// OnReceive answers a message; nil answers Sent with "wamid." and the message's id.
	OnReceive func(in *network.Inbound)
	// OnBundle makes a bundle; nil answers frame.ErrNotFound.
	OnBundle func(of wa.WaID, device wa.DeviceID) (*frame.Bundle, error)

	// Deaf forgets what devices say, for benchmarks. It is set before use.
	Deaf bool

	mu       sync.Mutex
	changed  chan struct{}
	acks     []network.Ack
	receipts []network.Receipt
	retries  []network.Retry
	actions  []network.Action
}

func (l *Lanes) note(f func()) {
	if l.Deaf {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// Acked implements network.Lanes.
func (l *Lanes) Acked(items []network.Ack) { l.note(func() { l.acks = append(l.acks, items...) }) }

// Receipts implements network.Lanes.
func (l *Lanes) Receipts(list []network.Receipt) {
	l.note(func() { l.receipts = append(l.receipts, list...) })
}

// Retry implements network.Lanes.
func (l *Lanes) Retry(r network.Retry) { l.note(func() { l.retries = append(l.retries, r) }) }

// Receive implements network.Lanes.
func (l *Lanes) Receive(in *network.Inbound) {
	if l.OnReceive != nil {
		l.OnReceive(in)
		return
	}
	in.Sent(wa.MessageID("wamid."+in.ID), in.At)
}

// Bundle implements network.Lanes.
func (l *Lanes) Bundle(_ context.Context, of wa.WaID, device wa.DeviceID) (*frame.Bundle, error) {
	if l.OnBundle == nil {
		return nil, frame.Refuse(frame.ErrNotFound, "no keys")
	}
	return l.OnBundle(of, device)
}

// Act implements network.Lanes and network.Actions.
func (l *Lanes) Act(_ context.Context, a network.Action) error {
	l.note(func() { l.actions = append(l.actions, a) })
	return nil
}

// Heard is what the lanes were told.
type Heard struct {
	Acks     []network.Ack
	Receipts []network.Receipt
	Retries  []network.Retry
	Actions  []network.Action
}

// Until waits until ok is content with what was heard, or ctx ends, and returns it.
func (l *Lanes) Until(ctx context.Context, ok func(Heard) bool) Heard {
	for {
		l.mu.Lock()
		h := Heard{Acks: l.acks, Receipts: l.receipts, Retries: l.retries, Actions: l.actions}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		if ok(h) {
			return h
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return h
		}
	}
}
