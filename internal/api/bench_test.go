package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// sink is a ResponseWriter without the recorder's costs.
type sink struct {
	h      http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

type rewind struct{ *strings.Reader }

func (rewind) Close() error { return nil }

// nowhere accepts everything at once.
type nowhere struct{}

func (nowhere) Accept(context.Context, *pipeline.Outgoing) (wa.MessageID, error) {
	return "wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA", nil
}
func (nowhere) Mark(context.Context, wa.PhoneNumberID, wa.MessageID, bool) error { return nil }

func (nowhere) BlockUsers(context.Context, wa.PhoneNumberID, []wa.WaID, bool) ([]error, error) {
	return nil, nil
}

func (nowhere) Sent(context.Context, wa.PhoneNumberID, wa.MessageID) (*pipeline.Sent, error) {
	return nil, pipeline.ErrUnknown
}

func (nowhere) SentAt(context.Context, int64) (*pipeline.Sent, error) {
	return nil, pipeline.ErrUnknown
}

func (nowhere) History(context.Context, wa.PhoneNumberID, int64, bool, int) (pipeline.HistoryPage, error) {
	return pipeline.HistoryPage{}, nil
}

func (nowhere) Blocked(context.Context, wa.PhoneNumberID, wa.WaID, wa.WaID, int) ([]wa.WaID, error) {
	return nil, nil
}

func benchmarkSend(b *testing.B, body string) {
	b.Helper()
	w := newWorld(b, func(o *api.Options) {
		o.Log, o.Rand, o.Pipeline = slog.New(slog.DiscardHandler), nil, nowhere{}
	})
	req := httptest.NewRequest(http.MethodPost, "/v23.0/"+numLive+"/messages", nil)
	req.Header.Set("Authorization", "Bearer "+w.tokens["admin"])
	req.Header.Set("Content-Type", "application/json")
	req.ContentLength = int64(len(body))
	rd := strings.NewReader(body)
	req.Body = rewind{rd}
	rec := &sink{h: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		rd.Reset(body)
		clear(rec.h)
		w.handler.ServeHTTP(rec, req)
		if rec.status != http.StatusOK {
			b.Fatal(rec.status)
		}
	}
}

// BenchmarkSendText is POST /messages from the request to the answer, without the journal. Budget: 20 µs.
func BenchmarkSendText(b *testing.B) {
	benchmarkSend(b, `{"messaging_product":"whatsapp","recipient_type":"individual","to":"+16505555555","type":"text","text":{"preview_url":false,`+
		`"body":"Your table for four is booked for Friday at half past seven. Please tell us if you are late."},"biz_opaque_callback_data":"reservation:8841"}`)
}

// BenchmarkSendTemplate fills in two parameters and a button. Budget: 40 µs.
func BenchmarkSendTemplate(b *testing.B) {
	benchmarkSend(b, templateSend(`{"name":"order_ready","language":{"code":"en_US"},"components":[{"type":"body","parameters":[{"type":"text","text":"Ana"},{"type":"text","text":"17"}]},`+
		`{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"later-17"}]}]}`))
}
