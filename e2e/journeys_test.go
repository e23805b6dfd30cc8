package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

// App dashboard, WhatsApp, Configuration, Test account, Delete, confirm: only when no other app is connected, and then everything
// is gone.
func TestDeleteTheTestAccount(t *testing.T) {
	need(t)
	s := serve(t)
	p := s.visit()
	p.open("/apps/")
	p.fill("name", "Second")
	p.click("Create app")
	p.see("Second")
	p.click("Configuration Test App")
	p.see("Test account")
	p.see("Another app is connected with the portfolio.")
	p.off("Delete")
	p.look("a test account that cannot be deleted")
	p.click("Apps")
	p.click("Remove Second?")
	p.click("Remove")
	p.gone("Second")
	p.click("Configuration Test App")
	p.gone("Another app is connected with the portfolio.")
	if a := s.call("GET", "/v23.0/"+s.vars["WABA_ID"], s.vars["TOKEN"], ""); a.status != 200 {
		t.Fatalf("before: %s", a.body)
	}
	p.click("Delete")
	p.see("Delete Test Business?")
	p.click("Delete")
	p.until("another page", `!location.pathname.startsWith("/apps/")`)
	for _, id := range []string{"WABA_ID", "PHONE_NUMBER_ID", "BUSINESS_ID", "APP_ID"} {
		if a := s.call("GET", "/v23.0/"+s.vars[id], s.vars["TOKEN"], ""); a.code != 190 {
			t.Errorf("the token still opens %s: %s", id, a.body)
		}
	}
	app := s.vars["APP_ID"] + "|" + s.vars["APP_SECRET"]
	if a := s.call("GET", "/v23.0/app", app, ""); a.code != 190 {
		t.Errorf("the app's own token: %s", a.body)
	}
	p.expect("status of 404")
	p.open(s.configuration())
	p.until("the page for what is gone", `document.title !== ""`)
	p.gone("Test account")
}

// signIn logs in with the link of the first start, and chooses a password. The link stands in the banner alone; another one that the
// operator makes is another.
func (p *page) signIn() {
	p.t.Helper()
	first := regexp.MustCompile(`http\S+/login/first\?key=\w+`)
	link := first.FindString(p.s.said.String())
	another := first.FindString(string(p.s.run("admin", "login-link")))
	if link == "" || another == "" || another == link || strings.Contains(p.s.log.String(), "/login/first") {
		p.t.Fatalf("the link of the first start is %q, the operator's %q\n%s", link, another, p.s.log.String())
	}
	p.open(link)
	p.fill("name", "Misaki Kato")
	p.fill("email", "misaki@example.com")
	p.fill("password", "correct horse battery")
	p.expect("/get-started/") // which leads on where everything is there
	p.click("Go on")
	p.until("somebody who is logged in", `!location.pathname.startsWith("/login")`)
}

// Without anything relaxed: a recipient confirms with the code of the message on their phone, and the shown curl delivers unchanged.
func TestSendToARecipient(t *testing.T) {
	need(t)
	s := serve(t, "--strict")
	p := s.visit()
	p.signIn()
	p.open(s.console())
	p.see("Phone number ID")
	p.fill("phone", "+12025550147")
	p.click("Send code")
	p.see("code sent")
	code := regexp.MustCompile(`\*(\d{6})\* is your verification code`).FindStringSubmatch(s.chat("12025550147"))
	if code == nil {
		t.Fatalf("no code on the phone: %s", s.chat("12025550147"))
	}
	p.fill("code-12025550147", code[1])
	p.click("Confirm")
	p.gone("code sent")
	p.look("api setup with a recipient")
	command, _ := eval[string](p, `document.querySelector("#send pre").innerText`)
	if out := s.shell(command); !strings.Contains(out, " 200 ") || !strings.Contains(out, `"message_status":"accepted"`) {
		t.Fatalf("the shown command answers %s", out)
	}
	if chat := s.chat("12025550147"); strings.Count(chat, "Hello World") != 1 {
		t.Errorf("delivered: %s", chat)
	}
	p.click("Send message")
	p.see("200 OK")
	if chat := s.chat("12025550147"); strings.Count(chat, "Hello World") != 2 {
		t.Errorf("delivered by the button: %s", chat)
	}
	token, _ := eval[string](p, `document.getElementById("token").value`)
	hello := func(to string) answer {
		return s.call("POST", "/v23.0/"+s.vars["PHONE_NUMBER_ID"]+"/messages", token,
			`{"messaging_product":"whatsapp","to":"`+to+`","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}`)
	}
	if a := hello("12025550148"); a.code != 131030 {
		t.Errorf("somebody who is not on the list: %s", a.body)
	}
	s.allow(token, "12025550151", "12025550152", "12025550153", "12025550154")
	p.open(s.console())
	p.see("Five people are on the list")
	if a := s.call("POST", "/v23.0/"+s.vars["PHONE_NUMBER_ID"]+"/allowed_recipients", token, `{"phone_number":"+12025550155"}`); a.status != 400 {
		t.Errorf("a sixth: %s", a.body)
	}
}

