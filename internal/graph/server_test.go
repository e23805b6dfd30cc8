package graph_test

import (
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/graph"
)

const docs = "Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"

func bad33(method, id string) string {
	return `{"error":{"message":"Unsupported ` + method + ` request. Object with ID '` + id + `' does not exist, cannot be loaded due to missing permissions, or does not support this operation. ` +
		docs + `","type":"GraphMethodException","code":100,"error_subcode":33,"fbtrace_id":"` + trace + `"}}`
}

func bad(code, msg string) string {
	return `{"error":{"message":"` + strings.ReplaceAll(msg, `"`, `\"`) + `","type":"OAuthException","code":` + code + `,"fbtrace_id":"` + trace + `"}}`
}

func bad100(msg string) string { return bad("100", "(#100) "+msg) }

// Each row is one call and the bytes it is answered with.
func TestCalls(t *testing.T) {
	t.Parallel()
	const form = "Content-Type: application/x-www-form-urlencoded"
	const none = "Authorization:"
	two := `{"data":[{"display_phone_number":"+81 50-5555-0140","id":"301"},{"display_phone_number":"+81 50-5555-0141","id":"302"}]`
	cur := func(s string) string { return graph.Cursor(s) }
	base := "http://graph.example.test/v23.0/100/phone_numbers?"
	for _, tc := range []struct {
		name, line, body string
		headers          []string
		status           int
		want             string
	}{
		// reads
		{"default fields, id first, empty left out", "GET /v23.0/100", "", nil, 200, `{"id":"100","name":"Aozora Store"}`},
		{"chosen fields, id last", "GET /v23.0/100?fields=creation_time,name", "", nil, 200, `{"creation_time":"2026-04-02T09:30:00+0000","name":"Aozora Store","id":"100"}`},
		{"date_format=U", "GET /v23.0/100?fields=creation_time&date_format=U", "", nil, 200, `{"creation_time":1775122200,"id":"100"}`},
		{"empty fields is absent", "GET /v23.0/101?fields=", "", nil, 200, `{"id":"101","name":"Empty"}`},
		{"fields as list", `GET /v23.0/101?fields=["id","name"]`, "", nil, 200, `{"id":"101","name":"Empty"}`},
		{"duplicate field once", "GET /v23.0/101?fields=name,name,id", "", nil, 200, `{"name":"Empty","id":"101"}`},
		{"alias", "GET /v23.0/101?fields=name.as(title)", "", nil, 200, `{"title":"Empty","id":"101"}`},
		{"field without permission left out", "GET /v23.0/101?fields=secret,name", "", nil, 200, `{"name":"Empty","id":"101"}`},
		{"unknown field", "GET /v23.0/100?fields=id,foo", "", nil, 400, bad100("Tried accessing nonexisting field (foo) on node type (WhatsAppBusinessAccount)")},
		{"unknown nested field, even of nothing", "GET /v23.0/101?fields=phone_numbers{foo}", "", nil, 400, bad100("Tried accessing nonexisting field (foo) on node type (WhatsAppBusinessPhoneNumber)")},
		{"field of a later version", "GET /v23.0/100?fields=tier", "", nil, 400, bad100("Tried accessing nonexisting field (tier) on node type (WhatsAppBusinessAccount)")},
		{"field of this version", "GET /v24.0/100?fields=tier", "", nil, 200, `{"tier":"TIER_1K","id":"100"}`},
		{"fields syntax", "GET /v23.0/100?fields=id,name(", "", nil, 400, bad("2500", `Syntax error "Expected end of string instead of "("." at character 7: id,name(`)},
		{"object without shape, picked", "GET /v23.0/301?fields=throughput{level}", "", nil, 200, `{"throughput":{"level":"STANDARD"},"id":"301"}`},
		{"nested node", "GET /v23.0/100?fields=main_number{status}", "", nil, 200, `{"main_number":{"status":"CONNECTED","id":"301"},"id":"100"}`},
		{"nested node that is not there", "GET /v23.0/101?fields=main_number", "", nil, 200, `{"id":"101"}`},
		{"computed field with modifiers", `GET /v23.0/100?fields=analytics.start(5).dimensions("PHONE",COUNTRY)`, "", nil, 200, `{"analytics":{"start":5,"dimensions":["PHONE","COUNTRY"],"of":"100"},"id":"100"}`},
		{"computed field, modifier missing", `GET /v23.0/100?fields=analytics`, "", nil, 400, bad100("The parameter start is required.")},
		{"fault of ours is code 1 and says nothing", `GET /v23.0/100?fields=broken`, "", nil, 500, `{"error":{"message":"An unknown error occurred","type":"OAuthException","code":1,"is_transient":true,"fbtrace_id":"` + trace + `"}}`},
		{"panic is code 1", `GET /v23.0/100/panic`, "", nil, 500, `{"error":{"message":"An unknown error occurred","type":"OAuthException","code":1,"is_transient":true,"fbtrace_id":"` + trace + `"}}`},

		// edges
		{"first page", "GET /v23.0/100/phone_numbers", "", nil, 200, two + `,"paging":{"cursors":{"before":"` + cur("301") + `","after":"` + cur("302") + `"},"next":"` + base + `limit=2&after=` + cur("302") + `"}}`},
		{"middle page keeps parameters", "GET /v23.0/100/phone_numbers?fields=id&limit=1&after=" + cur("302"), "", nil, 200, `{"data":[{"id":"303"}],"paging":{"cursors":{"before":"` + cur("303") + `","after":"` + cur("303") + `"},"previous":"` + base + `fields=id&limit=1&before=` + cur("303") + `","next":"` + base + `fields=id&limit=1&after=` + cur("303") + `"}}`},
		{"backwards to the front", "GET /v23.0/100/phone_numbers?fields=id&limit=2&before=" + cur("303"), "", nil, 200, `{"data":[{"id":"301"},{"id":"302"}],"paging":{"cursors":{"before":"` + cur("301") + `","after":"` + cur("302") + `"},"next":"` + base + `fields=id&limit=2&after=` + cur("302") + `"}}`},
		{"limit is clamped; last page has no next", "GET /v23.0/100/phone_numbers?fields=id&limit=1000&after=" + cur("302"), "", nil, 200, `{"data":[{"id":"303"},{"id":"304"},{"id":"305"}],"paging":{"cursors":{"before":"` + cur("303") + `","after":"` + cur("305") + `"},"previous":"` + base + `fields=id&limit=3&before=` + cur("303") + `"}}`},
		{"behind the end", "GET /v23.0/100/phone_numbers?after=" + cur("305"), "", nil, 200, `{"data":[]}`},
		{"empty", "GET /v23.0/101/phone_numbers?summary=true", "", nil, 200, `{"data":[],"summary":{"total_count":0,"limit":250}}`},
		{"limit 0 and named summary", "GET /v23.0/100/phone_numbers?limit=0&summary=total_count", "", nil, 200, `{"data":[],"summary":{"total_count":5}}`},
		{"first is the size of a page forwards", "GET /v23.0/100/phone_numbers?fields=id&first=1&limit=3&after=" + cur("302"), "", nil, 200, `{"data":[{"id":"303"}],"paging":{"cursors":{"before":"` + cur("303") + `","after":"` + cur("303") + `"},"previous":"` + base + `fields=id&limit=1&before=` + cur("303") + `","next":"` + base + `fields=id&limit=1&after=` + cur("303") + `"}}`},
		{"last is the size of a page backwards", "GET /v23.0/100/phone_numbers?fields=id&last=1&before=" + cur("303"), "", nil, 200, `{"data":[{"id":"302"}],"paging":{"cursors":{"before":"` + cur("302") + `","after":"` + cur("302") + `"},"previous":"` + base + `fields=id&limit=1&before=` + cur("302") + `","next":"` + base + `fields=id&limit=1&after=` + cur("302") + `"}}`},
		{"last alone begins at the end", "GET /v23.0/100/phone_numbers?fields=id&last=100", "", nil, 200, `{"data":[{"id":"303"},{"id":"304"},{"id":"305"}],"paging":{"cursors":{"before":"` + cur("303") + `","after":"` + cur("305") + `"},"previous":"` + base + `fields=id&limit=3&before=` + cur("303") + `"}}`},
		{"first no number", "GET /v23.0/100/phone_numbers?first=x", "", nil, 400, bad100("Param first must be an integer.")},
		{"last of nothing", "GET /v23.0/100/phone_numbers?last=0", "", nil, 400, bad100("Param last must be greater than or equal to 1.")},
		{"first and last", "GET /v23.0/100/phone_numbers?first=1&last=1", "", nil, 400, bad100("Param first must be used without last.")},
		{"first backwards", "GET /v23.0/100/phone_numbers?first=1&before=" + cur("303"), "", nil, 400, bad100("Param first must be used without before.")},
		{"last forwards", "GET /v23.0/100/phone_numbers?last=1&after=" + cur("303"), "", nil, 400, bad100("Param last must be used without after.")},
		{"first where it is no parameter", "GET /v23.0/library?first=1&limit=2&fields=name", "", nil, 200, `{"data":[{"name":"a"},{"name":"b"}],"paging":{"cursors":{"before":"` + cur("a") + `","after":"` + cur("b") + `"},"next":"http://graph.example.test/v23.0/library?fields=name&limit=2&after=` + cur("b") + `"}}`},
		{"limit no number", "GET /v23.0/100/phone_numbers?limit=x", "", nil, 400, bad100("Param limit must be an integer.")},
		{"limit negative", "GET /v23.0/100/phone_numbers?limit=-1", "", nil, 400, bad100("Param limit must be greater than or equal to 0.")},
		{"cursor of nobody", "GET /v23.0/100/phone_numbers?after=MTIz", "", nil, 400, bad100("Invalid cursors values")},
		{"edge as field", "GET /v23.0/100?fields=phone_numbers.limit(1){id}", "", nil, 200, `{"phone_numbers":{"data":[{"id":"301"}],"paging":{"cursors":{"before":"` + cur("301") + `","after":"` + cur("301") + `"},"next":"` + base + `fields=id&limit=1&after=` + cur("301") + `"}},"id":"100"}`},
		{"single-valued edge", "GET /v23.0/100/profile?fields=vertical", "", nil, 200, `{"data":[{"vertical":"RETAIL"}]}`},
		{"single-valued edge, default", "GET /v23.0/100/profile", "", nil, 200, `{"data":[{"about":"We sell Aozora Store"}]}`},
		{"third component", "GET /v23.0/100/codes/AB12", "", nil, 200, `{"code":"AB12"}`},
		{"third component, delete", "DELETE /v23.0/100/codes/AB12", "", nil, 200, `{"success":true}`},
		{"third component where none belongs", "GET /v23.0/100/profile/x", "", nil, 400, bad("2500", "Unknown path components: /x")},
		{"four components", "GET /v23.0/100/codes/a/b", "", nil, 400, bad("2500", "Unknown path components: /b")},
		{"edge of an older version", "GET /v25.0/100/insights", "", nil, 400, bad100("Tried accessing nonexisting field (insights) on node type (WhatsAppBusinessAccount)")},
		{"edge in its version", "GET /v24.0/100/insights", "", nil, 200, `["old"]`},
		{"unknown edge, GET", "GET /v23.0/100/nope", "", nil, 400, bad100("Tried accessing nonexisting field (nope) on node type (WhatsAppBusinessAccount)")},
		{"unknown edge, POST", "POST /v23.0/100/nope", "{}", nil, 400, bad33("post", "100")},
		{"known edge, wrong method", "DELETE /v23.0/100/phone_numbers", "", nil, 400, bad33("delete", "100")},
		{"action edge read", "GET /v23.0/301/messages", "", nil, 400, bad33("get", "301")},
		{"unsupported method", "PATCH /v23.0/301", "", nil, 400, bad33("patch", "301")},
		{"delete of a node", "DELETE /v23.0/301", "", nil, 200, `{"success":true}`},
		{"delete of a node that cannot be", "DELETE /v23.0/100", "", nil, 400, bad33("delete", "100")},

		// visibility
		{"unknown id", "GET /v23.0/999", "", nil, 400, bad33("get", "999")},
		{"invisible id looks the same", "GET /v23.0/200", "", nil, 400, bad33("get", "200")},
		{"invisible id, edge", "POST /v23.0/200/phone_numbers", "{}", nil, 400, bad33("post", "200")},
		{"alias unknown", "GET /v23.0/foo", "", nil, 404, `{"error":{"message":"(#803) Some of the aliases you requested do not exist: foo","type":"GraphMethodException","code":803,"fbtrace_id":"` + trace + `"}}`},
		{"scope missing", "GET /v23.0/100", "", []string{"Authorization: Bearer narrow"}, 403, bad("200", "(#200) Requires whatsapp_business_management permission to manage the object")},
		{"scope missing, any of two", "GET /v23.0/301", "", []string{"Authorization: Bearer narrow"}, 403, bad("200", "(#200) Requires whatsapp_business_management or whatsapp_business_messaging permission to manage the object")},
		{"scope of the action", "POST /v23.0/301/messages", "{}", []string{"Authorization: Bearer app"}, 403, bad("200", "(#200) Requires whatsapp_business_messaging permission to manage the object")},
		{"visibility before permission", "GET /v23.0/200", "", []string{"Authorization: Bearer narrow"}, 400, bad33("get", "200")},
		{"permission before parameters", "POST /v23.0/301/messages", "{", []string{"Authorization: Bearer app"}, 403, bad("200", "(#200) Requires whatsapp_business_messaging permission to manage the object")},

		// tokens
		{"no token", "GET /v23.0/100", "", []string{none}, 400, bad("104", "An access token is required to request this resource.")},
		{"other scheme is no token", "GET /v23.0/100", "", []string{"Authorization: Basic Z29vZDo="}, 400, bad("104", "An access token is required to request this resource.")},
		{"scheme in any case", "GET /v23.0/101", "", []string{"Authorization: bEARER good"}, 200, `{"id":"101","name":"Empty"}`},
		{"scheme OAuth", "GET /v23.0/101", "", []string{"Authorization: oauth good"}, 200, `{"id":"101","name":"Empty"}`},
		{"garbage", "GET /v23.0/100", "", []string{"Authorization: Bearer x"}, 401, bad("190", "Invalid OAuth access token - Cannot parse access token")},
		{"query token is no token", "GET /v23.0/100?access_token=good", "", []string{none}, 400, bad("104", "An access token is required to request this resource.")},
		{"form token is no token", "POST /v23.0/100", "access_token=good&name=x", []string{none, form}, 400, bad("104", "An access token is required to request this resource.")},
		{"no token, me", "GET /v23.0/me", "", []string{none}, 400, bad("2500", "An active access token must be used to query information about the current user.")},
		{"app token, me", "GET /v23.0/me", "", []string{"Authorization: Bearer app"}, 400, bad("2500", "An active access token must be used to query information about the current user.")},
		{"me", "GET /me", "", nil, 200, `{"id":"900"}`},
		{"app alias", "GET /v23.0/app", "", nil, 400, bad33("get", "770")},

		// roots
		{"root without token keeps the parameter", "GET /oauth/access_token?access_token=t&grant_type=g", "", []string{none}, 200, `{"token":"t","grant":"g","anonymous":true}`},
		{"root, post, versioned", "POST /v23.0/oauth/access_token/", "grant_type=g&access_token=t", []string{none, form}, 200, `{"token":"t","grant":"g","anonymous":true}`},
		{"any carrier", "GET /debug_token?access_token=good", "", []string{none}, 200, `{"token":"","grant":"","anonymous":false}`},
		{"any carrier, form", "POST /debug_token", "access_token=good", []string{none, form}, 200, `{"token":"","grant":"","anonymous":false}`},
		{"optional token, none", "GET /open", "", []string{none}, 200, `{"token":"","grant":"","anonymous":true}`},
		{"optional token, bad", "GET /open", "", []string{"Authorization: Bearer x"}, 401, bad("190", "Invalid OAuth access token - Cannot parse access token")},
		{"root list", "GET /v23.0/library?limit=1", "", nil, 200, `{"data":[{"name":"a"}],"paging":{"cursors":{"before":"` + cur("a") + `","after":"` + cur("a") + `"},"next":"http://graph.example.test/v23.0/library?limit=1&after=` + cur("a") + `"}}`},
		{"root, wrong method", "DELETE /v23.0/library", "", nil, 400, bad33("delete", "library")},
		{"root with more", "GET /v23.0/oauth/access_token/x", "", nil, 400, bad("2500", "Unknown path components: /x")},
		{"the root itself", "GET /v23.0/", "", nil, 400, `{"error":{"message":"Unsupported get request. ` + docs + `","type":"GraphMethodException","code":100,"fbtrace_id":"` + trace + `"}}`},

		// versions and paths
		{"unversioned", "GET /101", "", nil, 200, `{"id":"101","name":"Empty"}`},
		{"trailing and duplicate slashes", "GET //v23.0//101/", "", nil, 200, `{"id":"101","name":"Empty"}`},
		{"v23 is v23.0", "GET /v23/101", "", nil, 200, `{"id":"101","name":"Empty"}`},
		{"expired version is served", "GET /v13.0/101", "", nil, 200, `{"id":"101","name":"Empty"}`},
		{"never released", "GET /v99.0/101/messages", "", nil, 400, bad("2500", "Unknown path components: /101/messages")},
		{"never released, old form", "GET /v2.80/101", "", nil, 400, bad("2500", "Unknown path components: /101")},
		{"malformed", "GET /23.0/101", "", nil, 400, bad("2500", "Unknown path components: /101")},
		{"malformed, nothing behind", "GET /v23.0.1", "", nil, 400, bad("2500", "Unknown path components: /v23.0.1")},
		{"routing before token", "GET /v99.0/101", "", []string{none}, 400, bad("2500", "Unknown path components: /101")},
		{"percent-decoded once", "GET /v23.0/100/codes/A%2542", "", nil, 200, `{"code":"A%42"}`},

		// writes
		{"update", "POST /v23.0/101", `{"name":"New"}`, nil, 200, `{"success":true}`},
		{"PUT is POST", "PUT /v23.0/101", `{"name":"New"}`, nil, 200, `{"success":true}`},
		{"read after write, no such field: before the change is looked at", "POST /v23.0/101?fields=name,foo", `{"name":"longer than twenty characters"}`, nil, 400, bad100(`Tried accessing nonexisting field (foo) on node type (WhatsAppBusinessAccount)`)},
		{"read after write, syntax", "POST /v23.0/101?fields=name(", `{"name":"Never"}`, nil, 400, bad("2500", `Syntax error "Expected end of string instead of "("." at character 4: name(`)},
		{"read after write", "POST /v23.0/101?fields=name", `{"name":"New"}`, nil, 200, `{"name":"New","id":"101"}`},
		{"from the query", "POST /v23.0/100/phone_numbers?cc=81", "", nil, 200, `{"id":"399","cc":"81"}`},
		{"body wins", "POST /v23.0/100/phone_numbers?cc=81", `{"cc":49}`, nil, 200, `{"id":"399","cc":"49"}`},
		{"missing", "POST /v23.0/100/phone_numbers", `{"cc":null}`, nil, 400, bad100("The parameter cc is required.")},
		{"empty body", "POST /v23.0/100/phone_numbers?cc=1", "", []string{"Content-Type: application/json"}, 200, `{"id":"399","cc":"1"}`},
		{"form without a type", "POST /v23.0/100/phone_numbers", "cc=81", []string{"Content-Type:"}, 200, `{"id":"399","cc":"81"}`},
		{"JSON without a type", "POST /v23.0/100/phone_numbers", ` {"cc":"81"}`, []string{"Content-Type:"}, 200, `{"id":"399","cc":"81"}`},
		{"malformed JSON", "POST /v23.0/100/phone_numbers", `{"cc":`, nil, 400, bad100("Invalid JSON in request body")},
		{"JSON no object", "POST /v23.0/100/phone_numbers", `[1]`, nil, 400, bad100("Request body must be a JSON object")},
		{"duplicate key", "POST /v23.0/100/phone_numbers", `{"a":{"b":1,"b":2}}`, nil, 400, bad100(`Duplicate key "a['b']" in JSON`)},
		{"NUL", "POST /v23.0/100/phone_numbers", `{"cc":"\u0000"}`, nil, 400, bad100(`Param cc must not contain NUL characters.`)},
		{"NUL in query", "POST /v23.0/100/phone_numbers?cc=%00", `{}`, nil, 400, bad100(`Param cc must not contain NUL characters.`)},
		{"invalid UTF-8", "POST /v23.0/100/phone_numbers", "{\"cc\":\"\xff\"}", nil, 400, bad100("Invalid JSON in request body")},
		{"invalid UTF-8 in form", "POST /v23.0/100/phone_numbers", "cc=%ff", []string{form}, 400, bad100("Param cc must be valid UTF-8.")},
		{"delete with JSON body", "DELETE /v23.0/301/block_users", `{"block_users":["1",2]}`, nil, 200, `{"n":["1","2"]}`},
		{"delete with query", "DELETE /v23.0/301/block_users?block_users[]=1&block_users[]=2", "", nil, 200, `{"n":["1","2"]}`},
		{"method override in query", "GET /v23.0/301?method=DELETE", "", nil, 200, `{"success":true}`},
		{"method override in body", "POST /v23.0/301", `method=delete`, []string{form}, 200, `{"success":true}`},
		{"method override in body, edge", "POST /v23.0/100/phone_numbers", `method=get&fields=id&limit=1&after=` + cur("304"), []string{form}, 200, `{"data":[{"id":"305"}],"paging":{"cursors":{"before":"` + cur("305") + `","after":"` + cur("305") + `"},"previous":"` + base + `limit=1&before=` + cur("305") + `"}}`},
		{"suppress_http_code", "GET /v23.0/999?suppress_http_code=1", "", nil, 200, bad33("get", "999")},
		{"suppress_http_code in body", "POST /v23.0/100/phone_numbers", `{"suppress_http_code":true}`, nil, 200, bad100("The parameter cc is required.")},
		{"raw body", "POST /v23.0/upload:MTph=?sig=ARZ", "\x00\xff{", []string{"file_offset: 7"}, 200, "{\"h\":\"7:\\u0000\ufffd{\"}"},
		{"raw body too large", "POST /v23.0/upload:x", strings.Repeat("x", 65), nil, 413, bad100("Request body is larger than 64 bytes")},

		// messages
		{"send", "POST /v23.0/301/messages", `{"messaging_product":"whatsapp","to":"+1 (555) 017-7788","text":{"body":"hi"}}`, nil, 200, `{"messaging_product":"whatsapp","contacts":[{"input":"15550177788"}],"messages":[{"id":"wamid.301"}]}`},
		{"send, number as number", "POST /v23.0/301/messages", `{"messaging_product":"WhatsApp","to":15550177788,"text":{"body":"hi"}}`, nil, 200, `{"messaging_product":"whatsapp","contacts":[{"input":"15550177788"}],"messages":[{"id":"wamid.301"}]}`},
		{"send as form", "POST /v23.0/301/messages", `messaging_product=whatsapp&to=1555&text={"body":"hi%3d"}`, []string{form}, 200, `{"messaging_product":"whatsapp","contacts":[{"input":"1555"}],"messages":[{"id":"wamid.301"}]}`},
		{"send, nested key missing", "POST /v23.0/301/messages", `{"messaging_product":"whatsapp","to":"1","text":{}}`, nil, 400, bad100("The parameter text['body'] is required.")},
		{"send, wrong type", "POST /v23.0/301/messages", `{"messaging_product":"whatsapp","to":"1","text":{"body":1}}`, nil, 400, bad100("Param text['body'] must be a string.")},
		{"send, text as form string that is no object", "POST /v23.0/301/messages", `messaging_product=whatsapp&to=1&text={"body`, []string{form}, 400, bad100("Param text must be valid JSON.")},
		{"send, unexpected key", "POST /v23.0/301/messages", `{"messaging_product":"whatsapp","to":"1","text":{"body":"x","z":1}}`, nil, 400, bad100(`Unexpected key "z" on param "text".`)},
		{"send, wrong enum", "POST /v23.0/301/messages", `{"messaging_product":"sms"}`, nil, 400, bad100(`Param messaging_product must be one of {WHATSAPP} - got "sms".`)},
		{"send, too long", "POST /v23.0/301/messages", `{"messaging_product":"whatsapp","to":"1","text":{"body":"` + strings.Repeat("é", 4097) + `"}}`, nil, 400, bad100("Param text['body'] must be at most 4096 characters long.")},
		{"body of the handler, any carrier", "POST /v23.0/301/echo?x=1", `a={"b":[1]}&l[]=p&l[]=q&s=t`, []string{form}, 200, `{"a":{"b":[1]},"l":["p","q"],"s":"t","x":"1"}`},
		{"body of the handler, JSON as sent", "POST /v23.0/301/echo", `{"a" : 1}`, nil, 200, `{"a" : 1}`},
		{"body of the handler, none sent", "POST /v23.0/301/echo", "", nil, 200, `{}`},
		{"body of the handler, spaces", "POST /v23.0/301/echo", " ", nil, 200, `{}`},
		{"token in JSON body is not passed on", "POST /v23.0/301/echo", `{"access_token":"good","a":1}`, nil, 200, `{"a":1}`},

		// families
		{"cloud family", "POST /v23.0/301/limited", `{}`, nil, 400, `{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429,"error_data":{"messaging_product":"whatsapp","details":"slow down"},"fbtrace_id":"` + trace + `"}}`},
		{"management family", "POST /v23.0/301/managed", `{}`, nil, 400, `{"error":{"message":"Invalid parameter","type":"OAuthException","code":100,"error_subcode":2388024,"is_transient":false,"error_user_title":"Content in This Language Already Exists","error_user_msg":"The template already has a Japanese version.","error_data":{"blame_field_specs":[["name"]]},"fbtrace_id":"` + trace + `"}}`},

		// several ids
		{"ids", "GET /v23.0/?ids=101,301&fields=id", "", nil, 200, `{"101":{"id":"101"},"301":{"id":"301"}}`},
		{"ids, unversioned, repeated", "GET /?ids=101,101", "", nil, 200, `{"101":{"id":"101","name":"Empty"}}`},
		{"ids, indexed", "GET /v23.0/?ids[1]=301&ids[0]=101&fields=id", "", nil, 200, `{"101":{"id":"101"},"301":{"id":"301"}}`},
		{"ids, brackets", "GET /v23.0/?ids[]=101&ids[]=301&fields=id", "", nil, 200, `{"101":{"id":"101"},"301":{"id":"301"}}`},
		{"ids, named again", "GET /v23.0/?ids=101&ids=301&fields=id", "", nil, 200, `{"101":{"id":"101"},"301":{"id":"301"}}`},
		{"ids, JSON", `GET /v23.0/?ids=["101","301"]&fields=id`, "", nil, 200, `{"101":{"id":"101"},"301":{"id":"301"}}`},
		{"ids with edge", "GET /v23.0/phone_numbers?ids=101,100&limit=0", "", nil, 200, `{"101":{"data":[]},"100":{"data":[]}}`},
		{"ids, one invisible", "GET /v23.0/?ids=101,200", "", nil, 400, bad33("get", "200")},
		{"ids, one alias", "GET /v23.0/?ids=101,foo", "", nil, 404, `{"error":{"message":"(#803) Some of the aliases you requested do not exist: foo","type":"GraphMethodException","code":803,"fbtrace_id":"` + trace + `"}}`},
		{"ids, too many", "GET /v23.0/?ids=" + strings.Repeat("1,", 50) + "1", "", nil, 400, bad100("Param ids must not have more than 50 ids.")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			line := strings.NewReplacer(`"`, "%22", "{", "%7B", "}", "%7D").Replace(tc.line)
			w := r.do(line, tc.body, tc.headers...)
			if w.Code != tc.status || w.Body.String() != tc.want {
				t.Errorf("%s\n got %d %s\nwant %d %s\nlog %s", tc.line, w.Code, w.Body, tc.status, tc.want, r.log)
			}
		})
	}
}
