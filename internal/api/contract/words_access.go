package contract

import (
	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// grammarCalls are those that belong to no node.
var grammarCalls = map[string]Words{
	"GET /": {
		Does: "Reads several objects at once, or one edge of each.",
		More: "With an edge the path is `/{edge}?ids=…`. The answer has one member for each id; one that fails fails the call.",
		Params: []Member{
			must("ids", text, "Ids joined with commas, 50 at most."),
			may("fields", text, "What to read of each."),
		},
		Answer: free,
	},
	"POST /": {
		Does: "Makes up to 50 calls in one.",
		More: "Items run one after the other. An item may name another as `depends_on` and use its answer as `{result=name:$.data.0.id}`. " +
			"Files travel as parts of a multipart body and are named by `attached_files`.",
		Params: []Member{
			must("batch", list(object(
				must("method", enum("GET", "POST", "DELETE"), ""),
				must("relative_url", text, "Path and query, with or without version."),
				may("body", text, "Form-encoded parameters."),
				may("name", text, "What other items call this one."),
				may("depends_on", text, "Name of an item that must have succeeded."),
				may("omit_response_on_success", flag, "Null instead of the answer of a named item; true by default."),
				may("access_token", text, "Another token for this item."),
				may("attached_files", text, "Name of the part with the file."),
			)), ""),
			may("include_headers", flag, "False leaves headers out of the answers."),
		},
		Answer: list(&Schema{Type: []string{"object", "null"}, Properties: map[string]*Schema{
			"code": whole, "headers": list(free), "body": {Type: "string", Description: "JSON as text."},
		}}),
		Example: `{"batch":[{"method":"GET","relative_url":"me?fields=id"},{"method":"GET","relative_url":"app"}]}`,
	},
}

var bearer = object(
	must("access_token", text, ""),
	must("token_type", enum("bearer"), ""),
	may("expires_in", whole, "Seconds; absent when the token does not expire."),
)

var issueParams = []Member{
	must("client_id", anyID, "Id of the app."),
	must("client_secret", text, "Secret of the app."),
	may("grant_type", enum("client_credentials", "fb_exchange_token", "authorization_code"), "Absent: a code is exchanged."),
	may("code", text, "From the log-in dialog or the sign-up."),
	may("redirect_uri", link, "The address that the code was sent to."),
	may("fb_exchange_token", text, "A token of a person, to be made long-lived."),
	may("set_token_expires_in_60_days", flag, "A token that ends after 60 days."),
}

var issueErrors = []*wa.Error{wa.ErrClientIDMissing}

// taskNames and scopeNames are what access knows.
var (
	taskNames  = enum(names(access.Tasks)...)
	scopeNames = enum(names(access.Scopes)...)
)

func names[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

var tokenAnswer = object(must("access_token", text, ""))

var accessCalls = map[string]Words{
	"GET oauth/access_token":  {Does: "Issues a token: of the app, for a code, or a longer-lived one.", Params: issueParams, Answer: bearer, Errors: issueErrors},
	"POST oauth/access_token": {Does: "The same by POST.", Params: issueParams, Answer: bearer, Errors: issueErrors},
	"GET oauth/revoke":        {Does: "Ends a token of the caller's app.", Params: revokeParams, Errors: issueErrors},
	"POST oauth/revoke":       {Does: "The same by POST.", Params: revokeParams, Errors: issueErrors},
	"GET debug_token": {
		Does:   "Tells what a token is: its app, person, permissions and end.",
		More:   "The caller shows the app's own token, or a token of a person or system user of the same app.",
		Params: []Member{must("input_token", text, "The token to look at.")},
		Answer: object(must("data", object(
			may("app_id", id, ""), may("type", enum("USER", "SYSTEM_USER", "APP"), ""), may("application", text, "Name of the app."),
			may("data_access_expires_at", unix, "0: never."), may("expires_at", unix, "0: never."), must("is_valid", flag, ""),
			may("issued_at", unix, ""), must("scopes", texts, ""), may("user_id", id, ""),
			may("granular_scopes", list(object(must("scope", text, ""), may("target_ids", texts, "Absent: everything that the scope covers."))), ""),
			may("error", object(must("code", whole, ""), must("message", text, ""), may("subcode", whole, "")), "Why the token is not valid."),
		), "")),
	},

	"GET app": {Does: "Reads an app; `/app` is the app of the token."},
	"GET app/subscriptions": {
		Does: "Lists what the app is subscribed to.",
	},
	"POST app/subscriptions": {
		Does: "Sets the callback of the app and the fields that it gets.",
		More: "The callback is asked at once: it must answer `hub.challenge`. Fields are added to those of before; callback and verify token take the place of the old ones. Values are always included, whatever `include_values` says.",
		Params: []Member{
			must("object", enum("whatsapp_business_account"), ""),
			must("callback_url", link, "HTTPS; in a sandbox plain HTTP too."),
			must("verify_token", text, "Sent back to the callback, so that it knows who asks."),
			may("fields", listOr(&Schema{AnyOf: []*Schema{text, object(
				must("name", text, ""), may("version", text, "What decides the form of the payloads; `v23.0` without it."),
			)}, word: "string or object"}), "Names of webhook fields."),
		},
	},
	"DELETE app/subscriptions": {
		Does: "Ends the subscription, or that to some fields.",
		Params: []Member{
			may("object", enum("whatsapp_business_account"), ""),
			may("fields", listOr(text), "Absent: all."),
		},
	},
	"POST app/uploads": {
		Does: "Begins a resumable upload: of a profile photo or a sample of a template.",
		Params: []Member{
			must("file_length", whole, "Bytes, 100 MB at most."),
			must("file_type", enum("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4"), ""),
			may("file_name", text, ""),
			may("session_type", enum("attachment"), ""),
		},
		Answer: object(must("id", text, "`upload:…`, the path of the next calls.")),
	},

	"GET system_user": {Does: "Reads a system user; `/me` of its own token."},
	"POST system_user/applications": {
		Does:   "Installs an app for a system user: only then can tokens be made.",
		Params: []Member{must("business_app", anyID, "An app of the same portfolio.")},
	},
	"POST system_user/access_tokens": {
		Does: "Issues a token of a system user.",
		More: "`appsecret_proof` is asked for whatever the app's settings are. The app must be installed first.",
		Params: []Member{
			must("business_app", anyID, "The app of the calling token, of the same portfolio."),
			must("scope", listOr(scopeNames), "Permissions."),
			must("appsecret_proof", text, "HMAC-SHA-256 of the calling token under the app's secret, in hex."),
			may("set_token_expires_in_60_days", flag, "Absent: it does not expire."),
		},
		Answer: tokenAnswer, Errors: []*wa.Error{wa.ErrProofRequired},
	},
	"DELETE system_user/access_tokens":                    {Does: "Ends all tokens of a system user."},
	"GET system_user/assigned_whatsapp_business_accounts": {Does: "Lists the accounts that a system user reaches."},
	"GET system_user/businesses":                          {Does: "Lists the portfolio of a system user."},

	"GET user": {Does: "Reads the person behind the token."},
	"GET user/assigned_whatsapp_business_accounts": {Does: "Lists the accounts that a person reaches."},
	"GET user/businesses":                          {Does: "Lists the portfolios that a person belongs to."},
	"POST user/businesses": {
		Does:   "Creates a portfolio; the person becomes its administrator.",
		Params: append([]Member{must("name", text, ""), must("vertical", portfolioVertical, "Industry.")}, portfolioParams[2:]...),
		Answer: created,
	},
	"GET user/permissions": {
		Does:   "Lists the permissions of the token.",
		Answer: data(object(must("permission", text, ""), must("status", enum("granted"), ""))),
	},
	"DELETE user/permissions":       {Does: "Ends all tokens that the person gave to the app."},
	"DELETE user/permissions/{sub}": {Does: "Ends the person's tokens of the app that have a permission."},
}

var revokeParams = []Member{
	must("client_id", anyID, "Id of the app."),
	must("client_secret", text, "Secret of the app."),
	must("revoke_token", text, "The token to end."),
}

var accessTypes = map[string]typeWords{
	"Application": {"An app.", []Member{
		may("link", link, "Address that the app declares, or its own here."),
		may("name", text, ""),
		may("id", id, ""),
		may("namespace", text, ""),
		may("category", text, ""),
		may("company", text, "Never set here."),
		may("app_domains", texts, "Never set here."),
	}},
	"AppSubscription": {"What an app is subscribed to.", []Member{
		may("object", text, ""),
		may("callback_url", link, ""),
		may("active", flag, "False: the endpoint is suspended."),
		may("fields", list(object(must("name", text, ""), must("version", text, ""))), ""),
	}},
	"SystemUser": {"A user that is a program.", []Member{
		may("id", id, ""),
		may("name", text, ""),
		may("role", enum("ADMIN", "EMPLOYEE"), ""),
		may("created_by", object(must("id", id, ""), must("name", text, "")), "The system user of the same portfolio that made it."),
		may("created_time", moment, ""),
		may("finance_permission", text, "Never set here."),
		may("ip_permission", text, "Never set here."),
	}},
	"User": {"A person.", []Member{
		may("name", text, ""),
		may("id", text, ""),
		may("email", text, ""),
	}},
}
