package manager

import (
	"net/http"
	"strings"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

// policy lets a page load from this server alone, and run nothing that stands in it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; " +
	"media-src 'self' blob:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; " +
	"require-trusted-types-for 'script'; trusted-types server"

// Guard gives every answer of the web app its headers, and refuses what another site posts.
func Guard(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	}))
}

// Write answers with a page, or with those parts of it that a request names by their ids.
func Write(w http.ResponseWriter, r *http.Request, status int, page html.Node) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Add("Vary", "X-Part")
	if ids := r.Header.Get("X-Part"); ids != "" && len(ids) <= 256 {
		var parts html.Group
		for id := range strings.FieldsSeq(ids) {
			if part := html.Part(page, id); part != nil {
				parts = append(parts, part)
			}
		}
		if len(parts) > 0 {
			page = parts
		}
	}
	w.WriteHeader(status)
	_ = html.Render(w, page) // the browser may have gone
}

// Forbidden is the page for somebody without the task or role that a page asks for; need names it as the API does.
func (f Frame) Forbidden(w http.ResponseWriter, r *http.Request, need string) {
	f.problem(w, r, http.StatusForbidden, "lock", f.Lang.T("frame.forbidden"), html.Group{
		html.P(html.Text(f.Lang.T("frame.forbidden_why"))),
		html.If(need != "", html.P(html.Text(f.Lang.T("frame.forbidden_need")), html.Text(" "), kit.Mono(need))),
	})
}

// NotFound is the page for what does not exist, or must not be known to exist.
func (f Frame) NotFound(w http.ResponseWriter, r *http.Request) {
	f.problem(w, r, http.StatusNotFound, "search", f.Lang.T("frame.not_found"), html.Group{
		html.P(html.Text(f.Lang.T("frame.not_found_why"))),
		html.Iff(len(f.Portfolios) > 0, func() html.Node {
			return html.Ul(html.Map(f.Portfolios, func(n Named) html.Node {
				return html.Li(html.A(html.Href(Scope{Business: n.ID}.Path(Overview)), html.Text(n.Name)))
			}))
		}),
	})
}

// Unread is the page for a form that cannot be read, or, with status 413, is too large.
func (f Frame) Unread(w http.ResponseWriter, r *http.Request, status int) {
	title, why := f.Lang.T("frame.unreadable"), f.Lang.T("frame.unreadable_why")
	if status == http.StatusRequestEntityTooLarge {
		title, why = f.Lang.T("frame.too_large"), f.Lang.T("frame.too_large_why", "kib", maxForm>>10)
	}
	f.problem(w, r, status, "circle-alert", title, html.P(html.Text(why)))
}

// Failed is the page for a fault of ours; trace is what the log knows it by.
func (f Frame) Failed(w http.ResponseWriter, r *http.Request, trace string) {
	f.problem(w, r, http.StatusInternalServerError, "circle-alert", f.Lang.T("frame.failed"), html.Group{
		html.P(html.Text(f.Lang.T("frame.failed_why"))),
		html.If(trace != "", html.P(kit.Mono(trace))),
	})
}

func (f Frame) problem(w http.ResponseWriter, r *http.Request, status int, icon, title string, body html.Node) {
	f.Title = title
	f.Crumbs = nil
	r = r.Clone(r.Context())
	r.Header.Del("X-Part")
	Write(w, r, status, f.Page(html.Div(html.Class("problem"), kit.Icon(icon), html.H1(html.Text(title)), body,
		html.P(kit.Btn(kit.Button{Text: f.Lang.T("frame.home"), Icon: "layout-dashboard", Href: Scope{}.Path(Overview)})))))
}

// ThemeCookie keeps whether a person wants light or dark.
const ThemeCookie = "hikyaku_theme"

// Theme is what the request's person chose; empty leaves it to the system.
func Theme(r *http.Request) string {
	if c, err := r.Cookie(ThemeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// SavePreferences keeps a language or theme in a cookie for a year and goes back to where the person was: POST /preferences with lang
// or theme, and back.
func SavePreferences(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	keep := func(name, value string) {
		//nolint:gosec // a language is no secret, and goes over plain HTTP where the whole server does
		http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode})
	}
	if l, ok := i18n.Parse(r.FormValue("lang")); ok {
		keep(i18n.Cookie, string(l))
	}
	switch theme := r.FormValue("theme"); theme {
	case "light", "dark", "auto":
		keep(ThemeCookie, theme)
	}
	http.Redirect(w, r, Back(r.FormValue("back")), http.StatusSeeOther) //nolint:gosec // Back admits paths of this site alone
}

// Back is a path of this site that a form named, or the first page when it names anything else.
func Back(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}
