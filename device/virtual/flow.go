package virtual

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/hikyaku/hikyaku/device"
)

// maxFlows bounds the flows that users fill in by themselves at one time. What is above it waits for a second.
const maxFlows = 64

// flowTime bounds one: its endpoint may answer slowly, screen after screen.
const flowTime = 2 * time.Minute

// offered needs mu. It finds the flow behind a choice; nil when the choice is none, or one that cannot be opened here: then it is
// pressed like any other.
func (u *user) offered(id string, n int) *device.OfferedFlow {
	if u.f.o.Flows == nil {
		return nil
	}
	f, err := u.d.Flow(id, n)
	if err != nil {
		return nil
	}
	return f
}

// answerFlow opens a flow, fills it in with values, and returns the answer. It does not need the user's lock: the endpoint may
// take its time. A flow is foreign, and one user's must not end all the others: a panic is an error.
func (u *user) answerFlow(ctx context.Context, f *device.OfferedFlow, values map[string]any, sample bool) (content []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			u.f.o.Logger.Error("virtual user's flow", "panic", p, "stack", string(debug.Stack()))
			content, err = nil, fmt.Errorf("%w: it cannot be walked through", ErrFlow)
		}
	}()
	s, err := f.Open(ctx, u.f.o.Flows(u.waID+".1"))
	if err != nil {
		return nil, fmt.Errorf("%w: open it: %w", ErrFlow, err)
	}
	s.Use(u)
	response, err := s.Fill(ctx, values, sample)
	if err == nil {
		content, err = f.Content(response)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFlow, err)
	}
	return content, nil
}

// pressFlow lets a user answer a flow: what the action "press" does for choices that open one. It is false for others.
func (f *Fleet) pressFlow(ctx context.Context, u *user, a *UserAction) (done bool, err error) {
	if a.Do != "press" || a.Raw || len(a.IDs) == 0 {
		return false, nil
	}
	if err := f.ensure(ctx, u); err != nil {
		return false, err
	}
	var offer *device.OfferedFlow
	u.mu.Lock()
	n, err := choose(u.d, a.IDs[0], a.Choice)
	if err == nil {
		offer = u.offered(a.IDs[0], n)
	}
	u.mu.Unlock()
	if offer == nil {
		return false, err
	}
	content, err := u.answerFlow(ctx, offer, a.Fields, a.Sample)
	if err != nil {
		return true, err
	}
	_, err = f.Send(ctx, u.waID, offer.Chat, content)
	return true, err
}

// fillFlow needs mu. It answers the flow that a user has decided to press; false when the choice is pressed like others.
func (u *user) fillFlow(t *timer) bool {
	offer := u.offered(t.ids[0], t.act.Choice)
	if offer == nil {
		return false
	}
	f := u.f
	if f.flows.Add(1) > maxFlows {
		f.flows.Add(-1)
		u.after(time.Second, *t)
		return true
	}
	var values map[string]any
	if t.act.Fill != nil {
		values = t.act.Fill.Fields
	}
	f.jobs.Go(func() {
		defer f.flows.Add(-1)
		ctx, cancel := context.WithTimeout(f.life, flowTime)
		defer cancel()
		content, err := u.answerFlow(ctx, offer, values, true)
		if err == nil {
			_, err = f.Send(ctx, u.waID, offer.Chat, content)
		}
		if err != nil && ctx.Err() == nil {
			f.o.Logger.Warn("virtual user's flow", "err", err)
		}
	})
	return true
}
