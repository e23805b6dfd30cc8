package message_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
	"pgregory.net/rapid"
)

// padded is what a device encrypts.
func padded(body string) []byte {
	b := append([]byte(body), 0x80)
	for len(b)%64 != 0 {
		b = append(b, 0)
	}
	return b
}

func arrival() *message.Arrival {
	return &message.Arrival{ID: "wamid.A=", From: "15550177788", UserID: "US.7340192256810", At: 1783065600999, Business: "15550100123"}
}

// Source: spec/webhooks.md sections 12.1, 13.1 and 13.14; design of the network, section 7.
func TestInbound(t *testing.T) {
	t.Parallel()
	ours := string(wa.NewMessageID("15550177788", true, []byte("123456789")))
	theirs := string(wa.NewMessageID("15550177788", false, []byte("1234567890")))
	const head = `"from":"15550177788","from_user_id":"US.7340192256810","id":"wamid.A=","timestamp":"1783065600"`
	unsupported := func(kind string) string {
		if kind != "" {
			kind = `,"unsupported":{"type":"` + kind + `"}`
		}
		return `{` + head + `,"errors":[{"code":131051,"title":"Message type unknown","message":"Message type unknown","error_data":{"details":"Message type is currently not supported."}}],"type":"unsupported"` + kind + `}`
	}
	for _, c := range []struct{ name, plain, kind, want string }{
		{"text", `{"v":1,"ts":1,"type":"text","text":{"body":"Do you have \"gluten-free\" bread? 🍞"}}`, "text", `{` + head + `,"type":"text","text":{"body":"Do you have \"gluten-free\" bread? 🍞"}}`},
		{"keys in any order, unknown ones too", `{"x":[{"y":[]}],"text":{"z":1,"body":"a"},"type":"text"}`, "text", `{` + head + `,"type":"text","text":{"body":"a"}}`},
		{"an answer to the business", `{"type":"text","text":{"body":"a"},"context":{"id":"` + ours + `"}}`, "text", `{"context":{"from":"15550100123","id":"` + ours + `"},` + head + `,"type":"text","text":{"body":"a"}}`},
		{"an answer to oneself", `{"type":"text","text":{"body":"a"},"context":{"id":"` + theirs + `"}}`, "text", `{"context":{"from":"15550177788","id":"` + theirs + `"},` + head + `,"type":"text","text":{"body":"a"}}`},
		{"forwarded", `{"type":"text","text":{"body":"a"},"context":{"id":"` + ours + `","forwarded":true}}`, "text", `{"context":{"forwarded":true},` + head + `,"type":"text","text":{"body":"a"}}`},
		{"forwarded often", `{"type":"text","text":{"body":"a"},"context":{"forwarded":true,"frequently_forwarded":true}}`, "text", `{"context":{"frequently_forwarded":true},` + head + `,"type":"text","text":{"body":"a"}}`},
		{"context of another shape", `{"type":"text","text":{"body":"a"},"context":"x"}`, "text", `{` + head + `,"type":"text","text":{"body":"a"}}`},
		{"poll", `{"type":"poll_creation","poll_creation":{"name":"x"}}`, "poll_creation", unsupported("poll_creation")},
		{"media that could not be fetched", `{"type":"image","image":{"mime_type":"image/jpeg"}}`, "image", `{` + head + `,"errors":[{"code":131052,"title":"Media download error","message":"Media download error","error_data":{"details":"Failed to download the media from the sender."}}],"type":"unsupported","unsupported":{"type":"image"}}`},
		{"edits are for coexistence numbers", `{"type":"edit","edit":{"original_message_id":"x"}}`, "edit", unsupported("edit")},
		{"a type that is no name", `{"type":"<b>\u0041"}`, "unsupported", unsupported("")},
		{"a type that is no text", `{"type":5}`, "unsupported", unsupported("")},
		{"no type", `{}`, "unsupported", unsupported("")},
		{"text without body", `{"type":"text","text":{}}`, "unsupported", unsupported("")},
		{"text with an empty body", `{"type":"text","text":{"body":""}}`, "unsupported", unsupported("")},
		{"text that is a string", `{"type":"text","text":"a"}`, "unsupported", unsupported("")},
		{"no JSON", `hello`, "unsupported", unsupported("")},
		{"two objects", `{"type":"text","text":{"body":"a"}}{}`, "unsupported", unsupported("")},
		{"the same key twice", `{"type":"text","type":"image","text":{"body":"a"}}`, "unsupported", unsupported("")},
		{"invalid UTF-8", "{\"type\":\"text\",\"text\":{\"body\":\"\xff\"}}", "unsupported", unsupported("")},
		{"nested too deep", `{"type":"text","text":{"body":"a"},"x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, "unsupported", unsupported("")},
		{"longest text", `{"type":"text","text":{"body":"` + strings.Repeat("a", message.MaxPlaintext-36) + `"}}`, "text", `{` + head + `,"type":"text","text":{"body":"` + strings.Repeat("a", message.MaxPlaintext-36) + `"}}`},
		{"too long", `{"type":"text","text":{"body":"` + strings.Repeat("a", message.MaxPlaintext) + `"}}`, "unsupported", unsupported("")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := message.ParseInbound(padded(c.plain))
			if in.Type != c.kind {
				t.Errorf("type %s, want %s", in.Type, c.kind)
			}
			if got := string(message.AppendInbound(nil, arrival(), in.Body)); got != c.want {
				t.Errorf("got  %.500s\nwant %.500s", got, c.want)
			}
		})
	}
	for _, plain := range []string{"", "{}", `{"type":"text","text":{"body":"a"}}`, "\x00\x00"} {
		if in := message.ParseInbound([]byte(plain)); in.Type != message.TypeUnsupported || in.Body != nil {
			t.Errorf("without padding: %q is %+v", plain, in)
		}
	}
}

func TestPlaintext(t *testing.T) {
	t.Parallel()
	got := message.AppendPlaintext([]byte("before"), "wamid.A=", 1767225600, []byte(`"type":"text","text":{"body":"x"}`))[len("before"):]
	want := `{"v":1,"id":"wamid.A=","ts":1767225600,"type":"text","text":{"body":"x"}}`
	if len(got)%64 != 0 || string(got) != want+"\x80"+strings.Repeat("\x00", 128-len(want)-1) {
		t.Errorf("got %q", got)
	}
	body, ok := message.Unpad(message.AppendPreview(nil, "wamid.A=", 1, []byte(`{"title":"x"}`)))
	if !ok || string(body) != `{"v":1,"ts":1,"type":"preview","of":"wamid.A=","preview":{"title":"x"}}` {
		t.Errorf("preview %s", body)
	}
	if got := string(message.ReadEvent(`wamid."A`)); got != `{"kind":"read","ids":["wamid.\"A"]}` {
		t.Error(got)
	}
	if got := string(message.TypingEvent("15550100123")); got != `{"kind":"typing","for":25,"of":"15550100123"}` {
		t.Error(got)
	}
}

func TestPaddingIsReversible(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(r, "body")
		plain := message.AppendPlaintext(nil, "i", 0, body)
		got, ok := message.Unpad(plain)
		if want := `{"v":1,"id":"i","ts":0,` + string(body) + `}`; !ok || string(got) != want || len(plain)%64 != 0 || len(plain) > len(want)+64 {
			r.Fatalf("%q became %q", body, got)
		}
	})
}

func FuzzInbound(f *testing.F) {
	for _, s := range []string{
		`{"v":1,"type":"text","text":{"body":"a"},"context":{"id":"wamid.A","forwarded":false}}`, `{"type":"poll"}`, `{}`, `[`,
		`{"type":"text","text":{"body":"\ud83d\ude00\n"}}`,
	} {
		f.Add(padded(s))
	}
	for _, c := range inboundTypes {
		f.Add(padded(c.plain))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		before := string(plain)
		in := message.ParseInbound(plain)
		out := message.AppendInbound(nil, arrival(), in.Body)
		if string(plain) != before {
			t.Fatal("the plaintext was changed")
		}
		var v struct {
			From, ID, Timestamp, Type string
			Text                      struct{ Body string }
			Errors                    []struct{ Code int }
		}
		if err := json.Unmarshal(out, &v); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		switch {
		case v.From != "15550177788" || v.ID != "wamid.A=" || v.Timestamp != "1783065600":
			t.Fatalf("head of %s", out)
		case v.Type == "text" && v.Text.Body != "" && in.Type == "text":
		case v.Type == "unsupported" && len(v.Errors) == 1 && (v.Errors[0].Code == 131051 || v.Errors[0].Code == 131052) && in.Type != "text":
		case v.Type == in.Type && hasMember(out, v.Type):
		default:
			t.Fatalf("%s became %s", in.Type, out)
		}
	})
}

func BenchmarkInbound(b *testing.B) {
	plain := padded(`{"v":1,"ts":1783065600,"type":"text","text":{"body":"Do you have a gluten-free option?"},"context":{"id":"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA"}}`)
	a := arrival()
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		in := message.ParseInbound(plain)
		buf = message.AppendInbound(buf[:0], a, in.Body)
	}
}
