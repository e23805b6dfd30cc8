// Package flowtest is the business's side of a flow for tests: an endpoint that decrypts what it is asked, checks its
// signature and encrypts what it answers, written from the contract and not from the room. Source: spec/flows.md section 8.
package flowtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"sync"
	"testing"
)

// Question is what an endpoint reads.
type Question struct {
	Version   string         `json:"version"`
	Action    string         `json:"action"`
	Screen    string         `json:"screen"`
	Data      map[string]any `json:"data"`
	Token     string         `json:"flow_token"`
	Signature string         `json:"flow_token_signature"`
}

// Answer is what it says: an object to encrypt, or with a Status a body in clear.
type Answer struct {
	JSON   any
	Status int
	Body   string
}

// Endpoint is an http.Handler. Its fields may be changed while it serves, by [Endpoint.Set].
type Endpoint struct {
	secret string

	mu    sync.Mutex
	key   *rsa.PrivateKey
	on    func(Question) Answer
	asked []Question
	bad   int // requests that were no questions
}

// keys are made once: it takes a while.
var keys = sync.OnceValue(func() (k [2]*rsa.PrivateKey) {
	for i := range k {
		var err error
		if k[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return k
})

// New makes an endpoint whose app has this secret; it answers pings, and everything else as on says.
func New(secret string, on func(Question) Answer) *Endpoint {
	return &Endpoint{secret: secret, key: keys()[0], on: on}
}

// PublicKey is the key to upload, PEM; next is the one after [Endpoint.Rotate].
func (e *Endpoint) PublicKey(t testing.TB) string {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	der, err := x509.MarshalPKIXPublicKey(&e.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Rotate makes the endpoint decrypt with its other key only.
func (e *Endpoint) Rotate() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.key == keys()[0] {
		e.key = keys()[1]
	} else {
		e.key = keys()[0]
	}
}

// Set replaces what it answers.
func (e *Endpoint) Set(on func(Question) Answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.on = on
}

// Asked returns the questions since the last call, and how many requests were none.
func (e *Endpoint) Asked() (list []Question, bad int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	list, bad = e.asked, e.bad
	e.asked, e.bad = nil, 0
	return list, bad
}

// ServeHTTP implements http.Handler.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	e.mu.Lock()
	key, on := e.key, e.on
	e.mu.Unlock()
	refuse := func(status int) {
		e.mu.Lock()
		e.bad++
		e.mu.Unlock()
		w.WriteHeader(status)
	}
	h := hmac.New(sha256.New, []byte(e.secret))
	h.Write(body)
	if r.Header.Get("X-Hub-Signature-256") != "sha256="+hex.EncodeToString(h.Sum(nil)) {
		refuse(432)
		return
	}
	var in struct {
		Data string `json:"encrypted_flow_data"`
		Key  string `json:"encrypted_aes_key"`
		IV   string `json:"initial_vector"`
	}
	if json.Unmarshal(body, &in) != nil {
		refuse(http.StatusBadRequest)
		return
	}
	aesKey, err := rsa.DecryptOAEP(sha256.New(), nil, key, bytesOf(in.Key), nil)
	if err != nil || len(aesKey) != 16 {
		refuse(421)
		return
	}
	block, err := aes.NewCipher(aesKey)
	if err != nil {
		refuse(http.StatusInternalServerError)
		return
	}
	iv := bytesOf(in.IV)
	gcm, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		refuse(http.StatusBadRequest)
		return
	}
	plain, err := gcm.Open(nil, iv, bytesOf(in.Data), nil)
	var q Question
	if err != nil || json.Unmarshal(plain, &q) != nil {
		refuse(421)
		return
	}
	e.mu.Lock()
	e.asked = append(e.asked, q)
	e.mu.Unlock()
	a := Answer{JSON: map[string]any{"data": map[string]any{"status": "active"}}}
	if q.Action != "ping" || on(q).Status != 0 {
		a = on(q)
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
		_, _ = io.WriteString(w, a.Body)
		return
	}
	out, err := json.Marshal(a.JSON)
	if err != nil {
		refuse(http.StatusInternalServerError)
		return
	}
	for i := range iv {
		iv[i] ^= 0xff
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, base64.StdEncoding.EncodeToString(gcm.Seal(nil, iv, out, nil))) //nolint:gosec // G407: the protocol derives the nonce from the one that was asked with
}

func bytesOf(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
