package manager

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// Reads reports whether a person may see a delivery of an app with this payload.
func (m *Manager) Reads(p *access.Person, a *access.App, payload string) bool {
	v := &visit{m: m, person: p, caller: m.o.Access.Visitor(p), app: a}
	return v.reads(&webhook.Delivery{Payload: []byte(payload)})
}

// Deed is a form: where it is posted, and the page that it stands on.
type Deed struct {
	Path, Page string
	Known      bool // Page is a page of the table
}

// Deeds are the forms of the table.
func (m *Manager) Deeds() (out []Deed) {
	for _, r := range m.table {
		if r.method != http.MethodPost {
			continue
		}
		out = append(out, Deed{r.path, pathOf(r.back), slices.ContainsFunc(m.table, func(p route) bool { return p.method == http.MethodGet && p.path == pathOf(r.back) })})
	}
	return out
}

// Problem is what a page in a language says about an error of a form.
func (m *Manager) Problem(l i18n.Lang, err error) (text, code string, lang i18n.Lang) {
	p := (&visit{m: m, lang: l}).problem(err)
	return p.text, p.code, p.lang
}

// Asks reports whether the page of an app with this query asks for a delivery.
func (m *Manager) Asks(a *access.App, query string, d *webhook.Delivery) bool {
	q, _ := url.ParseQuery(query)
	return (&visit{m: m, app: a, r: &http.Request{Form: q}}).asks()(d)
}
