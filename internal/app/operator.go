package app

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// operatorMux serves the operator port: health, metrics, profiles. It is for the machine's own people and listens on
// loopback unless told otherwise.
func (a *App) operatorMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !a.ready.Load() {
			reply(w, http.StatusServiceUnavailable, map[string]string{"status": "starting or stopping"})
			return
		}
		reply(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, operatorIndex(a.o.Sandbox))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{}))
	a.handler(mux)("GET /safety_number", safetyNumber)
	a.handler(mux)("POST /login_link", makeLoginLink)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// sameOrigin keeps web pages of other sites from changing and from reading anything here: the operator port asks for no password,
// and a browser on this machine reaches it. A page whose name was made to mean this machine (DNS rebinding) is of the same origin
// to its browser; it is known by that name, which is none of names and not private.
func sameOrigin(h http.Handler, names []string) http.Handler {
	c := http.NewCrossOriginProtection()
	c.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "a web page of another site may not call the operator port")
	}))
	h = c.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostOf(r.Host); !private(host) && !slices.Contains(names, host) {
			refuse(w, http.StatusMisdirectedRequest, "the operator port does not answer to this host name; use an IP address, localhost or a host name of the configuration")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// hostOf is the name or address in a Host header, in lower case.
func hostOf(header string) string {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = strings.Trim(header, "[]")
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// private reports whether a host is no name that anybody can have in the public DNS: an address, a name of one word such as
// localhost or that of a container, or one below a domain that is kept free for private use.
func private(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return true
	}
	return slices.ContainsFunc([]string{".localhost", ".internal", ".cluster.local"}, func(s string) bool { return strings.HasSuffix(host, s) })
}

// names are the host names of the configuration.
func (o *Options) names() []string {
	list := slices.Concat(o.SelfSigned, o.ACME)
	if u, err := url.Parse(o.PublicURL); err == nil {
		list = append(list, u.Host)
	}
	list = append(list, o.Control)
	for i, name := range list {
		list[i] = hostOf(name)
	}
	return list
}

// operatorIndex is for people who open the operator port in a browser.
func operatorIndex(sandbox bool) string {
	s := "Hikyaku, operator port\n\n/healthz\n/readyz\n/metrics\n/debug/pprof/\n/safety_number?user=NUMBER\n"
	if sandbox {
		s += "/live/        webhooks as they leave\n/control/v1/  see docs/control.md\n"
	}
	return s
}

// reply writes v as JSON.
func reply(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

// refuse writes an error of the operator port.
func refuse(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]string{"error": text})
}
