package graph

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// answer is a finished call: status, JSON and, for refusals, the row and what was behind it.
type answer struct {
	status int
	body   []byte
	row    *wa.Error
	cause  error
	script bool // the body is a call of a function (JSONP)
}

// answer turns the outcome of run into bytes. Whatever is no row of the table is a fault of ours: code 1, its cause is
// logged and not shown.
func (s *Server) answer(c *Call, body []byte, err error) answer {
	if err == nil {
		return answer{status: http.StatusOK, body: body}
	}
	var row *wa.Error
	switch {
	case errors.As(err, &row):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		row = wa.ErrServiceManagement
	default:
		row = wa.ErrUnknown
	}
	if s.opt.Style != nil {
		row = s.opt.Style(row)
	}
	a := answer{row: row, cause: err}
	a.status = a.outcome()
	a.body = appendError(nil, row, c.Version, c.Trace)
	if p, ok := errors.AsType[*Partial](err); ok {
		a.body = p.join(a.body)
	}
	if c.suppressed() {
		a.status = http.StatusOK
	}
	return a
}

// outcome is the status of what happened, also where the caller is told 200: with suppress_http_code, and of scripts.
func (a *answer) outcome() int {
	switch {
	case a.row == nil:
		return a.status
	case a.row.HTTP == 0:
		return http.StatusBadRequest
	}
	return a.row.HTTP
}

func (c *Call) suppressed() bool {
	v := c.Params.Get("suppress_http_code")
	if q, ok := c.queryValue("suppress_http_code"); ok && !v.Present() {
		v = Text("suppress_http_code", q)
	}
	on, err := v.BoolOr(false)
	return err == nil && on
}

// appendError writes the envelope of spec/errors.md 1.1 in its key order.
func appendError(b []byte, e *wa.Error, v Version, trace string) []byte {
	b = append(b, `{"error":{"message":`...)
	b = appendString(b, e.Message())
	b = append(b, `,"type":`...)
	b = appendString(b, e.Type)
	b = append(b, `,"code":`...)
	b = strconv.AppendInt(b, int64(e.Code), 10)
	if e.Subcode != 0 && (e.Family != wa.FamilyCloud || !v.AtLeast(V(16))) {
		b = append(b, `,"error_subcode":`...)
		b = strconv.AppendInt(b, int64(e.Subcode), 10)
	}
	// Messaging errors do not say it, except the platform's own codes 1, 2, 4 and 17 (spec/errors.md 1.1).
	if e.Family == wa.FamilyManagement || (e.Transient && (e.Family != wa.FamilyCloud || e.Code < 100)) {
		b = append(b, `,"is_transient":`...)
		b = strconv.AppendBool(b, e.Transient)
	}
	if e.UserTitle != "" {
		b = append(b, `,"error_user_title":`...)
		b = appendString(b, e.UserTitle)
	}
	if e.UserMsg != "" {
		b = append(b, `,"error_user_msg":`...)
		b = appendString(b, e.UserMsg)
	}
	b = appendErrorData(b, e)
	b = append(b, `,"fbtrace_id":`...)
	b = appendString(b, trace)
	return append(b, "}}"...)
}

// appendErrorData writes error_data. Clients read error_data.details of messaging errors without looking, so a row without
// details repeats its title there.
func appendErrorData(b []byte, e *wa.Error) []byte {
	switch {
	case len(e.Blame) > 0:
		var enc encoder
		specs := make([]any, len(e.Blame))
		for i, path := range e.Blame {
			specs[i] = path
		}
		if enc.value(specs) != nil {
			return b
		}
		b = append(b, `,"error_data":{"blame_field_specs":`...)
		return append(append(b, enc.b...), '}')
	case e.Family == wa.FamilyCloud || e.Details != "":
		d := e.Details
		if d == "" {
			d = e.Title
		}
		b = append(b, `,"error_data":{`...)
		if e.Code < wa.ErrBlock.Code || e.Code > wa.ErrBlockInternal.Code { // the block list says only details
			b = append(b, `"messaging_product":"whatsapp",`...)
		}
		b = append(b, `"details":`...)
		return append(appendString(b, d), '}')
	}
	return b
}

