package manager

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
)

// route is a line of the table of pages.
type route struct {
	method, path string // of [http.ServeMux]; one that ends in a slash says {$}
	place        Place  // where it stands in the menu; empty for what is not a page of its own
	need         need
	do           func(*visit) error

	// Of a form: the page that it stands on, with a query that never changes, and those fields of the form that belong into its address.
	back string
	keep []string
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
	return route{method: http.MethodGet, path: path, place: place, need: n, do: do}
}

// deed makes a line for a form that stands on the page with the same path; see [route.on].
func deed(path string, n need, do func(*visit) error) route {
	return route{method: http.MethodPost, path: path, need: n, do: do, back: path}
}

// on says which page a form stands on that is posted elsewhere, and which of its fields the address of that page holds. What answers a
// form can be no page to come back to: a change of language or theme there goes to this one.
func (r route) on(page string, keep ...string) route {
	r.back, r.keep = page, keep
	return r
}

// pathOf is the path of a page without what its form adds.
func pathOf(page string) string {
	path, _, _ := strings.Cut(page, "?")
	return path
}

// address is that of the page that a request is about: its own, and of a form that of the page that it stands on.
func (v *visit) address() *url.URL {
	if v.rt.back == "" {
		return &url.URL{Path: v.r.URL.Path, RawQuery: v.r.URL.RawQuery}
	}
	path, fixed, _ := strings.Cut(v.rt.back, "?")
	parts := strings.Split(strings.TrimSuffix(path, "{$}"), "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			parts[i] = v.r.PathValue(strings.TrimSuffix(name, "}"))
		}
	}
	q, err := url.ParseQuery(fixed)
	if err != nil {
		q = url.Values{}
	}
	v.scope.add(q)
	for _, name := range v.rt.keep {
		if text := v.field(name); text != "" && len(text) <= maxKept {
			q.Set(name, text)
		}
	}
	return &url.URL{Path: strings.Join(parts, "/"), RawQuery: q.Encode()}
}

// maxKept is how much of a field goes into an address, in bytes.
const maxKept = 512

// switches reports whether another account can be chosen on the page: not on that of one number, say, which belongs to one account.
func (r route) switches() bool {
	objects := strings.Contains(strings.ReplaceAll(strings.ReplaceAll(r.path, "{$}", ""), "{app}", ""), "{")
	return r.need.about != nothing && !objects
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
