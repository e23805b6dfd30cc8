package template_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	plenty = template.Allowance{Limit: 250, Passcodes: true}
)

func registry(t testing.TB, change func(*template.Options)) (*template.Service, *clock.Controlled, *memory) {
	t.Helper()
	c, m := clock.NewFake(noon), &memory{}
	o := template.Options{Clock: c}
	if change != nil {
		change(&o)
	}
	s, err := template.New(t.Context(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	return s, c, m
}

func submit(t testing.TB, s *template.Service, text string) (*template.Template, error) {
	t.Helper()
	d, err := template.ParseDraft(graph.Text("", text))
	if err != nil {
		return nil, err
	}
	return s.Submit(t.Context(), "220", d, plenty)
}

// said is the wire text of a management error: code/subcode and what people read.
func said(err error) string {
	row := rowOf(err)
	if row == nil {
		return message(err)
	}
	if row.Subcode == 0 {
		return row.Message()
	}
	return strconv.Itoa(row.Code) + "/" + strconv.Itoa(row.Subcode) + " " + row.UserMsg
}

func draft(category, components string) string {
	return `{"name":"a","language":"en_US","category":"` + category + `","components":[` + components + `]}`
}

// Sources: spec/templates.md sections 5 to 9, 18; spec/errors.md section 10.
func TestSubmitErrors(t *testing.T) {
	t.Parallel()
	const hello = `{"type":"BODY","text":"Hello there."}`
	list := func(b string) string { return hello + `,{"type":"BUTTONS","buttons":[` + b + `]}` }
	otp := func(b string) string {
		return `{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP",` + b + `}]}`
	}
	card := `{"components":[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["4::x"]}},{"type":"BODY","text":"Room"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Book"}]}]}`
	other := `{"components":[{"type":"HEADER","format":"VIDEO","example":{"header_handle":["4::x"]}},{"type":"BODY","text":"Room"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Book"}]}]}`
	for _, c := range []struct{ name, body, want string }{
		{"no name", `{"language":"en_US","category":"UTILITY","components":[]}`, "(#100) The parameter name is required."},
		{"no language", `{"name":"a","category":"UTILITY","components":[]}`, "(#100) The parameter language is required."},
		{"no category", `{"name":"a","language":"en_US","components":[]}`, "(#100) The parameter category is required."},
		{"no components", `{"name":"a","language":"en_US","category":"UTILITY"}`, "(#100) The parameter components is required."},
		{"old category", draft("OTP", hello), `(#100) Param category must be one of {AUTHENTICATION, MARKETING, UTILITY} - got "OTP".`},
		{"name with a capital", `{"name":"Bad Name","language":"en_US","category":"UTILITY","components":[` + hello + `]}`, "100/2388046 The message template name can only have lowercase letters and underscores."},
		{"language", `{"name":"a","language":"xx","category":"UTILITY","components":[` + hello + `]}`, "100/2388049 This language is not available for message templates."},
		{"sample name", `{"name":"hello_world","language":"en_US","category":"UTILITY","components":[` + hello + `]}`, "100/2388155 This template is named after a sample template created by default. Please use a different name."},
		{"life too short", `{"name":"a","language":"en_US","category":"UTILITY","message_send_ttl_seconds":29,"components":[` + hello + `]}`, "(#100) Param message_send_ttl_seconds must be between 30 and 43200 for category UTILITY."},
		{"-1 for marketing", `{"name":"a","language":"en_US","category":"MARKETING","message_send_ttl_seconds":-1,"components":[` + hello + `]}`, "(#100) Param message_send_ttl_seconds must be between 43200 and 2592000 for category MARKETING."},
		{"no body", draft("UTILITY", `{"type":"FOOTER","text":"x"}`), "100/2388043 component of type BODY is missing expected field(s) (text)"},
		{"two bodies", draft("UTILITY", hello+","+hello), "(#100) Param components must be a list with at most one component of type BODY."},
		{"unknown type", draft("UTILITY", `{"type":"TAIL"}`), `(#100) Param components[0]['type'] must be one of {HEADER, LIMITED_TIME_OFFER, BODY, FOOTER, BUTTONS, CAROUSEL, CALL_PERMISSION_REQUEST} - got "TAIL".`},
		{"unknown member", draft("UTILITY", `{"type":"BODY","text":"Hi","colour":"red"}`), "100/2388042 component of type BODY has unexpected field(s) (colour)"},
		{"body of 1025", draft("UTILITY", `{"type":"BODY","text":"`+strings.Repeat("é", 1025)+`"}`), "100/2388040 The body text is longer than its limit of 1024 characters."},
		{"three line breaks", draft("UTILITY", `{"type":"BODY","text":"a\n\n\nb"}`), "100/2388072 Message body can't have more than two consecutive newlines, tabs, or more than four consecutive spaces."},
		{"header without format", draft("UTILITY", hello+`,{"type":"HEADER","text":"x"}`), "100/2388043 component of type HEADER is missing expected field(s) (format)"},
		{"header with an emoji", draft("UTILITY", hello+`,{"type":"HEADER","format":"TEXT","text":"x 🙂"}`), "100/2388047 Message header can't have new lines, formatting characters, emojis or asterisks."},
		{"header with two variables", draft("UTILITY", hello+`,{"type":"HEADER","format":"TEXT","text":"a {{1}} {{2}} b"}`), "100/2388047 Message header can't have new lines, formatting characters, emojis or asterisks."},
		{"header of 61", draft("UTILITY", hello+`,{"type":"HEADER","format":"TEXT","text":"`+strings.Repeat("a", 61)+`"}`), "100/2388040 The header text is longer than its limit of 60 characters."},
		{"image without sample", draft("UTILITY", hello+`,{"type":"HEADER","format":"IMAGE"}`), "100/2388273 A message template with a media header needs a sample handle."},
		{"footer with a link", draft("UTILITY", hello+`,{"type":"FOOTER","text":"see https://a.example"}`), "100/2388073 Message footer can't have any variables, newlines, links or emojis."},
		{"footer with a variable", draft("UTILITY", hello+`,{"type":"FOOTER","text":"{{1}}"}`), "100/2388073 Message footer can't have any variables, newlines, links or emojis."},
		{"gap", draft("UTILITY", `{"type":"BODY","text":"Dear {{1}} and dear {{3}}, the parcel of today is ready.","example":{"body_text":[["a","b"]]}}`), "100/2388037 Variables must be numbered from {{1}} without gaps."},
		{"begins at 2", draft("UTILITY", `{"type":"BODY","text":"Dear {{2}}, the parcel is ready.","example":{"body_text":[["a"]]}}`), "100/2388037 Variables must be numbered from {{1}} without gaps."},
		{"variable at the start", draft("UTILITY", `{"type":"BODY","text":"{{1}}, the parcel is ready now.","example":{"body_text":[["a"]]}}`), "100/2388299 Variables can't be at the start or end of the template."},
		{"variable at the end, with a full stop", draft("UTILITY", `{"type":"BODY","text":"The parcel is ready for {{1}}.","example":{"body_text":[["a"]]}}`), "100/2388299 Variables can't be at the start or end of the template."},
		{"too many variables", draft("UTILITY", `{"type":"BODY","text":"Dear {{1}}, hi {{2}} there.","example":{"body_text":[["a","b"]]}}`), "100/2388293 This template has too many variables for its length. Reduce the number of variables or increase the message length."},
		{"a wrong number before its example", draft("UTILITY", `{"type":"BODY","text":"Dear {{2}}, the parcel is ready."}`), "100/2388037 Variables must be numbered from {{1}} without gaps."},
		{"an edge before the example of a button", draft("UTILITY", `{"type":"BUTTONS","buttons":[{"type":"URL","text":"b","url":"https://a.example/{{1}}"}]},{"type":"BODY","text":"{{1}}, the parcel is ready now."}`), "100/2388299 Variables can't be at the start or end of the template."},
		{"a name before its example", draft("UTILITY", `{"type":"BODY","text":"Dear {{name}}, the parcel is ready."}`), "(#100) Param components must be a list whose variables all are as parameter_format says."},
		{"the text before the sample of an image", draft("UTILITY", `{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"{{1}}, the parcel is ready now."}`), "100/2388299 Variables can't be at the start or end of the template."},
		{"no example", draft("UTILITY", `{"type":"BODY","text":"Dear {{1}}, the parcel is ready."}`), "100/2388043 component of type BODY is missing expected field(s) (example)"},
		{"too few examples", draft("UTILITY", `{"type":"BODY","text":"Dear {{1}}, the big parcel {{2}} is ready now.","example":{"body_text":[["a"]]}}`), "100/2388043 component of type BODY is missing expected field(s) (example)"},
		{"both kinds of variables", draft("UTILITY", `{"type":"BODY","text":"Dear {{1}}, the big parcel {{no}} is ready now.","example":{"body_text":[["a","b"]]}}`), "(#100) Param components must be a list whose variables all are as parameter_format says."},
		{"broken braces", draft("UTILITY", `{"type":"BODY","text":"Dear {{1}, the big parcel is ready now."}`), "(#100) Param components must be a list whose variables look like {{1}} or {{first_name}}."},
		{"a sign in a variable", draft("UTILITY", `{"type":"BODY","text":"Dear {{#1}}, the big parcel is ready now."}`), "(#100) Param components must be a list whose variables look like {{1}} or {{first_name}}."},
		{"eleven buttons", draft("UTILITY", list(strings.TrimSuffix(strings.Repeat(`{"type":"QUICK_REPLY","text":"a"},`, 11), ","))), "(#100) Param components[1]['buttons'] must be an array of 1 to 10 buttons."},
		{"mixed buttons", draft("UTILITY", list(`{"type":"QUICK_REPLY","text":"a"},{"type":"URL","text":"b","url":"https://a.example"},{"type":"QUICK_REPLY","text":"c"}`)), "(#100) Param components[1]['buttons'] must be a list whose quick replies stand together before or after the other buttons."},
		{"three links", draft("UTILITY", list(strings.TrimSuffix(strings.Repeat(`{"type":"URL","text":"b","url":"https://a.example"},`, 3), ","))), "(#100) Param components[1]['buttons'] must be a list with at most 2 buttons of type URL."},
		{"button text of 26", draft("UTILITY", list(`{"type":"QUICK_REPLY","text":"`+strings.Repeat("a", 26)+`"}`)), "100/2388040 The button text is longer than its limit of 25 characters."},
		{"button text with a variable", draft("UTILITY", list(`{"type":"QUICK_REPLY","text":"a {{1}}"}`)), "100/2388060 Buttons can't have any variables, newlines, emojis, or formatting characters."},
		{"variable inside a url", draft("UTILITY", list(`{"type":"URL","text":"b","url":"https://a.example/{{1}}/x","example":["a"]}`)), "100/2388052 The URL of a button is not valid."},
		{"a url that is none", draft("UTILITY", list(`{"type":"URL","text":"b","url":"a.example"}`)), "100/2388052 The URL of a button is not valid."},
		{"url without example", draft("UTILITY", list(`{"type":"URL","text":"b","url":"https://a.example/{{1}}"}`)), "100/2388043 component of type BUTTONS is missing expected field(s) (example)"},
		{"phone", draft("UTILITY", list(`{"type":"PHONE_NUMBER","text":"b","phone_number":"12"}`)), "(#192) Param components[1]['buttons'][0]['phone_number'] is not a valid phone number."},
		{"code of 16", draft("MARKETING", list(`{"type":"COPY_CODE","example":"`+strings.Repeat("A", 16)+`"}`)), "100/2388040 The copy code is longer than its limit of 15 characters."},
		{"a deep link without end", draft("MARKETING", list(`{"type":"APP","text":"a","app_deep_link":{"meta_app_id":"`+strings.Repeat("1", 3000)+`"}}`)), "(#100) Param components[1]['buttons'][0]['app_deep_link'] must be an object of at most 2048 bytes."},
		{"a spec without end", `{"name":"a","language":"en_US","category":"UTILITY","bid_spec":{"a":"` + strings.Repeat("1", 5000) + `"},"components":[` + hello + `]}`, "(#100) Param bid_spec must be an object of at most 4096 bytes."},
		{"larger than everything", draft("MARKETING", list(`{"type":"FLOW","text":"a","flow_json":"`+strings.Repeat("\\u0007", 12000)+`"}`)), "(#100) A message template must not be larger than 65536 bytes"},
		{"two ways to a flow", draft("MARKETING", list(`{"type":"FLOW","text":"a","flow_id":"1","flow_name":"b"}`)), "(#100) Param components[1]['buttons'][0] must be a button with exactly one of flow_id, flow_name and flow_json."},
		{"one card", draft("MARKETING", hello+`,{"type":"CAROUSEL","cards":[`+card+`]}`), "(#100) Param components[1]['cards'] must be an array of 2 to 10 cards."},
		{"cards of two kinds", draft("MARKETING", hello+`,{"type":"CAROUSEL","cards":[`+card+`,`+other+`]}`), "(#100) Param components must be a carousel whose cards all have the same components."},
		{"carousel with a footer", draft("MARKETING", hello+`,{"type":"FOOTER","text":"x"},{"type":"CAROUSEL","cards":[`+card+`,`+card+`]}`), "(#100) Param components must be BODY and CAROUSEL: a carousel has its headers and buttons in the cards."},
		{"offer with a footer", draft("MARKETING", hello+`,{"type":"FOOTER","text":"x"},{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Soon"}}`), "(#100) Param components must be a list without FOOTER beside LIMITED_TIME_OFFER."},
		{"offer text of 17", draft("MARKETING", hello+`,{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"`+strings.Repeat("a", 17)+`"}}`), "100/2388040 The limited-time offer text is longer than its limit of 16 characters."},
		{"offer without a code", draft("MARKETING", hello+`,{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Soon","has_expiration":true}}`), "(#100) Param components must be a list with a COPY_CODE button for an offer that has an expiration."},
		{"text in an authentication body", draft("AUTHENTICATION", `{"type":"BODY","text":"x"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}`), "100/2388042 component of type BODY has unexpected field(s) (text)"},
		{"header in authentication", draft("AUTHENTICATION", `{"type":"HEADER","format":"TEXT","text":"x"}`), "(#100) Param components[0] must be BODY, FOOTER or BUTTONS: authentication templates have no HEADER."},
		{"authentication without a button", draft("AUTHENTICATION", `{"type":"BODY"}`), "100/2388043 component of type BUTTONS is missing expected field(s) (buttons)"},
		{"91 minutes", draft("AUTHENTICATION", `{"type":"BODY"},{"type":"FOOTER","code_expiration_minutes":91}`), "(#100) Param components[1]['code_expiration_minutes'] must be between 1 and 90."},
		{"one tap without apps", draft("AUTHENTICATION", otp(`"otp_type":"ONE_TAP"`)), "100/2388043 component of type BUTTONS is missing expected field(s) (supported_apps)"},
		{"zero tap without terms", draft("AUTHENTICATION", otp(`"otp_type":"ZERO_TAP","supported_apps":[{"package_name":"com.example","signature_hash":"K8a/AINcGX7"}]`)), "(#100) Param components[1]['buttons'][0]['zero_tap_terms_accepted'] must be true for zero-tap buttons."},
		{"hash of 10", draft("AUTHENTICATION", otp(`"otp_type":"ONE_TAP","supported_apps":[{"package_name":"com.example","signature_hash":"K8a/AINcGX"}]`)), "(#100) Param components[1]['buttons'][0]['supported_apps'][0]['signature_hash'] must be a hash of 11 characters."},
		{"otp elsewhere", draft("UTILITY", list(`{"type":"OTP","otp_type":"COPY_CODE"}`)), "(#100) Param components[1]['buttons'][0]['type'] must be OTP in authentication templates and in no others."},
		{"components beside a library template", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"order_delay_1","components":[]}`, "(#100) Param components must be absent when library_template_name is given."},
		{"no such library template", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"x"}`, "(#100) Param library_template_name must be the name of a library template in this language."},
		{"a name before the library", `{"name":"A","language":"en_US","category":"UTILITY","library_template_name":"order_delay_1","components":[]}`, "100/2388046 The message template name can only have lowercase letters and underscores."},
		{"a part that a library template lacks", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"order_delay_1","library_template_body_inputs":{"add_contact_number":true}}`, "(#100) Param library_template_body_inputs['add_contact_number'] must be false or absent: this library template has no such part."},
		{"a security recommendation of a parcel", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"order_delay_1","library_template_body_inputs":{"add_security_recommendation":true}}`, "(#100) Param library_template_body_inputs must be without add_security_recommendation and code_expiration_minutes, which are for authentication templates."},
		{"a passcode that can be tracked", `{"name":"a","language":"en_US","category":"AUTHENTICATION","library_template_name":"verify_code_1","library_template_body_inputs":{"add_track_package_link":true}}`, "(#100) Param library_template_body_inputs must be only add_security_recommendation and code_expiration_minutes for an authentication template."},
		{"a passcode without its button", `{"name":"a","language":"en_US","category":"AUTHENTICATION","library_template_name":"verify_code_1"}`, "(#100) Param library_template_button_inputs must be a list with one entry of type OTP."},
		{"a passcode for ever", `{"name":"a","language":"en_US","category":"AUTHENTICATION","library_template_name":"verify_code_1","library_template_body_inputs":{"code_expiration_minutes":91}}`, "(#100) Param library_template_body_inputs['code_expiration_minutes'] must be between 1 and 90."},
		{"a variable that begins with a line", `{"name":"a","language":"en_US","category":"UTILITY","parameter_format":"NAMED","components":[{"type":"BODY","text":"Dear {{_x}}, the parcel is ready.","example":{"body_text_named_params":[{"param_name":"_x","example":"b"}]}}]}`, "(#100) Param components must be a list whose variables all are as parameter_format says."},
		{"an order in a promotion", draft("MARKETING", list(`{"type":"ORDER_DETAILS","text":"Pay"}`)), "(#100) Param category must be UTILITY for a template about an order."},
		{"an order without its sub category", draft("UTILITY", list(`{"type":"ORDER_DETAILS","text":"Pay"}`)), "(#100) Param sub_category must be ORDER_DETAILS beside an ORDER_DETAILS button."},
		{"order details without their button", `{"name":"a","language":"en_US","category":"UTILITY","sub_category":"ORDER_DETAILS","components":[` + hello + `]}`, "(#100) Param components must be a list with an ORDER_DETAILS button for sub_category ORDER_DETAILS."},
		{"the status of an order in a promotion", `{"name":"a","language":"en_US","category":"MARKETING","sub_category":"ORDER_STATUS","components":[` + hello + `]}`, "(#100) Param category must be UTILITY for a template about an order."},
		{"library template without its button", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"delivery_update_1"}`, "(#100) Param library_template_button_inputs must be a list with one entry for every URL and PHONE_NUMBER button."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _, _ := registry(t, nil)
			_, err := submit(t, s, c.body)
			if got := said(err); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if n := len(s.List("220")); n != 0 {
				t.Errorf("%d templates were made", n)
			}
		})
	}
}

// What was asked for is read back in the canonical form. Sources: spec/templates.md sections 4.1, 7 and 9.2.
func TestReadBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want, status, category string }{
		{
			"order and case", draft("utility", `{"type":"buttons","buttons":[{"type":"quick_reply","text":"Later"}]},{"type":"body","text":"Hello {{1}}, parcel {{2}} is ready for pick-up today.","example":{"body_text":["Mio",2210]}},{"type":"header","format":"text","text":"News for {{1}}","example":{"header_text":"Mio"}}`),
			`[{"type":"HEADER","format":"TEXT","text":"News for {{1}}","example":{"header_text":["Mio"]}},{"type":"BODY","text":"Hello {{1}}, parcel {{2}} is ready for pick-up today.","example":{"body_text":[["Mio","2210"]]}},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Later"}]}]`, "PENDING", "UTILITY",
		},
		{
			"named", `{"name":"a","language":"en-us","category":"UTILITY","parameter_format":"named","components":[{"type":"BODY","text":"Hello {{first_name}}, parcel {{parcel_no}} is ready for pick-up today.","example":{"body_text_named_params":[{"param_name":"parcel_no","example":"A-2210"},{"param_name":"first_name","example":"Mio"}]}}]}`,
			`[{"type":"BODY","text":"Hello {{first_name}}, parcel {{parcel_no}} is ready for pick-up today.","example":{"body_text_named_params":[{"param_name":"parcel_no","example":"A-2210"},{"param_name":"first_name","example":"Mio"}]}}]`, "PENDING", "UTILITY",
		},
		{
			"link", draft("UTILITY", `{"type":"BODY","text":"Hello."},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Track","url":"https://s.example/t/{{1}}","example":"abc"},{"type":"PHONE_NUMBER","text":"Call","phone_number":"+15550100123"}]}`),
			`[{"type":"BODY","text":"Hello."},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Track","url":"https://s.example/t/{{1}}","example":["https://s.example/t/abc"]},{"type":"PHONE_NUMBER","text":"Call","phone_number":"+15550100123"}]}]`, "PENDING", "UTILITY",
		},
		{
			"passcode", draft("AUTHENTICATION", `{"type":"BODY","add_security_recommendation":true},{"type":"FOOTER","code_expiration_minutes":5},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}`),
			`[{"type":"BODY","text":"*{{1}}* is your verification code. For your security, do not share this code.","add_security_recommendation":true,"example":{"body_text":[["123456"]]}},` +
				`{"type":"FOOTER","text":"This code expires in 5 minutes.","code_expiration_minutes":5},` +
				`{"type":"BUTTONS","buttons":[{"type":"URL","text":"Copy code","url":"https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}","example":["https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp123456"]}]}]`, "APPROVED", "AUTHENTICATION",
		},
		{
			"one tap in Japanese", `{"name":"a","language":"ja","category":"AUTHENTICATION","components":[{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"ONE_TAP","supported_apps":[{"package_name":"com.example","signature_hash":"K8a/AINcGX7"}]}]}]}`,
			`[{"type":"BODY","text":"認証コードは *{{1}}* です。","example":{"body_text":[["123456"]]}},{"type":"BUTTONS","buttons":[{"type":"URL","text":"コードをコピー","url":"https://www.whatsapp.com/otp/code/?otp_type=ONE_TAP&cta_display_name=%E8%87%AA%E5%8B%95%E5%85%A5%E5%8A%9B&package_name=com.example&signature_hash=K8a%2FAINcGX7&code=otp{{1}}","example":["https://www.whatsapp.com/otp/code/?otp_type=ONE_TAP&cta_display_name=%E8%87%AA%E5%8B%95%E5%85%A5%E5%8A%9B&package_name=com.example&signature_hash=K8a%2FAINcGX7&code=otp123456"]}]}]`, "APPROVED", "AUTHENTICATION",
		},
		{
			"an offer is marketing", draft("UTILITY", `{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Soon","has_expiration":true}},{"type":"BODY","text":"Hello."},{"type":"BUTTONS","buttons":[{"type":"COPY_CODE","example":["AUTUMN25"]}]}`),
			`[{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Soon","has_expiration":true}},{"type":"BODY","text":"Hello."},{"type":"BUTTONS","buttons":[{"type":"COPY_CODE","text":"Copy offer code","example":["AUTUMN25"]}]}]`, "PENDING", "MARKETING",
		},
		{
			"Japanese has no spaces", `{"name":"a","language":"ja","category":"UTILITY","components":[{"type":"BODY","text":"お客様のご注文{{1}}番は、本日お届けいたします。","example":{"body_text":[["12"]]}}]}`,
			`[{"type":"BODY","text":"お客様のご注文{{1}}番は、本日お届けいたします。","example":{"body_text":[["12"]]}}]`, "PENDING", "UTILITY",
		},
		{
			"library", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"delivery_update_1","library_template_button_inputs":[{"type":"URL","url":{"base_url":"https://s.example/t/","url_suffix_example":"abc"}}]}`,
			`[{"type":"HEADER","format":"TEXT","text":"Parcel news"},{"type":"BODY","text":"Hi {{1}}, your parcel {{2}} is on the road and arrives on {{3}} as planned.","example":{"body_text":[["Mio","A-2210","May 4"]]}},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Track","url":"https://s.example/t/{{1}}","example":["https://s.example/t/abc"]}]}]`, "APPROVED", "UTILITY",
		},
		{
			"library with a link", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"shipment_confirmation_1","library_template_body_inputs":{"add_track_package_link":true},"library_template_button_inputs":[{"type":"URL","url":{"base_url":"https://s.example/t"}}]}`,
			`[{"type":"HEADER","format":"TEXT","text":"On its way"},{"type":"BODY","text":"Hi {{1}}, order {{2}} left our house this morning and is on its way to you. Track it with the button below.","example":{"body_text":[["Mio","A-2210"]]}},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Track","url":"https://s.example/t"}]}]`, "APPROVED", "UTILITY",
		},
		{
			"passcode from the library", `{"name":"a","language":"en_US","category":"AUTHENTICATION","library_template_name":"verify_code_1","library_template_body_inputs":{"add_security_recommendation":true,"code_expiration_minutes":5},"library_template_button_inputs":[{"type":"OTP","otp_type":"COPY_CODE"}]}`,
			`[{"type":"BODY","text":"*{{1}}* is your verification code. For your security, do not share this code.","add_security_recommendation":true,"example":{"body_text":[["123456"]]}},` +
				`{"type":"FOOTER","text":"This code expires in 5 minutes.","code_expiration_minutes":5},` +
				`{"type":"BUTTONS","buttons":[{"type":"URL","text":"Copy code","url":"https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}","example":["https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp123456"]}]}]`, "APPROVED", "AUTHENTICATION",
		},
		{
			"order", `{"name":"a","language":"en_US","category":"UTILITY","display_format":"ORDER_DETAILS","components":[{"type":"BODY","text":"Hello."},{"type":"BUTTONS","buttons":[{"type":"ORDER_DETAILS"}]}]}`,
			`[{"type":"BODY","text":"Hello."},{"type":"BUTTONS","buttons":[{"type":"ORDER_DETAILS","text":"Review and pay"}]}]`, "PENDING", "UTILITY",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _, m := registry(t, nil)
			made, err := submit(t, s, c.body)
			if err != nil {
				t.Fatal(said(err))
			}
			if got := string(made.AppendComponents(nil, nil)); got != c.want || string(made.Status) != c.status || string(made.Category) != c.category {
				t.Errorf("%s, %s\ngot  %s\nwant %s", made.Status, made.Category, got, c.want)
			}
			again, err := template.New(t.Context(), m, template.Options{Clock: clock.NewFake(noon)})
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := again.Template(made.ID); !ok || string(got.AppendComponents(nil, nil)) != c.want {
				t.Error("another template after a restart")
			}
		})
	}
}

