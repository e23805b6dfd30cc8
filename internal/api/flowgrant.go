package api

import (
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/template"
)

// openFlows finds the flows that a message opens and lets its recipient open them: gate 10 of spec/errors.md section 2. undo takes
// the message off what throttled flows have used up; it is for messages that are refused after all.
func (s *surface) openFlows(m *message.Outbound, n number, refs []message.FlowRef) (undo func(), err error) {
	undo = func() {}
	if len(refs) == 0 {
		return undo, nil
	}
	grants := make([]message.FlowGrant, 0, len(refs))
	taken := make(map[*flow.Flow]bool, len(refs))
	for _, ref := range refs {
		f, err := s.o.Flows.Sendable(n.WABA, flow.Ref{ID: ref.ID, Name: ref.Name, Draft: ref.Draft, Exchange: ref.Exchange, Screen: ref.Screen})
		if err != nil {
			undo()
			return nil, err
		}
		if !taken[f] { // two buttons are one message
			taken[f] = true
			back, err := s.o.Flows.Take(f)
			if err != nil {
				undo()
				return nil, err
			}
			if before := undo; back != nil {
				undo = func() { back(); before() }
			}
		}
		if id := string(f.ID); s.o.Grant != nil {
			grants = append(grants, message.FlowGrant{
				ID: id, Name: ref.Name, Token: ref.Token, Grant: s.o.Grant(m.To, n.WaID, id, ref.Token, ref.Draft),
			})
		}
	}
	m.OfferFlows(grants)
	return undo, nil
}

// templateFlows are the flows that the buttons of a template open.
func templateFlows(r *template.Rendered) (refs []message.FlowRef) {
	add := func(b *template.Bubble) {
		for i := range b.Buttons {
			if f := b.Buttons[i].Flow; f != nil {
				token := message.NoToken
				if a := b.Buttons[i].Action; a != nil && a.FlowToken != "" {
					token = a.FlowToken
				}
				refs = append(refs, message.FlowRef{ID: f.ID, Name: f.Name, Exchange: f.Action == "DATA_EXCHANGE", Screen: f.Screen, Token: token})
			}
		}
	}
	add(&r.Bubble)
	for i := range r.Cards {
		add(&r.Cards[i])
	}
	return refs
}
