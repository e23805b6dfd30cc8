package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/api/flowpage"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// flowPages lets the preview page see flows. Whoever has the link may, and may ask the draft's endpoint.
type flowPages struct{ p *platform }

// Preview implements flowpage.Source.
func (s flowPages) Preview(ctx context.Context, id, token string) (*flowpage.Flow, error) {
	f, src, err := s.p.rules.flow.Previewed(ctx, wa.FlowID(id), token)
	if errors.Is(err, flow.ErrUnknown) {
		return nil, flowpage.ErrLink
	}
	if err != nil {
		return nil, err
	}
	return &flowpage.Flow{Name: f.Name, JSON: src}, nil
}

// Exchange implements flowpage.Source.
func (s flowPages) Exchange(ctx context.Context, id, phone string, q document.Question) (a document.Answer, err error) {
	f, ok := s.p.rules.flow.Flow(wa.FlowID(id))
	if !ok {
		return a, flowpage.ErrLink
	}
	number, err := s.number(f, phone)
	if err != nil {
		return a, err
	}
	st := flow.Step{Flow: f.ID, Number: number, Draft: true, Action: flow.Action(q.Action), Screen: q.Screen, Token: q.Token}
	st.Unsigned = q.Token != message.NoToken // the token stands in the address of the page: nobody was sent it
	if q.Data != nil {
		if st.Data, err = json.Marshal(q.Data); err != nil {
			return a, err
		}
	}
	said, err := s.p.rules.flow.Exchange(ctx, st)
	if e, ok := errors.AsType[*flow.ExchangeError](err); ok {
		if told, ok := errors.AsType[*frame.Error](exchangeError(e)); ok {
			return a, fmt.Errorf("%w: %s (%s)", flowpage.ErrEndpoint, told.Text, e.Kind)
		}
	}
	if err != nil {
		return a, err
	}
	if json.Unmarshal(said, &a) != nil {
		return a, fmt.Errorf("%w: its data is no object", flowpage.ErrEndpoint)
	}
	return a, nil
}

// number is whose key encrypts: that of the link, by its id or digits, if it is one of the flow's account, else one whose key is
// signed.
func (s flowPages) number(f *flow.Flow, phone string) (wa.PhoneNumberID, error) {
	_, number := flowAccounts(s).Keys(f.WABA)
	for _, n := range s.p.rules.business.Numbers(f.WABA) {
		if phone != "" && (string(n.ID) == phone || string(n.WaID) == phone || "+"+string(n.WaID) == phone) {
			number = n.ID
		}
	}
	if number == "" {
		return "", fmt.Errorf("%w: no number of the account has an encryption key", flowpage.ErrEndpoint)
	}
	return number, nil
}
