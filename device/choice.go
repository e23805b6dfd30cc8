package device

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ChoiceKind says what pressing a [Choice] does.
type ChoiceKind string

// The kinds of choices. Those up to ChoiceOrder answer the business; the others do something on the phone alone.
const (
	ChoiceReply    ChoiceKind = "reply"    // a button or a row: sends what it says
	ChoiceFlow     ChoiceKind = "flow"     // a form: sends the fields that are filled in
	ChoiceAddress  ChoiceKind = "address"  // an address form
	ChoiceLocation ChoiceKind = "location" // asks for a place
	ChoiceContact  ChoiceKind = "contact"  // asks for the user's contact card
	ChoiceAllow    ChoiceKind = "allow"    // permits calls for a week
	ChoiceDeny     ChoiceKind = "deny"     // forbids them
	ChoiceOrder    ChoiceKind = "order"    // a product or catalog: sends a cart

	ChoiceURL   ChoiceKind = "url"
	ChoicePhone ChoiceKind = "phone"
	ChoiceCode  ChoiceKind = "code" // a code to copy
	ChoiceCall  ChoiceKind = "call" // calls the business
	ChoicePay   ChoiceKind = "pay"
	ChoiceOther ChoiceKind = "other"
)

// Choice is something that can be pressed below a message.
type Choice struct {
	Kind    ChoiceKind
	ID      string // of a reply button or row; the payload of a template's
	Title   string
	Note    string // description of a row
	Section string // title of the row's section
	Target  string // URL, number, code, flow, catalog or product behind it
	Card    int    // position of its card; -1 outside of a carousel

	reply []byte // of ChoiceReply
	token string // flow_token
	flow  opening
}

// Answers reports whether pressing it sends a message.
func (c *Choice) Answers() bool {
	switch c.Kind {
	case ChoiceReply, ChoiceFlow, ChoiceAddress, ChoiceLocation, ChoiceContact, ChoiceAllow, ChoiceDeny, ChoiceOrder:
		return true
	case ChoiceURL, ChoicePhone, ChoiceCode, ChoiceCall, ChoicePay, ChoiceOther:
	}
	return false
}

// Filling is what some choices need besides being pressed.
type Filling struct {
	Fields map[string]any // of flows and addresses
	Place  *Place         // of locations
	Items  []Item         // of orders
	// Catalog is the id of the catalog that an order is from, when the message does not name it.
	Catalog string
}

// callsAllowed is how long a temporary permission to call lasts. Source: spec/messages.md section 10.10.
const callsAllowed = 7 * 24 * time.Hour

// Content is the message that pressing sends, without its context. Errors: [ErrContent] when nothing is sent, or something
// is missing.
func (c *Choice) Content(now time.Time, f Filling) ([]byte, error) {
	switch c.Kind {
	case ChoiceReply:
		return slices.Clone(c.reply), nil
	case ChoiceFlow:
		return c.form("flow", "Sent", withToken(f.Fields, c.token)), nil
	case ChoiceAddress:
		if len(f.Fields) == 0 {
			return nil, fmt.Errorf("the address has no fields: %w", ErrContent)
		}
		return c.form("address_message", lines(f.Fields), map[string]any{"values": f.Fields}), nil
	case ChoiceLocation:
		if f.Place == nil {
			return nil, fmt.Errorf("a place is missing: %w", ErrContent)
		}
		return PlaceContent(*f.Place), nil
	case ChoiceAllow:
		return interactive("call_permission_reply", map[string]any{
			"response": "accept", "is_permanent": false, "response_source": "user_action",
			"expiration_timestamp": strconv.FormatInt(now.Add(callsAllowed).Unix(), 10),
		}), nil
	case ChoiceDeny:
		return interactive("call_permission_reply", map[string]any{"response": "reject", "response_source": "user_action"}), nil
	case ChoiceOrder:
		return OrderContent(or(c.catalog(), f.Catalog), "", f.Items)
	case ChoiceContact, ChoiceURL, ChoicePhone, ChoiceCode, ChoiceCall, ChoicePay, ChoiceOther:
	}
	return nil, fmt.Errorf("%q sends nothing: %w", c.Title, ErrContent)
}

func (c *Choice) catalog() string {
	id, _, _ := strings.Cut(c.Target, " ")
	return id
}

// form is the answer to a form. Source: spec/webhooks.md section 13.9.
func (c *Choice) form(name, body string, response map[string]any) []byte {
	return interactive("nfm_reply", map[string]any{"name": name, "body": body, "response_json": string(encode(response))})
}

func withToken(fields map[string]any, token string) map[string]any {
	out := maps.Clone(fields)
	if out == nil {
		out = map[string]any{}
	}
	if token == "" {
		token = "unused"
	}
	out["flow_token"] = token
	return out
}

func lines(fields map[string]any) string {
	list := make([]string, 0, len(fields))
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, fmt.Sprint(fields[k]))
	}
	return strings.Join(list, "\n")
}

// choices are the buttons of an interactive message or of one of its cards. Source: spec/messages.md section 10.
func (c *content) choices(card int) (list []Choice) {
	a := &c.Action
	for _, b := range a.Buttons {
		o := b.Reply
		if o.ID == "" {
			o = b.QuickReply
		}
		list = append(list, replyChoice("button_reply", o, card))
	}
	for _, s := range a.Sections {
		for _, r := range s.Rows {
			n := replyChoice("list_reply", r, card)
			n.Note, n.Section = r.Description, s.Title
			list = append(list, n)
		}
		list = append(list, s.products(a.Catalog, card)...)
	}
	return append(list, c.named(card)...)
}

