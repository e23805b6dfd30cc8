package media_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// origin is a web server that counts.
type origin struct {
	*httptest.Server
	hits atomic.Int32
	gate chan struct{} // closed: answers at once
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	o := &origin{gate: make(chan struct{})}
	close(o.gate)
	o.Server = httptest.NewServer(http.HandlerFunc(o.serve))
	t.Cleanup(o.Close)
	return o
}

func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	o.hits.Add(1)
	<-o.gate
	h := w.Header()
	switch r.URL.Path {
	case "/a.png":
		h.Set("Content-Type", "image/png")
		_, _ = w.Write(mediatest.PNG(20, 10))
	case "/menu.pdf":
		h.Set("Content-Type", "application/pdf")
		_, _ = w.Write(mediatest.PDF(1000))
	case "/page":
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>x</title>"))
	case "/lie.jpg":
		h.Set("Content-Type", "image/jpeg")
		_, _ = w.Write(mediatest.PNG(20, 10))
	case "/untyped":
		h["Content-Type"] = nil
		_, _ = w.Write(mediatest.PNG(20, 10))
	case "/large.jpg": // and does not say so
		h.Set("Content-Type", "image/jpeg")
		_, _ = w.Write(mediatest.JPEG(3 << 20))
		w.(http.Flusher).Flush()
		_, _ = w.Write(make([]byte, 3<<20))
	case "/announced.jpg":
		h.Set("Content-Type", "image/jpeg")
		h.Set("Content-Length", "6000000")
	case "/empty.png":
		h.Set("Content-Type", "image/png")
	case "/gzip.png":
		h.Set("Content-Type", "image/png")
		h.Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte("x"))
	case "/broken.png":
		h.Set("Content-Type", "image/png")
		h.Set("Content-Length", "100000")
		_, _ = w.Write(mediatest.PNG(20, 10))
	case "/data":
		h.Set("Content-Type", "application/x-odd")
		_, _ = w.Write([]byte("anything"))
	case "/voice.ogg":
		h.Set("Content-Type", "audio/ogg; codecs=opus")
		_, _ = w.Write(mediatest.Ogg(1))
	case "/three":
		http.Redirect(w, r, "/two", http.StatusFound)
	case "/two":
		http.Redirect(w, r, "/one", http.StatusFound)
	case "/one":
		http.Redirect(w, r, "/a.png", http.StatusFound)
	case "/four":
		http.Redirect(w, r, "/three", http.StatusFound)
	case "/metadata":
		http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
	case "/gone":
		w.WriteHeader(http.StatusGone)
	default:
		http.NotFound(w, r)
	}
}

type answer struct {
	m     *media.Media
	fault string
}

func get(t *testing.T, l *media.Links, waba wa.WABAID, link, kind string) answer {
	t.Helper()
	c := make(chan answer, 1)
	l.Get(waba, link, kind, false, func(m *media.Media, fault string) { c <- answer{m, fault} })
	return <-c
}

func newLinks(t *testing.T, w *world, o media.LinkOptions) *media.Links {
	t.Helper()
	l := media.NewLinks(w.Service, o)
	t.Cleanup(l.Close)
	return l
}