// Header values that never change share their slices; net/http only reads them.
var (
	hJSON      = []string{"application/json; charset=UTF-8"}
	hScript    = []string{"text/javascript; charset=UTF-8"}
	hGzip      = []string{"gzip"}
	hPrivate   = []string{"private, no-cache, no-store, must-revalidate"}
	hNoStore   = []string{"no-store"}
	hNoCache   = []string{"no-cache"}
	hExpires   = []string{"Sat, 01 Jan 2000 00:00:00 GMT"}
	hVary      = []string{"Origin, Accept-Encoding"}
	hAny       = []string{"*"}
	hHSTS      = []string{"max-age=15552000; preload"}
	hExposed   = []string{"X-App-Usage, X-Business-Use-Case-Usage, Facebook-Api-Version, Facebook-Api-Version-Warning, X-Fb-Trace-Id, X-Fb-Request-Id, X-Fb-Rev, Retry-After, WWW-Authenticate, ETag"}
	hNoSniff   = []string{"nosniff"}
	hMethods   = []string{"GET, POST, DELETE, PUT, HEAD, OPTIONS"}
	hHeaders   = []string{"Authorization, Content-Type, If-None-Match, file_offset, Range"}
	hMaxAge    = []string{"86400"}
	hZeroBytes = []string{"0"}
)

func (s *Server) commonHeaders(h http.Header, c *Call) {
	h["X-Fb-Trace-Id"] = []string{c.Trace}
	h["X-Fb-Request-Id"] = []string{c.requestID}
	h["Facebook-Api-Version"] = []string{c.Version.String()}
	if s.opt.Revision != "" {
		h["X-Fb-Rev"] = []string{s.opt.Revision}
	}
	h["Vary"] = hVary
	h["Access-Control-Allow-Origin"] = hAny
	h["Access-Control-Expose-Headers"] = hExposed
	h["X-Content-Type-Options"] = hNoSniff
	if c.req.TLS != nil {
		h["Strict-Transport-Security"] = hHSTS
	}
}

// preflight answers OPTIONS. Tokens travel in a header that scripts set themselves, so any origin may call.
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h["Access-Control-Allow-Methods"] = hMethods
	h["Access-Control-Allow-Headers"] = hHeaders
	h["Access-Control-Max-Age"] = hMaxAge
	h["Content-Length"] = hZeroBytes
	w.WriteHeader(http.StatusOK)
}

// answerHeaders sets what depends on the outcome. It may turn a success into 304.
func (s *Server) answerHeaders(h http.Header, c *Call, a *answer) {
	h["Facebook-Api-Version"] = []string{c.Version.String()} // a caller may have a default version of its own
	h["Content-Type"] = hJSON
	h["Pragma"] = hNoCache
	if a.script {
		h["Content-Type"] = hScript
	}
	if c.asked == Upgraded {
		h["Facebook-Api-Version-Warning"] = []string{"The call has been upgraded to " + c.Version.String() + " as " + c.askedRaw + " is no longer available."}
	}
	maps.Copy(h, c.header)
	if a.row != nil {
		h["Cache-Control"] = hNoStore
		if a.row.RetryIn > 0 {
			h.Set("Retry-After", strconv.FormatFloat(math.Ceil(a.row.RetryIn), 'f', 0, 64))
		}
		h["Www-Authenticate"] = []string{challenge(a.row)}
		return
	}
	h["Cache-Control"] = hPrivate
	h["Expires"] = hExpires
	if c.Method == http.MethodGet {
		tag := etag(a.body)
		h["Etag"] = []string{tag}
		if matchesETag(c.req.Header.Get("If-None-Match"), tag) {
			a.status, a.body = http.StatusNotModified, nil
			delete(h, "Content-Type")
		}
	}
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, c *Call, a answer) {
	h := w.Header()
	s.answerHeaders(h, c, &a)
	if b := compressed(r, a.body); b != nil {
		a.body, h["Content-Encoding"] = b, hGzip
	}
	if a.status != http.StatusNotModified {
		h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // a caller that has gone cannot be told
	}
}

