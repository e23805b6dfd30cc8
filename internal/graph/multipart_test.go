package graph_test

import (
	"bytes"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"
)

// part is a field, or a file when it has a file name.
type part struct{ name, file, typ, data string }

func multi(t *testing.T, parts ...part) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		disposition := `form-data; name="` + p.name + `"`
		if p.file != "" {
			disposition += `; filename="` + p.file + `"`
		}
		h.Set("Content-Disposition", disposition)
		if p.typ != "" {
			h.Set("Content-Type", p.typ)
		}
		pw, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pw.Write([]byte(p.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), "Content-Type: " + w.FormDataContentType()
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	product := part{name: "messaging_product", data: "whatsapp"}
	file := part{name: "file", file: "a.png", typ: "image/png", data: "\x89PNG\x00\xff"}
	for _, tc := range []struct {
		name, query string
		parts       []part
		status      int
		want        string
	}{
		{"file last", "", []part{product, file}, 200, `{"id":"6","type":"image/png","name":"a.png"}`},
		{"file first", "", []part{file, product, {name: "type", data: "image/x"}}, 200, `{"id":"6","type":"image/x","name":"a.png"}`},
		{"field behind the file beats the query", "?type=q&messaging_product=x", []part{file, {name: "type", data: "image/x"}}, 200, `{"id":"6","type":"image/x","name":"a.png"}`},
		{"field before the file beats the query", "?type=q", []part{product, {name: "type", data: "image/x"}, file}, 200, `{"id":"6","type":"image/x","name":"a.png"}`},
		{"query alone", "?type=q&messaging_product=x", []part{file}, 200, `{"id":"6","type":"q","name":"a.png"}`},
		{"parameter missing", "", []part{file}, 400, bad100("The parameter messaging_product is required.")},
		{"file missing", "", []part{product}, 400, bad100("The parameter file is required.")},
		{"file as field", "", []part{product, {name: "file", data: "x"}}, 400, bad100("Param file must be a file.")},
		{"two files", "", []part{file, {name: "g", file: "b", data: "x"}, product}, 400, bad100("A request must not have more than one file")},
		{"too large", "", []part{product, {name: "file", file: "b", data: strings.Repeat("x", 5000)}}, 413, bad100("Request body is larger than 4096 bytes")},
		{"bad text behind the file", "", []part{file, {name: "type", data: "\xff"}}, 400, bad100("Param type must be valid UTF-8.")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			body, ct := multi(t, tc.parts...)
			w := r.do("POST /v23.0/301/media"+tc.query, body, ct)
			if w.Code != tc.status || w.Body.String() != tc.want {
				t.Errorf("got %d %s\nwant %d %s", w.Code, w.Body, tc.status, tc.want)
			}
			if tc.status == 200 && string(r.media) != file.data {
				t.Errorf("file came as %q", r.media)
			}
		})
	}
}

func TestMultipartMalformed(t *testing.T) {
	t.Parallel()
	body, ct := multi(t, part{name: "messaging_product", data: "whatsapp"}, part{name: "file", file: "a", data: "0123456789"})
	r := newRig(t, nil)
	for name, w := range map[string]int{
		"cut in the file":     r.do("POST /v23.0/301/media", body[:len(body)-70], ct).Code,
		"cut in the headers":  r.do("POST /v23.0/301/media", body[:80], ct).Code,
		"no boundary":         r.do("POST /v23.0/301/media", body, "Content-Type: multipart/form-data").Code,
		"no multipart at all": r.do("POST /v23.0/301/media", `{}`, ct).Code,
	} {
		if w != 400 {
			t.Errorf("%s: %d", name, w)
		}
	}
}
