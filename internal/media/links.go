package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"code.dny.dev/ssrf"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Bounds of a fetch. Sources: spec/media.md section 8, spec/security.md S24 to S29.
const (
	linkCache    = 10 * time.Minute // fixed, from the fetch on
	linkTime     = 30 * time.Second
	connectTime  = 5 * time.Second
	maxRedirects = 3
	maxLink      = 4096 // bytes of a URL
	userAgent    = "WhatsApp/2.23.20.0 facebookexternalhit/1.1"
)

// LinkOptions configure the fetch of media by link. Zero numbers mean the default in the comment.
type LinkOptions struct {
	Private   bool // private and loopback addresses on any port may be reached: for development
	Workers   int  // fetches at once; 32
	PerTenant int  // of them for one account; 8
	Cached    int  // links remembered; 4096
}

// Links fetches media by link: each URL once in ten minutes and account, whoever asks meanwhile gets the same file. It is
// safe for concurrent use.
type Links struct {
	s      *Service
	o      LinkOptions
	client *http.Client
	ctx    context.Context //nolint:containedctx // ends with Close; fetches belong to no caller
	stop   context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	cached  map[linkKey]cachedLink
	flights map[linkKey]*flight
	tenants map[wa.WABAID]*tenant
	ready   []*tenant // that have a flight to start and a worker left
	active  int
}

// linkKey is the scope of the cache: tenants cannot observe each other. Source: spec/media.md section 20.3.
type linkKey struct {
	waba wa.WABAID
	url  string
}

type cachedLink struct {
	m     *Media
	until time.Time
}

type flight struct {
	key     linkKey
	waiting []waiter
}

type waiter struct {
	kind  string
	voice bool
	done  func(*Media, string)
}

type tenant struct {
	id     wa.WABAID
	queue  []*flight
	active int
	ready  bool
}

// NewLinks returns a Links that stores what it fetches with s. Close it.
func NewLinks(s *Service, o LinkOptions) *Links {
	set := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	set(&o.Workers, 32)
	set(&o.PerTenant, 8)
	set(&o.Cached, 4096)
	l := &Links{
		s: s, o: o, client: newClient(o.Private),
		cached: map[linkKey]cachedLink{}, flights: map[linkKey]*flight{}, tenants: map[wa.WABAID]*tenant{},
	}
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

// newClient connects to public addresses on ports 80 and 443 alone, checked after name resolution and again for every
// redirect, unless private is set.
func newClient(private bool) *http.Client {
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
	return &http.Client{
		Timeout: linkTime,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: connectTime, DisableKeepAlives: true, DisableCompression: true,
			MaxResponseHeaderBytes: 32 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || !fetchable(r.URL) {
				return errors.New("redirect refused")
			}
			return nil
		},
	}
}

func fetchable(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

// ValidLink reports whether a link can be fetched at all: an http or https URL with a host and without user information.
func ValidLink(link string) bool {
	u, err := url.Parse(link)
	return err == nil && len(link) <= maxLink && fetchable(u)
}

// Get finds the file behind a link. done is called once: with the file and why a message cannot use it, in the words of
// error_data.details ("" when it can); or with neither, when the Links is closed. It is called at once when the answer is
// known, else from a worker.
func (l *Links) Get(waba wa.WABAID, link, kind string, voice bool, done func(m *Media, fault string)) {
	w := waiter{kind, voice, done}
	key := linkKey{waba, link}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		done(nil, "")
		return
	}
	if c, ok := l.cached[key]; ok && l.s.o.Clock.Now().Before(c.until) {
		l.mu.Unlock()
		l.s.Counts.LinkCached.Add(1)
		w.answer(c.m, "")
		return
	}
	defer l.mu.Unlock()
	if f, ok := l.flights[key]; ok {
		f.waiting = append(f.waiting, w)
		return
	}
	f := &flight{key, []waiter{w}}
	l.flights[key] = f
	t := l.tenants[waba]
	if t == nil {
		t = &tenant{id: waba}
		l.tenants[waba] = t
	}
	t.queue = append(t.queue, f)
	l.offer(t)
	l.start()
}

func (w *waiter) answer(m *Media, fault string) {
	if m != nil {
		fault = m.Unfit(w.kind, w.voice)
	}
	if fault != "" {
		m = nil
	}
	w.done(m, fault)
}

func (l *Links) offer(t *tenant) {
	if !t.ready && len(t.queue) > 0 && t.active < l.o.PerTenant {
		t.ready = true
		l.ready = append(l.ready, t)
	}
}

// start gives free workers to the tenants in turn.
func (l *Links) start() {
	for l.active < l.o.Workers && len(l.ready) > 0 && !l.closed {
		t := l.ready[0]
		l.ready = l.ready[1:]
		t.ready = false
		f := t.queue[0]
		t.queue = t.queue[1:]
		t.active++
		l.active++
		l.offer(t)
		l.wg.Go(func() { l.fly(t, f) })
	}
}

