package manager

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// FirstPath is where links for choosing a password lead.
const FirstPath = "/login/first"

// developerMail is the address of the person of the development mode; nobody can be written to there.
const developerMail = "developer@localhost"

func (m *Manager) doorRoutes() []route {
	anybody := need{open: true}
	return []route{
		page("/login/{$}", "", anybody, (*visit).loginPage),
		deed("/login/{$}", anybody, (*visit).login).on("/login/{$}", "next"),
		page(FirstPath, "", anybody, (*visit).firstPage),
		deed(FirstPath, anybody, (*visit).first).on(FirstPath, "key"),
		deed("/login/developer", anybody, (*visit).loginDeveloper).on("/login/{$}", "next"),
		deed("/logout", anybody, (*visit).logout).on("/login/{$}"),
		page("/wa/manage/{$}", "", need{}, func(v *visit) error { return v.to("/wa/manage/home/") }),
		page("/settings/{$}", "", need{}, func(v *visit) error { return v.to("/settings/info") }),
	}
}

// recognise finds out who asks, by the cookie; in development mode whoever comes from this machine is logged in.
func (v *visit) recognise() {
	c, err := v.r.Cookie(v.m.cookie)
	if err == nil {
		if p, _, ok := v.m.o.Access.Session(c.Value); ok {
			v.person, v.caller = p, v.m.o.Access.Visitor(p)
		}
	}
}

// toLogin sends somebody who is not logged in to where they can, and back afterwards.
func (v *visit) toLogin() {
	back := "/wa/manage/home/"
	if v.r.Method == http.MethodGet {
		back = v.r.URL.RequestURI()
	}
	if v.r.Method == http.MethodGet && v.m.develop(v.r) && opened(v.r) {
		if err := v.beDeveloper(); err != nil {
			v.fail(err)
			return
		}
		http.Redirect(v.w, v.r, Back(back), http.StatusSeeOther)
		return
	}
	http.Redirect(v.w, v.r, "/login/?"+url.Values{"next": {back}}.Encode(), http.StatusSeeOther)
}

