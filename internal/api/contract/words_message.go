package contract

import (
	"slices"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// The bodies of messages.
var (
	attachment = object(may("id", anyID, "A media id."), may("link", link, "Fetched by the platform, instead of an id."))
	captioned  = object(may("id", anyID, ""), may("link", link, ""), may("caption", upTo(1024), ""))
	section    = object(
		may("title", text, ""),
		may("rows", list(object(must("id", text, ""), must("title", text, ""), may("description", text, ""))), ""),
		may("product_items", list(object(must("product_retailer_id", text, ""))), ""),
	)
	action = object(
		may("button", text, "Label of a list."),
		may("buttons", list(object(must("type", text, "reply"), must("reply", object(must("id", text, ""), must("title", text, "")), ""))), ""),
		may("sections", list(section), ""),
		may("name", text, "cta_url, flow, send_location, address_message, …"),
		may("parameters", free, "What the name asks for."),
		may("catalog_id", anyID, ""),
		may("product_retailer_id", text, ""),
		may("cards", list(free), "Of a carousel."),
	)
	filling = object(
		must("type", text, "header, body, button, limited_time_offer, carousel, order_status, tap_target_configuration."),
		may("sub_type", text, "Of a button: quick_reply, url, copy_code, flow, …"),
		may("index", anyID, "Of a button, from 0."),
		may("parameters", list(object(must("type", text, "text, currency, date_time, image, video, document, location, payload, …"), may("text", text, ""), may("parameter_name", text, "Of named parameters."))), ""),
		may("cards", list(free), "Of a carousel."),
	)
	templateBody = object(
		must("name", text, ""),
		must("language", object(must("code", text, "Like en_US."), may("policy", enum("deterministic"), "")), ""),
		may("components", list(filling), "What fills the placeholders."),
	)
)

var messageParams = []Member{
	must("messaging_product", product, ""),
	may("recipient_type", enum("individual", "group"), "individual by default."),
	may("to", anyID, "Phone number. This or `recipient` is required."),
	may("recipient", text, "Business-scoped user id."),
	may("type", text, "text by default. The member of this name holds the message."),
	may("text", object(must("body", upTo(4096), ""), may("preview_url", flag, "")), ""),
	may("image", captioned, ""),
	may("video", captioned, ""),
	may("audio", object(may("id", anyID, ""), may("link", link, ""), may("voice", flag, "A voice message: Ogg with Opus.")), ""),
	may("document", object(may("id", anyID, ""), may("link", link, ""), may("caption", text, ""), may("filename", text, "")), ""),
	may("sticker", attachment, ""),
	may("location", object(must("latitude", &Schema{Type: []string{"number", "string"}}, ""), must("longitude", &Schema{Type: []string{"number", "string"}}, ""), may("name", text, ""), may("address", text, "")), ""),
	may("contacts", list(object(must("name", object(must("formatted_name", text, "")), ""))), "Cards with phones, emails, addresses, urls, org, birthday."),
	may("reaction", object(must("message_id", text, ""), must("emoji", text, "Empty takes the reaction away.")), ""),
	may("interactive", object(
		must("type", enum("button", "list", "cta_url", "flow", "product", "product_list", "catalog_message", "location_request_message",
			"address_message", "order_details", "order_status", "carousel", "call_permission_request", "voice_call", "request_contact_info"), ""),
		may("header", free, ""), may("body", object(must("text", text, "")), ""), may("footer", object(must("text", text, "")), ""),
		may("action", action, ""),
	), ""),
	may("template", templateBody, "See [templates](templates.md)."),
	may("context", object(must("message_id", text, "")), "The message that this one answers."),
	may("biz_opaque_callback_data", upTo(512), "Comes back in every status."),
	may("recipient_identity_key_hash", text, "Refuse when the recipient's identity is another (137000)."),
	may("status", enum("read"), "Marks an inbound message as read, instead of sending one."),
	may("message_id", text, "The message to mark."),
	may("typing_indicator", object(must("type", enum("text"), "")), "Shows that an answer is being written; ends after 25 seconds or with it."),
}

var accepted = object(
	must("messaging_product", product, ""),
	may("contacts", list(object(must("input", text, ""), may("wa_id", text, ""), may("user_id", text, ""))), ""),
	may("messages", list(object(must("id", text, "wamid.…"), may("message_status", text, "Of templates: accepted, held_for_quality_assessment."))), ""),
)

var messageErrors = []*wa.Error{
	wa.ErrRequired, wa.ErrValue, wa.ErrUnsupportedType, wa.ErrNotRegistered, wa.ErrMaintenance, wa.ErrNumberDeleted, wa.ErrLocked, wa.ErrPolicy,
	wa.ErrRecipientIsSender, wa.ErrNotAllowed, wa.ErrTemplateMissing, wa.ErrTemplateParamCount, wa.ErrTemplatePaused, wa.ErrTemplateDisabled,
	wa.ErrThroughput, wa.ErrPairRate, wa.ErrBlockedByBusiness, wa.ErrIdentity, wa.ErrUnknownSend, wa.ErrSendPermission,
}

var userParam = []Member{
	must("messaging_product", product, ""),
	must("block_users", list(object(may("user", anyID, "Phone number."), may("user_id", text, "Business-scoped id instead."))), "100 at most."),
}

func inBody(params []Member) []Member {
	out := slices.Clone(params)
	for i := range out {
		out[i].In = "body"
	}
	return out
}

func blocked(name string) *Schema {
	user := []Member{must("input", text, ""), may("wa_id", text, ""), may("user_id", text, "")}
	failed := append(append([]Member{}, user...), may("errors", list(free), ""))
	return object(
		must("messaging_product", product, ""),
		must("block_users", object(may(name, list(object(user...)), ""), may("failed_users", list(object(failed...)), "")), ""),
	)
}

var messageCalls = map[string]Words{
	"POST phone_number/messages": {
		Does:   "Sends a message, or marks one as read.",
		More:   "The answer comes when the message is durable; what becomes of it is told by webhooks. Marks are answered with `success`.",
		Params: messageParams, Answer: &Schema{AnyOf: []*Schema{accepted, success}}, Errors: messageErrors,
		Example: `{"messaging_product":"whatsapp","to":"+16505555555","type":"text","text":{"body":"Your parcel is here."}}`,
		Answers: `{"messaging_product":"whatsapp","contacts":[{"input":"+16505555555","wa_id":"16505555555"}],"messages":[{"id":"wamid.HBgLMTY1MDU1NTU1NTUVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA"}]}`,
	},
	"POST phone_number/marketing_messages": {
		Does: "Sends a marketing template.", More: "The template must be ten minutes old.",
		Params: []Member{
			must("messaging_product", product, ""),
			may("recipient_type", enum("individual"), ""),
			may("to", anyID, "Phone number. This or `recipient` is required."),
			may("recipient", text, "Business-scoped user id."),
			must("type", enum("template"), ""),
			must("template", templateBody, ""),
			may("product_policy", enum("CLOUD_API_FALLBACK", "STRICT"), "Both are the same here."),
			may("message_activity_sharing", flag, ""),
			may("bid_spec", object(must("per_message_bid_multiplier", decimal, "Above 0.")), ""),
			may("context", object(must("message_id", text, "")), ""),
			may("biz_opaque_callback_data", upTo(512), ""),
			may("recipient_identity_key_hash", text, ""),
		},
		Answer: accepted,
		Errors: append([]*wa.Error{wa.ErrMustBeTemplate, wa.ErrOnlyMarketing, wa.ErrTemplateSyncing, wa.ErrBSUID}, messageErrors...),
	},
	"POST phone_number/messages_encrypted": {
		Does: "Sends what is inside a JWE: the body of an ordinary send.",
		More: "`payload_encryption` of the number's settings has to be on. RSA-OAEP-256 or RSA-OAEP with A256GCM or A128GCM; errors are in clear.",
		Params: []Member{
			must("messaging_product", product, ""),
			must("encrypted_contents", text, "JWE in its compact form."),
		},
		Answer: object(must("messaging_product", product, ""), must("encrypted_contents", text, "The answer of the send, for the client's key.")),
		Errors: []*wa.Error{wa.ErrEncryptedProduct, wa.ErrEncryptedToken, wa.ErrEncryptedPermission},
	},
	"GET phone_number/message_history": {
		Does:   "Lists what a number sent and what became of it, newest first.",
		Params: []Member{may("message_id", text, "This one alone.")},
	},
	"GET message_history": {Does: "Names the message of an entry."},
	"GET message_history/events": {
		Does:   "Lists what became of a message.",
		Params: []Member{may("status_filter", enum("SENT", "DELIVERED", "READ", "FAILED", "DELETED"), "")},
	},
	"GET phone_number/block_users": {Does: "Lists whom a number blocks."},
	"POST phone_number/block_users": {
		Does: "Blocks people who wrote within 24 hours.", Params: userParam, Answer: blocked("added_users"), Errors: []*wa.Error{wa.ErrBlock, wa.ErrThroughput},
	},
	"DELETE phone_number/block_users": {
		Does: "Unblocks people.", Params: inBody(userParam), Answer: blocked("removed_users"), Errors: []*wa.Error{wa.ErrBlock, wa.ErrThroughput},
	},
}
