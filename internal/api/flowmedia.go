package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/media"
)

// HandedFiles opens the encrypted files that endpoints of flows were told of.
type HandedFiles interface {
	// Fetch returns the file and its size. Errors: [media.ErrNotFound].
	Fetch(ctx context.Context, id string, q url.Values) (io.ReadCloser, int64, error)
}

// FlowMediaPattern is where the public port serves these files.
const FlowMediaPattern = "GET " + media.HandedPath + "{file}"

// FlowMedia serves them: without a token, because the address is signed and nobody can read what it gives without the keys. Source:
// Flows reference, "Media upload".
func FlowMedia(files HandedFiles, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, size, err := files.Fetch(r.Context(), r.PathValue("file"), r.URL.Query())
		if errors.Is(err, media.ErrNotFound) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if err != nil {
			log.ErrorContext(r.Context(), "read a flow's file", "err", err)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		defer f.Close()
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Length", strconv.FormatInt(size, 10))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "private, max-age=300")
		if r.Method != http.MethodHead {
			_, _ = io.Copy(w, f) // the endpoint has gone, or sees that bytes are missing
		}
	})
}
