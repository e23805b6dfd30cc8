package api

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/graph"
)

// debugToken is GET /debug_token. Source: spec/access.md section 6.
func (s *surface) debugToken(ctx context.Context, c *graph.Call) (any, error) {
	input, err := c.Params.Get("input_token").Str()
	if err != nil {
		return nil, err
	}
	info := s.o.Access.Debug(ctx, input)
	if !who(c).MayDebug(info) {
		return nil, graph.Invalid("You must provide an app access token, or a user access token that is an owner or developer of the app")
	}
	var o graph.Obj
	if info.App != nil {
		o = graph.Obj{
			{K: "app_id", V: string(info.App.ID)},
			{K: "type", V: string(info.Type)},
			{K: "application", V: info.App.Name},
			{K: "data_access_expires_at", V: unix(info.DataAccess)},
			{K: "expires_at", V: unix(info.Expires)},
		}
	}
	if why := info.Why; why != nil {
		e := graph.Obj{{K: "code", V: why.Code}, {K: "message", V: why.Message()}}
		if why.Subcode != 0 {
			e = append(e, graph.KV{K: "subcode", V: why.Subcode})
		}
		o = append(o, graph.KV{K: "error", V: e})
	}
	o = append(o, graph.KV{K: "is_valid", V: info.Valid})
	if !info.Issued.IsZero() {
		o = append(o, graph.KV{K: "issued_at", V: unix(info.Issued)})
	}
	o = append(o, graph.KV{K: "scopes", V: texts(info.Scopes)})
	if len(info.Granular) > 0 {
		o = append(o, graph.KV{K: "granular_scopes", V: granular(info.Granular)})
	}
	o = append(o, graph.KV{K: "user_id", V: graph.NonEmpty(info.UserID)})
	return graph.Obj{{K: "data", V: o}}, nil
}

// unix is a moment in Unix seconds, 0 for never.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func texts(scopes []access.Scope) []string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = string(s)
	}
	return out
}

func granular(grants []access.Grant) []graph.Obj {
	out := make([]graph.Obj, len(grants))
	for i, g := range grants {
		out[i] = graph.Obj{{K: "scope", V: string(g.Scope)}, {K: "target_ids", V: g.Targets}}
	}
	return out
}
