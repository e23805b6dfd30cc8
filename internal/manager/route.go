package manager

import (
	"net/http"
	"slices"

	"github.com/hikyaku/hikyaku/internal/access"
)

// route is a line of the table of pages.
type route struct {
	method, path string // of [http.ServeMux]; one that ends in a slash says {$}
	place        Place  // where it stands in the menu; empty for what is not a page of its own
	need         need
	do           func(*visit) error
}

// need is what a page asks of whoever opens it. What is looked at, in this order: that they are logged in, that what the address names
// exists and is visible to them (404), and that they have the role or task (403).
type need struct {
	open  bool        // nobody needs to be logged in
	about about       // what the address must name
	admin bool        // the role ADMIN in the portfolio
	task  access.Task // on the account; of an employee, MANAGE implies all
}

// about is what a page is about.
type about uint8

const (
	nothing   about = iota
	portfolio       // business_id; the person's first choice when it is missing
	account         // business_id and waba_id, chosen like that; without any account an empty page is shown instead
	app             // {app} in the path, of a portfolio that the person belongs to
)

// page makes a line for a page that is read.
func page(path string, place Place, n need, do func(*visit) error) route {
	return route{http.MethodGet, path, place, n, do}
}

// deed makes a line for a form.
func deed(path string, n need, do func(*visit) error) route {
	return route{method: http.MethodPost, path: path, need: n, do: do}
}

// routes is the table of every page and form. A file with pages has a method that lists its own.
func (m *Manager) routes() []route {
	return slices.Concat(
		m.doorRoutes(), m.wizardRoutes(), m.homeRoutes(), m.numberRoutes(), m.addNumberRoutes(), m.settingsRoutes(), m.peopleRoutes(), m.systemUserRoutes(),
		m.appRoutes(),
	)
}

// places are the pages of the table that the person may open.
func (v *visit) places() (out []Place) {
	for _, r := range v.m.table {
		if r.place == "" || r.method != http.MethodGet || slices.Contains(out, r.place) {
			continue
		}
		if r.need.about == app && v.scope.App == "" || v.lacks(r.need) != "" {
			continue
		}
		out = append(out, r.place)
	}
	return out
}

// lacks names the role or task that the person does not have, as the API spells it; empty when nothing is missing.
func (v *visit) lacks(n need) string {
	if n.admin {
		if v.portfolio == nil {
			return string(access.Admin)
		}
		if role, _ := v.caller.Role(v.portfolio.ID); role != access.Admin {
			return string(access.Admin)
		}
	}
	if n.task != "" && (v.waba == nil || v.caller.May(asset(v.waba), n.task, access.Management) != access.Allowed) {
		return string(n.task)
	}
	return ""
}
