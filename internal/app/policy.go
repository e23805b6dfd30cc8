package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func (p *platform) openPolicy(ctx context.Context) (err error) {
	rates, err := p.rateCard()
	if err != nil {
		return err
	}
	set := &p.o.settings
	p.policy, err = policy.New(ctx, policy.Options{
		Business: p.rules.business, Template: p.rules.template, Past: p.store, Memory: p.store, Notes: p.store, Counts: p.store,
		Clock: p.clock, Log: p.log, RequirePayment: p.o.RequirePayment, Billing: policy.Billing(p.o.Billing), Ledger: p.store, Enforcement: policy.Mode(p.o.Enforcement),
		Rate: func(ctx context.Context, id wa.TemplateID, q template.Quality, byHand bool) error {
			_, err := p.rules.template.Rate(ctx, id, q, byHand)
			return err
		},
		PaceAfter: p.o.PaceAfter, PaceBatch: p.o.PaceBatch, Rates: rates,
		Marketing: policy.Marketing{
			Adaptive: p.o.AdaptiveCap, Paused: p.o.PausedMarkets, Holdout: int(p.o.Holdout*1000 + 0.5),
			Cap: limits.MarketCap{PerPortfolio: set.Marketing.UserCap, Overall: set.Marketing.UserCapOverall},
		},
		UpgradeTime: time.Duration(set.Throughput.UpgradeSeconds) * time.Second, Calm: set.calm(), ScaleDelay: set.Limits.ScaleDelay,
		LegacyWebhook:      set.Quality.LegacyWebhook,
		InternationalUsers: p.o.InternationalUsers,
	})
	return err
}

