package policy

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Pacing of portfolios: their templates go out in batches. When one has gone out, what follows is held, until the ratings of the
// portfolio's numbers say how it was taken: then what was held goes, and the next batch begins; or it fails, and the portfolio is
// barred for the time of a review. It works like the pacing of a template, with the portfolio in its place. Source: spec/limits.md
// section 5.

const (
	// knownAfter is how many templates a portfolio must have sent in a year to go out freely.
	knownAfter = 500_000
	known      = 365 * 24 * time.Hour
	// provenTime is how long that counts once it was added up.
	provenTime = time.Hour
	// reviewTime is how long a portfolio is barred from sending and making templates (ours).
	reviewTime = 24 * time.Hour
)

const portfolioPace = "portfolio/"

// paceKey stands for a portfolio among templates; no template has such an id.
func paceKey(id wa.BusinessID) wa.TemplateID { return wa.TemplateID(portfolioPace + string(id)) }

// pacePortfolio counts a template of the number's portfolio, and says whether it is held. undo takes the count back.
func (s *Service) pacePortfolio(ctx context.Context, n *business.Number) (held bool, undo func(), err error) {
	nothing := func() {}
	if s.o.PaceBatch <= 0 || n.Mode == business.Sandbox {
		return false, nothing, nil
	}
	id, now := paceKey(n.Business), s.o.Clock.Now()
	x := s.pacer.open(id)
	if x.now.Load().State == paceHold {
		return true, nothing, nil
	}
	if err := s.askPortfolio(ctx, n.Business, x, now); err != nil {
		return false, nothing, err
	}
	s.pacer.mu.Lock()
	defer s.pacer.mu.Unlock()
	at := *x.now.Load()
	switch {
	case at.State == paceHold:
		return true, nothing, nil
	case !x.applies:
		return false, nothing, nil
	}
	if at, err = s.batch(ctx, n.Business, x, at, now); err != nil {
		return false, nothing, err
	}
	if x.sent < s.o.PaceBatch {
		x.sent++
		return false, func() { s.unsend(x) }, nil
	}
	begun := at.Since
	at = at.anew(paceHold, now)
	at.Counted, at.Until = begun, now.Add(holdTime).UnixMilli()
	if err := s.keep(ctx, id, x, at); err != nil {
		return false, nothing, err
	}
	x.look = now.Add(lookEvery)
	s.Poke()
	return true, nothing, nil
}

// paced are the numbers of a portfolio whose templates are paced.
func (s *Service) paced(id wa.BusinessID) (list []*business.Number) {
	for _, n := range s.o.Business.AllNumbers() {
		if n.Business == id && n.Live() && n.Mode != business.Sandbox {
			list = append(list, n)
		}
	}
	return list
}

// askPortfolio finds out whether a portfolio is paced, when that is not known of late. A year is long to add up: whoever else
// sends for the portfolio meanwhile waits for the same answer, and others wait for nothing.
func (s *Service) askPortfolio(ctx context.Context, id wa.BusinessID, x *paced, now time.Time) error {
	x.asking.Lock()
	defer x.asking.Unlock()
	s.pacer.mu.Lock()
	late := !x.asked.IsZero() && now.Sub(x.asked) < applyTime
	s.pacer.mu.Unlock()
	if late {
		return nil
	}
	applies, err := s.unproven(ctx, id, x, s.paced(id), now)
	if err != nil {
		return err
	}
	s.pacer.mu.Lock()
	defer s.pacer.mu.Unlock()
	x.applies, x.asked = applies, now
	return nil
}

// unproven reports whether a portfolio is paced: it has sent few templates in a year, or one of its numbers is rated badly. It
// needs x.asking.
func (s *Service) unproven(ctx context.Context, id wa.BusinessID, x *paced, numbers []*business.Number, now time.Time) (bool, error) {
	for _, n := range numbers {
		if n.Quality == business.QualityYellow || n.Quality == business.QualityRed {
			return true, nil
		}
	}
	if now.Before(x.proven) {
		return false, nil
	}
	sent, err := s.templatesSince(ctx, id, numbers, now.Add(-known).Unix())
	if err == nil && sent >= knownAfter {
		x.proven = now.Add(provenTime)
	}
	return sent < knownAfter, err
}

