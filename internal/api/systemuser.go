package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges of system users and of people.
const (
	edgeSystemUsers  = "system_users"
	edgeBizToken     = "access_token"
	edgeBizTokens    = "system_user_access_tokens" //nolint:gosec // the name of an edge
	edgeApplications = "applications"
	edgeTokens       = "access_tokens"
	edgeAssignedTo   = "assigned_whatsapp_business_accounts"
	edgeBusinesses   = "businesses"
	edgePermissions  = "permissions"
)

// foreign turns the access room's "no such object" into the answer for what is not there.
func foreign(err error) error {
	if errors.Is(err, access.ErrUnknown) {
		return graph.ErrInvisible
	}
	return err
}

// systemUsersEdge is /{business-id}/system_users. Source: spec/access.md section 7.1.
func (s *surface) systemUsersEdge() graph.Edge[portfolio] {
	return graph.Edge[portfolio]{
		Name: edgeSystemUsers, Scopes: scopes(get, kindBusiness, edgeSystemUsers),
		List: graph.Collection[portfolio, *access.SystemUser]{
			Item: s.systemUserItem(), Key: systemUserKey,
			List: func(_ context.Context, c *graph.Call, p portfolio, page graph.Page) (graph.Items[*access.SystemUser], error) {
				if !mayBusiness(c, p, edgeSystemUsers) {
					return graph.Items[*access.SystemUser]{}, nil
				}
				return sliced(s.o.Access.SystemUsers(p.ID), page, systemUserKey, func(a, b string) bool { return a < b }), nil
			},
		},
		Post: &graph.Action[portfolio]{Scopes: scopes(post, kindBusiness, edgeSystemUsers), Do: s.addSystemUser},
	}
}

// mayBusiness decides over an edge of a portfolio that is read inside another object.
func mayBusiness(c *graph.Call, p portfolio, edge string) bool {
	return who(c).MayBusiness(p.ID, false, rights[endpoint{get, kindBusiness, edge}].scopes...) == access.Allowed
}

func systemUserKey(u *access.SystemUser) string { return stamp(u.Created) + string(u.ID) }

// systemUserItem is a system user in lists, whose default fields include the role.
func (s *surface) systemUserItem() graph.Node[*access.SystemUser] {
	n := s.systemUserNode()
	n.Kind, n.Edges = "system_user_item", nil
	for i := range n.Fields {
		if n.Fields[i].Name == "role" {
			n.Fields[i].When = graph.ByDefault
		}
	}
	return n
}

// addSystemUser creates a system user, or renames the one that system_user_id names.
func (s *surface) addSystemUser(ctx context.Context, c *graph.Call, p portfolio) (any, error) {
	name, err := c.Params.Get("name").Str()
	if err != nil {
		return nil, err
	}
	if v := c.Params.Get("system_user_id"); v.Present() {
		u, err := s.systemUserOf(p, v)
		if err != nil {
			return nil, err
		}
		_, err = s.o.Access.UpdateSystemUser(ctx, u.ID, func(u *access.SystemUser) error {
			u.Name = name
			return nil
		})
		if err != nil {
			return nil, err
		}
		return graph.ID(u.ID), nil
	}
	role, err := c.Params.Get("role").EnumOr(string(access.Employee), string(access.Admin), string(access.Employee))
	if err != nil {
		return nil, err
	}
	u, err := s.o.Access.AddSystemUser(ctx, access.SystemUser{Business: p.ID, Name: name, Role: access.Role(role), CreatedBy: who(c).Me()})
	if err != nil {
		return nil, err
	}
	return graph.ID(u.ID), nil
}

// systemUserOf reads the id of a system user of the portfolio; a foreign one is like none.
func (s *surface) systemUserOf(p portfolio, v graph.Value) (*access.SystemUser, error) {
	id, err := v.ID()
	if err != nil {
		return nil, err
	}
	u, ok := s.o.Access.SystemUser(wa.SystemUserID(id))
	if !ok || u.Business != p.ID {
		return nil, v.Invalid("must be the id of a system user of the business")
	}
	return u, nil
}

// appOf reads the id of an app of the portfolio.
func (s *surface) appOf(b wa.BusinessID, v graph.Value) (*access.App, error) {
	id, err := v.ID()
	if err != nil {
		return nil, err
	}
	a, ok := s.o.Access.App(wa.AppID(id))
	if !ok || a.Business != b {
		return nil, v.Invalid("must be the id of an app of the same business")
	}
	return a, nil
}

// sameBusiness asks that the calling token's own app belongs to the business: apps of partners make no tokens.
func (s *surface) sameBusiness(c *graph.Call, b wa.BusinessID) error {
	if who(c).Caller.App.Business != b {
		return graph.Invalid("The app of the access token does not belong to the business.")
	}
	return nil
}

func tokenLife(p graph.Value) (time.Duration, error) {
	sixty, err := p.Get("set_token_expires_in_60_days").BoolOr(false)
	if err != nil || !sixty {
		return 0, err
	}
	return access.LongLife, nil
}

