package store

import (
	"context"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/pipeline"
)

// Apply implements pipeline.Store. A batch whose position was already reached changes nothing, so that applying it again
// is safe. Rows of Insert get their order from the slice, which therefore is in the order of the journal.
func (s *Store) Apply(ctx context.Context, b *pipeline.Batch) error {
	var err error
	if s.lite != nil {
		err = s.lite.apply(ctx, func(ctx context.Context, a *liteApplier) error { return a.batch(ctx, b) })
	} else {
		err = s.applyPG(ctx, b)
	}
	if err != nil {
		return fmt.Errorf("apply partition %d up to %d: %w", b.Partition, b.Position, err)
	}
	return nil
}

// ends reports whether no later state replaces st.
func ends(st pipeline.State) bool {
	return st == pipeline.StateFailed || st == pipeline.StateDropped
}

// spent reports whether a message in this state needs its content no more.
func spent(st pipeline.State) bool {
	return st >= pipeline.StateDelivered && st <= pipeline.StateDropped
}

// merge applies the update u to m, by the rules that the SQL statements follow: zero fields leave m as it is, the state
// only grows and does not leave an end, content goes when the state no longer needs it.
func merge(m, u *pipeline.Message) {
	if !ends(m.State) {
		m.State = max(m.State, u.State)
	}
	set(&m.Number, u.Number)
	set(&m.WABA, u.WABA)
	set(&m.User, u.User)
	set(&m.Type, u.Type)
	set(&m.Category, u.Category)
	set(&m.PricingType, u.PricingType)
	m.Billable = m.Billable || u.Billable
	m.PricedOnce = m.PricedOnce || u.PricedOnce
	set(&m.IdentityHash, u.IdentityHash)
	set(&m.AcceptedAt, u.AcceptedAt)
	set(&m.SentAt, u.SentAt)
	set(&m.DeliveredAt, u.DeliveredAt)
	set(&m.ReadAt, u.ReadAt)
	set(&m.PlayedAt, u.PlayedAt)
	set(&m.FailedAt, u.FailedAt)
	set(&m.Expires, u.Expires)
	set(&m.Code, u.Code)
	set(&m.Attempt, u.Attempt)
	set(&m.Device, u.Device)
	set(&m.ClientID, u.ClientID)
	set(&m.Template, u.Template)
	m.Outside = m.Outside || u.Outside
	if len(u.Opaque) > 0 {
		m.Opaque = u.Opaque
	}
	if len(u.Content) > 0 {
		m.Content = u.Content
	}
	if spent(m.State) {
		m.Content = nil
	}
}

func set[T comparable](p *T, v T) {
	var zero T
	if v != zero {
		*p = v
	}
}

// distinct returns ms without repeated ids, merged in order, for statements that may name a row only once. It leaves the
// messages it was given alone.
func distinct(ms []*pipeline.Message) []*pipeline.Message {
	at := make(map[string]int, len(ms))
	out := ms[:0:0]
	for _, m := range ms {
		i, ok := at[string(m.ID)]
		if !ok {
			at[string(m.ID)] = len(out)
			out = append(out, m)
			continue
		}
		c := *out[i]
		merge(&c, m)
		out[i] = &c
	}
	return out
}

// content is what of m's content is stored.
func content(m *pipeline.Message) []byte {
	if spent(m.State) {
		return nil
	}
	return m.Content
}
