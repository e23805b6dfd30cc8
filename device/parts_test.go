package device_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device"
)

var update = flag.Bool("update", false, "write the golden files anew")

// samples are the messages of a file in testdata, one JSON object a line.
func samples(t testing.TB, name string) (list []device.Message) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var head struct{ Type string }
		if err := json.Unmarshal(lines.Bytes(), &head); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		list = append(list, device.Message{Type: head.Type, Raw: []byte(lines.Text())})
	}
	if lines.Err() != nil || len(list) == 0 {
		t.Fatal("no samples", lines.Err())
	}
	return list
}

func TestPartsOfEveryType(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, name := range []string{"business.jsonl", "user.jsonl"} {
		for _, m := range samples(t, name) {
			p := m.Parts()
			b.WriteString("# " + m.Type + "\n")
			describe(&b, &p, "")
		}
	}
	path := filepath.Join("testdata", "parts.golden")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("parts changed (-update writes them):\n%s", b.String())
	}
}

func describe(b *strings.Builder, p *device.Parts, indent string) {
	say := func(format string, args ...any) { fmt.Fprintf(b, indent+format+"\n", args...) }
	say("kind %s", p.Kind)
	for _, l := range [][2]string{{"header", p.Header}, {"body", p.Body}, {"footer", p.Footer}, {"emoji", p.Emoji}, {"target", p.Target}} {
		if l[1] != "" {
			say("%s %q", l[0], l[1])
		}
	}
	if f := p.Media; f != nil {
		say("media %s %s %d bytes caption=%q filename=%q voice=%v animated=%v", f.Kind, f.MIME, f.Size, f.Caption, f.Filename, f.Voice, f.Animated)
	}
	if p.Place != nil {
		say("place %+v %s", *p.Place, p.Place.Link())
	}
	for _, c := range p.Contacts {
		say("contact %+v", c)
	}
	if p.Order != nil {
		say("order %+v", *p.Order)
	}
	for i := range p.Choices {
		c := &p.Choices[i]
		say("choice %s id=%q title=%q note=%q section=%q target=%q answers=%v", c.Kind, c.ID, c.Title, c.Note, c.Section, c.Target, c.Answers())
	}
	for i := range p.Cards {
		describe(b, &p.Cards[i], indent+"  ")
	}
}

// Whatever can be pressed below a message of a business makes a message that a user may send.
func TestEveryChoiceAnswers(t *testing.T) {
	t.Parallel()
	f := device.Filling{
		Fields: map[string]any{"guests": "8"}, Place: &device.Place{Latitude: 1, Longitude: 2},
		Items:   []device.Item{{SKU: "HAMP-S", Quantity: 1, Price: 2, Currency: "EUR"}},
		Catalog: "700220033",
	}
	now := time.Unix(1783065600, 0)
	answers := 0
	for _, m := range samples(t, "business.jsonl") {
		for _, c := range m.Choices() {
			content, err := c.Content(now, f)
			switch {
			case c.Kind == device.ChoiceContact:
				continue // needs the device
			case c.Answers() != (err == nil):
				t.Errorf("%s %q: %v", c.Kind, c.Title, err)
				continue
			case err != nil:
				continue
			}
			answers++
			if c.Kind == device.ChoiceOrder && !strings.Contains(string(content), `"catalog_id"`) {
				t.Errorf("%s: %s", c.Title, content)
			}
			r := newRig(t)
			if _, _, err := r.d.Send(business, content); err != nil {
				t.Errorf("%s %q: %s: %v", c.Kind, c.Title, content, err)
			}
		}
	}
	if answers < 15 {
		t.Errorf("only %d choices answer", answers)
	}
}

func TestUserSamplesAreAccepted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, m := range samples(t, "user.jsonl") {
		if _, _, err := r.d.Send(business, m.Raw); err != nil {
			t.Errorf("%s: %v", m.Raw, err)
		}
	}
}

func TestWrongContentIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for content, says := range map[string]string{
		`{"type":"text","text":{"body":""}}`:                                                                             "text.body",
		`{"type":"text","text":["x"]}`:                                                                                   "text is no object",
		`{"type":"text","text":{"body":"x"},"context":"wamid.1"}`:                                                        "context",
		`{"type":"text","text":{"body":"x"},"referral":7}`:                                                               "referral",
		`{"type":"image","image":{"mime_type":"image/png"}}`:                                                             "image.blob",
		`{"type":"image","image":{"blob":{}}}`:                                                                           "image.mime_type",
		`{"type":"location","location":{"latitude":"1","longitude":2}}`:                                                  "location",
		`{"type":"location","location":{"latitude":91,"longitude":2}}`:                                                   "location.latitude",
		`{"type":"location","location":{"latitude":9}}`:                                                                  "location.longitude",
		`{"type":"contacts","contacts":[]}`:                                                                              "contacts",
		`{"type":"contacts","contacts":["x"]}`:                                                                           "contacts[0]",
		`{"type":"reaction","reaction":{"emoji":"x"}}`:                                                                   "reaction.message_id",
		`{"type":"interactive","interactive":{"type":"button"}}`:                                                         "interactive.type",
		`{"type":"interactive","interactive":{"type":"list_reply"}}`:                                                     "interactive.list_reply",
		`{"type":"interactive","interactive":{"type":"list_reply","list_reply":{}}}`:                                     "interactive.list_reply.id",
		`{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","response_json":"{"}}}`:      "response_json",
		`{"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"x"}}}`: "response",
		`{"type":"button","button":{"payload":"x"}}`:                                                                     "button.text",
		`{"type":"order","order":{"catalog_id":"1","product_items":[]}}`:                                                 "order.product_items",
		`{"type":"order","order":{"catalog_id":"1","product_items":[{"quantity":1}]}}`:                                   "product_retailer_id",
		`{"type":"order","order":{"catalog_id":"1","product_items":[{"product_retailer_id":"a","quantity":0}]}}`:         "quantity",
		`{"type":"template","template":{"name":"x"}}`:                                                                    "cannot send",
		`{"type":"system","system":{"type":"user_changed_number"}}`:                                                      "cannot send",
		`{"type":"Poll","Poll":{}}`:                                                                                      "is no type",
		`{"type":"edit","edit":{"original_message_id":"wamid.1","message":{"type":"text","text":{"body":"x"}}}}`:         "no message that this user sent",
		`{"type":"edit","edit":{"original_message_id":"wamid.1","message":{"type":"text"}}}`:                             "edit.message.text",
		`{"type":"revoke","revoke":{"original_message_id":"wamid.1"}}`:                                                   "no message that this user sent",
	} {
		if _, _, err := r.d.Send(business, []byte(content)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", content, err, says)
		}
	}
}

func TestSendAPINamesTheContextAnotherWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m, _, err := r.d.Send(business, []byte(`{"type":"text","text":{"body":"x"},"context":{"message_id":"wamid.1","forwarded":true}}`))
	if err != nil || m.Context != "wamid.1" || !strings.Contains(string(m.Raw), `"context":{"id":"wamid.1","forwarded":true}`) {
		t.Errorf("%v, %s", err, m.Raw)
	}
}

func TestEditAndRevoke(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	m := r.send("Do you hav bread?")
	sent, ok := r.d.Message(m.ClientID)
	if !ok || sent.ID == "" {
		t.Fatalf("%+v", sent)
	}
	_, eff, err := r.d.Send(business, device.EditContent(sent.ID, "Do you have bread?"))
	r.do(eff, err)
	if now, _ := r.d.Message(sent.ID); now.Text() != "Do you have bread?" || !now.Edited {
		t.Errorf("after the edit %+v", now)
	}
	r.clock.advance(16 * time.Minute)
	if _, _, err := r.d.Send(business, device.EditContent(sent.ID, "x")); err == nil {
		t.Error("edited after the time for it")
	}
	_, eff, err = r.d.Send(business, device.RevokeContent(sent.ID))
	r.do(eff, err)
	if now, _ := r.d.Message(sent.ID); now.Text() != "" || !now.Revoked {
		t.Errorf("after the deletion %+v", now)
	}
	if _, _, err := r.d.Send(business, device.RevokeContent(sent.ID)); err == nil {
		t.Error("deleted twice")
	}
}

func TestPressCarriesTheContext(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	id := r.receive(`"type":"interactive","interactive":{"type":"request_contact_info","body":{"text":"?"},"action":{"name":"request_contact_info"}}`)
	content, err := r.d.Press(id, 0, device.Filling{})
	if err != nil || !strings.Contains(string(content), `"origin":"contact_request"`) || !strings.HasSuffix(string(content), `"context":{"id":"`+id+`"}}`) {
		t.Errorf("%s, %v", content, err)
	}
	if _, err := r.d.Press(id, 1, device.Filling{}); err == nil {
		t.Error("pressed what is not there")
	}
	if _, err := r.d.Press("wamid.none", 0, device.Filling{}); err == nil {
		t.Error("pressed below a message that is not there")
	}
}

func TestHistoryBytes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.o.HistoryBytes = 20_000
	r.reopen()
	r.connect()
	for range 30 {
		r.receive(`"type":"text","text":{"body":"` + strings.Repeat("x", 3000) + `"}`)
	}
	if n := len(r.d.Messages("", 0, 0)); n < 3 || n > 6 {
		t.Errorf("%d messages of 3.4 kB in 20 kB", n)
	}
}
