package frame

// Hello opens a connection.
type Hello struct {
	V     int    `json:"v"`
	Nonce []byte `json:"nonce"` // NonceSize bytes, for AuthMessage
	Time  int64  `json:"time"`
	Host  string `json:"host"`
}

// Type implements Frame.
func (*Hello) Type() Type { return TypeHello }

// Welcome says that the device is authenticated.
type Welcome struct {
	// LastSeq is where the mailbox continues: the next item has a greater position. It is above Auth.LastSeq when the
	// mailbox was emptied by a new registration; the device takes it over.
	LastSeq     uint64 `json:"last_seq"`
	Pending     int    `json:"pending"`         // items waiting, about
	OneTimeLeft int    `json:"one_time_left"`   // one-time prekeys the server still has
	SignedAge   int64  `json:"signed_age"`      // seconds since the signed prekey was uploaded
	Token       string `json:"token,omitempty"` // bearer for blobs and flows
	Limits      Limits `json:"limits"`
}

// Limits tells the device what the server allows.
type Limits struct {
	Frame     int `json:"frame"`     // bytes
	Plaintext int `json:"plaintext"` // bytes
	SendRate  int `json:"send_rate"` // a second
	SendBurst int `json:"send_burst"`
	Window    int `json:"window"` // unacknowledged items
}

// DefaultLimits are the limits of this package.
func DefaultLimits() Limits {
	return Limits{Frame: MaxFrame, Plaintext: MaxPlaintext, SendRate: SendRate, SendBurst: SendBurst, Window: Window}
}

// Type implements Frame.
func (*Welcome) Type() Type { return TypeWelcome }

// Bye announces that the server closes the connection.
type Bye struct {
	Reason string `json:"reason"`
	After  int64  `json:"after"` // milliseconds to wait before connecting again
}

// Type implements Frame.
func (*Bye) Type() Type { return TypeBye }

// Deliver carries mailbox items in ascending order of Seq.
type Deliver struct {
	Items []Item `json:"items"` // at most MaxItems
}

// Type implements Frame.
func (*Deliver) Type() Type { return TypeDeliver }

// Item is one mailbox item. A device drops an item whose Seq is not above the last one it stored, before decrypting it.
type Item struct {
	Seq  uint64 `json:"seq,omitempty"` // 0 for events that are not stored (typing): nothing to acknowledge
	ID   string `json:"id,omitempty"`  // wamid; empty for events
	From string `json:"from"`          // wa_id of the business number
	K    Kind   `json:"k"`
	Ct   []byte `json:"ct,omitempty"` // Signal message of KindPreKey and KindMessage
	Ev   *Event `json:"ev,omitempty"` // of KindEvent
	TS   int64  `json:"ts"`
	Exp  int64  `json:"exp,omitempty"`
}

// Sent says that the device's message is recorded. A repeated Send is answered with the same wamid.
type Sent struct {
	R     uint64 `json:"r"`
	ID    string `json:"id"` // Send.ID
	Wamid string `json:"wamid"`
	TS    int64  `json:"ts"`
}

// Type implements Frame.
func (*Sent) Type() Type { return TypeSent }

// Bundle holds the keys of a business number with which a device starts a session.
type Bundle struct {
	R              uint64      `json:"r"`
	Of             string      `json:"of"` // wa_id of the business number
	IdentityKey    []byte      `json:"identity_key"`
	RegistrationID uint32      `json:"registration_id"`
	SignedPreKey   SignedKey   `json:"signed_prekey"`
	KEMPreKey      *SignedKey  `json:"kem_prekey,omitempty"`
	OneTimePreKey  *OneTimeKey `json:"one_time_prekey,omitempty"`
}

// Type implements Frame.
func (*Bundle) Type() Type { return TypeBundle }

// OK answers a request that has no other answer.
type OK struct {
	R           uint64     `json:"r"`
	OneTimeLeft *int       `json:"one_time_left,omitempty"` // after PreKeys
	Found       []Business `json:"found,omitempty"`         // after Find
}

// Type implements Frame.
func (*OK) Type() Type { return TypeOK }

// Business is a business number as Find shows it, with the profile that its owner gave it.
type Business struct {
	WaID        string   `json:"wa_id"`
	Name        string   `json:"name"`
	Verified    bool     `json:"verified,omitempty"`
	About       string   `json:"about,omitempty"`
	Description string   `json:"description,omitempty"`
	Address     string   `json:"address,omitempty"`
	Email       string   `json:"email,omitempty"`
	Websites    []string `json:"websites,omitempty"`
	Vertical    string   `json:"vertical,omitempty"` // upper case
	Photo       string   `json:"photo,omitempty"`    // URL
}

// Low asks for new one-time prekeys.
type Low struct {
	OneTimeLeft int `json:"one_time_left"`
}

// Type implements Frame.
func (*Low) Type() Type { return TypeLow }
