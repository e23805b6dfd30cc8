package virtual

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/flow/document"
)

// pickedFile is a file for a flow as the control API takes it.
type pickedFile struct {
	Data     []byte `json:"data"` // base64; without it a sample is taken
	MIME     string `json:"mime_type"`
	Filename string `json:"filename"`
}

// Pick implements [document.Picker]: v is a list of files in clear, or one of them. Without any, samples are taken.
func (u *user) Pick(ctx context.Context, e *document.Element, v any) ([]any, error) {
	files, err := filesFor(e, v)
	if err != nil {
		return nil, err
	}
	relay, err := u.relay()
	if err != nil {
		return nil, err
	}
	list := make([]any, len(files))
	for i := range files {
		if list[i], err = files[i].Pick(ctx, u.f.o.Rand, relay); err != nil {
			return nil, fmt.Errorf("upload a file: %w", err)
		}
	}
	return list, nil
}

// filesFor reads what a picker is given.
func filesFor(e *document.Element, v any) ([]device.Attachment, error) {
	var given []pickedFile
	switch x := v.(type) {
	case nil:
		given = make([]pickedFile, max(1, e.Min))
	case map[string]any:
		v = []any{x}
	}
	if v != nil {
		b, err := json.Marshal(v)
		if err == nil {
			err = json.Unmarshal(b, &given)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: want a list of {data, mime_type, filename}", device.ErrContent)
		}
	}
	if len(given) > maxPicked {
		return nil, fmt.Errorf("%w: more than %d files", device.ErrContent, maxPicked)
	}
	list := make([]device.Attachment, len(given))
	for i, g := range given {
		a := sampleFor(e)
		switch {
		case len(g.Data) > 0 && g.MIME == "":
			return nil, fmt.Errorf("%w: a file has data and no mime_type", device.ErrContent)
		case len(g.Data) > 0:
			a.Data, a.MIME = g.Data, g.MIME
		case g.MIME != "" && g.MIME != a.MIME:
			return nil, fmt.Errorf("%w: a file has no data: without it the sample is taken, which is %s", device.ErrContent, a.MIME)
		}
		if g.Filename != "" {
			a.Filename = g.Filename
		}
		list[i] = a
	}
	return list, nil
}

// maxPicked bounds the files of a picker. Source: Flow JSON reference, "Media upload".
const maxPicked = 30

// sampleFor is a file that the picker takes.
func sampleFor(e *document.Element) device.Attachment {
	a, _ := Sample("document")
	switch photo, _ := Sample("image"); {
	case e.Type == "PhotoPicker", len(e.MIMEs) > 0 && !slices.Contains(e.MIMEs, a.MIME) && slices.Contains(e.MIMEs, photo.MIME):
		photo.Filename = "image.jpg"
		return photo
	case len(e.MIMEs) > 0 && !slices.Contains(e.MIMEs, a.MIME):
		a.Data, a.MIME, a.Filename = []byte("Sample"), e.MIMEs[0], "sample."+e.MIMEs[0][strings.LastIndex(e.MIMEs[0], "/")+1:]
	}
	return a
}
