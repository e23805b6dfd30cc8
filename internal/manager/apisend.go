package manager

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// reply is a call that the page made, and what the API answered.
type reply struct {
	status int
	body   []byte
	took   time.Duration
	id     wa.MessageID // empty when it was refused
}

// helloAddress is where hello_world is posted. An app that asks for a proof gets it with the call.
func (v *visit) helloAddress(s *setup) string {
	path := "/" + v.version() + "/" + string(s.from.ID) + "/messages"
	if !v.app.RequireProof {
		return path
	}
	secret, err := v.m.o.Access.AppSecret(v.app.ID)
	if err != nil {
		return path // the API says what is missing
	}
	m := hmac.New(sha256.New, []byte(secret.Reveal()))
	m.Write([]byte(s.token))
	return path + "?appsecret_proof=" + hex.EncodeToString(m.Sum(nil))
}

// hello is the body of the call.
func hello(to wa.WaID) string {
	return `{ "messaging_product": "whatsapp", "to": "` + string(to) + `", "type": "template", "template": { "name": "hello_world", "language": { "code": "en_US" } } }`
}

// curl is A4: it runs as it stands.
func (v *visit) curl(s *setup) string {
	return "curl -i -X POST '" + v.base() + v.helloAddress(s) + "' \\\n" +
		"  -H 'Authorization: Bearer " + s.token + "' \\\n" +
		"  -H 'Content-Type: application/json' \\\n" +
		"  -d '" + hello(s.to) + "'"
}

// sendCard is A4 and A5.
func (v *visit) sendCard(s *setup) html.Node {
	if s.to == "" {
		return kit.Card(kit.Head{Title: v.t("apisetup.send")}, html.P(html.Text(v.t("apisetup.nobody"))))
	}
	return kit.Card(kit.Head{Title: v.t("apisetup.send"), Sub: kit.Mono("hello_world")}, html.ID("send"),
		kit.Curl(v.lang, v.curl(s)),
		html.Form(html.Method("post"), html.Action(v.at(partConsole+"send")), kit.Swap("happened"), v.chosen(s), kit.Actions(
			kit.Btn(kit.Button{Text: v.t("apisetup.send_message"), Icon: "send", Kind: kit.Primary}),
			kit.Btn(kit.Button{Text: v.t("apisetup.next_webhook"), Icon: "webhook", Href: v.at(partWebhooks)}))))
}

// sendHello makes the call that the page shows, through the same door as everybody else.
func (v *visit) sendHello() error {
	s, err := v.readSetup()
	if err != nil {
		return err
	}
	if s.from == nil || s.to == "" || v.m.o.Graph == nil {
		return errMissing
	}
	r, err := http.NewRequestWithContext(v.r.Context(), http.MethodPost, v.base()+v.helloAddress(s), strings.NewReader(hello(s.to)))
	if err != nil {
		return err
	}
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), v.r.RemoteAddr
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	began := v.m.o.Clock.Now()
	answer := &answer{header: http.Header{}, status: http.StatusOK}
	v.m.o.Graph.ServeHTTP(answer, r)
	s.sent = &reply{status: answer.status, body: answer.body.Bytes(), took: v.m.o.Clock.Now().Sub(began)}
	var told struct {
		Messages []struct{ ID wa.MessageID }
	}
	if json.Unmarshal(s.sent.body, &told) == nil && len(told.Messages) == 1 {
		s.sent.id = told.Messages[0].ID
	}
	return v.showSetup(http.StatusOK, s)
}

// answer keeps what a handler of this server answers.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// happened is what became of what was sent.
func (v *visit) happened(s *setup) html.Node {
	id := html.ID("happened")
	if s.sent == nil {
		return kit.Card(kit.Head{Title: v.t("apisetup.happened")}, id, html.P(html.Class("sub"), html.Text(v.t("apisetup.nothing_yet"))))
	}
	tone := kit.OK
	if s.sent.status >= http.StatusBadRequest {
		tone = kit.Bad
	}
	status := kit.Tag(tone, strconv.Itoa(s.sent.status)+" "+http.StatusText(s.sent.status))
	return kit.Card(kit.Head{Title: v.t("apisetup.happened"), Sub: html.Group{status, html.Text(" "), kit.Num(s.sent.took.Milliseconds()), html.Text(" ms")}}, id,
		html.Role("status"), kit.JSON(v.lang, v.t("apisetup.answer"), s.sent.body), v.told(s.sent.id))
}

// told are the webhooks about the message so far.
func (v *visit) told(id wa.MessageID) html.Node {
	if id == "" || v.m.o.Dispatcher == nil {
		return nil
	}
	list := v.m.o.Dispatcher.About(id)
	var rows html.Group
	for i := len(list) - 1; i >= 0; i-- {
		rows = append(rows, html.Li(html.A(html.Href(v.deliveryLink(&list[i])), html.Text(eventOf(&list[i]))), html.Text(" "), v.stateOf(&list[i])))
	}
	if len(rows) == 0 {
		return html.P(html.Class("sub"), html.A(html.Href(v.at(partWebhooks)+"#deliveries"), html.Text(v.t("apisetup.see_webhooks"))))
	}
	return html.Ul(rows)
}

// eventOf says in a few words what a delivery is about: "messages · status delivered".
func eventOf(d *webhook.Delivery) string {
	var p struct {
		Entry []struct {
			Changes []struct {
				Field string `json:"field"`
				Value struct {
					Event    string `json:"event"`
					Statuses []struct {
						Status string `json:"status"`
					} `json:"statuses"`
					Messages []struct {
						Type string `json:"type"`
					} `json:"messages"`
				} `json:"value"`
			} `json:"changes"`
		} `json:"entry"`
	}
	if json.Unmarshal(bytes.TrimSpace(d.Payload), &p) != nil || len(p.Entry) == 0 || len(p.Entry[0].Changes) == 0 {
		return "–"
	}
	c := p.Entry[0].Changes[0]
	text := c.Field
	switch {
	case len(c.Value.Statuses) > 0:
		text = "status · " + c.Value.Statuses[0].Status
	case len(c.Value.Messages) > 0:
		text = "message · " + c.Value.Messages[0].Type
	case c.Value.Event != "":
		text += " · " + c.Value.Event
	}
	if d.Updates > 1 {
		text += " +" + strconv.Itoa(d.Updates-1)
	}
	return text
}
