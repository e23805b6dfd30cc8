package api

import (
	"context"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// oauthRoots are the calls that make and end tokens. Their published form has secrets in parameters, whatever the policy for
// other calls. Source: spec/access.md section 5.
func (s *surface) oauthRoots() []graph.Root {
	return []graph.Root{
		{Path: "oauth/access_token", Access: graph.TokenIgnored, Get: s.issueToken, Post: s.issueToken},
		{Path: "oauth/revoke", AnyCarrier: true, Get: s.revokeToken, Post: s.revokeToken},
	}
}

// client reads client_id and client_secret.
func (s *surface) client(p graph.Value) (*access.App, error) {
	id, err := p.Get("client_id").IDOr("")
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, wa.ErrClientIDMissing
	}
	secret, err := p.Get("client_secret").StrOr("")
	if err != nil {
		return nil, err
	}
	return s.o.Access.Client(wa.AppID(id), secret)
}

// issueToken is oauth/access_token.
func (s *surface) issueToken(ctx context.Context, c *graph.Call) (any, error) {
	p := c.Params
	app, err := s.client(p)
	if err != nil {
		return nil, err
	}
	grant, err := p.Get("grant_type").EnumOr("", "client_credentials", "fb_exchange_token", "authorization_code")
	if err != nil {
		return nil, err
	}
	switch grant {
	case "client_credentials":
		secret, err := s.o.Access.AppSecret(app.ID)
		if err != nil {
			return nil, err
		}
		return graph.Obj{{K: "access_token", V: string(app.ID) + "|" + secret.Reveal()}, {K: "token_type", V: "bearer"}}, nil
	case "fb_exchange_token":
		token, err := p.Get("fb_exchange_token").Str()
		if err != nil {
			return nil, err
		}
		sixty, err := p.Get("set_token_expires_in_60_days").BoolOr(false)
		if err != nil {
			return nil, err
		}
		secret, t, err := s.o.Access.Extend(ctx, app.ID, token, sixty)
		return bearer(c, secret, t, err)
	}
	code, err := p.Get("code").Str()
	if err != nil {
		return nil, err
	}
	redirect, err := p.Get("redirect_uri").StrOr("")
	if err != nil {
		return nil, err
	}
	secret, t, err := s.o.Access.ExchangeCode(ctx, app.ID, code, redirect)
	return bearer(c, secret, t, err)
}

func bearer(c *graph.Call, secret access.Secret, t *access.Token, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	o := graph.Obj{{K: "access_token", V: secret.Reveal()}, {K: "token_type", V: "bearer"}}
	if !t.Expires.IsZero() {
		o = append(o, graph.KV{K: "expires_in", V: int64(t.Expires.Sub(c.Start).Seconds())})
	}
	return o, nil
}

// revokeToken is oauth/revoke: caller, client and the token to end belong to one app. That a token is not known, or another
// app's, is one answer.
func (s *surface) revokeToken(ctx context.Context, c *graph.Call) (any, error) {
	app, err := s.client(c.Params)
	if err != nil {
		return nil, err
	}
	if app.ID != who(c).App() {
		return nil, graph.Invalid("The access token does not belong to application %s", app.ID)
	}
	text, err := c.Params.Get("revoke_token").Str()
	if err != nil {
		return nil, err
	}
	t, ok := s.o.Access.Find(text)
	if !ok || t.App != app.ID {
		return nil, graph.Invalid("Param revoke_token must be a token of application %s.", app.ID)
	}
	_, err = s.o.Access.Revoke(ctx, access.LoggedOut, func(x *access.Token) bool { return x.Hash == t.Hash })
	return done(err)
}

// readScopes reads a list of permissions that a token of app may get. public_profile comes by itself.
func readScopes(v graph.Value) ([]access.Scope, error) {
	names, err := v.Strings()
	if err != nil {
		return nil, err
	}
	var out []access.Scope
	for _, name := range strings.FieldsFunc(strings.Join(names, ","), func(r rune) bool { return r == ',' || r == ' ' }) {
		known := false
		for _, sc := range access.Scopes {
			if strings.EqualFold(name, string(sc)) {
				out, known = append(out, sc), true
			}
		}
		if !known {
			return nil, graph.Invalid("Invalid Scopes: %s", name)
		}
	}
	if len(out) == 0 {
		return nil, graph.Required(v.Path())
	}
	return out, nil
}
