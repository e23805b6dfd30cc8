package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// openFlows opens the room of flows. Endpoints are reached by the same rules as receivers of webhooks.
func (p *platform) openFlows(ctx context.Context, draw io.Reader) (err error) {
	allow := webhook.TransportOptions{PerHost: 16}
	if p.o.Sandbox || p.o.PrivateWebhooks {
		allow.Allow = webhook.PrivatePrefixes()
	}
	urls := webhook.URLRules{AllowInsecure: p.o.PrivateWebhooks}
	transport := webhook.NewTransport(allow)
	p.onClose("flow endpoints", func(context.Context) error { transport.CloseIdleConnections(); return nil })
	p.rules.flow, err = flow.New(ctx, flow.Options{
		Store: p.store, Shelf: p.store, Retirements: p.store, Counts: p.store, Sealer: secretSealer{p.vault}, Accounts: flowAccounts{p}, Secrets: newSecrets(p.rules.access),
		Clock: p.clock, Wall: p.wall, Transport: transport, Key: []byte(p.plan.Pepper), Rand: draw, Log: p.log,
		CheckURL: func(text string) error {
			_, err := urls.Parse(text)
			return err
		},
	})
	return err
}

// flowAccounts tells the flows of the accounts they belong to.
type flowAccounts struct{ p *platform }

// Keys implements flow.Accounts.
func (a flowAccounts) Keys(w wa.WABAID) (numbers int, signed wa.PhoneNumberID) {
	for _, n := range a.p.rules.business.Numbers(w) {
		if !n.Live() {
			continue
		}
		numbers++
		if signed == "" && a.Key(n.ID) != "" {
			signed = n.ID
		}
	}
	return numbers, signed
}

// Key implements flow.Accounts.
func (a flowAccounts) Key(id wa.PhoneNumberID) string {
	n, ok := a.p.rules.business.Number(id)
	if !ok || n.PublicKey == nil || n.PublicKey.Status != business.KeyValid {
		return ""
	}
	return n.PublicKey.PEM
}

// Subscribed implements flow.Accounts.
func (a flowAccounts) Subscribed(id wa.AppID, w wa.WABAID) bool {
	return slices.ContainsFunc(a.p.rules.subs.Route(flow.Field, w, ""), func(t webhook.Target) bool { return t.App == id })
}

// ---- control API ----

func flowRoutes(handle func(string, controlHandler)) {
	handle("GET /control/v1/flows", listFlows)
	handle("POST /control/v1/flows/{id}/state", setFlowState)
	handle("POST /control/v1/flow_versions/{version}", retireVersion)
}

func flowJSON(f *flow.Flow) map[string]any {
	alerts := map[string]float64{}
	for e, t := range f.Alerts {
		alerts[string(e)] = t
	}
	return map[string]any{
		"id": f.ID, "waba_id": f.WABA, "name": f.Name, "status": f.Status, "endpoint_uri": f.EndpointURI(), "alerts": alerts,
		"pending_changes": f.Pending(),
	}
}

// listFlows lists those of an account; without one, of the starter account.
func listFlows(r *http.Request, p *platform) (any, error) {
	w := wa.WABAID(r.URL.Query().Get("waba_id"))
	if w == "" {
		w = p.plan.WABAID
	}
	out := []map[string]any{}
	for _, f := range p.rules.flow.List(w) {
		out = append(out, flowJSON(f))
	}
	return map[string]any{"data": out}, nil
}

// setFlowState is what an endpoint in a bad state does to its flow on the real service.
func setFlowState(r *http.Request, p *platform) (any, error) {
	var in struct {
		State flow.Status `json:"state"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.State != flow.Published && in.State != flow.Throttled && in.State != flow.Blocked {
		return nil, badRequest("state: want PUBLISHED, THROTTLED or BLOCKED")
	}
	f, err := p.rules.flow.SetState(r.Context(), wa.FlowID(r.PathValue("id")), in.State)
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return nil, notFound("there is no such flow")
	case errors.Is(err, flow.ErrState):
		return nil, &controlError{http.StatusConflict, "the state of the flow does not allow this"}
	case err != nil:
		return nil, err
	}
	return flowJSON(f), nil
}

// retireVersion plans the end of a version of Flow JSON, which is the real service's to plan.
func retireVersion(r *http.Request, p *platform) (any, error) {
	v, ok := document.ParseVersion(r.PathValue("version"))
	if !ok {
		return nil, notFound("there is no such version of Flow JSON")
	}
	var in struct {
		Freezes time.Time `json:"freezes"`
		Expires time.Time `json:"expires"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	planned, err := p.rules.flow.Retire(r.Context(), flow.Retirement{Version: v, Freezes: in.Freezes, Expires: in.Expires})
	if errors.Is(err, flow.ErrState) {
		return nil, badRequest("expires: want a time after freezes")
	}
	if err != nil {
		return nil, err
	}
	out := map[string]any{"version": v.String()}
	for name, at := range map[string]time.Time{"freezes": planned.Freezes, "expires": planned.Expires} {
		if !at.IsZero() {
			out[name] = at
		}
	}
	return out, nil
}
