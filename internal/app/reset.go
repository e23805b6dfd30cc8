package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/hikyaku/hikyaku/internal/webhook"
)

// kept are the files of the data directory that a reset leaves alone.
var kept = map[string]bool{lockFile: true, markFile: true, rootKeyFile: true, planFile: true, "root.wrapped": true, trustFile: true, "acme": true}

// resetCall is POST /control/v1/reset. The first start had no callback, so it goes with everything else unless the caller
// says that it belongs to the place and not to the test.
func (a *App) resetCall(r *http.Request, _ *platform) (any, error) {
	var in struct {
		KeepWebhooks bool `json:"keep_webhooks"`
	}
	if err := optional(r, &in); err != nil {
		return nil, err
	}
	return map[string]bool{"success": true}, a.reset(context.WithoutCancel(r.Context()), in.KeepWebhooks)
}

// reset goes back to the first start: same ids and token, nothing else.
func (a *App) reset(ctx context.Context, keepWebhooks bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.o.Store != "" {
		return errors.New("reset works on the embedded store only; drop the PostgreSQL database yourself")
	}
	old := a.platform.Load()
	var sub *subscribed
	if keepWebhooks {
		var err error
		if sub, err = old.subscribed(); err != nil {
			return err
		}
	}
	a.ready.Store(false)
	if err := old.close(ctx); err != nil {
		a.o.Logger.Warn("reset: close", "err", err)
	}
	p, err := a.begin(ctx, old)
	if err == nil {
		if err = sub.restore(ctx, p); err != nil {
			err = errors.Join(err, p.close(ctx))
		}
	}
	if err != nil {
		a.fail(err)
		return err
	}
	a.platform.Store(p)
	a.ready.Store(true)
	return a.publish(p)
}

// begin empties the data directory and makes a new platform from the plan of the old one.
func (a *App) begin(ctx context.Context, old *platform) (*platform, error) {
	list, err := os.ReadDir(a.o.Data)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if !kept[e.Name()] {
			if err := os.RemoveAll(filepath.Join(a.o.Data, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	plan := *old.plan
	plan.Done = false
	if err := savePlan(old.root, filepath.Join(a.o.Data, planFile), &plan); err != nil {
		return nil, err
	}
	return openPlatform(ctx, a, old.root)
}

// subscribed is where the starter app's webhooks went before a reset.
type subscribed struct {
	request webhook.SubscribeRequest
	linked  bool // to the starter account
}

// subscribed returns nil when the starter app has no callback.
func (p *platform) subscribed() (*subscribed, error) {
	app := p.plan.AppID
	sub, ok := p.rules.subs.Subscription(app)
	if !ok {
		return nil, nil
	}
	token, err := p.rules.subs.VerifyToken(app)
	if err != nil {
		return nil, fmt.Errorf("keep webhooks: %w", err)
	}
	return &subscribed{
		request: webhook.SubscribeRequest{
			App: app, Object: webhook.Object, CallbackURL: sub.CallbackURL, VerifyToken: token, Fields: sub.Fields,
			Trusted: true, // it was verified when it was made
		},
		linked: slices.ContainsFunc(p.rules.subs.Links(p.plan.WABAID), func(l webhook.Link) bool { return l.App == app }),
	}, nil
}

// restore is for a nil receiver, too: nothing was kept.
func (s *subscribed) restore(ctx context.Context, p *platform) error {
	if s == nil {
		return nil
	}
	if err := p.rules.subs.Subscribe(ctx, s.request); err != nil {
		return fmt.Errorf("keep webhooks: %w", err)
	}
	if s.linked {
		return nil // as the first start made it
	}
	if err := p.rules.subs.Unlink(ctx, s.request.App, p.plan.WABAID); err != nil {
		return fmt.Errorf("keep webhooks: %w", err)
	}
	return nil
}
