package app

import (
	"context"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// templateFlows looks up the flows of template buttons.
type templateFlows struct{ p *platform }

// Resolve implements template.Flows.
func (v templateFlows) Resolve(ctx context.Context, app wa.AppID, t *template.Template, b *template.Flow) error {
	flows := v.p.rules.flow
	if b.JSON != "" {
		f, err := v.make(ctx, app, t, b.JSON)
		if err != nil {
			return err
		}
		b.ID, b.JSON = string(f.ID), ""
	}
	var f *flow.Flow
	var ok bool
	if b.ID != "" {
		f, ok = flows.Flow(wa.FlowID(b.ID))
	} else {
		f, ok = flows.Named(t.WABA, b.Name)
	}
	if !ok || f.WABA != t.WABA || f.Status == flow.Deprecated {
		return wa.ErrFlowMissing.User(wa.ErrFlowMissing.UserTitle, "The Flow of a button does not exist in this account, or is deprecated.")
	}
	if b.Screen != "" && !f.HasScreen(b.Screen) {
		return wa.ErrFlowMissing.User("Screen does not exist", "navigate_screen names no screen of the Flow.")
	}
	b.ID, b.Name = string(f.ID), ""
	return nil
}

// make makes the flow of flow_json and publishes it. It is named after the template.
func (v templateFlows) make(ctx context.Context, app wa.AppID, t *template.Template, json string) (*flow.Flow, error) {
	base := t.Name + "_" + t.Language
	name := base[max(0, len(base)-flow.MaxName):]
	for i := 2; i <= flow.MaxFlows+1; i++ { // one of them is free: an account has no more flows
		if _, taken := v.p.rules.flow.Named(t.WABA, name); !taken {
			break
		}
		name = base + "_" + strconv.Itoa(i)
		name = name[max(0, len(name)-flow.MaxName):]
	}
	f, err := v.p.rules.flow.Create(ctx, flow.NewFlow{
		WABA: t.WABA, App: app, Name: name, Categories: []flow.Category{"OTHER"}, JSON: []byte(json), Publish: true,
	})
	if err != nil {
		return nil, err
	}
	if f.Status != flow.Published {
		if err := v.p.rules.flow.Delete(ctx, f.ID); err != nil {
			return nil, err
		}
		return nil, wa.ErrInvalidParameter.User("Invalid Flow JSON", f.Draft.Problems[0].Message)
	}
	return f, nil
}