func (s *section) products(catalog word, card int) (list []Choice) {
	for _, p := range s.Products {
		list = append(list, Choice{Kind: ChoiceOrder, Title: p.SKU, Section: s.Title, Target: string(catalog) + " " + p.SKU, Card: card})
	}
	return list
}

func replyChoice(kind string, o option, card int) Choice {
	return Choice{Kind: ChoiceReply, ID: o.ID, Title: o.Title, Card: card, reply: interactive(kind, o)}
}

// named are the choices that the action's name, or its product, brings.
func (c *content) named(card int) []Choice {
	a, p := &c.Action, &c.Action.Parameters
	one := func(kind ChoiceKind, title, target string) []Choice {
		return []Choice{{Kind: kind, Title: title, Target: target, Card: card, token: p.Token, flow: p.opening}}
	}
	switch {
	case a.Product != "":
		return one(ChoiceOrder, a.Product, string(a.Catalog)+" "+a.Product)
	case p.URL != "":
		return one(ChoiceURL, or(p.Text, p.URL), p.URL)
	}
	switch a.Name {
	case "flow":
		return one(ChoiceFlow, or(p.CTA, "Open"), or(string(p.FlowID), p.Flow))
	case "send_location":
		return one(ChoiceLocation, "Send location", "")
	case "request_contact_info":
		return one(ChoiceContact, "Share contact", "")
	case "address_message":
		return one(ChoiceAddress, "Provide address", p.Country)
	case "catalog_message":
		return one(ChoiceOrder, "View catalog", string(a.Catalog))
	case "call_permission_request":
		return callChoices(card)
	case "voice_call":
		return one(ChoiceCall, or(p.Text, "Call Now"), "")
	case "review_and_pay":
		return one(ChoicePay, "Review and pay", p.price())
	case "review_order":
		n := news{Ref: p.Ref, Order: p.Order}
		return []Choice{n.choice(card)}
	}
	return nil
}

func callChoices(card int) []Choice {
	return []Choice{{Kind: ChoiceAllow, Title: "Allow calls", Card: card}, {Kind: ChoiceDeny, Title: "Do not allow", Card: card}}
}

func (n *news) choice(card int) Choice {
	return Choice{
		Kind: ChoiceOther, Title: strings.TrimSpace("Order " + n.Ref + " " + n.Order.Status), Target: n.Order.Description, Card: card,
	}
}

// templateExtras are what a template can have besides buttons.
func (c *content) templateExtras() (list []Choice) {
	if c.News.Ref != "" {
		list = append(list, c.News.choice(-1))
	}
	if c.Tap.URL != "" {
		list = append(list, Choice{Kind: ChoiceURL, Title: or(c.Tap.Title, c.Tap.URL), Target: c.Tap.URL, Card: -1})
	}
	if c.MayCall {
		list = append(list, callChoices(-1)...)
	}
	return list
}

func (p *parameters) price() string {
	if p.Total.Offset <= 0 {
		return p.Ref
	}
	return p.Ref + " " + strconv.FormatFloat(p.Total.Value/p.Total.Offset, 'f', 2, 64) + " " + p.Currency
}

func or(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// templateChoices are the buttons of a rendered template or of one of its cards. Source: spec/messages.md section 11.3.
func (c *content) templateChoices(card int) (list []Choice) {
	for i := range c.Buttons {
		b := &c.Buttons[i]
		n := Choice{Kind: ChoiceOther, Title: b.Text, Target: b.URL + b.Phone + b.Code, Card: card}
		switch strings.ToLower(b.Type) {
		case "quick_reply":
			n.Kind, n.ID, n.Target = ChoiceReply, or(b.Payload, b.Text), ""
			n.reply = encode(map[string]any{"type": "button", "button": map[string]string{"payload": n.ID, "text": b.Text}})
		case "url":
			n.Kind = ChoiceURL
		case "phone_number":
			n.Kind = ChoicePhone
		case "copy_code", "otp":
			n.Kind = ChoiceCode
			if b.Code == "" && b.URL != "" {
				n.Kind = ChoiceURL
			}
		case "flow":
			n.Kind, n.Target, n.token, n.flow = ChoiceFlow, or(string(b.FlowID), b.Flow), b.Token, b.opening
		case "catalog", "mpm":
			n.Kind, n.Target = ChoiceOrder, string(b.Catalog)
		case "spm":
			n.Kind, n.Target = ChoiceOrder, or(string(b.Catalog), string(c.Header.Product.Catalog))
		case "voice_call":
			n.Kind = ChoiceCall
		case "order_details":
			n.Kind, n.Target = ChoicePay, b.Details.price()
		case "request_contact_info":
			n.Kind = ChoiceContact
		}
		list = append(list, n)
		for j := range b.Sections {
			list = append(list, b.Sections[j].products(b.Catalog, card)...)
		}
	}
	return list
}

// interactive is an interactive answer.
func interactive(kind string, v any) []byte {
	return encode(map[string]any{"type": "interactive", "interactive": map[string]any{"type": kind, kind: v}})
}

// encode writes JSON of what the caller built of strings, numbers and maps, as phones write it: nothing is escaped that
// need not be.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("device: content does not marshal: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
