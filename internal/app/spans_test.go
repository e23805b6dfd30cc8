package app_test

import (
	"fmt"
	"testing"
	"time"
)

const (
	ms   = time.Millisecond
	sec  = time.Second
	mins = time.Minute
	hr   = time.Hour
	days = 24 * time.Hour
)

func times(n int, m moment) (list []moment) {
	for range n {
		list = append(list, m)
	}
	return list
}

// to is somebody of a window, so that windows do not share people.
func to(window, person int) string { return fmt.Sprintf("1650555%02d%02d", window, person) }

// spansOfNumbers are the windows that belong to a number or a template.
func spansOfNumbers() []span {
	pin := map[string]string{"messaging_product": "whatsapp", "pin": "212834"}
	return []span{
		{"throughput: a second", 0, []moment{
			{0, "ok", does("POST", "numbers/{throughput}/throughput", map[string]any{"level": "STANDARD", "mps": 2})},
			{0, "read", template("throughput", to(1, 1), "parcel")},
			{0, "read", template("throughput", to(1, 2), "parcel")},
			{500 * ms, "refused 130429", template("throughput", to(1, 3), "parcel")},
			{999 * ms, "refused 130429", template("throughput", to(1, 3), "parcel")},
			{1000 * ms, "read", template("throughput", to(1, 3), "parcel")},
		}},
		{"pair: the debt of five", 10 * sec, append(times(5, moment{0, "read", template("first", to(2, 1), "parcel")}), []moment{
			{6 * sec, "refused 131056", template("first", to(2, 1), "parcel")},
			{29_999 * ms, "refused 131056", template("first", to(2, 1), "parcel")},
			{30 * sec, "read", template("first", to(2, 1), "parcel")},
		}...)},
		{"registration: ten in 72 hours", 2 * mins, append(times(10, moment{0, "0", calls("POST", "{registration}/register", pin)}), []moment{
			{hr, "133016", calls("POST", "{registration}/register", pin)},
			{71 * hr, "133016", calls("POST", "{registration}/register", pin)},
			{73*hr - ms, "133016", calls("POST", "{registration}/register", pin)},
			{73 * hr, "0", calls("POST", "{registration}/register", pin)},
		}...)},
		{"codes: a minute between two", 3 * mins, []moment{
			{0, "0", func(w *windows) string {
				a := w.graph("POST", w.start.WABA+"/phone_numbers", map[string]string{"cc": "49", "phone_number": "15112345678", "verified_name": "Aozora Nord"})
				w.ids["asked"] = decode[struct{ ID string }](w.t, a.Body).ID
				return fmt.Sprint(a.Code())
			}},
			{1 * ms, "0", calls("POST", "{asked}/request_code", map[string]string{"code_method": "SMS", "language": "en_US"})},
			{30 * sec, "136024", calls("POST", "{asked}/request_code", map[string]string{"code_method": "SMS", "language": "en_US"})},
			{60 * sec, "136024", calls("POST", "{asked}/request_code", map[string]string{"code_method": "SMS", "language": "en_US"})},
			{60*sec + ms, "0", calls("POST", "{asked}/request_code", map[string]string{"code_method": "SMS", "language": "en_US"})},
		}},
		{"template: paused for three hours, then six, then for good", 5 * mins, []moment{
			{0, "ok", does("POST", "templates/{bad}/quality", map[string]string{"score": "RED"})},
			{hr, "refused 132015", template("first", to(3, 1), "bad")},
			{3*hr - ms, "refused 132015", template("first", to(3, 1), "bad")},
			{3 * hr, "read", template("first", to(3, 1), "bad")},
			{4 * hr, "ok", does("POST", "templates/{bad}/quality", map[string]string{"score": "GREEN"})},
			{5 * hr, "ok", does("POST", "templates/{bad}/quality", map[string]string{"score": "RED"})},
			{11*hr - ms, "refused 132015", template("first", to(3, 2), "bad")},
			{11 * hr, "read", template("first", to(3, 2), "bad")},
			{12 * hr, "ok", does("POST", "templates/{bad}/quality", map[string]string{"score": "GREEN"})},
			{13 * hr, "ok", does("POST", "templates/{bad}/quality", map[string]string{"score": "RED"})},
			{40 * hr, "refused 132016", template("first", to(3, 3), "bad")},
		}},
		{"enforcement: a day without templates", 6 * mins, []moment{
			{0, "ok", does("POST", "numbers/{restricted}/enforcement", map[string]int{"step": 1})},
			{hr, "failed 131048", template("restricted", to(4, 1), "parcel")},
			{24*hr - ms, "failed 131048", template("restricted", to(4, 1), "parcel")},
			{24 * hr, "read", template("restricted", to(4, 1), "parcel")},
		}},
	}
}

