package app

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/hikyaku/hikyaku"
)

//go:embed live
var liveFiles embed.FS

// liveRoutes serves the page that shows webhooks as they leave, and the example receivers for download.
func liveRoutes(mux *http.ServeMux) {
	pages, err := fs.Sub(liveFiles, "live")
	if err != nil {
		panic("app: the embedded page is gone: " + err.Error())
	}
	page := http.FileServerFS(pages)
	mux.HandleFunc("GET /live/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.StripPrefix("/live/", page).ServeHTTP(w, r)
	})
	mux.Handle("GET /live/examples/", http.StripPrefix("/live/", http.FileServerFS(hikyaku.Examples)))
	mux.Handle("GET /live", http.RedirectHandler("/live/", http.StatusMovedPermanently))
}
