package app_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device/virtual"
	"github.com/hikyaku/hikyaku/test/child"
)

// as calls the control API for the starter user and returns what it says.
func (s *stand) as(call, body string, status int) string {
	s.t.Helper()
	method, path, _ := strings.Cut(call, " ")
	var v any
	if body != "" {
		v = json.RawMessage(body)
	}
	a, err := s.place.Do(s.t.Context(), method, "/control/v1/users/"+path, v)
	if err != nil {
		s.t.Fatal(err)
	}
	if a.Status != status {
		s.t.Errorf("%s %s: HTTP %d %s, want %d", call, body, a.Status, a.Body, status)
	}
	return string(a.Body)
}

// Every type that a user can send reaches the business under its own name. ID is a message of the business that offers
// everything, OWN one of the user's. Source: spec/webhooks.md sections 12 and 13.
func TestUsersSendEveryType(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	offer := s.interactive("list", `"action":{"button":"b","sections":[{"title":"s","rows":[{"id":"t-09","title":"Nine","description":"Morning"}]}]}`)
	s.interactive("button", `"action":{"buttons":[{"type":"reply","reply":{"id":"keep","title":"Keep"}}]}`)
	s.interactive("call_permission_request", `"action":{"name":"call_permission_request"}`)
	s.as("POST "+s.start.User+"/messages", `{"type":"text","text":{"body":"first"}}`, http.StatusOK)
	s.idle()
	chat := s.chat(s.start.User)
	own := chat[len(chat)-1].ID
	s.hooks.take()
	const sha = `"sha256":"`
	for _, c := range []struct{ content, typ, says string }{
		{`{"type":"text","text":{"body":"hi"},"context":{"id":"ID"}}`, "text", `"context":{"from":"15550783881","id":"ID"}`},
		{`{"type":"text","text":{"body":"hi"},"context":{"forwarded":true}}`, "text", `"context":{"forwarded":true}`},
		{`{"type":"text","text":{"body":"hi"},"context":{"frequently_forwarded":true}}`, "text", `"context":{"frequently_forwarded":true}`},
		{
			`{"type":"text","text":{"body":"hi"},"context":{"id":"ID","referred_product":{"catalog_id":"7","product_retailer_id":"S"}}}`, "text",
			`"referred_product":{"catalog_id":"7","product_retailer_id":"S"}`,
		},
		{`{"type":"text","text":{"body":"hi"},"referral":{"source_id":"12","source_type":"ad","ctwa_clid":"Aff"}}`, "text", `"ctwa_clid":"Aff"`},
		{`{"type":"image","image":{"caption":"see"}}`, "image", `"caption":"see"`},
		{`{"type":"image","image":{"data":"iVBORw0KGgo=","mime_type":"image/png"}}`, "image", `"mime_type":"image/png"`},
		{`{"type":"video"}`, "video", sha},
		{`{"type":"audio","audio":{"voice":true}}`, "audio", `"voice":true`},
		{`{"type":"document","document":{"filename":"bill.pdf"}}`, "document", `"filename":"bill.pdf"`},
		{`{"type":"sticker","sticker":{"animated":true}}`, "sticker", `"animated":true`},
		{`{"type":"location","location":{"latitude":48.8589,"longitude":2.32,"name":"Gare"}}`, "location", `"latitude":48.8589`},
		{`{"type":"contacts","contacts":[{"name":{"formatted_name":"Ana"}}]}`, "contacts", `"formatted_name":"Ana"`},
		{`{"type":"reaction","reaction":{"message_id":"ID","emoji":"X"}}`, "reaction", `"message_id":"ID"`},
		{`{"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"t-09","title":"Nine"}}}`, "interactive", `"id":"ID"},"from"`},
		{`{"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"keep","title":"Keep"}}}`, "interactive", `"title":"Keep"`},
		{
			`{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{}"}},"context":{"id":"ID"}}`,
			"interactive", `"response_json":"{}"`,
		},
		{`{"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"reject"}}}`, "interactive", `"response":"reject"`},
		{`{"type":"button","button":{"payload":"keep","text":"Keep"},"context":{"id":"ID"}}`, "button", `"payload":"keep"`},
		{
			`{"type":"order","order":{"catalog_id":"7","product_items":[{"product_retailer_id":"S","quantity":2,"item_price":24.5,"currency":"EUR"}]}}`,
			"order", `"item_price":24.5`,
		},
		{`{"type":"edit","edit":{"original_message_id":"OWN","message":{"type":"text","text":{"body":"second"}}}}`, "unsupported", `"type":"edit"`},
		{`{"type":"revoke","revoke":{"original_message_id":"OWN"}}`, "unsupported", `"type":"revoke"`},
		{`{"type":"poll_creation","poll_creation":{"name":"When?"}}`, "unsupported", `"unsupported":{"type":"poll_creation"}`},
		{`{"type":"unsupported"}`, "unsupported", `"code":131051`},
	} {
		fill := strings.NewReplacer(`"ID"`, `"`+offer+`"`, `"OWN"`, `"`+own+`"`)
		s.as("POST "+s.start.User+"/messages", fill.Replace(c.content), http.StatusOK)
		s.idle()
		got := strings.Join(s.hooks.take(), "\n")
		says := strings.ReplaceAll(fill.Replace(c.says), "/", `\/`)
		if strings.Count(got, `"messages":[`) != 1 || !strings.Contains(got, `"type":"`+c.typ+`"`) || !strings.Contains(got, says) {
			t.Errorf("%s: the webhook says %s, want %s", c.content, got, says)
		}
	}
	if p := s.hooks.Problems(); p != nil {
		t.Error(p)
	}
}

