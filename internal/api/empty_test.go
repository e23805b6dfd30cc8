package api_test

import (
	"strings"
	"testing"
)

// Source: spec/business.md sections 3, 5.2, 5.3.
func TestEdgesThatHoldNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for id, names := range map[string][]string{
		wabaA: {
			"schedules", "audiences", "message_campaigns", "welcome_message_sequences", "dataset", "product_catalogs",
			"payment_configurations", "obo_mobility_intent", "in_progress_onbehalf_request",
		},
		aozora: {"owned_product_catalogs", "client_product_catalogs", "client_apps"},
	} {
		for _, name := range names {
			w.direct("admin", "GET /v23.0/"+id+"/"+name+"?fields=id&limit=5", "").want(t, 200, `{"data":[]}`)
			w.direct("admin", "POST /v23.0/"+id+"/"+name, `{"name":"x"}`).want(t, 400, missing("post", id))
			w.direct("birch", "GET /v23.0/"+id+"/"+name, "").want(t, 400, missing("get", id))
		}
	}
}

// Source: spec/phone_numbers.md sections 20 and 21, spec/errors.md sections 13 and 14.
func TestCallsAndGroupsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const callOff, groupOff = "(#138000) Calling is not enabled for this phone number", "(#131215) Phone number is not eligible for groups"
	noCall := cloudError(callOff, "138000", "Calling is not enabled for this phone number, and this server has no calls.")
	noGroup := cloudError(groupOff, "131215", "Only official business accounts have groups, and this server has none.")
	unregistered := cloudError("(#133010) Account not registered", "133010", "Account not registered")
	for _, tc := range []struct {
		line, body string
		status     int
		want       string
	}{
		{"POST " + numLive + "/calls", `{"messaging_product":"whatsapp","to":"16505555555","action":"connect","session":{"sdp_type":"offer","sdp":"v=0"}}`, 401, noCall},
		{"POST " + numLive + "/calls", `{}`, 400, graphError("(#100) The parameter messaging_product is required.", `"code":100`)},
		{"POST " + numLive + "/calls", `{"messaging_product":"whatsapp","action":"sing"}`, 400, graphError(`(#100) Param action must be one of {CONNECT, PRE_ACCEPT, ACCEPT, REJECT, TERMINATE} - got \"sing\".`, `"code":100`)},
		{"GET " + numLive + "/call_permissions?user_wa_id=16505555555", "", 401, noCall},
		{"GET " + numLive + "/call_permissions", "", 400, graphError("(#100) The parameter user_wa_id is required.", `"code":100`)},
		{"GET " + numLive + "/groups", "", 400, noGroup},
		{"POST " + numLive + "/groups", `{"messaging_product":"whatsapp","subject":"Tea"}`, 400, noGroup},
		{"POST " + numLive + "/groups", `{"messaging_product":"whatsapp"}`, 400, graphError("(#100) The parameter subject is required.", `"code":100`)},
		{"POST " + numPending + "/groups", `{"messaging_product":"whatsapp","subject":"Tea"}`, 400, unregistered},
		{"POST " + numPending + "/calls", `{"messaging_product":"whatsapp"}`, 400, unregistered},
		{"POST " + numB + "/calls", `{"messaging_product":"whatsapp"}`, 400, missing("post", numB)},
	} {
		method, path, _ := strings.Cut(tc.line, " ")
		w.direct("admin", method+" /v23.0/"+path, tc.body).want(t, tc.status, tc.want)
	}
}

// Source: spec/business.md sections 2.1, 4.1 and 4.3, spec/phone_numbers.md sections 2 and 6.
func TestFieldsOfAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.direct("admin", "GET /v23.0/"+aozora+"?fields=created_by,updated_by", "").want(t, 200, `{"id":"`+aozora+`"}`)
	w.direct("admin", "POST /v23.0/"+aozora, `{"name":"Aozora"}`).want(t, 200, `{"success":true}`)
	w.direct("admin", "GET /v23.0/"+aozora+"?fields=name,updated_by", "").want(t, 200,
		`{"name":"Aozora","updated_by":{"id":"`+adminA+`","name":"S `+adminA+`"},"id":"`+aozora+`"}`)
	w.direct("admin", "GET /v23.0/"+wabaA+"?fields=primary_business_location,marketing_messages_lite_api_status,marketing_messages_onboarding_status", "").want(t, 200,
		`{"primary_business_location":"JP","marketing_messages_lite_api_status":"ONBOARDED","marketing_messages_onboarding_status":"ONBOARDED","id":"`+wabaA+`"}`)
	for _, code := range []string{"ZZZ", "XXX", "jpy", "YEN"} {
		w.direct("admin", "POST /v23.0/"+aozora+"/owned_whatsapp_business_accounts", `{"name":"N","timezone_id":"54","currency":"`+code+`"}`).want(t, 400,
			graphError("(#100) Param currency must be a currency code of ISO 4217.", `"code":100`))
	}
	w.direct("admin", "GET /v23.0/"+numLive+"?fields=settings", "").want(t, 200,
		`{"settings":{"calling":{"status":"DISABLED"},"user_identity_change":{"enable_identity_key_check":false},`+
			`"payload_encryption":{"status":"DISABLED"},"storage_configuration":{"status":"DEFAULT"}},"id":"`+numLive+`"}`)
	w.direct("admin", "POST /v23.0/"+numLive, `{"new_display_name":"A"}`).want(t, 400,
		graphError("(#100) Param new_display_name must be a display name of 3 to 128 characters with at least one letter or digit.", `"code":100`))
}