// develop reports whether a request is from a person at this machine, in a server that is for development alone. The server decides the
// half that does not change: a sandbox, not strict, plain HTTP on a loopback address and no other name given to it (see app). The
// request must show the other half: its connection comes from loopback; its Host is a loopback address or localhost, because a page
// of the Internet whose name was made to mean this machine (DNS rebinding) is known by that name; and no proxy stands between, because
// a tunnel that makes this port public arrives from loopback, too.
func (m *Manager) develop(r *http.Request) bool {
	if m.o.Developer == "" {
		return false
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded-") || slices.Contains(proxied, name) {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// proxied are headers that proxies and tunnels add, besides those that begin with X-Forwarded-.
var proxied = []string{"Forwarded", "X-Real-Ip", "Via", "Cf-Connecting-Ip", "True-Client-Ip", "Tailscale-User-Login"}

// opened reports whether a page was opened by a person, and not asked for by another site: each session that begins makes room for
// itself, and a page full of pictures would end those of the person.
func opened(r *http.Request) bool {
	site, mode := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Sec-Fetch-Mode")
	return (site == "" || site == "none" || site == "same-origin") && (mode == "" || mode == "navigate")
}

// beDeveloper begins a session of the person of the development mode, making them when there is none.
func (v *visit) beDeveloper() error {
	a := v.m.o.Access
	p, ok := a.PersonByEmail(developerMail)
	if !ok {
		var err error
		p, err = a.CreatePerson(v.r.Context(), access.Person{
			Name: "Developer", Email: developerMail, Member: []access.Membership{{Business: wa.BusinessID(v.m.o.Developer), Role: access.Admin}},
		})
		if errors.Is(err, access.ErrEmail) { // somebody was quicker
			p, ok = a.PersonByEmail(developerMail)
		}
		if err != nil && !ok {
			return err
		}
	}
	return v.begin(p)
}

// begin logs the person in.
func (v *visit) begin(p *access.Person) error {
	secret, x, err := v.m.o.Access.LogIn(v.r.Context(), p.ID)
	if err != nil {
		return err
	}
	v.keep(secret.Reveal(), int(x.Ends.Sub(x.Began).Seconds()))
	return nil
}

// keep puts the secret of a session into the cookie; a negative age takes it away.
func (v *visit) keep(secret string, age int) {
	http.SetCookie(v.w, &http.Cookie{ //nolint:gosec // Secure whenever the server is reached by TLS
		Name: v.m.cookie, Value: secret, Path: "/", MaxAge: age, HttpOnly: true, Secure: v.m.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (v *visit) loginPage() error { return v.loginForm(http.StatusOK, "") }

func (v *visit) loginForm(status int, wrong string) error {
	var note html.Node
	if wrong != "" {
		note = kit.Note(kit.Bad, html.P(html.Text(wrong)))
	}
	next := kit.Hidden("next", Back(v.r.Form.Get("next")))
	var develop html.Node
	if v.m.develop(v.r) {
		develop = kit.Card(kit.Head{Title: v.t("door.development")}, html.P(html.Text(v.t("door.development_why"))),
			kit.Form("/login/developer", next, kit.Actions(kit.Btn(kit.Button{Text: v.t("door.as_developer"), Icon: "user"}))))
	}
	return v.apart(status, v.t("door.login"), kit.Page(kit.Head{Title: v.t("door.login")}, note,
		kit.Card(kit.Head{}, kit.Form("/login/", next,
			kit.Field(kit.Input{Name: "email", Label: v.t("door.email"), Type: "email", Value: v.field("email"), Required: true, More: html.Autocomplete("username")}),
			kit.Field(kit.Input{Name: "password", Label: v.t("door.password"), Type: "password", Required: true, More: html.Autocomplete("current-password")}),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("door.login"), Kind: kit.Primary})))), develop,
		html.P(html.Class("sub"), html.Text(v.t("door.forgotten")), html.Text(" "), kit.Mono("hikyaku admin login-link"))))
}

// apart answers with a page that has no menu, whoever asks.
func (v *visit) apart(status int, title string, body ...html.Node) error {
	f := v.frame()
	f.Person, f.Title = "", title
	Write(v.w, v.r, status, f.Page(body...))
	return nil
}

func (v *visit) login() error {
	p, err := v.m.o.Access.Login(v.r.Context(), v.r.PostForm.Get("email"), v.r.PostForm.Get("password"), peer(v.r))
	switch {
	case errors.Is(err, access.ErrLogin):
		return v.loginForm(http.StatusForbidden, v.t("door.wrong"))
	case errors.Is(err, access.ErrLoginPause):
		return v.loginForm(http.StatusTooManyRequests, v.t("door.pause"))
	case errors.Is(err, access.ErrLoginBusy):
		return v.loginForm(http.StatusServiceUnavailable, v.t("door.busy"))
	case err != nil:
		return err
	}
	if err := v.begin(p); err != nil {
		return err
	}
	return v.to(v.next())
}

// next is where somebody wanted to go before they had to log in.
func (v *visit) next() string {
	if to := Back(v.r.PostForm.Get("next")); to != "/" {
		return to
	}
	return "/wa/manage/home/"
}

func (v *visit) loginDeveloper() error {
	if !v.m.develop(v.r) {
		return errMissing
	}
	if err := v.beDeveloper(); err != nil {
		return err
	}
	return v.to(v.next())
}

func (v *visit) logout() error {
	if c, err := v.r.Cookie(v.m.cookie); err == nil {
		if err := v.m.o.Access.LogOut(v.r.Context(), c.Value); err != nil {
			return err
		}
	}
	v.keep("", -1)
	return v.to("/login/")
}

// peer is the network address of a request without its port.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (v *visit) firstPage() error { return v.firstForm(http.StatusOK, problem{}) }

func (v *visit) firstForm(status int, wrong problem) error {
	x, ok := v.m.o.Access.OpenLink(v.r.Form.Get("key"))
	if !ok {
		return v.apart(http.StatusForbidden, v.t("door.link_over"), kit.Page(kit.Head{Title: v.t("door.link_over")},
			html.P(html.Text(v.t("door.link_over_why"))), html.P(kit.Mono("hikyaku admin login-link")),
			html.P(kit.Btn(kit.Button{Text: v.t("door.login"), Href: "/login/"}))))
	}
	if x.Invitation != "" && v.r.Method == http.MethodGet {
		switch _, known := v.m.o.Access.PersonByEmail(x.Email); {
		case v.invited(x):
			return v.apart(status, v.t("door.join"), kit.Page(kit.Head{Title: v.t("door.join"), Sub: html.Text(v.t("door.join_why"))},
				kit.Card(kit.Head{}, kit.Form(FirstPath, kit.Hidden("key", v.r.Form.Get("key")),
					kit.Actions(kit.Btn(kit.Button{Text: v.t("door.join"), Kind: kit.Primary}))))))
		case known: // the address has a log-in: its holder accepts
			return v.to("/login/?" + url.Values{"next": {v.r.URL.RequestURI()}}.Encode())
		}
	}
	name, email := v.field("name"), v.field("email")
	if p, ok := v.m.o.Access.Person(x.Person); ok && v.r.Method == http.MethodGet {
		name = p.Name
	}
	fixed := x.Email
	if p, ok := v.m.o.Access.Person(x.Person); ok && p.Email != "" {
		fixed = p.Email
	}
	if fixed != "" {
		email = fixed
	}
	var note html.Node
	if wrong.text != "" {
		note = kit.Note(kit.Bad, html.P(html.Text(wrong.text)))
	}
	return v.apart(status, v.t("door.first"), kit.Page(kit.Head{Title: v.t("door.first"), Sub: html.Text(v.t("door.first_why"))}, note,
		kit.Card(kit.Head{}, kit.Form(FirstPath, kit.Hidden("key", v.r.Form.Get("key")),
			kit.Field(kit.Input{Name: "name", Label: v.t("door.name"), Value: name, Max: maxPerson, Required: true, More: html.Autocomplete("name")}),
			kit.Field(kit.Input{
				Name: "email", Label: v.t("door.email"), Type: "email", Value: email, Required: true,
				More: html.Group{html.Autocomplete("username"), html.ReadOnly(fixed != "")},
			}),
			kit.Field(kit.Input{
				Name: "password", Label: v.t("door.new_password"), Type: "password", Required: true, Hint: html.Text(v.t("door.password_hint")),
				More: html.Autocomplete("new-password"),
			}),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("door.begin"), Kind: kit.Primary}))))))
}