// Source: spec/media.md sections 8 and 15.
func TestLinks(t *testing.T) {
	t.Parallel()
	const unreachable = "Downloading media from weblink failed: the server could not be reached or did not answer in time."
	for _, c := range []struct{ path, kind, fault string }{
		{"/a.png", media.Image, ""},
		{"/menu.pdf", media.Document, ""},
		{"/menu.pdf", media.PDF, ""},
		{"/data", media.PDF, "Document file uploaded with mimetype as application/x-odd, however on processing it is of type application/x-odd. Please choose a different file."},
		{"/a.png", media.GIF, "Video file uploaded with mimetype as image/png, however on processing it is of type image/png. Please choose a different file."},
		{"/data", media.Document, ""},
		{"/a.png", media.Document, ""},
		{"/voice.ogg", media.Audio, ""},
		{"/untyped", media.Image, ""},
		{"/three", media.Image, ""},
		{"/four", media.Image, unreachable},
		{"/metadata", media.Image, unreachable},
		{"/menu", media.Image, "Downloading media from weblink failed with http code 404, status message Not Found"},
		{"/gone", media.Image, "Downloading media from weblink failed with http code 410, status message Gone"},
		{"/page", media.Image, "Image file uploaded with mimetype as text/html; charset=utf-8, however on processing it is of type text/html; charset=utf-8. Please choose a different file."},
		{"/menu.pdf", media.Video, "Video file uploaded with mimetype as application/pdf, however on processing it is of type application/pdf. Please choose a different file."},
		{"/lie.jpg", media.Image, "Image file uploaded with mimetype as image/jpeg, however on processing it is of type image/png. Please choose a different file."},
		{"/large.jpg", media.Image, "Downloading media from weblink failed: the file is larger than the limit of 5242880 bytes for its type."},
		{"/announced.jpg", media.Image, "Downloading media from weblink failed: the file is larger than the limit of 5242880 bytes for its type."},
		{"/large.jpg", media.Document, ""},
		{"/empty.png", media.Image, "Downloading media from weblink failed: the file is empty."},
		{"/gzip.png", media.Image, "Downloading media from weblink failed: the file is compressed in transit."},
		{"/broken.png", media.Image, unreachable},
	} {
		t.Run(c.kind+c.path, func(t *testing.T) {
			t.Parallel()
			o, w := newOrigin(t), newWorld(t)
			got := get(t, newLinks(t, w, media.LinkOptions{Private: true}), waba, o.URL+c.path, c.kind)
			if got.fault != c.fault || (got.m == nil) != (c.fault != "") {
				t.Errorf("got %+v", got)
			}
			if got.m == nil && strings.Contains(got.fault, "127.0.0.1") {
				t.Error("an address is told")
			}
			if got.m != nil && (got.m.ID != "" || got.m.Size == 0 || w.files(t) != 1) {
				t.Errorf("media %+v, %d files", got.m, w.files(t))
			}
			if got.m == nil && w.files(t) > 0 && c.path != "/lie.jpg" {
				t.Errorf("%d files are left", w.files(t))
			}
		})
	}
}

// Source: spec/media.md section 20.3.
func TestALinkIsFetchedOnceInTenMinutes(t *testing.T) {
	t.Parallel()
	o, w := newOrigin(t), newWorld(t)
	l := newLinks(t, w, media.LinkOptions{Private: true})
	link := o.URL + "/a.png"
	for _, step := range []struct {
		wait time.Duration
		waba wa.WABAID
		link string
		hits int32
	}{
		{0, waba, link, 1},
		{5 * time.Minute, waba, link, 1},
		{time.Minute, waba, link + "?v=2", 2},
		{0, "another account", link, 3},
		{4 * time.Minute, waba, link, 4}, // ten minutes from the first fetch, not from the last use
	} {
		w.clock.Advance(step.wait)
		if got := get(t, l, step.waba, step.link, media.Image); got.m == nil {
			t.Fatal(got.fault)
		}
		if n := o.hits.Load(); n != step.hits {
			t.Errorf("after %v: %d fetches, want %d", step.wait, n, step.hits)
		}
	}
	get(t, l, waba, o.URL+"/gone", media.Image)
	get(t, l, waba, o.URL+"/gone", media.Image)
	if n := o.hits.Load(); n != 6 {
		t.Errorf("a failure was remembered: %d fetches", n)
	}
}

