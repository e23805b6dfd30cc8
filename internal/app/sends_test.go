package app_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"strings"
	"testing"
)

// Every kind of message that a business can send is shown by the user's device as it was sent. The sends are those of the
// message room; of those with files the ones with a picture by id go out.
func TestEveryTypeArrives(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../message/testdata/sends.txt")
	if err != nil {
		t.Fatal(err)
	}
	var pixels bytes.Buffer
	if err := png.Encode(&pixels, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	s := run(t, nil)
	s.subscribe()
	picture, about := s.upload("image/png", pixels.String()), s.send(map[string]any{
		"messaging_product": "whatsapp", "to": s.start.User, "text": map[string]string{"body": "first"},
	})
	type sent struct{ name, id, kind, plain string }
	var list []sent
	for _, block := range strings.Split(strings.TrimSpace(string(file)), "\n\n")[1:] {
		lines := strings.Split(block, "\n")
		name, object, plain := lines[0], lines[1], lines[2]
		switch {
		case strings.Contains(plain, `"blob":"#`) && !strings.Contains(object, `"image":{"id":`), strings.Contains(name, "address_message"):
			continue // other files than pictures; a message that this number's country does not have
		}
		object = strings.ReplaceAll(object, "1846720391557204", picture)
		var body map[string]any
		if err := json.Unmarshal([]byte(object), &body); err != nil {
			t.Fatal(err)
		}
		if r, ok := body["reaction"].(map[string]any); ok {
			r["message_id"] = about
		}
		body["messaging_product"], body["to"] = "whatsapp", s.start.User
		kind, _ := body["type"].(string)
		list = append(list, sent{name, s.send(body), kind, plain})
	}
	if len(list) < 22 {
		t.Fatalf("%d sends", len(list))
	}
	s.idle()
	shown := map[string]chatLine{}
	for _, l := range s.chat(s.start.User) {
		shown[l.ID] = l
	}
	for _, m := range list {
		s.status(m.id, "sent")
		if m.kind == "reaction" {
			continue // it shows at another message
		}
		s.status(m.id, "read")
		l := shown[m.id]
		if l.Type != m.kind {
			t.Errorf("%s is shown as %q: %s", m.name, l.Type, l.Content)
		}
		want := strings.TrimPrefix(m.plain, `"type":"`+m.kind+`","`+m.kind+`":`)
		if !strings.Contains(want, `"blob":"#`) && !sameJSON(t, string(l.Content), want) {
			t.Errorf("%s:\n got %s\nwant %s", m.name, l.Content, want)
		}
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	p, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	q, err := json.Marshal(y)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(p, q)
}
