package app

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// grants makes what lets users open the flows they are sent.
func (p *platform) grants() *network.Grants { return network.NewGrants([]byte(p.plan.Pepper)) }

// grantFlow is api.Options.Grant.
func (p *platform) grantFlow(user, from wa.WaID, id, token string, draft bool) string {
	return p.grants().Grant(network.FlowRef{User: user, From: from, Flow: id, Draft: draft}, token)
}

// flowDesk serves flows to devices.
type flowDesk struct{ p *platform }

// number is that of a reference, as long as it belongs to the account of the flow: after it moved to another business, what people
// fill in must not be encrypted for the new holder.
func (d flowDesk) number(of network.FlowRef) (*flow.Flow, *business.Number, error) {
	f, ok := d.p.rules.flow.Flow(wa.FlowID(of.Flow))
	if !ok {
		return nil, nil, frame.Refuse(frame.ErrNotFound, "this flow cannot be opened any more")
	}
	n, ok := d.p.rules.business.NumberByWaID(of.From)
	if !ok || n.WABA != f.WABA {
		return nil, nil, frame.Refuse(frame.ErrNotFound, "the number that sent the flow is gone")
	}
	return f, n, nil
}

// find is the flow behind a reference and its revision. Flows that cannot be opened any more look as if they were not there.
func (d flowDesk) find(of network.FlowRef) (*flow.Flow, *flow.Revision, error) {
	f, _, err := d.number(of)
	if err != nil {
		return nil, nil, err
	}
	if f.Status == flow.Blocked || f.Status == flow.Deprecated {
		return nil, nil, frame.Refuse(frame.ErrNotFound, "this flow cannot be opened any more")
	}
	r := &f.Live
	if of.Draft {
		r = &f.Draft
	}
	if !r.Exists() {
		return nil, nil, frame.Refuse(frame.ErrNotFound, "this flow has nothing to show yet")
	}
	return f, r, nil
}

// Flow implements network.Flows.
func (d flowDesk) Flow(ctx context.Context, of network.FlowRef) ([]byte, error) {
	f, r, err := d.find(of)
	if err != nil {
		return nil, err
	}
	return d.p.rules.flow.JSON(ctx, f.ID, r.N)
}

// Step implements network.Flows.
func (d flowDesk) Step(ctx context.Context, of network.FlowRef, st *frame.FlowStep) (*frame.FlowAnswer, error) {
	f, n, err := d.number(of)
	if err != nil {
		return nil, err
	}
	data, err := d.p.handFiles(ctx, string(of.User), n.NoStorage(), st.Data)
	if err != nil {
		return nil, err
	}
	said, err := d.p.rules.flow.Exchange(ctx, flow.Step{
		Flow: f.ID, Number: n.ID, Draft: of.Draft, Action: flow.Action(st.Action), Screen: st.Screen, Data: data, Token: st.Token,
	})
	if err != nil {
		return nil, exchangeError(err)
	}
	a := new(frame.FlowAnswer)
	if json.Unmarshal(said, a) != nil {
		return nil, frame.Refuse(frame.ErrFlowFailed, "the flow's endpoint gave an answer that cannot be read")
	}
	return a, nil
}

// exchangeError says what a person is told of a step that failed. Source: spec/flows.md section 8.3.
func exchangeError(err error) error {
	e, ok := errors.AsType[*flow.ExchangeError](err)
	if !ok {
		return err
	}
	switch e.Kind {
	case flow.TokenOver:
		text := e.Message
		if text == "" {
			text = "This form is no longer valid."
		}
		return frame.Refuse(frame.ErrFlowOver, text)
	case flow.Closed, flow.NotReady:
		return frame.Refuse(frame.ErrNotFound, "this flow cannot be opened any more")
	case flow.Busy:
		return frame.Refuse(frame.ErrBusy, "too many flows are open: try again")
	case flow.Timeout, flow.NoConnection, flow.BadStatus, flow.Undecrypted, flow.BadSignature, flow.BadAnswer:
	}
	return frame.Refuse(frame.ErrFlowFailed, "Something went wrong. Try again later.")
}

// flowHost is where the device of a virtual user gets its flows: the same as others reach over HTTP.
type flowHost struct {
	hub    *network.Hub
	device wa.DeviceID
}

var _ device.FlowHost = flowHost{}

// Flow implements device.FlowHost.
func (h flowHost) Flow(ctx context.Context, f frame.FlowRequest) ([]byte, error) {
	return h.hub.Flow(ctx, h.device, &f)
}

// FlowStep implements device.FlowHost.
func (h flowHost) FlowStep(ctx context.Context, f frame.FlowStep) (frame.FlowAnswer, error) {
	a, err := h.hub.FlowStep(ctx, h.device, &f)
	if err != nil {
		return frame.FlowAnswer{}, err
	}
	return *a, nil
}
