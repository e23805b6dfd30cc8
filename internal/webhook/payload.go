package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	payloadOpen  = `{"object":"whatsapp_business_account","entry":[`
	payloadClose = `]}`
	entryClose   = `]}`
	// fieldMessages closes the value of a change and names its field.
	fieldMessages = `,"field":"messages"}`

	// ErrorsHref is the default of the href key in errors[]. Source: spec/errors.md section 1.3.
	ErrorsHref = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
)

// Numbers knows the business numbers. It is an in-memory read on the hot path.
type Numbers interface {
	// Digits is display_phone_number without plus sign and formatting; false when the number is gone.
	Digits(id wa.PhoneNumberID) (string, bool)
}

// UserIDs maps users to their business-scoped ids. The answer must never change for a pair, because repeated webhooks carry
// the same content.
type UserIDs interface {
	// UserID is "" when there is none.
	UserID(waba wa.WABAID, user wa.WaID) string
}

// builder writes the values of changes. It is immutable and safe for concurrent use.
type builder struct {
	numbers Numbers
	users   UserIDs // nil leaves business-scoped ids out
	href    string
}

func appendEntryOpen(b []byte, waba wa.WABAID) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, waba)
	return append(b, `,"changes":[`...)
}

// header appends the start of a value up to its metadata, without the closing brace (spec/webhooks.md section 3.2).
func (p *builder) header(b []byte, number wa.PhoneNumberID) []byte {
	digits, _ := p.numbers.Digits(number)
	b = append(b, `{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":`...)
	b = appendString(b, digits)
	b = append(b, `,"phone_number_id":`...)
	b = appendString(b, number)
	return append(b, '}')
}

// contact appends the contacts array. The profile is left out when its name is unknown.
func contact(b []byte, profile string, user wa.WaID, userID, hash string) []byte {
	b = append(b, `,"contacts":[{`...)
	if profile != "" {
		b = append(b, `"profile":{"name":`...)
		b = appendString(b, profile)
		b = append(b, `},`...)
	}
	b = append(b, `"wa_id":`...)
	b = appendString(b, user)
	b = optional(b, `,"user_id":`, userID)
	b = optional(b, `,"identity_key_hash":`, hash)
	return append(b, `}]`...)
}

// optional appends key and value unless the value is empty.
func optional[S ~string](b []byte, key string, v S) []byte {
	if v == "" {
		return b
	}
	return appendString(append(b, key...), v)
}

// seconds appends Unix milliseconds as a quoted number of seconds.
func seconds(b []byte, ms int64) []byte {
	b = append(b, '"')
	b = strconv.AppendInt(b, ms/1000, 10)
	return append(b, '"')
}

func (p *builder) userID(waba wa.WABAID, user wa.WaID) string {
	if p.users == nil {
		return ""
	}
	return p.users.UserID(waba, user)
}

// status appends the change of a status. legacy selects the payload of fields subscribed with v23.0 or older; opaque is the
// clear biz_opaque_callback_data. Key order as in spec/webhooks.md section 14.1.
func (p *builder) status(b []byte, s *record.Status, opaque string, legacy bool) []byte {
	b = p.header(b, s.Number)
	userID := p.userID(s.WABA, s.To)
	switch s.Of {
	case record.KindSent, record.KindDelivered, record.KindRead:
		b = contact(b, s.Profile, s.To, userID, "")
	}
	b = append(b, `,"statuses":[{"id":`...)
	b = appendString(b, s.ID)
	b = append(b, `,"status":`...)
	b = appendString(b, record.StatusOf(s.Of))
	b = append(b, `,"timestamp":`...)
	b = seconds(b, s.At)
	b = append(b, `,"recipient_id":`...)
	b = appendString(b, s.To)
	b = optional(b, `,"recipient_user_id":`, userID)
	b = optional(b, `,"recipient_identity_key_hash":`, s.IdentityHash)
	b = optional(b, `,"biz_opaque_callback_data":`, opaque)
	if s.Of == record.KindFailed {
		b = append(b, `,"errors":[`...)
		b = p.failure(b, s)
		b = append(b, ']')
	} else if s.Priced {
		b = pricing(b, s, legacy)
	}
	b = append(b, `}]}`...)
	return append(b, fieldMessages...)
}

// pricing appends conversation, where it belongs, and pricing (spec/webhooks.md sections 14.4 and 14.5).
func pricing(b []byte, s *record.Status, legacy bool) []byte {
	if legacy || s.PricingType == "free_entry_point" {
		b = append(b, `,"conversation":{"id":"`...)
		b = appendConversationID(b, s)
		b = append(b, '"')
		if s.Of == record.KindSent && s.Conversation != 0 {
			b = append(b, `,"expiration_timestamp":`...)
			b = seconds(b, s.Conversation)
		}
		b = append(b, `,"origin":{"type":`...)
		b = appendString(b, origin(s.Category))
		b = append(b, `}}`...)
	}
	b = append(b, `,"pricing":{"billable":`...)
	b = strconv.AppendBool(b, s.Billable)
	b = append(append(append(b, `,"pricing_model":"`...), model(s.At)...), `","type":`...)
	b = appendString(b, s.PricingType)
	b = append(b, `,"category":`...)
	b = appendString(b, underscored(s.Category))
	return append(b, '}')
}

// perMessage is when prices by message took the place of prices by conversation: 1 July 2025, in Unix milliseconds.
const perMessage = 1_751_328_000_000

// model is pricing_model of a status of that time. Source: spec/pricing.md section 2.
func model(at int64) string {
	if at < perMessage {
		return "CBP"
	}
	return "PMP"
}

// underscored is the spelling chosen where the documentation prints both authentication-international and
// authentication_international (spec/webhooks.md section 51).
func underscored(category string) string {
	if strings.IndexByte(category, '-') < 0 {
		return category
	}
	return strings.ReplaceAll(category, "-", "_")
}

// origin maps a pricing category to the closed set of origin.type.
func origin(category string) string {
	c := strings.TrimPrefix(underscored(category), "group_")
	if c == "general_purpose_ai" {
		return "service"
	}
	return c
}

// appendConversationID appends 32 hex digits that are unique per message, or per free entry point window, and the same in
// every status of it. Source: spec/webhooks.md section 14.4.
func appendConversationID(b []byte, s *record.Status) []byte {
	var a [192]byte
	in := append(a[:0], "conversation/"...)
	if s.Entry == 0 {
		in = append(in, s.ID...)
	} else {
		in = append(append(append(in, s.Number...), '/'), s.To...)
		in = strconv.AppendInt(append(in, '/'), s.Entry, 10)
	}
	sum := sha256.Sum256(in)
	return hex.AppendEncode(b, sum[:16])
}

// failure appends the element of errors[] for a failed status (spec/errors.md section 1.3): title and message are the same
// text without the code.
func (p *builder) failure(b []byte, s *record.Status) []byte {
	row, ok := wa.ByCode(s.Code, s.Subcode)
	if !ok {
		row = wa.ErrUnknownRequest
	}
	details := s.Details
	if details == "" {
		details = row.Details
	}
	return appendError(b, s.Code, row.Title, details, p.href)
}

// appendError appends one element of an errors array; an empty details or href leaves its key out.
func appendError(b []byte, code int, title, details, href string) []byte {
	b = append(b, `{"code":`...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(b, `,"title":`...)
	b = appendString(b, title)
	b = append(b, `,"message":`...)
	b = appendString(b, title)
	if details != "" {
		b = append(b, `,"error_data":{"details":`...)
		b = appendString(b, details)
		b = append(b, '}')
	}
	b = optional(b, `,"href":`, href)
	return append(b, '}')
}
