package property

import (
	"time"

	"pgregory.net/rapid"
)

// World is what messages refer to.
type World struct {
	Files map[string]File // by kind: image, video, audio, document, sticker
	Flow  string          // id of a published flow
	Name  string          // its name
	Entry string          // its first screen
	Heard string          // wamid of something that the recipient wrote
	Now   time.Time
}

// File can be named in both ways.
type File struct{ ID, Link string }

// Message is a send, but for its envelope.
type Message struct {
	Type    string
	Content any      // what stands under the name of the type
	Words   []string // texts of which the recipient must be able to read every word
}

// Kind is a kind of messages.
type Kind struct {
	Name string
	Draw func(t *rapid.T, w *World) Message

	India     bool // for that country only
	Numbered  bool // the recipient cannot be named by a business-scoped id
	Marketing bool // goes by the marketing messages edge
}

// Kinds are all kinds that one person can be sent.
func Kinds() []Kind {
	list := []Kind{
		{Name: "text", Draw: drawn(text)},
		{Name: "image", Draw: drawn(image)},
		{Name: "audio", Draw: drawn(audio)},
		{Name: "voice", Draw: drawn(voice)},
		{Name: "video", Draw: drawn(video)},
		{Name: "document", Draw: drawn(document)},
		{Name: "sticker", Draw: drawn(sticker)},
		{Name: "location", Draw: drawn(location)},
		{Name: "contacts", Draw: drawn(contacts)},
		{Name: "reaction", Draw: drawn(reaction)},
	}
	return append(append(list, interactiveKinds()...), templateKinds()...)
}

// draw is a message in the making.
type draw struct {
	*rapid.T
	w     *World
	words []string
}

func drawn(make func(d *draw) (kind string, content any)) func(*rapid.T, *World) Message {
	return func(t *rapid.T, w *World) Message {
		d := &draw{T: t, w: w}
		kind, content := make(d)
		return Message{kind, content, d.words}
	}
}

// object is a JSON object.
type object = map[string]any

// perhaps is true half of the time.
func (d *draw) perhaps(label string) bool { return rapid.Bool().Draw(d.T, label) }

func (d *draw) between(label string, least, most int) int {
	return rapid.IntRange(least, most).Draw(d.T, label)
}

func pick[V any](d *draw, label string, of ...V) V { return rapid.SampledFrom(of).Draw(d.T, label) }

// some sets a member half of the time.
func (d *draw) some(o object, name string, value func() any) {
	if d.perhaps("with " + name) {
		o[name] = value()
	}
}

// shown remembers a text that must be readable.
func (d *draw) shown(s string) string {
	d.words = append(d.words, s)
	return s
}

// file names a file, by id or by link.
func (d *draw) file(kind string) object {
	f := d.w.Files[kind]
	if d.perhaps(kind + " by link") {
		return object{"link": f.Link}
	}
	return object{"id": f.ID}
}
