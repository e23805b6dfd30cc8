package api

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// acting names the caller in the history of what it changes.
func acting(ctx context.Context, c *graph.Call) context.Context {
	a := who(c).Actor
	return business.WithActor(ctx, business.Actor{ID: a.ID, Name: a.Name, System: a.System})
}

// known turns the room's "no such object" into the answer for what is not there.
func known(err error) error {
	switch {
	case errors.Is(err, business.ErrUnknown):
		return graph.ErrInvisible
	case errors.Is(err, business.ErrNoCourier):
		return wa.ErrRequestCode.User("Cannot send code", "This server has no way to send verification codes.").Because(err)
	}
	return err
}

// done answers success, or what went wrong.
func done(err error) (any, error) {
	if err != nil {
		return nil, known(err)
	}
	return graph.Success, nil
}

// noted ends a write that belongs into the history of the account; object is the id of what was changed. The write is durable:
// it is answered with success although its entry may fail, or callers would repeat it.
func (s *surface) noted(ctx context.Context, c *graph.Call, id wa.WABAID, t business.ActivityType, object, text string) any {
	if err := s.o.Business.Record(acting(ctx, c), id, t, object, text); err != nil {
		s.o.Log.ErrorContext(ctx, "a change has no entry in the history", "waba_id", string(id), "type", string(t), "err", err)
	}
	return graph.Success
}

// addNumber is POST /{waba-id}/phone_numbers. Source: spec/phone_numbers.md section 4.1.
func (s *surface) addNumber(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	nn := business.NewNumber{WABA: w.ID, Subscribed: len(s.o.Webhooks.Links(w.ID)) > 0}
	var err error
	if nn.Migrate, err = c.Params.Get("migrate_phone_number").BoolOr(false); err != nil {
		return nil, err
	}
	if nn.Preverified, err = c.Params.Get("preverified_id").IDOr(""); err != nil {
		return nil, err
	}
	if nn.Preverified == "" {
		if nn.WaID, err = newDigits(c.Params); err != nil {
			return nil, err
		}
	}
	if !nn.Migrate {
		if nn.Name, err = c.Params.Get("verified_name").Str(); err != nil {
			return nil, err
		}
	}
	n, err := s.o.Business.AddNumber(acting(ctx, c), nn)
	if err != nil {
		return nil, known(err)
	}
	return graph.Written{ID: string(n.ID), Else: graph.ID(n.ID)}, nil
}

// newDigits joins cc and phone_number, which may carry the calling code itself.
func newDigits(p graph.Value) (wa.WaID, error) {
	ccValue := p.Get("cc")
	if !ccValue.Present() && p.Has("country_code") { // the spelling of a popular client
		ccValue = p.Get("country_code")
	}
	cc, err := ccValue.Phone()
	if err != nil {
		return "", err
	}
	local, err := p.Get("phone_number").Phone()
	if err != nil {
		return "", err
	}
	code, err := strconv.Atoi(cc)
	if err == nil && code > 0 && len(cc) <= 3 {
		digits := local
		if rest, whole := strings.CutPrefix(local, cc); !whole || len(rest) < nationalDigits {
			digits = cc + strings.TrimPrefix(local, "0")
		}
		id, err := wa.ParsePhone(digits)
		if _, is := wa.CountryOf(id); err == nil && is == code {
			return id, nil
		}
	}
	return "", graph.Invalid("Param phone_number must be a phone number, and cc its country calling code.")
}

// nationalDigits tells a number that begins with its calling code from a national number that happens to begin with the same
// digits (ours).
const nationalDigits = 8

// requestCode is POST /{phone-number-id}/request_code. Source: spec/phone_numbers.md section 4.2.
func (s *surface) requestCode(ctx context.Context, c *graph.Call, n number) (any, error) {
	method, locale, err := codeParams(c.Params)
	if err != nil {
		return nil, err
	}
	return done(s.o.Business.RequestCode(acting(ctx, c), n.ID, method, locale))
}

func codeParams(p graph.Value) (business.CodeMethod, string, error) {
	method, err := p.Get("code_method").Str()
	if err != nil {
		return "", "", err
	}
	m := business.CodeMethod(strings.ToUpper(method))
	if m != business.BySMS && m != business.ByVoice {
		return "", "", wa.ErrCodeMethod
	}
	locale, err := p.Get("language").Str()
	if err != nil {
		return "", "", err
	}
	if !spoken(locale) {
		return "", "", p.Get("language").Invalid("must be a supported language, like en or en_US")
	}
	return m, locale, nil
}

// spoken reports whether codes can be sent in a language: one that templates may have, with a region of theirs or without one.
// Source: spec/phone_numbers.md section 4.2, spec/templates.md section 10.
func spoken(s string) bool {
	if _, ok := template.ParseLanguage(s); ok {
		return true
	}
	return template.HasLanguage(s)
}

// verifyCode is POST /{phone-number-id}/verify_code. Source: spec/phone_numbers.md section 4.3.
func (s *surface) verifyCode(ctx context.Context, c *graph.Call, n number) (any, error) {
	code, err := c.Params.Get("code").Phone()
	if err != nil {
		return nil, err
	}
	_, err = s.o.Business.VerifyCode(acting(ctx, c), n.ID, code)
	return done(err)
}
