package app

import (
	"context"
	"strings"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// samples looks up the handles that media headers of templates are illustrated with. Source: spec/templates.md section 6.1.
type samples struct{ p *platform }

// Sample implements template.Samples.
func (s samples) Sample(ctx context.Context, app wa.AppID, handle string, f template.HeaderFormat) error {
	m, err := s.p.media.Handle(ctx, handle)
	if err != nil || m.App != app || !fits(f, m) {
		return wa.ErrTemplateSampleHandle.Because(err)
	}
	return nil
}

// templateSends looks for messages of templates that are on their way.
type templateSends struct{ p *platform }

// Underway implements template.Sends. What was accepted is not in the store at once.
func (v templateSends) Underway(ctx context.Context, ids []wa.TemplateID) ([]wa.TemplateID, error) {
	if err := v.p.pipeline.CatchUp(ctx); err != nil {
		return nil, err
	}
	return v.p.store.TemplatesUnderway(ctx, ids)
}

func fits(f template.HeaderFormat, m *media.Media) bool {
	switch f {
	case template.HeaderImage:
		return strings.HasPrefix(m.MIME, "image/")
	case template.HeaderVideo, template.HeaderGIF:
		return strings.HasPrefix(m.MIME, "video/")
	case template.HeaderDocument:
		return m.MIME == "application/pdf"
	case template.HeaderText, template.HeaderLocation, template.HeaderProduct:
	}
	return false
}