// allow puts people on the list, as the API does it.
func (s *server) allow(token string, people ...string) {
	s.t.Helper()
	path := "/v23.0/" + s.vars["PHONE_NUMBER_ID"] + "/allowed_recipients"
	for _, who := range people {
		s.call("POST", path, token, `{"phone_number":"+`+who+`"}`)
		var codes struct{ Data []struct{ Code string } }
		_ = json.Unmarshal([]byte(s.call("GET", "/control/v1/codes?phone="+who, "", "").body), &codes)
		if len(codes.Data) == 0 {
			s.t.Fatalf("no code for %s", who)
		}
		if a := s.call("POST", path, token, `{"phone_number":"+`+who+`","code":"`+codes.Data[0].Code+`"}`); a.status != 200 {
			s.t.Fatalf("%s: %s", who, a.body)
		}
	}
}

// A callback that does not know the token is not saved, and the page says why; one that does gets a signed sample.
func TestWebhook(t *testing.T) {
	need(t)
	s := serve(t)
	got := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if r.FormValue("hub.verify_token") != "meadow" {
				http.Error(w, "unknown token", http.StatusForbidden)
				return
			}
			_, _ = io.WriteString(w, r.FormValue("hub.challenge"))
			return
		}
		body, _ := io.ReadAll(r.Body)
		m := hmac.New(sha256.New, []byte(s.vars["APP_SECRET"]))
		m.Write(body)
		if r.Header.Get("X-Hub-Signature-256") != "sha256="+hex.EncodeToString(m.Sum(nil)) {
			got <- "a wrong signature"
			return
		}
		got <- string(body)
	}))
	t.Cleanup(receiver.Close)
	p := s.visit()
	p.open(s.configuration())
	p.fill("callback_url", receiver.URL+"/wa")
	p.fill("verify_token", "swamp")
	p.expect("status of 400")
	p.click("Verify and save")
	p.see("HTTP Status Code = 403")
	p.see("unknown token")
	p.look("a callback that was refused")
	if a := s.call("GET", "/v23.0/"+s.vars["APP_ID"]+"/subscriptions", s.vars["APP_ID"]+"|"+s.vars["APP_SECRET"], ""); strings.Contains(a.body, "callback_url") {
		t.Errorf("it was saved: %s", a.body)
	}
	p.fill("verify_token", "meadow")
	p.click("Verify and save")
	p.see("Verified and saved.")
	p.click("Test messages")
	p.see("Sample payload")
	p.click("Send to server")
	p.see("Your server answered 200")
	if body := next(t, got); !strings.Contains(body, `"field":"messages"`) {
		t.Errorf("the receiver got %s", body)
	}
	p.click("Subscribe messages")
	p.until("the subscription", `document.getElementById("on-messages").innerText === "Unsubscribe"`)
	p.open(s.console())
	p.until("the user of the sandbox", `document.getElementById("to").value === `+quote(s.vars["USER_PHONE"]))
	p.click("Send message")
	p.see("200 OK")
	s.idle()
	if body := next(t, got); !strings.Contains(body, `"statuses"`) {
		t.Errorf("the receiver got %s", body)
	}
	p.open(s.configuration())
	p.see("status · ")
	p.look("deliveries")
	p.click("status · sent")
	p.see("Payload")
	p.click("Redeliver")
	p.see("Your server answered 200")
}

