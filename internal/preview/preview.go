package preview

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"code.dny.dev/ssrf"
	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"

	"github.com/hikyaku/hikyaku/internal/clock"
)

const (
	maxPage      = 300 << 10 // meta tags must lie within it; source: spec/messages.md section 9.1
	maxText      = 300       // characters of title and description that are kept
	connectTime  = 5 * time.Second
	fetchTime    = 8 * time.Second
	maxRedirects = 3 // source: spec/security.md S26
	cacheTime    = 10 * time.Minute
	cacheSize    = 1000
	userAgent    = "WhatsApp/2.23.20.0 A"
)

// Card is what a device shows. It is empty for a page without a title.
type Card struct {
	URL         string `json:"url"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Image       string `json:"image,omitempty"` // address of the image; the device decides whether to load it
}

// Fetcher makes cards. It is safe for concurrent use.
type Fetcher struct {
	client *http.Client
	clock  clock.Clock

	mu    sync.Mutex
	cards map[string]entry
}

type entry struct {
	card  []byte
	until time.Time
}

// New returns a Fetcher. private lets it reach private and loopback addresses on any port, for development; otherwise only
// public addresses on ports 80 and 443 are connected to, checked after name resolution, for every redirect again.
func New(private bool, c clock.Clock) *Fetcher {
	opts := []ssrf.Option{ssrf.WithPorts(80, 443)}
	if private {
		opts = []ssrf.Option{
			ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(
				netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"),
				netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16")),
			ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7")),
		}
	}
	dialer := &net.Dialer{Timeout: connectTime, Control: ssrf.New(opts...).Safe}
	return &Fetcher{
		clock: c, cards: map[string]entry{},
		client: &http.Client{
			Timeout:   fetchTime,
			Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: connectTime, DisableKeepAlives: true, MaxResponseHeaderBytes: 32 << 10},
			CheckRedirect: func(r *http.Request, via []*http.Request) error {
				if len(via) > maxRedirects || !allowed(r.URL) {
					return errors.New("redirect refused")
				}
				return nil
			},
		},
	}
}

func allowed(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

// Preview returns the JSON of a [Card], or nil when there is none to be had. Pages are remembered for ten minutes, also
// those without a card.
func (f *Fetcher) Preview(ctx context.Context, link string) []byte {
	u, err := url.Parse(link)
	if err != nil || !allowed(u) {
		return nil
	}
	now := f.clock.Now()
	f.mu.Lock()
	e, ok := f.cards[link]
	f.mu.Unlock()
	if ok && now.Before(e.until) {
		return e.card
	}
	card := f.fetch(ctx, u)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.cards) >= cacheSize {
		clear(f.cards)
	}
	f.cards[link] = entry{card, now.Add(cacheTime)}
	return card
}

func (f *Fetcher) fetch(ctx context.Context, u *url.URL) []byte {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "text/html,application/xhtml+xml")
	req.Header.Set("Accept-Language", "en")
	res, err := f.client.Do(req)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	kind := res.Header.Get("Content-Type")
	if res.StatusCode != http.StatusOK || !strings.Contains(kind, "html") {
		return nil
	}
	page, err := charset.NewReader(io.LimitReader(res.Body, maxPage), kind)
	if err != nil {
		return nil
	}
	c := read(page)
	if c.Title == "" {
		return nil
	}
	c.URL = u.String()
	b, err := json.Marshal(c)
	if err != nil {
		return nil
	}
	return b
}

// read collects the og: tags of a page, falling back to its title and description.
func read(page io.Reader) (c Card) {
	z := html.NewTokenizer(page)
	z.SetMaxBuf(maxPage)
	var title, description string
	for {
		switch z.Next() {
		case html.ErrorToken:
			return c.or(title, description)
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch t.Data {
			case "title":
				if title == "" && z.Next() == html.TextToken {
					title = z.Token().Data
				}
			case "meta":
				meta(t, &c, &description)
			case "body":
				return c.or(title, description)
			}
		}
	}
}

func meta(t html.Token, c *Card, description *string) {
	var name, content string
	for _, a := range t.Attr {
		switch a.Key {
		case "property", "name":
			name = strings.ToLower(a.Val)
		case "content":
			content = a.Val
		}
	}
	switch name {
	case "og:title":
		c.Title = clip(content)
	case "og:description":
		c.Description = clip(content)
	case "og:image":
		c.Image = content
	case "description":
		*description = content
	}
}

func (c Card) or(title, description string) Card {
	if c.Title == "" {
		c.Title = clip(title)
	}
	if c.Description == "" {
		c.Description = clip(description)
	}
	if u, err := url.Parse(c.Image); err != nil || !allowed(u) {
		c.Image = ""
	}
	return c
}

func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText-1]) + "…"
	}
	return s
}
