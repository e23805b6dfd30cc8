package message

import "slices"

// Bounds of what is taken over from a device, in bytes of its JSON text. A device's message has 64 KiB at most; these keep
// single values in the size that consumers of webhooks expect.
const (
	maxLine    = 1024 // names, titles, ids
	maxCaption = 8 << 10
	maxAddress = 4 << 10
	maxLong    = 64 << 10
	maxShared  = 257 // spec/messages.md section 9.9
	maxEntries = 100
)

// media returns the shape of a media object after the platform has taken the file over, with what else the kind has after
// the caption and at the end. Source: spec/webhooks.md sections 13.2 to 13.6.
func media(before, after shape) shape {
	s := append(slices.Clip(before),
		member{name: "mime_type", check: filled(256), must: true},
		member{name: "sha256", check: filled(64), must: true},
		member{name: "id", check: filled(64), must: true},
		member{name: "url", check: filled(maxAddress)})
	return append(s, after...)
}

var caption = shape{{name: "caption", check: filled(maxCaption)}}

var mediaShapes = map[string]shape{
	TypeImage:    media(caption, nil),
	TypeVideo:    media(caption, nil),
	TypeAudio:    media(nil, shape{{name: "voice", check: truth, empty: "false"}}),
	TypeDocument: media(shape{caption[0], {name: "filename", check: filled(maxLine)}}, nil),
	TypeSticker:  media(nil, shape{{name: "animated", check: truth, empty: "false"}}),
}

// inboundShapes has the types of messages that users send, but for text and media. Source: spec/webhooks.md section 13.
var inboundShapes = map[string]shape{
	TypeLocation: {
		{name: "latitude", check: between(-90, 90), must: true},
		{name: "longitude", check: between(-180, 180), must: true},
		{name: "name", check: filled(maxLine)},
		{name: "address", check: filled(maxLine)},
		{name: "url", check: filled(maxAddress)},
	},
	TypeReaction: {
		{name: "message_id", check: filled(maxMessageID), must: true},
		{name: "emoji", check: filled(128)}, // absent or empty: the reaction was taken back
	},
	TypeButton: {
		{name: "payload", check: text(maxLine), must: true},
		{name: "text", check: filled(maxLine), must: true},
	},
	TypeOrder: {
		{name: "catalog_id", check: filled(maxLine), must: true},
		{name: "text", check: text(maxCaption), empty: `""`},
		{name: "product_items", must: true, each: true, most: maxEntries, of: shape{
			{name: "product_retailer_id", check: filled(maxLine), must: true},
			{name: "quantity", check: count, must: true},
			{name: "item_price", check: between(0, 1e12), must: true},
			{name: "currency", check: filled(8), must: true},
		}},
	},
}

// replies are the answers to interactive messages, by the member that holds them. Source: spec/webhooks.md section 13.9.
var replies = map[string]shape{
	"button_reply": {
		{name: "id", check: filled(maxLine), must: true},
		{name: "title", check: filled(maxLine), must: true},
	},
	"list_reply": {
		{name: "id", check: filled(maxLine), must: true},
		{name: "title", check: filled(maxLine), must: true},
		{name: "description", check: filled(maxLine)},
	},
	"nfm_reply": {
		{name: "name", check: filled(maxLine), empty: `"flow"`},
		{name: "body", check: text(maxLine), empty: `"Sent"`},
		{name: "response_json", check: object, must: true},
	},
	"call_permission_reply": {
		{name: "response", check: one("accept", "reject"), must: true},
		{name: "is_permanent", check: truth, empty: "false"},
		{name: "expiration_timestamp", check: unix},
		{name: "response_source", check: one("user_action", "automatic"), empty: `"user_action"`},
	},
}

// card is a shared contact, in which everything may be missing. Source: spec/webhooks.md section 13.8, spec/messages.md
// section 9.9.
var card = shape{
	{name: "origin", check: one("contact_request", "other")},
	{name: "vcard", check: filled(maxLong)},
	{name: "name", of: shape{
		{name: "formatted_name", check: filled(maxLine)},
		{name: "first_name", check: filled(maxLine)},
		{name: "last_name", check: filled(maxLine)},
		{name: "middle_name", check: filled(maxLine)},
		{name: "suffix", check: filled(maxLine)},
		{name: "prefix", check: filled(maxLine)},
	}},
	{name: "birthday", check: filled(32)},
	{name: "org", of: shape{
		{name: "company", check: filled(maxLine)},
		{name: "department", check: filled(maxLine)},
		{name: "title", check: filled(maxLine)},
	}},
	{name: "phones", each: true, most: maxEntries, of: shape{
		{name: "phone", check: filled(maxLine)},
		{name: "wa_id", check: filled(32)},
		{name: "type", check: filled(maxLine)},
	}},
	{name: "emails", each: true, most: maxEntries, of: shape{
		{name: "email", check: filled(maxLine)},
		{name: "type", check: filled(maxLine)},
	}},
	{name: "urls", each: true, most: maxEntries, of: shape{
		{name: "url", check: filled(maxAddress)},
		{name: "type", check: filled(maxLine)},
	}},
	{name: "addresses", each: true, most: maxEntries, of: shape{
		{name: "street", check: filled(maxLine)},
		{name: "city", check: filled(maxLine)},
		{name: "state", check: filled(maxLine)},
		{name: "zip", check: filled(maxLine)},
		{name: "country", check: filled(maxLine)},
		{name: "country_code", check: filled(8)},
		{name: "type", check: filled(maxLine)},
	}},
}

var cards = member{each: true, most: maxShared, of: card}

// referral says from which ad or post a chat was opened. Source: spec/webhooks.md section 12.2.
var referral = shape{
	{name: "source_url", check: filled(maxAddress)},
	{name: "source_id", check: filled(maxLine)},
	{name: "source_type", check: one("ad", "post")},
	{name: "body", check: filled(maxCaption)},
	{name: "headline", check: filled(maxLine)},
	{name: "media_type", check: one("image", "video")},
	{name: "image_url", check: filled(maxAddress)},
	{name: "video_url", check: filled(maxAddress)},
	{name: "thumbnail_url", check: filled(maxAddress)},
	{name: "ctwa_clid", check: filled(maxLine)},
	{name: "welcome_message", of: shape{{name: "text", check: filled(maxCaption)}}},
	{name: "ref", check: filled(maxLine)},
}

// product is what context.referred_product says: the user wrote from a product's page. Source: spec/webhooks.md section 12.1.
var product = shape{
	{name: "catalog_id", check: filled(maxLine), must: true},
	{name: "product_retailer_id", check: filled(maxLine), must: true},
}
