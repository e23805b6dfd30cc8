package manager

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// hooks is what the page "Configuration" shows besides what is stored. Source: spec/manager.md section 7.3.
type hooks struct {
	wrong  error            // of the callback's form
	tested *webhook.Attempt // what the receiver answered to a sample
	again  *webhook.Attempt // to a delivery that was sent once more
	saved  bool
}

func (v *visit) webhooks() error {
	return v.showWebhooks(http.StatusOK, hooks{saved: v.field("saved") != ""})
}

func (v *visit) showWebhooks(status int, h hooks) error {
	title := v.t("apps.configuration")
	list := v.deliveries()
	head := kit.Head{Title: title, Sub: html.Group{html.Text(v.app.Name + " "), kit.Copy(v.lang, v.t("apps.id"), string(v.app.ID))}}
	return v.below(status, title, v.appCrumbs(), kit.Page(head, v.appTabs(partWebhooks), kit.Stack(
		v.standing(), v.testCard(h), v.deliveryCard(h),
		kit.Columns(html.Group{v.callbackCard(h), v.deliveriesCard(list)}, html.Group{v.testAccount(), v.hintCard()}),
		v.fieldsCard())))
}

// callbackCard is C1.
func (v *visit) callbackCard(h hooks) html.Node {
	sub, ok := v.m.o.Webhooks.Subscription(v.app.ID)
	address, token, admin := sub.CallbackURL, "", v.administers()
	switch {
	case !admin: // who cannot change it does not get it
	case ok:
		token, _ = v.m.o.Webhooks.VerifyToken(v.app.ID) // what cannot be opened is written anew
	default:
		if secret, err := v.m.o.Access.VerifyToken(v.app.ID); err == nil {
			token = secret.Reveal()
		}
	}
	if h.wrong != nil {
		address, token = v.field("callback_url"), v.r.PostForm.Get("verify_token")
	}
	p := v.problem(h.wrong)
	var note html.Node
	switch {
	case h.wrong != nil:
		note = kit.Note(kit.Bad, html.ID("callback-wrong"), html.Role("alert"), p.sentence(), v.handshake(h.wrong))
	case h.saved:
		note = kit.Note(kit.OK, html.Role("status"), html.P(html.Text(v.t("webhooks.saved"))))
	case !ok:
		note = kit.Note(kit.Info, html.P(html.Text(v.t("webhooks.no_callback"))))
	}
	return kit.Card(kit.Head{Title: v.t("webhooks.callback")}, html.ID("callback"), note,
		kit.Form(v.at(partWebhooks+"callback"),
			kit.Field(kit.Input{
				Name: "callback_url", Label: v.t("webhooks.callback_url"), Type: "url", Value: address, Required: true, Mono: true,
				Hint: html.Text(v.t("webhooks.callback_hint")), More: html.Disabled(!admin),
			}),
			html.Div(html.Class("setup-secret"), kit.Field(kit.Input{
				Name: "verify_token", Label: v.t("webhooks.verify_token"), Type: "password", Value: token, Required: true, Mono: true,
				More: html.Group{html.Disabled(!admin), html.Autocomplete("off")},
			}),
				kit.IconBtn(v.t("webhooks.show_token"), "eye", html.Data("show", "verify_token"))),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("webhooks.verify"), Kind: kit.Primary, Icon: "check", Off: !admin}))))
}

// handshake tells what the callback answered.
func (v *visit) handshake(err error) html.Node {
	var h *webhook.Handshake
	if !errors.As(err, &h) {
		return nil
	}
	return kit.Facts(
		kit.Fact{Name: v.t("webhooks.status"), Value: kit.Mono(strconv.Itoa(h.Status))},
		kit.Fact{Name: v.t("webhooks.reason"), Value: html.Span(html.Lang("en"), html.Text(h.Why))},
		kit.Fact{Name: v.t("webhooks.body"), Value: kit.Mono(dash(h.Snippet))},
		kit.Fact{Name: v.t("webhooks.time"), Value: kit.Time(h.At, v.zone())})
}

