package manager

import (
	"context"
	"net/http"
	"net/url"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// Remover deletes the portfolio of an app with its test resources.
type Remover interface {
	// Obstacles are all conditions that do not hold.
	Obstacles(a *access.App, admin bool) ([]business.Obstacle, error)
	// Remove deletes; with an obstacle it is refused as the API refuses.
	Remove(ctx context.Context, a *access.App, admin bool) error
}

// The parts of an app's dashboard.
const (
	consolePath = "/apps/{app}/whatsapp-business/wa-dev-console/"
	webhookPath = "/apps/{app}/whatsapp-business/wa-settings/"
	appPath     = "/apps/{app}/settings/"
)

func (m *Manager) appRoutes() []route {
	developer, admin := need{about: app, task: access.Develop}, need{about: app, admin: true}
	return []route{
		page("/apps/{$}", Apps, need{about: portfolio}, (*visit).appList),
		deed("/apps/{$}", need{about: portfolio, admin: true}, (*visit).createApp),
		deed("/apps/{app}/remove", admin, (*visit).removeApp).on("/apps/{$}"),
		page(consolePath+"{$}", APISetup, developer, (*visit).console),
		deed(consolePath+"token", developer, (*visit).newToken).on(consolePath+"{$}", "from", "to"),
		deed(consolePath+"recipients", need{about: app, task: access.ManagePhone}, (*visit).addRecipient).on(consolePath+"{$}", "from"),
		deed(consolePath+"confirm", need{about: app, task: access.ManagePhone}, (*visit).confirmRecipient).on(consolePath+"{$}", "from"),
		deed(consolePath+"send", developer, (*visit).sendHello).on(consolePath+"{$}", "from", "to"),
		page(webhookPath+"{$}", Webhooks, developer, (*visit).webhooks),
		deed(webhookPath+"callback", admin, (*visit).saveCallback).on(webhookPath + "{$}"),
		deed(webhookPath+"field", admin, (*visit).setField).on(webhookPath + "{$}"),
		deed(webhookPath+"test", admin, (*visit).testField).on(webhookPath+"{$}", "test"),
		deed(webhookPath+"redeliver", admin, (*visit).redeliver).on(webhookPath+"{$}", "delivery"),
		deed(webhookPath+"delete", developer, (*visit).deleteTest).on(webhookPath + "{$}"),
		page(appPath+"{$}", "", admin, (*visit).appSettings),
		deed(appPath+"secret", admin, (*visit).showSecret).on(appPath + "{$}"),
		deed(appPath+"rotate", admin, (*visit).rotateSecret).on(appPath + "{$}"),
		deed(appPath+"save", admin, (*visit).saveApp).on(appPath + "{$}"),
		page("/apps/{app}/roles/{$}", "", admin, (*visit).roles),
		page("/apps/{app}/download/{file}", "", developer, (*visit).download),
		page("/tools/debug/accesstoken/{$}", "", need{}, (*visit).debugPage),
		deed("/tools/debug/accesstoken/{$}", need{}, (*visit).debugToken),
	}
}

// at is a page of the app with the account in its query.
func (v *visit) at(part string) string {
	return v.in("/apps/" + url.PathEscape(string(v.app.ID)) + part)
}

// Parts of an app, below its id.
const (
	partConsole  = "/whatsapp-business/wa-dev-console/"
	partWebhooks = "/whatsapp-business/wa-settings/"
	partSettings = "/settings/"
	partRoles    = "/roles/"
	partDownload = "/download/"
)

// appCrumbs lead from a page of the app to all apps.
func (v *visit) appCrumbs() []kit.Link {
	return []kit.Link{{Text: v.t("menu.apps"), Href: v.scope.Path(Apps)}, {Text: v.app.Name, Href: v.at(partSettings)}}
}

// appTabs are the parts of one app.
func (v *visit) appTabs(here string) html.Node {
	tab := func(part, text string) kit.Link {
		return kit.Link{Text: v.t(text), Href: v.at(part), Here: part == here}
	}
	tabs := []kit.Link{tab(partConsole, "menu.apisetup"), tab(partWebhooks, "apps.configuration")}
	if v.administers() {
		tabs = append(tabs, tab(partSettings, "apps.settings"), tab(partRoles, "apps.roles"))
	}
	return kit.Tabs(v.app.Name, tabs...)
}

// administers reports whether the person administers the portfolio of the app.
func (v *visit) administers() bool {
	role, ok := v.caller.Role(v.app.Business)
	return ok && role == access.Admin
}

// appList is all apps of the portfolio.
func (v *visit) appList() error { return v.showApps(http.StatusOK, "") }

func (v *visit) showApps(status int, wrong string) error {
	list := v.apps(v.portfolio.ID)
	admin := v.lacks(need{admin: true}) == ""
	rows := make([]kit.Cells, len(list))
	for i, a := range list {
		v.app = a
		rows[i] = kit.Cells{
			html.A(html.Href(v.at(partConsole)), html.Text(a.Name)), kit.Copy(v.lang, v.t("apps.id"), string(a.ID)), v.mode(a.Mode),
			html.A(html.Href(v.at(partWebhooks)), html.Text(v.t("apps.configuration")), html.Span(html.Class("unseen"), html.Text(" "+a.Name))),
			html.Iff(admin, func() html.Node { return v.appRemoval(a) }),
		}
	}
	v.app = nil
	listed := kit.Flush(kit.Head{Title: v.t("menu.apps"), Sub: kit.Results(v.lang, len(list))}, kit.Table(v.t("menu.apps"), []kit.Column{
		{Title: v.t("apps.name")},
		{Title: v.t("apps.id"), Second: true},
		{Title: v.t("apps.mode"), Second: true},
		{Title: "WhatsApp"},
		{Title: v.t("apps.remove"), Quiet: true},
	}, rows))
	if len(list) == 0 {
		listed = kit.Empty("boxes", v.t("apps.none"), v.t("apps.none_why"), kit.Btn(kit.Button{Text: v.t("apps.start"), Kind: kit.Primary, Href: "/get-started/"}))
	}
	return v.show(status, "", kit.Page(kit.Head{
		Title: v.t("menu.apps"), Sub: html.Text(v.portfolio.Name),
		Right: kit.Btn(kit.Button{Text: v.t("apps.debugger"), Icon: "key-round", Href: "/tools/debug/accesstoken/"}),
	},
		kit.Stack(listed, html.Iff(admin, func() html.Node {
			return kit.Card(kit.Head{Title: v.t("apps.new")}, kit.Form(v.inBusiness("/apps/"),
				kit.Field(kit.Input{Name: "name", Label: v.t("apps.name"), Required: true, Max: maxAppName, Error: wrong, Value: v.field("name")}),
				kit.Actions(kit.Btn(kit.Button{Text: v.t("apps.create"), Icon: "plus", Kind: kit.Primary}))))
		}))))
}

// createApp makes an app of the portfolio, in development mode. What it is to hear of an account, it asks for with subscribed_apps.
func (v *visit) createApp() error {
	name := v.field("name")
	if n := len([]rune(name)); n == 0 || n > maxAppName {
		return v.showApps(http.StatusBadRequest, v.t("apps.name_wrong"))
	}
	if _, err := v.m.o.Access.CreateApp(v.ctx(), access.NewApp{Name: name, Business: v.portfolio.ID}); err != nil {
		return err
	}
	return v.to(v.inBusiness("/apps/"))
}

func (v *visit) mode(m access.AppMode) html.Node {
	if m == access.LiveMode {
		return kit.Tag(kit.OK, v.t("apps.live"))
	}
	return kit.Tag(kit.Mute, v.t("apps.development"))
}

func (v *visit) appRemoval(a *access.App) html.Node {
	return kit.Confirm(v.lang, kit.Ask{
		ID: "remove-" + string(a.ID), Button: kit.Button{Text: v.t("apps.remove"), Kind: kit.Danger, Small: true, More: html.Aria("label", v.t("apps.remove_title", "name", a.Name))},
		Title: v.t("apps.remove_title", "name", a.Name), Text: html.P(html.Text(v.t("apps.remove_why"))), Verb: v.t("apps.remove"),
		Action: v.at("/remove"),
	})
}

// removeApp ends an app: its subscriptions first, so that nothing is posted for an app that is gone, then its tokens.
func (v *visit) removeApp() error {
	ctx := v.ctx()
	for _, w := range append(v.m.o.Business.WABAs(v.app.Business), v.m.o.Business.ClientWABAs(v.app.Business)...) {
		if err := v.m.o.Webhooks.Unlink(ctx, v.app.ID, w.ID); err != nil {
			return err
		}
	}
	if err := v.m.o.Webhooks.Unsubscribe(ctx, v.app.ID, webhook.Object, nil); err != nil {
		return err
	}
	if err := v.m.o.Access.RemoveApp(ctx, v.app.ID); err != nil {
		return err
	}
	return v.to(Scope{Business: v.scope.Business}.Path(Apps))
}
