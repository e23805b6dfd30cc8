package api_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"image/png"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	goqr "github.com/piglig/go-qr"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
)

// A number from nothing to registered, by the API alone. Source: spec/phone_numbers.md section 4.
func TestNumberFromNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := w.direct("admin", "POST /v23.0/"+wabaA+"/phone_numbers", `{"cc":"81","phone_number":"090-5555-0150","verified_name":"Aozora Two"}`)
	m := regexp.MustCompile(`^\{"id":"(\d{15,16})"\}$`).FindStringSubmatch(r.body)
	if r.status != 200 || m == nil {
		t.Fatalf("%d %s", r.status, r.body)
	}
	id := m[1]
	w.direct("admin", "GET /v23.0/"+id+"?fields=display_phone_number,status,name_status,code_verification_status", "").want(t, 200,
		`{"display_phone_number":"+81 90-5555-0150","status":"PENDING","name_status":"AVAILABLE_WITHOUT_REVIEW","code_verification_status":"NOT_VERIFIED","id":"`+id+`"}`)
	again := w.direct("admin", "POST /v23.0/"+wabaA+"/phone_numbers", `{"country_code":"+81","phone_number":"819055550150","verified_name":"Aozora Two"}`)
	if again.status != 400 || !strings.Contains(again.body, `"error_subcode":2388012`) {
		t.Errorf("twice: %d %s", again.status, again.body)
	}
	for _, c := range []struct{ call, body, want string }{
		{"register", `{"messaging_product":"whatsapp","pin":"212834"}`, `"code":133006`},
		{"request_code", `{"code_method":"PIGEON","language":"ja"}`, `code_method must be SMS or VOICE`},
		{"request_code", `{"code_method":"sms"}`, `The parameter language is required.`},
		{"request_code", `{"code_method":"sms","language":"japanese!"}`, `Param language must be a supported language`},
		{"request_code", `{"code_method":"sms","language":"xx_YY"}`, `Param language must be a supported language`},
		{"verify_code", `{"code":"123456"}`, `"code":136025,"error_subcode":2388093`},
	} {
		r := w.direct("admin", "POST /v23.0/"+id+"/"+c.call, c.body)
		if r.status != 400 || !strings.Contains(r.body, c.want) {
			t.Errorf("%s %s: %d %s", c.call, c.body, r.status, r.body)
		}
	}
	w.direct("admin", "POST /v23.0/"+id+"/request_code?code_method=SMS&language=en_US", "").want(t, 200, done)
	later := w.direct("admin", "POST /v23.0/"+id+"/request_code?code_method=SMS&language=en_US", "")
	if later.status != 400 || !strings.Contains(later.body, `"code":136024,"error_subcode":2388004`) {
		t.Errorf("too soon: %d %s", later.status, later.body)
	}
	code := w.codes.code("819055550150")
	w.direct("admin", "POST /v23.0/"+id+"/verify_code", `{"code":"`+code[:3]+"-"+code[3:]+`"}`).want(t, 200, done)
	w.direct("admin", "POST /v23.0/"+id+"/register", `{"messaging_product":"whatsapp","pin":"212834"}`).want(t, 200, done)
	w.direct("admin", "GET /v23.0/"+id+"?fields=status,is_pin_enabled,throughput", "").want(t, 200,
		`{"status":"CONNECTED","is_pin_enabled":true,"throughput":{"level":"STANDARD"},"id":"`+id+`"}`)
	if r := w.direct("birch", "POST /v23.0/"+wabaA+"/phone_numbers", `{}`); r.body != missing("post", wabaA) {
		t.Errorf("in a foreign account: %s", r.body)
	}
}

