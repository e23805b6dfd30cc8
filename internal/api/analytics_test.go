package api_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// counts is a source in memory, with the rules of the store.
type counts []analytics.Count

func (c counts) Sum(_ context.Context, q *analytics.Sum) ([]analytics.Count, error) {
	sums := map[analytics.Key]int64{}
	for _, x := range c {
		if !slices.Contains(q.Of(), x.Subject) || !slices.Contains(q.What, x.What) || x.Bucket < q.From || x.Bucket >= q.To ||
			(len(q.Numbers) > 0 && !slices.Contains(q.Numbers, x.Number)) || (len(q.Countries) > 0 && !slices.Contains(q.Countries, x.Country)) {
			continue
		}
		k := x.Key
		if len(q.Subjects) > 0 {
			k.Subject = ""
		}
		k.Bucket = (x.Bucket-q.From)/q.Step*q.Step + q.From
		if !q.ByNumber {
			k.Number = ""
		}
		if !q.ByCountry {
			k.Country = ""
		}
		sums[k] += x.N
	}
	var out []analytics.Count
	for k, n := range sums {
		out = append(out, analytics.Count{Key: k, N: n})
	}
	return out, nil
}

func (c counts) Counted(_ context.Context, prefix string, subjects ...string) (map[string][]string, error) {
	out := map[string][]string{}
	for _, x := range c {
		if slices.Contains(subjects, x.Subject) && strings.HasPrefix(x.What, prefix) && !slices.Contains(out[x.Subject], x.What) {
			out[x.Subject] = append(out[x.Subject], x.What)
		}
	}
	return out, nil
}

// asked is a source that knows how often it was asked for words.
type asked struct {
	counts
	times *atomic.Int32
}

func (a asked) Counted(ctx context.Context, prefix string, subjects ...string) (map[string][]string, error) {
	a.times.Add(1)
	return a.counts.Counted(ctx, prefix, subjects...)
}

const card = `2026-01-01,USD,Rest of Asia Pacific,utility,1,5,0.1
2026-01-01,USD,Rest of Asia Pacific,utility,6,,0.01
2026-01-01,USD,North America,marketing,1,,0.5
2026-01-01,USD,North America,marketing_lite,1,,0.25
`

