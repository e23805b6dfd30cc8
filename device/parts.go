package device

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Parts is a message taken apart for showing, top to bottom. All of it is foreign text of any length. What a message does
// not have, or has in another shape than expected, is empty.
type Parts struct {
	// Kind is the message's type, and for interactive messages the type of what is inside: "button", "list", "flow", …;
	// "button_reply", "list_reply", "nfm_reply" for answers.
	Kind     string
	Header   string
	Body     string
	Footer   string
	Offer    string    // of a limited-time offer
	Until    int64     // when it ends, Unix milliseconds; 0 when it does not say
	Media    *Media    // the message itself, or its header
	Place    *Place    // the same
	Contacts []Contact // of contacts
	Order    *Order    // of order
	Emoji    string    // of reaction; empty takes the reaction away
	Target   string    // wamid that a reaction, edit or revoke is about
	Cards    []Parts   // of a carousel
	Choices  []Choice  // of the message without its cards
}

// Media is a file that a message carries.
type Media struct {
	Kind     string // image, video, audio, document, sticker; gif for an animation
	MIME     string
	Caption  string
	Filename string
	Voice    bool
	Animated bool
	Size     int64 // of the clear file, in bytes; 0 when the message does not say
	Link     string
	Blob     *Blob // nil when the file cannot be fetched
}

// Place is a location.
type Place struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
	URL       string  `json:"url,omitempty"`
}

// Link is a map of the place.
func (p *Place) Link() string {
	return "https://osm.org/?mlat=" + degrees(p.Latitude) + "&mlon=" + degrees(p.Longitude)
}

func degrees(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Order is a cart that was sent.
type Order struct {
	CatalogID string `json:"catalog_id"`
	Text      string `json:"text"`
	Items     []Item `json:"product_items"`
}

// Item is a line of a cart.
type Item struct {
	SKU      string  `json:"product_retailer_id"`
	Quantity int     `json:"quantity"`
	Price    float64 `json:"item_price"` // of one
	Currency string  `json:"currency"`   // ISO 4217
}

// Contact is a card of an address book, as far as it is shown.
type Contact struct {
	Name struct {
		Formatted string `json:"formatted_name"`
		First     string `json:"first_name"`
		Last      string `json:"last_name"`
	} `json:"name"`
	Birthday string `json:"birthday"`
	Org      struct {
		Company    string `json:"company"`
		Department string `json:"department"`
		Title      string `json:"title"`
	} `json:"org"`
	Phones []struct {
		Phone string `json:"phone"`
		WaID  string `json:"wa_id"`
		Type  string `json:"type"`
	} `json:"phones"`
	Emails []struct {
		Email string `json:"email"`
	} `json:"emails"`
	URLs []struct {
		URL string `json:"url"`
	} `json:"urls"`
	Addresses []struct {
		Street  string `json:"street"`
		City    string `json:"city"`
		State   string `json:"state"`
		Zip     string `json:"zip"`
		Country string `json:"country"`
	} `json:"addresses"`
}

// Parts takes the message apart. It never fails. Source: spec/messages.md sections 9 to 11, spec/webhooks.md section 13.
func (m *Message) Parts() Parts {
	raw := m.Content()
	p := Parts{Kind: m.Type}
	switch m.Type {
	case "contacts":
		_ = json.Unmarshal(raw, &p.Contacts) // a card of another shape is left out
		return p
	case "order":
		p.Order = new(Order)
		_ = json.Unmarshal(raw, p.Order)
		p.Body = p.Order.Text
		return p
	}
	var c content
	_ = json.Unmarshal(raw, &c) // a member of another shape leaves its field empty
	switch m.Type {
	case "image", "video", "audio", "document", "sticker":
		p.Media = c.media(m.Type)
		if p.Media == nil {
			p.Media = &Media{Kind: m.Type}
		}
		p.Body = p.Media.Caption
	case "location":
		p.Place = c.place()
	case "reaction":
		p.Emoji, p.Target = c.Emoji, c.MessageID
	case "edit", "revoke":
		p.Target = c.Original
		edited := Message{Type: string(c.Message.Type), Raw: c.Message.raw}
		p.Body = edited.Text()
	case "interactive":
		c.interactive(&p)
	case "template":
		c.sides(&p)
		p.Offer, p.Until = c.Offer.Text, c.Offer.Expires
		p.Choices = append(c.templateChoices(-1), c.templateExtras()...)
		p.Cards = c.Carousel.Cards.parts((*content).templateChoices)
	default:
		p.Body = string(c.Body) + string(c.Text)
	}
	return p
}

// interactive takes the object of an interactive message apart, in both directions.
func (c *content) interactive(p *Parts) {
	c.sides(p)
	if c.Type != "" {
		p.Kind = c.Type
	}
	switch c.Type {
	case "button_reply", "list_reply":
		o := c.ButtonReply
		if c.Type == "list_reply" {
			o = c.ListReply
		}
		p.Body, p.Footer = o.Title, o.Description
	case "nfm_reply":
		p.Body = c.FormReply.words()
	case "call_permission_reply":
		p.Body = c.CallReply.Response
	default:
		p.Choices = c.choices(-1)
		p.Cards = c.Action.Cards.parts((*content).choices)
	}
}

// maxGIF is the size in bytes up to which an animation is shown as one. Source: spec/templates.md section 6.1.
const maxGIF = 7 << 19 // 3.5 MB

// sides are header, body and footer.
func (c *content) sides(p *Parts) {
	p.Header, p.Body, p.Footer = string(c.Header.Text), string(c.Body), string(c.Footer)
	if p.Header == "" {
		p.Header = c.Header.Product.SKU
	}
	p.Media = c.Header.file().media(strings.ToLower(c.Header.Type))
	if p.Media != nil && p.Media.Kind == "gif" && p.Media.Size > maxGIF {
		p.Media.Kind = "video"
	}
	if c.Header.Location != nil {
		p.Place = c.Header.Location.place()
	}
}

func (l cards) parts(choices func(c *content, card int) []Choice) (list []Parts) {
	for i := range l {
		p := Parts{Kind: "card"}
		l[i].sides(&p)
		if p.Header == "" && p.Media == nil && l[i].Action.Product != "" {
			p.Header = l[i].Action.Product
		}
		p.Choices = choices(&l[i], i)
		list = append(list, p)
	}
	return list
}

// Media lists the files of a message: of itself or its header, then of its cards.
func (m *Message) Media() (list []Media) {
	p := m.Parts()
	if p.Media != nil {
		list = append(list, *p.Media)
	}
	for i := range p.Cards {
		if f := p.Cards[i].Media; f != nil {
			list = append(list, *f)
		}
	}
	return list
}
