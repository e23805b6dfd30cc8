package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// The control API does what only a stand-in can do. It is served on the operator port of a sandbox; docs/control.md
// describes it.

const maxControlBody = 1 << 20

// controlHandler is a call of the control API. What it returns is written as JSON; a *controlError sets the status.
type controlHandler func(r *http.Request, p *platform) (any, error)

type controlError struct {
	status int
	text   string
}

func (e *controlError) Error() string { return e.text }

func badRequest(format string, args ...any) error {
	return &controlError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &controlError{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

// handler registers calls that need the running platform.
func (a *App) handler(mux *http.ServeMux) func(pattern string, h controlHandler) {
	return func(pattern string, h controlHandler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			p := a.platform.Load()
			if p == nil || !a.ready.Load() {
				refuse(w, http.StatusServiceUnavailable, "starting or stopping")
				return
			}
			limit := int64(maxControlBody)
			if r.PathValue("wa_id") != "" {
				limit = maxControlMessage // a file may be in it
			}
			r.Body = http.MaxBytesReader(w, r.Body, limit)
			v, err := h(r, p)
			var ce *controlError
			switch {
			case errors.As(err, &ce):
				refuse(w, ce.status, ce.text)
			case err != nil:
				a.o.Logger.Warn("control call", "path", r.URL.Path, "err", err)
				refuse(w, http.StatusInternalServerError, err.Error())
			default:
				if csv, ok := v.(table); ok {
					w.Header().Set("Content-Type", "text/csv; charset=utf-8")
					_, _ = w.Write(csv)
					return
				}
				reply(w, http.StatusOK, v)
			}
		})
	}
}

func (a *App) controlRoutes(mux *http.ServeMux) {
	handle := a.handler(mux)
	a.userRoutes(handle)
	templateRoutes(handle)
	flowRoutes(handle)
	accountRoutes(handle)
	handle("GET /control/v1/clock", a.showClock)
	handle("POST /control/v1/clock", a.setClock)
	handle("POST /control/v1/idle", a.idle)
	handle("GET /control/v1/codes", listCodes)
	handle("GET /control/v1/webhooks", listWebhooks)
	handle("POST /control/v1/webhooks", raiseWebhook)
	handle("POST /control/v1/webhooks/test", testWebhook)
	handle("POST /control/v1/webhooks/{id}/redeliver", redeliver)
	handle("GET /control/v1/numbers", listNumbers)
	handle("POST /control/v1/numbers", createNumber)
	handle("POST /control/v1/numbers/{id}/throughput", setThroughput)
	policyRoutes(handle)
	enforcementRoutes(handle)
	handle("POST /control/v1/reset", a.resetCall)
	mux.HandleFunc(anyControl, func(w http.ResponseWriter, r *http.Request) {
		if methods := otherMethods(mux, r); len(methods) > 0 {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			refuse(w, http.StatusMethodNotAllowed, r.Method+" is not for "+r.URL.Path+"; use "+strings.Join(methods, " or "))
			return
		}
		refuse(w, http.StatusNotImplemented, "there is no "+r.Method+" "+r.URL.Path+" in this version; see docs/control.md")
	})
}

// anyControl takes what no call of the control API does.
const anyControl = "/control/v1/"

// otherMethods are the methods with which there is a call at the path of a request.
func otherMethods(mux *http.ServeMux, r *http.Request) (list []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := http.Request{Method: method, Host: r.Host, URL: r.URL}
		if _, pattern := mux.Handler(&other); pattern != anyControl {
			list = append(list, method)
		}
	}
	return list
}

// body reads one JSON value, with no other members than v has.
func body(r *http.Request, v any) error {
	if err := decodeBody(r, v); err != nil {
		if errors.Is(err, io.EOF) {
			return badRequest("body: it is empty; want JSON")
		}
		return err
	}
	return nil
}

// optional is body for calls that can do without one.
func optional(r *http.Request, v any) error {
	if err := decodeBody(r, v); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// decodeBody returns io.EOF when there is nothing.
func decodeBody(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); more == io.EOF {
			return nil
		}
		err = errors.New("more follows the JSON value")
	}
	var size *http.MaxBytesError
	switch {
	case errors.Is(err, io.EOF):
		return err
	case errors.As(err, &size):
		return &controlError{http.StatusRequestEntityTooLarge, fmt.Sprintf("body: more than %d bytes", size.Limit)}
	}
	return badRequest("body: %v", err)
}

