package business

import (
	"slices"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Templates an account may have, each language counts. Source: spec/templates.md section 3.
const (
	fewTemplates  = 250
	manyTemplates = 6000
)

// TemplateLimit is how many templates an account may have: more when its portfolio is verified and some number of the portfolio has
// a display name that was approved. An account that is gone has the lower limit.
func (s *Service) TemplateLimit(id wa.WABAID) int {
	w, ok := s.WABA(id)
	if !ok {
		return fewTemplates
	}
	if p, ok := s.Portfolio(w.Owner); !ok || p.Verification != Verified {
		return fewTemplates
	}
	approved := func(n *Number) bool { return n.NameStatus == NameApproved }
	if slices.ContainsFunc(s.WABAs(w.Owner), func(w *WABA) bool { return slices.ContainsFunc(s.Numbers(w.ID), approved) }) {
		return manyTemplates
	}
	return fewTemplates
}
