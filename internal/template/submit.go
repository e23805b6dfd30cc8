package template

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Allowance is what the account may have.
type Allowance struct {
	Limit     int   // of templates, each language counts
	Passcodes bool  // authentication templates: the business is verified, or the account is a test account
	Refusal   error // why the account may create nothing at all; nil when it may
	Utility   error // why it may create no utility templates; nil when it may
}

// creations an account may make in an hour. Source: spec/templates.md section 3.
const creations = 100

// Submit creates the template a business asks for; it is PENDING until it was reviewed, authentication and library
// templates are APPROVED at once. What is a promotion becomes MARKETING whatever was asked for. Errors come in the order of
// spec/templates.md section 19, from step 3 on: [wa.ErrWABALimit], [wa.ErrTemplateLimit], [wa.ErrTemplateExists],
// [wa.ErrTemplateBeingDeleted], [wa.ErrTemplateCategory] and those about components; [wa.ErrTemplateCreation] when it cannot be kept.
func (s *Service) Submit(ctx context.Context, w wa.WABAID, d *Draft, may Allowance) (*Template, error) {
	if d.Category == Authentication && !may.Passcodes {
		return nil, wa.ErrTemplateUnverifiedBusiness
	}
	if may.Refusal != nil {
		return nil, may.Refusal
	}
	a := s.account(w)
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view.Load()
	if err := s.room(v, may, 1); err != nil {
		return nil, err
	}
	if err := s.free(v, d.Name, d.Language, d.Category); err != nil {
		return nil, err
	}
	if o := v.sibling(d.Name, d.Language); o != nil && o.Category != d.Category {
		d.Category = o.Category // which was changed by review, see free
	}
	if d.Category == Utility && may.Utility != nil {
		return nil, may.Utility
	}
	t, err := s.build(ctx, v, w, d)
	if err != nil {
		return nil, err
	}
	if err := s.commit(ctx, a, t); err != nil {
		return nil, wa.ErrTemplateCreation.Because(err)
	}
	return t, nil
}

// room checks that an account may have n more templates.
func (s *Service) room(v *view, may Allowance, n int) error {
	now, recent := s.o.Clock.Now(), 0
	oldest := now
	for _, list := range [][]*Template{v.live, v.gone} {
		for _, t := range list {
			if t.Sample || now.Sub(t.Created) >= time.Hour {
				continue
			}
			recent++
			if t.Created.Before(oldest) {
				oldest = t.Created
			}
		}
	}
	if recent+n > creations {
		return wa.ErrWABALimit.Retry(oldest.Add(time.Hour).Sub(now).Seconds())
	}
	if may.Limit > 0 && len(v.live)+n > may.Limit {
		return wa.ErrTemplateLimit
	}
	return nil
}

// free checks that a name and language can be taken.
func (s *Service) free(v *view, name, language string, c Category) error {
	if name == "hello_world" {
		return wa.ErrTemplateSampleName
	}
	if err := v.locked(name, language, s.o.Clock.Now()); err != nil {
		return err
	}
	if v.byKey[key{name, language}] != nil {
		return wa.ErrTemplateExists.FillMsg(languageName(language))
	}
	if o := v.sibling(name, language); o != nil && o.Category != c && o.Previous != c {
		return otherCategory(o)
	}
	return nil
}

func otherCategory(o *Template) error {
	return wa.ErrTemplateCategory.User("Template Category Doesn't Match",
		"All languages of a template have the same category. The existing ones are "+string(o.Category)+".")
}

// build makes a template of a draft; v is what the account has.
func (s *Service) build(ctx context.Context, v *view, w wa.WABAID, d *Draft) (*Template, error) {
	if d.fault != nil {
		return nil, d.fault
	}
	if err := d.checkApps(d.Components); err != nil {
		return nil, err
	}
	t := &Template{WABA: w, Name: d.Name, Language: d.Language, Category: d.Category, Components: d.Components, Format: Positional}
	d.apply(t)
	approved := d.Category == Authentication
	if d.FromLibrary != nil {
		var err error
		if t.Components, err = d.FromLibrary.components(d.Language, d.Category); err != nil {
			return nil, err
		}
		t.Library, approved = d.FromLibrary.Name, true
	}
	if err := s.fits(ctx, v, d.App, t); err != nil {
		return nil, err
	}
	if err := t.bounded(); err != nil {
		return nil, err
	}
	if t.Category == Utility && d.FromLibrary == nil && t.promotes() {
		t.Category, t.Previous = Marketing, Utility
	}
	if err := s.complete(t); err != nil {
		return nil, err
	}
	if err := s.flows(ctx, &d.Settings, t); err != nil {
		return nil, err
	}
	t.tellComponents()
	if approved {
		t.decide(Verdict{}, s.o.Clock.Now())
	} else {
		s.submitted(t)
	}
	return t, nil
}

// maxTemplate bounds a template as a whole, in bytes of JSON: all templates live in memory (ours).
const maxTemplate = 64 << 10

func (t *Template) bounded() error {
	size := len(t.AppendComponents(nil, nil))
	for _, b := range t.Specs {
		size += len(b)
	}
	if size > maxTemplate {
		return wa.ErrInvalidParameter.Titled("A message template must not be larger than %d bytes", maxTemplate)
	}
	return nil
}

