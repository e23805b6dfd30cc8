package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
)

// receiver echoes challenges that come with the right token, and counts the others.
type receiver struct {
	*httptest.Server
	good, bad atomic.Int32
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		if q.Get("hub.mode") != "subscribe" || q.Get("hub.verify_token") != "s3cret" {
			r.bad.Add(1)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		r.good.Add(1)
		_, _ = io.WriteString(w, q.Get("hub.challenge"))
	}))
	t.Cleanup(r.Close)
	return r
}

const done = `{"success":true}`

func refusedCallback(status int) string {
	return graphError(fmt.Sprintf("(#2200) Callback verification failed with the following errors: HTTP Status Code = %d; HTTP Message = %s", status, http.StatusText(status)), `"code":2200`)
}

// Source: spec/access.md section 11.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	w, hook := newWorld(t, nil), newReceiver(t)
	path := "/v23.0/" + appA + "/subscriptions"
	onlyApp := graphError("(#10) This method must be called with an access token of the app itself", `"code":10`)
	w.call("app", "GET "+path, "").want(t, 200, `{"data":[]}`)
	for _, m := range []string{"GET", "POST", "DELETE"} {
		w.call("admin", m+" "+path, "").want(t, 403, onlyApp)
		w.call("appB", m+" "+path, "").want(t, 400, missing(strings.ToLower(m), appA))
	}
	w.call("app", "POST "+path, `{"object":"page","callback_url":"x","verify_token":"y"}`).want(t, 400,
		graphError(`(#100) Param object must be one of {WHATSAPP_BUSINESS_ACCOUNT} - got \"page\".`, `"code":100`))
	w.call("app", "POST "+path, `{"object":"whatsapp_business_account"}`).want(t, 400, graphError("(#100) The parameter callback_url is required.", `"code":100`))
	w.call("app", "POST "+path, `{"object":"whatsapp_business_account","callback_url":"`+hook.URL+`"}`).want(t, 400, graphError("(#100) The parameter verify_token is required.", `"code":100`))
	w.call("app", "POST "+path, `{"object":"whatsapp_business_account","callback_url":"`+hook.URL+`","verify_token":"wrong","fields":"messages"}`).want(t, 400, refusedCallback(403))
	w.call("app", "GET "+path, "").want(t, 200, `{"data":[]}`)
	form := "object=whatsapp_business_account&callback_url=" + hook.URL + "&verify_token=s3cret&fields=messages,account_update&include_values=true"
	w.call("app", "POST "+path, form, "Content-Type: application/x-www-form-urlencoded").want(t, 200, done)
	item := func(fields string) string {
		return `{"data":[{"object":"whatsapp_business_account","callback_url":"` + hook.URL + `","active":true,"fields":[` + fields + `]}]}`
	}
	messages, account := `{"name":"messages","version":"v25.0"}`, `{"name":"account_update","version":"v25.0"}`
	w.call("app", "GET "+path, "").want(t, 200, item(messages+","+account))
	w.call("app", "DELETE "+path+"?object=whatsapp_business_account&fields=account_update", "").want(t, 200, done)
	w.call("app", "GET "+path, "").want(t, 200, item(messages))
	w.call("app", "DELETE "+path, "").want(t, 200, done)
	w.call("app", "DELETE "+path, "").want(t, 200, done)
	w.call("app", "GET "+path, "").want(t, 200, `{"data":[]}`)
	with := func(fields string) string {
		return `{"object":"whatsapp_business_account","callback_url":"` + hook.URL + `","verify_token":"s3cret","fields":` + fields + `}`
	}
	w.call("app", "POST "+path, with(`[{"name":"messages","version":"v23.0"},"account_update"]`)).want(t, 200, done)
	w.call("app", "GET "+path, "").want(t, 200, item(`{"name":"messages","version":"v23.0"},`+account))
	w.call("app", "POST "+path, with(`[{"name":"messages","version":"v24"}]`)).want(t, 200, done)
	w.call("app", "GET "+path, "").want(t, 200, item(`{"name":"messages","version":"v24.0"},`+account))
	w.call("app", "POST "+path, with(`[{"name":"messages","version":"24"}]`)).want(t, 400,
		graphError("(#100) Invalid version format. Use format like 'v23.0'", `"code":100`))
	w.call("app", "POST "+path, with(`[{"name":"messages","version":"v99.0"}]`)).want(t, 400,
		graphError(`(#100) Param version must be one of {v23.0, v24.0, v25.0} - got \"v99.0\".`, `"code":100`))
	w.call("app", "GET "+path, "").want(t, 200, item(`{"name":"messages","version":"v24.0"},`+account))
	w.call("app", "POST "+path, with(`[{"version":"v24.0"}]`)).want(t, 400, graphError("(#100) The parameter fields[0]['name'] is required.", `"code":100`))
	if hook.good.Load() != 3 || hook.bad.Load() != 1 {
		t.Errorf("%d verifications went through, %d were refused", hook.good.Load(), hook.bad.Load())
	}
}

