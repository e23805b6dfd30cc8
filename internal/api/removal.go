package api

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// Removal deletes the portfolio of an app with its test resources: what DELETE /{business-id} does, and the button of the app's
// dashboard. Source: spec/business.md section 2.4, spec/manager.md section 7.4.
type Removal struct {
	Access   *access.Service
	Business *business.Service
	Webhooks *webhook.Service
}

// notAdmin is why somebody who is no administrator is refused.
const notAdmin = "You do not administer the portfolio of the app."

// Obstacles are all that is in the way; admin tells whether the caller administers the portfolio. Errors: business.ErrUnknown.
func (r Removal) Obstacles(app *access.App, admin bool) ([]business.Obstacle, error) {
	var list []business.Obstacle
	if !admin {
		list = append(list, business.Obstacle{Condition: business.OnlyAdmin, Why: notAdmin})
	}
	for _, a := range r.Access.Apps() {
		if a.Business == app.Business && a.ID != app.ID {
			list = append(list, business.Obstacle{Condition: business.OnlyApp, Why: "Another app is connected with the portfolio."})
			break
		}
	}
	rest, err := r.Business.Obstacles(app.Business)
	return append(list, rest...), err
}

// Remove deletes. From the moment it is stored nothing is visible any more. Tokens and subscriptions end last; if the
// process dies before, the next start ends them. Errors: those of Obstacles, and the refusal of what is in the way.
func (r Removal) Remove(ctx context.Context, app *access.App, admin bool) error {
	list, err := r.Obstacles(app, admin)
	if err != nil {
		return err
	}
	if err := business.Refusal(list); err != nil {
		return err
	}
	if err := r.Business.RemovePortfolio(ctx, app.Business); err != nil {
		return err
	}
	if err := r.Access.Settle(ctx, Standing{r.Business}); err != nil {
		return err
	}
	return Dismiss(ctx, r.Webhooks, r.Access)
}
