package manager

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/manager/static"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// Options of the web app: the services that the Graph API has, too. The first ones are needed.
type Options struct {
	Access   *access.Service
	Business *business.Service
	Template *template.Service
	Webhooks *webhook.Service
	Clock    clock.Clock

	Counts analytics.Source                                 // of messages; nil: nothing was counted
	Reach  func(id wa.BusinessID, now int64) (used, of int) // of a portfolio's messaging limit; nil: not shown
	Graph  http.Handler                                     // the Graph API of this server, for pages that make a call of it; nil: they cannot

	Dispatcher *webhook.Dispatcher // of webhooks: what was delivered, and tests; nil: pages show none
	Removal    Remover             // deletes test accounts; nil: nobody does
	Files      fs.FS               // examples and Postman collections to download; nil: none

	BaseURL string // of the server: its scheme decides over the cookie's Secure, its path shape over bookmarks
	Version string // of the Graph API in examples, such as v23.0
	Release string // of the program, below the mark
	Log     *slog.Logger

	// Developer is the portfolio that whoever opens a page on this machine administers, without logging in: development mode.
	// Empty: everybody logs in. See [Manager.develop] for what a request must look like.
	Developer string
	// StandIn is the user who exists in a sandbox from its first start, to whom messages are addressed where nobody else is chosen.
	// Empty: nobody.
	StandIn wa.WaID
	// Open lets recipients of new test numbers be anybody: a sandbox.
	Open bool
}

// Manager is the web app.
type Manager struct {
	o       Options
	log     *slog.Logger
	mux     *http.ServeMux
	table   []route
	cookie  string
	secure  bool
	handler http.Handler
}

// Roots are the paths that the web app answers, each with everything below it.
var Roots = []string{
	"/wa/manage/", "/settings/", "/apps/", "/tools/", "/get-started/", "/login/", "/logout", "/preferences", static.Root,
}

// New builds the web app.
func New(o Options) (*Manager, error) {
	if o.Access == nil || o.Business == nil || o.Template == nil || o.Webhooks == nil || o.Clock == nil {
		return nil, errors.New("manager: Options needs Access, Business, Template, Webhooks and Clock")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Manager{o: o, log: o.Log, mux: http.NewServeMux()}
	u, err := url.Parse(o.BaseURL)
	if err != nil {
		return nil, err
	}
	// Cookies know no ports: two servers on one machine must not take each other's.
	m.secure = u.Scheme == "https"
	m.cookie = "hikyaku_session"
	if m.secure {
		m.cookie = "__Host-" + m.cookie
	}
	if p := u.Port(); p != "" {
		m.cookie += "_" + p
	}
	m.mux.Handle(static.Root, static.Handler())
	m.mux.HandleFunc("POST /preferences", SavePreferences)
	m.table = m.routes()
	for i, r := range m.table { // what answers a form stands where its page stands in the menu
		if j := slices.IndexFunc(m.table, func(p route) bool { return p.method == http.MethodGet && p.path == pathOf(r.back) }); j >= 0 {
			m.table[i].place = m.table[j].place
		}
	}
	for _, r := range m.table {
		m.mux.Handle(r.method+" "+r.path, m.serve(r))
		if trimmed := strings.TrimSuffix(r.path, "/{$}"); trimmed != r.path && r.method == http.MethodGet {
			m.mux.Handle("GET "+trimmed, http.HandlerFunc(slash))
		}
	}
	m.mux.Handle("/", m.serve(route{path: "/", do: func(*visit) error { return errMissing }}))
	m.handler = Guard(m.mux)
	return m, nil
}

// ServeHTTP implements http.Handler.
func (m *Manager) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.handler.ServeHTTP(w, r) }

// slash leads to the address with the slash at its end, as bookmarks have it.
func slash(w http.ResponseWriter, r *http.Request) {
	u := url.URL{Path: r.URL.Path + "/", RawQuery: r.URL.RawQuery}
	http.Redirect(w, r, Back(u.String()), http.StatusMovedPermanently)
}
