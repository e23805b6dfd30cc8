package contract

import "github.com/hikyaku/hikyaku/internal/wa"

// spanParams are what all metrics of an account ask for.
var spanParams = []Member{
	must("start", anyTime, ""),
	must("end", anyTime, ""),
	must("granularity", enum("HALF_HOUR", "DAILY", "MONTHLY"), "DAY and MONTH are read as well."),
	may("phone_numbers", listOr(text), "Digits of numbers; absent: all."),
	may("country_codes", listOr(text), "Two letters each; absent: all."),
	afterParam,
}

var afterParam = may("after", text, "The cursor of a page; there is one page.")

func metrics(more ...Member) []Member { return append(append([]Member{}, spanParams...), more...) }

func points(members ...Member) *Schema {
	point := object(append([]Member{must("start", unix, ""), must("end", unix, "")}, members...)...)
	return data(object(must("data_points", list(point), "")))
}

var wabaCalls = map[string]Words{
	"GET waba": {Does: "Reads an account."},
	"POST waba": {
		Does: "Changes an account.", More: "At least one parameter is required.",
		Params: []Member{
			may("name", text, ""),
			may("currency", text, "ISO 4217; only until something is charged."),
			may("timezone_id", anyID, "Number of a time zone."),
			may("is_enabled_for_insights", flag, "Counts templates one by one; it stays on."),
			may("template_auto_archival_enabled", flag, "Archives templates that nobody sends."),
			may("disable_marketing_messages_on_cloud_api", flag, "Marketing templates go by `marketing_messages` only."),
		},
		Answer: &Schema{AnyOf: []*Schema{success, created}},
	},
	"GET waba/phone_numbers": {
		Does: "Lists the numbers of an account.",
		Params: []Member{
			may("sort", enum("last_onboarded_time_descending", "last_onboarded_time_ascending", "creation_time_ascending", "creation_time_descending"), ""),
			may("filtering", list(object(must("field", enum("account_mode"), ""), must("operator", enum("EQUAL"), ""), must("value", enum("LIVE", "SANDBOX"), ""))), ""),
		},
	},
	"POST waba/phone_numbers": {
		Does: "Adds a number to an account, to be verified and registered.",
		Params: []Member{
			may("cc", anyID, "Country calling code; required unless a pre-verified number is taken."),
			may("country_code", anyID, "Another spelling of `cc`."),
			may("phone_number", anyID, "The number, with or without its calling code."),
			may("verified_name", text, "Display name, to be reviewed; required unless the number migrates."),
			may("migrate_phone_number", flag, "The number comes from another account."),
			may("preverified_id", anyID, "A pre-verified number instead."),
		},
		Answer: created,
		Errors: []*wa.Error{wa.ErrLocked, wa.ErrPolicy},
	},
	"GET waba/subscribed_apps": {Does: "Lists the apps that get an account's webhooks."},
	"POST waba/subscribed_apps": {
		Does: "Subscribes the token's app to an account.",
		Params: []Member{
			may("override_callback_uri", link, "Another address for this account; absent: the override ends."),
			may("verify_token", text, "Required with an address, which is asked at once."),
		},
	},
	"DELETE waba/subscribed_apps": {Does: "Ends that."},
	"GET waba/assigned_users": {
		Does:   "Lists who of a portfolio has tasks on an account.",
		Params: []Member{must("business", anyID, "The portfolio.")},
	},
	"POST waba/assigned_users": {
		Does: "Gives somebody tasks on an account.",
		Params: []Member{
			must("user", anyID, "A person or system user of the owner or of a partner."),
			must("tasks", listOr(taskNames), "All that they get."),
		},
	},
	"DELETE waba/assigned_users":         {Does: "Takes all tasks away.", Params: []Member{must("user", anyID, "")}},
	"GET waba/schedules":                 {Does: "Lists scheduled sends: there are none.", More: emptyHere},
	"GET waba/audiences":                 {Does: "Lists audiences of ads: there are none.", More: emptyHere},
	"GET waba/message_campaigns":         {Does: "Lists campaigns of ads: there are none.", More: emptyHere},
	"GET waba/welcome_message_sequences": {Does: "Lists welcomes of ads: there are none.", More: emptyHere},
	"GET waba/dataset":                   {Does: "Lists datasets of ads: there are none.", More: emptyHere},
	"GET waba/product_catalogs":          {Does: "Lists connected catalogs: there are none.", More: emptyHere},
	"GET waba/solutions":                 {Does: "Lists the multi-partner solution that an account came by."},
	"GET waba/payment_configurations":    {Does: "Lists payment configurations: there are none.", More: emptyHere},
	"GET waba/activities": {
		Does: "Lists what happened to an account, the newest first.",
		Params: []Member{
			may("since", anyTime, ""),
			may("until", anyTime, ""),
			may("activity_type", listOr(text), ""),
		},
	},
	"GET waba/agencies": {Does: "Lists the partners that an account is shared with.", Ours: true},
	"POST waba/agencies": {
		Does: "Shares an account with another portfolio.", Ours: true,
		Params: append(partnerParam, must("tasks", listOr(taskNames), "What the partner may do.")),
	},
	"DELETE waba/agencies": {Does: "Ends that, and the tokens that the partner's apps got for the account.", Params: partnerParam, Ours: true},

	"GET waba/conversation_analytics": {
		Does: "Counts conversations, each of one delivered message.",
		Params: metrics(
			may("metric_types", listOr(enum("COST", "CONVERSATION")), ""),
			may("conversation_types", listOr(enum("REGULAR", "FREE_TIER", "FREE_ENTRY_POINT", "FREE_ENTRY")), ""),
			may("conversation_categories", listOr(text), ""),
			may("conversation_directions", listOr(enum("BUSINESS_INITIATED", "USER_INITIATED", "UNKNOWN")), ""),
			may("dimensions", listOr(enum("CONVERSATION_CATEGORY", "CONVERSATION_DIRECTION", "CONVERSATION_TYPE", "COUNTRY", "PHONE")), ""),
		),
		Answer: points(
			may("conversation", whole, ""), may("cost", decimal, ""), may("phone_number", text, ""), may("country", text, ""),
			may("conversation_type", text, ""), may("conversation_direction", text, ""), may("conversation_category", text, ""),
		),
	},
	"GET waba/pricing_analytics": {
		Does: "Counts delivered messages by price.",
		Params: metrics(
			may("metric_types", listOr(enum("COST", "VOLUME")), ""),
			may("pricing_types", listOr(enum("REGULAR", "FREE_CUSTOMER_SERVICE", "FREE_ENTRY_POINT", "FREE_GROUP_CUSTOMER_SERVICE")), ""),
			may("pricing_categories", listOr(text), ""),
			may("dimensions", listOr(enum("COUNTRY", "PHONE", "PRICING_CATEGORY", "PRICING_TYPE", "TIER")), ""),
			may("tiers", listOr(text), "Volume tiers such as `0:750000`; absent: all."),
		),
		Answer: points(
			may("volume", whole, ""), may("cost", decimal, ""), may("phone_number", text, ""), may("country", text, ""),
			may("tier", text, ""), may("pricing_type", text, ""), may("pricing_category", text, ""),
		),
	},
	"GET waba/template_analytics": dailyStats("template_id", "Counts what became of templates, by day.",
		may("product_type", enum("CLOUD_API", "MARKETING_MESSAGES_LITE_API", "MARKETING_MESSAGES_API_FOR_WHATSAPP", "CAMPAIGN_INSIGHTS"), "How they were sent.")),
	"GET waba/template_group_analytics": dailyStats("template_group_id", "Counts what became of the templates in groups, by day.",
		may("product_type", enum("CLOUD_API", "MARKETING_MESSAGES_LITE_API", "MARKETING_MESSAGES_API_FOR_WHATSAPP", "CAMPAIGN_INSIGHTS"), "How they were sent.")),
	"GET waba/call_analytics": {
		Does: "Counts calls, of which there are none.",
		Params: metrics(
			may("metric_types", listOr(enum("COUNT", "COST", "AVERAGE_DURATION")), ""),
			may("directions", listOr(enum("USER_INITIATED", "BUSINESS_INITIATED")), ""),
			may("dimensions", listOr(enum("PHONE", "DIRECTION", "COUNTRY", "TIER")), ""),
			may("tiers", listOr(text), ""),
		),
		Answer: data(object(must("granularity", text, ""), may("directions", text, ""), must("data_points", list(free), ""))),
	},
	"GET waba/group_analytics": {
		Does: "Counts messages of a group, of which there are none.",
		Params: []Member{
			must("start", anyTime, "At most 90 days ago."), must("end", anyTime, ""), may("granularity", enum("DAILY"), ""),
			must("group_ids", listOr(anyID), "One."),
			must("metric_types", listOr(enum("SENT", "DELIVERED", "READ", "PARTICIPANTS_JOINED", "PARTICIPANTS_LEFT", "REPLIES", "CLICKS", "COST")), ""),
		},
		Answer: data(free),
	},
}

// dailyStats are the metrics of templates; points name what they are of by key.
func dailyStats(key, does string, more ...Member) Words {
	return Words{
		Does: does,
		Params: append([]Member{
			must("start", anyTime, "At most 90 days ago."),
			must("end", anyTime, ""),
			must("granularity", enum("DAILY"), ""),
			must(key+"s", listOr(anyID), "1 to 10."),
			may("metric_types", listOr(enum("SENT", "DELIVERED", "READ", "REPLIED", "CLICKED", "COST")), "Those of events in apps and on websites are read, and nothing is counted of them."),
			may("use_waba_timezone", flag, "Days of the account's time zone; start and end are dates then."),
			afterParam,
		}, more...),
		Answer: data(object(
			must("granularity", text, ""), must("product_type", text, ""), may("waba_timezone", text, ""),
			must("data_points", list(object(
				must(key, id, ""), must("start", unix, ""), must("end", unix, ""), may("sent", whole, ""), may("delivered", whole, ""),
				may("read", whole, ""), may("cost", list(object(must("type", text, ""), must("value", decimal, ""))), ""),
			)), ""),
		)),
		Errors: []*wa.Error{wa.ErrInsightsDisabled},
	}
}