// A thousand messages with the same link at once are one fetch, and none holds a goroutine.
func TestManyAskForTheSameLink(t *testing.T) {
	t.Parallel()
	o, w := newOrigin(t), newWorld(t)
	o.gate = make(chan struct{})
	l := newLinks(t, w, media.LinkOptions{Private: true})
	var all sync.WaitGroup
	var blob sync.Map
	for range 1000 {
		all.Add(1)
		l.Get(waba, o.URL+"/a.png", media.Image, false, func(m *media.Media, fault string) {
			defer all.Done()
			if m == nil {
				t.Error(fault)
				return
			}
			blob.Store(m.Blob, true)
		})
	}
	close(o.gate)
	all.Wait()
	n := 0
	blob.Range(func(any, any) bool { n++; return true })
	if n != 1 || o.hits.Load() != 1 {
		t.Errorf("%d blobs of %d fetches", n, o.hits.Load())
	}
}

// An account whose origins hang leaves workers to others.
func TestWorkersAreShared(t *testing.T) {
	t.Parallel()
	slow, fast, w := newOrigin(t), newOrigin(t), newWorld(t)
	slow.gate = make(chan struct{})
	l := newLinks(t, w, media.LinkOptions{Private: true, Workers: 4, PerTenant: 2})
	var all sync.WaitGroup
	for i := range 20 {
		all.Add(1)
		l.Get(waba, fmt.Sprintf("%s/a.png?%d", slow.URL, i), media.Image, false, func(*media.Media, string) { all.Done() })
	}
	for i := range 10 {
		if got := get(t, l, "other", fmt.Sprintf("%s/a.png?%d", fast.URL, i), media.Image); got.m == nil {
			t.Fatal(got.fault)
		}
	}
	if n := slow.hits.Load(); n > 2 {
		t.Errorf("%d fetches for one account at once", n)
	}
	close(slow.gate)
	all.Wait()
	if n := slow.hits.Load(); n != 20 {
		t.Errorf("%d of 20 fetched", n)
	}
}

func TestCloseAnswersEverybody(t *testing.T) {
	t.Parallel()
	o, w := newOrigin(t), newWorld(t)
	o.gate = make(chan struct{})
	l := media.NewLinks(w.Service, media.LinkOptions{Private: true, Workers: 1})
	answers := make(chan answer, 3)
	for i := range 3 {
		l.Get(waba, fmt.Sprintf("%s/a.png?%d", o.URL, i), media.Image, false, func(m *media.Media, fault string) { answers <- answer{m, fault} })
	}
	l.Close()
	close(o.gate)
	for range 3 {
		if a := <-answers; a.m != nil || a.fault != "" {
			t.Errorf("%+v", a)
		}
	}
	if a := get(t, l, waba, o.URL+"/a.png", media.Image); a.m != nil || a.fault != "" {
		t.Errorf("after the end: %+v", a)
	}
}

// Source: spec/security.md SC5.
func TestInternalAddressesAreNotReached(t *testing.T) {
	t.Parallel()
	o, w := newOrigin(t), newWorld(t)
	l := newLinks(t, w, media.LinkOptions{})
	for _, link := range []string{
		o.URL + "/a.png", strings.Replace(o.URL, "127.0.0.1", "localhost", 1) + "/a.png", "http://0x7f000001/", "http://[::1]/",
		"http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data", "http://user:pw@example.com/", "ftp://example.com/",
	} {
		if got := get(t, l, waba, link, media.Image); got.m != nil || got.fault == "" {
			t.Errorf("%s: %+v", link, got)
		}
	}
	if o.hits.Load() != 0 {
		t.Errorf("an internal server was reached %d times", o.hits.Load())
	}
}

func TestValidLinks(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]bool{
		"https://bistro.example/a": true, "http://1.2.3.4:81": true, "ftp://x/y": false, "bistro.example/a": false, "https://": false,
		"https://u@x/": false, "": false, "https://x/" + strings.Repeat("a", 4096): false, "http://[::1": false,
	} {
		if media.ValidLink(link) != want {
			t.Errorf("%.60s: %v", link, !want)
		}
	}
}