// ---- clock ----

func (a *App) showClock(*http.Request, *platform) (any, error) {
	return map[string]any{"now": a.clock.Now().Format(time.RFC3339Nano), "scale": a.control.Scale()}, nil
}

func (a *App) setClock(r *http.Request, p *platform) (any, error) {
	var in struct {
		Advance string   `json:"advance"`
		Scale   *float64 `json:"scale"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Scale != nil {
		if *in.Scale < 0 {
			return nil, badRequest("scale must not be negative")
		}
		a.control.SetScale(*in.Scale)
	}
	if in.Advance != "" {
		d, err := time.ParseDuration(in.Advance)
		if err != nil {
			return nil, badRequest("advance: want a duration such as 25h")
		}
		if d < 0 {
			return nil, badRequest("advance: time does not go back; want a duration such as 25h")
		}
		a.control.Advance(d)
	}
	p.fleet.Poke()
	p.policy.Poke()
	return a.showClock(r, p)
}

// ---- idle ----

const (
	idleStep    = 5 * time.Millisecond
	idleDefault = 10 * time.Second
	idleMost    = 10 * time.Minute
)

// idle answers when nothing is in flight: every message is as far as it can come without time passing.
func (a *App) idle(r *http.Request, p *platform) (any, error) {
	var in struct {
		Timeout string `json:"timeout"`
	}
	if err := optional(r, &in); err != nil {
		return nil, err
	}
	limit := idleDefault
	if in.Timeout != "" {
		d, err := time.ParseDuration(in.Timeout)
		if err != nil || d <= 0 || d > idleMost {
			return nil, badRequest("timeout: want a duration up to %s", idleMost)
		}
		limit = d
	}
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	defer cancel()
	// Work passes from room to room, so one quiet look is not enough: it must stay quiet for some looks in a row.
	for quiet := 0; quiet < 3; {
		if p.quiet() {
			quiet++
		} else {
			quiet = 0
		}
		if a.wall.Sleep(ctx, idleStep) != nil {
			return nil, &controlError{http.StatusGatewayTimeout, "still busy after " + limit.String() + ": " + p.busyWith()}
		}
	}
	return map[string]bool{"idle": true}, nil
}

func (p *platform) quiet() bool { return p.busyWith() == "" }

func (p *platform) busyWith() string {
	switch {
	case !p.pipeline.Idle():
		return "lanes"
	case p.fleet != nil && !p.fleet.idle():
		return "virtual users"
	case !p.rules.template.Idle():
		return "templates"
	case !p.policy.Idle():
		return "ratings"
	case !p.rules.flow.Idle():
		return "flows"
	case !p.rules.business.Idle():
		return "account notices"
	case !p.directory.Idle():
		return "news of people"
	case !p.webhooks.Idle():
		return "webhooks"
	case !p.pipeline.Projected():
		return "store"
	}
	return ""
}

// ---- codes ----

func listCodes(r *http.Request, p *platform) (any, error) {
	if p.inbox == nil {
		return nil, notFound("codes are not caught here: the driver is %q", p.o.Codes)
	}
	if r.URL.Query().Get("phone") == "" {
		return nil, badRequest("say whose codes: ?phone=16505555555")
	}
	id, err := wa.ParsePhone(r.URL.Query().Get("phone"))
	if err != nil {
		return nil, badRequest("phone: %v", err)
	}
	type code struct {
		Code   string    `json:"code"`
		Method string    `json:"method"`
		At     time.Time `json:"at"`
	}
	out := []code{}
	for _, m := range p.inbox.Codes(id) {
		out = append(out, code{m.Code, m.Method, m.At})
	}
	return map[string]any{"data": out}, nil
}

// ---- webhooks ----

const deliveriesMost = 1000

func listWebhooks(r *http.Request, p *platform) (any, error) {
	limit := 100
	if s := r.URL.Query().Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return nil, badRequest("limit: want a number from 1 to %d", deliveriesMost)
		}
		limit = min(n, deliveriesMost)
	}
	app := wa.AppID(r.URL.Query().Get("app_id"))
	id := wa.MessageID(r.URL.Query().Get("message_id"))
	list := p.webhooks.Deliveries(limit, func(d *webhook.Delivery) bool {
		return (app == "" || d.Endpoint.App == app) && (id == "" || slices.Contains(d.Messages, id))
	})
	out := make([]map[string]any, len(list))
	for i := range list {
		out[i] = deliveryJSON(&list[i])
	}
	return map[string]any{"data": out, "endpoints": endpointsJSON(p)}, nil
}

func endpointsJSON(p *platform) []map[string]any {
	out := []map[string]any{}
	for _, s := range p.webhooks.Stats() {
		out = append(out, map[string]any{
			"app_id": s.Endpoint.App, "url": s.URL, "suspended": s.Suspended, "concurrency": s.Concurrency,
			"in_flight": s.InFlight, "queued": s.Queued, "waiting": s.Waiting, "answered": s.Answers, "failed": s.Failed,
			"lost": s.Lost, "median_ms": s.Median().Milliseconds(), "share_above_1s": s.Slow(), "meets_standard": s.MeetsStandard(),
		})
	}
	return out
}

func redeliver(r *http.Request, p *platform) (any, error) {
	at, err := p.webhooks.Redeliver(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, notFound("%v", err)
	}
	return attemptJSON(at), nil
}

// ---- numbers ----

func numberJSON(n *business.Number) map[string]any {
	return map[string]any{
		"id": n.ID, "waba_id": n.WABA, "wa_id": n.WaID, "display_phone_number": n.Display, "level": n.Level, "mps": n.Limit(),
		"registered": n.Registered,
	}
}

func listNumbers(_ *http.Request, p *platform) (any, error) {
	out := []map[string]any{}
	for _, n := range p.rules.business.AllNumbers() {
		out = append(out, numberJSON(n))
	}
	return map[string]any{"data": out}, nil
}

// createNumber adds a registered number to the starter WABA.
func createNumber(r *http.Request, p *platform) (any, error) {
	var in struct {
		Phone string `json:"phone"`
		Name  string `json:"name"`
		Live  bool   `json:"live"` // limits count for it, other than for test numbers
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	id, err := wa.ParsePhone(in.Phone)
	if err != nil {
		return nil, badRequest("phone: %v", err)
	}
	now := p.clock.Now()
	mode := business.Sandbox
	if in.Live {
		mode = business.Live
	}
	n, err := p.rules.business.CreateNumber(r.Context(), business.Number{
		WABA: p.plan.WABAID, WaID: id, VerifiedName: in.Name, NameStatus: business.NameAvailableWithout,
		Status: business.NumberConnected, CodeVerification: business.CodeVerified, Quality: business.QualityUnknown,
		Mode: mode, Platform: business.CloudAPI, Level: business.Standard, Registered: true, LastOnboarded: now,
		AllowAll: !p.o.Strict,
	})
	if err != nil {
		return nil, badRequest("%s", inWords(err))
	}
	return numberJSON(n), nil
}

// inWords prefers the sentence that a row of the error table has for people.
func inWords(err error) string {
	var row *wa.Error
	if errors.As(err, &row) && row.UserMsg != "" {
		return row.UserMsg
	}
	return err.Error()
}

func setThroughput(r *http.Request, p *platform) (any, error) {
	var in struct {
		Level string `json:"level"`
		MPS   int    `json:"mps"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	level := business.Level(in.Level)
	if level == "" {
		level = business.High
	}
	if (level != business.Standard && level != business.High) || in.MPS < 0 {
		return nil, badRequest("want level STANDARD or HIGH, and mps not negative")
	}
	id := wa.PhoneNumberID(r.PathValue("id"))
	if err := p.policy.SetLevel(r.Context(), id, level, in.MPS); err != nil {
		return nil, notFound("%v", err)
	}
	n, ok := p.rules.business.Number(id)
	if !ok {
		return nil, notFound("no number %s", id)
	}
	return numberJSON(n), nil
}
