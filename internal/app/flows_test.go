package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/flow/flowtest"
)

// slotJSON is a flow of two screens that asks its endpoint for free slots.
const slotJSON = `{
  "version": "7.3", "data_api_version": "3.0", "routing_model": {"PICK": ["DONE"], "DONE": []},
  "screens": [
    {"id": "PICK", "title": "Pick", "data": {"slots": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}, "title": {"type": "string"}}}, "__example__": []}},
     "layout": {"type": "SingleColumnLayout", "children": [
       {"type": "RadioButtonsGroup", "name": "slot", "label": "Slot", "required": true, "data-source": "${data.slots}"},
       {"type": "Footer", "label": "Next", "on-click-action": {"name": "data_exchange", "payload": {"slot": "${form.slot}"}}}]}},
    {"id": "DONE", "title": "Done", "terminal": true, "success": true, "layout": {"type": "SingleColumnLayout", "children": [
       {"type": "TextHeading", "text": "Booked"},
       {"type": "Footer", "label": "Close", "on-click-action": {"name": "complete", "payload": {}}}]}}]}`

// plainJSON is a flow without endpoint.
const plainJSON = `{
  "version": "7.3", "screens": [
    {"id": "FORM", "title": "Form", "terminal": true, "success": true, "layout": {"type": "SingleColumnLayout", "children": [
       {"type": "TextInput", "name": "name", "label": "Name", "required": true},
       {"type": "Footer", "label": "Send", "on-click-action": {"name": "complete", "payload": {"name": "${form.name}"}}}]}}]}`

// sampleFlow is the id of the flow in sample messages, which open its screen GUESTS.
const sampleFlow = "900113355779911"

// party publishes a flow with that screen.
func (s *stand) party() string {
	s.t.Helper()
	a := s.graph("POST", s.start.WABA+"/flows", map[string]any{
		"name": "party", "categories": []string{"OTHER"}, "publish": true, "flow_json": strings.ReplaceAll(plainJSON, `"FORM"`, `"GUESTS"`),
	})
	if a.Status != http.StatusOK {
		s.t.Fatalf("%d %s", a.Status, a.Body)
	}
	return decode[struct{ ID string }](s.t, a.Body).ID
}

// flows is a stand with the business's side of flows.
type flows struct {
	*stand
	end *flowtest.Endpoint
	url string
}

func runFlows(t *testing.T) *flows {
	t.Helper()
	f := &flows{stand: run(t, nil)}
	f.end = flowtest.New(f.start.Secret, func(q flowtest.Question) flowtest.Answer {
		return flowtest.Answer{JSON: map[string]any{"screen": "PICK", "data": map[string]any{"slots": []any{}}}}
	})
	server := httptest.NewServer(f.end)
	t.Cleanup(server.Close)
	f.url = server.URL + "/flow"
	return f
}

