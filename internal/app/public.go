package app

import (
	"io"
	"net/http"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/network"
)

// publicHandler joins what the public port serves: the user network below /network/v1/, everything else is the Graph API.
func (p *platform) publicHandler(a *App) (http.Handler, error) {
	driver, inbox, err := codeDriver(p.o, p.log)
	if err != nil {
		return nil, err
	}
	p.inbox = inbox
	var registrar *network.Registrar
	if driver != nil {
		registrar = network.NewRegistrar(network.RegistrarConfig{
			Directory: p.directory, Codes: p.store, Driver: driver, Businesses: businesses{p.rules.business}, Clock: p.clock, Log: p.log,
		})
	}
	versions, err := graph.NewRegistry(p.o.Strict, graph.DefaultReleases()...)
	if err != nil {
		return nil, err
	}
	surface, err := api.New(api.Options{
		Access: p.rules.access, Business: p.rules.business, Template: p.rules.template, Groups: p.rules.groups, Webhooks: p.subs, Pipeline: p.pipeline,
		Media: p.media, Clock: p.clock, Log: p.log, Observer: a.metrics.graph, Versions: versions,
		Carriers: graph.Carriers{Query: p.o.QueryTokens, Form: p.o.QueryTokens}, BaseURL: p.o.PublicURL,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/network/v1/", network.Handler(p.hub, registrar))
	mux.Handle(media.Path, api.NewDownload(api.DownloadOptions{
		Access: p.rules.access, Business: p.rules.business, Media: p.media, Carriers: graph.Carriers{Query: p.o.QueryTokens}, Log: p.log,
	}))
	for _, path := range []string{"/wa/manage/", "/phone", "/phone/", "/chat", "/chat/"} {
		mux.HandleFunc(path, notBuilt)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux cleans paths with a redirect; the Graph API accepts doubled and trailing slashes, so it must see the path
		// as it came.
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		surface.ServeHTTP(w, r)
	}), nil
}

func notBuilt(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.WriteHeader(http.StatusNotImplemented)
	_, _ = io.WriteString(w, "This page is not part of this version of Hikyaku. The same is done by the Graph API and, in a\n"+
		"sandbox, by the control API and `hikyaku chat`: see docs/ in the repository.\n")
}
