package api

import (
	"context"
	"slices"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges of a portfolio that have to do with clients and people who join. Source: spec/business.md sections 2.3 and 3.
const (
	edgeCertify     = "self_certify_whatsapp_business"
	edgeSubmissions = "self_certified_whatsapp_business_submissions"
	edgeMMLite      = "onboard_partners_to_mm_lite"
	edgePending     = "pending_users"

	// edgeMobility moves accounts that somebody owns on behalf of others, of which there are none.
	edgeMobility = "set_obo_mobility_intent"
)

// certify is POST /{partner-business-id}/self_certify_whatsapp_business.
func (s *surface) certify(ctx context.Context, c *graph.Call, p portfolio) (any, error) {
	client, err := c.Params.Get("end_business_id").ID()
	if err != nil {
		return nil, err
	}
	if v := c.Params.Get("partner_business_id"); v.Present() {
		id, err := v.ID()
		if err == nil && id != string(p.ID) {
			err = v.Invalid("must be the id of the business in the path")
		}
		if err != nil {
			return nil, err
		}
	}
	claim, err := readClaim(c.Params)
	if err != nil {
		return nil, err
	}
	x, err := s.o.Business.Certify(acting(ctx, c), p.ID, wa.BusinessID(client), claim)
	if err != nil {
		return nil, known(err)
	}
	return graph.Obj{{K: "id", V: x.ID}, {K: "verification_status", V: string(x.Status)}}, nil
}

func readClaim(p graph.Value) (claim business.Claim, err error) {
	const maxDocuments, maxHandle = 10, 1024
	if claim.Documents, err = p.Get("business_documents").StringsOr(); err != nil {
		return claim, err
	}
	if len(claim.Documents) > maxDocuments {
		return claim, graph.Invalid("Param business_documents must have at most %d values.", maxDocuments)
	}
	for _, h := range claim.Documents {
		if len(h) > maxHandle {
			return claim, graph.Invalid("Param business_documents must have values of at most %d characters.", maxHandle)
		}
	}
	if v := p.Get("business_vertical"); v.Present() {
		if claim.Vertical, err = v.Enum(business.PortfolioVerticals...); err != nil {
			return claim, err
		}
	}
	if v := p.Get("average_monthly_revenue_spend_with_partner"); v.Present() {
		o, err := v.Object()
		if err == nil {
			err = o.Only("amount", "currency")
		}
		if err != nil {
			return claim, err
		}
		amount, err := o.Get("amount").Float()
		if err == nil && amount < 0 {
			err = o.Get("amount").Invalid("must not be negative")
		}
		if err != nil {
			return claim, err
		}
		currency, err := o.Get("currency").Str()
		if err == nil {
			err = business.CheckCurrency(currency)
		}
		if err != nil {
			return claim, err
		}
		claim.Revenue, claim.Currency = amount, currency
	}
	if v := p.Get("num_billing_cycles_with_partner"); v.Present() {
		n, err := v.Int()
		if err == nil && (n < 0 || n > 1000) {
			err = v.Invalid("must be between 0 and 1000")
		}
		if err != nil {
			return claim, err
		}
		claim.BillingCycles = int(n)
	}
	claim.Monthly, err = p.Get("is_monthly_recurring").BoolOr(false)
	return claim, err
}

// submissionsEdge is /{partner-business-id}/self_certified_whatsapp_business_submissions.
func (s *surface) submissionsEdge() graph.Edge[portfolio] {
	type X = *business.Certification
	key := func(x X) string { return stamp(x.Created) + x.ID }
	item := graph.Object[X]{Name: "WhatsAppBusinessSelfCertificationSubmission", Fields: []graph.Field[X]{
		{Name: "id", When: graph.Always, Get: func(x X) any { return x.ID }},
		{Name: "end_business", When: graph.ByDefault, Get: func(x X) any { return s.ownerInfo(x.Client) }},
		{Name: "verification_status", When: graph.ByDefault, Get: func(x X) any { return string(x.Status) }},
		{Name: "rejection_reasons", When: graph.ByDefault, Get: func(x X) any {
			if len(x.Reasons) == 0 {
				return []string{"NONE"}
			}
			return x.Reasons
		}},
		{Name: "creation_time", Get: func(x X) any { return x.Created.Unix() }},
	}}
	return graph.Edge[portfolio]{
		Name: edgeSubmissions, NotField: true, Scopes: scopes(get, kindBusiness, edgeSubmissions),
		List: graph.Collection[portfolio, X]{Item: item, Key: key, List: func(_ context.Context, c *graph.Call, p portfolio, page graph.Page) (graph.Items[X], error) {
			client, err := c.Params.Get("end_business_id").IDOr("")
			if err != nil {
				return graph.Items[X]{}, err
			}
			all := slices.DeleteFunc(s.o.Business.Certifications(p.ID), func(x X) bool { return client != "" && string(x.Client) != client })
			return sliced(all, page, key, func(a, b string) bool { return a > b }), nil
		}},
	}
}

// onboardPartners is POST /{business-id}/onboard_partners_to_mm_lite. Every account can use the marketing messages API here, so
// the request is noted and nothing more comes of it; a second one is refused as documented.
func (s *surface) onboardPartners(ctx context.Context, c *graph.Call, p portfolio) (any, error) {
	solution, err := c.Params.Get("solution_id").IDOr("")
	if err != nil {
		return nil, err
	}
	if solution != "" {
		x, ok := s.o.Business.Solution(solution)
		if !ok || x.Owner.Business != p.ID && x.Partner.Business != p.ID {
			return nil, c.Params.Get("solution_id").Invalid("must be the id of a solution of the business")
		}
	}
	id, err := s.o.Business.OnboardPartners(acting(ctx, c), p.ID, solution)
	if err != nil {
		return nil, known(err)
	}
	return graph.Obj{{K: "request_id", V: id}}, nil
}

// invite is POST /{business-id}/business_users.
func (s *surface) invite(ctx context.Context, c *graph.Call, p portfolio) (any, error) {
	email, err := c.Params.Get("email").Str()
	if err != nil {
		return nil, err
	}
	role, err := c.Params.Get("role").Enum(string(access.Admin), string(access.Employee))
	if err != nil {
		return nil, err
	}
	i, err := s.o.Access.Invite(ctx, p.ID, email, access.Role(role), who(c).Me())
	if err != nil {
		return nil, err
	}
	return graph.ID(i.ID), nil
}

// pendingEdge is /{business-id}/pending_users: people who were invited and have not logged in yet.
func (s *surface) pendingEdge() graph.Edge[portfolio] {
	type I = *access.Invitation
	key := func(i I) string { return stamp(i.Created) + i.ID }
	item := graph.Object[I]{Name: "BusinessRoleRequest", Fields: []graph.Field[I]{
		{Name: "id", When: graph.Always, Get: func(i I) any { return i.ID }},
		{Name: "email", When: graph.ByDefault, Get: func(i I) any { return i.Email }},
		{Name: "role", When: graph.ByDefault, Get: func(i I) any { return string(i.Role) }},
		{Name: "status", When: graph.ByDefault, Get: func(I) any { return "PENDING" }},
		{Name: "created_time", Get: func(i I) any { return moment(i.Created) }},
		{Name: "expiration_time", Get: func(i I) any { return moment(i.Expires()) }},
	}}
	return graph.Edge[portfolio]{
		Name: edgePending, NotField: true, Scopes: scopes(get, kindBusiness, edgePending),
		List: graph.Collection[portfolio, I]{Item: item, Key: key, List: func(_ context.Context, _ *graph.Call, p portfolio, page graph.Page) (graph.Items[I], error) {
			return sliced(s.o.Access.Invitations(p.ID), page, key, func(a, b string) bool { return a > b }), nil
		}},
	}
}

// mobilityEdge is POST /{waba-id}/set_obo_mobility_intent, which has nothing to move: every account belongs to its business.
func mobilityEdge() graph.Edge[*business.WABA] {
	type T = *business.WABA
	return graph.Edge[T]{Name: edgeMobility, NotField: true, Post: &graph.Action[T]{
		Scopes: scopes(post, kindWABA, edgeMobility),
		Do: func(context.Context, *graph.Call, T) (any, error) {
			return nil, wa.ErrManagementParameter.User("Nothing to move", "The WhatsApp Business Account belongs to its own business: nobody owns it on behalf of another.")
		},
	}}
}
