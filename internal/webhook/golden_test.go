package webhook

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

var rewrite = flag.Bool("update", false, "write golden files")

// goldenInbound has the content of a device's message, with media as the platform keeps them, by the name of its file.
var goldenInbound = map[string]string{
	"text":                 `"text","text":{"body":"Do you have a gluten-free option?"}`,
	"answer":               `"text","text":{"body":"Yes, please 👍"},` + goldenContext,
	"forwarded":            `"text","text":{"body":"Café 24/7"},"context":{"forwarded":true}`,
	"frequently_forwarded": `"text","text":{"body":"Pass it on"},"context":{"frequently_forwarded":true}`,
	"product_question":     `"text","text":{"body":"Is it fresh?"},"context":{"id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA","referred_product":{"catalog_id":"700220033","product_retailer_id":"HAMP-S"}}`,
	"referral":             `"text","text":{"body":"Is the picnic hamper still available?"},"referral":{"source_url":"https://fb.me/9qExample1","source_id":"120299887766554433","source_type":"ad","body":"Hampers for every picnic","headline":"Chat with us","media_type":"image","image_url":"https://cdn.example/ad.jpg","ctwa_clid":"AffQ2rWm7KpXc41ZtVn8","welcome_message":{"text":"Hi! How can we help?"}}`,
	"image":                `"image","image":{"caption":"Is this yours?","mime_type":"image/jpeg",` + goldenFile + `}`,
	"video":                `"video","video":{"mime_type":"video/mp4",` + goldenFile + `}`,
	"voice":                `"audio","audio":{"mime_type":"audio/ogg; codecs=opus","voice":true,` + goldenFile + `}`,
	"audio":                `"audio","audio":{"mime_type":"audio/mpeg",` + goldenFile + `}`,
	"document":             `"document","document":{"caption":"The menu","filename":"menu.pdf","mime_type":"application/pdf",` + goldenFile + `}`,
	"sticker":              `"sticker","sticker":{"mime_type":"image/webp","animated":true,` + goldenFile + `}`,
	"location":             `"location","location":{"latitude":48.8584,"longitude":2.2945,"name":"Bistro","address":"5 Avenue Anatole"}`,
	"contacts":             `"contacts","contacts":[{"origin":"contact_request","vcard":"BEGIN:VCARD\nVERSION:3.0\nFN:Ana\nTEL:+15550177788\nEND:VCARD","name":{"formatted_name":"Ana","first_name":"Ana"},"phones":[{"phone":"+15550177788","wa_id":"15550177788","type":"MOBILE"}]}]`,
	"reaction":             `"reaction","reaction":{"message_id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA","emoji":"👍"}`,
	"reaction_removed":     `"reaction","reaction":{"message_id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA"}`,
	"button":               `"button","button":{"payload":"keep-8841","text":"Keep"},` + goldenContext,
	"button_reply":         `"interactive","interactive":{"type":"button_reply","button_reply":{"id":"yes","title":"Yes"}},` + goldenContext,
	"list_reply":           `"interactive","interactive":{"type":"list_reply","list_reply":{"id":"t-09","title":"09:00–12:00","description":"Morning"}},` + goldenContext,
	"flow_reply":           `"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{\"flow_token\":\"t-1\",\"guests\":\"4\"}"}},` + goldenContext,
	"flow_files":           `"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{\"flow_token\":\"t-1\",\"photos\":[{\"file_name\":\"IMG_5237.jpg\",\"mime_type\":\"image/jpeg\",\"sha256\":\"wBIXJv0Yc0Jt3R6a7mI2GJ0pC5W1o3c8x7L2bqk9UeA=\",\"id\":\"1846720391557999\"}]}"}},` + goldenContext,
	"address_reply":        `"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"address_message","body":"Ana, 1 Main St","response_json":"{\"values\":{\"name\":\"Ana\"}}"}},` + goldenContext,
	"call_permission":      `"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"accept","is_permanent":false,"expiration_timestamp":"1783670600","response_source":"user_action"}},"context":{"id":"wacid.HBgLMTU1NTAxNzc3ODgVAgASGCA1"}`,
	"order":                `"order","order":{"catalog_id":"700220033","text":"","product_items":[{"product_retailer_id":"HAMP-S","quantity":2,"item_price":24.5,"currency":"EUR"}]},` + goldenContext,
	"unsupported":          `"poll_creation","poll_creation":{}`,
	"edit":                 `"edit","edit":{"original_message_id":"wamid.X"}`,
	"media_lost":           `"image","image":{"mime_type":"image/jpeg"}`,
}

