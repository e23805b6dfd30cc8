package contract

import "github.com/hikyaku/hikyaku/internal/wa"

var (
	flowCategories = listOr(enum("SIGN_UP", "SIGN_IN", "APPOINTMENT_BOOKING", "LEAD_GENERATION", "SHOPPING", "CONTACT_US", "CUSTOMER_SUPPORT", "SURVEY", "OTHER"))
	flowSpan       = []Member{must("line_start", whole, ""), must("line_end", whole, ""), must("column_start", whole, ""), must("column_end", whole, "")}
	flowFault      = object(append([]Member{
		must("error", text, "Like INVALID_PROPERTY_VALUE."), must("error_type", text, ""), must("message", text, ""),
		must("pointers", list(object(append([]Member{must("path", text, "Like screens[0].layout.children[0].type.")}, flowSpan...)...)), ""),
	}, flowSpan...)...)
)

var flowCalls = map[string]Words{
	"GET waba/flows": {Does: "Lists the flows of an account, the newest first."},
	"POST waba/flows": {
		Does: "Creates a flow, a draft unless it is published at once.",
		Params: []Member{
			must("name", upTo(200), "No other flow of the account has it."),
			must("categories", flowCategories, ""),
			may("clone_flow_id", anyID, "The flow whose JSON to begin with."),
			may("endpoint_uri", link, "Where the flow exchanges data; `data_channel_uri` before v19.0."),
			may("flow_json", text, "The document as text, 10 MB at most; 1 MB in a multipart form."),
			may("publish", flag, "With flow_json."),
		},
		Answer: object(must("id", id, ""), may("success", flag, "With flow_json, as the next one; false when faults kept it from being published."), may("validation_errors", list(flowFault), "")),
		Errors: []*wa.Error{wa.ErrFlowName, wa.ErrFlowMissing, wa.ErrFlowCloneSource, wa.ErrFlowEndpoint, wa.ErrFlowIntegrity, wa.ErrFlowUpdate, wa.ErrFlowPublish},
	},
	"POST waba/migrate_flows": {
		Does: "Copies flows of another account of the business, as drafts.",
		Params: []Member{
			must("source_waba_id", anyID, ""), may("source_flow_names", texts, "100 at most; all of them by default."),
		},
		Answer: object(
			must("migrated_flows", list(object(must("source_name", text, ""), must("source_id", id, ""), must("migrated_id", id, ""))), ""),
			must("failed_flows", list(object(must("source_name", text, ""), must("error_code", text, ""), must("error_message", text, ""))), ""),
		),
		Errors: []*wa.Error{wa.ErrFlowIntegrity},
	},
	"GET flow": {Does: "Reads a flow."},
	"POST flow": {
		Does: "Changes what a flow is called and where it exchanges data.",
		Params: []Member{
			may("name", upTo(200), ""), may("categories", flowCategories, ""), may("endpoint_uri", link, ""), may("data_channel_uri", link, "Before v19.0."),
			may("application_id", anyID, "The app whose secret signs what goes to the endpoint."),
		},
		Errors: []*wa.Error{wa.ErrFlowName, wa.ErrFlowUpdate},
	},
	"DELETE flow":     {Does: "Deletes a draft.", Errors: []*wa.Error{wa.ErrFlowDelete}},
	"GET flow/assets": {Does: "Tells where the JSON of a flow can be downloaded, for an hour."},
	"POST flow/assets": {
		Does: "Uploads the JSON of a flow. Faults are told and stored; they stand in the way of publishing.", Form: true,
		Params: []Member{
			must("file", file, "10 MB at most."), must("name", enum("flow.json"), ""), must("asset_type", enum("FLOW_JSON"), ""),
		},
		Answer: object(must("success", flag, ""), must("validation_errors", list(flowFault), "")), Errors: []*wa.Error{wa.ErrFlowUpdate},
	},
	"POST flow/publish": {
		Does: "Publishes what was uploaded last. The endpoint is asked for a sign of life.", Errors: []*wa.Error{wa.ErrFlowPublish, wa.ErrFlowIntegrity},
	},
	"POST flow/deprecate": {Does: "Ends a flow: it can be neither sent nor opened any more.", Errors: []*wa.Error{wa.ErrFlowDeprecate}},
}

var flowTypes = map[string]typeWords{
	"WhatsAppExtension": {"A flow.", []Member{
		may("id", id, ""),
		may("name", text, ""),
		may("status", enum("DRAFT", "PUBLISHED", "DEPRECATED", "THROTTLED", "BLOCKED"), ""),
		may("categories", flowCategories, ""),
		may("validation_errors", list(flowFault), "Of what was uploaded last."),
		may("json_version", text, ""),
		may("data_api_version", text, "Of flows that exchange data."),
		may("endpoint_uri", link, ""),
		may("data_channel_uri", link, "The same, before v19.0."),
		may("preview", object(must("preview_url", link, ""), must("expires_at", moment, "")), "`.invalidate(true)` makes another link."),
		may("whatsapp_business_account", ref("WhatsAppBusinessAccount"), ""),
		may("application", object(must("id", id, ""), must("name", text, ""), must("link", link, "")), ""),
		may("updated_at", moment, ""),
		may("health_status", ref("Health"), "`.phone_number(id)` as seen from one number."),
		may("metric", object(
			must("name", text, ""), must("granularity", text, ""),
			must("data_points", list(object(must("timestamp", moment, ""), must("data", list(object(must("key", text, ""), must("value", free, ""))), ""))), ""),
		), "`.name(…).granularity(DAY).since(2026-05-01).until(2026-05-03)`."),
	}},
	"WhatsAppExtensionAsset": {"The document of a flow.", []Member{
		may("name", text, ""), may("asset_type", text, ""), may("download_url", link, ""),
	}},
}
