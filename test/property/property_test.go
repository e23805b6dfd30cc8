package property_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/console"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/test/property"
)

// few checks of each kind are enough in a run of all tests; -rapid.checks asks for more.
const few = 2

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		_ = flag.Set("rapid.checks", fmt.Sprint(few)) // rapid's own flag
	}
	os.Exit(m.Run())
}

// Whatever a business may legally send is taken, arrives on the recipient's device, can be read there, and what the
// recipient answers, or sends of the same kind, comes as a webhook of the documented form. -rapid.checks=1000 draws more.
func TestWhatIsLegalArrives(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, k := range property.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { s.round(rt, &k) })
		})
	}
	if p := s.hooks.Problems(); p != nil {
		t.Error(p)
	}
}

// tb is a test, or one check of a property.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// says lets a phone write, and returns the wamid and the webhook's message.
func (s *stand) says(t tb, p *pair, content []byte) (string, *inbound) {
	t.Helper()
	sent, err := p.phone.link.Send(p.digits, content)
	if err != nil {
		t.Fatalf("the device does not send %s: %v", content, err)
	}
	var m device.Message
	if !s.until(func() bool {
		m = p.phone.own(sent.ClientID)
		return m.Status == device.Sent || m.Status == device.Failed
	}) || m.Status != device.Sent {
		t.Fatalf("%s is %s: %s", content, m.Status, m.Error)
	}
	return m.ID, &s.heard(t, p, m.ID, "").Messages[0]
}

// heard waits for the webhook of a message, or of a status of it, and checks its form.
func (s *stand) heard(t tb, p *pair, id, status string) *value {
	t.Helper()
	body := ""
	if !s.until(func() bool { body = s.bodies[id+"/"+status]; return body != "" }) {
		t.Fatalf("no webhook of %s, status %q", id, status)
	}
	v, err := s.readHook(p, body)
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

// round is one message, and what it causes.
func (s *stand) round(t *rapid.T, k *property.Kind) {
	p := &s.home
	if k.India || rapid.Bool().Draw(t, "in India") {
		p = &s.india
	}
	s.clock.Advance(6 * time.Second) // as fast as one may write to one person
	// What a message may be about: something that the person wrote within the last hours.
	s.world.Heard, _ = s.says(t, p, device.TextContent("hello"))
	s.world.Now = s.clock.Now()
	m := k.Draw(t, &s.world)
	edge, body := "messages", map[string]any{"messaging_product": "whatsapp", "type": m.Type, m.Type: m.Content}
	if k.Marketing {
		edge = "marketing_messages"
	}
	input := s.address(t, p, k, body)
	opaque, context := s.envelope(t, p, k, m.Type, body)
	a := s.call("POST", p.number+"/"+edge, s.start.Token, body)
	id := a.MessageID()
	if a.Status != http.StatusOK || !wamid.MatchString(id) {
		sent, _ := json.Marshal(body)
		t.Fatalf("HTTP %d %s\n%s", a.Status, a.Body, sent)
	}
	s.answered(t, p, a.Body, input, m.Type)
	var got device.Message
	if !s.until(func() (ok bool) { got, ok = p.phone.message(id); return ok }) {
		sent, _ := json.Marshal(body)
		t.Fatalf("the device does not get %s; failed: %s", sent, s.bodies[id+"/failed"])
	}
	if got.Type != m.Type || got.Context != context {
		t.Fatalf("%s arrives as %s, answering %q instead of %q", m.Type, got.Type, got.Context, context)
	}
	readable(t, &got, m.Words)
	s.opens(t, p, &got)
	s.statuses(t, p, &got, opaque)
	s.reacts(t, p, &got)
}

// address names the recipient in one of the ways that are allowed, and returns what the answer repeats.
func (s *stand) address(t *rapid.T, p *pair, k *property.Kind, body map[string]any) any {
	d := p.phone.digits
	ways := []string{"plus", "digits", "punctuation", "number", "both"}
	if !k.Numbered {
		ways = append(ways, "id")
	} else {
		ways = ways[:4]
	}
	if rapid.Bool().Draw(t, "with recipient_type") {
		body["recipient_type"] = "individual"
	}
	switch rapid.SampledFrom(ways).Draw(t, "recipient") {
	case "plus":
		body["to"] = "+" + d
	case "digits":
		body["to"] = d
	case "punctuation":
		body["to"] = "+" + d[:2] + " (" + d[2:5] + ") " + d[5:8] + "-" + d[8:]
	case "number":
		body["to"] = json.Number(d)
		return d
	case "both":
		body["to"], body["recipient"] = "+"+d, p.userID
	case "id":
		body["recipient"] = p.userID
		return p.userID
	}
	return body["to"]
}

// envelope adds what every message may have.
func (s *stand) envelope(t *rapid.T, p *pair, k *property.Kind, kind string, body map[string]any) (opaque, context string) {
	if rapid.Bool().Draw(t, "with callback data") {
		opaque = rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 }), 1, 512, -1).Draw(t, "callback data")
		body["biz_opaque_callback_data"] = opaque
	}
	if kind != "reaction" && !k.Marketing {
		if context = rapid.SampledFrom([]string{"", s.world.Heard, "wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA"}).Draw(t, "context"); context != "" {
			body["context"] = map[string]any{"message_id": context}
		}
	}
	if rapid.Bool().Draw(t, "with identity hash") {
		p.phone.link.Look(func(d *device.Device) { body["recipient_identity_key_hash"] = d.IdentityHash() })
	}
	if k.Marketing {
		body["product_policy"] = rapid.SampledFrom([]string{"STRICT", "CLOUD_API_FALLBACK"}).Draw(t, "policy")
		body["message_activity_sharing"] = rapid.Bool().Draw(t, "sharing")
	}
	return opaque, context
}

