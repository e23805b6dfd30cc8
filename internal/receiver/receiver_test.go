package receiver

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The vector of spec/webhooks.md section 4.3.
const (
	vectorSecret = "bistro-secret"
	vectorBody   = `{"object":"x","t":"caf\u00e9 \/"}`
	vectorSum    = "sha256=7d454998b27425307f33db8349d19ed3de31954e3bd981460f2e68d994733faf"
)

func TestHandshake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, query string
		status      int
		body        string
	}{
		{"right token", "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=s3cret", 200, "1158201444"},
		{"wrong token", "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=other", 403, "verify token mismatch\n"},
		{"wrong mode", "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=s3cret", 403, "verify token mismatch\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &Receiver{VerifyToken: "s3cret", Print: &Printer{Out: &bytes.Buffer{}}}
			w := httptest.NewRecorder()
			r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?"+c.query, nil))
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, c.status, c.body)
			}
		})
	}
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	status := `{"object":"whatsapp_business_account","entry":[{"changes":[{"value":{"statuses":[{"status":"sent"}]},"field":"messages"}]}]}`
	for _, c := range []struct {
		name, secret, signature, body string
		status                        int
		prints                        string
	}{
		{"signed", vectorSecret, vectorSum, vectorBody, 200, "✓ signature"},
		{"other secret", "other", vectorSum, vectorBody, 401, "✗ signature does not match"},
		{"no header", vectorSecret, "", vectorBody, 401, "✗ signature does not match"},
		{"no secret known", "", "", status, 200, "#1 sent"},
		{"not JSON", "", "", "hello", 200, "not JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			r := &Receiver{AppSecret: c.secret, Print: &Printer{Out: &out}}
			req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
			req.Header.Set("X-Hub-Signature-256", c.signature)
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			if w.Code != c.status || !strings.Contains(out.String(), c.prints) {
				t.Errorf("got %d, printed %q; want %d, %q", w.Code, out.String(), c.status, c.prints)
			}
		})
	}
}

func TestSubscribeSendsWhatThePlatformExpects(t *testing.T) {
	t.Parallel()
	var calls []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		calls = append(calls, r.URL.Path+" "+r.Header.Get("Authorization")+" "+r.PostForm.Get("callback_url")+r.PostForm.Get("fields"))
		_, _ = w.Write([]byte(`{"success":true}`))
	}))
	defer srv.Close()
	target := Target{BaseURL: srv.URL, Version: "v23.0", AppID: "1", AppSecret: "sec", VerifyToken: "v", WABAID: "2", Token: "EAAx"}
	if err := Subscribe(context.Background(), srv.Client(), target, "http://127.0.0.1:9000/"); err != nil {
		t.Fatal(err)
	}
	want := "/v23.0/1/subscriptions Bearer 1|sec http://127.0.0.1:9000/messages\n/v23.0/2/subscribed_apps Bearer EAAx "
	if got := strings.Join(calls, "\n"); got != want {
		t.Errorf("calls\n%s\nwant\n%s", got, want)
	}
}

// FuzzDelivery posts bytes without a signature: each is answered, and printing them ends.
func FuzzDelivery(f *testing.F) {
	f.Add("", vectorBody)
	f.Add(vectorSum, vectorBody)
	f.Add("sha256=", `{"entry":[{"changes":[{"field":"x","value":{"statuses":[{}],"messages":[null]}}]}]}`)
	f.Fuzz(func(t *testing.T, signature, body string) {
		for _, secret := range []string{"", vectorSecret} {
			var out bytes.Buffer
			r := &Receiver{AppSecret: secret, Print: &Printer{Out: &out}}
			req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			if strings.ContainsAny(signature, "\r\n\x00") {
				return
			}
			req.Header.Set("X-Hub-Signature-256", signature)
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			signed := signature == vectorSum && body == vectorBody
			if want := map[bool]int{true: 200, false: 401}[secret == "" || signed]; w.Code != want || out.Len() == 0 {
				t.Errorf("%q, %q: %d, %d bytes printed", signature, body, w.Code, out.Len())
			}
		}
	})
}
