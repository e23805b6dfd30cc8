package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/flow/flowtest"
	"github.com/hikyaku/hikyaku/test/child"
)

// slotFlow makes the flow of the sample file as a draft, with an endpoint that speaks its side.
func (s *stand) slotFlow(on func(flowtest.Question) flowtest.Answer) string {
	s.t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "flow", "document", "testdata", "slot.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	e := flowtest.New(s.start.Secret, on)
	server := httptest.NewServer(e)
	s.t.Cleanup(server.Close)
	if a := s.graph("POST", s.start.Number+"/whatsapp_business_encryption", map[string]string{"business_public_key": e.PublicKey(s.t)}); a.Status != http.StatusOK {
		s.t.Fatalf("key: HTTP %d %s", a.Status, a.Body)
	}
	a := s.graph("POST", s.start.WABA+"/flows", map[string]any{
		"name": "pick_slot", "categories": []string{"APPOINTMENT_BOOKING"}, "endpoint_uri": server.URL, "flow_json": string(src),
	})
	made := decode[struct {
		ID       string
		Problems []any `json:"validation_errors"`
	}](s.t, a.Body)
	if a.Status != http.StatusOK || made.ID == "" || len(made.Problems) > 0 {
		s.t.Fatalf("flow: HTTP %d %s", a.Status, a.Body)
	}
	return made.ID
}

func slotEndpoint(q flowtest.Question) flowtest.Answer {
	slots := []map[string]string{{"id": "10-30", "title": "10:30"}, {"id": "11-00", "title": "11:00"}}
	switch {
	case q.Action == "INIT":
		return flowtest.Answer{JSON: map[string]any{"screen": "PICK", "data": map[string]any{"slots": slots}}}
	case q.Data["slot"] == "11-00":
		return flowtest.Answer{JSON: map[string]any{"screen": "PICK", "data": map[string]any{"error_message": "11:00 is taken."}}}
	}
	return flowtest.Answer{JSON: map[string]any{"screen": "DETAILS", "data": map[string]any{}}}
}

// preview follows the link of a flow and tries it there. Source: spec/flows.md section 5.
func (s *stand) preview(flow string) {
	s.t.Helper()
	a := s.graph("GET", flow+"?fields=preview.invalidate(false)", nil)
	link := decode[struct {
		Preview struct {
			URL string `json:"preview_url"`
		}
	}](s.t, a.Body).Preview.URL
	for query, want := range map[string]string{
		"": "When do you want to come?", "&interactive=true&flow_action=data_exchange&phone_number=" + s.start.Number: `value="11-00"`, "x": "does not exist",
	} {
		res, err := s.place.HTTP.Get(link + query)
		if err != nil {
			s.t.Fatal(err)
		}
		page, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			s.t.Fatal(err)
		}
		contains(s.t, "the preview "+query, string(page), want)
	}
}

// A business sends a flow; the user's device opens it, talks with the endpoint and answers. Source: spec/flows.md sections 7, 8.
func TestAUserAnswersAFlow(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.PrivateWebhooks = true })
	s.subscribe()
	flow := s.slotFlow(slotEndpoint)
	id := s.interactive("flow", `"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_name":"pick_slot","flow_cta":"Book",`+
		`"flow_token":"order-2210","mode":"draft","flow_action":"data_exchange"}}`)
	press := func(fields string, status int) string {
		t.Helper()
		return s.as("POST "+s.start.User+"/actions", `{"do":"press","to":"`+s.start.Number+`","ids":["`+id+`"],"fields":`+fields+`}`, status)
	}
	contains(t, "a slot that is taken", press(`{"slot":"11-00"}`, http.StatusBadRequest), "11:00 is taken.")
	contains(t, "a field that is missing", press(`{"slot":"10-30"}`, http.StatusBadRequest), "name: This is required.")
	press(`{"slot":"10-30","name":"Aiko"}`, http.StatusOK)
	s.idle()
	body := ""
	for _, b := range s.hooks.take() {
		if strings.Contains(b, "nfm_reply") {
			body += b
		}
	}
	want, _ := json.Marshal(`{"flow_token":"order-2210","name":"Aiko","slot":"10-30"}`)
	contains(t, "the webhook", body, `"nfm_reply":{"name":"flow","body":"Sent","response_json":`+string(want)+`}`)
	contains(t, "the webhook", body, `"context":{"from":"15550783881","id":"`+strings.ReplaceAll(id, "/", `\/`)+`"}`)
	s.preview(flow)
	if a := s.graph("DELETE", flow, nil); a.Status != http.StatusOK {
		t.Fatalf("delete: HTTP %d %s", a.Status, a.Body)
	}
	contains(t, "a flow that is gone", press(`{}`, http.StatusBadRequest), "cannot be opened any more")
}

