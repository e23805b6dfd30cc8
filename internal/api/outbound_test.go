package api_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// user is one whom numLive may write to, and what the portfolio of its account calls them.
const user = "16505555555"

// Source: spec/errors.md sections 6, 8 and 21.
func TestSendTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	button := func(n int) string {
		return `"type":"interactive","interactive":{"type":"button","body":{"text":"b"},"action":{"buttons":[` +
			strings.TrimSuffix(strings.Repeat(`{"type":"reply","reply":{"id":"`+strings.Repeat("x", n)+`","title":"t"}},`, n), ",") + `]}}`
	}
	value := func(details string) string {
		return cloudError("(#131009) Parameter value is not valid", "131009", details)
	}
	accepted := `{"messaging_product":"whatsapp","contacts":[{"input":"+16505555555","wa_id":"16505555555"}],"messages":[{"id":"wamid.TEST1"}]}`
	for _, c := range []struct {
		name, more string
		status     int
		want       string
	}{
		{"location", `"type":"location","location":{"latitude":"48.8589","longitude":2.32}`, 200, accepted},
		{"contacts", `"type":"contacts","contacts":[{"name":{"formatted_name":"A B","first_name":"A"}}]`, 200, accepted},
		{"reaction", `"type":"reaction","reaction":{"message_id":"wamid.A","emoji":"\uD83D\uDE00"}`, 200, accepted},
		{"buttons", button(1), 200, accepted},
		{"E6 four buttons", button(4), 400, value("Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")},
		{"location off the map", `"type":"location","location":{"latitude":"91","longitude":2.32}`, 400, value("Parameter 'latitude' must be between -90 and 90.")},
		{"key of another type", `"type":"reaction","reaction":{"message_id":"wamid.A","emoji":"👍","foo":1}`, 400, graphError(`(#100) Unexpected key \"foo\" on param \"reaction\".`, `"code":100`)},
		{"media link", `"type":"image","image":{"link":"file:///etc/passwd"}`, 400, graphError("(#100) Param image['link'] is not a valid URI.", `"code":100`)},
		{"media without a file", `"type":"sticker","sticker":{}`, 400, cloudError("(#131008) Required parameter is missing", "131008", "Parameter 'id' or 'link' is mandatory for type 'sticker'")},
		{"pin", `"type":"pin","pin":{"type":"unpin","message_id":"wamid.A"}`, 400, cloudError("(#131051) Unsupported message type", "131051", "Message type is not currently supported.")},
		{"address message of a Japanese number", `"type":"interactive","interactive":{"type":"address_message","body":{"text":"b"},"action":{"name":"address_message","parameters":{"country":"IN"}}}`, 400, value("Interactive message type, 'address_message' not supported. Supported types ['button', 'call_permission_request', 'carousel', 'catalog_message', 'cta_url', 'flow', 'list', 'location_request_message', 'order_details', 'order_status', 'product', 'product_list', 'request_contact_info', 'voice_call']")},
		{"order that expires at once", `"type":"interactive","interactive":{"type":"order_details","body":{"text":"b"},"action":{"name":"review_and_pay","parameters":{"reference_id":"r","type":"digital-goods","payment_settings":[{"type":"boleto"}],"currency":"BRL","total_amount":{"value":12,"offset":100},"order":{"status":"pending","items":[{"name":"n","amount":{"value":1,"offset":100},"quantity":1}],"subtotal":{"value":10,"offset":100},"tax":{"value":2,"offset":100},"expiration":{"timestamp":"1700000000"}}}}}`, 400, value("Parameter 'timestamp' of 'expiration' must be at least 300 seconds ahead.")},
		{"direct send", `"text":{"body":"x"},"category":"utility"`, 400, cloudError("(#100) Invalid parameter", "100", "Direct Send isn't enabled for this account")},
	} {
		w.lane.accepted = nil
		t.Run(c.name, func(t *testing.T) {
			w.call("clerk", "POST /v23.0/"+numLive+"/messages", `{"messaging_product":"whatsapp","to":"+16505555555",`+c.more+`}`).want(t, c.status, c.want)
		})
	}
}

