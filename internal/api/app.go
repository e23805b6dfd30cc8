package api

import (
	"context"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// edgeSubscriptions is where an app sets its callback.
const edgeSubscriptions = "subscriptions"

// appNode is /{app-id} and /app. Source: spec/access.md sections 2 and 11.
func (s *surface) appNode() graph.Node[*access.App] {
	type T = *access.App
	fields := []graph.Field[T]{
		{Name: "link", When: graph.ByDefault, Ask: func(_ context.Context, c *graph.Call, a T, _ graph.Item) (any, error) {
			return appLink(c, a), nil
		}},
		{Name: "name", When: graph.ByDefault, Get: func(a T) any { return a.Name }},
		{Name: "id", When: graph.Always, Get: func(a T) any { return string(a.ID) }},
		{Name: "namespace", Get: func(a T) any { return graph.NonEmpty(a.Namespace) }},
		{Name: "category", Get: func(a T) any { return graph.NonEmpty(a.Category) }},
	}
	return graph.Node[T]{
		Kind: kindApp, Name: typeApp, Load: s.loadApp, Fields: append(fields, absent[T]("company", "app_domains")...),
		Edges: append([]graph.Edge[T]{{
			Name: edgeSubscriptions, NotField: true,
			List:   graph.Collection[T, webhook.Subscription]{Item: subscriptionObject(), Unpaged: true, List: s.listSubscriptions},
			Post:   &graph.Action[T]{Do: s.subscribe},
			Delete: &graph.Action[T]{Do: s.unsubscribe},
		}, {
			Name: edgeUploads, NotField: true, Post: &graph.Action[T]{Do: s.createUpload},
		}}, s.appPartnerEdges()...),
	}
}

// appLink is what the app declares, else its own address here.
func appLink(c *graph.Call, a *access.App) string {
	if a.Link != "" {
		return a.Link
	}
	return c.Base() + "/" + string(a.ID)
}

// loadApp shows an app to its own tokens and to members of the portfolio that owns it.
func (s *surface) loadApp(_ context.Context, c *graph.Call, id string) (*access.App, error) {
	a, ok := s.o.Access.App(wa.AppID(id))
	if !ok || (a.ID != who(c).App() && !who(c).SeesBusiness(a.Business)) {
		return nil, graph.ErrInvisible
	}
	return a, nil
}

// enterApp asks for the app's own token on its subscriptions.
func enterApp(c *graph.Call, e endpoint, r right, a *access.App) error {
	if e.edge == edgeSubscriptions && (who(c).Type != access.AppToken || who(c).App() != a.ID) {
		return wa.ErrPermission.Titled("This method must be called with an access token of the app itself")
	}
	if e.edge == edgeUploads && who(c).App() != a.ID {
		return unsupported(c) // the app of the path must be the token's
	}
	switch e.edge {
	case edgeOffer, edgeSolutions, edgeConnected:
		if who(c).App() != a.ID {
			return wa.ErrPermission.Titled("This method must be called with an access token of the app itself")
		}
		return refusal(c, e, r, who(c).MayBusiness(a.Business, adminOnly[e], r.scopes...), typeApp)
	}
	return nil
}

func subscriptionObject() graph.Object[webhook.Subscription] {
	type T = webhook.Subscription
	return graph.Object[T]{Name: "AppSubscription", Fields: []graph.Field[T]{
		{Name: "object", When: graph.ByDefault, Get: func(T) any { return webhook.Object }},
		{Name: "callback_url", When: graph.ByDefault, Get: func(v T) any { return v.CallbackURL }},
		{Name: "active", When: graph.ByDefault, Get: func(v T) any { return v.Active }},
		{Name: "fields", When: graph.ByDefault, Get: func(v T) any {
			out := make([]graph.Obj, len(v.Fields))
			for i, f := range v.Fields {
				out[i] = graph.Obj{{K: "name", V: f.Name}, {K: "version", V: f.Version}}
			}
			return out
		}},
	}}
}

func (s *surface) listSubscriptions(_ context.Context, _ *graph.Call, a *access.App, _ graph.Page) (graph.Items[webhook.Subscription], error) {
	if v, ok := s.o.Webhooks.Subscription(a.ID); ok {
		return graph.Items[webhook.Subscription]{Data: []webhook.Subscription{v}, Total: 1}, nil
	}
	return graph.Items[webhook.Subscription]{}, nil
}

// subscribe is POST /{app-id}/subscriptions. include_values is accepted: values are always included.
func (s *surface) subscribe(ctx context.Context, c *graph.Call, a *access.App) (any, error) {
	r := webhook.SubscribeRequest{App: a.ID}
	var err error
	if r.Object, err = c.Params.Get("object").Enum(webhook.Object); err != nil {
		return nil, err
	}
	if r.CallbackURL, err = c.Params.Get("callback_url").Str(); err != nil {
		return nil, err
	}
	if r.VerifyToken, err = c.Params.Get("verify_token").Str(); err != nil {
		return nil, err
	}
	if r.Fields, err = subscribedFields(c); err != nil {
		return nil, err
	}
	if err := s.o.Webhooks.Subscribe(ctx, r); err != nil {
		return nil, err
	}
	return graph.Success, nil
}

// subscribedFields reads a comma separated list or an array, in JSON too; what is an object in it carries a version, which
// decides the form of the payloads. Source: spec/webhooks.md section 1.1.
func subscribedFields(c *graph.Call) (fields []webhook.Field, err error) {
	list, err := c.Params.Get("fields").ListOr()
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		if v.Kind() == graph.KindObject {
			f, err := versionedField(v)
			if err != nil {
				return nil, err
			}
			fields = append(fields, f)
			continue
		}
		text, err := v.Str()
		if err != nil {
			return nil, err
		}
		for name := range strings.SplitSeq(text, ",") {
			fields = append(fields, webhook.Field{Name: strings.TrimSpace(name)})
		}
	}
	return fields, nil
}

