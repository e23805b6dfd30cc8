package contract

import (
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

var (
	portfolioVertical = enum(business.PortfolioVerticals...)
	tiers             = enum("UNTIERED", "TIER_50", "TIER_250", "TIER_2K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED")
	brief             = object(must("id", id, ""), may("name", text, ""))
)

var portfolioParams = []Member{
	may("name", upTo(128), ""),
	may("vertical", portfolioVertical, "Industry."),
	may("timezone_id", whole, "Number of a time zone."),
	may("two_factor_type", enum(business.TwoFactorTypes...), "Who must use two factors."),
}

var (
	accountList = []Member{
		may("find", anyID, "Only the account with this id."),
		may("business_type", list(enum("ENTERPRISE", "SMB", "STANDARD", "PREMIUM")), "Only accounts of these types. Those with a number that is also used in the phone app are `SMB`, others `ENTERPRISE`."),
		may("first", whole, "Items wanted, from 1, with or without `after`; not with `last` or `before`. Takes the place of `limit`."),
		may("last", whole, "Items wanted, from 1, before `before` or at the end of the list; not with `first` or `after`."),
		may("sort", enum("creation_time_ascending", "creation_time_descending"), ""),
		may("filtering", list(object(
			must("field", enum("creation_time"), ""), must("operator", enum("GREATER_THAN", "LESS_THAN"), ""), must("value", anyTime, ""),
		)), "Conditions, all of which must hold."),
	}
	preverifiedParams = []Member{
		must("preverified_id", anyID, ""),
		must("partner_business_id", anyID, "The portfolio it is shared with."),
	}
	partnerParam = []Member{must("business", anyID, "Id of the other portfolio.")}
)

// emptyHere is said of edges that hold nothing.
const emptyHere = "It answers an empty list, so that clients which walk through everything can."

var businessCalls = map[string]Words{
	"GET business":  {Does: "Reads a portfolio."},
	"POST business": {Does: "Changes a portfolio.", More: "At least one parameter is required.", Params: portfolioParams},
	"DELETE business": {
		Does: "Deletes a portfolio made for tests.", Ours: true,
		More: "Refused by name: for the app of another portfolio, while another app is connected, while accounts are live or shared.",
		Errors: []*wa.Error{
			wa.ErrManagementParameter,
		},
	},
	"GET business/owned_whatsapp_business_accounts":  {Does: "Lists the accounts that a portfolio owns.", Params: accountList},
	"GET business/client_whatsapp_business_accounts": {Does: "Lists the accounts that are shared with a portfolio.", Params: accountList},
	"GET business/whatsapp_business_accounts":        {Does: "Lists both, the owned and the shared accounts.", Params: accountList},
	"POST business/owned_whatsapp_business_accounts": {
		Does: "Creates an account.", Ours: true,
		Params: []Member{
			must("name", text, ""),
			must("currency", text, "ISO 4217."),
			must("timezone_id", anyID, "Number of a time zone."),
			may("country", text, "ISO 3166, two letters."),
		},
		Answer: created,
	},
	"GET business/system_users": {Does: "Lists the system users of a portfolio."},
	"POST business/system_users": {
		Does: "Creates a system user, or renames one.",
		Params: []Member{
			must("name", text, ""),
			may("role", enum("ADMIN", "EMPLOYEE"), "EMPLOYEE by default."),
			may("system_user_id", anyID, "The one to rename."),
		},
		Answer: created,
	},
	"POST business/access_token": {
		Does: "Issues a token of the system user with a name, which is made when there is none.",
		Params: []Member{
			must("app_id", anyID, "The app of the calling token."),
			must("scope", listOr(scopeNames), "Permissions."),
			may("system_user_name", text, "The app's name by default."),
			may("set_token_expires_in_60_days", flag, "Absent: it does not expire."),
		},
		Answer: tokenAnswer,
	},
	"POST business/system_user_access_tokens": {
		Does: "Issues a token of a system user for chosen accounts.",
		Params: []Member{
			must("system_user_id", anyID, ""),
			must("scope", listOr(scopeNames), "Permissions."),
			may("asset", listOr(anyID), "Ids of accounts; absent: all that the system user reaches."),
			may("set_token_expires_in_60_days", flag, "Absent: it does not expire."),
		},
		Answer: tokenAnswer,
	},
	"GET business/business_users": {Does: "Lists the people of a portfolio."},
	"GET business/owned_apps":     {Does: "Lists the apps of a portfolio."},

	"GET business/extendedcredits":         {Does: "Lists the credit line of a portfolio."},
	"GET business/owned_product_catalogs":  {Does: "Lists catalogs: there are none.", More: emptyHere},
	"GET business/client_apps":             {Does: "Lists apps of others that were shared with the portfolio: apps are not shared here.", More: emptyHere},
	"GET business/client_product_catalogs": {Does: "Lists catalogs of others: there are none.", More: emptyHere},

	"GET business/preverified_numbers": {
		Does: "Lists the pre-verified numbers of a portfolio.",
		Params: []Member{
			may("code_verification_status", enum("NOT_VERIFIED", "VERIFIED", "EXPIRED"), ""),
			may("phone_number", text, "Only this one."),
		},
	},
	"POST business/add_phone_numbers": {
		Does:   "Adds a number to the pool of numbers that are verified before they belong to an account.",
		Params: []Member{must("phone_number", anyID, "With its calling code.")},
		Answer: created,
	},
	"POST business/share_preverified_numbers":   {Does: "Lets a partner use a pre-verified number.", Params: preverifiedParams},
	"DELETE business/share_preverified_numbers": {Does: "Ends that.", Params: preverifiedParams},
	"GET business/agencies":                     {Does: "Lists the partners that accounts are shared with.", Ours: true},
	"DELETE business/agencies":                  {Does: "Ends all shares with a partner.", Params: partnerParam, Ours: true},
	"GET business/clients":                      {Does: "Lists the portfolios that share accounts with this one.", Ours: true},
	"DELETE business/clients":                   {Does: "Gives the accounts of a client back.", Params: partnerParam, Ours: true},

	"GET credit_line": {Does: "Reads a credit line."},
	"POST credit_line/whatsapp_credit_sharing_and_attach": {
		Does: "Shares a credit line with the owner of an account, and pays for the account with it.",
		Params: []Member{
			must("waba_id", anyID, "An account of the portfolio or of a client."),
			must("waba_currency", text, "ISO 4217; fixed from then on."),
		},
		Answer: object(must("allocation_config_id", id, ""), must("waba_id", id, "")),
	},
	"POST credit_line/whatsapp_credit_sharing": {
		Does: "Shares a credit line with a portfolio.", Params: []Member{must("receiving_business_id", anyID, "")},
		Answer: object(must("allocation_config_id", id, "")),
	},
	"POST credit_line/whatsapp_credit_attach": {
		Does: "Pays for an account with a credit line that was shared with its owner.",
		Params: []Member{
			must("waba_id", anyID, "An account of the portfolio or of a client."),
			must("waba_currency", text, "ISO 4217; fixed from then on."),
		},
		Answer: object(must("allocation_config_id", id, ""), must("waba_id", id, "")),
	},
	"GET credit_line/owning_credit_allocation_configs": {
		Does: "Lists with whom a credit line is shared.", Params: []Member{may("receiving_business_id", anyID, "Only what this portfolio got.")},
	},
	"GET credit_allocation":    {Does: "Reads a share of a credit line."},
	"DELETE credit_allocation": {Does: "Takes a share back; the accounts that used it have no payment method any more."},

	"GET preverified_number":               {Does: "Reads a pre-verified number."},
	"DELETE preverified_number":            {Does: "Takes a number out of the pool."},
	"POST preverified_number/request_code": {Does: "Sends a verification code to a pre-verified number.", Params: codeParams, Errors: codeErrors},
	"POST preverified_number/verify_code":  {Does: "Verifies a pre-verified number by its code.", Params: verifyParams, Errors: verifyErrors},
	"GET preverified_number/partners":      {Does: "Lists the partners that may use the number.", Answer: data(brief)},
}

var businessTypes = map[string]typeWords{
	"ExtendedCredit": {"A credit line, from which a portfolio pays for accounts of its clients.", []Member{
		may("id", id, ""),
		may("legal_entity_name", text, ""),
	}},
	"ExtendedCreditAllocationConfig": {"A share of a credit line.", []Member{
		may("id", id, ""),
		may("receiving_business", brief, "Who may use it."),
		may("receiving_credential", object(must("id", id, "")), "`primary_funding_id` of the accounts that use it."),
		may("owning_business", brief, ""),
		may("owning_credential", object(must("id", id, "")), "The credit line."),
		may("request_status", enum("APPROVED", "DELETED"), ""),
	}},
	"WhatsAppBusinessSolution": {"A multi-partner solution.", []Member{
		may("id", id, ""),
		may("name", text, ""),
		may("status", enum("INITIATED", "ACTIVE", "REJECTED", "DEACTIVATED"), ""),
		may("status_for_pending_request", enum("NONE", "PENDING_ACTIVATION", "PENDING_DEACTIVATION"), ""),
		may("owner_app", brief, ""),
		may("owner_permissions", list(taskNames), ""),
		may("partners", list(object(must("partner_app", brief, ""), must("partner_permissions", list(taskNames), ""))), ""),
	}},
	"WhatsAppBusinessSolutionMigrationIntent": {"A wish to move an account to another solution.", []Member{
		may("id", id, ""),
		may("status", enum("INITIATED", "REJECTED", "COMPLETED"), ""),
	}},
	"WhatsAppBusinessSelfCertificationSubmission": {"What a partner says about a client.", []Member{
		may("id", id, ""),
		may("end_business", brief, ""),
		may("verification_status", enum("PENDING", "APPROVED", "FAILED", "DISCARDED", "REVOKED"), ""),
		may("rejection_reasons", texts, "NONE, when there is none."),
		may("creation_time", unix, ""),
	}},
	"BusinessRoleRequest": {"An invitation to a portfolio.", []Member{
		may("id", id, ""),
		may("email", text, ""),
		may("role", enum("ADMIN", "EMPLOYEE"), ""),
		may("status", enum("PENDING"), ""),
		may("created_time", moment, ""),
		may("expiration_time", moment, ""),
	}},
	"Nothing": {"An item of a list that is always empty.", []Member{may("id", id, "")}},
	"Business": {"A portfolio.", []Member{
		may("id", id, ""),
		may("name", text, ""),
		may("verification_status", text, "verified, not_verified, pending, …"),
		may("timezone_id", whole, ""),
		may("vertical", text, ""),
		may("two_factor_type", text, ""),
		may("created_time", moment, ""),
		may("updated_time", moment, ""),
		may("extended_updated_time", moment, ""),
		may("whatsapp_business_manager_messaging_limit", tiers, "People who can be written to outside windows in 24 hours."),
		may("vertical_id", whole, "Never set here."),
		may("primary_page", free, "Never set here."),
		may("profile_picture_uri", link, "Never set here."),
		may("link", link, "Never set here."),
		may("created_by", brief, "Absent: the platform."),
		may("updated_by", brief, "Who changed it last; absent: the platform."),
		may("is_hidden", flag, "Never set here."),
		may("block_offline_analytics", flag, "Never set here."),
		may("payment_account_id", text, "Never set here."),
		may("user_access_expire_time", moment, "Never set here."),
		may("marketing_messages_onboarding_status", text, "Never set here."),
	}},
	"BusinessUser": {"A person of a portfolio.", []Member{
		may("id", text, ""),
		may("name", text, ""),
		may("email", text, ""),
		may("role", enum("ADMIN", "EMPLOYEE"), ""),
	}},
	"WhatsAppBusinessPreVerifiedPhoneNumber": {"A number that is verified before it belongs to an account.", []Member{
		may("id", id, ""),
		may("phone_number", text, ""),
		may("code_verification_status", enum("NOT_VERIFIED", "VERIFIED", "EXPIRED"), ""),
		may("code_verification_time", moment, ""),
		may("verification_expiry_time", moment, ""),
		may("owner_business", brief, ""),
	}},
	"WhatsAppBusinessAccount": {"A WhatsApp Business Account.", []Member{
		may("id", id, ""),
		may("name", text, ""),
		may("currency", text, "In lists unasked."),
		may("timezone_id", text, ""),
		may("message_template_namespace", text, ""),
		may("country", text, ""),
		may("analytics", free, "Messages sent and delivered: `analytics.start(…).end(…).granularity(DAY)`; see [analytics](analytics.md)."),
		may("creation_time", unix, ""),
		may("status", text, ""),
		may("account_review_status", enum("PENDING", "APPROVED", "REJECTED"), ""),
		may("business_verification_status", text, ""),
		may("ownership_type", enum("SELF", "CLIENT_OWNED"), ""),
		may("owner_business", ref("Business"), "Partners see id and name."),
		may("owner_business_info", brief, ""),
		may("on_behalf_of_business_info", object(must("id", id, ""), must("name", text, ""), must("status", text, ""), must("type", text, "")), ""),
		may("primary_funding_id", text, "Absent without a payment method."),
		may("purchase_order_number", text, ""),
		may("health_status", ref("Health"), ""),
		may("whatsapp_business_manager_messaging_limit", tiers, "The portfolio's."),
		may("is_enabled_for_insights", flag, ""),
		may("is_shared_with_partners", flag, ""),
		may("disable_marketing_messages_on_cloud_api", flag, ""),
		may("template_auto_archival_enabled", flag, ""),
		may("primary_business_location", text, "Country of the business, else of the account."),
		may("auth_international_rate_eligibility", object(must("start_time", unix, ""), must("exception_countries", list(object(must("country_code", text, ""), must("start_time", unix, ""))), "")), "From when authentication templates to other countries cost the international rate; absent: never."),
		may("linked_commerce_account", free, "Never set here."),
		may("marketing_messages_lite_api_status", enum("ONBOARDED"), "There is nothing to onboard to."),
		may("marketing_messages_onboarding_status", enum("ONBOARDED"), ""),
		may("marketing_messages_ad_account", free, "Never set here."),
		may("whatsapp_manager_marketing_messages_max_price_enroll_status", text, "Never set here."),
		may("conversation_analytics", free, "See the edge."),
		may("pricing_analytics", free, "See the edge."),
		may("template_analytics", free, "See the edge."),
		may("template_group_analytics", free, "See the edge."),
		may("call_analytics", free, "The set of points that the edge's `data` holds."),
		may("group_analytics", free, "See the edge."),
	}},
	"WhatsAppApplication": {"An app that gets an account's webhooks.", []Member{
		may("whatsapp_business_api_data", object(may("link", link, ""), may("name", text, ""), must("id", id, "")), ""),
		may("override_callback_uri", link, "Of the caller's own app only."),
	}},
	"AssignedUser": {"Somebody with tasks on an account.", []Member{
		may("id", text, ""),
		may("name", text, ""),
		may("user_type", enum("SYSTEM_USER", "BUSINESS_USER"), ""),
		may("business", brief, ""),
		may("tasks", list(taskNames), ""),
	}},
	"WhatsAppBusinessActivity": {"Something that happened to an account.", []Member{
		may("id", text, ""),
		may("activity_type", text, ""),
		may("timestamp", moment, ""),
		may("actor_type", enum("USER", "API", "SYSTEM"), ""),
		may("actor_id", text, ""),
		may("actor_name", text, ""),
		may("description", text, ""),
		may("details", free, ""),
	}},
	"Agency": {"A partner that an account is shared with.", []Member{
		may("id", id, ""),
		may("name", text, ""),
		may("tasks", texts, ""),
	}},
}
