package pipeline_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Source: spec/webhooks.md section 16.
func TestClicksOnMarketingMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone(ana)
	w.phone(bob)
	send := func(category string) wa.MessageID {
		m := template(ana, "x")
		m.Category = category
		id := w.accept(m)
		w.settle()
		return id
	}
	lite, plain := send(message.MarketingLite), send("marketing")
	click := func(user wa.WaID, id wa.MessageID, inText bool) {
		t.Helper()
		done := make(chan error, 1)
		w.p.Click(user, "15550001111", id, inText, func(err error) { done <- err })
		w.check(<-done)
	}
	click(ana, plain, false)
	click(bob, lite, false) // it was not sent to them
	click(ana, "wamid.HBgLMTY1MDU1NTAwMDEVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA", false)
	click(ana, "nonsense", false)
	if got := w.notices("messages"); len(got) != 0 {
		t.Fatalf("told of %q", got)
	}
	click(ana, lite, false)
	click(ana, lite, true)
	w.clock.Advance(7 * 24 * time.Hour)
	click(ana, lite, false)
	w.clock.Advance(time.Minute)
	click(ana, lite, false)
	form := regexp.MustCompile(`^\{"user_actions":\[\{"timestamp":"\d{10}","action_type":"marketing_messages_link_click","marketing_messages_link_click_data":` +
		`\{"tracking_token":"(AQ[\w-]{24})","click_id":"(clk_[0-9a-f]{12})","click_component":"(cta|body)"\}\}\]\}$`)
	var tokens, ids, where []string
	for _, n := range w.notices("messages") {
		m := form.FindStringSubmatch(n)
		if m == nil {
			t.Fatal(n)
		}
		tokens, ids, where = append(tokens, m[1]), append(ids, m[2]), append(where, m[3])
	}
	if len(tokens) != 3 || tokens[0] != tokens[1] || ids[0] == ids[1] || where[0] != "cta" || where[1] != "body" {
		t.Errorf("tokens %q, ids %q, %q", tokens, ids, where)
	}
}
