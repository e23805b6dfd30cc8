package message_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/message"
)

func TestAttachmentsAreFilledIn(t *testing.T) {
	t.Parallel()
	var o message.Outbound
	b := []byte(`"type":"interactive","interactive":{"header":{"type":"image","image":{`)
	b = o.Attach(b, message.Attachment{Kind: message.TypeImage, ID: "1846720391557204", Path: "interactive['header']['image']['id']"})
	b = append(b, `}},"cards":[{"video":{`...)
	b = o.Attach(b, message.Attachment{Kind: message.TypeVideo, Link: "https://bistro.example/a.mp4"})
	b = append(b, `}}]}`...)
	if len(o.Attachments) != 2 || o.Attachments[0].ID != "1846720391557204" || o.Attachments[1].Kind != message.TypeVideo {
		t.Fatalf("attachments %+v", o.Attachments)
	}
	b, ok0 := message.AppendFilled(nil, b, 0, []byte(`"id":"1846720391557204","mime_type":"image/png"`))
	b, ok1 := message.AppendFilled(nil, b, 1, []byte(`"mime_type":"video/mp4"`))
	const want = `"type":"interactive","interactive":{"header":{"type":"image","image":{"id":"1846720391557204","mime_type":"image/png"}},` +
		`"cards":[{"video":{"mime_type":"video/mp4"}}]}`
	if !ok0 || !ok1 || string(b) != want {
		t.Errorf("%v %v\ngot  %s\nwant %s", ok0, ok1, b, want)
	}
}

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	quoted, _ := json.Marshal(`a caption with "blob":"#0" in it`)
	for _, c := range []struct {
		name, body string
		n          int
		want       string
		found      bool
	}{
		{"none", `"type":"text","text":{"body":"x"}`, 0, `"type":"text","text":{"body":"x"}`, false},
		{"a text that looks like one", `"image":{"caption":` + string(quoted) + `,"blob":"#0"}`, 0, `"image":{"caption":` + string(quoted) + `,"id":"1"}`, true},
		{"1 is not 10", `{"blob":"#10"},{"blob":"#1"}`, 1, `{"blob":"#10"},{"id":"1"}`, true},
		{"the first one counts", `{"blob":"#0"},{"blob":"#0"}`, 0, `{"id":"1"},{"blob":"#0"}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, found := message.AppendFilled([]byte("head "), []byte(c.body), c.n, []byte(`"id":"1"`))
			if found != c.found || string(got) != "head "+c.want {
				t.Errorf("%v %s", found, got)
			}
		})
	}
}

// Source: spec/messages.md section 9.6, spec/media.md section 21.
func TestDocuments(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]string{
		"https://bistro.example/files/menu%20du%20jour.pdf?x=1": "menu du jour.pdf", "https://bistro.example": "", "https://bistro.example/": "",
		"https://bistro.example/%ff.pdf": ".pdf", "https://bistro.example/" + strings.Repeat("x", 241): "", "%": "",
	} {
		if got := message.FileName(link); got != want {
			t.Errorf("%s: %q", link, got)
		}
	}
	_, list := sends(t)
	for _, s := range list {
		if s.name == "interactive order_details" {
			o, _, err := through(strings.Replace(s.full(), `"header":{"type":"image","image"`, `"header":{"type":"document","document"`, 1), sender)
			if err != nil || o.Attachments[0].Kind != message.PlacePDF {
				t.Errorf("%v %+v", err, o)
			}
		}
	}
}
