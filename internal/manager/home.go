package manager

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

func (m *Manager) homeRoutes() []route {
	return []route{page("/wa/manage/home/{$}", Overview, need{about: account}, (*visit).overview)}
}

// may reports whether the person has a task on the chosen account.
func (v *visit) may(task access.Task) bool { return v.lacks(need{task: task}) == "" }

// overview is the first page. Whoever has any task on the account opens it; each card asks for the task of what it shows. Source:
// spec/manager.md section 2.
func (v *visit) overview() error {
	numbers := v.m.o.Business.Numbers(v.waba.ID)
	var wide, narrow html.Group
	if v.may(access.ViewInsights) {
		week, err := v.week(numbers)
		if err != nil {
			return err
		}
		wide = append(wide, week)
	}
	if v.may(access.ViewPhoneAssets) {
		more := kit.Btn(kit.Button{Text: v.t("home.all_numbers"), Href: v.scope.Path(Numbers), Small: true})
		wide = append(wide, kit.Flush(kit.Head{Title: v.t("menu.numbers"), Sub: kit.Results(v.lang, len(numbers)), Right: more}, v.numberTable(numbers)))
	}
	narrow = append(narrow, v.limitCard(), v.verificationCard())
	if v.may(access.Develop) {
		narrow = append(narrow, v.accountCard(v.waba))
	}
	wide = append(wide, v.accountsCard())
	return v.show(http.StatusOK, "", kit.Page(kit.Head{
		Title: v.t("menu.overview"), Sub: html.Group{html.Text(v.waba.Name + " · "), kit.Mono(string(v.waba.ID))},
	}, v.alerts(), kit.Columns(wide, narrow)))
}

// alerts are what stands in the way of the account. Source: spec/manager.md O1.
func (v *visit) alerts() html.Node {
	var out html.Group
	bad := func(key string) { out = append(out, kit.Note(kit.Bad, html.P(html.Text(v.lang.T(key))))) }
	w := v.waba
	switch {
	case w.Status == business.WABADisabled:
		bad("home.alert_disabled")
	case w.Locked:
		bad("home.alert_locked")
	case w.Restricted:
		bad("home.alert_restricted")
	case w.Sanction.InForce(v.m.o.Clock.Now()):
		bad("home.alert_sanction")
	}
	if w.PaymentProblem {
		bad("home.alert_payment")
	}
	switch w.Review {
	case business.ReviewPending:
		out = append(out, kit.Note(kit.Warn, html.P(html.Text(v.t("home.alert_review")))))
	case business.ReviewRejected:
		bad("home.alert_rejected")
	case business.ReviewApproved:
	}
	return out
}

// accountCard is O7.
func (v *visit) accountCard(w *business.WABA) html.Node {
	owner := string(w.Owner)
	if p, ok := v.m.o.Business.Portfolio(w.Owner); ok {
		owner = p.Name
	}
	whose := v.t("home.owned")
	if v.portfolio != nil && w.Owner != v.portfolio.ID {
		whose = v.t("home.shared", "name", owner)
	}
	return kit.Card(kit.Head{Title: v.t("home.account")}, kit.Facts(
		kit.Fact{Name: v.t("home.name"), Value: html.Text(w.Name)},
		kit.Fact{Name: v.t("home.id"), Value: kit.Copy(v.lang, v.t("home.id"), string(w.ID))},
		kit.Fact{Name: v.t("home.currency"), Value: kit.Mono(w.Currency)},
		kit.Fact{Name: v.t("home.zone"), Value: html.Text(zoneOf(w).String())},
		kit.Fact{Name: v.t("home.country"), Value: orDash(w.Country)},
		kit.Fact{Name: v.t("home.review"), Value: kit.State(v.lang, string(w.Review))},
		kit.Fact{Name: v.t("home.access"), Value: html.Text(whose)},
		kit.Fact{Name: v.t("home.partners"), Value: html.Int(len(w.Shared))},
	))
}

func orDash(s string) html.Node {
	if s == "" {
		return html.Text("–")
	}
	return html.Text(s)
}

