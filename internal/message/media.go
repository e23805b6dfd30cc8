package message

import (
	"net/url"
	"path"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Limits of media objects in Unicode code points. Source: spec/media.md section 10; that of file names is ours.
const (
	MaxCaption  = 1024
	maxFilename = 240
)

// extras are the members of a media object besides id and link, by type. Source: spec/media.md section 21.
var extras = map[string][]string{
	TypeAudio:    {"id", "link", "voice"},
	TypeDocument: {"id", "link", "caption", "filename"},
	TypeImage:    {"id", "link", "caption"},
	TypeSticker:  {"id", "link"},
	TypeVideo:    {"id", "link", "caption"},
}

// headerExtras are those of a media object in a header.
var headerExtras = map[string][]string{
	TypeDocument: {"id", "link", "filename"},
	TypeImage:    {"id", "link"},
	TypeVideo:    {"id", "link"},
}

// media reads a media object, {id | link} and what else its place takes, and writes it with a placeholder for the file.
// Exactly one of id and link must be there. Source: spec/messages.md section 9.2.
func (f *form[V]) media(kind string, v V, keys []string) {
	f.within(v, keys, func(o V) {
		a := Attachment{Kind: kind}
		if kind == TypeDocument && f.kind == kindOrder {
			a.Kind = PlacePDF
		}
		id, link := o.Get("id"), o.Get("link")
		a.ID, a.Link = f.id(id), f.text(link, maxURL)
		caption := f.text(o.Get("caption"), MaxCaption)
		a.Filename = f.text(o.Get("filename"), maxFilename)
		voice, err := o.Get("voice").BoolOr(false)
		f.keep(err)
		if a.Voice = voice; a.Link != "" && !isURL(a.Link) {
			f.keep(wa.ErrParamURI.Fill(link.Path()))
		}
		if f.err != nil {
			return
		}
		switch {
		case a.ID == "" && a.Link == "":
			f.flaw(wa.ErrRequired.With("Parameter 'id' or 'link' is mandatory for type '" + kind + "'"))
		case a.ID != "" && a.Link != "":
			f.flaw(wa.ErrCloudParameter.With("Only one of the parameters 'id' and 'link' may be given for type '" + kind + "'"))
		case a.ID != "":
			a.Path = id.Path()
		default:
			a.Path = link.Path()
			if kind == TypeDocument && a.Filename == "" {
				a.Filename = FileName(a.Link)
			}
		}
		a.ID, a.Link, a.Filename = strings.Clone(a.ID), strings.Clone(a.Link), strings.Clone(a.Filename)
		f.object(kind, func() {
			f.b = f.o.Attach(f.b, a)
			f.putSome("filename", a.Filename)
			f.putSome("caption", caption)
			if a.Voice {
				f.b = append(f.b, `,"voice":true`...)
			}
		})
	})
}

// FileName is what a document by link is called when its sender gave it no name: the last part of the link's path; "" when
// that is none. Source: spec/messages.md section 9.6 (observed).
func FileName(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	name := strings.ToValidUTF8(path.Base(u.Path), "")
	if name == "." || name == "/" || longer(name, maxFilename) {
		return ""
	}
	return name
}
