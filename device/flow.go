package device

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// ErrNoFlow reports a choice whose flow this device cannot open: the message brings no grant for it.
var ErrNoFlow = errors.New("the flow cannot be opened here")

// FlowHost gives devices the flows that their user was sent, and takes their steps to the flows' endpoints. A refusal is an
// error of type *[frame.Error]. Implementations are safe for concurrent use.
type FlowHost interface {
	// Flow is the Flow JSON.
	Flow(ctx context.Context, f frame.FlowRequest) ([]byte, error)
	FlowStep(ctx context.Context, f frame.FlowStep) (frame.FlowAnswer, error)
}

// OfferedFlow is a flow that a message lets its user open.
type OfferedFlow struct {
	Message string // wamid
	Chat    string // wa_id of the business number
	Title   string // of the button

	id    string
	grant string
	token string
	how   opening
}

// Flow is the flow behind choice n, counted from 0, of [Message.Choices]. Errors: [ErrContent] for what is no flow,
// [ErrNoFlow].
func (m *Message) Flow(n int) (*OfferedFlow, error) {
	list := m.Choices()
	if n < 0 || n >= len(list) || list[n].Kind != ChoiceFlow || m.Direction != In {
		return nil, fmt.Errorf("this choice is no flow: %w", ErrContent)
	}
	c := &list[n]
	var granted []frame.Flow
	if json.Unmarshal(member(m.Raw, "flows"), &granted) == nil {
		for _, g := range granted {
			if (g.ID == c.Target || (g.Name != "" && g.Name == c.Target)) && (g.Token == "" || g.Token == c.token) {
				return &OfferedFlow{m.ID, m.Chat, c.Title, g.ID, g.Grant, c.token, c.flow}, nil
			}
		}
	}
	return nil, fmt.Errorf("%q: %w", c.Title, ErrNoFlow)
}

// Flow is the flow behind choice n, counted from 0, of a message. Its screens may ask the business's endpoint, so that there
// is none while the business is blocked. Errors: [ErrUnknown], [ErrBlocked], those of [Message.Flow].
func (d *Device) Flow(id string, n int) (*OfferedFlow, error) {
	m, ok := d.Message(id)
	if !ok {
		return nil, ErrUnknown
	}
	if c := d.chat(m.Chat); c != nil && c.blocked {
		return nil, ErrBlocked
	}
	return m.Flow(n)
}

// Open gets the flow and shows its first screen, which may ask the endpoint. Errors: those of the host,
// [document.ErrSyntax], [document.ErrScreen], [document.ErrAnswer].
func (f *OfferedFlow) Open(ctx context.Context, h FlowHost) (*document.Session, error) {
	req := frame.FlowRequest{To: f.Chat, Flow: f.id, Grant: f.grant}
	src, err := h.Flow(ctx, req)
	if err != nil {
		return nil, err
	}
	d, _, err := document.Parse(src) // problems do not keep a draft from being tried
	if err != nil {
		return nil, fmt.Errorf("read the flow: %w", err)
	}
	s := d.Open(f.token, steps{h, req})
	if f.how.Action == "data_exchange" {
		return s, s.Init(ctx)
	}
	return s, s.Start(f.how.Payload.Screen, f.how.Payload.Data)
}

// Content is the message that tells the business what the flow ended with. Errors: [ErrContent] for more files than a message
// takes. Source: spec/webhooks.md section 13.9.
func (f *OfferedFlow) Content(response map[string]any) ([]byte, error) {
	rest, files, err := withoutFiles(response)
	if err != nil {
		return nil, err
	}
	return WithContext(withFiles(new(Choice).form("flow", "Sent", rest), files), f.Message), nil
}

// steps is the endpoint of a flow as its session sees it.
type steps struct {
	h   FlowHost
	req frame.FlowRequest
}

// Exchange implements document.Endpoint.
func (s steps) Exchange(ctx context.Context, q document.Question) (a document.Answer, err error) {
	st := frame.FlowStep{FlowRequest: s.req, Action: q.Action, Screen: q.Screen, Token: q.Token}
	if q.Data != nil {
		if st.Data, err = json.Marshal(q.Data); err != nil {
			return a, fmt.Errorf("write a step: %w", err)
		}
	}
	said, err := s.h.FlowStep(ctx, st)
	if err != nil {
		return a, err
	}
	a.Screen = said.Screen
	if len(said.Data) > 0 && json.Unmarshal(said.Data, &a.Data) != nil {
		return a, fmt.Errorf("the data is no object: %w", document.ErrAnswer)
	}
	return a, nil
}

// Flow implements [FlowHost].
func (h *HTTPRelay) Flow(ctx context.Context, f frame.FlowRequest) ([]byte, error) {
	data, err := h.call(ctx, "POST", frame.PathFlows, &body{"application/json", encode(f)}, frame.MaxFlow)
	if err != nil {
		return nil, fmt.Errorf("get the flow: %w", err)
	}
	return data, nil
}

// maxFlowAnswer bounds the answer of an endpoint in bytes; it may hold pictures.
const maxFlowAnswer = 4 << 20

// FlowStep implements [FlowHost].
func (h *HTTPRelay) FlowStep(ctx context.Context, f frame.FlowStep) (a frame.FlowAnswer, err error) {
	data, err := h.call(ctx, "POST", frame.PathFlowSteps, &body{"application/json", encode(f)}, maxFlowAnswer)
	if err != nil {
		return a, fmt.Errorf("ask the flow's endpoint: %w", err)
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return a, fmt.Errorf("the server's answer is no JSON: %w", document.ErrAnswer)
	}
	return a, nil
}

// OpenFlow opens the flow behind choice n, counted from 0, of a message. What it ends with goes out with [Link.Send] and
// [OfferedFlow.Content]. Errors: those of [Device.Flow] and [OfferedFlow.Open].
func (l *Link) OpenFlow(ctx context.Context, id string, n int) (*OfferedFlow, *document.Session, error) {
	var f *OfferedFlow
	var err error
	l.Look(func(d *Device) { f, err = d.Flow(id, n) })
	if err != nil {
		return nil, nil, err
	}
	s, err := f.Open(ctx, l.host())
	return f, s, err
}
