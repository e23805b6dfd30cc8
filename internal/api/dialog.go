package api

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// DialogPath is the log-in dialog; a version may stand before it.
const DialogPath = "/dialog/oauth"

//go:embed pages/dialog.html
var dialogHTML string

var dialogPage = template.Must(template.New("dialog").Parse(dialogHTML))

// ticketLife is how long a person may think before allowing.
const ticketLife = 10 * time.Minute

// Dialog serves the log-in dialog, and the sign-up of clients when config_id is given: a person logs in, sees what the app asks
// for, and is sent back with a code or a token. No cookie is involved: each form carries a ticket that is bound to the request
// it answers. The page can be neither framed nor posted to from another site. Source: spec/access.md sections 5.3 and 12.
func Dialog(a *access.Service, b *business.Service, w *webhook.Service, log *slog.Logger) http.Handler {
	d := &dialog{a, b, w, log}
	guard := http.NewCrossOriginProtection()
	return guard.Handler(http.HandlerFunc(d.serve))
}

type dialog struct {
	access   *access.Service
	business *business.Service
	webhooks *webhook.Service
	log      *slog.Logger
}

// asked is what the app wants, checked.
type asked struct {
	app      *access.App
	redirect *url.URL
	state    string
	token    bool // response_type token
	signup   bool
	scopes   []access.Scope
	solution string // id of the multi-partner solution that clients sign up with; empty: none
	purpose  string // binds tickets to this request
}

type option struct{ Name, Value string }

// view is what the page shows.
type view struct {
	App, Error, Person, Ticket string
	Fatal, Signup              bool
	Scopes                     []access.Scope
	Hidden, Accounts           []option
}

const maxDialogBody = 64 << 10

func (d *dialog) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxDialogBody)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	q, err := d.read(r.Form)
	if err != nil { // nobody is sent anywhere on the word of a request that is not sound
		d.show(w, http.StatusBadRequest, &view{App: "Log in", Error: err.Error(), Fatal: true})
		return
	}
	if r.Method == http.MethodGet {
		d.show(w, http.StatusOK, q.view(r.Form))
		return
	}
	switch r.PostForm.Get("answer") {
	case "login":
		d.login(w, r, q)
	case "allow":
		d.allow(w, r, q)
	default:
		q.send(w, r, url.Values{"error": {"access_denied"}, "error_code": {"200"}, "error_description": {"Permissions error"}, "error_reason": {"user_denied"}})
	}
}

// read checks what an app asks for.
func (d *dialog) read(f url.Values) (*asked, error) {
	q := &asked{state: f.Get("state"), signup: f.Get("config_id") != ""}
	app, ok := d.access.App(wa.AppID(f.Get("client_id")))
	if !ok {
		return nil, errors.New("There is no such app.") //nolint:revive,staticcheck // shown to people
	}
	q.app = app
	// Compared as it is: anything cleverer has been a hole somewhere.
	u, err := url.Parse(f.Get("redirect_uri"))
	if err != nil || !slices.Contains(app.Redirects, f.Get("redirect_uri")) || u.Fragment != "" {
		return nil, errors.New("The redirect address is not one that the app has declared.") //nolint:revive,staticcheck // shown to people
	}
	q.redirect = u
	switch f.Get("response_type") {
	case "", "code":
	case "token":
		q.token = true
	default:
		return nil, errors.New("The response type is neither code nor token.") //nolint:revive,staticcheck // shown to people
	}
	if q.solution, err = solutionOf(f.Get("extras")); err != nil {
		return nil, err
	}
	if _, err := d.solution(q); err != nil {
		return nil, err
	}
	names := strings.FieldsFunc(f.Get("scope"), func(r rune) bool { return r == ',' || r == ' ' })
	if q.signup && len(names) == 0 {
		names = []string{string(access.Management), string(access.Messaging)}
	}
	for _, name := range names {
		if !slices.Contains(access.Scopes, access.Scope(name)) {
			return nil, errors.New("The app asks for a permission that does not exist: " + name)
		}
		q.scopes = append(q.scopes, access.Scope(name))
	}
	q.purpose = strings.Join([]string{string(app.ID), f.Get("redirect_uri"), q.state, f.Get("scope"), f.Get("response_type"), f.Get("config_id"), q.solution}, "\x00")
	return q, nil
}

