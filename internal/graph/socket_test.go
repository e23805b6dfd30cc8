package graph_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What only a real connection shows: chunked bodies, lengths, HEAD, bodies that nobody reads.
func TestOverASocket(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(newRig(t, nil).srv)
	t.Cleanup(srv.Close)
	call := func(method, path string, body io.Reader, token string) (int, string, http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b), resp.Header
	}
	chunked := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }
	if code, body, _ := call("POST", "/v23.0/101/", chunked(`{"name":"N"}`), "good"); code != 200 || body != `{"success":true}` {
		t.Errorf("chunked: %d %s", code, body)
	}
	if code, body, _ := call("POST", "/v23.0/101", chunked(`{"name":"`+strings.Repeat("x", 2<<20)+`"}`), "good"); code != 413 {
		t.Errorf("chunked, too large: %d %s", code, body)
	}
	if code, _, _ := call("POST", "/v23.0/101", strings.NewReader(`{"name":"`+strings.Repeat("x", 1<<20)+`"}`), "x"); code != 401 {
		t.Errorf("body of an unknown caller: %d", code)
	}
	if code, body, h := call("HEAD", "/v23.0/100", nil, "good"); code != 200 || body != "" || h.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d %q %v", code, body, h)
	}
	if code, body, h := call("GET", "/v23.0/999", nil, "good"); code != 400 || body != bad33("get", "999") || h.Get("X-Fb-Trace-Id") != trace {
		t.Errorf("error: %d %s", code, body)
	}
}
