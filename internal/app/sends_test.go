package app_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/media/mediatest"
)

// shelf has a file of every kind.
var shelf = []struct {
	kind, mime string
	endings    string // of links to it
	data       []byte
}{
	{"image", "image/png", ".png .jpg", mediatest.PNG(8, 8)},
	{"video", "video/mp4", ".mp4", mediatest.MP4()},
	{"audio", "audio/ogg", ".ogg", mediatest.Ogg(1)},
	{"document", "application/pdf", ".pdf", mediatest.PDF(200)},
	{"sticker", "image/webp", ".webp", mediatest.WebP(512, 512, false, 1000)},
}

// origin serves the shelf to whoever fetches a link.
func origin(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, f := range shelf {
			if end := path.Ext(r.URL.Path); end != "" && strings.Contains(f.endings, end) {
				w.Header().Set("Content-Type", f.mime)
				_, _ = w.Write(f.data)
				return
			}
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// Every kind of message that a business can send is shown by the user's device as it was sent, with its files, and tells
// that it was sent, delivered and read. The sends are those of the message room.
func TestEveryTypeArrives(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../message/testdata/sends.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := run(t, nil)
	s.subscribe()
	about := s.send(map[string]any{"messaging_product": "whatsapp", "to": s.start.User, "text": map[string]string{"body": "first"}})
	swap := []string{`"link":"https://bistro.example/`, `"link":"` + origin(t) + `/`}
	for _, f := range shelf {
		id := s.upload(f.mime, string(f.data))
		for _, was := range []string{"204", "205", "310", "421", "532"} {
			swap = append(swap, `"`+f.kind+`":{"id":"1846720391557`+was+`"`, `"`+f.kind+`":{"id":"`+id+`"`, `"`+f.kind+`":{"id":1846720391557`+was, `"`+f.kind+`":{"id":`+id)
		}
	}
	// Address messages are for India.
	india := decode[struct{ ID string }](t, s.control("POST", "numbers", map[string]string{"phone": "919876543210", "name": "Delhi"})).ID
	s.control("POST", "users/"+s.start.User+"/messages", map[string]any{"to": "919876543210", "type": "text", "text": map[string]string{"body": "hi"}})
	s.control("POST", "users", map[string]any{"phone": "919811112222", "name": "Asha"})
	s.control("POST", "users/919811112222/messages", map[string]any{"to": "919876543210", "type": "text", "text": map[string]string{"body": "hi"}})
	s.idle()
	party := s.party()
	swap = append(swap, sampleFlow, party)
	type sent struct{ name, id, kind, user, plain string }
	var list []sent
	for _, block := range strings.Split(strings.TrimSpace(string(file)), "\n\n")[1:] {
		lines := strings.Split(block, "\n")
		name, plain, from, to := lines[0], strings.ReplaceAll(lines[2], sampleFlow, party), s.start.Number, s.start.User
		if strings.Contains(name, "address_message") {
			from, to = india, "919811112222"
		}
		var body map[string]any
		if err := json.Unmarshal([]byte(strings.NewReplacer(swap...).Replace(lines[1])), &body); err != nil {
			t.Fatal(err)
		}
		if r, ok := body["reaction"].(map[string]any); ok {
			r["message_id"] = about
		}
		body["messaging_product"], body["to"] = "whatsapp", to
		kind, _ := body["type"].(string)
		a := s.graph("POST", from+"/messages", body)
		if a.Status != http.StatusOK {
			t.Fatalf("%s: HTTP %d %s", name, a.Status, a.Body)
		}
		list = append(list, sent{name, a.MessageID(), kind, to, plain})
	}
	s.idle()
	shown := map[string]chatLine{}
	for _, user := range []string{s.start.User, "919811112222"} {
		for _, l := range s.chat(user) {
			shown[l.ID] = l
		}
	}
	for _, m := range list {
		s.status(m.id, "sent")
		if m.kind == "reaction" {
			continue // it shows at another message, and no status follows
		}
		s.status(m.id, "delivered")
		s.status(m.id, "read")
		l := shown[m.id]
		if l.Type != m.kind {
			t.Errorf("%s is shown as %q: %s", m.name, l.Type, l.Content)
		}
		want := strings.TrimPrefix(m.plain, `"type":"`+m.kind+`","`+m.kind+`":`)
		if got, want := withoutFiles(t, string(l.Content)), withoutFiles(t, want); got != want {
			t.Errorf("%s:\n got %s\nwant %s", m.name, got, want)
		}
		for _, f := range shelf {
			if f.kind == m.kind {
				s.opens(m.user, m.id, f.kind, f.data)
			}
		}
	}
	s.failsLater()
}

// A file that is not what it is said to be, or that no device plays, is taken and fails later, without having been sent.
// Source: spec/media.md section 18, row 7; spec/errors.md sections 8 and 19.
func (s *stand) failsLater() {
	s.t.Helper()
	for kind, file := range map[string]struct {
		mime    string
		data    []byte
		details string
	}{
		"image":    {"image/jpeg", mediatest.PNG(8, 8), "Image file uploaded with mimetype as image/jpeg, however on processing it is of type image/png. Please choose a different file."},
		"video":    {"video/mp4", mediatest.Film("hvc1", "mp4a"), "Video file uploaded with mimetype as video/mp4, however on processing it is of type video/mp4, videoCodec=hevc, audioCodec=aac. Please choose a different file."},
		"audio":    {"audio/ogg", mediatest.Ogg(0), "Audio file uploaded with mimetype as audio/ogg, however on processing it is of type audio/ogg, audioCodec=unknown. Please choose a different file."},
		"document": {"image/png", mediatest.PNG(8, 8), "Document file uploaded with mimetype as image/png, however on processing it is of type image/png. Please choose a different file."},
	} {
		id := s.send(map[string]any{"messaging_product": "whatsapp", "to": s.start.User, "type": kind, kind: map[string]string{"id": s.upload(file.mime, string(file.data))}})
		s.idle()
		details := strings.ReplaceAll(file.details, "/", `\/`)
		contains(s.t, kind, s.status(id, "failed").Content, `"errors":[{"code":131053,"title":"Media upload error","message":"Media upload error","error_data":{"details":"`+details+`"}`)
		if _, ok := s.hooks.Find(id, "sent"); ok {
			s.t.Errorf("%s: a sent status precedes the failure", kind)
		}
	}
}

// opens fetches the file of a message with the user's device.
func (s *stand) opens(user, id, kind string, data []byte) {
	s.t.Helper()
	file := decode[struct {
		Kind string
		Data []byte
	}](s.t, s.control("GET", "users/"+user+"/media?message_id="+url.QueryEscape(id), nil))
	if file.Kind != kind || !bytes.Equal(file.Data, data) {
		s.t.Errorf("%s: the device has %s, %d bytes", id, file.Kind, len(file.Data))
	}
}

// withoutFiles is JSON, sorted, whose files have lost their description.
func withoutFiles(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, ok := v["blob"]; ok {
				v["blob"] = "file"
				for _, k := range []string{"id", "mime_type", "sha256", "size", "width", "height", "animated"} {
					delete(v, k)
				}
			}
			for _, e := range v {
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(v)
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
