package template

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Edits an approved template may have. Source: spec/templates.md section 3.
const (
	editsADay   = 1
	editsAMonth = 10
)

// Change edits a template as its business asks. Components go to review again, settings do not. Errors:
// [wa.ErrTemplateStatus] in a state that cannot be edited or when the budget of edits is used up, those about components,
// and [ErrUnknown].
func (s *Service) Change(ctx context.Context, id wa.TemplateID, e *Edit) (*Template, error) {
	return s.Update(ctx, id, func(t *Template) error {
		if !t.editable() {
			return wa.ErrTemplateStatus
		}
		now := s.o.Clock.Now()
		if e.Category != "" && e.Category != t.Category {
			if t.Status == Approved {
				return wa.ErrParamType.Fill("category", "the category of the approved template, which cannot be changed")
			}
			if err := s.mayBecome(t, e); err != nil {
				return err
			}
		}
		if err := e.checkTTL(effective(e.Category, t.Category)); err != nil {
			return err
		}
		if e.Components == nil {
			return s.retitle(t, e)
		}
		if t.Status == Approved {
			if err := t.spend(now); err != nil {
				return err
			}
		}
		return s.rewrite(ctx, t, e)
	})
}

// editable reports whether a template can be edited at all. Source: spec/templates.md section 4.3.
func (t *Template) editable() bool {
	return !t.Sample && (t.Status == Approved || t.Status == Rejected || t.Status == Paused)
}

// mayBecome holds the category that an edit asks for to the rules of new templates.
func (s *Service) mayBecome(t *Template, e *Edit) error {
	if e.Category == Authentication && !e.Passcodes {
		return wa.ErrTemplateUnverifiedBusiness
	}
	if o := s.look(t.WABA).sibling(t.Name, t.Language); o != nil && o.Category != e.Category && o.Previous != e.Category {
		return otherCategory(o)
	}
	if (e.Category == Authentication) != (t.Category == Authentication) && e.Components == nil {
		return wa.ErrParamRequired.Fill("components")
	}
	return nil
}

func effective(asked, has Category) Category {
	if asked != "" {
		return asked
	}
	return has
}

// retitle changes settings, and the category of what is not approved.
func (s *Service) retitle(t *Template, e *Edit) error {
	if e.Format != "" && e.Format != t.Format {
		return wa.ErrParamRequired.Fill("components")
	}
	e.apply(t)
	if e.Category != "" && e.Category != t.Category {
		t.Category = e.Category
		t.Used = s.o.Clock.Now()
		s.submitted(t)
		t.tellStatus(string(Pending), "NONE", "")
	}
	return nil
}

// rewrite replaces all components.
func (s *Service) rewrite(ctx context.Context, t *Template, e *Edit) error {
	format := t.Format
	if e.Format != "" {
		format = e.Format
	}
	list, err := e.Components(effective(e.Category, t.Category), format)
	if err != nil {
		return err
	}
	if err := e.checkApps(list); err != nil {
		return err
	}
	t.Category = effective(e.Category, t.Category)
	if t.Components = list; t.Category == Authentication {
		t.Components = localise(list, t.Language)
	}
	e.apply(t)
	if err := s.fits(ctx, s.look(t.WABA), e.App, t); err != nil {
		return err
	}
	if err := t.bounded(); err != nil {
		return err
	}
	if err := s.flows(ctx, &e.Settings, t); err != nil {
		return err
	}
	if t.Category == Utility && t.promotes() {
		t.Category, t.Previous = Marketing, Utility
	}
	t.Used, t.Resume = s.o.Clock.Now(), time.Time{}
	t.tellComponents()
	if t.Category == Authentication {
		t.decide(Verdict{}, t.Used)
		return nil
	}
	s.submitted(t)
	t.tellStatus(string(Pending), "NONE", "")
	return nil
}

// spend takes one edit from the budget of an approved template.
func (t *Template) spend(now time.Time) error {
	title := wa.ErrTemplateStatus.UserTitle
	t.Edits = slices.DeleteFunc(slices.Clone(t.Edits), func(at time.Time) bool { return now.Sub(at) >= 30*day })
	last := slices.DeleteFunc(slices.Clone(t.Edits), func(at time.Time) bool { return now.Sub(at) >= day })
	if len(last) >= editsADay {
		return wa.ErrTemplateStatus.User(title, "An approved message template can be edited once in 24 hours. Try again later.")
	}
	if len(t.Edits) >= editsAMonth {
		return wa.ErrTemplateStatus.User(title, "An approved message template can be edited 10 times in 30 days. Try again later.")
	}
	t.Edits = append(t.Edits, now)
	return nil
}

// RemoveName deletes all languages of a name. Errors: [wa.ErrTemplateDeleteName], [wa.ErrTemplateSample], code 100 for
// templates that are disabled.
func (s *Service) RemoveName(ctx context.Context, w wa.WABAID, name string) error {
	return s.remove(ctx, w, func(v *view) ([]*Template, error) {
		var out []*Template
		for _, t := range v.live {
			if t.Name == name {
				out = append(out, t)
			}
		}
		if len(out) == 0 {
			return nil, wa.ErrTemplateDeleteName
		}
		return out, nil
	})
}

