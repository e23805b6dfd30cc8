package api_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
)

// proof is the appsecret_proof of a token.
func proof(token string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(token))
	return hex.EncodeToString(m.Sum(nil))
}

// recorded is a send with a context of the test's own.
func recorded(w *world, ctx context.Context, body string) (*http.Request, *httptest.ResponseRecorder) {
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, base+"/v23.0/"+numLive+"/messages", strings.NewReader(body))
	w.head(req, "admin", body, nil)
	return req, httptest.NewRecorder()
}
