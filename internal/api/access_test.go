package api_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The three ways of oauth/access_token, with their refusals. Source: spec/access.md section 5.1.
func TestOAuthAccessToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ask := func(q string) reply { return w.direct("", "GET /oauth/access_token?"+q, "") }
	cred := "client_id=" + appA + "&client_secret=" + secret
	for q, want := range map[string]string{
		"":                            `"message":"Missing client_id parameter.","type":"OAuthException","code":101`,
		"client_id=1&client_secret=x": `"message":"Error validating application. Cannot get application info due to a system error.","type":"OAuthException","code":101`,
		"client_id=" + appA:           `"message":"Error validating client secret.","type":"OAuthException","code":1`,
		cred:                          `The parameter code is required.`,
		cred + "&code=x":              `"message":"Invalid verification code format.","type":"OAuthException","code":100`,
		cred + "&grant_type=password": `must be one of`,
		cred + "&grant_type=fb_exchange_token&fb_exchange_token=x": `"code":190`,
	} {
		if r := ask(q); r.status < 400 || r.status > 401 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s", q, r.status, r.body)
		}
	}
	ask(cred+"&grant_type=client_credentials").want(t, 200, `{"access_token":"`+appA+`|`+secret+`","token_type":"bearer"}`)

	code := func(spec access.CodeSpec) string {
		t.Helper()
		spec.Token.App, spec.Token.Actor, spec.Token.Type, spec.Token.Scopes = appA, personA, access.UserToken, all
		c, err := w.access.IssueCode(spec)
		if err != nil {
			t.Fatal(err)
		}
		return c.Reveal()
	}
	c := code(access.CodeSpec{Redirect: "https://a.example/cb", Life: time.Minute, Token: access.TokenSpec{Life: access.ShortLife}})
	back := "&redirect_uri=" + url.QueryEscape("https://a.example/cb")
	refused := func(q, subcode string) {
		t.Helper()
		if r := ask(q); r.status != 400 || !strings.Contains(r.body, `"error_subcode":`+subcode) {
			t.Errorf("%s: %d %s", q, r.status, r.body)
		}
	}
	refused(cred+"&code="+c, "36008")
	if r := ask("client_id=" + appB + "&client_secret=" + secret + "&code=" + c + back); !strings.Contains(r.body, "Invalid verification code format") {
		t.Errorf("another app's code: %s", r.body)
	}
	r := w.direct("", "POST /v23.0/oauth/access_token", `{"client_id":"`+appA+`","client_secret":"`+secret+`","code":"`+c+`","redirect_uri":"https://a.example/cb"}`)
	m := regexp.MustCompile(`^\{"access_token":"(EAA\w+)","token_type":"bearer","expires_in":7200\}$`).FindStringSubmatch(r.body)
	if m == nil {
		t.Fatalf("%d %s", r.status, r.body)
	}
	refused(cred+"&code="+c+back, "36009")
	late := code(access.CodeSpec{Life: access.SignupCode})
	w.clock.Advance(30 * time.Second)
	refused(cred+"&code="+late, "36007")

	w.tokens["fresh"] = m[1]
	w.direct("fresh", "GET /me", "").want(t, 200, `{"name":"H `+personA+`","id":"`+personA+`"}`)
	r = ask(cred + "&grant_type=fb_exchange_token&fb_exchange_token=" + m[1])
	if r.status != 200 || !strings.HasSuffix(r.body, `"token_type":"bearer","expires_in":5184000}`) {
		t.Errorf("long-lived: %d %s", r.status, r.body)
	}
	if r := ask(cred + "&grant_type=fb_exchange_token&fb_exchange_token=" + w.tokens["admin"]); r.status != 400 {
		t.Errorf("system user token without the parameter: %d %s", r.status, r.body)
	}
	if r := ask(cred + "&grant_type=fb_exchange_token&set_token_expires_in_60_days=true&fb_exchange_token=" + w.tokens["admin"]); r.status != 200 {
		t.Errorf("system user token: %d %s", r.status, r.body)
	}
	if r := ask(cred + "&grant_type=fb_exchange_token&fb_exchange_token=" + w.tokens["birch"]); r.status != 400 || !strings.Contains(r.body, "does not belong") {
		t.Errorf("another app's token: %d %s", r.status, r.body)
	}
}

