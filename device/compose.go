package device

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// The functions here make contents for [Device.Send].

// TextContent is a text message.
func TextContent(body string) []byte {
	return encode(map[string]any{"type": "text", "text": map[string]string{"body": body}})
}

// ReactionContent reacts to a message; an empty emoji takes the reaction away.
func ReactionContent(messageID, emoji string) []byte {
	return encode(map[string]any{"type": "reaction", "reaction": map[string]string{"message_id": messageID, "emoji": emoji}})
}

// PlaceContent is a location.
func PlaceContent(p Place) []byte {
	return encode(map[string]any{"type": "location", "location": p})
}

// ContactContent is a contact card of a person with one number. requested says that the business asked for it.
func ContactContent(name, waID string, requested bool) []byte {
	card := map[string]any{
		"name":   map[string]string{"formatted_name": name, "first_name": name},
		"phones": []map[string]string{{"phone": "+" + waID, "wa_id": waID, "type": "MOBILE"}},
		"vcard":  "BEGIN:VCARD\nVERSION:3.0\nFN:" + vcardText.Replace(name) + "\nTEL:+" + waID + "\nEND:VCARD",
		"origin": "other",
	}
	if requested {
		card["origin"] = "contact_request"
	}
	return encode(map[string]any{"type": "contacts", "contacts": []any{card}})
}

var vcardText = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", "", ",", `\,`, ";", `\;`)

// OrderContent is a cart. Errors: [ErrContent] for an empty one.
func OrderContent(catalog, note string, items []Item) ([]byte, error) {
	if len(items) == 0 {
		return nil, fmt.Errorf("the cart is empty: %w", ErrContent)
	}
	return encode(map[string]any{"type": "order", "order": Order{CatalogID: catalog, Text: note, Items: items}}), nil
}

// EditContent changes the words of a text that the user sent.
func EditContent(messageID, body string) []byte {
	return encode(map[string]any{"type": "edit", "edit": map[string]any{
		"original_message_id": messageID, "message": json.RawMessage(TextContent(body)),
	}})
}

// RevokeContent deletes a message of the user for everybody.
func RevokeContent(messageID string) []byte {
	return encode(map[string]any{"type": "revoke", "revoke": map[string]string{"original_message_id": messageID}})
}

// WithContext makes content an answer to a message. content is an object; an empty id changes nothing.
func WithContext(content []byte, id string) []byte {
	if id == "" || len(content) < 2 {
		return content
	}
	out := append(make([]byte, 0, len(content)+len(id)+24), content[:len(content)-1]...)
	return append(append(append(out, `,"context":{"id":`...), encode(id)...), "}}"...)
}

// FileContent is a message with an encrypted file that the relay holds. Caption, Filename, Voice and Animated count where
// the kind has them.
func FileContent(f Media) []byte {
	o := map[string]any{"mime_type": f.MIME, "size": f.Size, "blob": f.Blob}
	switch f.Kind {
	case "image", "video", "document":
		if f.Caption != "" {
			o["caption"] = f.Caption
		}
		if f.Kind == "document" && f.Filename != "" {
			o["filename"] = f.Filename
		}
	case "audio":
		o["voice"] = f.Voice
	case "sticker":
		o["animated"] = f.Animated
	}
	return encode(map[string]any{"type": f.Kind, f.Kind: o})
}

// Press returns the content that answers choice n, counted from 0, of a received message: of its own choices and then of
// those of its cards. It carries the context. Errors: [ErrUnknown], [ErrContent].
func (d *Device) Press(id string, n int, f Filling) (content []byte, err error) {
	m := d.find(id)
	if m == nil || m.Direction != In {
		return nil, ErrUnknown
	}
	list := m.Choices()
	if n < 0 || n >= len(list) {
		return nil, fmt.Errorf("the message has %d choices: %w", len(list), ErrContent)
	}
	c := &list[n]
	if c.Kind == ChoiceContact {
		content = ContactContent(or(d.me.Name, "+"+d.me.WaID), d.me.WaID, true)
	} else if content, err = c.Content(d.now(), f); err != nil {
		return nil, err
	}
	return WithContext(content, m.ID), nil
}

// Click tells the platform that the user opened the link behind choice n, counted from 0, of a received message. Errors:
// [ErrUnknown], [ErrContent] when there is no link, those of [Device.Act].
func (d *Device) Click(id string, n int) (Effects, error) {
	m := d.find(id)
	if m == nil || m.Direction != In {
		return Effects{}, ErrUnknown
	}
	list := m.Choices()
	if n < 0 || n >= len(list) || list[n].Kind != ChoiceURL {
		return Effects{}, fmt.Errorf("choice %d is no link: %w", n+1, ErrContent)
	}
	words := list[n].Title
	if len(words) > frame.MaxReason { // an address that stands for the words: no button is as long
		words = strings.ToValidUTF8(words[:frame.MaxReason], "")
	}
	return d.Act(frame.Act{Do: frame.DoClick, Of: m.Chat, ID: m.ID, Reason: "cta", Button: words})
}

// Choices lists all choices of a message, its own and then those of its cards.
func (m *Message) Choices() []Choice {
	p := m.Parts()
	list := p.Choices
	for i := range p.Cards {
		list = append(list, p.Cards[i].Choices...)
	}
	return list
}

// EditWithin and RevokeWithin are how long after sending a message can be changed and deleted. Source: spec/webhooks.md
// sections 13.15 and 13.16.
const (
	EditWithin   = 15 * time.Minute
	RevokeWithin = 48 * time.Hour
)
