package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
)

func cursor(parts ...string) string { return graph.Cursor(strings.Join(parts, "")) }

// Golden bodies of every node: default sets, chosen fields, and what is left out.
func TestNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.token("M", appA, adminA, scopeM)
	w.token("B", appA, adminA, scopeB)
	hook := `{"can_send_message":"AVAILABLE","entities":[`
	entities := func(list ...string) string { return hook + strings.Join(list, ",") + `]}` }
	ok := func(kind, id string) string {
		return `{"entity_type":"` + kind + `","id":"` + id + `","can_send_message":"AVAILABLE"}`
	}
	behind := []string{ok("WABA", wabaA), ok("BUSINESS", aozora), ok("APP", appA)}
	for _, c := range []struct{ name, token, line, want string }{
		// numbers
		{"number", "admin", numLive, `{"verified_name":"N 106540352242922","code_verification_status":"VERIFIED","display_phone_number":"+81 50-5555-0142","quality_rating":"GREEN","platform_type":"CLOUD_API","throughput":{"level":"STANDARD"},"last_onboarded_time":"2026-11-22T12:00:04+0000","id":"106540352242922"}`},
		{"number that is not registered", "admin", numPending, `{"verified_name":"N 330220110550441","code_verification_status":"VERIFIED","display_phone_number":"+81 50-5555-0143","quality_rating":"UNKNOWN","platform_type":"NOT_APPLICABLE","throughput":{"level":"NOT_APPLICABLE"},"id":"330220110550441"}`},
		{"R55 throughput", "admin", numLive + "?fields=throughput", `{"throughput":{"level":"STANDARD"},"id":"106540352242922"}`},
		{"R55 throughput, selected", "admin", numLive + "?fields=throughput{level}", `{"throughput":{"level":"STANDARD"},"id":"106540352242922"}`},
		{
			"states of a number", "admin", numLive + "?fields=status,name_status,quality_score,account_mode,is_official_business_account,official_business_account,is_pin_enabled,is_on_biz_app,is_preverified_number,search_visibility,country_code,country_dial_code",
			`{"status":"CONNECTED","name_status":"APPROVED","quality_score":{"score":"GREEN"},"account_mode":"LIVE","is_official_business_account":false,"official_business_account":{"oba_status":"NOT_STARTED"},"is_pin_enabled":false,"is_on_biz_app":false,"is_preverified_number":false,"search_visibility":"VISIBLE","country_code":"JP","country_dial_code":"81","id":"106540352242922"}`,
		},
		{"limit of a number", "admin", numLive + "?fields=whatsapp_business_manager_messaging_limit,messaging_limit_tier", `{"whatsapp_business_manager_messaging_limit":"TIER_2K","messaging_limit_tier":"TIER_1K","id":"106540352242922"}`},
		{"known and empty", "admin", numLive + "?fields=username,certificate,new_certificate,conversational_automation,new_display_name,new_name_status,eligibility_for_api_business_global_search,webhook_configuration", `{"id":"106540352242922"}`},
		{"health of a number", "admin", numLive + "?fields=health_status", `{"health_status":` + entities(append([]string{ok("PHONE_NUMBER", numLive)}, behind...)...) + `,"id":"106540352242922"}`},
		{"health of a number that cannot send", "admin", numPending + "?fields=health_status", `{"health_status":{"can_send_message":"BLOCKED","entities":[{"entity_type":"PHONE_NUMBER","id":"330220110550441","can_send_message":"BLOCKED","errors":[{"error_code":141000,"error_description":"The phone number is not registered.","possible_solution":"Register the phone number."}]},` + strings.Join(behind, ",") + `]},"id":"330220110550441"}`},
		{"deleted number", "admin", numGone + "?fields=status", `{"status":"DELETED","id":"330220110550443"}`},

		// accounts
		{"account", "admin", wabaA, `{"id":"220110330440550","name":"W 220110330440550","timezone_id":"54","message_template_namespace":"0b7c1e52_93aa_4d0e_8d1f_6a2f0c9d11e4"}`},
		{
			"states of an account", "admin", wabaA + "?fields=currency,country,creation_time,status,account_review_status,business_verification_status,ownership_type,is_enabled_for_insights,is_shared_with_partners,disable_marketing_messages_on_cloud_api,template_auto_archival_enabled,whatsapp_business_manager_messaging_limit",
			`{"currency":"JPY","country":"JP","creation_time":1795348801,"status":"ACTIVE","account_review_status":"APPROVED","business_verification_status":"verified","ownership_type":"SELF","is_enabled_for_insights":false,"is_shared_with_partners":false,"disable_marketing_messages_on_cloud_api":false,"template_auto_archival_enabled":false,"whatsapp_business_manager_messaging_limit":"TIER_2K","id":"220110330440550"}`,
		},
		{"owner", "admin", wabaA + "?fields=owner_business{name,verification_status},owner_business_info,on_behalf_of_business_info", `{"owner_business":{"name":"P 500600700800900","verification_status":"verified","id":"500600700800900"},"owner_business_info":{"name":"P 500600700800900","id":"500600700800900"},"on_behalf_of_business_info":{"name":"P 500600700800900","id":"500600700800900","status":"APPROVED","type":"SELF"},"id":"220110330440550"}`},
		{"owner, without the scope for portfolios", "M", wabaA + "?fields=owner_business{name,verification_status}", `{"owner_business":{"name":"P 500600700800900","id":"500600700800900"},"id":"220110330440550"}`},
		{"owner of a shared account", "partner", wabaShared + "?fields=owner_business{name,verification_status,whatsapp_business_manager_messaging_limit,owned_whatsapp_business_accounts},ownership_type", `{"owner_business":{"name":"P 500600700800901","owned_whatsapp_business_accounts":{"data":[]},"id":"500600700800901"},"ownership_type":"CLIENT_OWNED","id":"220110330440552"}`},
		{"health of an account", "admin", wabaA + "?fields=health_status{can_send_message}", `{"health_status":{"can_send_message":"AVAILABLE"},"id":"220110330440550"}`},
		{"numbers as a field", "admin", wabaA + "?fields=phone_numbers.limit(1){id}", `{"phone_numbers":{"data":[{"id":"330220110550442"}],"paging":{"cursors":{"before":"` + cursor(stampAt(7), stampAt(7), numUnnamed) + `","after":"` + cursor(stampAt(7), stampAt(7), numUnnamed) + `"},"next":"` + base + `/v23.0/220110330440550/phone_numbers?fields=id&limit=1&after=` + cursor(stampAt(7), stampAt(7), numUnnamed) + `"}},"id":"220110330440550"}`},

		// portfolios
		{"portfolio", "admin", aozora, `{"id":"500600700800900","name":"P 500600700800900"}`},
		{"states of a portfolio", "admin", aozora + "?fields=verification_status,timezone_id,vertical,two_factor_type,created_time,whatsapp_business_manager_messaging_limit,primary_page,link", `{"verification_status":"verified","timezone_id":24,"vertical":"RETAIL","two_factor_type":"none","created_time":"2026-11-22T12:00:00+0000","whatsapp_business_manager_messaging_limit":"TIER_2K","id":"500600700800900"}`},

		// templates
		{"template", "admin", tplOrder, `{"name":"order_ready","parameter_format":"POSITIONAL","components":[{"type":"BODY","text":"Hello {{1}}, order {{2}} is ready."},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Later"}]}],"language":"en_US","status":"APPROVED","category":"UTILITY","id":"770220330440111"}`},
		{"states of a template", "admin", tplPaused + "?fields=status,rejected_reason,quality_score,last_updated_time,sub_category,bid_spec", `{"status":"PAUSED","rejected_reason":"NONE","quality_score":{"score":"UNKNOWN"},"last_updated_time":"2026-11-22T12:00:13+0000","id":"770220330440113"}`},
		{"health of a template", "admin", tplPaused + "?fields=health_status", `{"health_status":{"can_send_message":"BLOCKED","entities":[{"entity_type":"MESSAGE_TEMPLATE","id":"770220330440113","can_send_message":"BLOCKED","errors":[{"error_code":141002,"error_description":"Message templates can only be sent out if they are approved.","possible_solution":"Edit or appeal the message template review decision."}]},` + strings.Join(behind, ",") + `]},"id":"770220330440113"}`},

		// apps and actors
		{"/app", "admin", "app", `{"link":"` + base + `/440330220110550","name":"A 440330220110550","id":"440330220110550"}`},
		{"/app of an app token", "app", "app", `{"link":"` + base + `/440330220110550","name":"A 440330220110550","id":"440330220110550"}`},
		{"app", "admin", appPartner + "?fields=name,namespace,category,company,app_domains", `{"name":"A 440330220110552","id":"440330220110552"}`},
		{"/me", "admin", "me", `{"id":"122330440550660","name":"S 122330440550660"}`},
		{"/me without scopes for portfolios", "M", "me?fields=name,role,created_time", `{"name":"S 122330440550660","role":"ADMIN","created_time":"2026-11-22T12:00:16+0000","id":"122330440550660"}`},
		{"/me of a person", "person", "me", `{"name":"H 122330440550680","id":"122330440550680"}`},
		{"system user", "B", clerkA, `{"id":"122330440550661","name":"S 122330440550661"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w.direct(c.token, "GET /v23.0/"+c.line, "").want(t, 200, c.want)
		})
	}
}

// stampAt is a moment of the world's set-up as a sort key.
func stampAt(second int) string {
	const digits = "0123456789abcdef"
	ms := uint64(start.Add(time.Duration(second) * time.Second).UnixMilli())
	var b [16]byte
	for i := range b {
		b[15-i] = digits[ms&15]
		ms >>= 4
	}
	return string(b[:])
}

func TestUnknownAndForbidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.token("M", appA, adminA, scopeM)
	w.token("S", appA, adminA, scopeS)
	for _, c := range []struct {
		token, line, body string
		status            int
		want              string
	}{
		{"admin", "GET /v23.0/" + numLive + "?fields=foo", "", 400, graphError("(#100) Tried accessing nonexisting field (foo) on node type (WhatsAppBusinessPhoneNumber)", `"code":100`)},
		{"admin", "GET /v23.0/" + numLive + "?fields=host_platform", "", 400, graphError("(#100) Tried accessing nonexisting field (host_platform) on node type (WhatsAppBusinessPhoneNumber)", `"code":100`)},
		{"admin", "GET /v23.0/" + wabaA + "?fields=call_insights", "", 400, graphError("(#100) Tried accessing nonexisting field (call_insights) on node type (WhatsAppBusinessAccount)", `"code":100`)},
		{"admin", "GET /v23.0/" + wabaA + "/nonsense_edge", "", 400, graphError("(#100) Tried accessing nonexisting field (nonsense_edge) on node type (WhatsAppBusinessAccount)", `"code":100`)},
		{"admin", "DELETE /v23.0/" + wabaA, "", 400, missing("delete", wabaA)},
		{"admin", "GET /v23.0/" + numLive + "/messages", "", 400, missing("get", numLive)},
		{"admin", "POST /v23.0/" + numLive + "/stickers", `{}`, 400, missing("post", numLive)},
		{"app", "GET /v23.0/me", "", 400, graphError("An active access token must be used to query information about the current user.", `"code":2500`)},
		{"", "GET /v23.0/me", "", 400, graphError("An active access token must be used to query information about the current user.", `"code":2500`)},
		{"S", "GET /v23.0/" + aozora, "", 403, graphError("(#200) Requires business_management permission to manage the object", `"code":200`)},
		{"S", "GET /v23.0/" + wabaA, "", 403, graphError("(#200) Requires whatsapp_business_management permission to manage the object", `"code":200`)},
		{"S", "GET /v23.0/" + clerkA, "", 403, graphError("(#200) Requires business_management permission to manage the object", `"code":200`)},
		{"admin", "GET /v23.0/" + personA, "", 400, missing("get", personA)},
		// The clerk may send, and nothing else.
		{"clerk", "GET /v23.0/" + wabaA, "", 403, graphError("Your app doesn't have permission to access this WhatsAppBusinessAccount", `"code":200,"error_subcode":1349174,"error_user_title":"Permission Denied","error_user_msg":"Your app doesn't have permission to access this resource"`)},
		{"clerk", "POST /v23.0/" + numLive + "/register", `{}`, 403, graphError("Your app doesn't have permission to modify this WhatsAppBusinessPhoneNumber", `"code":200,"error_subcode":1349174,"error_user_title":"Permission Denied","error_user_msg":"Your app doesn't have permission to modify this resource"`)},
		{
			"clerk", "GET /v23.0/" + aozora + "?fields=owned_whatsapp_business_accounts{id,phone_numbers,message_templates}", "", 200,
			`{"owned_whatsapp_business_accounts":{"data":[{"id":"220110330440550","phone_numbers":{"data":[]},"message_templates":{"data":[]}}],"paging":{"cursors":{"before":"` + cursor(stampAt(1), wabaA) + `","after":"` + cursor(stampAt(1), wabaA) + `"}}},"id":"500600700800900"}`,
		},
	} {
		t.Run(c.token+" "+c.line, func(t *testing.T) {
			t.Parallel()
			w.direct(c.token, c.line, c.body).want(t, c.status, c.want)
		})
	}
}

func TestSendNeedsTheTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := w.access.UpdateSystemUser(t.Context(), clerkA, func(u *access.SystemUser) error {
		u.Assigned = []access.Assignment{{WABA: wabaA, Tasks: []access.Task{access.Develop}}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.call("clerk", "POST /v23.0/"+numLive+"/messages", hello).want(t, 403,
		graphError("(#200) You do not have the necessary permissions required to send messages on behalf of this WhatsApp Business Account", `"code":200`))
	// A scope that was granted for another account does not reach this one.
	w.issue("granular", access.TokenSpec{Type: access.SystemUserToken, App: appPartner, Actor: adminA, Scopes: all, Granular: []access.Grant{
		{Scope: scopeS, Targets: []string{wabaShared}}, {Scope: scopeM, Targets: []string{wabaA}}, {Scope: scopeB, Targets: []string{aozora}},
	}})
	w.call("granular", "POST /v23.0/"+numLive+"/messages", hello).want(t, 403, graphError("(#200) Requires whatsapp_business_messaging permission to manage the object", `"code":200`))
	if r := w.call("granular", "POST /v23.0/"+numShared+"/messages", hello); r.status != 200 {
		t.Errorf("shared: %d %s", r.status, r.body)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := w.business.UpdateNumber(t.Context(), numTest, func(n *business.Number) error { n.LastOnboarded = start.Add(time.Hour); return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.business.UpdateNumber(t.Context(), numShared, func(n *business.Number) error { n.OnBizApp = true; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ token, line, want string }{
		{"admin", wabaA + "/phone_numbers", numTest + " " + numUnnamed + " " + numLive + " " + numPending},
		{"admin", wabaA + "/phone_numbers?sort=last_onboarded_time_ascending", numPending + " " + numLive + " " + numUnnamed + " " + numTest},
		{"admin", wabaA + "/phone_numbers?sort=creation_time_ascending", numLive + " " + numTest + " " + numPending + " " + numUnnamed},
		{"admin", wabaA + "/phone_numbers?sort='creation_time_descending'", numUnnamed + " " + numPending + " " + numTest + " " + numLive},
		{"admin", wabaA + `/phone_numbers?filtering={"field":"account_mode","operator":"EQUAL","value":"SANDBOX"}`, numTest},
		{"admin", wabaA + `/phone_numbers?filtering=[{"field":"account_mode","operator":"EQUAL","value":"LIVE"}]`, numUnnamed + " " + numLive + " " + numPending},
		{"admin", aozora + "/owned_whatsapp_business_accounts", wabaA},
		{"admin", aozora + "/client_whatsapp_business_accounts", ""},
		{"partner", aozora + "/client_whatsapp_business_accounts", wabaShared},
		{"partner", aozora + "/whatsapp_business_accounts", wabaShared + " " + wabaA},
		{"birch", birch + "/owned_whatsapp_business_accounts?sort=creation_time_ascending", wabaB + " " + wabaShared},
		{"birch", birch + "/owned_whatsapp_business_accounts?find=" + wabaB, wabaB},
		{"birch", birch + `/owned_whatsapp_business_accounts?filtering=[{"field":"creation_time","operator":"GREATER_THAN","value":"1795348802"}]`, wabaShared},
		{"birch", birch + `/owned_whatsapp_business_accounts?filtering=[{"field":"creation_time","operator":"LESS_THAN","value":"1795348803"}]`, wabaB},
		{"birch", birch + "/owned_whatsapp_business_accounts?first=1", wabaShared},
		{"birch", birch + "/owned_whatsapp_business_accounts?first=1&limit=2&after=" + cursor(stampAt(3), wabaShared), wabaB},
		{"birch", birch + "/owned_whatsapp_business_accounts?first=101", wabaShared + " " + wabaB},
		{"birch", birch + "/owned_whatsapp_business_accounts?last=1", wabaB},
		{"birch", birch + "/owned_whatsapp_business_accounts?last=1&before=" + cursor(stampAt(2), wabaB), wabaShared},
		{"birch", birch + "/owned_whatsapp_business_accounts?business_type=ENTERPRISE,SMB", wabaShared + " " + wabaB},
		{"birch", birch + `/owned_whatsapp_business_accounts?business_type=["enterprise"]`, wabaB},
		{"partner", aozora + "/client_whatsapp_business_accounts?business_type=SMB", wabaShared},
		{"partner", aozora + "/whatsapp_business_accounts?business_type=ENTERPRISE", wabaA},
		{"admin", aozora + "/owned_whatsapp_business_accounts?business_type=STANDARD,PREMIUM", ""},
		{"admin", wabaA + "/message_templates", tplHello + " " + tplPromo + " " + tplPaused + " " + tplImage + " " + tplOrder},
		{"admin", wabaA + "/message_templates?limit=2", tplHello + " " + tplPromo},
		{"admin", wabaA + "/message_templates?name=order_ready", tplOrder},
		{"admin", wabaA + "/message_templates?name=o", tplHello + " " + tplPromo + " " + tplPaused + " " + tplOrder},
		{"admin", wabaA + "/message_templates?name=slow", tplPaused},
		{"admin", wabaA + "/message_templates?status=paused", tplPaused},
		{"admin", wabaA + `/message_templates?status=["PAUSED","REJECTED"]`, tplPaused},
		{"admin", wabaA + "/message_templates?category=MARKETING", tplPromo + " " + tplImage},
		{"admin", wabaA + "/message_templates?language=ja,en", tplPaused},
		{"admin", wabaA + "/message_templates?content=ready", tplOrder},
		{"admin", wabaA + "/message_templates?name_or_content=Look", tplImage},
		{"admin", wabaA + "/message_templates?quality_score=GREEN", ""},
		{"admin", wabaA + "/message_templates?source=AUTO_GENERATED", ""},
		{"admin", wabaA + "/message_templates?since=1795348816", tplHello},
	} {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			sep := "?"
			if strings.Contains(c.line, "?") {
				sep = "&"
			}
			r := w.direct(c.token, "GET /v23.0/"+strings.NewReplacer(`"`, "%22", "{", "%7B", "}", "%7D", "[", "%5B", "]", "%5D").Replace(c.line)+sep+"fields=id", "")
			var ids []string
			for _, part := range strings.Split(r.body, `{"id":"`)[1:] {
				id, _, _ := strings.Cut(part, `"`)
				ids = append(ids, id)
			}
			if got := strings.Join(ids, " "); r.status != 200 || got != c.want {
				t.Errorf("%d %s\n%s\nwant %s", r.status, got, r.body, c.want)
			}
		})
	}
}

