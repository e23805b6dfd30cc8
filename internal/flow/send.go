package flow

import (
	"slices"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Ref is how a message names the flow it opens.
type Ref struct {
	ID       string // or Name
	Name     string
	Draft    bool   // mode draft
	Exchange bool   // flow_action data_exchange
	Screen   string // of flow_action_payload; empty: the flow's first
}

// Sendable finds the flow that a message of the account may open. It reads no SQL. Errors: [wa.ErrValue] for what does not exist
// or cannot be sent so, [wa.ErrFlowBlocked]. Sources: spec/flows.md sections 1, 7 and 12.
func (s *Service) Sendable(w wa.WABAID, ref Ref) (*Flow, error) {
	var f *Flow
	var ok bool
	if ref.ID != "" {
		f, ok = s.Flow(wa.FlowID(ref.ID))
	} else {
		f, ok = s.Named(w, ref.Name)
	}
	if !ok || f.WABA != w {
		return nil, refuse("The Flow does not exist in this WhatsApp Business Account.")
	}
	r := &f.Live
	if ref.Draft {
		r = &f.Draft
	}
	switch {
	case f.Status == Blocked:
		return nil, wa.ErrFlowBlocked.With("The Flow is blocked because of its endpoint. It cannot be sent.")
	case f.Status == Deprecated:
		return nil, refuse("The Flow is deprecated and cannot be sent.")
	case f.Status == Draft && !ref.Draft:
		return nil, refuse("The Flow is not published. Send it with mode \"draft\" to test it.")
	case !r.Exists():
		return nil, refuse("The Flow has no Flow JSON.")
	case len(r.Problems) > 0:
		return nil, refuse("The draft of the Flow has validation errors.")
	case s.expired(r.Version):
		return nil, refuse("The version of the Flow JSON has expired.")
	case ref.Exchange && !r.Talks():
		return nil, refuse("flow_action data_exchange needs a Flow with an endpoint.")
	case ref.Screen != "" && !r.has(ref.Screen):
		return nil, refuse("The Flow has no screen of this name.")
	}
	return f, nil
}

func refuse(details string) error { return wa.ErrValue.With(details) }

// Of a flow that is throttled. Source: spec/flows.md section 1.
const (
	throttled   = 10
	throttledIn = time.Hour
)

// throttle remembers when a throttled flow was sent.
type throttle struct {
	mu   sync.Mutex
	sent []time.Time
}

// Take counts a message with the flow; undo takes it back when the message is refused after all. It is nil for flows that are
// not throttled. Error: [wa.ErrFlowThrottled] when ten went out within the last hour.
func (s *Service) Take(f *Flow) (undo func(), err error) {
	if f.Status != Throttled {
		return nil, nil
	}
	v, _ := s.throttles.LoadOrStore(f.ID, &throttle{})
	t := v.(*throttle)
	now := s.o.Clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = slices.DeleteFunc(t.sent, func(at time.Time) bool { return now.Sub(at) >= throttledIn })
	if len(t.sent) >= throttled {
		return nil, wa.ErrFlowThrottled.With("10 messages with this Flow were sent in the last hour.").Retry(t.sent[0].Add(throttledIn).Sub(now).Seconds())
	}
	t.sent = append(t.sent, now)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if i := slices.IndexFunc(t.sent, now.Equal); i >= 0 {
			t.sent = slices.Delete(t.sent, i, i+1)
		}
	}, nil
}
