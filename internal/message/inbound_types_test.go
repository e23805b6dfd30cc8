package message_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/message"
	"pgregory.net/rapid"
)

const (
	quoted  = `"context":{"id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA"}`
	answers = `"context":{"from":"15550100123","id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA"}`
	file    = `"mime_type":"m/t","sha256":"wBIX=","id":"184672"`
)

// inboundTypes has every type a device can send. Of want, <head> is from, from_user_id, id and timestamp; "" means
// unsupported. Source: spec/webhooks.md sections 12 and 13.
var inboundTypes = []struct{ name, plain, want string }{
	{
		"image", `{"type":"image","image":{"id":"184672","sha256":"wBIX=","size":7,"caption":"Is this yours?","mime_type":"m/t","blob":{"key":"k"}}}`,
		`{<head>,"type":"image","image":{"caption":"Is this yours?",` + file + `}}`,
	},
	{"image without caption", `{"type":"image","image":{` + file + `,"caption":""}}`, `{<head>,"type":"image","image":{` + file + `}}`},
	{"image with its address", `{"type":"image","image":{"url":"https://wa.example/a",` + file + `}}`, `{<head>,"type":"image","image":{` + file + `,"url":"https://wa.example/a"}}`},
	{"video", `{"type":"video","video":{"caption":"c",` + file + `}}`, `{<head>,"type":"video","video":{"caption":"c",` + file + `}}`},
	{"voice", `{"type":"audio","audio":{"voice":true,` + file + `}}`, `{<head>,"type":"audio","audio":{` + file + `,"voice":true}}`},
	{"audio file", `{"type":"audio","audio":{` + file + `,"caption":"c"}}`, `{<head>,"type":"audio","audio":{` + file + `,"voice":false}}`},
	{"document", `{"type":"document","document":{"filename":"f.pdf",` + file + `,"caption":"c"}}`, `{<head>,"type":"document","document":{"caption":"c","filename":"f.pdf",` + file + `}}`},
	{"sticker", `{"type":"sticker","sticker":{` + file + `}}`, `{<head>,"type":"sticker","sticker":{` + file + `,"animated":false}}`},
	{"animated sticker, forwarded", `{"context":{"forwarded":true},"type":"sticker","sticker":{` + file + `,"animated":true}}`, `{"context":{"forwarded":true},<head>,"type":"sticker","sticker":{` + file + `,"animated":true}}`},
	{"location", `{"type":"location","location":{"longitude":-122.5,"latitude":37.25}}`, `{<head>,"type":"location","location":{"latitude":37.25,"longitude":-122.5}}`},
	{"place", `{"type":"location","location":{"name":"n","address":"a","url":"u","longitude":0,"latitude":1e1}}`, `{<head>,"type":"location","location":{"latitude":1e1,"longitude":0,"name":"n","address":"a","url":"u"}}`},
	{"location off the globe", `{"type":"location","location":{"latitude":91,"longitude":0}}`, ""},
	{"location in words", `{"type":"location","location":{"latitude":"37","longitude":"0"}}`, ""},
	{
		"contacts", `{"type":"contacts","contacts":[{"phones":[{"type":"MOBILE","phone":"+1","wa_id":"1"},{}],"vcard":"BEGIN:VCARD","origin":"contact_request","name":{"first_name":"A","formatted_name":"A"},"x":1},{},5]}`,
		`{<head>,"type":"contacts","contacts":[{"origin":"contact_request","vcard":"BEGIN:VCARD","name":{"formatted_name":"A","first_name":"A"},"phones":[{"phone":"+1","wa_id":"1","type":"MOBILE"}]}]}`,
	},
	{"contacts without any", `{"type":"contacts","contacts":[]}`, ""},
	{"reaction", `{"type":"reaction","reaction":{"message_id":"wamid.X","emoji":"👍"}}`, `{<head>,"type":"reaction","reaction":{"message_id":"wamid.X","emoji":"👍"}}`},
	{"reaction taken back", `{"type":"reaction","reaction":{"message_id":"wamid.X","emoji":""}}`, `{<head>,"type":"reaction","reaction":{"message_id":"wamid.X"}}`},
	{"template button", `{"type":"button","button":{"text":"Keep","payload":"keep-8841"},` + quoted + `}`, `{` + answers + `,<head>,"type":"button","button":{"payload":"keep-8841","text":"Keep"}}`},
	{"template button without its message", `{"type":"button","button":{"text":"Keep","payload":"keep-8841"}}`, ""},
	{
		"reply button", `{"type":"interactive","interactive":{"type":"button_reply","button_reply":{"title":"T","id":"i"}},` + quoted + `}`,
		`{` + answers + `,<head>,"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"i","title":"T"}}}`,
	},
	{
		"list", `{` + quoted + `,"interactive":{"list_reply":{"description":"Morning","id":"t-09","title":"09:00–12:00"},"type":"list_reply"},"type":"interactive"}`,
		`{` + answers + `,<head>,"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"t-09","title":"09:00–12:00","description":"Morning"}}}`,
	},
	{
		"flow", `{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"{\"flow_token\":\"t\"}"}},` + quoted + `}`,
		`{` + answers + `,<head>,"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{\"flow_token\":\"t\"}"}}}`,
	},
	{
		"address", `{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"address_message","body":"A, B","response_json":"{}"}},` + quoted + `}`,
		`{` + answers + `,<head>,"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"address_message","body":"A, B","response_json":"{}"}}}`,
	},
	{"flow with broken answers", `{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"{\"a\":"}},` + quoted + `}`, ""},
	{
		"call permission", `{"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"accept","expiration_timestamp":"1783670600","response_source":"automatic"}},"context":{"id":"wacid.HBgA"}}`,
		`{"context":{"from":"15550100123","id":"wacid.HBgA"},<head>,"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"accept","is_permanent":false,"expiration_timestamp":"1783670600","response_source":"automatic"}}}`,
	},
	{"reply of another kind than it says", `{"type":"interactive","interactive":{"type":"list_reply","button_reply":{"title":"T","id":"i"}},` + quoted + `}`, ""},
	{"reply of no kind", `{"type":"interactive","interactive":{"type":"type"},` + quoted + `}`, ""},
	{
		"order", `{"type":"order","order":{"catalog_id":"700220033","product_items":[{"currency":"EUR","item_price":24.5,"quantity":2,"product_retailer_id":"HAMP-S"}]},` + quoted + `}`,
		`{<head>,"type":"order","order":{"catalog_id":"700220033","text":"","product_items":[{"product_retailer_id":"HAMP-S","quantity":2,"item_price":24.5,"currency":"EUR"}]},` + answers + `}`,
	},
	{"order of nothing", `{"type":"order","order":{"catalog_id":"700220033","product_items":[{"currency":"EUR","item_price":24.5,"quantity":0,"product_retailer_id":"HAMP-S"}]}}`, ""},
	{
		"from an ad", `{"type":"text","text":{"body":"a"},"referral":{"ctwa_clid":"c","source_type":"ad","welcome_message":{"text":"Hi"},"x":1,"source_url":"u"}}`,
		`{<head>,"type":"text","text":{"body":"a"},"referral":{"source_url":"u","source_type":"ad","ctwa_clid":"c","welcome_message":{"text":"Hi"}}}`,
	},
	{"from an ad that says nothing", `{"type":"text","text":{"body":"a"},"referral":{"source_type":"rumour"}}`, `{<head>,"type":"text","text":{"body":"a"}}`},
	{
		"from a product", `{"type":"text","text":{"body":"a"},"context":{"referred_product":{"product_retailer_id":"HAMP-S","catalog_id":"7"}}}`,
		`{"context":{"referred_product":{"catalog_id":"7","product_retailer_id":"HAMP-S"}},<head>,"type":"text","text":{"body":"a"}}`,
	},
	{
		"about a product and a message", `{"type":"text","text":{"body":"a"},"context":{"id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA","referred_product":{"product_retailer_id":"HAMP-S","catalog_id":"7"}}}`,
		`{"context":{"from":"15550100123","id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA","referred_product":{"catalog_id":"7","product_retailer_id":"HAMP-S"}},<head>,"type":"text","text":{"body":"a"}}`,
	},
	{"about half a product", `{"type":"text","text":{"body":"a"},"context":{"referred_product":{"catalog_id":"7"}}}`, `{<head>,"type":"text","text":{"body":"a"}}`},
	{"two objects, the type comes last", `{"location":{"latitude":1,"longitude":1},"reaction":{"message_id":"x"},"type":"reaction"}`, `{<head>,"type":"reaction","reaction":{"message_id":"x"}}`},
	{"a type without its object", `{"location":{"latitude":1,"longitude":1},"type":"reaction"}`, ""},
	{"an object that is none", `{"type":"reaction","reaction":[]}`, ""},
}

