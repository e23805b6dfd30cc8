package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const hello = `{"messaging_product":"whatsapp","to":"+16505555555","text":{"body":"hi"}}`

func templateSend(template string) string {
	return `{"messaging_product":"whatsapp","to":"+16505555555","type":"template","template":` + template + `}`
}

// Source: spec/errors.md section 21, the rows whose parts exist.
func TestSendErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.issue("short", access.TokenSpec{Type: access.SystemUserToken, App: appA, Actor: adminA, Scopes: all, Life: time.Second})
	w.clock.Advance(time.Minute)
	w.token("S", appA, adminA, scopeS)
	w.token("M", appA, adminA, scopeM)
	w.token("nothing", appA, adminA)
	if _, err := w.business.UpdateNumber(t.Context(), numShared, func(n *business.Number) error {
		n.MaintenanceUntil = w.clock.Now().Add(30 * time.Second)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	expired := w.call("short", "POST /v23.0/"+numLive+"/messages", hello)
	if expired.status != 401 || !strings.Contains(expired.body, `"message":"Error validating access token: Session has expired on Sunday, 22-Nov-26 `) ||
		!strings.Contains(expired.body, `"code":190,"error_subcode":463`) {
		t.Errorf("E2: %d %s", expired.status, expired.body)
	}
	long := strings.Repeat("x", 4097)
	twice := `{"name":"order_ready","language":{"code":"en_US"},"components":[{"type":"body","parameters":[{"type":"text","text":"Ana"}]}]}`
	for _, c := range []struct {
		name, token, id, body string
		status                int
		want                  string
	}{
		{"E1 no token", "", numLive, hello, 400, graphError("An access token is required to request this resource.", `"code":104`)},
		{"garbage token", "garbage", numLive, hello, 401, graphError("Malformed access token not-a-token", `"code":190`)},
		{"E3 number of another tenant", "admin", numB, hello, 400, missing("post", numB)},
		{"E3 absent number", "admin", "999999999999999", hello, 400, missing("post", "999999999999999")},
		{"E3 before the body", "admin", numB, "{", 400, missing("post", numB)},
		{"without any scope the number does not exist", "nothing", numLive, hello, 400, missing("post", numLive)},
		{"scope before the body", "M", numLive, "{", 403, graphError("(#200) Requires whatsapp_business_messaging permission to manage the object", `"code":200`)},
		{"app tokens see no numbers", "app", numLive, hello, 400, missing("post", numLive)},
		{"body is no JSON", "S", numLive, "{", 400, graphError("(#100) Invalid JSON in request body", `"code":100`)},
		{"E4 no messaging_product", "S", numLive, `{"to":"1"}`, 400, graphError("(#100) The parameter messaging_product is required.", `"code":100`)},
		{"parameters before the state of the number", "S", numGone, `{"to":"1"}`, 400, graphError("(#100) The parameter messaging_product is required.", `"code":100`)},
		{"deleted number", "S", numGone, hello, 400, cloudError("(#33) Parameter value is not valid", "33", "The business phone number has been deleted.")},
		{"E14 unregistered number", "S", numPending, hello, 400, cloudError("(#133010) Account not registered", "133010", "Account not registered")},
		{"display name of a 555 number", "S", numUnnamed, hello, 400, cloudError("(#131037) WhatsApp provided number needs display name approval before message can be sent.", "131037", "WhatsApp provided number needs display name approval before message can be sent.")},
		{"E17 upgrade", "partner", numShared, hello, 500, cloudError("(#131057) Account in maintenance mode", "131057", "Business Account is in maintenance mode")},
		{"state of the number before the content", "S", numPending, `{"messaging_product":"whatsapp","to":"1","text":{"body":""}}`, 400, cloudError("(#133010) Account not registered", "133010", "Account not registered")},
		{"E5 text of 4,097 characters", "S", numLive, `{"messaging_product":"whatsapp","to":"16505555555","text":{"body":"` + long + `"}}`, 400, graphError("(#100) Param text['body'] must be at most 4096 characters long.", `"code":100`)},
		{"empty text", "S", numLive, `{"messaging_product":"whatsapp","to":"16505555555","text":{"body":""}}`, 400, cloudError("(#131008) Required parameter is missing", "131008", "Parameter 'body' is mandatory for type 'text'")},
		{"type that is not built", "S", numLive, `{"messaging_product":"whatsapp","to":"16505555555","type":"image","image":{"id":"1"}}`, 400, cloudError("(#131051) Unsupported message type", "131051", "Message type is not currently supported.")},
		{"content before the recipient", "S", numLive, `{"messaging_product":"whatsapp","to":"x","text":{"body":""}}`, 400, cloudError("(#131008) Required parameter is missing", "131008", "Parameter 'body' is mandatory for type 'text'")},
		{"malformed recipient", "S", numLive, `{"messaging_product":"whatsapp","to":"x","text":{"body":"a"}}`, 400, cloudError("(#131009) Parameter value is not valid", "131009", "The phone number is malformed: only digits, +, -, (, ) and spaces are allowed.")},
		{"E13 own number", "S", numLive, `{"messaging_product":"whatsapp","to":"+81 50-5555-0142","text":{"body":"a"}}`, 400, cloudError("(#131021) Recipient cannot be sender", "131021", "Message failed to send because the sender and recipient phone number is the same.")},
		{"E12 test number to unlisted user", "S", numTest, `{"messaging_product":"whatsapp","to":"+16505550000","text":{"body":"a"}}`, 400, cloudError("(#131030) Recipient phone number not in allowed list", "131030", "Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again.")},
		{"recipient before the template", "S", numTest, `{"messaging_product":"whatsapp","to":"+16505550000","type":"template","template":{"name":"none","language":{"code":"en"}}}`, 400, cloudError("(#131030) Recipient phone number not in allowed list", "131030", "Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again.")},
		{"template object before the state of the number", "S", numPending, templateSend(`{"name":"x"}`), 400, graphError("(#100) The parameter template['language'] is required.", `"code":100`)},
		{"E8 one of two parameters", "S", numLive, templateSend(twice), 400, cloudError("(#132000) Number of parameters does not match the expected number of params", "132000", "body: number of localizable_params (1) does not match the expected number of params (2)")},
		{"E9 template in absent language", "S", numLive, templateSend(`{"name":"order_ready","language":{"code":"en"}}`), 404, cloudError("(#132001) Template name does not exist in the translation", "132001", "template name (order_ready) does not exist in en")},
		{"template of another account", "S", numLive, templateSend(`{"name":"t_` + tplB + `","language":{"code":"en_US"}}`), 404, cloudError("(#132001) Template name does not exist in the translation", "132001", "template name (t_"+tplB+") does not exist in en_US")},
		{"E10 image header without image", "S", numLive, templateSend(`{"name":"with_image","language":{"code":"en_US"}}`), 400, cloudError("(#132012) Parameter format does not match format in the created template", "132012", "header: Format mismatch, expected IMAGE, received UNKNOWN")},
		{"unknown edge of a number", "S", numLive + "/media", "", 400, missing("post", numLive)},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := "POST /v23.0/" + c.id
			if !strings.Contains(c.id, "/") {
				path += "/messages"
			}
			r := w.call(c.token, path, c.body)
			r.want(t, c.status, c.want)
			if r.status <= 403 && !strings.HasPrefix(r.header.Get("WWW-Authenticate"), `OAuth "Facebook Platform" "`) {
				t.Errorf("WWW-Authenticate: %q", r.header.Get("WWW-Authenticate"))
			}
		})
	}
	if n := len(w.lane.accepted); n != 0 {
		t.Errorf("%d messages were accepted", n)
	}
	if r := w.call("S", "POST /v23.0/"+numLive+"/messages", templateSend(`{"name":"slow","language":{"code":"ja"}}`)); !strings.Contains(r.body, `"code":132015`) {
		t.Errorf("paused template: %s", r.body)
	}
}