// maxPerson is how long the name of a person may be, in characters.
const maxPerson = 80

// invited reports whether a link is the invitation of who is logged in.
func (v *visit) invited(x *access.Session) bool {
	return v.person != nil && x.Invitation != "" && strings.EqualFold(strings.TrimSpace(v.person.Email), x.Email)
}

func (v *visit) first() error {
	if x, ok := v.m.o.Access.OpenLink(v.r.PostForm.Get("key")); ok && v.invited(x) {
		switch err := v.m.o.Access.Accept(v.ctx(), v.r.PostForm.Get("key"), v.person.ID); {
		case errors.Is(err, access.ErrLink):
			return v.firstForm(http.StatusForbidden, problem{})
		case err != nil:
			return err
		}
		return v.to("/wa/manage/home/")
	}
	name, email := v.field("name"), v.field("email")
	if n := len([]rune(name)); n == 0 || n > maxPerson || !strings.Contains(email, "@") || len(email) > 254 {
		return v.firstForm(http.StatusBadRequest, problem{text: v.t("door.first_wrong")})
	}
	if n := len(v.r.PostForm.Get("password")); n < access.MinPassword || n > access.MaxPassword {
		return v.firstForm(http.StatusBadRequest, problem{text: v.t("door.password_hint")})
	}
	secret, _, err := v.m.o.Access.SetUp(v.r.Context(), v.r.PostForm.Get("key"), name, email, v.r.PostForm.Get("password"))
	switch {
	case errors.Is(err, access.ErrLink):
		return v.firstForm(http.StatusForbidden, problem{})
	case errors.Is(err, access.ErrEmail):
		return v.firstForm(http.StatusConflict, problem{text: v.t("door.email_taken")})
	case err != nil:
		return err
	}
	v.keep(secret.Reveal(), int(access.SessionLife.Seconds()))
	return v.to("/get-started/")
}
