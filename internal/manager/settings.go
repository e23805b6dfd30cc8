package manager

import (
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

const (
	infoPath     = "/settings/info"
	accountsPath = "/settings/whatsapp-business-accounts/"
)

func (m *Manager) settingsRoutes() []route {
	member, admin := need{about: portfolio}, need{about: portfolio, admin: true}
	return []route{
		page(infoPath, Info, member, (*visit).info),
		deed(infoPath, admin, (*visit).rename),
		page(accountsPath+"{$}", Accounts, member, (*visit).accountsPage),
		deed(accountsPath+"{$}", admin, (*visit).addAccount),
		page(accountsPath+"{waba}", "", member, (*visit).accountPage),
		deed(accountsPath+"{waba}/people", member, (*visit).assignMember).on(accountsPath + "{waba}?tab=people"),
	}
}

// bookmark says how to come back to the overview of the portfolio, which the drop-down leaves. Source: spec/manager.md N6 and N7.
func (v *visit) bookmark() html.Node {
	to := Scope{Business: v.scope.Business}.Path(Overview)
	return kit.Note(kit.Info, html.P(html.Text(v.t("settings.bookmark"))), html.P(html.A(html.Href(to), kit.Mono(strings.TrimSuffix(v.m.o.BaseURL, "/")+to))))
}

func (v *visit) info() error { return v.infoForm(http.StatusOK, nil) }

// infoForm is B1.
func (v *visit) infoForm(status int, wrong error) error {
	v.here = Info
	p := v.portfolio
	var edit html.Node
	if v.admin() {
		edit = kit.Card(kit.Head{Title: v.t("settings.rename")}, v.refusal(wrong), kit.Form(v.inBusiness(infoPath),
			kit.Field(kit.Input{Name: "name", Label: v.t("settings.name"), Value: p.Name, Max: 128, Required: true}),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("settings.save"), Kind: kit.Primary}))))
	}
	return v.show(status, "", kit.Page(kit.Head{Title: v.t("menu.info")}, v.bookmark(), kit.Card(kit.Head{Title: v.t("frame.business_portfolio")}, kit.Facts(
		kit.Fact{Name: v.t("settings.name"), Value: html.Text(p.Name)},
		kit.Fact{Name: v.t("settings.id"), Value: kit.Copy(v.lang, v.t("settings.id"), string(p.ID))},
		kit.Fact{Name: v.t("settings.legal"), Value: orDash(legalName(p))},
		kit.Fact{Name: v.t("settings.location"), Value: orDash(p.Country)},
		kit.Fact{Name: v.t("home.verification"), Value: kit.State(v.lang, strings.ToUpper(string(p.Verification)))},
		kit.Fact{Name: v.t("home.limit"), Value: kit.Mono(string(p.MessagingLimit))},
		kit.Fact{Name: v.t("settings.created"), Value: kit.Time(p.Created, time.UTC)},
	)), edit))
}

// legalName is that of the credit line; nothing else here knows one, and the portfolio's own name is none.
func legalName(p *business.Portfolio) string {
	if p.Credit == nil {
		return ""
	}
	return p.Credit.LegalName
}

func (v *visit) rename() error {
	name := v.field("name")
	_, err := v.m.o.Business.ChangePortfolio(v.ctx(), v.portfolio.ID, business.PortfolioChange{Name: &name})
	shown, fault := known(err)
	switch {
	case fault != nil:
		return fault
	case shown != nil:
		return v.infoForm(http.StatusBadRequest, shown)
	}
	return v.to(v.inBusiness(infoPath))
}

func (v *visit) accountsPage() error { return v.accountList(http.StatusOK, nil) }

// accountList is B2: what the portfolio owns and what is shared with it, with search, and how another one is made.
func (v *visit) accountList(status int, wrong error) error {
	v.here = Accounts
	find := strings.ToLower(v.r.URL.Query().Get("q"))
	all := v.wabas(v.portfolio)
	list := slices.DeleteFunc(slices.Clone(all), func(w *business.WABA) bool {
		return !strings.Contains(strings.ToLower(w.Name), find) && !strings.Contains(string(w.ID), find)
	})
	var body html.Node
	switch {
	case len(all) == 0:
		body = kit.Empty("messages-square", v.t("door.nothing"), v.t("settings.no_accounts"))
	case len(list) == 0:
		body = kit.Empty("search", v.t("settings.no_match", "q", find), v.t("settings.no_match_why"),
			kit.Btn(kit.Button{Text: v.t("settings.clear"), Href: v.inBusiness(accountsPath)}))
	default:
		rows := make([]kit.Cells, len(list))
		for i, w := range list {
			rows[i] = kit.Cells{
				html.A(html.Href(v.accountPath(w, "")), html.Text(w.Name)), kit.Copy(v.lang, v.t("home.id"), string(w.ID)), html.Text(v.whose(w)),
				kit.State(v.lang, string(w.Review)),
			}
		}
		body = kit.Table(v.t("menu.whatsapp_accounts"), []kit.Column{
			{Title: v.t("home.name")}, {Title: v.t("home.id"), Second: true}, {Title: v.t("home.access")}, {Title: v.t("home.review"), Second: true},
		}, rows)
	}
	search := kit.Search(accountsPath, kit.Hidden("business_id", v.scope.Business),
		kit.Field(kit.Input{Name: "q", Label: v.t("settings.search"), Type: "search", Value: v.r.URL.Query().Get("q")}), kit.Btn(kit.Button{Text: v.t("settings.find"), Icon: "search"}))
	return v.show(status, "", kit.Page(kit.Head{Title: v.t("menu.whatsapp_accounts"), Sub: html.Text(v.t("settings.accounts_of", "name", v.portfolio.Name))},
		v.bookmark(), search, kit.Flush(kit.Head{Title: v.portfolio.Name, Sub: kit.Results(v.lang, len(list))}, body), v.accountForm(wrong)))
}

