package message

import (
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// What a message may have, in bytes, so that the plaintext stays within MaxPlaintext: the members around the body and the
// description of each file come on top.
const (
	maxBody     = MaxPlaintext - 1<<10
	maxDescribe = 1 << 10
)

// inGroups are the types that a group takes. Source: spec/messages.md section 3.3.
var inGroups = []string{
	TypeAudio, TypeDocument, TypeImage, TypePin, TypeReaction, TypeSticker, TypeTemplate, TypeText, TypeVideo,
}

// Check is what can be said about the content alone: gate 8 of spec/errors.md section 2. Errors: [wa.ErrRequired] for what
// is missing, [wa.ErrValue] for what is out of bounds, [wa.ErrUnsupportedType] for types that the kind of recipient does
// not take, and code 100 for what does not go together, Direct Send among it.
func (o *Outbound) Check() error {
	if o.Mark != nil {
		if o.Mark.MessageID == "" || len(o.Mark.MessageID) > maxMessageID {
			return wa.ErrValue.With("Parameter 'message_id' is not the id of a message.")
		}
		return nil
	}
	switch {
	case o.group && !slices.Contains(inGroups, o.Type), !o.group && o.Type == TypePin:
		return wa.ErrUnsupportedType
	case o.Type == TypeText && o.text == "":
		return wa.ErrRequired.With("Parameter 'body' is mandatory for type 'text'")
	case o.flaw != nil:
		return o.flaw
	case o.noContext:
		return wa.ErrValue.With("Parameter 'message_id' of 'context' is not the id of a message.")
	}
	if err := o.Fits(); err != nil {
		return err
	}
	return o.checkDirect()
}

// Fits tells whether the content is short enough for a device. A template is asked again after [Outbound.Finish], which
// gives it its content: part of that is free JSON of the caller.
func (o *Outbound) Fits() error {
	if len(o.Body) > maxBody-maxDescribe*len(o.Attachments) {
		return wa.ErrValue.With("The message is too long.")
	}
	return nil
}

// checkDirect answers Direct Send, which no account has. Source: spec/messages.md section 16.
func (o *Outbound) checkDirect() error {
	direct := o.category != "service" && o.Type != TypeTemplate
	switch {
	case o.ttl && !direct:
		return wa.ErrCloudParameter.With("ttl_seconds is only allowed with Direct Send")
	case o.ttl && (o.seconds < minTTL || o.seconds > maxTTL):
		return wa.ErrCloudParameter.Withf("ttl_seconds must be between %d and %d", minTTL, maxTTL)
	case direct, o.directConfig:
		return wa.ErrCloudParameter.With("Direct Send isn't enabled for this account")
	}
	return nil
}

// Sender is what Address needs to know of the business number.
type Sender struct {
	WaID        wa.WaID
	CallingCode int
	Strict      bool                         // digits without a plus sign always get the calling code
	Allows      func(wa.WaID) bool           // test numbers: the recipient list; nil allows everybody
	Known       func(wa.WaID) bool           // who is on the network; nil when nobody can tell quickly
	Resolve     func(string) (wa.WaID, bool) // business-scoped user id; nil when they are not supported
}

// Address finds the recipient: gate 9 of spec/errors.md section 2. Errors: [wa.ErrGroupIneligible] for groups, which no
// number has yet; [wa.ErrValue] for a malformed number or an unknown business-scoped id, [wa.ErrBSUID] while those are not
// supported, [wa.ErrRecipientIsSender], [wa.ErrNotAllowed]. Source: spec/messages.md section 3.
func (o *Outbound) Address(s *Sender) error {
	if o.Mark != nil {
		return nil
	}
	if o.group {
		if !strings.HasPrefix(o.Input, groupPrefix) {
			return wa.ErrValue.With("Parameter 'to' is not the id of a group.")
		}
		return wa.ErrGroupIneligible.With("Group messages are not enabled for this phone number.")
	}
	if err := o.find(s); err != nil {
		return err
	}
	if o.address && s.CallingCode != addressCode {
		return wa.ErrValue.With("Interactive message type, 'address_message' not supported. Supported types ['" +
			strings.Join(interactiveTypes[1:], "', '") + "']")
	}
	if o.To == s.WaID {
		return wa.ErrRecipientIsSender
	}
	if s.Allows != nil && !s.Allows(o.To) {
		return wa.ErrNotAllowed
	}
	return nil
}

func (o *Outbound) find(s *Sender) (err error) {
	switch {
	case o.bsuid != "":
		if !validBSUID(o.bsuid) {
			return wa.ErrValue.With("Parameter 'recipient' is not a business-scoped user id.")
		}
		if s.Resolve == nil {
			return wa.ErrBSUID
		}
		to, ok := s.Resolve(o.bsuid)
		if !ok {
			return wa.ErrValue.With("Parameter 'recipient' names nobody whom this business knows.")
		}
		o.To = to
	case s.Strict:
		o.To, err = wa.ParseRecipientStrict(o.Input, s.CallingCode)
	default:
		o.To, err = wa.ParseRecipientKnown(o.Input, s.CallingCode, s.Known)
	}
	return err
}

// groupPrefix begins the id of every group: "capi_group:" in base64. Source: spec/messages.md section 5 (observed).
const groupPrefix = "Y2FwaV9ncm91cDo"

// validBSUID is ^[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}$. Source: spec/messages.md section 3.2.
func validBSUID(s string) bool {
	if len(s) < 4 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' || s[2] != '.' {
		return false
	}
	rest := s[3:]
	if len(rest) > 4 && rest[:4] == "ENT." {
		rest = rest[4:]
	}
	if len(rest) > 128 {
		return false
	}
	for i := range len(rest) {
		c := rest[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
