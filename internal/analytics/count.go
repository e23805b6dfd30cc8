package analytics

import (
	"cmp"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// HalfHour is the finest bucket, in seconds.
const HalfHour = 30 * 60

// Day is a day in seconds.
const Day = 24 * 60 * 60

// Key says what is counted.
type Key struct {
	Subject string // id of a WABA, a template or a phone number
	What    string // one of the words below
	Bucket  int64  // Unix seconds at which the half hour begins; for Users the day (UTC)
	Number  wa.PhoneNumberID
	Country string // ISO 3166 alpha-2 of the user
}

// Compare orders keys.
func (k Key) Compare(o Key) int {
	return cmp.Or(
		strings.Compare(k.Subject, o.Subject), strings.Compare(k.What, o.What), cmp.Compare(k.Bucket, o.Bucket),
		strings.Compare(string(k.Number), string(o.Number)), strings.Compare(k.Country, o.Country),
	)
}

// Count is a key and how often it happened.
type Count struct {
	Key
	N int64
}

// What is counted of a WABA: messages by product type, and delivered ones by price. Source: spec/analytics.md section 2.
const (
	SentTemplates      = "sent.0"
	SentOthers         = "sent.2"
	DeliveredTemplates = "delivered.0"
	DeliveredOthers    = "delivered.2"
	Received           = "received.100"
	priced             = "priced."
)

// What is counted of a template. Users is counted of numbers too: people with a first delivery that day.
const (
	Sent      = "sent"
	Delivered = "delivered"
	Read      = "read"
	Users     = "users"
)

// Replied is counted of a template, too: messages that were answered, with a quotation or a button. And so are clicks on its
// buttons, by kind and by the words on them. Source: spec/analytics.md section 5.
const (
	Replied          = "replied"
	QuickReplyButton = "quick_reply_button"
	LinkButton       = "url_button"
	UniqueLinkButton = "unique_url_button" // the first click on the button of a message
)

// Clicks begins all words of [Clicked].
const Clicks = "clicked."

// Clicked is the word for clicks on the button of a template that says words.
func Clicked(kind, words string) string { return Clicks + kind + "." + words }

// ClickOf splits the word again, that of [Lite] likewise; false when it is another one.
func ClickOf(what string) (kind, words string, lite, ok bool) {
	rest, lite := strings.CutPrefix(what, lited)
	if rest, ok = strings.CutPrefix(rest, Clicks); !ok {
		return "", "", false, false
	}
	kind, words, ok = cut(rest)
	return kind, words, lite, ok
}

const lited = "lite."

// Lite is the word for the share of what is counted of a template but Users that went through the marketing API.
func Lite(what string) string { return lited + what }

// Priced is the word for a delivered message by pricing type and category, as statuses spell them.
func Priced(kind, category string) string {
	return priced + kind + "." + strings.ReplaceAll(category, "-", "_")
}

// PriceOf splits the word again; false when it is another one.
func PriceOf(what string) (kind, category string, ok bool) {
	rest, ok := strings.CutPrefix(what, priced)
	if !ok {
		return "", "", false
	}
	return cut(rest)
}

func cut(s string) (a, b string, ok bool) {
	a, b, ok = strings.Cut(s, ".")
	return a, b, ok
}

// Why people block a business. Source: spec/quality.md section 7.1.
const (
	ReasonSpam      = "spam"
	ReasonOffensive = "offensive"
	ReasonNoSignUp  = "did_not_sign_up"
	ReasonNotNeeded = "no_longer_needed"
	ReasonOther     = "other"
)

// BlockReason is a reason as it is counted: one of those above, or none. Devices may send any text; it is not kept.
func BlockReason(s string) string {
	switch s {
	case "", ReasonSpam, ReasonOffensive, ReasonNoSignUp, ReasonNotNeeded:
		return s
	}
	return ReasonOther
}

const blocked = "blocked."

// Blocked is the word, of a template, for people who blocked the business after it, by reason.
func Blocked(reason string) string { return blocked + BlockReason(reason) }

// Bucket is the half hour that a time in Unix milliseconds lies in.
func Bucket(ms int64) int64 { return ms / 1000 / HalfHour * HalfHour }

// DayOf is the day (UTC) that a time in Unix milliseconds lies in.
func DayOf(ms int64) int64 { return ms / 1000 / Day * Day }
