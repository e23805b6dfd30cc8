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
		v := &visit{m: m, w: w, r: r, lang: i18n.Choose(r), here: rt.place}
		if err := v.enter(rt); err != nil { //nolint:contextcheck // a visit holds its request
			v.fail(err) //nolint:contextcheck // a visit holds its request
		}
	}
}

func (v *visit) enter(rt route) error {
	if err := v.form(); err != nil {
		return err
	}
	v.recognise()
	if v.person == nil && !rt.need.open {
		v.toLogin()
		return nil
	}
	if v.person != nil {
		done, err := v.choose(rt.need.about)
		if done || err != nil {
			return err
		}
		if lack := v.lacks(rt.need); lack != "" {
			if rt.need.about == account && v.waba == nil {
				return v.nothingYet()
			}
			return refused(lack)
		}
		if rt.need.about == account && v.waba == nil || rt.need.about == portfolio && v.portfolio == nil {
			return v.nothingYet()
		}
	}
	return rt.do(v)
}

// form reads what was posted, as far as a form of ours can be.
func (v *visit) form() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		http.Error(v.w, "the form cannot be read", http.StatusBadRequest)
		return errAnswered
	}
	return nil
}

// errAnswered says that the answer is written.
var errAnswered = errors.New("answered")

// fail answers with the page for an error. A row of the error table that no form has shown beside its field is shown as a page.
func (v *visit) fail(err error) {
	var row *wa.Error
	var lack refused
	f := v.frame()
	switch {
	case errors.Is(err, errAnswered):
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
		Lang: v.lang, Theme: Theme(v.r), Here: v.here, URL: v.r.URL, Version: v.m.o.Release, Scope: v.scope,
	}
	if v.r.Method != http.MethodGet { // changes of language come back to what can be asked for again
		f.URL = &url.URL{Path: v.r.URL.Path, RawQuery: v.scope.query()}
	}
	if v.person == nil {
		return f
	}
	f.Person, f.Places = v.person.Name, v.places()
	for _, p := range v.portfolios() {
		f.Portfolios = append(f.Portfolios, Named{string(p.ID), p.Name})
	}
	for _, w := range v.wabas(v.portfolio) {
		f.WABAs = append(f.WABAs, Named{string(w.ID), w.Name})
	}
	return f
}

func (s Scope) query() string {
	q := url.Values{}
	if s.Business != "" {
		q.Set("business_id", s.Business)
	}
	if s.WABA != "" {
		q.Set("waba_id", s.WABA)
	}
	return q.Encode()
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

// problem is what stands beside a form that was refused, nil without one: the sentence for people, and what the API would answer.
type problem struct {
	text, code string
}

func (v *visit) problem(err error) problem {
	var row *wa.Error
	switch {
	case err == nil:
		return problem{}
	case errors.As(err, &row):
		text := row.UserMsg
		if text == "" {
			text = row.Message()
		}
		return problem{text, code(row)}
	}
	return problem{text: err.Error()}
}

// refusal is a note with what a form was refused for.
func (v *visit) refusal(err error) html.Node {
	p := v.problem(err)
	if p.text == "" {
		return nil
	}
	return kit.Note(kit.Bad, html.P(html.Text(p.text)), html.Iff(p.code != "", func() html.Node {
		return html.P(html.Class("sub"), html.Text(v.t("door.api_says")), html.Text(" "), kit.Mono(p.code))
	}))
}

// known passes on what a form can show, and stops at faults of ours.
func known(err error) (shown, fault error) {
	var row *wa.Error
	if err == nil || errors.As(err, &row) {
		return err, nil
	}
	for _, e := range []error{access.ErrEmail, access.ErrLink, business.ErrNoCourier} {
		if errors.Is(err, e) {
			return e, nil
		}
	}
	return nil, err
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
