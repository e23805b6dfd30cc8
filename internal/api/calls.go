package api

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges of calls and groups. No number here calls or holds groups, and they say so by the code that the real service has
// for such numbers. Source: spec/phone_numbers.md sections 20 and 21, spec/errors.md sections 13 and 14.
const (
	edgeCalls           = "calls"
	edgeCallPermissions = "call_permissions"
	edgeGroups          = "groups"
)

// maxSubject is the length of a group's name in characters.
const maxSubject = 128

func refusedEdges() []graph.Edge[number] {
	action := func(edge string, do func(context.Context, *graph.Call, number) (any, error)) *graph.Action[number] {
		return &graph.Action[number]{Scopes: scopes(post, kindNumber, edge), Do: do}
	}
	return []graph.Edge[number]{
		{Name: edgeCalls, NotField: true, Post: action(edgeCalls, call)},
		{Name: edgeCallPermissions, NotField: true, Scopes: scopes(get, kindNumber, edgeCallPermissions), Get: callPermission},
		{
			Name: edgeGroups, NotField: true, Scopes: scopes(get, kindNumber, edgeGroups),
			Get: func(_ context.Context, _ *graph.Call, n number) (any, error) { return nil, noGroups(n) },
			Post: action(edgeGroups, func(_ context.Context, c *graph.Call, n number) (any, error) {
				if _, err := c.Params.Get("messaging_product").Enum("whatsapp"); err != nil {
					return nil, err
				}
				if _, err := c.Params.Get("subject").StrMax(maxSubject); err != nil {
					return nil, err
				}
				return nil, noGroups(n)
			}),
		},
	}
}

// call is POST /{phone-number-id}/calls.
func call(_ context.Context, c *graph.Call, n number) (any, error) {
	if _, err := c.Params.Get("messaging_product").Enum("whatsapp"); err != nil {
		return nil, err
	}
	if _, err := c.Params.Get("action").EnumOr("connect", "connect", "pre_accept", "accept", "reject", "terminate"); err != nil {
		return nil, err
	}
	return nil, noCalls(n)
}

// callPermission is GET /{phone-number-id}/call_permissions.
func callPermission(_ context.Context, c *graph.Call, n number) (any, error) {
	if _, err := c.Params.Get("user_wa_id").Phone(); err != nil {
		return nil, err
	}
	return nil, noCalls(n)
}

func noCalls(n number) error {
	if !n.Registered {
		return wa.ErrNotRegistered
	}
	return wa.ErrCallingDisabled.With("Calling is not enabled for this phone number, and this server has no calls.")
}

func noGroups(n number) error {
	switch {
	case !n.Registered:
		return wa.ErrNotRegistered
	case !n.Official:
		return wa.ErrGroupIneligible.With("Only official business accounts have groups, and this server has none.")
	}
	return wa.ErrGroupIneligible.With("This server has no groups.")
}
