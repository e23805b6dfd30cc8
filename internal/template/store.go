package template

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Store keeps templates durably.
type Store interface {
	// LoadTemplates returns everything that was saved, deleted templates too, in any order.
	LoadTemplates(ctx context.Context) ([]*Template, error)
	// SaveTemplates inserts or replaces the templates by id in one transaction. When it returns nil, they survive a crash
	// of the machine. The templates must not be changed or kept.
	SaveTemplates(ctx context.Context, ts []*Template) error
	// ForgetTemplates removes rows; ids that are not there are no error.
	ForgetTemplates(ctx context.Context, ids []wa.TemplateID) error
}