// limitCard is O3: the limit, what is used of it, the next step and what is missing. Source: spec/limits.md section 3.
func (v *visit) limitCard() html.Node {
	p, ok := v.m.o.Business.Portfolio(v.waba.Owner)
	if !ok {
		return nil
	}
	body := html.Group{kit.Facts(kit.Fact{Name: v.t("home.tier"), Value: kit.Mono(string(p.MessagingLimit))})}
	if v.m.o.Reach != nil {
		used, of := v.m.o.Reach(p.ID, v.m.o.Clock.Now().UnixMilli())
		words := html.Text(v.t("home.used"))
		if of < 0 {
			body = append(body, html.P(words, html.Text(" "), kit.Num(int64(used)), html.Text(" / ∞")))
		} else {
			tone := kit.OK
			if used*10 >= of*9 {
				tone = kit.Warn
			}
			body = append(body, kit.Bar(tone, words, int64(used), int64(of)))
		}
	}
	next := ""
	switch {
	case v.waba.Test && v.open():
		next = v.t("home.limit_open")
	case v.waba.Test:
		next = v.t("home.limit_test")
	case p.MessagingLimit == business.TierUnlimited:
		next = v.t("home.limit_top")
	case p.Verification != business.Verified && (p.MessagingLimit == business.Tier250 || p.MessagingLimit == business.Tier50 || p.MessagingLimit == business.Untiered):
		next = v.t("home.limit_verify")
	default:
		next = v.t("home.limit_grow")
	}
	return kit.Card(kit.Head{Title: v.t("home.limit")}, body, html.P(html.Class("sub"), html.Text(next)))
}

// open reports whether the account's test numbers may write to everybody.
func (v *visit) open() bool {
	return slices.ContainsFunc(v.m.o.Business.Numbers(v.waba.ID), func(n *business.Number) bool { return n.Mode == business.Sandbox && n.AllowAll })
}

// verificationCard is O4.
func (v *visit) verificationCard() html.Node {
	p, ok := v.m.o.Business.Portfolio(v.waba.Owner)
	if !ok {
		return nil
	}
	return kit.Card(kit.Head{Title: v.t("home.verification")}, html.P(kit.State(v.lang, strings.ToUpper(string(p.Verification)))),
		html.If(p.Verification != business.Verified, html.P(html.Class("sub"), html.Text(v.t("home.verify_how")))))
}

// accountsCard lists all accounts of the portfolio, owned and shared: N3.
func (v *visit) accountsCard() html.Node {
	list := v.wabas(v.portfolio)
	rows := make([]kit.Cells, len(list))
	for i, w := range list {
		whose := v.t("home.owned")
		if w.Owner != v.portfolio.ID {
			whose = v.t("home.shared_short")
		}
		rows[i] = kit.Cells{
			html.A(html.Href(Scope{Business: v.scope.Business, WABA: string(w.ID)}.Path(Overview)), html.If(w.ID == v.waba.ID, html.Aria("current", "true")), html.Text(w.Name)),
			kit.Mono(string(w.ID)), html.Text(whose), kit.State(v.lang, string(w.Review)), html.Int(len(v.m.o.Business.Numbers(w.ID))),
		}
	}
	return kit.Flush(kit.Head{Title: v.t("menu.whatsapp_accounts"), Sub: kit.Results(v.lang, len(list))}, kit.Table(v.t("menu.whatsapp_accounts"), []kit.Column{
		{Title: v.t("home.name")}, {Title: v.t("home.id"), Second: true}, {Title: v.t("home.access"), Second: true}, {Title: v.t("home.review")}, {Title: v.t("menu.numbers"), Num: true},
	}, rows))
}

// zoneOf is where the days of an account begin.
func zoneOf(w *business.WABA) *time.Location { return analytics.Zone(w.TimezoneID) }

// mps is what a number may send and receive in a second.
func mps(n *business.Number) string {
	if !n.Registered {
		return "–"
	}
	return strconv.Itoa(n.Limit())
}
