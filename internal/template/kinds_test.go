package template_test

import (
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/template"
)

// made is a template of a category with the given components.
func made(c template.Category, components ...template.Component) *template.Template {
	return &template.Template{Name: "x", Language: "en", Category: c, Status: template.Approved, Format: template.Positional, Components: components}
}

func body(text string) template.Component {
	return template.Component{Type: template.Body, Text: text}
}

func header(f template.HeaderFormat) template.Component {
	return template.Component{Type: template.Header, Format: f}
}

func withButtons(list ...template.Button) template.Component {
	return template.Component{Type: template.Buttons, Buttons: list}
}

// Source: spec/messages.md sections 11.2 to 11.4.
func TestRenderKinds(t *testing.T) {
	t.Parallel()
	card := func(f template.HeaderFormat, b ...template.Button) template.Card {
		return template.Card{Components: []template.Component{header(f), body("Room {{1}}"), withButtons(b...)}}
	}
	reply := template.Button{Type: template.QuickReply, Text: "Book"}
	rooms := made(template.Marketing, body("Hi {{1}}"), template.Component{Type: template.Carousel, Cards: []template.Card{card(template.HeaderImage, reply), card(template.HeaderImage, reply)}})
	product := template.Card{Components: []template.Component{header(template.HeaderProduct), withButtons(template.Button{Type: template.SingleProduct, Text: "View"})}}
	products := made(template.Marketing, body("Look here"), template.Component{Type: template.Carousel, Cards: []template.Card{product, product}})
	offer := made(template.Marketing, template.Component{Type: template.LimitedOffer, Offer: &template.Offer{Text: "Ends soon!", Expiration: true}}, body("Sale"))
	otp := func(kind template.OTPKind, apps ...template.App) *template.Template {
		return made(template.Authentication, body("*{{1}}* is your code."), withButtons(template.Button{Type: template.OTPButton, Text: "Copy code", OTP: &template.OTP{Kind: kind, Autofill: "Autofill", Apps: apps}}))
	}
	one := func(b template.Button) *template.Template {
		return made(template.Marketing, body("Hello."), withButtons(b))
	}
	code := func(body, button string) string {
		return `{"type":"body","parameters":[{"type":"text","text":"` + body + `"}]},{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"` + button + `"}]}`
	}
	cardOf := func(i, name string) string {
		return `{"card_index":` + i + `,"components":[{"type":"header","parameters":[{"type":"image","image":{"link":"https://b.example/` + i + `.jpg"}}]},{"type":"body","parameters":[{"type":"text","text":"` + name + `"}]}]}`
	}
	hi := `{"type":"body","parameters":[{"type":"text","text":"Ana"}]}`
	button := func(sub, params string) string {
		return `{"type":"button","sub_type":"` + sub + `","index":"0","parameters":[` + params + `]}`
	}
	for _, c := range []struct {
		name       string
		t          *template.Template
		components string
		want       string
	}{
		{
			"location", made(template.Utility, header(template.HeaderLocation), body("Here.")),
			`{"type":"header","parameters":[{"type":"location","location":{"latitude":"48.8589","longitude":2.3200,"name":"Bistro","address":"7 rue"}}]}`,
			`{"header":{"type":"location","location":{"latitude":48.8589,"longitude":2.32,"name":"Bistro","address":"7 rue"}},"body":{"text":"Here."}}`,
		},
		{"location without a name", made(template.Utility, header(template.HeaderLocation), body("Here.")), `{"type":"header","parameters":[{"type":"location","location":{"latitude":"48.8589","longitude":2.3200,"address":"7 rue"}}]}`, "(#131008) Required parameter is missing | Parameter 'name' must not be empty for component parameter type 'location'"},
		{"document", made(template.Utility, header(template.HeaderDocument), body("Here.")), `{"type":"header","parameters":[{"type":"document","document":{"id":77,"filename":"a.pdf"}}]}`, `{"header":{"type":"document","document":{"filename":"a.pdf","blob":"#0"}},"body":{"text":"Here."}}`},
		{"image for a document", made(template.Utility, header(template.HeaderDocument), body("Here.")), `{"type":"header","parameters":[{"type":"image","image":{"id":"1"}}]}`, formatTitle + "header: Format mismatch, expected DOCUMENT, received IMAGE"},
		{"neither id nor link", made(template.Utility, header(template.HeaderImage), body("Here.")), `{"type":"header","parameters":[{"type":"image","image":{}}]}`, "(#131008) Required parameter is missing | Parameter 'id' or 'link' is mandatory for component parameter type 'image'"},
		{"link of another scheme", made(template.Utility, header(template.HeaderImage), body("Here.")), `{"type":"header","parameters":[{"type":"image","image":{"link":"ftp://a/b"}}]}`, "(#100) Param template['components'][0]['parameters'][0]['image']['link'] is not a valid URI."},
		{"offer", offer, `{"type":"limited_time_offer","parameters":[{"type":"limited_time_offer","limited_time_offer":{"expiration_time_ms":1783670400000}}]}`, `{"body":{"text":"Sale"},"limited_time_offer":{"text":"Ends soon!","expiration_time_ms":1783670400000}}`},
		{"offer without its end", offer, ``, countTitle + "limited_time_offer: number of localizable_params (0) does not match the expected number of params (1)"},
		{
			"carousel", rooms, hi + `,{"type":"carousel","cards":[` + cardOf("0", "Garden") + `,` + cardOf("1", "Cellar") + `]}`,
			`{"body":{"text":"Hi Ana"},"carousel":{"cards":[{"card_index":0,"header":{"type":"image","image":{"blob":"#0"}},"body":{"text":"Room Garden"},"buttons":[{"type":"quick_reply","text":"Book","payload":"Book"}]},` +
				`{"card_index":1,"header":{"type":"image","image":{"blob":"#1"}},"body":{"text":"Room Cellar"},"buttons":[{"type":"quick_reply","text":"Book","payload":"Book"}]}]}}`,
		},
		{"one card of two", rooms, hi + `,{"type":"carousel","cards":[` + cardOf("0", "Garden") + `]}`, countTitle + "carousel: number of cards (1) does not match the expected number of cards (2)"},
		{"cards out of order", rooms, hi + `,{"type":"carousel","cards":[` + cardOf("1", "Garden") + `,` + cardOf("0", "Cellar") + `]}`, "(#131009) Parameter value is not valid | template['components'][1]['cards'][0]['card_index'] must be 0: cards are numbered from 0 in their order"},
		{"a long card", rooms, hi + `,{"type":"carousel","cards":[` + cardOf("0", strings.Repeat("a", 156)) + `,` + cardOf("1", "Cellar") + `]}`, "(#132005) Template hydrated text too long | carousel: card 0: body: hydrated text too long, at most 160 characters are allowed"},
		{
			"three products for a template of two", products,
			`{"type":"carousel","cards":[` + productCard("0") + `,` + productCard("1") + `,` + productCard("2") + `]}`,
			`{"body":{"text":"Look here"},"carousel":{"cards":[` + shownProduct("0") + `,` + shownProduct("1") + `,` + shownProduct("2") + `]}}`,
		},
		{"copied code", otp(template.OTPCopyCode), code("518204", "518204"), `{"body":{"text":"*518204* is your code."},"buttons":[{"type":"otp","text":"Copy code","code":"518204","otp_type":"copy_code","autofill_text":"Autofill"}]}`},
		{"zero tap", otp(template.OTPZeroTap, template.App{Package: "com.example", Signature: "K8a/AINcGX7"}), code("518204", "518204"), `{"body":{"text":"*518204* is your code."},"buttons":[{"type":"otp","text":"Copy code","code":"518204","otp_type":"zero_tap","autofill_text":"Autofill","supported_apps":[{"package_name":"com.example","signature_hash":"K8a/AINcGX7"}]}]}`},
		{"two codes", otp(template.OTPCopyCode), code("518204", "518205"), formatTitle + "buttons: the code of the button does not match the code of the body"},
		{"a code of 16", otp(template.OTPCopyCode), code(strings.Repeat("1", 16), strings.Repeat("1", 16)), "(#132005) Template hydrated text too long | body: hydrated text too long, a code has at most 15 characters"},
		{"an emoji for a code", otp(template.OTPCopyCode), code("🙂", "🙂"), "(#132007) Template format character policy violated | Param text of an authentication template cannot have URLs or emojis"},
		{"a code without its button", otp(template.OTPCopyCode), `{"type":"body","parameters":[{"type":"text","text":"1"}]}`, "(#131008) Required parameter is missing | buttons: Button at index 0 of type Otp requires a parameter"},
		{
			"flow", one(template.Button{Type: template.FlowButton, Text: "Start", Flow: &template.Flow{ID: "9001", Action: "NAVIGATE", Screen: "GUESTS"}}),
			button("flow", `{"type":"action","action":{"flow_token":"party","flow_action_data":{"max":12,"blob":"#0"}}}`),
			`{"body":{"text":"Hello."},"buttons":[{"type":"flow","text":"Start","flow_id":"9001","flow_token":"party","flow_action":"navigate","flow_action_payload":{"screen":"GUESTS","data":{"max":12,"blob":"\u00230"}}}]}`,
		},
		{
			"flow data without end", one(template.Button{Type: template.FlowButton, Text: "Start", Flow: &template.Flow{Name: "f"}}),
			button("flow", `{"type":"action","action":{"flow_action_data":{"a":"`+strings.Repeat("x", 9000)+`"}}}`),
			"(#100) Param template['components'][0]['parameters'][0]['action']['flow_action_data'] must be an object of at most 8192 bytes.",
		},
		{"flow without parameters", one(template.Button{Type: template.FlowButton, Text: "Start", Flow: &template.Flow{Name: "f"}}), ``, `{"body":{"text":"Hello."},"buttons":[{"type":"flow","text":"Start","flow_name":"f","flow_token":"unused"}]}`},
		{"catalog", one(template.Button{Type: template.Catalog, Text: "View catalog"}), button("CATALOG", `{"type":"action","action":{"thumbnail_product_retailer_id":"H"}}`), `{"body":{"text":"Hello."},"buttons":[{"type":"catalog","text":"View catalog","thumbnail_product_retailer_id":"H"}]}`},
		{
			"several products", one(template.Button{Type: template.MultiProduct, Text: "View items"}),
			button("mpm", `{"type":"action","action":{"thumbnail_product_retailer_id":"H","sections":[{"title":"Hampers","product_items":[{"product_retailer_id":"H"},{"product_retailer_id":"L"}]}]}}`),
			`{"body":{"text":"Hello."},"buttons":[{"type":"mpm","text":"View items","thumbnail_product_retailer_id":"H","sections":[{"title":"Hampers","product_items":[{"product_retailer_id":"H"},{"product_retailer_id":"L"}]}]}]}`,
		},
		{"several products without any", one(template.Button{Type: template.MultiProduct, Text: "View items"}), button("mpm", `{"type":"action","action":{"thumbnail_product_retailer_id":"H"}}`), "(#131008) Required parameter is missing | Parameter 'sections' is mandatory for template['components'][0]['parameters'][0]['action']"},
		{"call", one(template.Button{Type: template.VoiceCall, Text: "Call"}), `{"type":"button","sub_type":"voice_call","parameters":[{"type":"ttl_minutes","ttl_minutes":5},{"type":"payload","payload":"k"}]}`, `{"body":{"text":"Hello."},"buttons":[{"type":"voice_call","text":"Call","payload":"k","ttl_minutes":5}]}`},
		{"call for ever", one(template.Button{Type: template.VoiceCall, Text: "Call"}), `{"type":"button","sub_type":"voice_call","parameters":[{"type":"ttl_minutes","ttl_minutes":43201}]}`, "(#131009) Parameter value is not valid | ttl_minutes must be between 1 and 43200"},
		{"order details", one(template.Button{Type: template.OrderDetails, Text: "Pay"}), button("order_details", `{"type":"action","action":{"order_details":{"reference_id":"o-1"}}}`), `{"body":{"text":"Hello."},"buttons":[{"type":"order_details","text":"Pay","order_details":{"reference_id":"o-1"}}]}`},
		{"order status", made(template.Utility, body("News.")), `{"type":"order_status","parameters":[{"type":"order_status","order_status":{"reference_id":"o-1","order":{"status":"SHIPPED","description":"Gone"}}}]}`, `{"body":{"text":"News."},"order_status":{"reference_id":"o-1","order":{"status":"shipped","description":"Gone"}}}`},
		{"tap target", made(template.Marketing, body("News.")), `{"type":"tap_target_configuration","parameters":[{"type":"tap_target_configuration","tap_target_configuration":[{"url":"https://b.example/a","title":"Menu"}]}]}`, `{"body":{"text":"News."},"tap_target":{"url":"https://b.example/a","title":"Menu"}}`},
		{"contact", one(template.Button{Type: template.RequestContact, Text: "Share"}), ``, `{"body":{"text":"Hello."},"buttons":[{"type":"request_contact_info","text":"Share"}]}`},
		{"permission to call", made(template.Utility, body("May we?"), template.Component{Type: template.CallPermission}), ``, `{"body":{"text":"May we?"},"call_permission_request":true}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := rendered(t, c.t, c.components); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func productCard(i string) string {
	return `{"card_index":` + i + `,"components":[{"type":"header","parameters":[{"type":"product","product":{"product_retailer_id":"p` + i + `","catalog_id":"c"}}]}]}`
}

func shownProduct(i string) string {
	return `{"card_index":` + i + `,"header":{"type":"product","product":{"product_retailer_id":"p` + i + `","catalog_id":"c"}},"buttons":[{"type":"spm","text":"View"}]}`
}

// rendered is what a device shows, or the error.
func rendered(t *testing.T, tp *template.Template, components string) string {
	t.Helper()
	r, err := request(t, `{"name":"x","language":{"code":"en"},"components":[`+components+`]}`)
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return message(err)
	}
	out, err := template.Render(tp, r)
	if err != nil {
		return message(err)
	}
	return string(out.AppendJSON(nil))
}

func TestRenderedMedia(t *testing.T) {
	t.Parallel()
	r, err := request(t, `{"name":"x","language":{"code":"en"},"components":[{"type":"header","parameters":[{"type":"document","document":{"link":"https://a.example/x.pdf","filename":"x.pdf"}}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	out, err := template.Render(made(template.Utility, header(template.HeaderDocument), body("x")), r)
	if err != nil {
		t.Fatal(err)
	}
	want := template.Media{Kind: "document", Link: "https://a.example/x.pdf", Filename: "x.pdf", Path: "template['components'][0]['parameters'][0]['document']"}
	if len(out.Media) != 1 || out.Media[0] != want {
		t.Errorf("%+v", out.Media)
	}
}
