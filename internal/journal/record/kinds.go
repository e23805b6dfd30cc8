package record

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// All times are Unix milliseconds of platform time.

// Accepted says that a message was taken over: from here on it will end in sent or failed.
type Accepted struct {
	ID      wa.MessageID
	Number  wa.PhoneNumberID
	WABA    wa.WABAID
	To      wa.WaID
	At      int64
	Expires int64 // end of the message's life; spec/messages.md section 14.2

	Type         string        // "text", "template", …
	Category     string        // pricing category of a template in lower case ("utility"); "service" for free-form
	Template     wa.TemplateID // what the message was made from; empty for none
	IdentityHash string        // recipient_identity_key_hash of the request; empty when none was given

	PairStart int64  // pair limiter after this message: start of its window, see limits.PairState
	PairCount uint32 // pair limiter after this message: messages in the window

	Body       []byte // the content, see message.Outbound.Body; memory only
	SealedBody []byte // the same under a content key

	Opaque       string // biz_opaque_callback_data; memory only
	SealedOpaque []byte // the same under a content key; nil when there is none
}

// Kind implements Record.
func (*Accepted) Kind() Kind { return KindAccepted }

// Sealed is a mailbox item with ciphertext, together with the session state after it: one append, so a message key is
// never used for a second ciphertext.
type Sealed struct {
	ID      wa.MessageID
	Number  wa.PhoneNumberID
	Device  wa.DeviceID
	Seq     uint64 // position in the device's mailbox
	At      int64
	Expires int64
	PreKey  bool   // the ciphertext starts a session
	Silent  bool   // a companion of a message (link preview): its acknowledgement is no status
	Cipher  []byte // Signal message; opaque to everyone but the device. Of a number without storage sealed once more
	Session []byte // session state after this message, sealed under the number's key
	Attempt uint32 // 0 for the first encryption, then one per retry
}

// Kind implements Record.
func (*Sealed) Kind() Kind { return KindSealed }

// Status is sent, delivered, read, played or failed. It carries what a webhook needs, so that no reader must look the
// message up.
type Status struct {
	Of     Kind
	ID     wa.MessageID
	Number wa.PhoneNumberID
	WABA   wa.WABAID
	To     wa.WaID
	At     int64

	Type         string
	Category     string        // pricing category, see Accepted
	Template     wa.TemplateID // as Accepted.Template
	Outside      bool          // sent to a user without open customer service window
	Fresh        Fresh         // with delivered and read
	Counted      int64         // with the first of them, of a message sent outside a window: see limits.Reached
	PricingType  string        // "regular", "free_customer_service", "free_entry_point"
	Billable     bool
	Priced       bool   // this status carries the pricing object
	Conversation int64  // expiration_timestamp of the conversation object; 0 leaves it out (only sent has it)
	Entry        int64  // start of the free entry point window that the message belongs to; 0 for none
	IdentityHash string // the user's hash when the number checks identities; else empty
	Profile      string // the user's profile name; empty when unknown

	Device wa.DeviceID // whose acknowledgement this is; empty for sent and failed
	Seq    uint64      // mailbox position acknowledged with it

	Code    int    // failed: row of the error table
	Subcode int    // failed
	Details string // failed: error_data.details

	Opaque       string // memory only
	SealedOpaque []byte
	OpaqueAt     int64  // of a brief one with callback data: when that came into being, it is forgotten an hour later; else 0
	Brief        bool   // of a number without storage: it is told within an hour or never
	SealedBody   []byte // sent: the body with the files in it that were fetched since it was accepted; nil when there were none
}

// Kind implements Record.
func (s *Status) Kind() Kind { return s.Of }

// Received is an inbound message. The device is told "sent" only after it is durable.
type Received struct {
	ID     wa.MessageID
	Number wa.PhoneNumberID
	WABA   wa.WABAID
	From   wa.WaID
	At     int64

	Device       wa.DeviceID
	ClientID     string // the device's own id of the message, for recognising repeats
	Type         string
	Profile      string
	IdentityHash string // as Status.IdentityHash
	Session      []byte // session state after this message, sealed under the number's key
	OneTime      uint32 // one-time prekey of the number that this message used up; 0 when none
	Body         []byte // the device's plaintext (JSON); memory only
	SealedBody   []byte // the same under a content key

	Brief  bool         // as Status.Brief
	Quoted wa.MessageID // what the message answers; empty for none
	Button uint32       // mark of a template's quick reply button that was pressed, see message.ButtonMark; 0 for none
}

