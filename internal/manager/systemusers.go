package manager

import (
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const systemUsersPath = "/settings/system-users"

// systemUserRoutes are B3 of spec/manager.md. As at the API, whoever belongs to the portfolio sees its system users, and
// administrators change them.
func (m *Manager) systemUserRoutes() []route {
	member, admin := need{about: portfolio}, need{about: portfolio, admin: true}
	return []route{
		page(systemUsersPath, SystemUsers, member, (*visit).systemUsers),
		deed(systemUsersPath, admin, (*visit).addSystemUser),
		page(systemUsersPath+"/{id}", "", member, (*visit).systemUser),
		deed(systemUsersPath+"/{id}/assign", admin, (*visit).assignSystemUser).on(systemUsersPath + "/{id}"),
		deed(systemUsersPath+"/{id}/install", admin, (*visit).installApp).on(systemUsersPath + "/{id}"),
		deed(systemUsersPath+"/{id}/token", admin, (*visit).generateToken).on(systemUsersPath + "/{id}"),
		deed(systemUsersPath+"/{id}/revoke", admin, (*visit).revokeTokens).on(systemUsersPath + "/{id}"),
	}
}

func (v *visit) admin() bool { return v.lacks(need{admin: true}) == "" }

func (v *visit) systemUsers() error { return v.systemUserList(http.StatusOK, nil) }

func (v *visit) systemUserList(status int, wrong error) error {
	v.here = SystemUsers
	list := v.m.o.Access.SystemUsers(v.portfolio.ID)
	rows := make([]kit.Cells, len(list))
	for i, u := range list {
		rows[i] = kit.Cells{
			html.A(html.Href(v.systemUserPath(u, "")), html.Text(u.Name)), kit.Copy(v.lang, v.t("users.id"), string(u.ID)),
			kit.State(v.lang, string(u.Role)), html.Int(len(v.living(u))), kit.Time(u.Created, time.UTC),
		}
	}
	var add html.Node
	if v.admin() {
		add = kit.Card(kit.Head{Title: v.t("users.add")}, v.refusal(wrong), kit.Form(v.inBusiness(systemUsersPath),
			kit.Row(kit.Field(kit.Input{Name: "name", Label: v.t("users.name"), Value: v.field("name"), Required: true}),
				kit.Select(kit.Input{Name: "role", Label: v.t("users.role"), Value: string(access.Employee)},
					kit.Choice{Value: string(access.Employee), Text: v.t("users.employee")}, kit.Choice{Value: string(access.Admin), Text: v.t("users.admin")})),
			html.P(html.Class("hint"), html.Text(v.t("users.role_hint"))),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("users.add_one"), Icon: "plus", Kind: kit.Primary}))))
	}
	return v.show(status, "", kit.Page(kit.Head{Title: v.t("menu.systemusers"), Sub: html.Text(v.t("users.what"))},
		kit.Flush(kit.Head{Title: v.portfolio.Name, Sub: kit.Results(v.lang, len(list))}, kit.Table(v.t("menu.systemusers"), []kit.Column{
			{Title: v.t("users.name")}, {Title: v.t("users.id"), Second: true}, {Title: v.t("users.role")}, {Title: v.t("users.tokens"), Num: true}, {Title: v.t("users.created"), Second: true},
		}, rows)), add))
}

func (v *visit) systemUserPath(u *access.SystemUser, more string) string {
	return v.inBusiness(systemUsersPath + "/" + string(u.ID) + more)
}

func (v *visit) addSystemUser() error {
	role := access.Role(v.field("role"))
	if role != access.Admin {
		role = access.Employee
	}
	u, err := v.m.o.Access.AddSystemUser(v.ctx(), access.SystemUser{Business: v.portfolio.ID, Name: v.field("name"), Role: role, CreatedBy: v.person.ID})
	shown, fault := known(err)
	switch {
	case fault != nil:
		return fault
	case shown != nil:
		return v.systemUserList(http.StatusBadRequest, shown)
	}
	return v.to(v.systemUserPath(u, ""))
}

// theSystemUser is the one of the path; that of another portfolio is like none.
func (v *visit) theSystemUser() (*access.SystemUser, error) {
	u, ok := v.m.o.Access.SystemUser(wa.SystemUserID(v.r.PathValue("id")))
	if !ok || u.Business != v.portfolio.ID {
		return nil, errMissing
	}
	return u, nil
}

// living are the tokens of a system user that work, newest first.
func (v *visit) living(u *access.SystemUser) []*access.Token {
	now := v.m.o.Clock.Now()
	list := v.m.o.Access.Tokens(func(t *access.Token) bool {
		return t.Type == access.SystemUserToken && t.Actor == string(u.ID) && t.Revoked.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires))
	})
	slices.SortFunc(list, func(a, b *access.Token) int { return b.Issued.Compare(a.Issued) })
	return list
}