// Source: spec/access.md section 5.2.
func TestRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	q := "GET /oauth/revoke?client_id=" + appA + "&client_secret=" + secret + "&revoke_token="
	for _, foreign := range []string{w.tokens["birch"], "EAAunknown"} {
		if r := w.direct("admin", q+foreign, ""); r.status != 400 || !strings.Contains(r.body, "must be a token of application") {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	w.direct("admin", q+w.tokens["clerk"], "").want(t, 200, done)
	if r := w.direct("clerk", "GET /me", ""); r.status != 401 || !strings.Contains(r.body, `"error_subcode":467`) {
		t.Errorf("afterwards: %d %s", r.status, r.body)
	}
}

// From an empty system user to a message, by the API alone. Source: spec/access.md section 7.
func TestSystemUserFromNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id := func(r reply) string {
		t.Helper()
		var v struct{ ID string }
		if err := json.Unmarshal([]byte(r.body), &v); err != nil || r.status != 200 || v.ID == "" {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return v.ID
	}
	u := id(w.direct("admin", "POST /v23.0/"+aozora+"/system_users", `{"name":"shop-backend","role":"employee"}`))
	if r := w.direct("admin", "POST /v23.0/"+aozora+"/system_users", `{"name":"second","role":"ADMIN"}`); r.status != 400 || !strings.Contains(r.body, "role ADMIN") {
		t.Errorf("second admin: %d %s", r.status, r.body)
	}
	if r := w.direct("clerk", "POST /v23.0/"+aozora+"/system_users", `{"name":"x"}`); r.status != 403 {
		t.Errorf("by an employee: %d %s", r.status, r.body)
	}
	list := w.direct("admin", "GET /v23.0/"+aozora+"/system_users?limit=50", "")
	if !strings.Contains(list.body, `{"id":"`+u+`","name":"shop-backend","role":"EMPLOYEE"}`) || strings.Contains(list.body, adminB) {
		t.Errorf("list: %s", list.body)
	}
	tokens := "POST /v23.0/" + u + "/access_tokens"
	body := `{"business_app":"` + appA + `","scope":"whatsapp_business_management,whatsapp_business_messaging","appsecret_proof":"` + proof(w.tokens["admin"]) + `"}`
	if r := w.direct("admin", tokens, body); r.status != 400 || !strings.Contains(r.body, "installed") {
		t.Errorf("before installation: %d %s", r.status, r.body)
	}
	if r := w.direct("admin", "POST /v23.0/"+u+"/applications", `{"business_app":"`+appB+`"}`); r.status != 400 {
		t.Errorf("foreign app: %d %s", r.status, r.body)
	}
	w.direct("admin", "POST /v23.0/"+u+"/applications", `{"business_app":"`+appA+`"}`).want(t, 200, done)
	if r := w.direct("admin", tokens, strings.Replace(body, `"appsecret_proof"`, `"other"`, 1)); r.status != 400 || !strings.Contains(r.body, "appsecret_proof") {
		t.Errorf("without proof: %d %s", r.status, r.body)
	}
	if r := w.direct("admin", tokens, strings.Replace(body, "whatsapp_business_messaging", "fly", 1)); r.status != 400 || !strings.Contains(r.body, "Invalid Scopes: fly") {
		t.Errorf("unknown scope: %d %s", r.status, r.body)
	}
	r := w.direct("admin", tokens, body)
	var made struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(r.body), &made); err != nil || r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w.tokens["new"] = made.Token
	w.direct("new", "GET /v23.0/"+wabaA, "").want(t, 400, missing("get", wabaA))
	assigned := "/v23.0/" + wabaA + "/assigned_users"
	w.direct("admin", "POST "+assigned+"?user="+u+"&tasks=[MESSAGING,DEVELOP]", "").want(t, 200, done)
	if r := w.direct("admin", "POST "+assigned+"?user="+adminB+"&tasks=MANAGE", ""); r.status != 400 || !strings.Contains(r.body, "must be the id of a user of the business") {
		t.Errorf("somebody of another business: %d %s", r.status, r.body)
	}
	if r := w.direct("new", "POST /v23.0/"+numLive+"/messages", hello); r.status != 200 {
		t.Errorf("send: %d %s", r.status, r.body)
	}
	if r := w.direct("admin", "GET "+assigned+"?business="+aozora+"&fields=id,name,user_type,tasks&summary=total_count", ""); !strings.Contains(r.body, `{"id":"`+u+`","name":"shop-backend","user_type":"SYSTEM_USER","tasks":["MESSAGING","DEVELOP"]}`) || !strings.Contains(r.body, `"summary":{"total_count":4}`) {
		t.Errorf("assigned: %s", r.body)
	}
	if r := w.direct("new", "GET /v23.0/me/assigned_whatsapp_business_accounts?fields=id", ""); r.status != 200 || !strings.Contains(r.body, wabaA) {
		t.Errorf("its accounts: %d %s", r.status, r.body)
	}
	w.direct("admin", "DELETE "+assigned+"?user="+u, "").want(t, 200, done)
	w.direct("new", "GET /v23.0/"+wabaA, "").want(t, 400, missing("get", wabaA))
	w.direct("admin", "DELETE /v23.0/"+u+"/access_tokens", "").want(t, 200, done)
	if r := w.direct("new", "GET /me", ""); r.status != 401 {
		t.Errorf("after delete-all: %d %s", r.status, r.body)
	}
	r = w.direct("admin", "POST /v23.0/"+aozora+"/access_token", `{"app_id":"`+appA+`","scope":["whatsapp_business_messaging"],"system_user_name":"bot","set_token_expires_in_60_days":true}`)
	if err := json.Unmarshal([]byte(r.body), &made); err != nil || r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w.tokens["bot"] = made.Token
	if r := w.direct("app", "GET /debug_token?input_token="+made.Token, ""); !strings.Contains(r.body, `"expires_at":1800532816`) {
		t.Errorf("expiring token: %s", r.body)
	}
}