// Kind implements Record.
func (*Received) Kind() Kind { return KindReceived }

// Marked says that the business marked the user's message, and all before it, as read (spec/messages.md section 13).
type Marked struct {
	ID     wa.MessageID
	Number wa.PhoneNumberID
	User   wa.WaID
	At     int64
}

// Kind implements Record.
func (*Marked) Kind() Kind { return KindMarked }

// Item is a mailbox item without ciphertext: an event such as a read mark.
type Item struct {
	Number  wa.PhoneNumberID
	Device  wa.DeviceID
	Seq     uint64
	At      int64
	Expires int64
	Event   []byte // JSON of frame.Event
}

// Kind implements Record.
func (*Item) Kind() Kind { return KindItem }

// Acked says that a device holds everything up to Seq that this lane gave it. Statuses imply it for their own item; it is
// written for items that have no status.
type Acked struct {
	Number wa.PhoneNumberID
	Device wa.DeviceID
	Seq    uint64
	ID     wa.MessageID // the item's message; empty for events
	At     int64
}

// Kind implements Record.
func (*Acked) Kind() Kind { return KindAcked }

// Blocked says that one side blocked or unblocked the other.
type Blocked struct {
	Number     wa.PhoneNumberID
	User       wa.WaID
	At         int64
	ByBusiness bool // else by the user
	On         bool // false lifts the block
}

// Kind implements Record.
func (*Blocked) Kind() Kind { return KindBlocked }

// Dropped says that a message's life ended before it was delivered. No webhook tells of it.
type Dropped struct {
	ID     wa.MessageID
	Number wa.PhoneNumberID
	To     wa.WaID
	At     int64
}

// Kind implements Record.
func (*Dropped) Kind() Kind { return KindDropped }

// Fresh says of whom a delivery is the first message today (UTC): quality counts users per day.
type Fresh uint8

// The parts of Fresh.
const (
	FreshNumber   Fresh = 1 << iota // the user's first from the number today
	FreshTemplate                   // the user's first of the template today
	InTime                          // read within seven days of being sent
	Marketing                       // it counts against the user's cap, though it is priced as something else
)

// Feedback says what a user thinks of a business number: an action on its chat. It names the template that was delivered
// last to the user when that is recent enough to be what the feedback is about. Source: spec/quality.md section 7.1.
type Feedback struct {
	Number   wa.PhoneNumberID
	WABA     wa.WABAID
	User     wa.WaID
	At       int64
	What     string        // "block", "unblock", "report", "mute", "archive", "stop", "resume", "dislike"
	Reason   string        // of a block; empty for none
	Template wa.TemplateID // empty: about the number alone
	Light    bool          // the number has not written to the user for a week: it weighs nothing
}

// Kind implements Record.
func (*Feedback) Kind() Kind { return KindFeedback }

func (r *Feedback) appendTo(b []byte) []byte {
	b = text(b, fNumber, r.Number)
	b = text(b, fWABA, r.WABA)
	b = text(b, fUser, r.User)
	b = num(b, fAt, r.At)
	b = text(b, fWhat, r.What)
	b = text(b, fReason, r.Reason)
	b = flag(b, fOn, r.Light)
	return text(b, fTemplate, r.Template)
}

func (r *Feedback) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fWABA:
			r.WABA = wa.WABAID(v)
		case fUser:
			r.User = wa.WaID(v)
		case fWhat:
			r.What = string(v)
		case fReason:
			r.Reason = string(v)
		case fTemplate:
			r.Template = wa.TemplateID(v)
		}
	}, func(n protowire.Number, v uint64) {
		switch n {
		case fAt:
			r.At = int64(v)
		case fOn:
			r.Light = v != 0
		}
	})
}
