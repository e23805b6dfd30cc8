// Contact-sync keeps the contacts of a CRM in step with what users do: a webhook receiver that writes down who wrote, under
// which name, when, and whether they want marketing messages. It shows what a real endpoint needs beyond printing: it
// stores before it answers, and repeats and disorder change nothing.
//
//	VERIFY_TOKEN=… APP_SECRET=… go run ./examples/contact-sync -listen 127.0.0.1:9000 -file contacts.json
//	curl http://127.0.0.1:9000/contacts
//
// Subscribe the app to the fields messages and user_preferences. It needs nothing but the standard library.
package main

import (
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
	file := flag.String("file", "contacts.json", "where the contacts are kept")
	flag.Parse()
	if err := run(*listen, *file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(listen, file string) error {
	book, err := open(file)
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr: listen, ReadHeaderTimeout: 5 * time.Second,
		Handler: handler(book, os.Getenv("VERIFY_TOKEN"), os.Getenv("APP_SECRET")),
	}
	fmt.Fprintln(os.Stderr, "listening on http://"+listen)
	return server.ListenAndServe()
}

func handler(book *book, verifyToken, appSecret string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /contacts", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(book.list()) // a reader that has gone cannot be told
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("hub.mode") != "subscribe" || q.Get("hub.verify_token") != verifyToken {
			http.Error(w, "verify token mismatch", http.StatusForbidden)
			return
		}
		fmt.Fprint(w, q.Get("hub.challenge"))
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 3<<20))
		if err != nil {
			http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
			return
		}
		if !signed(body, r.Header.Get("X-Hub-Signature-256"), appSecret) {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		// After 200 the platform forgets the payload. So it is on disk before; otherwise 500, and it comes again.
		if err := book.apply(body); err != nil {
			fmt.Fprintln(os.Stderr, err)
			http.Error(w, "not stored", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusOK)
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
