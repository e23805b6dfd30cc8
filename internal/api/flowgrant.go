package api

import (
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// offerFlows lets the recipient open the flows of a message.
func (s *surface) offerFlows(m *message.Outbound, n number, refs []message.FlowRef) {
	if s.o.Grant == nil || len(refs) == 0 {
		return
	}
	var list []message.FlowGrant
	for _, ref := range refs {
		var f *flow.Flow
		var ok bool
		if ref.ID != "" {
			f, ok = s.o.Flows.Flow(wa.FlowID(ref.ID))
		} else {
			f, ok = s.o.Flows.Named(n.WABA, ref.Name)
		}
		if ok && f.WABA == n.WABA {
			id := string(f.ID)
			list = append(list, message.FlowGrant{ID: id, Name: ref.Name, Grant: s.o.Grant(m.To, n.WaID, id, ref.Draft)})
		}
	}
	m.OfferFlows(list)
}

// templateFlows are the flows that the buttons of a template open.
func templateFlows(r *template.Rendered) (refs []message.FlowRef) {
	add := func(b *template.Bubble) {
		for i := range b.Buttons {
			if f := b.Buttons[i].Flow; f != nil && (f.ID != "" || f.Name != "") {
				refs = append(refs, message.FlowRef{ID: f.ID, Name: f.Name})
			}
		}
	}
	add(&r.Bubble)
	for i := range r.Cards {
		add(&r.Cards[i])
	}
	return refs
}
