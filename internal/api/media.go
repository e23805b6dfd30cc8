package api

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	edgeMedia = "media"
	typeMedia = "WhatsAppBusinessMedia"
	// maxForm is what a multipart body may have besides its file, in bytes.
	maxForm = 1 << 20
)

// mediaFile is a media id together with the account that owns it.
type mediaFile struct {
	*media.Media
	waba *business.WABA
}

// mediaNode is /{media-id}. Source: spec/media.md sections 4 and 6.
func (s *surface) mediaNode() graph.Node[mediaFile] {
	type T = mediaFile
	return graph.Node[T]{
		Kind: kindMedia, Name: typeMedia, Scopes: scopes(get, kindMedia, ""), Load: s.loadMedia,
		Fields: []graph.Field[T]{
			{Name: "messaging_product", When: graph.ByDefault, Get: func(T) any { return "whatsapp" }},
			{Name: "url", When: graph.ByDefault, Ask: func(_ context.Context, c *graph.Call, m T, _ graph.Item) (any, error) {
				return s.o.Media.URL(c.Base(), m.Media, ""), nil
			}},
			{Name: "mime_type", When: graph.ByDefault, Get: func(m T) any { return m.MIME }},
			{Name: "sha256", When: graph.ByDefault, Get: func(m T) any { return hex.EncodeToString(m.SHA256) }},
			{Name: "file_size", When: graph.ByDefault, Get: func(m T) any { return m.Size }},
			{Name: "id", When: graph.Always, Get: func(m T) any { return m.ID }},
		},
		Delete: &graph.Action[T]{Scopes: scopes(remove, kindMedia, ""), Do: s.deleteMedia},
	}
}

// loadMedia shows a media to those who see the account that owns it. Whoever names a number must mean the one that it was
// uploaded on. Source: spec/media.md sections 4 and 11.
func (s *surface) loadMedia(ctx context.Context, c *graph.Call, id string) (mediaFile, error) {
	m, err := s.o.Media.Describe(ctx, id)
	if errors.Is(err, media.ErrNotFound) {
		return mediaFile{}, graph.ErrInvisible
	}
	if err != nil {
		return mediaFile{}, wa.ErrUnknown.Because(err)
	}
	w, ok := s.o.Business.WABA(m.WABA)
	if !ok || !who(c).SeesWABA(asset(w)) {
		return mediaFile{}, graph.ErrInvisible
	}
	if v := c.Params.Get("phone_number_id"); v.Present() {
		if on, err := v.IDOr(""); err != nil || on != string(m.Number) {
			return mediaFile{}, graph.ErrInvisible
		}
	}
	return mediaFile{m, w}, nil
}

func (s *surface) deleteMedia(ctx context.Context, _ *graph.Call, m mediaFile) (any, error) {
	err := s.o.Media.Delete(ctx, m.ID)
	if errors.Is(err, media.ErrNotFound) { // somebody was quicker
		return nil, graph.ErrInvisible
	}
	if err != nil {
		return nil, wa.ErrUnknown.Because(err)
	}
	return graph.Success, nil
}

// uploadMedia is POST /{phone-number-id}/media. The parts of the form come in any order; those behind the file are looked
// at once it was read. Source: spec/media.md section 3.
func (s *surface) uploadMedia(ctx context.Context, c *graph.Call, n number) (any, error) {
	if s.o.Media == nil {
		return nil, unsupported(c)
	}
	if err := n.Ready(n.waba, c.Start); err != nil {
		return nil, err
	}
	product := func() error {
		_, err := c.Params.Get("messaging_product").Enum("whatsapp")
		return err
	}
	file, err := c.Params.Get("file").File()
	if err != nil {
		if err := product(); err != nil {
			return nil, err
		}
		return nil, err
	}
	declared := func() (string, error) {
		if err := product(); err != nil {
			return "", err
		}
		return c.Params.Get("type").StrOr(file.Type)
	}
	hint, err := c.Params.Get("type").StrOr("")
	if err != nil {
		return nil, err
	}
	brief := n.NoStorage()
	m, err := s.o.Media.Upload(ctx, file, media.Source{
		WABA: n.WABA, Number: n.ID, Hint: hint, Brief: brief, Declared: declared, Life: func() (time.Duration, error) {
			return mediaLife(c.Params.Get("ttl_minutes"), brief)
		},
	})
	if err != nil {
		return nil, uploadError(ctx, err)
	}
	return graph.Obj{{K: "id", V: m.ID}}, nil
}

// mediaLife reads how long a file of a number without storage shall live; others cannot say. Source: spec/media.md sections 3 and 7.
func mediaLife(v graph.Value, brief bool) (time.Duration, error) {
	least, most := int64(media.BriefLife/time.Minute), int64(media.UploadedLife/time.Minute)
	switch {
	case !v.Present():
		return 0, nil
	case !brief:
		return 0, graph.Invalid("Param %s is for phone numbers without storage: files of others live for 30 days.", v.Path())
	}
	minutes, err := v.Int()
	if err == nil && (minutes < least || minutes > most) {
		err = v.Invalid("must be between %d and %d", least, most)
	}
	return time.Duration(minutes) * time.Minute, err
}

// uploadError makes a row of what is none.
func uploadError(ctx context.Context, err error) error {
	row := (*wa.Error)(nil)
	switch {
	case errors.As(err, &row):
		return err
	case errors.Is(err, media.ErrEmpty):
		return wa.ErrParamRequired.Fill("file")
	case errors.Is(err, media.ErrTooLarge):
		return wa.ErrMediaTooLarge.Because(err)
	case ctx.Err() != nil, errors.Is(err, io.ErrUnexpectedEOF):
		return wa.ErrService.Because(err)
	}
	return wa.ErrUnknown.Because(err)
}
