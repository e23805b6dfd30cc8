package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const edgeUploads = "uploads"

// createUpload is POST /{app-id}/uploads. Source: spec/media.md section 12.1.
func (s *surface) createUpload(ctx context.Context, c *graph.Call, a *access.App) (any, error) {
	if s.o.Media == nil {
		return nil, unsupported(c)
	}
	length, err := c.Params.Get("file_length").Int()
	if err != nil {
		return nil, err
	}
	if length < 1 || length > media.MaxSize {
		return nil, graph.Invalid("Param file_length must be between 1 and %d.", media.MaxSize)
	}
	declared, err := c.Params.Get("file_type").Str()
	if err != nil {
		return nil, err
	}
	kind := media.UploadType(declared)
	if kind == "" {
		return nil, graph.Invalid("Param file_type must be one of {application/pdf, image/jpeg, image/jpg, image/png, video/mp4} - got %q.", clipText(declared))
	}
	name, err := c.Params.Get("file_name").StrOr("")
	if err != nil {
		return nil, err
	}
	if _, err := c.Params.Get("session_type").EnumOr("attachment", "attachment"); err != nil {
		return nil, err
	}
	u, err := s.o.Media.Begin(ctx, a.ID, who(c).Me(), name, kind, length)
	if err != nil {
		return nil, wa.ErrUnknown.Because(err)
	}
	return graph.Obj{{K: "id", V: u.ID}}, nil
}

func clipText(s string) string { return s[:min(len(s), 100)] }

// uploadNode is /upload:{session}?sig=…: clients paste the id of a session into the path, so its signature arrives as a
// parameter. Source: spec/media.md sections 12.2 and 12.3.
func (s *surface) uploadNode() graph.Node[*media.Session] {
	type T = *media.Session
	return graph.Node[T]{
		Kind: kindUpload, Name: "UploadSession",
		Load: func(ctx context.Context, c *graph.Call, id string) (T, error) {
			sig, err := c.Params.Get("sig").StrOr("")
			if err != nil {
				return nil, graph.ErrInvisible
			}
			u, err := s.o.Media.Session(ctx, id, sig, who(c).App())
			if errors.Is(err, media.ErrNotFound) {
				return nil, graph.ErrInvisible
			}
			if err != nil {
				return nil, wa.ErrUnknown.Because(err)
			}
			return u, nil
		},
		Fields: []graph.Field[T]{
			{Name: "id", When: graph.Always, Get: func(u T) any { return u.ID }},
			{Name: "file_offset", When: graph.ByDefault, Get: func(u T) any { return u.Offset() }},
		},
		Post: &graph.Action[T]{MaxBody: media.MaxSize + maxForm, Stream: true, Do: s.appendUpload},
	}
}

// appendUpload takes the raw bytes of a file from an offset on.
func (s *surface) appendUpload(ctx context.Context, c *graph.Call, u *media.Session) (any, error) {
	text := c.Header("file_offset")
	if text == "" {
		return nil, graph.Required("file_offset")
	}
	offset, err := strconv.ParseInt(text, 10, 64)
	if err != nil || offset < 0 {
		return nil, graph.Invalid("Param file_offset must be an integer.")
	}
	body, err := fileOf(c)
	if err != nil {
		return nil, err
	}
	handle, err := s.o.Media.Append(ctx, u, offset, body)
	if wrong, ok := errors.AsType[*media.OffsetError](err); ok {
		return nil, graph.Invalid("OffsetInvalidError: the upload goes on at offset %d", wrong.At)
	}
	if errors.Is(err, media.ErrTooLarge) {
		return nil, graph.Invalid("The file is longer than file_length announced, %d bytes", u.Length)
	}
	if err != nil {
		return nil, uploadError(ctx, err)
	}
	if handle == "" { // there is more to come
		return graph.Obj{{K: "id", V: u.ID}, {K: "file_offset", V: u.Offset()}}, nil
	}
	return graph.Obj{{K: "h", V: handle}}, nil
}

// fileOf is what a request brings of a file: its body, or the first file of a form, which some clients send. Source:
// spec/media.md section 12.2 (unverified).
func fileOf(c *graph.Call) (io.Reader, error) {
	if c.Body == nil {
		return http.NoBody, nil
	}
	kind, params, err := mime.ParseMediaType(c.Header("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return c.Body, nil //nolint:nilerr // bytes of whatever type
	}
	for form := multipart.NewReader(c.Body, params["boundary"]); ; {
		part, err := form.NextPart()
		row, late := errors.AsType[*wa.Error](err) // the form is too large
		switch {
		case late:
			return nil, row
		case errors.Is(err, io.EOF):
			return nil, graph.Required("file")
		case err != nil:
			return nil, graph.Invalid("Request body is not valid multipart/form-data").Because(err)
		case part.FileName() != "":
			return part, nil
		}
	}
}