// What holds for a whole account, in the order of the gates.
func TestAccountState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	promo := templateSend(`{"name":"promo","language":{"code":"en_US"}}`)
	for _, c := range []struct {
		name   string
		change func(*business.WABA)
		status int
		want   string
	}{
		{"marketing elsewhere", func(a *business.WABA) { a.MarketingDisabled = true }, 400, `"code":131063`},
		{"restricted", func(a *business.WABA) { a.Restricted = true }, 403, `"code":368`},
		{"locked", func(a *business.WABA) { a.Locked = true }, 403, `"code":131031`},
	} {
		if _, err := w.business.UpdateWABA(t.Context(), wabaA, func(a *business.WABA) error { c.change(a); return nil }); err != nil {
			t.Fatal(err)
		}
		if r := w.call("admin", "POST /v23.0/"+numLive+"/messages", promo); r.status != c.status || !strings.Contains(r.body, c.want) {
			t.Errorf("%s: %d %s", c.name, r.status, r.body)
		}
	}
	if r := w.call("admin", "GET /v23.0/"+numLive+"?fields=health_status", ""); !strings.Contains(r.body, `{"entity_type":"PHONE_NUMBER","id":"`+numLive+`","can_send_message":"AVAILABLE"},{"entity_type":"WABA","id":"`+wabaA+`","can_send_message":"BLOCKED","errors":[{"error_code":141014,`) {
		t.Errorf("health: %s", r.body)
	}
}