// What the endpoint says of a flow token that is over reaches the person; of its faults they hear nothing. Source:
// spec/flows.md section 8.3.
func TestAnEndpointRefuses(t *testing.T) {
	t.Parallel()
	var answer atomic.Pointer[flowtest.Answer]
	s := run(t, func(o *app.Options) { o.PrivateWebhooks = true })
	s.slotFlow(func(q flowtest.Question) flowtest.Answer {
		if a := answer.Load(); a != nil && q.Action == "data_exchange" {
			return *a
		}
		return slotEndpoint(q)
	})
	id := s.interactive("flow", `"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_name":"pick_slot","flow_cta":"Book",`+
		`"flow_token":"order-2210","mode":"draft","flow_action":"data_exchange"}}`)
	for _, c := range []struct {
		answer flowtest.Answer
		want   string
	}{
		{flowtest.Answer{Status: 427, Body: `{"error_msg":"Your order was closed."}`}, "Your order was closed."},
		{flowtest.Answer{Status: 427}, "This form is no longer valid."},
		{flowtest.Answer{Status: 432}, "Something went wrong. Try again later."},
		{flowtest.Answer{Status: 500, Body: "stack trace"}, "Something went wrong. Try again later."},
		{flowtest.Answer{JSON: strings.Repeat("x", 2<<20)}, "Something went wrong. Try again later."},
		{flowtest.Answer{JSON: map[string]any{"screen": 7}}, "Something went wrong. Try again later."},
	} {
		answer.Store(&c.answer)
		body := s.as("POST "+s.start.User+"/actions", `{"do":"press","to":"`+s.start.Number+`","ids":["`+id+`"],"fields":{"slot":"10-30"}}`, http.StatusBadRequest)
		contains(t, "what the person reads", body, c.want)
	}
}

// A template with a FLOW button is made, approved and sent; the device opens its flow and answers. Source: spec/templates.md
// section 6.4.
func TestATemplateOpensAFlow(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.PrivateWebhooks = true })
	(&flows{stand: s}).subscribe()
	flow := s.slotFlow(slotEndpoint)
	create := func(name, button string) *child.Answer {
		t.Helper()
		return s.graph("POST", s.start.WABA+"/message_templates", json.RawMessage(`{"name":"`+name+`","language":"en_US","category":"UTILITY","components":[
{"type":"BODY","text":"Your appointment is due."},{"type":"BUTTONS","buttons":[{"type":"FLOW","text":"Book",`+button+`}]}]}`))
	}
	for button, want := range map[string]string{
		`"flow_id":"1"`: "does not exist in this account", `"flow_name":"x"`: "does not exist in this account",
		`"flow_id":"` + flow + `","flow_action":"navigate","navigate_screen":"NOWHERE"`: "navigate_screen names no screen",
	} {
		if a := create("refused", button); a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), want) {
			t.Errorf("%s: HTTP %d %s", button, a.Status, a.Body)
		}
	}
	made := create("due", `"flow_id":"`+flow+`","flow_action":"data_exchange"`)
	if made.Status != http.StatusOK {
		t.Fatalf("HTTP %d %s", made.Status, made.Body)
	}
	template := decode[struct{ ID string }](t, made.Body).ID
	s.control("POST", "templates/"+template+"/review", map[string]string{"decision": "approve"})
	got := string(s.graph("GET", template+"?fields=components", nil).Body)
	contains(t, "template", got, `"flow_id":"`+flow+`","flow_action":"DATA_EXCHANGE"`)
	message := json.RawMessage(`{"messaging_product":"whatsapp","to":"` + s.start.User + `","type":"template","template":{"name":"due","language":{"code":"en_US"},
"components":[{"type":"button","sub_type":"flow","index":"0","parameters":[{"type":"action","action":{"flow_token":"order-7"}}]}]}}`)
	refused := s.graph("POST", s.start.Number+"/messages", message)
	contains(t, "the flow is a draft", string(refused.Body), "is not published")
	if a := s.graph("POST", flow+"/publish", nil); a.Status != http.StatusOK {
		t.Fatalf("publish: HTTP %d %s", a.Status, a.Body)
	}
	id := s.send(message)
	s.idle()
	shown := ""
	for _, line := range s.chat(s.start.User) {
		if line.ID == id {
			shown = string(line.Content)
		}
	}
	contains(t, "the device", shown, `"flow_id":"`+flow+`","flow_token":"order-7","flow_action":"data_exchange"`)
	s.as("POST "+s.start.User+"/actions", `{"do":"press","to":"`+s.start.Number+`","ids":["`+id+`"],"fields":{"slot":"10-30","name":"Aiko"}}`, http.StatusOK)
	s.idle()
	contains(t, "the webhook", strings.Join(s.hooks.take(), "\n"), `{\"flow_token\":\"order-7\",\"name\":\"Aiko\",\"slot\":\"10-30\"}`)
}
