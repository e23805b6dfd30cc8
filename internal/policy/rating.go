package policy

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// CatchUp rates whatever users have said something about, and does what has become due.
func (s *Service) CatchUp(ctx context.Context) error {
	s.working.Lock()
	defer s.working.Unlock()
	return s.catchUp(ctx)
}

// catchUp needs Service.working.
func (s *Service) catchUp(ctx context.Context) error {
	s.mu.Lock()
	dirty := s.dirty
	s.dirty = map[string]bool{}
	s.expire(dirty)
	s.mu.Unlock()
	errs := []error{s.finish(ctx)}
	for id := range dirty {
		var err error
		if _, ok := s.o.Business.Number(wa.PhoneNumberID(id)); ok {
			err = s.rateNumber(ctx, wa.PhoneNumberID(id))
		} else {
			err = s.rateTemplate(ctx, wa.TemplateID(id))
		}
		if err != nil { // the next time
			s.mu.Lock()
			s.dirty[id] = true
			s.mu.Unlock()
		}
		errs = append(errs, err)
	}
	errs = append(errs, s.judge(ctx), s.revalue(ctx))
	return errors.Join(errs...)
}

const week = 7 * 24 * time.Hour

// Explained is a rating and why it is what it is.
type Explained struct {
	Subject  string         `json:"id"`
	Rating   quality.Rating `json:"rating"`    // in force
	Now      quality.Score  `json:"now"`       // what the last seven days say
	Days     quality.Days   `json:"days"`      // today first
	Events   int            `json:"events"`    // of feedback
	Enforced int            `json:"would_be"`  // step of enforcement of a number, in force or not; -1 for none
	Override quality.Rating `json:"override"`  // by the operator; empty for none
	Until    int64          `json:"until"`     // Unix milliseconds when the operator's rating ends; 0 for never
	Better   int64          `json:"better_at"` // Unix milliseconds; 0 when the last evaluation was no better
}

// Explain says why a number or a template is rated as it is. Errors: business.ErrUnknown.
func (s *Service) Explain(ctx context.Context, id string) (*Explained, error) {
	score, days, events, err := s.score(ctx, id)
	if err != nil {
		return nil, err
	}
	n := s.noteOf(id)
	e := &Explained{Subject: id, Now: score, Days: days, Events: events, Enforced: n.Standing.Step, Better: n.Better}
	e.Rating = n.Rating
	if e.Rating == "" { // nothing was decided yet: that of its row
		if x, ok := s.o.Business.Number(wa.PhoneNumberID(id)); ok {
			e.Rating = quality.Rating(x.Quality)
		} else if x, ok := s.o.Template.Template(wa.TemplateID(id)); ok {
			e.Rating = quality.Rating(x.Quality)
		}
		e.Rating = cmp.Or(e.Rating, quality.Unknown)
	}
	if r := n.decided(s.o.Clock.Now().UnixMilli()); r != "" {
		e.Rating, e.Override, e.Until = r, r, n.OverrideUntil
	}
	return e, nil
}

// Feedback is what users said of a number or a template in the last seven days, in the order of time, without content. Errors:
// business.ErrUnknown.
func (s *Service) Feedback(ctx context.Context, id string) ([]quality.Event, error) {
	since := s.o.Clock.Now().Add(-week).UnixMilli()
	if _, ok := s.o.Business.Number(wa.PhoneNumberID(id)); ok {
		return s.o.Past.NumberFeedback(ctx, wa.PhoneNumberID(id), since)
	}
	if _, ok := s.o.Template.Template(wa.TemplateID(id)); ok {
		return s.o.Past.TemplateFeedback(ctx, wa.TemplateID(id), since)
	}
	return nil, business.ErrUnknown
}

func (s *Service) score(ctx context.Context, id string) (score quality.Score, d quality.Days, events int, err error) {
	now := s.o.Clock.Now().UnixMilli()
	since := now - week.Milliseconds()
	_, number := s.o.Business.Number(wa.PhoneNumberID(id))
	t, known := s.o.Template.Template(wa.TemplateID(id))
	var list []quality.Event
	switch {
	case number:
		list, err = s.o.Past.NumberFeedback(ctx, wa.PhoneNumberID(id), since)
	case known:
		list, err = s.o.Past.TemplateFeedback(ctx, wa.TemplateID(id), since)
	default:
		err = business.ErrUnknown
	}
	if err != nil {
		return score, d, 0, err
	}
	if d.Users, err = s.users(ctx, id); err != nil {
		return score, d, 0, err
	}
	d.Points = quality.Points(list, !number, now)
	if number || t.Category != template.Marketing {
		return quality.Rate(d), d, len(list), nil
	}
	today := analytics.DayOf(now)
	sums, err := s.o.Counts.Sum(ctx, &analytics.Sum{
		Subject: id, What: []string{analytics.Delivered, analytics.Read}, From: today - 6*analytics.Day, To: today + analytics.Day, Step: 7 * analytics.Day,
	})
	delivered, read := 0, 0
	for _, c := range sums {
		if c.What == analytics.Read {
			read += int(c.N)
		} else {
			delivered += int(c.N)
		}
	}
	return quality.RateMarketing(d, delivered, read), d, len(list), err
}

