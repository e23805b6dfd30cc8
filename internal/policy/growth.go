package policy

import (
	"context"
	"errors"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Evaluate looks at every portfolio, number and template. It runs every hour; the operator may ask for it at any time.
func (s *Service) Evaluate(ctx context.Context) error {
	s.working.Lock()
	defer s.working.Unlock()
	var errs []error
	for _, n := range s.o.Business.AllNumbers() {
		if n.Registered {
			errs = append(errs, s.rateNumber(ctx, n.ID))
		}
	}
	for _, p := range s.o.Business.Portfolios() {
		errs = append(errs, s.evaluate(ctx, p), s.tellTiers(ctx, p))
		for _, w := range s.o.Business.WABAs(p.ID) {
			errs = append(errs, s.closeUtility(ctx, w.ID))
		}
	}
	s.mu.Lock()
	for id := range s.active { // templates in use, and those whose rating may have to go
		s.dirty[id] = true
	}
	for id, n := range s.notes {
		s.dirty[id] = s.dirty[id] || n.Rating != ""
	}
	s.active = map[string]bool{}
	s.mu.Unlock()
	errs = append(errs, s.catchUp(ctx))
	return errors.Join(errs...)
}

// evaluate needs Service.working.
func (s *Service) evaluate(ctx context.Context, p *business.Portfolio) error {
	var ids []wa.PhoneNumberID
	var numbers []*business.Number
	for _, n := range s.o.Business.AllNumbers() {
		if n.Business == p.ID && n.Live() && n.Mode != business.Sandbox {
			ids, numbers = append(ids, n.ID), append(numbers, n)
		}
	}
	now := s.o.Clock.Now()
	if err := s.raise(ctx, p, ids, numbers, now); err != nil {
		return err
	}
	if err := s.becomeEligible(ctx, p, ids, now); err != nil {
		return err
	}
	for _, n := range numbers {
		if err := s.upgrade(ctx, n, now); err != nil {
			return err
		}
	}
	return nil
}

// raise moves the portfolio's messaging limit up a step when it was earned. A limit that the operator set stays.
func (s *Service) raise(ctx context.Context, p *business.Portfolio, ids []wa.PhoneNumberID, numbers []*business.Number, now time.Time) (err error) {
	note := s.noteOf(string(p.ID))
	raised := max(note.Raised, p.Raised.UnixMilli())
	if note.Earned != 0 && note.Earned <= raised {
		note.Earned = 0 // it was given, and only this note was not saved
	}
	if !raisable(p) {
		return s.unearn(ctx, p.ID, note)
	}
	r := limits.Raise{
		Limit: p.Reach(), Verified: p.Verification == business.Verified, Since: now.Sub(time.UnixMilli(raised)),
	}
	if r.HighGrade, err = s.highGrade(ctx, p.ID, numbers); err != nil {
		return err
	}
	window, users := limits.RaiseWindow, &r.Users7
	if r.Limit < limits.Reach2K {
		window, users = limits.VerifyWindow, &r.Users30
	}
	if *users, err = s.reachedBy(ctx, ids, now.Add(-window).UnixMilli()); err != nil {
		return err
	}
	tier := tierOf(r.Next())
	if r.Next() == r.Limit {
		if err := s.unearn(ctx, p.ID, note); err != nil {
			return err
		}
		note.Earned = 0
		return s.deny(ctx, p, note, r)
	}
	if note.Earned == 0 {
		note.Earned = now.UnixMilli()
	}
	if now.Before(time.UnixMilli(note.Earned).Add(s.o.ScaleDelay)) {
		return s.save(ctx, string(p.ID), note)
	}
	if _, err := s.o.Business.RaiseMessagingLimit(ctx, p.ID, p.MessagingLimit, tier); err != nil {
		return err
	}
	note.Denied, note.Earned = false, 0
	return s.save(ctx, string(p.ID), note)
}

// raisable reports whether the portfolio's messaging limit can grow by itself.
func raisable(p *business.Portfolio) bool {
	return p.ReachLimit == 0 && p.Reach() != limits.Unlimited
}

// unearn forgets a limit that was earned and cannot be given any more: nothing may stay due for it.
func (s *Service) unearn(ctx context.Context, id wa.BusinessID, note note) error {
	if note.Earned == 0 {
		return nil
	}
	note.Earned = 0
	return s.save(ctx, string(id), note)
}

// revalueLater lets CatchUp look at what a portfolio has earned: a rating has changed.
func (s *Service) revalueLater(id wa.BusinessID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed[id] = true
}

// revalue looks at the portfolios of which a rating has changed, or whose raise is due. Source: spec/limits.md section 3.2.
func (s *Service) revalue(ctx context.Context) error {
	now := s.o.Clock.Now()
	s.mu.Lock()
	list := s.changed
	s.changed = map[wa.BusinessID]bool{}
	for id, n := range s.notes {
		if n.Earned != 0 && !now.Before(time.UnixMilli(n.Earned).Add(s.o.ScaleDelay)) {
			list[wa.BusinessID(id)] = true
		}
	}
	s.mu.Unlock()
	var errs []error
	for id := range list {
		p, ok := s.o.Business.Portfolio(id)
		if !ok {
			continue
		}
		if err := s.evaluate(ctx, p); err != nil {
			s.revalueLater(id)
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		s.mu.Lock()
		s.retry = now.Add(retryRaise)
		s.mu.Unlock()
	}
	return errors.Join(errs...)
}

// retryRaise is how long the clock waits after a limit could not be given.
const retryRaise = time.Minute

// nextRaise is when the next limit that was earned is given; zero for never. Limits of the operator's do not grow.
func (s *Service) nextRaise() (at time.Time) {
	if s.o.ScaleDelay == 0 {
		return at
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, n := range s.notes {
		if n.Earned == 0 {
			continue
		}
		if p, ok := s.o.Business.Portfolio(wa.BusinessID(id)); !ok || !raisable(p) {
			continue
		}
		if t := time.UnixMilli(n.Earned).Add(s.o.ScaleDelay); at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if !at.IsZero() && at.Before(s.retry) {
		at = s.retry
	}
	return at
}

// SetLimit gives a portfolio a messaging limit: a tier, and when users is not 0 that many people instead. The business room
// tells of another tier. Errors: business.ErrUnknown.
func (s *Service) SetLimit(ctx context.Context, id wa.BusinessID, tier business.Tier, users int) error {
	old, ok := s.o.Business.Portfolio(id)
	if !ok {
		return business.ErrUnknown
	}
	c := *old
	c.MessagingLimit, c.ReachLimit = tier, users
	if old.Reach() == limits.Unlimited && c.Reach() != limits.Unlimited {
		if err := s.remember(ctx, id); err != nil {
			return err
		}
	}
	if old.ReachLimit != users {
		if _, err := s.o.Business.UpdatePortfolio(ctx, id, func(p *business.Portfolio) error {
			p.ReachLimit = users
			return nil
		}); err != nil {
			return err
		}
	}
	_, err := s.o.Business.SetMessagingLimit(ctx, id, tier)
	return err
}

// remember reads back whom a portfolio without limit has reached: nobody kept count.
func (s *Service) remember(ctx context.Context, id wa.BusinessID) error {
	now := s.o.Clock.Now().UnixMilli()
	p := s.portfolio(id)
	return s.o.Memory.ReachedSince(ctx, now-limits.ReachWindow.Milliseconds(), func(r limits.Reached) {
		if n, ok := s.counts(r.Number); ok && n.Business == id {
			p.reach.Load(r.User, r.Counted)
		}
	})
}

// highGrade reports whether no number and no template that was in use in the last seven days is rated badly. Source: spec/limits.md
// section 3.2.
func (s *Service) highGrade(ctx context.Context, id wa.BusinessID, numbers []*business.Number) (bool, error) {
	var bad []string
	for _, n := range numbers {
		if n.Quality == business.QualityYellow || n.Quality == business.QualityRed {
			bad = append(bad, string(n.ID))
		}
	}
	for _, w := range s.o.Business.WABAs(id) {
		for _, t := range s.o.Template.List(w.ID) {
			if t.Quality == template.QualityYellow || t.Quality == template.QualityRed {
				bad = append(bad, string(t.ID))
			}
		}
	}
	since := s.o.Clock.Now().Add(-week).UnixMilli()
	for _, id := range bad {
		used, err := s.users(ctx, id)
		if err != nil {
			return false, err
		}
		if used != [len(used)]int{} || s.noteOf(id).PretendedAt > since {
			return false, nil
		}
	}
	return true, nil
}

// upgrade begins to raise a number to 1,000 messages per second when it was earned: from now on it is away for a moment.
func (s *Service) upgrade(ctx context.Context, n *business.Number, now time.Time) error {
	u := limits.Upgrade{
		Unlimited: s.limit(n.Business) == limits.Unlimited, High: n.Level == business.High || n.Upgrade != "",
		LowRated: n.Quality == business.QualityRed, Fixed: n.OnBizApp || !n.Registered,
	}
	if !u.Unlimited || u.High || u.Fixed {
		return nil
	}
	var err error
	u.Users, err = s.reachedBy(ctx, []wa.PhoneNumberID{n.ID}, now.Add(-limits.ReachWindow).UnixMilli())
	if err != nil || !u.Eligible() {
		return err
	}
	_, err = s.o.Business.UpdateNumber(ctx, n.ID, func(n *business.Number) error {
		n.MaintenanceUntil, n.Upgrade = now.Add(s.o.UpgradeTime), business.High
		return nil
	})
	s.Poke() // Run may sleep until the next hour, and the time away is shorter
	return err
}

// finish gives numbers whose time away is over their new level.
func (s *Service) finish(ctx context.Context) error {
	now := s.o.Clock.Now()
	var errs []error
	for _, n := range s.o.Business.AllNumbers() {
		if n.Upgrade == "" || now.Before(n.MaintenanceUntil) {
			continue
		}
		errs = append(errs, s.setLevel(ctx, n.ID, n.Upgrade, n.MPS))
	}
	return errors.Join(errs...)
}

// SetLevel sets the throughput of a number, at once and without time away; a rise is told. Errors: business.ErrUnknown.
func (s *Service) SetLevel(ctx context.Context, id wa.PhoneNumberID, level business.Level, mps int) error {
	s.working.Lock()
	defer s.working.Unlock()
	return s.setLevel(ctx, id, level, mps)
}

// setLevel needs Service.working: a rise is told once.
func (s *Service) setLevel(ctx context.Context, id wa.PhoneNumberID, level business.Level, mps int) error {
	n, ok := s.o.Business.Number(id)
	if !ok {
		return business.ErrUnknown
	}
	before, after := *n, *n
	before.Upgrade, after.Upgrade = "", ""
	after.Level, after.MPS = level, mps
	if after.Limit() > before.Limit() {
		tier := business.TierUnlimited
		if p, ok := s.o.Business.Portfolio(n.Business); ok {
			tier = p.MessagingLimit
		}
		if err := s.tell(ctx, n.WABA, n.ID, "phone_number_quality_update", map[string]any{
			"display_phone_number": string(n.WaID), "event": "THROUGHPUT_UPGRADE",
			"current_limit": tier, "max_daily_conversations_per_business": tier,
		}); err != nil {
			return err
		}
	}
	_, err := s.o.Business.UpdateNumber(ctx, id, func(n *business.Number) error {
		n.Level, n.MPS, n.Upgrade = level, mps, ""
		return nil
	})
	return err
}

// reachedBy are the people whom the numbers reached after since, and those whom an operator lets count as reached.
func (s *Service) reachedBy(ctx context.Context, ids []wa.PhoneNumberID, since int64) (int, error) {
	users, err := s.o.Past.ReachedBy(ctx, ids, since)
	for _, id := range ids {
		if n := s.noteOf(string(id)); n.PretendedAt > since {
			users += n.Pretended
		}
	}
	return users, err
}

// Pretend lets so many people count as reached by the number at this moment, outside windows and besides those who were, for
// everything that is earned by reaching people. The next call replaces them. It is for stand-ins: nobody sends 100,000 messages
// to see a number grow. Errors: business.ErrUnknown.
func (s *Service) Pretend(ctx context.Context, id wa.PhoneNumberID, users int) error {
	if _, ok := s.o.Business.Number(id); !ok {
		return business.ErrUnknown
	}
	s.rating.Lock()
	defer s.rating.Unlock()
	n := s.noteOf(string(id))
	n.Pretended, n.PretendedAt = users, s.o.Clock.Now().UnixMilli()
	return s.save(ctx, string(id), n)
}

func tierOf(limit int) business.Tier {
	switch {
	case limit < 0:
		return business.TierUnlimited
	case limit >= limits.Reach100K:
		return business.Tier100K
	case limit >= limits.Reach10K:
		return business.Tier10K
	case limit >= limits.Reach2K:
		return business.Tier2K
	}
	return business.Tier250
}

// users are the people a number or a template reached on each of the last seven days, today first.
func (s *Service) users(ctx context.Context, subject string) (days [7]int, err error) {
	today := analytics.DayOf(s.o.Clock.Now().UnixMilli())
	list, err := s.o.Counts.Sum(ctx, &analytics.Sum{
		Subject: subject, What: []string{analytics.Users}, From: today - 6*analytics.Day, To: today + analytics.Day, Step: analytics.Day,
	})
	for _, c := range list {
		if age := (today - c.Bucket) / analytics.Day; age >= 0 && age < 7 {
			days[age] += int(c.N)
		}
	}
	return days, err
}
