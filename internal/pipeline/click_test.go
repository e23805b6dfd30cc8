package pipeline_test

import (
	"maps"
	"math"
	"regexp"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	rules "github.com/hikyaku/hikyaku/internal/template"
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
		w.p.Click(user, "15550001111", id, inText, 0, func(err error) { done <- err })
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

// book is a set of templates.
type book map[wa.TemplateID]*rules.Template

func (b book) Template(id wa.TemplateID) (*rules.Template, bool) {
	t, ok := b[id]
	return t, ok
}

func buttons(category rules.Category) *rules.Template {
	return &rules.Template{Category: category, Components: []rules.Component{{Type: rules.Buttons, Buttons: []rules.Button{
		{Type: rules.QuickReply, Text: "Later"}, {Type: rules.URLButton, Text: "Track"}, {Type: rules.URLButton, Text: "Shop"},
	}}}}
}

// What users press and answer is counted by template, for seven days, unique links and answers once a message; also when a
// restart lies between. Source: spec/analytics.md section 5.
func TestClicksAreCounted(t *testing.T) {
	t.Parallel()
	off := buttons(rules.Marketing)
	off.UntrackedLink = true
	known := book{"71": buttons(rules.Utility), "72": buttons(rules.Authentication), "73": off}
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Templates = known } })
	f := w.phone(ana)
	w.phone(bob)
	send := func(id wa.TemplateID, category string) wa.MessageID {
		m := template(ana, "x")
		m.Template, m.Category = id, category
		wamid := w.accept(m)
		w.settle()
		return wamid
	}
	click := func(user wa.WaID, id wa.MessageID, words string) {
		t.Helper()
		done := make(chan error, 1)
		w.p.Click(user, "15550001111", id, false, message.ButtonMark(words), func(err error) { done <- err })
		w.check(<-done)
	}
	press := func(id wa.MessageID, words string) {
		f.say(shop, `{"type":"button","button":{"payload":"p","text":"`+words+`"},"context":{"id":"`+string(id)+`"}}`)
	}
	want := func(fact string, id wa.TemplateID, counts map[string]int64) {
		t.Helper()
		w.settle()
		w.projected()
		if got := engagements(t, w, id); !maps.Equal(got, counts) {
			t.Errorf("%s: %v, want %v", fact, got, counts)
		}
	}
	first, lite := send("71", "utility"), send("71", message.MarketingLite)
	click(ana, first, "Track")
	click(ana, first, "Track")
	click(bob, first, "Track") // it was not sent to them
	click(ana, first, "Elsewhere")
	press(first, "Later")
	f.say(shop, `{"type":"text","text":{"body":"again"},"context":{"id":"`+string(first)+`"}}`)
	want("once a message", "71", map[string]int64{"replied": 1, "clicked.quick_reply_button.Later": 1, "clicked.url_button.Track": 2, "clicked.unique_url_button.Track": 1})
	w.restart()
	click(ana, first, "Track")
	click(ana, first, "Shop")
	click(ana, lite, "Shop")
	press(first, "Later")
	counts := map[string]int64{
		"replied": 1, "clicked.quick_reply_button.Later": 2, "clicked.url_button.Track": 3, "clicked.unique_url_button.Track": 1,
		"clicked.url_button.Shop": 2, "clicked.unique_url_button.Shop": 2, "lite.clicked.url_button.Shop": 1, "lite.clicked.unique_url_button.Shop": 1,
	}
	want("and after a restart", "71", counts)
	w.clock.Advance(7*24*time.Hour + time.Minute)
	click(ana, first, "Track")
	press(first, "Later")
	want("seven days later", "71", counts)

	code, silent := send("72", "authentication"), send("73", "marketing")
	for _, id := range []wa.MessageID{code, silent} {
		click(ana, id, "Track")
		press(id, "Later")
	}
	want("buttons of codes do not count", "72", map[string]int64{"replied": 1})
	want("nor do links that are not to be counted", "73", map[string]int64{"replied": 1, "clicked.quick_reply_button.Later": 1})
}

func engagements(t *testing.T, w *world, id wa.TemplateID) map[string]int64 {
	got := map[string]int64{}
	words := []string{analytics.Replied, analytics.Lite(analytics.Replied)}
	for _, prefix := range []string{analytics.Clicks, analytics.Lite(analytics.Clicks)} {
		more, err := w.store.Counted(t.Context(), prefix, string(id))
		w.check(err)
		words = append(words, more[string(id)]...)
	}
	list, err := w.store.Sum(t.Context(), &analytics.Sum{Subject: string(id), What: words, To: math.MaxInt32, Step: math.MaxInt32})
	w.check(err)
	for _, c := range list {
		got[c.What] += c.N
	}
	return got
}
