package message_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/message"
)

var update = flag.Bool("update", false, "rewrite what devices see in testdata/sends.txt")

const sendsFile = "testdata/sends.txt"

// send is one entry of testdata/sends.txt.
type send struct{ name, object, plain string }

// from is who can send it: address messages are for one country.
func (s send) from() *message.Sender {
	if s.name == "interactive address_message" {
		return &message.Sender{WaID: "919999999999", CallingCode: 91}
	}
	return sender
}

// full is the send as a request: the object with an envelope around it.
func (s send) full() string {
	return `{"messaging_product":"whatsapp","to":"+16505551234",` + s.object[1:]
}

func sends(tb testing.TB) (comment string, list []send) {
	tb.Helper()
	text, err := os.ReadFile(sendsFile)
	if err != nil {
		tb.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	for _, b := range blocks[1:] {
		lines := append(strings.Split(b, "\n"), "")
		list = append(list, send{lines[0], lines[1], lines[2]})
	}
	return blocks[0], list
}

// What is sent arrives: every kind of message passes the gates and becomes the content of a device's plaintext.
func TestSends(t *testing.T) {
	t.Parallel()
	comment, list := sends(t)
	var out strings.Builder
	out.WriteString(comment + "\n")
	for _, s := range list {
		o, gate, err := through(s.full(), s.from())
		if err != nil {
			t.Errorf("%s stopped at gate %d: %v", s.name, gate, wire(err))
			continue
		}
		if got := string(o.Body); got != s.plain && !*update {
			t.Errorf("%s:\n got %s\nwant %s", s.name, got, s.plain)
		}
		out.WriteString("\n" + s.name + "\n" + s.object + "\n" + string(o.Body) + "\n")
		plain(t, s.name, o)
	}
	if *update {
		if err := os.WriteFile(sendsFile, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// plain checks what holds for every accepted message: with its files described it is a plaintext that a device can read.
func plain(t *testing.T, name string, o *message.Outbound) {
	t.Helper()
	body := o.Body
	for n, a := range o.Attachments {
		var found bool
		if body, found = message.AppendFilled(nil, body, n, []byte(`"blob":{"id":"`+strings.Repeat("x", 800)+`"}`)); !found {
			t.Fatalf("%s: no place for attachment %d: %s", name, n, o.Body)
		}
		if (a.ID == "") == (a.Link == "") || a.Kind == "" || !strings.HasSuffix(a.Path, "['id']") && !strings.HasSuffix(a.Path, "['link']") {
			t.Fatalf("%s: attachment %+v", name, a)
		}
	}
	content, ok := message.Unpad(message.AppendPlaintext(nil, "wamid.A", 1, body))
	var v map[string]json.RawMessage
	if !ok || json.Unmarshal(content, &v) != nil || len(content) > message.MaxPlaintext {
		t.Fatalf("%s is no message: %d bytes, %.2000s", name, len(content), content)
	}
	if string(v["type"]) != `"`+o.Type+`"` || len(v[o.Type]) < 2 {
		t.Fatalf("%s is not of its type: %.2000s", name, content)
	}
}

func TestContextOfEveryType(t *testing.T) {
	t.Parallel()
	_, list := sends(t)
	for _, s := range list {
		body := strings.TrimSuffix(s.full(), "}") + `,"context":{"message_id":"wamid.Q"}}`
		o, _, err := through(body, s.from())
		if strings.HasPrefix(s.name, "reaction") {
			if wire(err) != "(#100) Invalid parameter | Parameter 'context' is not allowed for type 'reaction'" {
				t.Errorf("%s: %s", s.name, wire(err))
			}
		} else if err != nil || !strings.HasSuffix(string(o.Body), `,"context":{"id":"wamid.Q"}`) {
			t.Errorf("%s: %v %s", s.name, err, o.Body)
		}
	}
}
