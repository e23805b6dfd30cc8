package webhook

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// variant is the form of payloads that a subscribed version gets.
type variant uint8

const (
	newest  variant = iota
	lateV24         // v24.0: changes of throughput still say current_limit
	untilV23
	variants
)

// The last versions with what later ones lack.
const (
	lastWithConversation = 23 // statuses carry the conversation object (spec/webhooks.md section 14.4), limits are numbers
	lastWithCurrentLimit = 24 // spec/limits.md section 1.4
)

// variantOf is the form for a version, "v23.0". What is no version gets the newest.
func variantOf(version string) variant {
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	n, err := strconv.Atoi(major)
	switch {
	case err != nil || n > lastWithCurrentLimit:
		return newest
	case n > lastWithConversation:
		return lateV24
	}
	return untilV23
}

// legacy says whether statuses carry the conversation object.
func (v variant) legacy() bool { return v == untilV23 }

// The members that differ between versions.
const (
	memberPerBusiness = "max_daily_conversations_per_business"
	memberPerNumber   = "max_daily_conversation_per_phone"
)

// tierNumbers are the messaging limits as older versions spell them. Source: spec/limits.md sections 3.1 and 3.3.
var tierNumbers = map[string]string{
	"TIER_50": "50", "TIER_250": "250", "TIER_1K": "1000", "TIER_2K": "2000", "TIER_10K": "10000", "TIER_100K": "100000",
	"TIER_UNLIMITED": "-1", "UNLIMITED": "-1",
}

// adapt turns the value of a notice, which is kept as the newest version has it, into that of the variant. Rooms write
// current_limit for all; it is left out where it is gone.
func (v variant) adapt(field string, value []byte) []byte {
	switch {
	case field == "business_capability_update" && v == untilV23:
		return eachMember(value, func(out []byte, key string, val []byte) []byte {
			number := tierNumbers[strings.Trim(string(val), `"`)]
			if key != memberPerBusiness || number == "" {
				return member(out, key, val)
			}
			return member(member(out, key, []byte(number)), memberPerNumber, []byte(number))
		})
	case field == "phone_number_quality_update" && v == newest:
		return eachMember(value, func(out []byte, key string, val []byte) []byte {
			if key == "current_limit" || key == "old_limit" {
				return out
			}
			return member(out, key, val)
		})
	}
	return value
}

// eachMember passes every member of a JSON object through f, which appends what becomes of it. What is no object stays.
func eachMember(value []byte, f func(out []byte, key string, val []byte) []byte) []byte {
	d := jsontext.NewDecoder(bytes.NewReader(value))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return value
	}
	out := []byte{'{'}
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return value
		}
		key := t.String()
		val, err := d.ReadValue()
		if err != nil {
			return value
		}
		out = f(out, key, val)
	}
	if t, err := d.ReadToken(); err != nil || t.Kind() != '}' {
		return value
	}
	return append(out, '}')
}

func member(out []byte, key string, val []byte) []byte {
	if len(out) > 1 {
		out = append(out, ',')
	}
	return append(append(appendString(out, key), ':'), val...)
}
