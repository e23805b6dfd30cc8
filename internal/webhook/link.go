package webhook

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxOverride bounds override_callback_uri in characters. Source: spec/webhooks.md section 1.2.
const maxOverride = 200

// Link subscribes the app to the WABA. An empty override removes an existing one; another one is verified first and nothing
// changes when that fails. It is idempotent. Errors: as [Service.Subscribe].
func (s *Service) Link(ctx context.Context, app wa.AppID, waba wa.WABAID, override, verifyToken string) error {
	next := Link{App: app, WABA: waba, OverrideURL: override, Created: s.o.Clock.Now()}
	if override != "" {
		token, err := s.admitOverride(ctx, override, verifyToken, tokenAD(app, wabaScope(waba)))
		if err != nil {
			return err
		}
		next.VerifyToken = token
	}
	return s.change(func() error {
		if have, ok := s.snap.Load().links[appWABA{app, waba}]; ok {
			next.Created = have.Created
		}
		if err := s.o.Store.SaveLink(ctx, next); err != nil {
			return fmt.Errorf("store link of app %s to account %s: %w", app, waba, err)
		}
		return nil
	}, func(n *snapshot) { n.addLink(next) })
}

func (s *Service) admitOverride(ctx context.Context, url, token, ad string) ([]byte, error) {
	if utf8.RuneCountInString(url) > maxOverride {
		return nil, wa.ErrParamTooLong.Fill("override_callback_uri", maxOverride)
	}
	return s.admit(ctx, url, token, ad, false)
}

// Links returns the apps subscribed to the WABA, ordered by app id.
func (s *Service) Links(waba wa.WABAID) []Link {
	n := s.snap.Load()
	apps := n.byWABA[waba]
	out := make([]Link, len(apps))
	for i, app := range apps {
		out[i] = n.links[appWABA{app, waba}]
	}
	return out
}

// Unlink unsubscribes the app from the WABA, with its overrides there. It is idempotent.
func (s *Service) Unlink(ctx context.Context, app wa.AppID, waba wa.WABAID) error {
	return s.change(func() error {
		if err := s.o.Store.DeleteLink(ctx, app, waba); err != nil {
			return fmt.Errorf("delete link of app %s to account %s: %w", app, waba, err)
		}
		return nil
	}, func(n *snapshot) { n.removeLink(app, waba) })
}

// Settle unsubscribes the apps whose part in an account is over, as stands tells. Errors: of the store; what was reached before
// stays ended.
func (s *Service) Settle(ctx context.Context, stands func(wa.AppID, wa.WABAID) bool) error {
	for k := range s.snap.Load().links {
		if stands(k.app, k.waba) {
			continue
		}
		if err := s.Unlink(ctx, k.app, k.waba); err != nil {
			return err
		}
	}
	return nil
}

// OverrideNumber sets the app's callback for one number of the WABA; an empty url removes it. The app must be subscribed
// to the WABA: else a row of code 100. Other errors as [Service.Subscribe].
func (s *Service) OverrideNumber(
	ctx context.Context, app wa.AppID, waba wa.WABAID, number wa.PhoneNumberID, url, verifyToken string,
) error {
	key := appNumber{app, number}
	if url == "" {
		return s.change(func() error {
			if err := s.o.Store.DeleteNumberOverride(ctx, app, number); err != nil {
				return fmt.Errorf("delete override of number %s: %w", number, err)
			}
			return nil
		}, func(n *snapshot) { delete(n.overrides, key) })
	}
	if err := s.linked(app, waba); err != nil {
		return err
	}
	token, err := s.admitOverride(ctx, url, verifyToken, tokenAD(app, numberScope(number)))
	if err != nil {
		return err
	}
	next := NumberOverride{App: app, WABA: waba, Number: number, URL: url, VerifyToken: token}
	return s.change(func() error {
		if err := s.linked(app, waba); err != nil { // it may have gone during the verification
			return err
		}
		if err := s.o.Store.SaveNumberOverride(ctx, next); err != nil {
			return fmt.Errorf("store override of number %s: %w", number, err)
		}
		return nil
	}, func(n *snapshot) { n.overrides[key] = next })
}

func (s *Service) linked(app wa.AppID, waba wa.WABAID) error {
	if _, ok := s.snap.Load().links[appWABA{app, waba}]; !ok {
		return wa.ErrInvalidParameter.Titled("The app is not subscribed to the WhatsApp Business Account of this phone number").
			Because(errNotLinked)
	}
	return nil
}

// Callbacks are the URLs that can apply to a number, most specific first; "" where none is set. Source: spec/webhooks.md
// section 1.3.
type Callbacks struct {
	Number, WABA, App string
}

// Callbacks returns what is set for the number.
func (s *Service) Callbacks(app wa.AppID, waba wa.WABAID, number wa.PhoneNumberID) Callbacks {
	n := s.snap.Load()
	return Callbacks{
		Number: n.overrides[appNumber{app, number}].URL,
		WABA:   n.links[appWABA{app, waba}].OverrideURL,
		App:    n.subs[app].CallbackURL,
	}
}