func (l *Links) fly(t *tenant, f *flight) {
	m, fault := l.fetch(f)
	if fault != "" {
		l.s.Counts.FetchFailed.Add(1)
	} else if m != nil {
		l.s.Counts.Fetched.Add(1)
	}
	l.mu.Lock()
	delete(l.flights, f.key)
	waiting := f.waiting
	if m != nil {
		l.remember(f.key, m)
	}
	t.active--
	l.active--
	l.offer(t)
	if t.active == 0 && len(t.queue) == 0 {
		delete(l.tenants, t.id)
	}
	l.start()
	l.mu.Unlock()
	for _, w := range waiting {
		w.answer(m, fault)
	}
}

// remember keeps a file for ten minutes. Failures are not kept. Source: spec/media.md section 20.3.
func (l *Links) remember(k linkKey, m *Media) {
	now := l.s.o.Clock.Now()
	if len(l.cached) >= l.o.Cached {
		for k, c := range l.cached {
			if !now.Before(c.until) {
				delete(l.cached, k)
			}
		}
		if len(l.cached) >= l.o.Cached {
			clear(l.cached)
		}
	}
	l.cached[k] = cachedLink{m, now.Add(linkCache)}
}

// Close ends all fetches; whoever waits is answered with nothing.
func (l *Links) Close() {
	l.mu.Lock()
	l.closed = true
	var queued []*flight
	for _, t := range l.tenants {
		queued = append(queued, t.queue...)
		t.queue = nil
	}
	l.ready = nil
	for _, f := range queued {
		delete(l.flights, f.key)
	}
	l.mu.Unlock()
	l.stop()
	for _, f := range queued {
		for _, w := range f.waiting {
			w.done(nil, "")
		}
	}
	l.wg.Wait()
}

const (
	faultUnreachable = "Downloading media from weblink failed: the server could not be reached or did not answer in time."
	faultInternal    = "Downloading media from weblink failed: the file could not be stored."
)

// fetch gets the file of a flight. fault is "" when it is there, or when everything is closed.
func (l *Links) fetch(f *flight) (m *Media, fault string) {
	ctx, cancel := context.WithTimeout(l.ctx, linkTime)
	defer cancel()
	m, fault = l.download(ctx, f)
	if l.ctx.Err() != nil && m == nil {
		return nil, ""
	}
	return m, fault
}

func (l *Links) download(ctx context.Context, f *flight) (*Media, string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.key.url, nil)
	if err != nil || !fetchable(req.URL) {
		return nil, faultUnreachable
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Accept-Encoding", "identity")
	res, err := l.client.Do(req)
	if err != nil {
		// Why is not told: it would say what the platform's own network looks like (spec/security.md S29).
		l.s.log.Debug("fetch link", "err", errors.Unwrap(err))
		return nil, faultUnreachable
	}
	defer res.Body.Close()
	declared := res.Header.Get("Content-Type")
	switch {
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Sprintf("Downloading media from weblink failed with http code %d, status message %s", res.StatusCode, http.StatusText(res.StatusCode))
	case res.Header.Get("Content-Encoding") != "" && res.Header.Get("Content-Encoding") != "identity":
		return nil, "Downloading media from weblink failed: the file is compressed in transit."
	case len(declared) > 100:
		return nil, "Downloading media from weblink failed: its Content-Type is too long."
	}
	limit, fault := l.weigh(f, declared)
	if fault != "" {
		return nil, fault
	}
	if res.ContentLength > limit {
		return nil, oversize(limit)
	}
	return l.keep(ctx, res.Body, declared, limit)
}

// weigh says how large a file of the declared type may be for those who wait for it; a fault when none can use the type.
func (l *Links) weigh(f *flight, declared string) (limit int64, fault string) {
	bare := Bare(declared)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range f.waiting {
		switch {
		case w.kind == Document:
			return MaxSize, ""
		case declared == "" || serves(bare, w.kind):
			limit = max(limit, ofKind(w.kind))
		default:
			fault = mismatch(kindOf(w.kind), declared, declared)
		}
	}
	if limit > 0 {
		return limit, ""
	}
	return 0, fault
}

func ofKind(kind string) int64 {
	switch kindOf(kind) {
	case Image:
		return maxImage
	case Audio, Video:
		return maxAudioVideo
	case Sticker:
		return maxAnimated
	}
	return MaxSize
}

func oversize(limit int64) string {
	return fmt.Sprintf("Downloading media from weblink failed: the file is larger than the limit of %d bytes for its type.", limit)
}

// keep stores the file. It gets no id: only messages refer to it.
func (l *Links) keep(ctx context.Context, body io.Reader, declared string, limit int64) (*Media, string) {
	src := &failing{r: body}
	file, err := l.s.store(ctx, src, limit, false)
	switch {
	case errors.Is(err, ErrTooLarge):
		return nil, oversize(limit)
	case errors.Is(err, ErrEmpty):
		return nil, "Downloading media from weblink failed: the file is empty."
	case err != nil && src.failed:
		return nil, faultUnreachable
	case err != nil:
		l.s.log.Error("store a fetched file", "err", err)
		return nil, faultInternal
	}
	if declared == "" {
		declared = file.look.MIME
	}
	m := file.media(declared)
	if err := l.s.o.Store.KeepBlob(ctx, m.Blob, m.BlobSize, l.s.keepUntil(m)); err != nil {
		l.s.log.Error("keep a fetched file", "err", err)
		return nil, faultInternal
	}
	return m, ""
}

// failing remembers whether its reader failed.
type failing struct {
	r      io.Reader
	failed bool
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.failed = true
	}
	return n, err
}
