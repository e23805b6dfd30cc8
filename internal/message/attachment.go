package message

import (
	"bytes"
	"strconv"
)

// Attachment is a media file that a message refers to, by id or by link. It is part of the message before its content is:
// the body holds a placeholder until the media room has described the file.
type Attachment struct {
	Kind     string // TypeImage, TypeVideo, TypeAudio, TypeDocument, TypeSticker, or a Place: what the place in the message takes
	ID       string // the media id; empty when there is a link
	Link     string // an http or https URL; empty when there is an id
	Filename string // of a document, as the sender named it
	Voice    bool   // the audio is to be a voice note
	Path     string // the parameter, for errors: "image['id']"

	N     int    // the number of its placeholder, once some of a message's attachments are filled in
	Fault string // why the file cannot be used, known already: details of 131053
}

// Places that take less than a type. Source: spec/media.md section 21.
const (
	PlaceGIF = "gif" // an MP4: the header of a template
	PlacePDF = "pdf" // a PDF: the header of a template, or of an order
)

// placeholder begins what stands for attachment n until it is described; the number and a quote follow. Quotes inside a
// JSON string are escaped, so these bytes cannot occur in one.
const placeholder = `"blob":"#`

// AppendPlaceholder writes the member `"blob":"#n"`, which stands in a media object for the members that
// [AppendFilled] puts in its place. Whoever copies JSON of strangers into a body writes it behind the placeholders: only
// the first occurrence counts.
func AppendPlaceholder(dst []byte, n int) []byte {
	dst = append(dst, placeholder...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, '"')
}

// Attach adds an attachment to the message and writes its placeholder, a member of the media object, behind body.
func (o *Outbound) Attach(body []byte, a Attachment) []byte {
	o.Attachments = append(o.Attachments, a)
	return AppendPlaceholder(body, len(o.Attachments)-1)
}

// AppendFilled writes body with the placeholder of attachment n replaced by members, the inside of a JSON object such as
// `"id":"…","mime_type":"…"`. It reports whether the placeholder was there; without it, body is written as it is.
func AppendFilled(dst, body []byte, n int, members []byte) ([]byte, bool) {
	var room [len(placeholder) + 24]byte
	mark := AppendPlaceholder(room[:0], n)
	before, after, found := bytes.Cut(body, mark)
	dst = append(dst, before...)
	if !found {
		return dst, false
	}
	dst = append(dst, members...)
	return append(dst, after...), true
}
