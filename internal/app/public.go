package app

import (
	"io"
	"net/http"
	"strings"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/api/flowpage"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/manager"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/network"
)

// publicHandler joins what the public port serves: the user network below /network/v1/, everything else is the Graph API.
func (p *platform) publicHandler(a *App) (http.Handler, error) {
	var registrar *network.Registrar
	if p.codes != nil {
		registrar = network.NewRegistrar(network.RegistrarConfig{
			Directory: p.directory, Codes: p.store, Driver: p.codes, Businesses: businesses{p.rules.business, p.base}, Clock: p.clock, Log: p.log,
		})
	}
	versions, err := p.o.settings.Versions.registry(p.o.Strict)
	if err != nil {
		return nil, err
	}
	carriers, err := graph.ParseCarriers(p.o.TokenCarriers)
	if err != nil {
		return nil, err
	}
	rates, err := p.rateCard()
	if err != nil {
		return nil, err
	}
	surface, err := api.New(api.Options{
		Full: p.policy.Full, Pace: p.policy, RequirePayment: p.o.RequirePayment, Funded: p.policy.Funded,
		Access: p.rules.access, Business: p.rules.business, Template: p.rules.template, Groups: p.rules.groups, Flows: p.rules.flow, Grant: p.grantFlow, Webhooks: p.rules.subs, Told: p.webhooks.About, Pipeline: p.pipeline,
		Media: p.media, Pictures: p.store, Clock: p.clock, Counts: p.store, Rates: rates, Log: p.log, Observer: a.metrics.graph, Versions: versions,
		Carriers: carriers, BaseURL: p.o.PublicURL, Rand: p.o.traces(), Names: p.o.random("pictures"), Style: p.o.errors.style(p.o.settings.Pair.RetryAfterHeader),
		Unrated: p.o.settings.Quality.UnratedLabel, LegacyFlagged: p.o.settings.Quality.LegacyFlagged, AppFloor: p.o.settings.RateLimit.AppFloor,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/network/v1/", network.Handler(p.hub, registrar))
	mux.Handle(media.Path, api.NewDownload(api.DownloadOptions{
		Access: p.rules.access, Business: p.rules.business, Media: p.media, Carriers: carriers, Log: p.log, Rand: p.o.traces(),
	}))
	mux.Handle(api.FlowMediaPattern, api.FlowMedia(p.media, p.log))
	pages := api.Public(p.rules.business, p.store)
	for _, path := range []string{api.QRPath, api.PicturePath, api.LinkPath} {
		mux.Handle(path, pages)
	}
	mux.Handle("GET "+api.OpenAPIPath, api.OpenAPI(p.log))
	mux.Handle(api.FlowPath+"{flow}/flow.json", api.FlowFile(p.rules.flow))
	mux.Handle(flowpage.Pattern, flowpage.Handler(flowPages{p}, p.log))
	dialog := api.Dialog(p.rules.access, p.rules.business, p.rules.subs, p.log)
	mux.Handle(api.DialogPath, dialog)
	pagesForPeople, err := p.manager(a, surface)
	if err != nil {
		return nil, err
	}
	for _, root := range manager.Roots {
		mux.Handle(root, pagesForPeople)
	}
	for path, page := range map[string]string{
		"/phone": "phones side by side", "/phone/": "phones side by side",
		"/chat": "a phone in the browser", "/chat/": "a phone in the browser",
	} {
		mux.HandleFunc(path, notBuilt(page))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if version, ok := strings.CutSuffix(r.URL.Path, api.DialogPath); ok && strings.HasPrefix(version, "/v") && strings.Count(version, "/") == 1 {
			dialog.ServeHTTP(w, r)
			return
		}
		// The mux cleans paths with a redirect; the Graph API accepts doubled and trailing slashes, so it must see the path
		// as it came.
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		surface.ServeHTTP(w, r)
	}), nil
}

// notBuilt says in plain words that a page of the plan is not there, and what to use until then.
func notBuilt(page string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		w.WriteHeader(http.StatusNotImplemented)
		_, _ = io.WriteString(w, "This page is not built yet: here will be "+page+".\n\nUntil then\n"+
			"  the Manager, /wa/manage/home/, has the pages there are   docs/README.md\n"+
			"  hikyaku chat --as +NUMBER is a phone in the terminal     docs/cli.md\n"+
			"  in a sandbox, the control API does the rest              docs/control.md\n")
	}
}
