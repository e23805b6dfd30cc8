package api

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// DownloadOptions configure the media host. All but Log are needed.
type DownloadOptions struct {
	Access   *access.Service
	Business *business.Service
	Media    *media.Service
	Carriers graph.Carriers
	Log      *slog.Logger // nil: none
	Rand     io.Reader    // of trace ids; nil: crypto/rand
}

// maxRanges bounds the ranges of one request: each opens the file anew.
const maxRanges = 8

// NewDownload serves the files behind the URLs that descriptions and webhooks carry: below [media.Path]. The address is
// signed and ends after five minutes, and the caller needs a token that reaches the account. Source: spec/media.md sections
// 5 and 22, spec/errors.md sections 5.1 and 19.
func NewDownload(o DownloadOptions) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return &download{o}
}

type download struct{ o DownloadOptions }

// ServeHTTP implements http.Handler.
func (d *download) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	q := r.URL.Query()
	if len(r.URL.RawQuery) > 4<<10 {
		q = nil
	}
	caller, err := d.o.Access.AuthenticateFrom(r.Context(), r.RemoteAddr, d.token(r, q))
	if err == nil {
		err = d.o.Access.CheckProof(caller, d.token(r, q), q.Get("appsecret_proof"), q.Get("appsecret_time"), false)
	}
	if errors.Is(err, wa.ErrTooManyTokens) {
		d.refuseToken(w, wa.ErrTooManyTokens)
		return
	}
	if err != nil {
		d.refuseToken(w, wa.ErrTokenMedia)
		return
	}
	m, err := d.o.Media.Visit(r.Context(), q)
	if err == nil && !d.reaches(caller, m) {
		err = media.ErrNotFound
	}
	if errors.Is(err, media.ErrNotFound) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if err != nil {
		d.o.Log.ErrorContext(r.Context(), "read media", "err", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	d.serve(w, r, m)
}

func (d *download) serve(w http.ResponseWriter, r *http.Request, m *media.Media) {
	h := w.Header()
	h.Set("Content-Type", m.MIME)
	h.Set("Content-Disposition", "attachment; filename="+m.ID+media.Extension(media.Bare(m.MIME)))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cache-Control", "private, max-age=300")
	h.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(m.SHA256)+`"`)
	if strings.Count(r.Header.Get("Range"), ",") >= maxRanges {
		r.Header.Del("Range")
	}
	c := d.o.Media.Content(r.Context(), m)
	defer c.Close() //nolint:errcheck // it was only read
	// A file that was changed on disk ends early: the answer is then shorter than it says, which every client notices.
	made := time.Time{} // without it there is no Last-Modified
	if m.Made != 0 {
		made = time.UnixMilli(m.Made)
	}
	http.ServeContent(w, r, "", made, c)
}

// reaches says whether a caller may have the file: a file of a number whoever may message with it, the sample of a template
// the app that uploaded it.
func (d *download) reaches(c *access.Caller, m *media.Media) bool {
	if m.App != "" {
		return c.App.ID == m.App
	}
	w, ok := d.o.Business.WABA(m.WABA)
	return ok && c.May(asset(w), access.MessagingTask, access.Messaging) == access.Allowed
}

func (d *download) token(r *http.Request, q url.Values) string {
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "oauth") {
		return strings.TrimSpace(token)
	}
	if d.o.Carriers.Query {
		return q.Get("access_token")
	}
	return ""
}

// refuseToken is the one answer to all tokens that are missing or wrong. Source: spec/errors.md section 5.1.
func (d *download) refuseToken(w http.ResponseWriter, row *wa.Error) {
	var id [16]byte
	_, _ = io.ReadFull(d.o.Rand, id[:]) // never fails
	type inner struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    int    `json:"code"`
		Trace   string `json:"fbtrace_id"`
	}
	body, err := json.Marshal(struct {
		Error inner `json:"error"`
	}{inner{row.Message(), "OAuthException", row.Code, "A" + base64.RawURLEncoding.EncodeToString(id[:])}})
	if err != nil {
		panic(err) // strings and a number
	}
	h := w.Header()
	if row.HTTP == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `OAuth "Facebook Platform" "invalid_token" "`+row.Message()+`"`)
	}
	h.Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(row.HTTP)
	_, _ = w.Write(body) // a caller that has gone cannot be told
}
