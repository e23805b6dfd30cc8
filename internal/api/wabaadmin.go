package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The edges of an account for administrators.
const (
	edgeAssigned   = "assigned_users"
	edgeActivities = "activities"
	edgeAgencies   = "agencies"
)

// updateWABA is POST /{waba-id}. Source: spec/business.md section 4.2.
func (s *surface) updateWABA(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	var ch business.WABAChange
	var err error
	for _, f := range []struct {
		name string
		to   **string
	}{{"name", &ch.Name}, {"currency", &ch.Currency}} {
		if *f.to, err = optionalText(c.Params.Get(f.name)); err != nil {
			return nil, err
		}
	}
	if v := c.Params.Get("timezone_id"); v.Present() {
		id, err := v.ID()
		if err != nil {
			return nil, err
		}
		ch.TimezoneID = &id
	}
	for _, f := range []struct {
		name string
		to   **bool
	}{
		{"is_enabled_for_insights", &ch.Insights},
		{"template_auto_archival_enabled", &ch.AutoArchival},
		{"disable_marketing_messages_on_cloud_api", &ch.MarketingDisabled},
	} {
		if *f.to, err = optionalBool(c.Params.Get(f.name)); err != nil {
			return nil, err
		}
	}
	if ch == (business.WABAChange{}) {
		return nil, graph.Invalid("One of the parameters name, timezone_id, currency, is_enabled_for_insights, template_auto_archival_enabled, disable_marketing_messages_on_cloud_api is required.")
	}
	if _, err := s.o.Business.ChangeWABA(acting(ctx, c), w.ID, ch); err != nil {
		return nil, known(err)
	}
	if ch.Insights != nil {
		return graph.Written{ID: string(w.ID), Else: graph.ID(w.ID)}, nil
	}
	return graph.Written{ID: string(w.ID), Else: graph.Success}, nil
}

// member is a person or system user with tasks on an account.
type member struct {
	id, name, kind string
	business       wa.BusinessID
	tasks          []access.Task
}

// assignedUsersEdge is /{waba-id}/assigned_users. Source: spec/access.md section 8.1.
func (s *surface) assignedUsersEdge() graph.Edge[*business.WABA] {
	type T = *business.WABA
	key := func(m member) string { return m.id }
	item := graph.Object[member]{Name: "AssignedUser", Fields: []graph.Field[member]{
		{Name: "id", When: graph.Always, Get: func(m member) any { return m.id }},
		{Name: "name", When: graph.ByDefault, Get: func(m member) any { return m.name }},
		{Name: "user_type", Get: func(m member) any { return m.kind }},
		{Name: "business", Get: func(m member) any { return s.ownerInfo(m.business) }},
		{Name: "tasks", When: graph.ByDefault, Get: func(m member) any {
			out := make([]string, len(m.tasks))
			for i, t := range m.tasks {
				out[i] = string(t)
			}
			return out
		}},
	}}
	return graph.Edge[T]{
		Name: edgeAssigned, NotField: true, Scopes: scopes(get, kindWABA, edgeAssigned),
		List: graph.Collection[T, member]{Item: item, Key: key, List: func(_ context.Context, c *graph.Call, w T, page graph.Page) (graph.Items[member], error) {
			b, err := c.Params.Get("business").ID()
			if err != nil {
				return graph.Items[member]{}, err
			}
			if !who(c).SeesBusiness(wa.BusinessID(b)) {
				return graph.Items[member]{}, nil
			}
			return sliced(s.members(w, wa.BusinessID(b)), page, key, func(a, b string) bool { return a < b }), nil
		}},
		Post: &graph.Action[T]{Scopes: scopes(post, kindWABA, edgeAssigned), Do: s.assignUser},
		Delete: &graph.Action[T]{Scopes: scopes(remove, kindWABA, edgeAssigned), Do: func(ctx context.Context, c *graph.Call, w T) (any, error) {
			m, err := s.assignee(c, w)
			if err != nil {
				return nil, err
			}
			if err := s.o.Access.Assign(ctx, m.id, w.ID, nil); err != nil {
				return nil, foreign(err)
			}
			return s.noted(ctx, c, w.ID, business.ActUserRemoved, m.id, "User removed"), nil
		}},
	}
}

// members are the people and system users of a portfolio with their tasks on the account.
func (s *surface) members(w *business.WABA, b wa.BusinessID) []member {
	tasks := func(assigned []access.Assignment) []access.Task {
		for _, a := range assigned {
			if a.WABA == w.ID {
				return a.Tasks
			}
		}
		return nil
	}
	var out []member
	add := func(m member, role access.Role, assigned []access.Assignment) {
		m.business, m.tasks = b, tasks(assigned)
		if role == access.Admin && len(m.tasks) == 0 {
			m.tasks = []access.Task{access.Manage}
		}
		if len(m.tasks) > 0 {
			out = append(out, m)
		}
	}
	for _, u := range s.o.Access.SystemUsers(b) {
		add(member{id: string(u.ID), name: u.Name, kind: "SYSTEM_USER"}, u.Role, u.Assigned)
	}
	for _, p := range s.o.Access.People() {
		for _, m := range p.Member {
			if m.Business == b {
				add(member{id: p.ID, name: p.Name, kind: "BUSINESS_USER"}, m.Role, p.Assigned)
			}
		}
	}
	return out
}

