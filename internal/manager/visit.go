package manager

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// visit is one request: who asks, and what about.
type visit struct {
	m    *Manager
	w    http.ResponseWriter
	r    *http.Request
	rt   route
	lang i18n.Lang
	here Place

	person *access.Person // nil: nobody is logged in
	caller *access.Caller // what the person may do

	scope     Scope
	portfolio *business.Portfolio // nil: none is chosen
	waba      *business.WABA      // nil: none is chosen
	app       *access.App         // nil: none is chosen
}

// maxForm bounds what a form can post, in bytes.
const maxForm = 64 << 10

// errMissing is answered with the page for what does not exist; so is everything that is not visible.
var errMissing = errors.New("no such page")

// refused is answered with the page that names what is missing.
type refused string

func (r refused) Error() string { return "needs " + string(r) }

// serve runs a line of the table.
func (m *Manager) serve(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{m: m, w: w, r: r, rt: rt, lang: i18n.Choose(r), here: rt.place}
		if err := v.enter(rt); err != nil { //nolint:contextcheck // a visit holds its request
			v.fail(err) //nolint:contextcheck // a visit holds its request
		}
	}
}

func (v *visit) enter(rt route) error {
	v.recognise()
	unread := v.form()
	if v.person == nil && !rt.need.open {
		v.toLogin()
		return nil
	}
	if v.person != nil {
		if done, err := v.choose(rt.need.about); done || err != nil {
			return err
		}
		lack := v.lacks(rt.need)
		if lack == string(rt.need.task) && v.bare(rt.need) { // nobody has tasks on what is not there
			lack = ""
		}
		if lack != "" {
			return refused(lack)
		}
	}
	switch {
	case unread != nil:
		return unread
	case v.person != nil && v.bare(rt.need):
		return v.nothingYet()
	}
	return rt.do(v)
}

// bare reports whether there is nothing that a page could be about.
func (v *visit) bare(n need) bool {
	switch n.about {
	case account:
		return v.waba == nil
	case app: // only what asks for a task is about an account
		return v.waba == nil && n.task != ""
	case portfolio:
		return v.portfolio == nil
	case nothing:
	}
	return false
}

// form reads what was posted, as far as a form of ours can be. Errors: [errTooLarge], [errUnreadable].
func (v *visit) form() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	err := v.r.ParseForm()
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return errTooLarge
	case err != nil:
		return errUnreadable
	}
	return nil
}

// Forms that are answered with a page of their own.
var (
	errTooLarge   = errors.New("the form is too large")
	errUnreadable = errors.New("the form cannot be read")
)

// fail answers with the page for an error. A row of the error table that no form has shown beside its field is shown as a page.
func (v *visit) fail(err error) {
	var row *wa.Error
	var lack refused
	f := v.frame()
	switch {
	case errors.Is(err, errTooLarge):
		f.Unread(v.w, v.r, http.StatusRequestEntityTooLarge)
	case errors.Is(err, errUnreadable):
		f.Unread(v.w, v.r, http.StatusBadRequest)
	case errors.Is(err, errMissing), errors.Is(err, business.ErrUnknown), errors.Is(err, access.ErrUnknown):
		f.NotFound(v.w, v.r)
	case errors.As(err, &lack):
		f.Forbidden(v.w, v.r, string(lack))
	case errors.As(err, &row):
		f.Title = v.t("door.refused")
		v.r.Header.Del("X-Part")
		Write(v.w, v.r, http.StatusBadRequest, f.Page(kit.Page(kit.Head{Title: f.Title}, v.refusal(err))))
	default:
		trace := rand.Text()[:12]
		v.m.log.ErrorContext(v.r.Context(), "a page failed", "trace", trace, "path", v.r.URL.Path, "err", err)
		f.Failed(v.w, v.r, trace)
	}
}

func (v *visit) t(key string, args ...any) string { return v.lang.T(key, args...) }

// ctx is the request's, on behalf of the person: what is changed with it stands in the history under their name.
func (v *visit) ctx() context.Context {
	return business.WithActor(v.r.Context(), business.Actor{ID: v.person.ID, Name: v.person.Name})
}

// field is a value of the posted form, or of the address of a page.
func (v *visit) field(name string) string { return strings.TrimSpace(v.r.Form.Get(name)) }

// frame is what stands around the page.
func (v *visit) frame() Frame {
	f := Frame{
		Lang: v.lang, Theme: Theme(v.r), Here: v.here, URL: v.address(), Version: v.m.o.Release, Scope: v.scope,
	}
	if v.person == nil {
		return f
	}
	f.Person, f.Places = v.person.Name, v.places()
	for _, p := range v.portfolios() {
		f.Portfolios = append(f.Portfolios, Named{string(p.ID), p.Name})
	}
	if !v.rt.switches() {
		return f
	}
	for _, w := range v.wabas(v.portfolio) {
		f.WABAs = append(f.WABAs, Named{string(w.ID), w.Name})
	}
	return f
}

func (s Scope) query() string {
	q := url.Values{}
	s.add(q)
	return q.Encode()
}

func (s Scope) add(q url.Values) {
	if s.Business != "" {
		q.Set("business_id", s.Business)
	}
	if s.WABA != "" {
		q.Set("waba_id", s.WABA)
	}
}

// show answers with a page.
func (v *visit) show(status int, title string, body ...html.Node) error {
	f := v.frame()
	f.Title = title
	Write(v.w, v.r, status, f.Page(body...))
	return nil
}

// below is show for a page that lies below others.
func (v *visit) below(status int, title string, crumbs []kit.Link, body ...html.Node) error {
	f := v.frame()
	f.Title, f.Crumbs = title, crumbs
	Write(v.w, v.r, status, f.Page(body...))
	return nil
}

// to leads to another page after a form has done its work.
func (v *visit) to(path string) error {
	http.Redirect(v.w, v.r, Back(path), http.StatusSeeOther)
	return nil
}

// in is a path with the scope in its query.
func (v *visit) in(path string) string {
	if q := v.scope.query(); q != "" {
		return path + "?" + q
	}
	return path
}

// inBusiness is a path of the portfolio's settings.
func (v *visit) inBusiness(path string) string {
	return path + "?" + Scope{Business: v.scope.Business}.query()
}

// portfolios are those that the person belongs to, by name.
func (v *visit) portfolios() (out []*business.Portfolio) {
	for _, mb := range v.person.Member {
		if p, ok := v.m.o.Business.Portfolio(mb.Business); ok {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *business.Portfolio) int {
		return strings.Compare(a.Name+"\x00"+string(a.ID), b.Name+"\x00"+string(b.ID))
	})
	return out
}
