package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/clock"
)

const secret = "bistro-secret"

func receiver(t *testing.T) *Receiver {
	t.Helper()
	r, err := NewReceiver(t.Context(), clock.NewFake(start), secret, "token", 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// talk sends raw bytes and returns the statuses of the answers, until the connection ends.
func talk(t *testing.T, r *Receiver, raw string) (answers []string) {
	t.Helper()
	c, err := net.Dial("tcp", r.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	b := bufio.NewReader(c)
	for {
		line, err := b.ReadString('\n')
		if err != nil {
			return answers
		}
		status := strings.TrimSpace(line)
		for strings.TrimSpace(line) != "" {
			if line, err = b.ReadString('\n'); err != nil {
				t.Fatalf("answer cut after %q", status)
			}
		}
		answers = append(answers, status)
	}
}

func signed(body, extra string) string {
	h := newSigner(secret).header([]byte(body))
	return fmt.Sprintf("POST /bench HTTP/1.1\r\nHost: h\r\nX-Hub-Signature-256: %s\r\nContent-Length: %d\r\n%s\r\n%s",
		h.Get("X-Hub-Signature-256"), len(body), extra, body)
}

func TestReceiverCounts(t *testing.T) {
	t.Parallel()
	r := receiver(t)
	l := NewLedger(start, nil)
	r.Count(l)
	s := sample{"1", "2", "3"}
	l.Accepted([]byte("a"), start)
	const ok = "HTTP/1.1 200 OK"
	raw := signed(string(s.status("a", "16505551234", "sent", start)), "") + // three on one connection, at once
		signed(string(s.status("a", "16505551234", "delivered", start)), "Expect: 100-continue\r\n") +
		signed(string(s.message("b", "16505551234", start)), "Connection: close\r\n")
	if got := talk(t, r, raw); strings.Join(got, ",") != ok+",HTTP/1.1 100 Continue,"+ok+","+ok {
		t.Errorf("answers %q", got)
	}
	forged := strings.Replace(signed(string(s.status("a", "16505551234", "read", start)), ""), "sha256=", "sha256=00", 1)
	unsigned := strings.Replace(signed(`{"entry":[]}`, ""), "X-Hub-Signature-256", "X-Other", 1)
	if got := talk(t, r, forged+unsigned+signed("no json", "")); len(got) != 3 {
		t.Errorf("answers %q", got)
	}
	r.Close() // the counts come after the answers
	want := Tally{Accepted: 1, Sent: 1, Delivered: 1, Read: 1, Inbound: 1, Opened: 2, Complete: 1}
	if got := l.Tally(); got != want {
		t.Errorf("tally %+v", got)
	}
	if p, c, f, m := r.posts.Load(), r.checked.Load(), r.forged.Load(), r.malformed.Load(); p != 6 || c != 6 || f != 2 || m != 1 {
		t.Errorf("%d POSTs, %d checked, %d forged, %d malformed", p, c, f, m)
	}
}

func TestReceiverIsHTTP(t *testing.T) {
	t.Parallel()
	r := receiver(t)
	for _, c := range []struct{ name, raw, want string }{
		{"the handshake", "GET /bench?hub.mode=subscribe&hub.challenge=115820&hub.verify_token=token HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK"},
		{"another token", "GET /bench?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 403 Forbidden"},
		{"another method", "PUT / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"},
		{"no HTTP", "hello\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		{"nothing", "", ""},
	} {
		if got := strings.Join(talk(t, r, c.raw), ","); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	res, err := http.Get(r.URL() + "?hub.mode=subscribe&hub.challenge=115820&hub.verify_token=token")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "115820" {
		t.Errorf("challenge %q, %v", b, err)
	}
}

// The client and servers of net/http: keep-alive, chunks, a body to the end, a server that closes.
func TestConn(t *testing.T) {
	t.Parallel()
	var peers []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		peers = append(peers, r.RemoteAddr) // one request at a time
		switch r.URL.Path {
		case "/chunks":
			w.(http.Flusher).Flush()
		case "/close":
			w.Header().Set("Connection", "close")
		case "/none":
			w.WriteHeader(http.StatusNoContent)
			return
		case "/hang":
			<-r.Context().Done()
			return
		}
		fmt.Fprintf(w, "%s %s", r.URL.Path, b)
	}))
	defer server.Close()
	addr, err := host(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{addr: addr}
	defer c.close()
	request := func(path string) []byte {
		return []byte("POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi")
	}
	for _, path := range []string{"/plain", "/chunks", "/none", "/close", "/plain"} {
		status, answer, err := c.post(t.Context(), request(path))
		want := path + " hi"
		if path == "/none" {
			want = ""
		}
		if err != nil || status/100 != 2 || string(answer) != want {
			t.Errorf("%s: %d %q, %v", path, status, answer, err)
		}
	}
	if peers[0] != peers[1] || peers[1] != peers[2] || peers[2] != peers[3] || peers[3] == peers[4] {
		t.Errorf("connections %v: one is kept until the server closes it", peers)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	go cancel(io.ErrNoProgress)
	if _, _, err := c.post(ctx, request("/hang")); err == nil || context.Cause(ctx) == nil {
		t.Errorf("after the end: %v", err)
	}
	if _, err := host("https://example.com"); err == nil {
		t.Error("https is taken for plain HTTP")
	}
	if a, err := host("http://localhost"); err != nil || a != "localhost:80" {
		t.Errorf("%s, %v", a, err)
	}
}