func versionedField(v graph.Value) (webhook.Field, error) {
	name, err := v.Get("name").Str()
	if err != nil {
		return webhook.Field{}, err
	}
	text, err := v.Get("version").StrOr("")
	if err != nil || text == "" {
		return webhook.Field{Name: name}, err
	}
	version, err := graph.ParseVersion(text)
	if err != nil {
		return webhook.Field{}, wa.ErrInvalidVersion
	}
	return webhook.Field{Name: name, Version: version.String()}, nil
}

// fieldNames is subscribedFields without the versions.
func fieldNames(c *graph.Call) ([]string, error) {
	fields, err := subscribedFields(c)
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names, err
}

// unsubscribe is DELETE /{app-id}/subscriptions; without fields it removes everything.
func (s *surface) unsubscribe(ctx context.Context, c *graph.Call, a *access.App) (any, error) {
	object, err := c.Params.Get("object").EnumOr(webhook.Object, webhook.Object)
	if err != nil {
		return nil, err
	}
	names, err := fieldNames(c)
	if err != nil {
		return nil, err
	}
	if err := s.o.Webhooks.Unsubscribe(ctx, a.ID, object, names); err != nil {
		return nil, err
	}
	return graph.Success, nil
}

// subscribedApp is an app that is subscribed to an account.
type subscribedApp struct {
	id       wa.AppID
	app      *access.App // nil when it is gone
	override string
}

// subscribedEdge is /{waba-id}/subscribed_apps; it acts on the app of the token. Source: spec/business.md section 6.
func (s *surface) subscribedEdge() graph.Edge[*business.WABA] {
	type T = *business.WABA
	return graph.Edge[T]{
		Name: edgeSubscribed, Scopes: scopes(get, kindWABA, edgeSubscribed),
		List: graph.Collection[T, subscribedApp]{Item: subscribedObject(), Unpaged: true, List: s.listSubscribed},
		Post: &graph.Action[T]{Scopes: scopes(post, kindWABA, edgeSubscribed), Do: s.link},
		Delete: &graph.Action[T]{Scopes: scopes(remove, kindWABA, edgeSubscribed), Do: func(ctx context.Context, c *graph.Call, w T) (any, error) {
			if err := s.o.Webhooks.Unlink(ctx, who(c).App(), w.ID); err != nil {
				return nil, err
			}
			return s.noted(ctx, c, w.ID, business.ActWebhook, string(who(c).App()), "App unsubscribed"), nil
		}},
	}
}

func subscribedObject() graph.Object[subscribedApp] {
	return graph.Object[subscribedApp]{Name: "WhatsAppApplication", Fields: []graph.Field[subscribedApp]{
		{Name: "whatsapp_business_api_data", When: graph.ByDefault, Ask: func(_ context.Context, c *graph.Call, v subscribedApp, _ graph.Item) (any, error) {
			out := graph.Obj{{K: "id", V: string(v.id)}}
			if v.app != nil {
				out = append(graph.Obj{{K: "link", V: appLink(c, v.app)}, {K: "name", V: v.app.Name}}, out...)
			}
			return out, nil
		}},
		{Name: "override_callback_uri", When: graph.ByDefault, Get: func(v subscribedApp) any { return graph.NonEmpty(v.override) }},
	}}
}

// listSubscribed lists all apps that get updates of the account. Where they get them is shown of the caller's own app only:
// the others may belong to partners.
func (s *surface) listSubscribed(_ context.Context, c *graph.Call, w *business.WABA, _ graph.Page) (graph.Items[subscribedApp], error) {
	if !mayList(c, w, edgeSubscribed) {
		return graph.Items[subscribedApp]{}, nil
	}
	var out []subscribedApp
	for _, l := range s.o.Webhooks.Links(w.ID) {
		v := subscribedApp{id: l.App}
		v.app, _ = s.o.Access.App(l.App)
		if l.App == who(c).App() {
			v.override = l.OverrideURL
		}
		out = append(out, v)
	}
	return graph.Items[subscribedApp]{Data: out, Total: len(out)}, nil
}

// link is POST /{waba-id}/subscribed_apps; without a callback it removes the override.
func (s *surface) link(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	url, err := c.Params.Get("override_callback_uri").StrOr("")
	if err != nil {
		return nil, err
	}
	token := ""
	if url != "" {
		if token, err = c.Params.Get("verify_token").Str(); err != nil {
			return nil, err
		}
	}
	if err := s.o.Webhooks.Link(ctx, who(c).App(), w.ID, url, token); err != nil {
		return nil, err
	}
	text := "App subscribed"
	if url != "" {
		text = "App subscribed with a callback of the account"
	}
	return s.noted(ctx, c, w.ID, business.ActWebhook, string(who(c).App()), text), nil
}
