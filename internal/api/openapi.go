package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/graph"
)

// OpenAPIPath is where the description of the surface is.
const OpenAPIPath = "/openapi.json"

// DocumentVersion is the version that the document offers first.
const DocumentVersion = "v23.0"

// Document is the surface as an OpenAPI 3.1 document, always the same bytes.
func Document() ([]byte, error) {
	c, err := Describe()
	if err != nil {
		return nil, err
	}
	var versions []string
	for _, r := range graph.DefaultReleases() {
		versions = append(versions, r.Version.String())
	}
	return c.OpenAPI(DocumentVersion, versions)
}

// OpenAPI serves the document to everybody, pages of other sites included: nothing in it depends on this server. It is made
// when it is first asked for.
func OpenAPI(log *slog.Logger) http.Handler {
	made := sync.OnceValues(Document)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		doc, err := made()
		if err != nil {
			log.ErrorContext(r.Context(), "describe the API", "err", err)
			http.Error(w, "the document cannot be made", http.StatusInternalServerError)
			return
		}
		sum := sha256.Sum256(doc)
		h := w.Header()
		h.Set("Content-Type", "application/json; charset=UTF-8")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cache-Control", "public, max-age=3600")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:])+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(doc))
	})
}