// answered checks the answer to a send. Source: spec/messages.md section 4.
func (s *stand) answered(t *rapid.T, p *pair, body []byte, input any, kind string) {
	var a struct {
		Product  string `json:"messaging_product"`
		Contacts []struct {
			Input  any    `json:"input"`
			WaID   string `json:"wa_id"`
			UserID string `json:"user_id"`
		}
		Messages []struct {
			Status string `json:"message_status"`
		}
	}
	if err := json.Unmarshal(body, &a); err != nil || a.Product != "whatsapp" || len(a.Contacts) != 1 || len(a.Messages) != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	want := map[bool]string{true: "accepted"}[kind == "template"]
	if c := a.Contacts[0]; c.Input != input || c.WaID != p.phone.digits || c.UserID != "" && c.UserID != p.userID || a.Messages[0].Status != want {
		t.Fatalf("%s, input %v", body, input)
	}
}

// readable checks that a person can read a message, and that it does nothing to the terminal it is read in.
func readable(t *rapid.T, m *device.Message, want []string) {
	line := console.Line(m)
	for _, r := range line {
		if unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			t.Fatalf("%q has %U", line, r)
		}
	}
	if strings.TrimSpace(line) == "" {
		t.Fatalf("nothing is to be seen of %s", m.Raw)
	}
	for _, text := range want {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if !strings.Contains(line, word) {
				t.Fatalf("%q is not in %q\n%s", word, line, m.Raw)
			}
		}
	}
	if m.Type == "reaction" && !strings.HasSuffix(line, m.Text()) {
		t.Fatalf("%q does not say %q", line, m.Text())
	}
}

// opens fetches the files of a message.
func (s *stand) opens(t *rapid.T, p *pair, m *device.Message) {
	for i, f := range m.Media() {
		kind := map[bool]string{true: "video", false: f.Kind}[f.Kind == "gif"]
		_, data, err := p.phone.link.Fetch(s.t.Context(), m.ID, i)
		if err != nil || !bytes.Equal(data, shelf[kind].data) || f.MIME != shelf[kind].mime || f.Size != int64(len(data)) {
			t.Fatalf("file %d, %+v: %d bytes, %v", i, f, len(data), err)
		}
	}
}

