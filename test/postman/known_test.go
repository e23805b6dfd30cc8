package postman_test

import (
	"cmp"
	"os"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/test/postman"
)

// known are the requests of the collection that Meta publishes for the Cloud API, as far as their methods, paths and kinds
// of bodies are generally known, in its order; bodies and words are ours. A code is a deviation: docs/postman.md lists it.
//
//	name | method | path | body or form | keep | code
const known = `
Send the test message | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","to":"{{Recipient-Phone-Number}}","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}
Subscribe to an account | POST | {{WABA-ID}}/subscribed_apps
Read the subscriptions | GET | {{WABA-ID}}/subscribed_apps
Override the callback | POST | {{WABA-ID}}/subscribed_apps | {"override_callback_uri":"{{Callback-URL}}","verify_token":"{{Verify-Token}}"}
Unsubscribe | DELETE | {{WABA-ID}}/subscribed_apps
Read the portfolio | GET | {{Business-ID}}?fields=id,name,timezone_id
Read an account | GET | {{WABA-ID}}
Owned accounts | GET | {{Business-ID}}/owned_whatsapp_business_accounts
Shared accounts | GET | {{Business-ID}}/client_whatsapp_business_accounts
Debug the token | GET | debug_token?input_token={{User-Access-Token}} |  |  |  | App-Token
Read the numbers | GET | {{WABA-ID}}/phone_numbers
Read the numbers with a filter | GET | {{WABA-ID}}/phone_numbers?fields=id,is_official_business_account,display_phone_number,verified_name&filtering=[{'field':'account_mode','operator':'EQUAL','value':'LIVE'}] | | | 100
Read a number | GET | {{Phone-Number-ID}}
Read the display name's state | GET | {{Phone-Number-ID}}?fields=name_status
Read the health | GET | {{Phone-Number-ID}}?fields=health_status
Ask for a code | POST | {{Phone-Number-ID}}/request_code | code_method=SMS&language=en_US | | 136024
Verify a code | POST | {{Phone-Number-ID}}/verify_code | code=000000 | | 136025
Register | POST | {{Phone-Number-ID}}/register | {"messaging_product":"whatsapp","pin":"580173"}
Set two-step verification | POST | {{Phone-Number-ID}} | {"pin":"580173"}
Read the profile | GET | {{Phone-Number-ID}}/whatsapp_business_profile?fields=about,address,description,email,profile_picture_url,websites,vertical
Change the profile | POST | {{Phone-Number-ID}}/whatsapp_business_profile | {"messaging_product":"whatsapp","about":"Open all day","address":"1 Rue d’essai","description":"A shop","vertical":"RETAIL","email":"help@example.com","websites":["https://example.com/"]}
Begin a resumable upload | POST | app/uploads/?file_length={{Photo-Length}}&file_type=image/png&file_name=photo.png | | Upload-ID=id
Ask how far it is | GET | {{Upload-ID}}
Read the key for flows | GET | {{Phone-Number-ID}}/whatsapp_business_encryption
Send text | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"text","text":{"preview_url":false,"body":"Hello"}} | Message-ID=messages.0.id
Answer with text | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","context":{"message_id":"{{Message-ID}}"},"type":"text","text":{"preview_url":false,"body":"Hello again"}}
Send a link preview | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","to":"{{Recipient-Phone-Number}}","text":{"preview_url":true,"body":"See https://example.com/"}}
Send a reaction | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"reaction","reaction":{"message_id":"{{Message-ID}}","emoji":"😀"}}
Send an image by id | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"image","image":{"id":"{{Media-ID}}"}}
Send an image by address | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"image","image":{"link":"http://127.0.0.1:1/a.png"}}
Send audio by address | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"audio","audio":{"link":"http://127.0.0.1:1/a.mp3"}}
Send a document by address | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"document","document":{"link":"http://127.0.0.1:1/a.pdf","caption":"A caption"}}
Send a sticker by address | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"sticker","sticker":{"link":"http://127.0.0.1:1/a.webp"}}
Send a video by address | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"video","video":{"link":"http://127.0.0.1:1/a.mp4","caption":"A caption"}}
Send a contact | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","to":"{{Recipient-Phone-Number}}","type":"contacts","contacts":[{"addresses":[{"street":"1 Main Street","city":"Menlo Park","state":"CA","zip":"94025","country":"United States","country_code":"us","type":"HOME"}],"birthday":"1990-01-31","emails":[{"email":"ana@example.com","type":"WORK"}],"name":{"formatted_name":"Ana Ito","first_name":"Ana","last_name":"Ito"},"org":{"company":"Parcels","department":"Night","title":"Lead"},"phones":[{"phone":"+15550177788","type":"WORK"}],"urls":[{"url":"https://example.com/","type":"WORK"}]}]}
Send a location | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","to":"{{Recipient-Phone-Number}}","type":"location","location":{"latitude":"48.8589","longitude":"2.32","name":"Shop","address":"1 Rue d’essai"}}
Send a list | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"interactive","interactive":{"type":"list","header":{"type":"text","text":"Header"},"body":{"text":"Body"},"footer":{"text":"Footer"},"action":{"button":"Open","sections":[{"title":"One","rows":[{"id":"a","title":"A","description":"first"}]},{"title":"Two","rows":[{"id":"b","title":"B"}]}]}}}
Send reply buttons | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"interactive","interactive":{"type":"button","body":{"text":"Body"},"action":{"buttons":[{"type":"reply","reply":{"id":"yes","title":"Yes"}},{"type":"reply","reply":{"id":"no","title":"No"}}]}}}
Send one product | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"interactive","interactive":{"type":"product","body":{"text":"Body"},"action":{"catalog_id":"700220033","product_retailer_id":"A"}}}
Send several products | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"interactive","interactive":{"type":"product_list","header":{"type":"text","text":"Header"},"body":{"text":"Body"},"action":{"catalog_id":"700220033","sections":[{"title":"One","product_items":[{"product_retailer_id":"A"}]}]}}}
Send a catalog | POST | {{Phone-Number-ID}}/messages | {"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}","type":"interactive","interactive":{"type":"catalog_message","body":{"text":"Body"},"action":{"name":"catalog_message","parameters":{"thumbnail_product_retailer_id":"A"}}}}
Describe a file | GET | {{Media-ID}}?phone_number_id={{Phone-Number-ID}} | | Media-URL=url
Download a file | GET | {{Media-URL}}
Delete a file | DELETE | {{Media-ID}}/?phone_number_id={{Phone-Number-ID}}
Templates by name | GET | {{WABA-ID}}/message_templates?name=hello_world | | Template-ID=data.0.id
All templates | GET | {{WABA-ID}}/message_templates
A template by id | GET | {{Template-ID}}
The namespace | GET | {{WABA-ID}}?fields=message_template_namespace
Create a template | POST | {{WABA-ID}}/message_templates | {"name":"seasonal_sale","language":"en_US","category":"MARKETING","components":[{"type":"HEADER","format":"TEXT","text":"Our sale is on"},{"type":"BODY","text":"Shop now through the end of the month and use the code {{1}} to get a good price on all merchandise.","example":{"body_text":[["25OFF"]]}},{"type":"FOOTER","text":"Use the buttons below"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Unsubscribe"}]}]} | New-Template-ID=id
Create one with a catalog | POST | {{WABA-ID}}/message_templates | {"name":"catalog_intro","language":"en_US","category":"MARKETING","components":[{"type":"BODY","text":"Now shop for your favourite products right here."},{"type":"BUTTONS","buttons":[{"type":"CATALOG","text":"View catalog"}]}]}
Create one for passcodes | POST | {{WABA-ID}}/message_templates | {"name":"code_copy","language":"en_US","category":"AUTHENTICATION","components":[{"type":"BODY","add_security_recommendation":true},{"type":"FOOTER","code_expiration_minutes":10},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE","text":"Copy Code"}]}]}
Delete a template by id | DELETE | {{WABA-ID}}/message_templates?hsm_id={{New-Template-ID}}&name=seasonal_sale
Delete a template by name | DELETE | {{WABA-ID}}/message_templates?name=catalog_intro
Create a flow | POST | {{WABA-ID}}/flows | name=A first flow&categories=["OTHER"] | Flow-ID=id
Read a flow | GET | {{Flow-ID}}?fields=id,name,categories,preview,status,validation_errors,json_version,data_api_version,endpoint_uri,whatsapp_business_account,application
All flows | GET | {{WABA-ID}}/flows
The preview of a flow | GET | {{Flow-ID}}?fields=preview.invalidate(false)
Change a flow | POST | {{Flow-ID}} | name=The first flow
Assets of a flow | GET | {{Flow-ID}}/assets
Delete a flow | DELETE | {{Flow-ID}}
Create a QR code | POST | {{Phone-Number-ID}}/message_qrdls | {"prefilled_message":"Hello","generate_qr_image":"SVG"} | QR-Code=code
QR codes | GET | {{Phone-Number-ID}}/message_qrdls
QR codes as pictures | GET | {{Phone-Number-ID}}/message_qrdls?fields=code,prefilled_message,qr_image_url.format(SVG)
A QR code | GET | {{Phone-Number-ID}}/message_qrdls/{{QR-Code}}
Change a QR code | POST | {{Phone-Number-ID}}/message_qrdls | {"prefilled_message":"Good evening","code":"{{QR-Code}}"}
Delete a QR code | DELETE | {{Phone-Number-ID}}/message_qrdls/{{QR-Code}}
Block | POST | {{Phone-Number-ID}}/block_users | {"messaging_product":"whatsapp","block_users":[{"user":"{{Recipient-Phone-Number}}"}]}
Blocked people | GET | {{Phone-Number-ID}}/block_users
Unblock | DELETE | {{Phone-Number-ID}}/block_users | {"messaging_product":"whatsapp","block_users":[{"user":"{{Recipient-Phone-Number}}"}]}
Set the shop | POST | {{Phone-Number-ID}}/whatsapp_commerce_settings?is_cart_enabled=true&is_catalog_visible=true
Read the shop | GET | {{Phone-Number-ID}}/whatsapp_commerce_settings
Analytics | GET | {{WABA-ID}}?fields=analytics.start({{Week-Ago}}).end({{Now}}).granularity(DAY).phone_numbers([]).country_codes(["US","BR"])
Conversation analytics | GET | {{WABA-ID}}?fields=conversation_analytics.start({{Week-Ago}}).end({{Now}}).granularity(DAILY).phone_numbers([])
Conversation analytics by type | GET | {{WABA-ID}}?fields=conversation_analytics.start({{Week-Ago}}).end({{Now}}).granularity(DAILY).conversation_directions(["business_initiated"]).dimensions(["conversation_type","conversation_direction"])
Credit lines | GET | {{Business-ID}}/extendedcredits?fields=id,legal_entity_name
Migrate templates from nowhere | POST | {{WABA-ID}}/migrate_message_templates | {"source_waba_id":"1"} | | 100
Deregister | POST | {{Phone-Number-ID}}/deregister
`

