package message

import (
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// The types of messages that a send may name. Source: spec/messages.md section 2.
const (
	TypeAudio       = "audio"
	TypeContacts    = "contacts"
	TypeDocument    = "document"
	TypeImage       = "image"
	TypeInteractive = "interactive"
	TypeLocation    = "location"
	TypePin         = "pin"
	TypeReaction    = "reaction"
	TypeSticker     = "sticker"
	TypeTemplate    = "template"
	TypeText        = "text"
	TypeVideo       = "video"

	// TypeButton and TypeOrder are sent by users only.
	TypeButton = "button"
	TypeOrder  = "order"

	// TypeUnsupported is what an inbound message becomes that cannot be represented.
	TypeUnsupported = "unsupported"
)

// types in the order in which the error for another one lists them.
var types = []string{
	TypeAudio, TypeContacts, TypeDocument, TypeImage, TypeInteractive, TypeLocation, TypePin, TypeReaction, TypeSticker,
	TypeTemplate, TypeText, TypeVideo,
}

// Limits in Unicode code points. Source: spec/messages.md sections 2 and 9.1.
const (
	MaxText   = 4096
	MaxOpaque = 512
)

// maxHash bounds an identity hash, ours have 12 characters: it is stored with the message.
const maxHash = 256

// maxMessageID bounds ids of other messages in bytes; ours have up to about 150.
const maxMessageID = 512

// Bounds of ttl_seconds. Source: spec/messages.md section 16.
const (
	minTTL = 30
	maxTTL = 43_200
)

// Month is how long a message waits to be delivered unless its template says otherwise. Source: spec/messages.md section
// 14.2.
const Month = 30 * 24 * time.Hour

// Outbound is a send, or a read mark, on its way through the gates.
type Outbound struct {
	Mark *Mark // the call marks a message as read; then nothing else counts

	Input string  // the recipient exactly as given
	To    wa.WaID // set by Address
	Type  string
	Body  []byte // members of the device's plaintext after "ts": `"type":"text","text":{…}`; templates: set by Finish

	Category     string        // pricing category: "service", or the template's after Finish
	Template     wa.TemplateID // set by whoever finishes a template message
	Life         time.Duration // until it is dropped undelivered
	Context      wa.MessageID  // the message it answers; empty for none
	Opaque       string        // biz_opaque_callback_data
	IdentityHash string        // recipient_identity_key_hash
	PreviewURL   string        // first link of a text that asks for a preview; empty for none

	Flow *FlowRef // what an interactive message of type flow opens; nil for all others

	// Attachments in order of appearance; the body holds a placeholder for each, see AppendPlaceholder.
	Attachments []Attachment

	group    bool
	bsuid    string // the recipient, when there is no number
	byID     bool   // recipient was given
	text     string
	preview  bool
	category string // of Direct Send
	seconds  int64  // ttl_seconds
	ttl      bool   // it was given

	directConfig bool // direct_send_config was given
	noContext    bool // a context without a usable message id

	flaw       *wa.Error // the first thing wrong with the content; Check tells
	address    bool      // an address message
	expiration int64     // of an order, Unix seconds; 0 for none
}

// Mark marks a message, and all before it, as read. Source: spec/messages.md section 13.
type Mark struct {
	MessageID wa.MessageID
	Typing    bool
}

// Scoped reports whether the recipient is named by a business-scoped id alone; ByID whether the call has such an id at all.
func (o *Outbound) Scoped() bool { return o.bsuid != "" }

// ByID reports whether the call has a business-scoped id, with or without a number.
func (o *Outbound) ByID() bool { return o.byID }

// IsTemplate reports whether a template has to be filled in, see [Outbound.Finish].
func (o *Outbound) IsTemplate() bool { return o.Type == TypeTemplate }

// Finish gives a template message its content: rendered is the JSON object that the device finds under "template",
// category the pricing category, and life how long it waits to be delivered.
func (o *Outbound) Finish(rendered []byte, category string, life time.Duration) {
	b := make([]byte, 0, len(rendered)+len(o.Context)+64)
	b = append(b, `"type":"template","template":`...)
	b = append(b, rendered...)
	o.Body = appendContext(b, o.Context)
	o.Category, o.Life = category, life
}