func (s *Service) rateNumber(ctx context.Context, id wa.PhoneNumberID) error {
	s.rating.Lock()
	defer s.rating.Unlock()
	return s.rateNumberNow(ctx, id)
}

// rateNumberNow needs Service.rating.
func (s *Service) rateNumberNow(ctx context.Context, id wa.PhoneNumberID) error {
	n, ok := s.o.Business.Number(id)
	if !ok {
		return nil
	}
	score, _, _, err := s.score(ctx, string(id))
	if err != nil {
		return err
	}
	now := s.o.Clock.Now()
	note := s.noteOf(string(id))
	before := note
	held := quality.Held{Rating: quality.Rating(n.Quality), Better: note.Better}.Step(score.Rating, now.UnixMilli(), max(s.o.Calm, 0))
	if r := note.decided(now.UnixMilli()); r != "" {
		held = quality.Held{Rating: r}
	} else if note.Override != "" {
		held = quality.Held{Rating: score.Rating} // users decide again, at once
		note.Override, note.OverrideUntil = "", 0
	} else if score.Rating == quality.Unknown && note.Rating == "" {
		return nil // nothing to go by, now or ever: what it was created with stays
	}
	note.Rating, note.Better = held.Rating, held.Better
	switch {
	case held.Rating != quality.Red:
		note.RedSince = 0
	case note.RedSince == 0:
		note.RedSince = now.UnixMilli()
	}
	if s.Mode() != Off {
		note.Standing = note.Standing.Next(note.RedSince, now.UnixMilli())
	}
	if err := s.climb(ctx, n, before.Standing.Step, note.Standing.Step); err != nil {
		return err
	}
	if note != before {
		if err := s.save(ctx, string(id), note); err != nil {
			return err
		}
	}
	if business.Quality(held.Rating) == n.Quality {
		return nil
	}
	if err := s.tellFlag(ctx, n, held.Rating); err != nil {
		return err
	}
	s.revalueLater(n.Business)
	_, err = s.o.Business.SetQuality(ctx, id, business.Quality(held.Rating))
	return err
}

// tellFlag tells in the way of before October 2025 that a number became RED, or is no longer. Source: spec/quality.md section 7.4.
func (s *Service) tellFlag(ctx context.Context, n *business.Number, r quality.Rating) error {
	event := ""
	switch red := r == quality.Red; {
	case !s.o.LegacyWebhook:
	case red:
		event = "FLAGGED"
	case n.Quality == business.QualityRed:
		event = "UNFLAGGED"
	}
	if event == "" {
		return nil
	}
	tier := business.Tier250
	if p, ok := s.o.Business.Portfolio(n.Business); ok {
		tier = p.MessagingLimit
	}
	return s.tell(ctx, n.WABA, n.ID, "phone_number_quality_update", map[string]any{
		"display_phone_number": string(n.WaID), "event": event, "current_limit": tier, "max_daily_conversations_per_business": tier,
	})
}

// rateTemplate keeps the rating of a template. What follows from it, notices and pauses, is the template room's.
func (s *Service) rateTemplate(ctx context.Context, id wa.TemplateID) error {
	s.rating.Lock()
	defer s.rating.Unlock()
	return s.rateTemplateNow(ctx, id)
}

// rateTemplateNow needs Service.rating.
func (s *Service) rateTemplateNow(ctx context.Context, id wa.TemplateID) error {
	t, ok := s.o.Template.Template(id)
	if !ok {
		return nil
	}
	score, _, _, err := s.score(ctx, string(id))
	if err != nil {
		return err
	}
	note := s.noteOf(string(id))
	before := note
	held := quality.Held{Rating: quality.Rating(t.Quality), Better: note.Better}.Step(score.Rating, s.o.Clock.Now().UnixMilli(), max(s.o.Calm, 0))
	if r := note.decided(s.o.Clock.Now().UnixMilli()); r != "" {
		held = quality.Held{Rating: r}
	} else if note.Override != "" {
		held = quality.Held{Rating: score.Rating}
		note.Override, note.OverrideUntil = "", 0
	}
	note.Rating, note.Better = held.Rating, held.Better
	if note != before {
		if err := s.save(ctx, string(id), note); err != nil {
			return err
		}
	}
	if t.Quality == "" && held.Rating == quality.Unknown {
		return nil
	}
	if template.Quality(held.Rating) == t.Quality {
		if again, err := s.redAgain(ctx, t); err != nil || !again {
			return err
		}
	}
	if w, ok := s.o.Business.WABA(t.WABA); ok {
		s.revalueLater(w.Owner)
	}
	_, p := s.pacer.of(id)
	return s.o.Rate(ctx, id, template.Quality(held.Rating), p.State == paceHold)
}

// redAgain reports whether a template whose pause has ended while it was RED got more bad feedback since: that is the next time it
// becomes RED. Source: spec/quality.md section 3.1.
func (s *Service) redAgain(ctx context.Context, t *template.Template) (bool, error) {
	if t.Quality != template.QualityRed || t.Status != template.Approved || t.Resumed.IsZero() {
		return false, nil
	}
	list, err := s.o.Past.TemplateFeedback(ctx, t.ID, t.Resumed.UnixMilli())
	if err != nil {
		return false, err
	}
	return quality.Points(list, true, s.o.Clock.Now().UnixMilli()) != [quality.Span]int{}, nil
}