// Source: spec/business.md section 6, spec/webhooks.md sections 1.2 and 1.3.
func TestSubscribedApps(t *testing.T) {
	t.Parallel()
	w, hook := newWorld(t, nil), newReceiver(t)
	path := "/v23.0/" + wabaA + "/subscribed_apps"
	item := func(app, more string) string {
		return `{"whatsapp_business_api_data":{"link":"` + base + `/` + app + `","name":"A ` + app + `","id":"` + app + `"}` + more + `}`
	}
	override := `{"override_callback_uri":"` + hook.URL + `/waba","verify_token":"s3cret"}`
	set := `,"override_callback_uri":"` + hook.URL + `/waba"`
	w.call("admin", "GET "+path, "").want(t, 200, `{"data":[]}`)
	w.call("admin", "POST "+path, "").want(t, 200, done)
	w.call("admin", "POST "+path, "").want(t, 200, done)
	w.call("admin", "GET "+path, "").want(t, 200, `{"data":[`+item(appA, "")+`]}`)
	w.call("admin", "POST "+path, `{"override_callback_uri":"`+hook.URL+`"}`).want(t, 400, graphError("(#100) The parameter verify_token is required.", `"code":100`))
	w.call("admin", "POST "+path, strings.ReplaceAll(override, "s3cret", "wrong")).want(t, 400, refusedCallback(403))
	w.call("admin", "GET "+path, "").want(t, 200, `{"data":[`+item(appA, "")+`]}`)
	w.call("admin", "POST "+path, override).want(t, 200, done)
	w.call("partner", "POST "+path, "").want(t, 200, done)
	w.call("admin", "GET "+path, "").want(t, 200, `{"data":[`+item(appA, set)+`,`+item(appPartner, "")+`]}`)
	w.call("partner", "GET "+path, "").want(t, 200, `{"data":[`+item(appA, "")+`,`+item(appPartner, "")+`]}`)

	number := "/v23.0/" + numLive
	config := func(s string) string { return `{"webhook_configuration":` + s + `,"id":"` + numLive + `"}` }
	one := `{"webhook_configuration":{"override_callback_uri":"` + hook.URL + `/number","verify_token":"s3cret"}}`
	w.call("admin", "GET "+number+"?fields=webhook_configuration", "").want(t, 200, config(`{"whatsapp_business_account":"`+hook.URL+`/waba"}`))
	w.call("admin", "POST "+number, strings.ReplaceAll(one, "s3cret", "wrong")).want(t, 400, refusedCallback(403))
	w.call("admin", "POST "+number+"/", one).want(t, 200, done)
	w.call("app", "POST /v23.0/"+appA+"/subscriptions", `{"object":"whatsapp_business_account","callback_url":"`+hook.URL+`/app","verify_token":"s3cret","fields":["messages"]}`).want(t, 200, done)
	w.call("admin", "GET "+number+"?fields=webhook_configuration", "").want(t, 200,
		config(`{"phone_number":"`+hook.URL+`/number","whatsapp_business_account":"`+hook.URL+`/waba","application":"`+hook.URL+`/app"}`))
	w.call("admin", "GET "+number+"?fields=webhook_configuration{application}", "").want(t, 200, config(`{"application":"`+hook.URL+`/app"}`))
	w.call("admin", "POST "+number, `{"webhook_configuration":{"override_callback_uri":""}}`).want(t, 200, done)
	w.call("admin", "POST "+path, "").want(t, 200, done)
	w.call("admin", "GET "+number+"?fields=webhook_configuration", "").want(t, 200, config(`{"application":"`+hook.URL+`/app"}`))

	w.call("admin", "DELETE "+path, "").want(t, 200, done)
	w.call("admin", "DELETE "+path, "").want(t, 200, done)
	w.call("partner", "GET "+path, "").want(t, 200, `{"data":[`+item(appPartner, "")+`]}`)
	w.call("admin", "POST "+number, one).want(t, 400, graphError("(#100) The app is not subscribed to the WhatsApp Business Account of this phone number", `"code":100`))
}

