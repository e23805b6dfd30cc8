package graph_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/graph"
)

// Source: spec/graph.md 3.4 (pretty, callback) and 2.2 (the warning).
func TestPresentation(t *testing.T) {
	t.Parallel()
	plain := newRig(t, nil)
	scripts := newRig(t, func(o *graph.Options) { o.Carriers.Query = true })
	long := "f" + strings.Repeat("o", 200)
	for _, tc := range []struct {
		name       string
		rig        *rig
		line, body string
		status     int
		want       string // "…" at the end cuts the comparison
		kind       string
	}{
		{"compact by default", plain, "GET /v23.0/101?fields=id", "", 200, `{"id":"101"}`, "application/json"},
		{"pretty=0", plain, "GET /v23.0/101?fields=id&pretty=0", "", 200, `{"id":"101"}`, "application/json"},
		{"pretty=1", plain, "GET /v23.0/101?fields=id&pretty=1", "", 200, "{\n  \"id\": \"101\"\n}", "application/json"},
		{"pretty=true in a body", plain, "POST /v23.0/101", `{"name":"x","pretty":true}`, 200, "{\n  \"success\": true\n}", "application/json"},
		{"pretty errors", plain, "GET /v23.0/999?pretty=1", "", 400, "{\n  \"error\": {…", "application/json"},
		{"a nonsense value is no value", plain, "GET /v23.0/101?fields=id&pretty=maybe", "", 200, `{"id":"101"}`, "application/json"},
		{"callback is off", plain, "GET /v23.0/101?fields=id&callback=show", "", 200, `{"id":"101"}`, "application/json"},
		{"callback where tokens may be in the query", scripts, "GET /v23.0/101?fields=id&callback=my.show_1", "", 200, `/**/ my.show_1({"id":"101"});`, "text/javascript"},
		{"callback of an error", scripts, "GET /v23.0/999?callback=show", "", 200, `/**/ show({"error":{…`, "text/javascript"},
		{"callback of what is no path", scripts, "GET /v99.0/101?callback=show", "", 200, `/**/ show({"error":{…`, "text/javascript"},
		{"callback of a write", scripts, "POST /v23.0/101?callback=show", `{"name":"x"}`, 200, `{"success":true}`, "application/json"},
		{"callback with code", scripts, "GET /v23.0/101?fields=id&callback=alert(1)//", "", 200, `{"id":"101"}`, "application/json"},
		{"callback with an empty part", scripts, "GET /v23.0/101?fields=id&callback=a..b", "", 200, `{"id":"101"}`, "application/json"},
		{"callback that is a number", scripts, "GET /v23.0/101?fields=id&callback=1a", "", 200, `{"id":"101"}`, "application/json"},
		{"callback without end", scripts, "GET /v23.0/101?fields=id&callback=" + long, "", 200, `{"id":"101"}`, "application/json"},
	} {
		w := tc.rig.do(tc.line, tc.body)
		got := w.Body.String()
		cut, open := strings.CutSuffix(tc.want, "…")
		same := got == tc.want || open && strings.HasPrefix(got, cut)
		if w.Code != tc.status || !same {
			t.Errorf("%s: %d %s", tc.name, w.Code, got)
		}
		if kind := w.Header().Get("Content-Type"); kind != tc.kind+"; charset=UTF-8" {
			t.Errorf("%s: content type %q", tc.name, kind)
		}
	}
	for line, want := range map[string]string{
		"GET /v13.0/101": "The call has been upgraded to v19.0 as v13.0 is no longer available.", "GET /v23.0/101": "", "GET /101": "",
	} {
		if got := plain.do(line, "").Header().Get("Facebook-Api-Version-Warning"); got != want {
			t.Errorf("%s: warning %q", line, got)
		}
	}
}

// Metrics and log tell what happened, also where the caller is told 200.
func TestRefusalsAreCountedAsSuch(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *graph.Options) { o.Carriers.Query = true })
	for _, query := range []string{"callback=show", "suppress_http_code=1"} {
		if w := r.do("GET /v23.0/999?"+query, ""); w.Code != 200 {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	if got := strings.Join(r.counter.routes, ","); got != "unknown 400,unknown 400" {
		t.Errorf("counted %s", got)
	}
}

// Source: spec/graph.md 10.1.
func TestCompression(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	long := "GET /v23.0/100?pretty=1&fields=id"
	for i := range 100 {
		long += ",name.as(alias_" + strconv.Itoa(i) + ")"
	}
	whole := r.do(long, "")
	if whole.Header().Get("Content-Encoding") != "" {
		t.Fatal("compressed without being asked")
	}
	for accept, want := range map[string]bool{
		"gzip": true, "deflate, GZIP;q=0.5": true, "*": true, "gzip;q=x": true, "*;q=0, gzip": true,
		"": false, "gzip;q=0": false, "br": false, "identity;q=1, *;q=0.0": false, "*, gzip;q=0": false,
	} {
		w := r.do(long, "", "Accept-Encoding: "+accept)
		body := w.Body.String()
		if want {
			if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Content-Length") == whole.Header().Get("Content-Length") {
				t.Errorf("%q: headers %v", accept, w.Header())
				continue
			}
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			body = string(b)
		}
		if body != whole.Body.String() || w.Header().Get("Etag") != whole.Header().Get("Etag") {
			t.Errorf("%q: %d bytes instead of %d", accept, len(body), whole.Body.Len())
		}
	}
	if w := r.do("GET /v23.0/101", "", "Accept-Encoding: gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Error("a short answer is compressed")
	}
	if w := r.do(long, "", "Accept-Encoding: gzip", "If-None-Match: *"); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("304 with %d bytes", w.Body.Len())
	}
}
