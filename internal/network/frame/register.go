package frame

// The bodies of registration over HTTP. A refused request is answered with an Error as its body and Error.Code.Status.

// The paths of the network below the server's root. PathBlobs takes an encrypted file; PathBlobs + "/" + id is one.
const (
	PathCodes   = "/network/v1/codes"
	PathDevices = "/network/v1/devices"
	PathSocket  = "/network/v1/socket"
	PathBlobs   = "/network/v1/blobs"
)

// CodeRequest is the body of POST /network/v1/codes: send a verification code to a number.
type CodeRequest struct {
	Phone  string `json:"phone"`  // "+15550142233"
	Method string `json:"method"` // "sms" or "voice"; empty means sms
	Locale string `json:"locale"` // "en"
}

// CodeAnswer says that a code is on its way.
type CodeAnswer struct {
	CodeID     string `json:"code_id"`
	ExpiresIn  int    `json:"expires_in"`  // seconds
	RetryAfter int    `json:"retry_after"` // seconds before asking for another one
}

// Registration is the body of POST /network/v1/devices: make this device the user's primary device.
type Registration struct {
	CodeID string  `json:"code_id"`
	Code   string  `json:"code"`
	PIN    *string `json:"pin"` // needed when ErrPINRequired was answered
	Name   string  `json:"name,omitempty"`
	Device Device  `json:"device"`
}

// Platform says what a device is.
type Platform string

// The platforms.
const (
	PlatformWeb     Platform = "web"
	PlatformCLI     Platform = "cli"
	PlatformVirtual Platform = "virtual"
	PlatformOther   Platform = "other"
)

// Device describes a device and its public keys.
type Device struct {
	Name           string       `json:"name"`
	Platform       Platform     `json:"platform"`
	IdentityKey    []byte       `json:"identity_key"`
	AuthKey        []byte       `json:"auth_key"`
	RegistrationID uint32       `json:"registration_id"` // 1 to MaxReg, new on every fresh install
	SignedPreKey   SignedKey    `json:"signed_prekey"`
	KEMPreKey      SignedKey    `json:"kem_prekey"`
	OneTime        []OneTimeKey `json:"one_time_prekeys"` // at most MaxOneTime
}

// Registered is the answer to a Registration.
type Registered struct {
	UserID       string `json:"user_id"`
	WaID         string `json:"wa_id"`
	Device       int    `json:"device"`
	IdentityHash string `json:"identity_hash"`
	OneTimeLeft  int    `json:"one_time_left"`
	// LastSeq is where the device's mailbox begins: the device takes it as the last position it stored.
	LastSeq uint64 `json:"last_seq"`
}
