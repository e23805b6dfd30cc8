package api

import (
	"context"
	"strings"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// register is POST /{phone-number-id}/register. Source: spec/phone_numbers.md section 4.4.
func (s *surface) register(ctx context.Context, c *graph.Call, n number) (any, error) {
	if _, err := c.Params.Get("messaging_product").Enum("whatsapp"); err != nil {
		return nil, err
	}
	pin, err := c.Params.Get("pin").ID()
	if err != nil {
		return nil, err
	}
	storage, err := s.oldStorage(c)
	if err != nil {
		return nil, err
	}
	moved := c.Params.Has("backup")
	if err := backup(c.Params.Get("backup")); err != nil {
		return nil, err
	}
	if err := calm(c, n); err != nil {
		return nil, err
	}
	if _, err := s.o.Business.Register(acting(ctx, c), n.ID, business.Registration{PIN: pin, Moved: moved, Storage: storage}); err != nil {
		return nil, err
	}
	return graph.Success, nil
}

// oldStorage reads where versions before v21.0 ask for storage; later ones do it by the settings. Source: spec/phone_numbers.md
// section 4.4.
func (s *surface) oldStorage(c *graph.Call) (*business.Storage, error) {
	region, minutes := c.Params.Get(paramRegion), c.Params.Get("meta_store_retention_minutes")
	for _, v := range []graph.Value{region, minutes} {
		if v.Present() && c.Version.AtLeast(graph.Version{Major: 21}) {
			return nil, graph.Invalid("Param %s is not supported since v21.0: set storage_configuration by the settings before you register the phone number.", v.Path())
		}
	}
	switch {
	case region.Present() && minutes.Present():
		return nil, graph.Invalid("Only one of the parameters data_localization_region, meta_store_retention_minutes can be given.")
	case region.Present():
		in, err := region.Enum(business.Regions...)
		return &business.Storage{Region: in}, err
	case minutes.Present():
		return &business.Storage{None: true}, readMinutes(minutes)
	}
	return nil, nil //nolint:nilnil // nothing was asked for
}

// backup is the export of a self-hosted client: both strings are asked for, the content is not looked at (spec/
// phone_numbers.md section 4.7, choice).
func backup(v graph.Value) error {
	if !v.Present() {
		return nil
	}
	o, err := v.Object()
	if err != nil {
		return err
	}
	if _, err := o.Get("data").Str(); err != nil {
		return err
	}
	_, err = o.Get("password").Str()
	return err
}

// deregister is POST /{phone-number-id}/deregister. Source: spec/phone_numbers.md section 4.5.
func (s *surface) deregister(ctx context.Context, c *graph.Call, n number) (any, error) {
	if err := calm(c, n); err != nil {
		return nil, err
	}
	if _, err := s.o.Business.Deregister(acting(ctx, c), n.ID); err != nil {
		return nil, err
	}
	return graph.Success, nil
}

// ownCalm are the calls on a number that go on while it is upgraded: the number itself can be read, its level with it. Those that
// change something ask for calm at their own place in the order of checks.
var ownCalm = map[endpoint]bool{
	{get, kindNumber, ""}: true, {post, kindNumber, ""}: true,
	{post, kindNumber, edgeMessages}: true, {post, kindNumber, edgeMarketing}: true, {post, kindNumber, edgeEncrypted}: true,
	{post, kindNumber, edgeMedia}: true, {post, kindNumber, edgeRegister}: true, {post, kindNumber, edgeDeregister}: true,
	{post, kindNumber, edgeSettings}: true,
}

// calm refuses calls with a number that is being upgraded (spec/limits.md section 1.4, spec/phone_numbers.md section 7).
func calm(c *graph.Call, n number) error {
	if left := n.MaintenanceUntil.Sub(c.Start); left > 0 {
		return wa.ErrMaintenance.Retry(left.Seconds())
	}
	return nil
}

// update is what POST /{phone-number-id} asks for; nil parts stay as they are.
type update struct {
	business.NumberChange
	callback *callback
}

type callback struct{ url, token string }

// updateNumber is POST /{phone-number-id}: all of it or nothing. The callback, which others can refuse, is asked when
// everything else is known to be allowed. Source: spec/phone_numbers.md section 5.
func (s *surface) updateNumber(ctx context.Context, c *graph.Call, n number) (any, error) {
	u, err := readUpdate(c.Params)
	if err != nil {
		return nil, err
	}
	switch {
	case !n.Live():
		return nil, wa.ErrNumberDeleted
	case u == update{}:
		return nil, graph.Invalid("One of the parameters pin, new_display_name, username, webhook_configuration, search_visibility is required.")
	}
	if err := calm(c, n); err != nil {
		return nil, err
	}
	ctx = acting(ctx, c)
	if cb := u.callback; cb != nil {
		if err := s.o.Business.CheckChange(ctx, n.ID, u.NumberChange); err != nil {
			return nil, err
		}
		if err := s.o.Webhooks.OverrideNumber(ctx, who(c).App(), n.waba.ID, n.ID, cb.url, cb.token); err != nil {
			return nil, err
		}
	}
	if u.NumberChange != (business.NumberChange{}) {
		if _, err := s.o.Business.ChangeNumber(ctx, n.ID, u.NumberChange); err != nil {
			return nil, err
		}
	}
	return graph.Success, nil
}

func readUpdate(p graph.Value) (u update, err error) {
	if v := p.Get("new_display_name"); v.Present() {
		name, err := v.Str()
		if err == nil {
			err = business.CheckName("new_display_name", strings.TrimSpace(name))
		}
		if err != nil {
			return u, err
		}
		u.Name = &name
	}
	if v := p.Get("username"); v.Present() {
		name, err := v.Str()
		if err != nil {
			return u, err
		}
		u.Username = &name
	}
	pin := p.Get("pin")
	if legacy := p.Get("whatsapp_business_api_data"); legacy.Present() && !pin.Present() {
		o, err := legacy.Object()
		if err != nil {
			return u, err
		}
		pin = o.Get("pin")
	}
	if pin.Present() {
		text, err := pin.ID()
		if err != nil {
			return u, err
		}
		if !business.ValidPIN(text) {
			return u, wa.ErrPINFormat
		}
		u.PIN = &text
	}
	if u.callback, err = readCallback(p.Get("webhook_configuration")); err != nil {
		return u, err
	}
	if v := p.Get("search_visibility"); v.Present() {
		text, err := v.Enum(visible, invisible)
		if err != nil {
			return u, err
		}
		hidden := text == invisible
		u.Hidden = &hidden
	}
	return u, nil
}

// readCallback reads {"override_callback_uri","verify_token"}; an empty URI removes the override.
func readCallback(v graph.Value) (*callback, error) {
	if !v.Present() {
		return nil, nil
	}
	o, err := v.Object()
	if err != nil {
		return nil, err
	}
	if err := o.Only("override_callback_uri", "verify_token"); err != nil {
		return nil, err
	}
	cb := &callback{}
	if cb.url, err = o.Get("override_callback_uri").Str(); err != nil {
		return nil, err
	}
	if strings.TrimSpace(cb.url) == "" {
		return &callback{}, nil
	}
	cb.token, err = o.Get("verify_token").Str()
	return cb, err
}