func (v *visit) systemUser() error {
	u, err := v.theSystemUser()
	if err != nil {
		return err
	}
	return v.systemUserDetail(http.StatusOK, u, nil, nil)
}

// systemUserDetail shows one, above it what a form brought: a note.
func (v *visit) systemUserDetail(status int, u *access.SystemUser, note html.Node, wrong error) error {
	v.here = SystemUsers
	admin := v.admin()
	tokens, assets := v.tokenTable(u, admin), v.assetCard(u, admin)
	body := kit.Columns(tokens, assets)
	if admin {
		body = html.Group{kit.Columns(v.tokenForm(u, wrong), assets), tokens}
	}
	return v.below(status, u.Name, []kit.Link{{Text: v.t("menu.systemusers"), Href: v.inBusiness(systemUsersPath)}},
		kit.Page(kit.Head{Title: u.Name, Sub: html.Group{kit.State(v.lang, string(u.Role)), html.Text(" "), kit.Copy(v.lang, v.t("users.id"), string(u.ID))}},
			note, body))
}

// tokenForm is "Generate token": app, expiry, permissions with search. Source: spec/manager.md B3.
func (v *visit) tokenForm(u *access.SystemUser, wrong error) html.Node {
	var apps []kit.Choice
	for _, a := range v.apps(v.portfolio.ID) {
		apps = append(apps, kit.Choice{Value: string(a.ID), Text: a.Name + " · " + string(a.ID)})
	}
	if len(apps) == 0 {
		return kit.Card(kit.Head{Title: v.t("users.generate")}, html.P(html.Text(v.t("users.no_app"))))
	}
	chosen := v.r.PostForm["scope"]
	boxes := make([]html.Node, 0, len(access.Scopes))
	for _, sc := range access.Scopes {
		if sc == access.PublicProfile { // always granted
			continue
		}
		boxes = append(boxes, html.Div(html.Data("filter-row", string(sc)), kit.Check(kit.Box{
			Name: "scope", Value: string(sc), Label: string(sc), Hint: html.Text(v.t(scopeText[sc])), On: slices.Contains(chosen, string(sc)),
		})))
	}
	return kit.Card(kit.Head{Title: v.t("users.generate")}, v.refusal(wrong), kit.Form(v.systemUserPath(u, "/token"),
		kit.Select(kit.Input{Name: "app", Label: v.t("users.app"), Value: v.field("app")}, apps...),
		kit.Select(kit.Input{Name: "life", Label: v.t("users.expiry"), Value: v.field("life")},
			kit.Choice{Value: "60", Text: v.t("users.sixty")}, kit.Choice{Value: "never", Text: v.t("users.never")}),
		kit.Field(kit.Input{Name: "find", Label: v.t("users.find"), Type: "search", More: html.Group{html.Data("filter", "permissions"), html.Autocomplete("off")}}),
		html.Div(html.ID("permissions"), kit.Boxes(v.t("users.permissions"), boxes...)),
		kit.Actions(kit.Btn(kit.Button{Text: v.t("users.generate"), Icon: "key-round", Kind: kit.Primary}))))
}

// scopeText are the keys of what permissions are for.
var scopeText = map[access.Scope]string{
	access.Management: "users.scope_management", access.Messaging: "users.scope_messaging", access.BusinessManagement: "users.scope_business",
	access.ManageEvents: "users.scope_events", access.AdsRead: "users.scope_ads", access.CatalogManagement: "users.scope_catalog",
}