func TestEveryLibraryTemplateIsSound(t *testing.T) {
	t.Parallel()
	for _, r := range template.Library() {
		s, _, _ := registry(t, nil)
		params := make([]string, len(r.Params))
		for i, p := range r.Params {
			params[i] = strconv.Quote(p)
		}
		body := `{"type":"BODY","text":` + strconv.Quote(r.Body) + `,"example":{"body_text":[[` + strings.Join(params, ",") + `]]}}`
		if r.Category == template.Authentication {
			body = `{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}`
		}
		if _, err := submit(t, s, draft(string(r.Category), body)); err != nil {
			t.Errorf("%s: %s", r.Name, said(err))
		}
		for _, more := range r.Extras {
			if strings.Contains(more, "{{") || len(r.Body)+len(more) > 1000 {
				t.Errorf("%s: %s", r.Name, more)
			}
		}
		if len(r.Params) != len(r.Types) || len(r.Params) != len(template.Variables(r.Body)) {
			t.Errorf("%s: %d samples, %d types", r.Name, len(r.Params), len(r.Types))
		}
	}
}

func TestPasscodeTexts(t *testing.T) {
	t.Parallel()
	all := template.Previews(nil, true, 5)
	if len(all) < 75 {
		t.Errorf("%d languages", len(all))
	}
	for _, p := range all {
		if strings.Count(p.Body, "{{1}}") != 1 || !strings.Contains(p.Footer, "5") || len([]rune(p.Button)) > 25 || len([]rune(p.Autofill)) > 25 || len([]rune(p.Footer)) > 60 {
			t.Errorf("%+v", p)
		}
	}
}