// dash stands for what is empty.
func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// zone is that of the account; UTC without one.
func (v *visit) zone() *time.Location {
	if v.waba == nil {
		return time.UTC
	}
	return zoneOf(v.waba)
}

func (v *visit) saveCallback() error {
	err := v.m.o.Webhooks.Subscribe(v.ctx(), webhook.SubscribeRequest{
		App: v.app.ID, Object: webhook.Object, CallbackURL: v.field("callback_url"), VerifyToken: v.r.PostForm.Get("verify_token"),
	})
	if shown, fault := known(err); fault != nil {
		return fault
	} else if shown != nil {
		return v.showWebhooks(http.StatusBadRequest, hooks{wrong: shown})
	}
	// A callback that hears nothing is of no use: the app hears of the account that the page is about, as far as the API would let the
	// person subscribe it. Source: spec/manager.md section 7.1.
	if v.waba != nil && v.r.URL.Query().Get("waba_id") == string(v.waba.ID) && v.may(access.Develop) && !slices.ContainsFunc(v.m.o.Webhooks.Links(v.waba.ID), func(l webhook.Link) bool { return l.App == v.app.ID }) {
		if err := v.m.o.Webhooks.Link(v.ctx(), v.app.ID, v.waba.ID, "", ""); err != nil {
			return err
		}
	}
	return v.to(v.at(partWebhooks) + "&saved=1")
}

// fieldsCard is C2.
func (v *visit) fieldsCard() html.Node {
	sub, ok := v.m.o.Webhooks.Subscription(v.app.ID)
	var rows []kit.Cells
	for _, name := range webhook.Fields() {
		version, on := v.version(), false
		if i := slices.IndexFunc(sub.Fields, func(f webhook.Field) bool { return f.Name == name }); i >= 0 {
			version, on = sub.Fields[i].Version, true
		}
		rows = append(rows, v.fieldRow(name, version, on, ok))
	}
	return kit.Flush(kit.Head{Title: v.t("webhooks.fields"), Sub: html.Text(v.t("webhooks.subscribed", "n", len(sub.Fields)))}, html.ID("fields"),
		kit.Table(v.t("webhooks.fields"), []kit.Column{
			{Title: v.t("webhooks.field")}, {Title: v.t("webhooks.state"), Second: true}, {Title: v.t("webhooks.version")}, {Title: v.t("webhooks.test"), Quiet: true},
		}, rows))
}

// versions that a field can have.
var versions = []string{"v19.0", "v20.0", "v21.0", "v22.0", "v23.0", "v24.0", "v25.0"}

func (v *visit) fieldRow(name, version string, on, callback bool) kit.Cells {
	admin := v.administers()
	state, verb, to := kit.Tag(kit.Mute, v.t("webhooks.off")), v.t("webhooks.subscribe"), "1"
	if on {
		state, verb, to = kit.Tag(kit.OK, v.t("webhooks.on")), v.t("webhooks.unsubscribe"), ""
	}
	choices := versions
	if !slices.Contains(choices, version) {
		choices = append(slices.Clone(choices), version)
	}
	form := html.Form(html.Method("post"), html.Action(v.at(partWebhooks+"field")), html.Class("field-form"), kit.Swap("fields"), kit.Hidden("field", name),
		html.Iff(!on, func() html.Node {
			return html.Select(html.Name("version"), html.ID("version-"+name), html.Aria("label", v.t("webhooks.version_of", "field", name)), html.Disabled(!admin || !callback),
				html.Map(choices, func(c string) html.Node {
					return html.Option(html.Value(c), html.Selected(c == version), html.Text(c))
				}))
		}),
		html.Iff(on, func() html.Node { return kit.Mono(version) }),
		kit.Hidden("on", to),
		kit.Btn(kit.Button{Text: verb, Small: true, Off: !admin || !callback, More: html.Group{html.ID("on-" + name), html.Aria("label", verb+" "+name)}}))
	var test html.Node
	if len(webhook.SampleNames(name)) > 0 && webhook.SampleNames(name)[0] == name {
		test = kit.Btn(kit.Button{
			Text: v.t("webhooks.test"), Small: true, Href: v.at(partWebhooks) + "&" + url.Values{"test": {name}}.Encode() + "#test",
			More: html.Aria("label", v.t("webhooks.test_of", "field", name)),
		})
	}
	return kit.Cells{kit.Mono(name), state, form, test}
}