const (
	goldenFile    = `"sha256":"wBIXJv0Yc0Jt3R6a7mI2GJ0pC5W1o3c8x7L2bqk9UeA=","id":"1846720391557999","url":"https://graph.example/media/?mid=1846720391557999&source=webhook&ext=1783065960&hash=ARn5"`
	goldenContext = `"context":{"id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA"}`
	goldenID      = wa.MessageID("wamid.HBgLMTU1NTAxNzc3ODgVAgASGBQzQTZGMTlDMkIwNERFODcxNTUzMAA=")
)

// goldenStatuses are by the name of their file; those that end in v23 are what apps get that subscribed with an old version.
var goldenStatuses = map[string]*record.Status{
	"sent":             {Of: record.KindSent, Priced: true, Conversation: 1783152002000, Opaque: "reservation:8841"},
	"sent_v23":         {Of: record.KindSent, Priced: true, Conversation: 1783152002000},
	"delivered":        {Of: record.KindDelivered, Priced: true},
	"delivered_v23":    {Of: record.KindDelivered, Priced: true},
	"read":             {Of: record.KindRead},
	"played":           {Of: record.KindPlayed, Type: "audio"},
	"identity":         {Of: record.KindDelivered, IdentityHash: "9hQ1x0c2Yso="},
	"free_entry_point": {Of: record.KindSent, Priced: true, PricingType: "free_entry_point", Category: "referral_conversion", Entry: 1783065602000, Conversation: 1783324802000},
	"failed":           {Of: record.KindFailed, Code: 131047},
	"failed_media":     {Of: record.KindFailed, Code: 131053, Details: "Downloading media from weblink failed with http code 404, status message Not Found"},
}

// goldenLimits are what tells of limits, as rooms write it, by the name of its file; the last version that gets it otherwise has a file too.
var goldenLimits = map[string]string{
	"business_capability_update.at_first":  `{"max_daily_conversations_per_business":"TIER_250","max_phone_numbers_per_business":2}`,
	"business_capability_update.raised":    `{"max_daily_conversations_per_business":"TIER_2K","max_phone_numbers_per_waba":20}`,
	"business_capability_update.unlimited": `{"max_daily_conversations_per_business":"TIER_UNLIMITED","max_phone_numbers_per_waba":20}`,
	"phone_number_quality_update.upgrade":  `{"display_phone_number":"15550783881","event":"THROUGHPUT_UPGRADE","current_limit":"TIER_UNLIMITED","max_daily_conversations_per_business":"TIER_UNLIMITED"}`,
}

// goldenPartners are what partners are told, in an entry of their portfolio.
var goldenPartners = map[string]string{
	"partner_solutions.created":              `{"event":"SOLUTION_CREATED","solution_id":"880055113322446","solution_status":"INITIATED"}`,
	"partner_solutions.pending_deactivation": `{"event":"SOLUTION_UPDATED","solution_id":"880055113322446","solution_status":"PENDING_DEACTIVATION"}`,
	"account_update.partner_added_solution":  `{"event":"PARTNER_ADDED","waba_info":{"waba_id":"512340987654321","owner_business_id":"660022113344999","solution_id":"880055113322446","solution_partner_business_ids":["660022113344557","660022113344558"]}}`,
}

// variantOfName is that of a file whose name ends in a version.
func variantOfName(name string) variant {
	if i := strings.LastIndex(name, "_v"); i >= 0 {
		return variantOf(name[i+1:] + ".0")
	}
	return newest
}

