package api

import (
	"context"
	"slices"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges of multi-partner solutions. Source: spec/access.md section 13.
const (
	edgeOffer     = "whatsapp_business_solution"
	edgeSolutions = "whatsapp_business_solutions"
	edgeConnected = "connected_client_businesses"

	edgeAccept           = "accept"
	edgeReject           = "reject"
	edgeAskDeactivation  = "send_deactivation_request"
	edgeTakeDeactivation = "accept_deactivation_request"
	edgeKeepActive       = "reject_deactivation_request"

	edgeWABASolutions = "solutions"
	edgeIntent        = "set_solution_migration_intent"

	typeSolution = "WhatsAppBusinessSolution"
	typeIntent   = "WhatsAppBusinessSolutionMigrationIntent"
)

// solutionNode is /{solution-id}.
func (s *surface) solutionNode() graph.Node[*business.Solution] {
	type T = *business.Solution
	action := func(edge string, do func(context.Context, *graph.Call, T) (T, error)) graph.Edge[T] {
		return graph.Edge[T]{Name: edge, NotField: true, Post: &graph.Action[T]{
			Scopes: scopes(post, kindSolution, edge), Answers: kindSolution,
			Do: func(ctx context.Context, c *graph.Call, x T) (any, error) {
				x, err := do(acting(ctx, c), c, x)
				if err != nil {
					return nil, known(err)
				}
				return graph.Written{ID: x.ID, Else: graph.Success}, nil
			},
		}}
	}
	return graph.Node[T]{
		Kind: kindSolution, Name: typeSolution, Scopes: scopes(get, kindSolution, ""),
		Load: func(_ context.Context, c *graph.Call, id string) (T, error) {
			x, ok := s.o.Business.Solution(id)
			if !ok || !who(c).SeesBusiness(x.Owner.Business) && !who(c).SeesBusiness(x.Partner.Business) {
				return nil, graph.ErrInvisible
			}
			return x, nil
		},
		Fields: s.solutionFields(),
		Edges: []graph.Edge[T]{
			action(edgeAccept, func(ctx context.Context, c *graph.Call, x T) (T, error) {
				tasks, err := permissions(c.Params.Get("partner_permissions"))
				if err != nil {
					return nil, err
				}
				return s.o.Business.AnswerSolution(ctx, x.ID, who(c).App(), true, tasks)
			}),
			action(edgeReject, func(ctx context.Context, c *graph.Call, x T) (T, error) {
				return s.o.Business.AnswerSolution(ctx, x.ID, who(c).App(), false, nil)
			}),
			action(edgeAskDeactivation, func(ctx context.Context, c *graph.Call, x T) (T, error) {
				return s.o.Business.AskDeactivation(ctx, x.ID, who(c).App())
			}),
			action(edgeTakeDeactivation, func(ctx context.Context, c *graph.Call, x T) (T, error) {
				return s.o.Business.AnswerDeactivation(ctx, x.ID, who(c).App(), true)
			}),
			action(edgeKeepActive, func(ctx context.Context, c *graph.Call, x T) (T, error) {
				return s.o.Business.AnswerDeactivation(ctx, x.ID, who(c).App(), false)
			}),
			{Name: edgeBizToken, NotField: true, Scopes: scopes(get, kindSolution, edgeBizToken), Get: s.solutionToken},
		},
	}
}

func (s *surface) solutionFields() []graph.Field[*business.Solution] {
	type T = *business.Solution
	app := func(id wa.AppID) graph.Obj {
		o := graph.Obj{{K: "id", V: string(id)}}
		if a, ok := s.o.Access.App(id); ok {
			o = append(o, graph.KV{K: "name", V: a.Name})
		}
		return o
	}
	return []graph.Field[T]{
		{Name: "id", When: graph.Always, Get: func(x T) any { return x.ID }},
		{Name: "name", When: graph.ByDefault, Get: func(x T) any { return x.Name }},
		{Name: "status", When: graph.ByDefault, Get: func(x T) any { return string(x.Status) }},
		{Name: "status_for_pending_request", When: graph.ByDefault, Get: func(x T) any { return x.Waiting() }},
		{Name: "owner_app", Get: func(x T) any { return app(x.Owner.App) }},
		{Name: "owner_permissions", Get: func(x T) any { return notNil(x.Owner.Tasks) }},
		{Name: "partners", Get: func(x T) any {
			return []graph.Obj{{
				{K: "partner_app", V: app(x.Partner.App)}, {K: "partner_permissions", V: notNil(x.Partner.Tasks)},
			}}
		}},
	}
}

// notNil is a list that is there though it is empty.
func notNil(list []string) []string { return append([]string{}, list...) }

// permissions reads a list of tasks; nil when there is none, empty when the list is.
func permissions(v graph.Value) ([]string, error) {
	if !v.Present() {
		return nil, nil
	}
	tasks, err := readTasks(v)
	out := make([]string, len(tasks))
	for i, t := range tasks {
		out[i] = string(t)
	}
	return out, err
}

// enterSolution asks that the caller acts for a side: with a token of its app, as an administrator of its portfolio for what
// changes something.
func enterSolution(c *graph.Call, e endpoint, r right, x *business.Solution) error {
	side := x.Party(who(c).App())
	switch {
	case side != nil:
	case e.method == get && e.edge == "" && who(c).SeesBusiness(x.Owner.Business):
		side = &x.Owner
	case e.method == get && e.edge == "":
		side = &x.Partner
	default:
		return wa.ErrPermission.Titled("This method must be called with an access token of an app of the solution")
	}
	return refusal(c, e, r, who(c).MayBusiness(side.Business, e.method != get || e.edge != "", r.scopes...), typeSolution)
}

// offerSolution is POST /{app-id}/whatsapp_business_solution.
func (s *surface) offerSolution(ctx context.Context, c *graph.Call, a *access.App) (any, error) {
	name, err := c.Params.Get("solution_name").Str()
	if err != nil {
		return nil, err
	}
	id, err := c.Params.Get("partner_app_id").ID()
	if err != nil {
		return nil, err
	}
	x := business.Solution{Name: name, Owner: business.Party{App: a.ID, Business: a.Business}}
	for _, f := range []struct {
		name string
		to   *[]string
	}{{"owner_permissions", &x.Owner.Tasks}, {"partner_permissions", &x.Partner.Tasks}} {
		if *f.to, err = permissions(c.Params.Get(f.name)); err != nil {
			return nil, err
		}
		if *f.to == nil {
			return nil, graph.Required(f.name)
		}
	}
	partner, ok := s.o.Access.App(wa.AppID(id))
	if !ok {
		return nil, c.Params.Get("partner_app_id").Invalid("must be the id of an app of another business")
	}
	x.Partner.App, x.Partner.Business = partner.ID, partner.Business
	made, err := s.o.Business.CreateSolution(acting(ctx, c), x)
	if err != nil {
		return nil, err
	}
	return graph.Written{ID: made.ID, Else: graph.Obj{{K: "solution_id", V: made.ID}}}, nil
}

func solutionKey(x *business.Solution) string { return stamp(x.Created) + x.ID }

// appPartnerEdges are the edges of an app that have to do with partners and clients.
func (s *surface) appPartnerEdges() []graph.Edge[*access.App] {
	type T = *access.App
	key := func(p portfolio) string { return stamp(p.Created) + string(p.ID) }
	return []graph.Edge[T]{
		{Name: edgeOffer, NotField: true, Post: &graph.Action[T]{Scopes: scopes(post, kindApp, edgeOffer), Answers: kindSolution, Do: s.offerSolution}},
		{
			Name: edgeSolutions, NotField: true, Scopes: scopes(get, kindApp, edgeSolutions),
			List: graph.Collection[T, *business.Solution]{
				Item: graph.Ref[*business.Solution](kindSolution), Key: solutionKey,
				List: func(_ context.Context, c *graph.Call, a T, page graph.Page) (graph.Items[*business.Solution], error) {
					role, err := c.Params.Get("role").EnumOr("", "OWNER", "PARTNER")
					if err != nil {
						return graph.Items[*business.Solution]{}, err
					}
					all := s.o.Business.SolutionsOf(a.ID, role != "PARTNER", role != "OWNER")
					return sliced(all, page, solutionKey, func(a, b string) bool { return a > b }), nil
				},
			},
		},
		{
			Name: edgeConnected, NotField: true, Scopes: scopes(get, kindApp, edgeConnected),
			List: graph.Collection[T, portfolio]{
				Item: graph.Ref[portfolio](kindBusiness), Key: key,
				List: func(_ context.Context, _ *graph.Call, a T, page graph.Page) (graph.Items[portfolio], error) {
					var all []portfolio
					for _, id := range s.o.Access.Clients(a.ID) {
						if p, ok := s.o.Business.Portfolio(id); ok {
							all = append(all, portfolio{p, true})
						}
					}
					return sliced(all, page, key, func(a, b string) bool { return a > b }), nil
				},
			},
		},
	}
}

// assignPartner gives the user of a side its tasks on an account, once for each time that the account is shared with it: what the client
// changes afterwards stays.
func (s *surface) assignPartner(ctx context.Context, u *access.SystemUser, id wa.WABAID, side *business.Party, share *business.Share) error {
	i := slices.IndexFunc(u.Assigned, func(a access.Assignment) bool { return a.WABA == id })
	if i >= 0 && !u.Assigned[i].Since.Before(share.Since) {
		return nil
	}
	if i >= 0 { // of a solution before; what follows begins now
		if err := s.o.Access.Assign(ctx, string(u.ID), id, nil); err != nil {
			return err
		}
	}
	return s.o.Access.Assign(ctx, string(u.ID), id, granted(side, share))
}

// granted are the tasks of a side of a solution, as far as the account is still shared with it for them.
func granted(side *business.Party, share *business.Share) (out []access.Task) {
	all := slices.Contains(share.Tasks, string(access.Manage)) || slices.Contains(share.Tasks, string(access.FullControl))
	for _, t := range side.Grants() {
		if all || slices.Contains(share.Tasks, t) {
			out = append(out, access.Task(t))
		}
	}
	return out
}

// solutionToken is GET /{solution-id}/access_token: a token of the calling app for the accounts that a client brought into the
// solution.
func (s *surface) solutionToken(ctx context.Context, c *graph.Call, x *business.Solution) (any, error) {
	v := c.Params.Get("business_id")
	client, err := v.ID()
	if err != nil {
		return nil, err
	}
	if x.Status != business.SolutionActive {
		return nil, graph.Invalid("The solution is not active.")
	}
	side := x.Party(who(c).App())
	var targets []string
	shares := map[string]*business.Share{}
	for _, w := range s.o.Business.WABAs(wa.BusinessID(client)) {
		i := slices.IndexFunc(w.Shared, func(h business.Share) bool { return h.Business == side.Business })
		if w.Solution == x.ID && i >= 0 {
			targets, shares[string(w.ID)] = append(targets, string(w.ID)), &w.Shared[i]
		}
	}
	if len(targets) == 0 {
		return nil, v.Invalid("must be the id of a client of the solution")
	}
	slices.Reverse(targets) // newest first
	u, err := s.o.Access.ClientUser(ctx, side.App, wa.BusinessID(client), who(c).Me())
	if err != nil {
		return nil, err
	}
	for _, w := range targets {
		if err := s.assignPartner(ctx, u, wa.WABAID(w), side, shares[w]); err != nil {
			return nil, err
		}
	}
	spec := access.TokenSpec{Type: access.SystemUserToken, App: side.App, Actor: string(u.ID), Life: access.LongLife}
	for _, sc := range []access.Scope{access.Management, access.Messaging} {
		if who(c).Can(sc) {
			spec.Scopes = append(spec.Scopes, sc)
			spec.Granular = append(spec.Granular, access.Grant{Scope: sc, Targets: targets})
		}
	}
	secret, t, err := s.o.Access.Issue(ctx, spec)
	if err != nil {
		return nil, err
	}
	return graph.Obj{{K: "access_token", V: secret.Reveal()}, {K: "expires_at", V: t.Expires.Unix()}}, nil
}

// solutionsEdge is /{waba-id}/solutions: the one that the account came by.
func (s *surface) solutionsEdge() graph.Edge[*business.WABA] {
	type T = *business.WABA
	return graph.Edge[T]{
		Name: edgeWABASolutions, NotField: true, Scopes: scopes(get, kindWABA, edgeWABASolutions),
		List: graph.Collection[T, *business.Solution]{
			Item: graph.Ref[*business.Solution](kindSolution), Key: solutionKey,
			List: func(_ context.Context, _ *graph.Call, w T, page graph.Page) (graph.Items[*business.Solution], error) {
				var all []*business.Solution
				if x, ok := s.o.Business.Solution(w.Solution); ok {
					all = append(all, x)
				}
				return sliced(all, page, solutionKey, func(a, b string) bool { return a > b }), nil
			},
		},
	}
}

// intentEdge is POST /{waba-id}/set_solution_migration_intent.
func (s *surface) intentEdge() graph.Edge[*business.WABA] {
	type T = *business.WABA
	return graph.Edge[T]{Name: edgeIntent, NotField: true, Post: &graph.Action[T]{
		Scopes: scopes(post, kindWABA, edgeIntent), Answers: kindIntent,
		Do: func(ctx context.Context, c *graph.Call, w T) (any, error) {
			app, err := c.Params.Get("app_id").IDOr(string(who(c).App()))
			if err != nil {
				return nil, err
			}
			solution, err := c.Params.Get("solution_id").ID()
			if err != nil {
				return nil, err
			}
			i, err := s.o.Business.MoveTo(acting(ctx, c), w.ID, wa.AppID(app), solution)
			if err != nil {
				return nil, known(err)
			}
			return graph.Written{ID: i.ID, Else: graph.ID(i.ID)}, nil
		},
	}}
}

// intent is a wish to move an account, with the account.
type intent struct {
	*business.Intent
	waba *business.WABA
}

// intentNode is /{migration-intent-id}.
func (s *surface) intentNode() graph.Node[intent] {
	return graph.Node[intent]{
		Kind: kindIntent, Name: typeIntent, Scopes: scopes(get, kindIntent, ""),
		Load: func(_ context.Context, c *graph.Call, id string) (intent, error) {
			i, ok := s.o.Business.Intent(id)
			if !ok {
				return intent{}, graph.ErrInvisible
			}
			w, ok := s.o.Business.WABA(i.WABA)
			if !ok || !who(c).SeesWABA(asset(w)) {
				return intent{}, graph.ErrInvisible
			}
			return intent{i, w}, nil
		},
		Fields: []graph.Field[intent]{
			{Name: "id", When: graph.Always, Get: func(i intent) any { return i.ID }},
			{Name: "status", When: graph.ByDefault, Get: func(i intent) any { return string(i.Status) }},
		},
	}
}
