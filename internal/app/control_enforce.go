package app

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// enforcementRoutes are what a policy team does. Source: spec/quality.md section 8.
func enforcementRoutes(handle func(pattern string, h controlHandler)) {
	handle("GET /control/v1/enforcement", showMode)
	handle("POST /control/v1/enforcement", setMode)
	handle("GET /control/v1/wabas/{id}/enforcement", showSanction)
	handle("POST /control/v1/wabas/{id}/enforcement", setSanction)
	handle("DELETE /control/v1/wabas/{id}/enforcement", func(r *http.Request, p *platform) (any, error) {
		return sanctionAnswer(p)(p.rules.business.LiftSanction(r.Context(), wa.WABAID(r.PathValue("id"))))
	})
	handle("POST /control/v1/wabas/{id}/appeal", appealSanction)
	handle("POST /control/v1/numbers/{id}/reached", pretend)
	handle("POST /control/v1/numbers/{id}/enforcement", sanctionNumber)
	handle("DELETE /control/v1/numbers/{id}/enforcement", func(r *http.Request, p *platform) (any, error) {
		return numberSanction(p)(p.rules.business.SanctionNumber(r.Context(), wa.PhoneNumberID(r.PathValue("id")), nil))
	})
}

// pretend spares a scenario a hundred thousand messages.
func pretend(r *http.Request, p *platform) (any, error) {
	var in struct {
		Users int `json:"users"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Users < 0 || in.Users > maxPretended {
		return nil, badRequest("users: want a number of people up to %d", maxPretended)
	}
	if err := p.policy.Pretend(r.Context(), wa.PhoneNumberID(r.PathValue("id")), in.Users); err != nil {
		return nil, accountError(err)
	}
	return map[string]int{"users": in.Users}, nil
}

const maxPretended = 10_000_000

func showMode(_ *http.Request, p *platform) (any, error) {
	return map[string]policy.Mode{"mode": p.policy.Mode()}, nil
}

func setMode(r *http.Request, p *platform) (any, error) {
	var in struct {
		Mode policy.Mode `json:"mode"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Mode != "" && !slices.Contains(policyModes, in.Mode) {
		return nil, badRequest("mode: want one of %v, or empty for that of the start", policyModes)
	}
	if err := p.policy.SetMode(r.Context(), in.Mode); err != nil {
		return nil, err
	}
	return showMode(r, p)
}

var policyModes = []policy.Mode{policy.Off, policy.Observe, policy.Enforce}

// sanctionJSON is null when there is none.
func sanctionJSON(x *business.Sanction, now time.Time) any {
	if x == nil {
		return nil
	}
	out := map[string]any{
		"step": x.Step, "violation": x.Violation, "templates": x.Templates, "messages": x.Messages, "numbers": x.Numbers, "writes": x.Writes,
		"final": x.Final, "from": x.From.UTC(), "in_force": x.InForce(now), "appeal": x.Appeal,
	}
	if !x.Until.IsZero() {
		out["until"] = x.Until.UTC()
	}
	return out
}

func sanctionAnswer(p *platform) func(*business.WABA, error) (any, error) {
	return func(w *business.WABA, err error) (any, error) {
		if err != nil {
			return nil, accountError(err)
		}
		return map[string]any{"id": w.ID, "status": w.Status, "sanction": sanctionJSON(w.Sanction, p.clock.Now())}, nil
	}
}

func numberSanction(p *platform) func(*business.Number, error) (any, error) {
	return func(n *business.Number, err error) (any, error) {
		if err != nil {
			return nil, accountError(err)
		}
		return map[string]any{"id": n.ID, "status": n.Status, "sanction": sanctionJSON(n.Sanction, p.clock.Now())}, nil
	}
}

func showSanction(r *http.Request, p *platform) (any, error) {
	w, ok := p.rules.business.WABA(wa.WABAID(r.PathValue("id")))
	if !ok {
		return nil, notFound("no account %s", r.PathValue("id"))
	}
	return sanctionAnswer(p)(w, nil)
}

// sanctionBody reads which step of the ladder, and for what.
func sanctionBody(r *http.Request) (step int, violation string, err error) {
	var in struct {
		Step      *int   `json:"step"`
		Violation string `json:"violation"`
	}
	if err := body(r, &in); err != nil {
		return 0, "", err
	}
	if in.Step == nil || *in.Step < 0 || *in.Step > policy.LastStep {
		return 0, "", badRequest("step: want a step of the ladder, from 0 (a warning) to %d (for good)", policy.LastStep)
	}
	if in.Violation == "" {
		in.Violation = policy.Spam
	}
	if len(in.Violation) > 64 || strings.Trim(in.Violation, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
		return 0, "", badRequest("violation: want a violation_type such as SCAM")
	}
	return *in.Step, in.Violation, nil
}

func setSanction(r *http.Request, p *platform) (any, error) {
	step, violation, err := sanctionBody(r)
	if err != nil {
		return nil, err
	}
	return sanctionAnswer(p)(p.policy.Sanction(r.Context(), wa.WABAID(r.PathValue("id")), step, violation))
}

func sanctionNumber(r *http.Request, p *platform) (any, error) {
	step, violation, err := sanctionBody(r)
	if err != nil {
		return nil, err
	}
	return numberSanction(p)(p.policy.SanctionNumber(r.Context(), wa.PhoneNumberID(r.PathValue("id")), step, violation))
}

// appealSanction files an appeal, or with a decision ends it.
func appealSanction(r *http.Request, p *platform) (any, error) {
	var in struct {
		Decision string `json:"decision"`
	}
	if r.ContentLength != 0 {
		if err := body(r, &in); err != nil {
			return nil, err
		}
	}
	id, s := wa.WABAID(r.PathValue("id")), p.rules.business
	switch in.Decision {
	case "":
		return sanctionAnswer(p)(s.Appeal(r.Context(), id))
	case "APPROVED", "REJECTED":
		return sanctionAnswer(p)(s.DecideAppeal(r.Context(), id, in.Decision == "APPROVED"))
	}
	return nil, badRequest("decision: want APPROVED or REJECTED, or none to file the appeal")
}
