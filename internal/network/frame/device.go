package frame

// Auth proves which device this is. It is the first frame of a device and answers Hello.
type Auth struct {
	Device  string `json:"device"` // "15550142233.1"
	Sig     []byte `json:"sig"`    // Ed25519 over AuthMessage
	LastSeq uint64 `json:"last_seq"`
	Client  string `json:"client,omitempty"` // name and version of the program, for logs
}

// Type implements Frame.
func (*Auth) Type() Type { return TypeAuth }

// Ack says that everything up to Seq is stored, in one step with the session states. Read names messages among them that
// are read at once, because their chat is open.
type Ack struct {
	Seq  uint64   `json:"seq"`
	Read []string `json:"read,omitempty"` // wamids, at most MaxIDs
}

// Type implements Frame.
func (*Ack) Type() Type { return TypeAck }

// ReceiptState is what a receipt tells.
type ReceiptState string

// The states of a receipt.
const (
	StateRead   ReceiptState = "read"
	StatePlayed ReceiptState = "played"
)

// Receipt says that messages were read, or voice messages played.
type Receipt struct {
	State ReceiptState `json:"state"`
	IDs   []string     `json:"ids"` // wamids, 1 to MaxIDs
	TS    int64        `json:"ts,omitempty"`
}

// Type implements Frame.
func (*Receipt) Type() Type { return TypeReceipt }

// Send is a message to a business number. It is answered by Sent, or by Error.
type Send struct {
	R  uint64 `json:"r"`
	ID string `json:"id"` // MinClientID to MaxClientID characters, unique per device; repeats are recognised by it
	To string `json:"to"` // wa_id of the business number
	K  Kind   `json:"k"`  // KindPreKey or KindMessage
	Ct []byte `json:"ct"`
	TS int64  `json:"ts,omitempty"`
}

// Type implements Frame.
func (*Send) Type() Type { return TypeSend }

// RetryReason says why an item could not be decrypted.
type RetryReason string

// The reasons of a retry.
const (
	RetryNoSession     RetryReason = "no_session"
	RetryBadMAC        RetryReason = "bad_mac"
	RetryUnknownPreKey RetryReason = "unknown_prekey"
	RetryDuplicate     RetryReason = "duplicate"
	RetryFormat        RetryReason = "format"
)

// Retry asks for an item to be encrypted again. The device sends it before the Ack that covers the item, so that the Ack
// does not count as delivery; for RetryUnknownPreKey it uploads new PreKeys before the Retry. There is no answer: the
// message comes again under a new Seq.
type Retry struct {
	Seq    uint64      `json:"seq"`
	ID     string      `json:"id"` // wamid of the item
	Reason RetryReason `json:"reason"`
}

// Type implements Frame.
func (*Retry) Type() Type { return TypeRetry }

// BundleRequest asks for the keys of a business number. It is answered by Bundle.
type BundleRequest struct {
	R  uint64 `json:"r"`
	Of string `json:"of"` // wa_id
}

// Type implements Frame.
func (*BundleRequest) Type() Type { return TypeBundle }

// PreKeys uploads new keys; absent ones stay as they are. It is answered by OK with OneTimeLeft. One-time prekeys above
// MaxOneTime in store are refused as a whole.
type PreKeys struct {
	R            uint64       `json:"r"`
	SignedPreKey *SignedKey   `json:"signed_prekey,omitempty"`
	KEMPreKey    *SignedKey   `json:"kem_prekey,omitempty"`
	OneTime      []OneTimeKey `json:"one_time_prekeys,omitempty"`
}

// Type implements Frame.
func (*PreKeys) Type() Type { return TypePreKeys }

// Do names a user's action.
type Do string

// The actions.
const (
	DoBlock   Do = "block"
	DoUnblock Do = "unblock"
	DoReport  Do = "report"
	DoMute    Do = "mute"
	DoArchive Do = "archive"
	DoOptOut  Do = "opt_out"
	DoOptIn   Do = "opt_in"
	DoClick   Do = "click" // a link of a message: Reason says whether it was a button, "cta", or in the text, "body"
	DoLink    Do = "link"
	DoUnlink  Do = "unlink"
)

// Act is something the user did that the platform should know of. It is answered by OK.
type Act struct {
	R      uint64 `json:"r"`
	Do     Do     `json:"do"`
	Of     string `json:"of,omitempty"` // wa_id of the business number
	ID     string `json:"id,omitempty"` // wamid that it is about
	Reason string `json:"reason,omitempty"`
	Button string `json:"button,omitempty"` // of a click on a button: the words on it
}

// Type implements Frame.
func (*Act) Type() Type { return TypeAct }

// Profile changes what is known of the user; absent members stay as they are. It is answered by OK.
type Profile struct {
	R            uint64  `json:"r"`
	Name         *string `json:"name,omitempty"` // at most MaxName bytes
	Username     *string `json:"username,omitempty"`
	ReadReceipts *bool   `json:"read_receipts,omitempty"`
	PIN          *string `json:"pin,omitempty"` // six digits; "" switches two-step verification off
}

// Type implements Frame.
func (*Profile) Type() Type { return TypeProfile }

// Find looks for business numbers by number or name. It is answered by OK with Found.
type Find struct {
	R uint64 `json:"r"`
	Q string `json:"q"`
}

// Type implements Frame.
func (*Find) Type() Type { return TypeFind }