// assignee reads user: somebody of the owner or of a partner, as far as the caller belongs to them too.
func (s *surface) assignee(c *graph.Call, w *business.WABA) (member, error) {
	v := c.Params.Get("user")
	id, err := v.ID()
	if err != nil {
		return member{}, err
	}
	reach := []wa.BusinessID{w.Owner}
	for _, h := range w.Shared {
		reach = append(reach, h.Business)
	}
	for _, b := range reach {
		if !who(c).SeesBusiness(b) {
			continue
		}
		if u, ok := s.o.Access.SystemUser(wa.SystemUserID(id)); ok && u.Business == b {
			return member{id: id}, nil
		}
		if p, ok := s.o.Access.Person(id); ok && slices.ContainsFunc(p.Member, func(m access.Membership) bool { return m.Business == b }) {
			return member{id: id}, nil
		}
	}
	return member{}, v.Invalid("must be the id of a user of the business")
}

func (s *surface) assignUser(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	m, err := s.assignee(c, w)
	if err != nil {
		return nil, err
	}
	tasks, err := readTasks(c.Params.Get("tasks"))
	if err != nil {
		return nil, err
	}
	if len(tasks) == 0 {
		return nil, graph.Required("tasks")
	}
	if err := s.o.Access.Assign(ctx, m.id, w.ID, tasks); err != nil {
		return nil, foreign(err)
	}
	return s.noted(ctx, c, w.ID, business.ActUserAdded, m.id, "User assigned"), nil
}

func readTasks(v graph.Value) ([]access.Task, error) {
	allowed := make([]string, len(access.Tasks))
	for i, t := range access.Tasks {
		allowed[i] = string(t)
	}
	names, err := enums(v, allowed...)
	out := make([]access.Task, len(names))
	for i, n := range names {
		out[i] = access.Task(n)
	}
	return out, err
}

// activitiesEdge is /{waba-id}/activities: the history of the account. Source: spec/business.md section 5.1.
func (s *surface) activitiesEdge() graph.Edge[*business.WABA] {
	type T = *business.WABA
	type A = *business.Activity
	return graph.Edge[T]{
		Name: edgeActivities, NotField: true, Scopes: scopes(get, kindWABA, edgeActivities),
		List: graph.Collection[T, A]{Item: activityObject(), Key: func(a A) string { return a.ID }, List: func(ctx context.Context, c *graph.Call, w T, page graph.Page) (graph.Items[A], error) {
			q := business.ActivityQuery{WABA: w.ID, Before: page.After, After: page.Before, Limit: page.Limit + 1}
			var err error
			if q.Since, err = c.Params.Get("since").TimeOr(q.Since); err != nil {
				return graph.Items[A]{}, err
			}
			if q.Until, err = c.Params.Get("until").TimeOr(q.Until); err != nil {
				return graph.Items[A]{}, err
			}
			types, err := c.Params.Get("activity_type").StringsOr()
			if err != nil {
				return graph.Items[A]{}, err
			}
			for _, t := range types {
				q.Types = append(q.Types, business.ActivityType(strings.ToUpper(t)))
			}
			if len(q.Types) > maxTypes {
				return graph.Items[A]{}, graph.Invalid("Param activity_type must have at most %d values.", maxTypes)
			}
			list, err := s.o.Business.Activities(ctx, q)
			if err != nil {
				return graph.Items[A]{}, err
			}
			more := len(list) > page.Limit
			switch {
			case more && q.After != "":
				list = list[1:] // the surplus is the one farthest from the cursor
			case more:
				list = list[:page.Limit]
			}
			return graph.Items[A]{Data: list, More: more}, nil
		}},
	}
}

const maxTypes = 50

func activityObject() graph.Object[*business.Activity] {
	type A = *business.Activity
	kind := func(a A) string {
		switch {
		case a.Actor.ID == "":
			return "SYSTEM"
		case a.Actor.System:
			return "API"
		}
		return "USER"
	}
	return graph.Object[A]{Name: "WhatsAppBusinessActivity", Fields: []graph.Field[A]{
		{Name: "id", When: graph.Always, Get: func(a A) any { return a.ID }},
		{Name: "activity_type", When: graph.ByDefault, Get: func(a A) any { return string(a.Type) }},
		// With a Z, unlike other times here. Source: spec/business.md section 5.1 (unverified).
		{Name: "timestamp", When: graph.ByDefault, Get: func(a A) any { return a.At.UTC().Format(time.RFC3339) }},
		{Name: "actor_type", When: graph.ByDefault, Get: func(a A) any { return kind(a) }},
		{Name: "actor_id", When: graph.ByDefault, Get: func(a A) any { return graph.NonEmpty(a.Actor.ID) }},
		{Name: "actor_name", When: graph.ByDefault, Get: func(a A) any { return graph.NonEmpty(a.Actor.Name) }},
		{Name: "description", When: graph.ByDefault, Get: func(a A) any { return a.Text }},
		{Name: "details", When: graph.ByDefault, Get: func(a A) any {
			if a.Object == "" {
				return nil
			}
			return graph.Obj{{K: "object_id", V: a.Object}}
		}},
	}}
}

