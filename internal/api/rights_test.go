package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Every endpoint against every set of scopes. The table is spec/access.md section 9.2, written down a second time; a call
// that is served and not in it fails the test.
func TestScopeMatrix(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *api.Options) {
		var err error
		if o.Groups, err = template.NewGroups(t.Context(), groups{}, o.Template); err != nil {
			t.Fatal(err)
		}
	})
	group, pre := w.group(), w.preverified()
	credit, allocation := w.credit()
	solution, intent := w.solution()
	letters := map[rune]access.Scope{'M': scopeM, 'S': scopeS, 'B': scopeB}
	sets := []string{"M", "S", "B", "MS", "MB", "SB", "MSB"}
	for _, set := range sets {
		var scopes []access.Scope
		for _, l := range set {
			scopes = append(scopes, letters[l])
		}
		w.token("scopes "+set, appA, adminA, scopes...)
	}
	w.token("scopes none", appA, adminA)
	covered := map[string]bool{}
	for _, e := range []struct{ line, any string }{ // any one of the letters is enough; "" asks for none
		{"GET " + aozora, "B"},
		{"GET " + aozora + "/owned_whatsapp_business_accounts", "MB"},
		{"GET " + aozora + "/client_whatsapp_business_accounts", "MB"},
		{"GET " + aozora + "/whatsapp_business_accounts", "MB"},
		{"GET " + wabaA, "M"},
		{"GET " + wabaA + "/phone_numbers", "M"},
		{"GET " + wabaA + "/message_templates", "M"},
		{"POST " + wabaA + "/message_templates", "M"},
		{"DELETE " + wabaA + "/message_templates", "M"},
		{"POST " + wabaA + "/message_templates/archive", "M"},
		{"POST " + wabaA + "/upsert_message_templates", "M"},
		{"GET " + wabaA + "/message_template_previews", "M"},
		{"GET " + wabaA + "/message_template_library", "M"},
		{"POST " + wabaA + "/migrate_message_templates", "M"},
		{"GET " + wabaA + "/template_performance_metrics", "M"},
		{"GET " + wabaA + "/subscribed_apps", "M"},
		{"POST " + wabaA + "/subscribed_apps", "M"},
		{"DELETE " + wabaA + "/subscribed_apps", "M"},
		{"GET " + numLive, "MS"},
		{"POST " + numLive, "MS"},
		{"POST " + numLive + "/register", "S"},
		{"POST " + numLive + "/deregister", "S"},
		{"POST " + numLive + "/messages", "S"},
		{"POST " + wabaA + "/phone_numbers", "M"},
		{"POST " + numLive + "/request_code", "MS"},
		{"POST " + numLive + "/verify_code", "MS"},
		{"GET " + numLive + "/settings", "MS"},
		{"POST " + numLive + "/settings", "MS"},
		{"GET " + numLive + "/whatsapp_business_profile", "MS"},
		{"POST " + numLive + "/whatsapp_business_profile", "MS"},
		{"GET " + numLive + "/conversational_automation", "MS"},
		{"POST " + numLive + "/conversational_automation", "M"},
		{"GET " + numLive + "/message_qrdls", "M"},
		{"POST " + numLive + "/message_qrdls", "M"},
		{"DELETE " + numLive + "/message_qrdls/x", "M"},
		{"GET " + numLive + "/whatsapp_business_encryption", "MS"},
		{"POST " + numLive + "/whatsapp_business_encryption", "MS"},
		{"GET " + numLive + "/whatsapp_commerce_settings", "MS"},
		{"POST " + numLive + "/whatsapp_commerce_settings", "MS"},
		{"GET " + numLive + "/business_compliance_info", "MS"},
		{"POST " + numLive + "/business_compliance_info", "MS"},
		{"POST " + numLive + "/official_business_account", "MS"},
		{"GET " + numLive + "/username", "MS"},
		{"POST " + numLive + "/username", "MS"},
		{"GET " + numLive + "/username_suggestions", "MS"},
		{"GET " + tplOrder, "M"},
		{"POST " + tplOrder + "?message_send_ttl_seconds=1", "M"},
		{"POST " + tplOrder + "/unpause", "M"},
		{"GET " + tplOrder + "/compare", "M"},
		{"POST " + aozora, "B"},
		{"POST " + aozora + "/owned_whatsapp_business_accounts", "MB"},
		{"GET " + aozora + "/system_users", "B"},
		{"POST " + aozora + "/system_users", "B"},
		{"POST " + aozora + "/access_token", "B"},
		{"POST " + aozora + "/system_user_access_tokens", "B"},
		{"GET " + aozora + "/business_users", "B"},
		{"GET " + aozora + "/owned_apps", "B"},
		{"GET " + aozora + "/agencies", "B"},
		{"GET " + aozora + "/clients", "B"},
		{"POST " + wabaA, "M"},
		{"GET " + wabaA + "/assigned_users", "M"},
		{"POST " + wabaA + "/assigned_users", "M"},
		{"DELETE " + wabaA + "/assigned_users", "M"},
		{"GET " + wabaA + "/activities", "M"},
		{"GET " + wabaA + "/schedules", "M"},
		{"GET " + wabaA + "/audiences", "M"},
		{"GET " + wabaA + "/message_campaigns", "M"},
		{"GET " + wabaA + "/welcome_message_sequences", "M"},
		{"GET " + wabaA + "/dataset", "M"},
		{"GET " + wabaA + "/product_catalogs", "M"},
		{"GET " + wabaA + "/solutions", "M"},
		{"GET " + wabaA + "/payment_configurations", "M"},
		{"GET " + wabaA + "/obo_mobility_intent", "M"},
		{"GET " + wabaA + "/in_progress_onbehalf_request", "M"},
		{"POST " + wabaA + "/set_obo_mobility_intent", "M"},
		{"POST " + wabaA + "/set_solution_migration_intent", "M"},
		{"GET " + intent, "M"},
		{"GET " + solution, "M"},
		{"GET " + solution + "/access_token", "M"},
		{"POST " + solution + "/accept", "M"},
		{"POST " + solution + "/reject", "M"},
		{"POST " + solution + "/send_deactivation_request", "M"},
		{"POST " + solution + "/accept_deactivation_request", "M"},
		{"POST " + solution + "/reject_deactivation_request", "M"},
		{"POST " + aozora + "/business_users", "B"},
		{"POST " + aozora + "/self_certify_whatsapp_business", "B"},
		{"GET " + aozora + "/self_certified_whatsapp_business_submissions", "B"},
		{"POST " + aozora + "/onboard_partners_to_mm_lite", "MB"},
		{"GET " + numLive + "/official_business_account", "MS"},
		{"GET " + aozora + "/extendedcredits", "B"},
		{"GET " + credit, "B"},
		{"GET " + credit + "/owning_credit_allocation_configs", "B"},
		{"POST " + credit + "/whatsapp_credit_sharing", "B"},
		{"POST " + credit + "/whatsapp_credit_attach", "B"},
		{"POST " + credit + "/whatsapp_credit_sharing_and_attach", "B"},
		{"GET " + allocation, "B"},
		{"DELETE " + allocation, "B"},
		{"GET " + aozora + "/owned_product_catalogs", "B"},
		{"GET " + aozora + "/client_product_catalogs", "B"},
		{"GET " + aozora + "/client_apps", "B"},
		{"GET " + aozora + "/pending_users", "B"},
		{"POST " + numLive + "/calls", "S"},
		{"GET " + numLive + "/call_permissions", "S"},
		{"GET " + numLive + "/groups", "S"},
		{"POST " + numLive + "/groups", "S"},
		{"GET " + wabaA + "/agencies", "M"},
		{"POST " + wabaA + "/agencies", "M"},
		{"GET " + numTest + "/allowed_recipients", "M"},
		{"POST " + numTest + "/allowed_recipients", "M"},
		{"POST " + clerkA + "/applications", "B"},
		{"POST " + clerkA + "/access_tokens", "B"},
		{"GET " + clerkA, "B"},
		{"GET " + wabaA + "/flows", "M"},
		{"POST " + wabaA + "/flows", "M"},
		{"POST " + wabaA + "/migrate_flows", "M"},
		{"GET " + w.flow(wabaA, "form"), "M"},
		{"POST " + w.flow(wabaA, "form"), "M"},
		{"DELETE " + w.flow(wabaA, "form"), "M"},
		{"GET " + w.flow(wabaA, "form") + "/assets", "M"},
		{"POST " + w.flow(wabaA, "form") + "/assets", "M"},
		{"POST " + w.flow(wabaA, "form") + "/publish", "M"},
		{"POST " + w.flow(wabaA, "form") + "/deprecate", "M"},
		{"DELETE " + aozora, "B"},
		{"DELETE " + aozora + "/agencies", "B"},
		{"DELETE " + aozora + "/clients", "B"},
		{"GET " + aozora + "/preverified_numbers", "M+B"},
		{"POST " + aozora + "/add_phone_numbers", "M+B"},
		{"POST " + aozora + "/share_preverified_numbers", "M+B"},
		{"DELETE " + aozora + "/share_preverified_numbers", "M+B"},
		{"GET " + pre, "M+B"},
		{"GET " + pre + "/partners", "M+B"},
		{"POST " + pre + "/request_code", "M+B"},
		{"POST " + pre + "/verify_code", "M+B"},
		{"DELETE " + pre, "M+B"},
		{"DELETE " + wabaA + "/agencies", "M"},
		{"GET " + wabaA + "/conversation_analytics", "M"},
		{"GET " + wabaA + "/pricing_analytics", "M"},
		{"GET " + wabaA + "/template_analytics", "M"},
		{"GET " + wabaA + "/template_group_analytics", "M"},
		{"GET " + wabaA + "/call_analytics", "M"},
		{"GET " + wabaA + "/group_analytics", "M"},
		{"GET " + wabaA + "/template_groups", "M"},
		{"POST " + wabaA + "/template_groups", "M"},
		{"GET " + group, "M"},
		{"POST " + group, "M"},
		{"DELETE " + group + "?x=1", "M"},
		{"GET " + numLive + "/block_users", "S"},
		{"POST " + numLive + "/block_users", "S"},
		{"DELETE " + numLive + "/block_users", "S"},
		{"POST " + numLive + "/marketing_messages", "S"},
		{"POST " + numLive + "/messages_encrypted", "S"},
		{"GET " + numLive + "/message_history", "S"},
		{"POST " + numLive + "/media", "S"},
		{"DELETE " + numLive + "/username", "MS"},
		{"DELETE " + clerkA + "/access_tokens", "B"},
		{"GET " + clerkA + "/assigned_whatsapp_business_accounts", "B"},
		{"GET " + clerkA + "/businesses", "B"},
		{"POST app/whatsapp_business_solution", "M"},
		{"GET app/whatsapp_business_solutions", "M"},
		{"GET app/connected_client_businesses", "MB"},
		{"GET me", ""},
		{"GET app", ""},
	} {
		method, path, _ := strings.Cut(e.line, " ")
		covered[callOf(method, path, map[string]string{
			aozora: "business", wabaA: "waba", numLive: "phone_number", numTest: "phone_number", tplOrder: "template", clerkA: "system_user",
			credit: "credit_line", allocation: "credit_allocation", solution: "solution", intent: "migration_intent", group: "template_group", pre: "preverified_number", "me": "system_user", "app": "app",
		})] = true
		order := slices.Clone(sets) // those that are refused first: what is deleted is gone
		slices.SortStableFunc(order, func(a, b string) int {
			return strings.Compare(fmt.Sprint(mayWith(a, e.any)), fmt.Sprint(mayWith(b, e.any)))
		})
		for _, set := range order {
			// An empty body: whoever may call gets as far as the parameters, which are missing.
			r := w.direct("scopes "+set, method+" /v23.0/"+withQuery(path), "")
			refused := r.status == 403 && strings.Contains(r.body, `"code":200`)
			if allowed := mayWith(set, e.any); allowed == refused || (!refused && r.status >= 401) {
				t.Errorf("%s with %s: %d %s", e.line, set, r.status, r.body)
			}
		}
		r := w.direct("scopes none", method+" /v23.0/"+path, "")
		if strings.HasPrefix(path, "app/") { // every token sees its app
			if r.status != 403 || !strings.Contains(r.body, `"code":200`) {
				t.Errorf("%s without scopes: %d %s", e.line, r.status, r.body)
			}
			continue
		}
		if e.any == "" && r.status != 200 || e.any != "" && (r.status != 400 || !strings.Contains(r.body, `"error_subcode":33`)) {
			t.Errorf("%s without scopes: %d %s", e.line, r.status, r.body)
		}
	}
	c, err := api.Describe()
	if err != nil {
		t.Fatal(err)
	}
	// These have tests of their own: what the app's or a person's token may, and what exists only for a file or a message.
	apart := []string{"", "user", "media", "upload", "message_history"}
	ofTheApp := []string{"GET app subscriptions", "POST app subscriptions", "DELETE app subscriptions", "POST app uploads"}
	for _, call := range c.Calls {
		line := strings.TrimSpace(call.Method + " " + call.Kind + " " + call.Path)
		if !slices.Contains(apart, call.Kind) && !slices.Contains(ofTheApp, line) && !covered[line] {
			t.Errorf("%s is not in the matrix", line)
		}
	}
}

