// Package flowpage is the preview of a flow: a web page that shows its screens on a phone.
//
//	GET  /flows/{id}/preview/?token=…   all screens beside each other, with the examples of their data models
//	     …&interactive=true             one phone that can be used: the walk is that of [document.Session], as on a device
//	POST the same                       one step of it
//
// The server keeps nothing of a walk: what was filled in travels with the page. The page works without its script, which only
// spares reloads; it loads nothing from anywhere, and its policy would not let it. It may stand in a frame of a business's own
// tool. Source: spec/flows.md, section 5.
package flowpage

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/hikyaku/hikyaku/internal/flow/document"
)

// Path is where the pages are, and Pattern what a mux is told.
const (
	Path    = "/flows/"
	Pattern = Path + "{flow}/preview/"
)

// Flow is a flow as its preview shows it.
type Flow struct {
	Name string
	JSON []byte
}

// Errors of a Source.
var (
	// ErrLink reports a link that leads nowhere, or nowhere any more.
	ErrLink = errors.New("the link of the preview does not hold")
	// ErrEndpoint wraps what is to be told of a data endpoint that did not answer.
	ErrEndpoint = errors.New("the data endpoint did not answer")
)

// Source knows the flows. It is safe for concurrent use.
type Source interface {
	// Preview is the flow behind a link. Error: [ErrLink].
	Preview(ctx context.Context, id, token string) (*Flow, error)
	// Exchange asks the flow's endpoint; phone is the number whose key encrypts, as the link names it, or "".
	Exchange(ctx context.Context, id, phone string, q document.Question) (document.Answer, error)
}

// Bounds of a request.
const (
	maxForm  = 4 << 20  // bytes of a step
	maxAtOne = 16       // pages at one time: each opens a flow, and endpoints are asked
	maxPage  = 16 << 20 // bytes of a page
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

var pages = template.Must(template.New("").Parse(pageHTML))

// policy lets the page's own style and script run, and nothing else.
var policy = "default-src 'none'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; style-src " + digest(pageCSS) + "; script-src " + digest(pageJS)

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

type handler struct {
	from   Source
	log    *slog.Logger
	places chan struct{}
}

// Handler serves the pages below [Path].
func Handler(from Source, log *slog.Logger) http.Handler {
	h := &handler{from, log, make(chan struct{}, maxAtOne)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Pattern+"{$}", h.serve)
	mux.HandleFunc("POST "+Pattern+"{$}", h.serve)
	return mux
}

// visit is one request.
type visit struct {
	*handler
	id, token string
	query     url.Values
	doc       *document.Document
	log       []entry
	prose     int // squares of the lengths of Markdown so far
}

// entry is a line of the debug panel.
type entry struct{ Title, JSON string }

func (h *handler) serve(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("Cache-Control", "no-store")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("X-Content-Type-Options", "nosniff")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.Method == http.MethodPost && r.ParseForm() != nil { // it may come slowly, and takes no place meanwhile
		http.Error(w, "The form is too long.", http.StatusRequestEntityTooLarge)
		return
	}
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		head.Set("Retry-After", "1")
		http.Error(w, "Too many previews are in use. Try again.", http.StatusServiceUnavailable)
		return
	}
	q := r.URL.Query()
	v := &visit{handler: h, id: r.PathValue("flow"), token: q.Get("token"), query: q}
	f, err := h.from.Preview(r.Context(), v.id, v.token)
	if err != nil {
		if !errors.Is(err, ErrLink) {
			h.log.ErrorContext(r.Context(), "flow preview", "err", err)
		}
		http.Error(w, "This preview does not exist, or its link has ended. Ask for a new one: GET /{flow-id}?fields=preview.invalidate(false)", http.StatusNotFound)
		return
	}
	var problems []document.Problem
	if v.doc, problems, err = document.Parse(f.JSON); err != nil {
		http.Error(w, "The Flow JSON cannot be read.", http.StatusConflict)
		return
	}
	p := &page{
		Name: f.Name, Version: v.doc.Version.String(), Problems: problems, CSS: template.CSS(pageCSS), JS: template.JS(pageJS), //nolint:gosec // our own files
		Interactive: q.Get("interactive") == "true", Debug: q.Get("debug") == "true", Here: v.link(nil),
		Live: v.link(map[string]string{"interactive": "true"}), Still: v.link(map[string]string{"interactive": ""}),
	}
	if p.Interactive {
		if !v.walk(w, r, p) {
			return
		}
	} else {
		p.Screens = v.shelf
	}
	name := "page"
	if p.Interactive && r.Header.Get("X-Part") == "stage" {
		name = "stage"
	}
	var b paper
	err = pages.ExecuteTemplate(&b, name, p)
	if errors.Is(err, errPage) {
		http.Error(w, "The flow is too large to be shown.", http.StatusConflict)
		return
	}
	if err != nil {
		h.log.ErrorContext(r.Context(), "flow preview", "err", err)
		http.Error(w, "The preview cannot be shown.", http.StatusInternalServerError)
		return
	}
	head.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // the reader has gone
}

// link is the page's address with some parameters changed; empty ones go away.
func (v *visit) link(change map[string]string) string {
	q := maps.Clone(v.query)
	for name, value := range change {
		if q.Del(name); value != "" {
			q.Set(name, value)
		}
	}
	return "?" + q.Encode()
}