// tokenFor issues a token of a system user.
func (s *surface) tokenFor(ctx context.Context, c *graph.Call, u *access.SystemUser, app *access.App, sc []access.Scope, grants []access.Grant) (any, error) {
	life, err := tokenLife(c.Params)
	if err != nil {
		return nil, err
	}
	secret, _, err := s.o.Access.Issue(ctx, access.TokenSpec{
		Type: access.SystemUserToken, App: app.ID, Actor: string(u.ID), Scopes: sc, Granular: grants, Life: life,
	})
	if err != nil {
		return nil, err
	}
	return graph.Obj{{K: "access_token", V: secret.Reveal()}}, nil
}

// businessToken is POST /{business-id}/access_token: the system user is made when there is none with this name.
func (s *surface) businessToken(ctx context.Context, c *graph.Call, p portfolio) (any, error) {
	app, err := s.appOf(p.ID, c.Params.Get("app_id"))
	if err == nil {
		err = s.sameBusiness(c, p.ID)
	}
	if err != nil {
		return nil, err
	}
	sc, err := readScopes(c.Params.Get("scope"))
	if err != nil {
		return nil, err
	}
	name, err := c.Params.Get("system_user_name").StrOr(app.Name)
	if err != nil {
		return nil, err
	}
	all := s.o.Access.SystemUsers(p.ID)
	var u *access.SystemUser
	if at := slices.IndexFunc(all, func(u *access.SystemUser) bool { return u.Name == name && u.Client == "" }); at >= 0 {
		u = all[at]
	} else if u, err = s.o.Access.AddSystemUser(ctx, access.SystemUser{
		Business: p.ID, Name: name, Role: access.Employee, CreatedBy: who(c).Me(), Installed: []wa.AppID{app.ID},
	}); err != nil {
		return nil, err
	}
	return s.tokenFor(ctx, c, u, app, sc, nil)
}

// businessTokens is POST /{business-id}/system_user_access_tokens: a token for chosen accounts.
func (s *surface) businessTokens(ctx context.Context, c *graph.Call, p portfolio) (any, error) {
	u, err := s.systemUserOf(p, c.Params.Get("system_user_id"))
	if err != nil {
		return nil, err
	}
	if err := s.sameBusiness(c, p.ID); err != nil {
		return nil, err
	}
	app := who(c).Caller.App
	sc, err := readScopes(c.Params.Get("scope"))
	if err != nil {
		return nil, err
	}
	assets, err := c.Params.Get("asset").StringsOr()
	if err != nil {
		return nil, err
	}
	for _, id := range assets {
		if w, ok := s.o.Business.WABA(wa.WABAID(id)); !ok || !who(c).SeesWABA(asset(w)) {
			return nil, c.Params.Get("asset").Invalid("must be ids of WhatsApp Business Accounts")
		}
	}
	var grants []access.Grant
	for _, x := range sc {
		if len(assets) > 0 && x != access.PublicProfile {
			grants = append(grants, access.Grant{Scope: x, Targets: assets})
		}
	}
	return s.tokenFor(ctx, c, u, app, sc, grants)
}

// systemUserEdges are what hangs on a system user.
func (s *surface) systemUserEdges() []graph.Edge[*access.SystemUser] {
	type T = *access.SystemUser
	return []graph.Edge[T]{
		{Name: edgeApplications, NotField: true, Post: &graph.Action[T]{Do: func(ctx context.Context, c *graph.Call, u T) (any, error) {
			app, err := s.appOf(u.Business, c.Params.Get("business_app"))
			if err != nil {
				return nil, err
			}
			return done(s.o.Access.Install(ctx, u.ID, app.ID))
		}}},
		{
			Name: edgeTokens, NotField: true, Post: &graph.Action[T]{Do: s.systemUserToken},
			Delete: &graph.Action[T]{Do: func(ctx context.Context, _ *graph.Call, u T) (any, error) {
				_, err := s.o.Access.Revoke(ctx, access.LoggedOut, func(t *access.Token) bool {
					return t.Type == access.SystemUserToken && t.Actor == string(u.ID)
				})
				return done(err)
			}},
		},
		assignedEdge(s, func(u T) access.Actor {
			return access.Actor{ID: string(u.ID), Member: []access.Membership{{Business: u.Business, Role: u.Role}}, Assigned: u.Assigned}
		}),
		businessesEdge(s, func(u T) []access.Membership { return []access.Membership{{Business: u.Business, Role: u.Role}} }),
	}
}

// systemUserToken is POST /{system-user-id}/access_tokens; it always asks for appsecret_proof.
func (s *surface) systemUserToken(ctx context.Context, c *graph.Call, u *access.SystemUser) (any, error) {
	app, err := s.appOf(u.Business, c.Params.Get("business_app"))
	if err != nil {
		return nil, err
	}
	if err := s.sameBusiness(c, u.Business); err != nil {
		return nil, err
	}
	if !c.Proven() {
		return nil, wa.ErrProofRequired
	}
	sc, err := readScopes(c.Params.Get("scope"))
	if err != nil {
		return nil, err
	}
	if !slices.Contains(u.Installed, app.ID) {
		return nil, graph.Invalid("The app must be installed for the system user first.")
	}
	return s.tokenFor(ctx, c, u, app, sc, nil)
}

