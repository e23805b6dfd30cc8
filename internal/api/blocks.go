package api

import (
	"context"
	"errors"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxBlocks is how many users one call may name; more are answered like too many calls (spec/errors.md section 7). Ours.
const maxBlocks = 100

// blockedUser is one whom a number blocks.
type blockedUser struct {
	user wa.WaID
	id   string // business-scoped
}

// blockEdge is /{phone-number-id}/block_users. Source: spec/messages.md section 17.
func (s *surface) blockEdge() graph.Edge[number] {
	always := func(name string, get func(blockedUser) any) graph.Field[blockedUser] {
		return graph.Field[blockedUser]{Name: name, When: graph.ByDefault, Get: get}
	}
	return graph.Edge[number]{
		Name: edgeBlock, NotField: true,
		List: graph.Collection[number, blockedUser]{
			Item: graph.Object[blockedUser]{Name: "WhatsAppBlockedUser", Fields: []graph.Field[blockedUser]{
				always("messaging_product", func(blockedUser) any { return "whatsapp" }),
				always("wa_id", func(b blockedUser) any { return string(b.user) }),
				always("user_id", func(b blockedUser) any { return graph.NonEmpty(b.id) }),
			}},
			Key:  func(b blockedUser) string { return string(b.user) },
			List: s.listBlocked,
		},
		Post: &graph.Action[number]{Scopes: scopes(post, kindNumber, edgeBlock), Do: func(ctx context.Context, c *graph.Call, n number) (any, error) {
			return s.block(ctx, c, n, true)
		}},
		Delete: &graph.Action[number]{Scopes: scopes(remove, kindNumber, edgeBlock), Do: func(ctx context.Context, c *graph.Call, n number) (any, error) {
			return s.block(ctx, c, n, false)
		}},
		Scopes: scopes(get, kindNumber, edgeBlock),
	}
}

func (s *surface) listBlocked(ctx context.Context, _ *graph.Call, n number, p graph.Page) (out graph.Items[blockedUser], err error) {
	users, err := s.o.Pipeline.Blocked(ctx, n.ID, wa.WaID(p.After), wa.WaID(p.Before), p.Limit+1)
	if err != nil {
		return out, sendError(ctx, err)
	}
	if out.More = len(users) > p.Limit; out.More {
		if p.After == "" && p.Before != "" {
			users = users[1:]
		} else {
			users = users[:p.Limit]
		}
	}
	for _, u := range users {
		out.Data = append(out.Data, blockedUser{u, s.o.Business.UserID(n.waba.ID, u)})
	}
	return out, nil
}

// named is a user as a call to block or unblock names them.
type named struct {
	input string
	user  wa.WaID
	err   error
}

func (s *surface) block(ctx context.Context, c *graph.Call, n number, on bool) (any, error) {
	list, err := s.readBlocks(c, n)
	if err != nil {
		return nil, err
	}
	if err := n.Ready(n.waba, c.Start); err != nil {
		return nil, err
	}
	var users []wa.WaID
	for _, u := range list {
		if u.err == nil {
			users = append(users, u.user)
		}
	}
	each, err := s.o.Pipeline.BlockUsers(ctx, n.ID, users, on)
	if err != nil {
		return nil, sendError(ctx, err)
	}
	failed := false
	for i := range list {
		if list[i].err == nil {
			list[i].err, each = each[0], each[1:]
		}
		failed = failed || list[i].err != nil
	}
	body := s.blocks(n, list, on)
	if failed {
		return nil, &graph.Partial{Row: wa.ErrBlock, Done: body}
	}
	return body, nil
}

// readBlocks reads block_users. What is wrong with one of them is that one's error.
func (s *surface) readBlocks(c *graph.Call, n number) ([]named, error) {
	if _, err := c.Params.Get("messaging_product").Enum("whatsapp"); err != nil {
		return nil, err
	}
	elems, err := c.Params.Get("block_users").List()
	switch {
	case err != nil:
		return nil, err
	case len(elems) == 0:
		return nil, wa.ErrRequired.With("Parameter 'block_users' must name at least one user.")
	case len(elems) > maxBlocks:
		return nil, wa.ErrThroughput.With("Too many users in one call: at most " + strconv.Itoa(maxBlocks) + " are possible.")
	}
	list := make([]named, len(elems))
	for i, e := range elems {
		o, err := e.Object()
		if err == nil {
			err = o.Only("user", "user_id")
		}
		if err != nil {
			return nil, err
		}
		user, err := o.Get("user").IDOr("")
		if err != nil {
			return nil, err
		}
		id, err := o.Get("user_id").StrOr("")
		switch {
		case err != nil:
			return nil, err
		case user == "" && id == "":
			return nil, graph.Required(o.Get("user").Path())
		}
		list[i] = s.nameUser(user, id, n)
	}
	return list, nil
}

func (s *surface) nameUser(user, id string, n number) (u named) {
	if u.input = user; user == "" {
		var ok bool
		u.input = id
		if u.user, ok = s.o.Business.UserOf(n.waba.ID, id); !ok {
			u.err = wa.ErrValue.With("Parameter 'user_id' names nobody whom this business knows.")
		}
		return u
	}
	if s.o.Strict {
		u.user, u.err = wa.ParseRecipientStrict(user, n.CallingCode())
	} else {
		u.user, u.err = wa.ParseRecipientKnown(user, n.CallingCode(), s.o.Known)
	}
	if u.err == nil && u.user == n.WaID {
		u.err = wa.ErrRecipientIsSender
	}
	return u
}

// blocks is the answer: what was done and what was not, without empty lists.
func (s *surface) blocks(n number, list []named, on bool) graph.Obj {
	name := "removed_users"
	if on {
		name = "added_users"
	}
	var done, failed []graph.Obj
	for _, u := range list {
		if o := s.blockObject(n, u); u.err == nil {
			done = append(done, o)
		} else {
			failed = append(failed, o)
		}
	}
	var out graph.Obj
	if done != nil {
		out = append(out, graph.KV{K: name, V: done})
	}
	if failed != nil {
		out = append(out, graph.KV{K: "failed_users", V: failed})
	}
	return graph.Obj{{K: "messaging_product", V: "whatsapp"}, {K: "block_users", V: out}}
}

func (s *surface) blockObject(n number, u named) graph.Obj {
	o := graph.Obj{{K: "input", V: u.input}}
	if u.user != "" {
		o = append(o, graph.KV{K: "wa_id", V: string(u.user)}, graph.KV{K: "user_id", V: graph.NonEmpty(s.o.Business.UserID(n.waba.ID, u.user))})
	}
	if u.err == nil {
		return o
	}
	row, ok := errors.AsType[*wa.Error](u.err)
	if !ok {
		row = wa.ErrBlockInternal
	}
	return append(o, graph.KV{K: "errors", V: []graph.Obj{{
		{K: "code", V: row.Code}, {K: "message", V: row.Title}, {K: "error_data", V: graph.Obj{{K: "details", V: row.Details}}},
	}}})
}
