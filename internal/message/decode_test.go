package message_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// decode reads a request body as the API does.
func decode(body string) (*message.Outbound, error) {
	p, err := graph.Text("", body).Object()
	if err != nil {
		return nil, err
	}
	return message.Decode(p)
}

// wire is what the wire carries of an error: "(#131008) title | details".
func wire(err error) string {
	var row *wa.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &row):
		return "no row: " + err.Error()
	case row.Details == "":
		return row.Message()
	}
	return row.Message() + " | " + row.Details
}

var sender = &message.Sender{WaID: "15550100123", CallingCode: 1}

// through runs the gates of this room and says where a message stopped.
func through(body string, s *message.Sender) (o *message.Outbound, gate int, err error) {
	if o, err = decode(body); err != nil {
		return nil, 6, err
	}
	if err = o.Check(); err != nil {
		return o, 8, err
	}
	if err = o.Address(s); err != nil {
		return o, 9, err
	}
	return o, 0, nil
}

const group = "Y2FwaV9ncm91cDoxNTU1MDEwMDEyMzoxMjAzNjMwMTk5ODg3NzY2NTUZD"

const head = `{"messaging_product":"whatsapp","to":"+16505551234",`

// Source: spec/errors.md sections 2, 6 and 8; spec/messages.md sections 2, 3 and 9.1.
func TestGates(t *testing.T) {
	t.Parallel()
	const list = "{AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, PIN, REACTION, STICKER, TEMPLATE, TEXT, VIDEO}"
	const unsupported = "(#131051) Unsupported message type | Message type is not currently supported."
	for _, c := range []struct {
		name, body string
		gate       int
		want       string
	}{
		{"no messaging_product", `{"to":"1"}`, 6, "(#100) The parameter messaging_product is required."},
		{"another product", `{"messaging_product":"telegram"}`, 6, `(#100) Param messaging_product must be one of {WHATSAPP} - got "telegram".`},
		{"no recipient", `{"messaging_product":"whatsapp","type":"text"}`, 6, "(#100) The parameter to is required."},
		{"empty recipient", `{"messaging_product":"whatsapp","to":"","type":"text"}`, 6, "(#100) The parameter to is required."},
		{"recipient is an object", `{"messaging_product":"whatsapp","to":{}}`, 6, "(#100) Param to must be a string."},
		{"recipient_type", head + `"recipient_type":"crowd","type":"text"}`, 6, `(#100) Param recipient_type must be one of {INDIVIDUAL, GROUP} - got "crowd".`},
		{"no type", head + `"foo":1}`, 6, "(#100) The parameter type is required."},
		{"unknown type", head + `"type":"foo"}`, 6, "(#100) Param type must be one of " + list + ` - got "foo".`},
		{"hsm is gone", head + `"type":"hsm"}`, 6, "(#100) Param type must be one of " + list + ` - got "hsm".`},
		{"no text object", head + `"type":"text"}`, 6, "(#100) The parameter text is required."},
		{"text is a string", head + `"type":"text","text":"hi"}`, 6, "(#100) Param text must be an object."},
		{"unknown key in text", head + `"type":"text","text":{"body":"hi","foo":1}}`, 6, `(#100) Unexpected key "foo" on param "text".`},
		{"body is a number", head + `"type":"text","text":{"body":5}}`, 6, "(#100) Param text['body'] must be a string."},
		{"preview_url is a number", head + `"type":"text","text":{"body":"hi","preview_url":"maybe"}}`, 6, "(#100) Param text['preview_url'] must be a boolean."},
		{"4097 characters", head + `"type":"text","text":{"body":"` + strings.Repeat("é", 4097) + `"}}`, 6, "(#100) Param text['body'] must be at most 4096 characters long."},
		{"4096 characters", head + `"type":"text","text":{"body":"` + strings.Repeat("é", 4096) + `"}}`, 0, ""},
		{"513 opaque characters", head + `"type":"text","text":{"body":"hi"},"biz_opaque_callback_data":"` + strings.Repeat("x", 513) + `"}`, 6, "(#100) Param biz_opaque_callback_data must be at most 512 characters long."},
		{"an identity hash of 257 characters", head + `"type":"text","text":{"body":"hi"},"recipient_identity_key_hash":"` + strings.Repeat("x", 257) + `"}`, 6, "(#100) Param recipient_identity_key_hash must be at most 256 characters long."},
		{"context is a string", head + `"type":"text","text":{"body":"hi"},"context":"x"}`, 6, "(#100) Param context must be an object."},
		{"unknown key in context", head + `"type":"text","text":{"body":"hi"},"context":{"id":"x"}}`, 6, `(#100) Unexpected key "id" on param "context".`},
		{"no template object", head + `"type":"template"}`, 6, "(#100) The parameter template is required."},
		{"no image object", head + `"type":"image"}`, 6, "(#100) The parameter image is required."},
		{"category", head + `"type":"text","text":{"body":"hi"},"category":"marketing"}`, 6, `(#100) Param category must be one of {SERVICE, UTILITY, AUTHENTICATION} - got "marketing".`},

		{"no body", head + `"type":"text","text":{}}`, 8, "(#131008) Required parameter is missing | Parameter 'body' is mandatory for type 'text'"},
		{"empty body", head + `"type":"text","text":{"body":""}}`, 8, "(#131008) Required parameter is missing | Parameter 'body' is mandatory for type 'text'"},
		{"empty context", head + `"type":"text","text":{"body":"hi"},"context":{}}`, 8, "(#131009) Parameter value is not valid | Parameter 'message_id' of 'context' is not the id of a message."},
		{"a group takes no location", `{"messaging_product":"whatsapp","recipient_type":"group","to":"` + group + `","type":"location","location":{"latitude":1,"longitude":1}}`, 8, unsupported},
		{"a pin in a group", `{"messaging_product":"whatsapp","recipient_type":"group","to":"` + group + `","type":"pin","pin":{"type":"pin","message_id":"wamid.A","expiration_days":"7"}}`, 9, "(#131215) Phone number is not eligible for groups | Group messages are not enabled for this phone number."},
		{"a pin for nobody", head + `"type":"pin","pin":{"type":"unpin","message_id":"wamid.A"}}`, 8, unsupported},
		{"direct send for too short a time", head + `"type":"text","text":{"body":"hi"},"category":"utility","ttl_seconds":29}`, 8, "(#100) Invalid parameter | ttl_seconds must be between 30 and 43200"},
		{"direct send with a template name", head + `"type":"text","text":{"body":"hi"},"direct_send_config":{"template_name":"x"}}`, 8, "(#100) Invalid parameter | Direct Send isn't enabled for this account"},
		{"direct send", head + `"type":"text","text":{"body":"hi"},"category":"utility"}`, 8, "(#100) Invalid parameter | Direct Send isn't enabled for this account"},
		{"ttl without direct send", head + `"type":"text","text":{"body":"hi"},"ttl_seconds":60}`, 8, "(#100) Invalid parameter | ttl_seconds is only allowed with Direct Send"},

		{"a malformed number", `{"messaging_product":"whatsapp","to":"+1650555x","text":{"body":"hi"}}`, 9, "(#131009) Parameter value is not valid | The phone number is malformed: only digits, +, -, (, ) and spaces are allowed."},
		{"the sender itself", `{"messaging_product":"whatsapp","to":"+1 (555) 010-0123","text":{"body":"hi"}}`, 9, "(#131021) Recipient cannot be sender | Message failed to send because the sender and recipient phone number is the same."},
		{"no group", `{"messaging_product":"whatsapp","recipient_type":"group","to":"+16505551234","text":{"body":"hi"}}`, 9, "(#131009) Parameter value is not valid | Parameter 'to' is not the id of a group."},
		{"a group", `{"messaging_product":"whatsapp","recipient_type":"group","to":"` + group + `","text":{"body":"hi"}}`, 9, "(#131215) Phone number is not eligible for groups | Group messages are not enabled for this phone number."},
		{"a business-scoped id", `{"messaging_product":"whatsapp","recipient":"US.7340192256810","text":{"body":"hi"}}`, 9, "(#131062) Business-scoped User ID (BSUID) recipients are not supported for this message. | Business-scoped User ID (BSUID) recipients are not supported for this message."},
		{"a malformed one", `{"messaging_product":"whatsapp","recipient":"us.734","text":{"body":"hi"}}`, 9, "(#131009) Parameter value is not valid | Parameter 'recipient' is not a business-scoped user id."},
		{"the phone number wins", `{"messaging_product":"whatsapp","to":"+16505551234","recipient":"us.734","text":{"body":"hi"}}`, 0, ""},

		{"type may be left out for text", head + `"text":{"body":"hi"}}`, 0, ""},
		{"enumerations in any case", `{"messaging_product":"WhatsApp","recipient_type":"Individual","to":"+16505551234","type":"TEXT","text":{"body":"hi"}}`, 0, ""},
		{"the recipient may be a number", `{"messaging_product":"whatsapp","to":16505551234,"type":"text","text":{"body":"hi"}}`, 0, ""},
		{"objects may be JSON text in forms", `{"messaging_product":"whatsapp","to":"16505551234","type":"text","text":{"body":"hi","preview_url":"true"}}`, 0, ""},
		{"unknown envelope keys are ignored", head + `"type":"text","text":{"body":"hi"},"foo":{"bar":1}}`, 0, ""},
		{"null is absent", head + `"type":"text","text":{"body":"hi","preview_url":null},"context":null,"image":null}`, 0, ""},
		{"an unknown quoted message is accepted", head + `"type":"text","text":{"body":"hi"},"context":{"message_id":"wamid.x"}}`, 0, ""},
		{"explicit service", head + `"type":"text","text":{"body":"hi"},"category":"service"}`, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, gate, err := through(c.body, sender)
			if got := wire(err); gate != c.gate || got != c.want {
				t.Errorf("gate %d: %s\nwant %d: %s", gate, got, c.gate, c.want)
			}
			if err == nil && o.To != "16505551234" {
				t.Errorf("to %s", o.To)
			}
		})
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	o, _, err := through(`{"messaging_product":"whatsapp","recipient_type":"individual","to":"+1 650-555-1234","type":"text",
		"text":{"preview_url":true,"body":"Tonight: <https://bistro.example/menu?a=1&b=\"x\">, 👍"},
		"context":{"message_id":"wamid.HBgL/+=="},"biz_opaque_callback_data":"reservation:8841","recipient_identity_key_hash":"9hQ1x0c2Yso="}`, sender)
	if err != nil {
		t.Fatal(err)
	}
	want := `"type":"text","text":{"body":"Tonight: <https://bistro.example/menu?a=1&b=\"x\">, 👍","preview_url":true},"context":{"id":"wamid.HBgL/+=="}`
	if string(o.Body) != want {
		t.Errorf("body %s\nwant %s", o.Body, want)
	}
	if o.Input != "+1 650-555-1234" || o.To != "16505551234" || o.Type != message.TypeText || o.Category != "service" || o.Life != message.Month ||
		o.Opaque != "reservation:8841" || o.IdentityHash != "9hQ1x0c2Yso=" || o.PreviewURL != "https://bistro.example/menu?a=1&b=" || o.IsTemplate() {
		t.Errorf("%+v", *o)
	}
}