// statuses lets the person read the message, and play it. Source: spec/webhooks.md section 14.2.
func (s *stand) statuses(t *rapid.T, p *pair, m *device.Message, opaque string) {
	want := []string{"sent"}
	if m.Type != "reaction" {
		want = append(want, "delivered", "read")
		voice := slices.ContainsFunc(m.Media(), func(f device.Media) bool { return f.Voice })
		if err := p.phone.link.Do(func(d *device.Device) (device.Effects, error) {
			if voice {
				return d.MarkPlayed(m.ID) // which is to read it, too
			}
			return d.MarkRead(m.ID)
		}); err != nil {
			t.Fatalf("%v", err)
		}
		if voice {
			want = append(want, "played")
		}
	}
	for _, status := range want {
		u := s.heard(t, p, m.ID, status).Statuses[0]
		if u.Opaque != opaque {
			t.Fatalf("%s brings %q instead of %q", status, u.Opaque, opaque)
		}
		if priced := u.Pricing != nil; priced != (status == "sent" || status == "delivered") {
			t.Fatalf("%s: %+v", status, u.Pricing)
		}
	}
}

// reacts lets the person press something below the message, react to it, or send something like it.
func (s *stand) reacts(t *rapid.T, p *pair, m *device.Message) {
	list := m.Choices()
	var answers []int
	for i := range list {
		if list[i].Answers() {
			answers = append(answers, i)
		}
	}
	var content []byte
	switch {
	case len(answers) > 0:
		content = s.press(t, p, m, rapid.SampledFrom(answers).Draw(t, "choice"))
	case len(m.Media()) > 0 && m.Type != "interactive" && m.Type != "template":
		content = s.sameFile(t, p, m)
	case m.Type == "text" || m.Type == "location" || m.Type == "contacts":
		content, _ = json.Marshal(map[string]any{"type": m.Type, m.Type: m.Content(), "context": map[string]any{"id": m.ID}})
	case m.Type == "reaction":
		content = device.ReactionContent(s.world.Heard, rapid.SampledFrom([]string{"", m.Text()}).Draw(t, "own reaction"))
	default:
		content = device.ReactionContent(m.ID, rapid.SampledFrom([]string{"", "👍", "👨‍👩‍👧‍👦"}).Draw(t, "own reaction"))
	}
	if content == nil { // a device may open and upload so much in an hour, and no more
		content = device.ReactionContent(m.ID, "👍")
	}
	_, got := s.says(t, p, content)
	s.same(t, p, content, got)
}

// enough reports that the device did all that it may do for a while.
func enough(err error) bool {
	var refused *frame.Error
	return errors.As(err, &refused) && refused.Code == frame.ErrRate
}

// press answers with a choice.
func (s *stand) press(t *rapid.T, p *pair, m *device.Message, n int) (content []byte) {
	var err error
	c := m.Choices()[n]
	fill := device.Filling{Catalog: "700220033"}
	switch c.Kind {
	case device.ChoiceFlow:
		offer, session, err := p.phone.link.OpenFlow(s.t.Context(), m.ID, n)
		if enough(err) {
			return nil
		}
		if err != nil {
			t.Fatalf("the flow does not open: %v\n%s", err, m.Raw)
		}
		response, err := session.Fill(s.t.Context(), map[string]any{"name": rapid.StringN(1, 30, -1).Draw(t, "name")}, false)
		if enough(err) {
			return nil
		}
		if err != nil {
			t.Fatalf("the flow cannot be filled in: %v", err)
		}
		if content, err = offer.Content(response); err != nil {
			t.Fatalf("%v", err)
		}
		return content
	case device.ChoiceAddress:
		fill.Fields = map[string]any{"name": "Asha", "in_pin_code": "400063", "city": rapid.StringN(1, 30, -1).Draw(t, "city")}
	case device.ChoiceLocation:
		fill.Place = &device.Place{Latitude: 48.8589, Longitude: rapid.Float64Range(-180, 180).Draw(t, "longitude"), Name: "Gare"}
	case device.ChoiceOrder:
		_, sku, _ := strings.Cut(c.Target, " ")
		fill.Items = []device.Item{{SKU: cmp.Or(sku, "HAMP-S"), Quantity: rapid.IntRange(1, 99).Draw(t, "quantity"), Price: rapid.Float64Range(0, 1000).Draw(t, "price"), Currency: "EUR"}}
	default:
	}
	if err = p.phone.link.Do(func(d *device.Device) (eff device.Effects, err error) {
		content, err = d.Press(m.ID, n, fill)
		return eff, err
	}); err != nil {
		t.Fatalf("%q cannot be pressed: %v", c.Title, err)
	}
	return content
}