func (v *visit) whose(w *business.WABA) string {
	if w.Owner == v.portfolio.ID {
		return v.t("home.owned")
	}
	return v.t("home.shared_short")
}

func (v *visit) accountPath(w *business.WABA, more string) string {
	return v.inBusiness(accountsPath + string(w.ID) + more)
}

// accountForm makes another account; a portfolio has twenty at most, and the service refuses the next.
func (v *visit) accountForm(wrong error) html.Node {
	if !v.admin() {
		return nil
	}
	value := func(name, or string) string {
		if s := v.field(name); s != "" {
			return s
		}
		return or
	}
	return kit.Card(kit.Head{Title: v.t("settings.add_account")}, v.refusal(wrong), kit.Form(v.inBusiness(accountsPath),
		kit.Field(kit.Input{Name: "name", Label: v.t("home.name"), Value: v.field("name"), Max: 128, Required: true}),
		kit.Row(kit.Field(kit.Input{Name: "currency", Label: v.t("home.currency"), Value: value("currency", "USD"), Max: 3, Required: true, Mono: true, Hint: html.Text(v.t("settings.currency_hint"))}),
			kit.Field(kit.Input{Name: "timezone_id", Label: v.t("settings.zone"), Value: value("timezone_id", "1"), Required: true, Mono: true, Hint: html.Text(v.t("settings.zone_hint"))})),
		kit.Actions(kit.Btn(kit.Button{Text: v.t("settings.add_account"), Icon: "plus", Kind: kit.Primary}))))
}

func (v *visit) addAccount() error {
	w, err := v.m.o.Business.AddWABA(v.ctx(), business.NewWABA{
		Owner: v.portfolio.ID, Name: v.field("name"), Currency: strings.ToUpper(v.field("currency")), TimezoneID: v.field("timezone_id"),
	})
	shown, fault := known(err)
	switch {
	case fault != nil:
		return fault
	case shown != nil:
		return v.accountList(http.StatusBadRequest, shown)
	}
	if _, err := v.m.o.Template.CreateSample(v.ctx(), w.ID, ""); err != nil { // Source: spec/manager.md T9
		return err
	}
	return v.to(v.accountPath(w, ""))
}

// theAccount is the one of the path, seen through the chosen portfolio.
func (v *visit) theAccount() (*business.WABA, error) {
	w, ok := v.m.o.Business.WABA(wa.WABAID(v.r.PathValue("waba")))
	if !ok || !v.hasAccount(w.ID) {
		return nil, errMissing
	}
	return w, nil
}

// accountPage is the pane of one account: Summary, People, Partners, Settings, each with the button back to the overview.
func (v *visit) accountPage() error {
	w, err := v.theAccount()
	if err != nil {
		return err
	}
	v.here, v.waba = Accounts, w
	v.scoped()
	tab := v.r.URL.Query().Get("tab")
	var body html.Node
	switch tab {
	case "people":
		if !v.may(access.ManageUsers) {
			return refused(access.ManageUsers)
		}
		body = v.memberTable(w)
	case "partners":
		if !v.may(access.ManageUsers) {
			return refused(access.ManageUsers)
		}
		body = v.partnerTable(w)
	case "settings", "":
		if v.may(access.Develop) {
			body = v.accountCard(w)
		} else {
			body = kit.Card(kit.Head{}, html.P(kit.Copy(v.lang, v.t("home.id"), string(w.ID))))
		}
	default:
		return errMissing
	}
	at := func(t string) kit.Link {
		to := v.accountPath(w, "")
		if t != "" {
			to += "&tab=" + t
		}
		return kit.Link{Href: to, Here: tab == t}
	}
	named := func(t, text string) kit.Link {
		l := at(t)
		l.Text = text
		return l
	}
	tabs := kit.Tabs(w.Name, named("", v.t("settings.summary")), named("people", v.t("menu.people")), named("partners", v.t("menu.partners")), named("settings", v.t("settings.settings")))
	button := kit.Btn(kit.Button{Text: v.t("settings.manager"), Icon: "layout-dashboard", Kind: kit.Primary, Href: v.scope.Path(Overview)})
	return v.below(http.StatusOK, w.Name, []kit.Link{{Text: v.t("menu.whatsapp_accounts"), Href: v.inBusiness(accountsPath)}},
		kit.Page(kit.Head{Title: w.Name, Sub: html.Text(v.whose(w)), Right: button}, tabs, body))
}