// Source: spec/messages.md section 3.2.
func TestBusinessScopedRecipients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id, foreign := w.business.UserID(wabaA, user), w.business.UserID(wabaB, user)
	send := func(token, number, to, more string) reply {
		return w.call(token, "POST /v23.0/"+number+"/messages", `{"messaging_product":"whatsapp",`+to+`,`+more+`}`)
	}
	const hi = `"text":{"body":"hi"}`
	answer := func(input string) string {
		return `{"messaging_product":"whatsapp","contacts":[{"input":"` + input + `","wa_id":"16505555555","user_id":"` + id + `"}],"messages":[{"id":"wamid.TEST1"}]}`
	}
	send("admin", numLive, `"recipient":"`+id+`"`, hi).want(t, 200, answer(id))
	if m := w.lane.last(); m.To != user {
		t.Errorf("to %s", m.To)
	}
	w.lane.accepted = nil
	send("admin", numLive, `"to":"+16505555555","recipient":"`+id+`"`, hi).want(t, 200, answer("+16505555555"))
	unknown := cloudError("(#131009) Parameter value is not valid", "131009", "Parameter 'recipient' names nobody whom this business knows.")
	send("admin", numLive, `"recipient":"`+foreign+`"`, hi).want(t, 400, unknown)
	send("admin", numLive, `"recipient":"US.ENT.11815799212886844830"`, hi).want(t, 400, unknown)
	send("admin", numLive, `"recipient":"7340192256810"`, hi).want(t, 400, cloudError("(#131009) Parameter value is not valid", "131009", "Parameter 'recipient' is not a business-scoped user id."))
}

