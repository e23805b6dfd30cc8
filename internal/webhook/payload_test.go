package webhook

import (
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

type fixedNumbers string

func (f fixedNumbers) Digits(wa.PhoneNumberID) (string, bool) { return string(f), true }

type fixedUsers string

func (f fixedUsers) UserID(wa.WABAID, wa.WaID) string { return string(f) }

func sampleBuilder() *builder {
	return &builder{numbers: fixedNumbers("15550100123"), users: fixedUsers("US.7340192256810"), href: ErrorsHref}
}

// whole wraps one change as it is posted alone.
func whole(change []byte) string {
	return payloadOpen + `{"id":"512340987654321","changes":[` + string(change) + entryClose + payloadClose
}

const sampleHead = `{"object":"whatsapp_business_account","entry":[{"id":"512340987654321","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100123","phone_number_id":"498765432109876"}`

func sampleStatus(of record.Kind) *record.Status {
	return &record.Status{
		Of: of, ID: "wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0EyRjY2NTgA", Number: "498765432109876", WABA: "512340987654321",
		To: "15550177788", At: 1783065602999, Type: "template", Category: "utility", PricingType: "regular", Billable: true,
		Profile: "Ana",
	}
}

func TestStatusPayloads(t *testing.T) {
	t.Parallel()
	const contacts = `,"contacts":[{"profile":{"name":"Ana"},"wa_id":"15550177788","user_id":"US.7340192256810"}]`
	const id = `,"statuses":[{"id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0EyRjY2NTgA","status":`
	const to = `,"timestamp":"1783065602","recipient_id":"15550177788","recipient_user_id":"US.7340192256810"`
	const price = `,"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"utility"}`
	const end = `}]},"field":"messages"}]}]}`
	const conversationID = "4672ba396a3554c3d965fce5b610c8e4"
	for _, c := range []struct {
		name   string
		legacy bool
		opaque string
		change func(*record.Status)
		of     record.Kind
		want   string
	}{
		{
			name: "sent, v23.0", of: record.KindSent, legacy: true, opaque: "reservation:8841",
			change: func(s *record.Status) { s.Priced, s.Conversation = true, 1783152002000 },
			want: sampleHead + contacts + id + `"sent"` + to + `,"biz_opaque_callback_data":"reservation:8841"` +
				`,"conversation":{"id":"` + conversationID + `","expiration_timestamp":"1783152002","origin":{"type":"utility"}}` + price + end,
		},
		{
			name: "sent, v24.0", of: record.KindSent,
			change: func(s *record.Status) { s.Priced, s.Conversation = true, 1783152002000 },
			want:   sampleHead + contacts + id + `"sent"` + to + price + end,
		},
		{
			name: "delivered, v23.0: no expiration", of: record.KindDelivered, legacy: true,
			change: func(s *record.Status) { s.Priced, s.Conversation = true, 1783152002000 },
			want: sampleHead + contacts + id + `"delivered"` + to +
				`,"conversation":{"id":"` + conversationID + `","origin":{"type":"utility"}}` + price + end,
		},
		{
			name: "read after delivered: no pricing", of: record.KindRead, legacy: true,
			want: sampleHead + contacts + id + `"read"` + to + end,
		},
		{
			name: "played", of: record.KindPlayed, legacy: true,
			want: sampleHead + id + `"played"` + to + end,
		},
		{
			name: "free entry point keeps the conversation", of: record.KindSent,
			change: func(s *record.Status) {
				s.Priced, s.PricingType, s.Billable, s.Category = true, "free_entry_point", false, "referral_conversion"
			},
			want: sampleHead + contacts + id + `"sent"` + to +
				`,"conversation":{"id":"` + conversationID + `","origin":{"type":"referral_conversion"}}` +
				`,"pricing":{"billable":false,"pricing_model":"PMP","type":"free_entry_point","category":"referral_conversion"}` + end,
		},
		{
			name: "international authentication is spelled with underscores", of: record.KindSent, legacy: true,
			change: func(s *record.Status) { s.Priced, s.Category = true, "authentication-international" },
			want: sampleHead + contacts + id + `"sent"` + to +
				`,"conversation":{"id":"` + conversationID + `","origin":{"type":"authentication_international"}}` +
				`,"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"authentication_international"}` + end,
		},
		{
			name: "the last day of prices by conversation", of: record.KindSent, legacy: true,
			change: func(s *record.Status) { s.Priced, s.At, s.Conversation = true, 1_751_327_999_999, 1_751_414_399_999 },
			want: strings.NewReplacer("1783065602", "1751327999").Replace(sampleHead + contacts + id + `"sent"` + to +
				`,"conversation":{"id":"` + conversationID + `","expiration_timestamp":"1751414399","origin":{"type":"utility"}}` +
				`,"pricing":{"billable":true,"pricing_model":"CBP","type":"regular","category":"utility"}` + end),
		},
		{
			name: "the first day of prices by message", of: record.KindSent,
			change: func(s *record.Status) { s.Priced, s.At = true, 1_751_328_000_000 },
			want:   strings.NewReplacer("1783065602", "1751328000").Replace(sampleHead + contacts + id + `"sent"` + to + price + end),
		},
		{
			name: "identity hash", of: record.KindDelivered,
			change: func(s *record.Status) { s.IdentityHash = "3c7a=" },
			want:   sampleHead + contacts + id + `"delivered"` + to + `,"recipient_identity_key_hash":"3c7a="` + end,
		},
		{
			name: "unknown profile name", of: record.KindDelivered,
			change: func(s *record.Status) { s.Profile = "" },
			want: sampleHead + `,"contacts":[{"wa_id":"15550177788","user_id":"US.7340192256810"}]` + id +
				`"delivered"` + to + end,
		},
		{
			name: "failed: errors, no contacts, no pricing", of: record.KindFailed, legacy: true, opaque: "reservation:8841",
			change: func(s *record.Status) { s.Code, s.Priced = 131047, true },
			want: sampleHead + id + `"failed"` + to + `,"biz_opaque_callback_data":"reservation:8841"` +
				`,"errors":[{"code":131047,"title":"Re-engagement message","message":"Re-engagement message",` +
				`"error_data":{"details":"Message failed to send because more than 24 hours have passed since the customer last replied to this number."},` +
				`"href":"https:\/\/developers.facebook.com\/docs\/whatsapp\/cloud-api\/support\/error-codes\/"}]` + end,
		},
		{
			name: "failed: details of the occurrence", of: record.KindFailed,
			change: func(s *record.Status) { s.Code, s.Details = 131053, "HTTP code 404" },
			want: sampleHead + id + `"failed"` + to +
				`,"errors":[{"code":131053,"title":"Media upload error","message":"Media upload error",` +
				`"error_data":{"details":"HTTP code 404"},` +
				`"href":"https:\/\/developers.facebook.com\/docs\/whatsapp\/cloud-api\/support\/error-codes\/"}]` + end,
		},
	} {
		s := sampleStatus(c.of)
		if c.change != nil {
			c.change(s)
		}
		got := whole(sampleBuilder().status(nil, s, c.opaque, c.legacy))
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestInboundPayloads(t *testing.T) {
	t.Parallel()
	const contacts = `,"contacts":[{"profile":{"name":"Ana"},"wa_id":"15550177788","user_id":"US.7340192256810"}]`
	const head = `"from":"15550177788","from_user_id":"US.7340192256810","id":"wamid.HBgLMTU1NTAxNzc3ODgVAgASGBQzQTZGMTlDMkIwNERFODcxNTUzMAA=","timestamp":"1783065600"`
	const end = `]},"field":"messages"}]}]}`
	const unknown = `{` + head + `,"errors":[{"code":131051,"title":"Message type unknown","message":"Message type unknown",` +
		`"error_data":{"details":"Message type is currently not supported."}}],"type":"unsupported"`
	for _, c := range []struct {
		name, typ, body, want string
	}{
		{
			"text", "text", `{"v":1,"type":"text","text":{"body":"Do you have a gluten-free option?"}}`,
			`{` + head + `,"type":"text","text":{"body":"Do you have a gluten-free option?"}}`,
		},
		{
			"escapes", "text", `{"type":"text","text":{"body":"né 1/2 👍\n"}}`,
			`{` + head + `,"type":"text","text":{"body":"n\u00e9 1\/2 \ud83d\udc4d\n"}}`,
		},
		{
			"answer to the business", "text",
			`{"type":"text","text":{"body":"y"},"context":{"id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0EyRjY2NTgA"}}`,
			`{"context":{"from":"15550100123","id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0EyRjY2NTgA"},` + head + `,"type":"text","text":{"body":"y"}}`,
		},
		{
			"forwarded", "text", `{"type":"text","text":{"body":"y"},"context":{"forwarded":true}}`,
			`{"context":{"forwarded":true},` + head + `,"type":"text","text":{"body":"y"}}`,
		},
		{"unknown type", "poll_creation", `{"type":"poll_creation","poll_creation":{}}`, unknown + `,"unsupported":{"type":"poll_creation"}}`},
		{"content lost", "poll_creation", ``, unknown + `}`},
		{"no JSON", "poll_creation", `\xff`, unknown + `}`},
	} {
		r := &record.Received{
			ID: "wamid.HBgLMTU1NTAxNzc3ODgVAgASGBQzQTZGMTlDMkIwNERFODcxNTUzMAA=", Number: "498765432109876", WABA: "512340987654321",
			From: "15550177788", At: 1783065600000, Type: c.typ, Profile: "Ana",
		}
		got := whole(sampleBuilder().received(nil, r, []byte(c.body)))
		if want := sampleHead + contacts + `,"messages":[` + c.want + end; got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, want)
		}
	}
}

func TestConversationIDIsStable(t *testing.T) {
	t.Parallel()
	id := func(message wa.MessageID, entry int64) string {
		return string(appendConversationID(nil, &record.Status{ID: message, Number: "1", To: "2", Entry: entry}))
	}
	a, b := id("wamid.A", 0), id("wamid.B", 0)
	if a == b || len(a) != 32 || strings.Trim(a, hexDigits) != "" || a != id("wamid.A", 0) {
		t.Errorf("conversation ids %q and %q", a, b)
	}
	if a, b, c := id("wamid.A", 5), id("wamid.B", 5), id("wamid.A", 6); a != b || a == c || len(a) != 32 {
		t.Errorf("conversation ids of windows: %q, %q and %q", a, b, c)
	}
}

// Source: spec/webhooks.md section 4.3.
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	body := []byte(`{"object":"x","t":"caf\u00e9 \/"}`)
	if len(body) != 33 {
		t.Fatalf("the vector has %d bytes", len(body))
	}
	s := newSigner("bistro-secret")
	for range 2 {
		h256, h1 := s.sign(body)
		if h256 != "sha256=7d454998b27425307f33db8349d19ed3de31954e3bd981460f2e68d994733faf" {
			t.Errorf("X-Hub-Signature-256: %s", h256)
		}
		if h1 != "sha1=c81552e21fc42a29f1594553cdcd5a1666f6e66b" {
			t.Errorf("X-Hub-Signature: %s", h1)
		}
	}
	if a, b := Signature("bistro-secret", body); a[:7] != "sha256=" || b[:5] != "sha1=" {
		t.Errorf("Signature: %s, %s", a, b)
	}
}

func BenchmarkBuildAndSign(b *testing.B) {
	p, s := sampleBuilder(), newSigner("bistro-secret")
	st := sampleStatus(record.KindSent)
	st.Priced, st.Conversation = true, 1783152002000
	var body []byte
	b.ReportAllocs()
	for b.Loop() {
		body = append(body[:0], payloadOpen...)
		body = appendEntryOpen(body, st.WABA)
		body = p.status(body, st, "reservation:8841", true)
		body = append(body, entryClose+payloadClose...)
		s.sign(body)
	}
	b.SetBytes(int64(len(body)))
}