// member is somebody of the portfolio, for the people of an account.
type member struct {
	id, name, kind string
	role           access.Role
	assigned       []access.Assignment
}

// members are the people and system users of the chosen portfolio.
func (v *visit) members() (out []member) {
	for _, p := range v.m.o.Access.People() {
		for _, mb := range p.Member {
			if mb.Business == v.portfolio.ID {
				out = append(out, member{p.ID, p.Name, v.t("settings.person"), mb.Role, p.Assigned})
			}
		}
	}
	for _, u := range v.m.o.Access.SystemUsers(v.portfolio.ID) {
		out = append(out, member{string(u.ID), u.Name, v.t("settings.system_user"), u.Role, u.Assigned})
	}
	return out
}

// memberTable is who may do what with the account, and the form that changes it.
func (v *visit) memberTable(w *business.WABA) html.Node {
	list := v.members()
	rows := make([]kit.Cells, len(list))
	choices := make([]kit.Choice, 0, len(list))
	for i, m := range list {
		tasks := html.Text(v.t("users.by_role"))
		if m.role != access.Admin {
			tasks = html.Text(v.t("users.no_access"))
			choices = append(choices, kit.Choice{Value: m.id, Text: m.name + " · " + m.kind})
		}
		for _, a := range m.assigned {
			if a.WABA == w.ID && m.role != access.Admin {
				names := make([]string, len(a.Tasks))
				for j, t := range a.Tasks {
					names[j] = string(t)
				}
				tasks = html.Span(html.Class("mono"), html.Text(strings.Join(names, ", ")))
			}
		}
		rows[i] = kit.Cells{html.Text(m.name), html.Text(m.kind), kit.State(v.lang, string(m.role)), tasks}
	}
	var form html.Node
	if len(choices) > 0 {
		boxes := make([]html.Node, 0, len(access.Tasks))
		for _, t := range access.Tasks {
			boxes = append(boxes, kit.Check(kit.Box{Name: "task", Value: string(t), Label: string(t)}))
		}
		form = kit.Card(kit.Head{Title: v.t("settings.assign")}, kit.Form(v.accountPath(w, "/people"),
			kit.Select(kit.Input{Name: "user", Label: v.t("settings.who")}, choices...), kit.Boxes(v.t("settings.tasks"), boxes...),
			html.P(html.Class("hint"), html.Text(v.t("settings.tasks_hint"))),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("settings.save"), Kind: kit.Primary}))))
	}
	return html.Group{kit.Flush(kit.Head{Title: v.t("menu.people"), Sub: kit.Results(v.lang, len(list))}, kit.Table(v.t("menu.people"), []kit.Column{
		{Title: v.t("home.name")}, {Title: v.t("settings.kind"), Second: true}, {Title: v.t("users.role")}, {Title: v.t("settings.tasks")},
	}, rows)), form}
}

func (v *visit) assignMember() error {
	w, err := v.theAccount()
	if err != nil {
		return err
	}
	if w, err = v.managed(string(w.ID)); err != nil {
		return err
	}
	id := v.field("user")
	if !slices.ContainsFunc(v.members(), func(m member) bool { return m.id == id }) {
		return errMissing
	}
	var tasks []access.Task
	for _, name := range v.r.PostForm["task"] {
		if slices.Contains(access.Tasks, access.Task(name)) {
			tasks = append(tasks, access.Task(name))
		}
	}
	if err := v.assign(w, id, tasks); err != nil {
		return err
	}
	return v.to(v.accountPath(w, "") + "&tab=people")
}

// partnerTable is with whom the account is shared.
func (v *visit) partnerTable(w *business.WABA) html.Node {
	if len(w.Shared) == 0 {
		return kit.Card(kit.Head{}, kit.Empty("handshake", v.t("settings.no_partners"), v.t("settings.no_partners_why")))
	}
	rows := make([]kit.Cells, len(w.Shared))
	for i, h := range w.Shared {
		name := string(h.Business)
		if p, ok := v.m.o.Business.Portfolio(h.Business); ok {
			name = p.Name
		}
		rows[i] = kit.Cells{html.Text(name), kit.Copy(v.lang, v.t("settings.id"), string(h.Business)), html.Span(html.Class("mono"), html.Text(strings.Join(h.Tasks, ", ")))}
	}
	return kit.Flush(kit.Head{Title: v.t("menu.partners")}, kit.Table(v.t("menu.partners"), []kit.Column{
		{Title: v.t("home.name")}, {Title: v.t("settings.id"), Second: true}, {Title: v.t("settings.tasks")},
	}, rows))
}
