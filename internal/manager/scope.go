package manager

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// asset is an account as access needs to see it.
func asset(w *business.WABA) access.Asset {
	a := access.Asset{WABA: w.ID, Owner: w.Owner}
	for _, h := range w.Shared {
		share := access.Share{Business: h.Business, Since: h.Since, Tasks: make([]access.Task, len(h.Tasks))}
		for i, t := range h.Tasks {
			share.Tasks[i] = access.Task(t)
		}
		a.Shared = append(a.Shared, share)
	}
	return a
}

// wabas are the accounts that the portfolio owns or that are shared with it, as far as the person sees them, by name. Source:
// spec/manager.md N3.
func (v *visit) wabas(p *business.Portfolio) (out []*business.WABA) {
	if p == nil {
		return nil
	}
	for _, w := range append(v.m.o.Business.WABAs(p.ID), v.m.o.Business.ClientWABAs(p.ID)...) {
		if v.caller.SeesWABA(asset(w)) {
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b *business.WABA) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// since is when the person could see the account at last: it was made, or access was granted. Source: spec/manager.md N4.
func (v *visit) since(w *business.WABA) time.Time {
	if at := v.caller.Granted(asset(w)); at.After(w.Created) {
		return at
	}
	return w.Created
}

// newest is the account of those that was made or granted last, nil without any.
func (v *visit) newest(list []*business.WABA) (best *business.WABA) {
	for _, w := range list {
		if best == nil || v.since(w).After(v.since(best)) {
			best = w
		}
	}
	return best
}

// choose finds what the address is about. What is missing there is chosen, and written into the address of a page that is read: done
// says that the answer sends the browser there. What is not visible is not there. Source: spec/manager.md N1 to N4.
func (v *visit) choose(what about) (done bool, err error) {
	switch what {
	case app:
		return false, v.chooseApp()
	case portfolio, account:
	default:
		v.prefer()
		return false, nil
	}
	q := v.r.URL.Query()
	if err := v.named(q.Get("business_id"), q.Get("waba_id")); err != nil {
		return false, err
	}
	v.prefer()
	v.scoped()
	if v.r.Method != http.MethodGet {
		return false, nil
	}
	missing := v.portfolio != nil && q.Get("business_id") == "" || what == account && v.waba != nil && q.Get("waba_id") == ""
	if !missing {
		return false, nil
	}
	q.Set("business_id", v.scope.Business)
	if what == account && v.waba != nil {
		q.Set("waba_id", v.scope.WABA)
	}
	return true, v.to(v.r.URL.Path + "?" + q.Encode())
}

// named takes what the address says. Errors: [errMissing].
func (v *visit) named(b, w string) error {
	if b != "" {
		p, ok := v.m.o.Business.Portfolio(wa.BusinessID(b))
		if !ok || !v.caller.SeesBusiness(p.ID) {
			return errMissing
		}
		v.portfolio = p
	}
	if w == "" {
		return nil
	}
	x, ok := v.m.o.Business.WABA(wa.WABAID(w))
	if !ok || !v.caller.SeesWABA(asset(x)) {
		return errMissing
	}
	if v.portfolio == nil {
		v.portfolio = v.home(x)
	}
	if v.portfolio == nil || !v.hasAccount(x.ID) {
		return errMissing
	}
	v.waba = x
	return nil
}

// home is the portfolio of the person through which they see the account: its owner, else a partner.
func (v *visit) home(w *business.WABA) *business.Portfolio {
	var best *business.Portfolio
	for _, p := range v.portfolios() {
		if p.ID == w.Owner {
			return p
		}
		if slices.ContainsFunc(w.Shared, func(h business.Share) bool { return h.Business == p.ID }) {
			best = p
		}
	}
	return best
}

// prefer chooses what is not named: of the portfolio, or of all of the person, the account that was made or granted last.
func (v *visit) prefer() {
	if v.portfolio == nil {
		var all []*business.WABA
		for _, p := range v.portfolios() {
			all = append(all, v.wabas(p)...)
		}
		if w := v.newest(all); w != nil {
			v.portfolio = v.home(w)
		} else if list := v.portfolios(); len(list) > 0 {
			v.portfolio = list[0]
		}
	}
	if v.waba == nil && v.portfolio != nil {
		v.waba = v.newest(v.wabas(v.portfolio))
	}
	v.scoped()
}

// scoped notes what is chosen, with an app of the portfolio for the developers' pages.
func (v *visit) scoped() {
	if v.portfolio != nil {
		v.scope.Business = string(v.portfolio.ID)
		if v.app == nil {
			if list := v.apps(v.portfolio.ID); len(list) > 0 {
				v.scope.App = string(list[0].ID)
			}
		}
	}
	if v.app != nil {
		v.scope.App = string(v.app.ID)
	}
	if v.waba != nil {
		v.scope.WABA = string(v.waba.ID)
	}
}

// apps are those that the portfolio owns.
func (v *visit) apps(b wa.BusinessID) (out []*access.App) {
	for _, a := range v.m.o.Access.Apps() {
		if a.Business == b {
			out = append(out, a)
		}
	}
	return out
}

// ownsApp reports whether the chosen portfolio owns an app. Ids are compared: each reading of a room is a snapshot of its own.
func (v *visit) ownsApp(id wa.AppID) bool {
	return slices.ContainsFunc(v.apps(v.portfolio.ID), func(a *access.App) bool { return a.ID == id })
}

// hasAccount reports whether an account is owned by the chosen portfolio or shared with it, and visible to the person.
func (v *visit) hasAccount(id wa.WABAID) bool {
	return slices.ContainsFunc(v.wabas(v.portfolio), func(w *business.WABA) bool { return w.ID == id })
}

// chooseApp takes the app that the path names; its portfolio is what the page is about.
func (v *visit) chooseApp() error {
	a, ok := v.m.o.Access.App(wa.AppID(v.r.PathValue("app")))
	if !ok || !v.caller.SeesBusiness(a.Business) {
		return errMissing
	}
	v.app = a
	if err := v.named(string(a.Business), ""); err != nil {
		return err
	}
	if id := v.r.URL.Query().Get("waba_id"); id != "" {
		if err := v.named(string(a.Business), id); err != nil {
			return err
		}
	}
	v.prefer()
	return nil
}

// nothingYet stands where there is no account: the way to get one. A form that was meant for one has done nothing. Source:
// spec/manager.md N8.
func (v *visit) nothingYet() error {
	status := http.StatusOK
	if v.rt.method != http.MethodGet {
		status = http.StatusConflict
	}
	return v.show(status, v.t("door.nothing"), kit.Page(kit.Head{Title: v.t("door.nothing")}, kit.Card(kit.Head{}, kit.Empty("messages-square",
		v.t("door.nothing"), v.t("door.nothing_why"), kit.Btn(kit.Button{Text: v.t("door.get_started"), Kind: kit.Primary, Href: "/get-started/"})))))
}