// shelf shows all screens, each with its examples: one at a time, so that they are not all held at once.
func (v *visit) shelf(show func(*phone) bool) {
	for _, s := range v.doc.Screens[:min(len(v.doc.Screens), maxShelf)] {
		walk := v.doc.Open("", nil)
		if walk.Start(s.ID, s.Example()) == nil && !show(v.phone(walk, false)) {
			return
		}
	}
}

// paper is what a page is written on. It ends.
type paper struct{ bytes.Buffer }

var errPage = errors.New("the page is full")

func (p *paper) Write(b []byte) (int, error) {
	if p.Len()+len(b) > maxPage {
		return 0, errPage
	}
	return p.Buffer.Write(b) //nolint:wrapcheck // it never fails
}

// maxShelf bounds the screens of the overview.
const maxShelf = 50

// walk takes one step of the phone and reports whether there is a page to show.
func (v *visit) walk(w http.ResponseWriter, r *http.Request, p *page) bool {
	s := v.doc.Open(v.query.Get("flow_token"), v)
	var failure, wrong, open string
	if r.Method == http.MethodPost {
		var path []document.Visit
		if json.Unmarshal([]byte(r.PostForm.Get("state")), &path) != nil || s.Resume(path) != nil {
			http.Error(w, "The form cannot be read. Start again.", http.StatusBadRequest)
			return false
		}
		url, err := v.step(r.Context(), s, r.PostForm)
		wrong, open = v.reason(r.Context(), err), url
	} else if err := v.begin(r.Context(), s); err != nil {
		failure = v.reason(r.Context(), err)
	}
	p.Phone = v.phone(s, true)
	p.Phone.Failure, p.Phone.Wrong, p.Phone.Open, p.Phone.Again = failure, wrong, open, p.Here
	state, err := json.Marshal(s.Path())
	if err != nil {
		http.Error(w, "The walk cannot be kept.", http.StatusInternalServerError)
		return false
	}
	p.State, p.Log = string(state), v.log
	return true
}

// begin opens the flow as the parameters of the link say.
func (v *visit) begin(ctx context.Context, s *document.Session) error {
	if v.query.Get("flow_action") == "data_exchange" {
		return s.Init(ctx)
	}
	var first struct {
		Screen string         `json:"screen"`
		Data   map[string]any `json:"data"`
	}
	if text := v.query.Get("flow_action_payload"); text != "" {
		if err := json.Unmarshal([]byte(text), &first); err != nil {
			return errPayload
		}
	}
	at := v.doc.Entry()
	if first.Screen != "" {
		at = v.doc.Screen(first.Screen)
	}
	if first.Data == nil && at != nil { // as the reference does it: the examples stand in for data
		first.Data = at.Example()
	}
	return s.Start(first.Screen, first.Data)
}

var errPayload = errors.New("flow_action_payload is not {\"screen\":…,\"data\":{…}}")

// step takes the values of a form and does what was pressed.
func (v *visit) step(ctx context.Context, s *document.Session, form url.Values) (open string, err error) {
	before := s.View()
	for i := range before.Elements {
		if err := ctx.Err(); err != nil {
			return "", err //nolint:wrapcheck // nobody is told
		}
		e := &before.Elements[i]
		if !e.Field || !e.Enabled || e.Type == "PhotoPicker" || e.Type == "DocumentPicker" {
			continue
		}
		value := typed(e, form["f."+e.Name])
		if document.Text(value) == document.Text(e.Value) {
			continue
		}
		if err := s.Set(ctx, e.Name, value); err != nil && !errors.Is(err, document.ErrElement) { // hidden by what came before it
			return "", err
		}
		if after := s.View(); after.ID != before.ID {
			return "", nil // the choice led on
		}
	}
	switch do, id, _ := strings.Cut(form.Get("do"), " "); do {
	case "back":
		_, err = s.Back(ctx)
	case "tap":
		open, err = s.Tap(ctx, id)
	}
	return open, err
}

// typed makes a value of what a browser sends for a field.
func typed(e *document.Element, sent []string) any {
	switch {
	case e.Type == "OptIn":
		return len(sent) > 0
	case e.Multiple:
		list := []any{}
		for _, s := range sent {
			list = append(list, s)
		}
		return list
	case e.Input == "range" && len(sent) == 2:
		return map[string]any{"start-date": sent[0], "end-date": sent[1]}
	case len(sent) > 0:
		return sent[0]
	}
	return ""
}

// Exchange implements document.Endpoint and writes down what was said.
func (v *visit) Exchange(ctx context.Context, q document.Question) (document.Answer, error) {
	v.note("Sent to the endpoint", q)
	a, err := v.from.Exchange(ctx, v.id, v.query.Get("phone_number"), q)
	if err == nil {
		v.note("Answer", a)
	}
	return a, err
}

func (v *visit) note(title string, what any) {
	b, err := json.MarshalIndent(what, "", "  ")
	if err == nil {
		v.log = append(v.log, entry{title, string(b)})
	}
}

// reason says why a step failed; empty when it did not, or when the fields say it.
func (v *visit) reason(ctx context.Context, err error) string {
	var fields document.FieldErrors
	switch {
	case err == nil, errors.As(err, &fields):
		return ""
	case errors.Is(err, ErrEndpoint), errors.Is(err, document.ErrAnswer), errors.Is(err, document.ErrScreen),
		errors.Is(err, document.ErrElement), errors.Is(err, errPayload):
		v.note("Error", err.Error())
		return err.Error()
	}
	if ctx.Err() == nil {
		v.handler.log.ErrorContext(ctx, "flow preview", "err", err)
	}
	return "Something went wrong. Try again later."
}
