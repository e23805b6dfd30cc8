package console

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/flow/document"
)

// types are the MIME types of files by extension, where the machine's own tables differ or have none.
// Source: spec/messages.md section 9.2.
var types = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".mp4": "video/mp4", ".3gp": "video/3gpp",
	".aac": "audio/aac", ".amr": "audio/amr", ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg; codecs=opus",
	".opus": "audio/ogg; codecs=opus", ".txt": "text/plain", ".pdf": "application/pdf", ".csv": "text/csv", ".zip": "application/zip",
	".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}

// file sends a file of this machine.
func (c *commander) file(ctx context.Context, kind string, a *args) (string, error) {
	path := a.word()
	if path == "" {
		return "", errUsage
	}
	f, err := readFile(path)
	if err != nil {
		return "", err
	}
	f.Kind, f.Caption = kind, a.rest
	switch kind {
	case "voice":
		f.Kind, f.Voice = "audio", true
	case "document":
		f.Filename = filepath.Base(path)
	}
	if c.at != 0 {
		if m, err := c.message(&args{n: c.at}, shownReceived); err == nil {
			f.Answer = m.ID
		}
	}
	if _, err := c.hands.SendFile(ctx, c.chat, f); err != nil {
		return "", err
	}
	c.sent++
	return "", nil
}

// readFile reads a file of this machine.
func readFile(path string) (f device.Attachment, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return f, fmt.Errorf("%s cannot be read", oneLine(path))
	case !info.Mode().IsRegular():
		return f, fmt.Errorf("%s is no file", oneLine(path))
	case info.Size() > device.MaxFile:
		return f, fmt.Errorf("%s is larger than 100 MiB", oneLine(path))
	}
	if f.Data, err = os.ReadFile(path); err != nil { //nolint:gosec // the person names it
		return f, fmt.Errorf("%s cannot be read", oneLine(path))
	}
	f.MIME = types[strings.ToLower(filepath.Ext(path))]
	if f.MIME == "" {
		f.MIME = http.DetectContentType(f.Data)
	}
	return f, nil
}

// Pick implements [document.Picker]: v names files of this machine, with spaces between them.
func (f *form) Pick(ctx context.Context, e *document.Element, v any) ([]any, error) {
	list := []any{}
	for path := range strings.FieldsSeq(document.Text(v)) {
		if len(list) == e.Max {
			return nil, fmt.Errorf("at most %d files can be chosen", e.Max)
		}
		a, err := readFile(path)
		if err != nil {
			return nil, err
		}
		a.Filename = filepath.Base(path)
		picked, err := f.phone.PickFile(ctx, a)
		if err != nil {
			return nil, err
		}
		list = append(list, picked)
	}
	return list, nil
}

// holding is what a field holds, in words.
func holding(e *document.Element) string {
	if e.Picks() {
		return document.FileNames(e.Value)
	}
	return document.Text(e.Value)
}

func hasFile(m *device.Message) bool {
	for _, f := range m.Media() {
		if f.Blob != nil {
			return true
		}
	}
	return false
}

// save writes the files of a message where the person wants them, and never over another file.
func (c *commander) save(ctx context.Context, a *args) (string, error) {
	m, err := c.message(a, hasFile)
	if err != nil {
		return "", err
	}
	var saved []string
	for i := range m.Media() {
		f, data, err := c.hands.Fetch(ctx, m.ID, i)
		if err != nil {
			return "", err
		}
		path, err := keep(a.rest, fileName(&f, m.N, i), data)
		if err != nil {
			return "", err
		}
		saved = append(saved, path)
	}
	where := strings.Join(saved, ", ")
	err = c.hands.Do(func(d *device.Device) (device.Effects, error) { return d.SetSaved(m.ID, where) })
	return "Saved as " + oneLine(where) + ".", err
}

func (c *commander) play(ctx context.Context, a *args) (string, error) {
	m, err := c.message(a, func(m *device.Message) bool { return received(m) && m.Type == "audio" && hasFile(m) })
	if err != nil {
		return "", err
	}
	said, err := c.save(ctx, &args{n: m.N, rest: a.rest})
	if err != nil {
		return "", err
	}
	return said, c.hands.Do(func(d *device.Device) (device.Effects, error) { return d.MarkPlayed(m.ID) })
}

// fileName is what a file is saved as: the last part of the name it came with, without what a folder or terminal would
// obey, else one of ours.
func fileName(f *device.Media, n uint64, i int) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, clean(f.Filename))
	if name = strings.TrimLeft(strings.TrimSpace(name), ".-"); name != "" && len(name) <= 200 {
		return name
	}
	ext := ""
	kind, _, _ := mime.ParseMediaType(f.MIME)
	for _, e := range []string{".jpg", ".png", ".webp", ".mp4", ".3gp", ".ogg", ".mp3", ".m4a", ".aac", ".amr", ".pdf", ".txt"} {
		if t, _, _ := mime.ParseMediaType(types[e]); t == kind {
			ext = e
			break
		}
	}
	return fmt.Sprintf("hikyaku-%d-%d%s", n, i+1, ext)
}

// keep writes a new file at path, or as name in the folder path. Another file of that name stays: a number is added.
func keep(path, name string, data []byte) (string, error) {
	switch info, err := os.Stat(path); {
	case path == "":
		path = name
	case err == nil && info.IsDir():
		path = filepath.Join(path, name)
	}
	ext := filepath.Ext(path)
	for n := 1; n < 1000; n++ {
		at := path
		if n > 1 {
			at = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, ext), n, ext)
		}
		f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the person names it
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("save: %w", err)
		}
		_, err = f.Write(data)
		if err = errors.Join(err, f.Close()); err != nil {
			return "", fmt.Errorf("save: %w", err)
		}
		return at, nil
	}
	return "", fmt.Errorf("%s exists already", oneLine(path))
}
