package manager

import (
	"net/http"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

func (m *Manager) numberRoutes() []route {
	return []route{
		page("/wa/manage/phone-numbers/{$}", Numbers, need{about: account, task: access.ViewPhoneAssets}, (*visit).numbersPage),
	}
}

// numbersPage is P1.
func (v *visit) numbersPage() error {
	list := v.m.o.Business.Numbers(v.waba.ID)
	var add html.Node
	if v.may(access.ManagePhone) {
		add = kit.Btn(kit.Button{Text: v.t("numbers.add"), Icon: "plus", Kind: kit.Primary, Href: v.in(numbersPath + "add")})
	}
	return v.show(http.StatusOK, "", kit.Page(kit.Head{Title: v.t("menu.numbers"), Right: add},
		kit.Flush(kit.Head{Title: v.waba.Name, Sub: kit.Results(v.lang, len(list))}, v.numberTable(list))))
}

// numberTable is the table of the overview and of the page of numbers.
func (v *visit) numberTable(list []*business.Number) html.Node {
	limit := ""
	if p, ok := v.m.o.Business.Portfolio(v.waba.Owner); ok {
		limit = string(p.MessagingLimit)
	}
	rows := make([]kit.Cells, len(list))
	for i, n := range list {
		registered := v.t("numbers.no")
		if n.Registered {
			registered = v.t("numbers.yes")
		}
		rows[i] = kit.Cells{
			html.Text(orName(n)), kit.Phone(n.Display), v.numberState(n), kit.Quality(v.lang, string(n.Quality)),
			kit.Mono(limit), html.Text(mps(n)), html.Text(registered), kit.Copy(v.lang, v.t("numbers.id"), string(n.ID)),
		}
	}
	return kit.Table(v.t("menu.numbers"), []kit.Column{
		{Title: v.t("numbers.name")},
		{Title: v.t("numbers.number")},
		{Title: v.t("numbers.status")},
		{Title: v.t("numbers.quality"), Second: true},
		{Title: v.t("numbers.limit"), Second: true},
		{Title: v.t("numbers.mps"), Num: true, Third: true},
		{Title: v.t("numbers.registered"), Third: true},
		{Title: v.t("numbers.id"), Third: true},
	}, rows)
}

// orName is the display name of a number, or the one that is under review.
func orName(n *business.Number) string {
	switch {
	case n.VerifiedName != "":
		return n.VerifiedName
	case n.NewName != "":
		return n.NewName
	}
	return n.Display
}

// numberState is the status of a number; one that is not connected yet leads to its next step.
func (v *visit) numberState(n *business.Number) html.Node {
	state := kit.State(v.lang, string(n.Status))
	if n.Registered || !v.may(access.ManagePhone) {
		return state
	}
	return html.Group{state, html.Text(" "), html.A(html.Href(v.numberPath(n, "/connect")), html.Text(v.t("numbers.go_on")))}
}
