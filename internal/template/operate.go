package template

import (
	"context"
	"errors"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrState is returned when an operator asks for what the state of a template does not allow.
var ErrState = errors.New("the state of the template does not allow this")

// Decide ends a review or an appeal by hand. A template that was approved can be rejected, too. Error: [ErrState].
func (s *Service) Decide(ctx context.Context, id wa.TemplateID, v Verdict) (*Template, error) {
	return s.Update(ctx, id, func(t *Template) error {
		rejects := v.Reason != ""
		if t.Status != Pending && t.Status != InAppeal && (t.Status != Approved || !rejects) && (t.Status != Rejected || rejects) {
			return ErrState
		}
		t.decide(v, s.o.Clock.Now())
		return nil
	})
}

// Appeal asks for another look at a rejected template. Unless a person decides within a day, it stays rejected. Error: [ErrState].
func (s *Service) Appeal(ctx context.Context, id wa.TemplateID) (*Template, error) {
	return s.Update(ctx, id, func(t *Template) error {
		if t.Status != Rejected {
			return ErrState
		}
		t.Was, t.Status, t.Used = t.Status, InAppeal, s.o.Clock.Now()
		if !s.o.ByHand {
			t.Review = t.Used.Add(appealTime)
		}
		t.tellStatus(string(InAppeal), "NONE", "")
		return nil
	})
}

// Rate gives a template a quality score. The third time that it becomes red it is disabled, before it is paused for a
// while. byHand says that messages of it are held back: then only people end the pause, and it is paused although it was
// red before. Source: spec/quality.md section 3.
func (s *Service) Rate(ctx context.Context, id wa.TemplateID, q Quality, byHand bool) (*Template, error) {
	return s.Update(ctx, id, func(t *Template) error {
		t.rate(q, byHand, s.o.Clock.Now())
		return nil
	})
}

// Recategorise announces that the category will change: after a day, or for [Authentication] the rejection on the first
// day of the next month. at once leaves out the notice. Error: [ErrState]. Source: spec/templates.md section 12.
func (s *Service) Recategorise(ctx context.Context, id wa.TemplateID, c Category, at time.Time) (*Template, error) {
	return s.Update(ctx, id, func(t *Template) error {
		now := s.o.Clock.Now()
		if t.Status != Approved || c == t.Category || t.Category == Authentication {
			return ErrState
		}
		if at.IsZero() {
			at = now.Add(noticePeriod)
			if c == Authentication {
				at = time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			}
		}
		t.Correct, t.Recategorise = c, at
		if !at.After(now) {
			t.recategorise()
			return nil
		}
		b := quoted(quoted(nil, `,"correct_category":`, string(c)), `,"new_category":`, string(t.Category))
		b = append(append(b, `,"category_update_timestamp":`...), itoa(int(at.Unix()))...)
		t.tell("template_category_update", b)
		return nil
	})
}

// Migrate copies templates of one account to another of the same business: those that are approved and whose quality is
// not low. Source: spec/templates.md section 16.1.
func (s *Service) Migrate(ctx context.Context, from, to wa.WABAID, ids []wa.TemplateID, may Allowance) (done []wa.TemplateID, failed []Failure, err error) {
	a := s.account(to)
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view.Load()
	taken := map[key]bool{}
	var made []*Template
	for _, id := range ids {
		why := ""
		old, ok := s.Template(id)
		switch {
		case !ok || old.WABA != from:
			why = "Template does not exist"
		case old.Status != Approved:
			why = "Only approved templates can be migrated"
		case old.Quality != QualityGreen && old.Quality != QualityUnknown:
			why = "Template quality is too low"
		case v.byKey[key{old.Name, old.Language}] != nil || taken[key{old.Name, old.Language}]:
			why = "Template already exists"
		case may.Limit > 0 && len(v.live)+len(made) >= may.Limit:
			why = "Template limit reached"
		case old.Category == Authentication && !may.Passcodes:
			why = "Incorrect category"
		case v.catalog(old) != nil:
			why = "There can be only one catalog template"
		}
		if why == "" && !old.Sample {
			if o := v.sibling(old.Name, old.Language); o != nil && o.Category != old.Category {
				why = "Incorrect category"
			}
		}
		if old != nil && old.Sample {
			why = "Sample templates cannot be migrated"
		}
		if why != "" {
			failed = append(failed, Failure{id, why})
			continue
		}
		t := *old
		t.ID, t.WABA, t.Quality, t.life = "", to, QualityUnknown, life{Ever: true}
		if err := s.complete(&t); err != nil {
			return nil, nil, err
		}
		t.tellComponents()
		t.tellStatus(string(Approved), "NONE", "")
		taken[key{t.Name, t.Language}] = true
		made = append(made, &t)
		done = append(done, t.ID)
	}
	if len(made) == 0 {
		return nil, failed, nil
	}
	return done, failed, s.commit(ctx, a, made...)
}