// statsWorld has counts of two days: Sunday 22 November 2026 at 10:00 and 10:30, and the day before at 10:00 (UTC).
func statsWorld(t *testing.T) *world {
	t.Helper()
	rates, err := pricing.Parse(strings.NewReader(card))
	if err != nil {
		t.Fatal(err)
	}
	sunday := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC).Unix()
	saturday := sunday - 86400
	add := func(subject, what string, at int64, number wa.PhoneNumberID, country string, n int64) analytics.Count {
		return analytics.Count{Key: analytics.Key{Subject: subject, What: what, Bucket: at, Number: number, Country: country}, N: n}
	}
	utility, marketing, window := analytics.Priced("regular", "utility"), analytics.Priced("regular", "marketing"), analytics.Priced("free_customer_service", "utility")
	w := newWorld(t, func(o *api.Options) {
		var err error
		if o.Groups, err = template.NewGroups(t.Context(), groups{}, o.Template); err != nil {
			t.Fatal(err)
		}
		o.Rates = rates
		o.Counts = counts{
			add(wabaA, analytics.SentTemplates, saturday, numLive, "JP", 4), add(wabaA, analytics.DeliveredTemplates, saturday, numLive, "JP", 4),
			add(wabaA, utility, saturday, numLive, "JP", 4),
			add(wabaA, analytics.SentTemplates, sunday, numLive, "JP", 3), add(wabaA, analytics.SentOthers, sunday, numLive, "US", 2),
			add(wabaA, analytics.DeliveredTemplates, sunday+1800, numLive, "JP", 3), add(wabaA, analytics.DeliveredOthers, sunday, numLive, "US", 1),
			add(wabaA, utility, sunday+1800, numLive, "JP", 3), add(wabaA, marketing, sunday, numTest, "US", 2), add(wabaA, window, sunday, numLive, "US", 1),
			add(wabaA, analytics.Received, sunday, numLive, "US", 7),
			add(wabaB, analytics.SentTemplates, sunday, numB, "JP", 100),
			add(tplOrder, analytics.Sent, sunday, "", "", 5), add(tplOrder, analytics.Delivered, sunday+1800, "", "", 4), add(tplOrder, analytics.Read, sunday+3600, "", "", 3),
			add(tplOrder, utility, sunday+1800, numLive, "JP", 3),
			add(tplOrder, analytics.Lite(analytics.Sent), sunday, "", "", 2), add(tplOrder, analytics.Lite(analytics.Read), sunday+3600, "", "", 1),
			add(tplOrder, analytics.Priced("regular", "marketing_lite"), saturday, numLive, "US", 1), add(tplOrder, analytics.Lite(analytics.Sent), saturday, "", "", 1),
			add(tplOrder, analytics.Sent, saturday, "", "", 1),
		}
	})
	_, err = w.business.UpdateWABA(t.Context(), wabaA, func(x *business.WABA) error { x.Currency, x.TimezoneID = "USD", "0"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// onePage is the paging of every metric.
var onePage = `,"paging":{"cursors":{"before":"` + graph.Cursor("0") + `","after":"` + graph.Cursor("1") + `"}}`

const (
	fri, sat, sun, mon = "1795132800", "1795219200", "1795305600", "1795392000"
)

func TestMessagingAnalytics(t *testing.T) {
	t.Parallel()
	w := statsWorld(t)
	get := func(mods string) string {
		t.Helper()
		r := w.call("admin", "GET /v23.0/"+wabaA+"?fields=analytics."+mods, "")
		return strconv.Itoa(r.status) + " " + r.body
	}
	want := func(fact, got, rest string) {
		t.Helper()
		if !strings.Contains(got, rest) {
			t.Errorf("%s:\n got %s\nwant %s", fact, got, rest)
		}
	}
	span := "start(" + fri + ").end(" + mon + ")"
	want("by day", get(span+".granularity(DAY)"), `"country_codes":["JP","US"],"granularity":"DAY","data_points":[`+
		`{"start":`+sat+`,"end":`+sun+`,"sent":4,"delivered":4},{"start":`+sun+`,"end":`+mon+`,"sent":5,"delivered":4}]},"id":"`+wabaA+`"}`)
	want("by half hour, in any order", get("granularity(half_hour).end("+mon+").start("+sun+")"), `"data_points":[`+
		`{"start":1795341600,"end":1795343400,"sent":5,"delivered":1},{"start":1795343400,"end":1795345200,"sent":0,"delivered":3}]`)
	want("by month", get(span+".granularity(MONTH)"), `[{"start":1793491200,"end":1796083200,"sent":9,"delivered":8}]`)
	want("templates", get(span+".granularity(DAY).product_types([0]).country_codes([JP])"), `"country_codes":["JP"],"granularity":"DAY","data_points":[`+
		`{"start":`+sat+`,"end":`+sun+`,"sent":4,"delivered":4},{"start":`+sun+`,"end":`+mon+`,"sent":3,"delivered":3}]`)
	want("received", get(span+".granularity(DAY).product_types([100])"), `"sent":7,"delivered":0`)
	want("a number", get(span+".granularity(DAY).phone_numbers([999])"), `"phone_numbers":[],"country_codes":[],"granularity":"DAY","data_points":[]`)
	for fact, c := range map[string][2]string{
		"no start":          {"end(" + mon + ").granularity(DAY)", "(#100) The parameter start is required."},
		"no granularity":    {span, "(#100) The parameter granularity is required."},
		"another word":      {span + ".granularity(YEAR)", `(#100) Param granularity must be one of {HALF_HOUR, DAY, MONTH} - got \"YEAR\".`},
		"management family": {"start(" + mon + ").end(" + sun + ").granularity(DAY)", `"error_user_title":"Invalid time span"`},
		"turned around":     {"start(" + mon + ").end(" + sun + ").granularity(DAY)", "start must be before end."},
		"too long ago":      {"start(1700000000).end(" + sun + ").granularity(DAY)", "more than a year ago"},
		"inbound and other": {span + ".granularity(DAY).product_types([0,100])", `"error_subcode":2388077`},
		"of groups too":     {span + ".granularity(DAY).product_types([2,103])", `"error_subcode":2388077`},
		"groups, countries": {span + ".granularity(DAY).product_types([101]).country_codes([JP])", `cannot be used with product types of groups`},
	} {
		want(fact, get(c[0]), c[1])
	}
}

func TestPricingAnalytics(t *testing.T) {
	t.Parallel()
	w := statsWorld(t)
	path := "GET /v23.0/" + wabaA + "/pricing_analytics?start=" + fri + "&end=" + mon + "&granularity=DAILY"
	// Five at 0.1 and two at 0.01: the tier ends within Sunday's three. Marketing twice 0.5.
	w.call("admin", path, "").want(t, 200, `{"data":[{"data_points":[{"start":`+sat+`,"end":`+sun+`,"volume":4,"cost":0.4},`+
		`{"start":`+sun+`,"end":`+mon+`,"volume":6,"cost":1.12}]}]`+onePage+`}`)
	w.call("admin", path+`&dimensions=["PRICING_TYPE","PRICING_CATEGORY","COUNTRY","TIER"]&pricing_types=["REGULAR"]&metric_types=["VOLUME"]`, "").want(t, 200,
		`{"data":[{"data_points":[{"start":`+sat+`,"end":`+sun+`,"country":"JP","tier":"0:5","pricing_type":"REGULAR","pricing_category":"UTILITY","volume":4},`+
			`{"start":`+sun+`,"end":`+mon+`,"country":"US","tier":"0:MAX","pricing_type":"REGULAR","pricing_category":"MARKETING","volume":2},`+
			`{"start":`+sun+`,"end":`+mon+`,"country":"JP","tier":"0:5","pricing_type":"REGULAR","pricing_category":"UTILITY","volume":1},`+
			`{"start":`+sun+`,"end":`+mon+`,"country":"JP","tier":"6:MAX","pricing_type":"REGULAR","pricing_category":"UTILITY","volume":2}]}]`+onePage+`}`)
	w.call("admin", path+`&dimensions=["PRICING_CATEGORY"]&tiers=["6:max"]`, "").want(t, 200,
		`{"data":[{"data_points":[{"start":`+sun+`,"end":`+mon+`,"pricing_category":"UTILITY","volume":2,"cost":0.02}]}]`+onePage+`}`)
	w.call("admin", path+"&after="+graph.Cursor("1"), "").want(t, 200, `{"data":[]}`)
	w.call("admin", path+`&pricing_categories=SERVICE&dimensions=PHONE`, "").want(t, 200,
		`{"data":[{"data_points":[{"start":`+sun+`,"end":`+mon+`,"phone_number":"815055550142","volume":1,"cost":0}]}]`+onePage+`}`)
	if r := w.call("admin", path+"&dimensions=WEATHER", ""); r.status != 400 {
		t.Errorf("another dimension: %d %s", r.status, r.body)
	}
	if r := w.call("clerk", path, ""); r.status != 403 {
		t.Errorf("without the task: %d %s", r.status, r.body)
	}
	r := w.call("admin", "GET /v23.0/"+wabaA+"?fields=conversation_analytics.start("+sun+").end("+mon+").granularity(DAILY).dimensions([CONVERSATION_TYPE]).metric_types(CONVERSATION)", "")
	r.want(t, 200, `{"conversation_analytics":{"data":[{"data_points":[{"start":`+sun+`,"end":`+mon+`,"conversation_type":"FREE_TIER","conversation":1},`+
		`{"start":`+sun+`,"end":`+mon+`,"conversation_type":"REGULAR","conversation":5}]}]`+onePage+`},"id":"`+wabaA+`"}`)
}

func TestTemplateAnalytics(t *testing.T) {
	t.Parallel()
	w := statsWorld(t)
	path := "GET /v23.0/" + wabaA + "/template_analytics?start=2026-11-20&end=2026-11-23&granularity=DAILY&template_ids=" + tplOrder
	if r := w.call("admin", path, ""); !strings.Contains(r.body, `"code":200007`) {
		t.Errorf("without opt-in: %s", r.body)
	}
	_, err := w.business.UpdateWABA(t.Context(), wabaA, func(x *business.WABA) error { x.Insights = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	answer := `{"data":[{"granularity":"DAILY","product_type":"cloud_api","data_points":[{"template_id":"` + tplOrder + `",` +
		`"start":` + sun + `,"end":` + mon + `,"sent":3,"delivered":4,"read":2,"replied":0,"cost":[{"type":"amount_spent","value":0.12},{"type":"cost_per_delivered","value":0.03}]}]}]` + onePage + `}`
	w.call("admin", path, "").want(t, 200, answer)
	for _, end := range []string{"2026-11-24", "2027-11-23", "9999-12-31", "4102444800"} { // the future ends now
		w.call("admin", strings.Replace(path, "2026-11-23", end, 1), "").want(t, 200, answer)
	}
	for fact, query := range map[string]string{
		"eleven templates": strings.Replace(path, tplOrder, strings.Repeat(tplOrder+",", 10)+tplOrder, 1), "another account's": strings.Replace(path, tplOrder, tplB, 1),
		"91 days": strings.Replace(path, "2026-11-20", "2026-08-01", 1), "no templates": strings.Replace(path, tplOrder, "", 1),
	} {
		if r := w.call("admin", query, ""); r.status != 400 || !strings.Contains(r.body, `"code":100`) {
			t.Errorf("%s: %d %s", fact, r.status, r.body)
		}
	}
}

// What one of them costs is a rate of the card again, not a neighbour of it in binary.
func TestCostOfOne(t *testing.T) {
	t.Parallel()
	rates, err := pricing.Parse(strings.NewReader("2026-01-01,USD,North America,marketing,1,,0.035\n"))
	if err != nil {
		t.Fatal(err)
	}
	price := analytics.Priced("regular", "marketing")
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC).Unix()
	w := newWorld(t, func(o *api.Options) {
		o.Rates = rates
		o.Counts = counts{
			{Key: analytics.Key{Subject: wabaA, What: price, Bucket: at, Number: numLive, Country: "US"}, N: 3},
			{Key: analytics.Key{Subject: tplOrder, What: price, Bucket: at, Number: numLive, Country: "US"}, N: 3},
			{Key: analytics.Key{Subject: tplOrder, What: analytics.Delivered, Bucket: at}, N: 3},
		}
	})
	if _, err := w.business.UpdateWABA(t.Context(), wabaA, func(x *business.WABA) error { x.Insights, x.Currency = true, "USD"; return nil }); err != nil {
		t.Fatal(err)
	}
	path := "GET /v23.0/" + wabaA + "/template_analytics?granularity=DAILY&metric_types=COST&template_ids=" + tplOrder
	if r := w.call("admin", path+"&start=2026-11-22&end=2026-11-23", ""); !strings.Contains(r.body, `[{"type":"amount_spent","value":0.105},{"type":"cost_per_delivered","value":0.035}]`) {
		t.Error(r.body)
	}
	if r := w.call("admin", path+"&start="+sun+"&end=1795386600", ""); r.status != 400 || !strings.Contains(r.body, "the time of day does not count") {
		t.Errorf("half a day: %d %s", r.status, r.body)
	}
}

// Links come before quick replies; what went through the marketing API is counted there alone. Source: spec/analytics.md section 5.
func TestClicksOfTemplates(t *testing.T) {
	t.Parallel()
	sunday := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC).Unix()
	add := func(what string, at, n int64) analytics.Count {
		return analytics.Count{Key: analytics.Key{Subject: tplOrder, What: what, Bucket: at, Number: numLive}, N: n}
	}
	track, unique := analytics.Clicked(analytics.LinkButton, "Track"), analytics.Clicked(analytics.UniqueLinkButton, "Track")
	var times atomic.Int32
	w := newWorld(t, func(o *api.Options) {
		o.Counts = asked{counts{
			add(analytics.Sent, sunday, 10), add(analytics.Replied, sunday, 5), add(analytics.Lite(analytics.Replied), sunday, 1),
			add(track, sunday, 6), add(track, sunday+1800, 3), add(unique, sunday, 7), add(analytics.Lite(track), sunday, 2), add(analytics.Lite(unique), sunday, 2),
			add(analytics.Clicked(analytics.QuickReplyButton, "Later. Or never"), sunday, 3),
		}, &times}
	})
	_, err := w.business.UpdateWABA(t.Context(), wabaA, func(x *business.WABA) error { x.Insights, x.TimezoneID = true, "0"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	for product, point := range map[string]string{
		"CLOUD_API": `"replied":4,"clicked":[{"type":"url_button","button_content":"Track","count":7},{"type":"unique_url_button","button_content":"Track","count":5},` +
			`{"type":"quick_reply_button","button_content":"Later. Or never","count":3}]`,
		"MARKETING_MESSAGES_LITE_API": `"replied":1,"clicked":[{"type":"url_button","button_content":"Track","count":2},{"type":"unique_url_button","button_content":"Track","count":2}]`,
	} {
		w.call("admin", "GET /v23.0/"+wabaA+"/template_analytics?start=2026-11-22&end=2026-11-23&granularity=DAILY&metric_types=REPLIED,CLICKED&use_waba_timezone=true&template_ids="+
			tplOrder+"&product_type="+product, "").want(t, 200,
			`{"data":[{"granularity":"DAILY","product_type":"`+strings.ToLower(product)+`","data_points":[{"template_id":"`+tplOrder+`","start":`+sun+`,"end":`+mon+`,`+
				point+`}],"waba_timezone":"UTC"}]`+onePage+`}`)
	}
	times.Store(0)
	w.call("admin", "GET /v23.0/"+wabaA+"/template_analytics?start=2026-11-22&end=2026-11-23&granularity=DAILY&metric_types=CLICKED&use_waba_timezone=true&template_ids="+
		tplOrder+","+tplPaused, "")
	if times.Load() != 2 {
		t.Errorf("asked %d times for the words of two templates, want once a kind", times.Load())
	}
}

// What goes through the marketing API is a product of its own; templates of a group are added up.
func TestTemplateAnalyticsByProduct(t *testing.T) {
	t.Parallel()
	w := statsWorld(t)
	_, err := w.business.UpdateWABA(t.Context(), wabaA, func(x *business.WABA) error { x.Insights = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	group := w.group()
	span := "start=2026-11-20&end=2026-11-23&granularity=DAILY&metric_types=SENT,READ,COST,WEBSITE_PURCHASES&use_waba_timezone=true"
	for _, product := range []string{"MARKETING_MESSAGES_LITE_API", "MARKETING_MESSAGES_API_FOR_WHATSAPP"} {
		w.call("admin", "GET /v23.0/"+wabaA+"/template_group_analytics?"+span+"&template_group_ids=["+group+"]&product_type="+product, "").want(t, 200,
			`{"data":[{"granularity":"DAILY","product_type":"marketing_messages_lite_api","data_points":[`+
				`{"template_group_id":"`+group+`","start":`+sat+`,"end":`+sun+`,"sent":1,"read":0,"cost":[{"type":"amount_spent","value":0.25}]},`+
				`{"template_group_id":"`+group+`","start":`+sun+`,"end":`+mon+`,"sent":2,"read":1,"cost":[{"type":"amount_spent","value":0}]}],`+
				`"waba_timezone":"UTC"}]`+onePage+`}`)
	}
	w.call("admin", "GET /v23.0/"+wabaA+"/template_analytics?"+span+"&template_ids="+tplOrder+"&product_type=CAMPAIGN_INSIGHTS", "").want(t, 200,
		`{"data":[{"granularity":"DAILY","product_type":"campaign_insights","data_points":[],"waba_timezone":"UTC"}]`+onePage+`}`)
	for fact, query := range map[string]string{
		"another account's group": "&template_group_ids=1", "no groups": "", "another product": "&template_group_ids=" + group + "&product_type=PIGEON",
	} {
		if r := w.call("admin", "GET /v23.0/"+wabaA+"/template_group_analytics?"+span+query, ""); r.status != 400 || !strings.Contains(r.body, `"code":100`) {
			t.Errorf("%s: %d %s", fact, r.status, r.body)
		}
	}
}

// Source: spec/analytics.md section 1.5, spec/access.md section 8.2.
func TestCostIsWithheld(t *testing.T) {
	t.Parallel()
	w := statsWorld(t)
	path := "GET /v23.0/" + wabaA + "/pricing_analytics?start=" + sat + "&end=" + sun + "&granularity=DAILY"
	p, err := w.business.OpenCredit(t.Context(), birch, "Birch Ltd")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.business.AttachCredit(t.Context(), p.Credit.ID, wabaA, "USD", true); err != nil {
		t.Fatal(err)
	}
	bare := `{"data":[{"data_points":[{"start":` + sat + `,"end":` + sun + `,"volume":4}]}]` + onePage + `}`
	w.call("admin", path, "").want(t, 200, bare)
	w.call("admin", path+"&metric_types=[COST,VOLUME]", "").want(t, 200, bare)
	if r := w.call("admin", path+"&metric_types=COST", ""); r.status != 400 || !strings.Contains(r.body, `"error_user_title":"Cost not available"`) {
		t.Errorf("only the cost: %d %s", r.status, r.body)
	}
}

// Calls and groups are not here: nothing is counted, and what is asked is read all the same.
func TestCallAndGroupAnalytics(t *testing.T) {
	t.Parallel()
	w := statsWorld(t)
	span := "start=" + sat + "&end=" + mon + "&granularity=DAILY"
	w.call("admin", "GET /v23.0/"+wabaA+"/call_analytics?"+span+"&directions=USER_INITIATED&dimensions=[PHONE,TIER]", "").want(t, 200,
		`{"data":[{"granularity":"DAILY","directions":"USER_INITIATED","data_points":[]}]`+onePage+`}`)
	w.call("admin", "GET /v23.0/"+wabaA+"?fields=call_analytics.start("+sat+").end("+mon+").granularity(MONTHLY).metric_types([COUNT,AVERAGE_DURATION])", "").want(t, 200,
		`{"call_analytics":{"granularity":"MONTHLY","data_points":[]},"id":"`+wabaA+`"}`)
	for fact, query := range map[string]string{
		"no start":             "call_analytics?end=" + mon + "&granularity=DAILY",
		"another metric":       "call_analytics?" + span + "&metric_types=NOISE",
		"another direction":    "call_analytics?" + span + "&directions=UP",
		"another dimension":    "call_analytics?" + span + "&dimensions=WEATHER",
		"no metrics":           "group_analytics?" + span + "&group_ids=1",
		"two groups":           "group_analytics?" + span + "&metric_types=SENT&group_ids=1,2",
		"a group":              "group_analytics?" + span + "&metric_types=SENT,PARTICIPANTS_JOINED&group_ids=1",
		"a group's half hours": "group_analytics?" + span + "&metric_types=SENT&group_ids=1&granularity=HALF_HOUR",
		"91 days":              "group_analytics?start=2026-08-01&end=" + mon + "&metric_types=SENT&group_ids=1",
	} {
		if r := w.call("admin", "GET /v23.0/"+wabaA+"/"+query, ""); r.status != 400 || !strings.Contains(r.body, `"code":100`) {
			t.Errorf("%s: %d %s", fact, r.status, r.body)
		}
	}
	if r := w.call("clerk", "GET /v23.0/"+wabaA+"?fields=call_analytics.start("+sat+").end("+mon+").granularity(DAILY)", ""); r.status != 403 {
		t.Errorf("without the task: %d %s", r.status, r.body)
	}
}

// Source: spec/business.md section 4.1.
func TestInternationalFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ask := "GET /v23.0/" + wabaA + "?fields=primary_business_location,auth_international_rate_eligibility"
	if _, err := w.business.SetLocation(t.Context(), aozora, "SG"); err != nil {
		t.Fatal(err)
	}
	w.call("admin", ask, "").want(t, 200, `{"primary_business_location":"SG","id":"`+wabaA+`"}`)
	start := time.Unix(1795219200, 0)
	_, err := w.business.SetInternational(t.Context(), aozora, business.International{From: start, Exceptions: map[string]time.Time{"IN": start.Add(time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	w.call("admin", ask, "").want(t, 200, `{"primary_business_location":"SG","auth_international_rate_eligibility":{"start_time":1795219200,`+
		`"exception_countries":[{"country_code":"IN","start_time":1795222800}]},"id":"`+wabaA+`"}`)
}
