package manager

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const wizardPath = "/get-started/"

func (m *Manager) wizardRoutes() []route {
	return []route{
		page(wizardPath+"{$}", "", need{}, (*visit).wizard),
		deed(wizardPath+"{$}", need{}, (*visit).finish).on(wizardPath+"{$}?step=portfolio", "app", "app_name"),
	}
}

// wizard is the first steps: an app, then a portfolio, then everything else is made. Source: spec/manager.md section 7.1.
func (v *visit) wizard() error {
	if v.field("step") == "portfolio" && (v.field("app") != "" || v.field("app_name") != "") {
		return v.portfolioStep(http.StatusOK, nil)
	}
	return v.appStep()
}

// own are the portfolios that the person administers.
func (v *visit) own() []*business.Portfolio {
	return slices.DeleteFunc(v.portfolios(), func(p *business.Portfolio) bool {
		role, _ := v.caller.Role(p.ID)
		return role != access.Admin
	})
}

func (v *visit) steps(now int) html.Node {
	steps := []kit.Step{{Title: v.t("wizard.app")}, {Title: v.t("wizard.portfolio")}, {Title: v.t("wizard.done")}}
	for i := range steps {
		steps[i].Done, steps[i].Now = i < now, i == now
	}
	return kit.Steps(v.lang, steps...)
}

func (v *visit) appStep() error {
	var choices []html.Node
	for _, p := range v.own() {
		for _, a := range v.apps(p.ID) {
			choices = append(choices, kit.Check(kit.Box{
				Name: "app", Value: string(a.ID), Label: a.Name, Hint: html.Text(v.t("wizard.of", "name", p.Name)), On: len(choices) == 0, Radio: true,
			}))
		}
	}
	if len(choices) > 0 {
		choices = append(choices, kit.Check(kit.Box{ID: "app-new", Name: "app", Value: "", Label: v.t("wizard.new_app"), Radio: true}))
	}
	var which html.Node
	if len(choices) > 0 {
		which = kit.Boxes(v.t("wizard.which_app"), choices...)
	}
	return v.apart(http.StatusOK, v.t("wizard.title"), kit.Page(kit.Head{Title: v.t("wizard.title"), Sub: html.Text(v.t("wizard.what"))}, v.steps(0),
		kit.Card(kit.Head{Title: v.t("wizard.app")}, html.P(html.Text(v.t("wizard.use_case"))), html.Form(html.Method("get"), html.Action(wizardPath), html.Class("form"),
			kit.Hidden("step", "portfolio"), which,
			kit.Field(kit.Input{Name: "app_name", Label: v.t("wizard.app_name"), Value: v.t("wizard.my_app"), Max: maxAppName}),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("wizard.next"), Kind: kit.Primary}))))))
}

const maxAppName = 64

// portfolioHelp is the page of the documentation about portfolios.
const portfolioHelp = "https://github.com/hikyaku/hikyaku/blob/main/docs/portfolio.md"

func (v *visit) portfolioStep(status int, wrong error) error {
	hidden := html.Group{kit.Hidden("app", v.field("app")), kit.Hidden("app_name", v.field("app_name"))}
	var choices []html.Node
	if a, ok := v.ownApp(v.field("app")); ok { // an app stays in its portfolio
		p, _ := v.m.o.Business.Portfolio(a.Business)
		choices = []html.Node{kit.Check(kit.Box{Name: "portfolio", Value: string(p.ID), Label: p.Name, Hint: kit.Mono(string(p.ID)), On: true, Radio: true})}
	} else {
		for i, p := range v.own() {
			choices = append(choices, kit.Check(kit.Box{Name: "portfolio", Value: string(p.ID), Label: p.Name, Hint: kit.Mono(string(p.ID)), On: i == 0, Radio: true}))
		}
		if len(choices) > 0 {
			choices = append(choices, kit.Check(kit.Box{ID: "portfolio-new", Name: "portfolio", Value: "", Label: v.t("wizard.new_portfolio"), Radio: true}))
		}
	}
	body := html.Group{html.P(html.Text(v.t("wizard.portfolio_needed")), html.Text(" "), html.A(html.Href(portfolioHelp), html.Text(v.t("wizard.portfolio_help"))))}
	if len(choices) > 0 {
		body = append(body, kit.Boxes(v.t("wizard.which_portfolio"), choices...))
	}
	if len(choices) != 1 {
		body = append(body, kit.Field(kit.Input{Name: "portfolio_name", Label: v.t("wizard.portfolio_name"), Value: v.field("portfolio_name"), Max: 128, Required: len(choices) == 0}))
	}
	return v.apart(status, v.t("wizard.title"), kit.Page(kit.Head{Title: v.t("wizard.title")}, v.steps(1), v.refusal(wrong),
		kit.Card(kit.Head{Title: v.t("wizard.portfolio")}, kit.Form(wizardPath, hidden, body,
			kit.Actions(kit.Btn(kit.Button{Text: v.t("wizard.back"), Href: wizardPath}), kit.Btn(kit.Button{Text: v.t("wizard.finish"), Kind: kit.Primary}))))))
}