func (v *visit) setField() error {
	err := v.m.o.Webhooks.SetField(v.ctx(), v.app.ID, webhook.Field{Name: v.field("field"), Version: v.field("version")}, v.field("on") != "")
	if err != nil {
		return err
	}
	return v.to(v.at(partWebhooks) + "#fields")
}

// testCard is C3: the sample of the field in the address, and what the receiver answered to it.
func (v *visit) testCard(h hooks) html.Node {
	field := v.field("test")
	if field == "" {
		return nil
	}
	sample, err := webhook.AppendSample(nil, field, "0", v.m.o.Clock.Now().UnixMilli())
	if err != nil {
		return kit.Note(kit.Warn, html.ID("test"), html.P(html.Text(v.t("webhooks.no_sample"))))
	}
	_, ok := v.m.o.Webhooks.Subscription(v.app.ID)
	return kit.Card(kit.Head{Title: v.t("webhooks.sample"), Sub: kit.Mono(field), Right: kit.IconLink(v.t("webhooks.close"), "x", v.at(partWebhooks))}, html.ID("test"),
		v.attempt(h.tested), kit.JSON(v.lang, v.t("webhooks.sample"), sample),
		html.Iff(!ok, func() html.Node { return html.P(html.Class("sub"), html.Text(v.t("webhooks.no_callback"))) }),
		html.Form(html.Method("post"), html.Action(v.at(partWebhooks+"test")), kit.Swap("test"), kit.Hidden("test", field),
			kit.Btn(kit.Button{Text: v.t("webhooks.send"), Icon: "send", Kind: kit.Primary, Off: !ok || !v.administers()})))
}

// attempt is what the receiver answered, nil without an attempt.
func (v *visit) attempt(a *webhook.Attempt) html.Node {
	if a == nil {
		return nil
	}
	tone := kit.Bad
	if a.Answer == webhook.AnswerOK {
		tone = kit.OK
	}
	return kit.Note(tone, html.Role("status"), html.P(html.Text(v.t("webhooks.answered")), html.Text(" "), kit.Mono(statusWord(*a)), html.Text(" · "),
		kit.Num(a.Latency.Milliseconds()), html.Text(" ms")))
}

// statusWord is the HTTP status of an attempt, or what happened instead.
func statusWord(a webhook.Attempt) string {
	if a.Status == 0 {
		return string(a.Answer)
	}
	return strconv.Itoa(a.Status)
}

func (v *visit) testField() error {
	if v.m.o.Dispatcher == nil {
		return errMissing
	}
	a, err := v.m.o.Dispatcher.Test(v.app.ID, v.field("test"))
	switch {
	case errors.Is(err, webhook.ErrNoField), errors.Is(err, webhook.ErrNoSample), errors.Is(err, webhook.ErrNoSubscription):
		return errMissing
	case err != nil:
		return err
	}
	return v.showWebhooks(http.StatusOK, hooks{tested: &a})
}

// hintCard is C6.
func (v *visit) hintCard() html.Node {
	return kit.Card(kit.Head{Title: v.t("webhooks.more")}, html.P(html.Text(v.t("webhooks.permanent")), html.Text(" "),
		html.A(html.Href(v.scope.Path(SystemUsers)), html.Text(v.t("menu.systemusers")))), v.fileLinks())
}
