package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// endpoint is a receiver under test: it checks signatures and takes as long as slow says, in the fake clock's time.
func endpoint(t *testing.T, c *clock.Controlled, slow func(n int64) time.Duration) *httptest.Server {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if r.FormValue("hub.verify_token") != "verify" {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			_, _ = io.WriteString(w, r.FormValue("hub.challenge"))
			return
		}
		b, err := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(b)
		if err != nil || r.Header.Get("X-Hub-Signature-256") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			http.Error(w, "signature", http.StatusUnauthorized)
			return
		}
		c.Advance(slow(n.Add(1)))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestWebhookStandard(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	for _, c := range []struct {
		name    string
		slow    func(n int64) time.Duration
		secret  string
		token   string
		reasons string // "" passes
	}{
		{"a fast receiver", func(int64) time.Duration { return 0 }, secret, "verify", ""},
		{"a receiver at the limit", func(int64) time.Duration { return 250 * ms }, secret, "", ""},
		{"a slow receiver", func(int64) time.Duration { return 251 * ms }, secret, "", "the median is 251"},
		{
			"one that hesitates now and then", func(n int64) time.Duration {
				if n%50 == 0 {
					return 1100 * ms
				}
				return 0
			},
			secret, "", "2.0 % take longer than 1s, the standard is less than 1.0 %",
		},
		{"one that cannot keep up", func(int64) time.Duration { return 400 * ms }, secret, "", "take longer than 1s"},
		{"one with another secret", func(int64) time.Duration { return 0 }, "other", "", "100 deliveries failed and would come again"},
		{"one with another token", func(int64) time.Duration { return 0 }, secret, "other", "the handshake failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fc := clock.NewFake(start)
			// One connection, so that time passes in the receiver, or for the pace, and not for both.
			pump(t, fc, 1)
			s := endpoint(t, fc, c.slow)
			// 3.3 deliveries a second: the next one is due 303 ms after the last, if that did not take longer.
			r, err := Webhook(t.Context(), WebhookOptions{
				URL: s.URL + "/hook?a=b", AppSecret: c.secret, VerifyToken: c.token, MPS: 1, Reply: 0.3, Duration: 30300 * ms,
				Connections: 1, Clock: fc,
			})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(r.Reasons, "; ")
			if r.Passed() != (c.reasons == "") || !strings.Contains(got, c.reasons) {
				t.Errorf("%s: %q, %+v", r.Verdict, got, r)
			}
			if c.token != "other" && (r.Asked != 100 || r.Answered+r.Failed != 100 || r.Latency.Count != 100) {
				t.Errorf("%d asked, %d answered, %d failed", r.Asked, r.Answered, r.Failed)
			}
			if err := r.Write(io.Discard); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWebhookRefusesToStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    WebhookOptions
		want string
	}{
		{WebhookOptions{URL: "https://example.com/hook", AppSecret: "s"}, "not this machine"},
		{WebhookOptions{URL: "http://10.0.0.1/", AppSecret: "s"}, "--allow-remote"},
		{WebhookOptions{URL: "ftp://localhost", AppSecret: "s"}, "not the http(s) URL"},
		{WebhookOptions{URL: "http://localhost"}, "--app-secret"},
		{WebhookOptions{URL: "http://localhost", AppSecret: "s", MPS: -1}, "negative"},
	} {
		if _, err := Webhook(t.Context(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	for _, h := range []string{"http://localhost:1", "http://127.0.0.2", "http://[::1]:80/x", "http://hook.localhost"} {
		o := WebhookOptions{URL: h, AppSecret: "s"}
		if u, err := o.defaults(); err != nil || u == nil {
			t.Errorf("%s: %v", h, err)
		}
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	l := bell()
	var b bytes.Buffer
	p := newReport(&PlatformOptions{MPS: 1000, Reply: 0.3, Users: 10_000, Numbers: 1, Batch: 1, Connections: 100})
	p.Cores, p.System, p.Level, p.Seconds, p.DrainSeconds, p.Asked, p.Attempted, p.Rate = 2, "", 1950, 60, 0.2, 60_000, 60_000, 1000
	p.Tally = Tally{Accepted: 59_998, Sent: 59_998, Delivered: 59_998, Read: 59_997, Inbound: 18_000, MissingRead: 1, Doubled: 1}
	p.Refused, p.First, p.Received = map[int]int64{131056: 2}, "HTTP 400, code 131056: pair", 18_000
	p.Posts, p.Checked, p.Accept, p.Buckets = 78_000, 4875, l.Quantiles(), l.Buckets()
	p.CPU, p.GeneratorCPU, p.PeakRSS, p.EndRSS, p.Baseline = 0.4, 0.1, 300*mib, 250*mib, &Baseline{Handler: 40_000, Sender: 30_000}
	p.judge()
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "platform.golden", b.String())
	b.Reset()
	p.AskedMPS, p.Steps, p.Window, p.Starved, p.Refused, p.First = 0, []Step{{64, 1000}, {128, 1800}}, 128, 3, nil, ""
	p.Tally.MissingRead, p.Tally.Doubled = 0, 0
	p.judge()
	if err := p.Write(&b); err != nil || !p.Passed() {
		t.Fatalf("%v, %q", err, p.Reasons)
	}
	golden(t, "maximum.golden", b.String())
	if err := p.Write(broken{}); err == nil {
		t.Error("the writer's error is lost")
	}
}