// Existence must not leak: an absent and a foreign number are answered with the same bytes but for the id.
func TestForeignLooksAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, line := range []string{"GET /v23.0/ID", "POST /v23.0/ID/messages", "DELETE /v23.0/ID", "GET /v23.0/ID/phone_numbers", "POST /ID/register", "GET /v23.0/ID?fields=nope"} {
		absent := w.call("admin", strings.ReplaceAll(line, "ID", "999999999999999"), "")
		for _, id := range []string{numB, wabaB, birch, appB, adminB, tplB, numShared, wabaShared} {
			foreign := w.call("admin", strings.ReplaceAll(line, "ID", id), "")
			if got := strings.ReplaceAll(foreign.body, id, "999999999999999"); foreign.status != absent.status || got != absent.body {
				t.Errorf("%s of %s:\n%s\n%s", line, id, foreign.body, absent.body)
			}
			foreign.header.Del("Date")
			for k := range absent.header {
				if k != "Date" && strings.ReplaceAll(foreign.header.Get(k), id, "999999999999999") != absent.header.Get(k) {
					t.Errorf("%s of %s: header %s is %q", line, id, k, foreign.header.Get(k))
				}
			}
		}
	}
}

// R5: the example of the platform overview works as printed. R40: its version is long expired and served all the same.
func TestOverviewExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := w.call("admin", "POST /v17.0/106540352242922/messages", `{
  "messaging_product": "whatsapp",
  "recipient_type": "individual",
  "to": "+16505555555",
  "type": "text",
  "text": {
    "preview_url": true,
    "body": "Here's the info you requested! https://www.meta.com/quest/quest-3/"
  }
}`)
	r.want(t, 200, `{"messaging_product":"whatsapp","contacts":[{"input":"+16505555555","wa_id":"16505555555"}],"messages":[{"id":"wamid.TEST1"}]}`)
	if v := r.header.Get("Facebook-Api-Version"); v != "v21.0" {
		t.Errorf("served as %s", v)
	}
	m := w.lane.last()
	if m.Number != numLive || m.To != "16505555555" || m.Type != "text" || m.PreviewURL != "https://www.meta.com/quest/quest-3/" ||
		m.Category != "service" || m.Life != 30*24*time.Hour ||
		string(m.Body) != `"type":"text","text":{"body":"Here's the info you requested! https://www.meta.com/quest/quest-3/","preview_url":true}` {
		t.Errorf("accepted %+v\n%s", m, m.Body)
	}
}

func TestSendForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ok := func(input, user, more string) string {
		return `{"messaging_product":"whatsapp","contacts":[{"input":"` + input + `","wa_id":"` + user + `"}],"messages":[{"id":"wamid.TEST1"` + more + `}]}`
	}
	order := `{"name":"order_ready","language":{"code":"en_US"},"components":[{"type":"body","parameters":[{"type":"text","text":"Ana"},{"type":"text","text":"17"}]},{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"later-17"}]}]}`
	for _, c := range []struct {
		name, path, body, kind, want string
		content                      string
	}{
		{"without version", "/" + numLive + "/messages", hello, "", ok("+16505555555", "16505555555", ""), `"type":"text","text":{"body":"hi"}`},
		{"trailing slash", "/v23.0/" + numLive + "/messages/", hello, "", ok("+16505555555", "16505555555", ""), `"type":"text","text":{"body":"hi"}`},
		{"form", "/v23.0/" + numLive + "/messages", `messaging_product=whatsapp&to=16505555555&text=%7B%22body%22%3A%22hi%22%7D`, "application/x-www-form-urlencoded", ok("16505555555", "16505555555", ""), `"type":"text","text":{"body":"hi"}`},
		{"to as a number", "/v23.0/" + numLive + "/messages", `{"messaging_product":"whatsapp","to":16505555555,"type":"text","text":{"body":"hi"}}`, "", ok("16505555555", "16505555555", ""), `"type":"text","text":{"body":"hi"}`},
		{"test number to listed user", "/v23.0/" + numTest + "/messages", hello, "", ok("+16505555555", "16505555555", ""), `"type":"text","text":{"body":"hi"}`},
		{"template", "/v23.0/" + numLive + "/messages", templateSend(order), "", ok("+16505555555", "16505555555", `,"message_status":"accepted"`), `"type":"template","template":{"body":{"text":"Hello Ana, order 17 is ready."},"buttons":[{"type":"quick_reply","text":"Later","payload":"later-17"}]}`},
		{"hello_world", "/v23.0/" + numLive + "/messages", templateSend(`{"name":"hello_world","language":{"code":"en_US"}}`), "", ok("+16505555555", "16505555555", `,"message_status":"accepted"`), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.lane.accepted = nil
			var headers []string
			if c.kind != "" {
				headers = []string{"Content-Type: " + c.kind}
			}
			w.call("admin", "POST "+c.path, c.body, headers...).want(t, 200, c.want)
			if m := w.lane.last(); c.content != "" && string(m.Body) != c.content {
				t.Errorf("content %s", m.Body)
			}
		})
	}
	extras := `{"messaging_product":"whatsapp","to":"+16505555555","text":{"body":"hi"},"biz_opaque_callback_data":"o-1","recipient_identity_key_hash":"h=","context":{"message_id":"wamid.X"}}`
	w.call("clerk", "POST /v23.0/"+numLive+"/messages", extras)
	if m := w.lane.last(); m.Opaque != "o-1" || m.IdentityHash != "h=" || string(m.Body) != `"type":"text","text":{"body":"hi"},"context":{"id":"wamid.X"}` {
		t.Errorf("extras: %+v %s", m, m.Body)
	}
}

func TestStrictRecipients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *api.Options) { o.Strict = true })
	w.call("admin", "POST /v23.0/"+numLive+"/messages", `{"messaging_product":"whatsapp","to":"9012345678","text":{"body":"hi"}}`)
	if m := w.lane.last(); m.To != "819012345678" {
		t.Errorf("to %s", m.To)
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	path := "POST /v23.0/" + numLive + "/messages"
	w.call("admin", path, `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.IN","typing_indicator":{"type":"text"}}`).want(t, 200, `{"success":true}`)
	if len(w.lane.marked) != 1 || w.lane.marked[0] != "wamid.IN" || !w.lane.typing {
		t.Errorf("marked %v, typing %v", w.lane.marked, w.lane.typing)
	}
	w.call("admin", path, `{"messaging_product":"whatsapp","status":"read","message_id":""}`).want(t, 400,
		cloudError("(#131009) Parameter value is not valid", "131009", "Parameter 'message_id' is not the id of a message."))
	w.call("admin", "POST /v23.0/"+numPending+"/messages", `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.IN"}`).want(t, 400,
		cloudError("(#133010) Account not registered", "133010", "Account not registered"))
	w.lane.fail = func(context.Context) error { return wa.ErrValue.With("unknown message") }
	w.call("admin", path, `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.NO"}`).want(t, 400,
		cloudError("(#131009) Parameter value is not valid", "131009", "unknown message"))
}

// What the pipeline says reaches the caller as a row, whatever it is.
func TestPipelineErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		err    error
		status int
		want   string
		retry  string
	}{
		{"throughput", wa.ErrThroughput.Retry(0.4), 400, cloudError("(#130429) Rate limit hit", "130429", "Cloud API message throughput has been reached."), "1"},
		{"pair rate", wa.ErrPairRate.Retry(5), 400, cloudError("(#131056) (Business Account, Consumer Account) pair rate limit hit", "131056", "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time."), "5"},
		{"the disk refuses", wa.ErrUnavailable.With("Try again.").Because(errors.New("sda1")), 500, cloudError("(#131016) Service unavailable", "131016", "Try again."), ""},
		{"given up", context.DeadlineExceeded, 503, graphError("(#2) API Service", `"code":2,"is_transient":true,"error_data":{"messaging_product":"whatsapp","details":"API Service"}`), ""},
		{"anything else", errors.New("sda1"), 500, cloudError("(#131000) Something went wrong", "131000", "Message failed to send due to an unknown error."), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.lane.fail = func(context.Context) error { return c.err }
			r := w.call("admin", "POST /v23.0/"+numLive+"/messages", hello)
			r.want(t, c.status, c.want)
			if got := r.header.Get("Retry-After"); got != c.retry {
				t.Errorf("Retry-After %q", got)
			}
		})
	}
}