// challenge is the WWW-Authenticate value: at least one official SDK shows it instead of the body.
func challenge(e *wa.Error) string {
	kind := "invalid_request"
	switch {
	case e.Code == 190 || e.Code == 104 || e.Code == 102 || e.Code == 0 || e.Name == wa.ErrNeedUserToken.Name:
		kind = "invalid_token"
	case e.Code == 10 || (e.Code >= 200 && e.Code <= 299):
		kind = "insufficient_scope"
	}
	return `OAuth "Facebook Platform" "` + kind + `" "` + headerText(e.Message()) + `"`
}

// headerText makes a message safe between the quotes of a header.
func headerText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case b.Len() > 512:
			return b.String()
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		case r > 0x7e:
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// etag is a hash of the body, 40 hex digits (spec/graph.md 9.1).
func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:20]) + `"`
}

func matchesETag(header, tag string) bool {
	if header == "" {
		return false
	}
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == tag || part == "*" {
			return true
		}
	}
	return false
}

// panicError is a recovered panic on its way to the log.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func stack() []byte { return debug.Stack() }

// note writes the log line of a call and tells the observer. Paths hold ids; queries may hold secrets and are left out.
func (s *Server) note(ctx context.Context, c *Call, a answer) {
	took := s.opt.Clock.Now().Sub(c.Start)
	if s.opt.Observer != nil {
		s.opt.Observer.Observe(c.route, a.outcome(), took)
	}
	level := slog.LevelDebug
	switch {
	case a.row != nil && a.row.Code == wa.ErrMaintenance.Code, errors.Is(a.cause, context.Canceled):
		level = slog.LevelInfo // a 5xx, but the number is meant to be away for a minute; a client that went away
	case a.row != nil && a.row.Code == wa.ErrUnavailable.Code:
		level = slog.LevelWarn // one for each refused send: whatever is the matter is told once, by who knows it
	case a.outcome() >= 500:
		level = slog.LevelError
	case a.row != nil:
		level = slog.LevelInfo
	}
	if !s.opt.Log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs, slog.String("method", c.Method), slog.String("path", logPath(c)), slog.Int("status", a.outcome()),
		slog.String("fbtrace_id", c.Trace), slog.Float64("took_ms", float64(took.Microseconds())/1000), slog.String("version", c.Version.String()))
	if c.Caller != nil {
		attrs = append(attrs, slog.String("app_id", string(c.Caller.App())))
	}
	if a.row != nil {
		attrs = append(attrs, slog.Int("code", a.row.Code), slog.Int("subcode", a.row.Subcode))
	}
	if level >= slog.LevelWarn {
		attrs = append(attrs, slog.Any("err", a.cause))
		if p := (*panicError)(nil); errors.As(a.cause, &p) {
			attrs = append(attrs, slog.String("stack", string(p.stack)))
		}
	}
	s.opt.Log.LogAttrs(ctx, level, "graph call", attrs...)
}

// logPath is the path without what could be a token pasted into it.
func logPath(c *Call) string {
	p := c.req.URL.Path
	if len(p) > 256 {
		p = p[:256]
	}
	if strings.Contains(p, "EAA") || strings.Contains(p, "access_token") {
		return "(redacted)"
	}
	return strings.ToValidUTF8(p, "?")
}

// traces makes the ids of responses.
type traces struct {
	mu sync.Mutex // guards r when it was injected
	r  io.Reader
}

func newTraces(r io.Reader) *traces { return &traces{r: r} }

// next returns an fbtrace_id, ^A[A-Za-z0-9_-]{22}$, and a request id, [A-Za-z0-9_-]{23}.
func (t *traces) next() (trace, request string) {
	var b [36]byte
	if t.r == nil {
		_, _ = rand.Read(b[:]) // never fails (Go 1.24)
	} else {
		t.mu.Lock()
		_, err := io.ReadFull(t.r, b[:])
		t.mu.Unlock()
		if err != nil {
			_, _ = rand.Read(b[:])
		}
	}
	var out [48]byte
	base64.RawURLEncoding.Encode(out[:], b[:])
	out[0] = 'A'
	s := string(out[:])
	return s[:23], s[23:46]
}