// agenciesEdge is /{waba-id}/agencies, an extension: the partners an account is shared with. The real service shares in its
// settings pages only.
func (s *surface) agenciesEdge() graph.Edge[*business.WABA] {
	type T = *business.WABA
	item := graph.Object[business.Share]{Name: "Agency", Fields: []graph.Field[business.Share]{
		{Name: "id", When: graph.Always, Get: func(h business.Share) any { return string(h.Business) }},
		{Name: "name", When: graph.ByDefault, Get: func(h business.Share) any {
			if p, ok := s.o.Business.Portfolio(h.Business); ok {
				return p.Name
			}
			return nil
		}},
		{Name: "tasks", When: graph.ByDefault, Get: func(h business.Share) any { return h.Tasks }},
	}}
	return graph.Edge[T]{
		Name: edgeAgencies, NotField: true, Scopes: scopes(get, kindWABA, edgeAgencies),
		List: graph.Collection[T, business.Share]{Item: item, Unpaged: true, List: func(_ context.Context, _ *graph.Call, w T, _ graph.Page) (graph.Items[business.Share], error) {
			return graph.Items[business.Share]{Data: w.Shared, Total: len(w.Shared)}, nil
		}},
		Post: &graph.Action[T]{Scopes: scopes(post, kindWABA, edgeAgencies), Do: func(ctx context.Context, c *graph.Call, w T) (any, error) {
			if err := ownerOnly(c, w); err != nil {
				return nil, err
			}
			b, err := c.Params.Get("business").ID()
			if err != nil {
				return nil, err
			}
			tasks, err := readTasks(c.Params.Get("tasks"))
			if err != nil {
				return nil, err
			}
			h := business.Share{Business: wa.BusinessID(b)}
			for _, t := range tasks {
				h.Tasks = append(h.Tasks, string(t))
			}
			if len(h.Tasks) == 0 {
				return nil, graph.Required("tasks")
			}
			_, err = s.o.Business.ShareWABA(acting(ctx, c), w.ID, h)
			return done(err)
		}},
		Delete: &graph.Action[T]{Scopes: scopes(remove, kindWABA, edgeAgencies), Do: func(ctx context.Context, c *graph.Call, w T) (any, error) {
			if err := ownerOnly(c, w); err != nil {
				return nil, err
			}
			b, err := c.Params.Get("business").ID()
			if err != nil {
				return nil, err
			}
			return done(s.unshare(acting(ctx, c), w.ID, wa.BusinessID(b)))
		}},
	}
}

// ownerOnly keeps partners from handing an account on.
func ownerOnly(c *graph.Call, w *business.WABA) error {
	if !who(c).SeesBusiness(w.Owner) {
		return wa.ErrNodeModify.Fill(typeWABA)
	}
	return nil
}

// unshare ends a share, the tokens that the partner's apps got for the account by a sign-up, and their subscriptions to it. If
// the process dies in between, the next start ends the tokens; the subscriptions end before the share, and once more after it,
// as one may have been made meanwhile.
func (s *surface) unshare(ctx context.Context, id wa.WABAID, partner wa.BusinessID) error {
	lost := []wa.BusinessID{partner}
	if w, ok := s.o.Business.WABA(id); ok && w.Owner != partner {
		if err := unlink(ctx, s.o.Webhooks, s.o.Access, id, lost); err != nil {
			return err
		}
	}
	if _, err := s.o.Business.UnshareWABA(ctx, id, partner, s.installed(id, partner)...); err != nil {
		return err
	}
	if err := s.o.Access.Settle(ctx, Standing{s.o.Business}); err != nil {
		return err
	}
	return unlink(ctx, s.o.Webhooks, s.o.Access, id, cutOff(s.o.Business, id, lost))
}

// installed are the partner's apps that act for the account's owner since a sign-up.
func (s *surface) installed(id wa.WABAID, partner wa.BusinessID) (apps []wa.AppID) {
	w, ok := s.o.Business.WABA(id)
	if !ok {
		return nil
	}
	for _, u := range s.o.Access.SystemUsers(w.Owner) {
		if u.Client == "" || !slices.ContainsFunc(u.Assigned, func(a access.Assignment) bool { return a.WABA == id }) {
			continue
		}
		for _, app := range u.Installed {
			if a, ok := s.o.Access.App(app); ok && a.Business == partner {
				apps = append(apps, app)
			}
		}
	}
	return apps
}