func TestInboundTypes(t *testing.T) {
	t.Parallel()
	const head = `"from":"15550177788","from_user_id":"US.7340192256810","id":"wamid.A=","timestamp":"1783065600"`
	for _, c := range inboundTypes {
		got := string(message.AppendInbound([]byte("before"), arrival(), message.ParseInbound(padded(c.plain)).Body))[len("before"):]
		if c.want == "" {
			if !strings.HasPrefix(got, `{`+head+`,"errors":[{"code":1310`) || !json.Valid([]byte(got)) {
				t.Errorf("%s: got %s, want unsupported", c.name, got)
			}
		} else if want := strings.ReplaceAll(c.want, "<head>", head); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, want)
		}
	}
	if in := message.ParseInbound(padded(`{"type":"text","text":{"body":"a"},"referral":{"source_url":"u"}}`)); !in.Referral {
		t.Error("a referral goes unnoticed")
	}
}

// A device cannot name a file that is not its own, nor where its own is.
func TestForgedFile(t *testing.T) {
	t.Parallel()
	for _, key := range []string{`url`, `u\u0072l`} {
		body := message.ReplaceFile([]byte(`{"type":"image","image":{"`+key+`":"https://evil.example"}}`), "image", []byte(file))
		if got := string(message.AppendInbound(nil, arrival(), body)); !strings.Contains(got, "184672") || strings.Contains(got, "evil") {
			t.Errorf("%s became %s", body, got)
		}
	}
	in := message.ParseInbound(padded(`{"type":"image","image":{` + file + `,"bl\u006fb":{}}}`)).WithoutFile()
	if got := string(message.AppendInbound(nil, arrival(), in.Body)); in.Type != "image" || !strings.Contains(got, `"code":131052`) || strings.Contains(got, "184672") {
		t.Errorf("%s became %s", in.Body, got)
	}
}

