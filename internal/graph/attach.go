package graph

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Bounds of the files that come with a batch, in bytes together and in number. They are held in memory until the items that
// name them have run.
const (
	maxAttached      = 16 << 20
	maxAttachedFiles = maxIDs
	maxAttaching     = 4 // batches with files that run at once; others wait
)

// attached is a file part of a batch.
type attached struct {
	name, kind string
	data       []byte
}

// readBatch reads the parameters of a batch. A multipart one may bring many files, for its items; other bodies are read as
// everywhere.
//
// It returns what ends the batch's hold on memory.
func (s *Server) readBatch(ctx context.Context, c *Call) (release func(), err error) {
	release = func() {}
	if c.bodyRead || c.req.Body == nil {
		return release, nil
	}
	kind, boundary, err := mediaType(c.req.Header.Get("Content-Type"))
	if err != nil || kind != multipartBody {
		return release, err
	}
	select {
	case s.attaching <- struct{}{}:
		release = func() { <-s.attaching }
	case <-ctx.Done():
		return release, wa.ErrServiceManagement.Because(context.Cause(ctx))
	}
	c.bodyRead = true
	c.bodyErr = c.batchForm(multipart.NewReader(&bounded{r: c.req.Body, left: maxAttached, limit: maxAttached}, boundary))
	if c.bodyErr == nil {
		c.bodyErr = s.bodyToken(c)
	}
	return release, c.bodyErr
}

func (c *Call) batchForm(r *multipart.Reader) error {
	var pairs []pair
	text := int64(maxFormText)
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			d := newDoc(16)
			d.addPairs(pairs)
			return c.finish(d)
		}
		if err != nil {
			return readError(err)
		}
		name := p.FormName()
		if isFile(p) {
			if err := c.attach(p); err != nil {
				return err
			}
			continue
		}
		if len(pairs) >= maxKeys {
			return Invalid("A request must not have more than %d parameters.", maxKeys)
		}
		val, err := readAll(&bounded{r: p, left: text, limit: maxFormText}, 0)
		if err != nil {
			return err
		}
		text -= int64(len(val))
		if err := checkText(name, string(val)); err != nil {
			return err
		}
		pairs = append(pairs, pair{name, string(val)})
	}
}

func (c *Call) attach(p *multipart.Part) error {
	if err := checkText(p.FormName(), p.FileName()); err != nil {
		return err
	}
	if c.files == nil {
		c.files = map[string]attached{}
	}
	if _, twice := c.files[p.FormName()]; twice || p.FormName() == "" || len(c.files) >= maxAttachedFiles {
		return Invalid("Param %s must be sent once, and a batch must not have more than %d files.", clip(p.FormName()), maxAttachedFiles)
	}
	data, err := io.ReadAll(p) // bounded by the body
	if err != nil {
		return readError(err)
	}
	c.files[p.FormName()] = attached{p.FileName(), p.Header.Get("Content-Type"), data}
	return nil
}

// attachTo makes the request of an item multipart: the parameters of its body, and the files that it names. Handlers look
// for one under the name file, so the first goes by that; the others keep theirs.
func (c *Call) attachTo(req *http.Request, it *item, body string) error {
	params, err := url.ParseQuery(body)
	if err != nil {
		return batchError("Param body must be form-encoded when a file is attached")
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for key, list := range params {
		for _, v := range list {
			_ = w.WriteField(key, v) // a buffer takes everything
		}
	}
	for i, name := range it.files {
		name = strings.TrimSpace(name)
		as := name
		if i == 0 && !slices.Contains(it.files[1:], "file") {
			as = "file"
		}
		f, ok := c.files[name]
		if !ok {
			return batchError("Param attached_files names %q, which is not part of the request", clip(name))
		}
		if b.Len()+len(f.data) > maxAttached {
			return batchError("The files of a batch item must not be larger than %d bytes together", maxAttached)
		}
		if err := f.writeTo(w, as); err != nil {
			return err
		}
	}
	_ = w.Close()
	req.Header = req.Header.Clone()
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Body, req.ContentLength = io.NopCloser(&b), int64(b.Len())
	return nil
}

var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "")

func (f *attached) writeTo(w *multipart.Writer, name string) error {
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="`+quoted.Replace(name)+`"; filename="`+quoted.Replace(f.name)+`"`)
	if f.kind != "" {
		h.Set("Content-Type", f.kind)
	}
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	_, _ = part.Write(f.data)
	return nil
}
