package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrGone is returned by Safe.Open when the key was destroyed at the end of the retention period.
var ErrGone = errors.New("the key of the content was destroyed")

// Safe seals what must not be readable on disk. ad binds a sealed text to its place.
type Safe interface {
	// SealSecret seals what must be readable as long as it exists: verify tokens.
	SealSecret(ad string, plain []byte) ([]byte, error)
	// SealContent seals message content, whose key is destroyed at the end of the retention period. born is 0, or for what
	// lives for an hour when it came into being, in Unix milliseconds.
	SealContent(born int64, ad string, plain []byte) ([]byte, error)
	// Open errors: ErrGone; any other may pass.
	Open(ad string, sealed []byte) ([]byte, error)
}

// ServiceOptions configure a Service. Store, Safe, Clock and Transport are required.
type ServiceOptions struct {
	Store     SubscriptionStore
	Safe      Safe
	Clock     clock.Clock
	Transport http.RoundTripper // see [NewTransport]; must not follow redirects
	URLs      URLRules
	Version   string        // of fields subscribed without one; "" means "v25.0"
	Versions  []string      // that fields may have, "v23.0"; empty: any
	Timeout   time.Duration // of a verification; 0 means 10 s (spec/webhooks.md section 6)
	Rand      io.Reader     // challenges; nil means crypto/rand

	// Owner is the portfolio of an app, which does not change: what names a portfolio goes to its apps too, whether they are
	// subscribed to the account or not. nil: they have none.
	Owner func(wa.AppID) wa.BusinessID
}

// Service owns the subscriptions: they live in memory and in the store, reads never wait. Safe for concurrent use.
type Service struct {
	o    ServiceOptions
	snap atomic.Pointer[snapshot]

	mu      sync.Mutex // one change at a time: store, then memory
	changed []func()   // called after every change, under mu
}