// interactive sends an interactive message and returns its id.
func (s *stand) interactive(kind, members string) string {
	s.t.Helper()
	id := s.send(json.RawMessage(`{"messaging_product":"whatsapp","to":"` + s.start.User + `","type":"interactive","interactive":{"type":"` + kind +
		`","body":{"text":"?"},` + members + `}}`))
	s.idle()
	return id
}

// Every type that a business can send is on the user's device, with its choices; those of the network's sample file are in
// the shape of the send API. Files are those that the device downloads, verifies and decrypts.
func TestUsersGetEveryType(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	list, err := os.ReadFile(filepath.Join("..", "..", "device", "testdata", "business.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	count, party := 0, s.party()
	for line := range strings.Lines(string(list)) {
		line = strings.ReplaceAll(line, sampleFlow, party)
		v := decode[map[string]any](t, []byte(line))
		typ := v["type"].(string)
		switch {
		case strings.Contains(line, `"blob"`), typ == "template", typ == "order", typ == "system", typ == "pin", typ == "unheard_of", typ == "reaction":
			continue // not in the shape of a send; files follow below, templates have tests of their own
		}
		if count++; count%40 == 0 {
			s.advance(10 * time.Minute) // the limit of a pair
		}
		v["messaging_product"], v["to"] = "whatsapp", s.start.User
		if typ == "interactive" && strings.Contains(line, "order_details") || strings.Contains(line, "order_status") ||
			strings.Contains(line, "address_message") || strings.Contains(line, `"product`) || strings.Contains(line, "catalog") {
			continue // need a catalog, an order or a country that the sandbox does not have
		}
		a := s.graph("POST", s.start.Number+"/messages", v)
		if a.Status != http.StatusOK {
			t.Errorf("%s: HTTP %d %s", line, a.Status, a.Body)
			continue
		}
		s.idle()
		chat := s.chat(s.start.User)
		if last := chat[len(chat)-1]; last.ID != a.MessageID() || last.Type != typ || len(last.Content) == 0 {
			t.Errorf("%s: the device shows %+v", line, last)
		}
	}
	if count < 10 {
		t.Errorf("only %d types", count)
	}
	for _, kind := range []string{"image", "audio", "document", "sticker"} {
		sample, _ := virtual.Sample(kind)
		id := s.upload(sample.MIME, string(sample.Data))
		wamid := s.send(map[string]any{"messaging_product": "whatsapp", "to": s.start.User, "type": kind, kind: map[string]string{"id": id}})
		s.idle()
		got := decode[struct {
			Kind string
			Data []byte
		}](t, []byte(s.as("GET "+s.start.User+"/media?message_id="+url.QueryEscape(wamid), "", http.StatusOK)))
		if got.Kind != kind || !bytes.Equal(got.Data, sample.Data) {
			t.Errorf("%s: the device has a %s of %d bytes", kind, got.Kind, len(got.Data))
		}
	}
}

// What is malformed is refused with the place of the mistake, and sends nothing.
func TestMalformedContentOfUsers(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	before := len(s.chat(s.start.User))
	for content, says := range map[string]string{
		`{"type":7}`:                 "type",
		`{"text":{"body":"x"}}`:      "type is missing",
		`{"type":"text","text":"x"}`: "text",
		`{"to":"12025550199","type":"text","text":{"body":"x"}}`:                                                     "no business number",
		`{"type":"image","image":{"dat":"AA=="}}`:                                                                    "dat",
		`{"type":"image","image":{"data":"AA=="}}`:                                                                   "image.mime_type",
		`{"type":"image","image":{"mime_type":"image/png"}}`:                                                         "image.data",
		`{"type":"image","image":{"data":"%","mime_type":"image/png"}}`:                                              "image",
		`{"type":"sticker","sticker":{"caption":"x"}}`:                                                               "sticker.caption",
		`{"type":"video","video":{"voice":true}}`:                                                                    "video.voice",
		`{"type":"location","location":{"latitude":100,"longitude":1}}`:                                              "location.latitude",
		`{"type":"reaction","reaction":{}}`:                                                                          "reaction.message_id",
		`{"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"a","title":"A"}}}`:             "context.id",
		`{"type":"button","button":{"payload":"a","text":"A"}}`:                                                      "context.id",
		`{"type":"order","order":{"catalog_id":"1","product_items":[]}}`:                                             "order.product_items",
		`{"type":"template","template":{"name":"hello_world"}}`:                                                      "cannot send",
		`{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow"}},"context":{"id":"x"}}`: "response_json",
	} {
		contains(t, content, s.as("POST "+s.start.User+"/messages", content, http.StatusBadRequest), says)
	}
	for action, says := range map[string]string{
		`{"do":"typing"}`: "no such action", `{"do":"report","to":"12025550199"}`: "no business number",
		`{"do":"press"}`: `{"error":"cannot be done: ids are missing"}`, `{"do":"change_number","phone":"x"}`: "phone",
		`{"do":"change_number","phone":"15550783881"}`: "business number", `{"do":"offline","for":"-1s"}`: "negative",
	} {
		contains(t, action, s.as("POST "+s.start.User+"/actions", action, http.StatusBadRequest), says)
	}
	s.as("POST "+s.start.User+"/actions", `{"do":"react","ids":["wamid.x"],"emoji":"x"}`, http.StatusNotFound)
	s.as("GET "+s.start.User+"/media?message_id=x&n=0", "", http.StatusBadRequest)
	s.as("GET "+s.start.User+"/media?message_id=x", "", http.StatusNotFound)
	if after := len(s.chat(s.start.User)); after != before {
		t.Errorf("%d messages were sent all the same", after-before)
	}
}

// A button of a template is pressed and comes back with the message it belongs to.
func TestActionsOfUsers(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	act := func(body string) string { return s.as("POST "+s.start.User+"/actions", body, http.StatusOK) }
	for _, do := range []string{"report", "mute", "archive", "opt_out", "opt_in"} {
		act(`{"do":"` + do + `"}`)
	}
	s.idle()
	info := decode[struct {
		Data []struct {
			WaID       string `json:"wa_id"`
			Unanswered int
		}
	}](t, s.control("GET", "users", nil)).Data
	if len(info) != 1 || info[0].Unanswered != 0 {
		t.Errorf("the platform did not answer every action: %+v", info)
	}
	id := s.send(child.Text(s.start.User, "hello"))
	s.idle()
	act(`{"do":"react","ids":["` + id + `"],"emoji":"👍"}`)
	s.idle()
	chat := s.control("GET", "users/"+s.start.User+"/messages", nil)
	contains(t, "the chat", string(chat), `"user_reaction":"👍"`)

	act(`{"do":"block"}`)
	s.idle()
	blocked := s.send(child.Hello(s.start.User, ""))
	s.idle()
	contains(t, "the webhook", s.status(blocked, "failed").Content, `"code":131026`)
	act(`{"do":"unblock"}`)
	s.idle()

	act(`{"do":"offline","for":"1h"}`)
	away := s.send(child.Hello(s.start.User, ""))
	s.idle()
	s.status(away, "sent")
	if _, ok := s.hooks.Find(away, "delivered"); ok {
		t.Error("delivered to a user who is away")
	}
	s.advance(61 * time.Minute)
	s.idle()
	s.status(away, "read")
}

func TestUserChangesNumber(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	const next = "12025550144"
	contains(t, "the answer", s.as("POST "+s.start.User+"/actions", `{"do":"change_number","phone":"+1 202 555 0144"}`, http.StatusOK), next)
	s.as("GET "+s.start.User+"/messages", "", http.StatusNotFound)
	old := s.send(child.Hello(s.start.User, ""))
	s.idle()
	contains(t, "the webhook", s.status(old, "failed").Content, `"code":131026`)
	s.as("POST "+next+"/messages", `{"type":"text","text":{"body":"It is me"}}`, http.StatusOK)
	s.idle()
	id := s.send(child.Text(next, "Welcome back"))
	s.idle()
	s.status(id, "read")
	chat := s.chat(next)
	if len(chat) != 3 || chat[2].ID != id {
		t.Errorf("the chats after the change: %+v", chat)
	}
	s.control("POST", "users", map[string]any{"phone": "12025550145"})
	s.as("POST "+next+"/actions", `{"do":"change_number","phone":"12025550145"}`, http.StatusBadRequest)
}

// A new phone has another identity: the hash that the business knows is wrong from then on.
func TestNewDeviceChangesTheIdentity(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	before := s.send(child.Hello(s.start.User, ""))
	s.idle()
	s.status(before, "read")
	s.as("POST "+s.start.User+"/actions", `{"do":"new_device"}`, http.StatusOK)
	body := child.Hello(s.start.User, "")
	body["recipient_identity_key_hash"] = "AAAAAAAAAAA="
	wrong := s.send(body)
	s.idle()
	contains(t, "the webhook", s.status(wrong, "failed").Content, `"code":137000`)
	id := s.send(child.Hello(s.start.User, ""))
	s.idle()
	s.status(id, "read")
}