func (v *visit) generateToken() error {
	u, err := v.theSystemUser()
	if err != nil {
		return err
	}
	app, ok := v.m.o.Access.App(wa.AppID(v.field("app")))
	if !ok || !v.ownsApp(app.ID) {
		return errMissing
	}
	var scopes []access.Scope
	for _, name := range v.r.PostForm["scope"] {
		if slices.Contains(access.Scopes, access.Scope(name)) {
			scopes = append(scopes, access.Scope(name))
		}
	}
	if len(scopes) == 0 {
		return v.systemUserDetail(http.StatusBadRequest, u, nil, v.invalid(v.t("users.choose_one")))
	}
	if !slices.Contains(u.Installed, app.ID) { // as by hand on the real service: generating installs
		if err := v.m.o.Access.Install(v.ctx(), u.ID, app.ID); err != nil {
			return err
		}
	}
	spec := access.TokenSpec{Type: access.SystemUserToken, App: app.ID, Actor: string(u.ID), Scopes: scopes, Life: access.LongLife}
	if v.field("life") == "never" {
		spec.Life = 0
	}
	secret, _, err := v.m.o.Access.Issue(v.ctx(), spec)
	if err != nil {
		return err
	}
	var unrecorded html.Node
	if err := v.record(u, business.ActGranted, "Access token generated"); err != nil { // the token works, and can be shown only now
		v.m.log.ErrorContext(v.ctx(), "a token has no entry in the history", "system_user", u.ID, "err", err)
		unrecorded = kit.Note(kit.Warn, html.P(html.Text(v.t("users.unrecorded"))))
	}
	v.r.PostForm = nil
	v.r.Form = map[string][]string{}
	u, _ = v.m.o.Access.SystemUser(u.ID)
	return v.systemUserDetail(http.StatusOK, u, html.Group{kit.Note(kit.OK, html.P(html.Strong(html.Text(v.t("users.once")))),
		kit.Copy(v.lang, v.t("users.token"), secret.Reveal())), unrecorded}, nil)
}

// record writes into the history of every account that the system user reaches; one that cannot be written does not stop the others.
func (v *visit) record(u *access.SystemUser, what business.ActivityType, text string) (err error) {
	for _, w := range v.m.o.Business.WABAs(v.portfolio.ID) {
		if !v.reaches(u, w) {
			continue
		}
		err = errors.Join(err, v.m.o.Business.Record(v.ctx(), w.ID, what, string(u.ID), text))
	}
	return err
}

func (v *visit) reaches(u *access.SystemUser, w *business.WABA) bool {
	return u.Role == access.Admin && w.Owner == u.Business || slices.ContainsFunc(u.Assigned, func(a access.Assignment) bool { return a.WABA == w.ID })
}

// tokenTable lists the tokens that work; a token itself is nowhere.
func (v *visit) tokenTable(u *access.SystemUser, admin bool) html.Node {
	list := v.living(u)
	head := kit.Head{Title: v.t("users.tokens"), Sub: kit.Results(v.lang, len(list))}
	if len(list) == 0 {
		return kit.Card(head, kit.Empty("key-round", v.t("users.no_tokens"), v.t("users.no_tokens_why")))
	}
	rows := make([]kit.Cells, len(list))
	for i, t := range list {
		name := string(t.App)
		if a, ok := v.m.o.Access.App(t.App); ok {
			name = a.Name
		}
		scopes := make([]string, len(t.Scopes))
		for j, sc := range t.Scopes {
			scopes[j] = string(sc)
		}
		expires := html.Text(v.t("users.never"))
		if !t.Expires.IsZero() {
			expires = kit.Time(t.Expires, time.UTC)
		}
		used := html.Text(v.t("users.unused"))
		if at := t.LastUse(); !at.IsZero() {
			used = kit.Ago(v.lang, at, v.m.o.Clock.Now())
		}
		id := hex.EncodeToString(t.Hash[:])
		var revoke html.Node
		if admin {
			revoke = kit.Confirm(v.lang, kit.Ask{
				ID: "revoke-" + id[:12], Button: kit.Button{Text: v.t("users.revoke"), Kind: kit.Danger, Small: true}, Title: v.t("users.revoke_title"),
				Text: html.P(html.Text(v.t("users.revoke_why"))), Verb: v.t("users.revoke"), Action: v.systemUserPath(u, "/revoke"), Fields: kit.Hidden("token", id),
			})
		}
		rows[i] = kit.Cells{html.Text(name), html.Span(html.Class("mono"), html.Text(strings.Join(scopes, ", "))), kit.Time(t.Issued, time.UTC), expires, used, revoke}
	}
	return kit.Flush(head, kit.Table(v.t("users.tokens"), []kit.Column{
		{Title: v.t("users.app")},
		{Title: v.t("users.permissions")},
		{Title: v.t("users.created"), Second: true},
		{Title: v.t("users.expires")},
		{Title: v.t("users.used"), Second: true},
		{Title: v.t("users.revoke"), Quiet: true},
	}, rows))
}

// revokeTokens ends one token, at once.
func (v *visit) revokeTokens() error {
	u, err := v.theSystemUser()
	if err != nil {
		return err
	}
	n, err := v.m.o.Access.Revoke(v.ctx(), access.LoggedOut, func(t *access.Token) bool {
		return t.Type == access.SystemUserToken && t.Actor == string(u.ID) && hex.EncodeToString(t.Hash[:]) == v.field("token")
	})
	if err != nil {
		return err
	}
	if n > 0 {
		if err := v.record(u, business.ActRevoked, "Access token revoked"); err != nil {
			return err
		}
	}
	return v.to(v.systemUserPath(u, ""))
}

