package frame

// Version is the protocol version that Hello announces.
const Version = 1

// Subprotocol is the WebSocket subprotocol of the socket.
const Subprotocol = "network.v1"

// Type is the member "t" of a frame.
type Type string

// The types of frames. TypeBundle names a request (BundleRequest) from a device and an answer (Bundle) from the server.
const (
	TypeHello   Type = "hello"
	TypeAuth    Type = "auth"
	TypeWelcome Type = "welcome"
	TypeBye     Type = "bye"
	TypeDeliver Type = "deliver"
	TypeSent    Type = "sent"
	TypeBundle  Type = "bundle"
	TypeOK      Type = "ok"
	TypeLow     Type = "low"
	TypeError   Type = "error"
	TypeAck     Type = "ack"
	TypeReceipt Type = "receipt"
	TypeSend    Type = "send"
	TypeRetry   Type = "retry"
	TypePreKeys Type = "prekeys"
	TypeAct     Type = "act"
	TypeProfile Type = "profile"
	TypeFind    Type = "find"
)

// Frame is one unit of conversation between a device and the server.
type Frame interface {
	// Type is the member "t".
	Type() Type
	// Check reports the first field that breaks a rule of the protocol, as an error of code ErrFormat or ErrTooLarge that
	// is ready to be sent as the answer; nil when there is none.
	Check() *Error
}

// Kind says what a mailbox item or a sent message is.
type Kind string

// The kinds of content.
const (
	KindPreKey  Kind = "pre" // Signal message that starts a session
	KindMessage Kind = "msg" // Signal message of a session
	KindEvent   Kind = "evt" // not encrypted; see Event
)

// SignedKey is a signed prekey or a KEM prekey. Sig is XEdDSA by the identity key over Key.
type SignedKey struct {
	ID  uint32 `json:"id"`
	Key []byte `json:"key"` // 33 bytes, or 1569 for KEM
	Sig []byte `json:"sig"` // 64 bytes
}

// OneTimeKey is a one-time prekey.
type OneTimeKey struct {
	ID  uint32 `json:"id"`
	Key []byte `json:"key"` // 33 bytes
}

// authLabel keeps a signature made for the socket from meaning anything elsewhere.
const authLabel = "network-auth-v1"

// AuthMessage is what a device signs with its Ed25519 auth key to open a connection: label, host, a zero byte, the nonce
// of Hello, the device ("15550142233.1"). The device must check that host is the one it meant to reach.
func AuthMessage(host string, nonce []byte, device string) []byte {
	b := make([]byte, 0, len(authLabel)+len(host)+1+len(nonce)+len(device))
	b = append(b, authLabel...)
	b = append(b, host...)
	b = append(b, 0)
	b = append(b, nonce...)
	return append(b, device...)
}