// Source: spec/phone_numbers.md sections 4.4, 4.5, 5 and 8.
func TestRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	path := "/v23.0/" + numPending
	state := func(want string) {
		t.Helper()
		w.call("admin", "GET "+path+"?fields=status,platform_type,is_pin_enabled,throughput", "").want(t, 200, want)
	}
	w.call("admin", "POST "+path+"/register", `{"pin":"123456"}`).want(t, 400, graphError("(#100) The parameter messaging_product is required.", `"code":100`))
	w.call("admin", "POST "+path+"/register", `{"messaging_product":"whatsapp"}`).want(t, 400, graphError("(#100) The parameter pin is required.", `"code":100`))
	w.call("admin", "POST "+path+"/register", `{"messaging_product":"whatsapp","pin":"12345"}`).want(t, 400, graphError("(#100) Invalid PIN format. PIN must be exactly 6 digits", `"code":100`))
	w.call("admin", "POST "+path+"/register", `{"messaging_product":"whatsapp","pin":"123456","data_localization_region":"CH"}`).want(t, 400,
		graphError("(#100) Param data_localization_region is not supported since v21.0: set storage_configuration by the settings before you register the phone number.", `"code":100`))
	w.call("admin", "POST "+path+"/register", `{"messaging_product":"whatsapp","pin":"123456","backup":{"data":"x"}}`).want(t, 400, graphError("(#100) The parameter backup['password'] is required.", `"code":100`))
	state(`{"status":"PENDING","platform_type":"NOT_APPLICABLE","is_pin_enabled":false,"throughput":{"level":"NOT_APPLICABLE"},"id":"` + numPending + `"}`)
	w.call("admin", "POST "+path+"/register", `{"messaging_product":"whatsapp","pin":"123456","backup":{"data":"x","password":"y"}}`).want(t, 200, done)
	state(`{"status":"CONNECTED","platform_type":"CLOUD_API","is_pin_enabled":true,"throughput":{"level":"STANDARD"},"id":"` + numPending + `"}`)
	w.call("admin", "POST "+path+"/register", `{"messaging_product":"whatsapp","pin":"654321"}`).want(t, 400,
		cloudError("(#133005) Two step verification PIN Mismatch", "133005", "The PIN does not match the one set for this phone number.")) // E23
	w.clock.Advance(2 * time.Second)
	w.call("admin", "POST "+path, `{"pin":"65432x"}`).want(t, 400, graphError("(#100) Invalid PIN format. PIN must be exactly 6 digits", `"code":100`))
	w.call("admin", "POST "+path, `{"pin":654321}`).want(t, 200, done)
	w.call("admin", "POST "+path+"/register?messaging_product=whatsapp&pin=654321", "").want(t, 200, done)
	w.call("admin", "POST "+path, `{"whatsapp_business_api_data":{"pin":"111111"},"search_visibility":"non_visible"}`).want(t, 200, done)
	w.call("admin", "GET "+path+"?fields=search_visibility", "").want(t, 200, `{"search_visibility":"NON_VISIBLE","id":"`+numPending+`"}`)
	w.call("admin", "POST "+path+"/deregister", "").want(t, 200, done)
	state(`{"status":"DISCONNECTED","platform_type":"NOT_APPLICABLE","is_pin_enabled":true,"throughput":{"level":"NOT_APPLICABLE"},"id":"` + numPending + `"}`)
	w.call("admin", "POST "+path+"/deregister", "").want(t, 400, cloudError("(#133010) Account not registered", "133010", "Account not registered"))
	for range 7 {
		w.call("admin", "POST "+path+"/register", `{"messaging_product":"whatsapp","pin":"111111"}`).want(t, 200, done)
	}
	r := w.call("admin", "POST "+path+"/register", `{"messaging_product":"whatsapp","pin":"111111"}`) // E22
	if r.status != 400 || !strings.Contains(r.body, `"code":133016`) || r.header.Get("Retry-After") != "259200" {
		t.Errorf("eleventh: %d %s", r.status, r.body)
	}
}