// spansOfPeople are the windows between a number and a person.
func spansOfPeople() []span {
	writes := func(from string, body map[string]any) func(*windows) string {
		return func(w *windows) string {
			w.control("POST", "users", map[string]string{"phone": "+" + from})
			w.control("POST", "users/"+from+"/messages", body)
			w.idle()
			return "ok"
		}
	}
	hello := map[string]any{"type": "text", "text": map[string]string{"body": "hello"}}
	click := map[string]any{"type": "text", "text": map[string]string{"body": "from the ad"}, "referral": map[string]string{
		"source_url": "https://fb.example/1", "source_id": "1", "source_type": "ad", "headline": "x", "body": "x", "ctwa_clid": "x",
	}}
	return []span{
		{"customer service: 24 hours", 20 * mins, []moment{
			{0, "ok", writes(to(5, 1), hello)},
			{hr, "read", text("first", to(5, 1))},
			{24*hr - ms, "read", text("first", to(5, 1))},
			{24 * hr, "failed 131047", text("first", to(5, 1))},
		}},
		{"free entry point: 72 hours", 21 * mins, []moment{
			{0, "ok", writes(to(6, 1), click)},
			{hr, "read", text("first", to(6, 1))},
			{40 * hr, "free_entry_point", priced("first", to(6, 1))},
			{73*hr - ms, "free_entry_point", priced("first", to(6, 1))},
			{74 * hr, "regular", priced("first", to(6, 1))},
		}},
		{"webhooks: what was refused comes again", 6 * days, []moment{
			{0, "ok", func(w *windows) string { w.down = true; return "ok" }},
			{ms, "waits", kept("first", to(7, 1), "parcel", "refused")},
			{6 * mins, "waits", becomes("refused")},
			{6*mins + ms, "ok", func(w *windows) string { w.down = false; return "ok" }},
			{2 * hr, "read", becomes("refused")},
		}},
	}
}

// spansOfPortfolios are the windows over all of a portfolio: three people at first, anybody from the third day on.
func spansOfPortfolios() []span {
	offline := func(user, do string) func(*windows) string {
		return func(w *windows) string {
			w.control("POST", "users", map[string]string{"phone": "+" + user})
			w.control("POST", "users/"+user+"/actions", map[string]string{"do": do})
			w.idle()
			return "ok"
		}
	}
	return []span{
		{"messaging limit: 24 hours", 0, []moment{
			{0, "read", template("live", to(8, 1), "parcel")},
			{0, "read", template("live", to(8, 2), "parcel")},
			{0, "read", template("live", to(8, 3), "parcel")},
			{hr, "failed 131048", template("live", to(8, 4), "parcel")},
			{hr, "read", template("live", to(8, 1), "parcel")},
			{24*hr - ms, "failed 131048", template("live", to(8, 4), "parcel")},
			{24 * hr, "read", template("live", to(8, 4), "parcel")},
		}},
		{"reservation: an hour of life", 25 * hr, []moment{
			{0, "ok", offline(to(9, 1), "offline")},
			{0, "sent", kept("live", to(9, 1), "brief", "away")},
			{0, "read", template("live", to(9, 2), "parcel")}, // with the one of before: three
			{30 * mins, "failed 131048", template("live", to(9, 3), "parcel")},
			{59 * mins, "failed 131048", template("live", to(9, 3), "parcel")},
			{61 * mins, "read", template("live", to(9, 3), "parcel")},
		}},
		{"marketing cap: two in 24 hours", 3 * days, []moment{
			{0, "ok", does("POST", "portfolios/{business}/limit", map[string]any{"tier": "TIER_UNLIMITED"})},
			{0, "read", template("live", to(10, 1), "offer")},
			{hr, "read", template("live", to(10, 1), "offer")},
			{2 * hr, "failed 131049", template("live", to(10, 1), "offer")},
			{24*hr - ms, "failed 131049", template("live", to(10, 1), "offer")},
			{24 * hr, "read", template("live", to(10, 1), "offer")},
		}},
		{"pacing: an hour at most", 3*days + 3*hr, []moment{
			{0, "read", template("live", to(11, 1), "new")},
			{0, "read", template("live", to(11, 2), "new")},
			{0, "waits", kept("live", to(11, 3), "new", "held")},
			{30 * mins, "waits", becomes("held")},
			{59 * mins, "waits", becomes("held")},
			{61 * mins, "read", becomes("held")},
		}},
		{"upgrade: the number is away", 5 * days, []moment{
			{0, "ok", does("POST", "numbers/{level}/reached", map[string]int{"users": 100_000})},
			{0, "ok", does("POST", "evaluate", nil)},
			{sec, "refused 131057", template("level", to(12, 1), "parcel")},
			{5*sec - ms, "refused 131057", template("level", to(12, 1), "parcel")},
			{5 * sec, "read", template("level", to(12, 1), "parcel")},
			{6 * sec, `{"throughput":{"level":"HIGH"},"id":"` + `"}`, func(w *windows) string {
				body := string(w.graph("GET", w.ids["level"]+"?fields=throughput", nil).Body)
				return body[:len(body)-len(w.ids["level"])-2] + `"}`
			}},
		}},
	}
}

// Budgets of management calls are memory, as docs/divergences.md says: a start begins with full ones.
func TestBudgetsBeginAnew(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	full := func() string {
		return s.graph("GET", s.start.WABA+"/message_templates", nil).Header.Get("X-Business-Use-Case-Usage")
	}
	for range 51 { // of 5,000: one per cent
		full()
	}
	contains(t, "the header", full(), `"call_count":1,`)
	s.down()
	s.up()
	contains(t, "the header after a restart", full(), `"call_count":0,`)
}