// The single-valued edges of a number: written, read, refused. Source: spec/phone_numbers.md sections 9 to 18.
func TestNumberEdges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := "/v23.0/" + numLive
	calls := func(list ...[3]string) {
		t.Helper()
		for _, c := range list {
			line, body, want := c[0], c[1], c[2]
			method, path, _ := strings.Cut(line, " ")
			r := w.direct("admin", method+" "+at+path, body)
			if strings.HasPrefix(want, "{") {
				r.want(t, 200, want)
			} else if r.status != 400 || !strings.Contains(r.body, want) {
				t.Errorf("%s %s: %d %s\nwant %s", line, body, r.status, r.body, want)
			}
		}
	}
	profile := "/whatsapp_business_profile"
	calls(
		[3]string{"GET " + profile, "", `{"data":[{"messaging_product":"whatsapp"}]}`},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","about":"Fresh tea","address":"1-2-3 Nagata","description":"Tea shop","email":"hello@aozora.example","websites":["https://aozora.example/"],"vertical":"retail"}`, done},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","address":"","websites":[]}`, done},
		[3]string{"GET " + profile + "?fields=about,address,description,email,websites,vertical,profile_picture_url", "", `{"data":[{"about":"Fresh tea","description":"Tea shop","email":"hello@aozora.example","vertical":"RETAIL","messaging_product":"whatsapp"}]}`},
		[3]string{"POST " + profile, `{"about":"x"}`, "messaging_product is required"},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","about":" "}`, "must not be empty"},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","about":"` + strings.Repeat("あ", 140) + `"}`, "at most 139"},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","email":"nobody"}`, "e-mail"},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","vertical":"WITCHCRAFT"}`, "must be one of"},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","websites":["ftp://a.example"]}`, "valid URI"},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","websites":["https://a.example","https://b.example","https://c.example"]}`, "at most 2"},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","profile_picture_handle":"small"}`, "192 x 192"},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","profile_picture_handle":"text"}`, "JPEG or PNG"},
		[3]string{"POST " + profile, `{"messaging_product":"whatsapp","profile_picture_handle":"unknown"}`, `"error_subcode":2494102`},

		[3]string{"GET /settings", "", `{"calling":{"status":"DISABLED"},"user_identity_change":{"enable_identity_key_check":false},"payload_encryption":{"status":"DISABLED"},"storage_configuration":{"status":"DEFAULT"}}`},
		[3]string{"POST /settings", `{}`, "One feature setting must be specified"},
		[3]string{"POST /settings", `{"calling":{"status":"ENABLED"}}`, "not available on this server"},
		[3]string{"POST /settings", `{"calling":{"status":"disabled"}}`, done},
		[3]string{"POST /settings", `{"storage_configuration":{"status":"IN_COUNTRY_STORAGE_ENABLED","data_localization_region":"JP"}}`, "while the phone number is not registered"},
		[3]string{"POST /settings", `{"user_identity_change":{"enable_identity_key_check":true,"x":1}}`, "Unexpected key"},
		[3]string{"POST /settings", `{"user_identity_change":{"enable_identity_key_check":true}}`, done},
		[3]string{"GET /settings", "", `{"calling":{"status":"DISABLED"},"user_identity_change":{"enable_identity_key_check":true},"payload_encryption":{"status":"DISABLED"},"storage_configuration":{"status":"DEFAULT"}}`},

		[3]string{"GET ?fields=conversational_automation", "", `{"id":"` + numLive + `"}`},
		[3]string{"POST /conversational_automation", `{"enable_welcome_message":true,"prompts":["Opening hours?"],"commands":[{"command_name":"track","command_description":"Where is my parcel"}]}`, done},
		[3]string{"GET ?fields=conversational_automation", "", `{"conversational_automation":{"enable_welcome_message":true,"prompts":["Opening hours?"],"commands":[{"command_name":"track","command_description":"Where is my parcel"}],"id":"` + numLive + `"},"id":"` + numLive + `"}`},
		[3]string{"GET /conversational_automation?fields=prompts", "", `{"data":[{"prompts":["Opening hours?"]}]}`},
		[3]string{"POST /conversational_automation", `{"prompts":["a","b","c","d","e"]}`, "Maximum allowed is 4"},
		[3]string{"POST /conversational_automation", `{"prompts":["🍵"]}`, "emoji"},
		[3]string{"POST /conversational_automation", `{"commands":[{"command_name":"a b","command_description":"x"}]}`, "Invalid command name"},
		[3]string{"POST /conversational_automation", `{"commands":[{"command_name":"a","command_description":"x"},{"command_name":"a","command_description":"x"}]}`, "used twice"},
		[3]string{"POST /conversational_automation", `{}`, "is required"},

		[3]string{"GET /whatsapp_commerce_settings", "", `{"data":[]}`},
		[3]string{"POST /whatsapp_commerce_settings?is_catalog_visible=true", "", done},
		[3]string{"GET /whatsapp_commerce_settings", "", `{"data":[{"is_cart_enabled":true,"is_catalog_visible":true,"id":"` + numLive + `"}]}`},

		[3]string{"GET /business_compliance_info", "", `{"data":[]}`},
		[3]string{"POST /business_compliance_info", `{"messaging_product":"whatsapp","entity_name":"Aozora","entity_type":"OTHER","grievance_officer_details":{"name":"A","email":"a@b.example","mobile_number":"1"},"customer_care_details":{"email":"a@b.example","landline_number":"1"}}`, "entity_type_custom is required"},
		[3]string{"POST /business_compliance_info", `{"messaging_product":"whatsapp","entity_name":"Aozora","entity_type":"PARTNERSHIP","is_registered":true,"grievance_officer_details":{"name":"A","email":"a@b.example","mobile_number":"1"},"customer_care_details":{"email":"a@b.example","landline_number":"1"}}`, done},
		[3]string{"GET /business_compliance_info", "", `{"data":[{"messaging_product":"whatsapp","entity_name":"Aozora","entity_type":"PARTNERSHIP","is_registered":true,"grievance_officer_details":{"name":"A","email":"a@b.example","mobile_number":"1"},"customer_care_details":{"email":"a@b.example","landline_number":"1"}}]}`},

		[3]string{"GET ?fields=official_business_account", "", `{"official_business_account":{"oba_status":"NOT_STARTED"},"id":"` + numLive + `"}`},
		[3]string{"POST /official_business_account", `{"business_website_url":"https://aozora.example","primary_country_of_operation":"Japan","primary_language":"Japanese"}`, "Two-step verification must be on"},
		[3]string{"POST ", `{"pin":"135790"}`, done},
		[3]string{"POST /official_business_account", `{"business_website_url":"https://aozora.example","primary_country_of_operation":"Japan","primary_language":"Japanese"}`, done},
		[3]string{"POST /official_business_account", `{"business_website_url":"https://aozora.example","primary_country_of_operation":"Japan","primary_language":"Japanese"}`, "pending"},
		[3]string{"GET ?fields=official_business_account", "", `{"official_business_account":{"oba_status":"PENDING","status_message":"The application is being reviewed."},"id":"` + numLive + `"}`},

		[3]string{"GET /username", "", `{}`},
		[3]string{"POST /username", `{"username":"Aozora"}`, `"code":147002`},
		[3]string{"POST /username", `{"username":"aozora.store"}`, `{"status":"approved"}`},
		[3]string{"GET /username", "", `{"username":"aozora.store","status":"approved"}`},
		[3]string{"GET ?fields=username", "", `{"username":"aozora.store","id":"` + numLive + `"}`},
		[3]string{"DELETE /username", "", done},
		[3]string{"GET /username_suggestions", "", `{"data":[{"username_suggestions":["n.106540352242922","n_106540352242922","n106540352242922","n.106540352242922_jp","n.106540352242922_0142","business_0142"]}]}`},

		[3]string{"POST ", `{"new_display_name":"Aozora Tea"}`, done},
		[3]string{"GET ?fields=new_display_name,new_name_status,verified_name", "", `{"new_display_name":"Aozora Tea","new_name_status":"PENDING_REVIEW","verified_name":"N 106540352242922","id":"` + numLive + `"}`},
		[3]string{"POST ", `{"new_display_name":"A"}`, "display name of 3 to 128"},
	)
	// A taken username can be had from a number of one's own, with force.
	w.direct("admin", "POST "+at+"/username", `{"username":"aozora"}`).want(t, 200, `{"status":"approved"}`)
	if r := w.direct("admin", "POST /v23.0/"+numTest+"/username", `{"username":"aozora"}`); !strings.Contains(r.body, `"code":147004`) {
		t.Errorf("of one's own: %s", r.body)
	}
	if r := w.direct("birch", "POST /v23.0/"+numB+"/username", `{"username":"aozora"}`); !strings.Contains(r.body, `"code":147001`) {
		t.Errorf("of somebody else: %s", r.body)
	}
	w.direct("admin", "POST /v23.0/"+numTest+"/username", `{"username":"aozora","transfer_action":"force_transfer"}`).want(t, 200, `{"status":"approved"}`)
	w.direct("admin", "GET "+at+"/username", "").want(t, 200, `{}`)
}

func TestProfilePhoto(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := "/v23.0/" + numLive + "/whatsapp_business_profile"
	public := api.Public(w.business, &w.codes.pictures)
	fetch := func() (string, *httptest.ResponseRecorder) {
		t.Helper()
		r := w.direct("admin", "GET "+at+"?fields=profile_picture_url", "")
		m := regexp.MustCompile(`"profile_picture_url":"` + base + `(/pp/[A-Z2-7]+)"`).FindStringSubmatch(r.body)
		if m == nil {
			t.Fatal(r.body)
		}
		rec := httptest.NewRecorder()
		public.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, m[1], nil))
		return m[1], rec
	}
	w.direct("admin", "POST "+at, `{"messaging_product":"whatsapp","profile_picture_handle":"photo"}`).want(t, 200, done)
	first, rec := fetch()
	if _, err := png.Decode(rec.Body); err != nil || rec.Header().Get("Content-Type") != "image/png" {
		t.Errorf("photo: %v %v", err, rec.Header())
	}
	w.direct("admin", "POST "+at, `{"messaging_product":"whatsapp","profile_picture_handle":"photo"}`).want(t, 200, done)
	if second, _ := fetch(); second == first {
		t.Error("another photo has the address of the first")
	}
	rec = httptest.NewRecorder()
	public.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, first, nil))
	if rec.Code != 404 {
		t.Errorf("the replaced photo: %d", rec.Code)
	}
}

// Source: spec/phone_numbers.md section 12.
func TestQRCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := "/v23.0/" + numLive + "/message_qrdls"
	type qr struct {
		Code  string `json:"code"`
		Text  string `json:"prefilled_message"`
		Link  string `json:"deep_link_url"`
		Image string `json:"qr_image_url"`
	}
	create := func(body string) (q qr) {
		t.Helper()
		w.clock.Advance(time.Second)
		r := w.direct("admin", "POST "+at, body)
		if err := json.Unmarshal([]byte(r.body), &q); err != nil || r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return q
	}
	a := create(`{"prefilled_message":"Hello","generate_qr_image":"png"}`)
	b := create(`{"prefilled_message":"Other"}`)
	if !business.ValidQRCode(a.Code) || a.Link != "https://wa.me/message/"+a.Code || a.Image != base+"/qr/"+a.Code+".png" || b.Image != "" {
		t.Errorf("%+v %+v", a, b)
	}
	item := func(q qr) string {
		return `{"code":"` + q.Code + `","prefilled_message":"` + q.Text + `","deep_link_url":"` + q.Link + `"}`
	}
	if r := w.direct("admin", "GET "+at+"?limit=1", ""); !strings.HasPrefix(r.body, `{"data":[`+item(b)+`],"paging":`) || !strings.Contains(r.body, `"next":`) {
		t.Errorf("newest first: %s", r.body)
	}
	w.direct("admin", "GET "+at+"/"+a.Code, "").want(t, 200, `{"data":[`+item(a)+`]}`)
	w.direct("admin", "GET "+at+"/"+a.Code+"?fields=qr_image_url.format(SVG),creation_time", "").want(t, 200,
		`{"data":[{"qr_image_url":"`+base+"/qr/"+a.Code+`.svg","creation_time":1795348817}]}`)
	c := create(`{"code":"` + b.Code + `","prefilled_message":"Changed"}`)
	if c.Code != b.Code || c.Text != "Changed" {
		t.Errorf("changed: %+v", c)
	}
	for line, want := range map[string]string{
		"GET /short": `Invalid QR code ID format`, "DELETE /short": `Invalid QR code ID format`,
		"DELETE /AAAAAAAAAAAAAA": `"error_subcode":33`, "GET /AAAAAAAAAAAAAA": `"error_subcode":33`,
		"POST ?prefilled_message=" + strings.Repeat("x", 141): `Maximum 140 characters`,
		"POST ?prefilled_message=":                            `Maximum 140 characters`, "POST ?x=1": `prefilled_message is required`,
		"POST ?prefilled_message=x&code=AAAAAAAAAAAAAA": `"error_subcode":33`,
	} {
		method, path, _ := strings.Cut(line, " ")
		if r := w.direct("admin", method+" "+at+path, ""); r.status != 400 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s", line, r.status, r.body)
		}
	}
	public := api.Public(w.business, &w.codes.pictures)
	get := func(path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		public.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		return rec
	}
	img, err := png.Decode(get("/qr/" + a.Code + ".png").Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := goqr.Decode(img); err != nil || text != a.Link {
		t.Errorf("the code says %q, %v", text, err)
	}
	if svg := get("/qr/" + a.Code + ".svg"); !bytes.Contains(svg.Body.Bytes(), []byte("<svg")) || svg.Header().Get("Content-Type") != "image/svg+xml" {
		t.Errorf("svg: %v %.80s", svg.Header(), svg.Body)
	}
	if rec := get("/message/" + a.Code); rec.Code != 302 || rec.Header().Get("Location") != "/chat?phone=815055550142&text=Hello" {
		t.Errorf("link: %d %v", rec.Code, rec.Header())
	}
	w.direct("admin", "DELETE "+at+"/"+a.Code, "").want(t, 200, done)
	for _, path := range []string{"/qr/" + a.Code + ".png", "/message/" + a.Code, "/qr/" + b.Code + ".gif", "/pp/unknown"} {
		if rec := get(path); rec.Code != 404 {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

// Source: spec/phone_numbers.md section 13.
func TestEncryptionKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := "/v23.0/" + numLive + "/whatsapp_business_encryption"
	text := func(bits int) string {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	key := text(2048)
	post := func(key string) reply {
		body, err := json.Marshal(map[string]string{"business_public_key": key})
		if err != nil {
			t.Fatal(err)
		}
		return w.direct("admin", "POST "+at, string(body))
	}
	w.direct("admin", "GET "+at, "").want(t, 200, `{"data":[]}`)
	for _, bad := range []string{"", "x", text(1024), key + key, strings.Repeat("x", 5000)} {
		if r := post(bad); r.status != 400 || !strings.Contains(r.body, `"code":100`) {
			t.Errorf("%.30q: %d %s", bad, r.status, r.body)
		}
	}
	post(key).want(t, 200, done)
	read := func(status string) {
		t.Helper()
		w.direct("admin", "GET "+at, "").want(t, 200, `{"data":[{"business_public_key":"`+strings.ReplaceAll(key, "\n", `\n`)+`","business_public_key_signature_status":"`+status+`"}]}`)
	}
	read("VALID")
	w.direct("admin", "POST /v23.0/"+numLive+"/register", `{"messaging_product":"whatsapp","pin":"212834"}`).want(t, 200, done)
	read("MISMATCH")
}
