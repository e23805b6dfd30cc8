//go:build load && linux

package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/test/child"
)

const (
	hostileRate = 1000 // requests a second
	hostileTime = 30 * time.Second
	hostileMost = 64 // at once
)

// attacker makes requests that no client should make.
type attacker struct {
	p     *child.Place
	start child.Starter
	t     *testing.T

	mu      sync.Mutex
	answers map[string]int
	bad     int
	slowest time.Duration
}

// TestHostileRequests sends a thousand of them a second.
func TestHostileRequests(t *testing.T) {
	p, start, log := newPlace(t, t.TempDir())
	c := launch(t, p, log)
	a := &attacker{p: p, start: start, t: t, answers: map[string]int{}}
	work := make(chan int, 4*hostileRate)
	var done atomic.Int64
	var workers sync.WaitGroup
	for range hostileMost {
		workers.Go(func() {
			for n := range work {
				a.attack(rand.New(rand.NewPCG(1, uint64(n))))
				done.Add(1)
			}
		})
	}
	began := time.Now()
	sent, warm, peak := 0, 0.0, 0.0
	for elapsed := time.Duration(0); elapsed < hostileTime; elapsed = time.Since(began) {
		for due := int(elapsed.Seconds() * hostileRate); sent < due; sent++ {
			work <- sent
		}
		time.Sleep(10 * time.Millisecond)
		now := rss(t, c.PID())
		if elapsed < hostileTime/2 {
			warm = max(warm, now)
		} else {
			peak = max(peak, now)
		}
	}
	close(work)
	workers.Wait()
	rate := float64(done.Load()) / time.Since(began).Seconds()
	t.Logf("%.0f requests a second for %v, slowest answer %v; memory at most %.0f MB in the first half, %.0f MB in the second",
		rate, hostileTime, a.slowest, warm, peak)
	for what, n := range a.answers {
		t.Logf("%6d × %s", n, what)
	}
	if rate < 0.9*hostileRate {
		t.Errorf("only %.0f requests a second", rate)
	}
	if peak > 1.25*warm+16 {
		t.Errorf("memory grows: %.0f MB, then %.0f MB", warm, peak)
	}
	a.after(c, log)
}

// after checks that the program is as well as before.
func (a *attacker) after(c *child.Process, log string) {
	t := a.t
	ans, err := a.p.Graph(t.Context(), "POST", "v23.0/"+a.start.Number+"/messages", a.start.Token, child.Hello("12025550199", ""))
	if err != nil {
		t.Fatalf("afterwards: %v", err)
	}
	if ans.Status != 200 {
		t.Errorf("afterwards: HTTP %d %s", ans.Status, ans.Body)
	}
	stop, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := c.Stop(stop); err != nil {
		t.Errorf("stop: %v", err)
	}
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"panic", "goroutine ", "fatal error"} {
		if i := bytes.Index(b, []byte(word)); i >= 0 {
			t.Errorf("the log says: %.2000s", b[max(0, i-200):])
		}
	}
}

func (a *attacker) note(what string, took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[what]++
	a.slowest = max(a.slowest, took)
}

func (a *attacker) wrong(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bad++; a.bad <= 20 {
		a.t.Errorf(format, args...)
	}
}

// attack makes one request.
func (a *attacker) attack(r *rand.Rand) {
	if r.IntN(10) == 0 {
		a.raw(r)
		return
	}
	method := []string{"POST", "POST", "POST", "POST", "GET", "DELETE", "PUT", "PATCH", "OPTIONS", "BREW"}[r.IntN(10)]
	var body io.Reader
	kind := "application/json"
	if method != "GET" {
		body = bytes.NewReader(a.body(r))
		kind = pick(r, "application/json", "application/json", "application/json", "application/x-www-form-urlencoded",
			"multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "", "application/json; charset=utf-16", "\xff")
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.p.URL()+"/"+a.path(r), body)
	if err != nil {
		return // the client library does not send this; raw does
	}
	req.Header["Content-Type"] = []string{kind}
	switch r.IntN(6) {
	case 0: // without a token
	case 1:
		req.Header.Set("Authorization", pick(r, "Bearer", "Bearer ", "Bearer x", "Basic Zm9v", "Bearer "+strings.Repeat("A", 9000), "bearer "+a.start.Token))
	default:
		req.Header.Set("Authorization", "Bearer "+a.start.Token)
	}
	if r.IntN(8) == 0 {
		req.Header.Set(pick(r, "Accept-Encoding", "X-HTTP-Method-Override", "If-None-Match", "Range", "Origin", "Content-Encoding", "Expect"),
			pick(r, "gzip", "DELETE", "*", "bytes=0-99999999999", "null", "100-continue", "\x80\x81"))
	}
	began := time.Now()
	res, err := a.p.HTTP.Do(req)
	if err != nil {
		a.refusedToAnswer(err)
		return
	}
	b, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		a.note("answer cut short", 0)
		return
	}
	a.judge(method+" "+req.URL.Path, res, b, time.Since(began))
}