// next is what the receiver gets.
func next(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case body := <-got:
		return body
	case <-time.After(patience):
		t.Fatal("the receiver got nothing")
		return ""
	}
}

// Everything can be done with the keyboard: a new token without a mouse.
func TestNewTokenByKeyboard(t *testing.T) {
	need(t)
	s := serve(t)
	p := s.visit()
	p.open(s.console())
	before, _ := eval[string](p, `document.getElementById("token").value`)
	for i := 0; ; i++ {
		p.press("\t")
		if on, _ := eval[string](p, `document.activeElement.innerText ?? ""`); strings.TrimSpace(on) == "New token" {
			break
		}
		if i > 60 {
			t.Fatal("the button is not reached with the tab key")
		}
	}
	p.press("\r")
	p.until("another token", `document.getElementById("token")?.value && document.getElementById("token").value !== `+quote(before))
	for name, token := range map[string]string{"the old one": before, "the new one": first(eval[string](p, `document.getElementById("token").value`))} {
		if a := s.call("GET", "/v23.0/"+s.vars["WABA_ID"], token, ""); a.status != 200 {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	a := s.call("GET", "/v23.0/debug_token?input_token="+before, s.vars["APP_ID"]+"|"+s.vars["APP_SECRET"], "")
	var info struct {
		Data struct {
			Type    string `json:"type"`
			Expires int64  `json:"expires_at"`
			Issued  int64  `json:"issued_at"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(a.body), &info); err != nil || info.Data.Type != "USER" || info.Data.Expires-info.Data.Issued != 23*3600 {
		t.Errorf("debug_token: %s", a.body)
	}
	p.open("/tools/debug/accesstoken/")
	p.fill("token", before)
	p.press("\r")
	p.see("whatsapp_business_messaging")
	p.look("a debugged token")
}

func first[T any](v T, _ bool) T { return v }

// The secret of an app is shown, replaced, and required as a proof; the shown command goes on to work.
func TestAppSecret(t *testing.T) {
	need(t)
	s := serve(t)
	p := s.visit()
	p.open("/apps/" + s.vars["APP_ID"] + "/settings/")
	p.click("Show")
	p.see(s.vars["APP_SECRET"])
	if _, ok := eval[bool](p, `(document.getElementById("proof-1").click(), true)`); !ok {
		t.Fatal("no box")
	}
	p.click("Save")
	p.until("the page again", `document.getElementById("proof-1")?.checked && !document.body.innerText.includes(`+quote(s.vars["APP_SECRET"])+`)`)
	if a := s.call("GET", "/v23.0/"+s.vars["WABA_ID"], s.vars["TOKEN"], ""); a.code != 100 {
		t.Errorf("without a proof: %s", a.body)
	}
	p.open(s.console() + "?to=%2B" + strings.TrimPrefix(s.vars["USER_PHONE"], "+"))
	command, _ := eval[string](p, `document.querySelector("#send pre").innerText`)
	if out := s.shell(command); !strings.Contains(out, " 200 ") {
		t.Errorf("the shown command answers %s", out)
	}
	p.open("/apps/" + s.vars["APP_ID"] + "/settings/")
	p.click("Replace")
	p.click("Replace")
	p.until("another secret", `document.querySelector("#secret code")?.innerText.length === 32`)
	p.gone(s.vars["APP_SECRET"])
	if a := s.call("GET", "/v23.0/"+s.vars["WABA_ID"], s.vars["TOKEN"], ""); a.code != 190 {
		t.Errorf("the old token: %s", a.body)
	}
}
