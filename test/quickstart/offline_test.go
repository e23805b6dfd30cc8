package quickstart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/test/child"
)

// inside is the variable that tells the test that it runs in a network of its own.
const inside = "HIKYAKU_TEST_NETWORK"

// A sandbox calls nobody: not at its start, not while messages, media and webhooks go to and fro. The test starts itself
// again in a network namespace in which every address is local, and listens where calls to the world would go.
func TestNothingLeavesTheMachine(t *testing.T) {
	if os.Getenv(inside) != "" {
		runInside(t)
		return
	}
	t.Parallel()
	for _, probe := range [][]string{{"ip", "-V"}, {"unshare", "-rn", "true"}} {
		if out, err := exec.CommandContext(t.Context(), probe[0], probe[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no network namespaces here: %v: %v %s", probe, err, out)
		}
	}
	binary, err := child.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-rn", os.Args[0], "-test.run=^TestNothingLeavesTheMachine$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"="+binary)
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS")) {
		t.Fatalf("%v\n%s", err, out)
	}
}

// trap remembers who called out.
type trap struct {
	mu    sync.Mutex
	calls []string
	heard chan struct{}
}

func (tr *trap) note(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.calls = append(tr.calls, fmt.Sprintf(format, args...))
	select {
	case tr.heard <- struct{}{}:
	default:
	}
}

func (tr *trap) seen() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return append([]string(nil), tr.calls...)
}

// set listens for names that are looked up, and for web and mail servers, relays and message brokers.
func set(t *testing.T) *trap {
	t.Helper()
	tr := &trap{heard: make(chan struct{}, 1)}
	udp, err := net.ListenPacket("udp4", "0.0.0.0:53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	go func() {
		for b := make([]byte, 512); ; {
			n, from, err := udp.ReadFrom(b)
			if err != nil {
				return
			}
			tr.note("name looked up from %s: %q", from, b[:n])
		}
	}()
	for _, port := range []string{"53", "80", "443", "25", "587", "853", "4222", "5222", "8443"} {
		l, err := net.Listen("tcp4", "0.0.0.0:"+port)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				tr.note("%s called", c.LocalAddr())
				_ = c.Close()
			}
		}()
	}
	return tr
}

func runInside(t *testing.T) {
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"route", "add", "local", "0.0.0.0/0", "dev", "lo"}} {
		if out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v %s", args, err, out)
		}
	}
	tr := set(t)
	life(t, os.Getenv(inside))
	if calls := tr.seen(); len(calls) > 0 {
		t.Errorf("calls to the world: %q", calls)
	}
	// The trap works: one call is heard.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var d net.Dialer
	if c, err := d.DialContext(ctx, "tcp4", "203.0.113.7:443"); err == nil {
		_ = c.Close()
	}
	select {
	case <-tr.heard:
	case <-ctx.Done():
		t.Error("the trap does not hear calls")
	}
}

// life is a short one: start, webhooks, a message, a template, a file, an answer, stop.
func life(t *testing.T, binary string) {
	t.Helper()
	starter := child.Declared()
	config := t.TempDir() + "/starter.yaml"
	if err := os.WriteFile(config, []byte(starter.YAML()), 0o600); err != nil {
		t.Fatal(err)
	}
	p := child.Place{
		Program: binary, Data: t.TempDir(), Args: []string{"--sandbox", "--config", config}, Log: &bytes.Buffer{},
		Clock: clock.System(), HTTP: &http.Client{},
	}
	var err, err2 error
	p.Public, err = child.Port(t.Context())
	p.Control, err2 = child.Port(t.Context())
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	server, err := p.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	if err := server.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	receiver := &child.Receiver{Secret: starter.Secret, Verify: starter.Verify}
	hooks := httptest.NewServer(receiver)
	t.Cleanup(hooks.Close)
	graph := func(path, token string, body any) {
		t.Helper()
		a, err := p.Graph(t.Context(), http.MethodPost, "v23.0/"+path, token, body)
		if err != nil || a.Status != http.StatusOK {
			t.Fatalf("%s: %v %+v", path, err, a)
		}
	}
	graph(starter.App+"/subscriptions", starter.App+"|"+starter.Secret, map[string]any{
		"object": "whatsapp_business_account", "callback_url": hooks.URL, "verify_token": starter.Verify, "fields": []string{"messages"},
	})
	graph(starter.WABA+"/subscribed_apps", starter.Token, nil)
	graph(starter.Number+"/messages", starter.Token, child.Text(starter.User, "Hello"))
	graph(starter.Number+"/messages", starter.Token, child.Hello("14155550123", ""))
	for _, call := range []struct {
		path string
		body any
	}{
		{"/control/v1/users/" + starter.User + "/messages", map[string]any{"type": "image"}},
		{"/control/v1/idle", map[string]any{"timeout": "20s"}},
	} {
		if a, err := p.Do(t.Context(), http.MethodPost, call.path, call.body); err != nil || a.Status != http.StatusOK {
			t.Fatalf("%s: %v %+v", call.path, err, a)
		}
	}
	if updates, _, _ := receiver.Counts(); updates < 5 { // two messages sent and read, one received
		t.Errorf("%d webhooks came: %+v", updates, receiver.Updates())
	}
	for _, problem := range receiver.Problems() {
		t.Error(problem)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
}
