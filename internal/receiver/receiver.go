package receiver

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// maxBody of a delivery. Source: spec/webhooks.md section 3.
const maxBody = 3 << 20

// Receiver is an http.Handler for one app's webhooks.
type Receiver struct {
	AppSecret   string // verifies X-Hub-Signature-256; empty prints payloads as unverified
	VerifyToken string // what hub.verify_token must be; empty takes any
	Print       *Printer

	mu   sync.Mutex
	seen int
}

// ServeHTTP answers GET with the handshake and POST with the delivery.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch req.Method {
	case http.MethodGet:
		r.handshake(w, req)
	case http.MethodPost:
		r.deliver(w, req)
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "only GET and POST", http.StatusMethodNotAllowed)
	}
}

func (r *Receiver) handshake(w http.ResponseWriter, req *http.Request) {
	q := req.URL.Query()
	ok := q.Get("hub.mode") == "subscribe" &&
		(r.VerifyToken == "" || subtle.ConstantTimeCompare([]byte(q.Get("hub.verify_token")), []byte(r.VerifyToken)) == 1)
	if !ok {
		r.Print.note("handshake refused: the verify token is not ours")
		http.Error(w, "verify token mismatch", http.StatusForbidden)
		return
	}
	r.Print.note("handshake answered: this URL is verified")
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, q.Get("hub.challenge"))
}

func (r *Receiver) deliver(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		http.Error(w, "body too large or cut off", http.StatusBadRequest)
		return
	}
	err = r.check(req.Header.Get("X-Hub-Signature-256"), body)
	if errors.Is(err, errSignature) {
		r.Print.payload(r.count(), err, body)
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	r.Print.payload(r.count(), err, body)
	w.WriteHeader(http.StatusOK)
}

func (r *Receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen++
	return r.seen
}

var (
	errSignature  = errors.New("signature does not match")
	errUnverified = errors.New("signature not checked: no app secret given")
)

// check compares the signature over the bytes as they came. Source: spec/webhooks.md section 4.
func (r *Receiver) check(header string, body []byte) error {
	if r.AppSecret == "" {
		return errUnverified
	}
	sent, err := hex.DecodeString(strings.TrimPrefix(header, "sha256="))
	if err != nil {
		return fmt.Errorf("%w: header is not hex", errSignature)
	}
	mac := hmac.New(sha256.New, []byte(r.AppSecret))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), sent) {
		return errSignature
	}
	return nil
}