func FuzzParseDraft(f *testing.F) {
	f.Add(draft("UTILITY", `{"type":"BODY","text":"Hello {{1}}, parcel is ready.","example":{"body_text":[["a"]]}},{"type":"BUTTONS","buttons":[{"type":"URL","text":"a","url":"https://a.example/{{1}}","example":["b"]}]}`))
	f.Add(draft("AUTHENTICATION", `{"type":"BODY"},{"type":"FOOTER","code_expiration_minutes":5},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"ONE_TAP","supported_apps":[{"package_name":"a.b","signature_hash":"12345678901"}]}]}`))
	f.Add(draft("MARKETING", `{"type":"BODY","text":"x"},{"type":"CAROUSEL","cards":[{"components":[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["4::x"]}}]}]}`))
	f.Add(`{"name":"a","language":"en_US","category":"AUTHENTICATION","library_template_name":"verify_code_1","library_template_body_inputs":{"code_expiration_minutes":5},"library_template_button_inputs":[{"type":"OTP","otp_type":"ZERO_TAP"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		v := graph.Text("", text)
		if _, _, err := template.ParseUpsert(v); err != nil && rowOf(err) == nil {
			t.Fatal(err)
		}
		if e, err := template.ParseEdit(v); err == nil && e.Components != nil {
			_, err = e.Components(template.Utility, template.Named)
			if err != nil && rowOf(err) == nil {
				t.Fatal(err)
			}
		}
		d, err := template.ParseDraft(v)
		if err != nil {
			return
		}
		s, _, _ := registry(t, nil)
		made, err := s.Submit(t.Context(), "220", d, plenty)
		if err != nil {
			if rowOf(err) == nil {
				t.Fatal(err)
			}
			return
		}
		// What is read back can be submitted again, except for authentication templates, whose text is not the business's.
		if made.Category == template.Authentication {
			return
		}
		again := `{"name":"b","language":"` + made.Language + `","category":"` + string(made.Category) + `","parameter_format":"` + string(made.Format) + `","components":` + string(made.AppendComponents(nil, nil)) + `}`
		d, err = template.ParseDraft(graph.Text("", again))
		if err != nil {
			t.Fatal(said(err), again)
		}
		if _, err = s.Submit(t.Context(), "221", d, plenty); err != nil {
			t.Fatal(said(err), again)
		}
	})
}
