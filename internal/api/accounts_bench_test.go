package api_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// BenchmarkAccounts makes the calls that look at accounts, one after the other, while one portfolio owns 500 accounts with
// two numbers and twenty templates each, all in SQLite. Run it with -benchtime 2000x.
func BenchmarkAccounts(b *testing.B) {
	const accounts, each = 500, 20
	waba := func(i int) string { return fmt.Sprintf("3%014d", i) }
	number := func(i int) string { return fmt.Sprintf("4%014d", i) }
	w := newWorld(b, func(o *api.Options) {
		s, err := store.Open(b.Context(), store.Options{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		set := &business.Set{Portfolios: []*business.Portfolio{{ID: aozora, Name: "Aozora", MessagingLimit: business.Tier2K, Verification: business.Verified}}}
		var templates []*template.Template
		for i := range accounts {
			made := start.Add(-time.Duration(accounts-i) * time.Hour)
			set.WABAs = append(set.WABAs, &business.WABA{
				ID: wa.WABAID(waba(i)), Owner: aozora, Name: fmt.Sprintf("Shop %d", i), Currency: "JPY", Country: "JP", TimezoneID: "54",
				Namespace: "0b7c1e52_93aa_4d0e_8d1f_6a2f0c9d11e4", Status: business.WABAActive, Review: business.ReviewApproved, Created: made, Updated: made,
			})
			for j := range 2 {
				k := 2*i + j
				set.Numbers = append(set.Numbers, &business.Number{
					ID: wa.PhoneNumberID(number(k)), WABA: wa.WABAID(waba(i)), Business: aozora, WaID: wa.WaID(fmt.Sprintf("8150%08d", k)),
					Display: fmt.Sprintf("+81 50-%04d-%04d", k/10000, k%10000), CountryCode: "JP", DialCode: "81", VerifiedName: "Shop", NameStatus: business.NameApproved,
					Status: business.NumberConnected, CodeVerification: business.CodeVerified, Quality: business.QualityGreen, Mode: business.Live,
					Platform: business.CloudAPI, Level: business.Standard, Registered: true, Created: made, LastOnboarded: made,
				})
			}
			for j := range each {
				templates = append(templates, &template.Template{
					ID: wa.TemplateID(fmt.Sprintf("7%06d%08d", i, j)), WABA: wa.WABAID(waba(i)), Name: fmt.Sprintf("order_update_%d", j), Language: "en_US",
					Category: template.Utility, Status: template.Approved, Format: template.Positional, Created: made,
					Components: []template.Component{{Type: template.Body, Text: "Hello {{1}}, your order {{2}} is ready.", Example: []byte(`{"body_text":[["Mio","A-2210"]]}`)}},
				})
			}
		}
		if err := s.SaveBusiness(b.Context(), set); err != nil {
			b.Fatal(err)
		}
		if err := s.SaveTemplates(b.Context(), templates); err != nil {
			b.Fatal(err)
		}
		clk := clock.NewFake(start)
		if o.Business, err = business.New(b.Context(), s, business.Options{Clock: clk, IDKey: []byte("ids")}); err != nil {
			b.Fatal(err)
		}
		if o.Template, err = template.New(b.Context(), s, template.Options{Clock: clk}); err != nil {
			b.Fatal(err)
		}
		o.Clock, o.Log, o.Rand = clk, slog.New(slog.DiscardHandler), nil
	})
	for i := range accounts {
		if r := w.direct("admin", "POST /v23.0/"+waba(i)+"/subscribed_apps", ""); r.status != 200 {
			b.Fatal(r.body)
		}
	}
	for _, call := range []struct {
		name string
		line func(i int) string
		body string
	}{
		{"waba", func(i int) string { return "GET /v23.0/" + waba(i) }, ""},
		{"waba with everything", func(i int) string {
			return "GET /v23.0/" + waba(i) + "?fields=name,status,health_status,owner_business_info,phone_numbers%7Bdisplay_phone_number%7D,message_templates.limit(5)%7Bname%7D"
		}, ""},
		{"page of accounts", func(i int) string {
			return fmt.Sprintf("GET /v23.0/%s/owned_whatsapp_business_accounts?limit=%d", aozora, 25+i%75)
		}, ""},
		{"phone_numbers", func(i int) string { return "GET /v23.0/" + waba(i) + "/phone_numbers" }, ""},
		{"message_templates", func(i int) string { return "GET /v23.0/" + waba(i) + "/message_templates" }, ""},
		{"subscribed_apps", func(i int) string { return "GET /v23.0/" + waba(i) + "/subscribed_apps" }, ""},
		{"number", func(i int) string { return "GET /v23.0/" + number(2*i) }, ""},
		{"change of an account", func(i int) string { return "POST /v23.0/" + waba(i) }, `{"name":"Shop"}`},
	} {
		b.Run(call.name, func(b *testing.B) {
			took := make([]time.Duration, 0, b.N)
			for n := range b.N {
				line := call.line(n * 7919 % accounts)
				from := time.Now()
				r := w.direct("admin", line, call.body)
				took = append(took, time.Since(from))
				if r.status != 200 {
					b.Fatalf("%s: %d %s", line, r.status, r.body)
				}
			}
			slices.Sort(took)
			at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000 }
			b.ReportMetric(at(0.5), "p50-ms")
			b.ReportMetric(at(0.99), "p99-ms")
		})
	}
}
