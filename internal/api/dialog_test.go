package api_test

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

const password = "correct horse battery"

// pages is the log-in dialog of a world whose person may use app and is sent back to a.example.
func pages(t *testing.T, w *world, app string) (http.Handler, url.Values) {
	t.Helper()
	ctx := t.Context()
	if err := w.access.SetPassword(ctx, personA, password); err != nil {
		t.Fatal(err)
	}
	if _, err := w.access.UpdatePerson(ctx, personA, func(p *access.Person) error { p.Email = "Mio@aozora.example"; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.access.UpdateApp(ctx, wa.AppID(app), func(a *access.App) error {
		a.Redirects, a.Mode, a.Advanced = []string{"https://a.example/cb?x=1"}, access.LiveMode, all
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return api.Dialog(w.access, w.business, w.webhooks, slog.New(slog.DiscardHandler)), url.Values{
		"client_id": {app}, "redirect_uri": {"https://a.example/cb?x=1"}, "state": {"st&te"}, "scope": {"whatsapp_business_management,whatsapp_business_messaging"},
	}
}

func with(q url.Values, more ...string) url.Values {
	out := url.Values{}
	maps.Copy(out, q)
	for i := 0; i < len(more); i += 2 {
		out.Set(more[i], more[i+1])
	}
	return out
}

func open(h http.Handler, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://hikyaku.example/dialog/oauth", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

var ticketField = regexp.MustCompile(`name="ticket" value="([^"]+)"`)

// Source: spec/access.md section 5.3.
func TestLogInDialog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	h, q := pages(t, w, appA)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://hikyaku.example/v23.0/dialog/oauth?"+q.Encode(), nil))
	if rec.Code != 200 || !strings.Contains(rec.Body.String(), `name="state" value="st&amp;te"`) || rec.Header().Get("X-Frame-Options") != "DENY" ||
		!strings.Contains(rec.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("%d %v\n%s", rec.Code, rec.Header(), rec.Body)
	}
	for name, bad := range map[string]url.Values{
		"no such app": with(q, "client_id", "1"), "foreign address": with(q, "redirect_uri", "https://evil.example/"),
		"longer address": with(q, "redirect_uri", "https://a.example/cb?x=1&y"), "unknown permission": with(q, "scope", "fly"),
	} {
		if rec := open(h, with(bad, "answer", "allow")); rec.Code != 400 || rec.Header().Get("Location") != "" {
			t.Errorf("%s: %d %v", name, rec.Code, rec.Header())
		}
	}
	login := with(q, "answer", "login", "email", " mio@AOZORA.example", "password", password)
	if rec := open(h, login, "Sec-Fetch-Site", "cross-site"); rec.Code != 403 {
		t.Errorf("posted by another site: %d", rec.Code)
	}
	if rec := open(h, with(login, "password", "wrong")); rec.Code != 403 || !strings.Contains(rec.Body.String(), "password is wrong") {
		t.Errorf("wrong password: %d %s", rec.Code, rec.Body)
	}
	if rec := open(h, with(login, "email", "nobody@aozora.example")); rec.Code != 403 || !strings.Contains(rec.Body.String(), "password is wrong") {
		t.Errorf("nobody: %d %s", rec.Code, rec.Body)
	}
	rec = open(h, login)
	m := ticketField.FindStringSubmatch(rec.Body.String())
	if rec.Code != 200 || m == nil || strings.Contains(rec.Body.String(), password) {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	allow := with(q, "answer", "allow", "ticket", m[1])
	for name, bad := range map[string]url.Values{
		"other scopes": with(allow, "scope", "business_management"), "other state": with(allow, "state", "x"), "forged": with(allow, "ticket", m[1]+"A"), "none": with(allow, "ticket", ""),
	} {
		if rec := open(h, bad); rec.Code != 403 || rec.Header().Get("Location") != "" {
			t.Errorf("%s: %d %v", name, rec.Code, rec.Header())
		}
	}
	if rec := open(h, with(q, "answer", "deny")); rec.Code != 303 || rec.Header().Get("Location") != "https://a.example/cb?error=access_denied&error_code=200&error_description=Permissions+error&error_reason=user_denied&state=st%26te&x=1" {
		t.Errorf("denied: %d %v", rec.Code, rec.Header())
	}
	rec = open(h, allow)
	back, err := url.Parse(rec.Header().Get("Location"))
	if err != nil || rec.Code != 303 || back.Host != "a.example" || back.Query().Get("state") != "st&te" {
		t.Fatalf("allowed: %d %v", rec.Code, rec.Header())
	}
	r := w.direct("", "GET /oauth/access_token?client_id="+appA+"&client_secret="+secret+"&redirect_uri="+url.QueryEscape("https://a.example/cb?x=1")+"&code="+back.Query().Get("code"), "")
	if r.status != 200 || !strings.Contains(r.body, `"expires_in":7200`) {
		t.Errorf("exchange: %d %s", r.status, r.body)
	}
	if rec := open(h, allow); rec.Code != 403 {
		t.Errorf("a ticket used twice: %d", rec.Code)
	}
	w.clock.Advance(11 * time.Minute)
	if rec := open(h, allow); rec.Code != 403 {
		t.Errorf("an old ticket: %d", rec.Code)
	}
	for range 5 {
		open(h, with(login, "password", "wrong"))
	}
	if rec := open(h, login); rec.Code != 403 || !strings.Contains(rec.Body.String(), "15 minutes") {
		t.Errorf("after five wrong passwords: %d %s", rec.Code, rec.Body)
	}
}

// A client shares an account with a partner; the partner's token reaches that account and nothing else, until the share ends.
// Source: spec/access.md section 12.
func TestEmbeddedSignup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	h, q := pages(t, w, appB)
	q = with(q, "config_id", "1", "scope", "")
	rec := open(h, with(q, "answer", "login", "email", "mio@aozora.example", "password", password))
	m := ticketField.FindStringSubmatch(rec.Body.String())
	if m == nil || !strings.Contains(rec.Body.String(), `value="`+wabaA+`"`) || strings.Contains(rec.Body.String(), wabaB) {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if rec := open(h, with(q, "answer", "allow", "ticket", m[1], "waba", wabaB)); rec.Code != 403 {
		t.Errorf("somebody else's account: %d", rec.Code)
	}
	rec = open(h, with(q, "answer", "allow", "ticket", m[1], "waba", wabaA))
	back, err := url.Parse(rec.Header().Get("Location"))
	if err != nil || rec.Code != 303 {
		t.Fatalf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	r := w.direct("", "GET /oauth/access_token?client_id="+appB+"&client_secret="+secret+"&redirect_uri="+url.QueryEscape("https://a.example/cb?x=1")+"&code="+back.Query().Get("code"), "")
	token := regexp.MustCompile(`^\{"access_token":"(EAA\w+)","token_type":"bearer"\}$`).FindStringSubmatch(r.body)
	if token == nil {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w.tokens["client"] = token[1]
	if r := w.direct("appB", "GET /debug_token?input_token="+token[1], ""); !strings.Contains(r.body, `"type":"SYSTEM_USER"`) || !strings.Contains(r.body, `"target_ids":["`+wabaA+`"]`) || !strings.Contains(r.body, `"expires_at":0`) {
		t.Errorf("debug: %s", r.body)
	}
	w.direct("client", "POST /v23.0/"+wabaA+"/subscribed_apps", "").want(t, 200, done)
	if r := w.direct("client", "POST /v23.0/"+numLive+"/messages", hello); r.status != 200 {
		t.Errorf("send: %d %s", r.status, r.body)
	}
	w.hears(appB, wabaA, true)
	w.direct("client", "GET /v23.0/"+wabaB, "").want(t, 400, missing("get", wabaB))
	if r := w.direct("birch", "GET /v23.0/"+birch+"/client_whatsapp_business_accounts?fields=id", ""); !strings.Contains(r.body, wabaA) {
		t.Errorf("client accounts: %s", r.body)
	}
	w.direct("admin", "DELETE /v23.0/"+aozora+"/agencies?business="+birch, "").want(t, 200, done)
	w.hears(appB, wabaA, false)
	if r := w.direct("client", "GET /v23.0/"+wabaA, ""); r.status != 401 || !strings.Contains(r.body, `"error_subcode":458`) {
		t.Errorf("after the share ended: %d %s", r.status, r.body)
	}
	var events []string
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	_ = w.business.Run(ctx, told(func(n *business.Notice) {
		if n.Field == business.FieldAccount && n.Entry == birch {
			events = append(events, string(n.Value))
		}
		if len(events) == 4 {
			stop()
		}
	}))
	info := `"waba_info":{"waba_id":"` + wabaA + `","owner_business_id":"` + aozora + `"`
	want := []string{
		`{"event":"PARTNER_ADDED",` + info + `}}`, `{"event":"PARTNER_APP_INSTALLED",` + info + `,"partner_app_id":"` + appB + `"}}`,
		`{"event":"PARTNER_APP_UNINSTALLED",` + info + `,"partner_app_id":"` + appB + `"}}`, `{"event":"PARTNER_REMOVED",` + info + `}}`,
	}
	if !slices.Equal(events, want) {
		t.Errorf("the partner was told\n%s\nwant\n%s", strings.Join(events, "\n"), strings.Join(want, "\n"))
	}
}

// hears checks whether the app is subscribed to the account.
func (w *world) hears(app wa.AppID, id wa.WABAID, want bool) {
	w.t.Helper()
	if got := slices.ContainsFunc(w.webhooks.Links(id), func(l webhook.Link) bool { return l.App == app }); got != want {
		w.t.Errorf("app %s is subscribed to %s: %v", app, id, got)
	}
}

// told is a notifier that cannot fail.
type told func(*business.Notice)

func (f told) Notify(_ context.Context, n *business.Notice) error {
	f(n)
	return nil
}
