package api

import (
	"context"
	"slices"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// Standing is what is left of portfolios and shares; it implements [access.World].
type Standing struct{ Business *business.Service }

// Gone implements access.World.
func (w Standing) Gone(id wa.BusinessID) bool { return w.Business.Gone(id) }

// Reaches implements access.World.
func (w Standing) Reaches(p wa.BusinessID, id wa.WABAID) bool {
	a, ok := w.Business.WABA(id)
	return !ok || a.Owner == p || slices.ContainsFunc(a.Shared, func(sh business.Share) bool { return sh.Business == p })
}

// cutOff are those of the portfolios that do not reach the account (any more).
func cutOff(b *business.Service, id wa.WABAID, list []wa.BusinessID) []wa.BusinessID {
	return slices.DeleteFunc(slices.Clone(list), func(p wa.BusinessID) bool { return Standing{b}.Reaches(p, id) })
}

// unlink ends the subscriptions of the portfolios' apps to an account that they lose: what happens there is not theirs to hear.
func unlink(ctx context.Context, w *webhook.Service, a *access.Service, id wa.WABAID, lost []wa.BusinessID) error {
	return w.Settle(ctx, func(app wa.AppID, account wa.WABAID) bool {
		x, ok := a.Signer(app)
		return account != id || !ok || !slices.Contains(lost, x.Business)
	})
}

// Dismiss ends the subscriptions of apps that were removed, and of unknown ones.
func Dismiss(ctx context.Context, w *webhook.Service, a *access.Service) error {
	return w.Settle(ctx, func(app wa.AppID, _ wa.WABAID) bool {
		_, ok := a.App(app)
		return ok
	})
}

// join brings the account into the solution; partners who lose it by that lose their tokens and subscriptions.
func (d *dialog) join(ctx context.Context, w *business.WABA, solution string) error {
	var before []wa.BusinessID
	for _, h := range w.Shared {
		before = append(before, h.Business)
	}
	if _, err := d.business.Join(ctx, w.ID, solution); err != nil {
		return err
	}
	if err := d.access.Settle(ctx, Standing{d.business}); err != nil {
		return err
	}
	return unlink(ctx, d.webhooks, d.access, w.ID, cutOff(d.business, w.ID, before))
}