// Whatever an element says it is, it has.
func hasMember(element []byte, name string) bool {
	var v map[string]json.RawMessage
	return json.Unmarshal(element, &v) == nil && len(v[name]) > 2
}

// Whatever objects a device puts under the names of types, the element is valid JSON with what every message has.
func TestAnyContentBecomesAnElement(t *testing.T) {
	t.Parallel()
	kinds := []string{"text", "image", "audio", "document", "sticker", "video", "location", "contacts", "reaction", "button", "interactive", "order", "poll", "context", "referral"}
	names := []string{"type", "body", "id", "mime_type", "sha256", "latitude", "longitude", "message_id", "payload", "text", "title", "button_reply", "list_reply", "nfm_reply", "response_json", "catalog_id", "product_items", "phones", "name", "voice", "source_url"}
	var value func(t *rapid.T, depth int) any
	value = func(t *rapid.T, depth int) any {
		switch n := rapid.IntRange(0, 7).Draw(t, "kind of value"); {
		case n == 0:
			return rapid.Float64Range(-200, 200).Draw(t, "number")
		case n == 1:
			return rapid.Bool().Draw(t, "truth")
		case n == 2:
			return rapid.SampledFrom(append(names, "{}", "")).Draw(t, "word")
		case n == 3:
			return rapid.String().Draw(t, "text")
		case n == 4 && depth < 4:
			var list []any
			for range rapid.IntRange(0, 3).Draw(t, "elements") {
				list = append(list, value(t, depth+1))
			}
			return list
		case depth < 4:
			o := map[string]any{}
			for range rapid.IntRange(0, 4).Draw(t, "members") {
				o[rapid.SampledFrom(names).Draw(t, "name")] = value(t, depth+1)
			}
			return o
		}
		return nil
	}
	rapid.Check(t, func(t *rapid.T) {
		m := map[string]any{"type": rapid.SampledFrom(kinds).Draw(t, "type")}
		for range rapid.IntRange(0, 3).Draw(t, "objects") {
			m[rapid.SampledFrom(kinds).Draw(t, "of")] = value(t, 0)
		}
		body, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		out := message.AppendInbound(nil, arrival(), message.ParseInbound(padded(string(body))).Body)
		var v struct{ From, ID, Timestamp, Type string }
		if err := json.Unmarshal(out, &v); err != nil || v.From == "" || v.ID == "" || v.Timestamp == "" || !hasMember(out, "errors") && !hasMember(out, v.Type) {
			t.Fatalf("%s became %s, %v", body, out, err)
		}
	})
}