// Source: spec/messages.md section 15.
func TestMarketingMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	path := "POST /v23.0/" + numLive + "/marketing_messages"
	send := func(more string) string {
		return `{"messaging_product":"whatsapp","to":"+16505555555",` + more + `}`
	}
	named := func(name string) string {
		return `"type":"template","template":{"name":"` + name + `","language":{"code":"en_US"}}`
	}
	w.call("clerk", path, send(named("promo"))).want(t, 400, cloudError("(#134101) Your template is still syncing", "134101", "Your template is still syncing. Wait ten minutes after creating it and try again."))
	w.clock.Advance(10 * time.Minute)
	for _, c := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"text", send(`"type":"text","text":{"body":"x"}`), 400, cloudError("(#100) Invalid parameter", "100", "Message must be a template message.")},
		{"utility", send(`"type":"template","template":{"name":"order_ready","language":{"code":"en_US"}}`), 400, cloudError("(#134100) Only marketing messages supported", "134100", "You're only able to send marketing messages on this API.")},
		{"unknown key", send(named("promo") + `,"ttl_seconds":60`), 400, graphError(`(#100) Unexpected key \"ttl_seconds\".`, `"code":100`)},
		{"group", send(named("promo") + `,"recipient_type":"group"`), 400, graphError(`(#100) Param recipient_type must be one of {INDIVIDUAL} - got \"group\".`, `"code":100`)},
		{"policy", send(named("promo") + `,"product_policy":"LAX"`), 400, graphError(`(#100) Param product_policy must be one of {CLOUD_API_FALLBACK, STRICT} - got \"LAX\".`, `"code":100`)},
		{"bid", send(named("promo") + `,"bid_spec":{"per_message_bid_multiplier":0}`), 400, graphError(`(#100) Param bid_spec['per_message_bid_multiplier'] must be greater than 0.`, `"code":100`)},
		{"bid for a business-scoped id", `{"messaging_product":"whatsapp","recipient":"` + w.business.UserID(wabaA, user) + `",` + named("promo") + `,"bid_spec":{"per_message_bid_multiplier":1.5}}`, 400, cloudError("(#131062) Business-scoped User ID (BSUID) recipients are not supported for this message.", "131062", "Business-scoped User ID (BSUID) recipients are not supported for this message.")},
		{"read mark", `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.A"}`, 400, graphError(`(#100) Unexpected key \"status\".`, `"code":100`)},
		{"the sample", send(`"recipient_type":"individual",` + named("promo") + `,"product_policy":"STRICT","message_activity_sharing":true`), 200, `{"messaging_product":"whatsapp","contacts":[{"input":"+16505555555","wa_id":"16505555555"}],"messages":[{"id":"wamid.TEST1","message_status":"accepted"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) { w.call("clerk", path, c.body).want(t, c.status, c.want) })
	}
	if m := w.lane.last(); m.Category != "marketing_lite" || m.Type != "template" {
		t.Errorf("accepted %+v", m)
	}
}

// Source: spec/messages.md section 19 and spec/errors.md section 17.
func TestEncryptedSends(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	path := "POST /v23.0/" + numLive + "/messages_encrypted"
	w.call("clerk", path, `{"encrypted_contents":"a.b.c.d.e"}`).want(t, 400, cloudError("(#100) Invalid parameter", "100", "Missing required field messaging_product"))
	w.call("clerk", path, `{"messaging_product":"whatsapp","encrypted_contents":"a.b.c"}`).want(t, 400, cloudError("(#100) Invalid parameter", "100", "Invalid JWE token format"))
	w.call("clerk", path, `{"messaging_product":"whatsapp","encrypted_contents":"a.b.c.d.e"}`).want(t, 403, graphError("(#200) Insufficient permissions for this operation", `"code":200`))
	w.call("clerk", path, `{"messaging_product":"whatsapp","encrypted_contents":"a.b.c.d.e","to":"1"}`).want(t, 400, graphError(`(#100) Unexpected key \"to\".`, `"code":100`))
}

// Source: spec/messages.md section 17.
func TestBlockUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	path := "/v23.0/" + numLive + "/block_users"
	id := func(u wa.WaID) string { return w.business.UserID(wabaA, u) }
	call := func(users string) string {
		return `{"messaging_product":"whatsapp","block_users":[` + users + `]}`
	}
	entry := func(input, u, more string) string {
		return `{"input":"` + input + `","wa_id":"` + u + `","user_id":"` + id(wa.WaID(u)) + `"` + more + `}`
	}
	w.call("clerk", "POST "+path, call(`{"user":"+16505555555"},{"user_id":"`+id("16505555556")+`"}`)).want(t, 200,
		`{"messaging_product":"whatsapp","block_users":{"added_users":[`+entry("+16505555555", "16505555555", "")+`,`+entry(id("16505555556"), "16505555556", "")+`]}}`)
	const failed = `,"error":{"message":"(#139100) Failed to block/unblock users","type":"OAuthException","code":139100,"error_data":{"details":"Failed to block some users, see the block_users response list for details"},"fbtrace_id":"` + trace + `"}}`
	w.lane.silent = "16505550999"
	w.call("clerk", "POST "+path, call(`{"user":"+16505555557"},{"user":"+16505550999"},{"user":"x"},{"user":"+815055550142"}`)).want(t, 400,
		`{"messaging_product":"whatsapp","block_users":{"added_users":[`+entry("+16505555557", "16505555557", "")+`],"failed_users":[`+
			entry("+16505550999", "16505550999", `,"errors":[{"code":131047,"message":"Re-engagement message","error_data":{"details":"Message failed to send because more than 24 hours have passed since the customer last replied to this number."}}]`)+`,`+
			`{"input":"x","errors":[{"code":131009,"message":"Parameter value is not valid","error_data":{"details":"The phone number is malformed: only digits, +, -, (, ) and spaces are allowed."}}]},`+
			entry("+815055550142", "815055550142", `,"errors":[{"code":131021,"message":"Recipient cannot be sender","error_data":{"details":"Message failed to send because the sender and recipient phone number is the same."}}]`)+`]}`+failed)
	item := func(u string) string {
		return `{"messaging_product":"whatsapp","wa_id":"` + u + `","user_id":"` + id(wa.WaID(u)) + `"}`
	}
	first := w.call("clerk", "GET "+path+"?limit=2", "")
	if !strings.HasPrefix(first.body, `{"data":[`+item("16505555555")+`,`+item("16505555556")+`],"paging":{"cursors":{"before":"`) {
		t.Errorf("list: %s", first.body)
	}
	_, next, _ := strings.Cut(first.body, `"after":"`)
	next, _, _ = strings.Cut(next, `"`)
	if r := w.call("clerk", "GET "+path+"?limit=2&after="+next, ""); !strings.HasPrefix(r.body, `{"data":[`+item("16505555557")+`]`) {
		t.Errorf("second page: %s", r.body)
	}
	w.call("clerk", "DELETE "+path, call(`{"user":"16505555556"}`)).want(t, 200,
		`{"messaging_product":"whatsapp","block_users":{"removed_users":[`+entry("16505555556", "16505555556", "")+`]}}`)
	for body, want := range map[string]string{
		`{"block_users":[]}`:               graphError("(#100) The parameter messaging_product is required.", `"code":100`),
		`{"messaging_product":"whatsapp"}`: graphError("(#100) The parameter block_users is required.", `"code":100`),
		call(""):                           cloudError("(#131008) Required parameter is missing", "131008", "Parameter 'block_users' must name at least one user."),
		call(`{}`):                         graphError("(#100) The parameter block_users[0]['user'] is required.", `"code":100`),
		call(`{"wa_id":"1"}`):              graphError(`(#100) Unexpected key \"wa_id\" on param \"block_users[0]\".`, `"code":100`),
		call(strings.TrimSuffix(strings.Repeat(`{"user":"+16505555555"},`, 101), ",")): cloudError("(#130429) Rate limit hit", "130429", "Too many users in one call: at most 100 are possible."),
	} {
		w.call("clerk", "POST "+path, body).want(t, 400, want)
	}
	w.token("M", appA, adminA, scopeM)
	if r := w.call("M", "GET "+path, ""); r.status != 403 {
		t.Errorf("without the scope: %d %s", r.status, r.body)
	}
}

