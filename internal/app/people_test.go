package app_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

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

// Every type that a user can send reaches the business under its own name.
func TestUsersSendEveryType(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	first := s.send(child.Text(s.start.User, "first"))
	s.idle()
	s.hooks.take()
	for _, c := range []struct{ content, typ, says string }{
		{`{"type":"text","text":{"body":"hi"},"context":{"id":"ID"}}`, "text", `"context":{"from":"15550783881","id":"ID"}`},
		{`{"type":"text","text":{"body":"hi"},"context":{"forwarded":true}}`, "text", `"context":{"forwarded":true}`},
		{`{"type":"poll_creation","poll_creation":{"name":"When?"}}`, "unsupported", `"unsupported":{"type":"poll_creation"}`},
	} {
		content := strings.ReplaceAll(c.content, "ID", first)
		s.as("POST "+s.start.User+"/messages", content, http.StatusOK)
		s.idle()
		got := strings.Join(s.hooks.take(), "\n")
		says := strings.ReplaceAll(strings.ReplaceAll(c.says, "ID", first), "/", `\/`)
		if !strings.Contains(got, `"type":"`+c.typ+`"`) || !strings.Contains(got, says) {
			t.Errorf("%s: the webhook says %s, want %s", content, got, says)
		}
	}
	if p := s.hooks.Problems(); p != nil {
		t.Error(p)
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
		`{"do":"press"}`: "ids", `{"do":"change_number","phone":"x"}`: "phone",
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
