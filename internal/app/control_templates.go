package app

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// reviewAfter is how long the automatic reviewer of templates takes. Source: spec/quality.md section 3.3 (ours).
const reviewAfter = 2 * time.Second

func templateRoutes(handle func(string, controlHandler)) {
	handle("GET /control/v1/templates", listTemplates)
	handle("POST /control/v1/templates/{id}/review", reviewTemplate)
	handle("POST /control/v1/templates/{id}/appeal", appealTemplate)
	handle("POST /control/v1/templates/{id}/quality", rateTemplate)
	handle("POST /control/v1/templates/{id}/category", recategoriseTemplate)
}

func templateJSON(t *template.Template) map[string]any {
	return map[string]any{
		"id": t.ID, "waba_id": t.WABA, "name": t.Name, "language": t.Language, "category": t.Category, "status": t.Status,
		"quality": t.Quality, "rejected_reason": t.Rejected, "correct_category": t.Correct,
	}
}

// listTemplates lists those of an account; without one, of the starter account.
func listTemplates(r *http.Request, p *platform) (any, error) {
	w := wa.WABAID(r.URL.Query().Get("waba_id"))
	if w == "" {
		w = p.plan.WABAID
	}
	status := r.URL.Query().Get("status")
	out := []map[string]any{}
	for _, t := range p.rules.template.List(w) {
		if status == "" || strings.EqualFold(status, string(t.Status)) {
			out = append(out, templateJSON(t))
		}
	}
	return map[string]any{"data": out}, nil
}

// reviewTemplate decides a review or an appeal by hand.
func reviewTemplate(r *http.Request, p *platform) (any, error) {
	var in struct {
		Decision       string `json:"decision"`
		Reason         string `json:"reason"`
		Why            string `json:"why"`
		Recommendation string `json:"recommendation"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	v := template.Verdict{Why: in.Why, Recommendation: in.Recommendation}
	switch in.Decision {
	case "approve":
		if in.Reason != "" {
			return nil, badRequest("reason: only a rejection has one")
		}
	case "reject":
		if v.Reason = in.Reason; v.Reason == "" {
			v.Reason = "INVALID_FORMAT"
		}
		if !slices.Contains(template.Reasons, v.Reason) {
			return nil, badRequest("reason: want one of %s", strings.Join(template.Reasons, ", "))
		}
	default:
		return nil, badRequest("decision: want approve or reject")
	}
	return shown(p.rules.template.Decide(r.Context(), wa.TemplateID(r.PathValue("id")), v))
}

func appealTemplate(r *http.Request, p *platform) (any, error) {
	return shown(p.rules.template.Appeal(r.Context(), wa.TemplateID(r.PathValue("id"))))
}

func rateTemplate(r *http.Request, p *platform) (any, error) {
	var in struct {
		Score template.Quality `json:"score"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	switch in.Score {
	case template.QualityGreen, template.QualityYellow, template.QualityRed, template.QualityUnknown:
	default:
		return nil, badRequest("score: want GREEN, YELLOW, RED or UNKNOWN")
	}
	return shown(p.rules.template.Rate(r.Context(), wa.TemplateID(r.PathValue("id")), in.Score, false))
}

// recategoriseTemplate plans the change of a category, with the usual notice, or makes it at once.
func recategoriseTemplate(r *http.Request, p *platform) (any, error) {
	var in struct {
		Category template.Category `json:"category"`
		Now      bool              `json:"now"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Category.Pricing() == "" {
		return nil, badRequest("category: want MARKETING, UTILITY or AUTHENTICATION")
	}
	at := time.Time{}
	if in.Now {
		at = p.clock.Now()
	}
	return shown(p.policy.Recategorise(r.Context(), wa.TemplateID(r.PathValue("id")), in.Category, at))
}

func shown(t *template.Template, err error) (any, error) {
	switch {
	case errors.Is(err, template.ErrUnknown):
		return nil, notFound("there is no such template")
	case errors.Is(err, template.ErrState):
		return nil, &controlError{http.StatusConflict, "the state of the template does not allow this"}
	case err != nil:
		return nil, err
	}
	return templateJSON(t), nil
}
