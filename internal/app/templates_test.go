package app_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A template is made, reviewed by the clock, rejected by hand and appealed, and the app hears of every step.
func TestTemplates(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	a, err := s.place.Graph(t.Context(), "POST", version+"/"+s.start.App+"/subscriptions", s.start.App+"|"+s.start.Secret,
		map[string]any{
			"object": "whatsapp_business_account", "callback_url": s.hooks.url, "verify_token": s.start.Verify,
			"fields": []string{"message_template_components_update", "message_template_status_update", "template_category_update"},
		})
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("subscribe: %v %+v", err, a)
	}
	a = s.graph("POST", s.start.WABA+"/message_templates", map[string]any{
		"name": "news_1", "language": "en_US", "category": "UTILITY", "components": []any{map[string]any{"type": "BODY", "text": "News of today are here."}},
	})
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	made := decode[struct{ ID, Status string }](t, a.Body)
	if made.Status != "PENDING" {
		t.Error(made.Status)
	}
	identity := `"message_template_id":` + made.ID + `,"message_template_name":"news_1","message_template_language":"en_US"`
	hears := func(value, field string) {
		t.Helper()
		s.idle()
		all := strings.Join(s.hooks.take(), "\n")
		contains(t, "webhook", all, `"value":{`+strings.ReplaceAll(value, "/", `\/`)+`},"field":"`+field+`"`)
	}
	hears(identity+`,"message_template_element":"News of today are here."`, "message_template_components_update")
	s.advance(2 * time.Second)
	status := func(event, reason string) {
		t.Helper()
		hears(`"event":"`+event+`",`+identity+`,"reason":"`+reason+`","message_template_category":"UTILITY"`, "message_template_status_update")
	}
	status("APPROVED", "NONE")
	s.control("POST", "templates/"+made.ID+"/review", map[string]string{"decision": "reject", "reason": "PROMOTIONAL"})
	status("REJECTED", "PROMOTIONAL")
	s.control("POST", "templates/"+made.ID+"/appeal", map[string]string{})
	status("IN_APPEAL", "NONE")
	s.control("POST", "templates/"+made.ID+"/review", map[string]string{"decision": "approve"})
	status("APPROVED", "NONE")
	s.control("POST", "templates/"+made.ID+"/category", map[string]any{"category": "MARKETING", "now": true})
	hears(identity+`,"previous_category":"UTILITY","new_category":"MARKETING"`, "template_category_update")
}

// A media header is illustrated by an upload of the same app, and read back as an address.
func TestTemplateSample(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	create := func(name, handle string) (int, string) {
		t.Helper()
		a := s.graph("POST", s.start.WABA+"/message_templates", map[string]any{
			"name": name, "language": "en_US", "category": "UTILITY", "components": []any{
				map[string]any{"type": "HEADER", "format": "IMAGE", "example": map[string]any{"header_handle": []string{handle}}},
				map[string]any{"type": "BODY", "text": "Your picture " + name + " is ready."},
			},
		})
		return a.Status, string(a.Body)
	}
	code, answer := create("a", "4::aW1hZ2UvcG5n:x")
	if code != 400 || !strings.Contains(answer, `"error_subcode":2388273`) {
		t.Errorf("a handle that is none: %d %s", code, answer)
	}
	png, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
	if err != nil {
		t.Fatal(err)
	}
	session := decode[struct{ ID string }](t, s.graph("POST", s.start.App+"/uploads?file_name=a.png&file_type=image/png&file_length="+strconv.Itoa(len(png)), nil).Body)
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.app.PublicURL()+"/"+version+"/"+session.ID, bytes.NewReader(png))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "OAuth "+s.start.Token)
	req.Header.Set("file_offset", "0")
	res, err := s.place.HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	handle := decode[struct{ H string }](t, b).H
	if code, answer = create("b", handle); code != 200 {
		t.Fatalf("%d %s", code, answer)
	}
	got := string(s.graph("GET", decode[struct{ ID string }](t, []byte(answer)).ID+"?fields=components", nil).Body)
	contains(t, "template", got, `"example":{"header_handle":["`+s.app.PublicURL()+`/media/?mid=`)
	_, address, _ := strings.Cut(got, `"header_handle":["`)
	address, _, _ = strings.Cut(address, `"`)
	fetch := func(token string) (int, []byte) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := s.place.HTTP.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, b
	}
	if code, b := fetch(s.start.Token); code != 200 || !bytes.Equal(b, png) {
		t.Errorf("the sample: %d, %d bytes", code, len(b))
	}
	if code, _ := fetch("x"); code != 401 {
		t.Errorf("the sample without a token: %d", code)
	}
}

// A template is deleted while a message of it waits for its user: it goes when the message has arrived. Source: spec/templates.md
// section 4.4.
func TestTemplateWithMessagesUnderWay(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	a := s.graph("POST", s.start.WABA+"/message_templates", map[string]any{
		"name": "news_1", "language": "en_US", "category": "UTILITY", "components": []any{map[string]any{"type": "BODY", "text": "News of today are here."}},
		"degrees_of_freedom_spec": json.RawMessage(`{"creative_features_spec":{"text_b":{"enroll_status":"OPT_OUT"},"text_a":{"enroll_status":"OPT_IN"}}}`),
	})
	id := decode[struct{ ID string }](t, a.Body).ID
	contains(t, "features", string(s.graph("GET", id+"?fields=degrees_of_freedom_spec", nil).Body), `{"degrees_of_freedom_spec":{"creative_features_spec":[`+
		`{"key":"text_a","value":{"enroll_status":"OPT_IN"}},{"key":"text_b","value":{"enroll_status":"OPT_OUT"}}]},"id":"`+id+`"}`)
	s.advance(2 * time.Second)
	s.idle()
	s.control("POST", "users/"+s.start.User+"/actions", map[string]string{"do": "offline"})
	sent := s.send(map[string]any{
		"messaging_product": "whatsapp", "to": "+" + s.start.User, "type": "template",
		"template": map[string]any{"name": "news_1", "language": map[string]string{"code": "en_US"}},
	})
	if a := s.graph("DELETE", s.start.WABA+"/message_templates?name=news_1", nil); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	is := func(status string) {
		t.Helper()
		contains(t, "the list", string(s.graph("GET", s.start.WABA+"/message_templates?status=PENDING_DELETION,DELETED&fields=id,status", nil).Body),
			`{"id":"`+id+`","status":"`+status+`"}`)
	}
	is("PENDING_DELETION")
	s.advance(time.Hour)
	s.idle()
	is("PENDING_DELETION")
	s.control("POST", "users/"+s.start.User+"/actions", map[string]string{"do": "online"})
	s.idle()
	s.status(sent, "delivered")
	s.advance(5 * time.Minute)
	s.idle()
	is("DELETED")
}
