package console

import (
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/device"
)

// parts is what a message shows, top to bottom. All of it is foreign text.
type parts struct {
	label   string // what it is, when it is no text: our words
	header  string
	body    string
	footer  string
	buttons []button
	cards   []parts // of a carousel
}

// button is a row below a message.
type button struct {
	choice  *device.Choice // nil for what the chat itself adds
	text    string
	extra   string // address, number or code behind it
	section string // title of the rows that begin here
}

// answers reports whether pressing the button sends something.
func (b *button) answers() bool { return b.choice != nil && b.choice.Answers() }

var labels = map[string]string{
	"image": "Photo", "gif": "GIF", "video": "Video", "audio": "Audio", "document": "Document", "sticker": "Sticker",
	"location": "Location", "contacts": "Contact", "order": "Order", "edit": "Changed a message", "revoke": "Deleted a message",
	"nfm_reply": "Form", "call_permission_reply": "Calls", "pin": "Pin",
}

// read takes a message apart. It never fails: what it does not know is said to be there.
func read(m *device.Message) parts {
	if m.Revoked {
		return parts{label: "You deleted this message"}
	}
	d := m.Parts()
	p := fromDevice(&d)
	p.label = withDetail(p.label, m.Saved, "saved as ")
	if m.Edited {
		p.label = strings.TrimPrefix(p.label+" · changed", " · ")
	}
	if p.label == "" && p.header == "" && p.body == "" && len(p.buttons) == 0 && len(p.cards) == 0 {
		p.label = "This message cannot be shown here"
	}
	return p
}

func withDetail(label, detail, before string) string {
	if detail == "" {
		return label
	}
	return label + " · " + before + detail
}

func fromDevice(d *device.Parts) parts {
	p := parts{label: labels[d.Kind], header: d.Header, body: d.Body, footer: d.Footer}
	if d.Media != nil {
		p.label = fileLine(d.Media)
		if p.header == "" {
			p.header = d.Media.Filename
		}
	}
	if d.Place != nil {
		p.place(d.Place)
	}
	if d.Offer != "" {
		p.header = joined("\n", p.header, offer(d.Offer, d.Until))
	}
	for i := range d.Contacts {
		p.body = strings.TrimSpace(p.body + "\n\n" + businessCard(&d.Contacts[i]))
	}
	if d.Order != nil {
		for _, it := range d.Order.Items {
			p.body += fmt.Sprintf("\n%d × %s  %.2f %s", it.Quantity, it.SKU, it.Price, it.Currency)
		}
		p.body = strings.TrimSpace(p.body)
	}
	section := ""
	for i := range d.Choices {
		c := &d.Choices[i]
		b := button{choice: c, text: c.Title, extra: c.Note}
		switch c.Kind {
		case device.ChoiceURL, device.ChoicePhone, device.ChoiceCode, device.ChoicePay, device.ChoiceOther:
			b.extra = c.Target
		case device.ChoiceOrder:
			if strings.Contains(c.Target, " ") { // a product, not a whole catalog
				b.text = "Order " + c.Title
			}
		case device.ChoiceReply, device.ChoiceFlow, device.ChoiceAddress, device.ChoiceLocation, device.ChoiceContact,
			device.ChoiceAllow, device.ChoiceDeny, device.ChoiceCall:
		}
		if c.Section != section {
			section = c.Section
			b.section = section
		}
		p.buttons = append(p.buttons, b)
	}
	for i := range d.Cards {
		p.cards = append(p.cards, fromDevice(&d.Cards[i]))
	}
	return p
}

// offer is a limited-time offer with its end.
func offer(text string, until int64) string {
	if until == 0 {
		return text
	}
	return text + " · until " + time.UnixMilli(until).UTC().Format("2006-01-02 15:04 UTC")
}

func (p *parts) place(at *device.Place) {
	p.label = labels["location"]
	if p.body == "" {
		p.body = strings.TrimSpace(at.Name + "\n" + at.Address)
	} else {
		p.header = strings.TrimSpace(at.Name + "  " + at.Address)
	}
	where := fmt.Sprintf("%.5f, %.5f", at.Latitude, at.Longitude)
	p.footer = strings.TrimPrefix(p.footer+" · "+where, " · ")
	p.buttons = append(p.buttons, button{text: "Map", extra: at.Link()})
	if at.URL != "" {
		p.buttons = append(p.buttons, button{text: "Website", extra: at.URL})
	}
}

// fileLine is a file in a line: what it is, its type and its size.
func fileLine(f *device.Media) string {
	label := labels[f.Kind]
	switch {
	case f.Voice:
		label = "Voice message"
	case f.Animated:
		label = "Animated " + strings.ToLower(label)
	}
	kind, _, err := mime.ParseMediaType(f.MIME)
	if err != nil {
		kind = f.MIME
	}
	label = withDetail(label, kind, "")
	if f.Size > 0 {
		label += " · " + size(f.Size)
	}
	return label
}

func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 999_500:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// businessCard is a contact card in lines.
func businessCard(c *device.Contact) string {
	name := c.Name.Formatted
	if name == "" {
		name = strings.TrimSpace(c.Name.First + " " + c.Name.Last)
	}
	list := []string{name, joined(", ", c.Org.Company, c.Org.Department, c.Org.Title)}
	for _, p := range c.Phones {
		list = append(list, strings.TrimSpace(p.Phone+"  "+strings.ToLower(p.Type)))
	}
	for _, e := range c.Emails {
		list = append(list, e.Email)
	}
	for _, u := range c.URLs {
		list = append(list, u.URL)
	}
	for _, a := range c.Addresses {
		list = append(list, joined(" ", a.Street, a.Zip, a.City, a.State, a.Country))
	}
	if c.Birthday != "" {
		list = append(list, "born "+c.Birthday)
	}
	var out []string
	for _, l := range list {
		if l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

// joined is what there is of the texts, with something between them.
func joined(between string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), between)
}

// all lists the buttons of a message and then those of its cards.
func (p *parts) all() (list []*button) {
	for i := range p.buttons {
		list = append(list, &p.buttons[i])
	}
	for i := range p.cards {
		list = append(list, p.cards[i].all()...)
	}
	return list
}

// pressable finds a button that answers, by its number among those (from 1) or by its words. at is its place among the
// message's choices, nil when there is none.
func (p *parts) pressable(which string, n int) (b *button, at int) {
	seen := 0
	for _, b := range p.all() {
		if b.choice == nil {
			continue
		}
		if b.answers() {
			seen++
			if seen == n || (which != "" && strings.EqualFold(b.choice.Title, which)) {
				return b, at
			}
		}
		at++
	}
	return nil, 0
}

// textContent is a text message, answering another one if context is not empty.
func textContent(body, context string) []byte {
	return device.WithContext(device.TextContent(body), context)
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
