package app

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// testWebhook posts the sample of a field to an app's callback, once: the dashboard's test button.
func testWebhook(r *http.Request, p *platform) (any, error) {
	var in struct {
		App   wa.AppID `json:"app_id"`
		Field string   `json:"field"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.App == "" {
		in.App = p.plan.AppID
	}
	at, err := p.webhooks.Test(in.App, in.Field)
	switch {
	case errors.Is(err, webhook.ErrNoField), errors.Is(err, webhook.ErrNoSample), errors.Is(err, webhook.ErrNoSubscription):
		return nil, badRequest("%v", err)
	case err != nil:
		return nil, err
	}
	return attemptJSON(at), nil
}

// raiseWebhook makes an event happen that only the outside could cause: it takes the whole way of a webhook, through journal,
// subscriptions, overrides and retries.
func raiseWebhook(r *http.Request, p *platform) (any, error) {
	var in struct {
		WABA   wa.WABAID        `json:"waba_id"`
		Number wa.PhoneNumberID `json:"number_id"`
		Entry  string           `json:"entry_id"`
		Field  string           `json:"field"`
		Value  json.RawMessage  `json:"value"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if !webhook.Known(in.Field) {
		return nil, badRequest("field: there is no %q", in.Field)
	}
	if in.WABA == "" {
		in.WABA = p.plan.WABAID
	}
	if _, ok := p.rules.business.WABA(in.WABA); !ok {
		return nil, notFound("no such account: %s", in.WABA)
	}
	if in.Number == "" && in.WABA == p.plan.WABAID && webhook.Headed(in.Field) {
		in.Number = p.plan.NumberID
	}
	if n, ok := p.rules.business.Number(in.Number); in.Number != "" && (!ok || n.WABA != in.WABA) {
		return nil, notFound("the account has no such number: %s", in.Number)
	}
	if in.Number == "" && webhook.Headed(in.Field) {
		return nil, badRequest("number_id: updates of %s belong to a number", in.Field)
	}
	err := p.board.raise(r.Context(), in.WABA, in.Number, in.Entry, in.Field, in.Value)
	var row *wa.Error
	if errors.As(err, &row) && row.Code == wa.ErrInvalidParameter.Code {
		return nil, badRequest("value: %v", err)
	}
	return map[string]bool{"success": err == nil}, err
}
