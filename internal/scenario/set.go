package scenario

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// set lets the operator decide.
func (p *player) set(ctx context.Context, s *SetStep) error {
	var said []string
	do := func(on bool, what, path string, body map[string]any) error {
		if !on {
			return nil
		}
		said = append(said, what)
		return p.control(ctx, http.MethodPost, p.fill(path), body, nil)
	}
	of := "{number}"
	if s.Of != "" {
		of = "{" + s.Of + "}"
	}
	limit := map[string]any{"tier": s.Tier, "users": s.TierUsers}
	if s.Nudge != 0 {
		limit = map[string]any{"nudge": s.Nudge}
	}
	sanction := map[string]any{"step": s.Sanction}
	if s.Violation != "" {
		sanction["violation"] = s.Violation
	}
	appeal := map[string]any{}
	if s.Appeal != "FILE" {
		appeal["decision"] = s.Appeal
	}
	quality := s.Quality
	if quality == "USERS" { // they decide again
		quality = ""
	}
	for _, err := range []error{
		do(s.Tier != "" || s.Nudge != 0, strings.TrimSpace("messaging limit "+s.Tier), "portfolios/{business}/limit", limit),
		do(s.Quality != "", "quality "+s.Quality, "quality/"+of, map[string]any{"rating": quality}),
		do(s.Level != "", "throughput "+s.Level, "numbers/{number}/throughput", map[string]any{"level": s.Level}),
		do(s.Verification != "", "business "+s.Verification, "portfolios/{business}", map[string]any{"verification": s.Verification}),
		do(s.Enforcement != "", "enforcement "+s.Enforcement, "enforcement", map[string]any{"mode": s.Enforcement}),
		do(s.Sanction != nil, "sanction", "wabas/{waba}/enforcement", sanction),
		do(s.Appeal != "", "appeal "+strings.ToLower(s.Appeal), "wabas/{waba}/appeal", appeal),
		do(s.Reached != 0, fmt.Sprintf("%d people count as reached", s.Reached), "numbers/{number}/reached", map[string]any{"users": s.Reached}),
	} {
		if err != nil {
			return err
		}
	}
	if len(said) == 0 {
		return fmt.Errorf("set: nothing is set: %w", ErrFile)
	}
	p.line("", "operator", strings.Join(said, ", "))
	return p.idle(ctx)
}
