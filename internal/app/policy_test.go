package app_test

import (
	"fmt"
	"testing"
	"time"
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
	}
	check("after the run")
	s.down()
	s.up()
	check("after a restart")
}