// sameFile uploads the file of a message again and sends it back.
func (s *stand) sameFile(t *rapid.T, p *pair, m *device.Message) []byte {
	f, data, err := p.phone.link.Fetch(s.t.Context(), m.ID, 0)
	if err != nil {
		t.Fatalf("%v", err)
	}
	a := device.Attachment{Media: f, Data: data, Answer: m.ID}
	relay := &device.HTTPRelay{Server: s.place.URL(), HTTP: s.place.HTTP, Token: func() (token string) {
		p.phone.link.Look(func(d *device.Device) { token = d.Token() })
		return token
	}}
	content, err := a.Upload(s.t.Context(), nil, relay)
	if enough(err) {
		return nil
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	return content
}

// same checks that a webhook says what the device sent.
func (s *stand) same(t *rapid.T, p *pair, content []byte, got *inbound) {
	var sent map[string]json.RawMessage
	var kind string
	var context struct{ ID string }
	if json.Unmarshal(content, &sent) != nil || json.Unmarshal(sent["type"], &kind) != nil || sent["context"] != nil && json.Unmarshal(sent["context"], &context) != nil {
		t.Fatalf("%s", content)
	}
	if got.Type != kind || (got.Context != nil) != (context.ID != "") {
		t.Fatalf("%s came as %+v", content, got)
	}
	if c := got.Context; c != nil {
		from := p.digits
		if context.ID == s.world.Heard {
			from = p.phone.digits
		}
		if c.ID != context.ID || c.From != from {
			t.Fatalf("%s came with %+v", content, c)
		}
	}
	var want inbound
	field := reflect.ValueOf(&want).Elem().FieldByName(strings.ToUpper(kind[:1]) + kind[1:])
	if err := json.Unmarshal(sent[kind], field.Addr().Interface()); err != nil {
		t.Fatalf("%v: %s", err, content)
	}
	mine := reflect.ValueOf(got).Elem().FieldByName(strings.ToUpper(kind[:1]) + kind[1:]).Interface()
	if f, ok := mine.(*file); ok && f != nil {
		s.file(t, kind, f, field.Interface().(*file))
		return
	}
	if i := want.Interactive; i != nil && i.Call != nil && i.Call.Permanent == nil {
		i.Call.Permanent = new(bool) // the platform writes it always
	}
	if !reflect.DeepEqual(mine, field.Interface()) {
		a, _ := json.Marshal(mine)
		t.Fatalf("%s came as %s", content, a)
	}
}

// file checks what a webhook says of a file, and that it can be downloaded.
func (s *stand) file(t *rapid.T, kind string, got, sent *file) {
	data := shelf[kind].data
	sum := sha256.Sum256(data)
	want := *sent
	want.SHA256, want.ID, want.URL = base64.StdEncoding.EncodeToString(sum[:]), got.ID, got.URL
	if !reflect.DeepEqual(*got, want) || !digits.MatchString(got.ID[:min(15, len(got.ID))]) {
		t.Fatalf("the file is %+v, want %+v", got, want)
	}
	for _, address := range []string{got.URL, decode[struct{ URL string }](s.t, s.graph("GET", got.ID, nil)).URL} {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatalf("%v", err)
		}
		req.Header.Set("Authorization", "Bearer "+s.start.Token)
		if b := s.fetch(req); !bytes.Equal(b, data) {
			t.Fatalf("%s has %d bytes", address, len(b))
		}
	}
}