// NewService loads the subscriptions.
func NewService(ctx context.Context, o ServiceOptions) (*Service, error) {
	if o.Version == "" {
		o.Version = "v25.0"
	}
	if o.Timeout == 0 {
		o.Timeout = attemptTimeout
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	subs, links, overrides, err := o.Store.Subscriptions(ctx)
	if err != nil {
		return nil, fmt.Errorf("load subscriptions: %w", err)
	}
	s := &Service{o: o}
	first := newSnapshot(subs, links, overrides)
	first.owner = o.Owner
	s.snap.Store(first)
	return s, nil
}

// watch calls f after every change from now on.
func (s *Service) watch(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = append(s.changed, f)
}

// change stores, then applies a change.
func (s *Service) change(store func() error, apply func(*snapshot)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := store(); err != nil {
		return err
	}
	next := s.snap.Load().clone()
	apply(next)
	s.snap.Store(next)
	for _, f := range s.changed {
		f()
	}
	return nil
}

// SubscribeRequest is POST /{app-id}/subscriptions.
type SubscribeRequest struct {
	App         wa.AppID
	Object      string // must be [Object]
	CallbackURL string
	VerifyToken string
	Fields      []Field // added to those subscribed; a version of "" is the default version
	Trusted     bool    // no verification request: for subscriptions the operator declares
}

// Subscribe verifies the callback and then sets the app's callback, verify token and fields. Errors:
// [wa.ErrCallback] when the verification failed (nothing is stored), [wa.ErrCallbackURI], rows of code 100, store errors.
func (s *Service) Subscribe(ctx context.Context, r SubscribeRequest) error {
	if r.Object != Object {
		return wa.ErrParamOneOf.Fill("object", "WHATSAPP_BUSINESS_ACCOUNT", r.Object)
	}
	fields, err := s.checkFields(r.Fields)
	if err != nil {
		return err
	}
	token, err := s.admit(ctx, r.CallbackURL, r.VerifyToken, tokenAD(r.App, ""), r.Trusted)
	if err != nil {
		return err
	}
	next := Subscription{App: r.App, CallbackURL: r.CallbackURL, VerifyToken: token, Active: true, Updated: s.o.Clock.Now()}
	return s.change(func() error {
		next.Fields = merge(s.snap.Load().subs[r.App].Fields, fields)
		if err := s.o.Store.SaveSubscription(ctx, next); err != nil {
			return fmt.Errorf("store subscription of app %s: %w", r.App, err)
		}
		return nil
	}, func(n *snapshot) { n.subs[r.App] = next })
}

func merge(have, add []Field) []Field {
	out := slices.Clone(have)
	for _, f := range add {
		if i := slices.IndexFunc(out, func(g Field) bool { return g.Name == f.Name }); i >= 0 {
			out[i] = f
		} else {
			out = append(out, f)
		}
	}
	return out
}

// admit checks and verifies a callback and seals its token.
func (s *Service) admit(ctx context.Context, url, token, ad string, trusted bool) ([]byte, error) {
	u, err := s.o.URLs.Parse(url)
	if err != nil {
		return nil, err
	}
	if !trusted {
		if err := s.verify(ctx, u, token); err != nil {
			return nil, err
		}
	}
	sealed, err := s.o.Safe.SealSecret(ad, []byte(token))
	if err != nil {
		return nil, fmt.Errorf("seal verify token: %w", err)
	}
	return sealed, nil
}

func tokenAD(app wa.AppID, scope Scope) string {
	return "webhook/token/" + string(app) + "/" + string(scope)
}

// Subscription returns the app's subscription; false when there is none.
func (s *Service) Subscription(app wa.AppID) (Subscription, bool) {
	v, ok := s.snap.Load().subs[app]
	return v, ok
}

// VerifyToken returns the clear verify token of the app's callback; "" when the app has no subscription.
func (s *Service) VerifyToken(app wa.AppID) (string, error) {
	sub, ok := s.Subscription(app)
	if !ok {
		return "", nil
	}
	b, err := s.o.Safe.Open(tokenAD(app, ""), sub.VerifyToken)
	if err != nil {
		return "", fmt.Errorf("open verify token of app %s: %w", app, err)
	}
	return string(b), nil
}

// Verify repeats the verification of the app's callback. Errors: [wa.ErrCallback].
func (s *Service) Verify(ctx context.Context, app wa.AppID) error {
	sub, ok := s.Subscription(app)
	if !ok {
		return wa.ErrInvalidParameter.Titled("The app has no subscription")
	}
	token, err := s.VerifyToken(app)
	if err != nil {
		return err
	}
	u, err := s.o.URLs.Parse(sub.CallbackURL)
	if err != nil {
		return err
	}
	return s.verify(ctx, u, token)
}

// Unsubscribe removes the fields, or the whole subscription when none are given or none are left. It is idempotent.
// Updates that wait for the app are dropped with its subscription.
func (s *Service) Unsubscribe(ctx context.Context, app wa.AppID, object string, names []string) error {
	if object != "" && object != Object {
		return wa.ErrParamOneOf.Fill("object", "WHATSAPP_BUSINESS_ACCOUNT", object)
	}
	next, keep := Subscription{}, false
	return s.change(func() error {
		have, ok := s.snap.Load().subs[app]
		if !ok {
			return nil
		}
		next = have
		next.Fields = slices.DeleteFunc(slices.Clone(have.Fields), func(f Field) bool {
			return len(names) == 0 || slices.Contains(names, f.Name)
		})
		if keep = len(next.Fields) > 0; keep {
			return s.o.Store.SaveSubscription(ctx, next)
		}
		return s.o.Store.DeleteSubscription(ctx, app)
	}, func(n *snapshot) {
		delete(n.subs, app)
		if keep {
			n.subs[app] = next
		}
	})
}

// SetField subscribes the app to a field, in a version, or ends that; the callback stays even when no field is left, other than
// with [Service.Unsubscribe]. Errors: [ErrNoSubscription] while the app has no callback, rows of code 100, store errors.
func (s *Service) SetField(ctx context.Context, app wa.AppID, f Field, on bool) error {
	fields, err := s.checkFields([]Field{f})
	if err != nil {
		return err
	}
	var next Subscription
	return s.change(func() error {
		have, ok := s.snap.Load().subs[app]
		if !ok {
			return fmt.Errorf("subscribe to %s: %w", f.Name, ErrNoSubscription)
		}
		next = have
		if on {
			next.Fields = merge(have.Fields, fields)
		} else {
			next.Fields = slices.DeleteFunc(slices.Clone(have.Fields), func(g Field) bool { return g.Name == fields[0].Name })
		}
		next.Updated = s.o.Clock.Now()
		return s.o.Store.SaveSubscription(ctx, next)
	}, func(n *snapshot) { n.subs[app] = next })
}

var errNotLinked = errors.New("app is not subscribed to the account")

// Route returns the receivers of an update, one per subscribed app (spec/webhooks.md section 8).
func (s *Service) Route(field string, waba wa.WABAID, number wa.PhoneNumberID) []Target {
	return s.snap.Load().route(field, waba, number, "")
}
