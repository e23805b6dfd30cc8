package message_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Texts are counted in code points: what has exactly as many as the documents allow is taken, one more is refused with the
// code of its place. Source: spec/messages.md sections 2, 9 and 10; limits that are ours: docs/divergences.md.
func TestLimitsOfTexts(t *testing.T) {
	t.Parallel()
	typed := func(kind, object string) string { return `"type":"` + kind + `","` + kind + `":` + object }
	inter := func(kind, rest string) string {
		return typed("interactive", `{"type":"`+kind+`","body":{"text":"b"},`+rest+`}`)
	}
	button := func(more, id, title string) string {
		return inter("button", more+`"action":{"buttons":[{"type":"reply","reply":{"id":"`+id+`","title":"`+title+`"}}]}`)
	}
	list := func(button, section, row string) string {
		return inter("list", `"action":{"button":"`+button+`","sections":[{"title":"`+section+`","rows":[`+row+`]}]}`)
	}
	named := func(kind, parameters string) string {
		return inter(kind, `"action":{"name":"`+kind+`","parameters":{`+parameters+`}}`)
	}
	flow := func(rest string) string { return named("flow", `"flow_message_version":"3","flow_id":"1",`+rest) }
	card := func(i int, rest string) string {
		return `{"card_index":` + strconv.Itoa(i) + `,"type":"cta_url","header":{"type":"image","image":{"id":"1"}},` + rest + `}`
	}
	carousel := func(rest func(i int) string) string {
		return inter("carousel", `"action":{"cards":[`+card(0, rest(0))+`,`+card(1, rest(1))+`]}`)
	}
	cta := func(text string) string {
		return `"action":{"name":"cta_url","parameters":{"display_text":"` + text + `","url":"https://a.example"}}`
	}
	quick := func(id, title string) string {
		return `"action":{"buttons":[{"type":"quick_reply","quick_reply":{"id":"` + id + `","title":"` + title + `"}}]}`
	}
	replaced := func(s, with string) func(int) string {
		return func(i int) string { // ids are unique
			return strings.ReplaceAll(s, "$", with[:len(with)-len("ü")]+[]string{"ü", "ö"}[i])
		}
	}
	for _, c := range []struct {
		name string
		most int
		code int
		body func(s string) string
	}{
		{"biz_opaque_callback_data", 512, 100, func(s string) string {
			return `"biz_opaque_callback_data":"` + s + `",` + typed("text", `{"body":"b"}`)
		}},
		{"text.body", 4096, 100, func(s string) string { return typed("text", `{"body":"`+s+`"}`) }},
		{"image.caption", 1024, 100, func(s string) string { return typed("image", `{"id":"1","caption":"`+s+`"}`) }},
		{"video.caption", 1024, 100, func(s string) string { return typed("video", `{"id":"1","caption":"`+s+`"}`) }},
		{"document.caption", 1024, 100, func(s string) string { return typed("document", `{"id":"1","caption":"`+s+`"}`) }},
		{"document.filename", 240, 100, func(s string) string { return typed("document", `{"id":"1","filename":"`+s+`"}`) }},
		{"header.text", 60, 131009, func(s string) string { return button(`"header":{"type":"text","text":"`+s+`"},`, "i", "t") }},
		{"header.sub_text", 60, 131009, func(s string) string {
			return button(`"header":{"type":"text","text":"h","sub_text":"`+s+`"},`, "i", "t")
		}},
		{"footer.text", 60, 131009, func(s string) string { return button(`"footer":{"text":"`+s+`"},`, "i", "t") }},
		{"button id", 256, 131009, func(s string) string { return button("", s, "t") }},
		{"button title", 20, 131009, func(s string) string { return button("", "i", s) }},
		{"list button", 20, 131009, func(s string) string { return list(s, "s", `{"id":"i","title":"t"}`) }},
		{"section title", 24, 131009, func(s string) string { return list("b", s, `{"id":"i","title":"t"}`) }},
		{"row id", 200, 131009, func(s string) string { return list("b", "s", `{"id":"`+s+`","title":"t"}`) }},
		{"row title", 24, 131009, func(s string) string { return list("b", "s", `{"id":"i","title":"`+s+`"}`) }},
		{"row description", 72, 131009, func(s string) string { return list("b", "s", `{"id":"i","title":"t","description":"`+s+`"}`) }},
		{"cta display_text", 20, 131009, func(s string) string { return named("cta_url", `"url":"https://a.example","display_text":"`+s+`"`) }},
		{"flow_cta", 30, 131009, func(s string) string { return flow(`"flow_cta":"` + s + `"`) }},
		{"voice_call display_text", 20, 131009, func(s string) string { return named("voice_call", `"display_text":"`+s+`"`) }},
		{"voice_call payload", 512, 131009, func(s string) string { return named("voice_call", `"payload":"`+s+`"`) }},
		{"section title of products", 24, 131009, func(s string) string {
			return inter("product_list", `"header":{"type":"text","text":"h"},"action":{"catalog_id":"1","sections":[{"title":"`+s+`","product_items":[{"product_retailer_id":"2"}]}]}`)
		}},
		{"card body", 160, 131009, func(s string) string {
			return carousel(func(int) string { return cta("d") + `,"body":{"text":"` + s + `"}` })
		}},
		{"card display_text", 20, 131009, func(s string) string { return carousel(func(int) string { return cta(s) }) }},
		{"card reply id", 256, 131009, func(s string) string { return carousel(replaced(quick("$", "t"), s)) }},
		{"card reply title", 20, 131009, func(s string) string { return carousel(replaced(quick("$", s), "iü")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			limit(t, sender, c.body(strings.Repeat("ü", c.most)), c.body(strings.Repeat("ü", c.most+1)), c.code)
		})
	}
	// Bodies of all interactive types, but for two that are in types_test.go.
	for _, kind := range []string{
		"button", "cta_url", "flow", "catalog_message", "location_request_message", "call_permission_request", "voice_call",
		"request_contact_info", "product", "product_list", "carousel", "address_message", "order_status",
	} {
		t.Run("body of "+kind, func(t *testing.T) {
			t.Parallel()
			for _, s := range readSends(t) {
				if s.name == "interactive "+kind {
					body := func(n int) string { return withBody(t, s.object[1:len(s.object)-1], strings.Repeat("ü", n)) }
					limit(t, s.from(), body(1024), body(1025), 131009)
				}
			}
		})
	}
}

func readSends(t *testing.T) []send {
	t.Helper()
	_, list := sends(t)
	return list
}

// withBody replaces the first text of a body.
func withBody(t *testing.T, message, text string) string {
	t.Helper()
	before, rest, ok := strings.Cut(message, `"body":{"text":"`)
	_, after, end := strings.Cut(rest, `"`)
	if !ok || !end {
		t.Fatalf("there is no body in %s", message)
	}
	return before + `"body":{"text":"` + text + `"` + after
}

// Lists of as many elements as allowed are taken, one more or one fewer is not. Source: spec/messages.md sections 9.9 and 10.
func TestLimitsOfLists(t *testing.T) {
	t.Parallel()
	typed := func(kind, object string) string { return `"type":"` + kind + `","` + kind + `":` + object }
	times := func(n int, what string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = strings.ReplaceAll(what, "#", strconv.Itoa(i))
		}
		return strings.Join(list, ",")
	}
	inter := func(kind, rest string) string {
		return typed("interactive", `{"type":"`+kind+`","body":{"text":"b"},`+rest+`}`)
	}
	const cta = `"action":{"name":"cta_url","parameters":{"display_text":"d","url":"https://a.example"}}`
	products := func(sections string) string {
		return inter("product_list", `"header":{"type":"text","text":"h"},"action":{"catalog_id":"1","sections":[`+sections+`]}`)
	}
	for _, c := range []struct {
		name        string
		least, most int
		body        func(n int) string
	}{
		{"contacts", 1, 257, func(n int) string {
			return typed("contacts", `[`+times(n, `{"name":{"formatted_name":"A","first_name":"A"}}`)+`]`)
		}},
		{"buttons", 1, 3, func(n int) string {
			return inter("button", `"action":{"buttons":[`+times(n, `{"type":"reply","reply":{"id":"i#","title":"t#"}}`)+`]}`)
		}},
		{"sections", 1, 10, func(n int) string {
			return inter("list", `"action":{"button":"B","sections":[`+times(n, `{"title":"s","rows":[{"id":"r#","title":"t"}]}`)+`]}`)
		}},
		{"rows", 1, 10, func(n int) string {
			return inter("list", `"action":{"button":"B","sections":[{"title":"s","rows":[`+times(n, `{"id":"r#","title":"t"}`)+`]}]}`)
		}},
		{"sections of products", 1, 10, func(n int) string {
			return products(times(n, `{"title":"s","product_items":[{"product_retailer_id":"#"}]}`))
		}},
		{"products", 1, 30, func(n int) string {
			return products(`{"product_items":[` + times(n, `{"product_retailer_id":"#"}`) + `]}`)
		}},
		{"cards", 2, 10, func(n int) string {
			return inter("carousel", `"action":{"cards":[`+times(n, `{"card_index":#,"type":"cta_url","header":{"type":"image","image":{"id":"1"}},`+cta+`}`)+`]}`)
		}},
		{"cards of products", 2, 10, func(n int) string {
			return inter("carousel", `"action":{"cards":[`+times(n, `{"card_index":#,"type":"product","action":{"catalog_id":"1","product_retailer_id":"p"}}`)+`]}`)
		}},
		{"minutes of a call button", 1, 43_200, func(n int) string {
			return inter("voice_call", `"action":{"name":"voice_call","parameters":{"ttl_minutes":`+strconv.Itoa(n)+`}}`)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			limit(t, sender, c.body(c.most), c.body(c.most+1), 131009)
			limit(t, sender, c.body(c.least), c.body(c.least-1), 131009)
		})
	}
}

// limit checks that one message passes and another does not.
func limit(t *testing.T, s *message.Sender, good, bad string, code int) {
	t.Helper()
	if _, gate, err := through(head+good+"}", s); err != nil {
		t.Errorf("gate %d: %s: %.300s", gate, wire(err), good)
	}
	var row *wa.Error
	if _, _, err := through(head+bad+"}", s); !errors.As(err, &row) || row.Code != code {
		t.Errorf("%s, want %d: %.300s", wire(err), code, bad)
	}
}
