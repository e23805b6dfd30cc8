package e2e

import (
	"strconv"
	"testing"
)

// A system user's token is made in business settings with exactly the permissions that were ticked, works at once, and is refused as soon as it
// is revoked.
func TestSystemUserToken(t *testing.T) {
	need(t)
	s := serve(t)
	p := s.visit()
	p.open("/settings/system-users")
	p.click("Starter")
	p.tick("scope-whatsapp_business_management")
	p.click("Generate token")
	const shown = `document.querySelector("main").innerHTML.match(/EAA[A-Za-z0-9]{40,}/)?.[0]`
	p.until("the token", shown)
	p.look("a token shown once")
	token, _ := eval[string](p, shown)
	if a := s.call("GET", "/v23.0/"+s.vars["WABA_ID"], token, ""); a.status != 200 {
		t.Errorf("at once: %s", a.body)
	}
	if a := s.call("POST", "/v23.0/"+s.vars["PHONE_NUMBER_ID"]+"/messages", token, `{"messaging_product":"whatsapp","to":"16505555555","text":{"body":"x"}}`); a.code != 200 {
		t.Errorf("what was not ticked: %s", a.body)
	}
	for left := range 2 { // its own token, and the one of the first start
		p.click("Revoke")
		p.see("Revoke this token?")
		p.click("Revoke")
		p.until("one token less", `[...document.querySelectorAll("main button")].filter((b) => b.innerText.trim() === "Revoke" && b.checkVisibility()).length === `+strconv.Itoa(1-left))
	}
	if a := s.call("GET", "/v23.0/"+s.vars["WABA_ID"], token, ""); a.code != 190 {
		t.Errorf("after it was revoked: %s", a.body)
	}
}

// tick chooses a box.
func (p *page) tick(id string) {
	p.t.Helper()
	p.until("a box "+id, `document.getElementById(`+quote(id)+`)`)
	if ok, _ := eval[bool](p, `(() => { const e = document.getElementById(`+quote(id)+`); e.scrollIntoView({ block: "center" }); e.click(); return e.checked; })()`); !ok {
		p.t.Fatalf("%s: %s cannot be ticked", p.name, id)
	}
}