// The employee's tasks against every endpoint on an account: spec/access.md sections 8.2 and 9.2.
func TestTaskMatrix(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, e := range []struct {
		line string
		task access.Task
	}{
		{"GET " + wabaA, access.Develop},
		{"GET " + wabaA + "/phone_numbers", access.ViewPhoneAssets},
		{"GET " + wabaA + "/message_templates", access.ViewTemplates},
		{"POST " + wabaA + "/message_templates", access.ManageTemplates},
		{"DELETE " + wabaA + "/message_templates", access.ManageTemplates},
		{"POST " + wabaA + "/upsert_message_templates", access.ManageTemplates},
		{"GET " + wabaA + "/message_template_previews", access.ViewTemplates},
		{"GET " + wabaA + "/message_template_library", access.ViewTemplates},
		{"POST " + wabaA + "/migrate_message_templates", access.ManageTemplates},
		{"GET " + wabaA + "/subscribed_apps", access.Develop},
		{"GET " + numLive, access.Develop},
		{"POST " + numLive, access.Develop},
		{"POST " + numLive + "/register", access.ManagePhone},
		{"POST " + numLive + "/deregister", access.ManagePhone},
		{"POST " + numLive + "/messages", access.MessagingTask},
		{"POST " + wabaA + "/phone_numbers", access.ManagePhone},
		{"POST " + numLive + "/request_code", access.ManagePhone},
		{"POST " + numLive + "/verify_code", access.ManagePhone},
		{"GET " + numLive + "/settings", access.ManagePhone},
		{"POST " + numLive + "/settings", access.ManagePhone},
		{"GET " + numLive + "/whatsapp_business_profile", access.ManagePhone},
		{"POST " + numLive + "/whatsapp_business_profile", access.ManagePhone},
		{"GET " + numLive + "/conversational_automation", access.ManagePhoneAssets},
		{"POST " + numLive + "/conversational_automation", access.ManagePhoneAssets},
		{"GET " + numLive + "/message_qrdls", access.ManagePhoneAssets},
		{"POST " + numLive + "/message_qrdls", access.ManagePhoneAssets},
		{"DELETE " + numLive + "/message_qrdls/x", access.ManagePhoneAssets},
		{"GET " + numLive + "/whatsapp_business_encryption", access.Develop},
		{"POST " + numLive + "/whatsapp_business_encryption", access.Develop},
		{"GET " + numLive + "/whatsapp_commerce_settings", access.ManagePhone},
		{"POST " + numLive + "/whatsapp_commerce_settings", access.ManagePhone},
		{"GET " + numLive + "/business_compliance_info", access.ManagePhone},
		{"POST " + numLive + "/business_compliance_info", access.ManagePhone},
		{"POST " + numLive + "/official_business_account", access.ManagePhone},
		{"GET " + numLive + "/username", access.ManagePhone},
		{"POST " + numLive + "/username", access.ManagePhone},
		{"GET " + numLive + "/username_suggestions", access.ManagePhone},
		{"POST " + wabaA, access.Develop},
		{"GET " + wabaA + "/assigned_users", access.ManageUsers},
		{"POST " + wabaA + "/assigned_users", access.ManageUsers},
		{"GET " + wabaA + "/activities", access.Develop},
		{"GET " + numTest + "/allowed_recipients", access.ManagePhone},
		{"GET " + tplOrder, access.ViewTemplates},
		{"POST " + tplOrder, access.ManageTemplates},
		{"POST " + tplOrder + "/unpause", access.ManageTemplates},
		{"GET " + wabaA + "/flows", access.ManageExtensions},
		{"POST " + wabaA + "/flows", access.ManageExtensions},
		{"POST " + wabaA + "/migrate_flows", access.ManageExtensions},
		{"GET " + w.flow(wabaA, "form"), access.ManageExtensions},
		{"POST " + w.flow(wabaA, "form"), access.ManageExtensions},
		{"DELETE " + w.flow(wabaA, "form"), access.ManageExtensions},
		{"GET " + w.flow(wabaA, "form") + "/assets", access.ManageExtensions},
		{"POST " + w.flow(wabaA, "form") + "/assets", access.ManageExtensions},
		{"POST " + w.flow(wabaA, "form") + "/publish", access.ManageExtensions},
		{"POST " + w.flow(wabaA, "form") + "/deprecate", access.ManageExtensions},
	} {
		method, path, _ := strings.Cut(e.line, " ")
		for _, has := range []access.Task{e.task, access.Manage, access.ViewCost} {
			if _, err := w.access.UpdateSystemUser(t.Context(), clerkA, func(u *access.SystemUser) error {
				u.Assigned = []access.Assignment{{WABA: wabaA, Tasks: []access.Task{has}}}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			r := w.direct("clerk", method+" /v23.0/"+path+"?pin=x", "")
			if refused := r.status == 403; refused != (has == access.ViewCost) {
				t.Errorf("%s with %s: %d %s", e.line, has, r.status, r.body)
			}
		}
	}
}

// Whatever is asked with whatever token, an answer names nothing that its caller may not see, and nothing is sent from or
// changed on what is foreign.
func TestTenantsAreIsolated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.token("M", appA, adminA, scopeM)
	w.token("S", appA, adminA, scopeS)
	w.token("B", appB, adminB, scopeB)
	for _, token := range []string{"admin", "partner"} {
		w.direct(token, "POST /v23.0/"+wabaA+"/subscribed_apps", "")
	}
	w.direct("birch", "POST /v23.0/"+wabaB+"/subscribed_apps", "")

	ofA := []string{aozora, appA, appPartner, wabaA, numLive, numTest, numPending, numUnnamed, numGone, tplHello, tplOrder, tplImage, tplPaused, tplPromo, adminA, clerkA, personA}
	ofB := []string{birch, appB, wabaB, wabaShared, numB, numShared, tplB, adminB}
	ofA = append(ofA, w.flow(wabaA, "form"), w.flow(wabaA, "draft"))
	ofB = append(ofB, w.flow(wabaB, "form"))
	universe := append(slices.Clone(ofA), ofB...)
	sees := map[string][]string{
		"": {}, "garbage": {}, "app": {appA}, "appB": {appB},
		"admin": ofA, "M": ofA, "S": ofA, "clerk": ofA, "person": ofA,
		// The share shows the account, its numbers and its owner's name.
		"partner": append(slices.Clone(ofA), wabaShared, numShared, birch),
		"birch":   ofB, "B": ofB,
	}
	ids := append(slices.Clone(universe), "me", "app", "999999999999999")
	edges := []string{
		"", "/owned_whatsapp_business_accounts", "/client_whatsapp_business_accounts", "/whatsapp_business_accounts", "/phone_numbers",
		"/message_templates", "/flows", "/assets", "/subscribed_apps", "/subscriptions", "/messages", "/register", "/deregister", "/media", "/system_users",
	}
	plain := []string{ // with fields of their own
		"/settings", "/whatsapp_business_profile", "/message_qrdls", "/username", "/conversational_automation",
		"/assigned_users", "/activities", "/agencies", "/clients", "/business_users", "/owned_apps", "/preverified_numbers",
		"/businesses", "/assigned_whatsapp_business_accounts", "/permissions",
	}
	fields := []string{
		"", "?fields=id,name", "?fields=health_status", "?fields=flows{whatsapp_business_account,application,preview},application,preview", "?fields=owner_business,owner_business_info,phone_numbers,message_templates,subscribed_apps",
		"?fields=owned_whatsapp_business_accounts{id,name,phone_numbers,owner_business{id,name,client_whatsapp_business_accounts}},whatsapp_business_accounts",
		"?fields=client_whatsapp_business_accounts{owner_business{whatsapp_business_accounts{id,message_templates,subscribed_apps}}}",
		"?fields=created_by,name,role", "?fields=phone_numbers{id,webhook_configuration,health_status},owner_business{owned_whatsapp_business_accounts{phone_numbers{id}}}",
		"?find=" + wabaB,
	}
	tokens := make([]string, 0, len(sees))
	for token := range sees {
		tokens = append(tokens, token)
	}
	slices.Sort(tokens)
	check := func(t interface{ Fatalf(string, ...any) }, token, line string, asked []string, r reply) {
		seen := r.body
		if r.status != 200 { // errors repeat what was asked for
			for _, id := range asked {
				seen = strings.ReplaceAll(seen, id, "")
			}
		}
		for _, foreign := range universe {
			// Who shares an account, and with whom, the two of them know.
			partner := (foreign == aozora || foreign == birch) && (strings.Contains(line, "/agencies") || strings.Contains(line, "/clients")) && token != ""
			if strings.Contains(seen, foreign) && !slices.Contains(sees[token], foreign) && !partner {
				t.Fatalf("%s, %s: answer names %s\n%s", token, line, foreign, r.body)
			}
		}
		if r.status >= 500 {
			t.Fatalf("%s, %s: %d %s", token, line, r.status, r.body)
		}
	}
	for _, token := range tokens { // every read there is
		for _, id := range ids {
			for _, edge := range edges {
				queries := fields
				if edge != "" && edge != "/phone_numbers" && !strings.HasSuffix(edge, "whatsapp_business_accounts") {
					queries = fields[:2] // what nests is asked where it nests
				}
				for _, query := range queries {
					line := "GET /v23.0/" + id + edge + query
					check(t, token, line, []string{id}, w.direct(token, line, ""))
				}
			}
		}
	}
	for _, token := range tokens {
		for _, id := range ids {
			for _, edge := range plain {
				line := "GET /v23.0/" + id + edge + "?business=" + birch
				check(t, token, line, []string{id, birch}, w.direct(token, line, ""))
			}
		}
	}
	edges = append(edges, plain...)
	bodies := []string{"", hello, `{"messaging_product":"whatsapp","pin":"x"}`, `{"search_visibility":"VISIBLE"}`}
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.SampledFrom(tokens).Draw(t, "token")
		method := rapid.SampledFrom([]string{"GET", "POST", "DELETE"}).Draw(t, "method")
		id := rapid.SampledFrom(ids).Draw(t, "id")
		edge := rapid.SampledFrom(edges).Draw(t, "edge")
		query := rapid.SampledFrom(fields).Draw(t, "fields")
		asked := []string{id}
		line := method + " /v23.0/" + id + edge + query
		if method == "GET" { // single reads have been seen
			second := rapid.SampledFrom(ids).Draw(t, "second")
			asked = append(asked, second)
			line = "GET /v23.0" + edge + "?ids=" + id + "," + second + strings.Replace(query, "?", "&", 1)
		}
		if method == "DELETE" && edge == "/subscribed_apps" || edge == "/deregister" {
			return // they would empty the world
		}
		w.lane.accepted = nil
		r := w.direct(token, line, rapid.SampledFrom(bodies).Draw(t, "body"))
		check(t, token, line, asked, r)
		if m := w.lane.last(); m.Number != "" && !slices.Contains(sees[token], string(m.Number)) {
			t.Fatalf("%s sent from %s", token, m.Number)
		}
		if r.status == 200 && method != "GET" && id != "app" && !slices.Contains(sees[token], id) { // /app is the token's own
			t.Fatalf("%s, %s: %s", token, line, r.body)
		}
	})
	for _, waba := range []string{wabaB, wabaShared} {
		for _, l := range w.webhooks.Links(wa.WABAID(waba)) {
			if l.App != appB && (waba != wabaShared || l.App != appPartner) {
				t.Errorf("app %s is subscribed to %s", l.App, waba)
			}
		}
	}
}
