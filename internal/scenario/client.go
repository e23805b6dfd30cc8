package scenario

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Target is a running sandbox; `hikyaku env` prints all of it.
type Target struct {
	BaseURL, ControlURL, Version         string
	AppID, AppSecret, VerifyToken, Token string
	BusinessID, WABAID                   string
}

// answer is what a call returned.
type answer struct {
	status int
	body   []byte
}

// code is that of the error; 0 when there is none.
func (a *answer) code() int {
	var e struct {
		Error struct{ Code int }
	}
	if json.Unmarshal(a.body, &e) != nil {
		return 0
	}
	return e.Error.Code
}

const maxAnswer = 4 << 20

func (p *player) call(ctx context.Context, method, address, token string, body any) (*answer, error) {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, r)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := p.o.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return &answer{res.StatusCode, b}, err
}

// graph calls the Graph API.
func (p *player) graph(ctx context.Context, method, path string, body any) (*answer, error) {
	return p.call(ctx, method, p.o.Target.BaseURL+"/"+p.o.Target.Version+"/"+path, p.o.Target.Token, body)
}

// control calls the control API and decodes into v; anything but 200 is an error.
func (p *player) control(ctx context.Context, method, path string, body, v any) error {
	a, err := p.call(ctx, method, p.o.Target.ControlURL+"/control/v1/"+path, "", body)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return fmt.Errorf("%s %s: HTTP %d %s", method, path, a.status, bytes.TrimSpace(a.body))
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(a.body, v)
}

// must is a call of the Graph API that has to succeed.
func (p *player) must(ctx context.Context, method, path string, body any) (*answer, error) {
	a, err := p.graph(ctx, method, path, body)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%s %s: HTTP %d %s", method, path, a.status, bytes.TrimSpace(a.body))
	}
	return a, err
}

// ---- webhooks ----

// update is one change of a webhook.
type update struct {
	field string
	value map[string]any
	seen  bool // some step expected it
	told  bool // the transcript has it
}

// mailroom receives webhooks.
type mailroom struct {
	verify, secret string

	mu       sync.Mutex
	updates  []*update
	statuses map[string][]string // of messages: status, or the code it failed with
}

const maxHook = 4 << 20

func (m *mailroom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		q := r.URL.Query()
		if !hmac.Equal([]byte(q.Get("hub.verify_token")), []byte(m.verify)) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, q.Get("hub.challenge"))
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
	if err != nil || !m.signed(r.Header.Get("X-Hub-Signature-256"), b) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	m.take(b)
}

func (m *mailroom) signed(header string, b []byte) bool {
	h := hmac.New(sha256.New, []byte(m.secret))
	h.Write(b)
	return hmac.Equal([]byte(header), []byte("sha256="+hex.EncodeToString(h.Sum(nil))))
}

func (m *mailroom) take(b []byte) {
	var in struct {
		Entry []struct {
			Changes []struct {
				Field string
				Value map[string]any
			}
		}
	}
	if json.Unmarshal(b, &in) != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range in.Entry {
		for _, c := range e.Changes {
			if c.Field != "messages" {
				m.updates = append(m.updates, &update{field: c.Field, value: c.Value})
				continue
			}
			list, _ := c.Value["statuses"].([]any)
			for _, s := range list {
				if s, ok := s.(map[string]any); ok {
					m.status(s)
				}
			}
		}
	}
}

func (m *mailroom) status(s map[string]any) {
	id, _ := s["id"].(string)
	what, _ := s["status"].(string)
	m.statuses[id] = append(m.statuses[id], what)
	list, _ := s["errors"].([]any)
	for _, e := range list {
		m.statuses[id] = append(m.statuses[id], fmt.Sprint(lookup(e, "code")))
	}
}

// fresh are the updates that the transcript lacks.
func (m *mailroom) fresh() (list []*update) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.updates {
		if !u.told {
			u.told = true
			list = append(list, u)
		}
	}
	return list
}

// fields are the webhook fields of accounts; messages brings the statuses.
const fields = "messages,account_update,account_alerts,account_review_update,business_capability_update,message_template_status_update," +
	"message_template_quality_update,template_category_update,phone_number_quality_update,phone_number_name_update,user_preferences"

// listen starts the mailroom and points the app at it. What it returns gives the app its callback back.
func (p *player) listen(ctx context.Context) (end func(context.Context), err error) {
	t := &p.o.Target
	app := t.AppID + "|" + t.AppSecret
	subscriptions := t.BaseURL + "/" + t.Version + "/" + t.AppID + "/subscriptions"
	var before struct {
		Data []struct {
			Callback string `json:"callback_url"`
			Fields   []struct{ Name string }
		}
	}
	a, err := p.call(ctx, http.MethodGet, subscriptions, app, nil)
	if err != nil {
		return nil, err
	}
	_ = json.Unmarshal(a.body, &before)
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: &p.mail, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }()
	subscribe := func(ctx context.Context, callback, fields string) error {
		form := url.Values{"object": {"whatsapp_business_account"}, "callback_url": {callback}, "verify_token": {t.VerifyToken}, "fields": {fields}}
		a, err := p.call(ctx, http.MethodPost, subscriptions+"?"+form.Encode(), app, nil)
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("subscribe to webhooks: HTTP %d %s", a.status, a.body)
		}
		return err
	}
	if err := subscribe(ctx, "http://"+l.Addr().String()+"/", fields); err != nil {
		_ = server.Close()
		return nil, err
	}
	if _, err := p.must(ctx, http.MethodPost, t.WABAID+"/subscribed_apps", nil); err != nil {
		_ = server.Close()
		return nil, err
	}
	return func(ctx context.Context) {
		_, _ = p.call(ctx, http.MethodDelete, subscriptions+"?object=whatsapp_business_account", app, nil)
		for _, b := range before.Data {
			var names []string
			for _, f := range b.Fields {
				names = append(names, f.Name)
			}
			if err := subscribe(ctx, b.Callback, strings.Join(names, ",")); err != nil {
				p.line("", "note", "the app's webhooks went to "+b.Callback+", which does not answer now: subscribe again")
			}
		}
		_ = server.Close()
	}, nil
}

// lookup follows a path with dots.
func lookup(v any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		switch m := v.(type) {
		case map[string]any:
			v = m[part]
		case []any:
			i := 0
			if _, err := fmt.Sscan(part, &i); err != nil || i < 0 || i >= len(m) {
				return nil
			}
			v = m[i]
		default:
			return nil
		}
	}
	if f, ok := v.(float64); ok && f == float64(int64(f)) {
		return int64(f)
	}
	return v
}