// A collection that is written for the real service works when host and variables are replaced.
func TestThePublishedCollectionRuns(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a platform")
	}
	page, err := os.ReadFile("../../docs/postman.md")
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, open(t))
	upload := &postman.Item{Method: "POST", URL: "{{Phone-Number-ID}}/media", Parts: []postman.Part{
		{Name: "messaging_product", Value: "whatsapp"}, {Name: "file", Value: "@photo.png"},
	}, Keeps: []postman.Keep{{Variable: "Media-ID", From: "id"}}}
	r.play("Upload a file", upload)
	for line := range strings.Lines(known) {
		name, i := parse(line)
		if i == nil {
			continue
		}
		r.play(name, i)
		if i.Code != 0 && !strings.Contains(string(page), "| "+name+" |") {
			t.Errorf("docs/postman.md does not list the deviation %q", name)
		}
	}
}

func parse(line string) (string, *postman.Item) {
	cells := strings.Split(strings.TrimSpace(line), "|")
	for k := range cells {
		cells[k] = strings.TrimSpace(cells[k])
	}
	if len(cells) < 3 {
		return "", nil
	}
	cells = append(cells, "", "", "", "")
	i := &postman.Item{Method: cells[1], URL: cells[2], Token: cells[6]}
	if strings.HasPrefix(cells[3], "{") {
		i.Body = cells[3]
	} else if cells[3] != "" {
		for pair := range strings.SplitSeq(cells[3], "&") {
			k, v, _ := strings.Cut(pair, "=")
			i.Form = append(i.Form, postman.Part{Name: k, Value: v})
		}
	}
	if k, v, ok := strings.Cut(cells[4], "="); ok {
		i.Keeps = []postman.Keep{{Variable: k, From: v}}
	}
	for _, d := range cmp.Or(cells[5], "0") {
		i.Code = 10*i.Code + int(d-'0')
	}
	return cells[0], i
}
