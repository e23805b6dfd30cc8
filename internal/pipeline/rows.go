package pipeline

import (
	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The rows below are what the projector derives from the journal and the store keeps. Times are Unix milliseconds, 0 for
// "not yet". Sealed columns are opaque here and in the store.

// PeerKey names a pair: a business number and a user.
type PeerKey struct {
	Number wa.PhoneNumberID
	User   wa.WaID
}

// Peer is the state of a pair.
type Peer struct {
	Key               PeerKey
	LastInbound       int64 // opens the customer service window
	PairStart         int64 // limits.PairState
	PairCount         uint32
	BlockedByUser     bool
	BlockedByBusiness bool
	DeliveredAt       int64         // latest delivery of a message to the user
	Template          wa.TemplateID // delivered last; empty for none
	TemplateAt        int64         // when
	Standing          Standing      // without Key
	Sessions          []Session
}

// Standing is the part of a pair's state that changes rarely, see [record.Standing].
type Standing struct {
	Key        PeerKey
	ReferralAt int64
	EntryAt    int64
	Hash       string
	OptedOut   bool
	MovedTo    wa.WaID
}

// Session is the stored Signal session of a number with one device.
type Session struct {
	Number  wa.PhoneNumberID
	Device  wa.DeviceID
	State   []byte // sealed under the number's key; nil leaves the stored one as it is
	LastSeq uint64 // highest mailbox position this number gave the device
}

// State says how far a message has come. States only grow, except that failed and dropped end the ladder.
type State uint8

// The states of a message row.
const (
	StateAccepted  State = 1
	StateSealed    State = 2 // on its way through the first-contact pool; never stored for long
	StateSent      State = 3
	StateDelivered State = 4
	StateRead      State = 5
	StatePlayed    State = 6
	StateFailed    State = 7
	StateDropped   State = 8
	StateReceived  State = 9 // inbound
)

// Message is the row of a message in either direction, keyed by ID.
type Message struct {
	ID       wa.MessageID
	Number   wa.PhoneNumberID
	WABA     wa.WABAID
	User     wa.WaID
	State    State
	Type     string
	Category string        // pricing category; empty for inbound
	Template wa.TemplateID // what the message was made from; empty for none
	Outside  bool          // sent to a user without open customer service window
	Entry    bool          // the gate is asked while a free entry point is open; not stored

	PricingType  string
	Billable     bool
	PricedOnce   bool // the pricing object went out with delivered or read
	IdentityHash string

	AcceptedAt, SentAt, DeliveredAt, ReadAt, PlayedAt, FailedAt int64 // AcceptedAt of inbound: when it was received

	Expires int64
	Code    int // failed
	Attempt uint32

	Device   wa.DeviceID // inbound: the device that sent it
	ClientID string      // inbound: the device's id of the message; unique per device

	Content []byte // sealed body; dropped once the message is delivered, failed or dropped
	Opaque  []byte // sealed biz_opaque_callback_data
}

// MailboxItem is an item that a device has not acknowledged.
type MailboxItem struct {
	Device  wa.DeviceID
	Seq     uint64
	ID      wa.MessageID // empty for events
	Number  wa.PhoneNumberID
	At      int64
	Expires int64
	PreKey  bool
	Silent  bool
	Cipher  []byte // nil for events
	Event   []byte // nil for ciphertext
}

// MailboxRef names an item.
type MailboxRef struct {
	Device wa.DeviceID
	Seq    uint64
}

// OneTimeRef names a one-time prekey of a number.
type OneTimeRef struct {
	Number wa.PhoneNumberID
	ID     uint32
}

// Batch is what some frames of one partition change in the store. It is applied in one transaction together with the
// position, so every record counts exactly once.
type Batch struct {
	Partition int
	Position  uint64 // sequence of the last frame contained

	Insert   []*Message // rows that did not exist before this batch, in their final state
	Update   []*Message // rows from earlier batches: zero fields leave the column as it is; State never goes down from a terminal one; DropContent follows from State
	Peers    []PeerChange
	Sessions []Session // upsert; nil State keeps the stored state, LastSeq is the maximum
	Items    []*MailboxItem
	Gone     []MailboxRef
	OneTime  []OneTimeRef // used up: delete
	Standing []Standing   // upsert of the whole row

	Counts   []analytics.Count // to add
	Reached  []limits.Reached  // upsert; Marketing ones are kept one by one
	Charges  []pricing.Charge  // insert unless the message has one
	Feedback []quality.Event   // insert
	Engaged  []Engagement      // insert unless it is there
	Seen     []limits.Seen     // marketing templates that arrived or were read; rows of messages show it

	Placed []MailboxRef // every position these frames filled, also of items that are gone again; nothing to store
}

// PeerChange updates a pair. Nil pointers leave the column as it is.
type PeerChange struct {
	Key               PeerKey
	LastInbound       int64 // 0 leaves it; else the maximum counts
	PairStart         int64 // with PairCount; PairCount 0 leaves both
	PairCount         uint32
	BlockedByUser     *bool
	BlockedByBusiness *bool
	DeliveredAt       int64         // 0 leaves it; else the maximum counts
	Template          wa.TemplateID // with TemplateAt; empty leaves both
	TemplateAt        int64
}
