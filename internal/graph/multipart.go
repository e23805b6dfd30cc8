package graph

import (
	"errors"
	"io"
	"mime/multipart"
)

// maxFormText bounds the parameters of a multipart body together, in bytes; files are bounded by the route.
const maxFormText = 1 << 20

// File is the file part of a multipart body, read as a stream: nothing of it is kept in memory or on disk here. Parameters
// that come before it in the body are there at once; those behind it appear in [Call].Params once it was read to its end,
// so a handler stores the bytes first and then looks at the remaining parameters. Not safe for concurrent use.
type File struct {
	Name string // as the client named it; untrusted
	Type string // Content-Type of the part, "" when none; untrusted
	part io.Reader
	form *form
	err  error // what further reads return
}

// Read implements io.Reader. Besides io.EOF it returns rows of the table: body larger than the route allows, malformed
// multipart, bad parameters behind the file.
func (f *File) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.part.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		f.err = io.EOF
		if err := f.form.parts(); err != nil {
			f.err = err
		}
	case err != nil:
		f.err = readError(err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, f.err
}

// ReadAll reads the whole file, which must not be larger than limit bytes.
func (f *File) ReadAll(limit int64) ([]byte, error) {
	return readAll(&bounded{r: f, left: limit, limit: limit}, 0)
}

// form is a multipart body being read.
type form struct {
	r    *multipart.Reader
	d    *doc
	c    *Call
	text int64 // bytes of parameters left
	file *File
}

func (c *Call) parseMultipart(body io.Reader, boundary string) error {
	f := &form{r: multipart.NewReader(body, boundary), d: newDoc(16), c: c, text: maxFormText}
	c.form = f
	if err := f.parts(); err != nil {
		return err
	}
	if f.file != nil { // Params so far; parts completes them when the file was read
		f.d.addPairs(c.query)
		c.Params = Value{d: f.d}
	}
	return nil
}

// parts reads parameters until a file or the end of the body.
func (f *form) parts() error {
	var pairs []pair
	for {
		p, err := f.r.NextPart()
		if errors.Is(err, io.EOF) {
			return f.end(pairs)
		}
		if err != nil {
			return readError(err)
		}
		if isFile(p) {
			if f.file != nil {
				return Invalid("A request must not have more than one file")
			}
			f.d.addPairs(pairs)
			return f.open(p)
		}
		if len(pairs)+int(f.d.nodes[0].count) >= maxKeys {
			return Invalid("A request must not have more than %d parameters.", maxKeys)
		}
		val, err := readAll(&bounded{r: p, left: f.text, limit: maxFormText}, 0)
		if err != nil {
			return err
		}
		f.text -= int64(len(val))
		if err := checkText(p.FormName(), string(val)); err != nil {
			return err
		}
		if name := p.FormName(); name != "" && (name != "access_token" || f.file == nil) {
			pairs = append(pairs, pair{p.FormName(), string(val)})
		}
	}
}

// isFile tells a file part from a parameter. A part with a type but without file name is a parameter, as Java clients send.
func isFile(p *multipart.Part) bool { return p.FileName() != "" }

func (f *form) open(p *multipart.Part) error {
	name := p.FormName()
	if err := checkText(name, p.FileName()); err != nil {
		return err
	}
	if name == "" || f.d.find(0, name) != 0 {
		return Invalid("Param %s must be sent once.", clip(name))
	}
	f.file = &File{Name: p.FileName(), Type: p.Header.Get("Content-Type"), part: p, form: f}
	i := f.d.add(0, node{key: name, kind: KindUpload})
	f.d.files = map[int32]*File{i: f.file}
	return nil
}

// end completes the parameter set. Fields behind the file are stronger than the query, which may be in the set already.
func (f *form) end(pairs []pair) error {
	if f.file == nil {
		f.d.addPairs(pairs)
		return f.c.finish(f.d)
	}
	for _, p := range pairs {
		name, _, _ := bracket(p.key)
		if i := f.d.find(0, name); i != 0 && fromQuery(f.c.query, name) {
			f.d.drop(name)
		}
	}
	f.d.addPairs(pairs)
	return nil
}

func fromQuery(query []pair, name string) bool {
	for _, q := range query {
		if n, _, _ := bracket(q.key); n == name {
			return true
		}
	}
	return false
}
