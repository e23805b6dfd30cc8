package message_test

import (
	"encoding/json"
	"testing"

	"github.com/hikyaku/hikyaku/internal/message"
)

func TestFilesOfUsers(t *testing.T) {
	t.Parallel()
	const blob = `{"id":"00","size":80,"key":"AA==","mac_key":"AA==","sha256_enc":"AA==","sha256":"AA=="}`
	for _, c := range []struct {
		name, body string
		kind, mime string
		want       string // with the description `"id":"1","mime_type":"image/png"`
		gone       string // without one
	}{
		{
			"an image", `{"v":1,"type":"image","image":{"mime_type":"image/png","caption":"a \"blob\"","sha256":"x","blob":` + blob + `}}`,
			"image", "image/png",
			`{"v":1,"type":"image","image":{"id":"1","mime_type":"image/png","caption":"a \"blob\""}}`,
			`{"v":1,"type":"image","image":{"caption":"a \"blob\""}}`,
		},
		{
			"a voice note, its object first", `{"audio":{"blob":` + blob + `,"voice":true},"type":"audio"}`, "audio", "",
			`{"audio":{"id":"1","mime_type":"image/png","voice":true},"type":"audio"}`, `{"audio":{"voice":true},"type":"audio"}`,
		},
		{"a text", `{"type":"text","text":{"body":"x"}}`, "", "", "", ""},
		{"a text about one", `{"type":"text","text":{"body":"x","blob":1}}`, "", "", "", ""},
		{"the object of another type", `{"type":"text","image":{"blob":{}},"text":{"body":"x"}}`, "", "", "", ""},
		{"no object", `{"type":"image","image":"blob","blob":1}`, "", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, ok := message.FileOf([]byte(c.body))
			if ok != (c.want != "") {
				t.Fatalf("found %v", ok)
			}
			if !ok {
				return
			}
			if f.Kind != c.kind || f.MIME != c.mime || string(f.Blob) != blob {
				t.Errorf("%s %s %s", f.Kind, f.MIME, f.Blob)
			}
			if got := string(message.ReplaceFile([]byte(c.body), f.Kind, []byte(`"id":"1","mime_type":"image/png"`))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := string(message.ReplaceFile([]byte(c.body), f.Kind, nil)); got != c.gone {
				t.Errorf("got  %s\nwant %s", got, c.gone)
			}
		})
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"type":"image","image":{"mime_type":"image/png","blob":{"id":"x"},"caption":"y"}}`))
	f.Add([]byte(`{"type":"video","blob":1,"video":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		file, ok := message.FileOf(body)
		if !ok || !json.Valid(body) {
			return
		}
		if !json.Valid(file.Blob) {
			t.Fatalf("blob %s", file.Blob)
		}
		out := message.ReplaceFile(body, file.Kind, []byte(`"id":"1"`))
		if !json.Valid(out) {
			t.Fatalf("%s became %s", body, out)
		}
		if _, again := message.FileOf(out); again {
			t.Fatalf("%s still has a blob", out)
		}
	})
}
