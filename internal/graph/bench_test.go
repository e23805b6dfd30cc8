package graph_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/graph"
)

const sendBody = `{"messaging_product":"whatsapp","recipient_type":"individual","to":"+15550177788","type":"text","text":{"preview_url":false,` +
	`"body":"Your table for four is booked for Friday at half past seven. Please tell us if you are late."},"context":{"message_id":` +
	`"wamid.HBgLMTU1NTAxNzc3ODgVAgASGBQzQTZGMTlDMkIw"},"biz_opaque_callback_data":"reservation:8841"}`

// sink is a ResponseWriter without the recorder's costs.
type sink struct{ h http.Header }

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

type rewind struct{ *strings.Reader }

func (rewind) Close() error { return nil }

// BenchmarkSend is POST /messages from the request to the answer. Budget: 10 µs, of which reading the body 3 µs.
func BenchmarkSend(b *testing.B) {
	r := newRig(b, func(o *graph.Options) {
		o.Log, o.Rand, o.Observer = slog.New(slog.DiscardHandler), nil, nil
		o.Auth = anyone{}
	})
	req := httptest.NewRequest(http.MethodPost, "/v23.0/301/messages", nil)
	req.Header.Set("Authorization", "Bearer good")
	req.Header.Set("Content-Type", "application/json")
	req.ContentLength = int64(len(sendBody))
	rd := strings.NewReader(sendBody)
	req.Body = rewind{rd}
	w := &sink{h: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		rd.Reset(sendBody)
		clear(w.h)
		r.srv.ServeHTTP(w, req)
	}
}

// BenchmarkBody is the part of BenchmarkSend that reads the body. Budget: 3 µs for 300 bytes.
func BenchmarkBody(b *testing.B) {
	b.SetBytes(int64(len(sendBody)))
	b.ReportAllocs()
	for b.Loop() {
		if graph.ParseForBenchmark(sendBody) != nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkList(b *testing.B) {
	r := newRig(b, func(o *graph.Options) { o.Log, o.Auth = slog.New(slog.DiscardHandler), anyone{} })
	req := httptest.NewRequest(http.MethodGet, "/v23.0/100?fields=id,name,phone_numbers.limit(3)%7Bid,display_phone_number,status%7D", nil)
	req.Header.Set("Authorization", "Bearer good")
	w := &sink{h: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		r.srv.ServeHTTP(w, req)
	}
}