// assignedEdge lists the accounts an actor reaches.
func assignedEdge[T any](s *surface, actor func(T) access.Actor) graph.Edge[T] {
	return graph.Edge[T]{
		Name: edgeAssignedTo, NotField: true,
		List: graph.Collection[T, *business.WABA]{Item: s.wabaNode(true), Key: wabaKey, List: func(_ context.Context, c *graph.Call, v T, page graph.Page) (graph.Items[*business.WABA], error) {
			a := actor(v)
			seen := &access.Caller{App: who(c).Caller.App, Actor: a, Scopes: who(c).Scopes}
			var all []*business.WABA
			for _, m := range a.Member {
				for _, w := range append(s.o.Business.WABAs(m.Business), s.o.Business.ClientWABAs(m.Business)...) {
					if seen.SeesWABA(asset(w)) && who(c).SeesWABA(asset(w)) {
						all = append(all, w)
					}
				}
			}
			return sliced(all, page, wabaKey, func(a, b string) bool { return a > b }), nil
		}},
	}
}

// businessesEdge lists the portfolios an actor belongs to.
func businessesEdge[T any](s *surface, of func(T) []access.Membership) graph.Edge[T] {
	key := func(p portfolio) string { return stamp(p.Created) + string(p.ID) }
	return graph.Edge[T]{
		Name: edgeBusinesses, NotField: true,
		List: graph.Collection[T, portfolio]{Item: graph.Ref[portfolio](kindBusiness), Key: key, List: func(_ context.Context, c *graph.Call, v T, page graph.Page) (graph.Items[portfolio], error) {
			var all []portfolio
			for _, m := range of(v) {
				if p, ok := s.o.Business.Portfolio(m.Business); ok && who(c).SeesBusiness(p.ID) {
					all = append(all, portfolio{Portfolio: p})
				}
			}
			return sliced(all, page, key, func(a, b string) bool { return a > b }), nil
		}},
	}
}

// ---- people ----

func (s *surface) personEdges() []graph.Edge[*access.Person] {
	type T = *access.Person
	businesses := businessesEdge(s, func(p T) []access.Membership { return p.Member })
	businesses.Post = &graph.Action[T]{Do: s.createPortfolio}
	return []graph.Edge[T]{
		businesses,
		assignedEdge(s, func(p T) access.Actor { return access.Actor{ID: p.ID, Member: p.Member, Assigned: p.Assigned} }),
		{
			Name: edgePermissions, NotField: true,
			Get: func(_ context.Context, c *graph.Call, _ T) (any, error) {
				var out []graph.Obj
				for _, sc := range who(c).Scopes {
					out = append(out, graph.Obj{{K: "permission", V: string(sc)}, {K: "status", V: "granted"}})
				}
				return graph.Obj{{K: "data", V: out}}, nil
			},
			Delete: &graph.Action[T]{Do: s.removePermissions},
			One:    &graph.One[T]{Delete: &graph.Action[T]{Do: s.removePermissions}},
		},
	}
}

// removePermissions is DELETE /{user-id}/permissions[/{permission}]: it ends the person's tokens of the app, all of them or
// those with the permission. Source: spec/access.md section 5.4.
func (s *surface) removePermissions(ctx context.Context, c *graph.Call, p *access.Person) (any, error) {
	app, scope := who(c).App(), access.Scope(c.Sub)
	if c.Sub != "" && !slices.Contains(access.Scopes, scope) {
		return nil, graph.Invalid("Param permission must be a permission.")
	}
	_, err := s.o.Access.Revoke(ctx, access.AppRemoved, func(t *access.Token) bool {
		return t.Type == access.UserToken && t.Actor == p.ID && t.App == app && (c.Sub == "" || slices.Contains(t.Scopes, scope))
	})
	return done(err)
}

// createPortfolio is POST /{user-id}/businesses. Source: spec/business.md section 2.2.
func (s *surface) createPortfolio(ctx context.Context, c *graph.Call, p *access.Person) (any, error) {
	in, err := readPortfolio(c.Params)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Name == nil:
		return nil, graph.Required("name")
	case in.Vertical == nil:
		return nil, graph.Required("vertical")
	}
	if err := business.CheckPortfolioName(*in.Name); err != nil {
		return nil, err
	}
	n := business.Portfolio{Name: *in.Name, Vertical: *in.Vertical, CreatedBy: business.Actor{ID: p.ID, Name: p.Name}}
	if in.TimezoneID != nil {
		n.TimezoneID = *in.TimezoneID
	}
	made, err := s.o.Business.AddPortfolio(ctx, n, func(id wa.BusinessID) error {
		_, err := s.o.Access.UpdatePerson(ctx, p.ID, func(p *access.Person) error {
			p.Member = append(slices.Clone(p.Member), access.Membership{Business: id, Role: access.Admin})
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return graph.ID(made.ID), nil
}
