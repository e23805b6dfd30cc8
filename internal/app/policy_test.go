package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/test/child"
)

// What a scripted run did is what analytics say, also after a restart; messages of the test number pass a limit of one
// person and count nothing (spec/seed_checklist.md R29, R59).
func TestAnalyticsOfAScript(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.control("POST", "portfolios/"+s.start.Business+"/limit", map[string]any{"tier": "TIER_250", "users": 1})
	hello := map[string]any{"name": "hello_world", "language": map[string]string{"code": "en_US"}}
	for i := range 3 {
		s.send(map[string]any{"messaging_product": "whatsapp", "to": fmt.Sprintf("1650555010%d", i), "type": "template", "template": hello})
	}
	for range 2 {
		s.send(map[string]any{"messaging_product": "whatsapp", "to": s.start.User, "type": "text", "text": map[string]string{"body": "hi"}})
	}
	s.idle()
	limit := decode[struct{ Used, Limit int }](t, s.control("GET", "portfolios/"+s.start.Business+"/limit", nil))
	if limit.Used != 0 || limit.Limit != 1 {
		t.Errorf("messages of a test number count: %+v", limit)
	}
	s.control("POST", "users/"+s.start.User+"/actions", map[string]string{"do": "block", "to": s.start.Phone})
	s.idle()
	check := func(when string) {
		t.Helper()
		day := noon.Truncate(24 * time.Hour).Unix()
		span := fmt.Sprintf("start(%d).end(%d).granularity(DAY)", day-86400, day+2*86400)
		a := s.graph("GET", s.start.WABA+"?fields=analytics."+span, nil)
		type point struct{ Sent, Delivered int }
		got := decode[struct {
			Analytics struct {
				Points []point `json:"data_points"`
			}
		}](t, a.Body).Analytics.Points
		if fmt.Sprint(got) != "[{5 5}]" {
			t.Errorf("%s: %v, want five sent and delivered: %s", when, got, a.Body)
		}
		e := decode[struct{ Events int }](t, s.control("GET", "quality/"+s.start.Number, nil))
		if e.Events != 1 {
			t.Errorf("%s: %d events of feedback, want the block", when, e.Events)
		}
		said := string(s.control("GET", "quality/"+s.start.Number+"/feedback", nil))
		contains(t, when+", the feedback", said, `"wa_id":"`+s.start.User+`"`)
		contains(t, when+", the feedback", said, `"what":"block"`)
	}
	check("after the run")
	s.down()
	s.up()
	check("after a restart")
}

// The test number is nearly free of limits: with the portfolio's limit used up by an ordinary number, its templates still reach
// all of its five recipients and count nothing; a sixth is refused (spec/seed_checklist.md R29).
func TestNearlyFreeOfLimits(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.Strict = true })
	s.subscribe()
	live := decode[struct{ ID string }](t, s.control("POST", "numbers", map[string]any{"phone": "15550790001", "name": "Aozora", "live": true})).ID
	s.control("POST", "portfolios/"+s.start.Business+"/limit", map[string]any{"tier": "TIER_250", "users": 3})
	reach := func(number, to string) string {
		t.Helper()
		a := s.graph("POST", number+"/messages", child.Hello(to, ""))
		if a.Status != 200 {
			return fmt.Sprint("refused ", a.Code())
		}
		s.idle()
		if u, ok := s.hooks.Find(a.MessageID(), "failed"); ok {
			return "failed " + codeOf.FindStringSubmatch(u.Content)[1]
		}
		s.status(a.MessageID(), "delivered")
		return "delivered"
	}
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	used := func() string {
		l := decode[struct{ Used, Limit int }](t, s.control("GET", "portfolios/"+s.start.Business+"/limit", nil))
		return fmt.Sprint(l.Used, " of ", l.Limit)
	}
	for i := range 3 {
		expect("an ordinary number", reach(live, fmt.Sprintf("1650555020%d", i)), "delivered")
	}
	expect("the fourth person", reach(live, "16505550203"), "failed 131048")
	for i := range 5 {
		to := fmt.Sprintf("1650555010%d", i)
		s.control("POST", "users", map[string]string{"phone": "+" + to})
		s.graph("POST", s.start.Number+"/allowed_recipients", map[string]string{"phone_number": to})
		codes := decode[struct{ Data []struct{ Code string } }](t, s.control("GET", "codes?phone="+to, nil)).Data
		if len(codes) != 1 {
			t.Fatalf("recipient %d got the codes %v", i+1, codes)
		}
		body := map[string]string{"phone_number": to, "code": codes[0].Code}
		if a := s.graph("POST", s.start.Number+"/allowed_recipients", body); a.Status != 200 {
			t.Fatalf("recipient %d: %s", i+1, a.Body)
		}
	}
	for i := range 5 {
		expect("the test number", reach(s.start.Number, fmt.Sprintf("1650555010%d", i)), "delivered")
	}
	expect("a sixth", reach(s.start.Number, "16505550109"), "refused 131030")
	expect("of the five", used(), "3 of 3")
}
