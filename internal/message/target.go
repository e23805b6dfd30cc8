package message

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// ReactionTarget reads the message that a reaction is about from its body; empty when body is no reaction.
func ReactionTarget(body []byte) wa.MessageID {
	rest, ok := bytes.CutPrefix(body, []byte(`"type":"reaction","reaction":{"message_id":`))
	if !ok {
		return ""
	}
	id, err := jsontext.NewDecoder(bytes.NewReader(rest)).ReadToken()
	if err != nil || id.Kind() != '"' {
		return ""
	}
	return wa.MessageID(id.String())
}

// addressCode is the calling code of the country that has address messages. Source: spec/messages.md section 10.9.
const addressCode = 91

// Shows reports whether a client in the user's country can show a message.
func Shows(body []byte, user wa.WaID) bool {
	if !bytes.HasPrefix(body, []byte(`"type":"interactive","interactive":{"type":"`+kindAddress+`"`)) {
		return true
	}
	_, code := wa.CountryOf(user)
	return code == addressCode
}
