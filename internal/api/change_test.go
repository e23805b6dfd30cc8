package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Source: spec/phone_numbers.md section 5: "Several parameters in one call: apply all or none".
func TestNumberChangesAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	asked := 0
	deaf := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { asked++; rw.WriteHeader(http.StatusNotFound) }))
	defer deaf.Close()
	config := `"webhook_configuration":{"override_callback_uri":"` + deaf.URL + `","verify_token":"x"}`
	if r := w.call("admin", "POST /v23.0/"+wabaA+"/subscribed_apps", ""); r.status != 200 {
		t.Fatal(r.body)
	}
	if r := w.call("admin", "POST /v23.0/"+numTest+"/username", `{"username":"taken.name"}`); r.status != 200 {
		t.Fatal(r.body)
	}
	for fact, body := range map[string]string{
		"the username belongs to another number": `{"new_display_name":"Another Name","pin":"482913","search_visibility":"NON_VISIBLE","username":"taken.name"}`,
		"the callback does not answer":           `{"new_display_name":"Another Name","pin":"482913","search_visibility":"NON_VISIBLE","username":"free.name",` + config + `}`,
	} {
		if r := w.call("admin", "POST /v23.0/"+numLive, body); r.status != 400 {
			t.Errorf("%s: %d %s", fact, r.status, r.body)
		}
		n, _ := w.business.Number(wa.PhoneNumberID(numLive))
		if n.NewName != "" || n.PIN.Enabled() || n.SearchHidden || n.Username != "" {
			t.Errorf("%s, and still changed: %+v", fact, n)
		}
	}
	if r := w.call("admin", "POST /v23.0/"+numLive, `{"username":"taken.name",`+config+`}`); r.status != 400 || asked != 1 {
		t.Errorf("a callback was asked %d times, want once: what is refused anyway asks nobody (%s)", asked, r.body)
	}
	r := w.call("admin", "POST /v23.0/"+numLive, `{"new_display_name":"Another Name","pin":"482913","search_visibility":"NON_VISIBLE","username":"free.name"}`)
	n, _ := w.business.Number(wa.PhoneNumberID(numLive))
	if r.status != 200 || n.NewName != "Another Name" || !n.PIN.Enabled() || !n.SearchHidden || n.Username != "free.name" {
		t.Errorf("%s %+v", strings.TrimSpace(r.body), n)
	}
}
