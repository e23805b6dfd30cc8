package console

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hikyaku/hikyaku/device"
)

// parts is what a message shows, top to bottom. All of it is foreign text.
type parts struct {
	label   string // what it is, when it is no text: our words
	header  string
	body    string
	footer  string
	buttons []button
}

// button is a row below a message. Only those with a reply can be answered.
type button struct {
	text  string
	extra string // address, number or code behind it
	reply []byte // content to send, without context; nil when there is nothing to send
}

// words reads a string, or the text of an object: bodies come as both.
type words string

// UnmarshalJSON implements json.Unmarshaler; what is neither gives "".
func (w *words) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*w = words(s)
		return nil
	}
	var o struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(b, &o) == nil {
		*w = words(o.Text)
	}
	return nil
}

// content is the union of the types that a chat shows. Source: spec/messages.md sections 9 to 11, design "The user
// network", section 7.
type content struct {
	Type     string `json:"type"`
	Body     words  `json:"body"`
	Text     words  `json:"text"`
	Caption  words  `json:"caption"`
	Filename words  `json:"filename"`
	MIME     words  `json:"mime_type"`
	Name     words  `json:"name"`
	Address  words  `json:"address"`
	Header   struct {
		Type string `json:"type"`
		Text words  `json:"text"`
	} `json:"header"`
	Footer  words `json:"footer"`
	Buttons []struct {
		Type    string `json:"type"`
		Text    string `json:"text"`
		Payload string `json:"payload"`
		URL     string `json:"url"`
		Phone   string `json:"phone_number"`
		Code    string `json:"code"`
	} `json:"buttons"`
	Action      action   `json:"action"`
	ButtonReply option   `json:"button_reply"`
	ListReply   option   `json:"list_reply"`
	Latitude    *float64 `json:"latitude"`
	Longitude   *float64 `json:"longitude"`
}

type option struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

type action struct {
	Buttons []struct {
		Reply option `json:"reply"`
	} `json:"buttons"`
	Sections []struct {
		Rows []option `json:"rows"`
	} `json:"sections"`
	Parameters struct {
		Text string `json:"display_text"`
		URL  string `json:"url"`
	} `json:"parameters"`
}

var labels = map[string]string{
	"image": "Photo", "video": "Video", "audio": "Audio", "document": "Document", "sticker": "Sticker",
	"location": "Location", "contacts": "Contact", "order": "Order",
}

// read takes a message apart. It never fails: what it does not know is said to be there.
func read(m *device.Message) parts {
	raw := m.Content()
	var c content
	if m.Type == "contacts" {
		return parts{label: labels[m.Type], body: contacts(raw)}
	}
	// A member of another shape than expected leaves its field empty; the others are read all the same.
	_ = json.Unmarshal(raw, &c)
	p := parts{label: labels[m.Type], footer: string(c.Footer)}
	switch m.Type {
	case "text", "system":
		p.body = string(c.Body)
	case "button":
		p.body = string(c.Text)
	case "template", "interactive":
		p.header, p.body = string(c.Header.Text), string(c.Body)
		if p.header == "" {
			p.label = labels[strings.ToLower(c.Header.Type)]
		}
		if r := c.ButtonReply.Title + c.ListReply.Title; r != "" {
			p.body = r
		}
		p.buttons = c.rows()
	case "location":
		p.body = strings.TrimSpace(string(c.Name) + "\n" + string(c.Address))
		if c.Latitude != nil && c.Longitude != nil {
			p.footer = fmt.Sprintf("%.5f, %.5f", *c.Latitude, *c.Longitude)
		}
	default:
		p.body, p.header, p.footer = string(c.Caption), string(c.Filename), string(c.MIME)
	}
	if p.label == "" && p.header == "" && p.body == "" && len(p.buttons) == 0 {
		p.label = "This message cannot be shown here"
	}
	return p
}

func (c *content) rows() (list []button) {
	for _, b := range c.Buttons {
		n := button{text: b.Text, extra: b.URL + b.Phone + b.Code}
		if b.Type == "quick_reply" {
			payload := b.Payload
			if payload == "" {
				payload = b.Text
			}
			n.reply = encode(map[string]any{"type": "button", "button": map[string]string{"payload": payload, "text": b.Text}})
			n.extra = ""
		}
		list = append(list, n)
	}
	for _, b := range c.Action.Buttons {
		list = append(list, button{text: b.Reply.Title, reply: replied("button_reply", b.Reply)})
	}
	for _, s := range c.Action.Sections {
		for _, r := range s.Rows {
			list = append(list, button{text: r.Title, extra: r.Description, reply: replied("list_reply", r)})
		}
	}
	if p := c.Action.Parameters; p.URL != "" {
		list = append(list, button{text: p.Text, extra: p.URL})
	}
	return list
}

func replied(kind string, o option) []byte {
	return encode(map[string]any{"type": "interactive", "interactive": map[string]any{"type": kind, kind: o}})
}

// encode writes JSON of strings and maps, which cannot fail.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("console: content of strings does not marshal: " + err.Error())
	}
	return b
}

// textContent is a text message, answering another one if context is not empty.
func textContent(body, context string) []byte {
	m := map[string]any{"type": "text", "text": map[string]string{"body": body}}
	return withContext(encode(m), context)
}

func withContext(content []byte, id string) []byte {
	if id == "" {
		return content
	}
	return append(append(content[:len(content)-1:len(content)-1], `,"context":`...), append(encode(map[string]string{"id": id}), '}')...)
}

func contacts(raw []byte) string {
	var list []struct {
		Name struct {
			Formatted string `json:"formatted_name"`
		} `json:"name"`
		Phones []struct {
			Phone string `json:"phone"`
		} `json:"phones"`
	}
	_ = json.Unmarshal(raw, &list) // what cannot be read is not shown
	var b strings.Builder
	for _, c := range list {
		b.WriteString(c.Name.Formatted)
		for _, p := range c.Phones {
			b.WriteString("  " + p.Phone)
		}
		b.WriteByte('\n')
	}
	return strings.TrimSpace(b.String())
}

// summary is a message in one line, for lists, quotes and pipes.
func summary(m *device.Message) string {
	if m.Direction == device.Notice {
		return noticeShort(m)
	}
	p := read(m)
	var list []string
	for _, s := range []string{p.label, p.header, unmarked(p.body)} {
		if s = oneLine(s); s != "" {
			list = append(list, s)
		}
	}
	return strings.Join(list, " · ")
}

// unmarked is text without the signs of its markup.
func unmarked(s string) string {
	var b strings.Builder
	for _, r := range runs(s, 0) {
		b.WriteString(r.text)
	}
	return b.String()
}

// Sentences about what is protected. Source: design "The user network", section 15.
const (
	reads      = "The platform reads every message for the business: this is not end-to-end encryption with the business."
	protection = "Messages are encrypted between this phone and the platform. " + reads

	identityChanged = "The encryption key of this business has changed; ctrl+s shows the safety number to compare. " + reads
)

func noticeKind(m *device.Message) string {
	var n struct {
		Kind string `json:"kind"`
	}
	_ = json.Unmarshal(m.Content(), &n) // an empty kind is one that is not known
	return n.Kind
}

func noticeShort(m *device.Message) string {
	if k := noticeKind(m); k != "identity_changed" {
		return oneLine(k)
	}
	return "The encryption key of this business has changed"
}

func noticeLong(m *device.Message) string {
	if k := noticeKind(m); k != "identity_changed" {
		return oneLine(k)
	}
	return identityChanged
}