// solutionOf reads setup.solutionID of extras, the one member of it that matters here. Source: spec/access.md section 12.1.
func solutionOf(extras string) (string, error) {
	if extras == "" {
		return "", nil
	}
	var x struct {
		Setup struct {
			Solution json.RawMessage `json:"solutionID"`
		} `json:"setup"`
	}
	if err := json.Unmarshal([]byte(extras), &x); err != nil {
		return "", errors.New("The extras of the request cannot be read.") //nolint:revive,staticcheck // shown to people
	}
	if id := strings.Trim(string(x.Setup.Solution), `"`); id != "null" {
		return id, nil
	}
	return "", nil
}

// solution is the one that clients sign up with, nil for none.
func (d *dialog) solution(q *asked) (*business.Solution, error) {
	if q.solution == "" || !q.signup {
		return nil, nil
	}
	x, ok := d.business.Solution(q.solution)
	if !ok || x.Party(q.app.ID) == nil || x.Status != business.SolutionActive {
		return nil, errors.New("The solution is not an active one of the app.") //nolint:revive,staticcheck // shown to people
	}
	return x, nil
}

// verified reports whether the business of an app is verified.
func (d *dialog) verified(id wa.BusinessID) bool {
	p, ok := d.business.Portfolio(id)
	return ok && p.Verification == business.Verified
}

func (q *asked) view(f url.Values) *view {
	v := &view{App: q.app.Name, Scopes: q.scopes, Signup: q.signup}
	for _, name := range []string{"client_id", "redirect_uri", "state", "scope", "response_type", "config_id", "extras"} {
		if f.Has(name) {
			v.Hidden = append(v.Hidden, option{name, f.Get(name)})
		}
	}
	return v
}

