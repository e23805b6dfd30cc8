package message_test

import (
	"strconv"
	"strings"
	"testing"
)

// What is wrong with each type, and the words for it. Where the contract has words they are those; errors.md sections 6, 8
// and 19.
func TestTypes(t *testing.T) {
	t.Parallel()
	const (
		required = "(#131008) Required parameter is missing | "
		value    = "(#131009) Parameter value is not valid | "
		schema   = "(#100) "
	)
	x := func(n int) string { return strings.Repeat("x", n) }
	times := func(n int, what string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = strings.ReplaceAll(what, "#", strconv.Itoa(i))
		}
		return strings.Join(list, ",")
	}
	typed := func(kind, object string) string { return `"type":"` + kind + `","` + kind + `":` + object }
	inter := func(kind, rest string) string {
		return typed("interactive", `{"type":"`+kind+`","body":{"text":"b"},`+rest+`}`)
	}
	const reply = `{"type":"reply","reply":{"id":"i#","title":"t#"}}`
	const row = `{"id":"r#","title":"t"}`
	button := func(buttons string) string { return inter("button", `"action":{"buttons":[`+buttons+`]}`) }
	list := func(sections string) string {
		return inter("list", `"action":{"button":"B","sections":[`+sections+`]}`)
	}
	flow := func(p string) string {
		return inter("flow", `"action":{"name":"flow","parameters":{"flow_message_version":"3",`+p+`}}`)
	}
	card := func(i int, more string) string {
		return `{"card_index":` + strconv.Itoa(i) + `,"type":"cta_url","header":{"type":"image","image":{"id":"1"}},` + more + `}`
	}
	const cta = `"action":{"name":"cta_url","parameters":{"display_text":"d","url":"https://a.example"}}`
	const quick = `{"type":"quick_reply","quick_reply":{"id":"q#","title":"t#"}}`
	cards := func(list ...string) string {
		return inter("carousel", `"action":{"cards":[`+strings.Join(list, ",")+`]}`)
	}
	card1 := func(more string) string {
		return typed("contacts", `[{"name":{"formatted_name":"A B","first_name":"A"}`+more+`}]`)
	}
	order := func(total, rest string) string {
		return inter("order_details", `"action":{"name":"review_and_pay","parameters":{"reference_id":"r","type":"digital-goods","payment_settings":[{"type":"boleto"}],"currency":"BRL","total_amount":{"value":`+total+`,"offset":100},"order":{"status":"pending","items":[{"name":"n","amount":{"value":1,"offset":100},"quantity":1}],"subtotal":{"value":10,"offset":100},"tax":{"value":2,"offset":100}`+rest+`}}}`)
	}
	for _, c := range []struct {
		name, more string
		gate       int
		want       string
	}{
		{"media without a file", typed("image", `{"caption":"c"}`), 8, required + "Parameter 'id' or 'link' is mandatory for type 'image'"},
		{"media with an empty id", typed("video", `{"id":""}`), 8, required + "Parameter 'id' or 'link' is mandatory for type 'video'"},
		{"media with two files", typed("image", `{"id":"1","link":"https://a.example/b"}`), 8, "(#100) Invalid parameter | Only one of the parameters 'id' and 'link' may be given for type 'image'"},
		{"media by a link that is none", typed("image", `{"link":"ftp://a.example/b"}`), 6, schema + "Param image['link'] is not a valid URI."},
		{"media by a path", typed("audio", `{"link":"/etc/passwd"}`), 6, schema + "Param audio['link'] is not a valid URI."},
		{"caption of 1025", typed("document", `{"id":"1","caption":"`+x(1025)+`"}`), 6, schema + "Param document['caption'] must be at most 1024 characters long."},
		{"caption of 1024", typed("document", `{"id":"1","caption":"`+x(1024)+`"}`), 0, ""},
		{"filename of 241", typed("document", `{"id":"1","filename":"`+x(241)+`"}`), 6, schema + "Param document['filename'] must be at most 240 characters long."},
		{"audio with a caption", typed("audio", `{"id":"1","caption":"c"}`), 6, schema + `Unexpected key "caption" on param "audio".`},
		{"sticker with a caption", typed("sticker", `{"id":"1","caption":"c"}`), 6, schema + `Unexpected key "caption" on param "sticker".`},
		{"image with a filename", typed("image", `{"id":"1","filename":"f"}`), 6, schema + `Unexpected key "filename" on param "image".`},
		{"provider is a leftover", typed("image", `{"id":"1","provider":{"name":"p"}}`), 6, schema + `Unexpected key "provider" on param "image".`},
		{"voice is a text", typed("audio", `{"id":"1","voice":"maybe"}`), 6, schema + "Param audio['voice'] must be a boolean."},
		{"media is a text", typed("image", `"1"`), 6, schema + "Param image must be an object."},

		{"location without latitude", typed("location", `{"longitude":"1"}`), 8, required + "Parameter 'latitude' is mandatory for type 'location'"},
		{"north of the pole", typed("location", `{"latitude":"90.001","longitude":"1"}`), 8, value + "Parameter 'latitude' must be between -90 and 90."},
		{"beyond the date line", typed("location", `{"latitude":1,"longitude":-181}`), 8, value + "Parameter 'longitude' must be between -180 and 180."},
		{"latitude is a word", typed("location", `{"latitude":"north","longitude":1}`), 6, schema + "Param location['latitude'] must be a number."},
		{"unknown key in location", typed("location", `{"latitude":1,"longitude":1,"zoom":3}`), 6, schema + `Unexpected key "zoom" on param "location".`},

		{"no contacts", typed("contacts", `[]`), 8, value + "Invalid contacts count. Min allowed contacts: 1, Max allowed contacts: 257"},
		{"258 contacts", typed("contacts", `[`+times(258, `{"name":{"formatted_name":"A","first_name":"A"}}`)+`]`), 8, value + "Invalid contacts count. Min allowed contacts: 1, Max allowed contacts: 257"},
		{"257 contacts", typed("contacts", `[`+times(257, `{"name":{"formatted_name":"A","first_name":"A"}}`)+`]`), 0, ""},
		{"contacts are an object", typed("contacts", `{"name":{}}`), 6, schema + "Param contacts must be an array."},
		{"contact without name", typed("contacts", `[{}]`), 8, required + "Parameter 'name' is mandatory for type 'contacts'"},
		{"contact without formatted name", typed("contacts", `[{"name":{"first_name":"A"}}]`), 8, required + "Parameter 'formatted_name' is mandatory for type 'contacts'"},
		{"contact with nothing but a formatted name", typed("contacts", `[{"name":{"formatted_name":"A"}}]`), 8, required + "Parameter 'name' needs formatted_name and at least one other part of the name."},
		{"birthday", card1(`,"birthday":"28.2.1990"`), 8, value + "Parameter 'birthday' must have the form YYYY-MM-DD."},
		{"unknown key in a phone", card1(`,"phones":[{"phone":"1","carrier":"x"}]`), 6, schema + `Unexpected key "carrier" on param "contacts[0]['phones'][0]".`},
		{"too many cards for a message", typed("contacts", `[`+times(100, `{"name":{"formatted_name":"`+x(1000)+`","first_name":"A"}}`)+`]`), 8, value + "The message is too long."},

		{"reaction to nothing", typed("reaction", `{"emoji":"👍"}`), 8, required + "Parameter 'message_id' is mandatory for type 'reaction'"},
		{"reaction with nothing", typed("reaction", `{"message_id":"wamid.A"}`), 8, required + "Parameter 'emoji' is mandatory for type 'reaction'"},
		{"reaction in words", typed("reaction", `{"message_id":"wamid.A","emoji":"ok"}`), 8, value + "Parameter 'emoji' must be one emoji, or empty to remove the reaction."},
		{"two emojis", typed("reaction", `{"message_id":"wamid.A","emoji":"👍👍"}`), 8, value + "Parameter 'emoji' must be one emoji, or empty to remove the reaction."},
		{"a family is one emoji", typed("reaction", `{"message_id":"wamid.A","emoji":"👨‍👩‍👧‍👦"}`), 0, ""},
		{"a flag is one", typed("reaction", `{"message_id":"wamid.A","emoji":"🇯🇵"}`), 0, ""},
		{"a heart is one", typed("reaction", `{"message_id":"wamid.A","emoji":"❤️"}`), 0, ""},
		{"a keycap is one", typed("reaction", `{"message_id":"wamid.A","emoji":"1️⃣"}`), 0, ""},

		{"interactive without type", typed("interactive", `{"body":{"text":"b"}}`), 8, required + "Parameter 'type' is mandatory for type 'interactive'"},
		{"interactive of another type", typed("interactive", `{"type":"poll"}`), 6, schema + `Param interactive['type'] must be one of {ADDRESS_MESSAGE, BUTTON, CALL_PERMISSION_REQUEST, CAROUSEL, CATALOG_MESSAGE, CTA_URL, FLOW, LIST, LOCATION_REQUEST_MESSAGE, ORDER_DETAILS, ORDER_STATUS, PRODUCT, PRODUCT_LIST, REQUEST_CONTACT_INFO, VOICE_CALL} - got "poll".`},
		{"unknown key in interactive", typed("interactive", `{"type":"button","image":{}}`), 6, schema + `Unexpected key "image" on param "interactive".`},
		{"without body", typed("interactive", `{"type":"button","action":{"buttons":[`+times(1, reply)+`]}}`), 8, required + "Parameter 'body' is mandatory for type 'button'"},
		{"without action", typed("interactive", `{"type":"button","body":{"text":"b"}}`), 8, required + "Parameter 'action' is mandatory for type 'button'"},
		{"body of 1025", typed("interactive", `{"type":"button","body":{"text":"`+x(1025)+`"},"action":{"buttons":[`+times(1, reply)+`]}}`), 8, value + "Body text length invalid. Min length: 1, Max length: 1024"},
		{"body of a list of 4096", typed("interactive", `{"type":"list","body":{"text":"`+x(4096)+`"},"action":{"button":"B","sections":[{"rows":[`+times(1, row)+`]}]}}`), 0, ""},
		{"body of a list of 4097", typed("interactive", `{"type":"list","body":{"text":"`+x(4097)+`"},"action":{"button":"B","sections":[{"rows":[`+times(1, row)+`]}]}}`), 8, value + "Body text length invalid. Min length: 1, Max length: 4096"},
		{"footer of 61", inter("button", `"footer":{"text":"`+x(61)+`"},"action":{"buttons":[`+times(1, reply)+`]}`), 8, value + "Footer text length invalid. Min length: 1, Max length: 60"},
		{"header of 61", inter("button", `"header":{"type":"text","text":"`+x(61)+`"},"action":{"buttons":[`+times(1, reply)+`]}`), 8, value + "Header text length invalid. Min length: 1, Max length: 60"},
		{"header without its image", inter("button", `"header":{"type":"image"},"action":{"buttons":[`+times(1, reply)+`]}`), 8, required + "Parameter 'image' is mandatory for type 'button'"},
		{"header with a caption", inter("button", `"header":{"type":"image","image":{"id":"1","caption":"c"}},"action":{"buttons":[`+times(1, reply)+`]}`), 6, schema + `Unexpected key "caption" on param "interactive['header']['image']".`},
		{"header of audio", inter("button", `"header":{"type":"audio"},"action":{"buttons":[]}`), 6, schema + `Param interactive['header']['type'] must be one of {TEXT, IMAGE, VIDEO, DOCUMENT} - got "audio".`},
		{"image over a list", inter("list", `"header":{"type":"image","image":{"id":"1"}},"action":{"button":"B","sections":[{"rows":[`+times(1, row)+`]}]}`), 8, value + "Header of type 'image' is not supported for interactive message type 'list'."},
		{"header over a product", inter("product", `"header":{"type":"text","text":"h"},"action":{"catalog_id":"1","product_retailer_id":"2"}`), 8, value + "Parameter 'header' is not supported for interactive message type 'product'."},
		{"footer under a request", inter("location_request_message", `"footer":{"text":"f"},"action":{"name":"send_location"}`), 8, value + "Parameter 'footer' is not supported for interactive message type 'location_request_message'."},

		{"E6 four buttons", button(times(4, reply)), 8, value + "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3"},
		{"no buttons", button(""), 8, value + "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3"},
		{"buttons are missing", inter("button", `"action":{}`), 8, required + "Parameter 'buttons' is mandatory for type 'button'"},
		{"title of 21", button(`{"type":"reply","reply":{"id":"i","title":"` + x(21) + `"}}`), 8, value + "Button title length invalid. Min length: 1, Max length: 20"},
		{"empty title", button(`{"type":"reply","reply":{"id":"i","title":""}}`), 8, value + "Button title length invalid. Min length: 1, Max length: 20"},
		{"no title", button(`{"type":"reply","reply":{"id":"i"}}`), 8, required + "Parameter 'title' is mandatory for type 'button'"},
		{"id of 257", button(`{"type":"reply","reply":{"id":"` + x(257) + `","title":"t"}}`), 8, value + "Button id length invalid. Min length: 1, Max length: 256"},
		{"id with a space", button(`{"type":"reply","reply":{"id":" i","title":"t"}}`), 8, value + "Button ids must not start or end with a space."},
		{"ids twice", button(`{"type":"reply","reply":{"id":"i","title":"a"}},{"type":"reply","reply":{"id":"i","title":"b"}}`), 8, value + "Button ids must be unique."},
		{"titles twice", button(`{"type":"reply","reply":{"id":"i","title":"a"}},{"type":"reply","reply":{"id":"j","title":"a"}}`), 8, value + "Button titles must be unique."},
		{"another kind of button", button(`{"type":"url","reply":{"id":"i","title":"t"}}`), 6, schema + `Param interactive['action']['buttons'][0]['type'] must be one of {REPLY} - got "url".`},

		{"11 rows", list(`{"title":"a","rows":[` + times(6, row) + `]},{"title":"b","rows":[` + times(5, `{"id":"s#","title":"t"}`) + `]}`), 8, value + "Total row count exceed max allowed count: 10"},
		{"11 sections", list(times(11, `{"title":"a","rows":[`+row+`]}`)), 8, value + "Invalid sections count. Min allowed sections: 1, Max allowed sections: 10"},
		{"two sections without titles", list(times(2, `{"rows":[`+row+`]}`)), 8, required + "Parameter 'title' is mandatory for type 'list'"},
		{"section without rows", list(`{"rows":[]}`), 8, value + "Invalid rows count. Min allowed rows: 1, Max allowed rows: 10"},
		{"row ids twice", list(`{"rows":[{"id":"a","title":"t"},{"id":"a","title":"u"}]}`), 8, value + "Row ids must be unique."},
		{"row id of 201", list(`{"rows":[{"id":"` + x(201) + `","title":"t"}]}`), 8, value + "Row id length invalid. Min length: 1, Max length: 200"},
		{"row title of 25", list(`{"rows":[{"id":"a","title":"` + x(25) + `"}]}`), 8, value + "Row title length invalid. Min length: 1, Max length: 24"},
		{"row description of 73", list(`{"rows":[{"id":"a","title":"t","description":"` + x(73) + `"}]}`), 8, value + "Row description length invalid. Min length: 1, Max length: 72"},
		{"section title of 25", list(`{"title":"` + x(25) + `","rows":[` + row + `]}`), 8, value + "Section title length invalid. Min length: 1, Max length: 24"},
		{"button of a list of 21", inter("list", `"action":{"button":"`+x(21)+`","sections":[{"rows":[`+row+`]}]}`), 8, value + "Button label length invalid. Min length: 1, Max length: 20"},

		{"cta without url", inter("cta_url", `"action":{"name":"cta_url","parameters":{"display_text":"d"}}`), 8, required + "Parameter 'url' is mandatory for type 'cta_url'"},
		{"cta to somewhere else", inter("cta_url", `"action":{"name":"cta_url","parameters":{"display_text":"d","url":"javascript:alert(1)"}}`), 8, value + "Parameter 'url' must be an absolute http or https URL."},
		{"cta text of 21", inter("cta_url", `"action":{"name":"cta_url","parameters":{"display_text":"`+x(21)+`","url":"https://a.example"}}`), 8, value + "Display text length invalid. Min length: 1, Max length: 20"},
		{"another action", inter("cta_url", `"action":{"name":"send_location"}`), 6, schema + `Param interactive['action']['name'] must be one of {CTA_URL} - got "send_location".`},
		{"no action name", inter("location_request_message", `"action":{}`), 8, required + "Parameter 'name' is mandatory for type 'location_request_message'"},

		{"flow version", inter("flow", `"action":{"name":"flow","parameters":{"flow_message_version":"2","flow_id":"1","flow_cta":"c"}}`), 8, value + `Parameter 'flow_message_version' must be "3".`},
		{"no flow", flow(`"flow_cta":"c"`), 8, required + "Parameter 'flow_id' is mandatory for type 'flow'"},
		{"two flows", flow(`"flow_cta":"c","flow_id":"1","flow_name":"n"`), 8, value + "Only one of the parameters 'flow_id' and 'flow_name' may be given."},
		{"flow cta with an emoji", flow(`"flow_id":"1","flow_cta":"Go 🚀"`), 8, value + "Parameter 'flow_cta' must not have emojis."},
		{"flow cta of 31", flow(`"flow_id":"1","flow_cta":"` + x(31) + `"`), 8, value + "Flow CTA length invalid. Min length: 1, Max length: 30"},
		{"flow mode", flow(`"flow_id":"1","flow_cta":"c","mode":"live"`), 6, schema + `Param interactive['action']['parameters']['mode'] must be one of {PUBLISHED, DRAFT} - got "live".`},
		{"empty flow data", flow(`"flow_id":"1","flow_cta":"c","flow_action_payload":{"screen":"A","data":{ }}`), 8, value + "Parameter 'data' must not be empty."},
		{"flow data that is a list", flow(`"flow_id":"1","flow_cta":"c","flow_action_payload":{"screen":"A","data":[1]}`), 6, schema + "Param interactive['action']['parameters']['flow_action_payload']['data'] must be an object."},
		{"flow data that is no JSON", flow(`"flow_id":"1","flow_cta":"c","flow_action_payload":{"screen":"A","data":"{\"a\":1,\"a\":2}"}`), 6, schema + "Param interactive['action']['parameters']['flow_action_payload']['data'] must be an object."},

		{"product without catalog", inter("product", `"action":{"product_retailer_id":"2"}`), 8, required + "Parameter 'catalog_id' is mandatory for type 'product'"},
		{"products without header", inter("product_list", `"action":{"catalog_id":"1","sections":[{"product_items":[{"product_retailer_id":"2"}]}]}`), 8, required + "Parameter 'header' is mandatory for type 'product_list'"},
		{"31 products", inter("product_list", `"header":{"type":"text","text":"h"},"action":{"catalog_id":"1","sections":[{"product_items":[`+times(31, `{"product_retailer_id":"#"}`)+`]}]}`), 8, value + "Invalid products count. Min allowed products: 1, Max allowed products: 30"},

		{"one card", cards(card(0, cta)), 8, value + "Invalid cards count. Min allowed cards: 2, Max allowed cards: 10"},
		{"cards out of order", cards(card(1, cta), card(0, cta)), 8, value + "Card indexes must count the cards, starting with 0."},
		{"cards with different buttons", cards(card(0, cta), card(1, `"action":{"buttons":[`+times(1, quick)+`]}`)), 8, value + "All cards must have the same kind and number of buttons."},
		{"card text of 161", cards(card(0, cta+`,"body":{"text":"`+x(161)+`"}`), card(1, cta)), 8, value + "Card body text length invalid. Min length: 1, Max length: 160"},
		{"card text of four lines", cards(card(0, cta+`,"body":{"text":"a\nb\nc\nd"}`), card(1, cta)), 8, value + "Card body text must not have more than 2 line breaks."},
		{"card without header", cards(`{"card_index":0,"type":"cta_url",`+cta+`}`, card(1, cta)), 8, required + "Parameter 'header' is mandatory for type 'carousel'"},
		{"catalogs differ", cards(`{"card_index":0,"type":"product","action":{"catalog_id":"1","product_retailer_id":"a"}}`, `{"card_index":1,"type":"product","action":{"catalog_id":"2","product_retailer_id":"a"}}`), 8, value + "All cards must have the same catalog_id."},

		{"address elsewhere", inter("address_message", `"action":{"name":"address_message","parameters":{"country":"FR"}}`), 8, value + "Parameter 'country' must be IN."},
		{"address with a short pin", inter("address_message", `"action":{"name":"address_message","parameters":{"country":"IN","values":{"in_pin_code":"123"}}}`), 8, value + "Parameter 'in_pin_code' must have 6 digits."},
		{"call button for too long", inter("voice_call", `"action":{"name":"voice_call","parameters":{"ttl_minutes":43201}}`), 8, value + "Parameter 'ttl_minutes' must be between 1 and 43200."},
		{"call payload of 513", inter("voice_call", `"action":{"name":"voice_call","parameters":{"payload":"`+x(513)+`"}}`), 8, value + "Payload length invalid. Min length: 1, Max length: 512"},
		{"call request with parameters", inter("call_permission_request", `"action":{"name":"call_permission_request","parameters":{}}`), 6, schema + `Unexpected key "parameters" on param "interactive['action']".`},
		{"call request without words", typed("interactive", `{"type":"call_permission_request","action":{"name":"call_permission_request"}}`), 0, ""},

		{"an order that adds up", order("13", `,"shipping":{"value":3,"offset":100},"discount":{"value":2,"offset":100}`), 0, ""},
		{"an order that does not", order("14", ""), 8, value + "Parameter 'total_amount' must be subtotal plus tax plus shipping minus discount."},
		{"order status", strings.Replace(order("12", ""), `"status":"pending"`, `"status":"shipped"`, 1), 6, schema + `Param interactive['action']['parameters']['order']['status'] must be one of {PENDING} - got "shipped".`},
		{"currency", strings.Replace(order("12", ""), "BRL", "EUR", 1), 6, schema + `Param interactive['action']['parameters']['currency'] must be one of {INR, BRL} - got "EUR".`},
		{"offset", strings.Replace(order("12", ""), `"offset":100`, `"offset":10`, 1), 8, value + "Parameter 'offset' must be 100."},
		{"reference", strings.Replace(order("12", ""), `"reference_id":"r"`, `"reference_id":"r/1"`, 1), 8, value + "Parameter 'reference_id' may only have letters, digits, underscores, dots and dashes."},
		{"no way to pay", strings.Replace(order("12", ""), `"payment_settings":[{"type":"boleto"}],`, "", 1), 8, required + "Parameter 'payment_settings' is mandatory for type 'order_details'"},
		{"status of an order", inter("order_status", `"action":{"name":"review_order","parameters":{"reference_id":"r","order":{"status":"lost"}}}`), 6, schema + `Param interactive['action']['parameters']['order']['status'] must be one of {PENDING, PROCESSING, PARTIALLY_SHIPPED, SHIPPED, COMPLETED, CANCELED} - got "lost".`},

		{"the state of the parameters comes before their content", typed("interactive", `{"type":"button","body":{"text":"`+x(2000)+`"},"action":{"buttons":5}}`), 6, schema + `Param interactive['action']['buttons'] must be an object.`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, gate, err := through(head+c.more+"}", sender)
			if got := wire(err); gate != c.gate || got != c.want {
				t.Fatalf("gate %d: %s\nwant %d: %s", gate, got, c.gate, c.want)
			}
			if err == nil {
				plain(t, c.name, o)
			}
		})
	}
}

func TestOrdersExpireLater(t *testing.T) {
	t.Parallel()
	_, list := sends(t)
	for _, s := range list {
		o, _, err := through(s.full(), s.from())
		if err != nil {
			t.Fatal(err)
		}
		late := o.Expires(1893456000 - 299)
		if want := s.name == "interactive order_details"; want != (late != nil) || o.Expires(1893456000-300) != nil {
			t.Errorf("%s: %v", s.name, late)
		}
	}
}
