package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/test/child"
)

// TestControl walks through the table of docs/control.md.
func TestControl(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	id := s.send(child.Hello(s.start.User, ""))
	s.idle()
	for _, c := range []struct {
		call, body string
		status     int
		says       string
	}{
		{"GET users", "", 200, `"wa_id":"16505555555"`},
		{"GET users?limit=0", "", 400, "limit"},
		{"POST users", `{"phone":"+1 202 555 0107","name":"Bo","behaviour":{"read_rate":0}}`, 200, `"first":"12025550107"`},
		{"POST users", `{"prefix":"1202556","count":3}`, 200, `"last":"12025560002"`},
		{"POST users", `{}`, 400, "want phone"},
		{"POST users", `{"phone":"12025550108","behavior":{}}`, 400, "behavior"},
		{"POST users", `{"phone":"12025550108","behaviour":{"read_rate":2}}`, 400, "read_rate"},
		{"POST users", `{"phone":"15550783881"}`, 400, "business number"},
		{"POST users", `{"prefix":"1","count":100001}`, 400, "count"},
		{"POST users", `[`, 400, "body"},
		{"POST users", "", 400, "empty"},
		{"POST users", `{"phone":"12025550108"}{}`, 400, "more follows"},
		{"POST users", `{"phone":"` + strings.Repeat("1", 1<<20) + `"}`, 413, "1048576 bytes"},
		{"GET users/12025550107/messages", "", 200, `{"data":[]}`},
		{"GET users/19999999999/messages", "", 404, "no such"},
		{"POST users/12025550107/messages", `{"type":"text","text":{"body":"hi"}}`, 200, `"id":"wamid.`},
		{"POST users/12025550107/actions", `{"do":"offline"}`, 200, `"success":true`},
		{"POST users/12025550107/messages", `{"type":"text","text":{"body":"later"}}`, 200, `"status":"pending"`},
		{"POST users/12025550107/actions", `{"do":"online"}`, 200, `"success":true`},
		{"POST users/12025550107/messages", `{"type":"text"}`, 400, ""},
		{"POST users/12025550107/messages", `{"to":"x","type":"text","text":{"body":"hi"}}`, 400, "to"},
		{"POST users/12025550107/actions", `{"do":"block"}`, 200, `"success":true`},
		{"POST users/12025550107/actions", `{"do":"dance"}`, 400, "no such action"},
		{"POST users/12025550107/actions", `{"do":"new_device"}`, 200, `"success":true`},
		{"GET clock", "", 200, `"scale":0`},
		{"POST clock", `{"advance":"soon"}`, 400, "duration"},
		{"POST clock", `{"advance":"-1h"}`, 400, "does not go back"},
		{"POST clock", `{"scale":-1}`, 400, "scale"},
		{"POST clock", `{"advance":"1h"}`, 200, `"now":"2026-11-22T13:00:00Z"`},
		{"POST idle", "", 200, `"idle":true`},
		{"POST idle", `{"timeout":"never"}`, 400, "timeout"},
		{"GET codes?phone=12025550109", "", 200, `{"data":[]}`},
		{"GET codes?phone=x", "", 400, "phone"},
		{"GET webhooks?message_id=" + strings.ReplaceAll(id, "+", "%2B"), "", 200, `"outcome":`},
		{"GET webhooks?limit=x", "", 400, "limit"},
		{"POST webhooks/unknown/redeliver", "", 404, ""},
		{"POST webhooks/test", `{"field":"flows"}`, 200, `"outcome":"ok"`},
		{"POST webhooks/test", `{"field":"business_status_update"}`, 400, "no documented payload"},
		{"POST webhooks/test", `{"field":"weather"}`, 400, "no such field"},
		{"POST webhooks/test", `{"field":"flows","app_id":"1"}`, 400, "no callback"},
		{"POST webhooks", `{"field":"account_review_update","value":{"decision":"APPROVED"}}`, 200, `"success":true`},
		{"POST webhooks", `{"field":"user_preferences","value":{"user_preferences":[]}}`, 200, `"success":true`},
		{"POST webhooks", `{"field":"weather","value":{}}`, 400, "field"},
		{"POST webhooks", `{"field":"flows","value":[]}`, 400, "value"},
		{"POST webhooks", `{"field":"flows","waba_id":"1","value":{}}`, 404, "account"},
		{"POST webhooks", `{"field":"flows","number_id":"1","value":{}}`, 404, "number"},
		{"GET numbers", "", 200, `"id":"106540352242922"`},
		{"POST numbers", `{"phone":"15550783885","name":"Two"}`, 200, `"wa_id":"15550783885"`},
		{"POST numbers", `{"phone":"15550783885"}`, 400, ""},
		{"POST numbers/106540352242922/throughput", `{"level":"HIGH"}`, 200, `"mps":1000`},
		{"POST numbers/106540352242922/throughput", `{"level":"LUDICROUS"}`, 400, "level"},
		{"POST numbers/1/throughput", `{}`, 404, ""},
		{"POST numbers/106540352242922/name", `{"decision":"APPROVED"}`, 200, `"name_status":"APPROVED"`},
		{"POST numbers/106540352242922/name", `{"decision":"APPROVED"}`, 400, ""},
		{"POST numbers/106540352242922/name", `{"decision":"REJECTED","reason":"UGLY"}`, 400, "NAME_EMPLOYEE_ISSUE"},
		{"POST numbers/106540352242922/official", `{"decision":"APPROVED"}`, 200, `"oba_status":"APPROVED"`},
		{"POST numbers/1/official", `{"decision":"APPROVED"}`, 404, ""},
		{"POST numbers/106540352242922/two_step", "", 200, `"registered":true`},
		{"POST numbers/106540352242922/phone_app", `{}`, 400, "used"},
		{"POST numbers/106540352242922/phone_app", `{"used":true}`, 200, `"mps":20`},
		{"POST numbers/106540352242922/phone_app", `{"used":false}`, 200, `"mps":1000`},
		{"POST numbers/1/phone_app", `{"used":true}`, 404, ""},
		{"POST numbers/106540352242922/shards", `{"shards":2}`, 400, "registered"},
		{"POST wabas/" + s.start.WABA + "/review", `{"decision":"REJECTED"}`, 200, `"account_review_status":"REJECTED"`},
		{"POST wabas/" + s.start.WABA + "/standing", `{"standing":"LOCKED"}`, 200, `"locked":true`},
		{"POST wabas/" + s.start.WABA + "/standing", `{"standing":"ACTIVE"}`, 200, `"locked":false`},
		{"POST wabas/1/standing", `{"standing":"ACTIVE"}`, 404, ""},
		{"POST portfolios/" + s.start.Business + "/location", `{"country":"XX"}`, 400, "country"},
		{"POST portfolios/" + s.start.Business + "/location", `{"country":"SG"}`, 200, `"country":"SG"`},
		{"POST portfolios/1/location", `{"country":"SG"}`, 404, ""},
		{"POST portfolios/" + s.start.Business + "/international", `{}`, 400, "start"},
		{"POST portfolios/" + s.start.Business + "/international", `{"start":"2026-12-01T00:00:00Z","exceptions":{"XX":"2026-12-01T00:00:00Z"}}`, 400, "XX"},
		{"POST portfolios/" + s.start.Business + "/international", `{"start":"2026-12-01T00:00:00Z"}`, 200, `"start_time":1796083200`},
		{"POST portfolios/1/international", `{"start":"2026-12-01T00:00:00Z"}`, 404, ""},
		{"GET wabas/" + s.start.WABA + "/ledger", "", 200, `{"data":[]}`},
		{"GET wabas/" + s.start.WABA + "/invoice?month=soon", "", 400, "month"},
		{"GET wabas/1/ledger", "", 404, "account"},
		{"GET enforcement", "", 200, `{"mode":"observe"}`},
		{"POST enforcement", `{"mode":"enforce"}`, 200, `{"mode":"enforce"}`},
		{"POST enforcement", `{"mode":"harsh"}`, 400, "observe"},
		{"POST wabas/" + s.start.WABA + "/appeal", "", 400, "Nothing is in force"},
		{"POST wabas/" + s.start.WABA + "/enforcement", `{"step":1,"violation":"SCAM"}`, 200, `"templates":true`},
		{"POST wabas/" + s.start.WABA + "/enforcement", `{"step":8}`, 400, "step"},
		{"POST wabas/" + s.start.WABA + "/enforcement", `{"step":1,"violation":"a b"}`, 400, "violation"},
		{"POST wabas/" + s.start.WABA + "/appeal", "", 200, `"appeal":"PENDING"`},
		{"POST wabas/" + s.start.WABA + "/appeal", `{"decision":"maybe"}`, 400, "APPROVED"},
		{"POST wabas/" + s.start.WABA + "/appeal", `{"decision":"APPROVED"}`, 200, `"sanction":null`},
		{"DELETE wabas/" + s.start.WABA + "/enforcement", "", 200, `"sanction":null`},
		{"GET wabas/1/enforcement", "", 404, "account"},
		{"POST numbers/106540352242922/enforcement", `{"step":7}`, 200, `"status":"BANNED"`},
		{"DELETE numbers/106540352242922/enforcement", "", 200, `"status":"CONNECTED"`},
		{"POST quality/106540352242922", `{"nudge":-1}`, 200, `"rating":"YELLOW"`},
		{"POST quality/106540352242922", `{"nudge":1,"for":"6h"}`, 200, `"until":1795374000000`},
		{"POST quality/106540352242922", `{"nudge":-1}`, 200, `"until":1795374000000`},
		{"POST quality/106540352242922", `{"rating":"GREEN"}`, 200, `"until":0`},
		{"POST quality/106540352242922", `{"rating":""}`, 200, `"override":""`},
		{"POST portfolios/" + s.start.Business + "/limit", `{"nudge":9}`, 200, `"tier":"TIER_UNLIMITED"`},
		{"POST portfolios/" + s.start.Business + "/limit", `{"nudge":-4}`, 200, `"tier":"TIER_250"`},
		{"POST portfolios/" + s.start.Business + "/limit", `{"tier":"TIER_250","users":3}`, 200, `"limit":3`},
		{"POST portfolios/" + s.start.Business, `{"verification":"verified"}`, 200, `"max_phone_numbers":20,"messaging_limit":"TIER_250"`},
		{"POST portfolios/" + s.start.Business, `{"verification":"maybe"}`, 400, "not_verified"},
		{"POST portfolios/" + s.start.Business, `{"credit_line":"Bistro GmbH"}`, 200, `"credit_line_id":"`},
		{"POST portfolios/" + s.start.Business, `{}`, 400, "credit_line"},
		{"POST portfolios/1", `{"credit_line":"Bistro GmbH"}`, 404, "portfolio"},
		{"POST wabas/" + s.start.WABA + "/payment", `{"attached":true,"problem":true}`, 200, `"payment_problem":true`},
		{"POST wabas/" + s.start.WABA + "/payment", `{"attached":false,"problem":false}`, 200, `"primary_funding_id":""`},
		{"POST wabas/" + s.start.WABA + "/payment", `{}`, 400, "attached"},
		{"POST wabas/1/payment", `{"attached":true}`, 404, ""},
		{"POST people", `{"name":"Kei","email":"kei@aozora.example","password":"short"}`, 400, "10 to 256"},
		{"POST people", `{"name":"Mio","email":"mio@aozora.example","password":"long enough"}`, 200, `"name":"Mio"`},
		{"POST apps/" + s.start.App, `{"redirect_uris":["https://a.example/cb"]}`, 200, `"https://a.example/cb"`},
		{"POST faults", `{}`, 501, "docs/control.md"},
		{"GET evaluate", "", 405, "use POST"},
		{"PUT clock", "", 405, "use GET or POST"},
		{"GET templates/1/quality", "", 405, "use POST"},
		{"GET templates?status=approved", "", 200, `"name":"hello_world"`},
		{"POST templates/1/review", `{}`, 400, "decision"},
		{"POST templates/1/review", `{"decision":"reject","reason":"TASTE"}`, 400, "reason"},
		{"POST templates/1/review", `{"decision":"approve"}`, 404, "template"},
		{"POST templates/1/appeal", ``, 404, "template"},
		{"POST templates/1/quality", `{"score":"BLUE"}`, 400, "score"},
		{"POST templates/1/category", `{"category":"X"}`, 400, "category"},
	} {
		method, path, _ := strings.Cut(c.call, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, s.app.ControlURL()+"/control/v1/"+path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.place.HTTP.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != c.status || !strings.Contains(string(b), c.says) || !json.Valid(b) {
			t.Errorf("%s %s: HTTP %d %s (%v), want %d and %q", c.call, c.body, res.StatusCode, b, err, c.status, c.says)
		}
	}
	var hooks struct{ Data []struct{ ID string } }
	if err := json.Unmarshal(s.control("GET", "webhooks", nil), &hooks); err != nil || len(hooks.Data) == 0 {
		t.Fatalf("%+v, %v", hooks, err)
	}
	s.hooks.take()
	s.control("POST", "webhooks/"+hooks.Data[0].ID+"/redeliver", nil)
	if got := s.hooks.take(); len(got) != 1 {
		t.Errorf("redelivered %d webhooks", len(got))
	}
}

// phone is a device outside the platform.
type phone struct {
	link   *device.Link
	events chan device.Event
}

// register makes a device for a number with the code that the inbox caught, and connects it.
func (s *stand) register(number string) *phone {
	t := s.t
	t.Helper()
	r := device.Registrar{Server: s.app.PublicURL(), HTTP: s.place.HTTP}
	code, err := r.RequestCode(t.Context(), "+"+number, "sms", "en")
	if err != nil {
		t.Fatal(err)
	}
	caught := decode[struct{ Data []struct{ Code string } }](t, s.control("GET", "codes?phone="+number, nil)).Data
	if len(caught) == 0 || len(caught[0].Code) != 6 {
		t.Fatalf("codes caught: %+v", caught)
	}
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, caught[0].Code)
	g := device.Registration{CodeID: code.CodeID, Code: wrong, Profile: "Dee", Device: "test", Platform: frame.PlatformOther}
	if _, err := r.Register(t.Context(), g, device.Options{Clock: clock.System()}); err == nil {
		t.Fatal("a wrong code was good enough")
	}
	store, err := device.OpenFile(filepath.Join(t.TempDir(), "device"))
	if err != nil {
		t.Fatal(err)
	}
	g.Code = caught[0].Code
	d, err := r.Register(t.Context(), g, device.Options{Clock: clock.System(), Store: store})
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{events: make(chan device.Event, 256)}
	p.link, err = device.NewLink(d, device.LinkOptions{
		Server: s.app.PublicURL(), Clock: clock.System(), Events: func(e device.Event) { p.events <- e },
	})
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.link.Run(run) }()
	t.Cleanup(func() {
		stop()
		<-done
		store.Close()
	})
	return p
}