// assetCard are the apps and accounts of a system user, and how more are assigned.
func (v *visit) assetCard(u *access.SystemUser, admin bool) html.Node {
	var apps, accounts html.Group
	for _, a := range v.apps(v.portfolio.ID) {
		switch {
		case slices.Contains(u.Installed, a.ID):
			apps = append(apps, html.P(html.Text(a.Name+" "), kit.Tag(kit.OK, v.t("users.manage_app"))))
		case admin:
			apps = append(apps, kit.Form(v.systemUserPath(u, "/install"), kit.Hidden("app", string(a.ID)),
				kit.Row(html.Span(html.Text(a.Name)), kit.Btn(kit.Button{Text: v.t("users.assign"), Small: true}))))
		}
	}
	for _, w := range v.wabas(v.portfolio) {
		accounts = append(accounts, v.assignment(u, w, admin))
	}
	return kit.Card(kit.Head{Title: v.t("users.assets")}, html.P(html.Class("sub"), html.Text(v.t("users.at_once"))),
		html.H3(html.Text(v.t("menu.apps"))), apps, html.H3(html.Text(v.t("menu.whatsapp_accounts"))), accounts)
}

// partial are the tasks of "partial access": what a machine that sends messages needs.
var partial = []access.Task{access.Develop, access.MessagingTask, access.ViewTemplates, access.ViewPhoneAssets}

func (v *visit) assignment(u *access.SystemUser, w *business.WABA, admin bool) html.Node {
	now := "none"
	for _, a := range u.Assigned {
		if a.WABA == w.ID {
			now = "partial"
			if slices.Contains(a.Tasks, access.Manage) || slices.Contains(a.Tasks, access.FullControl) {
				now = "full"
			}
		}
	}
	words := map[string]string{"none": v.t("users.no_access"), "partial": v.t("users.partial"), "full": v.t("users.full")}
	switch {
	case u.Role == access.Admin:
		return html.P(html.Text(w.Name+" "), kit.Tag(kit.OK, v.t("users.by_role")))
	case !admin:
		return html.P(html.Text(w.Name+" "), kit.Tag(kit.Mute, words[now]))
	}
	return kit.Form(v.systemUserPath(u, "/assign"), kit.Hidden("waba", string(w.ID)),
		kit.Row(kit.Select(kit.Input{ID: "access-" + string(w.ID), Name: "access", Label: w.Name, Value: now},
			kit.Choice{Value: "none", Text: words["none"]}, kit.Choice{Value: "partial", Text: words["partial"]}, kit.Choice{Value: "full", Text: words["full"]}),
			kit.Btn(kit.Button{Text: v.t("users.assign"), Small: true})))
}

func (v *visit) installApp() error {
	u, err := v.theSystemUser()
	if err != nil {
		return err
	}
	a, ok := v.m.o.Access.App(wa.AppID(v.field("app")))
	if !ok || !v.ownsApp(a.ID) {
		return errMissing
	}
	if err := v.m.o.Access.Install(v.ctx(), u.ID, a.ID); err != nil {
		return err
	}
	return v.to(v.systemUserPath(u, ""))
}

func (v *visit) assignSystemUser() error {
	u, err := v.theSystemUser()
	if err != nil {
		return err
	}
	w, err := v.managed(v.field("waba"))
	if err != nil {
		return err
	}
	tasks := map[string][]access.Task{"none": nil, "partial": partial, "full": {access.Manage}}
	list, ok := tasks[v.field("access")]
	if !ok {
		return errMissing
	}
	if err := v.assign(w, string(u.ID), list); err != nil {
		return err
	}
	return v.to(v.systemUserPath(u, ""))
}

// managed is an account of the portfolio whose users the person may manage.
func (v *visit) managed(id string) (*business.WABA, error) {
	w, ok := v.m.o.Business.WABA(wa.WABAID(id))
	if !ok || !v.hasAccount(w.ID) {
		return nil, errMissing
	}
	if v.caller.May(asset(w), access.ManageUsers, access.Management) != access.Allowed {
		return nil, refused(access.ManageUsers)
	}
	return w, nil
}

// assign gives a person or system user tasks on an account, with an entry in its history.
func (v *visit) assign(w *business.WABA, who string, tasks []access.Task) error {
	if err := v.m.o.Access.Assign(v.ctx(), who, w.ID, tasks); err != nil {
		return err
	}
	if len(tasks) == 0 {
		return v.m.o.Business.Record(v.ctx(), w.ID, business.ActUserRemoved, who, "User removed")
	}
	return v.m.o.Business.Record(v.ctx(), w.ID, business.ActUserAdded, who, "User assigned")
}
