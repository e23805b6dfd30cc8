package business

import (
	"slices"
	"time"
)

// What partners asked of each other is kept for a while after it has ended, and not without bound (both ours).
const (
	endedLife = 90 * 24 * time.Hour
	maxEnded  = 100 // of each kind, of an app, an account or a partner
)

// forget adds what has ended long ago, or what too much has ended after, to a set on its way out of the store.
func (s *snapshot) forget(set *Set, now time.Time) {
	used := map[string]bool{}
	for _, w := range s.wabas {
		if w.Status != WABADeleted {
			used[w.Solution] = true
		}
	}
	for _, x := range outdated(s.solutions, now, func(x *Solution) (string, time.Time, bool) {
		return string(x.Owner.App), x.Updated, x.Status == SolutionRejected || x.Status == SolutionDeactivated && !used[x.ID]
	}) {
		set.Solutions = append(set.Solutions, &Solution{ID: x.ID, Gone: true})
	}
	for _, i := range outdated(s.intents, now, func(i *Intent) (string, time.Time, bool) {
		if w := s.wabas[i.WABA]; w == nil || w.Status == WABADeleted {
			return "", time.Time{}, true
		}
		return string(i.WABA), orElse(i.Updated, i.Created), i.Status != IntentInitiated
	}) {
		set.Intents = append(set.Intents, &Intent{ID: i.ID, Gone: true})
	}
	for _, x := range outdated(s.certifications, now, func(x *Certification) (string, time.Time, bool) {
		if p := s.portfolios[x.Client]; p == nil || !p.Deleted.IsZero() {
			return "", time.Time{}, true
		}
		return string(x.Partner), x.Updated, x.Status != CertificationPending && x.Status != CertificationApproved
	}) {
		set.Certifications = append(set.Certifications, &Certification{ID: x.ID, Gone: true})
	}
}

// outdated picks what is to be forgotten; ended says whose an object is, and when it ended if it did.
func outdated[V any](all map[string]V, now time.Time, ended func(V) (of string, at time.Time, ok bool)) (out []V) {
	rest := map[string][]V{}
	for _, v := range all {
		switch of, at, ok := ended(v); {
		case !ok:
		case now.Sub(at) >= endedLife:
			out = append(out, v)
		default:
			rest[of] = append(rest[of], v)
		}
	}
	for _, list := range rest {
		if len(list) <= maxEnded {
			continue
		}
		slices.SortFunc(list, func(a, b V) int {
			_, x, _ := ended(a)
			_, y, _ := ended(b)
			return y.Compare(x)
		})
		out = append(out, list[maxEnded:]...)
	}
	return out
}
