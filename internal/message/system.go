package message

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// AppendMoved appends the members of a change that tell that a user has another number. a is about the user before; after is
// the new business-scoped id, empty for none. System messages come without contacts. Source: spec/webhooks.md section 13.13.
func AppendMoved(b []byte, a *Arrival, name string, to wa.WaID, after string) []byte {
	b = a.appendSystem(b)
	b = quote(append(b, `{"body":`...), person(name)+" changed from "+string(a.From)+" to "+string(to))
	b = quote(append(b, `,"wa_id":`...), string(to))
	if after != "" {
		b = quote(append(b, `,"user_id":`...), after)
	}
	return append(b, `,"type":"user_changed_number"}}]}`...)
}

// AppendIdentity appends the members of a change that tell that a user has another identity key: the older form, for numbers
// that check identities. Source: spec/webhooks.md section 13.13.
func AppendIdentity(b []byte, a *Arrival, name, hash string) []byte {
	b = a.appendSystem(b)
	b = quote(append(b, `{"body":`...), person(name)+" may have changed. The identity key of "+string(a.From)+" is new")
	b = quote(append(b, `,"identity":`...), hash)
	b = quote(append(b, `,"wa_id":`...), string(a.From))
	return append(b, `,"type":"customer_identity_changed"}}]}`...)
}

func (a *Arrival) appendSystem(b []byte) []byte {
	return append(a.appendHead(append(b, `{"messages":[{`...)), `,"type":"system","system":`...)
}

func person(name string) string {
	if name == "" {
		return "User"
	}
	return "User " + name
}

// AppendUserID appends the members of a user_id_update: the user of a has the number to and the id after. Source:
// spec/webhooks.md section 27.
func AppendUserID(b []byte, a *Arrival, name string, to wa.WaID, after string) []byte {
	b = appendContacts(append(b, '{'), name, to, after)
	b = quote(append(b, `,"user_id_update":[{"wa_id":`...), string(to))
	b = quote(append(b, `,"detail":"User id changed","user_id":{"previous":`...), a.UserID)
	b = quote(append(b, `,"current":`...), after)
	b = strconv.AppendInt(append(b, `},"timestamp":"`...), a.At/1000, 10)
	return append(b, `"}]}`...)
}

// AppendPreference appends the members of user_preferences: the user wants no marketing messages, or wants them again. at is
// in Unix milliseconds. Source: spec/webhooks.md section 26.
func AppendPreference(b []byte, user wa.WaID, userID, name string, stop bool, at int64) []byte {
	b = appendContacts(append(b, '{'), name, user, userID)
	b = quote(append(b, `,"user_preferences":[{"wa_id":`...), string(user))
	if userID != "" {
		b = quote(append(b, `,"user_id":`...), userID)
	}
	word := "resume"
	if stop {
		word = "stop"
	}
	b = append(append(append(b, `,"detail":"User requested to `...), word...), ` marketing messages","category":"marketing_messages","value":"`...)
	b = append(append(b, word...), `","timestamp":`...)
	return append(strconv.AppendInt(b, at/1000, 10), `}]}`...)
}

// AppendClick appends the members of user_actions: somebody opened a link of a marketing message, which token stands for.
// Source: spec/webhooks.md section 16.
func AppendClick(b []byte, at time.Time, token []byte, click string, inText bool) []byte {
	b = strconv.AppendInt(append(b, `{"user_actions":[{"timestamp":"`...), at.Unix(), 10)
	b = append(b, `","action_type":"marketing_messages_link_click","marketing_messages_link_click_data":{"tracking_token":"AQ`...)
	b = base64.RawURLEncoding.AppendEncode(b, token)
	b = quote(append(b, `","click_id":`...), click)
	where := "cta"
	if inText {
		where = "body"
	}
	return append(append(append(b, `,"click_component":"`...), where...), `"}}]}`...)
}

// appendContacts appends the array with one user.
func appendContacts(b []byte, name string, user wa.WaID, userID string) []byte {
	b = append(b, `"contacts":[{`...)
	if name != "" {
		b = append(quote(append(b, `"profile":{"name":`...), name), `},`...)
	}
	b = quote(append(b, `"wa_id":`...), string(user))
	if userID != "" {
		b = quote(append(b, `,"user_id":`...), userID)
	}
	return append(b, `}]`...)
}
