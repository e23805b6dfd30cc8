package message

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Limits of locations in Unicode code points; ours, nothing is documented.
const maxPlace = 1000

var locationKeys = []string{"latitude", "longitude", "name", "address"}

// location writes coordinates as numbers, however they came. Source: spec/messages.md section 9.8.
func (f *form[V]) location(v V) {
	f.within(v, locationKeys, func(o V) {
		latitude := f.degrees(o, "latitude", 90)
		longitude := f.degrees(o, "longitude", 180)
		name, address := f.text(o.Get("name"), maxPlace), f.text(o.Get("address"), maxPlace)
		f.object(TypeLocation, func() {
			f.key("latitude")
			f.b = strconv.AppendFloat(f.b, latitude, 'f', -1, 64)
			f.key("longitude")
			f.b = strconv.AppendFloat(f.b, longitude, 'f', -1, 64)
			f.putSome("name", name)
			f.putSome("address", address)
		})
	})
}

func (f *form[V]) degrees(o V, name string, most float64) float64 {
	v := o.Get(name)
	if f.err != nil {
		return 0
	}
	if !v.Present() {
		f.missing(name)
		return 0
	}
	d, err := v.Float()
	if f.keep(err); d < -most || d > most {
		f.flaw(wa.ErrValue.Withf("Parameter '%s' must be between %v and %v.", name, -most, most))
	}
	return d
}

var reactionKeys = []string{"message_id", "emoji"}

// reaction: an empty emoji takes the reaction back. Whether the message exists shows only later. Source:
// spec/messages.md section 9.10.
func (f *form[V]) reaction(v V) {
	f.within(v, reactionKeys, func(o V) {
		id := f.messageID(o)
		emoji := o.Get("emoji")
		if !emoji.Present() {
			f.missing("emoji")
		}
		s, err := emoji.StrOr("")
		if f.keep(err); s != "" && !isEmoji(s) {
			f.wrong("Parameter 'emoji' must be one emoji, or empty to remove the reaction.")
		}
		f.object(TypeReaction, func() {
			f.put("message_id", id)
			f.put("emoji", s)
		})
	})
	if f.o.Context != "" || f.o.noContext {
		f.flaw(wa.ErrCloudParameter.With("Parameter 'context' is not allowed for type 'reaction'"))
	}
}

// messageID reads message_id, the id of another message.
func (f *form[V]) messageID(o V) string {
	id := f.label(o, "message_id", "Message id", maxMessageID)
	if len(id) > maxMessageID { // it counts bytes where label counts characters
		f.length("Message id", maxMessageID)
	}
	return id
}

// maxEmoji bounds an emoji in bytes: a family of four with skin tones has some fifty.
const maxEmoji = 128

// isEmoji reports whether s is one emoji: one character as people count them that holds a symbol. Letters, digits and
// punctuation are none unless a variation selector or a keycap makes them one.
func isEmoji(s string) bool {
	if len(s) > maxEmoji {
		return false
	}
	cluster, rest, _, _ := uniseg.FirstGraphemeClusterInString(s, -1)
	return cluster != "" && rest == "" && strings.ContainsFunc(s, func(r rune) bool {
		return unicode.Is(unicode.So, r) || r >= 0x2190 && r <= 0x21ff || r == 0xfe0f || r == 0x20e3 || r == 0x203c || r == 0x2049
	})
}

var pinKeys = []string{"type", "message_id", "expiration_days"}

// pin is for groups. Source: spec/messages.md section 9.11.
func (f *form[V]) pin(v V) {
	f.within(v, pinKeys, func(o V) {
		kind := f.enum(o, "type", "", "pin", "unpin")
		id := f.messageID(o)
		days := o.Get("expiration_days")
		if kind == "pin" && !days.Present() {
			f.missing("expiration_days")
		}
		n := int64(0)
		if days.Present() {
			n = f.whole(o, "expiration_days", 0, 1, 30)
		}
		f.object(TypePin, func() {
			f.put("type", kind)
			f.put("message_id", id)
			if n > 0 {
				f.putInt("expiration_days", n)
			}
		})
	})
}
