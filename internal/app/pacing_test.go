package app_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
)

// A new template of marketing: 60 messages go out, the rest is held, over a restart too. When the first ones were taken well
// they follow; when not, they fail, and the template is paused until somebody ends that. Source: spec/limits.md section 5,
// spec/quality.md section 3.1.
func TestPacing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("sends hundreds of messages")
	}
	s := run(t, func(o *app.Options) { o.PaceAfter = 60 })
	s.subscribe()
	number := decode[struct{ ID string }](t, s.control("POST", "numbers", map[string]any{"phone": "15550790001", "name": "Aozora", "live": true})).ID
	s.control("POST", "portfolios/"+s.start.Business+"/limit", map[string]any{"tier": "TIER_2K"})
	create := func(name string) string {
		t.Helper()
		a := s.graph("POST", s.start.WABA+"/message_templates", map[string]any{
			"name": name, "language": "en_US", "category": "MARKETING", "components": []any{map[string]any{"type": "BODY", "text": "An offer of " + name}},
		})
		s.advance(3 * time.Second)
		s.idle()
		return decode[struct{ ID string }](t, a.Body).ID
	}
	send := func(name string, user int) (id, status string) {
		t.Helper()
		a := s.graph("POST", number+"/messages", map[string]any{
			"messaging_product": "whatsapp", "to": fmt.Sprintf("+1555020%04d", user), "type": "template",
			"template": map[string]any{"name": name, "language": map[string]string{"code": "en_US"}},
		})
		m := decode[struct {
			Messages []struct {
				ID     string
				Status string `json:"message_status"`
			}
		}](t, a.Body)
		if len(m.Messages) != 1 {
			t.Fatalf("%s", a.Body)
		}
		return m.Messages[0].ID, m.Messages[0].Status
	}
	campaign := func(name string, from int) (held []string) {
		t.Helper()
		for i := range 63 {
			id, status := send(name, from+i)
			want := "accepted"
			if i >= 60 {
				want, held = "held_for_quality_assessment", append(held, id)
			}
			if status != want {
				t.Fatalf("%s, message %d: %s, want %s", name, i+1, status, want)
			}
			s.advance(time.Second / 50)
		}
		s.idle()
		return held
	}
	made := create("spring")
	held := campaign("spring", 100)
	s.down()
	s.up()
	s.idle()
	for _, id := range held {
		if _, ok := s.hooks.Find(id, "sent"); ok {
			t.Error("a held message was sent after a restart")
		}
	}
	s.advance(5 * time.Minute)
	s.idle()
	for _, id := range held {
		s.status(id, "delivered")
	}
	contains(t, "the template", string(s.graph("GET", made+"?fields=quality_score,status", nil).Body), `"score":"GREEN"`)

	made = create("summer")
	held = campaign("summer", 200)
	for i := range 4 {
		s.control("POST", fmt.Sprintf("users/1555020%04d/actions", 200+i), map[string]string{"do": "report", "to": number})
	}
	s.idle()
	for _, id := range held {
		if u := s.status(id, "failed"); !strings.Contains(fmt.Sprint(u), "132015") {
			t.Errorf("a held message ended in %+v", u)
		}
	}
	s.advance(24 * time.Hour)
	s.idle()
	contains(t, "a day later the template", string(s.graph("GET", made+"?fields=status", nil).Body), `"status":"PAUSED"`)
	if a := s.graph("POST", made+"/unpause", nil); !bytes.Contains(a.Body, []byte("true")) {
		t.Errorf("unpause: %s", a.Body)
	}
	if _, status := send("summer", 300); status != "accepted" {
		t.Errorf("after the pause was ended: %s", status)
	}
	s.idle()
}
