package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/app"
)

// crm is the example beside a platform, in this process.
type crm struct {
	t   *testing.T
	app *app.App
	url string
}

func start(t *testing.T) (*crm, *book) {
	t.Helper()
	a := app.New(app.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Control: "127.0.0.1:0", Sandbox: true})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	b, err := open(filepath.Join(t.TempDir(), "contacts.json"))
	if err != nil {
		t.Fatal(err)
	}
	plan := a.Plan()
	server := httptest.NewServer(handler(b, plan.VerifyToken, plan.AppSecret))
	t.Cleanup(server.Close)
	c := &crm{t, a, server.URL}
	c.call(a.PublicURL()+"/v23.0/"+string(plan.AppID)+"/subscriptions", string(plan.AppID)+"|"+plan.AppSecret, url.Values{
		"object": {"whatsapp_business_account"}, "callback_url": {server.URL}, "verify_token": {plan.VerifyToken},
		"fields": {"messages,user_preferences"},
	}.Encode())
	c.call(a.PublicURL()+"/v23.0/"+string(plan.WABAID)+"/subscribed_apps", plan.Token, "")
	return c, b
}

func (c *crm) call(target, token, body string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		c.t.Fatalf("%s answered %d: %s (%v)", target, res.StatusCode, answer, err)
	}
}

// control makes users do something, and waits until everybody knows.
func (c *crm) control(path, body string) {
	c.t.Helper()
	c.call(c.app.ControlURL()+"/control/v1/"+path, "", body)
	c.call(c.app.ControlURL()+"/control/v1/idle", "", `{"timeout":"20s"}`)
}

func TestContactsFollowUsers(t *testing.T) {
	t.Parallel()
	c, b := start(t)
	c.control("users", `{"phone":"+14155550177","name":"Ana Silva"}`)
	c.control("users/14155550177/messages", `{"type":"text","text":{"body":"Hello"}}`)
	c.control("users/14155550177/actions", `{"do":"opt_out"}`)
	res, err := http.Get(c.url + "/contacts")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var list []contact
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].WaID != "14155550177" || list[0].Name != "Ana Silva" || list[0].LastWrote == 0 || list[0].Marketing != "stop" {
		t.Errorf("contacts are %+v", list)
	}
	again, err := open(b.path)
	if err != nil || fmt.Sprint(again.list()) != fmt.Sprint(list) {
		t.Errorf("the file holds %v: %v", again.list(), err)
	}
}

func TestRepeatsAndLateComersChangeNothing(t *testing.T) {
	t.Parallel()
	b, err := open(filepath.Join(t.TempDir(), "contacts.json"))
	if err != nil {
		t.Fatal(err)
	}
	wrote := func(at int) string {
		return fmt.Sprintf(`{"entry":[{"changes":[{"value":{"contacts":[{"wa_id":"1","profile":{"name":"Ana"}}],
			"messages":[{"from":"1","timestamp":"%d","type":"something new"}]}}]}]}`, at)
	}
	said := func(what string, at int) string {
		return fmt.Sprintf(`{"entry":[{"changes":[{"value":{"user_preferences":[
			{"wa_id":"1","category":"marketing_messages","value":"%s","timestamp":%d}]}}]}]}`, what, at)
	}
	for _, body := range []string{wrote(20), wrote(20), wrote(10), said("stop", 30), said("resume", 25), `{"object":"unknown"}`} {
		if err := b.apply([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := fmt.Sprint(b.list()), "[{1 Ana 20 stop 30}]"; got != want {
		t.Errorf("contacts are %s, want %s", got, want)
	}
	if err := b.apply([]byte("not JSON")); err == nil {
		t.Error("nonsense was taken")
	}
}

func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	h := handler(&book{}, "token", "secret")
	for _, c := range []struct {
		method, target, signature string
		want                      int
	}{
		{http.MethodGet, "/?hub.mode=subscribe&hub.challenge=1&hub.verify_token=token", "", http.StatusOK},
		{http.MethodGet, "/?hub.mode=subscribe&hub.challenge=1&hub.verify_token=other", "", http.StatusForbidden},
		{http.MethodPost, "/", "sha256=00", http.StatusUnauthorized},
		{http.MethodPost, "/", "", http.StatusUnauthorized},
	} {
		req := httptest.NewRequest(c.method, c.target, strings.NewReader("{}"))
		req.Header.Set("X-Hub-Signature-256", c.signature)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, req); w.Code != c.want {
			t.Errorf("%s %s answered %d, want %d", c.method, c.target, w.Code, c.want)
		}
	}
}
