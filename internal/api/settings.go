package api

import (
	"context"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
)

// settingsEdge is /{phone-number-id}/settings. Source: spec/phone_numbers.md section 9.
func (s *surface) settingsEdge() graph.Edge[number] {
	return graph.Edge[number]{
		Name: edgeSettings, NotField: true, Scopes: scopes(get, kindNumber, edgeSettings),
		Get: func(_ context.Context, c *graph.Call, n number) (any, error) {
			if _, err := c.Params.Get("include_sip_credentials").BoolOr(false); err != nil {
				return nil, err // no number has any
			}
			return settings(n), nil
		},
		Post: &graph.Action[number]{Scopes: scopes(post, kindNumber, edgeSettings), Do: s.updateSettings},
	}
}

// settings is what is switched on, also as a field of the number.
func settings(n number) graph.Obj {
	storage := graph.Obj{{K: "status", V: "DEFAULT"}}
	switch {
	case n.NoStorage():
		storage = graph.Obj{{K: "status", V: noStorage}, {K: paramMinutes, V: briefMinutes}}
	case n.Region != "":
		storage = graph.Obj{{K: "status", V: inCountry}, {K: paramRegion, V: n.Region}}
	}
	return graph.Obj{
		{K: "calling", V: graph.Obj{{K: "status", V: disabled}}},
		{K: "user_identity_change", V: graph.Obj{{K: "enable_identity_key_check", V: n.IdentityCheck}}},
		{K: settingPayload, V: payloadSetting(n.Payload)},
		{K: settingStorage, V: storage},
	}
}

func payloadSetting(k *business.PayloadKeys) graph.Obj {
	if k == nil {
		return graph.Obj{{K: "status", V: disabled}}
	}
	return graph.Obj{
		{K: "status", V: enabled}, {K: "client_encryption_key_fingerprint", V: k.Fingerprint}, {K: "cloud_encryption_key", V: k.Cloud},
	}
}

const (
	enabled  = "ENABLED"
	disabled = "DISABLED"

	settingPayload = "payload_encryption"
	settingStorage = "storage_configuration"
	paramRegion    = "data_localization_region"
	paramMinutes   = "retention_minutes"
	inCountry      = "IN_COUNTRY_STORAGE_ENABLED"
	noStorage      = "NO_STORAGE_ENABLED"
	// briefMinutes is how long content of a number without storage lives: nothing else can be asked for.
	briefMinutes = int(business.BriefLife / time.Minute)
)

func (s *surface) updateSettings(ctx context.Context, c *graph.Call, n number) (any, error) {
	if err := calm(c, n); err != nil {
		return nil, err
	}
	var ch business.SettingsChange
	some := false
	for _, f := range []struct {
		name string
		read func(graph.Value, *business.SettingsChange) error
	}{
		{"calling", readCalling}, {settingPayload, readPayload}, {settingStorage, readStorage}, {"user_identity_change", readIdentity},
	} {
		v := c.Params.Get(f.name)
		if !v.Present() {
			continue
		}
		o, err := v.Object()
		if err == nil {
			some, err = true, f.read(o, &ch)
		}
		if err != nil {
			return nil, err
		}
	}
	if !some {
		return nil, graph.Invalid("One feature setting must be specified")
	}
	changed, err := s.o.Business.ChangeSettings(acting(ctx, c), n.ID, ch)
	if err != nil {
		return nil, known(err)
	}
	if ch.Payload != nil && changed.Payload != nil {
		return append(graph.Obj{{K: "success", V: true}}, graph.KV{K: settingPayload, V: payloadSetting(changed.Payload)}), nil
	}
	return graph.Success, nil
}

// readCalling reads what no number here can switch on.
func readCalling(o graph.Value, _ *business.SettingsChange) error {
	members := []string{
		"status", "call_icon_visibility", "call_icons", "call_hours", "callback_permission_status", "srtp_key_exchange_protocol", "sip", "video",
		"audio", "voicemail",
	}
	if err := o.Only(members...); err != nil {
		return err
	}
	for _, f := range []struct {
		name   string
		values []string
	}{
		{"status", []string{enabled, disabled}},
		{"call_icon_visibility", []string{"DEFAULT", "DISABLE_ALL"}},
		{"callback_permission_status", []string{enabled, disabled}},
		{"srtp_key_exchange_protocol", []string{"DTLS", "SDES"}},
	} {
		if v := o.Get(f.name); v.Present() {
			if _, err := v.Enum(f.values...); err != nil {
				return err
			}
		}
	}
	if status, _ := o.Get("status").StrOr(""); !strings.EqualFold(status, disabled) || o.Len() > 1 {
		return graph.Invalid("The feature calling is not available on this server.")
	}
	return nil
}

func readPayload(o graph.Value, ch *business.SettingsChange) error {
	if err := o.Only("status", "client_encryption_key"); err != nil {
		return err
	}
	status, err := o.Get("status").Enum(enabled, disabled)
	if err != nil {
		return err
	}
	key := ""
	if status == enabled {
		v := o.Get("client_encryption_key")
		if key, err = v.Str(); err == nil && key == "" {
			err = graph.Required(v.Path())
		}
		if err != nil {
			return err
		}
	}
	ch.Payload = &key
	return nil
}

// readStorage reads what is kept, and where.
func readStorage(o graph.Value, ch *business.SettingsChange) error {
	if err := o.Only("status", paramRegion, paramMinutes); err != nil {
		return err
	}
	status, err := o.Get("status").Enum(inCountry, "IN_COUNTRY_STORAGE_DISABLED", noStorage)
	if err != nil {
		return err
	}
	var storage business.Storage
	switch status {
	case inCountry:
		storage.Region, err = o.Get(paramRegion).Enum(business.Regions...)
	case noStorage:
		storage.None, err = true, readMinutes(o.Get(paramMinutes))
	}
	ch.Storage = &storage
	return err
}

func readMinutes(v graph.Value) error {
	if kept, err := v.IntOr(int64(briefMinutes)); err != nil || kept != int64(briefMinutes) {
		return v.Invalid("must be %d", briefMinutes)
	}
	return nil
}

func readIdentity(o graph.Value, ch *business.SettingsChange) error {
	if err := o.Only("enable_identity_key_check"); err != nil {
		return err
	}
	on, err := o.Get("enable_identity_key_check").Bool()
	ch.IdentityCheck = &on
	return err
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
