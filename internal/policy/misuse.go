package policy

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Closed is the row that a message of the number to the user fails with before anything else is looked at: its account may not
// write to people of that country, or, of a template, it sold marketing as utility. Neither spares test numbers. id is empty for
// messages of other types, now is in Unix milliseconds. Source: spec/errors.md section 2, gate 16.
func (s *Service) Closed(n *business.Number, user wa.WaID, id wa.TemplateID, now int64) *wa.Error {
	w, ok := s.o.Business.WABA(n.WABA)
	if !ok {
		return nil
	}
	if len(w.Closed) > 0 {
		if iso, _ := wa.CountryOf(user); slices.Contains(w.Closed, iso) {
			return wa.ErrCountry
		}
	}
	if id != "" && s.misused(w, id, now) {
		return errMisused
	}
	return nil
}

// Recategorise gives a template another category after the usual notice, or at at. Marketing that was sold as utility counts
// against its account; when that closes the category, all its utility templates become marketing at once. A decision counts
// before it is carried out, and once: whoever is told of a failure asks again. Source: spec/quality.md section 3.4. Errors:
// template.ErrUnknown, template.ErrState.
func (s *Service) Recategorise(ctx context.Context, id wa.TemplateID, c template.Category, at time.Time) (*template.Template, error) {
	old, ok := s.o.Template.Template(id)
	misuse := ok && old.Category == template.Utility && old.Status == template.Approved && c == template.Marketing
	if misuse {
		// What was found before tells a decision from the next one about the same template: it may be sold as utility again.
		if _, err := s.o.Business.Misused(ctx, old.WABA, string(id)+"/"+strconv.Itoa(old.Missold)); err != nil {
			return nil, err
		}
	}
	t, err := s.o.Template.Recategorise(ctx, id, c, at)
	if err != nil || !misuse {
		return t, err
	}
	err = s.closeUtility(ctx, t.WABA)
	if now, ok := s.o.Template.Template(id); ok {
		t = now
	}
	return t, err
}

// closeUtility makes the utility templates of an account marketing while the category is closed to it. It is repeated by the
// clock: a crash, or a review that ends meanwhile, leaves none.
func (s *Service) closeUtility(ctx context.Context, id wa.WABAID) error {
	now := s.o.Clock.Now()
	if w, ok := s.o.Business.WABA(id); !ok || !w.Misuse.InForce(now) {
		return nil
	}
	var errs []error
	for _, x := range s.o.Template.List(id) {
		if x.Category != template.Utility || x.Status != template.Approved {
			continue
		}
		if _, err := s.o.Template.Recategorise(ctx, x.ID, template.Marketing, now); err != nil && !errors.Is(err, template.ErrState) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// errMisused has words of ours: the real service's are not published.
var errMisused = wa.ErrClassification.With("Message failed to send because templates of the account were misclassified as utility.")

// misused reports whether a template may not go out because its account sold marketing as utility: what is utility, or was before
// it was found to be marketing. How many of them the real service lets pass is not published; none do here.
func (s *Service) misused(w *business.WABA, id wa.TemplateID, now int64) bool {
	if !w.Misuse.InForce(time.UnixMilli(now)) {
		return false
	}
	t, ok := s.o.Template.Template(id)
	return ok && (t.Category == template.Utility || t.Category == template.Marketing && t.Previous == template.Utility)
}
