package api_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Source: spec/templates.md section 16.2.
func TestCompareTemplates(t *testing.T) {
	t.Parallel()
	at := func(days int) int64 { return start.AddDate(0, 0, -days).Unix() }
	count := func(id, what string, days int, n int64) analytics.Count {
		return analytics.Count{Key: analytics.Key{Subject: id, What: what, Bucket: at(days), Number: numLive}, N: n}
	}
	const tplCode = "770220330440190"
	w := newWorld(t, func(o *api.Options) {
		o.Counts = counts{
			count(tplOrder, analytics.Sent, 1, 900), count(tplOrder, analytics.Sent, 3, 304), count(tplOrder, analytics.Sent, 20, 5000),
			count(tplOrder, analytics.Blocked(""), 2, 1), count(tplOrder, analytics.Blocked(analytics.ReasonSpam), 2, 2),
			count(tplPromo, analytics.Sent, 2, 1800), count(tplPromo, analytics.Blocked(analytics.ReasonOffensive), 2, 2),
			count(tplPromo, analytics.Blocked(analytics.ReasonNotNeeded), 20, 40),
			count(tplCode, analytics.Sent, 25, 1000), count(tplCode, analytics.Blocked(analytics.ReasonNoSignUp), 25, 1),
			count(tplImage, analytics.Sent, 2, 999),
		}
	})
	if _, err := w.template.Create(context.Background(), template.Template{
		ID: wa.TemplateID(tplCode), WABA: wabaA, Name: "code", Language: "en_US", Category: template.Authentication, Status: template.Approved,
		Components: []template.Component{{Type: template.Body, Text: "{{1}}"}},
	}); err != nil {
		t.Fatal(err)
	}
	end := start.Add(time.Minute)
	line := func(of, with string, days int, end time.Time) string {
		return fmt.Sprintf("GET /v23.0/%s/compare?template_ids=[%s]&start=%d&end=%d", of, with, end.AddDate(0, 0, -days).Unix(), end.Unix())
	}
	answer := func(order, sends, reasons string) string {
		return `{"data":[{"metric":"BLOCK_RATE","type":"RELATIVE","order_by_relative_metric":[` + order + `]},` +
			`{"metric":"MESSAGE_SENDS","type":"NUMBER_VALUES","number_values":[` + sends + `]},` +
			`{"metric":"TOP_BLOCK_REASON","type":"STRING_VALUES","string_values":[` + reasons + `]}]}`
	}
	n := func(id string, n int) string { return fmt.Sprintf(`{"key":"%s","value":%d}`, id, n) }
	s := func(id, v string) string { return fmt.Sprintf(`{"key":"%s","value":"%s"}`, id, v) }
	few := graphError(`(#100) Both templates must have been sent at least 1,000 times in the time frame`, `"code":100`)
	invalid := func(param, want string) string {
		return graphError(`(#100) Param `+param+` must be `+want+`.`, `"code":100`)
	}
	for _, c := range []struct {
		fact, line string
		status     int
		want       string
	}{
		{
			"the one that is blocked less often comes first", line(tplOrder, tplPromo, 7, end), 200,
			answer(`"`+tplPromo+`","`+tplOrder+`"`, n(tplOrder, 1204)+","+n(tplPromo, 1800), s(tplOrder, "SPAM")+","+s(tplPromo, "OFFENSIVE_MESSAGES")),
		},
		{
			"a longer window counts more", line(tplPromo, tplOrder, 30, end), 200,
			answer(`"`+tplOrder+`","`+tplPromo+`"`, n(tplPromo, 1800)+","+n(tplOrder, 6204), s(tplPromo, "NO_LONGER_NEEDED")+","+s(tplOrder, "SPAM")),
		},
		{
			"a passcode that nobody asked for", line(tplOrder, tplCode, 60, end), 200,
			answer(`"`+tplOrder+`","`+tplCode+`"`, n(tplOrder, 6204)+","+n(tplCode, 1000), s(tplOrder, "SPAM")+","+s(tplCode, "OTP_DID_NOT_REQUEST")),
		},
		{"999 are too few", line(tplPromo, tplImage, 7, end), 400, few},
		{"another account's", line(tplPromo, tplB, 7, end), 400, invalid("template_ids", "another template of the same WhatsApp Business Account")},
		{"itself", line(tplPromo, tplPromo, 7, end), 400, invalid("template_ids", "another template of the same WhatsApp Business Account")},
		{"eight days", line(tplPromo, tplOrder, 8, end), 400, invalid("start", "7, 30, 60 or 90 days before end")},
		{"a window of the past", line(tplPromo, tplOrder, 7, end.AddDate(0, -2, 0)), 400, invalid("end", "the time of the request")},
	} {
		if r := w.call("admin", c.line, ""); r.status != c.status || r.body != c.want {
			t.Errorf("%s: %d %s\nwant %s", c.fact, r.status, r.body, c.want)
		}
	}
}