// ownApp is an app of a portfolio that the person administers.
func (v *visit) ownApp(id string) (*access.App, bool) {
	for _, p := range v.own() {
		for _, a := range v.apps(p.ID) {
			if string(a.ID) == id {
				return a, true
			}
		}
	}
	return nil, false
}

// finish makes what is missing, and nothing that is there: the second run makes nothing.
func (v *visit) finish() error {
	err := v.setUp()
	shown, fault := known(err)
	switch {
	case errors.Is(err, errMissing):
		return err
	case fault != nil:
		return fault
	case shown != nil:
		return v.portfolioStep(http.StatusBadRequest, shown)
	}
	to := "/apps/" + v.scope.App + "/whatsapp-business/wa-dev-console/"
	if !v.m.has(APISetup) {
		to = "/wa/manage/home/"
	}
	return v.to(v.in(to))
}

// has reports whether a place has a page.
func (m *Manager) has(p Place) bool {
	return slices.ContainsFunc(m.table, func(r route) bool { return r.place == p })
}

func (v *visit) setUp() error {
	a, known := v.ownApp(v.field("app"))
	id := wa.BusinessID(v.field("portfolio"))
	if known {
		id = a.Business
	}
	name := v.field("app_name")
	if n := len([]rune(name)); !known && (n == 0 || n > maxAppName) {
		return v.invalid(v.t("apps.name_wrong"))
	}
	if id == "" {
		p, err := v.newPortfolio(v.field("portfolio_name"))
		if err != nil {
			return err
		}
		id = p.ID
	} else if !slices.ContainsFunc(v.own(), func(p *business.Portfolio) bool { return p.ID == id }) {
		return errMissing
	}
	if !known {
		var err error
		if a, err = v.m.o.Access.CreateApp(v.ctx(), access.NewApp{Name: name, Business: id, Mode: access.Development}); err != nil {
			return err
		}
	}
	w, _, err := v.m.o.Business.EnsureTest(v.ctx(), id, v.m.o.Open)
	if err != nil {
		return err
	}
	if _, err := v.m.o.Template.CreateSample(v.ctx(), w.ID, ""); err != nil {
		return err
	}
	if err := v.m.o.Webhooks.Link(v.ctx(), a.ID, w.ID, "", ""); err != nil {
		return err
	}
	if _, _, err := v.m.o.Access.Temporary(v.person.ID, a.ID); errors.Is(err, access.ErrUnknown) {
		if _, _, err := v.m.o.Access.IssueTemporary(v.ctx(), v.person.ID, a.ID); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	v.scope = Scope{Business: string(id), WABA: string(w.ID), App: string(a.ID)}
	return nil
}

// newPortfolio makes one, which the person administers.
func (v *visit) newPortfolio(name string) (*business.Portfolio, error) {
	name = strings.TrimSpace(name)
	if err := business.CheckPortfolioName(name); err != nil {
		return nil, err
	}
	by := business.Actor{ID: v.person.ID, Name: v.person.Name}
	p, err := v.m.o.Business.AddPortfolio(v.ctx(), business.Portfolio{Name: name, CreatedBy: by}, func(id wa.BusinessID) error {
		_, err := v.m.o.Access.UpdatePerson(v.ctx(), v.person.ID, func(p *access.Person) error {
			p.Member = append(slices.Clone(p.Member), access.Membership{Business: id, Role: access.Admin, Since: v.m.o.Clock.Now()})
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	v.person, _ = v.m.o.Access.Person(v.person.ID)
	v.caller = v.m.o.Access.Visitor(v.person)
	return p, nil
}
