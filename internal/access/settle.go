package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// World says what is left of the objects that tokens and people stand on.
type World interface {
	// Gone reports whether the portfolio was deleted. One that is only about to be made is not gone.
	Gone(id wa.BusinessID) bool
	// Reaches reports whether the portfolio owns the account or has a share of it. It is true for ids that are no accounts.
	Reaches(p wa.BusinessID, id wa.WABAID) bool
}

// Settle ends, in one transaction, the apps whose portfolio is gone, the tokens of apps and system users whose portfolio is gone, the tokens that a client
// granted to a partner who has lost the account, and memberships of portfolios that are gone. Their tokens answer 190 from
// now on; the apps stay known, so that they are told why. What is settled stays as it is: a start settles what a crash left
// half done.
func (s *Service) Settle(ctx context.Context, w World) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := &Set{}
	for _, t := range s.Tokens(func(t *Token) bool { return t.Revoked.IsZero() && s.adrift(t, w) }) {
		c := *t
		c.Revoked, c.Why = s.clock.Now(), AppRemoved
		set.Tokens = append(set.Tokens, &c)
	}
	for _, a := range s.Apps() {
		if w.Gone(a.Business) {
			c := *a
			c.Removed = s.clock.Now()
			set.Apps = append(set.Apps, &c)
		}
	}
	for _, p := range s.People() {
		gone := func(m Membership) bool { return w.Gone(m.Business) }
		if slices.ContainsFunc(p.Member, gone) {
			c := *p
			c.Member = slices.DeleteFunc(slices.Clone(p.Member), gone)
			set.People = append(set.People, &c)
		}
	}
	if len(set.Tokens)+len(set.People)+len(set.Apps) == 0 {
		return nil
	}
	if err := s.commit(ctx, set); err != nil {
		return fmt.Errorf("settle tokens: %w", err)
	}
	return nil
}

// adrift reports whether what a token stands on is gone.
func (s *Service) adrift(t *Token, w World) bool {
	a, ok := s.App(t.App)
	if ok && w.Gone(a.Business) {
		return true
	}
	u, isSystem := s.SystemUser(wa.SystemUserID(t.Actor))
	if !isSystem {
		return false
	}
	if w.Gone(u.Business) {
		return true
	}
	return ok && u.Client != "" && slices.ContainsFunc(t.Granular, func(g Grant) bool {
		return slices.ContainsFunc(g.Targets, func(id string) bool { return !w.Reaches(a.Business, wa.WABAID(id)) })
	})
}
