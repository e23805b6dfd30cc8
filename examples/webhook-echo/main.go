// Webhook-echo is a webhook receiver to copy: it answers the verification handshake, checks the signature of every
// delivery, prints the payload and answers 200. It needs nothing but the standard library.
//
//	eval "$(hikyaku env --export)"   # or VERIFY_TOKEN=… APP_SECRET=…
//	go run ./examples/webhook-echo -listen 127.0.0.1:9000
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "address to listen on")
	flag.Parse()
	verifyToken, appSecret := os.Getenv("VERIFY_TOKEN"), os.Getenv("APP_SECRET")
	if verifyToken == "" || appSecret == "" { // without them anybody could sign
		fmt.Fprintln(os.Stderr, "VERIFY_TOKEN and APP_SECRET are not set; hikyaku env --export prints them")
		os.Exit(2)
	}
	server := &http.Server{
		Addr:              *listen,
		Handler:           handler(verifyToken, appSecret, os.Stdout),
		ReadHeaderTimeout: 5 * time.Second,
	}
	fmt.Fprintln(os.Stderr, "listening on http://"+*listen)
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func handler(verifyToken, appSecret string, out io.Writer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("hub.mode") != "subscribe" || q.Get("hub.verify_token") != verifyToken {
			http.Error(w, "verify token mismatch", http.StatusForbidden)
			return
		}
		fmt.Fprint(w, q.Get("hub.challenge"))
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		// Read the bytes first: the signature is over the body as it came, not over JSON written again.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 3<<20))
		if err != nil {
			http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
			return
		}
		if !signed(body, r.Header.Get("X-Hub-Signature-256"), appSecret) {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		// Answer quickly; real work belongs in a queue. Expect duplicates: keep messages[].id and (statuses[].id, status).
		w.WriteHeader(http.StatusOK)
		var pretty bytes.Buffer
		if json.Indent(&pretty, body, "", "  ") == nil {
			body = pretty.Bytes()
		}
		fmt.Fprintf(out, "%s\n\n", body)
	})
	return mux
}

func signed(body []byte, header, secret string) bool {
	sent, err := hex.DecodeString(strings.TrimPrefix(header, "sha256="))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), sent)
}