// Remove deletes templates by id, all or none. With a name, the templates must have it. Errors: those of RemoveName, and
// [wa.ErrTemplateNotFound].
func (s *Service) Remove(ctx context.Context, w wa.WABAID, name string, ids ...wa.TemplateID) error {
	return s.remove(ctx, w, func(*view) ([]*Template, error) {
		out := make([]*Template, 0, len(ids))
		for _, id := range ids {
			t, ok := s.Template(id)
			if !ok || t.WABA != w || name != "" && t.Name != name {
				return nil, wa.ErrTemplateNotFound
			}
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
		return out, nil
	})
}

func (s *Service) remove(ctx context.Context, w wa.WABAID, which func(*view) ([]*Template, error)) error {
	list, err := which(s.look(w))
	if err != nil {
		return err
	}
	// Asking may take seconds, and other writes of the account must not wait for it.
	way, err := s.underway(ctx, slices.DeleteFunc(slices.Clone(list), func(t *Template) bool {
		return t.Sample || t.Status == PendingDeletion || t.Status == Disabled
	}))
	if err != nil {
		return err
	}
	a := s.account(w)
	a.mu.Lock()
	defer a.mu.Unlock()
	if list, err = which(a.view.Load()); err != nil {
		return err
	}
	var gone []*Template
	for _, t := range list {
		switch {
		case t.Status == PendingDeletion:
			continue // asked for already
		case t.Sample:
			return wa.ErrTemplateSample
		case t.Status == Disabled:
			return wa.ErrInvalidParameter.Titled("Template %s is disabled and cannot be deleted", t.ID)
		}
		c := *t
		if way.maybe(t) {
			c.removeLater(s.o.Clock.Now())
		} else {
			c.remove(s.o.Clock.Now())
		}
		gone = append(gone, &c)
	}
	return s.commit(ctx, a, gone...)
}

// askFor is how long to wait for what is known of messages.
const askFor = 5 * time.Second

// ways are the templates of which is known whether messages are still to be delivered.
type ways map[wa.TemplateID]bool

// maybe reports whether messages of t may be on their way. To wait is always right: a template that nobody knows about may have some.
func (w ways) maybe(t *Template) bool {
	yes, known := w[t.ID]
	return t.Ever && (yes || !known)
}

// underway asks for the messages of templates, for some seconds at most: the store may be far behind what was accepted.
func (s *Service) underway(ctx context.Context, list []*Template) (ways, error) {
	var ids []wa.TemplateID
	known := ways{}
	for _, t := range list {
		if known[t.ID] = false; t.Ever { // others were never sent
			ids = append(ids, t.ID)
		}
	}
	if len(ids) == 0 || s.o.Sends == nil {
		return known, nil
	}
	short, cancel := context.WithTimeout(ctx, cmp.Or(s.o.AskFor, askFor))
	defer cancel()
	yes, err := s.o.Sends.Underway(short, ids)
	switch {
	case err != nil && short.Err() != nil && ctx.Err() == nil:
		yes = ids
	case err != nil:
		return nil, fmt.Errorf("look for messages of templates: %w", err)
	}
	for _, id := range yes {
		known[id] = true
	}
	return known, nil
}

// Archive archives templates, Unarchive undoes it. They return the ids that were changed and why the others were not.
// Source: spec/templates.md section 4.5.
func (s *Service) Archive(ctx context.Context, w wa.WABAID, ids []wa.TemplateID) (done []wa.TemplateID, failed []Failure, err error) {
	return s.each(ctx, w, ids, func(t *Template) string {
		if t.Status != Approved && t.Status != Rejected {
			return "Only approved or rejected templates can be archived"
		}
		t.archive(s.o.Clock.Now())
		return ""
	})
}

// Unarchive gives archived templates their former status, see Archive.
func (s *Service) Unarchive(ctx context.Context, w wa.WABAID, ids []wa.TemplateID) (done []wa.TemplateID, failed []Failure, err error) {
	return s.each(ctx, w, ids, func(t *Template) string {
		if t.Status != Archived {
			return "Only archived templates can be unarchived"
		}
		if t.Status = t.Was; t.Status == "" {
			t.Status = Approved
		}
		t.Was, t.Archived, t.Used = "", time.Time{}, s.o.Clock.Now()
		t.tellStatus("UNARCHIVED", "NONE", "")
		return ""
	})
}

// Failure says why one of several templates was left as it is.
type Failure struct {
	ID  wa.TemplateID
	Why string
}

var errRefused = errors.New("refused")

func (s *Service) each(ctx context.Context, w wa.WABAID, ids []wa.TemplateID, change func(*Template) string) (done []wa.TemplateID, failed []Failure, err error) {
	for _, id := range ids {
		why := "Template does not exist"
		if t, ok := s.Template(id); ok && t.WABA == w {
			_, err := s.Update(ctx, id, func(t *Template) error {
				if why = change(t); why != "" {
					return errRefused
				}
				return nil
			})
			switch {
			case err == nil:
				done = append(done, id)
				continue
			case !errors.Is(err, errRefused) && !errors.Is(err, ErrUnknown):
				return done, failed, err
			}
		}
		failed = append(failed, Failure{id, why})
	}
	return done, failed, nil
}

// Unpause ends a pause. why is empty when it did, else it says what stands against it. Source: spec/templates.md section
// 13.2.
func (s *Service) Unpause(ctx context.Context, id wa.TemplateID) (why string, err error) {
	_, err = s.Update(ctx, id, func(t *Template) error {
		now := s.o.Clock.Now()
		switch {
		case t.Status != Paused:
			why = "The template is not paused."
		case t.Resume.IsZero() && now.Sub(t.Paused) < resumeAfter:
			why = "The template was paused less than 5 minutes ago. Try again later."
		default:
			t.unpause(s.o.Clock.Now())
			return nil
		}
		return errRefused
	})
	if errors.Is(err, errRefused) {
		return why, nil
	}
	return "", err
}
