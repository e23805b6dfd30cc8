package document

import (
	"context"
	"fmt"
	"mime"
	"slices"
	"strings"
)

// File is one file of a PhotoPicker or DocumentPicker. Where the encrypted file is and how it is opened is the affair of those
// who keep it: Blob is a JSON object of theirs. Source: Flow JSON reference, "Media upload".
type File struct {
	Name string // "IMG_5237.jpg"
	MIME string
	Size int64 // clear, in bytes
	Blob map[string]any
}

// Value is what a picker holds of the file, as encoding/json would read it.
func (f *File) Value() map[string]any {
	return map[string]any{"file_name": f.Name, "mime_type": f.MIME, "size": float64(f.Size), "blob": f.Blob}
}

// ReadFile reads what [File.Value] made.
func ReadFile(v any) (f File, ok bool) {
	m, _ := v.(map[string]any)
	if f.Blob, ok = m["blob"].(map[string]any); !ok {
		return f, false
	}
	size, ok := m["size"].(float64)
	f.Name, f.MIME, f.Size = Text(m["file_name"]), Text(m["mime_type"]), int64(size)
	return f, ok && f.Name != "" && f.MIME != "" && len(f.Name) <= maxFileName && len(f.MIME) <= maxFileName && size > 0 && size < 1<<40
}

// maxFileName bounds the name and the type of a file, in bytes (ours).
const maxFileName = 255

// FileNames are the names of the files that a picker holds.
func FileNames(v any) string {
	list, _ := v.([]any)
	names := make([]string, 0, len(list))
	for _, it := range list {
		if f, ok := ReadFile(it); ok {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

// Picker gets the files that [Session.Fill] gives to pickers.
type Picker interface {
	// Pick makes of what Fill was told, nil when it shall find samples, the values of e: those of [File.Value].
	Pick(ctx context.Context, e *Element, v any) ([]any, error)
}

// Use lets Fill choose files. Without it, what Fill is given must be values of pickers already.
func (s *Session) Use(p Picker) { s.picker = p }

// Picks reports whether the element takes files.
func (e *Element) Picks() bool { return e.Type == "PhotoPicker" || e.Type == "DocumentPicker" }

// takeFiles reads a value of a picker.
func takeFiles(v any) ([]any, bool) {
	list, ok := v.([]any)
	if !ok && v != nil || len(list) > maxSelected {
		return nil, false
	}
	for _, it := range list {
		if _, ok := ReadFile(it); !ok {
			return nil, false
		}
	}
	return append([]any{}, list...), true // never nil: it is [] in JSON
}

// checkFiles says what is wrong with the files of a picker. Source: Flow JSON reference, "Media upload".
func (e *Element) checkFiles() string {
	list, _ := e.Value.([]any)
	if n := len(list); n < e.Min || n > e.Max {
		return fmt.Sprintf("Between %d and %d files are needed.", e.Min, e.Max)
	}
	for _, it := range list {
		f, ok := ReadFile(it)
		kind, _, err := mime.ParseMediaType(f.MIME)
		switch {
		case !ok:
			return "This is not a file."
		case f.Size > e.MaxBytes:
			return fmt.Sprintf("%s is larger than %d KB.", short(f.Name), e.MaxBytes>>10)
		case err != nil, e.Type == "PhotoPicker" && !strings.HasPrefix(kind, "image/"):
			return short(f.Name) + " is not a photo."
		case len(e.MIMEs) > 0 && !slices.Contains(e.MIMEs, kind):
			return short(f.Name) + " is not of a type that is allowed here."
		}
	}
	return ""
}

// nestedFiles checks that files are sent where the business looks for them: at the top of the payload. Source: Flow JSON
// reference, "Media upload".
func (c *checker) nestedFiles(v *value, path string, depth int) {
	if depth < 2 || !dynamic(v.text) {
		return
	}
	e, err := parseExpr(strings.Trim(v.text, "`"))
	if err != nil {
		return // told already
	}
	e.refs(func(ref []string) {
		s := c.screen
		if ref[0] == "screen" && len(ref) > 3 {
			s, ref = c.doc.Screen(ref[1]), ref[2:]
		}
		if s == nil || len(ref) < 2 || ref[0] != "form" {
			return
		}
		if k := s.field(ref[1]); k != nil && (k.Type == "PhotoPicker" || k.Type == "DocumentPicker") {
			c.at(InvalidAction, v, path, "The files of '%s' must be a property of the payload itself, not of something inside of it.", short(ref[1]))
		}
	})
}
