package api

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges of credit lines. Source: spec/business.md section 7.
const (
	edgeCredits      = "extendedcredits"
	edgeShareAttach  = "whatsapp_credit_sharing_and_attach"
	edgeShareCredit  = "whatsapp_credit_sharing"
	edgeAttachCredit = "whatsapp_credit_attach"
	edgeAllocations  = "owning_credit_allocation_configs"

	typeCredit     = "ExtendedCredit"
	typeAllocation = "ExtendedCreditAllocationConfig"
)

// creditLine is the credit line of a portfolio.
type creditLine struct{ owner *business.Portfolio }

// allocation is a share of a credit line.
type allocation struct {
	*business.Allocation
	owner *business.Portfolio
}

// creditNode is /{credit-id}.
func (s *surface) creditNode() graph.Node[creditLine] {
	type T = creditLine
	action := func(edge string, do func(context.Context, *graph.Call, T) (any, error)) graph.Edge[T] {
		return graph.Edge[T]{Name: edge, NotField: true, Post: &graph.Action[T]{Scopes: scopes(post, kindCredit, edge), Do: do}}
	}
	key := func(a allocation) string { return stamp(a.Created) + a.ID }
	return graph.Node[T]{
		Kind: kindCredit, Name: typeCredit, Scopes: scopes(get, kindCredit, ""),
		Load: func(_ context.Context, c *graph.Call, id string) (T, error) {
			p, ok := s.o.Business.Creditor(id)
			if !ok || !who(c).SeesBusiness(p.ID) {
				return T{}, graph.ErrInvisible
			}
			return T{p}, nil
		},
		Fields: []graph.Field[T]{
			{Name: "id", When: graph.Always, Get: func(l T) any { return l.owner.Credit.ID }},
			{Name: "legal_entity_name", When: graph.ByDefault, Get: func(l T) any { return l.owner.Credit.LegalName }},
		},
		Edges: []graph.Edge[T]{
			action(edgeShareAttach, func(ctx context.Context, c *graph.Call, l T) (any, error) { return s.attachCredit(ctx, c, l, true) }),
			action(edgeAttachCredit, func(ctx context.Context, c *graph.Call, l T) (any, error) { return s.attachCredit(ctx, c, l, false) }),
			action(edgeShareCredit, func(ctx context.Context, c *graph.Call, l T) (any, error) {
				id, err := c.Params.Get("receiving_business_id").ID()
				if err != nil {
					return nil, err
				}
				a, err := s.o.Business.ShareCredit(acting(ctx, c), l.owner.Credit.ID, wa.BusinessID(id))
				if err != nil {
					return nil, known(err)
				}
				return graph.Obj{{K: "allocation_config_id", V: a.ID}}, nil
			}),
			{Name: edgeAllocations, NotField: true, Scopes: scopes(get, kindCredit, edgeAllocations), List: graph.Collection[T, allocation]{
				Item: graph.Ref[allocation](kindAllocation), Key: key,
				List: func(_ context.Context, c *graph.Call, l T, page graph.Page) (graph.Items[allocation], error) {
					receiver, err := c.Params.Get("receiving_business_id").IDOr("")
					if err != nil {
						return graph.Items[allocation]{}, err
					}
					var all []allocation
					for i := range l.owner.Allocations {
						if a := &l.owner.Allocations[i]; a.Ended.IsZero() && (receiver == "" || string(a.Receiver) == receiver) {
							all = append(all, allocation{a, l.owner})
						}
					}
					return sliced(all, page, key, func(a, b string) bool { return a > b }), nil
				},
			}},
		},
	}
}

// attachCredit pays for an account whose billing the caller may manage. Source: spec/access.md section 9.2.
func (s *surface) attachCredit(ctx context.Context, c *graph.Call, l creditLine, share bool) (any, error) {
	id, err := c.Params.Get("waba_id").ID()
	if err != nil {
		return nil, err
	}
	currency, err := c.Params.Get("waba_currency").Str()
	if err != nil {
		return nil, err
	}
	w, ok := s.o.Business.WABA(wa.WABAID(id))
	if !ok || !who(c).SeesWABA(asset(w)) {
		return nil, c.Params.Get("waba_id").Invalid("must be the id of a WhatsApp Business Account")
	}
	if who(c).May(asset(w), access.ManageBilling, scopeB...) != access.Allowed {
		return nil, wa.ErrNodeModify.Fill(typeWABA)
	}
	a, err := s.o.Business.AttachCredit(acting(ctx, c), l.owner.Credit.ID, w.ID, currency, share)
	if err != nil {
		return nil, known(err)
	}
	return graph.Obj{{K: "allocation_config_id", V: a.ID}, {K: "waba_id", V: string(w.ID)}}, nil
}

// allocationNode is /{allocation-config-id}.
func (s *surface) allocationNode() graph.Node[allocation] {
	type T = allocation
	return graph.Node[T]{
		Kind: kindAllocation, Name: typeAllocation, Scopes: scopes(get, kindAllocation, ""),
		Load: func(_ context.Context, c *graph.Call, id string) (T, error) {
			p, a, ok := s.o.Business.Allocation(id)
			if !ok || !who(c).SeesBusiness(p.ID) {
				return T{}, graph.ErrInvisible
			}
			return T{a, p}, nil
		},
		Fields: []graph.Field[T]{
			{Name: "id", When: graph.Always, Get: func(a T) any { return a.ID }},
			{Name: "receiving_business", When: graph.ByDefault, Get: func(a T) any { return s.ownerInfo(a.Receiver) }},
			{Name: "receiving_credential", Get: func(a T) any { return graph.Obj{{K: "id", V: a.Credential}} }},
			{Name: "owning_business", Get: func(a T) any { return s.ownerInfo(a.owner.ID) }},
			{Name: "owning_credential", Get: func(a T) any { return graph.Obj{{K: "id", V: a.owner.Credit.ID}} }},
			{Name: "request_status", Get: func(a T) any {
				if a.Ended.IsZero() {
					return "APPROVED"
				}
				return "DELETED"
			}},
		},
		Delete: &graph.Action[T]{Scopes: scopes(remove, kindAllocation, ""), Do: func(ctx context.Context, c *graph.Call, a T) (any, error) {
			return done(s.o.Business.EndAllocation(acting(ctx, c), a.ID))
		}},
	}
}

// creditsEdge is /{business-id}/extendedcredits.
func (s *surface) creditsEdge() graph.Edge[portfolio] {
	return graph.Edge[portfolio]{
		Name: edgeCredits, NotField: true, Scopes: scopes(get, kindBusiness, edgeCredits),
		List: graph.Collection[portfolio, creditLine]{
			Item: graph.Ref[creditLine](kindCredit), Unpaged: true,
			List: func(_ context.Context, _ *graph.Call, p portfolio, _ graph.Page) (graph.Items[creditLine], error) {
				if p.Credit == nil {
					return graph.Items[creditLine]{}, nil
				}
				return graph.Items[creditLine]{Data: []creditLine{{p.Portfolio}}, Total: 1}, nil
			},
		},
	}
}