// An update that asks for what cannot be done must not answer success, and must not do half of it.
func TestUpdateAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	path := "POST /v23.0/" + numLive
	for body, want := range map[string]string{
		`{}`: "One of the parameters pin, new_display_name, username, webhook_configuration, search_visibility is required.",
		`{"pin":"123456","new_display_name":"X"}`:                                                         "Param new_display_name must be a display name of 3 to 128 characters with at least one letter or digit.",
		`{"pin":"123456","search_visibility":"x"}`:                                                        `Param search_visibility must be one of {VISIBLE, NON_VISIBLE} - got \"x\".`,
		`{"pin":"123456","webhook_configuration":{"override_callback_uri":"ftp://x","verify_token":"y"}}`: "The app is not subscribed to the WhatsApp Business Account of this phone number",
		`{"pin":"123456","webhook_configuration":{"url":"x"}}`:                                            `Unexpected key \"url\" on param \"webhook_configuration\".`,
	} {
		w.call("admin", path, body).want(t, 400, graphError("(#100) "+want, `"code":100`))
	}
	w.call("admin", "GET /v23.0/"+numLive+"?fields=is_pin_enabled", "").want(t, 200, `{"is_pin_enabled":false,"id":"`+numLive+`"}`)
	w.call("admin", "POST /v23.0/"+numGone, `{"pin":"123456"}`).want(t, 400, cloudError("(#33) Parameter value is not valid", "33", "The business phone number has been deleted."))
	if _, err := w.business.UpdateNumber(t.Context(), numLive, func(n *business.Number) error {
		n.MaintenanceUntil = w.clock.Now().Add(time.Minute)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	away := cloudError("(#131057) Account in maintenance mode", "131057", "Business Account is in maintenance mode")
	for _, line := range []string{
		"", "/deregister", "/register", "/request_code", "/verify_code", "/block_users", "/whatsapp_business_profile", "/conversational_automation",
		"/message_qrdls", "/whatsapp_business_encryption", "/whatsapp_commerce_settings", "/official_business_account", "/username",
	} {
		w.call("admin", path+line, `{"messaging_product":"whatsapp","pin":"123456"}`).want(t, 500, away)
	}
	for _, line := range []string{"/settings", "/block_users", "/whatsapp_business_profile", "/message_qrdls", "/whatsapp_business_encryption", "/message_history"} {
		w.call("admin", "GET /v23.0/"+numLive+line, "").want(t, 500, away)
	}
	w.call("admin", "GET /v23.0/"+numLive+"?fields=throughput", "").want(t, 200, `{"throughput":{"level":"STANDARD"},"id":"`+numLive+`"}`)
}
