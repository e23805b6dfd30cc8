package api

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const edgePartners = "partners"

// preverifiedNode is /{preverified-id}. Source: spec/business.md section 9.
func (s *surface) preverifiedNode() graph.Node[*business.Preverified] {
	type T = *business.Preverified
	return graph.Node[T]{
		Kind: kindPreverified, Name: typePreverified, Scopes: scopes(get, kindPreverified, ""),
		Load: func(_ context.Context, c *graph.Call, id string) (T, error) {
			p, ok := s.o.Business.Preverified(id)
			if !ok || !who(c).SeesBusiness(p.Owner) {
				return nil, graph.ErrInvisible
			}
			return p, nil
		},
		Fields: []graph.Field[T]{
			{Name: "id", When: graph.Always, Get: func(p T) any { return p.ID }},
			{Name: "phone_number", When: graph.ByDefault, Get: func(p T) any { return wa.Display(p.WaID) }},
			{Name: "code_verification_status", When: graph.ByDefault, Ask: func(_ context.Context, c *graph.Call, p T, _ graph.Item) (any, error) {
				return string(p.State(c.Start)), nil
			}},
			{Name: "code_verification_time", Get: func(p T) any { return moment(p.VerifiedAt) }},
			{Name: "verification_expiry_time", Get: func(p T) any {
				if p.VerifiedAt.IsZero() {
					return nil
				}
				return p.Expires()
			}},
			{Name: "owner_business", Get: func(p T) any { return s.ownerInfo(p.Owner) }},
		},
		Delete: &graph.Action[T]{Do: func(ctx context.Context, c *graph.Call, p T) (any, error) {
			return done(s.o.Business.RemovePreverified(acting(ctx, c), p.ID))
		}},
		Edges: []graph.Edge[T]{
			{Name: edgeRequestCode, NotField: true, Post: &graph.Action[T]{Do: func(ctx context.Context, c *graph.Call, p T) (any, error) {
				method, locale, err := codeParams(c.Params)
				if err != nil {
					return nil, err
				}
				return done(s.o.Business.RequestPreverifiedCode(acting(ctx, c), p.ID, method, locale))
			}}},
			{Name: edgeVerifyCode, NotField: true, Post: &graph.Action[T]{Do: func(ctx context.Context, c *graph.Call, p T) (any, error) {
				code, err := c.Params.Get("code").Phone()
				if err != nil {
					return nil, err
				}
				return done(s.o.Business.VerifyPreverifiedCode(acting(ctx, c), p.ID, code))
			}}},
			{Name: edgePartners, NotField: true, Get: func(_ context.Context, _ *graph.Call, p T) (any, error) {
				out := []any{}
				for _, b := range p.Partners {
					out = append(out, s.ownerInfo(b))
				}
				return graph.Obj{{K: "data", V: out}}, nil
			}},
		},
	}
}

// enterPreverified asks for both scopes, which the portfolio that owns the number must have granted.
func enterPreverified(c *graph.Call, owner wa.BusinessID, typeName string) error {
	for _, sc := range []access.Scope{access.Management, access.BusinessManagement} {
		if v := who(c).MayBusiness(owner, false, sc); v != access.Allowed {
			return refusal(c, endpoint{c.Method, c.Kind, c.Edge}, right{scopes: []access.Scope{sc}}, v, typeName)
		}
	}
	return nil
}

func (s *surface) preverifiedEdge() graph.Edge[portfolio] {
	key := func(p *business.Preverified) string { return stamp(p.Created) + p.ID }
	return graph.Edge[portfolio]{
		Name: edgePreverified, NotField: true, Scopes: scopes(get, kindBusiness, edgePreverified),
		List: graph.Collection[portfolio, *business.Preverified]{
			Item: graph.Ref[*business.Preverified](kindPreverified), Key: key,
			List: func(_ context.Context, c *graph.Call, p portfolio, page graph.Page) (graph.Items[*business.Preverified], error) {
				status, err := c.Params.Get("code_verification_status").EnumOr("", string(business.CodeNotVerified), string(business.CodeVerified), string(business.CodeExpired))
				if err != nil {
					return graph.Items[*business.Preverified]{}, err
				}
				digits, err := c.Params.Get("phone_number").Phone()
				if err != nil && c.Params.Has("phone_number") {
					return graph.Items[*business.Preverified]{}, err
				}
				var all []*business.Preverified
				for _, v := range s.o.Business.PreverifiedOf(p.ID) {
					if (status == "" || string(v.State(c.Start)) == status) && (digits == "" || string(v.WaID) == digits) {
						all = append(all, v)
					}
				}
				return sliced(all, page, key, func(a, b string) bool { return a > b }), nil
			},
		},
	}
}

// addPreverified is POST /{business-id}/add_phone_numbers.
func (s *surface) addPreverified(ctx context.Context, c *graph.Call, p portfolio) (any, error) {
	text, err := c.Params.Get("phone_number").Phone()
	if err != nil {
		return nil, err
	}
	id, err := wa.ParsePhone(text)
	if err != nil {
		return nil, graph.Invalid("Param phone_number must be a phone number with its country calling code.")
	}
	v, err := s.o.Business.AddPreverified(acting(ctx, c), p.ID, id)
	if err != nil {
		return nil, known(err)
	}
	return graph.ID(v.ID), nil
}

func (s *surface) sharePreverified(ctx context.Context, c *graph.Call, p portfolio, share bool) (any, error) {
	id, err := c.Params.Get("preverified_id").ID()
	if err != nil {
		return nil, err
	}
	partner, err := c.Params.Get("partner_business_id").ID()
	if err != nil {
		return nil, err
	}
	v, ok := s.o.Business.Preverified(id)
	if !ok || v.Owner != p.ID {
		return nil, c.Params.Get("preverified_id").Invalid("must be the id of a pre-verified number of the business")
	}
	return done(s.o.Business.SharePreverified(acting(ctx, c), id, wa.BusinessID(partner), share))
}