// A caller that goes away, or a deadline with a cause of its own, is answered as a fault that passes.
func TestSendGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	w.lane.fail = func(ctx context.Context) error {
		cancel(errors.New("shutting down"))
		<-ctx.Done()
		return context.Cause(ctx)
	}
	req, rec := recorded(w, ctx, hello)
	w.handler.ServeHTTP(rec, req)
	if rec.Code != 503 || !strings.Contains(rec.Body.String(), `"code":2,"is_transient":true`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// R35: tokens in the query do not count unless the operator allows them, and never reach the log.
func TestTokenCarriers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	token := w.tokens["admin"]
	noToken := graphError("An access token is required to request this resource.", `"code":104`)
	w.call("", "GET /v23.0/"+numLive+"?access_token="+token, "").want(t, 400, noToken)
	w.call("", "POST /v23.0/"+numLive+"/messages", `{"access_token":"`+token+`",`+hello[1:]).want(t, 400, noToken)
	if r := w.call("admin", "GET /v23.0/"+numLive, ""); r.status != 200 {
		t.Errorf("header: %d %s", r.status, r.body)
	}
	if strings.Contains(w.log.String(), token) || strings.Contains(w.log.String(), "16505555555") {
		t.Error("the log holds a token or a number")
	}
	lax := newWorld(t, func(o *api.Options) { o.Carriers = graph.Carriers{Query: true, Form: true} })
	if r := lax.call("", "GET /v23.0/"+numLive+"?access_token="+lax.tokens["admin"], ""); r.status != 200 {
		t.Errorf("allowed query: %d %s", r.status, r.body)
	}
	if r := lax.call("", "POST /v23.0/"+numLive+"/messages", `{"access_token":"`+lax.tokens["admin"]+`",`+hello[1:]); r.status != 200 {
		t.Errorf("allowed body: %d %s", r.status, r.body)
	}
	if strings.Contains(lax.log.String(), lax.tokens["admin"]) {
		t.Error("the log holds a token")
	}
}

// R38 and R40.
func TestVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, c := range []struct{ prefix, served string }{{"", "v21.0"}, {"/v23.0", "v23.0"}, {"/v17.0", "v21.0"}, {"/v26.0", "v26.0"}} {
		r := w.call("admin", "GET "+c.prefix+"/"+numLive+"?fields=id", "")
		r.want(t, 200, `{"id":"`+numLive+`"}`)
		if v := r.header.Get("Facebook-Api-Version"); v != c.served {
			t.Errorf("%q served as %s", c.prefix, v)
		}
	}
	reg, err := graph.NewRegistry(true, graph.DefaultReleases()...)
	if err != nil {
		t.Fatal(err)
	}
	strict := newWorld(t, func(o *api.Options) { o.Versions = reg })
	if r := strict.call("admin", "POST /v17.0/"+numLive+"/messages", hello); r.status != 400 || !strings.Contains(r.body, `"code":2635`) {
		t.Errorf("strict: %d %s", r.status, r.body)
	}
}

// The app's proof setting, spec/access.md section 3.3.
func TestProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := w.access.UpdateApp(t.Context(), appA, func(a *access.App) error { a.RequireProof = true; return nil }); err != nil {
		t.Fatal(err)
	}
	r := w.call("admin", "GET /v23.0/"+numLive, "")
	if r.status != 400 || !strings.Contains(r.body, "API calls from the server require an appsecret_proof argument") {
		t.Errorf("absent: %d %s", r.status, r.body)
	}
	if r := w.call("admin", "GET /v23.0/"+numLive+"?appsecret_proof=00", ""); !strings.Contains(r.body, "Invalid appsecret_proof provided in the API argument") {
		t.Errorf("wrong: %s", r.body)
	}
	if r := w.call("admin", "GET /v23.0/"+numLive+"?fields=id&appsecret_proof="+proof(w.tokens["admin"]), ""); r.status != http.StatusOK {
		t.Errorf("right: %d %s", r.status, r.body)
	}
}