// Source: spec/messages.md section 18.
func TestMessageHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	path := "GET /v23.0/" + numLive + "/message_history"
	at := w.clock.Now().UnixMilli()
	second := func(ms int64) string { return strconv.FormatInt(ms/1000, 10) }
	failed := pipeline.Sent{Row: 100, Message: &pipeline.Message{ID: "wamid.F", Number: numLive, WABA: wabaA, FailedAt: at, Code: wa.ErrWindow.Code}}
	w.lane.sent = []pipeline.Sent{
		{Row: 107, Message: &pipeline.Message{ID: "wamid.A", Number: numLive, WABA: wabaA, SentAt: at, DeliveredAt: at + 2000, ReadAt: at + 4000}},
		{Row: 103, Message: &pipeline.Message{ID: "wamid.O", Number: numB, WABA: wabaB, SentAt: at}},
		failed,
	}
	cursors := func(before, after string) string {
		return `"paging":{"cursors":{"before":"` + graph.Cursor(before) + `","after":"` + graph.Cursor(after) + `"}`
	}
	first := `{"id":"8000000001070","message_id":"wamid.A","events":{"data":[{"id":"8000000001071","delivery_status":"SENT","timestamp":` + second(at) +
		`},{"id":"8000000001072","delivery_status":"DELIVERED","timestamp":` + second(at+2000) + `},{"id":"8000000001073","delivery_status":"READ","timestamp":` +
		second(at+4000) + `}],` + cursors("1", "3") + `}}}`
	last := `{"id":"8000000001000","message_id":"wamid.F","events":{"data":[{"id":"8000000001004","delivery_status":"FAILED","timestamp":` + second(at) +
		`,"error_description":"Re-engagement message"}],` + cursors("4", "4") + `}}}`
	link := func(limit int, side, key string) string {
		return `"` + base + `/v23.0/` + numLive + `/message_history?limit=` + strconv.Itoa(limit) + `&` + side + `=` + graph.Cursor(key) + `"`
	}
	for name, c := range map[string]struct{ query, want string }{
		"all":               {"", `{"data":[` + first + `,` + last + `],` + cursors("107", "100") + `}}`},
		"one":               {"?message_id=wamid.A", `{"data":[` + first + `],` + cursors("107", "107") + `}}`},
		"unknown":           {"?message_id=wamid.B", `{"data":[]}`},
		"of another number": {"?message_id=wamid.O", `{"data":[]}`},
		"fields":            {"?message_id=wamid.F&fields=message_id", `{"data":[{"message_id":"wamid.F","id":"8000000001000"}],` + cursors("100", "100") + `}}`},
		"a page":            {"?limit=1", `{"data":[` + first + `],` + cursors("107", "107") + `,"next":` + link(1, "after", "107") + `}}`},
		"the next one":      {"?limit=1&after=" + graph.Cursor("107"), `{"data":[` + last + `],` + cursors("100", "100") + `,"previous":` + link(1, "before", "100") + `}}`},
		"the one before":    {"?limit=1&before=" + graph.Cursor("100"), `{"data":[` + first + `],` + cursors("107", "107") + `,"next":` + link(1, "after", "107") + `}}`},
		"nothing found yet": {"?limit=1&after=" + graph.Cursor("100"), `{"data":[],` + cursors("100", "50") + `,"previous":` + link(1, "before", "100") + `,"next":` + link(1, "after", "50") + `}}`},
	} {
		t.Run(name, func(t *testing.T) { w.call("clerk", path+c.query, "").want(t, 200, c.want) })
	}
	w.call("clerk", path+"?summary=total_count", "").want(t, 400, graphError("(#100) Param summary is not supported for message_history without message_id.", `"code":100`))

	node := "GET /v23.0/8000000001000"
	w.call("clerk", node, "").want(t, 200, `{"id":"8000000001000","message_id":"wamid.F"}`)
	event := `{"cursor":"` + graph.Cursor("4") + `","node":{"id":"8000000001004","delivery_status":"FAILED","error_description":"Re-engagement message","occurrence_timestamp":` + second(at) + `}}`
	w.call("clerk", node+"/events", "").want(t, 200, `{"data":[`+event+`],`+cursors("4", "4")+`}}`)
	w.call("clerk", node+"/events?status_filter=SENT", "").want(t, 200, `{"data":[]}`)
	w.call("clerk", node+"/events?status_filter=LOST", "").want(t, 400, graphError(`(#100) Param status_filter must be one of {SENT, DELIVERED, READ, FAILED, DELETED} - got \"LOST\".`, `"code":100`))
	for _, id := range []string{"8000000001004", "8000000001010", "8000000001030"} { // an event, a row that is not there, one of another tenant
		w.call("clerk", "GET /v23.0/"+id, "").want(t, 400, missing("get", id))
	}
}

var _ api.Pipeline = (*pipeline.Pipeline)(nil)
