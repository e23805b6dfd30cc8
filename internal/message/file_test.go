package message_test

import (
	"encoding/json"
	"strconv"
	"strings"
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

// Files of the answer to a flow come into its response_json, under the member they are listed under. Source: spec/media.md section 14.
func TestFilesOfFlows(t *testing.T) {
	t.Parallel()
	const blob = `"blob":{"id":"x"}`
	const head = `{"type":"interactive","context":{"id":"wamid.A"},"interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":`
	const form = `{"context":{"id":"wamid.A"},"interactive":{"nfm_reply":{"body":"Sent","name":"flow","response_json":`
	one := `{"file_name":"a.jpg","mime_type":"image/jpeg",` + blob + `}`
	for _, c := range []struct {
		name, body string
		files      int
		gone       int // which file cannot be had; 0 for none
		want       string
	}{
		{
			"two files and one", head + `"{\"n\":1e400,\"t\":\"<\"}"}},"files":{"b":[` + one + `,` + one + `],"a":[` + one + `]}}`, 3, 2,
			form + `"{\"a\":[{\"file_name\":\"a.jpg\",\"mime_type\":\"image/png\",\"sha256\":\"s\",\"id\":\"0\"}],` +
				`\"b\":[{\"file_name\":\"a.jpg\",\"mime_type\":\"image/png\",\"sha256\":\"s\",\"id\":\"1\"}],\"n\":1e400,\"t\":\"<\"}"},"type":"nfm_reply"},"type":"interactive"}`,
		},
		{
			"none left", head + `"{}"}},"files":{"a":[` + one + `,` + one + `]}}`, 2, -1,
			form + `"{\"a\":[]}"},"type":"nfm_reply"},"type":"interactive"}`,
		},
		{"more than a message takes", head + `"{}"}},"files":{"a":[` + strings.Repeat(one+",", 20) + one + `]}}`, 10, 0, ""},
		{"no answer to a flow", `{"type":"text","text":{"body":"x"},"files":{"a":[` + one + `]}}`, 0, 0, ""},
		{"no answer at all", head + `"[]"}},"files":{"a":[` + one + `]}}`, 1, 0, head + `"[]"}},"files":{"a":[` + one + `]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := message.FilesOf([]byte(c.body))
			if len(files) != c.files {
				t.Fatalf("%d files", len(files))
			}
			described := make([][]byte, len(files))
			for i := range files {
				if c.gone != -1 && i != c.gone {
					described[i] = []byte(`"id":"` + strconv.Itoa(i) + `","mime_type":"image/png","sha256":"s","url":"u","size":1`)
				}
			}
			if got := string(message.ReplaceFiles([]byte(c.body), files, described)); c.want != "" && got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func FuzzFlowFiles(f *testing.F) {
	f.Add([]byte(`{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"{}"}},"files":{"a":[{"file_name":"a","blob":{}}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		files := message.FilesOf(body)
		if len(files) == 0 || !json.Valid(body) {
			return
		}
		if out := message.ReplaceFiles(body, files, make([][]byte, len(files))); !json.Valid(out) {
			t.Fatalf("%s became %s", body, out)
		}
	})
}