// A portfolio with an account, shared and taken back. Source: spec/business.md sections 1 to 4.
func TestPortfolioFromNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.issue("portfolio person", access.TokenSpec{Type: access.UserToken, App: appPartner, Actor: personA, Scopes: all})
	create := func(line, body string) string {
		t.Helper()
		r := w.direct("portfolio person", line, body)
		var v struct{ ID string }
		if err := json.Unmarshal([]byte(r.body), &v); err != nil || r.status != 200 {
			t.Fatalf("%s: %d %s", line, r.status, r.body)
		}
		return v.ID
	}
	b := create("POST /v23.0/me/businesses", `{"name":"Cedar","vertical":"retail"}`)
	create("POST /v23.0/me/businesses", `{"name":"Cedar Two","vertical":"TRAVEL","timezone_id":7}`)
	if r := w.direct("portfolio person", "POST /v23.0/me/businesses", `{"name":"Cedar Three","vertical":"TRAVEL"}`); r.status != 400 || !strings.Contains(r.body, "two business portfolios") {
		t.Errorf("third portfolio: %d %s", r.status, r.body)
	}
	if r := w.direct("portfolio person", "GET /v23.0/me/businesses?fields=name", ""); strings.Count(r.body, `"name":"Cedar`) != 2 {
		t.Errorf("my portfolios: %s", r.body)
	}
	if r := w.direct("portfolio person", "POST /v23.0/"+b, `{"vertical":"TELECOM"}`); r.body != done {
		t.Errorf("update: %s", r.body)
	}
	owned := "POST /v23.0/" + b + "/owned_whatsapp_business_accounts"
	a := create(owned, `{"name":"Cedar Store","currency":"EUR","timezone_id":"1","country":"DE"}`)
	w.direct("portfolio person", "GET /v23.0/"+a+"?fields=name,currency,country,account_review_status,business_verification_status", "").want(t, 200,
		`{"name":"Cedar Store","currency":"EUR","country":"DE","account_review_status":"PENDING","business_verification_status":"not_verified","id":"`+a+`"}`)
	for body, want := range map[string]string{
		`{"name":"x"}`: "currency is required", `{"name":"x","currency":"euro","timezone_id":"1"}`: "ISO 4217", `{"name":" ","currency":"EUR","timezone_id":"1"}`: "1 to 128",
	} {
		if r := w.direct("portfolio person", owned, body); r.status != 400 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
	for range business.MaxWABAs - 1 { // R14
		create(owned, `{"name":"Cedar Store","currency":"EUR","timezone_id":"1"}`)
	}
	if r := w.direct("portfolio person", owned, `{"name":"Cedar Store","currency":"EUR","timezone_id":"1"}`); r.status != 400 || !strings.Contains(r.body, "at most 20") {
		t.Errorf("21st account: %d %s", r.status, r.body)
	}
	w.direct("portfolio person", "POST /v23.0/"+a, `{"is_enabled_for_insights":true}`).want(t, 200, `{"id":"`+a+`"}`)
	if r := w.direct("portfolio person", "POST /v23.0/"+a, `{"is_enabled_for_insights":false}`); r.status != 400 || !strings.Contains(r.body, `"code":200006`) {
		t.Errorf("insights off: %d %s", r.status, r.body)
	}
	agencies := "/v23.0/" + a + "/agencies"
	w.direct("portfolio person", "POST "+agencies, `{"business":"`+birch+`","tasks":["MESSAGING"]}`).want(t, 200, done)
	w.direct("portfolio person", "GET "+agencies, "").want(t, 200, `{"data":[{"id":"`+birch+`","name":"P `+birch+`","tasks":["MESSAGING"]}]}`)
	w.direct("portfolio person", "POST "+agencies, `{"business":"`+aozora+`","tasks":["MESSAGING"]}`).want(t, 200, done)
	if r := w.direct("portfolio person", "DELETE "+agencies+"?business="+birch, ""); r.body != done {
		t.Errorf("unshare: %s", r.body)
	}
	if r := w.direct("admin", "POST /v23.0/"+wabaA+"/agencies", `{"business":"`+birch+`","tasks":["MANAGE"]}`); r.body != done {
		t.Errorf("share: %s", r.body)
	}
}