// refusedToAnswer counts connections that ended: a server may close one while it is still being flooded.
func (a *attacker) refusedToAnswer(err error) {
	switch text := err.Error(); {
	case strings.Contains(text, "connection reset"), strings.Contains(text, "broken pipe"), strings.Contains(text, "EOF"),
		strings.Contains(text, "invalid header"), strings.Contains(text, "closed"):
		a.note("connection closed", 0)
	default:
		a.wrong("no answer: %v", err)
	}
}

// documented says whether an error code is a row of the table.
var documented = func() map[int]bool {
	m := map[int]bool{}
	for _, e := range wa.All() {
		m[e.Code] = true
	}
	return m
}()

// judge accepts what the documentation promises, and nothing else.
func (a *attacker) judge(what string, res *http.Response, body []byte, took time.Duration) {
	if took > 10*time.Second {
		a.wrong("%s took %v", what, took)
	}
	switch {
	case res.StatusCode < 300, res.StatusCode == http.StatusNotModified:
		a.note(fmt.Sprint("HTTP ", res.StatusCode), took)
		return
	case res.StatusCode == http.StatusExpectationFailed && len(body) == 0: // net/http answers an unknown Expect by itself
		a.note("HTTP 417", took)
		return
	case res.StatusCode == http.StatusNotImplemented, strings.Contains(what, " /network/"):
		a.note(fmt.Sprint("other page, HTTP ", res.StatusCode), took)
		return
	}
	var e struct {
		Error *struct {
			Message string `json:"message"`
			Type    string `json:"type"`
			Code    *int   `json:"code"`
			Trace   string `json:"fbtrace_id"`
		} `json:"error"`
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Error == nil || e.Error.Code == nil {
		a.wrong("%s: HTTP %d and no error envelope: %.300q", what, res.StatusCode, body)
		return
	}
	if !documented[*e.Error.Code] || e.Error.Message == "" || e.Error.Type == "" || e.Error.Trace == "" {
		a.wrong("%s: HTTP %d, error not of the table: %.300s", what, res.StatusCode, body)
		return
	}
	if *e.Error.Code == 1 || *e.Error.Code == 131000 {
		a.wrong("%s: an unknown error, which nobody foresaw: %.300s", what, body)
	}
	a.note(fmt.Sprintf("HTTP %d, code %d", res.StatusCode, *e.Error.Code), took)
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func (a *attacker) path(r *rand.Rand) string {
	n, v := a.start.Number, pick(r, "v23.0/", "v23.0/", "v23.0/", "v17.0/", "", "v0.1/", "v99.0/", "v23/", "vv/", "//v23.0//")
	switch r.IntN(12) {
	case 0:
		return v + pick(r, "me", "debug_token?input_token=x", "oauth/access_token", "0", "-1", "99999999999999999999", "%00", "%ff%fe", "..%2f..%2fetc%2fpasswd", "a b")
	case 1:
		return v + n + "/" + pick(r, "messages/messages", "nothing", "%00", "register", "whatsapp_business_profile", "media", "request_code")
	case 2:
		return v + n + "?fields=" + pick(r, "id,id,id", "id{id{id{id{id{id{id{id}}}}}}}}", strings.Repeat("a,", 2000), "%7b%7b%7b", "%00", "id.limit(-1)", "*")
	case 3:
		return v + a.start.WABA + "/" + pick(r, "message_templates?limit=-1", "message_templates?after=%00", "phone_numbers?limit=100000000000000000000", "subscribed_apps", "message_templates?limit=1e9")
	case 4:
		return pick(r, "", "?", "network/v1/codes", "network/v1/devices", "network/v1/socket", "network/v1/unknown", "wa/manage/home/", "favicon.ico", "robots.txt", strings.Repeat("x/", 2000))
	case 5:
		return v + "?ids=" + strings.Repeat("1,", 200) + "&batch=" + strings.Repeat("%5b", 500)
	default:
		return v + n + "/messages"
	}
}

func (a *attacker) body(r *rand.Rand) []byte {
	if r.IntN(150) == 0 {
		return bytes.Repeat([]byte("A"), 10<<20)
	}
	if r.IntN(150) == 0 {
		return []byte(`{"messaging_product":"whatsapp","to":"` + a.start.User + `","type":"text","text":{"body":"` + strings.Repeat("x", 2<<20) + `"}}`)
	}
	switch r.IntN(14) {
	case 0:
		return nil
	case 1:
		return []byte(strings.Repeat("[", 100_000))
	case 2:
		return []byte(strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000))
	case 3:
		return []byte("\x00\x00\x00{}")
	case 4:
		return []byte("{\"messaging_product\":\"whatsapp\",\"to\":\"\xff\xfe\xc0\",\"type\":\"text\",\"text\":{\"body\":\"\xed\xa0\x80\"}}")
	case 5:
		b := make([]byte, r.IntN(3000))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		return b
	case 6:
		return []byte("batch=" + strings.Repeat(`[{"method":"GET","relative_url":"me"},`, 60))
	case 7:
		return []byte("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\x00\"\r\n\r\n" + strings.Repeat("y", 5000))
	default:
		return a.mutant(r)
	}
}

// mutant is a message with one or two members spoiled.
func (a *attacker) mutant(r *rand.Rand) []byte {
	m := map[string]any{
		"messaging_product": "whatsapp", "recipient_type": "individual", "to": a.start.User, "type": "text",
		"text": map[string]any{"body": "hello", "preview_url": false},
	}
	if r.IntN(3) == 0 {
		delete(m, "text")
		m["type"] = "template"
		m["template"] = map[string]any{"name": "hello_world", "language": map[string]any{"code": "en_US"}, "components": []any{
			map[string]any{"type": "body", "parameters": []any{map[string]any{"type": "text", "text": "x"}}},
		}}
	}
	for range 1 + r.IntN(2) {
		spoil(r, m)
	}
	b, err := json.Marshal(m)
	if err != nil {
		a.wrong("%v", err)
	}
	if r.IntN(5) == 0 && len(b) > 2 {
		b = b[:r.IntN(len(b))]
	}
	return b
}

func spoil(r *rand.Rand, m map[string]any) {
	keys := []string{
		"messaging_product", "recipient_type", "to", "type", "text", "template", "context", "biz_opaque_callback_data", "status",
		"message_id", "typing_indicator", "interactive", "image", "contacts", "reaction", "location", "recipient_identity_key_hash",
	}
	key := keys[r.IntN(len(keys))]
	if inner, ok := m[key].(map[string]any); ok && r.IntN(2) == 0 {
		for k := range inner {
			inner[k] = odd(r)
			return
		}
	}
	if r.IntN(4) == 0 {
		delete(m, key)
		return
	}
	m[key] = odd(r)
}

func odd(r *rand.Rand) any {
	return pick[any](r, nil, true, -1, 1e308, "", "\x00", strings.Repeat("é", 5000), []any{}, []any{nil, []any{map[string]any{}}},
		map[string]any{}, map[string]any{"": ""}, map[string]any{"body": 7, "id": nil, "name": []any{}}, "text", "read", "wamid.", "wamid.AAAA",
		"template", "interactive", "unsupported", "+", "16505555555 OR 1=1", "\u202e\ufeff", "9007199254740993")
}

// raw writes what no HTTP client would: the answer must be HTTP or a closed connection, and soon.
func (a *attacker) raw(r *rand.Rand) {
	d := net.Dialer{Timeout: 5 * time.Second}
	c, err := d.DialContext(a.t.Context(), "tcp", strings.TrimPrefix(a.p.URL(), "http://"))
	if err != nil {
		a.wrong("connect: %v", err)
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	path := "/v23.0/" + a.start.Number + "/messages"
	text := pick(r,
		"GET\r\n\r\n", "\x00\x01\x02\r\n\r\n", "GET "+path+"\x00 HTTP/1.1\r\nHost: x\r\n\r\n", "POST "+path+" HTTP/9.9\r\n\r\n",
		"POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"POST "+path+" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzzz\r\n",
		"GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: "+strings.Repeat("b", 100_000)+"\r\n\r\n",
		"GET "+path+" HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n",
		"GET /"+strings.Repeat("%41", 20_000)+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"GET http://169.254.169.254/latest HTTP/1.1\r\nHost: 169.254.169.254\r\nConnection: close\r\n\r\n",
		"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n",
		"GET /network/v1/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: no\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x00\xff",
	)
	_, _ = io.WriteString(c, text)
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
	began := time.Now()
	b, err := io.ReadAll(io.LimitReader(c, 64<<10))
	took := time.Since(began)
	switch {
	case len(b) > 0 && !bytes.HasPrefix(b, []byte("HTTP/")):
		a.wrong("raw %.60q: %.100q", text, b)
	case len(b) == 0 && err != nil && !strings.Contains(err.Error(), "reset"):
		a.wrong("raw %.60q: %v after %v", text, err, took)
	case len(b) == 0:
		a.note("raw: connection closed", took)
	default:
		a.note("raw: "+string(b[:min(12, len(b))]), took)
	}
}
