package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestURLRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"https://hooks.example/wa":            true,
		"https://hooks.example:8443/wa?x=1":   true,
		"HTTPS://hooks.example":               true,
		"http://localhost:9000/":              true,
		"http://127.0.0.1:9000/":              true,
		"http://127.9.9.9/":                   true,
		"http://[::1]:9000/":                  true,
		"http://echo.localhost/":              true,
		"http://hooks.example/wa":             false,
		"http://localhost.example/":           false,
		"http://10.0.0.1/":                    false,
		"ftp://hooks.example/":                false,
		"//hooks.example/":                    false,
		"/wa":                                 false,
		"":                                    false,
		"https://":                            false,
		"https://user@hooks.example/":         false,
		"https://user:secret@hooks.example/":  false,
		"https://hooks.example/#part":         false,
		"https://hooks.example/#":             false,
		"https://hooks.example:0/":            false,
		"https://hooks.example:99999/":        false,
		"https:hooks.example":                 false,
		"javascript:alert(1)":                 false,
		"https://hooks.example/\x00":          false,
		"https://hooks.example/%zz":           false,
		"http://127.0.0.1@evil.example/":      false,
		"http://127.0.0.1.evil.example/":      false,
		"https://hooks.example/wa\r\nX-Y: z":  false,
		"http://[::ffff:127.0.0.1]:9000/hook": true,
	} {
		_, err := URLRules{}.Parse(text)
		if (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && !errors.Is(err, wa.ErrCallbackURI) {
			t.Errorf("%q: %v is not the row for callbacks", text, err)
		}
	}
	if _, err := (URLRules{AllowInsecure: true}).Parse("http://hooks.example/wa"); err != nil {
		t.Errorf("http where allowed: %v", err)
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	t.Parallel()
	check := func(o TransportOptions, addr string) error {
		return newGuard(o).check(netip.MustParseAddrPort(addr))
	}
	for addr, want := range map[string][2]bool{ // allowed by default, with private addresses allowed
		"93.184.216.34:443":           {true, true},
		"93.184.216.34:80":            {true, true},
		"93.184.216.34:8443":          {false, false},
		"[2606:2800:220:1::1]:443":    {true, true},
		"127.0.0.1:443":               {false, true},
		"127.0.0.1:9000":              {false, true},
		"[::1]:9000":                  {false, true},
		"10.1.2.3:443":                {false, true},
		"172.16.0.1:443":              {false, true},
		"192.168.1.1:8080":            {false, true},
		"[fd00::1]:443":               {false, true},
		"169.254.169.254:80":          {false, false},
		"[fe80::1]:443":               {false, false},
		"100.64.0.1:443":              {false, false},
		"0.0.0.0:443":                 {false, false},
		"[::]:443":                    {false, false},
		"224.0.0.1:443":               {false, false},
		"255.255.255.255:443":         {false, false},
		"[::ffff:127.0.0.1]:443":      {false, true},
		"[::ffff:169.254.169.254]:80": {false, false},
		"[64:ff9b::7f00:1]:443":       {false, false},
		"[2002:7f00:1::]:443":         {false, false},
	} {
		for i, o := range []TransportOptions{{}, {Allow: PrivatePrefixes()}} {
			if err := check(o, addr); (err == nil) != want[i] || err != nil && !errors.Is(err, ErrAddress) {
				t.Errorf("%s, options %d: %v", addr, i, err)
			}
		}
	}
	if err := check(TransportOptions{Ports: []uint16{8443}}, "93.184.216.34:8443"); err != nil {
		t.Errorf("a port that was added: %v", err)
	}
}

func TestNamesAreResolvedOnce(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	h := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(h.Close)
	port := h.URL[strings.LastIndexByte(h.URL, ':'):]
	for name, answers := range map[string][]string{
		"loopback behind a name":    {"127.0.0.1"},
		"private and loopback":      {"10.0.0.1", "127.0.0.1"},
		"metadata":                  {"169.254.169.254"},
		"mapped loopback":           {"::ffff:127.0.0.1"},
		"public first, then inside": {}, // rebinding, below
	} {
		calls := 0
		tr := NewTransport(TransportOptions{lookup: func(context.Context, string) ([]netip.Addr, error) {
			calls++
			var out []netip.Addr
			for _, a := range answers {
				out = append(out, netip.MustParseAddr(a))
			}
			return out, nil
		}})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://inside.example"+port, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := tr.RoundTrip(req)
		if err == nil {
			_ = res.Body.Close()
		}
		if !errors.Is(err, ErrAddress) || calls != 1 {
			t.Errorf("%s: %v after %d look-ups", name, err, calls)
		}
	}
	if reached.Load() != 0 {
		t.Error("the receiver was reached")
	}
}

func TestRebindingChangesNothing(t *testing.T) {
	t.Parallel()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "first") }))
	t.Cleanup(h.Close)
	port := h.URL[strings.LastIndexByte(h.URL, ':'):]
	calls := 0
	tr := NewTransport(TransportOptions{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		lookup: func(context.Context, string) ([]netip.Addr, error) {
			if calls++; calls == 1 {
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}
			return []netip.Addr{netip.MustParseAddr("127.0.0.2")}, nil
		},
	})
	tr.DisableKeepAlives = true
	for i, want := range []bool{true, false} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://hooks.example"+port, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := tr.RoundTrip(req)
		if (err == nil) != want || calls != i+1 {
			t.Errorf("request %d: %v after %d look-ups", i, err, calls)
		}
		if err == nil {
			_ = res.Body.Close()
		}
	}
}

func TestHandshakeRefusesInnerAddresses(t *testing.T) {
	t.Parallel()
	h := newHook(t)
	s := newTestService(t, newMemStore(), TransportOptions{})
	err := s.Subscribe(t.Context(), request(h.URL))
	checkRefusal(t, err, "(#2200) Callback verification failed with the following errors: HTTP Status Code = 0; HTTP Message = Connection failed")
	if !errors.Is(err, ErrAddress) {
		t.Errorf("cause %v", err)
	}
}
