package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestEcho(t *testing.T) {
	t.Parallel()
	const body = `{"object":"x","t":"caf\u00e9 \/"}` // the signature vector of spec/webhooks.md section 4.3
	var out bytes.Buffer
	h := handler("s3cret", "bistro-secret", &out)
	do := func(method, target, sum string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(method, target, strings.NewReader(body))
		req.Header.Set("X-Hub-Signature-256", sum)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w
	}
	if w := do(http.MethodGet, "/?hub.mode=subscribe&hub.challenge=42&hub.verify_token=s3cret", ""); w.Body.String() != "42" {
		t.Errorf("handshake answered %q", w.Body)
	}
	if w := do(http.MethodGet, "/?hub.mode=subscribe&hub.challenge=42&hub.verify_token=no", ""); w.Code != http.StatusForbidden {
		t.Errorf("wrong token answered %d", w.Code)
	}
	if w := do(http.MethodPost, "/", "sha256=00"); w.Code != http.StatusUnauthorized || out.Len() != 0 {
		t.Errorf("wrong signature answered %d and printed %q", w.Code, out.String())
	}
	w := do(http.MethodPost, "/", "sha256=7d454998b27425307f33db8349d19ed3de31954e3bd981460f2e68d994733faf")
	if w.Code != http.StatusOK || !strings.Contains(out.String(), `"object": "x"`) {
		t.Errorf("signed delivery answered %d and printed %q", w.Code, out.String())
	}
}
