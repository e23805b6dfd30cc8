package api

import (
	"context"
	"strings"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
)

// settingsEdge is /{phone-number-id}/settings. Of its features only the identity check can be switched on here; what stays
// off says so. Source: spec/phone_numbers.md section 9.
func (s *surface) settingsEdge() graph.Edge[number] {
	return graph.Edge[number]{
		Name: edgeSettings, NotField: true, Scopes: scopes(get, kindNumber, edgeSettings),
		Get: func(_ context.Context, _ *graph.Call, n number) (any, error) {
			return settings(n), nil
		},
		Post: &graph.Action[number]{Scopes: scopes(post, kindNumber, edgeSettings), Do: s.updateSettings},
	}
}

// settings is what is switched on, also as a field of the number.
func settings(n number) graph.Obj {
	return graph.Obj{
		{K: "calling", V: graph.Obj{{K: "status", V: disabled}}},
		{K: "user_identity_change", V: graph.Obj{{K: "enable_identity_key_check", V: n.IdentityCheck}}},
		{K: "payload_encryption", V: graph.Obj{{K: "status", V: disabled}}},
		{K: "storage_configuration", V: graph.Obj{{K: "status", V: "DEFAULT"}}},
	}
}

const (
	enabled  = "ENABLED"
	disabled = "DISABLED"
)

// offFeatures can be named, and be set to what they are.
var offFeatures = []struct{ name, status, off string }{
	{"calling", "status", disabled},
	{"payload_encryption", "status", disabled},
	{"storage_configuration", "status", "IN_COUNTRY_STORAGE_DISABLED"},
}

func (s *surface) updateSettings(ctx context.Context, c *graph.Call, n number) (any, error) {
	if err := calm(c, n); err != nil {
		return nil, err
	}
	some := false
	for _, f := range offFeatures {
		v := c.Params.Get(f.name)
		if !v.Present() {
			continue
		}
		some = true
		o, err := v.Object()
		if err != nil {
			return nil, err
		}
		status, err := o.Get(f.status).Str()
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(status, f.off) || o.Len() > 1 {
			return nil, graph.Invalid("The feature %s is not available on this server.", f.name)
		}
	}
	v := c.Params.Get("user_identity_change")
	switch {
	case !v.Present() && !some:
		return nil, graph.Invalid("One feature setting must be specified")
	case !v.Present():
		return graph.Success, nil
	}
	o, err := v.Object()
	if err != nil {
		return nil, err
	}
	if err := o.Only("enable_identity_key_check"); err != nil {
		return nil, err
	}
	on, err := o.Get("enable_identity_key_check").Bool()
	if err != nil {
		return nil, err
	}
	return done(s.o.Business.SetIdentityCheck(acting(ctx, c), n.ID, on))
}

// automationEdge is /{phone-number-id}/conversational_automation, and the field of that name. Source: spec/phone_numbers.md
// section 11.
func (s *surface) automationEdge() graph.Edge[number] {
	e := s.single(edgeAutomation, automationObject(), func(n number) bool { return n.Automation != nil }, s.updateAutomation)
	e.NotField = true // as a field it has a form of its own
	return e
}

func automationObject() graph.Object[number] {
	return graph.Object[number]{Name: "ConversationalAutomation", Fields: []graph.Field[number]{
		{Name: "enable_welcome_message", When: graph.ByDefault, Get: func(n number) any { return n.Automation.Welcome }},
		{Name: "prompts", When: graph.ByDefault, Get: func(n number) any {
			if len(n.Automation.Prompts) == 0 {
				return nil
			}
			return n.Automation.Prompts
		}},
		{Name: "commands", When: graph.ByDefault, Get: func(n number) any {
			var out []graph.Obj
			for _, x := range n.Automation.Commands {
				out = append(out, graph.Obj{{K: "command_name", V: x.Name}, {K: "command_description", V: x.Description}})
			}
			return out
		}},
		{Name: "id", When: graph.ByDefault, Get: func(n number) any { return string(n.ID) }},
	}}
}

func (s *surface) updateAutomation(ctx context.Context, c *graph.Call, n number) (any, error) {
	welcome, prompts, commands := c.Params.Get("enable_welcome_message"), c.Params.Get("prompts"), c.Params.Get("commands")
	if !welcome.Present() && !prompts.Present() && !commands.Present() {
		return nil, graph.Invalid("One of the parameters enable_welcome_message, prompts, commands is required.")
	}
	on, err := welcome.BoolOr(false)
	if err != nil {
		return nil, err
	}
	texts, err := prompts.StringsOr()
	if err != nil {
		return nil, err
	}
	list, err := readCommands(commands)
	if err != nil {
		return nil, err
	}
	return done(s.o.Business.SetAutomation(acting(ctx, c), n.ID, func(a *business.Automation) {
		if welcome.Present() {
			a.Welcome = on
		}
		if prompts.Present() {
			a.Prompts = texts
		}
		if commands.Present() {
			a.Commands = list
		}
	}))
}

func readCommands(v graph.Value) ([]business.Command, error) {
	elems, err := v.ListOr()
	if err != nil {
		return nil, err
	}
	var out []business.Command
	for _, e := range elems {
		o, err := e.Object()
		if err != nil {
			return nil, err
		}
		if err := o.Only("command_name", "command_description"); err != nil {
			return nil, err
		}
		var x business.Command
		if x.Name, err = o.Get("command_name").Str(); err != nil {
			return nil, err
		}
		if x.Description, err = o.Get("command_description").Str(); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}