// batch begins to count a batch, or finds out what went out of it before a start. It needs pacer.mu.
func (s *Service) batch(ctx context.Context, id wa.BusinessID, x *paced, at pace, now time.Time) (pace, error) {
	if at.State == paceCount && x.sent >= 0 {
		return at, nil
	}
	fresh := at.State != paceCount
	if fresh {
		at = at.anew(paceCount, now)
	}
	sent, err := s.templatesSince(ctx, id, s.paced(id), at.Since/1000)
	if err == nil && fresh {
		at.Before = sent
		err = s.keep(ctx, paceKey(id), x, at)
	}
	if err == nil {
		x.sent = max(sent-at.Before, 0)
	}
	return at, err
}

// templatesSince counts the templates that the numbers sent, from the half hour of since (Unix seconds) on.
func (s *Service) templatesSince(ctx context.Context, id wa.BusinessID, numbers []*business.Number, since int64) (n int, err error) {
	ids := make([]wa.PhoneNumberID, len(numbers))
	for i, x := range numbers {
		ids[i] = x.ID
	}
	from, to := since/analytics.HalfHour*analytics.HalfHour, s.o.Clock.Now().Unix()+analytics.HalfHour
	for _, w := range s.o.Business.WABAs(id) {
		sums, err := s.o.Counts.Sum(ctx, &analytics.Sum{
			Subject: string(w.ID), What: []string{analytics.SentTemplates}, From: from, To: to, Step: to - from, Numbers: ids,
		})
		if err != nil {
			return 0, err
		}
		for _, c := range sums {
			n += int(c.N)
		}
	}
	return n, nil
}

// PacingOf is [Service.Pacing] of a message of the number: its portfolio may be paced as well.
func (s *Service) PacingOf(number wa.PhoneNumberID, id wa.TemplateID, at int64, held bool) (wait bool, row *wa.Error) {
	if wait, row = s.Pacing(id, at, held); wait || row != nil || s.o.PaceBatch <= 0 {
		return wait, row
	}
	n, ok := s.counts(number)
	if !ok {
		return false, nil
	}
	return s.Pacing(paceKey(n.Business), at, held)
}

// judgePortfolio looks at the numbers of a portfolio whose messages are held.
func (s *Service) judgePortfolio(ctx context.Context, key wa.TemplateID, now time.Time) error {
	id := wa.BusinessID(strings.TrimPrefix(string(key), portfolioPace))
	var errs []error
	due := s.looked(key, now)
	_, p := s.pacer.of(key)
	green, red, heard := true, false, false
	for _, n := range s.paced(id) {
		if due {
			errs = append(errs, s.rateNumber(ctx, n.ID))
			n, _ = s.o.Business.Number(n.ID)
		}
		used, err := s.users(ctx, string(n.ID))
		errs = append(errs, err)
		if used == [7]int{} {
			continue // nobody has heard of it
		}
		heard = true
		green = green && n.Quality == business.QualityGreen
		red = red || n.Quality == business.QualityRed && (n.QualityAt.UnixMilli() >= p.Counted || now.UnixMilli() >= p.Until)
	}
	switch {
	case red:
		errs = append(errs, s.review(ctx, id, now))
		if err := errors.Join(errs...); err != nil {
			return err // the bar first: a crash repeats it
		}
		errs = append(errs, s.end(ctx, key, paceDrop, now))
	case due && heard && green && errors.Join(errs...) == nil, now.UnixMilli() >= p.Until:
		errs = append(errs, s.end(ctx, key, pacePass, now))
	}
	return errors.Join(errs...)
}

// review bars the accounts of a portfolio. What is in force already and is harder stays, and so does a review.
func (s *Service) review(ctx context.Context, id wa.BusinessID, now time.Time) error {
	var errs []error
	for _, w := range s.o.Business.WABAs(id) {
		if x := w.Sanction; x.InForce(now) && (x.Step > 1 || x.Writes) {
			continue
		}
		_, err := s.o.Business.SetSanction(ctx, w.ID, business.Sanction{
			Step: 1, Violation: Spam, Templates: true, Numbers: true, Writes: true, Until: now.Add(reviewTime),
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// heldBy are the messages that a template or a portfolio held.
func (s *Service) heldBy(key wa.TemplateID) Held {
	id, ok := strings.CutPrefix(string(key), portfolioPace)
	if !ok {
		return Held{Template: key}
	}
	var h Held
	for _, n := range s.paced(wa.BusinessID(id)) {
		h.Numbers = append(h.Numbers, n.ID)
	}
	return h
}
