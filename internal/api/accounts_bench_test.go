package api_test

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/store/storetest"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// BenchmarkAccounts manages what one portfolio owns, 500 accounts with two numbers and 200 templates each, with 200 requests a
// second, whether or not the last were answered: reads, searches, lists, and three in ten write. Times are from the instant a
// request was due. Budget: 20 ms at p99 (spec/seed_checklist.md). Run it with -benchtime 6000x.
func BenchmarkAccounts(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkAccounts(b, store.Options{Dir: b.TempDir()}) })
	b.Run("postgres", func(b *testing.B) {
		if os.Getenv("HIKYAKU_TEST_POSTGRES") == "" {
			b.Skip("HIKYAKU_TEST_POSTGRES is not set; run through test/postgres.sh to measure PostgreSQL")
		}
		benchmarkAccounts(b, store.Options{DSN: storetest.Postgres(b)})
	})
}

const accountsOwned, templatesEach = 500, 200

func benchAccount(i int) string { return fmt.Sprintf("3%014d", i) }

func benchNumber(i int) string { return fmt.Sprintf("4%014d", i) }

func benchTemplate(i, j int) string { return fmt.Sprintf("7%06d%08d", i, j) }

// managed is a world with all the accounts.
func managed(b *testing.B, on store.Options) *world {
	b.Helper()
	const accounts, each = accountsOwned, templatesEach
	waba, number := benchAccount, benchNumber
	w := newWorld(b, func(o *api.Options) {
		s, err := store.Open(b.Context(), on)
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
					ID: wa.TemplateID(benchTemplate(i, j)), WABA: wa.WABAID(waba(i)), Name: fmt.Sprintf("order_update_%d", j), Language: "en_US",
					Category: template.Utility, Status: template.Approved, Format: template.Positional, Created: made,
					Components: []template.Component{{Type: template.Body, Text: "Hello {{1}}, your order {{2}} is ready.", Example: []byte(`{"body_text":[["Mio","A-2210"]]}`)}},
				})
			}
		}
		if err := s.SaveBusiness(b.Context(), set); err != nil {
			b.Fatal(err)
		}
		for list := range slices.Chunk(templates, each) {
			if err := s.SaveTemplates(b.Context(), list); err != nil {
				b.Fatal(err)
			}
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
	return w
}

// benchCall is a kind of call; the one for account i, the nth of all.
type benchCall struct {
	name string
	line func(i, n int) string
	body func(n int) string
}

func benchCalls() []benchCall {
	none := func(int) string { return "" }
	get := func(path func(i, n int) string) func(i, n int) string {
		return func(i, n int) string { return "GET /v23.0/" + path(i, n) }
	}
	under := func(edge string) func(i, n int) string {
		return get(func(i, _ int) string { return benchAccount(i) + edge })
	}
	return []benchCall{
		{"account", under(""), none},
		{"account-deep", under("?fields=name,status,health_status,owner_business_info,phone_numbers%7Bdisplay_phone_number%7D,message_templates.limit(5)%7Bname%7D"), none},
		{"accounts", get(func(_, n int) string {
			return fmt.Sprintf("%s/owned_whatsapp_business_accounts?limit=%d", aozora, 25+n%75)
		}), none},
		{"numbers", under("/phone_numbers"), none},
		{"number", get(func(i, _ int) string { return benchNumber(2 * i) }), none},
		{"templates", under("/message_templates?limit=25"), none},
		{"search", under("/message_templates?name=update_7&status=APPROVED"), none},
		{"create", func(i, _ int) string { return "POST /v23.0/" + benchAccount(i) + "/message_templates" }, func(n int) string {
			return fmt.Sprintf(`{"name":"new_%d","language":"en_US","category":"UTILITY","components":[{"type":"BODY","text":"This is number %d."}]}`, n, n)
		}},
		{"edit", func(i, n int) string { // never one that was edited before: it is in review
			return "POST /v23.0/" + benchTemplate(i, (n+n/(10*accountsOwned))%templatesEach)
		}, func(n int) string {
			return fmt.Sprintf(`{"components":[{"type":"BODY","text":"This is number %d."}]}`, n)
		}},
		{"rename", func(i, _ int) string { return "POST /v23.0/" + benchAccount(i) }, func(n int) string { return fmt.Sprintf(`{"name":"Shop %d"}`, n) }},
	}
}

func benchmarkAccounts(b *testing.B, on store.Options) {
	b.Helper()
	w, calls := managed(b, on), benchCalls()
	took := make([][]time.Duration, len(calls)+1) // by kind, and all of them
	var mu sync.Mutex
	var wg sync.WaitGroup
	b.ResetTimer()
	began := time.Now()
	for n := range b.N {
		due := began.Add(time.Duration(n) * time.Second / 200)
		time.Sleep(time.Until(due))
		wg.Go(func() {
			kind := n % len(calls)
			c := calls[kind]
			line := c.line((n/len(calls))*7919%accountsOwned, n)
			r := w.direct("admin", line, c.body(n))
			d := time.Since(due)
			mu.Lock()
			defer mu.Unlock()
			took[kind], took[len(calls)] = append(took[kind], d), append(took[len(calls)], d)
			if r.status != 200 {
				b.Errorf("%s: %d %s", line, r.status, r.body)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	for i, list := range took {
		if len(list) == 0 {
			continue
		}
		name := ""
		if i < len(calls) {
			name = calls[i].name + "-"
		}
		slices.Sort(list)
		at := func(q float64) float64 { return float64(list[int(q*float64(len(list)-1))].Microseconds()) / 1000 }
		b.ReportMetric(at(0.5), name+"p50-ms")
		b.ReportMetric(at(0.99), name+"p99-ms")
	}
}