// Source: spec/messages.md section 2 for text; the other types by the same rule.
func TestMissingTypes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want string }{
		{`"text":{"body":"hi"}`, message.TypeText},
		{`"type":null,"text":{"body":"hi"}`, message.TypeText},
		{`"image":{"link":"https://a.example/b.png"}`, message.TypeImage},
		{`"location":{"latitude":1,"longitude":2}`, message.TypeLocation},
		{`"contacts":[{"name":{"formatted_name":"A B","first_name":"A"}}]`, message.TypeContacts},
		{`"template":{"name":"hello_world"}`, message.TypeTemplate},
		{`"image":{"link":"https://a.example/b.png"},"text":{"body":"hi"}`, message.TypeText},
		{`"image":{"link":"https://a.example/b.png"},"video":{"link":"https://a.example/b.mp4"}`, ""},
	} {
		o, _, err := through(head+c.body+`}`, sender)
		if c.want == "" {
			if got := wire(err); got != "(#100) The parameter type is required." {
				t.Errorf("%s: %s", c.body, got)
			}
			continue
		}
		if err != nil || o.Type != c.want {
			t.Errorf("%s: %v, %v", c.body, o, err)
		}
	}
}

func TestTemplateIsFinishedByTheCaller(t *testing.T) {
	t.Parallel()
	o, _, err := through(head+`"type":"template","template":{"name":"hello_world"},"context":{"message_id":"wamid.A"}}`, sender)
	if err != nil || !o.IsTemplate() || o.Body != nil {
		t.Fatal(err, o)
	}
	o.Finish([]byte(`{"body":{"text":"x"}}`), "utility", time.Hour)
	if string(o.Body) != `"type":"template","template":{"body":{"text":"x"}},"context":{"id":"wamid.A"}` || o.Category != "utility" || o.Life != time.Hour {
		t.Errorf("%s %+v", o.Body, *o)
	}
}

