package api

import (
	"context"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges of a portfolio.
const (
	edgeOwned  = "owned_whatsapp_business_accounts"
	edgeClient = "client_whatsapp_business_accounts"
	edgeWABAs  = "whatsapp_business_accounts"
)

// portfolio is a business portfolio as a caller sees it. A partner who reads the owner of an account gets the brief form:
// id and name, which the account itself shows too.
type portfolio struct {
	*business.Portfolio
	brief bool
}

// portfolioNode is /{business-id}. Source: spec/business.md sections 2 and 3.
func (s *surface) portfolioNode() graph.Node[portfolio] {
	full := func(get func(portfolio) any) func(portfolio) any {
		return func(p portfolio) any {
			if p.brief {
				return nil
			}
			return get(p)
		}
	}
	fields := []graph.Field[portfolio]{
		{Name: "id", When: graph.Always, Get: func(p portfolio) any { return string(p.ID) }},
		{Name: "name", When: graph.ByDefault, Get: func(p portfolio) any { return p.Name }},
		{Name: "verification_status", Get: full(func(p portfolio) any { return graph.NonEmpty(p.Verification) })},
		{Name: "timezone_id", Get: full(func(p portfolio) any { return p.TimezoneID })},
		{Name: "vertical", Get: full(func(p portfolio) any { return graph.NonEmpty(p.Vertical) })},
		{Name: "two_factor_type", Get: full(func(p portfolio) any { return graph.NonEmpty(p.TwoFactor) })},
		{Name: "created_time", Get: full(func(p portfolio) any { return moment(p.Created) })},
		{Name: "updated_time", Get: full(func(p portfolio) any { return moment(p.Updated) })},
		{Name: "extended_updated_time", Get: full(func(p portfolio) any { return moment(p.Updated) })},
		{Name: "created_by", Get: full(func(p portfolio) any { return actor(p.CreatedBy) })},
		{Name: "updated_by", Get: full(func(p portfolio) any { return actor(p.UpdatedBy) })},
		{Name: fieldLimit, Get: full(func(p portfolio) any { return graph.NonEmpty(p.MessagingLimit) })},
	}
	fields = append(fields, absent[portfolio](
		"vertical_id", "primary_page", "profile_picture_uri", "link", "is_hidden",
		"block_offline_analytics", "payment_account_id", "user_access_expire_time", "marketing_messages_onboarding_status",
	)...)
	owned := s.accounts(edgeOwned, true, false)
	owned.Post = &graph.Action[portfolio]{Scopes: scopes(post, kindBusiness, edgeOwned), Answers: kindWABA, Do: s.createWABA}
	return graph.Node[portfolio]{
		Kind: kindBusiness, Name: typeBusiness, Scopes: scopes(get, kindBusiness, ""), Load: s.loadPortfolio, Fields: fields,
		Edges: slices.Concat(s.portfolioEdges(), emptyPortfolioEdges(), []graph.Edge[portfolio]{
			s.creditsEdge(), owned, s.accounts(edgeClient, false, true), s.accounts(edgeWABAs, true, true),
		}),
		Post:   &graph.Action[portfolio]{Scopes: scopes(post, kindBusiness, ""), Answers: kindBusiness, Do: s.updatePortfolio},
		Delete: &graph.Action[portfolio]{Scopes: scopes(remove, kindBusiness, ""), Do: s.deletePortfolio},
	}
}

// actor is {id,name}; nil for the platform itself.
func actor(a business.Actor) any {
	if a.ID == "" {
		return nil
	}
	return graph.Obj{{K: "id", V: a.ID}, {K: "name", V: graph.NonEmpty(a.Name)}}
}

func (s *surface) loadPortfolio(_ context.Context, c *graph.Call, id string) (portfolio, error) {
	p, ok := s.o.Business.Portfolio(wa.BusinessID(id))
	if !ok || !who(c).SeesBusiness(p.ID) {
		return portfolio{}, graph.ErrInvisible
	}
	return portfolio{Portfolio: p}, nil
}

// owner is the portfolio of an account, for fields of the account and below.
func (s *surface) owner(c *graph.Call, id wa.BusinessID) (portfolio, bool) {
	p, ok := s.o.Business.Portfolio(id)
	if !ok {
		return portfolio{}, false
	}
	return portfolio{p, who(c).MayBusiness(id, false, scopeB...) != access.Allowed}, true
}

// fieldLimit is readable on the portfolio, its accounts and their numbers (spec/business.md section 11).
const fieldLimit = "whatsapp_business_manager_messaging_limit"

func (s *surface) tier(id wa.BusinessID) business.Tier {
	p, ok := s.o.Business.Portfolio(id)
	if !ok {
		return ""
	}
	return p.MessagingLimit
}

// accounts is an edge with accounts: those the portfolio owns, those that are shared with it, or both.
func (s *surface) accounts(name string, owned, client bool) graph.Edge[portfolio] {
	return graph.Edge[portfolio]{
		Name: name, Scopes: scopes(get, kindBusiness, name),
		List: graph.Collection[portfolio, *business.WABA]{
			Item:  s.wabaNode(true),
			Key:   wabaKey,
			Spans: true,
			List: func(_ context.Context, c *graph.Call, p portfolio, page graph.Page) (graph.Items[*business.WABA], error) {
				// Read inside another object the edge was not entered on its own.
				if who(c).MayBusiness(p.ID, false, rights[endpoint{get, kindBusiness, name}].scopes...) != access.Allowed {
					return graph.Items[*business.WABA]{}, nil
				}
				var all []*business.WABA
				if owned {
					all = append(all, s.o.Business.WABAs(p.ID)...)
				}
				if client {
					all = append(all, s.o.Business.ClientWABAs(p.ID)...)
				}
				return s.listAccounts(c, all, page)
			},
		},
	}
}

func wabaKey(w *business.WABA) string { return stamp(w.Created) + string(w.ID) }

// listAccounts filters, sorts and pages accounts. Source: spec/business.md section 3.
func (s *surface) listAccounts(c *graph.Call, all []*business.WABA, page graph.Page) (graph.Items[*business.WABA], error) {
	order, err := sortParam(c, "creation_time_descending", "creation_time_ascending")
	if err != nil {
		return graph.Items[*business.WABA]{}, err
	}
	keep, err := s.accountFilter(c)
	if err != nil {
		return graph.Items[*business.WABA]{}, err
	}
	all = slices.DeleteFunc(all, func(w *business.WABA) bool { return !who(c).SeesWABA(asset(w)) || !keep(w) })
	less := func(a, b string) bool { return a > b }
	if order == "creation_time_ascending" {
		less = func(a, b string) bool { return a < b }
	}
	return sliced(all, page, wabaKey, less), nil
}

// businessTypes are what the lists of accounts can be asked for; no account is of the last two.
var businessTypes = []string{"ENTERPRISE", "SMB", "STANDARD", "PREMIUM"}

// businessType is SMB for accounts that share a number with the phone app.
func (s *surface) businessType(w *business.WABA) string {
	if slices.ContainsFunc(s.o.Business.Numbers(w.ID), func(n *business.Number) bool { return n.OnBizApp }) {
		return "SMB"
	}
	return "ENTERPRISE"
}

// accountFilter reads find, business_type and filtering.
func (s *surface) accountFilter(c *graph.Call) (func(*business.WABA) bool, error) {
	find, err := c.Params.Get("find").IDOr("")
	if err != nil {
		return nil, err
	}
	types, err := enums(c.Params.Get("business_type"), businessTypes...)
	if err != nil {
		return nil, err
	}
	conditions, err := conditions(c, "creation_time", "GREATER_THAN", "LESS_THAN")
	if err != nil {
		return nil, err
	}
	for _, f := range conditions {
		if _, err := f.value.Time(); err != nil {
			return nil, err
		}
	}
	return func(w *business.WABA) bool {
		if find != "" && string(w.ID) != find || len(types) > 0 && !slices.Contains(types, s.businessType(w)) {
			return false
		}
		for _, f := range conditions {
			at, err := f.value.Time()
			if err != nil || (f.operator == "GREATER_THAN") != w.Created.After(at) || w.Created.Equal(at) {
				return false
			}
		}
		return true
	}, nil
}

// ownerInfo is {name,id} and what else the field adds; nil when there is no such portfolio.
func (s *surface) ownerInfo(id wa.BusinessID, more ...graph.KV) any {
	p, ok := s.o.Business.Portfolio(id)
	if !ok {
		return nil
	}
	return append(graph.Obj{{K: "name", V: p.Name}, {K: "id", V: string(p.ID)}}, more...)
}

// verification is business_verification_status, lower case.
func (s *surface) verification(id wa.BusinessID) string {
	p, ok := s.o.Business.Portfolio(id)
	if !ok {
		return ""
	}
	return strings.ToLower(string(p.Verification))
}
