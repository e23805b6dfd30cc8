package store

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// LoadTemplates implements template.Store.
func (s *Store) LoadTemplates(ctx context.Context) ([]*template.Template, error) {
	return loadDocs[template.Template](ctx, s, "templates")
}

// SaveTemplates implements template.Store.
func (s *Store) SaveTemplates(ctx context.Context, ts []*template.Template) error {
	return s.write(ctx, func(ctx context.Context, t tx) error {
		for _, m := range ts {
			if err := saveDoc(ctx, t, "templates", string(m.ID), m); err != nil {
				return err
			}
		}
		return nil
	})
}

// ForgetTemplates implements template.Store.
func (s *Store) ForgetTemplates(ctx context.Context, ids []wa.TemplateID) error {
	return s.write(ctx, func(ctx context.Context, t tx) error {
		for _, id := range ids {
			if _, err := t.exec(ctx, "DELETE FROM templates WHERE id = ?", text(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// LoadTemplateGroups implements template.GroupStore.
func (s *Store) LoadTemplateGroups(ctx context.Context) ([]*template.Group, error) {
	return loadDocs[template.Group](ctx, s, "template_groups")
}

// SaveTemplateGroup implements template.GroupStore.
func (s *Store) SaveTemplateGroup(ctx context.Context, g *template.Group) error {
	return s.write(ctx, func(ctx context.Context, t tx) error { return saveDoc(ctx, t, "template_groups", g.ID, g) })
}

// DeleteTemplateGroup implements template.GroupStore.
func (s *Store) DeleteTemplateGroup(ctx context.Context, id string) error {
	return s.write(ctx, func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, "DELETE FROM template_groups WHERE id = ?", text(id))
		return err
	})
}
