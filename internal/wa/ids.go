package wa

import (
	"strconv"
	"strings"
)

// Ids of Graph nodes are decimal digits, at most 2^53-1, and always strings on the wire (spec/graph.md section 1).
type (
	// AppID names an app.
	AppID string
	// BusinessID names a business portfolio.
	BusinessID string
	// WABAID names a WhatsApp Business Account.
	WABAID string //nolint:revive // WABA is the platform's word, not the package's name
	// PhoneNumberID names a business phone number; it is not the number itself.
	PhoneNumberID string
	// TemplateID names one language of a message template.
	TemplateID string
	// FlowID names a flow.
	FlowID string
	// SystemUserID names a system user.
	SystemUserID string
)

// WaID is a phone number on the user network: digits only, no plus sign.
type WaID string //nolint:revive // wa_id is the platform's word

// MessageID is a wamid: "wamid." followed by base64 (spec/messages.md section 5).
type MessageID string

// DeviceID names one device of a user, "15550142233.1" (design: network, section 9.1).
type DeviceID string

// NewDeviceID joins a user and a device number, 1 being the primary device.
func NewDeviceID(user WaID, n uint8) DeviceID {
	return DeviceID(string(user) + "." + strconv.Itoa(int(n)))
}

// User is the part before the dot; empty when d is malformed.
func (d DeviceID) User() WaID {
	user, _, ok := strings.Cut(string(d), ".")
	if !ok {
		return ""
	}
	return WaID(user)
}

// Number is the part after the dot; 0 when d is malformed.
func (d DeviceID) Number() uint8 {
	_, n, _ := strings.Cut(string(d), ".")
	v, err := strconv.ParseUint(n, 10, 8)
	if err != nil {
		return 0
	}
	return uint8(v)
}

// Status is a step of an outbound message as webhooks report it (spec/webhooks.md section 14.2).
type Status string

// The statuses of an outbound message.
const (
	StatusSent      Status = "sent"
	StatusDelivered Status = "delivered"
	StatusRead      Status = "read"
	StatusPlayed    Status = "played"
	StatusFailed    Status = "failed"
)