// await returns the next event that ok takes.
func (p *phone) await(t *testing.T, what string, ok func(device.Event) bool) device.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	for {
		select {
		case e := <-p.events:
			if ok(e) {
				return e
			}
		case <-ctx.Done():
			t.Fatalf("no %s", what)
		}
	}
}

func TestRealDevice(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.Seed = 0 })
	s.subscribe()
	p := s.register("12025550177")
	m, err := p.link.Send(s.start.Phone, []byte(`{"type":"text","text":{"body":"Good morning"}}`))
	if err != nil {
		t.Fatal(err)
	}
	own := p.await(t, "sent", func(e device.Event) bool {
		return e.Kind == device.EventChanged && e.Message.ClientID == m.ClientID && e.Message.Status == device.Sent
	}).Message
	id := s.send(child.Text("12025550177", "Good morning, Dee"))
	got := p.await(t, "message", func(e device.Event) bool { return e.Kind == device.EventMessage && e.Message.Direction == device.In }).Message
	if got.ID != id || got.Text() != "Good morning, Dee" {
		t.Errorf("the phone shows %+v", got)
	}
	var digits string
	p.link.Look(func(d *device.Device) { digits, err = d.SafetyNumber(s.start.Phone) })
	a, failed := s.place.Do(t.Context(), "GET", "/safety_number?user=12025550177", nil)
	if err != nil || failed != nil || len(digits) != 60 || !strings.Contains(strings.ReplaceAll(string(a.Body), " ", ""), `"`+digits+`"`) {
		t.Errorf("the phone shows the safety number %q (%v), the operator port %s (%v)", digits, err, a.Body, failed)
	}
	if err := p.link.Do(func(d *device.Device) (device.Effects, error) { return d.MarkRead(id) }); err != nil {
		t.Fatal(err)
	}
	s.idle()
	for s.clock != nil { // a receipt travels on its own
		if _, ok := s.hooks.Find(id, "read"); ok {
			break
		}
		if err := clock.System().Sleep(t.Context(), 5*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	for _, status := range []string{"sent", "delivered", "read"} {
		s.status(id, status)
	}
	u := s.status(own.ID, "")
	if u.Text != "Good morning" || u.User != "12025550177" {
		t.Errorf("the webhook says %+v", u)
	}
	contains(t, "the webhook", u.Content, `"profile":{"name":"Dee"}`)
}