func TestTemplatesMustFit(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]string{60 << 10: "", 64 << 10: "(#131009) Parameter value is not valid | The message is too long."} {
		o, _, err := through(head+`"type":"template","template":{"name":"hello_world"}}`, sender)
		if err != nil {
			t.Fatal(err)
		}
		o.Finish([]byte(`{"data":"`+strings.Repeat("x", size)+`"}`), "utility", time.Hour)
		if got := wire(o.Fits()); got != want {
			t.Errorf("%d bytes: %q", size, got)
		}
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	const start = `{"messaging_product":"whatsapp","status":"read"`
	for _, c := range []struct {
		name, body string
		typing     bool
		want       string
	}{
		{"read", start + `,"message_id":"wamid.A"}`, false, ""},
		{"with typing", start + `,"message_id":"wamid.A","typing_indicator":{"type":"text"}}`, true, ""},
		{"other keys do not matter", start + `,"message_id":"wamid.A","type":"foo"}`, false, ""},
		{"another status", `{"messaging_product":"whatsapp","status":"played","message_id":"wamid.A"}`, false, `(#100) Param status must be one of {READ} - got "played".`},
		{"no id", start + `}`, false, "(#100) The parameter message_id is required."},
		{"empty id", start + `,"message_id":""}`, false, "(#131009) Parameter value is not valid | Parameter 'message_id' is not the id of a message."},
		{"another indicator", start + `,"message_id":"wamid.A","typing_indicator":{"type":"audio"}}`, false, `(#100) Param typing_indicator['type'] must be one of {TEXT} - got "audio".`},
		{"indicator without type", start + `,"message_id":"wamid.A","typing_indicator":{}}`, false, "(#100) The parameter typing_indicator['type'] is required."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, _, err := through(c.body, sender)
			if got := wire(err); got != c.want {
				t.Fatalf("got %s, want %s", got, c.want)
			}
			if err == nil && (o.Mark == nil || o.Mark.MessageID != "wamid.A" || o.Mark.Typing != c.typing) {
				t.Errorf("%+v", o.Mark)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	india := message.Sender{WaID: "919999999999", CallingCode: 91}
	strict := india
	strict.Strict = true
	known := india
	known.Known = func(id wa.WaID) bool { return id == "6315550142" }
	test := *sender
	test.Allows = func(id wa.WaID) bool { return id == "16505551234" }
	scoped := *sender
	scoped.Resolve = func(id string) (wa.WaID, bool) { return "16505551234", id == "US.ENT.7340192256810" }
	address := `"to":"+919812345678","type":"interactive","interactive":{"type":"address_message","body":{"text":"Where to?"},"action":{"name":"address_message","parameters":{"country":"IN"}}}`
	for _, c := range []struct {
		name   string
		s      message.Sender
		to     string
		want   wa.WaID
		reason string
	}{
		{"plus sign: as it is", india, `"to":"+16315550142"`, "16315550142", ""},
		{"strict: the calling code is prepended", strict, `"to":"(631) 555-0142"`, "916315550142", ""},
		{"somebody known", known, `"to":"631 555 0142"`, "6315550142", ""},
		{"test number, listed", test, `"to":"16505551234"`, "16505551234", ""},
		{"test number, not listed", test, `"to":"16505551235"`, "16505551235", "(#131030) Recipient phone number not in allowed list | Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again."},
		{"address message of India", india, address, "919812345678", ""},
		{"address message of another country", *sender, address, "919812345678", "(#131009) Parameter value is not valid | Interactive message type, 'address_message' not supported. Supported types ['button', 'call_permission_request', 'carousel', 'catalog_message', 'cta_url', 'flow', 'list', 'location_request_message', 'order_details', 'order_status', 'product', 'product_list', 'request_contact_info', 'voice_call']"},
		{"business-scoped id", scoped, `"recipient":"US.ENT.7340192256810"`, "16505551234", ""},
		{"of another portfolio", scoped, `"recipient":"US.7340192256810"`, "", "(#131009) Parameter value is not valid | Parameter 'recipient' names nobody whom this business knows."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, _, err := through(`{"messaging_product":"whatsapp",`+c.to+`,"text":{"body":"x"}}`, &c.s)
			if wire(err) != c.reason || o.To != c.want {
				t.Errorf("%s %s", o.To, wire(err))
			}
		})
	}
}

func TestFirstLink(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"no link":                                 "",
		"https://a.example":                       "https://a.example",
		"see HTTP://a.example/x.":                 "HTTP://a.example/x",
		"(https://a.example/b), https://c":        "https://a.example/b",
		"ftp://x then https://a.example/ä?q=1#f!": "https://a.example/ä?q=1#f",
		"https:// https:///x https://b.example\n": "https://b.example",
		"*https://a.example*":                     "https://a.example",
		"https://" + strings.Repeat("a", 2100):    "",
		"://":                                     "",
	} {
		body, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		o, _, err := through(head+`"text":{"preview_url":true,"body":`+string(body)+`}}`, sender)
		if err != nil || o.PreviewURL != want {
			t.Errorf("%.40q: %q, want %q (%v)", text, o.PreviewURL, want, err)
		}
	}
	o, _, err := through(head+`"text":{"body":"https://a.example"}}`, sender)
	if err != nil || o.PreviewURL != "" {
		t.Error("a preview nobody asked for")
	}
}

func TestAppendAccepted(t *testing.T) {
	t.Parallel()
	got := string(message.AppendAccepted(nil, "+1 (650) \"555\"", "16505551234", "", "wamid.A=", ""))
	if want := `{"messaging_product":"whatsapp","contacts":[{"input":"+1 (650) \"555\"","wa_id":"16505551234"}],"messages":[{"id":"wamid.A="}]}`; got != want {
		t.Errorf("got %s", got)
	}
	got = string(message.AppendAccepted(nil, "+16505551234", "16505551234", "", "wamid.A=", message.Accepted))
	if want := `{"messaging_product":"whatsapp","contacts":[{"input":"+16505551234","wa_id":"16505551234"}],"messages":[{"id":"wamid.A=","message_status":"accepted"}]}`; got != want {
		t.Errorf("got %s", got)
	}
	got = string(message.AppendAccepted(nil, "US.1", "16505551234", "US.1", "wamid.A=", ""))
	if want := `{"messaging_product":"whatsapp","contacts":[{"input":"US.1","wa_id":"16505551234","user_id":"US.1"}],"messages":[{"id":"wamid.A="}]}`; got != want {
		t.Errorf("got %s", got)
	}
}

func FuzzDecode(f *testing.F) {
	_, list := sends(f)
	for _, s := range list {
		f.Add(s.full())
	}
	f.Add(head + `"type":"text","text":{"body":"hi https://a.example","preview_url":true},"context":{"message_id":"wamid.A"}}`)
	f.Add(`{"messaging_product":"whatsapp","status":"read","message_id":"wamid.A","typing_indicator":{"type":"text"}}`)
	f.Add(`{"messaging_product":"whatsapp","recipient":"US.1","type":"template","template":"{\"name\":\"x\"}"}`)
	f.Fuzz(func(t *testing.T, body string) {
		o, _, err := through(body, sender)
		if err != nil {
			var row *wa.Error
			if !errors.As(err, &row) || row.HTTP < 400 || row.HTTP > 499 {
				t.Fatalf("not the caller's fault: %v", err)
			}
			return
		}
		if o.Mark == nil && !o.IsTemplate() {
			plain(t, "what was accepted", o)
		}
	})
}

const benchBody = `{"messaging_product":"whatsapp","recipient_type":"individual","to":"+16505551234","type":"text","text":{"preview_url":false,"body":"Your table for four at 20:00 is booked. See you tonight!"},"biz_opaque_callback_data":"reservation:8841"}`

// BenchmarkParameters is the part of BenchmarkDecode that is not this room's.
func BenchmarkParameters(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := graph.Text("", benchBody).Object(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	var buf []byte
	for b.Loop() { // budget 5 µs, of which reading JSON in the graph room takes half: read, check, address, encode the answer and the plaintext
		o, _, err := through(benchBody, sender)
		if err != nil {
			b.Fatal(err)
		}
		buf = message.AppendAccepted(buf[:0], o.Input, o.To, "", "wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA", "")
		buf = message.AppendPlaintext(buf[:0], "wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA", 1783065600, o.Body)
	}
}
