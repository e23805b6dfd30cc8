package contract

import (
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

var (
	codeParams = []Member{
		must("code_method", enum("SMS", "VOICE"), ""),
		must("language", text, "Like en or en_US."),
	}
	verifyParams = []Member{must("code", anyID, "With or without a hyphen.")}
	codeErrors   = []*wa.Error{wa.ErrCodeMethod, wa.ErrRequestCode, wa.ErrRequestCodeLater, wa.ErrServerUnavailable}
	verifyErrors = []*wa.Error{wa.ErrCodeFormat, wa.ErrVerifyCode}

	contact = object(may("name", text, ""), may("email", text, ""), may("mobile_number", anyID, ""), may("landline_number", anyID, ""))
	status  = func(values ...string) *Schema { return object(must("status", enum(values...), "")) }
)

var numberCalls = map[string]Words{
	"GET phone_number": {Does: "Reads a phone number."},
	"POST phone_number": {
		Does: "Changes a phone number.", More: "At least one parameter is required; everything is checked before anything is changed.",
		Params: []Member{
			may("pin", anyID, "Six digits: the PIN of two-step verification."),
			may("new_display_name", text, "To be reviewed."),
			may("username", text, ""),
			may("webhook_configuration", object(
				must("override_callback_uri", link, "Empty: the override ends."), may("verify_token", text, "Required with an address."),
			), "Where the token's app gets this number's webhooks."),
			may("search_visibility", enum("VISIBLE", "NON_VISIBLE"), ""),
			may("whatsapp_business_api_data", object(may("pin", anyID, "")), "The older place of `pin`."),
		},
		Errors: []*wa.Error{wa.ErrNumberDeleted, wa.ErrPINFormat, wa.ErrMaintenance},
	},
	"POST phone_number/request_code": {Does: "Sends a verification code to a number.", Params: codeParams, Errors: codeErrors},
	"POST phone_number/verify_code":  {Does: "Verifies a number by its code.", Params: verifyParams, Errors: verifyErrors},
	"POST phone_number/register": {
		Does: "Registers a number: from then on it sends and receives.",
		Params: []Member{
			must("messaging_product", product, ""),
			must("pin", anyID, "Six digits; sets the PIN, or must be the one that is set."),
			may("backup", object(must("data", text, ""), must("password", text, "")), "Export of a self-hosted client, whose number moves here."),
			may("data_localization_region", text, "The server's own region; from v21.0 on it is set by the settings."),
			may("meta_store_retention_minutes", whole, "60: no storage; from v21.0 on it is set by the settings."),
		},
		Errors: []*wa.Error{wa.ErrPINFormat, wa.ErrPINMismatch, wa.ErrPINGuesses, wa.ErrPINTooFast, wa.ErrReverify, wa.ErrRegisterRate, wa.ErrRegisterWait, wa.ErrNumberDeleted, wa.ErrMaintenance},
	},
	"POST phone_number/deregister": {Does: "Ends a registration.", Errors: []*wa.Error{wa.ErrNotRegistered, wa.ErrRegisterRate, wa.ErrMaintenance}},
	"GET phone_number/settings": {
		Does: "Reads what is switched on for a number.", Params: []Member{may("include_sip_credentials", flag, "There are none.")},
		Answer: object(
			must("calling", status("ENABLED", "DISABLED"), ""),
			must("user_identity_change", object(must("enable_identity_key_check", flag, "")), ""),
			must("payload_encryption", object(
				must("status", enum("ENABLED", "DISABLED"), ""), may("client_encryption_key_fingerprint", text, "SHA-256, hex."),
				may("cloud_encryption_key", text, "PEM."),
			), ""),
			must("storage_configuration", object(
				must("status", enum("DEFAULT", "IN_COUNTRY_STORAGE_ENABLED", "NO_STORAGE_ENABLED"), ""), may("data_localization_region", text, ""),
				may("retention_minutes", whole, "60, without storage."),
			), ""),
		),
	},
	"POST phone_number/settings": {
		Does: "Switches features of a number.", More: "At least one parameter is required. What this server does not have stays off, and says so.",
		Params: []Member{
			may("user_identity_change", object(must("enable_identity_key_check", flag, "")), "Refuse sends to a changed identity (137000)."),
			may("calling", object(must("status", text, "")), "DISABLED is accepted."),
			may("payload_encryption", object(
				must("status", enum("ENABLED", "DISABLED"), ""), may("client_encryption_key", text, "RSA public key of 2048 to 4096 bits: PEM, or base64 of PEM or DER."),
			), "Of `messages_encrypted`. The answer holds the platform's key."),
			may("storage_configuration", object(
				must("status", enum("IN_COUNTRY_STORAGE_ENABLED", "IN_COUNTRY_STORAGE_DISABLED", "NO_STORAGE_ENABLED"), "The last one is the operator's to grant; `IN_COUNTRY_STORAGE_DISABLED` ends either."),
				may("data_localization_region", text, "The server's own region, see `--region`."),
				may("retention_minutes", whole, "60"),
			), "Only while the number is not registered."),
		},
		Errors: []*wa.Error{wa.ErrMaintenance},
	},
	"POST phone_number/calls": {
		Does: "Would call somebody, or answer a call; no number here calls.",
		Params: []Member{
			must("messaging_product", product, ""),
			may("action", enum("connect", "pre_accept", "accept", "reject", "terminate"), ""),
		},
		Fails: true, Errors: []*wa.Error{wa.ErrCallingDisabled, wa.ErrNotRegistered},
	},
	"GET phone_number/call_permissions": {
		Does: "Would tell whether somebody may be called; no number here calls.", Params: []Member{must("user_wa_id", anyID, "")},
		Fails: true, Errors: []*wa.Error{wa.ErrCallingDisabled, wa.ErrNotRegistered},
	},
	"GET phone_number/groups": {
		Does: "Would list groups; no number here has any.", Fails: true, Errors: []*wa.Error{wa.ErrGroupIneligible, wa.ErrNotRegistered},
	},
	"POST phone_number/groups": {
		Does:   "Would make a group; no number here has any.",
		Params: []Member{must("messaging_product", product, ""), must("subject", upTo(128), "")},
		Fails:  true, Errors: []*wa.Error{wa.ErrGroupIneligible, wa.ErrNotRegistered},
	},
	"GET phone_number/whatsapp_business_profile": {Does: "Reads the profile that people see.", More: "Name the fields: unasked it answers `messaging_product` alone."},
	"POST phone_number/whatsapp_business_profile": {
		Does: "Changes the profile.", More: "What is absent stays; an empty text clears.",
		Params: []Member{
			must("messaging_product", product, ""),
			may("about", upTo(139), ""),
			may("address", upTo(256), ""),
			may("description", upTo(512), ""),
			may("email", upTo(128), ""),
			may("websites", texts, "Two at most."),
			may("vertical", text, "Industry."),
			may("profile_picture_handle", text, "Handle of a complete resumable upload: JPEG or PNG, 192 pixels or more, 5 MB at most."),
		},
	},
	"GET phone_number/conversational_automation": {Does: "Reads the welcome message, prompts and commands."},
	"POST phone_number/conversational_automation": {
		Does: "Changes them.", More: "At least one parameter is required.",
		Params: []Member{
			may("enable_welcome_message", flag, ""),
			may("prompts", texts, "4 at most, 80 characters each."),
			may("commands", list(object(must("command_name", text, ""), must("command_description", text, ""))), "30 at most."),
		},
		Errors: []*wa.Error{wa.ErrTooManyPrompts, wa.ErrPromptTooLong, wa.ErrCommandName},
	},
	"GET phone_number/message_qrdls": {
		Does:   "Lists short links.",
		Params: []Member{may("code", text, "Only this one.")},
	},
	"POST phone_number/message_qrdls": {
		Does: "Creates a short link with its QR code, or changes its message.",
		Params: []Member{
			must("prefilled_message", upTo(140), ""),
			may("generate_qr_image", enum("PNG", "SVG"), ""),
			may("code", text, "The link to change."),
		},
		Answer: object(must("code", text, ""), must("prefilled_message", text, ""), must("deep_link_url", link, ""), may("qr_image_url", link, "")),
		Errors: []*wa.Error{wa.ErrPrefilledLength, wa.ErrQRCodeID},
	},
	"GET phone_number/message_qrdls/{sub}":          {Does: "Reads a short link by its code.", Errors: []*wa.Error{wa.ErrQRCodeID}},
	"DELETE phone_number/message_qrdls/{sub}":       {Does: "Deletes a short link.", Errors: []*wa.Error{wa.ErrQRCodeID}},
	"GET phone_number/whatsapp_business_encryption": {Does: "Reads the business's public key."},
	"POST phone_number/whatsapp_business_encryption": {
		Does:   "Sets it.",
		Params: []Member{must("business_public_key", text, "RSA with 2048 bits, PEM.")},
		Errors: []*wa.Error{wa.ErrPublicKeyMissing, wa.ErrPublicKeyInvalid},
	},
	"GET phone_number/whatsapp_commerce_settings": {Does: "Reads whether cart and catalog are shown."},
	"POST phone_number/whatsapp_commerce_settings": {
		Does: "Changes that.", More: "At least one parameter is required.",
		Params: []Member{may("is_cart_enabled", flag, ""), may("is_catalog_visible", flag, "")},
	},
	"GET phone_number/business_compliance_info": {Does: "Reads who is responsible for a business in India."},
	"POST phone_number/business_compliance_info": {
		Does: "Sets that.",
		Params: []Member{
			must("messaging_product", product, ""),
			must("entity_name", text, ""),
			must("entity_type", enum(business.EntityTypes...), ""),
			may("entity_type_custom", text, "With OTHER."),
			may("is_registered", flag, ""),
			must("grievance_officer_details", contact, ""),
			must("customer_care_details", contact, ""),
		},
	},
	"GET phone_number/official_business_account": {
		Does:   "Reads what became of the application for the badge.",
		Answer: object(must("oba_status", enum("NOT_STARTED", "PENDING", "APPROVED", "REJECTED"), ""), may("status_message", text, ""), must("id", id, "")),
	},
	"POST phone_number/official_business_account": {
		Does: "Asks for the badge of an official account.", More: "The operator decides.",
		Params: []Member{
			must("business_website_url", link, ""),
			must("primary_country_of_operation", text, ""),
			must("primary_language", text, ""),
			may("parent_business_or_brand", text, ""),
			may("additional_supporting_information", text, ""),
			may("supporting_links", listOr(link), ""),
		},
	},
	"GET phone_number/username": {
		Does:   "Reads the username.",
		Answer: object(may("username", text, ""), may("status", text, "")),
	},
	"POST phone_number/username": {
		Does: "Takes a username.",
		Params: []Member{
			must("username", text, "3 to 35 of a–z, 0–9, period, underscore."),
			may("transfer_action", enum("none", "force_transfer"), "Take it from another number of the same portfolio."),
		},
		Answer: object(must("status", text, "")),
	},
	"DELETE phone_number/username": {Does: "Gives the username back."},
	"GET phone_number/username_suggestions": {
		Does:   "Suggests usernames that are free.",
		Answer: data(object(must("username_suggestions", texts, ""))),
	},
	"GET phone_number/allowed_recipients": {Does: "Lists whom a test number may write to.", Ours: true},
	"POST phone_number/allowed_recipients": {
		Does: "Adds a recipient of a test number: without a code it sends one, with the code it confirms.", Ours: true,
		Params: []Member{must("phone_number", anyID, "With its calling code."), may("code", anyID, "What the person got.")},
	},
}

var numberTypes = map[string]typeWords{
	"WhatsAppBusinessPhoneNumber": {"A business phone number.", []Member{
		may("verified_name", text, "The display name."),
		may("code_verification_status", enum("NOT_VERIFIED", "VERIFIED", "EXPIRED"), ""),
		may("display_phone_number", text, "As people write it."),
		may("quality_rating", enum("GREEN", "YELLOW", "RED", "UNKNOWN"), ""),
		may("platform_type", enum("CLOUD_API", "ON_PREMISE", "NOT_APPLICABLE"), ""),
		may("throughput", object(must("level", enum("STANDARD", "HIGH", "NOT_APPLICABLE"), "")), ""),
		may("last_onboarded_time", moment, ""),
		may("webhook_configuration", object(may("phone_number", link, ""), may("whatsapp_business_account", link, ""), may("application", link, "")), "Callbacks of the caller's app."),
		may("id", id, ""),
		may("name_status", text, "Of the display name's review."),
		may("new_display_name", text, "A name under review."),
		may("new_name_status", text, ""),
		may("status", enum("PENDING", "CONNECTED", "DISCONNECTED", "MIGRATED", "DELETED", "FLAGGED", "RESTRICTED", "RATE_LIMITED", "BANNED"), ""),
		may("quality_score", object(must("score", text, ""), may("date", unix, "")), ""),
		may("account_mode", enum("LIVE", "SANDBOX"), ""),
		may("whatsapp_business_manager_messaging_limit", tiers, "The portfolio's."),
		may("messaging_limit_tier", text, "The older name and steps of it."),
		may("is_official_business_account", flag, ""),
		may("official_business_account", object(must("oba_status", text, ""), may("status_message", text, "")), ""),
		may("username", text, ""),
		may("conversational_automation", ref("ConversationalAutomation"), ""),
		may("is_pin_enabled", flag, "Two-step verification is on."),
		may("is_on_biz_app", flag, ""),
		may("is_preverified_number", flag, ""),
		may("search_visibility", enum("VISIBLE", "NON_VISIBLE"), ""),
		may("health_status", ref("Health"), ""),
		may("settings", free, "As the edge of that name answers it."),
		may("country_code", text, "ISO 3166, two letters."),
		may("country_dial_code", text, ""),
		may("certificate", text, "Never set here."),
		may("new_certificate", text, "Never set here."),
		may("eligibility_for_api_business_global_search", text, "Never set here."),
	}},
	"WhatsAppBusinessProfile": {"What people see of a business.", []Member{
		may("about", text, ""),
		may("address", text, ""),
		may("description", text, ""),
		may("email", text, ""),
		may("profile_picture_url", link, ""),
		may("websites", texts, ""),
		may("vertical", text, ""),
		may("messaging_product", product, ""),
	}},
	"ConversationalAutomation": {"What greets people.", []Member{
		may("enable_welcome_message", flag, ""),
		may("prompts", texts, ""),
		may("commands", list(object(must("command_name", text, ""), must("command_description", text, ""))), ""),
		may("id", id, ""),
	}},
	"WhatsAppQRDL": {"A short link that opens a chat.", []Member{
		may("code", text, ""),
		may("prefilled_message", text, ""),
		may("deep_link_url", link, ""),
		may("creation_time", unix, ""),
		may("qr_image_url", link, "`qr_image_url.format(PNG)` or SVG."),
	}},
	"WhatsAppBusinessEncryption": {"The key that flows' data is encrypted for.", []Member{
		may("business_public_key", text, "PEM."),
		may("business_public_key_signature_status", enum("VALID", "MISMATCH"), ""),
	}},
	"WhatsAppCommerceSettings": {"What is shown of a shop.", []Member{
		may("is_cart_enabled", flag, ""),
		may("is_catalog_visible", flag, ""),
		may("id", id, ""),
	}},
	"WhatsAppBusinessComplianceInfo": {"Who is responsible for a business.", []Member{
		may("messaging_product", product, ""),
		may("entity_name", text, ""),
		may("entity_type", enum(business.EntityTypes...), ""),
		may("entity_type_custom", text, ""),
		may("is_registered", flag, ""),
		may("grievance_officer_details", contact, ""),
		may("customer_care_details", contact, ""),
	}},
	"AllowedRecipient": {"Somebody whom a test number may write to.", []Member{
		may("wa_id", text, ""),
		may("added_time", moment, ""),
	}},
}