func (d *dialog) show(w http.ResponseWriter, status int, v *view) {
	var b bytes.Buffer
	if err := dialogPage.Execute(&b, v); err != nil {
		http.Error(w, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a reader that has gone cannot be told
}

func (d *dialog) login(w http.ResponseWriter, r *http.Request, q *asked) {
	v := q.view(r.Form)
	p, err := d.access.Login(r.Context(), r.PostForm.Get("email"), r.PostForm.Get("password"), peerOf(r))
	if err != nil {
		v.Error = "The e-mail address or the password is wrong."
		status := http.StatusForbidden
		switch {
		case errors.Is(err, access.ErrLoginPause):
			v.Error = "Too many attempts. Try again in 15 minutes."
		case errors.Is(err, access.ErrLoginBusy):
			status, v.Error = http.StatusServiceUnavailable, "Many people are logging in. Try again in a moment."
		}
		d.show(w, status, v)
		return
	}
	if q.app.Mode == access.Development && !slices.ContainsFunc(p.Member, func(m access.Membership) bool { return m.Business == q.app.Business }) {
		v.Error = "The app is in development. Only people of its own business can use it."
		d.show(w, http.StatusForbidden, v)
		return
	}
	v.Person, v.Ticket = p.Name, d.access.Ticket(q.purpose, p.ID, ticketLife).Reveal()
	if q.signup {
		for _, a := range d.owned(p) {
			v.Accounts = append(v.Accounts, option{a.Name, string(a.ID)})
		}
	}
	d.show(w, http.StatusOK, v)
}

// owned are the accounts a person may share: those of portfolios that they administer.
func (d *dialog) owned(p *access.Person) []*business.WABA {
	var out []*business.WABA
	for _, m := range p.Member {
		if m.Role == access.Admin {
			out = append(out, d.business.WABAs(m.Business)...)
		}
	}
	return out
}

// chosen is the account that the form names, nil when it is not one of the person's.
func (d *dialog) chosen(p *access.Person, r *http.Request) *business.WABA {
	for _, w := range d.owned(p) {
		if string(w.ID) == r.PostForm.Get("waba") {
			return w
		}
	}
	return nil
}

func (d *dialog) allow(w http.ResponseWriter, r *http.Request, q *asked) {
	// What can be refused is refused before the ticket is spent.
	p, ok := d.access.OpenTicket(q.purpose, r.PostForm.Get("ticket"))
	if ok && q.signup && d.chosen(p, r) == nil {
		v := q.view(r.Form)
		v.Error = "The account cannot be shared: choose one of your accounts."
		d.show(w, http.StatusForbidden, v)
		return
	}
	if ok {
		p, ok = d.access.SpendTicket(q.purpose, r.PostForm.Get("ticket"))
	}
	if !ok {
		v := q.view(r.Form)
		v.Error = "Please log in again."
		d.show(w, http.StatusForbidden, v)
		return
	}
	spec := access.CodeSpec{
		Token:    access.TokenSpec{Type: access.UserToken, App: q.app.ID, Actor: p.ID, Scopes: q.scopes, Life: access.ShortLife},
		Redirect: q.redirect.String(), Life: access.DialogCode,
	}
	var err error
	if q.signup {
		if spec, err = d.signUp(r.Context(), q, p, d.chosen(p, r)); err != nil {
			v := q.view(r.Form)
			v.Error = "The account cannot be shared: " + err.Error()
			d.show(w, http.StatusForbidden, v)
			return
		}
	}
	answer := url.Values{}
	if q.token {
		var secret access.Secret
		if secret, _, err = d.access.Issue(r.Context(), spec.Token); err == nil {
			answer.Set("access_token", secret.Reveal())
		}
	} else {
		var code access.Secret
		if code, err = d.access.IssueCode(spec); err == nil {
			answer.Set("code", code.Reveal())
		}
	}
	if err != nil {
		d.log.ErrorContext(r.Context(), "log-in dialog", "err", err)
		http.Error(w, "try again later", http.StatusInternalServerError)
		return
	}
	q.send(w, r, answer)
}

// signUp shares the account with the app's business, and makes the system user that the app acts as for this client. The
// token reaches this account only, and does not expire. Source: spec/access.md section 12.
func (d *dialog) signUp(ctx context.Context, q *asked, p *access.Person, w *business.WABA) (access.CodeSpec, error) {
	if w == nil {
		return access.CodeSpec{}, errors.New("choose one of your accounts")
	}
	tasks := []access.Task{access.Develop, access.MessagingTask, access.ManageTemplates, access.ManagePhone, access.ManagePhoneAssets, access.ViewInsights}
	names := make([]string, len(tasks))
	for i, t := range tasks {
		names[i] = string(t)
	}
	ctx = business.WithActor(ctx, business.Actor{ID: p.ID, Name: p.Name})
	x, err := d.solution(q)
	if err != nil {
		return access.CodeSpec{}, err
	}
	if x != nil {
		tasks = nil
		for _, t := range x.Party(q.app.ID).Grants() {
			tasks = append(tasks, access.Task(t))
		}
	}
	u, err := d.access.AdmitClient(ctx, q.app.ID, w.Owner, p.ID, d.verified(q.app.Business))
	if err != nil {
		return access.CodeSpec{}, err
	}
	if err := d.access.Assign(ctx, string(u.ID), w.ID, tasks); err != nil {
		return access.CodeSpec{}, err
	}
	if x != nil {
		if err := d.join(ctx, w, x.ID); err != nil {
			return access.CodeSpec{}, err
		}
	} else if w.Owner != q.app.Business {
		if _, err := d.business.ShareWABA(ctx, w.ID, business.Share{Business: q.app.Business, Tasks: names}); err != nil {
			return access.CodeSpec{}, err
		}
	}
	if err := d.business.InstalledApp(ctx, w.ID, q.app.ID, q.app.Business); err != nil {
		return access.CodeSpec{}, err
	}
	spec := access.TokenSpec{Type: access.SystemUserToken, App: q.app.ID, Actor: string(u.ID), Scopes: q.scopes}
	for _, sc := range q.scopes {
		if sc != access.PublicProfile {
			spec.Granular = append(spec.Granular, access.Grant{Scope: sc, Targets: []string{string(w.ID)}})
		}
	}
	return access.CodeSpec{Token: spec, Redirect: q.redirect.String(), Life: access.SignupCode}, nil
}

// peerOf is the network address of a request without its port.
func peerOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// send goes back to the app. Codes travel in the query, tokens in the fragment, which no server sees.
func (q *asked) send(w http.ResponseWriter, r *http.Request, answer url.Values) {
	if q.state != "" {
		answer.Set("state", q.state)
	}
	u := *q.redirect
	if q.token && answer.Has("access_token") {
		u.Fragment, u.RawFragment = "", ""
		http.Redirect(w, r, u.String()+"#"+answer.Encode(), http.StatusSeeOther) //nolint:gosec // an address that the app declared
		return
	}
	query := u.Query()
	for k := range answer {
		query.Set(k, answer.Get(k))
	}
	u.RawQuery = query.Encode()
	http.Redirect(w, r, u.String(), http.StatusSeeOther) //nolint:gosec // an address that the app declared
}