// upload is POST /{flow}/assets.
func (f *flows) upload(id, document string) (int, string) {
	f.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for k, v := range map[string]string{"name": "flow.json", "asset_type": "FLOW_JSON"} {
		if err := form.WriteField(k, v); err != nil {
			f.t.Fatal(err)
		}
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="flow.json"`}, "Content-Type": {"application/json"},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := io.WriteString(part, document); err != nil {
		f.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		f.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(f.t.Context(), "POST", f.app.PublicURL()+"/"+version+"/"+id+"/assets", &b)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.start.Token)
	req.Header.Set("Content-Type", form.FormDataContentType())
	res, err := f.place.HTTP.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return res.StatusCode, string(out)
}

func (f *flows) want(method, path string, in any, status int, text string) string {
	f.t.Helper()
	a := f.graph(method, path, in)
	if a.Status != status || !strings.Contains(string(a.Body), text) {
		f.t.Fatalf("%s %s: %d %s\nwant %d with %s", method, path, a.Status, a.Body, status, text)
	}
	return string(a.Body)
}

// create makes a flow and returns its id.
func (f *flows) create(in map[string]any) string {
	f.t.Helper()
	body := f.want("POST", f.start.WABA+"/flows", in, 200, `"id":"`)
	return decode[struct{ ID string }](f.t, []byte(body)).ID
}

func (f *flows) subscribe() {
	f.t.Helper()
	f.stand.subscribe()
	a, err := f.place.Graph(f.t.Context(), "POST", version+"/"+f.start.App+"/subscriptions", f.start.App+"|"+f.start.Secret, map[string]any{
		"object": "whatsapp_business_account", "callback_url": f.hooks.url, "verify_token": f.start.Verify, "fields": []string{"flows"},
	})
	if err != nil || a.Status != http.StatusOK {
		f.t.Fatalf("subscribe: %v %+v", err, a)
	}
}

// A flow comes to life: each thing that stands in the way of publishing is named, and the app hears of every step.
func TestFlowFromNothing(t *testing.T) {
	t.Parallel()
	f := runFlows(t)
	id := f.create(map[string]any{"name": "pick_slot", "categories": []string{"APPOINTMENT_BOOKING"}})
	f.want("POST", f.start.WABA+"/flows", map[string]any{"name": "pick_slot", "categories": []string{"OTHER"}}, 400, `"error_user_title":"Flow name is not unique"`)
	f.want("POST", f.start.WABA+"/flows", map[string]any{"name": "b", "categories": []string{"OTHER"}, "clone_flow_id": "1", "flow_json": plainJSON}, 400, "Only one clone source can be set")
	refused := func(why string) {
		t.Helper()
		body := f.want("POST", id+"/publish", nil, 400, `"code":139002`)
		contains(t, "publish", body, why)
	}
	f.want("GET", id+"/assets", nil, 200, `{"data":[]`)
	refused("has no Flow JSON")
	if code, body := f.upload(id, `{"version":`); code != 400 || !strings.Contains(body, `"code":139001`) || !strings.Contains(body, "Error while processing Flow JSON") {
		t.Errorf("half a document: %d %s", code, body)
	}
	broken := strings.Replace(slotJSON, `"RadioButtonsGroup"`, `"RadioButtonGroup"`, 1)
	code, body := f.upload(id, broken)
	if code != 200 || !strings.HasPrefix(body, `{"success":true,"validation_errors":[{"error":"`) || !strings.Contains(body, `"path":"screens[0].layout.children[0].type"`) {
		t.Errorf("a wrong component: %d %s", code, body)
	}
	refused("validation errors")
	if code, body := f.upload(id, slotJSON); code != 200 || body != `{"success":true,"validation_errors":[]}` {
		t.Fatalf("upload: %d %s", code, body)
	}
	refused("Set endpoint_uri before publishing")
	f.want("POST", id, map[string]any{"endpoint_uri": "ftp://example.com/"}, 400, `Param endpoint_uri must be a public https URL`)
	f.want("POST", id, map[string]any{"endpoint_uri": f.url}, 200, `{"success":true}`)
	refused("Upload a public key")
	f.want("POST", f.start.Number+"/whatsapp_business_encryption", map[string]any{"business_public_key": f.end.PublicKey(t)}, 200, `{"success":true}`)
	refused("Subscribe the app")
	f.subscribe()
	f.end.Set(func(flowtest.Question) flowtest.Answer { return flowtest.Answer{Status: 500} })
	refused("The endpoint is not available: HTTP status 500.")
	f.end.Rotate()
	refused("could not be decrypted")
	if _, bad := f.end.Asked(); bad != 2 {
		t.Errorf("asked %d times with the old key, want the question and one more", bad)
	}
	f.end.Rotate()
	f.end.Set(func(flowtest.Question) flowtest.Answer { return flowtest.Answer{} })
	f.want("POST", id+"/publish", nil, 200, `{"success":true}`)
	refused("already published")
	hears := func(old, new string) {
		t.Helper()
		f.idle()
		contains(t, "webhook", strings.Join(f.hooks.take(), "\n"), fmt.Sprintf(
			`"value":{"event":"FLOW_STATUS_CHANGE","message":"Flow pick_slot changed status from %s to %s","flow_id":"%s","old_status":"%s","new_status":"%s"},"field":"flows"`,
			old, new, id, old, new))
	}
	hears("DRAFT", "PUBLISHED")
	f.want("DELETE", id, nil, 400, `"code":139004`)
	got := f.want("GET", id+"?fields=name,status,json_version,data_api_version,endpoint_uri,application,whatsapp_business_account{name},health_status,preview", nil, 200, `"status":"PUBLISHED"`)
	for _, part := range []string{
		`"json_version":"7.3"`, `"data_api_version":"3.0"`, `"endpoint_uri":"` + f.url + `"`, `"application":{"id":"` + f.start.App + `"`,
		`"whatsapp_business_account":{"name":"`, `{"entity_type":"FLOW","id":"` + id + `","can_send_message":"AVAILABLE"}`,
		`"preview":{"preview_url":"` + f.app.PublicURL() + "/flows/" + id + `/preview/?token=`, `"expires_at":"2026-12-22T12:00:00+0000"}`,
	} {
		contains(t, "node", got, part)
	}
	contains(t, "unix times", f.want("GET", id+"?fields=updated_at,preview&date_format=U", nil, 200, ""), `"expires_at":1797940800`)
	f.control("POST", "flows/"+id+"/state", map[string]string{"state": "THROTTLED"})
	hears("PUBLISHED", "THROTTLED")
	f.control("POST", "flows/"+id+"/state", map[string]string{"state": "PUBLISHED"})
	hears("THROTTLED", "PUBLISHED")
	f.want("POST", id+"/deprecate", nil, 200, `{"success":true}`)
	hears("PUBLISHED", "DEPRECATED")
	f.want("POST", id+"/deprecate", nil, 400, `"code":139003`)
	f.want("POST", id, map[string]any{"name": "x"}, 400, `"code":139001`)
	refused("deprecated")
}

// What is live stays live while a new draft is written.
func TestFlowDraftAndLive(t *testing.T) {
	t.Parallel()
	f := runFlows(t)
	id := f.create(map[string]any{"name": "form", "categories": []string{"OTHER"}, "flow_json": plainJSON, "publish": true})
	f.want("GET", id, nil, 200, `"status":"PUBLISHED"`)
	again := strings.Replace(plainJSON, `"FORM"`, `"FORM_TWO"`, 1)
	if code, body := f.upload(id, again); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	asset := decode[struct {
		Data []struct {
			Name string
			Type string `json:"asset_type"`
			URL  string `json:"download_url"`
		}
	}](t, []byte(f.want("GET", id+"/assets", nil, 200, `"asset_type":"FLOW_JSON"`))).Data[0]
	fetch := func(url string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := f.place.HTTP.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	if code, body := fetch(asset.URL); code != 200 || body != again {
		t.Errorf("asset: %d %s", code, body)
	}
	if code, _ := fetch(strings.Replace(asset.URL, "&n=2", "&n=1", 1)); code != 404 {
		t.Errorf("another document by the same token: %d", code)
	}
	clone := f.create(map[string]any{"name": "copy", "categories": []string{"OTHER"}, "clone_flow_id": id})
	if code, body := fetch(decode[struct {
		Data []struct {
			URL string `json:"download_url"`
		}
	}](t, []byte(f.want("GET", clone+"/assets", nil, 200, ""))).Data[0].URL); code != 200 || body != plainJSON {
		t.Errorf("the clone begins with what is live: %d %s", code, body)
	}
	f.want("DELETE", clone, nil, 200, `{"success":true}`)
	f.want("GET", clone, nil, 400, `"error_subcode":33`)
	f.want("GET", f.start.WABA+"/flows", nil, 200, `{"data":[{"id":"`+id+`","name":"form","status":"PUBLISHED","categories":["OTHER"],"validation_errors":[]}]`)
	f.down()
	f.up()
	f.want("POST", id+"/publish", nil, 200, `{"success":true}`)
	f.want("GET", id+"/assets", nil, 200, "n=2")
}

// A user opens a flow that was sent to them, exchanges data with its endpoint, and nobody else can.
func TestFlowOnADevice(t *testing.T) {
	t.Parallel()
	f := runFlows(t)
	f.subscribe()
	f.want("POST", f.start.Number+"/whatsapp_business_encryption", map[string]any{"business_public_key": f.end.PublicKey(t)}, 200, `{"success":true}`)
	id := f.create(map[string]any{"name": "slots", "categories": []string{"OTHER"}, "flow_json": slotJSON, "endpoint_uri": f.url, "publish": true})
	send := func(parameters string, status int, want string) {
		t.Helper()
		a := f.graph("POST", f.start.Number+"/messages", json.RawMessage(`{"messaging_product":"whatsapp","to":"+`+f.start.User+`","type":"interactive","interactive":{"type":"flow",
"body":{"text":"Pick"},"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_cta":"Open",`+parameters+`}}}}`))
		if a.Status != status || !strings.Contains(string(a.Body), want) {
			t.Errorf("%s: %d %s\nwant %d with %s", parameters, a.Status, a.Body, status, want)
		}
	}
	for parameters, want := range map[string]string{
		`"flow_id":"1"`: "does not exist", `"flow_name":"x"`: "does not exist",
		`"flow_id":"` + id + `","flow_action_payload":{"screen":"NOWHERE"}`: "no screen of this name",
	} {
		send(parameters, 400, `"code":131009`)
		send(parameters, 400, want)
	}
	draft := f.create(map[string]any{"name": "form", "categories": []string{"OTHER"}, "flow_json": plainJSON})
	send(`"flow_id":"`+draft+`"`, 400, `mode \"draft\"`)
	send(`"flow_id":"`+draft+`","mode":"draft","flow_action":"data_exchange"`, 400, "needs a Flow with an endpoint")
	send(`"flow_id":"`+draft+`","mode":"draft"`, 200, `"messages"`)
	send(`"flow_name":"slots","flow_token":"order-1","flow_action":"data_exchange"`, 200, `"messages"`)
	f.control("POST", "flows/"+id+"/state", map[string]string{"state": "BLOCKED"})
	send(`"flow_id":"`+id+`"`, 400, `"code":132068`)
	f.control("POST", "flows/"+id+"/state", map[string]string{"state": "THROTTLED"})
	for range 10 {
		send(`"flow_id":"`+id+`"`, 200, `"messages"`)
	}
	send(`"flow_id":"`+id+`"`, 400, `"code":132069`)
	f.advance(time.Hour)
	f.idle()
	send(`"flow_id":"`+id+`"`, 200, `"messages"`)
}

// A message that is refused after its flow was looked at takes nothing of the ten that a throttled flow has.
func TestRefusedMessagesDoNotThrottleAFlow(t *testing.T) {
	t.Parallel()
	f := runFlows(t)
	id := f.create(map[string]any{"name": "form", "categories": []string{"OTHER"}, "flow_json": plainJSON, "publish": true})
	f.control("POST", "flows/"+id+"/state", map[string]string{"state": "THROTTLED"})
	send := func(status int, want string) {
		t.Helper()
		a := f.graph("POST", f.start.Number+"/messages", json.RawMessage(`{"messaging_product":"whatsapp","to":"+`+f.start.User+`","type":"interactive","interactive":{"type":"flow",
"body":{"text":"Pick"},"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_cta":"Open","flow_id":"`+id+`"}}}}`))
		if a.Status != status || !strings.Contains(string(a.Body), want) {
			t.Errorf("%d %s\nwant %d with %s", a.Status, a.Body, status, want)
		}
	}
	for range 5 {
		send(200, `"messages"`)
	}
	f.as("POST "+f.start.User+"/messages", `{"to":"`+f.start.Number+`","type":"text","text":{"body":"Hello"}}`, 200)
	f.idle()
	block := map[string]any{"messaging_product": "whatsapp", "block_users": []any{map[string]string{"user": f.start.User}}}
	f.want("POST", f.start.Number+"/block_users", block, 200, `"added_users"`)
	for range 7 {
		send(403, `"code":130403`)
	}
	f.want("DELETE", f.start.Number+"/block_users", block, 200, `"removed_users"`)
	for range 5 {
		send(200, `"messages"`)
	}
	send(400, `"code":132069`)
}

// Source: spec/quality.md section 5, spec/flows.md section 12.
func TestSanctionsReachFlows(t *testing.T) {
	t.Parallel()
	f := runFlows(t)
	id := f.create(map[string]any{"name": "form", "categories": []string{"OTHER"}, "flow_json": plainJSON})
	f.control("POST", "wabas/"+f.start.WABA+"/enforcement", map[string]int{"step": 6})
	make := map[string]any{"name": "more", "categories": []string{"OTHER"}}
	f.want("POST", f.start.WABA+"/flows", make, 400, `"code":139000`)
	f.want("POST", id+"/publish", nil, 400, `"code":139000`)
	f.want("POST", id, map[string]string{"name": "other"}, 403, `"code":368`)
	f.want("DELETE", id, nil, 403, `"code":368`)
	if code, body := f.upload(id, plainJSON); code != 403 || !strings.Contains(body, `"code":368`) {
		t.Errorf("upload: %d %s", code, body)
	}
	f.want("POST", f.start.Number+"/whatsapp_business_profile", map[string]string{"messaging_product": "whatsapp", "about": "Hi"}, 403, `"code":368`)
	f.want("POST", f.start.WABA+"/subscribed_apps", nil, 403, `"code":368`)
	f.want("GET", id, nil, 200, `"name":"form"`)
	f.control("DELETE", "wabas/"+f.start.WABA+"/enforcement", nil)
	f.want("POST", f.start.WABA+"/flows", make, 200, `"id":"`)
	f.want("DELETE", id, nil, 200, `{"success":true}`)
}

// The flow that a template brings is made last: what is refused leaves none behind.
func TestFlowOfARefusedTemplate(t *testing.T) {
	t.Parallel()
	f := runFlows(t)
	in := map[string]any{"name": "party", "language": "en_US", "category": "MARKETING", "components": []any{
		map[string]any{"type": "BODY", "text": "Tell us."},
		map[string]any{"type": "BUTTONS", "buttons": []any{map[string]any{"type": "FLOW", "text": "Go", "flow_json": plainJSON, "navigate_screen": "FORM"}}},
	}}
	f.want("POST", f.start.WABA+"/message_templates", in, 200, `"id":"`)
	f.want("POST", f.start.WABA+"/message_templates", in, 400, `"code":100`)
	if body := f.want("GET", f.start.WABA+"/flows", nil, 200, `"name":"party_en_US"`); strings.Count(body, `"name":`) != 1 {
		t.Errorf("flows: %s", body)
	}
}