// submitted sends t to review.
func (s *Service) submitted(t *Template) {
	t.Status, t.Rejected, t.Review = Pending, "", time.Time{}
	if !s.o.ByHand {
		t.Review = s.o.Clock.Now().Add(s.o.ReviewAfter)
	}
}

// fits checks what a template says against its settings, its account and the files that it names.
func (s *Service) fits(ctx context.Context, v *view, app wa.AppID, t *Template) error {
	if err := t.payable(); err != nil {
		return err
	}
	if err := v.catalog(t); err != nil {
		return err
	}
	return s.samples(ctx, app, t)
}

// samples checks the handles of media headers: step 7 of spec/templates.md section 19.
func (s *Service) samples(ctx context.Context, app wa.AppID, t *Template) error {
	for _, list := range t.lists() {
		for i := range list {
			c := &list[i]
			switch {
			case !c.Format.media():
				continue
			case c.Handle == "":
				return wa.ErrTemplateSampleHandle
			case s.o.Samples == nil:
				continue
			}
			if err := s.o.Samples.Sample(ctx, app, c.Handle, c.Format); err != nil {
				return err
			}
		}
	}
	return nil
}

// lists are the components of a template and of its cards.
func (t *Template) lists() [][]Component {
	lists := [][]Component{t.Components}
	for _, c := range t.Components {
		for _, card := range c.Cards {
			lists = append(lists, card.Components)
		}
	}
	return lists
}

// flows looks up the flows of buttons: step 7 of spec/templates.md section 19. It comes last, because it may make one.
func (s *Service) flows(ctx context.Context, by *Settings, t *Template) error {
	if s.o.Flows == nil {
		return nil
	}
	for _, list := range t.lists() {
		for i := range list {
			for j := range list[i].Buttons {
				if f := list[i].Buttons[j].Flow; f != nil {
					if f.JSON != "" && by.NoFlows != nil {
						return by.NoFlows
					}
					if err := s.o.Flows.Resolve(ctx, by.App, t, f); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// Upsert creates or updates an authentication template in several languages. Source: spec/templates.md section 9.5.
func (s *Service) Upsert(ctx context.Context, w wa.WABAID, d *Draft, list []string, may Allowance) ([]*Template, error) {
	if !may.Passcodes {
		return nil, wa.ErrTemplateUnverifiedBusiness
	}
	if may.Refusal != nil {
		return nil, may.Refusal
	}
	a := s.account(w)
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view.Load()
	fresh := 0
	for _, l := range list {
		old := v.byKey[key{d.Name, l}]
		if old != nil && old.Status != PendingDeletion {
			continue
		}
		fresh++
		if err := s.free(v, d.Name, l, Authentication); err != nil {
			return nil, err
		}
	}
	if err := s.room(v, may, fresh); fresh > 0 && err != nil {
		return nil, err
	}
	if err := cmp.Or(d.fault, d.checkApps(d.Components)); err != nil {
		return nil, err
	}
	out, changed := make([]*Template, len(list)), make([]*Template, 0, len(list))
	for i, l := range list {
		t, err := s.upserted(w, d, l, v.byKey[key{d.Name, l}])
		if err != nil {
			return nil, err
		}
		if out[i] = t; t != v.byKey[key{d.Name, l}] {
			changed = append(changed, t)
		}
	}
	if err := s.commit(ctx, a, changed...); err != nil {
		return nil, wa.ErrTemplateCreation.Because(err)
	}
	return out, nil
}

// upserted is the draft in a language. old is what is there, nil for nothing: it comes back when nothing changes, and any change
// is an edit of it.
func (s *Service) upserted(w wa.WABAID, d *Draft, language string, old *Template) (*Template, error) {
	now := s.o.Clock.Now()
	t := &Template{WABA: w, Name: d.Name, Language: language, Category: Authentication, Format: Positional}
	if old != nil {
		if old.Category != Authentication {
			return nil, wa.ErrTemplateCategory.User("Template Category Doesn't Match", "The existing template is "+string(old.Category)+".")
		}
		c := *old
		t = &c
	}
	d.apply(t)
	t.Components = localise(d.Components, language)
	switch {
	case old == nil:
		if err := s.complete(t); err != nil {
			return nil, err
		}
	case !old.editable():
		return nil, wa.ErrTemplateStatus
	case old.Status == Approved && t.same(old):
		return old, nil
	case old.Status == Approved:
		if err := t.spend(now); err != nil {
			return nil, err
		}
	}
	t.Updated, t.Used, t.Resume = now, now, time.Time{}
	t.tellComponents()
	t.decide(Verdict{}, now)
	return t, nil
}

// same reports whether the API shows two versions of a template alike.
func (t *Template) same(o *Template) bool {
	return bytes.Equal(t.AppendComponents(nil, nil), o.AppendComponents(nil, nil)) && t.TTL == o.TTL && t.UntrackedLink == o.UntrackedLink &&
		t.PrimaryOnly == o.PrimaryOnly && maps.EqualFunc(t.Specs, o.Specs, bytes.Equal)
}