// Every order can be walked page by page, forwards and back, also by a cursor of an item that is gone.
func TestPagesOfNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, sort := range []string{"last_onboarded_time_ascending", "last_onboarded_time_descending", "creation_time_ascending", "creation_time_descending"} {
		var seen []string
		line := "GET /v23.0/" + wabaA + "/phone_numbers?fields=id&limit=1&sort=" + sort
		for range 10 {
			r := w.direct("admin", line, "")
			_, rest, ok := strings.Cut(r.body, `{"id":"`)
			if !ok {
				t.Fatalf("%s: %s", line, r.body)
			}
			id, _, _ := strings.Cut(rest, `"`)
			seen = append(seen, id)
			_, next, ok := strings.Cut(r.body, `"next":"`+base)
			if !ok {
				break
			}
			next, _, _ = strings.Cut(next, `"`)
			line = "GET " + next
		}
		if len(seen) != 4 {
			t.Errorf("%s: walked %v", sort, seen)
		}
	}
	for _, key := range []string{"x", strings.Repeat("f", 15), strings.Repeat("0", 32)} {
		if r := w.direct("admin", "GET /v23.0/"+wabaA+"/phone_numbers?after="+graph.Cursor(key), ""); r.status != 200 {
			t.Errorf("forged cursor %q: %d %s", key, r.status, r.body)
		}
	}
}

