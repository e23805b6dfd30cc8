package manager

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const peoplePath = "/settings/people"

func (m *Manager) peopleRoutes() []route {
	member, admin := need{about: portfolio}, need{about: portfolio, admin: true}
	return []route{
		page(peoplePath, People, member, (*visit).people),
		deed(peoplePath, admin, (*visit).invite),
		deed(peoplePath+"/remove", admin, (*visit).removePerson).on(peoplePath),
	}
}

func (v *visit) people() error { return v.peopleList(http.StatusOK, nil, nil) }

// peopleList is B5: who belongs to the portfolio, who is invited.
func (v *visit) peopleList(status int, note html.Node, wrong error) error {
	v.here = People
	admin := v.admin()
	var rows []kit.Cells
	for _, p := range v.m.o.Access.People() {
		for _, mb := range p.Member {
			if mb.Business != v.portfolio.ID {
				continue
			}
			var remove html.Node
			if admin && p.ID != v.person.ID {
				remove = kit.Confirm(v.lang, kit.Ask{
					ID: "remove-" + p.ID, Button: kit.Button{Text: v.t("people.remove"), Kind: kit.Danger, Small: true}, Title: v.t("people.remove_title", "name", p.Name),
					Text: html.P(html.Text(v.t("people.remove_why"))), Verb: v.t("people.remove"), Action: v.inBusiness(peoplePath + "/remove"), Fields: kit.Hidden("person", p.ID),
				})
			}
			rows = append(rows, kit.Cells{html.Text(p.Name), html.Text(p.Email), kit.State(v.lang, string(mb.Role)), remove})
		}
	}
	for _, i := range v.m.o.Access.Invitations(v.portfolio.ID) {
		rows = append(rows, kit.Cells{html.Text(v.t("people.invited")), html.Text(i.Email), kit.State(v.lang, string(i.Role)), html.Group{html.Text(v.t("people.until") + " "), kit.Time(i.Expires(), time.UTC)}})
	}
	var add html.Node
	if admin {
		add = kit.Card(kit.Head{Title: v.t("people.invite")}, v.refusal(wrong), kit.Form(v.inBusiness(peoplePath),
			kit.Row(kit.Field(kit.Input{Name: "email", Label: v.t("door.email"), Type: "email", Value: v.field("email"), Required: true}),
				kit.Select(kit.Input{Name: "role", Label: v.t("users.role"), Value: string(access.Employee)},
					kit.Choice{Value: string(access.Employee), Text: v.t("people.partial")}, kit.Choice{Value: string(access.Admin), Text: v.t("people.full")})),
			html.P(html.Class("hint"), html.Text(v.t("people.invite_hint"))),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("people.invite"), Icon: "plus", Kind: kit.Primary}))))
	}
	return v.show(status, "", kit.Page(kit.Head{Title: v.t("menu.people")}, note,
		kit.Flush(kit.Head{Title: v.portfolio.Name, Sub: kit.Results(v.lang, len(rows))}, kit.Table(v.t("menu.people"), []kit.Column{
			{Title: v.t("home.name")}, {Title: v.t("door.email")}, {Title: v.t("users.role")}, {Title: v.t("people.remove"), Quiet: true},
		}, rows)), add))
}

// invite asks somebody to join. Those whose address the operator gave them join when they log in; everybody else by a link, which is
// shown once: no mail is sent.
func (v *visit) invite() error {
	role := access.Role(v.field("role"))
	if role != access.Admin {
		role = access.Employee
	}
	i, err := v.m.o.Access.Invite(v.ctx(), v.portfolio.ID, v.field("email"), role, v.person.ID)
	shown, fault := known(err)
	switch {
	case fault != nil:
		return fault
	case shown != nil:
		return v.peopleList(http.StatusBadRequest, nil, shown)
	}
	if p, ok := v.m.o.Access.PersonByEmail(i.Email); ok && !p.Claimed {
		return v.peopleList(http.StatusOK, kit.Note(kit.OK, html.P(html.Text(v.t("people.joins_at_login", "email", i.Email)))), nil)
	}
	secret, _, err := v.m.o.Access.InvitationLink(v.ctx(), i)
	if err != nil {
		return err
	}
	link := strings.TrimSuffix(v.m.o.BaseURL, "/") + FirstPath + "?" + url.Values{"key": {secret.Reveal()}}.Encode()
	return v.peopleList(http.StatusOK, kit.Note(kit.OK, html.P(html.Text(v.t("people.link_once", "email", i.Email))), kit.Copy(v.lang, v.t("people.link"), link)), nil)
}

// removePerson takes somebody out of the portfolio. Their sessions end.
func (v *visit) removePerson() error {
	id := v.field("person")
	p, ok := v.m.o.Access.Person(id)
	if !ok || id == v.person.ID || !slices.ContainsFunc(p.Member, func(m access.Membership) bool { return m.Business == v.portfolio.ID }) {
		return errMissing
	}
	mine := map[wa.WABAID]bool{}
	for _, w := range v.m.o.Business.WABAs(v.portfolio.ID) {
		mine[w.ID] = true
	}
	err := v.m.o.Access.Leave(v.ctx(), id, func(m access.Membership) bool { return m.Business == v.portfolio.ID },
		func(a access.Assignment) bool { return mine[a.WABA] })
	if err != nil {
		return err
	}
	return v.to(v.inBusiness(peoplePath))
}
