package manager

import (
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

// conditionTexts say each condition to people. Source: spec/manager.md section 7.4.
func (v *visit) conditionText(c business.Condition) string {
	switch c {
	case business.OnlyAdmin:
		return v.t("testaccount.admin")
	case business.OnlyApp:
		return v.t("testaccount.app")
	case business.OnlyAccount:
		return v.t("testaccount.account")
	case business.OnlyNumber:
		return v.t("testaccount.number")
	case business.Unshared:
		return v.t("testaccount.shared")
	case business.NoCredit:
		return v.t("testaccount.credit_line")
	}
	return string(c)
}

// testAccount is C5: all four conditions with how they stand, and those of ours that fail.
func (v *visit) testAccount() html.Node {
	if v.m.o.Removal == nil {
		return nil
	}
	list, err := v.m.o.Removal.Obstacles(v.app, v.administers())
	if err != nil {
		return kit.Card(kit.Head{Title: v.t("testaccount.title")}, v.refusal(err))
	}
	fails := map[business.Condition]string{}
	order := []business.Condition{business.OnlyAdmin, business.OnlyApp, business.OnlyAccount, business.OnlyNumber}
	for _, o := range list {
		if _, ok := fails[o.Condition]; !ok {
			fails[o.Condition] = o.Why
		}
		if o.Condition == business.Unshared || o.Condition == business.NoCredit {
			order = append(order, o.Condition)
		}
	}
	conditions := html.Ul(html.Class("conditions"), html.Map(order, func(c business.Condition) html.Node {
		why, bad := fails[c]
		if !bad {
			return html.Li(kit.Icon("circle-check"), html.Span(html.Text(v.conditionText(c)), html.Span(html.Class("unseen"), html.Text(" – "+v.t("testaccount.holds")))))
		}
		return html.Li(html.Class("bad"), kit.Icon("circle-x"), html.Span(html.Text(v.conditionText(c)), html.Span(html.Class("unseen"), html.Text(" – "+v.t("testaccount.fails"))),
			html.Br(), html.Small(html.Lang("en"), html.Text(why))))
	}))
	button := kit.Button{Text: v.t("testaccount.delete"), Kind: kit.Danger, Icon: "trash-2"}
	var act html.Node
	if len(list) > 0 {
		button.Off, button.More = true, html.Aria("describedby", "conditions")
		act = kit.Btn(button)
	} else {
		act = kit.Confirm(v.lang, kit.Ask{
			ID: "delete-test", Button: button, Title: v.t("testaccount.ask", "name", v.portfolio.Name),
			Text: html.P(html.Text(v.t("testaccount.goes"))), Verb: v.t("testaccount.delete"), Action: v.at(partWebhooks + "delete"),
		})
	}
	return kit.Card(kit.Head{Title: v.t("testaccount.title")}, html.P(html.Text(v.t("testaccount.why"))), html.Div(html.ID("conditions"), conditions), kit.Actions(act))
}

func (v *visit) deleteTest() error {
	if v.m.o.Removal == nil {
		return errMissing
	}
	if err := v.m.o.Removal.Remove(v.ctx(), v.app, v.administers()); err != nil {
		return err
	}
	return v.to("/wa/manage/home/")
}