// goldens builds every payload, by the name of its file without the ending: field, point, name.
func goldens(t *testing.T) map[string]string {
	out := map[string]string{}
	d := builderOnly()
	add := func(name string, r record.Record, v variant) {
		u, ok := updateOf(r)
		if !ok {
			t.Fatalf("%s is no update", name)
		}
		e, _ := d.event(&u, v, nil)
		out[name] = string(e.body)
	}
	for name, content := range goldenInbound {
		add("messages.in_"+name, &record.Received{
			ID: goldenID, Number: testNumber, WABA: testWABA, From: "15550177788", At: 1783065600000, Profile: "Ana", Body: []byte(`{"type":` + content + `}`),
		}, newest)
	}
	for name, s := range goldenStatuses {
		s := *s
		s.ID, s.Number, s.WABA, s.To, s.At, s.Profile = "wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0EyRjY2NTgA", testNumber, testWABA, "15550177788", 1783065602000, "Ana"
		if s.Category == "" {
			s.Category, s.PricingType, s.Billable = "utility", "regular", true
		}
		add("messages.status_"+name, &s, variantOfName(name))
	}
	a := &message.Arrival{ID: goldenID, From: "15550177788", UserID: "US.7340192256810", At: 1783066300000}
	for name, value := range map[string][]byte{
		"messages.system_number":   message.AppendMoved(nil, a, "Ana", "15550177999", "US.9900118822"),
		"messages.system_identity": message.AppendIdentity(nil, a, "Ana", "9hQ1x0c2Yso="),
		"user_id_update.changed":   message.AppendUserID(nil, a, "Ana", "15550177999", "US.9900118822"),
		"user_preferences.stop":    message.AppendPreference(nil, a.From, a.UserID, "Ana", true, a.At),
		"user_preferences.resume":  message.AppendPreference(nil, a.From, a.UserID, "Ana", false, a.At),
	} {
		field, _, _ := strings.Cut(name, ".")
		add(name, &record.Notice{WABA: testWABA, Number: testNumber, Field: field, At: a.At, Value: value}, newest)
	}
	for name, value := range goldenPartners {
		field, _, _ := strings.Cut(name, ".")
		add(name, &record.Notice{Entry: "660022113344557", Field: field, At: a.At, Value: []byte(value)}, newest)
	}
	for name, value := range goldenLimits {
		field, _, _ := strings.Cut(name, ".")
		for _, version := range []string{"", map[bool]string{true: "_v24", false: "_v23"}[field == "phone_number_quality_update"]} {
			add(name+version, &record.Notice{WABA: testWABA, Field: field, At: a.At, Value: []byte(value)}, variantOfName(version))
		}
	}
	for _, field := range Fields() {
		for _, name := range SampleNames(field) {
			file := name
			if file == field {
				file += ".sample"
			}
			if out[file] != "" || field == FieldMessages && name == field {
				continue // the platform makes it itself
			}
			waba := testWABA
			if field == "partner_solutions" || strings.HasPrefix(name, "account_update.partner") {
				waba = "660022113344557" // the portfolio
			}
			b, err := AppendSample(nil, name, waba, 1783068000000)
			if err != nil {
				t.Fatal(err)
			}
			out[file] = string(b)
		}
	}
	return out
}

// Every payload has a golden file, from which docs/webhook-fields.md is made. -update writes them.
func TestGoldens(t *testing.T) {
	t.Parallel()
	const dir = "testdata/golden"
	want := goldens(t)
	for name, body := range want {
		if !json.Valid([]byte(body)) || !isPlatformText([]byte(body)) {
			t.Errorf("%s: %s", name, body)
		}
		file := filepath.Join(dir, name+".json")
		if *rewrite {
			if err := os.WriteFile(file, []byte(body+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(have)) != body {
			t.Errorf("%s (%v):\n have %s\nbuilt %s", name, err, have, body)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if want[strings.TrimSuffix(f.Name(), ".json")] == "" {
			t.Errorf("%s is of no payload", f.Name())
		}
	}
}
