package frame

import "time"

// Sizes. Source: docs, network protocol, "Limits".
const (
	MaxFrame      = 256 << 10 // bytes of a frame as JSON
	MaxPlaintext  = 64 << 10  // bytes of a message before padding and encryption
	MaxCipher     = 96 << 10  // bytes of a Signal message: MaxPlaintext, padding, headers
	MaxItems      = 100       // items of one Deliver
	Window        = 500       // unacknowledged items per connection
	MaxIDs        = 100       // message ids of one Ack or Receipt
	MaxOneTime    = 100       // one-time prekeys stored per device
	LowOneTime    = 10        // fewer left than this: Low is sent
	MaxName       = 64        // bytes of a device's name and of a profile name's parts
	MaxClient     = 64        // bytes of Auth.Client
	MaxQuery      = 128       // bytes of Find.Q
	MaxReason     = 256       // bytes of Act.Reason and Act.Button
	MinClientID   = 16        // characters of Send.ID
	MaxClientID   = 40        // characters of Send.ID
	MaxMessageID  = 256       // bytes of a wamid
	MaxSeq        = 1<<53 - 1 // the largest mailbox position; exact in every JSON reader
	MaxDevices    = 5         // devices of one user
	PINLength     = 6         // digits of a PIN
	CodeLength    = 6         // digits of a verification code
	MailboxItems  = 10_000    // items of one mailbox
	MailboxBytes  = 64 << 20  // bytes of one mailbox
	MaxReg        = 16380     // the largest registration id
	QueuedFrames  = 256       // frames waiting for a device that reads too slowly
	MaxFound      = 20        // businesses in one answer to Find
	PublicKeySize = 33        // 05 ‖ X25519 key
	AuthKeySize   = 32        // Ed25519 public key
	KEMKeySize    = 1569      // 0A ‖ ML-KEM-1024 key
	SigSize       = 64
	NonceSize     = 32
)

// Times of a connection.
const (
	AuthWithin  = 10 * time.Second // from Hello to Auth
	PingEvery   = 30 * time.Second
	SilenceMax  = 75 * time.Second // without any sign of life the connection ends
	BackoffMin  = 500 * time.Millisecond
	BackoffMax  = 60 * time.Second // devices reconnect after BackoffMin × 2ⁿ with full jitter, at most this
	SendRate    = 20               // Send frames a second and device
	SendBurst   = 60
	BundleRate  = 10 // BundleRequest frames a minute and device
	RequestRate = 60 // PreKeys, Act, Profile, Find frames a minute and device
	RetryRate   = 30 // Retry frames an hour and device
	FrameRate   = 200
	FrameBurst  = 600 // frames of any kind per socket: FrameRate a second after this many
)
