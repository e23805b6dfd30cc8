package contract

import "github.com/hikyaku/hikyaku/internal/wa"

var (
	solutionErrors = []*wa.Error{wa.ErrManagementParameter}
	// solutionAnswer is what actions on a solution answer: the solution itself when the call names fields.
	solutionAnswer = success
)

// partnerCalls are those of multi-partner solutions.
var partnerCalls = map[string]Words{
	"POST app/whatsapp_business_solution": {
		Does: "Offers a multi-partner solution to another business's app.",
		More: "Exactly one of the two sides holds `MESSAGING`; both may manage the accounts of clients. The partner has to accept.",
		Params: []Member{
			must("solution_name", upTo(75), "2 characters at least."),
			must("owner_permissions", list(taskNames), "May be empty."),
			must("partner_app_id", anyID, ""),
			must("partner_permissions", list(taskNames), "May be empty."),
		},
		Answer: object(must("solution_id", id, "")), Errors: solutionErrors,
	},
	"GET app/whatsapp_business_solutions": {
		Does: "Lists the multi-partner solutions of an app.", Params: []Member{may("role", enum("OWNER", "PARTNER"), "Only those.")},
	},
	"GET app/connected_client_businesses": {Does: "Lists the businesses that let the app in by a sign-up."},
	"GET solution":                        {Does: "Reads a multi-partner solution."},
	"POST solution/accept": {
		Does: "Accepts the offer of a solution.", Answer: solutionAnswer, Errors: solutionErrors,
		Params: []Member{may("partner_permissions", list(taskNames), "Instead of those that were offered.")},
	},
	"POST solution/reject":                      {Does: "Rejects the offer of a solution.", Answer: solutionAnswer, Errors: solutionErrors},
	"POST solution/send_deactivation_request":   {Does: "Asks the other side to end a solution.", Answer: solutionAnswer, Errors: solutionErrors},
	"POST solution/accept_deactivation_request": {Does: "Ends a solution: it takes no more clients.", Answer: solutionAnswer, Errors: solutionErrors},
	"POST solution/reject_deactivation_request": {Does: "Keeps a solution that the other side wanted to end.", Answer: solutionAnswer, Errors: solutionErrors},
	"GET solution/access_token": {
		Does:   "Issues a token of the calling app for the accounts that a client brought into a solution. It lives for 60 days.",
		Params: []Member{must("business_id", anyID, "The client.")},
		Answer: object(must("access_token", text, ""), must("expires_at", unix, "")),
	},
	"POST waba/set_solution_migration_intent": {
		Does: "Notes that an account is to move to another solution, which its owner does by signing up with it.",
		Params: []Member{
			may("app_id", anyID, "App of the solution; that of the token by default."),
			must("solution_id", anyID, "An active one."),
		},
		Answer: created,
	},
	"POST waba/set_obo_mobility_intent": {
		Does: "Would move an account that somebody owns on behalf of its business; nobody does here.", Fails: true, Errors: solutionErrors,
	},
	"GET waba/obo_mobility_intent":          {Does: "Lists moves of accounts owned on behalf of others: there are none.", More: emptyHere},
	"GET waba/in_progress_onbehalf_request": {Does: "Lists requests to own accounts on behalf of others: there are none.", More: emptyHere},
	"POST business/business_users": {
		Does: "Invites somebody to a portfolio.", More: "No mail is sent: within 30 days, a person whom the operator gave the address joins by logging in, everybody else by the link that the web app makes.",
		Params: []Member{must("email", text, ""), must("role", enum("ADMIN", "EMPLOYEE"), "")}, Answer: created,
	},
	"GET business/pending_users": {Does: "Lists people who were invited and have not logged in yet."},
	"POST business/self_certify_whatsapp_business": {
		Does: "Certifies a client of the partner: verification led by a partner.", More: "An operator decides; the client's verification follows.",
		Params: []Member{
			must("end_business_id", anyID, "The client."),
			may("partner_business_id", anyID, "The portfolio of the path."),
			may("business_documents", listOr(text), "Handles of uploads, ten at most."),
			may("business_vertical", portfolioVertical, "Industry."),
			may("average_monthly_revenue_spend_with_partner", object(must("amount", decimal, ""), must("currency", text, "")), ""),
			may("num_billing_cycles_with_partner", whole, ""),
			may("is_monthly_recurring", flag, ""),
		},
		Answer: object(must("id", id, ""), must("verification_status", enum("PENDING"), "")), Errors: solutionErrors,
	},
	"GET business/self_certified_whatsapp_business_submissions": {
		Does: "Lists the certifications that a partner submitted.", Params: []Member{may("end_business_id", anyID, "Only of this client.")},
	},
	"POST business/onboard_partners_to_mm_lite": {
		Does: "Asks to bring the clients of partners to the marketing messages API.", More: "Every account can use it here: the request is noted.",
		Params: []Member{may("solution_id", anyID, "Only the clients of this solution.")},
		Answer: object(must("request_id", id, "")), Errors: []*wa.Error{wa.ErrDuplicateRequest},
	},
	"GET migration_intent": {Does: "Reads an intent to move an account: INITIATED, REJECTED by a newer one, or COMPLETED."},
}