// rateCard is what messages cost here.
func (p *platform) rateCard() (pricing.Set, error) {
	if p.o.RateCard == "" {
		return pricing.Sample(), nil
	}
	f, err := os.Open(p.o.RateCard)
	if err != nil {
		return nil, fmt.Errorf("open rate card: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	return pricing.Parse(f)
}

// gate lets the lanes ask the policy.
type gate struct{ s *policy.Service }

func (g gate) Admit(m *pipeline.Message, n *business.Number, now int64) *wa.Error {
	return g.s.Admit(n, policy.Send{User: m.User, Template: m.Template, Category: m.Category, Outside: m.Outside, Entry: m.Entry}, now)
}

func (g gate) Settle(m *pipeline.Message, n *business.Number, delivered bool, now int64) int64 {
	return g.s.Settle(n, policy.Send{User: m.User, Template: m.Template, Category: m.Category, Outside: m.Outside}, delivered, now)
}

func (g gate) Pacing(m *pipeline.Message, held bool) (wait bool, row *wa.Error) {
	return g.s.PacingOf(m.Number, m.Template, m.AcceptedAt, held)
}

// numberNotices lets the policy tell of numbers too.
type numberNotices struct{ n *notices }

func (t numberNotices) Notify(ctx context.Context, waba wa.WABAID, number wa.PhoneNumberID, field string, value []byte) error {
	return t.n.raise(ctx, waba, number, "", field, value)
}

// ---- control API ----

func policyRoutes(handle func(pattern string, h controlHandler)) {
	handle("POST /control/v1/evaluate", func(r *http.Request, p *platform) (any, error) {
		return map[string]bool{"success": true}, p.policy.Evaluate(r.Context())
	})
	handle("GET /control/v1/quality/{id}", explain)
	handle("POST /control/v1/quality/{id}", setRating)
	handle("GET /control/v1/quality/{id}/feedback", listFeedback)
	handle("GET /control/v1/portfolios/{id}/limit", showLimit)
	handle("POST /control/v1/portfolios/{id}/limit", setLimit)
}

func explain(r *http.Request, p *platform) (any, error) {
	e, err := p.policy.Explain(r.Context(), r.PathValue("id"))
	if errors.Is(err, business.ErrUnknown) {
		return nil, notFound("no number and no template %s", r.PathValue("id"))
	}
	return e, err
}

// listFeedback is what users said in seven days, newest last: the last thousand. Source: spec/quality.md section 8.
func listFeedback(r *http.Request, p *platform) (any, error) {
	list, err := p.policy.Feedback(r.Context(), r.PathValue("id"))
	if errors.Is(err, business.ErrUnknown) {
		return nil, notFound("no number and no template %s", r.PathValue("id"))
	}
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, e := range list[max(len(list)-maxFeedback, 0):] {
		out = append(out, map[string]any{
			"at": time.UnixMilli(e.At).UTC(), "wa_id": e.User, "number_id": e.Number, "template_id": e.Template, "what": e.What, "reason": e.Reason,
			"counts": !e.Light,
		})
	}
	return map[string]any{"data": out}, nil
}

const maxFeedback = 1000

func setRating(r *http.Request, p *platform) (any, error) {
	var in struct {
		Rating quality.Rating `json:"rating"`
		Nudge  int            `json:"nudge"` // colours better, or worse when negative, than now
		For    string         `json:"for"`   // how long it stays; empty for ever
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	var until time.Time
	if in.Nudge != 0 {
		e, err := p.policy.Explain(r.Context(), r.PathValue("id"))
		if errors.Is(err, business.ErrUnknown) {
			return nil, notFound("no number and no template %s", r.PathValue("id"))
		}
		if err != nil {
			return nil, err
		}
		if in.Rating != "" {
			return nil, badRequest("want rating or nudge")
		}
		now := e.Rating
		if now == "" || now == quality.Unknown {
			now = quality.Green
		}
		in.Rating = nudged(colours, now, in.Nudge)
		if e.Until != 0 { // a step from what was decided does not make it last longer
			until = time.UnixMilli(e.Until)
		}
	}
	switch in.Rating {
	case "", quality.Unknown, quality.Green, quality.Yellow, quality.Red:
	default:
		return nil, badRequest("rating: want GREEN, YELLOW, RED, UNKNOWN, or empty to let users decide again")
	}
	if in.For != "" {
		d, err := time.ParseDuration(in.For)
		if err != nil || d <= 0 || in.Rating == "" {
			return nil, badRequest("for: want how long the rating stays, such as 6h")
		}
		until = p.clock.Now().Add(d)
	}
	if err := p.policy.SetRatingUntil(r.Context(), r.PathValue("id"), in.Rating, until); err != nil {
		if errors.Is(err, business.ErrUnknown) {
			return nil, notFound("no number and no template %s", r.PathValue("id"))
		}
		return nil, err
	}
	return explain(r, p)
}

// The steps that can be nudged, in rising order.
var (
	colours = []quality.Rating{quality.Red, quality.Yellow, quality.Green}
	tiers   = []business.Tier{business.Tier250, business.Tier2K, business.Tier10K, business.Tier100K, business.TierUnlimited}
)

// nudged is the step so many above now, within bounds; what is on no step counts as the lowest one.
func nudged[T comparable](steps []T, now T, by int) T {
	at := max(slices.Index(steps, now), 0) + max(min(by, len(steps)), -len(steps))
	return steps[max(min(at, len(steps)-1), 0)]
}

func showLimit(r *http.Request, p *platform) (any, error) {
	id := wa.BusinessID(r.PathValue("id"))
	b, ok := p.rules.business.Portfolio(id)
	if !ok {
		return nil, notFound("no portfolio %s", id)
	}
	used, limit := p.policy.Used(id, p.clock.Now().UnixMilli())
	return map[string]any{"id": id, "tier": b.MessagingLimit, "limit": limit, "used": used}, nil
}

func setLimit(r *http.Request, p *platform) (any, error) {
	var in struct {
		Tier  business.Tier `json:"tier"`
		Users int           `json:"users"`
		Nudge int           `json:"nudge"` // steps up, or down when negative, from now
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if b, ok := p.rules.business.Portfolio(wa.BusinessID(r.PathValue("id"))); ok && in.Nudge != 0 && in.Tier == "" {
		in.Tier = nudged(tiers, b.MessagingLimit, in.Nudge)
	}
	switch in.Tier {
	case business.Tier250, business.Tier2K, business.Tier10K, business.Tier100K, business.TierUnlimited:
	default:
		return nil, badRequest("tier: want TIER_250, TIER_2K, TIER_10K, TIER_100K or TIER_UNLIMITED")
	}
	if in.Users < 0 {
		return nil, badRequest("users: want the number of people, or 0 for that of the tier")
	}
	if err := p.policy.SetLimit(r.Context(), wa.BusinessID(r.PathValue("id")), in.Tier, in.Users); err != nil {
		if errors.Is(err, business.ErrUnknown) {
			return nil, notFound("no portfolio %s", r.PathValue("id"))
		}
		return nil, err
	}
	return showLimit(r, p)
}
