package api

import (
	"context"
	"slices"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges of a portfolio for administrators.
const (
	edgeUsers       = "business_users"
	edgeOwnedApps   = "owned_apps"
	edgePreverified = "preverified_numbers"
	edgeAddNumbers  = "add_phone_numbers"
	edgeSharePre    = "share_preverified_numbers"
)

// readPortfolio reads what a portfolio can be given.
func readPortfolio(p graph.Value) (ch business.PortfolioChange, err error) {
	if ch.Name, err = optionalText(p.Get("name")); err != nil {
		return ch, err
	}
	if v := p.Get("vertical"); v.Present() {
		text, err := v.Enum(business.PortfolioVerticals...)
		if err != nil {
			return ch, err
		}
		ch.Vertical = &text
	}
	if v := p.Get("two_factor_type"); v.Present() {
		text, err := v.Enum(business.TwoFactorTypes...)
		if err != nil {
			return ch, err
		}
		ch.TwoFactor = &text
	}
	if v := p.Get("timezone_id"); v.Present() {
		const most = 1000
		n, err := v.Int()
		if err == nil && (n < 0 || n > most) {
			err = v.Invalid("must be the number of a time zone")
		}
		if err != nil {
			return ch, err
		}
		zone := int(n)
		ch.TimezoneID = &zone
	}
	return ch, nil
}

// updatePortfolio is POST /{business-id}. Source: spec/business.md section 2.2.
func (s *surface) updatePortfolio(ctx context.Context, c *graph.Call, p portfolio) (any, error) {
	ch, err := readPortfolio(c.Params)
	if err != nil {
		return nil, err
	}
	if ch == (business.PortfolioChange{}) {
		return nil, graph.Invalid("One of the parameters name, vertical, timezone_id, two_factor_type is required.")
	}
	if _, err := s.o.Business.ChangePortfolio(acting(ctx, c), p.ID, ch); err != nil {
		return nil, known(err)
	}
	return graph.Written{ID: string(p.ID), Else: graph.Success}, nil
}

// deletePortfolio is DELETE /{business-id}, an extension: the real service deletes test resources in its dashboard. Each of
// the four conditions is refused by name. Source: spec/business.md section 2.4.
func (s *surface) deletePortfolio(ctx context.Context, c *graph.Call, p portfolio) (any, error) {
	mine, ok := s.o.Access.App(who(c).App())
	if !ok || mine.Business != p.ID {
		return nil, business.Refusal([]business.Obstacle{{Condition: business.OnlyAdmin, Why: "The app of the access token is not the app of the portfolio."}})
	}
	return done(known(Removal{s.o.Access, s.o.Business, s.o.Webhooks}.Remove(acting(ctx, c), mine, true)))
}

// createWABA is POST /{business-id}/owned_whatsapp_business_accounts, an extension. Source: spec/business.md section 4.3.
func (s *surface) createWABA(ctx context.Context, c *graph.Call, p portfolio) (any, error) {
	nw := business.NewWABA{Owner: p.ID}
	var err error
	if nw.Name, err = c.Params.Get("name").Str(); err != nil {
		return nil, err
	}
	if nw.Currency, err = c.Params.Get("currency").Str(); err != nil {
		return nil, err
	}
	if nw.TimezoneID, err = c.Params.Get("timezone_id").ID(); err != nil {
		return nil, err
	}
	if nw.Country, err = c.Params.Get("country").StrOr(""); err != nil {
		return nil, err
	}
	w, err := s.o.Business.AddWABA(acting(ctx, c), nw)
	if err != nil {
		return nil, known(err)
	}
	return graph.Written{ID: string(w.ID), Else: graph.ID(w.ID)}, nil
}

// portfolioEdges are those for administrators.
func (s *surface) portfolioEdges() []graph.Edge[portfolio] {
	type T = portfolio
	action := func(edge string, do func(context.Context, *graph.Call, T) (any, error)) graph.Edge[T] {
		return graph.Edge[T]{Name: edge, NotField: true, Post: &graph.Action[T]{Scopes: scopes(post, kindBusiness, edge), Do: do}}
	}
	return []graph.Edge[T]{
		s.systemUsersEdge(), action(edgeBizToken, s.businessToken), action(edgeBizTokens, s.businessTokens),
		action(edgeCertify, s.certify), s.submissionsEdge(), action(edgeMMLite, s.onboardPartners), s.pendingEdge(),
		s.usersEdge(), s.ownedAppsEdge(), s.preverifiedEdge(), action(edgeAddNumbers, s.addPreverified),
		{
			Name: edgeSharePre, NotField: true, Scopes: scopes(post, kindBusiness, edgeSharePre),
			Post: &graph.Action[T]{Do: func(ctx context.Context, c *graph.Call, p T) (any, error) { return s.sharePreverified(ctx, c, p, true) }},
			Delete: &graph.Action[T]{Do: func(ctx context.Context, c *graph.Call, p T) (any, error) {
				return s.sharePreverified(ctx, c, p, false)
			}},
		},
		s.partnersEdge("agencies", func(p T) []wa.BusinessID {
			var out []wa.BusinessID
			for _, w := range s.o.Business.WABAs(p.ID) {
				for _, h := range w.Shared {
					out = append(out, h.Business)
				}
			}
			return out
		}, func(ctx context.Context, c *graph.Call, p T, other wa.BusinessID) error {
			for _, w := range s.o.Business.WABAs(p.ID) {
				if slices.ContainsFunc(w.Shared, func(h business.Share) bool { return h.Business == other }) {
					if err := s.unshare(acting(ctx, c), w.ID, other); err != nil {
						return err
					}
				}
			}
			return nil
		}),
		s.partnersEdge("clients", func(p T) []wa.BusinessID {
			var out []wa.BusinessID
			for _, w := range s.o.Business.ClientWABAs(p.ID) {
				out = append(out, w.Owner)
			}
			return out
		}, func(ctx context.Context, c *graph.Call, p T, other wa.BusinessID) error {
			for _, w := range s.o.Business.ClientWABAs(p.ID) {
				if w.Owner == other {
					if err := s.unshare(acting(ctx, c), w.ID, p.ID); err != nil {
						return err
					}
				}
			}
			return nil
		}),
	}
}

// partnersEdge lists portfolios that accounts are shared with or by, and ends these shares.
func (s *surface) partnersEdge(name string, of func(portfolio) []wa.BusinessID, end func(context.Context, *graph.Call, portfolio, wa.BusinessID) error) graph.Edge[portfolio] {
	type T = portfolio
	item := graph.Object[wa.BusinessID]{Name: typeBusiness, Fields: []graph.Field[wa.BusinessID]{
		{Name: "id", When: graph.Always, Get: func(id wa.BusinessID) any { return string(id) }},
		{Name: "name", When: graph.ByDefault, Get: func(id wa.BusinessID) any {
			if p, ok := s.o.Business.Portfolio(id); ok {
				return p.Name
			}
			return nil
		}},
	}}
	return graph.Edge[T]{
		Name: name, NotField: true, Scopes: scopes(get, kindBusiness, name),
		List: graph.Collection[T, wa.BusinessID]{Item: item, Unpaged: true, List: func(_ context.Context, _ *graph.Call, p T, _ graph.Page) (graph.Items[wa.BusinessID], error) {
			all := of(p)
			slices.Sort(all)
			all = slices.Compact(all)
			return graph.Items[wa.BusinessID]{Data: all, Total: len(all)}, nil
		}},
		Delete: &graph.Action[T]{Scopes: scopes(remove, kindBusiness, name), Do: func(ctx context.Context, c *graph.Call, p T) (any, error) {
			id, err := c.Params.Get("business").ID()
			if err != nil {
				return nil, err
			}
			return done(end(ctx, c, p, wa.BusinessID(id)))
		}},
	}
}

// usersEdge is /{business-id}/business_users: the people of a portfolio.
func (s *surface) usersEdge() graph.Edge[portfolio] {
	type T = portfolio
	type person struct {
		*access.Person
		role access.Role
	}
	item := graph.Object[person]{Name: "BusinessUser", Fields: []graph.Field[person]{
		{Name: "id", When: graph.Always, Get: func(p person) any { return p.ID }},
		{Name: "name", When: graph.ByDefault, Get: func(p person) any { return p.Name }},
		{Name: "email", Get: func(p person) any { return graph.NonEmpty(p.Email) }},
		{Name: "role", Get: func(p person) any { return graph.NonEmpty(p.role) }},
	}}
	key := func(p person) string { return p.ID }
	return graph.Edge[T]{
		Name: edgeUsers, NotField: true, Scopes: scopes(get, kindBusiness, edgeUsers),
		Post: &graph.Action[T]{Scopes: scopes(post, kindBusiness, edgeUsers), Do: s.invite},
		List: graph.Collection[T, person]{Item: item, Key: key, List: func(_ context.Context, _ *graph.Call, b T, page graph.Page) (graph.Items[person], error) {
			var all []person
			for _, p := range s.o.Access.People() {
				for _, m := range p.Member {
					if m.Business == b.ID {
						all = append(all, person{p, m.Role})
					}
				}
			}
			return sliced(all, page, key, func(a, b string) bool { return a < b }), nil
		}},
	}
}

func (s *surface) ownedAppsEdge() graph.Edge[portfolio] {
	key := func(a *access.App) string { return string(a.ID) }
	return graph.Edge[portfolio]{
		Name: edgeOwnedApps, NotField: true, Scopes: scopes(get, kindBusiness, edgeOwnedApps),
		List: graph.Collection[portfolio, *access.App]{Item: graph.Ref[*access.App](kindApp), Key: key, List: func(_ context.Context, _ *graph.Call, p portfolio, page graph.Page) (graph.Items[*access.App], error) {
			var all []*access.App
			for _, a := range s.o.Access.Apps() {
				if a.Business == p.ID {
					all = append(all, a)
				}
			}
			return sliced(all, page, key, func(a, b string) bool { return a < b }), nil
		}},
	}
}
