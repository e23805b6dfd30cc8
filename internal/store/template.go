package store

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/template"
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
