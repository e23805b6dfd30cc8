package app_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// A number that moved to a phone is not a virtual user's any more: nothing about it is answered as if it were, whether the virtual
// user was online, away or, after a start, never there.
func TestNumberOnAPhoneOfItsOwn(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	const away, free = "12025550150", "12025550151"
	s.control("POST", "users", map[string]any{"phone": away})
	s.control("POST", "users", map[string]any{"phone": free})
	s.as("POST "+away+"/actions", `{"do":"offline"}`, http.StatusOK)
	s.idle()
	id := s.chat(s.start.User)[0].ID
	s.register(s.start.User)
	s.register(away)
	refused := func(user string) {
		t.Helper()
		for _, c := range []struct{ call, body string }{
			{"GET " + user + "/messages", ""},
			{"GET " + user + "/media?message_id=" + id, ""},
			{"POST " + user + "/messages", `{"type":"text","text":{"body":"hi"}}`},
			{"POST " + user + "/messages", `{"type":"image"}`},
			{"POST " + user + "/messages", `{"type":"button","button":{"payload":"a","text":"A"}}`},
			{"POST " + user + "/actions", `{"do":"press","ids":["` + id + `"],"choice":"1"}`},
			{"POST " + user + "/actions", `{"do":"react","ids":["` + id + `"],"emoji":"x"}`},
			{"POST " + user + "/actions", `{"do":"change_number","phone":"12025550199"}`},
			{"POST " + user + "/actions", `{"do":"new_device"}`},
		} {
			contains(t, c.call+c.body, s.as(c.call, c.body, http.StatusConflict), "hikyaku chat")
		}
		for _, do := range []string{
			"read", "play", "click", "edit", "revoke", "block", "unblock", "report", "mute", "archive", "opt_out", "opt_in", "offline",
			"online", "receipts_on", "receipts_off",
		} {
			contains(t, do, s.as("POST "+user+"/actions", `{"do":"`+do+`"}`, http.StatusConflict), "hikyaku chat")
		}
		for _, body := range []string{`{"phone":"` + user + `","name":"Ann"}`, `{"prefix":"` + user[:10] + `","count":10}`} {
			a, err := s.place.Do(t.Context(), "POST", "/control/v1/users", json.RawMessage(body))
			if err != nil {
				t.Fatal(err)
			}
			if a.Status != http.StatusConflict || !strings.Contains(string(a.Body), "+"+user) {
				t.Errorf("create %s: HTTP %d %s", body, a.Status, a.Body)
			}
		}
	}
	listed := func() {
		t.Helper()
		list := decode[struct {
			Data []struct {
				WaID string `json:"wa_id"`
			}
		}](t, s.control("GET", "users?limit=1", nil)).Data
		if len(list) != 1 || list[0].WaID != free {
			t.Errorf("listed: %+v, want %s", list, free)
		}
	}
	refused(s.start.User)
	refused(away)
	listed()
	s.down()
	s.up()
	refused(s.start.User)
	refused(away)
	listed()
	s.as("POST "+free+"/messages", `{"type":"text","text":{"body":"hi"}}`, http.StatusOK)
}