func TestTemplateSummary(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.direct("admin", "GET /v23.0/"+wabaA+"/message_templates?limit=0&name=promo&summary=true", "").want(t, 200,
		`{"data":[],"summary":{"total_count":1,"message_template_count":5,"message_template_limit":6000,"are_translations_complete":false}}`)
	w.direct("birch", "GET /v23.0/"+wabaB+"/message_templates?limit=0&summary=message_template_limit,are_translations_complete", "").want(t, 200,
		`{"data":[],"summary":{"message_template_limit":250,"are_translations_complete":true}}`)
	w.direct("admin", "GET /v23.0/"+wabaA+"/message_templates?status=NICE", "").want(t, 400, graphError(
		`(#100) Param status[0] must be one of {APPROVED, ARCHIVED, DELETED, DISABLED, IN_APPEAL, LIMIT_EXCEEDED, PAUSED, PENDING, PENDING_DELETION, REJECTED, FLAGGED, LOCKED} - got \"NICE\".`, `"code":100`))
}

// Source: spec/access.md section 6.
func TestDebugToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.issue("granular", access.TokenSpec{
		Type: access.SystemUserToken, App: appA, Actor: clerkA, Scopes: []access.Scope{scopeM, scopeS}, Life: time.Hour,
		Granular: []access.Grant{{Scope: scopeM, Targets: []string{wabaA}}},
	})
	ask := func(token, input string) reply {
		return w.call(token, "GET /v23.0/debug_token?input_token="+strings.ReplaceAll(w.tokens[input], "|", "%7C"), "")
	}
	ask("app", "granular").want(t, 200, `{"data":{"app_id":"440330220110550","type":"SYSTEM_USER","application":"A 440330220110550","data_access_expires_at":0,"expires_at":1795352416,"is_valid":true,"issued_at":1795348816,"scopes":["whatsapp_business_management","whatsapp_business_messaging","public_profile"],"granular_scopes":[{"scope":"whatsapp_business_management","target_ids":["220110330440550"]}],"user_id":"122330440550661"}}`)
	ask("app", "app").want(t, 200, `{"data":{"app_id":"440330220110550","type":"APP","application":"A 440330220110550","data_access_expires_at":0,"expires_at":0,"is_valid":true,"scopes":[]}}`)
	ask("granular", "garbage").want(t, 200, `{"data":{"error":{"code":190,"message":"Malformed access token not-a-token"},"is_valid":false,"scopes":[]}}`)
	refused := graphError("(#100) You must provide an app access token, or a user access token that is an owner or developer of the app", `"code":100`)
	ask("appB", "admin").want(t, 400, refused)
	ask("clerk", "admin").want(t, 400, refused)
	for _, self := range []string{"granular", "admin", "birch", "person"} {
		if r := ask(self, self); r.status != 200 || !strings.Contains(r.body, `"is_valid":true`) {
			t.Errorf("%s about itself: %d %s", self, r.status, r.body)
		}
	}
	w.call("app", "GET /debug_token", "").want(t, 400, graphError("(#100) The parameter input_token is required.", `"code":100`))
	// Its published form has the caller's token in the query.
	if r := w.call("", "GET /debug_token?input_token="+w.tokens["admin"]+"&access_token="+appA+"%7C"+secret, ""); r.status != 200 {
		t.Errorf("token in the query: %d %s", r.status, r.body)
	}
	w.clock.Advance(2 * time.Hour)
	if r := ask("app", "granular"); r.status != 200 || !strings.Contains(r.body, `"error":{"code":190,"message":"Error validating access token: Session has expired on `) ||
		!strings.Contains(r.body, `"subcode":463},"is_valid":false`) || !strings.Contains(r.body, `"scopes":[]`) {
		t.Errorf("expired: %d %s", r.status, r.body)
	}
}
