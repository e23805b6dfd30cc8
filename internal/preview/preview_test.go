package preview_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/preview"
)

func page(t *testing.T, status int, kind, body string, hits *atomic.Int32) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if hits != nil {
			hits.Add(1)
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestCards(t *testing.T) {
	t.Parallel()
	const og = `<html><head><title>Plain</title><meta property="og:title" content="Tonight&#39;s  menu"/>
<meta property="og:description" content="Soup"><meta property="og:image" content="https://x.example/a.jpg"></head><body>`
	for _, c := range []struct {
		name       string
		status     int
		kind, body string
		want       string // after the url
	}{
		{"og tags win", 200, "text/html; charset=utf-8", og, `"title":"Tonight's menu","description":"Soup","image":"https://x.example/a.jpg"}`},
		{"title is enough", 200, "text/html", "<title>Plain</title><body>", `"title":"Plain"}`},
		{"tags in the body do not count", 200, "text/html", `<body><meta property="og:title" content="late">`, ""},
		{"no html", 200, "application/pdf", og, ""},
		{"not found", 404, "text/html", og, ""},
		{"image address must be http", 200, "text/html", `<meta property="og:title" content="a"><meta property="og:image" content="file:///etc/passwd">`, `"title":"a"}`},
		{"tags behind 300 kB are not seen", 200, "text/html", "<head><!--" + strings.Repeat("x", 301<<10) + "-->" + og, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			u := page(t, c.status, c.kind, c.body, nil)
			got := string(preview.New(true, clock.System()).Preview(context.Background(), u))
			want := ""
			if c.want != "" {
				want = `{"url":"` + u + `",` + c.want
			}
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestInternalAddressesAreNotReached(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	inside := page(t, 200, "text/html", "<title>secret</title>", &hits)
	f := preview.New(false, clock.System())
	for _, link := range []string{
		inside, strings.Replace(inside, "127.0.0.1", "localhost", 1), "http://0x7f000001/", "http://[::1]/", "ftp://example.com/",
		"http://user:pw@example.com/", "http://169.254.169.254/latest/meta-data",
		"http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://100.64.0.1/", "http://0.0.0.0/", "http://2130706433/", "javascript:alert(1)", "://",
	} {
		if got := f.Preview(context.Background(), link); got != nil {
			t.Errorf("%s gave %s", link, got)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("an internal server was reached %d times", hits.Load())
	}
}

func TestPagesAreRemembered(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	u := page(t, 200, "text/html", "<title>a</title>", &hits)
	c := clock.NewFake(time.Unix(1_800_000_000, 0))
	f := preview.New(true, c)
	f.Preview(context.Background(), u)
	f.Preview(context.Background(), u)
	if hits.Load() != 1 {
		t.Errorf("fetched %d times within the cache time", hits.Load())
	}
	c.Advance(10 * time.Minute)
	f.Preview(context.Background(), u)
	if hits.Load() != 2 {
		t.Errorf("fetched %d times after the cache time", hits.Load())
	}
}

// FuzzPreview serves the bytes as a page: whatever they are, the card is small, valid JSON, or there is none.
func FuzzPreview(f *testing.F) {
	for _, s := range []string{"<title>a</title>", `<meta property="og:title" content="&#0;\xff"><meta property=og:image content=//x>`, "<title", "\xff\xfe", "<body>"} {
		f.Add(s)
	}
	var now atomic.Pointer[string]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(*now.Load()))
	}))
	f.Cleanup(s.Close)
	fetcher := preview.New(true, clock.System())
	f.Fuzz(func(t *testing.T, page string) {
		now.Store(&page)
		card := fetcher.Preview(t.Context(), s.URL)
		if card != nil && (!json.Valid(card) || !utf8.Valid(card) || len(card) > 16<<10) {
			t.Errorf("%q has the card %q", page, card)
		}
	})
}
