package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPeerBehindProxy is about who is counted when a proxy stands in front: what the caller wrote into the header counts for nothing.
func TestPeerBehindProxy(t *testing.T) {
	t.Parallel()
	const proxy = "10.0.0.1:4711"
	for name, c := range map[string]struct {
		lines string // of X-Forwarded-For, separated by |
		want  string
	}{
		"no header":              {"", proxy},
		"one hop":                {"203.0.113.9", "203.0.113.9:0"},
		"what the caller sent":   {"198.51.100.1, 203.0.113.9", "203.0.113.9:0"},
		"in a line of its own":   {"198.51.100.1|203.0.113.9", "203.0.113.9:0"},
		"private":                {"198.51.100.1,192.168.0.9", "192.168.0.9:0"},
		"two proxies here":       {"198.51.100.1, 203.0.113.9, 127.0.0.1, ::1", "203.0.113.9:0"},
		"called on this machine": {"127.0.0.1", "127.0.0.1:0"},
		"IPv6":                   {"2001:db8::1", "[2001:db8::1]:0"},
		"IPv6 in brackets":       {"[2001:db8::1]", "[2001:db8::1]:0"},
		"IPv6 with a port":       {"[2001:db8::1]:99", "[2001:db8::1]:0"},
		"with a port":            {"203.0.113.9:99", "203.0.113.9:0"},
		"IPv4 in IPv6":           {"::ffff:203.0.113.9", "203.0.113.9:0"},
		"with a zone":            {"fe80::1%eth0", "[fe80::1]:0"},
		"no address":             {"unknown", proxy},
		"no address at the end":  {"203.0.113.9, unknown", proxy},
		"nothing at the end":     {"203.0.113.9,", proxy},
		"far too many":           {strings.Repeat("198.51.100.1,", 2000) + " 203.0.113.9", "203.0.113.9:0"},
		"nothing but commas":     {strings.Repeat(",", 2000), proxy},
		"nonsense before here":   {"unknown, 127.0.0.1", "127.0.0.1:0"},
	} {
		for _, behind := range []bool{true, false} {
			got := ""
			a := &App{o: Options{BehindProxy: behind}}
			a.platform.Store(&platform{public: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })})
			a.ready.Store(true)
			r := httptest.NewRequest(http.MethodGet, "/login/", nil)
			r.RemoteAddr = proxy
			for line := range strings.SplitSeq(c.lines, "|") {
				if line != "" {
					r.Header.Add("X-Forwarded-For", line)
				}
			}
			a.front().ServeHTTP(httptest.NewRecorder(), r)
			want := c.want
			if !behind {
				want = proxy
			}
			if got != want {
				t.Errorf("%s, behind a proxy %v: %s, want %s", name, behind, got, want)
			}
		}
	}
}
