package access

import (
	"log/slog"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Actor is a person or a system user, seen as someone who acts. The zero Actor belongs to app tokens.
type Actor struct {
	ID       string
	Name     string
	System   bool
	Client   wa.BusinessID // business integration system user: the client it was made for
	Member   []Membership
	Assigned []Assignment
}

// Caller is who presents a token, and with what.
type Caller struct {
	App    *App
	Actor  Actor
	Type   TokenType
	Scopes []Scope
	Token  *Token // nil for app tokens
}

// LogValue names app and actor.
func (c *Caller) LogValue() slog.Value {
	return slog.GroupValue(slog.String("app_id", string(c.App.ID)), slog.String("actor_id", c.Actor.ID))
}

// actor finds who a token acts as.
func (s *snapshot) actor(t TokenType, id string) (Actor, bool) {
	switch t {
	case SystemUserToken:
		if u, ok := s.system[wa.SystemUserID(id)]; ok {
			return Actor{
				ID: id, Name: u.Name, System: true, Client: u.Client,
				Member: []Membership{{Business: u.Business, Role: u.Role}}, Assigned: u.Assigned,
			}, true
		}
	case UserToken:
		if p, ok := s.people[id]; ok {
			return Actor{ID: id, Name: p.Name, Member: p.Member, Assigned: p.Assigned}, true
		}
	case AppToken:
	}
	return Actor{}, false
}

// Asset is a WABA as this package needs to see it; numbers, templates and flows inherit its reach.
type Asset struct {
	WABA   wa.WABAID
	Owner  wa.BusinessID
	Shared []Share
}

// Share gives a partner portfolio tasks on a WABA.
type Share struct {
	Business wa.BusinessID
	Tasks    []Task
	Since    time.Time // zero: not known
}

// Verdict is the answer to "may the caller do this".
type Verdict uint8

// The verdicts. Invisible objects must be answered exactly like absent ones (spec/errors.md section 5.3); the other two
// are code 200.
const (
	Allowed   Verdict = iota
	Invisible         // 100/33
	NoScope           // the object is visible, but no scope reaches it
	NoTask            // the object is visible, but the actor lacks the task on it
)

// Can reports whether the token has the scope at all.
func (c *Caller) Can(s Scope) bool { return slices.Contains(c.Scopes, s) }

// SeesWABA reports whether the caller may know that the account exists: the actor belongs to its owner or to a portfolio
// it is shared with (employees: is assigned to it), and at least one scope of the token reaches it. Source:
// spec/access.md section 10.
func (c *Caller) SeesWABA(a Asset) bool {
	if len(c.tasks(a)) == 0 {
		return false
	}
	for _, s := range c.Scopes {
		if s != PublicProfile && c.reaches(s, a) {
			return true
		}
	}
	return false
}

// May decides over a call on an account: any one of scopes is enough, together with the task.
func (c *Caller) May(a Asset, task Task, scopes ...Scope) Verdict {
	if !c.SeesWABA(a) {
		return Invisible
	}
	if !slices.ContainsFunc(scopes, func(s Scope) bool { return c.reaches(s, a) }) {
		return NoScope
	}
	if !implies(c.tasks(a), task) {
		return NoTask
	}
	return Allowed
}

// SeesBusiness reports whether the caller may know that the portfolio exists.
func (c *Caller) SeesBusiness(id wa.BusinessID) bool {
	if _, ok := c.role(id); !ok {
		return false
	}
	for _, s := range c.Scopes {
		if s != PublicProfile && c.reachesBusiness(s, id) {
			return true
		}
	}
	return false
}

// MayBusiness decides over a call on a portfolio; admin asks for the role ADMIN in it.
func (c *Caller) MayBusiness(id wa.BusinessID, admin bool, scopes ...Scope) Verdict {
	if !c.SeesBusiness(id) {
		return Invisible
	}
	if !slices.ContainsFunc(scopes, func(s Scope) bool { return c.reachesBusiness(s, id) }) {
		return NoScope
	}
	if role, _ := c.role(id); admin && role != Admin {
		return NoTask
	}
	return Allowed
}

func (c *Caller) role(id wa.BusinessID) (Role, bool) {
	for _, m := range c.Actor.Member {
		if m.Business == id {
			return m.Role, true
		}
	}
	return "", false
}

var everything = []Task{Manage}

// tasks are what the actor may do with the account, through any of its portfolios; nil when it has no part in it.
func (c *Caller) tasks(a Asset) []Task {
	var assigned []Task
	for i := range c.Actor.Assigned {
		if c.Actor.Assigned[i].WABA == a.WABA {
			assigned = c.Actor.Assigned[i].Tasks
		}
	}
	var out []Task
	for _, m := range c.Actor.Member {
		own := assigned
		if m.Role == Admin {
			own = everything
		}
		if m.Business == a.Owner {
			out = append(out, own...)
			continue
		}
		for i := range a.Shared {
			if a.Shared[i].Business == m.Business {
				out = append(out, limited(own, a.Shared[i].Tasks)...)
			}
		}
	}
	return out
}

// Granted is when the actor got access to the account at last, through any of their portfolios; zero when it was so from the start.
func (c *Caller) Granted(a Asset) (at time.Time) {
	latest := func(t time.Time) {
		if t.After(at) {
			at = t
		}
	}
	for _, m := range c.Actor.Member {
		shared := slices.IndexFunc(a.Shared, func(h Share) bool { return h.Business == m.Business })
		switch {
		case m.Business == a.Owner:
			latest(m.Since)
		case shared >= 0:
			latest(m.Since)
			latest(a.Shared[shared].Since)
		}
	}
	for i := range c.Actor.Assigned {
		if c.Actor.Assigned[i].WABA == a.WABA {
			latest(c.Actor.Assigned[i].Since)
		}
	}
	return at
}

// Tasks are what the actor may do with the account; nil when they have no part in it.
func (c *Caller) Tasks(a Asset) []Task { return c.tasks(a) }

// Role is what the actor is in a portfolio.
func (c *Caller) Role(id wa.BusinessID) (Role, bool) { return c.role(id) }

// limited keeps of the actor's own tasks what the share allows.
func limited(own, share []Task) []Task {
	if implies(share, Manage) {
		return own
	}
	if implies(own, Manage) {
		return share
	}
	var out []Task
	for _, t := range own {
		if slices.Contains(share, t) {
			out = append(out, t)
		}
	}
	return out
}

// implies reports whether the tasks contain task. MANAGE and FULL_CONTROL imply all, managing implies viewing.
func implies(tasks []Task, task Task) bool {
	for _, t := range tasks {
		switch {
		case t == task, t == Manage, t == FullControl,
			t == ManageTemplates && task == ViewTemplates,
			t == ManagePhoneAssets && task == ViewPhoneAssets,
			t == ManagePhone && task == ViewPhoneAssets:
			return true
		}
	}
	return false
}

// reaches reports whether the token's scope s covers the account: granted, not restricted to others, and within the
// app's access level. A target may be the account itself or the portfolio that owns it.
func (c *Caller) reaches(s Scope, a Asset) bool {
	return c.Can(s) && c.targeted(s, string(a.WABA), string(a.Owner)) && c.level(s, a.Owner)
}

func (c *Caller) reachesBusiness(s Scope, id wa.BusinessID) bool {
	return c.Can(s) && c.targeted(s, string(id), "") && c.level(s, id)
}

func (c *Caller) targeted(s Scope, id, owner string) bool {
	if c.Token == nil {
		return true
	}
	for i := range c.Token.Granular {
		if g := &c.Token.Granular[i]; g.Scope == s {
			return slices.Contains(g.Targets, id) || owner != "" && slices.Contains(g.Targets, owner)
		}
	}
	return true
}

// level applies standard access: only what the app's own portfolio owns.
func (c *Caller) level(s Scope, owner wa.BusinessID) bool {
	return c.App.Business == owner || slices.Contains(c.App.Advanced, s)
}
