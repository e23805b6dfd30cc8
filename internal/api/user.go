package api

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// systemUserNode is GET /{system-user-id}, and /me of a system user's token. Source: spec/access.md section 7.1.
func (s *surface) systemUserNode() graph.Node[*access.SystemUser] {
	type T = *access.SystemUser
	fields := []graph.Field[T]{
		{Name: "id", When: graph.Always, Get: func(u T) any { return string(u.ID) }},
		{Name: "name", When: graph.ByDefault, Get: func(u T) any { return u.Name }},
		{Name: "role", Get: func(u T) any { return graph.NonEmpty(u.Role) }},
		{Name: "created_by", Get: func(u T) any { return s.creator(u) }},
		{Name: "created_time", Get: func(u T) any { return moment(u.Created) }},
	}
	return graph.Node[T]{
		Kind: kindSystemUser, Name: typeSystemUser, Load: s.loadSystemUser,
		Fields: append(fields, absent[T]("finance_permission", "ip_permission")...), Edges: s.systemUserEdges(),
	}
}

// creator is {id,name} of who made a system user. People of other portfolios are nobody here: only a system user of the
// same one is named.
func (s *surface) creator(u *access.SystemUser) any {
	by, ok := s.o.Access.SystemUser(wa.SystemUserID(u.CreatedBy))
	if !ok || by.Business != u.Business {
		return nil
	}
	return graph.Obj{{K: "id", V: string(by.ID)}, {K: "name", V: by.Name}}
}

func (s *surface) loadSystemUser(_ context.Context, c *graph.Call, id string) (*access.SystemUser, error) {
	u, ok := s.o.Access.SystemUser(wa.SystemUserID(id))
	if !ok || (id != who(c).Me() && !who(c).SeesBusiness(u.Business)) {
		return nil, graph.ErrInvisible
	}
	return u, nil
}

// personNode is /me of a person's token. Nobody sees other people.
func (s *surface) personNode() graph.Node[*access.Person] {
	type T = *access.Person
	return graph.Node[T]{
		Kind: kindPerson, Name: typePerson,
		Load: func(_ context.Context, c *graph.Call, id string) (T, error) {
			p, ok := s.o.Access.Person(id)
			if !ok || id != who(c).Me() {
				return nil, graph.ErrInvisible
			}
			return p, nil
		},
		Fields: []graph.Field[T]{
			{Name: "name", When: graph.ByDefault, Get: func(p T) any { return p.Name }},
			{Name: "id", When: graph.Always, Get: func(p T) any { return p.ID }},
			{Name: "email", Get: func(p T) any { return graph.NonEmpty(p.Email) }},
		},
		Edges: s.personEdges(),
	}
}