// The four conditions of a deletion, each refused by name, and the deletion. R31, R32; spec/business.md section 2.4.
func TestDeleteTestResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p, a, n, err := w.business.CreateStarter(t.Context(), business.Starter{})
	if err != nil {
		t.Fatal(err)
	}
	app, err := w.access.CreateApp(t.Context(), access.NewApp{Name: "Starter", Business: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	user := func(name string, role access.Role) *access.SystemUser {
		u, err := w.access.CreateSystemUser(t.Context(), access.SystemUser{Business: p.ID, Name: name, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		w.token(name, string(app.ID), string(u.ID), all...)
		return u
	}
	user("boss", access.Admin)
	user("helper", access.Employee)
	refused := func(token, want string) {
		t.Helper()
		if r := w.direct(token, "DELETE /v23.0/"+string(p.ID), ""); r.status < 400 || !strings.Contains(r.body, want) {
			t.Errorf("by %s: %d %s\nwant %s", token, r.status, r.body, want)
		}
	}
	w.direct("helper", "DELETE /v23.0/"+string(p.ID), "").want(t, 403, graphError("Your app doesn't have permission to modify this Business",
		`"code":200,"error_subcode":1349174,"error_user_title":"Permission Denied","error_user_msg":"You do not administer the portfolio of the app."`))
	other, err := w.access.CreateApp(t.Context(), access.NewApp{Name: "Other", Business: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	refused("boss", "Another app is connected with the portfolio.")
	if _, err := w.access.UpdateApp(t.Context(), other.ID, func(x *access.App) error { x.Business = aozora; return nil }); err != nil {
		t.Fatal(err)
	}
	second, err := w.business.CreateWABA(t.Context(), business.WABA{Owner: p.ID, Name: "Second"})
	if err != nil {
		t.Fatal(err)
	}
	refused("boss", "1 other WhatsApp Business Accounts")
	if _, err := w.business.UpdateWABA(t.Context(), second.ID, func(x *business.WABA) error { x.Status = business.WABADeleted; return nil }); err != nil {
		t.Fatal(err)
	}
	extra, err := w.business.CreateNumber(t.Context(), business.Number{WABA: a.ID, WaID: "815055550177", Mode: business.Sandbox})
	if err != nil {
		t.Fatal(err)
	}
	refused("boss", "1 other phone numbers")
	if err := w.business.RemoveNumber(t.Context(), extra.ID, ""); err != nil {
		t.Fatal(err)
	}
	w.direct("boss", "POST /v23.0/"+string(a.ID)+"/subscribed_apps", "").want(t, 200, done)
	w.hears(app.ID, a.ID, true)
	w.direct("boss", "DELETE /v23.0/"+string(p.ID), "").want(t, 200, done)
	w.hears(app.ID, a.ID, false)
	w.issue("other admin", access.TokenSpec{Type: access.SystemUserToken, App: appPartner, Actor: adminA, Scopes: all})
	for _, id := range []string{string(p.ID), string(a.ID), string(n.ID)} {
		w.direct("other admin", "GET /v23.0/"+id, "").want(t, 400, missing("get", id))
		if r := w.direct("boss", "GET /v23.0/"+id, ""); r.status != 401 || !strings.Contains(r.body, `"code":190`) {
			t.Errorf("old token: %d %s", r.status, r.body)
		}
	}
}

// R29: five recipients, each confirmed, no sixth; others answer 131030.
func TestRecipientsOfATestNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := "POST /v23.0/" + numTest + "/allowed_recipients"
	send := func(to string) reply {
		return w.direct("admin", "POST /v23.0/"+numTest+"/messages", `{"messaging_product":"whatsapp","to":"+`+to+`","text":{"body":"hi"}}`)
	}
	for _, to := range []string{"16505550101", "16505550102", "16505550103", "16505550104"} {
		if r := send(to); r.status != 400 || !strings.Contains(r.body, `"code":131030`) {
			t.Errorf("before: %d %s", r.status, r.body)
		}
		w.direct("admin", at+"?phone_number=%2B"+to, "").want(t, 200, done)
		code := w.codes.code(wa.WaID(to))
		wrong := "000000"
		if code == wrong {
			wrong = "000001"
		}
		if r := w.direct("admin", at+"?phone_number="+to+"&code="+wrong, ""); r.status != 400 || !strings.Contains(r.body, `"code":136025`) {
			t.Errorf("wrong code: %d %s", r.status, r.body)
		}
		w.direct("admin", at+"?phone_number="+to+"&code="+code, "").want(t, 200, done)
		if r := send(to); r.status != 200 {
			t.Errorf("confirmed: %d %s", r.status, r.body)
		}
	}
	if r := w.direct("admin", at+"?phone_number=16505550105", ""); r.status != 400 || !strings.Contains(r.body, "at most 5 recipients") {
		t.Errorf("sixth: %d %s", r.status, r.body)
	}
	if r := w.direct("admin", "POST /v23.0/"+numLive+"/allowed_recipients?phone_number=16505550101", ""); r.status != 400 || !strings.Contains(r.body, "Only test numbers") {
		t.Errorf("no test number: %d %s", r.status, r.body)
	}
	if r := w.direct("admin", "GET /v23.0/"+numTest+"/allowed_recipients", ""); strings.Count(r.body, `"wa_id"`) != 5 {
		t.Errorf("list: %s", r.body)
	}
}

// Source: spec/business.md section 9.
func TestPreverifiedNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := w.direct("admin", "POST /v23.0/"+aozora+"/add_phone_numbers", `{"phone_number":"+81 50 5555 0190"}`)
	var v struct{ ID string }
	if err := json.Unmarshal([]byte(r.body), &v); err != nil || r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	claim := func() reply {
		return w.direct("admin", "POST /v23.0/"+wabaA+"/phone_numbers", `{"preverified_id":"`+v.ID+`","verified_name":"Aozora Three"}`)
	}
	if r := claim(); r.status != 400 || !strings.Contains(r.body, "preverified_id") {
		t.Errorf("claim before verification: %d %s", r.status, r.body)
	}
	w.direct("admin", "POST /v23.0/"+v.ID+"/request_code?code_method=SMS&language=ja", "").want(t, 200, done)
	w.direct("admin", "POST /v23.0/"+v.ID+"/verify_code?code="+w.codes.code("815055550190"), "").want(t, 200, done)
	w.direct("birch", "GET /v23.0/"+v.ID, "").want(t, 400, missing("get", v.ID))
	w.token("pv M", appA, adminA, scopeM)
	w.token("pv B", appA, adminA, scopeB)
	for _, token := range []string{"pv M", "pv B"} {
		if r := w.direct(token, "GET /v23.0/"+v.ID, ""); r.status != 403 {
			t.Errorf("%s: %d %s", token, r.status, r.body)
		}
	}
	if r := w.direct("admin", "GET /v23.0/"+aozora+"/preverified_numbers?code_verification_status=verified", ""); !strings.Contains(r.body, `{"id":"`+v.ID+`","phone_number":"+81 50-5555-0190","code_verification_status":"VERIFIED"}`) {
		t.Errorf("list: %s", r.body)
	}
	r = claim()
	var n struct{ ID string }
	if err := json.Unmarshal([]byte(r.body), &n); err != nil || r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w.direct("admin", "GET /v23.0/"+n.ID+"?fields=is_preverified_number,code_verification_status", "").want(t, 200, `{"is_preverified_number":true,"code_verification_status":"VERIFIED","id":"`+n.ID+`"}`)
	if r := claim(); r.status != 400 {
		t.Errorf("twice: %d %s", r.status, r.body)
	}
}

// Waits and budgets of codes hang on the digits: making a record anew does not renew them.
func TestCodesOfRecordsMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	add := func() string {
		t.Helper()
		r := w.direct("admin", "POST /v23.0/"+aozora+"/add_phone_numbers", `{"phone_number":"+815055550191"}`)
		var v struct{ ID string }
		if err := json.Unmarshal([]byte(r.body), &v); err != nil || r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return v.ID
	}
	ask := func(id string) reply {
		return w.direct("admin", "POST /v23.0/"+id+"/request_code?code_method=SMS&language=ja", "")
	}
	id := add()
	ask(id).want(t, 200, done)
	w.direct("admin", "DELETE /v23.0/"+id, "").want(t, 200, done)
	w.direct("admin", "GET /v23.0/"+id, "").want(t, 400, missing("get", id))
	id = add()
	if r := ask(id); r.status != 400 || !strings.Contains(r.body, "2388004") {
		t.Errorf("asked again at once: %d %s", r.status, r.body)
	}
	w.clock.Advance(time.Minute)
	ask(id).want(t, 200, done)
	right := w.codes.code("815055550191")
	for range 5 {
		w.direct("admin", "POST /v23.0/"+id+"/verify_code?code="+map[bool]string{true: "000000", false: "000001"}[right != "000000"], "")
	}
	w.direct("admin", "DELETE /v23.0/"+id, "").want(t, 200, done)
	w.clock.Advance(time.Hour)
	if r := ask(add()); r.status != 400 || r.header.Get("Retry-After") == "" {
		t.Errorf("after five wrong codes: %d %s", r.status, r.body)
	}
}
