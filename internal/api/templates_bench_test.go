package api_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// BenchmarkTemplates manages 100,000 templates of 500 accounts in SQLite with 200 requests a second: six in ten are lists,
// three reads or searches, one creates. Budget: 20 ms at p99 (spec/seed_checklist.md). Run it with -benchtime 2000x.
func BenchmarkTemplates(b *testing.B) {
	const accounts, each, rate = 500, 200, 200
	s, err := store.Open(b.Context(), store.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	clk := clock.NewFake(start)
	waba := func(i int) wa.WABAID { return wa.WABAID(fmt.Sprintf("3%014d", i)) }
	id := func(i, j int) wa.TemplateID { return wa.TemplateID(fmt.Sprintf("7%06d%08d", i, j)) }
	for i := range accounts {
		list := make([]*template.Template, each)
		for j := range each {
			list[j] = &template.Template{
				ID: id(i, j), WABA: waba(i), Name: fmt.Sprintf("order_update_%d", j), Language: "en_US", Category: template.Utility,
				Status: template.Approved, Format: template.Positional, Created: start.Add(-time.Duration(each-j) * time.Hour),
				Components: []template.Component{
					{Type: template.Header, Format: template.HeaderText, Text: "Your order"},
					{Type: template.Body, Text: strings.Repeat("Hello {{1}}, your order {{2}} is ready for pick-up today. ", 3), Example: []byte(`{"body_text":[["Mio","A-2210"]]}`)},
					{Type: template.Buttons, Buttons: []template.Button{{Type: template.QuickReply, Text: "Later"}}},
				},
			}
		}
		if err := s.SaveTemplates(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	ts, err := template.New(b.Context(), s, template.Options{Clock: clk})
	if err != nil {
		b.Fatal(err)
	}
	loaded := time.Since(began)
	w := newWorld(b, func(o *api.Options) { o.Template, o.Log, o.Rand = ts, slog.New(slog.DiscardHandler), nil })
	for i := range accounts {
		if _, err := w.business.CreateWABA(b.Context(), business.WABA{ID: waba(i), Owner: aozora, Name: "W"}); err != nil {
			b.Fatal(err)
		}
	}
	var (
		mu   sync.Mutex
		took []time.Duration
		wg   sync.WaitGroup
	)
	pace := time.NewTicker(time.Second / rate)
	defer pace.Stop()
	b.ResetTimer()
	for n := range b.N {
		<-pace.C
		account := (n * 7919) % accounts
		line, body := "GET /v23.0/"+string(waba(account))+"/message_templates?limit=25", ""
		switch n % 10 {
		case 0:
			line = "POST /v23.0/" + string(waba(account)) + "/message_templates"
			body = fmt.Sprintf(`{"name":"new_%d","language":"en_US","category":"UTILITY","components":[{"type":"BODY","text":"This is number %d."}]}`, n, n)
		case 1, 2:
			line = "GET /v23.0/" + string(id(account, n%each))
		case 3:
			line += "&name=update_7&status=APPROVED"
		}
		wg.Go(func() {
			from := time.Now()
			r := w.direct("admin", line, body)
			d := time.Since(from)
			mu.Lock()
			defer mu.Unlock()
			if took = append(took, d); r.status != 200 {
				b.Errorf("%s: %d %s", line, r.status, r.body)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(float64(loaded.Milliseconds()), "load-ms")
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}
