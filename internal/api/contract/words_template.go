package contract

import "github.com/hikyaku/hikyaku/internal/wa"

var (
	categories = enum("AUTHENTICATION", "MARKETING", "UTILITY")
	component  = object(
		must("type", text, "HEADER, BODY, FOOTER, BUTTONS, CAROUSEL, LIMITED_TIME_OFFER, CALL_PERMISSION_REQUEST."),
		may("format", enum("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "GIF", "LOCATION", "PRODUCT"), "Of a header."),
		may("text", text, "With placeholders: {{1}} or {{name}}."),
		may("example", free, "Samples of the placeholders, or the handle of a file."),
		may("buttons", list(object(must("type", text, ""), may("text", text, ""))), "10 at most."),
		may("cards", list(free), ""),
		may("limited_time_offer", object(must("text", text, ""), may("has_expiration", flag, "")), ""),
		may("add_security_recommendation", flag, "Of authentication templates."),
		may("code_expiration_minutes", whole, "Of authentication templates."),
	)
	templateSettings = []Member{
		may("parameter_format", enum("POSITIONAL", "NAMED"), ""),
		may("message_send_ttl_seconds", whole, "How long delivery is tried."),
		may("sub_category", enum("ORDER_DETAILS", "ORDER_STATUS", "RICH_ORDER_STATUS", "CUSTOM"), ""),
		may("display_format", enum("ORDER_DETAILS"), ""),
		may("send_type", enum("CAMPAIGN", "DIRECT", "TRIGGER"), "Read and not used."),
		may("allow_category_change", flag, "Read and not used: categories are always decided by the text."),
		may("cta_url_link_tracking_opted_out", flag, ""),
		may("is_primary_device_delivery_only", flag, ""),
		may("bid_spec", free, "Kept as it is, as the next two."),
		may("degrees_of_freedom_spec", free, ""),
		may("creative_sourcing_spec", free, ""),
	}
	templateErrors = []*wa.Error{
		wa.ErrTemplateName, wa.ErrTemplateLanguage, wa.ErrTemplateCategory, wa.ErrTemplateExists, wa.ErrTemplateFormat, wa.ErrTemplateBody,
		wa.ErrTemplateHeader, wa.ErrTemplateFooter, wa.ErrTemplateVariables, wa.ErrTemplateEdges, wa.ErrTemplateDensity, wa.ErrTemplateSample,
		wa.ErrTemplateSampleHandle, wa.ErrTemplateTooLong, wa.ErrTemplateLimit, wa.ErrTemplateBeingDeleted, wa.ErrTemplateUnverifiedBusiness,
		wa.ErrWABALimit, wa.ErrLocked, wa.ErrPolicy, wa.ErrCatalogTemplateLimit, wa.ErrTemplateCreation,
	}
	groupMembers  = listOr(anyID)
	libraryFilter = []Member{
		may("search", text, "Part of name, header or body."), may("topic", text, ""), may("usecase", text, ""), may("industry", text, ""),
		may("language", text, ""), may("name", text, ""), may("category", text, ""),
	}
)

func settings(first ...Member) []Member { return append(first, templateSettings...) }

func outcome(name string) *Schema {
	return object(must(name, texts, "Ids."), must("failed_templates", free, "Why the others were not, by id."))
}

var templateCalls = map[string]Words{
	"GET waba/message_templates": {
		Does: "Lists the templates of an account, the newest first.",
		Params: []Member{
			may("name", text, "This name, or names that contain it when no template has it."),
			may("content", text, "Part of the body."),
			may("name_or_content", text, ""),
			may("language", listOr(text), ""),
			may("category", listOr(categories), ""),
			may("status", listOr(enum("APPROVED", "ARCHIVED", "DELETED", "DISABLED", "IN_APPEAL", "LIMIT_EXCEEDED", "PAUSED", "PENDING", "PENDING_DELETION", "REJECTED", "FLAGGED", "LOCKED")), ""),
			may("quality_score", listOr(enum("GREEN", "YELLOW", "RED", "UNKNOWN")), ""),
			may("source", enum("AUTO_GENERATED", "MANUAL"), ""),
			may("since", anyTime, "Changed since."),
			may("until", anyTime, ""),
		},
	},
	"POST waba/message_templates": {
		Does: "Creates a template; its review takes two seconds.",
		Params: settings(
			must("name", upTo(512), "a–z, 0–9 and underscore."), must("language", text, "Like en_US."), must("category", categories, ""),
			may("components", list(component), "Required unless it comes from the library."),
			may("library_template_name", text, "Of a template in the library."),
			may("library_template_body_inputs", object(
				may("add_contact_number", flag, ""), may("add_learn_more_link", flag, ""), may("add_track_package_link", flag, ""),
				may("add_security_recommendation", flag, "Of authentication templates."), may("code_expiration_minutes", whole, "Of authentication templates."),
			), "Parts that not every template of the library has."),
			may("library_template_button_inputs", list(free), ""),
		),
		Answer: object(must("id", id, ""), must("status", text, ""), must("category", categories, "")), Errors: templateErrors,
		Example: `{"name":"order_update","language":"en_US","category":"UTILITY","components":[{"type":"BODY","text":"Hello {{1}}, your order has left our house today.","example":{"body_text":[["Ana"]]}}]}`,
		Answers: `{"id":"594425479261596","status":"PENDING","category":"UTILITY"}`,
	},
	"DELETE waba/message_templates": {
		Does: "Deletes templates: all languages of a name, one by name and id, or up to 100 ids.",
		Params: []Member{
			may("name", text, "Required unless `hsm_ids` is given."),
			may("hsm_id", anyID, "One language of the name."),
			may("hsm_ids", listOr(anyID), "Instead of the other two."),
		},
		Errors: []*wa.Error{wa.ErrTemplateDeleteName, wa.ErrTemplateNotFound},
	},
	"POST waba/message_templates/{sub}": {
		Does:   "`archive` puts templates away, `unarchive` brings them back.",
		Params: []Member{must("hsm_ids", listOr(anyID), "100 at most.")},
		Answer: &Schema{AnyOf: []*Schema{outcome("archived_templates"), outcome("unarchived_templates")}},
	},
	"POST waba/upsert_message_templates": {
		Does: "Creates an authentication template in many languages, or changes it where it exists.",
		Params: settings(
			must("name", upTo(512), ""), must("languages", listOr(text), ""), must("category", enum("AUTHENTICATION"), ""), must("components", list(component), ""),
		),
		Answer: data(object(must("id", id, ""), must("status", text, ""), must("language", text, ""))), Errors: templateErrors,
	},
	"GET waba/message_template_previews": {
		Does: "Shows the fixed texts of authentication templates.",
		Params: []Member{
			must("category", enum("AUTHENTICATION"), ""),
			must("button_types", listOr(enum("OTP")), ""),
			may("languages", listOr(text), "All by default; `language` is read as well."),
			may("language", listOr(text), ""),
			may("add_security_recommendation", flag, ""),
			may("code_expiration_minutes", whole, "1 to 90."),
		},
		Answer: data(object(
			must("body", text, ""), may("footer", text, ""), must("language", text, ""),
			must("buttons", list(object(must("text", text, ""), may("autofill_text", text, ""))), ""),
		)),
	},
	"POST waba/migrate_message_templates": {
		Does: "Copies templates from another account of the same portfolio.",
		Params: []Member{
			must("source_waba_id", anyID, ""),
			may("template_ids", listOr(anyID), "500 at most; absent: all, in pages."),
			may("page_number", whole, "From 0."),
			may("count", whole, "On a page, 500 at most."),
		},
		Answer: outcome("migrated_templates"),
	},
	"GET waba/template_performance_metrics": {
		Does: "Would estimate what templates cost in the marketing API; nothing is estimated here.", Answer: data(free),
	},
	"GET waba/template_groups": {Does: "Lists the template groups of an account."},
	"POST waba/template_groups": {
		Does:   "Creates a template group.",
		Params: []Member{must("name", text, ""), must("description", text, ""), must("whatsapp_business_templates", groupMembers, "Ids of templates.")},
		Answer: created,
	},

	"GET template": {Does: "Reads a template."},
	"POST template": {
		Does: "Changes a template, which is reviewed anew.", More: "Ten times in 30 days, once a day when it is approved.",
		Params: settings(may("category", categories, ""), may("components", list(component), "All of them.")),
		Errors: append([]*wa.Error{wa.ErrTemplateStatus}, templateErrors...),
	},
	"POST template/unpause": {
		Does:   "Ends the pause of a template.",
		Answer: object(must("success", flag, ""), may("reason", text, "Why not.")),
	},
	"GET template/compare": {
		Does: "Compares two templates by what was counted of them.",
		More: "Both must have been sent a thousand times in the time frame.",
		Params: []Member{
			must("template_ids", listOr(anyID), "The other one, of the same account."),
			must("start", anyTime, "7, 30, 60 or 90 days before the end."),
			must("end", anyTime, "Now."),
		},
		Answer: data(object(
			must("metric", enum("BLOCK_RATE", "MESSAGE_SENDS", "TOP_BLOCK_REASON"), ""), must("type", enum("RELATIVE", "NUMBER_VALUES", "STRING_VALUES"), ""),
			may("order_by_relative_metric", texts, "Ids, the most blocked last."),
			may("number_values", list(object(must("key", id, ""), must("value", whole, ""))), ""),
			may("string_values", list(object(must("key", id, ""), must("value", text, ""))), ""),
		)),
		Errors: []*wa.Error{wa.ErrInvalidParameter},
	},
	"GET template_group": {Does: "Reads a template group."},
	"POST template_group": {
		Does: "Changes a template group.",
		Params: []Member{
			may("name", text, ""), may("description", text, ""),
			may("add_whatsapp_business_templates", groupMembers, ""), may("remove_whatsapp_business_templates", groupMembers, ""),
		},
	},
	"DELETE template_group":             {Does: "Deletes a template group; its templates stay."},
	"GET message_template_library":      {Does: "Lists templates that are ready to use.", Params: libraryFilter},
	"GET waba/message_template_library": {Does: "The same list below an account.", Params: libraryFilter},
}

var templateTypes = map[string]typeWords{
	"WhatsAppBusinessHSM": {"A message template.", []Member{
		may("name", text, ""),
		may("parameter_format", enum("POSITIONAL", "NAMED"), ""),
		may("components", list(component), ""),
		may("language", text, ""),
		may("status", text, ""),
		may("category", categories, ""),
		may("sub_category", text, ""),
		may("previous_category", text, ""),
		may("library_template_name", text, ""),
		may("message_send_ttl_seconds", whole, ""),
		may("id", id, ""),
		may("rejected_reason", text, "NONE unless it was rejected."),
		may("quality_score", object(must("score", text, ""), may("date", unix, "")), ""),
		may("correct_category", text, "The category that it is going to have; once it was changed, that which it has."),
		may("display_format", text, ""),
		may("cta_url_link_tracking_opted_out", flag, ""),
		may("is_primary_device_delivery_only", flag, ""),
		may("degrees_of_freedom_spec", free, ""),
		may("bid_spec", free, ""),
		may("creative_sourcing_spec", free, ""),
		may("last_updated_time", moment, ""),
		may("health_status", ref("Health"), ""),
	}},
	"WhatsAppBusinessHSMGroup": {"A set of templates.", []Member{
		may("id", id, ""),
		may("name", text, ""),
		may("description", text, ""),
		may("whatsapp_business_templates", texts, "Ids."),
	}},
	"WhatsAppBusinessHSMLibrary": {"A template that is ready to use.", []Member{
		may("name", text, ""),
		may("language", text, ""),
		may("category", categories, ""),
		may("topic", text, ""),
		may("usecase", text, ""),
		may("industry", texts, ""),
		may("header", text, ""),
		may("body", text, ""),
		may("body_params", texts, "Samples."),
		may("body_param_types", texts, ""),
		may("buttons", list(object(must("type", text, ""), must("text", text, ""), may("url", link, ""), may("phone_number", text, ""))), ""),
		may("id", text, ""),
	}},
}
